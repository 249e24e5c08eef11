/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * New controllers, drives and disks. A medium is opened (or a disk created) at once, since media
 * are the service's; the machine gets it with Save. */
#include "app/settings/settings-storage-add.h"

#include "app/widgets/widget-drive.h"

#include <glib/gi18n.h>

#define BYTES_PER_GB (1024.0 * 1024 * 1024)
#define SECTOR 512u

/* Where a medium goes when it is there. */
typedef struct {
    SettingsDialog *dialog;
    VitrineAttachment *drive;
} Insertion;

static Insertion *
insertion_new(SettingsStorage *storage, const VitrineAttachment *drive)
{
    Insertion *insertion = g_new(Insertion, 1);

    *insertion =
        (Insertion){g_object_ref(settings_storage_dialog(storage)), vitrine_attachment_copy(drive)};
    return insertion;
}

static void
insertion_free(gpointer data)
{
    Insertion *insertion = data;

    g_object_unref(insertion->dialog);
    vitrine_attachment_free(insertion->drive);
    g_free(insertion);
}

static void
put(Insertion *insertion, const char *medium)
{
    g_free(insertion->drive->medium);
    insertion->drive->medium = g_strdup(medium);
    vitrine_settings_put_attachment(settings_dialog_get_settings(insertion->dialog),
                                    insertion->drive);
}

static void
on_chosen(const char *medium, const GError *error, gpointer data)
{
    Insertion *insertion = data;

    if (medium)
        put(insertion, medium);
    else
        settings_dialog_show_error(insertion->dialog, error->message);
}

void
settings_storage_choose_medium(SettingsStorage *storage, const VitrineAttachment *drive)
{
    SettingsDialog *dialog = settings_storage_dialog(storage);

    widget_medium_choose(GTK_WINDOW(dialog), settings_dialog_get_client(dialog), drive->kind,
                         on_chosen, insertion_new(storage, drive), insertion_free);
}

/* --- a new disk --- */
static void
on_disk_made(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *medium =
        vitrine_progress_wait_finish(VITRINE_PROGRESS(source), result, &error);

    on_chosen(medium, error, data);
    insertion_free(data);
}

static void
on_disk_begun(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_client_create_medium_finish(VITRINE_CLIENT(source), result, &error);

    if (progress) {
        vitrine_progress_wait_async(progress, NULL, on_disk_made, data);
        return;
    }
    on_chosen(NULL, error, data);
    insertion_free(data);
}

/* "Name.vdi", "Name 2.vdi" … beside the settings. */
static char *
free_path(VitrineMachine *machine)
{
    g_autofree char *folder = g_path_get_dirname(vitrine_machine_get_settings_file(machine));

    for (unsigned i = 1;; i++) {
        g_autofree char *number = i > 1 ? g_strdup_printf(" %u", i) : g_strdup("");
        g_autofree char *file =
            g_strconcat(vitrine_machine_get_name(machine), number, ".vdi", NULL);
        char *path = g_build_filename(folder, file, NULL);
        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            return path;
        g_free(path);
    }
}

static void
on_size_response(GtkDialog *dialog, int response, gpointer data)
{
    Insertion *insertion = data;
    GtkSpinButton *size = g_object_get_data(G_OBJECT(dialog), "size");
    GtkToggleButton *fixed = g_object_get_data(G_OBJECT(dialog), "fixed");
    guint64 bytes = (guint64)(gtk_spin_button_get_value(size) * BYTES_PER_GB) / SECTOR * SECTOR;
    g_autofree char *path = NULL;

    if (response == GTK_RESPONSE_OK) {
        path = free_path(settings_dialog_get_machine(insertion->dialog));
        vitrine_client_create_medium_async(
            settings_dialog_get_client(insertion->dialog), path, VITRINE_MEDIUM_KIND_HARD_DISK,
            "VDI", gtk_toggle_button_get_active(fixed) ? "fixed" : "dynamic", bytes, NULL, NULL,
            on_disk_begun, insertion);
    } else {
        insertion_free(insertion);
    }
    gtk_widget_destroy(GTK_WIDGET(dialog));
}

