/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The probe device. */
#include "tests/unit/pdm/probe.h"

#include <string.h>

static uint32_t
io_read(void *user, uint32_t offset, unsigned size)
{
    return ((Probe *)user)->io_value;
}

static void
io_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    ((Probe *)user)->io_value = value;
}

static uint64_t
mmio_read(void *user, uint64_t offset, unsigned size)
{
    return ((Probe *)user)->mmio_value;
}

static void
mmio_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    ((Probe *)user)->mmio_value = (uint32_t)value;
}

static void
config_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    ((Probe *)user)->last_offset = offset;
}

static bool
make_function(Probe *probe, GError **error)
{
    static const IomPortOps io_ops = {.read = io_read, .write = io_write, .sizes = 7};
    static const IomMmioOps mmio_ops = {mmio_read, mmio_write, 1, 4};
    static const PdmPciHooks hooks = {.write = config_write};
    const PdmPciInfo info = {
        .vendor = 0x1af4,
        .device = 0x10f0,
        .class_code = 0xff,
        .interrupt_pin = 1,
        .slot = -1,
        .function = -1,
    };
    static const uint8_t rom[PROBE_ROM_SIZE] = {0x55, 0xaa};
    PdmDevice *device = probe->device;
    IomPorts *ports = pdm_ports_new(device, "io", PROBE_IO_SIZE, &io_ops, probe);
    PgmRegion *mmio = pdm_mmio_new(device, "mmio", PROBE_MMIO_SIZE, &mmio_ops, probe);
    PgmRegion *ram, *rom_region;
    void *host = NULL;

    ram = pdm_ram_new(device, "big", PROBE_BIG_SIZE, false, &host, error);
    rom_region = pdm_rom_new(device, "rom", rom, PROBE_ROM_SIZE, error);
    if (ram == NULL || rom_region == NULL)
        return false;
    probe->ram = host;
    probe->pci = pdm_pci_new(device, &info, &hooks, probe, error);
    return probe->pci != NULL &&
           pdm_pci_bar_ports(device, probe->pci, 0, ports, PROBE_IO_SIZE, error) &&
           pdm_pci_bar_region(device, probe->pci, 1, mmio, PROBE_MMIO_SIZE, false, false, error) &&
           pdm_pci_bar_region(device, probe->pci, 2, ram, PROBE_BIG_SIZE, true, true, error) &&
           pdm_pci_rom(device, probe->pci, rom_region, PROBE_ROM_SIZE, error);
}

static bool
construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Probe *probe = device->data;
    const PdmInterface interface = (PdmInterface)cfgm_uint(config, "Interface", PDM_IF_NONE);

    probe->device = device;
    if (cfgm_bool(config, "Fail", false)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_FAILED, "as it was told");
        return false;
    }
    if (interface != PDM_IF_NONE && !pdm_attach(device, 0, interface, probe, &probe->connector,
                                                cfgm_bool(config, "Required", false), error))
        return false;
    return !cfgm_bool(config, "Pci", false) || make_function(probe, error);
}

static void
reset(PdmDevice *device)
{
    ((Probe *)device->data)->resets++;
}

static void
power_on(PdmDevice *device)
{
    ((Probe *)device->data)->power_ons++;
}

static void
destruct(PdmDevice *device)
{
    pdm_log(device, "destructed");
}

static const SsmField fields[] = {
    SSM_UINT(Probe, saved),
    SSM_END,
};

static const SsmState state = {.version = 1, .min_version = 1, .fields = fields};

static const PdmDeviceInfo probe_device = {
    .abi = PDM_ABI_VERSION,
    .name = "probe",
    .title = "Probe",
    .kind = PDM_KIND_OTHER,
    .instance_size = sizeof(Probe),
    .max_instances = 4,
    .construct = construct,
    .reset = reset,
    .power_on = power_on,
    .destruct = destruct,
    .state = &state,
};

PdmRegistry *
probe_registry(void)
{
    g_autoptr(GError) error = NULL;
    PdmRegistry *registry = pdm_registry_new();

    pdm_registry_add_device(registry, &probe_device, &error);
    g_assert_no_error(error);
    bench_drivers_register(registry, &error);
    g_assert_no_error(error);
    return registry;
}

DeviceBench *
probe_bench(unsigned count, void (*configure)(CfgmNode *config, unsigned instance))
{
    g_autoptr(GError) error = NULL;
    CfgmNode *config = cfgm_new();
    DeviceBench *bench;

    for (unsigned i = 0; i < count; i++) {
        CfgmNode *node = device_bench_add(config, "probe", i);

        if (configure != NULL)
            configure(node, i);
    }
    bench = device_bench_try(config, probe_registry(), &error);
    g_assert_no_error(error);
    bench->owns_registry = true;
    return bench;
}

Probe *
probe_get(DeviceBench *bench, unsigned instance)
{
    return device_bench_data(bench, "probe", instance);
}
