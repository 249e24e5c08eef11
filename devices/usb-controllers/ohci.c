/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The OHCI controller: registers (7.1 to 7.3), frames, PCI function, life cycle. With the ids of
 * Apple's KeyLargo. The timer runs while lists are switched on or the guest wants to hear of
 * frames: each millisecond while something moves, else every OHCI_IDLE_FRAMES. */
#include "devices/usb-controllers/ohci-private.h"

#define BAR_SIZE 0x1000u
#define IDLE_FRAMES 4u
#define ACTIVE_NS 50000000ull
#define REVISION 0x10u
#define CONTROL_BITS 0x7ffu
#define RESET 1u
#define FILLED (OHCI_CONTROL_FILLED | OHCI_BULK_FILLED)
#define FRAME_INTERVAL 0x27782edfu /* 12000 bit times, largest packet as the chapter asks */
#define LS_THRESHOLD 0x628u
#define HCCA_FRAME 0x80u
#define FIRST_PORT 0x54u

/* --- frames --- */
static bool
runs(const OhciController *ohci)
{
    return ohci_state_of(ohci) == OHCI_OPERATIONAL;
}

/* Counted from when the controller began to run. */
uint64_t
ohci_frame(const OhciController *ohci)
{
    const uint64_t now = pdm_now(ohci->device);

    return runs(ohci) && now >= ohci->start_ns ? (now - ohci->start_ns) / OHCI_FRAME_NS
                                               : ohci->served_frame;
}

void
ohci_update_irq(OhciController *ohci)
{
    const bool on = (ohci->enable & OHCI_MASTER_INTERRUPT) != 0 &&
                    (ohci->status & ohci->enable & OHCI_INTERRUPTS) != 0;

    pdm_pci_irq(ohci->device, ohci->pci, on);
}

void
ohci_interrupt(OhciController *ohci, uint32_t bits)
{
    ohci->status |= bits;
    ohci_update_irq(ohci);
}

/* Whether anybody would notice that a frame went by. */
static bool
wants_frames(const OhciController *ohci)
{
    return (ohci->enable & (OHCI_START_OF_FRAME | OHCI_FRAME_OVERFLOW)) != 0 ||
           (ohci->control & OHCI_CONTROL_LISTS) != 0 || ohci->done_head != 0;
}

void
ohci_arm(OhciController *ohci)
{
    const uint64_t now = pdm_now(ohci->device);
    const bool close = (ohci->enable & OHCI_START_OF_FRAME) != 0 || ohci->done_head != 0 ||
                       ohci->isochronous || now - ohci->active_ns < ACTIVE_NS;
    uint64_t frame;

    if (!runs(ohci) || !wants_frames(ohci)) {
        pdm_timer_cancel(ohci->device, ohci->timer);
        return;
    }
    /* A saved state may come from a clock that was ahead. */
    if (now < ohci->start_ns)
        ohci->start_ns = now - ohci->served_frame * OHCI_FRAME_NS;
    frame = MAX(ohci->served_frame + (close ? 1 : IDLE_FRAMES), ohci_frame(ohci));
    pdm_timer_set(ohci->device, ohci->timer, ohci->start_ns + frame * OHCI_FRAME_NS);
}

void
ohci_wake(OhciController *ohci)
{
    ohci->active_ns = pdm_now(ohci->device);
    ohci_arm(ohci);
}

static void
write_frame(OhciController *ohci, uint64_t frame)
{
    const uint32_t word = (uint32_t)(frame & 0xffff);

    pdm_phys_write(ohci->device, ohci->hcca + HCCA_FRAME, &word, sizeof(word));
    if ((frame ^ ohci->served_frame) & 0x8000)
        ohci_interrupt(ohci, OHCI_FRAME_OVERFLOW);
}

static void
on_timer(void *user)
{
    OhciController *ohci = user;
    const uint64_t frame = ohci_frame(ohci);
    const uint64_t first = MIN(ohci->served_frame + 1, frame);

    if (!runs(ohci))
        return;
    ohci_cancel(ohci, false);
    if (frame != ohci->served_frame) {
        ohci->bytes = OHCI_FRAME_BYTES;
        ohci->eds = OHCI_FRAME_EDS;
        ohci->isochronous = false;
        write_frame(ohci, frame);
        ohci_write_back(ohci);
    }
    ohci_run_lists(ohci, first, frame);
    if (frame != ohci->served_frame)
        ohci_interrupt(ohci, OHCI_START_OF_FRAME);
    ohci->served_frame = frame;
    ohci_arm(ohci);
}

