/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PCI: configuration space, BARs, places, and a guest that puts windows where they do harm. */
#include "tests/unit/pdm/probe.h"

#include <string.h>

enum { COMMAND = 4, STATUS = 6, BAR0 = 0x10, BAR1 = 0x14, BAR2 = 0x18, BAR3 = 0x1c, ROM = 0x30 };

static void
with_function(CfgmNode *config, unsigned instance)
{
    cfgm_set_uint(config, "Pci", 1);
}

static uint32_t
get(DeviceBench *bench, uint32_t offset, unsigned size)
{
    return device_bench_pci_read(bench, 3, 0, offset, size);
}

static void
set(DeviceBench *bench, uint32_t offset, uint32_t value, unsigned size)
{
    device_bench_pci_write(bench, 3, 0, offset, value, size);
}

static void
test_header(void)
{
    g_autoptr(DeviceBench) bench = probe_bench(2, with_function);

    g_assert_cmphex(get(bench, 0, 4), ==, 0x10f01af4);
    set(bench, 0, 0, 4); /* read-only */
    g_assert_cmphex(get(bench, 0, 2), ==, 0x1af4);
    set(bench, COMMAND, 0xffff, 2);
    g_assert_cmphex(get(bench, COMMAND, 2), ==, 0x547);
    set(bench, 0x3c, 0x0b, 1);
    g_assert_cmphex(get(bench, 0x3c, 4), ==, 0x010b);
    g_assert_cmphex(device_bench_pci_read(bench, 4, 0, 0, 4), ==, 0x10f01af4);
    /* Empty places, and what no cycle can ask for. */
    g_assert_cmphex(device_bench_pci_read(bench, 5, 0, 0, 4), ==, 0xffffffff);
    g_assert_cmphex(device_bench_pci_read(bench, 3, 1, 0, 2), ==, 0xffff);
    g_assert_cmphex(device_bench_pci_read(bench, 3, 0, 0xfe, 4), ==, 0xffffffff);
    g_assert_cmphex(device_bench_pci_read(bench, 3, 0, 0xffffffff, 4), ==, 0xffffffff);
    g_assert_cmphex(device_bench_pci_read(bench, 77, 0, 0, 4), ==, 0xffffffff);
    device_bench_pci_write(bench, 77, 0, 0, 0, 4);
    device_bench_pci_write(bench, 3, 0, 0xffffffff, 0, 4);
    g_assert_cmpuint(probe_get(bench, 0)->last_offset, ==, 0x3c);
}

static void
test_status(void)
{
    g_autoptr(DeviceBench) bench = probe_bench(1, with_function);
    uint8_t *config = pdm_pci_config(probe_get(bench, 0)->device, probe_get(bench, 0)->pci);

    config[STATUS + 1] = 0xf8;
    set(bench, STATUS, 0x0800, 2); /* ones clear */
    g_assert_cmphex(get(bench, STATUS + 1, 1), ==, 0xf0);
    set(bench, STATUS, 0, 2);
    g_assert_cmphex(get(bench, STATUS + 1, 1), ==, 0xf0);
}

static void
test_sizing(void)
{
    g_autoptr(DeviceBench) bench = probe_bench(1, with_function);

    for (uint32_t at = BAR0; at <= BAR3; at += 4)
        set(bench, at, 0xffffffff, 4);
    set(bench, ROM, 0xfffffffe, 4);
    g_assert_cmphex(get(bench, BAR0, 4), ==, 0xfffffff1);
    g_assert_cmphex(get(bench, BAR1, 4), ==, 0xfffff000);
    g_assert_cmphex(get(bench, BAR2, 4), ==, 0xffff000c);
    g_assert_cmphex(get(bench, BAR3, 4), ==, 0xffffffff);
    g_assert_cmphex(get(bench, 0x20, 4), ==, 0);
    g_assert_cmphex(get(bench, ROM, 4), ==, 0xfffff000);
    /* All ones are mapped nowhere, even with decoding enabled. */
    set(bench, COMMAND, 3, 2);
    g_assert_cmphex(device_bench_read(bench, 0xfffff000, 4), ==, 0xffffffff);
}

