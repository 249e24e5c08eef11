/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A row of the machine list. */
#include "app/manager/machine-row.h"

#include "app/widgets/widget-format.h"
#include "app/widgets/widget-template.h"
#include "app/widgets/widget-thumbnail.h"

#define PICTURE_WIDTH 64
#define PICTURE_HEIGHT 44
#define AGE_SECONDS 30

struct _MachineRow {
    GtkListBoxRow parent;
    VitrineMachine *machine;
    GtkLabel *name, *state;
    GtkImage *icon;
    GtkBox *picture_place;
    guint age_timer;
};

G_DEFINE_FINAL_TYPE(MachineRow, machine_row, GTK_TYPE_LIST_BOX_ROW)

static void
show(MachineRow *row)
{
    g_autofree char *line = widget_state_line(row->machine);
    gboolean accessible = vitrine_machine_get_accessible(row->machine);
    const char *name = vitrine_machine_get_name(row->machine);
    g_autofree char *spoken = g_strdup_printf("%s, %s", name, line);

    gtk_label_set_text(row->name, name);
    gtk_label_set_text(row->state, line);
    gtk_image_set_from_icon_name(row->icon,
                                 accessible
                                     ? widget_state_icon(vitrine_machine_get_state(row->machine))
                                     : "dialog-warning-symbolic",
                                 GTK_ICON_SIZE_MENU);
    gtk_widget_set_tooltip_text(GTK_WIDGET(row),
                                accessible ? NULL : vitrine_machine_get_access_error(row->machine));
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(row)), spoken);
    gtk_list_box_row_changed(GTK_LIST_BOX_ROW(row));
}

static void
on_changed(VitrineMachine *machine, GParamSpec *property, MachineRow *row)
{
    show(row);
}

static gboolean
on_age(gpointer data)
{
    show(data);
    return G_SOURCE_CONTINUE;
}

VitrineMachine *
machine_row_get_machine(MachineRow *row)
{
    return row->machine;
}

gboolean
machine_row_matches(MachineRow *row, const char *search)
{
    g_autofree char *text = g_strdup_printf(
        "%s %s %s", vitrine_machine_get_name(row->machine),
        widget_os_name(vitrine_machine_get_os_type(row->machine)), gtk_label_get_text(row->state));

    return g_str_match_string(search, text, TRUE);
}

static void
machine_row_dispose(GObject *object)
{
    MachineRow *row = MACHINE_ROW(object);

    g_clear_handle_id(&row->age_timer, g_source_remove);
    g_clear_object(&row->machine);
    G_OBJECT_CLASS(machine_row_parent_class)->dispose(object);
}

static void
machine_row_class_init(MachineRowClass *class)
{
    static const WidgetChild children[] = {
        {"name", G_STRUCT_OFFSET(MachineRow, name)},
        {"state", G_STRUCT_OFFSET(MachineRow, state)},
        {"icon", G_STRUCT_OFFSET(MachineRow, icon)},
        {"picture_place", G_STRUCT_OFFSET(MachineRow, picture_place)},
    };

    G_OBJECT_CLASS(class)->dispose = machine_row_dispose;
    widget_class_set_template(GTK_WIDGET_CLASS(class), "manager/machine-row.ui", children,
                              G_N_ELEMENTS(children));
}

static void
machine_row_init(MachineRow *row)
{
    gtk_widget_init_template(GTK_WIDGET(row));
}

GtkWidget *
machine_row_new(VitrineMachine *machine)
{
    MachineRow *row = g_object_new(MACHINE_TYPE_ROW, NULL);
    GtkWidget *picture = widget_thumbnail_new(PICTURE_WIDTH, PICTURE_HEIGHT);

    row->machine = g_object_ref(machine);
    gtk_widget_show(picture);
    gtk_container_add(GTK_CONTAINER(row->picture_place), picture);
    widget_thumbnail_set_machine(WIDGET_THUMBNAIL(picture), machine);
    g_signal_connect_object(machine, "notify", G_CALLBACK(on_changed), row, 0);
    row->age_timer = g_timeout_add_seconds(AGE_SECONDS, on_age, row);
    show(row);
    return GTK_WIDGET(row);
}
