/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From the settings' storage controllers and attachments to the machine's. */
#include "app/console/console-private.h"

typedef struct {
    VitrineControllerType type;
    MachineBus bus;
    const char *model; /* of the device, NULL: it has one only */
} ControllerRow;

/* clang-format off */
static const ControllerRow rows[] = {
    {VITRINE_CONTROLLER_PIIX3,       MACHINE_BUS_IDE,         "PIIX3"},
    {VITRINE_CONTROLLER_PIIX4,       MACHINE_BUS_IDE,         "PIIX4"},
    {VITRINE_CONTROLLER_ICH6,        MACHINE_BUS_IDE,         "ICH6"},
    {VITRINE_CONTROLLER_I82078,      MACHINE_BUS_FLOPPY,      NULL},
    {VITRINE_CONTROLLER_AHCI,        MACHINE_BUS_SATA,        NULL},
    {VITRINE_CONTROLLER_LSI_LOGIC,   MACHINE_BUS_SCSI,        NULL},
    {VITRINE_CONTROLLER_LSI_LOGIC_SAS, MACHINE_BUS_SAS,       NULL},
    {VITRINE_CONTROLLER_NVME,        MACHINE_BUS_NVME,        NULL},
    {VITRINE_CONTROLLER_VIRTIO_SCSI, MACHINE_BUS_VIRTIO_SCSI, NULL},
    {VITRINE_CONTROLLER_USB,         MACHINE_BUS_USB,         NULL},
};
/* clang-format on */

static const ControllerRow *
find_row(const VitrineController *controller, GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].type == controller->type)
            return &rows[i];
    }
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                "The storage controller “%s” is of a kind that this version does not have (%s). "
                "Attach its drives to a SATA controller in Settings, Storage.",
                controller->name, vitrine_nick(VITRINE_TYPE_CONTROLLER_TYPE, controller->type));
    return NULL;
}

/* Disks of a virtio SCSI controller may be virtio block devices instead. */
static bool
find_bus(const VitrineController *controller, GHashTable *extra, MachineBus *bus, GError **error)
{
    const ControllerRow *row = find_row(controller, error);
    g_autofree char *key = vitrine_controller_model_key(controller->name);

    if (row == NULL)
        return false;
    *bus = row->bus;
    if (controller->type == VITRINE_CONTROLLER_VIRTIO_SCSI &&
        g_strcmp0(g_hash_table_lookup(extra, key), VITRINE_CONTROLLER_MODEL_VIRTIO_BLK) == 0)
        *bus = MACHINE_BUS_VIRTIO_BLK;
    return true;
}

static void
add_controllers(Console *console, GHashTable *extra, GArray *controllers)
{
    GPtrArray *present = vitrine_settings_get_controllers(console->settings);

    for (guint i = 0; i < present->len; i++) {
        const VitrineController *controller = g_ptr_array_index(present, i);
        const ControllerRow *row = find_row(controller, NULL);
        MachineController described = {.ports = controller->port_count};

        /* A controller that is not there matters when something is attached to it. */
        if (row == NULL || row->bus == MACHINE_BUS_FLOPPY ||
            !find_bus(controller, extra, &described.bus, NULL))
            continue;
        described.model = row->model;
        described.not_bootable = !controller->bootable;
        g_array_append_val(controllers, described);
    }
}

static bool
add_drive(Console *console, GHashTable *extra, const VitrineAttachment *attachment, GArray *media,
          GError **error)
{
    const VitrineController *controller =
        vitrine_settings_find_controller(console->settings, attachment->controller);
    MachineMedium medium = {.descriptor = -1};

    if (!controller) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "The controller “%s” of a drive does not exist.", attachment->controller);
        return false;
    }
    medium.not_bootable = !controller->bootable;
    if (!find_bus(controller, extra, &medium.bus, error) ||
        !console_media_open(console, attachment, &medium, error))
        return false;
    g_array_append_val(media, medium);
    console_media_add(console, attachment,
                      machine_medium_place(medium.bus, attachment->port, attachment->device));
    return true;
}

bool
console_storage_describe(Console *console, GArray *controllers, GArray *media, GError **error)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(console->settings);
    g_autoptr(GHashTable) extra =
        vitrine_machine_load_extra_data_sync(console->machine, NULL, error);

    if (!extra)
        return false;
    add_controllers(console, extra, controllers);
    for (guint i = 0; i < attachments->len; i++) {
        if (!add_drive(console, extra, g_ptr_array_index(attachments, i), media, error))
            return false;
    }
    return true;
}
