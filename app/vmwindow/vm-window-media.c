/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Devices menu: for each optical and floppy drive the media that are known, a file chooser, and
 * eject. The target of the actions is (controller, port, device, medium). */
#include "app/vmwindow/vm-window-private.h"

#include <glib/gi18n.h>

#define TARGET_TYPE "(suus)"

typedef struct {
    VmWindow *window;
    char *controller;
    guint port, device;
    VitrineMediumKind kind;
} Choice;

static void
choice_free(Choice *choice)
{
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
on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
    Choice *choice = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *medium =
        vitrine_client_open_medium_finish(VITRINE_CLIENT(source), result, &error);

    if (medium)
        change(choice->window, choice->controller, choice->port, choice->device, medium);
    else
        vm_window_show_error(choice->window, _("The file cannot be used"), error);
    choice_free(choice);
}

static void
add_filters(GtkFileChooser *chooser, VitrineMediumKind kind)
{
    GtkFileFilter *images = gtk_file_filter_new(), *all = gtk_file_filter_new();
    gboolean optical = kind == VITRINE_MEDIUM_KIND_DVD;

    gtk_file_filter_set_name(images, optical ? _("Optical images") : _("Floppy images"));
    if (optical) {
        gtk_file_filter_add_pattern(images, "*.[iI][sS][oO]");
    } else {
        gtk_file_filter_add_pattern(images, "*.[iI][mM][gG]");
        gtk_file_filter_add_pattern(images, "*.[iI][mM][aA]");
        gtk_file_filter_add_pattern(images, "*.[vV][fF][dD]");
        gtk_file_filter_add_pattern(images, "*.[dD][sS][kK]");
    }
    gtk_file_filter_set_name(all, _("All files"));
    gtk_file_filter_add_pattern(all, "*");
    gtk_file_chooser_add_filter(chooser, images);
    gtk_file_chooser_add_filter(chooser, all);
}

static void
on_file_chosen(GtkNativeDialog *dialog, int response, gpointer data)
{
    Choice *choice = data;
    g_autofree char *path = gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(dialog));

    if (response == GTK_RESPONSE_ACCEPT && path)
        vitrine_client_open_medium_async(choice->window->client, path, choice->kind,
                                         choice->window->cancel, on_opened, choice);
    else
        choice_free(choice);
    g_object_unref(dialog);
}

static void
on_choose(GSimpleAction *action, GVariant *target, gpointer data)
{
    VmWindow *window = data;
    Choice *choice = g_new0(Choice, 1);
    GtkFileChooserNative *dialog;
    const char *kind;

    g_variant_get(target, "(suu&s)", &choice->controller, &choice->port, &choice->device, &kind);
    choice->window = g_object_ref(window);
    choice->kind = g_str_equal(kind, "dvd") ? VITRINE_MEDIUM_KIND_DVD : VITRINE_MEDIUM_KIND_FLOPPY;
    dialog = gtk_file_chooser_native_new(
        choice->kind == VITRINE_MEDIUM_KIND_DVD ? _("Choose an optical image")
                                                : _("Choose a floppy image"),
        GTK_WINDOW(window), GTK_FILE_CHOOSER_ACTION_OPEN, _("_Insert"), _("_Cancel"));
    add_filters(GTK_FILE_CHOOSER(dialog), choice->kind);
    g_signal_connect(dialog, "response", G_CALLBACK(on_file_chosen), choice);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
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

static char *
drive_label(VmWindow *window, const VitrineAttachment *drive)
{
    VitrineMedium *medium =
        *drive->medium ? vitrine_client_find_medium(window->client, drive->medium) : NULL;
    g_autofree char *name =
        medium ? g_path_get_basename(vitrine_medium_get_location(medium)) : g_strdup(_("empty"));

    return g_strdup_printf(
        "%s (%s)", drive->kind == VITRINE_MEDIUM_KIND_DVD ? _("Optical drive") : _("Floppy drive"),
        g_strdelimit(name, "_", ' '));
}

static GMenu *
drive_menu(VmWindow *window, const VitrineAttachment *drive)
{
    GMenu *menu = g_menu_new();
    g_autoptr(GMenu) known = g_menu_new(), eject = g_menu_new();
    gboolean optical = drive->kind == VITRINE_MEDIUM_KIND_DVD;

    append_known_media(window, known, drive);
    append(known, _("_Choose a file…"), "win.choose-medium", drive, optical ? "dvd" : "floppy");
    g_menu_append_section(menu, NULL, G_MENU_MODEL(known));
    if (*drive->medium)
        append(eject, _("_Eject"), "win.insert-medium", drive, "");
    g_menu_append_section(menu, NULL, G_MENU_MODEL(eject));
    return menu;
}

static void
fill(VmWindow *window, VitrineSettings *settings)
{
    GPtrArray *drives = vitrine_settings_get_attachments(settings);
    gboolean disk = FALSE, optical = FALSE, floppy = FALSE;

    g_menu_remove_all(window->devices);
    g_menu_remove_all(window->optical_menu);
    g_menu_remove_all(window->floppy_menu);
    for (guint i = 0; i < drives->len; i++) {
        const VitrineAttachment *drive = g_ptr_array_index(drives, i);
        g_autofree char *label = NULL;
        g_autoptr(GMenu) menu = NULL;
        if (drive->kind == VITRINE_MEDIUM_KIND_HARD_DISK) {
            disk = TRUE;
            continue;
        }
        label = drive_label(window, drive);
        menu = drive_menu(window, drive);
        g_menu_append_submenu(window->devices, label, G_MENU_MODEL(menu));
        g_menu_append_submenu(drive->kind == VITRINE_MEDIUM_KIND_DVD ? window->optical_menu
                                                                     : window->floppy_menu,
                              label, G_MENU_MODEL(menu));
        optical |= drive->kind == VITRINE_MEDIUM_KIND_DVD;
        floppy |= drive->kind == VITRINE_MEDIUM_KIND_FLOPPY;
    }
    vm_status_set_drives(window->status, disk, optical, floppy);
}

static void
on_settings(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(VitrineSettings) settings =
        vitrine_machine_load_settings_finish(VITRINE_MACHINE(source), result, NULL);

    if (settings && window->devices)
        fill(window, settings);
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
}
