/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files that build a machine's configuration tree share. */
#pragma once

#include "devices/machine.h"

/* The Config node of a device, made where it does not exist. */
static inline CfgmNode *
machine_add_device(CfgmNode *root, const char *name, unsigned instance)
{
    return cfgm_makef(root, "Devices/%s/%u/Config", name, instance);
}

/* The Config node of a driver; driver NULL: of the one that is there. */
static inline CfgmNode *
machine_add_driver(CfgmNode *root, MachinePlace place, const char *driver)
{
    CfgmNode *lun =
        cfgm_makef(root, "Devices/%s/%u/LUN%u", place.device, place.instance, place.lun);

    if (driver != NULL)
        cfgm_set_string(lun, "Driver", driver);
    return cfgm_make(lun, "Config");
}

/* machine-usb.c: controllers and emulated devices at them */
void machine_add_usb_controllers(const MachineSpec *spec, CfgmNode *root);
bool machine_add_usb(const MachineSpec *spec, CfgmNode *root, GError **error);
/* machine-storage.c: controllers and their drives */
bool machine_add_storage(const MachineSpec *spec, CfgmNode *root, GError **error);
/* machine-network.c */
bool machine_add_network(const MachineSpec *spec, CfgmNode *root, GError **error);
/* The paths of its boot ROMs, each after a comma. */
void machine_add_network_boot(const MachineSpec *spec, GString *order);
/* machine-boot.c: for the option BootOrder of fw-cfg; the caller's. NULL: its default. */
char *machine_boot_order(const MachineSpec *spec);
#define MACHINE_DEFAULT_BOOT_ORDER "dvd,disk,floppy,network"
