/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A row of a group. */
#include "app/manager/group-row.h"

#include "app/widgets/widget-template.h"

#include <glib/gi18n.h>

struct _GroupRow {
    GtkListBoxRow parent;
    GtkButton *expander;
    GtkImage *arrow;
    GtkLabel *name, *count;
};

G_DEFINE_FINAL_TYPE(GroupRow, group_row, GTK_TYPE_LIST_BOX_ROW)

/* Set once by class_init. */
static guint toggled_signal;

void
group_row_show(GroupRow *row, const char *name, guint machines, gboolean closed)
{
    g_autofree char *number = g_strdup_printf("%u", machines);
    g_autofree char *count =
        g_strdup_printf(ngettext("%u machine", "%u machines", machines), machines);
    g_autofree char *spoken =
        g_strdup_printf(closed ? _("Group %s, closed, %s") : _("Group %s, %s"), name, count);

    gtk_label_set_text(row->name, name);
    gtk_label_set_text(row->count, number);
    gtk_widget_set_tooltip_text(GTK_WIDGET(row->count), count);
    gtk_image_set_from_icon_name(row->arrow, closed ? "pan-end-symbolic" : "pan-down-symbolic",
                                 GTK_ICON_SIZE_BUTTON);
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(row->expander)),
                        closed ? _("Open the group") : _("Close the group"));
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(row)), spoken);
}

static void
on_expander(GtkButton *button, GroupRow *row)
{
    g_signal_emit(row, toggled_signal, 0);
}

static void
group_row_class_init(GroupRowClass *class)
{
    static const WidgetChild children[] = {
        {"expander", G_STRUCT_OFFSET(GroupRow, expander)},
        {"arrow", G_STRUCT_OFFSET(GroupRow, arrow)},
        {"name", G_STRUCT_OFFSET(GroupRow, name)},
        {"count", G_STRUCT_OFFSET(GroupRow, count)},
    };

    widget_class_set_template(GTK_WIDGET_CLASS(class), "manager/group-row.ui", children,
                              G_N_ELEMENTS(children));
    gtk_widget_class_bind_template_callback(GTK_WIDGET_CLASS(class), on_expander);
    toggled_signal = g_signal_new("toggled", GROUP_TYPE_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 0);
}

static void
group_row_init(GroupRow *row)
{
    gtk_widget_init_template(GTK_WIDGET(row));
}

GtkWidget *
group_row_new(void)
{
    return g_object_new(GROUP_TYPE_ROW, NULL);
}
