/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Hard disks in the Devices menu and in the status bar: those of controllers that take drives while
 * the machine runs come and go there. Manual, chapter "Virtual Storage", hot-plugging. The host
 * cannot know what the guest has mounted: before a disk goes the person is asked. */
#include "app/vmwindow/vm-window-private.h"

#include "app/settings/settings-dialog.h"
#include "app/widgets/widget-change.h"
#include "app/widgets/widget-drive.h"
#include "app/widgets/widget-new-disk.h"

#include <glib/gi18n.h>

#define TARGET_TYPE "(suu)"
#define CHANGE_DATA "change"
#define NO_ACTION "win.disk-none" /* an item that says something and does nothing */

static void
on_settings(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    VmWindow *window = data;

    settings_dialog_show(GTK_WINDOW(window), window->client, window->machine, "storage");
}

/* --- coming and going --- */
typedef struct {
    VmWindow *window;
    VitrineAttachment *disk; /* NULL: there is no free place */
    char *medium;            /* of one that comes */
} Change;

static Change *
change_new(VmWindow *window)
{
    Change *change = g_new0(Change, 1);

    change->window = g_object_ref(window);
    return change;
}

static void
change_free(gpointer data)
{
    Change *change = data;

    g_object_unref(change->window);
    g_clear_pointer(&change->disk, vitrine_attachment_free);
    g_free(change->medium);
    g_free(change);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Change, change_free)

static void
on_come(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(Change) change = data;
    g_autoptr(GError) error = NULL;

    if (!widget_change_settings_finish(VITRINE_MACHINE(source), result, &error) &&
        change->window->devices)
        vm_window_show_error(change->window, _("The disk was not attached"), error);
}

static void
on_gone(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(Change) change = data;
    g_autoptr(GError) error = NULL;

    if (!widget_change_settings_finish(VITRINE_MACHINE(source), result, &error) &&
        change->window->devices)
        vm_window_show_error(change->window, _("The disk was not removed"), error);
}

/* The first free port of a controller of this kind; the caller's; NULL: none. */
static VitrineAttachment *
free_place_of(VitrineSettings *settings, VitrineControllerType type, const char *medium)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);
    guint port, device;

    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *controller = controllers->pdata[i];

        if (controller->type == type &&
            vitrine_settings_free_slot(settings, controller->name, &port, &device) &&
            port < controller->port_count)
            return vitrine_attachment_new(controller->name, port, device,
                                          VITRINE_MEDIUM_KIND_HARD_DISK, medium);
    }
    return NULL;
}

/* Of a controller that takes drives now. SATA first: a virtio controller's disks may be virtio-blk
 * devices, which the machine refuses. */
static VitrineAttachment *
free_place(VitrineSettings *settings, const char *medium)
{
    VitrineAttachment *place = free_place_of(settings, VITRINE_CONTROLLER_AHCI, medium);

    return place ? place : free_place_of(settings, VITRINE_CONTROLLER_VIRTIO_SCSI, medium);
}

static void
put_disk(VitrineSettings *settings, gpointer data)
{
    Change *change = data;

    g_clear_pointer(&change->disk, vitrine_attachment_free);
    change->disk = free_place(settings, change->medium);
    if (change->disk)
        vitrine_settings_put_attachment(settings, change->disk);
}

static void
drop_disk(VitrineSettings *settings, gpointer data)
{
    const Change *change = data;

    vitrine_settings_remove_attachment(settings, change->disk->controller, change->disk->port,
                                       change->disk->device);
}

/* --- the commands --- */
static void
attach(VmWindow *window, const char *medium)
{
    Change *change = change_new(window);

    change->medium = g_strdup(medium);
    widget_change_settings_async(window->machine, put_disk, change, on_come, change);
}

static void
on_chosen(const char *medium, const GError *error, gpointer data)
{
    const Change *change = data;

    if (medium && !change->window->ending)
        attach(change->window, medium);
    else if (error)
        vm_window_show_error(change->window, _("The file cannot be used"), error);
}

static void
on_attach(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    VmWindow *window = data;

    widget_medium_choose(GTK_WINDOW(window), window->client, VITRINE_MEDIUM_KIND_HARD_DISK,
                         on_chosen, change_new(window), change_free);
}

static void
on_made(gpointer data, const char *medium)
{
    VmWindow *window = data;

    if (!window->ending)
        attach(window, medium);
}

static void
on_new(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    VmWindow *window = data;
    g_autofree char *folder =
        g_path_get_dirname(vitrine_machine_get_settings_file(window->machine));
    g_autofree char *name = widget_disk_free_name(window->machine, folder);

    widget_new_disk_show(GTK_WINDOW(window), window->client, folder, name, on_made,
                         G_OBJECT(window));
}

static void
on_remove_response(GtkDialog *question, int response, gpointer data)
{
    Change *change = g_object_steal_data(G_OBJECT(question), CHANGE_DATA);

    gtk_widget_destroy(GTK_WIDGET(question));
    if (response == GTK_RESPONSE_OK && !change->window->ending)
        widget_change_settings_async(change->window->machine, drop_disk, change, on_gone, change);
    else
        change_free(change);
}