static void
test_ports(void)
{
    g_autoptr(DeviceBench) bench = probe_bench(1, with_function);
    Probe *probe = probe_get(bench, 0);

    probe->io_value = 0x12345678;
    set(bench, BAR0, 0xc001, 4);
    g_assert_cmphex(device_bench_in32(bench, 0xc000), ==, 0xffffffff);
    set(bench, COMMAND, 1, 2);
    g_assert_cmphex(device_bench_in32(bench, 0xc000), ==, 0x12345678);
    set(bench, BAR0, 0xd010, 4);
    g_assert_cmphex(device_bench_in32(bench, 0xc000), ==, 0xffffffff);
    device_bench_out32(bench, 0xd01c, 7);
    g_assert_cmphex(probe->io_value, ==, 7);
    set(bench, BAR0, 0x10000, 4); /* outside of port space */
    g_assert_cmphex(device_bench_in32(bench, 0), ==, 0xffffffff);
    set(bench, BAR0, 0xd010, 4);
    set(bench, COMMAND, 0, 2);
    g_assert_cmphex(device_bench_in32(bench, 0xd010), ==, 0xffffffff);
}

static void
test_memory(void)
{
    g_autoptr(DeviceBench) bench = probe_bench(1, with_function);
    Probe *probe = probe_get(bench, 0);

    probe->mmio_value = 0xabcd;
    set(bench, BAR1, 0xf0000000, 4);
    set(bench, BAR2, 0x20000000, 4);
    set(bench, BAR3, 0x00000002, 4);
    set(bench, ROM, 0xf1000001, 4);
    g_assert_cmphex(device_bench_read(bench, 0xf0000000, 4), ==, 0xffffffff);
    set(bench, COMMAND, 2, 2);
    g_assert_cmphex(device_bench_read(bench, 0xf0000000, 4), ==, 0xabcd);
    device_bench_write(bench, 0x220000010ull, 0x55, 1);
    g_assert_cmphex(probe->ram[0x10], ==, 0x55);
    g_assert_cmphex(device_bench_read(bench, 0xf1000000, 2), ==, 0xaa55);
    device_bench_write(bench, 0xf1000000, 0, 2);
    g_assert_cmphex(device_bench_read(bench, 0xf1000000, 2), ==, 0xaa55);
    set(bench, ROM, 0xf1000000, 4); /* the ROM's own enable bit */
    g_assert_cmphex(device_bench_read(bench, 0xf1000000, 2), ==, 0xffff);
    /* A move byte by byte, as some drivers do it. */
    set(bench, BAR1 + 3, 0xe0, 1);
    g_assert_cmphex(device_bench_read(bench, 0xe0000000, 4), ==, 0xabcd);
    g_assert_cmphex(device_bench_read(bench, 0xf0000000, 4), ==, 0xffffffff);
}

static void
test_over_ram(void)
{
    g_autoptr(DeviceBench) bench = probe_bench(1, with_function);

    probe_get(bench, 0)->mmio_value = 0xabcd;
    device_bench_write(bench, 0x100000, 0x11223344, 4);
    set(bench, COMMAND, 2, 2);
    set(bench, BAR1, 0x100000, 4);
    g_assert_cmphex(device_bench_read(bench, 0x100000, 4), ==, 0x11223344);
    g_assert_true(device_bench_logged(bench, "over RAM"));
    set(bench, BAR1, 16u << 20, 4); /* just above it */
    g_assert_cmphex(device_bench_read(bench, 16u << 20, 4), ==, 0xabcd);
}

static void
test_reset_and_state(void)
{
    g_autoptr(DeviceBench) bench = probe_bench(1, with_function);
    g_autoptr(DeviceBench) other = probe_bench(1, with_function);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) state = NULL;

    probe_get(other, 0)->mmio_value = 0xabcd;
    set(bench, BAR1, 0xf0000000, 4);
    set(bench, COMMAND, 2, 2);
    state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    device_bench_load(other, state, &error);
    g_assert_no_error(error);
    g_assert_cmphex(device_bench_read(other, 0xf0000000, 4), ==, 0xabcd);
    device_bench_reset(other);
    g_assert_cmphex(get(other, COMMAND, 2), ==, 0);
    g_assert_cmphex(get(other, BAR1, 4), ==, 0);
    g_assert_cmphex(device_bench_read(other, 0xf0000000, 4), ==, 0xffffffff);
    g_assert_cmpuint(probe_get(other, 0)->resets, ==, 2);
}

