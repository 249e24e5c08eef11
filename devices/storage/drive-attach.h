/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The drives of an adapter's LUNs: disks and CD-ROMs that talk SCSI or packets. */
#pragma once

#include "devices/storage/scsi.h"

/* Attaches what is configured at the LUN to the unit. port: of the LUN, filled in here but for
 * `plugged`; its user is the unit. *present: there is a drive. controller: its name, for a drive
 * that does not fit ("the SATA controller"). */
bool drive_attach(PdmDevice *device, unsigned lun, PdmMediaPort *port, ScsiUnit *unit,
                  const char *controller, bool *present, GError **error);
