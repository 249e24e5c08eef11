/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The EHCI controller: registers (2.1 to 2.3), PCI function, life cycle. With the ids of Intel's
 * ICH6. Ports whose devices are slower than high speed go to the companion, an OHCI: without one
 * such devices are seen and stay dead. */
#include "devices/usb-controllers/ehci-private.h"

#define BAR_SIZE 0x1000u
#define CAPABILITY_LENGTH 0x20u
#define VERSION 0x100u
#define CONFIG_RELEASE 0x60 /* the release of the USB specification: 2.1.4 */
#define RELEASE_2_0 0x20
#define CONFIG_FRAME_LENGTH 0x61
#define FRAME_LENGTH 0x20 /* 60000 bit times */
/* One companion that has all the ports; no power switches, no indicators. */
#define STRUCTURE (EHCI_PORTS | EHCI_PORTS << 8 | 1u << 12)
/* The frame list's length can be chosen, descriptors may be kept for a frame: 2.2.4. */
#define CAPABILITIES (1u << 1 | 1u << 7)
#define COMMAND_AFTER_RESET (8u << 16)
#define COMMAND_BITS                                                                               \
    (EHCI_RUN | EHCI_LIST_SIZE | EHCI_PERIODIC | EHCI_ASYNC | (uint32_t)EHCI_THRESHOLD)
enum {
    USBCMD = CAPABILITY_LENGTH,
    USBSTS = CAPABILITY_LENGTH + 0x04,
    USBINTR = CAPABILITY_LENGTH + 0x08,
    FRINDEX = CAPABILITY_LENGTH + 0x0c,
    PERIODICLISTBASE = CAPABILITY_LENGTH + 0x14,
    ASYNCLISTADDR = CAPABILITY_LENGTH + 0x18,
    CONFIGFLAG = CAPABILITY_LENGTH + 0x40,
    PORTSC = CAPABILITY_LENGTH + 0x44,
};
#define FRAME_INDEX 0x3fffu

void
ehci_soft_reset(EhciController *ehci)
{
    if (ehci->hub != NULL)
        ehci_drop_all(ehci);
    ehci->command = COMMAND_AFTER_RESET;
    ehci->status = ehci->enable = ehci->held = 0;
    ehci->periodic_base = ehci->async_base = 0;
    ehci->isochronous = false;
    ehci_set_microframe(ehci, 0);
    ehci_port_reset_all(ehci);
    ehci->status = ehci->held = 0;
    ehci_update_irq(ehci);
    ehci_arm(ehci);
}

/* --- registers --- */
static uint32_t
read_status(EhciController *ehci)
{
    ehci_check_rollover(ehci);
    if (!ehci_runs(ehci))
        return ehci->status | EHCI_HALTED;
    return ehci->status | ((ehci->command & EHCI_PERIODIC) != 0 ? EHCI_PERIODIC_RUNS : 0) |
           ((ehci->command & EHCI_ASYNC) != 0 ? EHCI_ASYNC_RUNS : 0);
}

static uint64_t
ehci_read(void *user, uint64_t at, unsigned size)
{
    EhciController *ehci = user;
    const uint32_t offset = (uint32_t)at & ~3u;
    uint32_t value = 0;

    if (offset >= PORTSC && offset < PORTSC + 4 * EHCI_PORTS)
        value = ehci_port_read(ehci, (offset - PORTSC) / 4);
    switch (offset) {
    case 0x00: value = VERSION << 16 | CAPABILITY_LENGTH; break;
    case 0x04: value = STRUCTURE; break;
    case 0x08: value = CAPABILITIES; break;
    case USBCMD: value = ehci->command; break;
    case USBSTS: value = read_status(ehci); break;
    case USBINTR: value = ehci->enable; break;
    case FRINDEX:
        /* Who reads it looks for what is done by then. */
        ehci_finish_frame(ehci, ehci_microframe(ehci) / 8);
        value = ehci_microframe(ehci) & FRAME_INDEX;
        break;
    case PERIODICLISTBASE: value = ehci->periodic_base; break;
    case ASYNCLISTADDR: value = ehci->async_base; break;
    case CONFIGFLAG: value = ehci->config; break;
    default: break;
    }
    return value >> 8 * (at & 3);
}

/* Structures that are switched off are not looked at any more, and nothing is written to them. */
static void
set_command(EhciController *ehci, uint32_t value)
{
    const uint64_t microframe = ehci_microframe(ehci);
    const uint32_t before = ehci->command;

    if ((value & EHCI_RESET) != 0) {
        ehci_soft_reset(ehci);
        return;
    }
    ehci->command = value & COMMAND_BITS;
    if ((before ^ value) & (EHCI_RUN | EHCI_LIST_SIZE))
        ehci_set_microframe(ehci, microframe);
    if ((value & EHCI_PERIODIC) == 0)
        ehci->isochronous = false;
    if (ehci->hub == NULL)
        return;
    if (!ehci_runs(ehci) || (value & EHCI_PERIODIC) == 0)
        ehci_drop_list(ehci, EHCI_IN_PERIODIC);
    if (!ehci_runs(ehci) || (value & EHCI_ASYNC) == 0)
        ehci_drop_list(ehci, EHCI_IN_ASYNC);
    if ((value & EHCI_DOORBELL) != 0 && ehci_runs(ehci) && (value & EHCI_ASYNC) != 0) {
        ehci_forget_unlinked(ehci);
        ehci_interrupt(ehci, EHCI_ASYNC_ADVANCE);
    }
    ehci_wake(ehci);
}

