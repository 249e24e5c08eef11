/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Drives that come and go while the machine runs: at SATA and virtio-scsi controllers. Manual,
 * chapter "Virtual Storage", hot-pluggable attachments. Left out: USB storage; other controllers,
 * which the manual has no hot-plugging for either. */
#include "app/console/console-private.h"

/* Drives whose state is being saved or loaded, or whose images are being merged, have to stay. */
static bool
check_idle(const Console *console, GError **error)
{
    if (console->vmm != NULL && console->job == NULL && console->merge == NULL &&
        console->merged == NULL)
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                "The machine's state is being saved or loaded, or a snapshot is being deleted. Try "
                "again when that is done.");
    return false;
}

/* The bus of a controller whose drives come and go. A virtio-scsi controller whose disks are
 * virtio-blk devices is not in the machine. */
static bool
find_bus(const Console *console, const char *name, guint port, MachineBus *bus, GError **error)
{
    const VitrineController *controller = vitrine_settings_find_controller(console->settings, name);
    const char *reason = "drives do not come or go while the machine runs";
    g_autofree char *path = NULL;

    if (controller != NULL && vitrine_controller_hot_plugs(controller->type) &&
        port < controller->port_count) {
        *bus = controller->type == VITRINE_CONTROLLER_AHCI ? MACHINE_BUS_SATA
                                                           : MACHINE_BUS_VIRTIO_SCSI;
        path = g_strconcat("Devices/", machine_medium_place(*bus, port, 0).device, NULL);
        if (cfgm_child(console->config, path) != NULL)
            return true;
        reason = "there is a virtio-blk device, which does not come or go while the machine runs";
    }
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED, "At port %u of “%s” %s.", port,
                name, reason);
    return false;
}

gboolean
console_plug_drive(gpointer data, const VitrineAttachment *attachment, GPtrArray *images,
                   GError **error)
{
    Console *console = data;
    MachineMedium medium = {.descriptor = -1};
    MachinePlace place;
    CfgmNode *node;

    if (!check_idle(console, error) ||
        !find_bus(console, attachment->controller, attachment->port, &medium.bus, error))
        return FALSE;
    place = machine_medium_place(medium.bus, attachment->port, attachment->device);
    console_media_describe(console, attachment, images, &medium);
    node = machine_add_medium(&medium, console->config, error);
    if (node == NULL ||
        !pdm_plug(vmm_pdm(console->vmm), place.device, place.instance, place.lun, node, error)) {
        if (node != NULL)
            machine_remove_medium(console->config, place);
        console_translate_error(error);
        return FALSE;
    }
    console_media_add(console, attachment, place);
    console_eject_watch(console, console_media_find(console, attachment->controller,
                                                    attachment->port, attachment->device));
    vitrine_settings_put_attachment(console->settings, attachment);
    return TRUE;
}

gboolean
console_unplug_drive(gpointer data, const char *controller, guint port, guint device,
                     GError **error)
{
    Console *console = data;
    const ConsoleDrive *drive = console_media_find(console, controller, port, device);
    MachinePlace place;
    MachineBus bus;

    if (!check_idle(console, error) || !find_bus(console, controller, port, &bus, error))
        return FALSE;
    if (drive == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "“%s” has no drive at port %u.",
                    controller, port);
        return FALSE;
    }
    place = drive->place;
    if (!pdm_unplug(vmm_pdm(console->vmm), place.device, place.instance, place.lun, error)) {
        console_translate_error(error);
        return FALSE;
    }
    machine_remove_medium(console->config, place);
    g_array_remove_index(console->drives,
                         (guint)(drive - (const ConsoleDrive *)(void *)console->drives->data));
    vitrine_settings_remove_attachment(console->settings, controller, port, device);
    return TRUE;
}