static void
test_capabilities(void)
{
    g_autoptr(DeviceBench) bench = probe_bench(1, with_function);
    Probe *probe = probe_get(bench, 0);

    g_assert_cmphex(get(bench, STATUS, 2) & 0x10, ==, 0);
    g_assert_cmphex(pdm_pci_add_capability(probe->device, probe->pci, 0x05, 14), ==, 0x40);
    g_assert_cmphex(pdm_pci_add_capability(probe->device, probe->pci, 0x01, 8), ==, 0x50);
    g_assert_cmphex(get(bench, STATUS, 2) & 0x10, ==, 0x10);
    g_assert_cmphex(get(bench, 0x34, 1), ==, 0x50);
    g_assert_cmphex(get(bench, 0x50, 2), ==, 0x4001);
    g_assert_cmphex(get(bench, 0x40, 2), ==, 0x0005);
}

static void
test_places(void)
{
    CfgmNode *config = cfgm_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(DeviceBench) bench = NULL;
    PdmRegistry *registry = probe_registry();

    for (unsigned i = 0; i < 2; i++)
        cfgm_set_uint(device_bench_add(config, "probe", i), "Pci", 1);
    cfgm_set_uint(cfgm_make(config, "Devices/probe/0"), "PCIDeviceNo", 9);
    cfgm_set_uint(cfgm_make(config, "Devices/probe/0"), "PCIFunctionNo", 2);
    bench = device_bench_try(config, registry, &error);
    g_assert_no_error(error);
    g_assert_cmphex(device_bench_pci_read(bench, 9, 2, 0, 2), ==, 0x1af4);
    g_assert_cmphex(device_bench_pci_read(bench, 3, 0, 0, 2), ==, 0x1af4);
    g_clear_pointer(&bench, device_bench_free);

    config = cfgm_new();
    for (unsigned i = 0; i < 2; i++) {
        cfgm_set_uint(device_bench_add(config, "probe", i), "Pci", 1);
        cfgm_set_uint(cfgm_makef(config, "Devices/probe/%u", i), "PCIDeviceNo", 9);
    }
    g_assert_null(device_bench_try(config, registry, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_EXISTS);
    g_assert_nonnull(strstr(error->message, "probe/1"));
    pdm_registry_free(registry);
}

/* Windows over everything, over each other, enabled and not: nothing but wrong answers may come of
 * it. */
static void
test_hostile(void)
{
    g_autoptr(DeviceBench) bench = probe_bench(4, with_function);
    GRand *random = g_rand_new_with_seed(7);
    static const uint32_t bases[] = {0,          0xa0000,    0xc0000,    0xf0000,    0xffffffff,
                                     0xfee00000, 0xfec00000, 0x00ffffff, 0xe0000000, 0xe0000800};

    for (unsigned i = 0; i < 20000; i++) {
        const unsigned slot = 3 + g_rand_int(random) % 4;
        const uint32_t offset = g_rand_int(random) & 0xff;
        const unsigned size = 1u << g_rand_int(random) % 3;
        const bool special = g_rand_boolean(random);
        const uint32_t value =
            special ? bases[g_rand_int(random) % G_N_ELEMENTS(bases)] : g_rand_int(random);

        device_bench_pci_write(bench, slot, 0, special ? BAR0 + (offset & 0x3c) : offset, value,
                               size);
        device_bench_pci_write(bench, slot, 0, COMMAND, g_rand_int(random), 2);
        device_bench_read(bench, bases[g_rand_int(random) % G_N_ELEMENTS(bases)], 8);
        device_bench_write(bench, 0xe0000000 + offset * 64, value, 4);
        device_bench_out32(bench, (uint16_t)value, value);
    }
    for (unsigned slot = 3; slot < 7; slot++)
        g_assert_cmphex(device_bench_pci_read(bench, slot, 0, 0, 4), ==, 0x10f01af4);
    g_rand_free(random);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pdm/pci/header", test_header);
    g_test_add_func("/pdm/pci/status", test_status);
    g_test_add_func("/pdm/pci/sizing", test_sizing);
    g_test_add_func("/pdm/pci/ports", test_ports);
    g_test_add_func("/pdm/pci/memory", test_memory);
    g_test_add_func("/pdm/pci/over-ram", test_over_ram);
    g_test_add_func("/pdm/pci/reset-and-state", test_reset_and_state);
    g_test_add_func("/pdm/pci/capabilities", test_capabilities);
    g_test_add_func("/pdm/pci/places", test_places);
    g_test_add_func("/pdm/pci/hostile", test_hostile);
    return g_test_run();
}
