/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * OHCI: saved state. Transfers that are under way are not in it: their descriptors still stand at
 * the head of their endpoints, and they begin again. */
#include "devices/usb-controllers/ohci-private.h"

static void
pre_save(void *object)
{
    OhciController *ohci = object;

    if (ohci->hub == NULL)
        return;
    ohci->saving = true;
    ohci->hub->flush(ohci->hub->user);
    ohci->saving = false;
    ohci->active_ns = pdm_now(ohci->device);
    ohci_arm(ohci);
}

/* The clock and the timer's deadline are loaded after the devices. */
static bool
post_load(void *object, uint32_t version, GError **error)
{
    OhciController *ohci = object;

    ohci->bytes = ohci->eds = 0;
    ohci_port_compare(ohci);
    return true;
}

/* clang-format off */
static const SsmField fields[] = {
    SSM_UINT_BELOW(OhciController, control, 0x800), SSM_UINT(OhciController, command_status),
    SSM_UINT(OhciController, status), SSM_UINT(OhciController, enable), SSM_UINT(OhciController, hcca),
    SSM_UINT(OhciController, control_head), SSM_UINT(OhciController, control_current),
    SSM_UINT(OhciController, bulk_head), SSM_UINT(OhciController, bulk_current),
    SSM_UINT(OhciController, done_head), SSM_UINT_BELOW(OhciController, done_delay, 8),
    SSM_UINT(OhciController, interval), SSM_UINT(OhciController, periodic_start),
    SSM_UINT(OhciController, ls_threshold), SSM_UINT(OhciController, fm_toggle),
    SSM_UINT(OhciController, rh_status), SSM_UINT_ARRAY(OhciController, ports),
    SSM_UINT(OhciController, start_ns), SSM_UINT_BELOW(OhciController, served_frame, OHCI_FRAMES_MAX),
    SSM_UINT(OhciController, cleared_sof), SSM_END,
};
/* clang-format on */

const SsmState ohci_state = {
    .version = 1,
    .min_version = 1,
    .fields = fields,
    .pre_save = pre_save,
    .post_load = post_load,
};
