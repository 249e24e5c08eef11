/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The saved state of the AHCI controller. Which drives there are comes from the configuration.
 * Commands that were under way are begun again: their tables are still in the guest's memory. */
#include "devices/storage/ahci-private.h"

/* clang-format off */
#define FLAG(type, member) SSM_UINT_BELOW(type, member, 2)

static const SsmField port_fields[] = {
    SSM_STRUCT(AhciPort, ata, ata_drive_fields),
    SSM_BYTES(AhciPort, ata.queued_error),
    SSM_STRUCT(AhciPort, unit, scsi_unit_fields),
    SSM_UINT(AhciPort, clb),
    SSM_UINT(AhciPort, clbu),
    SSM_UINT(AhciPort, fb),
    SSM_UINT(AhciPort, fbu),
    SSM_UINT(AhciPort, is),
    SSM_UINT(AhciPort, ie),
    SSM_UINT(AhciPort, cmd),
    SSM_UINT(AhciPort, sctl),
    SSM_UINT(AhciPort, ssts),
    SSM_UINT(AhciPort, serr),
    SSM_UINT(AhciPort, sig),
    SSM_UINT(AhciPort, ci),
    SSM_UINT(AhciPort, sact),
    SSM_UINT(AhciPort, running),
    SSM_UINT(AhciPort, accepted),
    FLAG(AhciPort, busy),
    FLAG(AhciPort, halted),
    FLAG(AhciPort, soft_reset),
    SSM_UINT_BELOW(AhciPort, next_slot, AHCI_SLOTS),
    SSM_UINT(AhciPort, device),
    SSM_END,
};

static const SsmField ahci_fields[] = {
    SSM_UINT(AhciController, ghc),
    SSM_UINT(AhciController, is),
    SSM_STRUCT_ARRAY(AhciController, ports, port_fields),
    SSM_END,
};
/* clang-format on */

static bool
ahci_post_load(void *object, uint32_t version, GError **error)
{
    AhciController *ahci = object;

    for (unsigned i = 0; i < AHCI_PORTS_MAX; i++) {
        const AhciPort *port = &ahci->ports[i];

        if (i < ahci->port_count && !ata_drive_holds(&port->ata)) {
            g_set_error_literal(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                                "The saved state of the AHCI controller contradicts itself.");
            return false;
        }
    }
    for (unsigned i = 0; i < ahci->port_count; i++) {
        if (ahci->ports[i].running != 0)
            pdm_queue_push(ahci->device->api, ahci->restart, &ahci->ports[i]);
    }
    return true;
}

const SsmState ahci_state = {
    .version = 1,
    .min_version = 1,
    .fields = ahci_fields,
    .post_load = ahci_post_load,
};
