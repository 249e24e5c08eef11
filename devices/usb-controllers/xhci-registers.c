/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * xHCI: registers (chapter 5) and extended capabilities (chapter 7: the protocols of the ports).
 * Registers of 64 bits are written as two halves. */
#include "devices/usb-controllers/xhci-private.h"

#include <string.h>

enum {
    CAPABILITIES = 0x00,
    EXTENDED = 0x20,
    OPERATIONAL = 0x40,
    PORTS = OPERATIONAL + 0x400,
    RUNTIME = 0x1000,
    INTERRUPTERS = RUNTIME + 0x20,
    DOORBELLS = 0x2000,
};

/* Operational registers */
enum {
    REG_USBCMD = 0x00,
    REG_USBSTS = 0x04,
    REG_PAGESIZE = 0x08,
    REG_DNCTRL = 0x14,
    REG_CRCR = 0x18,
    REG_DCBAAP = 0x30,
    REG_CONFIG = 0x38,
};

#define USBCMD_WRITABLE 0xc0du
#define USBSTS_CLEARED 0x41cu
#define VERSION 0x0100u
#define MFINDEX_MASK 0x3fffu

static const uint32_t capability_registers[] = {
    OPERATIONAL | VERSION << 16,
    XHCI_SLOTS | XHCI_INTERRUPTERS << 8 | XHCI_PORTS << 24,
    4u << 4 | 8u, /* up to 16 event ring segments; isochronous threshold of a frame */
    0,
    (EXTENDED / 4u) << 16 | 1u, /* 64-bit addresses, contexts of 32 bytes, no port power switches */
    DOORBELLS,
    RUNTIME,
};

/* 7.2: which ports are of which protocol. */
static const uint32_t extended_registers[] = {
    0x02000002u | 4u << 8,
    0x20425355u,
    1u | XHCI_PORTS_USB2 << 8,
    0,
    0x03000002u,
    0x20425355u,
    (1u + XHCI_PORTS_USB2) | XHCI_PORTS_USB3 << 8,
    0,
};

void
xhci_reset_all(XhciController *xhci)
{
    for (unsigned slot = 1; slot <= XHCI_SLOTS; slot++) {
        /* Contexts in memory are the guest's own from now on. */
        xhci->slots[slot].context = 0;
        xhci_drop_slot(xhci, slot);
    }
    xhci->usbcmd = xhci->dnctrl = xhci->config = 0;
    xhci->usbsts = USBSTS_HALTED;
    xhci->crcr = xhci->dcbaap = 0;
    xhci->command = (XhciRing){0};
    xhci->command_running = 0;
    xhci->command_waits = xhci->kicks_wait = false;
    memset(xhci->interrupters, 0, sizeof(xhci->interrupters));
    for (unsigned i = 0; i < XHCI_INTERRUPTERS; i++)
        xhci->interrupters[i].imod = 4000;
    xhci->timer_ns = 0;
    pdm_timer_cancel(xhci->device, xhci->timer);
    xhci_port_reset_all(xhci);
    xhci_update_pin(xhci);
}

/* --- reading --- */
static uint32_t
half(uint64_t value, bool high)
{
    return (uint32_t)(high ? value >> 32 : value);
}

static uint32_t
read_operational(XhciController *xhci, uint32_t offset)
{
    switch (offset) {
    case REG_USBCMD: return xhci->usbcmd;
    case REG_USBSTS: return xhci->usbsts;
    case REG_PAGESIZE: return 1;
    case REG_DNCTRL: return xhci->dnctrl;
    case REG_CRCR: return xhci->command_running ? CRCR_RUNNING : 0;
    case REG_DCBAAP:
    case REG_DCBAAP + 4: return half(xhci->dcbaap, offset != REG_DCBAAP);
    case REG_CONFIG: return xhci->config;
    default: return 0;
    }
}

