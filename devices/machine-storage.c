/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The storage controllers of a machine and the drives at them: a row for each kind of bus. */
#include "devices/machine-private.h"

typedef struct {
    const char *device; /* of PDM */
    const char *name;   /* for people */
    unsigned ports, devices;
    bool instances; /* each port is a device of its own */
} Bus;

/* clang-format off */
static const Bus buses[] = {
    [MACHINE_BUS_IDE]    = {"piix4-ide", "IDE", 2, 2, false},
    [MACHINE_BUS_FLOPPY] = {"fdc", "floppy", 1, 2, false},
    [MACHINE_BUS_SATA]   = {"ahci", "SATA", 30, 1, false},
    [MACHINE_BUS_SCSI] = {"lsilogic", "SCSI", 16, 1, false},
    [MACHINE_BUS_SAS]  = {"lsilogic-sas", "SAS", 16, 1, false},
    [MACHINE_BUS_NVME]   = {"nvme", "NVMe", 255, 1, false},
    [MACHINE_BUS_VIRTIO_BLK]  = {"virtio-blk", "virtio-blk", 8, 1, true},
    [MACHINE_BUS_VIRTIO_SCSI] = {"virtio-scsi", "virtio-scsi", 256, 1, false},
    [MACHINE_BUS_USB] = {"usb-storage", "USB", 8, 1, true},
};
/* clang-format on */

MachinePlace
machine_medium_place(MachineBus bus, unsigned port, unsigned device)
{
    const Bus *row = &buses[bus];

    if (row->instances)
        return (MachinePlace){row->device, port, 0};
    return (MachinePlace){row->device, 0, port * row->devices + device};
}

static const char *
driver_of_type(PdmMediaType type)
{
    switch (type) {
    case PDM_MEDIA_OPTICAL: return "optical";
    case PDM_MEDIA_FLOPPY: return "floppy";
    case PDM_MEDIA_DISK: break;
    }
    return "disk";
}

static bool
check_place(const CfgmNode *root, const MachineMedium *medium, GError **error)
{
    const Bus *row = &buses[medium->bus];
    const MachinePlace place = machine_medium_place(medium->bus, medium->port, medium->device);
    const bool exists = medium->device < row->devices && medium->port < row->ports;
    const bool fits = (medium->bus == MACHINE_BUS_FLOPPY) == (medium->type == PDM_MEDIA_FLOPPY);
    g_autofree char *path =
        g_strdup_printf("Devices/%s/%u/LUN%u", place.device, place.instance, place.lun);

    if (!exists || !fits || cfgm_child(root, path) != NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "A drive cannot be attached to the %s controller at port %u, device %u: %s",
                    row->name, medium->port, medium->device,
                    !exists ? "there is no such place"
                    : !fits ? "it is for drives of another kind"
                            : "there is another one already");
        return false;
    }
    return true;
}

static void
set_string(CfgmNode *node, const char *key, const char *value)
{
    if (value != NULL)
        cfgm_set_string(node, key, value);
}

static void
add_extents(const MachineExtent *extents, unsigned count, CfgmNode *config)
{
    CfgmNode *node = count > 0 ? cfgm_make(config, "Extents") : NULL;

    for (unsigned i = 0; i < count; i++)
        cfgm_set_uint(node, extents[i].name, (uint64_t)extents[i].descriptor);
}

/* Each below the one that stands on it. */
static void
add_parents(const MachineMedium *medium, CfgmNode *config)
{
    for (unsigned i = 0; i < medium->parent_count; i++) {
        const MachineImage *image = &medium->parents[i];

        config = cfgm_make(config, "Parent");
        set_string(config, "Path", image->path);
        if (image->descriptor > 0)
            cfgm_set_uint(config, "Descriptor", (uint64_t)image->descriptor);
        set_string(config, "Format", image->format);
        set_string(config, "Uuid", image->uuid);
        add_extents(image->extents, image->extent_count, config);
    }
}

static bool
add_medium(const MachineMedium *medium, bool deterministic, CfgmNode *root, GError **error)
{
    const MachinePlace place = machine_medium_place(medium->bus, medium->port, medium->device);
    CfgmNode *config;

    if (!check_place(root, medium, error))
        return false;
    machine_add_device(root, place.device, place.instance);
    config = machine_add_driver(
        root, place, medium->driver != NULL ? medium->driver : driver_of_type(medium->type));
    set_string(config, "Path", medium->path);
    if (medium->descriptor > 0)
        cfgm_set_uint(config, "Descriptor", (uint64_t)medium->descriptor);
    set_string(config, "Format", medium->format);
    set_string(config, "Serial", medium->serial);
    set_string(config, "Uuid", medium->uuid);
    add_extents(medium->extents, medium->extent_count, config);
    add_parents(medium, config);
    cfgm_set_uint(config, "HostDrive", medium->host_drive);
    cfgm_set_uint(config, "Ejected", medium->ejected);
    cfgm_set_uint(config, "Passthrough", medium->passthrough);
    cfgm_set_uint(config, "ReadOnly", medium->read_only);
    cfgm_set_uint(config, "NonRotational", medium->non_rotational);
    cfgm_set_uint(config, "Discard", medium->discard);
    cfgm_set_uint(config, "HostCache", !medium->no_host_cache);
    /* A worker's thread would answer at another instruction each time. */
    cfgm_set_uint(config, "Synchronous", deterministic);
    return true;
}

static char *
lun_path(MachinePlace place)
{
    return g_strdup_printf("Devices/%s/%u/LUN%u", place.device, place.instance, place.lun);
}

CfgmNode *
machine_add_medium(const MachineMedium *medium, CfgmNode *root, GError **error)
{
    g_autofree char *path =
        lun_path(machine_medium_place(medium->bus, medium->port, medium->device));

    return add_medium(medium, false, root, error) ? cfgm_child(root, path) : NULL;
}

void
machine_remove_medium(CfgmNode *root, MachinePlace place)
{
    g_autofree char *path = lun_path(place);

    cfgm_remove(root, path);
}

static void
add_controller(const MachineController *controller, CfgmNode *root)
{
    const Bus *row = &buses[controller->bus];
    CfgmNode *config;

    /* Ports that are devices are there with what is attached to them. */
    if (row->instances)
        return;
    config = machine_add_device(root, row->device, 0);
    if (controller->ports != 0)
        cfgm_set_uint(config, "PortCount", MIN(controller->ports, row->ports));
    set_string(config, "Model", controller->model);
}

bool
machine_add_storage(const MachineSpec *spec, CfgmNode *root, GError **error)
{
    machine_add_device(root, buses[MACHINE_BUS_IDE].device, 0);
    for (size_t i = 0; i < spec->controller_count; i++)
        add_controller(&spec->controllers[i], root);
    for (size_t i = 0; i < spec->media_count; i++) {
        if (!add_medium(&spec->media[i], spec->deterministic, root, error))
            return false;
    }
    return true;
}
