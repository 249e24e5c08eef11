/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * EHCI: saved state. Transfers that are under way are not in it: their descriptors are still
 * active, and they begin again. */
#include "devices/usb-controllers/ehci-private.h"

static void
pre_save(void *object)
{
    EhciController *ehci = object;

    if (ehci->hub == NULL)
        return;
    ehci->saving = true;
    ehci->hub->flush(ehci->hub->user);
    ehci->saving = false;
    ehci->active_ns = pdm_now(ehci->device);
    ehci_arm(ehci);
}

/* The clock and the timer's deadline are loaded after the devices. */
static bool
post_load(void *object, uint32_t version, GError **error)
{
    EhciController *ehci = object;

    ehci->bytes = ehci->visits = 0;
    ehci_port_loaded(ehci);
    return true;
}

/* clang-format off */
static const SsmField fields[] = {
    SSM_UINT(EhciController, command), SSM_UINT(EhciController, status), SSM_UINT(EhciController, enable),
    SSM_UINT_BELOW(EhciController, config, 2), SSM_UINT(EhciController, periodic_base),
    SSM_UINT(EhciController, async_base), SSM_UINT_ARRAY(EhciController, ports), SSM_UINT(EhciController, held),
    SSM_UINT(EhciController, start_ns), SSM_UINT_BELOW(EhciController, stood, EHCI_FRAMES_MAX * 8),
    SSM_UINT_BELOW(EhciController, served_frame, EHCI_FRAMES_MAX), SSM_UINT(EhciController, rolled),
    SSM_UINT(EhciController, interrupt_ns), SSM_END,
};
/* clang-format on */

const SsmState ehci_state = {
    .version = 1,
    .min_version = 1,
    .fields = fields,
    .pre_save = pre_save,
    .post_load = post_load,
};
