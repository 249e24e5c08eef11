/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A device outside the tree: built as a shared object from the public headers, linked to GLib only.
 * It is a small PCI function with a range of ports:
 *
 *   0  identification, reads as the option Id
 *   4  period in nanoseconds; a write starts the timer, 0 stops it
 *   8  how often the timer expired; a write clears the interrupt
 *   c  a write fills 16 bytes of memory at that address with the counter
 */
#include "vmm/pdm/pdm.h"

#include <string.h>

#ifndef EXAMPLE_ABI
#define EXAMPLE_ABI PDM_ABI_VERSION
#endif

#define PORTS 16u
#define FILL_SIZE 16u

typedef struct {
    PdmDevice *device;
    PdmPci *pci;
    TmTimer *timer;
    uint32_t id, period, count;
} Example;

static void
on_timer(void *user)
{
    Example *example = user;

    example->count++;
    pdm_pci_irq(example->device, example->pci, true);
    pdm_timer_set(example->device, example->timer, pdm_now(example->device) + example->period);
}

static uint32_t
port_read(void *user, uint32_t offset, unsigned size)
{
    const Example *example = user;

    switch (offset) {
    case 0x0: return example->id;
    case 0x4: return example->period;
    case 0x8: return example->count;
    default: return 0;
    }
}

static void
port_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Example *example = user;
    PdmDevice *device = example->device;
    uint8_t fill[FILL_SIZE];

    switch (offset) {
    case 0x4:
        example->period = value;
        if (value != 0)
            pdm_timer_set(device, example->timer, pdm_now(device) + value);
        else
            pdm_timer_cancel(device, example->timer);
        break;
    case 0x8: pdm_pci_irq(device, example->pci, false); break;
    case 0xc:
        memset(fill, (int)example->count, sizeof(fill));
        pdm_phys_write(device, value, fill, sizeof(fill));
        break;
    default: pdm_guest_error(device, "register", "there is no register %x", offset); break;
    }
}

static bool
construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    static const IomPortOps ops = {.read = port_read, .write = port_write, .sizes = 4};
    static const PdmPciInfo info = {
        .vendor = 0x1234,
        .device = 0xe8a3,
        .class_code = 0xff,
        .interrupt_pin = 1,
        .slot = -1,
        .function = -1,
    };
    Example *example = device->data;

    example->device = device;
    example->id = (uint32_t)device->api->config_uint(config, "Id", 0xcafe);
    if (example->id == 0)
        return device->api->fail(error, BASE_ERROR_INVALID, "The option Id must not be 0");
    example->timer = pdm_timer_new(device, "period", on_timer, example);
    example->pci = pdm_pci_new(device, &info, NULL, example, error);
    return example->pci != NULL &&
           pdm_pci_bar_ports(device, example->pci, 0,
                             pdm_ports_new(device, "ports", PORTS, &ops, example), PORTS, error);
}

static void
reset(PdmDevice *device)
{
    Example *example = device->data;

    example->period = example->count = 0;
    pdm_timer_cancel(device, example->timer);
}

static const SsmField fields[] = {
    SSM_UINT(Example, period),
    SSM_UINT(Example, count),
    SSM_END,
};

static const SsmState state = {.version = 1, .min_version = 1, .fields = fields};

static const PdmOption options[] = {
    {.key = "Id",
     .title = "Identification",
     .type = PDM_OPTION_UINT,
     .value = 0xcafe,
     .min = 1,
     .max = UINT32_MAX},
    {.type = PDM_OPTION_END},
};

static const PdmDeviceInfo example_device = {
    .abi = EXAMPLE_ABI,
    .name = "example",
    .title = "Example of a device outside the tree",
    .kind = PDM_KIND_OTHER,
    .instance_size = sizeof(Example),
    .max_instances = 2,
    .options = options,
    .construct = construct,
    .reset = reset,
    .state = &state,
};

const PdmModule *vitrine_module(void);

const PdmModule *
vitrine_module(void)
{
    static const PdmDeviceInfo *const devices[] = {&example_device, NULL};
    static const PdmModule module = {PDM_ABI_VERSION, devices, NULL};

    return &module;
}
