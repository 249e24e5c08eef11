/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The network cards of a machine: a row for each model. */
#include "devices/machine-private.h"

#include <string.h>

typedef struct {
    const char *model;
    const char *device; /* of PDM */
    bool chips;         /* the device is several chips, and has to be told which */
    bool isa;           /* it has neither a slot nor a boot ROM */
} Model;

/* clang-format off */
static const Model models[] = {
    {"82540EM", "e1000", true, false},
    {"82543GC", "e1000", true, false},
    {"82545EM", "e1000", true, false},
    {"Am79C970A", "pcnet", true, false},
    {"Am79C973", "pcnet", true, false},
    {"NE2000", "ne2000", false, true},
    {"virtio", "virtio-net", false, false},
};
/* clang-format on */

/* Where the manual's machines have them on PCI. */
static const uint8_t slots[MACHINE_ADAPTERS] = {3, 8, 9, 10, 16, 17, 18, 19};

static const Model *
find_model(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(models); i++) {
        if (g_strcmp0(models[i].model, name) == 0)
            return &models[i];
    }
    return NULL;
}

const char *const *
machine_adapter_models(void)
{
    static const char *const names[] = {"82540EM",  "82543GC", "82545EM", "Am79C970A",
                                        "Am79C973", "NE2000",  "virtio",  NULL};

    return names;
}

MachinePlace
machine_adapter_place(const char *model, unsigned index)
{
    const Model *row = find_model(model);

    return (MachinePlace){row != NULL ? row->device : NULL, index, 0};
}

static bool
boots_from_network(const MachineSpec *spec)
{
    return spec->boot_order == NULL || strstr(spec->boot_order, "network") != NULL;
}

static void
place_on_pci(const MachineSpec *spec, unsigned index, MachinePlace place, CfgmNode *card,
             CfgmNode *root)
{
    /* Firmware takes time for each boot ROM. */
    if (!boots_from_network(spec))
        cfgm_set_string(card, "BootRom", "");
    cfgm_set_uint(cfgm_makef(root, "Devices/%s/%u", place.device, place.instance), "PCIDeviceNo",
                  slots[index]);
}

static bool
add_adapter(const MachineSpec *spec, unsigned index, CfgmNode *root, GError **error)
{
    const MachineAdapter *adapter = &spec->adapters[index];
    const MachinePlace place = machine_adapter_place(adapter->model, index);
    CfgmNode *card, *driver;

    if (place.device == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "There is no network card of the model %s.", adapter->model);
        return false;
    }
    card = machine_add_device(root, place.device, place.instance);
    if (find_model(adapter->model)->chips)
        cfgm_set_string(card, "Model", adapter->model);
    if (adapter->mac != NULL)
        cfgm_set_string(card, "MAC", adapter->mac);
    if (!find_model(adapter->model)->isa)
        place_on_pci(spec, index, place, card, root);
    driver = machine_add_driver(root, place, "network");
    if (adapter->wire != NULL && adapter->descriptor > 0) {
        cfgm_set_string(driver, "Wire", adapter->wire);
        cfgm_set_uint(driver, "Descriptor", (uint64_t)adapter->descriptor);
    }
    if (adapter->trace_descriptor > 0)
        cfgm_set_uint(driver, "TraceDescriptor", (uint64_t)adapter->trace_descriptor);
    cfgm_set_uint(driver, "CableConnected", !adapter->unplugged);
    return true;
}

void
machine_add_network_boot(const MachineSpec *spec, GString *order)
{
    for (unsigned i = 0; boots_from_network(spec) && i < MACHINE_ADAPTERS; i++) {
        const Model *model = find_model(spec->adapters[i].model);

        if (model != NULL && !model->isa)
            g_string_append_printf(order, ",/pci@i0cf8/ethernet@%x", slots[i]);
    }
}

bool
machine_add_network(const MachineSpec *spec, CfgmNode *root, GError **error)
{
    for (unsigned i = 0; i < MACHINE_ADAPTERS; i++) {
        if (spec->adapters[i].model != NULL && !add_adapter(spec, i, root, error))
            return false;
    }
    return true;
}
