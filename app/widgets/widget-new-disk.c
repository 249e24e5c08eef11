/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A new disk: its file, its format, and its size unless it is a copy. */
#include "app/widgets/widget-new-disk.h"

#include "app/widgets/widget-folder-entry.h"
#include "app/widgets/widget-form.h"
#include "app/widgets/widget-work.h"

#include <glib/gi18n.h>

#define BYTES_PER_GB (1024.0 * 1024 * 1024)
#define SECTOR 512u
#define SIZE_MIN_GB 0.1
#define SIZE_MAX_GB 2048.0
#define SIZE_GB 20.0
#define WIDTH 480 /* pixels */

/* What each format is for. */
static const struct {
    const char *format, *extension, *title;
} formats[] = {
    {"VDI", "vdi", N_("VDI – VirtualBox's own")},
    {"VMDK", "vmdk", N_("VMDK – for VMware, too")},
    {"VHD", "vhd", N_("VHD – for Hyper-V and Azure, too")},
    {"RAW", "img", N_("Raw – the bytes as they are")},
};

typedef struct {
    VitrineClient *client;
    VitrineMedium *source; /* NULL: the new disk is empty */
    GtkWidget *dialog, *form, *name, *folder, *size, *format, *fixed, *split, *work, *create;
    GtkLabel *problem;
    WidgetDiskMade made;
    GObject *data;
} NewDisk;

static void
new_disk_free(gpointer data)
{
    NewDisk *disk = data;

    g_object_unref(disk->client);
    g_clear_object(&disk->source);
    g_object_unref(disk->data);
    g_free(disk);
}

/* The file, with the format's extension. */
static char *
path_of(NewDisk *disk)
{
    const char *folder = gtk_entry_get_text(GTK_ENTRY(disk->folder));
    g_autofree char *name = g_strstrip(g_strdup(gtk_entry_get_text(GTK_ENTRY(disk->name))));
    guint format = (guint)gtk_combo_box_get_active(GTK_COMBO_BOX(disk->format));
    g_autofree char *file = g_strconcat(name, ".", formats[format].extension, NULL);

    return *name && g_path_is_absolute(folder) && !strchr(name, G_DIR_SEPARATOR)
               ? g_build_filename(folder, file, NULL)
               : NULL;
}

/* NULL: there is none, and no room is kept for it. */
static void
show_problem(NewDisk *disk, const char *problem)
{
    gtk_label_set_text(disk->problem, problem ? problem : "");
    gtk_widget_set_visible(GTK_WIDGET(disk->problem), problem != NULL);
}

static void
update(NewDisk *disk)
{
    g_autofree char *path = path_of(disk);
    g_autofree char *problem = NULL;

    if (!path)
        problem = g_strdup(_("A name and a folder are needed."));
    else if (g_file_test(path, G_FILE_TEST_EXISTS))
        problem = g_strdup_printf(_("There is a file “%s” already."), path);
    show_problem(disk, problem);
    gtk_widget_set_sensitive(disk->create, !problem);
    gtk_widget_set_tooltip_text(disk->create, problem);
}

/* --- the work --- */

static void
fail(NewDisk *disk, const GError *error)
{
    gtk_widget_set_sensitive(disk->form, TRUE);
    gtk_widget_set_sensitive(disk->create, TRUE);
    if (!g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED))
        show_problem(disk, error->message);
}

static void
on_made(gpointer data, const char *made, const GError *error)
{
    NewDisk *disk = data;

    if (error) {
        fail(disk, error);
        return;
    }
    disk->made(disk->data, made);
    gtk_widget_destroy(disk->dialog);
}

static void
on_begun(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GtkWidget) dialog = data;
    NewDisk *disk = g_object_get_data(G_OBJECT(dialog), "disk");
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        disk->source ? vitrine_client_clone_medium_finish(VITRINE_CLIENT(source), result, &error)
                     : vitrine_client_create_medium_finish(VITRINE_CLIENT(source), result, &error);

    if (gtk_widget_in_destruction(dialog) || !gtk_widget_get_visible(dialog))
        return;
    if (progress)
        widget_work_follow(WIDGET_WORK(disk->work), progress, on_made, disk);
    else
        fail(disk, error);
}

static guint64
size_of(NewDisk *disk)
{
    GtkSpinButton *size = GTK_SPIN_BUTTON(disk->size);

    gtk_spin_button_update(size); /* what was typed and not left yet */
    return (guint64)(gtk_spin_button_get_value(size) * BYTES_PER_GB) / SECTOR * SECTOR;
}

