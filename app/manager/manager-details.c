/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The details pane. */
#include "app/manager/manager-details.h"

#include "app/manager/manager-activity.h"
#include "app/manager/manager-logs.h"
#include "app/snapshots/snapshots-pane.h"
#include "app/widgets/widget-drive.h"
#include "app/widgets/widget-format.h"
#include "app/widgets/widget-network.h"
#include "app/widgets/widget-template.h"
#include "app/widgets/widget-thumbnail.h"
#include "app/widgets/widget-usb.h"
#include "app/wizards/clone-machine/clone-machine.h"

#include <glib/gi18n.h>

#define PICTURE_WIDTH 256
#define PICTURE_HEIGHT 176

struct _ManagerDetails {
    GtkBox parent;
    VitrineClient *client;
    VitrineMachine *machine;
    GCancellable *cancel;
    gulong handler;
    GtkLabel *name, *state, *error;
    GtkImage *state_icon;
    GtkBox *picture_place, *buttons;
    GtkGrid *values;
    GtkWidget *picture, *refresh;
    GtkMenuButton *more;
    GtkStack *pages;
    GtkWidget *switcher, *snapshots, *logs, *activity;
};

G_DEFINE_FINAL_TYPE(ManagerDetails, manager_details, GTK_TYPE_BOX)

static void
clear_values(ManagerDetails *details)
{
    g_autoptr(GList) children = gtk_container_get_children(GTK_CONTAINER(details->values));

    for (GList *item = children; item; item = item->next)
        gtk_widget_destroy(item->data);
}

/* --- one line: what it is, and a flat button that changes it --- */
static GtkActionable *
add_line(ManagerDetails *details, int row, const char *title, const char *value,
         const char *tooltip)
{
    GtkWidget *label = gtk_label_new(title), *button = gtk_button_new();
    GtkWidget *text = gtk_label_new(value);
    g_autofree char *spoken = g_strdup_printf("%s: %s", title, value);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_widget_set_valign(label, GTK_ALIGN_BASELINE); /* the first line in the button */
    gtk_widget_set_valign(button, GTK_ALIGN_BASELINE);
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
    gtk_label_set_xalign(GTK_LABEL(text), 0);
    gtk_label_set_line_wrap(GTK_LABEL(text), TRUE);
    gtk_label_set_line_wrap_mode(GTK_LABEL(text), PANGO_WRAP_WORD_CHAR);
    gtk_container_add(GTK_CONTAINER(button), text);
    gtk_button_set_relief(GTK_BUTTON(button), GTK_RELIEF_NONE);
    gtk_widget_set_hexpand(button, TRUE);
    gtk_widget_set_tooltip_text(button, tooltip);
    atk_object_set_name(gtk_widget_get_accessible(button), spoken);
    gtk_grid_attach(details->values, label, 0, row, 1, 1);
    gtk_grid_attach(details->values, button, 1, row, 1, 1);
    return GTK_ACTIONABLE(button);
}

static void
add_value(ManagerDetails *details, int row, const char *title, const char *page, const char *value)
{
    GtkActionable *button = add_line(details, row, title, value, _("Change…"));

    gtk_actionable_set_action_target(button, "s", page); /* first: the name looks the action up */
    gtk_actionable_set_action_name(button, "win.open-settings");
}

static void
add_leftovers(ManagerDetails *details, int row)
{
    guint count = g_strv_length((char **)vitrine_machine_get_leftover_states(details->machine));
    g_autofree char *value = g_strdup_printf(
        ngettext("%u saved state belongs to nothing", "%u saved states belong to nothing", count),
        count);
    GtkActionable *button = add_line(details, row, _("Left over"), value, _("Delete…"));

    gtk_actionable_set_action_name(button, "win.delete-leftovers");
}

static char *
system_text(VitrineSettings *settings)
{
    g_autofree char *memory = widget_megabytes(vitrine_settings_get_uint(settings, "memory"));
    guint cpus = vitrine_settings_get_uint(settings, "cpus");
    const char *engine = vitrine_settings_get_string(settings, "exec-engine");
    GString *text = g_string_new(NULL);

    g_string_append_printf(
        text, ngettext("%s of memory, %u processor", "%s of memory, %u processors", cpus), memory,
        cpus);
    if (g_strcmp0(engine, "auto") != 0) {
        g_autofree char *upper = g_ascii_strup(engine, -1);
        g_string_append_printf(text, ", %s", upper);
    }
    return g_string_free(text, FALSE);
}

