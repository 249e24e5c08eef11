/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The boot order of a machine some of whose drives firmware is to leave alone: then each of the
 * others is named by its device path, in the forms that SeaBIOS looks for (its documentation,
 * "Runtime config", file "bootorder"), and a HALT follows them. So are the drives of a machine with
 * several at USB, which firmware finds in any order. Elsewhere the order of classes is enough, and
 * firmware decides within a class. Drives that come while such a machine runs are found at the next
 * reset, behind the disks that it had: free ports are named, too. */
#include "devices/machine-private.h"

#include <string.h>

#define PCI "/pci@i0cf8"
#define USB_PORTS 16u
#define SATA_PORTS 30u

/* Where our controllers are on PCI; tests/api/test_bootable.py boots from each. */
static const unsigned usb_slots[] = {6, 11, 12};

static void
add_usb(GString *order)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(usb_slots); i++) {
        for (unsigned port = 1; port <= USB_PORTS; port++)
            g_string_append_printf(order, ",%s/usb@%x/storage@%x/channel@0/disk@0,0", PCI,
                                   usb_slots[i], port);
    }
}

static void
add_drive(GString *order, const MachineMedium *medium)
{
    const unsigned port = medium->port;

    switch (medium->bus) {
    case MACHINE_BUS_IDE:
        g_string_append_printf(order, ",%s/ide@1,1/drive@%x/disk@%x", PCI, port, medium->device);
        break;
    case MACHINE_BUS_FLOPPY:
        g_string_append_printf(order, ",%s/isa@1/fdc@03f0/floppy@%x", PCI, medium->device);
        break;
    case MACHINE_BUS_SATA:
        g_string_append_printf(order, ",%s/sata@d/drive@%x/disk@0", PCI, port);
        break;
    case MACHINE_BUS_SCSI:
        g_string_append_printf(order, ",%s/scsi@14/channel@0/disk@%x,0", PCI, port);
        break;
    case MACHINE_BUS_SAS:
        g_string_append_printf(order, ",%s/scsi@16/channel@0/disk@%x,0", PCI, port);
        break;
    case MACHINE_BUS_NVME: g_string_append(order, "," PCI "/nvme@e"); break;
    case MACHINE_BUS_VIRTIO_BLK:
        g_string_append_printf(order, ",%s/scsi@%x", PCI, 24 + port);
        break;
    case MACHINE_BUS_VIRTIO_SCSI:
        g_string_append_printf(order, ",%s/scsi@f/channel@0/disk@%x,0", PCI, port);
        break;
    case MACHINE_BUS_USB:
        if (strstr(order->str, "/usb@") == NULL)
            add_usb(order);
        break;
    }
}

static void
add_drives(GString *order, const MachineSpec *spec, PdmMediaType type)
{
    for (size_t i = 0; i < spec->media_count; i++) {
        if (spec->media[i].type == type && !spec->media[i].not_bootable)
            add_drive(order, &spec->media[i]);
    }
}

static bool
has_medium(const MachineSpec *spec, MachineBus bus, unsigned port)
{
    for (size_t i = 0; i < spec->media_count; i++) {
        if (spec->media[i].bus == bus && spec->media[i].port == port)
            return true;
    }
    return false;
}

/* Where a drive may be at the next reset: SATA alone takes them while the machine runs. */
static void
add_free_ports(GString *order, const MachineSpec *spec)
{
    MachineMedium medium = {.bus = MACHINE_BUS_SATA};

    for (size_t i = 0; i < spec->controller_count; i++) {
        const MachineController *controller = &spec->controllers[i];
        const unsigned ports = controller->ports != 0 ? controller->ports : SATA_PORTS;

        if (controller->bus != MACHINE_BUS_SATA || controller->not_bootable)
            continue;
        for (medium.port = 0; medium.port < ports; medium.port++) {
            if (!has_medium(spec, MACHINE_BUS_SATA, medium.port))
                add_drive(order, &medium);
        }
    }
}

static void
add_class(GString *order, const MachineSpec *spec, const char *class)
{
    if (g_str_equal(class, "floppy"))
        add_drives(order, spec, PDM_MEDIA_FLOPPY);
    else if (g_str_equal(class, "dvd"))
        add_drives(order, spec, PDM_MEDIA_OPTICAL);
    else if (g_str_equal(class, "disk")) {
        add_drives(order, spec, PDM_MEDIA_DISK);
        add_free_ports(order, spec);
    } else if (g_str_equal(class, "network"))
        machine_add_network_boot(spec, order);
}

static bool
leaves_out_any(const MachineSpec *spec)
{
    for (size_t i = 0; i < spec->media_count; i++) {
        if (spec->media[i].not_bootable)
            return true;
    }
    return false;
}

static bool
has_several_at_usb(const MachineSpec *spec)
{
    unsigned count = 0;

    for (size_t i = 0; i < spec->media_count; i++)
        count += spec->media[i].bus == MACHINE_BUS_USB;
    return count > 1;
}

char *
machine_boot_order(const MachineSpec *spec)
{
    static const char *const classes[] = {"dvd", "disk", "floppy", "network"};
    GString *order;

    if (!leaves_out_any(spec) && !has_several_at_usb(spec))
        return g_strdup(spec->boot_order);
    order = g_string_new(spec->boot_order != NULL ? spec->boot_order : MACHINE_DEFAULT_BOOT_ORDER);
    g_auto(GStrv) words = g_strsplit(order->str, ",", -1);
    for (unsigned i = 0; words[i] != NULL; i++)
        add_class(order, spec, g_strstrip(words[i]));
    /* What is not named comes last, as it does for firmware that knows classes only. */
    for (unsigned i = 0; i < G_N_ELEMENTS(classes); i++) {
        if (!g_strv_contains((const char *const *)words, classes[i]))
            add_class(order, spec, classes[i]);
    }
    if (leaves_out_any(spec))
        g_string_append(order, ",HALT");
    return g_string_free(order, FALSE);
}