static uint32_t
read_interrupter(const XhciInterrupter *interrupter, uint32_t offset)
{
    switch (offset) {
    case 0x00: return interrupter->iman;
    case 0x04: return interrupter->imod;
    case 0x08: return interrupter->erstsz;
    case 0x10:
    case 0x14: return half(interrupter->erstba, offset != 0x10);
    case 0x18:
    case 0x1c: return half(interrupter->erdp, offset != 0x18);
    default: return 0;
    }
}

static uint32_t
read_runtime(XhciController *xhci, uint32_t offset)
{
    const uint32_t index = (offset - (INTERRUPTERS - RUNTIME)) / 32;

    if (offset == 0)
        return (xhci->usbcmd & USBCMD_RUN) != 0
                   ? (uint32_t)(pdm_now(xhci->device) / XHCI_MICROFRAME_NS) & MFINDEX_MASK
                   : 0;
    if (offset < INTERRUPTERS - RUNTIME || index >= XHCI_INTERRUPTERS)
        return 0;
    return read_interrupter(&xhci->interrupters[index], offset % 32);
}

static uint64_t
xhci_read(void *user, uint64_t at, unsigned size)
{
    XhciController *xhci = user;
    const uint32_t offset = (uint32_t)at;

    if (offset < sizeof(capability_registers))
        return capability_registers[offset / 4];
    if (offset >= EXTENDED && offset < EXTENDED + sizeof(extended_registers))
        return extended_registers[(offset - EXTENDED) / 4];
    if (offset >= PORTS && offset < PORTS + 16 * XHCI_PORTS)
        return offset % 16 == 0 ? xhci_port_read(xhci, (offset - PORTS) / 16) : 0;
    if (offset >= RUNTIME && offset < DOORBELLS)
        return read_runtime(xhci, offset - RUNTIME);
    if (offset >= OPERATIONAL && offset < PORTS)
        return read_operational(xhci, offset - OPERATIONAL);
    return 0;
}

/* --- writing --- */
static void
set_half(uint64_t *value, bool high, uint32_t word)
{
    *value = high ? (uint32_t)*value | (uint64_t)word << 32 : (*value & ~0xffffffffull) | word;
}

static void
write_command(XhciController *xhci, uint32_t value)
{
    const uint32_t before = xhci->usbcmd;

    if ((value & USBCMD_RESET) != 0) {
        xhci_reset_all(xhci);
        return;
    }
    xhci->usbcmd = value & USBCMD_WRITABLE;
    /* There is nothing to restore: the driver starts afresh. */
    if ((value & USBCMD_RESTORE) != 0)
        xhci->usbsts |= USBSTS_RESTORE_ERROR;
    if ((value & USBCMD_RUN) != 0) {
        xhci->usbsts &= ~USBSTS_HALTED;
        if ((before & USBCMD_RUN) == 0) {
            for (unsigned slot = 1; slot <= XHCI_SLOTS; slot++) {
                for (unsigned dci = 1; dci < XHCI_ENDPOINTS; dci++)
                    xhci->slots[slot].endpoints[dci].wants_kick = true;
            }
            xhci_kick_all(xhci);
        }
    } else {
        xhci->usbsts |= USBSTS_HALTED;
        xhci->command_running = 0;
    }
    for (unsigned i = 0; i < XHCI_INTERRUPTERS; i++)
        xhci_interrupter_update(xhci, i);
}

static void
stop_commands(XhciController *xhci)
{
    xhci->command_running = 0;
    xhci_event(xhci, 0,
               &(XhciEvent){.parameter = xhci->command.at,
                            .status = XHCI_COMMAND_RING_STOPPED << 24,
                            .control = TRB_COMMAND_COMPLETION << 10});
}

/* 5.4.5: the pointer is taken while the ring stands; stop and abort are all the same here, where a
 * command is over at once. */