static void
set_control(OhciController *ohci, uint32_t value)
{
    const unsigned before = ohci_state_of(ohci);

    ohci->control = value & CONTROL_BITS;
    if (ohci_state_of(ohci) == OHCI_OPERATIONAL && before != OHCI_OPERATIONAL) {
        ohci->start_ns = pdm_now(ohci->device) - ohci->served_frame * OHCI_FRAME_NS;
    } else if (ohci_state_of(ohci) != OHCI_OPERATIONAL && ohci->hub != NULL) {
        ohci_cancel(ohci, true);
    }
    ohci_wake(ohci);
}

/* 5.1.1.4: the root hub stays as it is. */
void
ohci_soft_reset(OhciController *ohci)
{
    if (ohci->hub != NULL)
        ohci_cancel(ohci, true);
    ohci->control = OHCI_SUSPENDED << 6;
    ohci->command_status = ohci->status = ohci->enable = 0;
    ohci->hcca = ohci->control_head = ohci->control_current = 0;
    ohci->bulk_head = ohci->bulk_current = ohci->done_head = 0;
    ohci->done_delay = OHCI_NO_WRITEBACK;
    ohci->interval = FRAME_INTERVAL & 0x3fff;
    ohci->periodic_start = 0;
    ohci->ls_threshold = LS_THRESHOLD;
    ohci->fm_toggle = 0;
    ohci->served_frame = 0;
    ohci->isochronous = false;
    ohci_update_irq(ohci);
    ohci_arm(ohci);
}

/* --- registers --- */

/* 12 bits go by in a microsecond. */
static uint32_t
frame_remaining(const OhciController *ohci)
{
    const uint32_t length = ohci->interval & 0x3fff;
    uint64_t gone;

    if (!runs(ohci))
        return ohci->fm_toggle;
    gone = (pdm_now(ohci->device) - ohci->start_ns) % OHCI_FRAME_NS * 12 / 1000;
    return ohci->fm_toggle | (gone < length ? length - (uint32_t)gone : 0);
}

/* A frame that nobody was to be told of is seen by those who look. */
static uint32_t
interrupt_status(const OhciController *ohci)
{
    const bool begun = runs(ohci) && ohci_frame(ohci) != ohci->cleared_sof;

    return ohci->status | (begun ? OHCI_START_OF_FRAME : 0);
}

static uint64_t
ohci_read(void *user, uint64_t at, unsigned size)
{
    const OhciController *ohci = user;
    const uint32_t offset = (uint32_t)at;

    if (offset >= FIRST_PORT && offset < FIRST_PORT + 4 * OHCI_PORTS)
        return ohci_port_read(ohci, (offset - FIRST_PORT) / 4);
    switch (offset) {
    case 0x00: return REVISION;
    case 0x04: return ohci->control;
    case 0x08: return ohci->command_status;
    case 0x0c: return interrupt_status(ohci);
    case 0x10:
    case 0x14: return ohci->enable;
    case 0x18: return ohci->hcca;
    case 0x20: return ohci->control_head;
    case 0x24: return ohci->control_current;
    case 0x28: return ohci->bulk_head;
    case 0x2c: return ohci->bulk_current;
    case 0x30: return ohci->done_head;
    case 0x34: return ohci->interval;
    case 0x38: return frame_remaining(ohci);
    case 0x3c: return ohci_frame(ohci) & 0xffff;
    case 0x40: return ohci->periodic_start;
    case 0x44: return ohci->ls_threshold;
    default: return ohci_hub_read(ohci, offset);
    }
}

static void
write_command(OhciController *ohci, uint32_t value)
{
    if ((value & RESET) != 0) {
        ohci_soft_reset(ohci);
        return;
    }
    ohci->command_status |= value & FILLED;
    if ((value & FILLED) == 0 || !runs(ohci))
        return;
    /* Lists that are filled are looked at now, but never from within a write of the controller's
     * own: by the timer. */
    ohci->active_ns = pdm_now(ohci->device);
    pdm_timer_set(ohci->device, ohci->timer, ohci->active_ns);
}

static void
clear_status(OhciController *ohci, uint32_t value)
{
    ohci->status &= ~value;
    if ((value & OHCI_START_OF_FRAME) != 0)
        ohci->cleared_sof = ohci_frame(ohci);
    ohci_update_irq(ohci);
    if ((value & OHCI_WRITEBACK) != 0 && ohci->done_head != 0)
        ohci_arm(ohci);
}

