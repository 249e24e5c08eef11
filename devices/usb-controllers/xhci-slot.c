/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * xHCI: device slots (4.5) and the commands that set them up (4.6.3 to 4.6.7, 4.6.11). Contexts
 * have 32 bytes (6.2). */
#include "devices/usb-controllers/xhci-private.h"

#include <string.h>

#define CONTEXT_SIZE 32u
#define CONTEXT_WORDS 8u

static void
read_context(XhciController *xhci, uint64_t base, unsigned index, uint32_t words[CONTEXT_WORDS])
{
    pdm_phys_read(xhci->device, base + (uint64_t)index * CONTEXT_SIZE, words, CONTEXT_SIZE);
}

static void
write_context(XhciController *xhci, uint64_t base, unsigned index,
              const uint32_t words[CONTEXT_WORDS])
{
    pdm_phys_write(xhci->device, base + (uint64_t)index * CONTEXT_SIZE, words, CONTEXT_SIZE);
}

static bool
slot_exists(const XhciController *xhci, unsigned slot)
{
    return slot >= 1 && slot <= XHCI_SLOTS && xhci->slots[slot].state != SLOT_FREE;
}

VusbDevice *
xhci_slot_device(XhciController *xhci, unsigned slot)
{
    const XhciSlot *entry = &xhci->slots[slot];

    return xhci->hub != NULL ? xhci->hub->by_route(xhci->hub->user, entry->port, entry->route)
                             : NULL;
}

static const uint8_t context_states[SLOT_STATES] = {
    [SLOT_DEFAULT] = 1, [SLOT_ADDRESSED] = 2, [SLOT_CONFIGURED] = 3};

/* Writes the slot's state (and with set_address its address) into its context. */
static void
write_state(XhciController *xhci, unsigned slot, unsigned address)
{
    const XhciSlot *entry = &xhci->slots[slot];
    uint32_t words[CONTEXT_WORDS];

    read_context(xhci, entry->context, 0, words);
    words[3] = (uint32_t)context_states[entry->state] << 27 | address;
    write_context(xhci, entry->context, 0, words);
}

void
xhci_drop_slot(XhciController *xhci, unsigned slot)
{
    for (unsigned dci = 1; dci < XHCI_ENDPOINTS; dci++)
        xhci_endpoint_drop(xhci, slot, dci);
    memset(&xhci->slots[slot], 0, sizeof(xhci->slots[slot]));
    for (unsigned dci = 0; dci < XHCI_ENDPOINTS; dci++)
        g_queue_init(&xhci->slots[slot].endpoints[dci].tds);
}

unsigned
xhci_enable_slot(XhciController *xhci, unsigned *slot)
{
    const unsigned limit = MIN(xhci->config & 0xff, XHCI_SLOTS);

    for (unsigned i = 1; i <= limit; i++) {
        if (xhci->slots[i].state == SLOT_FREE) {
            xhci->slots[i].state = SLOT_ENABLED;
            *slot = i;
            return XHCI_SUCCESS;
        }
    }
    *slot = 0;
    return XHCI_NO_SLOTS;
}

unsigned
xhci_disable_slot(XhciController *xhci, unsigned slot)
{
    if (!slot_exists(xhci, slot))
        return XHCI_SLOT_NOT_ENABLED;
    if (xhci->slots[slot].context != 0) {
        xhci->slots[slot].state = SLOT_ENABLED;
        write_state(xhci, slot, 0);
    }
    xhci_drop_slot(xhci, slot);
    return XHCI_SUCCESS;
}

/* --- Address Device: 4.6.5 --- */
static bool
take_place(XhciController *xhci, unsigned slot, const uint32_t words[CONTEXT_WORDS])
{
    XhciSlot *entry = &xhci->slots[slot];
    const unsigned port = words[1] >> 16 & 0xff;
    uint64_t context = 0;

    pdm_phys_read(xhci->device, xhci->dcbaap + 8ull * slot, &context, sizeof(context));
    entry->context = context & ~63ull;
    if (port == 0 || port > XHCI_PORTS || entry->context == 0)
        return false;
    entry->port = (uint8_t)(port - 1);
    entry->route = words[0] & 0xfffff;
    entry->interrupter = words[2] >> 22 & 0x3ff;
    return true;
}

unsigned
xhci_address_device(XhciController *xhci, unsigned slot, uint64_t input, bool keep)
{
    uint32_t control[CONTEXT_WORDS], words[CONTEXT_WORDS], endpoint[CONTEXT_WORDS];
    XhciSlot *entry = &xhci->slots[MIN(slot, XHCI_SLOTS)];
    VusbDevice *device;
    unsigned code;

    if (!slot_exists(xhci, slot))
        return XHCI_SLOT_NOT_ENABLED;
    if (entry->state > SLOT_DEFAULT || (keep && entry->state != SLOT_ENABLED))
        return XHCI_CONTEXT_STATE;
    read_context(xhci, input, 0, control);
    read_context(xhci, input, 1, words);
    read_context(xhci, input, 2, endpoint);
    if ((control[0] & 3) != 0 || (control[1] & 3) != 3 || !take_place(xhci, slot, words))
        return XHCI_PARAMETER;
    device = xhci_slot_device(xhci, slot);
    if (device == NULL)
        return XHCI_TRANSACTION;
    code = xhci_endpoint_init(xhci, slot, 1, endpoint);
    if (code != XHCI_SUCCESS)
        return code;
    if (!keep)
        xhci->hub->set_address(xhci->hub->user, device, (uint8_t)slot);
    write_context(xhci, entry->context, 0, words);
    entry->state = keep ? SLOT_DEFAULT : SLOT_ADDRESSED;
    write_state(xhci, slot, keep ? 0 : slot);
    return XHCI_SUCCESS;
}