static void
on_remove(GSimpleAction *action, GVariant *target, gpointer data)
{
    VmWindow *window = data;
    Change *change = change_new(window);
    GtkWidget *question = gtk_message_dialog_new(
        GTK_WINDOW(window), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_QUESTION,
        GTK_BUTTONS_NONE, _("Remove the disk from the running machine?"));
    const char *controller;
    guint port, device;

    g_variant_get(target, "(&suu)", &controller, &port, &device);
    change->disk =
        vitrine_attachment_new(controller, port, device, VITRINE_MEDIUM_KIND_HARD_DISK, "");
    gtk_message_dialog_format_secondary_text(
        GTK_MESSAGE_DIALOG(question),
        _("To the guest it is as if the cable were pulled. Unmount the disk in the guest first: "
          "what it has not written by then is lost. The image stays as it is."));
    gtk_dialog_add_buttons(GTK_DIALOG(question), _("_Keep it"), GTK_RESPONSE_CANCEL,
                           _("_Remove disk"), GTK_RESPONSE_OK, NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(question), GTK_RESPONSE_CANCEL);
    g_object_set_data_full(G_OBJECT(question), CHANGE_DATA, change, change_free);
    g_signal_connect(question, "response", G_CALLBACK(on_remove_response), NULL);
    vm_input_release(window->input);
    gtk_widget_show(question);
}

/* --- the menu --- */

/* Underscores are no mnemonics here. */
static char *
plain(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "_", -1);

    return g_strjoinv("__", parts);
}

/* With why a disk stays; name, controller and place follow. */
static const char *
disk_label(VitrineSettings *settings, const VitrineAttachment *disk)
{
    const VitrineController *controller =
        vitrine_settings_find_controller(settings, disk->controller);

    if (disk->hot_pluggable)
        return _("Remove %s (%s, %s)…");
    if (controller != NULL && vitrine_controller_hot_plugs(controller->type))
        return _("%s (%s, %s): not hot-pluggable");
    return _("%s (%s, %s): only SATA and virtio-scsi disks come and go");
}

static void
append_disk(VmWindow *window, GMenu *section, VitrineSettings *settings,
            const VitrineAttachment *disk)
{
    g_autofree char *medium = widget_drive_medium(window->client, disk);
    g_autofree char *place = widget_drive_place(settings, disk);
    g_autofree char *name = plain(medium);
    g_autofree char *controller = plain(disk->controller);
    g_autofree char *label = g_strdup_printf(disk_label(settings, disk), name, controller, place);
    g_autoptr(GMenuItem) item = g_menu_item_new(label, NO_ACTION);

    if (disk->hot_pluggable)
        g_menu_item_set_action_and_target(item, "win.remove-disk", TARGET_TYPE, disk->controller,
                                          disk->port, disk->device);
    g_menu_append_item(section, item);
}

static void
enable(VmWindow *window, const char *name, gboolean enabled)
{
    g_simple_action_set_enabled(
        G_SIMPLE_ACTION(g_action_map_lookup_action(G_ACTION_MAP(window), name)), enabled);
}

void
vm_window_fill_disks(VmWindow *window, VitrineSettings *settings)
{
    GPtrArray *drives = vitrine_settings_get_attachments(settings);
    g_autoptr(VitrineAttachment) place = free_place(settings, "");
    g_autoptr(GMenu) menu = g_menu_new(), disks = g_menu_new(), more = g_menu_new(),
                     others = g_menu_new();

    for (guint i = 0; i < drives->len; i++) {
        const VitrineAttachment *disk = drives->pdata[i];

        if (disk->kind == VITRINE_MEDIUM_KIND_HARD_DISK)
            append_disk(window, disks, settings, disk);
    }
    enable(window, "attach-disk", place != NULL);
    enable(window, "new-disk", place != NULL);
    g_menu_append(more, _("_Attach a disk…"), "win.attach-disk");
    g_menu_append(more, _("Attach a _new disk…"), "win.new-disk");
    if (place == NULL)
        g_menu_append(more, _("No SATA port is free for one more"), NO_ACTION);
    g_menu_append(others, _("_Storage settings…"), "win.storage-settings");
    g_menu_append_section(menu, NULL, G_MENU_MODEL(disks));
    g_menu_append_section(menu, NULL, G_MENU_MODEL(more));
    g_menu_append_section(menu, NULL, G_MENU_MODEL(others));
    g_menu_append_submenu(window->devices, _("_Hard disks"), G_MENU_MODEL(menu));
    vm_status_set_disk_menu(window->status, G_MENU_MODEL(menu));
}

void
vm_window_add_disk_actions(VmWindow *window)
{
    static const GActionEntry entries[] = {
        {.name = "attach-disk", .activate = on_attach},
        {.name = "new-disk", .activate = on_new},
        {.name = "remove-disk", .activate = on_remove, .parameter_type = TARGET_TYPE},
        {.name = "storage-settings", .activate = on_settings},
    };

    g_action_map_add_action_entries(G_ACTION_MAP(window), entries, G_N_ELEMENTS(entries), window);
}