static void
set_enable(OhciController *ohci, uint32_t value)
{
    ohci->enable = value & (OHCI_INTERRUPTS | OHCI_MASTER_INTERRUPT);
    ohci_update_irq(ohci);
    ohci_arm(ohci);
}

static void
ohci_write(void *user, uint64_t at, uint64_t value, unsigned size)
{
    OhciController *ohci = user;
    const uint32_t offset = (uint32_t)at, word = (uint32_t)value;

    if (offset >= FIRST_PORT && offset < FIRST_PORT + 4 * OHCI_PORTS) {
        ohci_port_write(ohci, (offset - FIRST_PORT) / 4, word);
        return;
    }
    switch (offset) {
    case 0x04: set_control(ohci, word); break;
    case 0x08: write_command(ohci, word); break;
    case 0x0c: clear_status(ohci, word); break;
    case 0x10: set_enable(ohci, ohci->enable | word); break;
    case 0x14: set_enable(ohci, ohci->enable & ~word); break;
    case 0x18: ohci->hcca = word & ~0xffu; break;
    case 0x20: ohci->control_head = word & ~15u; break;
    case 0x24: ohci->control_current = word & ~15u; break;
    case 0x28: ohci->bulk_head = word & ~15u; break;
    case 0x2c: ohci->bulk_current = word & ~15u; break;
    case 0x34:
        ohci->interval = word & 0xffff3fff;
        ohci->fm_toggle = word & 1u << 31;
        break;
    case 0x40: ohci->periodic_start = word & 0x3fff; break;
    case 0x44: ohci->ls_threshold = word & 0xfff; break;
    case 0x50: ohci_hub_write(ohci, word); break;
    default: break;
    }
}

const IomMmioOps ohci_mmio_ops = {
    .read = ohci_read,
    .write = ohci_write,
    .min_size = 4,
    .max_size = 4,
};

/* --- life --- */
static void
ohci_reset(PdmDevice *device)
{
    ohci_soft_reset(device->data);
    ohci_port_reset_all(device->data);
}

static bool
ohci_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    static const PdmPciInfo info = {
        .vendor = 0x106b,
        .device = 0x003f,
        .prog_if = 0x10,
        .subclass = 0x03,
        .class_code = 0x0c,
        .interrupt_pin = 1,
        .slot = 6,
    };
    OhciController *ohci = device->data;
    PgmRegion *region;

    ohci->device = device;
    ohci->timer = pdm_timer_new(device, "ohci", on_timer, ohci);
    ohci->pci = pdm_pci_new(device, &info, NULL, NULL, error);
    if (ohci->pci == NULL)
        return false;
    region = pdm_mmio_new(device, "ohci", BAR_SIZE, &ohci_mmio_ops, ohci);
    if (!pdm_pci_bar_region(device, ohci->pci, 0, region, BAR_SIZE, false, false, error))
        return false;
    ohci_port_hub(ohci);
    return pdm_attach(device, 0, PDM_IF_USB, &ohci->hub_port, (const void **)&ohci->hub, false,
                      error);
}

static void
ohci_destruct(PdmDevice *device)
{
    OhciController *ohci = device->data;

    if (ohci->hub != NULL)
        ohci_cancel(ohci, true);
}

static void
ohci_info(PdmDevice *device, GString *out)
{
    const OhciController *ohci = device->data;

    g_string_append_printf(out, "control %08x, status %08x, enabled %08x\n", ohci->control,
                           ohci->status, ohci->enable);
    for (unsigned port = 0; port < OHCI_PORTS; port++) {
        if ((ohci->ports[port] & 1) != 0)
            g_string_append_printf(out, "port %u: %08x\n", port + 1, ohci->ports[port]);
    }
    for (unsigned i = 0; i < OHCI_TRANSFERS; i++) {
        const OhciTransfer *transfer = &ohci->transfers[i];

        if (transfer->urb != NULL)
            g_string_append_printf(out, "endpoint at %08x: transfer at %08x is under way\n",
                                   transfer->ed, transfer->td);
    }
}

const PdmDeviceInfo ohci_device = {
    .abi = PDM_ABI_VERSION,
    .name = "ohci",
    .title = "USB 1.1 controller (OHCI)",
    .kind = PDM_KIND_USB,
    .instance_size = sizeof(OhciController),
    .max_instances = 1,
    .construct = ohci_construct,
    .reset = ohci_reset,
    .destruct = ohci_destruct,
    .state = &ohci_state,
    .info = ohci_info,
};