/* --- Configure Endpoint: 4.6.6 --- */
static unsigned
deconfigure(XhciController *xhci, unsigned slot)
{
    for (unsigned dci = 2; dci < XHCI_ENDPOINTS; dci++)
        xhci_endpoint_drop(xhci, slot, dci);
    xhci->slots[slot].state = SLOT_ADDRESSED;
    write_state(xhci, slot, slot);
    return XHCI_SUCCESS;
}

static unsigned
add_endpoints(XhciController *xhci, unsigned slot, uint64_t input, uint32_t add)
{
    for (unsigned dci = 2; dci < XHCI_ENDPOINTS; dci++) {
        uint32_t words[CONTEXT_WORDS];
        unsigned code;

        if ((add >> dci & 1) == 0)
            continue;
        read_context(xhci, input, dci + 1, words);
        code = xhci_endpoint_init(xhci, slot, dci, words);
        if (code != XHCI_SUCCESS)
            return code;
    }
    return XHCI_SUCCESS;
}

/* What of the slot's context the guest may change while the slot is in use. */
static void
update_slot_context(XhciController *xhci, unsigned slot, uint64_t input, bool hub)
{
    uint32_t given[CONTEXT_WORDS], words[CONTEXT_WORDS];

    read_context(xhci, input, 1, given);
    read_context(xhci, xhci->slots[slot].context, 0, words);
    if (hub) { /* entries, hub, multi-TT, ports, think time */
        words[0] = (words[0] & 0x00ffffff) | (given[0] & 0xff000000);
        words[1] = (words[1] & 0x00ffffff) | (given[1] & 0xff000000);
        words[2] = (words[2] & ~0x30000u) | (given[2] & 0x30000u);
    } else { /* exit latency, interrupter */
        words[1] = (words[1] & 0xffff0000) | (given[1] & 0xffff);
        words[2] = (words[2] & 0x3fffff) | (given[2] & ~0x3fffffu);
        xhci->slots[slot].interrupter = given[2] >> 22 & 0x3ff;
    }
    write_context(xhci, xhci->slots[slot].context, 0, words);
}

unsigned
xhci_configure(XhciController *xhci, unsigned slot, uint64_t input, bool remove_all)
{
    uint32_t control[CONTEXT_WORDS];
    XhciSlot *entry = &xhci->slots[MIN(slot, XHCI_SLOTS)];
    unsigned code;

    if (!slot_exists(xhci, slot))
        return XHCI_SLOT_NOT_ENABLED;
    if (entry->state < SLOT_ADDRESSED)
        return XHCI_CONTEXT_STATE;
    if (remove_all)
        return deconfigure(xhci, slot);
    read_context(xhci, input, 0, control);
    if ((control[0] & 3) != 0 || (control[1] & 2) != 0)
        return XHCI_PARAMETER;
    for (unsigned dci = 2; dci < XHCI_ENDPOINTS; dci++) {
        if (control[0] >> dci & 1)
            xhci_endpoint_drop(xhci, slot, dci);
    }
    code = add_endpoints(xhci, slot, input, control[1]);
    if (code != XHCI_SUCCESS)
        return code;
    if (control[1] & 1)
        update_slot_context(xhci, slot, input, true);
    entry->state = SLOT_ADDRESSED;
    for (unsigned dci = 2; dci < XHCI_ENDPOINTS; dci++) {
        if (entry->endpoints[dci].state != EP_DISABLED)
            entry->state = SLOT_CONFIGURED;
    }
    write_state(xhci, slot, slot);
    return XHCI_SUCCESS;
}

/* 4.6.7 */
unsigned
xhci_evaluate(XhciController *xhci, unsigned slot, uint64_t input)
{
    uint32_t control[CONTEXT_WORDS], given[CONTEXT_WORDS], words[CONTEXT_WORDS];

    if (!slot_exists(xhci, slot))
        return XHCI_SLOT_NOT_ENABLED;
    if (xhci->slots[slot].state < SLOT_DEFAULT)
        return XHCI_CONTEXT_STATE;
    read_context(xhci, input, 0, control);
    if (control[0] != 0 || (control[1] & ~3u) != 0)
        return XHCI_PARAMETER;
    if (control[1] & 1)
        update_slot_context(xhci, slot, input, false);
    if (control[1] & 2) { /* the largest packet of the default endpoint */
        read_context(xhci, input, 2, given);
        read_context(xhci, xhci->slots[slot].context, 1, words);
        words[1] = (words[1] & 0xffff) | (given[1] & 0xffff0000);
        write_context(xhci, xhci->slots[slot].context, 1, words);
    }
    return XHCI_SUCCESS;
}

/* 4.6.11 */
unsigned
xhci_reset_device(XhciController *xhci, unsigned slot)
{
    if (!slot_exists(xhci, slot))
        return XHCI_SLOT_NOT_ENABLED;
    if (xhci->slots[slot].state < SLOT_ADDRESSED)
        return XHCI_CONTEXT_STATE;
    for (unsigned dci = 2; dci < XHCI_ENDPOINTS; dci++)
        xhci_endpoint_drop(xhci, slot, dci);
    xhci->slots[slot].state = SLOT_DEFAULT;
    write_state(xhci, slot, 0);
    return XHCI_SUCCESS;
}