static char *
storage_text(ManagerDetails *details, VitrineSettings *settings)
{
    GPtrArray *drives = vitrine_settings_get_attachments(settings);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < drives->len; i++) {
        const VitrineAttachment *drive = g_ptr_array_index(drives, i);
        g_autofree char *place = widget_drive_place(settings, drive);
        g_autofree char *medium = widget_drive_medium(details->client, drive);
        g_string_append_printf(text, "%s%s: %s", i ? "\n" : "", place, medium);
    }
    if (text->len == 0)
        g_string_append(text, _("No drives"));
    return g_string_free(text, FALSE);
}

/* A line for each card; numbers only where there are several. */
static char *
network_text(VitrineSettings *settings)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    guint first = VITRINE_ADAPTER_COUNT;

    for (guint slot = 0; slot < VITRINE_ADAPTER_COUNT; slot++) {
        const VitrineAdapter *adapter = vitrine_settings_get_adapter(settings, slot);
        g_autofree char *text = widget_adapter_text(adapter);
        if (!adapter->enabled)
            continue;
        first = MIN(first, slot);
        g_ptr_array_add(lines, g_strdup_printf(_("Adapter %u: %s"), slot + 1, text));
    }
    if (lines->len == 1)
        return widget_adapter_text(vitrine_settings_get_adapter(settings, first));
    g_ptr_array_add(lines, NULL);
    return lines->len == 1 ? g_strdup(_("Off")) : g_strjoinv("\n", (char **)lines->pdata);
}

static char *
serial_text(VitrineSettings *settings)
{
    GString *text = g_string_new(NULL);

    for (guint slot = 0; slot < VITRINE_UART_COUNT; slot++) {
        const VitrineUart *uart = vitrine_settings_get_uart(settings, slot);
        if (uart->enabled)
            g_string_append_printf(text, "%sCOM%u", text->len ? ", " : "", slot + 1);
    }
    if (text->len == 0)
        g_string_append(text, _("Off"));
    return g_string_free(text, FALSE);
}

static void
show_settings(ManagerDetails *details, VitrineSettings *settings)
{
    g_autofree char *system = system_text(settings), *storage = storage_text(details, settings);
    g_autofree char *serial = serial_text(settings), *network = network_text(settings);
    g_autofree char *video = widget_megabytes(vitrine_settings_get_uint(settings, "vram"));
    g_autofree char *display = g_strdup_printf(_("%s of video memory"), video);
    g_autofree char *usb = widget_usb_settings_text(settings);
    const char *description = vitrine_settings_get_string(settings, "description");
    int row = 0;

    clear_values(details);
    add_value(details, row++, _("General"), "general",
              widget_os_name(vitrine_settings_get_string(settings, "os-type")));
    add_value(details, row++, _("System"), "system", system);
    add_value(details, row++, _("Display"), "display", display);
    add_value(details, row++, _("Storage"), "storage", storage);
    add_value(details, row++, _("Network"), "network", network);
    add_value(details, row++, _("Serial ports"), "serial", serial);
    add_value(details, row++, _("USB"), "usb", usb);
    if (description && *description)
        add_value(details, row++, _("Description"), "general", description);
    if (*vitrine_machine_get_leftover_states(details->machine))
        add_leftovers(details, row++);
    gtk_widget_show_all(GTK_WIDGET(details->values));
}

static void
on_settings(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerDetails) details = data;
    g_autoptr(VitrineSettings) settings =
        vitrine_machine_load_settings_finish(VITRINE_MACHINE(source), result, NULL);

    if (settings && details->machine == VITRINE_MACHINE(source))
        show_settings(details, settings);
}

void
manager_details_show_page(ManagerDetails *details, const char *page)
{
    gtk_stack_set_visible_child_name(details->pages, page);
}

static void
show_state(ManagerDetails *details)
{
    gboolean accessible = vitrine_machine_get_accessible(details->machine);
    VitrineMachineState state = vitrine_machine_get_state(details->machine);
    g_autofree char *line = widget_state_line(details->machine);

    gtk_label_set_text(details->name, vitrine_machine_get_name(details->machine));
    gtk_label_set_text(details->state, line);
    gtk_image_set_from_icon_name(details->state_icon,
                                 accessible ? widget_state_icon(state) : "dialog-warning-symbolic",
                                 GTK_ICON_SIZE_MENU);
    gtk_label_set_text(details->error, vitrine_machine_get_access_error(details->machine));
    gtk_widget_set_visible(GTK_WIDGET(details->error), !accessible);
    gtk_widget_set_visible(GTK_WIDGET(details->values), accessible);
    gtk_widget_set_visible(GTK_WIDGET(details->buttons), vitrine_machine_state_is_online(state));
    gtk_widget_set_visible(details->refresh, !accessible);
    gtk_widget_set_visible(details->switcher, accessible);
    if (!accessible)
        manager_details_show_page(details, "details");
}

static void
load(ManagerDetails *details)
{
    show_state(details);
    if (vitrine_machine_get_accessible(details->machine))
        vitrine_machine_load_settings_async(details->machine, details->cancel, on_settings,
                                            g_object_ref(details));
}