static void
write_crcr(XhciController *xhci, bool high, uint32_t word)
{
    if (!high && (word & 6) != 0 && xhci->command_running) {
        stop_commands(xhci);
        return;
    }
    if (xhci->command_running)
        return;
    set_half(&xhci->crcr, high, word);
    xhci->command = (XhciRing){.at = xhci->crcr & ~63ull, .cycle = xhci->crcr & 1};
}

static void
write_operational(XhciController *xhci, uint32_t offset, uint32_t word)
{
    switch (offset) {
    case REG_USBCMD: write_command(xhci, word); break;
    case REG_USBSTS:
        xhci->usbsts &= ~(word & USBSTS_CLEARED);
        xhci_update_pin(xhci);
        break;
    case REG_DNCTRL: xhci->dnctrl = word & 0xffff; break;
    case REG_CRCR:
    case REG_CRCR + 4: write_crcr(xhci, offset != REG_CRCR, word); break;
    case REG_DCBAAP: set_half(&xhci->dcbaap, false, word & ~63u); break;
    case REG_DCBAAP + 4: set_half(&xhci->dcbaap, true, word); break;
    case REG_CONFIG: xhci->config = word & 0xff; break;
    default: break;
    }
}

static void
write_interrupter(XhciController *xhci, unsigned index, uint32_t offset, uint32_t word)
{
    XhciInterrupter *interrupter = &xhci->interrupters[index];

    switch (offset) {
    case 0x00:
        interrupter->iman =
            (interrupter->iman & ~(word & IMAN_PENDING) & IMAN_PENDING) | (word & IMAN_ENABLE);
        xhci_interrupter_update(xhci, index);
        break;
    case 0x04: interrupter->imod = word; break;
    case 0x08: interrupter->erstsz = MIN(word & 0xffff, XHCI_ERST_MAX); break;
    case 0x10: set_half(&interrupter->erstba, false, word & ~63u); break;
    case 0x14:
        set_half(&interrupter->erstba, true, word);
        xhci_interrupter_start(xhci, index);
        break;
    case 0x18: /* takes effect with the high half, or at once when that stays as it is */
        xhci_write_erdp(xhci, index, (interrupter->erdp & ~0xffffffffull) | word);
        break;
    case 0x1c: set_half(&interrupter->erdp, true, word); break;
    default: break;
    }
}

static void
ring_doorbell(XhciController *xhci, unsigned index, uint32_t word)
{
    const unsigned target = word & 0xff;

    if (!xhci_running(xhci) || index > XHCI_SLOTS)
        return;
    if (index == 0) {
        xhci->command_running = 1;
        xhci_run_commands(xhci);
        return;
    }
    if (target == 0 || target >= XHCI_ENDPOINTS || xhci->slots[index].state == SLOT_FREE)
        return;
    if (xhci->slots[index].endpoints[target].state == EP_STOPPED)
        xhci_endpoint_set_state(xhci, index, target, EP_RUNNING);
    xhci_kick(xhci, index, target);
}

static void
xhci_write(void *user, uint64_t at, uint64_t value, unsigned size)
{
    XhciController *xhci = user;
    const uint32_t offset = (uint32_t)at, word = (uint32_t)value;

    if (offset >= DOORBELLS) {
        ring_doorbell(xhci, (offset - DOORBELLS) / 4, word);
    } else if (offset >= INTERRUPTERS) {
        if ((offset - INTERRUPTERS) / 32 < XHCI_INTERRUPTERS)
            write_interrupter(xhci, (offset - INTERRUPTERS) / 32, offset % 32, word);
    } else if (offset >= PORTS && offset < PORTS + 16 * XHCI_PORTS) {
        if (offset % 16 == 0)
            xhci_port_write(xhci, (offset - PORTS) / 16, word);
    } else if (offset >= OPERATIONAL && offset < PORTS) {
        write_operational(xhci, offset - OPERATIONAL, word);
    }
}

const IomMmioOps xhci_mmio_ops = {
    .read = xhci_read,
    .write = xhci_write,
    .min_size = 4,
    .max_size = 4,
};
