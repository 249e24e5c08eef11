/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The embedder's commands to a controller with removable media: "insert" and "insert!" with
 * "<lun>:<source>", "eject" and "eject!" with "<lun>"; the mark means: also when the guest has
 * locked the tray. */
#pragma once

#include "vmm/pdm/pdm.h"

typedef struct {
    PdmDevice *device;
    /* The drive at a LUN, NULL when there is none. */
    const PdmMediaConnector *(*find)(PdmDevice *device, unsigned lun);
} DriveCommands;

/* In construct; commands lives as long as the device. */
void drive_commands_offer(DriveCommands *commands, PdmDevice *device,
                          const PdmMediaConnector *(*find)(PdmDevice *device, unsigned lun));