static void
create(NewDisk *disk)
{
    guint format = (guint)gtk_combo_box_get_active(GTK_COMBO_BOX(disk->format));
    gboolean fixed = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(disk->fixed));
    gboolean split = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(disk->split));
    const char *variant =
        split ? (fixed ? "fixed,split" : "dynamic,split") : (fixed ? "fixed" : "dynamic");
    g_autofree char *path = path_of(disk);

    gtk_widget_set_sensitive(disk->form, FALSE);
    gtk_widget_set_sensitive(disk->create, FALSE);
    show_problem(disk, NULL);
    if (disk->source)
        vitrine_client_clone_medium_async(disk->client, vitrine_medium_get_id(disk->source), path,
                                          formats[format].format, variant, NULL, NULL, on_begun,
                                          g_object_ref(disk->dialog));
    else
        vitrine_client_create_medium_async(disk->client, path, VITRINE_MEDIUM_KIND_HARD_DISK,
                                           formats[format].format, variant, size_of(disk), NULL,
                                           NULL, on_begun, g_object_ref(disk->dialog));
}

static void
on_response(GtkDialog *dialog, int response, NewDisk *disk)
{
    if (response == GTK_RESPONSE_OK)
        create(disk);
    else if (!widget_work_is_busy(WIDGET_WORK(disk->work)))
        gtk_widget_destroy(GTK_WIDGET(dialog));
}

/* Not the dialog's own end: the response decides. */
static gboolean
on_delete(GtkWidget *dialog, GdkEvent *event, gpointer data)
{
    return TRUE;
}

static void
allow(GtkWidget *check, gboolean allowed)
{
    gtk_widget_set_sensitive(check, allowed);
    if (!allowed)
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(check), FALSE);
}

/* A raw image has its size from the beginning; the file system leaves holes in it. */
static void
on_format(NewDisk *disk)
{
    guint format = (guint)gtk_combo_box_get_active(GTK_COMBO_BOX(disk->format));

    allow(disk->fixed, !g_str_equal(formats[format].format, "RAW"));
    allow(disk->split, g_str_equal(formats[format].format, "VMDK"));
    update(disk);
}

/* --- the dialog --- */

static int
add_size(NewDisk *disk, int row)
{
    disk->size = gtk_spin_button_new_with_range(SIZE_MIN_GB, SIZE_MAX_GB, 1);
    gtk_entry_set_activates_default(GTK_ENTRY(disk->size), TRUE);
    gtk_spin_button_set_digits(GTK_SPIN_BUTTON(disk->size), 1);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(disk->size), SIZE_GB);
    return widget_form_add(disk->form, row, _("_Size in GB"), disk->size);
}

/* The format of the source where there is one, else the first. */
static void
choose_format(NewDisk *disk)
{
    const char *wanted = disk->source ? vitrine_medium_get_format(disk->source) : "";
    guint chosen = 0;

    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(disk->format), _(formats[i].title));
        if (g_str_equal(formats[i].format, wanted))
            chosen = i;
    }
    gtk_combo_box_set_active(GTK_COMBO_BOX(disk->format), (int)chosen);
}

static void
fill_form(NewDisk *disk, const char *folder, const char *name)
{
    int row = 0;

    disk->name = gtk_entry_new();
    disk->folder = widget_folder_entry_new(_("Folder of the disk"));
    disk->format = gtk_combo_box_text_new();
    disk->fixed = gtk_check_button_new_with_mnemonic(_("_Allocate all of it now"));
    disk->split = gtk_check_button_new_with_mnemonic(_("In files of at most _2 GB"));
    gtk_entry_set_text(GTK_ENTRY(disk->name), name);
    gtk_entry_set_text(GTK_ENTRY(disk->folder), folder);
    gtk_entry_set_activates_default(GTK_ENTRY(disk->name), TRUE);
    choose_format(disk);
    row = widget_form_add(disk->form, row, _("_Name"), disk->name);
    row = widget_form_add(disk->form, row, _("_Folder"), disk->folder);
    if (!disk->source)
        row = add_size(disk, row);
    row = widget_form_add(disk->form, row, _("For_mat"), disk->format);
    gtk_grid_attach(GTK_GRID(disk->form), disk->fixed, 1, row, 1, 1);
    gtk_grid_attach(GTK_GRID(disk->form), disk->split, 1, row + 1, 1, 1);
    g_signal_connect_swapped(disk->name, "changed", G_CALLBACK(update), disk);
    g_signal_connect_swapped(disk->folder, "changed", G_CALLBACK(update), disk);
    g_signal_connect_swapped(disk->format, "changed", G_CALLBACK(on_format), disk);
}

