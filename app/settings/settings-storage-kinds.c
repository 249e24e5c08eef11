/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table of kinds, and the change from one to another. */
#include "app/settings/settings-storage-kinds.h"

#include <glib/gi18n.h>

/* clang-format off */
static const SettingsStorageKind kinds[] = {
    {VITRINE_CONTROLLER_PIIX4,         "", "IDE",    N_("IDE, PIIX4"),         N_("_IDE (PIIX4)")},
    {VITRINE_CONTROLLER_PIIX3,         "", "IDE",    N_("IDE, PIIX3"),         NULL},
    {VITRINE_CONTROLLER_ICH6,          "", "IDE",    N_("IDE, ICH6"),          NULL},
    {VITRINE_CONTROLLER_AHCI,          "", "SATA",   N_("SATA, AHCI"),         N_("_SATA (AHCI)")},
    {VITRINE_CONTROLLER_NVME,          "", "NVMe",   N_("PCIe, NVMe"),         N_("_NVMe (PCIe)")},
    {VITRINE_CONTROLLER_VIRTIO_SCSI,   "", "VirtIO", N_("VirtIO, SCSI"),       N_("_VirtIO SCSI")},
    {VITRINE_CONTROLLER_VIRTIO_SCSI, VITRINE_CONTROLLER_MODEL_VIRTIO_BLK,
                                           "VirtIO", N_("VirtIO, block devices"), N_("VirtIO _block devices")},
    {VITRINE_CONTROLLER_LSI_LOGIC,     "", "SCSI",   N_("SCSI, LsiLogic"),     N_("S_CSI (LsiLogic)")},
    {VITRINE_CONTROLLER_LSI_LOGIC_SAS, "", "SAS",    N_("SAS, LsiLogic"),      N_("S_AS (LsiLogic)")},
    {VITRINE_CONTROLLER_I82078,        "", "Floppy", N_("Floppy, 82078"),      N_("_Floppy (82078)")},
};
/* clang-format on */

const SettingsStorageKind *
settings_storage_kinds(guint *count)
{
    *count = G_N_ELEMENTS(kinds);
    return kinds;
}

const SettingsStorageKind *
settings_storage_kind_of(SettingsModels *models, const VitrineController *controller)
{
    const char *model = settings_models_get(models, controller->name);
    const SettingsStorageKind *found = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].type == controller->type && g_str_equal(kinds[i].model, model))
            return &kinds[i];
        if (found == NULL &&
            vitrine_controller_bus(kinds[i].type) == vitrine_controller_bus(controller->type))
            found = &kinds[i];
    }
    return found != NULL ? found : &kinds[0];
}

/* Each virtio block device is a PCI card. */
static gboolean
kind_hot_plugs(const SettingsStorageKind *kind)
{
    return vitrine_controller_hot_plugs(kind->type) && *kind->model == '\0';
}

gboolean
settings_storage_hot_plugs(SettingsModels *models, const VitrineController *controller)
{
    return kind_hot_plugs(settings_storage_kind_of(models, controller));
}

gboolean
settings_storage_kind_takes(const SettingsStorageKind *kind, VitrineMediumKind medium)
{
    const VitrineStorageBus bus = vitrine_controller_bus(kind->type);

    switch (medium) {
    case VITRINE_MEDIUM_KIND_FLOPPY: return bus == VITRINE_STORAGE_BUS_FLOPPY;
    case VITRINE_MEDIUM_KIND_DVD:
        return bus != VITRINE_STORAGE_BUS_FLOPPY && bus != VITRINE_STORAGE_BUS_PCIE &&
               *kind->model == '\0';
    default: return bus != VITRINE_STORAGE_BUS_FLOPPY;
    }
}

/* The drives as they are at a controller of another bus; NULL: not all have a place. */
static GPtrArray *
moved_drives(VitrineSettings *settings, const VitrineController *controller,
             const SettingsStorageKind *kind)
{
    const VitrineBusLimits *from = vitrine_bus_limits(vitrine_controller_bus(controller->type));
    const VitrineBusLimits *to = vitrine_bus_limits(vitrine_controller_bus(kind->type));
    GPtrArray *all = vitrine_settings_get_attachments(settings);
    g_autoptr(GPtrArray) moved =
        g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_attachment_free);

    for (guint i = 0; i < all->len; i++) {
        const VitrineAttachment *drive = all->pdata[i];
        const guint number = drive->port * from->devices_per_port + drive->device;
        VitrineAttachment *copy;

        if (g_ascii_strcasecmp(drive->controller, controller->name) != 0)
            continue;
        if (!settings_storage_kind_takes(kind, drive->kind) ||
            number / to->devices_per_port >= to->max_ports)
            return NULL;
        copy = vitrine_attachment_copy(drive);
        copy->port = number / to->devices_per_port;
        copy->device = number % to->devices_per_port;
        copy->hot_pluggable = drive->hot_pluggable && kind_hot_plugs(kind);
        g_ptr_array_add(moved, copy);
    }
    return g_steal_pointer(&moved);
}

static void
replace_drives(VitrineSettings *settings, const char *name, GPtrArray *moved)
{
    GPtrArray *all = vitrine_settings_get_attachments(settings);

    for (guint i = all->len; i > 0; i--) {
        const VitrineAttachment *drive = all->pdata[i - 1];

        if (g_ascii_strcasecmp(drive->controller, name) == 0)
            vitrine_settings_remove_attachment(settings, name, drive->port, drive->device);
    }
    for (guint i = 0; i < moved->len; i++)
        vitrine_settings_put_attachment(settings, moved->pdata[i]);
}

gboolean
settings_storage_change_kind(VitrineSettings *settings, SettingsModels *models, const char *name,
                             const SettingsStorageKind *kind)
{
    const VitrineController *present = vitrine_settings_find_controller(settings, name);
    g_autoptr(VitrineController) controller = vitrine_controller_copy(present);
    g_autoptr(GPtrArray) moved = moved_drives(settings, present, kind);
    const VitrineBusLimits *limits = vitrine_bus_limits(vitrine_controller_bus(kind->type));

    if (moved == NULL)
        return FALSE;
    if (vitrine_controller_bus(kind->type) != vitrine_controller_bus(controller->type))
        controller->port_count = limits->min_ports;
    for (guint i = 0; i < moved->len; i++)
        controller->port_count =
            MAX(controller->port_count, ((const VitrineAttachment *)moved->pdata[i])->port + 1);
    controller->type = kind->type;
    vitrine_settings_put_controller(settings, controller);
    settings_models_set(models, controller->name, kind->model);
    replace_drives(settings, controller->name, moved);
    return TRUE;
}
