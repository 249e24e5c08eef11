/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Drives at an adapter's LUNs. */
#include "devices/storage/drive-attach.h"

bool
drive_attach(PdmDevice *device, unsigned lun, PdmMediaPort *port, ScsiUnit *unit,
             const char *controller, bool *present, GError **error)
{
    const PdmMediaConnector *media;

    port->user = unit;
    unit->passes = true;
    port->type = PDM_MEDIA_DISK;
    port->medium_changed = scsi_medium_changed;
    port->eject_request = scsi_eject_request;
    if (!pdm_attach(device, lun, PDM_IF_MEDIA, port, (const void **)&media, false, error))
        return false;
    *present = media != NULL;
    if (media == NULL)
        return true;
    if (media->type == PDM_MEDIA_FLOPPY) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "A floppy drive can't be attached to %s (port %u).", controller, lun);
        return false;
    }
    scsi_unit_attach(unit, device, media);
    return true;
}