static void
fill_dialog(NewDisk *disk)
{
    GtkBox *area = GTK_BOX(gtk_dialog_get_content_area(GTK_DIALOG(disk->dialog)));
    GtkWidget *problem = gtk_label_new(NULL);

    gtk_label_set_xalign(GTK_LABEL(problem), 0);
    gtk_label_set_line_wrap(GTK_LABEL(problem), TRUE);
    gtk_label_set_max_width_chars(GTK_LABEL(problem), 56);
    gtk_widget_set_margin_start(problem, 18);
    gtk_widget_set_margin_end(problem, 18);
    gtk_widget_set_margin_bottom(problem, 12);
    gtk_style_context_add_class(gtk_widget_get_style_context(problem), "dim-label");
    gtk_widget_set_no_show_all(problem, TRUE);
    disk->problem = GTK_LABEL(problem);
    disk->work = widget_work_new();
    g_object_set(disk->work, "margin-start", 18, "margin-end", 18, "margin-bottom", 12, NULL);
    gtk_box_pack_start(area, disk->form, TRUE, TRUE, 0);
    gtk_box_pack_start(area, problem, FALSE, FALSE, 0);
    gtk_box_pack_start(area, disk->work, FALSE, FALSE, 0);
}

static void
show(GtkWindow *parent, VitrineClient *client, VitrineMedium *source, const char *folder,
     const char *name, WidgetDiskMade made, GObject *data)
{
    NewDisk *disk = g_new0(NewDisk, 1);

    disk->client = g_object_ref(client);
    disk->source = source ? g_object_ref(source) : NULL;
    disk->made = made;
    disk->data = g_object_ref(data);
    disk->dialog = gtk_dialog_new_with_buttons(
        source ? _("Copy a disk") : _("New disk"), parent,
        GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT | GTK_DIALOG_USE_HEADER_BAR, _("_Cancel"),
        GTK_RESPONSE_CANCEL, source ? _("C_opy disk") : _("C_reate disk"), GTK_RESPONSE_OK, NULL);
    gtk_window_set_default_size(GTK_WINDOW(disk->dialog), WIDTH, -1);
    disk->create = gtk_dialog_get_widget_for_response(GTK_DIALOG(disk->dialog), GTK_RESPONSE_OK);
    disk->form = widget_form_new();
    fill_form(disk, folder, name);
    fill_dialog(disk);
    gtk_dialog_set_default_response(GTK_DIALOG(disk->dialog), GTK_RESPONSE_OK);
    g_object_set_data_full(G_OBJECT(disk->dialog), "disk", disk, new_disk_free);
    g_signal_connect(disk->dialog, "response", G_CALLBACK(on_response), disk);
    g_signal_connect(disk->dialog, "delete-event", G_CALLBACK(on_delete), NULL);
    gtk_widget_show_all(disk->dialog);
    gtk_widget_grab_focus(disk->name);
    on_format(disk);
}

void
widget_new_disk_show(GtkWindow *parent, VitrineClient *client, const char *folder, const char *name,
                     WidgetDiskMade made, GObject *data)
{
    show(parent, client, NULL, folder, name, made, data);
}

void
widget_copy_disk_show(GtkWindow *parent, VitrineClient *client, VitrineMedium *source,
                      WidgetDiskMade made, GObject *data)
{
    g_autofree char *folder = g_path_get_dirname(vitrine_medium_get_location(source));
    g_autofree char *file = vitrine_medium_dup_name(source);
    char *dot = strrchr(file, '.');
    g_autofree char *name = NULL;

    if (dot && dot != file)
        *dot = '\0';
    name = g_strdup_printf(_("%s copy"), file);
    show(parent, client, source, folder, name, made, data);
}

char *
widget_disk_free_name(VitrineMachine *machine, const char *folder)
{
    for (unsigned i = 1;; i++) {
        g_autofree char *number = i > 1 ? g_strdup_printf(" %u", i) : g_strdup("");
        g_autofree char *name = g_strconcat(vitrine_machine_get_name(machine), number, NULL);
        g_autofree char *file = g_strconcat(name, ".vdi", NULL);
        g_autofree char *path = g_build_filename(folder, file, NULL);

        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&name);
    }
}