static void
set_enable(EhciController *ehci, uint32_t value)
{
    ehci->enable = value & EHCI_INTERRUPTS;
    ehci_update_irq(ehci);
    ehci_arm(ehci);
}

/* Those who take note of what was done are likely to ask for more. */
static void
clear_status(EhciController *ehci, uint32_t value)
{
    ehci_check_rollover(ehci);
    ehci->status &= ~(value & EHCI_INTERRUPTS);
    ehci_update_irq(ehci);
    if ((value & (EHCI_DONE | EHCI_FAILED)) != 0)
        ehci_wake(ehci);
}

static void
ehci_write(void *user, uint64_t at, uint64_t value, unsigned size)
{
    EhciController *ehci = user;
    const uint32_t offset = (uint32_t)at, word = (uint32_t)value;

    if (size != 4)
        return;
    if (offset >= PORTSC && offset < PORTSC + 4 * EHCI_PORTS) {
        ehci_port_write(ehci, (offset - PORTSC) / 4, word);
        return;
    }
    switch (offset) {
    case USBCMD: set_command(ehci, word); break;
    case USBSTS: clear_status(ehci, word); break;
    case USBINTR: set_enable(ehci, word); break;
    case FRINDEX:
        if (!ehci_runs(ehci))
            ehci_set_microframe(ehci, word & FRAME_INDEX);
        break;
    case PERIODICLISTBASE: ehci->periodic_base = word & 0xfffff000; break;
    case ASYNCLISTADDR: ehci->async_base = word & EHCI_LINK; break;
    case CONFIGFLAG: ehci_port_configure(ehci, word); break;
    default: break;
    }
}

/* Capabilities are read as bytes and words, too. */
const IomMmioOps ehci_mmio_ops = {
    .read = ehci_read,
    .write = ehci_write,
    .min_size = 1,
    .max_size = 4,
};

/* --- life --- */
static void
ehci_reset(PdmDevice *device)
{
    ehci_soft_reset(device->data);
}

static bool
ehci_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    static const PdmPciInfo info = {
        .vendor = 0x8086,
        .device = 0x265c,
        .prog_if = 0x20,
        .subclass = 0x03,
        .class_code = 0x0c,
        .interrupt_pin = 1,
        .slot = 11,
    };
    EhciController *ehci = device->data;
    PgmRegion *region;

    ehci->device = device;
    ehci->timer = pdm_timer_new(device, "ehci", ehci_on_timer, ehci);
    ehci->pci = pdm_pci_new(device, &info, NULL, NULL, error);
    if (ehci->pci == NULL)
        return false;
    pdm_pci_config(device, ehci->pci)[CONFIG_RELEASE] = RELEASE_2_0;
    pdm_pci_config(device, ehci->pci)[CONFIG_FRAME_LENGTH] = FRAME_LENGTH;
    region = pdm_mmio_new(device, "ehci", BAR_SIZE, &ehci_mmio_ops, ehci);
    if (!pdm_pci_bar_region(device, ehci->pci, 0, region, BAR_SIZE, false, false, error))
        return false;
    ehci_port_hub(ehci);
    return pdm_attach(device, 0, PDM_IF_USB, &ehci->hub_port, (const void **)&ehci->hub, false,
                      error);
}

static void
ehci_destruct(PdmDevice *device)
{
    EhciController *ehci = device->data;

    if (ehci->hub != NULL)
        ehci_drop_all(ehci);
}

static void
ehci_info(PdmDevice *device, GString *out)
{
    const EhciController *ehci = device->data;

    g_string_append_printf(
        out, "command %08x, status %08x, enabled %08x, microframe %" G_GUINT64_FORMAT "\n",
        ehci->command, ehci->status, ehci->enable, ehci_microframe(ehci));
    for (unsigned port = 0; port < EHCI_PORTS; port++) {
        if ((ehci->ports[port] & 1) != 0)
            g_string_append_printf(out, "port %u: %08x\n", port + 1, ehci->ports[port]);
    }
    for (unsigned i = 0; i < EHCI_TRANSFERS; i++) {
        const EhciTransfer *transfer = &ehci->transfers[i];

        if (transfer->urb != NULL)
            g_string_append_printf(out, "structure at %08x is under way\n", transfer->at);
    }
}

const PdmDeviceInfo ehci_device = {
    .abi = PDM_ABI_VERSION,
    .name = "ehci",
    .title = "USB 2.0 controller (EHCI)",
    .kind = PDM_KIND_USB,
    .instance_size = sizeof(EhciController),
    .max_instances = 1,
    .construct = ehci_construct,
    .reset = ehci_reset,
    .destruct = ehci_destruct,
    .state = &ehci_state,
    .info = ehci_info,
};
