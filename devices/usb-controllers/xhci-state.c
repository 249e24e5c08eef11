/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * xHCI: saved state. Transfers that are under way are not in it: their rings still stand before
 * them, and they begin again. */
#include "devices/usb-controllers/xhci-private.h"

static void
pre_save(void *object)
{
    XhciController *xhci = object;

    if (xhci->hub == NULL)
        return;
    xhci->saving = true;
    xhci->hub->flush(xhci->hub->user);
    xhci->saving = false;
    for (unsigned slot = 1; slot <= XHCI_SLOTS; slot++) {
        for (unsigned dci = 1; dci < XHCI_ENDPOINTS; dci++)
            xhci->slots[slot].endpoints[dci].wants_kick = true;
    }
    xhci->kicks_wait = true;
    xhci_timer_at(xhci, pdm_now(xhci->device));
}

static bool
check_slot(XhciSlot *slot)
{
    if (slot->port >= XHCI_PORTS || slot->route > 0xfffff)
        return false;
    for (unsigned dci = 0; dci < XHCI_ENDPOINTS; dci++) {
        XhciEndpoint *endpoint = &slot->endpoints[dci];

        if (endpoint->state != EP_DISABLED && (endpoint->type == 0 || slot->state == SLOT_FREE))
            return false;
        endpoint->fetch = endpoint->ring;
        endpoint->wants_kick = true;
    }
    return true;
}

static bool
check_interrupter(const XhciInterrupter *interrupter)
{
    if (interrupter->erstsz > XHCI_ERST_MAX || interrupter->held > XHCI_HELD_EVENTS)
        return false;
    return interrupter->segment_size == 0 ||
           (interrupter->segment_size <= 4096 && interrupter->index < interrupter->segment_size &&
            interrupter->segment < MAX(interrupter->erstsz, 1));
}

static bool
post_load(void *object, uint32_t version, GError **error)
{
    XhciController *xhci = object;
    bool good = true;

    for (unsigned i = 0; i <= XHCI_SLOTS; i++)
        good = good && check_slot(&xhci->slots[i]);
    for (unsigned i = 0; i < XHCI_INTERRUPTERS; i++)
        good = good && check_interrupter(&xhci->interrupters[i]);
    if (!good) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The USB controller of the saved state is impossible.");
        return false;
    }
    xhci_port_compare(xhci);
    xhci->command_waits = xhci->kicks_wait = true;
    xhci->timer_ns = 0;
    xhci_timer_at(xhci, pdm_now(xhci->device));
    return true;
}

/* clang-format off */
static const SsmField ring_fields[] = {
    SSM_UINT(XhciRing, at), SSM_UINT_BELOW(XhciRing, cycle, 2), SSM_END,
};

static const SsmField endpoint_fields[] = {
    SSM_UINT_BELOW(XhciEndpoint, state, EP_STATES), SSM_UINT_BELOW(XhciEndpoint, type, 8),
    SSM_UINT_BELOW(XhciEndpoint, interval, 16), SSM_STRUCT(XhciEndpoint, ring, ring_fields),
    SSM_UINT(XhciEndpoint, next_ns), SSM_END,
};

static const SsmField slot_fields[] = {
    SSM_UINT_BELOW(XhciSlot, state, SLOT_STATES), SSM_UINT(XhciSlot, port), SSM_UINT(XhciSlot, route),
    SSM_UINT(XhciSlot, interrupter), SSM_UINT(XhciSlot, context),
    SSM_STRUCT_ARRAY(XhciSlot, endpoints, endpoint_fields), SSM_END,
};

static const SsmField event_fields[] = {
    SSM_UINT(XhciEvent, parameter), SSM_UINT(XhciEvent, status), SSM_UINT(XhciEvent, control), SSM_END,
};

static const SsmField interrupter_fields[] = {
    SSM_UINT(XhciInterrupter, iman), SSM_UINT(XhciInterrupter, imod), SSM_UINT(XhciInterrupter, erstsz),
    SSM_UINT(XhciInterrupter, erstba), SSM_UINT(XhciInterrupter, erdp), SSM_UINT(XhciInterrupter, segment),
    SSM_UINT(XhciInterrupter, index), SSM_UINT_BELOW(XhciInterrupter, cycle, 2),
    SSM_UINT_BELOW(XhciInterrupter, wants, 2), SSM_UINT(XhciInterrupter, next_ns),
    SSM_UINT(XhciInterrupter, segment_base), SSM_UINT(XhciInterrupter, segment_size),
    SSM_UINT(XhciInterrupter, held), SSM_STRUCT_ARRAY(XhciInterrupter, events, event_fields), SSM_END,
};

static const SsmField fields[] = {
    SSM_STRUCT(XhciController, msix, pci_msix_fields),
    SSM_UINT(XhciController, usbcmd), SSM_UINT(XhciController, usbsts), SSM_UINT(XhciController, dnctrl),
    SSM_UINT(XhciController, config), SSM_UINT(XhciController, crcr), SSM_UINT(XhciController, dcbaap),
    SSM_STRUCT(XhciController, command, ring_fields), SSM_UINT_BELOW(XhciController, command_running, 2),
    SSM_UINT_ARRAY(XhciController, portsc),
    SSM_STRUCT_ARRAY(XhciController, interrupters, interrupter_fields),
    SSM_STRUCT_ARRAY(XhciController, slots, slot_fields), SSM_END,
};
/* clang-format on */

const SsmState xhci_state = {
    .version = 1,
    .min_version = 1,
    .fields = fields,
    .pre_save = pre_save,
    .post_load = post_load,
};
