/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Devices menu: for each optical and floppy drive the media that are known, a file chooser, the
 * host's own drives, and eject. The target of the actions is (controller, port, device, medium). */
#include "app/vmwindow/vm-window-private.h"

#include "app/widgets/widget-drive.h"
#include "app/widgets/widget-host-drive.h"

#include <glib/gi18n.h>

#define TARGET_TYPE "(suus)"

typedef struct {
    VmWindow *window;
    char *controller;
    guint port, device;
} Choice;

static void
choice_free(gpointer data)
{
    Choice *choice = data;

    g_object_unref(choice->window);
    g_free(choice->controller);
    g_free(choice);
}

static void
on_changed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_machine_change_medium_finish(VITRINE_MACHINE(source), result, &error))
        vm_window_show_error(window, _("The medium was not changed"), error);
    vm_window_refresh_media(window);
}

static void
change(VmWindow *window, const char *controller, guint port, guint device, const char *medium)
{
    vitrine_machine_change_medium_async(window->machine, controller, port, device, medium, FALSE,
                                        window->cancel, on_changed, g_object_ref(window));
}

static void
on_insert(GSimpleAction *action, GVariant *target, gpointer data)
{
    const char *controller, *medium;
    guint port, device;

    g_variant_get(target, "(&suu&s)", &controller, &port, &device, &medium);
    change(data, controller, port, device, medium);
}

/* --- choosing a file --- */
static void
on_chosen(const char *medium, const GError *error, gpointer data)
{
    Choice *choice = data;

    if (medium && !choice->window->ending)
        change(choice->window, choice->controller, choice->port, choice->device, medium);
    else if (error)
        vm_window_show_error(choice->window, _("The file cannot be used"), error);
}

static void
on_choose(GSimpleAction *action, GVariant *target, gpointer data)
{
    VmWindow *window = data;
    Choice *choice = g_new0(Choice, 1);
    const char *kind;

    g_variant_get(target, "(suu&s)", &choice->controller, &choice->port, &choice->device, &kind);
    choice->window = g_object_ref(window);
    widget_medium_choose(GTK_WINDOW(window), window->client,
                         g_str_equal(kind, "dvd") ? VITRINE_MEDIUM_KIND_DVD
                                                  : VITRINE_MEDIUM_KIND_FLOPPY,
                         on_chosen, choice, choice_free);
}

/* --- the menu --- */
static void
append(GMenu *menu, const char *label, const char *action, const VitrineAttachment *drive,
       const char *medium)
{
    g_autoptr(GMenuItem) item = g_menu_item_new(label, NULL);

    g_menu_item_set_action_and_target(item, action, TARGET_TYPE, drive->controller, drive->port,
                                      drive->device, medium);
    g_menu_append_item(menu, item);
}

static void
append_known_media(VmWindow *window, GMenu *menu, const VitrineAttachment *drive)
{
    GListModel *media = vitrine_client_get_media(window->client);
    guint count = g_list_model_get_n_items(media);

    for (guint i = 0; i < count; i++) {
        g_autoptr(VitrineMedium) medium = g_list_model_get_item(media, i);
        g_autofree char *name = NULL;
        g_autofree char *label = NULL;
        if (vitrine_medium_get_kind(medium) != drive->kind ||
            g_strcmp0(vitrine_medium_get_id(medium), drive->medium) == 0)
            continue;
        name = g_path_get_basename(vitrine_medium_get_location(medium));
        label = g_strdelimit(g_strdup(name), "_", ' ');
        append(menu, label, "win.insert-medium", drive, vitrine_medium_get_id(medium));
    }
}

static void
append_host_drives(GMenu *menu, const VitrineAttachment *drive, GPtrArray *host_drives)
{
    for (guint i = 0; host_drives != NULL && i < host_drives->len; i++) {
        const VitrineHostDrive *host = host_drives->pdata[i];
        g_autofree char *label = widget_host_drive_label(host);
        g_autofree char *medium = g_strconcat("host:", host->path, NULL);

        if (host->kind == drive->kind && g_strcmp0(host->path, drive->host_drive) != 0)
            append(menu, g_strdelimit(label, "_", ' '), "win.insert-medium", drive, medium);
    }
}

static char *
drive_label(VmWindow *window, const VitrineAttachment *drive)
{
    VitrineMedium *medium =
        *drive->medium ? vitrine_client_find_medium(window->client, drive->medium) : NULL;
    g_autofree char *name =
        medium ? g_path_get_basename(vitrine_medium_get_location(medium)) : g_strdup(_("empty"));

    if (*drive->host_drive) {
        g_free(name);
        name = widget_drive_medium(window->client, drive);
    }
    return g_strdup_printf(
        "%s (%s)", drive->kind == VITRINE_MEDIUM_KIND_DVD ? _("Optical drive") : _("Floppy drive"),
        g_strdelimit(name, "_", ' '));
}

