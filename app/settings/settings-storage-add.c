/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * New controllers, drives and disks. A medium is opened (or a disk created) at once, since media
 * are the service's; the machine gets it with Save. */
#include "app/settings/settings-storage-add.h"

#include "app/settings/settings-storage-kinds.h"
#include "app/widgets/widget-drive.h"
#include "app/widgets/widget-host-drive.h"
#include "app/widgets/widget-new-disk.h"

#include <glib/gi18n.h>

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
put(Insertion *insertion, const char *medium, const char *host_drive)
{
    g_free(insertion->drive->medium);
    g_free(insertion->drive->host_drive);
    insertion->drive->medium = g_strdup(medium);
    insertion->drive->host_drive = g_strdup(host_drive);
    vitrine_settings_put_attachment(settings_dialog_get_settings(insertion->dialog),
                                    insertion->drive);
}

static void
on_chosen(const char *medium, const GError *error, gpointer data)
{
    Insertion *insertion = data;

    if (medium)
        put(insertion, medium, "");
    else
        settings_dialog_show_error(insertion->dialog, error->message);
}

static void
choose_file(SettingsDialog *dialog, Insertion *insertion)
{
    widget_medium_choose(GTK_WINDOW(dialog), settings_dialog_get_client(dialog),
                         insertion->drive->kind, on_chosen, insertion, insertion_free);
}

static void
on_host_drive(const char *path, gpointer data)
{
    Insertion *insertion = data;
    Insertion *copy;

    if (!settings_dialog_get_client(insertion->dialog)) /* it has been closed */
        return;
    if (path) {
        put(insertion, "", path);
        return;
    }
    copy = g_new(Insertion, 1);
    *copy = (Insertion){g_object_ref(insertion->dialog), vitrine_attachment_copy(insertion->drive)};
    choose_file(copy->dialog, copy);
}

void
settings_storage_choose_medium(SettingsStorage *storage, const VitrineAttachment *drive,
                               GtkWidget *button)
{
    SettingsDialog *dialog = settings_storage_dialog(storage);
    Insertion *insertion = insertion_new(storage, drive);

    if (button == NULL || drive->kind == VITRINE_MEDIUM_KIND_HARD_DISK)
        choose_file(dialog, insertion);
    else
        widget_host_drive_ask(button, settings_dialog_get_client(dialog), drive->kind,
                              on_host_drive, insertion, insertion_free);
}

/* --- a new disk --- */
#define DRIVE_DATA "new-disk-drive"

static void
on_disk_made(gpointer data, const char *medium)
{
    SettingsDialog *dialog = data;
    const VitrineAttachment *drive = g_object_get_data(G_OBJECT(dialog), DRIVE_DATA);
    g_autoptr(VitrineAttachment) disk =
        vitrine_attachment_new(drive->controller, drive->port, drive->device, drive->kind, medium);

    if (settings_dialog_get_client(dialog)) /* it is still open */
        vitrine_settings_put_attachment(settings_dialog_get_settings(dialog), disk);
}

static void
ask_new_disk(SettingsStorage *storage, const VitrineAttachment *drive)
{
    SettingsDialog *dialog = settings_storage_dialog(storage);
    VitrineMachine *machine = settings_dialog_get_machine(dialog);
    g_autofree char *folder = g_path_get_dirname(vitrine_machine_get_settings_file(machine));
    g_autofree char *name = widget_disk_free_name(machine, folder);

    g_object_set_data_full(G_OBJECT(dialog), DRIVE_DATA, vitrine_attachment_copy(drive),
                           (GDestroyNotify)vitrine_attachment_free);
    widget_new_disk_show(GTK_WINDOW(dialog), settings_dialog_get_client(dialog), folder, name,
                         on_disk_made, G_OBJECT(dialog));
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

/* While the machine runs, drives come to free ports of controllers that take them then. */
static gboolean
has_place(SettingsDialog *dialog, const VitrineController *controller, VitrineStorageBus bus,
          VitrineMediumKind kind, guint *port, guint *device)
{
    SettingsModels *models = settings_dialog_get_models(dialog);

    if (vitrine_controller_bus(controller->type) != bus ||
        !vitrine_controller_is_built(controller->type) ||
        !settings_storage_kind_takes(settings_storage_kind_of(models, controller), kind) ||
        !vitrine_settings_free_slot(settings_dialog_get_settings(dialog), controller->name, port,
                                    device))
        return FALSE;
    return settings_dialog_get_state(dialog) != SETTINGS_RUNNING ||
           (settings_storage_hot_plugs(models, controller) && *port < controller->port_count);
}

static VitrineAttachment *
free_place(SettingsDialog *dialog, VitrineStorageBus bus, VitrineMediumKind kind)
{
    VitrineSettings *settings = settings_dialog_get_settings(dialog);
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);
    guint port, device;

    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *controller = g_ptr_array_index(controllers, i);
        g_autoptr(VitrineAttachment) drive = NULL;

        if (!has_place(dialog, controller, bus, kind, &port, &device))
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
    SettingsDialog *dialog = settings_storage_dialog(storage);
    guint count;
    const VitrineStorageBus *buses = buses_of(kind, &count);

    for (guint i = 0; i < count; i++) {
        VitrineAttachment *drive = free_place(dialog, buses[i], kind);

        if (drive)
            return drive;
    }
    settings_dialog_show_error(
        dialog,
        settings_dialog_get_state(dialog) == SETTINGS_RUNNING
            ? _("While the machine runs, drives come only to free ports of a SATA controller, and "
                "there is none. Power the machine off and give its controller more ports.")
            : _("There is no free place for this drive. Add a controller or remove another "
                "drive."));
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
        settings_storage_choose_medium(data, drive, NULL);
}