static void
on_changed(VitrineMachine *machine, GParamSpec *property, ManagerDetails *details)
{
    if (g_str_equal(property->name, "settings-generation") ||
        g_str_equal(property->name, "leftover-states") || g_str_equal(property->name, "accessible"))
        load(details);
    else
        show_state(details);
}

void
manager_details_set_machine(ManagerDetails *details, VitrineMachine *machine)
{
    if (details->machine == machine)
        return;
    g_cancellable_cancel(details->cancel);
    g_clear_object(&details->cancel);
    if (details->machine)
        g_clear_signal_handler(&details->handler, details->machine);
    g_set_object(&details->machine, machine);
    if (details->picture)
        widget_thumbnail_set_machine(WIDGET_THUMBNAIL(details->picture), machine);
    if (details->snapshots)
        snapshots_pane_set_machine(SNAPSHOTS_PANE(details->snapshots), machine);
    if (details->logs) {
        manager_logs_set_machine(MANAGER_LOGS(details->logs), machine);
        manager_activity_set_machine(MANAGER_ACTIVITY(details->activity), machine);
    }
    if (!machine)
        return;
    details->cancel = g_cancellable_new();
    details->handler = g_signal_connect(machine, "notify", G_CALLBACK(on_changed), details);
    clear_values(details);
    load(details);
}

static void
manager_details_dispose(GObject *object)
{
    ManagerDetails *details = MANAGER_DETAILS(object);

    details->picture = details->snapshots = details->logs = details->activity = NULL;
    manager_details_set_machine(details, NULL);
    g_clear_object(&details->client);
    G_OBJECT_CLASS(manager_details_parent_class)->dispose(object);
}

static void
manager_details_class_init(ManagerDetailsClass *class)
{
    static const WidgetChild children[] = {
        {"name", G_STRUCT_OFFSET(ManagerDetails, name)},
        {"state", G_STRUCT_OFFSET(ManagerDetails, state)},
        {"state_icon", G_STRUCT_OFFSET(ManagerDetails, state_icon)},
        {"error", G_STRUCT_OFFSET(ManagerDetails, error)},
        {"picture_place", G_STRUCT_OFFSET(ManagerDetails, picture_place)},
        {"buttons", G_STRUCT_OFFSET(ManagerDetails, buttons)},
        {"refresh", G_STRUCT_OFFSET(ManagerDetails, refresh)},
        {"values", G_STRUCT_OFFSET(ManagerDetails, values)},
        {"pages", G_STRUCT_OFFSET(ManagerDetails, pages)},
        {"switcher", G_STRUCT_OFFSET(ManagerDetails, switcher)},
        {"more", G_STRUCT_OFFSET(ManagerDetails, more)},
    };

    G_OBJECT_CLASS(class)->dispose = manager_details_dispose;
    widget_class_set_template(GTK_WIDGET_CLASS(class), "manager/manager-details.ui", children,
                              G_N_ELEMENTS(children));
}

static void
manager_details_init(ManagerDetails *details)
{
    gtk_widget_init_template(GTK_WIDGET(details));
    details->logs = manager_logs_new();
    details->activity = manager_activity_new();
    gtk_stack_add_titled(details->pages, details->logs, "logs", _("Logs"));
    gtk_stack_add_titled(details->pages, details->activity, "activity", _("Activity"));
}

static void
on_clone_wanted(SnapshotsPane *pane, const char *snapshot, ManagerDetails *details)
{
    clone_machine_show(GTK_WINDOW(gtk_widget_get_toplevel(GTK_WIDGET(details))), details->client,
                       details->machine, snapshot);
}

GtkWidget *
manager_details_new(VitrineClient *client, GMenuModel *menu)
{
    ManagerDetails *details = g_object_new(MANAGER_TYPE_DETAILS, NULL);

    details->client = g_object_ref(client);
    gtk_menu_button_set_menu_model(details->more, menu);
    details->snapshots = snapshots_pane_new(client);
    g_signal_connect(details->snapshots, "clone-wanted", G_CALLBACK(on_clone_wanted), details);
    gtk_stack_add_titled(details->pages, details->snapshots, "snapshots", _("Snapshots"));
    gtk_container_child_set(GTK_CONTAINER(details->pages), details->snapshots, "position", 1, NULL);
    details->picture = widget_thumbnail_new(PICTURE_WIDTH, PICTURE_HEIGHT);
    atk_object_set_name(gtk_widget_get_accessible(details->picture), _("Preview"));
    gtk_widget_show(details->picture);
    gtk_container_add(GTK_CONTAINER(details->picture_place), details->picture);
    return GTK_WIDGET(details);
}