static void
ask_new_disk(SettingsStorage *storage, const VitrineAttachment *drive)
{
    GtkWidget *dialog = gtk_dialog_new_with_buttons(
        _("New disk"), GTK_WINDOW(settings_storage_dialog(storage)),
        GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT | GTK_DIALOG_USE_HEADER_BAR, _("_Cancel"),
        GTK_RESPONSE_CANCEL, _("C_reate"), GTK_RESPONSE_OK, NULL);
    GtkWidget *grid = widget_form_new(), *size = gtk_spin_button_new_with_range(0.1, 2048, 1);
    GtkWidget *fixed = gtk_check_button_new_with_mnemonic(_("_Allocate all of it now"));
    int row = widget_form_add(grid, 0, _("_Size in GB"), size);

    gtk_spin_button_set_digits(GTK_SPIN_BUTTON(size), 1);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(size), 20);
    gtk_entry_set_activates_default(GTK_ENTRY(size), TRUE);
    gtk_grid_attach(GTK_GRID(grid), fixed, 1, row, 1, 1);
    gtk_container_add(GTK_CONTAINER(gtk_dialog_get_content_area(GTK_DIALOG(dialog))), grid);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_OK);
    g_object_set_data(G_OBJECT(dialog), "size", size);
    g_object_set_data(G_OBJECT(dialog), "fixed", fixed);
    g_signal_connect(dialog, "response", G_CALLBACK(on_size_response),
                     insertion_new(storage, drive));
    gtk_widget_show_all(dialog);
}

/* --- the bar below the list --- */
/* Which buses take a kind of drive, the best first. */
static const VitrineStorageBus disk_buses[] = {VITRINE_STORAGE_BUS_SATA,   VITRINE_STORAGE_BUS_PCIE,
                                               VITRINE_STORAGE_BUS_VIRTIO, VITRINE_STORAGE_BUS_SAS,
                                               VITRINE_STORAGE_BUS_SCSI,   VITRINE_STORAGE_BUS_IDE};
static const VitrineStorageBus optical_buses[] = {
    VITRINE_STORAGE_BUS_IDE, VITRINE_STORAGE_BUS_SATA, VITRINE_STORAGE_BUS_VIRTIO,
    VITRINE_STORAGE_BUS_SAS, VITRINE_STORAGE_BUS_SCSI};
static const VitrineStorageBus floppy_buses[] = {VITRINE_STORAGE_BUS_FLOPPY};

static const VitrineStorageBus *
buses_of(VitrineMediumKind kind, guint *count)
{
    switch (kind) {
    case VITRINE_MEDIUM_KIND_DVD: *count = G_N_ELEMENTS(optical_buses); return optical_buses;
    case VITRINE_MEDIUM_KIND_FLOPPY: *count = G_N_ELEMENTS(floppy_buses); return floppy_buses;
    default: *count = G_N_ELEMENTS(disk_buses); return disk_buses;
    }
}

/* A controller may get one more port for the drive. */
static void
provide_port(VitrineSettings *settings, const VitrineController *controller, guint port)
{
    g_autoptr(VitrineController) changed = NULL;

    if (port < controller->port_count)
        return;
    changed = vitrine_controller_copy(controller);
    changed->port_count = port + 1;
    vitrine_settings_put_controller(settings, changed);
}

static VitrineAttachment *
free_place(VitrineSettings *settings, VitrineStorageBus bus, VitrineMediumKind kind)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);
    guint port, device;

    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *controller = g_ptr_array_index(controllers, i);
        g_autoptr(VitrineAttachment) drive = NULL;

        if (vitrine_controller_bus(controller->type) != bus ||
            !vitrine_controller_is_built(controller->type) ||
            !vitrine_settings_free_slot(settings, controller->name, &port, &device))
            continue;
        drive = vitrine_attachment_new(controller->name, port, device, kind, "");
        provide_port(settings, controller, port);
        return g_steal_pointer(&drive);
    }
    return NULL;
}

static VitrineAttachment *
free_drive(SettingsStorage *storage, VitrineMediumKind kind)
{
    VitrineSettings *settings = settings_dialog_get_settings(settings_storage_dialog(storage));
    guint count;
    const VitrineStorageBus *buses = buses_of(kind, &count);

    for (guint i = 0; i < count; i++) {
        VitrineAttachment *drive = free_place(settings, buses[i], kind);

        if (drive)
            return drive;
    }
    settings_dialog_show_error(
        settings_storage_dialog(storage),
        _("There is no free place for this drive. Add a controller or remove another drive."));
    return NULL;
}

static void
add_empty(SettingsStorage *storage, VitrineMediumKind kind)
{
    g_autoptr(VitrineAttachment) drive = free_drive(storage, kind);

    if (drive)
        vitrine_settings_put_attachment(
            settings_dialog_get_settings(settings_storage_dialog(storage)), drive);
}

static void
on_add_optical(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    add_empty(data, VITRINE_MEDIUM_KIND_DVD);
}

static void
on_add_floppy(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    add_empty(data, VITRINE_MEDIUM_KIND_FLOPPY);
}

static void
on_new_disk(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    g_autoptr(VitrineAttachment) drive = free_drive(data, VITRINE_MEDIUM_KIND_HARD_DISK);

    if (drive)
        ask_new_disk(data, drive);
}