static gboolean
has_bus(VitrineSettings *settings, VitrineStorageBus bus)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);

    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *controller = controllers->pdata[i];

        if (vitrine_controller_bus(controller->type) == bus)
            return TRUE;
    }
    return FALSE;
}

/* The parameter is the number of a kind. */
static void
on_add_controller(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    SettingsDialog *dialog = settings_storage_dialog(data);
    VitrineSettings *settings = settings_dialog_get_settings(dialog);
    guint count;
    const SettingsStorageKind *kind =
        settings_storage_kinds(&count) + g_variant_get_uint32(parameter);
    g_autoptr(VitrineController) controller = vitrine_controller_new(kind->name, kind->type);

    if (vitrine_settings_find_controller(settings, kind->name) ||
        has_bus(settings, vitrine_controller_bus(kind->type))) {
        settings_dialog_show_error(dialog, _("The machine has a controller of this kind already."));
        return;
    }
    settings_models_set(settings_dialog_get_models(dialog), kind->name, kind->model);
    vitrine_settings_put_controller(settings, controller);
}

static GtkWidget *
menu_button(const char *label, GMenu *menu)
{
    GtkWidget *button = gtk_menu_button_new();

    gtk_button_set_label(GTK_BUTTON(button), label);
    gtk_button_set_use_underline(GTK_BUTTON(button), TRUE);
    gtk_menu_button_set_direction(GTK_MENU_BUTTON(button), GTK_ARROW_UP);
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), G_MENU_MODEL(menu));
    return button;
}

static GMenu *
drives_menu(void)
{
    GMenu *menu = g_menu_new();

    g_menu_append(menu, _("_New disk…"), "storage.new-disk");
    g_menu_append(menu, _("_Existing disk…"), "storage.existing-disk");
    g_menu_append(menu, _("_Optical drive"), "storage.add-optical");
    g_menu_append(menu, _("_Floppy drive"), "storage.add-floppy");
    return menu;
}

static GMenu *
controllers_menu(void)
{
    GMenu *menu = g_menu_new();
    guint count;
    const SettingsStorageKind *kinds = settings_storage_kinds(&count);

    for (guint i = 0; i < count; i++) {
        g_autofree char *action = g_strdup_printf("storage.add-controller(uint32 %u)", i);

        if (kinds[i].menu)
            g_menu_append(menu, _(kinds[i].menu), action);
    }
    return menu;
}

GtkWidget *
settings_storage_add_bar(SettingsStorage *storage)
{
    static const GActionEntry entries[] = {
        {.name = "add-controller", .activate = on_add_controller, .parameter_type = "u"},
        {.name = "add-floppy", .activate = on_add_floppy},
        {.name = "add-optical", .activate = on_add_optical},
        {.name = "existing-disk", .activate = on_existing_disk},
        {.name = "new-disk", .activate = on_new_disk},
    };
    GtkWidget *bar = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    g_autoptr(GSimpleActionGroup) group = g_simple_action_group_new();
    g_autoptr(GMenu) drives = drives_menu(), controllers = controllers_menu();
    GtkWidget *add_drive = menu_button(_("Add a _drive"), drives);

    g_action_map_add_action_entries(G_ACTION_MAP(group), entries, G_N_ELEMENTS(entries), storage);
    gtk_widget_insert_action_group(bar, "storage", G_ACTION_GROUP(group));
    settings_lock_open(add_drive, SETTINGS_RUNNING);
    gtk_container_add(GTK_CONTAINER(bar), add_drive);
    gtk_container_add(GTK_CONTAINER(bar), menu_button(_("Add a c_ontroller"), controllers));
    return bar;
}