static GMenu *
drive_menu(VmWindow *window, const VitrineAttachment *drive, GPtrArray *host_drives)
{
    GMenu *menu = g_menu_new();
    g_autoptr(GMenu) known = g_menu_new(), eject = g_menu_new(), host = g_menu_new();
    gboolean optical = drive->kind == VITRINE_MEDIUM_KIND_DVD;

    append_known_media(window, known, drive);
    append(known, _("_Choose a file…"), "win.choose-medium", drive, optical ? "dvd" : "floppy");
    g_menu_append_section(menu, NULL, G_MENU_MODEL(known));
    append_host_drives(host, drive, host_drives);
    g_menu_append_section(menu, NULL, G_MENU_MODEL(host));
    if (*drive->medium || *drive->host_drive)
        append(eject, _("_Eject"), "win.insert-medium", drive, "");
    g_menu_append_section(menu, NULL, G_MENU_MODEL(eject));
    return menu;
}

static void
append_drive(VmWindow *window, const VitrineAttachment *drive, GPtrArray *host_drives)
{
    g_autofree char *label = drive_label(window, drive);
    g_autoptr(GMenu) menu = drive_menu(window, drive, host_drives);

    g_menu_append_submenu(window->devices, label, G_MENU_MODEL(menu));
    g_menu_append_submenu(drive->kind == VITRINE_MEDIUM_KIND_DVD ? window->optical_menu
                                                                 : window->floppy_menu,
                          label, G_MENU_MODEL(menu));
}

/* The drive as it is now: what the guest has ejected until the machine ends is not in it. */
static VitrineAttachment *
present_drive(VmWindow *window, const VitrineAttachment *attachment)
{
    VitrineAttachment *drive = vitrine_attachment_copy(attachment);

    if (vitrine_machine_has_ejected(window->machine, drive)) {
        g_free(drive->medium);
        drive->medium = g_strdup("");
    }
    return drive;
}

static void
fill(VmWindow *window, VitrineSettings *settings, GPtrArray *host_drives)
{
    GPtrArray *drives = vitrine_settings_get_attachments(settings);
    GString *texts[] = {g_string_new(NULL), g_string_new(NULL), g_string_new(NULL)};

    g_menu_remove_all(window->devices);
    g_menu_remove_all(window->optical_menu);
    g_menu_remove_all(window->floppy_menu);
    for (guint i = 0; i < drives->len; i++) {
        g_autoptr(VitrineAttachment) drive = present_drive(window, g_ptr_array_index(drives, i));
        g_autofree char *place = widget_drive_place(settings, drive);
        g_autofree char *medium = widget_drive_medium(window->client, drive);
        GString *text = texts[drive->kind];
        g_string_append_printf(text, "%s%s: %s", text->len ? "\n" : "", place, medium);
        if (drive->kind != VITRINE_MEDIUM_KIND_HARD_DISK)
            append_drive(window, drive, host_drives);
    }
    for (guint kind = 0; kind < G_N_ELEMENTS(texts); kind++) {
        vm_status_set_drives(window->status, (VitrineMediumKind)kind, texts[kind]->str);
        g_string_free(texts[kind], TRUE);
    }
    vm_window_fill_disks(window, settings);
    vm_window_fill_network(window, settings);
    vm_window_fill_audio(window, settings);
    vm_window_fill_usb(window, settings);
}

typedef struct {
    VmWindow *window;
    VitrineSettings *settings;
} Refresh;

static void
on_host_drives(GObject *source, GAsyncResult *result, gpointer data)
{
    Refresh *refresh = data;
    g_autoptr(VmWindow) window = refresh->window;
    g_autoptr(VitrineSettings) settings = refresh->settings;
    g_autoptr(GPtrArray) host_drives =
        vitrine_client_load_host_drives_finish(VITRINE_CLIENT(source), result, NULL);

    g_free(refresh);
    if (window->devices)
        fill(window, settings, host_drives);
}

static void
on_settings(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(VitrineSettings) settings =
        vitrine_machine_load_settings_finish(VITRINE_MACHINE(source), result, NULL);
    Refresh *refresh;

    if (!settings || !window->devices)
        return;
    refresh = g_new(Refresh, 1);
    *refresh = (Refresh){g_object_ref(window), g_object_ref(settings)};
    vitrine_client_load_host_drives_async(window->client, window->cancel, on_host_drives, refresh);
}

void
vm_window_refresh_media(VmWindow *window)
{
    vitrine_machine_load_settings_async(window->machine, window->cancel, on_settings,
                                        g_object_ref(window));
}

void
vm_window_add_media_actions(VmWindow *window)
{
    static const GActionEntry entries[] = {
        {.name = "insert-medium", .activate = on_insert, .parameter_type = TARGET_TYPE},
        {.name = "choose-medium", .activate = on_choose, .parameter_type = TARGET_TYPE},
    };

    g_action_map_add_action_entries(G_ACTION_MAP(window), entries, G_N_ELEMENTS(entries), window);
    /* Drives of the host at USB come and go, too. */
    g_signal_connect_object(window->client, "usb-devices-changed",
                            G_CALLBACK(vm_window_refresh_media), window, G_CONNECT_SWAPPED);
}