static void
on_existing_disk(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    g_autoptr(VitrineAttachment) drive = free_drive(data, VITRINE_MEDIUM_KIND_HARD_DISK);

    if (drive)
        settings_storage_choose_medium(data, drive);
}

static void
add_controller(SettingsStorage *storage, const char *name, VitrineControllerType type)
{
    VitrineSettings *settings = settings_dialog_get_settings(settings_storage_dialog(storage));
    g_autoptr(VitrineController) controller = vitrine_controller_new(name, type);

    if (vitrine_settings_find_controller(settings, name))
        settings_dialog_show_error(settings_storage_dialog(storage),
                                   _("The machine has a controller of this kind already."));
    else
        vitrine_settings_put_controller(settings, controller);
}

static void
on_add_ide(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    add_controller(data, "IDE", VITRINE_CONTROLLER_PIIX4);
}

static void
on_add_sata(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    add_controller(data, "SATA", VITRINE_CONTROLLER_AHCI);
}

static void
on_add_nvme(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    add_controller(data, "NVMe", VITRINE_CONTROLLER_NVME);
}

static void
on_add_scsi(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    add_controller(data, "SCSI", VITRINE_CONTROLLER_LSI_LOGIC);
}

static void
on_add_sas(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    add_controller(data, "SAS", VITRINE_CONTROLLER_LSI_LOGIC_SAS);
}

static void
on_add_virtio(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    add_controller(data, "VirtIO", VITRINE_CONTROLLER_VIRTIO_SCSI);
}

static void
on_add_floppy_controller(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    add_controller(data, "Floppy", VITRINE_CONTROLLER_I82078);
}

static GtkWidget *
menu_button(const char *label, const char *const rows[][2], guint count)
{
    GtkWidget *button = gtk_menu_button_new();
    g_autoptr(GMenu) menu = g_menu_new();

    for (guint i = 0; i < count; i++)
        g_menu_append(menu, _(rows[i][0]), rows[i][1]);
    gtk_button_set_label(GTK_BUTTON(button), label);
    gtk_button_set_use_underline(GTK_BUTTON(button), TRUE);
    gtk_menu_button_set_direction(GTK_MENU_BUTTON(button), GTK_ARROW_UP);
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), G_MENU_MODEL(menu));
    return button;
}

GtkWidget *
settings_storage_add_bar(SettingsStorage *storage)
{
    static const GActionEntry entries[] = {
        {.name = "add-floppy", .activate = on_add_floppy},
        {.name = "add-floppy-controller", .activate = on_add_floppy_controller},
        {.name = "add-ide", .activate = on_add_ide},
        {.name = "add-nvme", .activate = on_add_nvme},
        {.name = "add-optical", .activate = on_add_optical},
        {.name = "add-sas", .activate = on_add_sas},
        {.name = "add-sata", .activate = on_add_sata},
        {.name = "add-scsi", .activate = on_add_scsi},
        {.name = "add-virtio", .activate = on_add_virtio},
        {.name = "existing-disk", .activate = on_existing_disk},
        {.name = "new-disk", .activate = on_new_disk},
    };
    static const char *const drives[][2] = {{N_("_New disk…"), "storage.new-disk"},
                                            {N_("_Existing disk…"), "storage.existing-disk"},
                                            {N_("_Optical drive"), "storage.add-optical"},
                                            {N_("_Floppy drive"), "storage.add-floppy"}};
    static const char *const controllers[][2] = {
        {N_("_IDE (PIIX4)"), "storage.add-ide"},
        {N_("_SATA (AHCI)"), "storage.add-sata"},
        {N_("_NVMe (PCIe)"), "storage.add-nvme"},
        {N_("_VirtIO SCSI"), "storage.add-virtio"},
        {N_("S_CSI (LsiLogic)"), "storage.add-scsi"},
        {N_("S_AS (LsiLogic)"), "storage.add-sas"},
        {N_("_Floppy (82078)"), "storage.add-floppy-controller"}};
    GtkWidget *bar = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    g_autoptr(GSimpleActionGroup) group = g_simple_action_group_new();

    g_action_map_add_action_entries(G_ACTION_MAP(group), entries, G_N_ELEMENTS(entries), storage);
    gtk_widget_insert_action_group(bar, "storage", G_ACTION_GROUP(group));
    gtk_container_add(GTK_CONTAINER(bar),
                      menu_button(_("Add a _drive"), drives, G_N_ELEMENTS(drives)));
    gtk_container_add(GTK_CONTAINER(bar),
                      menu_button(_("Add a _controller"), controllers, G_N_ELEMENTS(controllers)));
    return bar;
}
