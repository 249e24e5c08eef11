/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The page of a group. */
#include "app/manager/group-details.h"

#include "app/widgets/widget-template.h"

#include <glib/gi18n.h>

struct _GroupDetails {
    GtkBox parent;
    GtkLabel *name, *summary, *names;
};

G_DEFINE_FINAL_TYPE(GroupDetails, group_details, GTK_TYPE_BOX)

static char *
summary(GPtrArray *machines)
{
    guint running = 0;
    g_autofree char *count =
        g_strdup_printf(ngettext("%u machine", "%u machines", machines->len), machines->len);

    for (guint i = 0; i < machines->len; i++) {
        VitrineMachine *machine = g_ptr_array_index(machines, i);
        running += vitrine_machine_state_is_online(vitrine_machine_get_state(machine)) ? 1 : 0;
    }
    return running ? g_strdup_printf(_("%s, %u running"), count, running)
                   : g_strdup_printf(_("%s, none running"), count);
}

void
group_details_show(GroupDetails *details, const char *path, GPtrArray *machines)
{
    g_autofree char *text = summary(machines), *shown = g_strdup(path + 1);
    g_auto(GStrv) parts = g_strsplit(shown, "/", -1);
    g_autofree char *title = g_strjoinv(" › ", parts);
    GString *names = g_string_new(NULL);

    for (guint i = 0; i < machines->len; i++)
        g_string_append_printf(names, "%s%s", i ? "\n" : "",
                               vitrine_machine_get_name(g_ptr_array_index(machines, i)));
    gtk_label_set_text(details->name, title);
    gtk_label_set_text(details->summary, text);
    gtk_label_set_text(details->names, names->str);
    g_string_free(names, TRUE);
}

static void
group_details_class_init(GroupDetailsClass *class)
{
    static const WidgetChild children[] = {
        {"name", G_STRUCT_OFFSET(GroupDetails, name)},
        {"summary", G_STRUCT_OFFSET(GroupDetails, summary)},
        {"names", G_STRUCT_OFFSET(GroupDetails, names)},
    };

    widget_class_set_template(GTK_WIDGET_CLASS(class), "manager/group-details.ui", children,
                              G_N_ELEMENTS(children));
}

static void
group_details_init(GroupDetails *details)
{
    gtk_widget_init_template(GTK_WIDGET(details));
}

GtkWidget *
group_details_new(void)
{
    return g_object_new(GROUP_TYPE_DETAILS, NULL);
}
