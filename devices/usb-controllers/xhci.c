/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The xHCI controller: PCI function, root hub, timer, life cycle. eXtensible Host Controller
 * Interface 1.0, with the ids of Intel's 7 series. */
#include "devices/usb-controllers/xhci-private.h"

#define BAR 0
#define BAR_SIZE 0x10000u
#define MSIX_BAR 4
#define CONFIG_RELEASE 0x60 /* the release of the USB specification: 5.2.1 */
#define RELEASE_3_0 0x30

static void
on_timer(void *user)
{
    XhciController *xhci = user;

    xhci->timer_ns = 0;
    for (unsigned i = 0; i < XHCI_INTERRUPTERS; i++)
        xhci_interrupter_update(xhci, i);
    if (xhci->command_waits)
        xhci_run_commands(xhci);
    if (xhci->kicks_wait)
        xhci_kick_all(xhci);
}

static void
config_written(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    XhciController *xhci = user;

    pci_msix_config_written(&xhci->msix, offset, size);
}

static bool
construct_pci(XhciController *xhci, GError **error)
{
    static const PdmPciInfo info = {
        .vendor = 0x8086,
        .device = 0x1e31,
        .subsystem_vendor = 0x8086,
        .subsystem = 0x1e31,
        .revision = 4,
        .prog_if = 0x30,
        .subclass = 0x03,
        .class_code = 0x0c,
        .interrupt_pin = 1,
        .slot = 12,
        .function = 0,
    };
    static const PdmPciHooks hooks = {.write = config_written};
    PdmDevice *device = xhci->device;
    PgmRegion *region;

    xhci->pci = pdm_pci_new(device, &info, &hooks, xhci, error);
    if (xhci->pci == NULL ||
        !pci_msix_init(&xhci->msix, device, xhci->pci, MSIX_BAR, XHCI_INTERRUPTERS, error))
        return false;
    pdm_pci_config(device, xhci->pci)[CONFIG_RELEASE] = RELEASE_3_0;
    region = pdm_mmio_new(device, "xhci", BAR_SIZE, &xhci_mmio_ops, xhci);
    return pdm_pci_bar_region(device, xhci->pci, BAR, region, BAR_SIZE, false, true, error);
}

static void
xhci_reset(PdmDevice *device)
{
    XhciController *xhci = device->data;

    xhci_reset_all(xhci);
    pci_msix_reset(&xhci->msix);
}

static bool
xhci_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    XhciController *xhci = device->data;

    xhci->device = device;
    for (unsigned slot = 0; slot <= XHCI_SLOTS; slot++) {
        for (unsigned dci = 0; dci < XHCI_ENDPOINTS; dci++)
            g_queue_init(&xhci->slots[slot].endpoints[dci].tds);
    }
    xhci->timer = pdm_timer_new(device, "xhci", on_timer, xhci);
    if (!construct_pci(xhci, error))
        return false;
    xhci_port_hub(xhci);
    return pdm_attach(device, 0, PDM_IF_USB, &xhci->hub_port, (const void **)&xhci->hub, false,
                      error);
}

static void
xhci_destruct(PdmDevice *device)
{
    XhciController *xhci = device->data;

    for (unsigned slot = 1; slot <= XHCI_SLOTS; slot++) {
        for (unsigned dci = 1; dci < XHCI_ENDPOINTS; dci++)
            xhci_endpoint_cancel(&xhci->slots[slot].endpoints[dci]);
    }
}

static void
xhci_info(PdmDevice *device, GString *out)
{
    const XhciController *xhci = device->data;

    g_string_append_printf(out, "command %08x, status %08x\n", xhci->usbcmd, xhci->usbsts);
    for (unsigned port = 0; port < XHCI_PORTS; port++) {
        if ((xhci->portsc[port] & 1) != 0)
            g_string_append_printf(out, "port %u: %08x\n", port + 1, xhci->portsc[port]);
    }
    for (unsigned slot = 1; slot <= XHCI_SLOTS; slot++) {
        const XhciSlot *entry = &xhci->slots[slot];

        if (entry->state == SLOT_FREE)
            continue;
        g_string_append_printf(out, "slot %u: state %u, port %u, route %05x\n", slot, entry->state,
                               entry->port + 1, entry->route);
        for (unsigned dci = 1; dci < XHCI_ENDPOINTS; dci++) {
            if (entry->endpoints[dci].state != EP_DISABLED)
                g_string_append_printf(out, "  endpoint %u: state %u, %u under way\n", dci,
                                       entry->endpoints[dci].state,
                                       entry->endpoints[dci].tds.length);
        }
    }
}

const PdmDeviceInfo xhci_device = {
    .abi = PDM_ABI_VERSION,
    .name = "xhci",
    .title = "USB 3.0 controller (xHCI)",
    .kind = PDM_KIND_USB,
    .instance_size = sizeof(XhciController),
    .max_instances = 1,
    .construct = xhci_construct,
    .reset = xhci_reset,
    .destruct = xhci_destruct,
    .state = &xhci_state,
    .info = xhci_info,
};
