/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What all windows say of drives and media. */
#include "app/widgets/widget-drive.h"

#include "app/widgets/widget-format.h"

#include <glib/gi18n.h>

#define DEPTH_MAX 300 /* of a chain of images */

/* --- kinds, in the order of VitrineMediumKind --- */
static const struct {
    const char *icon, *title, *filter, *missing, *folder_key;
    const char *extensions[12];
} kinds[] = {
    [VITRINE_MEDIUM_KIND_HARD_DISK] = {"drive-harddisk-symbolic",
                                       N_("Choose a disk image"),
                                       N_("Disk images"),
                                       N_("Missing"),
                                       "GUI/RecentFolderHD",
                                       {"vdi", "vmdk", "vhd", "vhdx", "qcow2", "qcow", "qed", "hdd",
                                        "img", "raw"}},
    [VITRINE_MEDIUM_KIND_DVD] = {"media-optical-symbolic",
                                 N_("Choose an optical image"),
                                 N_("Optical images"),
                                 N_("Empty"),
                                 "GUI/RecentFolderCD",
                                 {"iso"}},
    [VITRINE_MEDIUM_KIND_FLOPPY] = {"media-floppy-symbolic",
                                    N_("Choose a floppy image"),
                                    N_("Floppy images"),
                                    N_("Empty"),
                                    "GUI/RecentFolderFD",
                                    {"img", "ima", "vfd", "dsk"}},
};

const char *
widget_drive_icon(VitrineMediumKind kind)
{
    return kinds[kind].icon;
}

char *
widget_drive_place(VitrineSettings *settings, const VitrineAttachment *drive)
{
    static const char *const ide[4] = {N_("Primary master"), N_("Primary slave"),
                                       N_("Secondary master"), N_("Secondary slave")};
    const VitrineController *controller =
        vitrine_settings_find_controller(settings, drive->controller);
    VitrineStorageBus bus =
        controller ? vitrine_controller_bus(controller->type) : VITRINE_STORAGE_BUS_SATA;

    if (bus == VITRINE_STORAGE_BUS_IDE && drive->port < 2 && drive->device < 2)
        return g_strdup(_(ide[drive->port * 2 + drive->device]));
    if (bus == VITRINE_STORAGE_BUS_FLOPPY)
        return g_strdup_printf(_("Drive %c"), 'A' + (int)drive->device);
    return g_strdup_printf(_("Port %u"), drive->port);
}

/* An image of differences has a name that tells nothing: that of the image at the bottom does. */
static char *
name_of(VitrineClient *client, VitrineMedium *medium)
{
    VitrineMedium *base = medium;
    g_autofree char *name = NULL;

    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) { /* from files: it may be a circle */
        const char *id = vitrine_medium_get_parent_id(base);
        VitrineMedium *parent = id && *id ? vitrine_client_find_medium(client, id) : NULL;

        if (!parent)
            break;
        base = parent;
    }
    name = vitrine_medium_dup_name(base);
    return base == medium ? g_steal_pointer(&name)
                          : g_strdup_printf(_("%s (differencing image)"), name);
}

char *
widget_drive_medium(VitrineClient *client, const VitrineAttachment *drive)
{
    VitrineMedium *medium =
        *drive->medium ? vitrine_client_find_medium(client, drive->medium) : NULL;
    g_autofree char *name = medium ? name_of(client, medium) : NULL, *size = NULL;
    guint64 bytes = medium ? vitrine_medium_get_logical_size(medium) : 0;

    if (*drive->host_drive) {
        name = g_path_get_basename(drive->host_drive);
        return g_strdup_printf(_("Host drive %s"), name);
    }
    if (!medium)
        return g_strdup(*drive->medium ? _("The image is not known")
                                       : _(kinds[drive->kind].missing));
    if (vitrine_medium_get_state(medium) == VITRINE_MEDIUM_STATE_INACCESSIBLE)
        return g_strdup_printf(_("%s – can't be read"), name);
    if (drive->kind != VITRINE_MEDIUM_KIND_HARD_DISK || bytes == 0)
        return g_steal_pointer(&name);
    size = widget_megabytes(bytes / (1024 * 1024));
    return g_strdup_printf("%s, %s", name, size);
}

/* --- choosing a file --- */
/* "*.[iI][sS][oO]": patterns know upper and lower case, which file systems elsewhere do not. */
static char *
pattern(const char *extension)
{
    GString *text = g_string_new("*.");

    for (const char *c = extension; *c; c++)
        g_string_append_printf(text, "[%c%c]", *c, g_ascii_toupper(*c));
    return g_string_free(text, FALSE);
}

void
widget_medium_add_filters(GtkFileChooser *chooser, VitrineMediumKind kind)
{
    GtkFileFilter *images = gtk_file_filter_new(), *all = gtk_file_filter_new();

    for (const char *const *extension = kinds[kind].extensions; *extension; extension++) {
        g_autofree char *text = pattern(*extension);
        gtk_file_filter_add_pattern(images, text);
    }
    gtk_file_filter_set_name(images, _(kinds[kind].filter));
    gtk_file_filter_set_name(all, _("All files"));
    gtk_file_filter_add_pattern(all, "*");
    gtk_file_chooser_add_filter(chooser, images);
    gtk_file_chooser_add_filter(chooser, all);
}

typedef struct {
    VitrineClient *client;
    VitrineMediumKind kind;
    WidgetMediumChosen chosen;
    gpointer data;
    GDestroyNotify free_data;
} Choice;

static void
choice_free(Choice *choice)
{
    choice->free_data(choice->data);
    g_object_unref(choice->client);
    g_free(choice);
}

static void
on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
    Choice *choice = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *medium =
        vitrine_client_open_medium_finish(VITRINE_CLIENT(source), result, &error);

    choice->chosen(medium, error, choice->data);
    choice_free(choice);
}

static void
on_response(GtkNativeDialog *dialog, int response, gpointer data)
{
    Choice *choice = data;
    g_autofree char *path = gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(dialog));
    g_autofree char *folder = path ? g_path_get_dirname(path) : NULL;

    if (response == GTK_RESPONSE_ACCEPT && path) {
        vitrine_client_set_extra_data_async(choice->client, kinds[choice->kind].folder_key, folder,
                                            NULL, NULL, NULL);
        vitrine_client_open_medium_async(choice->client, path, choice->kind, NULL, on_opened,
                                         choice);
    } else {
        choice_free(choice);
    }
    g_object_unref(dialog);
}

void
widget_medium_choose(GtkWindow *parent, VitrineClient *client, VitrineMediumKind kind,
                     WidgetMediumChosen chosen, gpointer data, GDestroyNotify free_data)
{
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        _(kinds[kind].title), parent, GTK_FILE_CHOOSER_ACTION_OPEN, _("C_hoose"), _("_Cancel"));
    const char *folder = vitrine_client_get_extra_data(client, kinds[kind].folder_key);
    Choice *choice = g_new(Choice, 1);

    *choice = (Choice){g_object_ref(client), kind, chosen, data, free_data};
    widget_medium_add_filters(GTK_FILE_CHOOSER(dialog), kind);
    if (folder)
        gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(dialog), folder);
    g_signal_connect(dialog, "response", G_CALLBACK(on_response), choice);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}
