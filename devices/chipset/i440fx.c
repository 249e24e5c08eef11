/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The 82441FX host bridge: PCI configuration mechanism #1, the attribute map of the BIOS area and
 * the SMRAM register. Intel 82441FX data sheet (290549-001), chapter 3.
 *
 * Left out: DRAM timing and row registers, which only remember what is written, and error
 * reporting. The subsystem id is the one by which firmware packages recognise a virtual PC. */
#include "devices/chipset/pam.h"

#include <string.h>

#define REG_PAM 0x59
#define REG_SMRAM 0x72
#define SMRAM_LOCK 0x10
#define SMRAM_D_OPEN 0x40

typedef struct {
    PdmDevice *device;
    PdmPci *pci;
    IomPorts *address_ports, *data_ports;
    Pam pam;
    uint32_t address; /* port 0xCF8 */
    uint8_t attributes[PAM_REGISTERS];
    uint8_t smram;
} I440fx;

static uint32_t
i440fx_read_address(void *user, uint32_t offset, unsigned size)
{
    I440fx *bridge = user;

    return offset == 0 && size == 4 ? bridge->address : UINT32_MAX;
}

/* Only a whole double word is the address; 0xCF9 is another chip's. */
static void
i440fx_write_address(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    I440fx *bridge = user;

    if (offset == 0 && size == 4)
        bridge->address = value & 0x80fffffc;
}

static uint32_t
i440fx_read_data(void *user, uint32_t offset, unsigned size)
{
    I440fx *bridge = user;
    uint32_t address = bridge->address;

    if (!(address >> 31))
        return UINT32_MAX;
    return pdm_pci_bus_read(bridge->device, address >> 16 & 0xff, address >> 8 & 0xff,
                            (address & 0xfc) + offset, size);
}

static void
i440fx_write_data(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    I440fx *bridge = user;
    uint32_t address = bridge->address;

    if (address >> 31)
        pdm_pci_bus_write(bridge->device, address >> 16 & 0xff, address >> 8 & 0xff,
                          (address & 0xfc) + offset, value, size);
}

/* Takes the memory registers over from configuration space. */
static void
i440fx_update(I440fx *bridge)
{
    const uint8_t *config = pdm_pci_config(bridge->device, bridge->pci);

    memcpy(bridge->attributes, config + REG_PAM, PAM_REGISTERS);
    bridge->smram = config[REG_SMRAM];
    pam_apply(&bridge->pam, bridge->attributes, bridge->smram);
}

static void
i440fx_config_written(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    I440fx *bridge = user;
    uint8_t *config = pdm_pci_config(bridge->device, bridge->pci);

    if (bridge->smram & SMRAM_LOCK)
        config[REG_SMRAM] = bridge->smram;
    else if (config[REG_SMRAM] & SMRAM_LOCK)
        config[REG_SMRAM] &= (uint8_t)~SMRAM_D_OPEN; /* the lock closes it */
    if (memcmp(config + REG_PAM, bridge->attributes, PAM_REGISTERS) != 0 ||
        config[REG_SMRAM] != bridge->smram)
        i440fx_update(bridge);
}

static const PdmPciHooks i440fx_hooks = {.write = i440fx_config_written};
static const IomPortOps i440fx_address_ops = {
    .read = i440fx_read_address, .write = i440fx_write_address, .sizes = 7};
static const IomPortOps i440fx_data_ops = {
    .read = i440fx_read_data, .write = i440fx_write_data, .sizes = 7};

static void
i440fx_reset(PdmDevice *device)
{
    I440fx *bridge = device->data;

    bridge->address = 0;
    i440fx_update(bridge);
}

static void
i440fx_setup_config(I440fx *bridge)
{
    uint8_t *config = pdm_pci_config(bridge->device, bridge->pci);
    uint8_t *mask = pdm_pci_write_mask(bridge->device, bridge->pci);

    config[0x04] = 0x06; /* memory and bus master are always on */
    config[0x06] = 0x80; /* fast back-to-back */
    config[0x07] = 0x02; /* medium DEVSEL */
    config[REG_SMRAM] = 0x02;
    memset(mask + 0x50, 0xff, 0x71 - 0x50);
    for (unsigned i = 0; i < PAM_REGISTERS; i++)
        mask[REG_PAM + i] = 0x33;
    mask[REG_PAM] = 0x30;
    mask[REG_SMRAM] = 0x78;
}

static bool
i440fx_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    static const PdmPciInfo info = {
        .vendor = 0x8086,
        .device = 0x1237,
        .subsystem_vendor = 0x1af4,
        .subsystem = 0x1100,
        .revision = 0x02,
        .class_code = 0x06,
        .subclass = 0x00,
        .slot = 0,
        .function = 0,
    };
    I440fx *bridge = device->data;

    bridge->device = device;
    bridge->pci = pdm_pci_new(device, &info, &i440fx_hooks, bridge, error);
    if (!bridge->pci || !pam_construct(&bridge->pam, device, error))
        return false;
    i440fx_setup_config(bridge);
    i440fx_update(bridge);
    bridge->address_ports = pdm_ports_new(device, "pci-address", 4, &i440fx_address_ops, bridge);
    bridge->data_ports = pdm_ports_new(device, "pci-data", 4, &i440fx_data_ops, bridge);
    pdm_ports_map(device, bridge->address_ports, 0xcf8);
    pdm_ports_map(device, bridge->data_ports, 0xcfc);
    return true;
}

static bool
i440fx_post_load(void *object, uint32_t version, GError **error)
{
    I440fx *bridge = object;

    bridge->address &= 0x80fffffc;
    pam_apply(&bridge->pam, bridge->attributes, bridge->smram);
    return true;
}

static void
i440fx_info(PdmDevice *device, GString *out)
{
    const I440fx *bridge = device->data;

    g_string_append_printf(out, "address %08x, SMRAM %02x, PAM", bridge->address, bridge->smram);
    for (unsigned i = 0; i < PAM_REGISTERS; i++)
        g_string_append_printf(out, " %02x", bridge->attributes[i]);
    g_string_append_c(out, '\n');
}

/* clang-format off */
static const SsmField i440fx_fields[] = {
    SSM_UINT(I440fx, address), SSM_BYTES(I440fx, attributes), SSM_UINT(I440fx, smram), SSM_END
};
static const SsmState i440fx_state = {
    .version = 1, .min_version = 1, .fields = i440fx_fields, .post_load = i440fx_post_load
};
/* clang-format on */

const PdmDeviceInfo i440fx_device = {
    .abi = PDM_ABI_VERSION,
    .name = "i440fx",
    .title = "i440FX host bridge",
    .kind = PDM_KIND_CHIPSET,
    .instance_size = sizeof(I440fx),
    .max_instances = 1,
    .construct = i440fx_construct,
    .reset = i440fx_reset,
    .state = &i440fx_state,
    .info = i440fx_info,
};
