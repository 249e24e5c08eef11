/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The host bridge and the ISA bridge: configuration mechanism, shadow RAM over the firmware's ROM,
 * SMRAM, PCI interrupt routing, reset ports. */
#include "tests/lib/device-bench.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define ROM_SIZE 0x20000

/* The machine with a ROM that the test writes. */
static DeviceBench *
pci_bench(void)
{
    CfgmNode *config = cfgm_new();
    g_autofree char *path = NULL;
    g_autofree uint8_t *rom = g_malloc(ROM_SIZE);
    g_autoptr(GError) error = NULL;
    DeviceBench *bench;
    CfgmNode *bios;
    int fd = g_file_open_tmp("rom-XXXXXX", &path, &error);

    g_assert_no_error(error);
    close(fd);
    for (unsigned i = 0; i < ROM_SIZE; i++)
        rom[i] = (uint8_t)(0x80 | i >> 12);
    g_file_set_contents(path, (const char *)rom, ROM_SIZE, &error);
    g_assert_no_error(error);
    device_bench_add(config, "pic", 0);
    device_bench_add(config, "i440fx", 0);
    device_bench_add(config, "piix3", 0);
    bios = device_bench_add(config, "bios", 0);
    cfgm_set_string(bios, "Path", path);
    cfgm_set_string(bios, "VgaPath", "");
    bench = device_bench_new(config);
    g_unlink(path);
    return bench;
}

static void
test_mechanism(void)
{
    g_autoptr(DeviceBench) bench = pci_bench();

    device_bench_out32(bench, 0xcf8, 0x80000000);
    g_assert_cmphex(device_bench_in32(bench, 0xcf8), ==, 0x80000000);
    g_assert_cmphex(device_bench_in32(bench, 0xcfc), ==, 0x12378086);
    g_assert_cmphex(device_bench_in16(bench, 0xcfe), ==, 0x1237);
    g_assert_cmphex(device_bench_in8(bench, 0xcfd), ==, 0x80);
    device_bench_out32(bench, 0xcf8, 0x80000800);
    g_assert_cmphex(device_bench_in32(bench, 0xcfc), ==, 0x70008086);
    device_bench_out32(bench, 0xcf8, 0x8000080c);
    g_assert_cmphex(device_bench_in8(bench, 0xcfe), ==, 0x80); /* many functions */
    /* Nobody, another bus, and no enable bit. */
    device_bench_out32(bench, 0xcf8, 0x8000f000);
    g_assert_cmphex(device_bench_in32(bench, 0xcfc), ==, 0xffffffff);
    device_bench_out32(bench, 0xcf8, 0x80010000);
    g_assert_cmphex(device_bench_in32(bench, 0xcfc), ==, 0xffffffff);
    device_bench_out32(bench, 0xcf8, 0);
    g_assert_cmphex(device_bench_in32(bench, 0xcfc), ==, 0xffffffff);
    /* A byte at 0xCF8 is not the address register. */
    device_bench_out8(bench, 0xcf8, 0x55);
    g_assert_cmphex(device_bench_in32(bench, 0xcf8), ==, 0);
}

static void
set_pam(DeviceBench *bench, unsigned reg, uint8_t value)
{
    device_bench_pci_write(bench, 0, 0, 0x59 + reg, value, 1);
}

static void
test_rom(void)
{
    g_autoptr(DeviceBench) bench = pci_bench();

    g_assert_cmphex(device_bench_read(bench, 0xfffffff0, 1), ==, 0x9f);
    g_assert_cmphex(device_bench_read(bench, 0xfffe0000, 1), ==, 0x80);
    g_assert_cmphex(device_bench_read(bench, 0xe0000, 1), ==, 0x80);
    g_assert_cmphex(device_bench_read(bench, 0xffff0, 1), ==, 0x9f);
    device_bench_write(bench, 0xffff0, 0, 1);
    g_assert_cmphex(device_bench_read(bench, 0xffff0, 1), ==, 0x9f);
    /* Where no ROM is, the bus floats, and writes do not reach memory. */
    g_assert_cmphex(device_bench_read(bench, 0xc8000, 2), ==, 0xffff);
    device_bench_write(bench, 0xc8000, 0x1234, 2);
    set_pam(bench, 3, 0x03); /* D0000: not this one */
    g_assert_cmphex(device_bench_read(bench, 0xc8000, 2), ==, 0xffff);
    set_pam(bench, 2, 0x03);
    g_assert_cmphex(device_bench_read(bench, 0xc8000, 2), ==, 0);
}

static void
test_shadow(void)
{
    g_autoptr(DeviceBench) bench = pci_bench();

    /* Writes to RAM while the ROM is read: how firmware copies itself. */
    set_pam(bench, 0, 0x20);
    g_assert_cmphex(device_bench_read(bench, 0xf1000, 1), ==, 0x91);
    device_bench_write(bench, 0xf1000, 0x42, 1);
    g_assert_cmphex(device_bench_read(bench, 0xf1000, 1), ==, 0x91);
    /* Then it reads RAM and locks it. */
    set_pam(bench, 0, 0x10);
    g_assert_cmphex(device_bench_read(bench, 0xf1000, 1), ==, 0x42);
    device_bench_write(bench, 0xf1000, 0x43, 1);
    g_assert_cmphex(device_bench_read(bench, 0xf1000, 1), ==, 0x42);
    set_pam(bench, 0, 0x30);
    device_bench_write(bench, 0xf1000, 0x44, 1);
    g_assert_cmphex(device_bench_read(bench, 0xf1000, 1), ==, 0x44);
    /* The other image of the ROM is untouched, and reset brings it back. */
    g_assert_cmphex(device_bench_read(bench, 0xffff1000, 1), ==, 0x91);
    device_bench_reset(bench);
    g_assert_cmphex(device_bench_read(bench, 0xf1000, 1), ==, 0x91);
    set_pam(bench, 0, 0x10);
    g_assert_cmphex(device_bench_read(bench, 0xf1000, 1), ==, 0x44);
}

/* Each nibble is its own 16 KiB. */
static void
test_segments(void)
{
    g_autoptr(DeviceBench) bench = pci_bench();

    for (unsigned i = 0; i < 12; i++) {
        uint32_t at = 0xc0000 + i * 0x4000;

        set_pam(bench, 1 + i / 2, i & 1 ? 0x30 : 0x03);
        device_bench_write(bench, at, i + 1, 1);
        device_bench_write(bench, at + 0x3fff, i + 0x40, 1);
        g_assert_cmphex(device_bench_read(bench, at, 1), ==, i + 1);
        g_assert_cmphex(device_bench_read(bench, at + 0x3fff, 1), ==, i + 0x40);
        set_pam(bench, 1 + i / 2, 0);
        g_assert_cmphex(device_bench_read(bench, at, 1), !=, i + 1);
    }
}

static void
test_smram(void)
{
    g_autoptr(DeviceBench) bench = pci_bench();

    device_bench_pci_write(bench, 0, 0, 0x72, 0x4a, 1);
    device_bench_write(bench, 0xa8000, 0x77, 1);
    g_assert_cmphex(device_bench_read(bench, 0xa8000, 1), ==, 0x77);
    device_bench_pci_write(bench, 0, 0, 0x72, 0x5a, 1); /* locks and closes */
    g_assert_cmphex(device_bench_pci_read(bench, 0, 0, 0x72, 1), ==, 0x1a);
    device_bench_pci_write(bench, 0, 0, 0x72, 0x4a, 1);
    g_assert_cmphex(device_bench_pci_read(bench, 0, 0, 0x72, 1), ==, 0x1a);
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = pci_bench(), other = pci_bench();
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) saved = NULL;

    set_pam(bench, 0, 0x30);
    device_bench_write(bench, 0xf1000, 0x44, 1);
    device_bench_out32(bench, 0xcf8, 0x80000808);
    saved = device_bench_save(bench, &error);
    g_assert_no_error(error);
    device_bench_load(other, saved, &error);
    g_assert_no_error(error);
    g_assert_cmphex(device_bench_read(other, 0xf1000, 1), ==, 0x44);
    g_assert_cmphex(device_bench_in32(other, 0xcf8), ==, 0x80000808);
}

static void
test_reset_ports(void)
{
    g_autoptr(DeviceBench) bench = pci_bench();

    device_bench_out8(bench, 0xcf9, 0x02);
    g_assert_cmpuint(bench->resets, ==, 0);
    device_bench_out8(bench, 0xcf9, 0x06);
    g_assert_cmpuint(bench->resets, ==, 1);
    device_bench_out8(bench, 0xcf9, 0x06); /* no rise */
    g_assert_cmpuint(bench->resets, ==, 1);
    device_bench_out8(bench, 0x92, 0x02);
    g_assert_cmphex(device_bench_in8(bench, 0x92), ==, 0x02);
    device_bench_out8(bench, 0x92, 0x00);
    g_assert_cmphex(device_bench_in8(bench, 0x92), ==, 0x00);
    device_bench_out8(bench, 0x92, 0x03);
    g_assert_cmpuint(bench->resets, ==, 2);
}

/* --- interrupt routing: a function with INTA whose line the test moves --- */

typedef struct {
    PdmPci *pci;
} Function;

static bool
function_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    static const PdmPciInfo info = {.vendor = 0x1234, .device = 1, .interrupt_pin = 1, .slot = 3};
    Function *function = device->data;

    function->pci = pdm_pci_new(device, &info, NULL, NULL, error);
    return function->pci != NULL;
}

static const PdmDeviceInfo function_device = {
    .abi = PDM_ABI_VERSION,
    .name = "pci-function",
    .title = "PCI function",
    .kind = PDM_KIND_OTHER,
    .instance_size = sizeof(Function),
    .max_instances = 1,
    .construct = function_construct,
    .state = &PDM_STATE_NONE,
};

static void
test_routing(void)
{
    g_autoptr(GError) error = NULL;
    PdmRegistry *registry = device_bench_registry();
    CfgmNode *config = cfgm_new();
    DeviceBench *bench;
    PdmDevice *device;
    Function *function;

    pdm_registry_add_device(registry, &function_device, &error);
    g_assert_no_error(error);
    device_bench_add(config, "pic", 0);
    device_bench_add(config, "i440fx", 0);
    device_bench_add(config, "piix3", 0);
    device_bench_add(config, "pci-function", 0);
    bench = device_bench_try(config, registry, &error);
    g_assert_no_error(error);
    device = pdm_find_device(bench->pdm, "pci-function", 0);
    function = device->data;

    /* INTA of slot 3 is PIRQC; nothing is routed after reset. */
    pdm_pci_irq(device, function->pci, true);
    g_assert_false(device_bench_irq(bench, 11));
    device_bench_pci_write(bench, 1, 0, 0x62, 11, 1);
    g_assert_true(device_bench_irq(bench, 11));
    device_bench_pci_write(bench, 1, 0, 0x62, 10, 1);
    g_assert_false(device_bench_irq(bench, 11));
    g_assert_true(device_bench_irq(bench, 10));
    /* Lines that cannot be routed to. */
    device_bench_pci_write(bench, 1, 0, 0x62, 8, 1);
    g_assert_false(device_bench_irq(bench, 10));
    g_assert_false(device_bench_irq(bench, 8));
    device_bench_pci_write(bench, 1, 0, 0x60, 0x05050505, 4);
    g_assert_true(device_bench_irq(bench, 5));
    pdm_pci_irq(device, function->pci, false);
    g_assert_false(device_bench_irq(bench, 5));
    device_bench_free(bench);
    pdm_registry_free(registry);
}

static void
test_bad_rom(void)
{
    g_autoptr(GError) error = NULL;
    CfgmNode *config = cfgm_new();

    cfgm_set_string(device_bench_add(config, "bios", 0), "Path", "/nowhere/at/all");
    g_assert_null(device_bench_try(config, NULL, &error));
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error->message, "/nowhere/at/all"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pci/mechanism", test_mechanism);
    g_test_add_func("/pci/rom", test_rom);
    g_test_add_func("/pci/shadow", test_shadow);
    g_test_add_func("/pci/segments", test_segments);
    g_test_add_func("/pci/smram", test_smram);
    g_test_add_func("/pci/state", test_state);
    g_test_add_func("/pci/reset-ports", test_reset_ports);
    g_test_add_func("/pci/routing", test_routing);
    g_test_add_func("/pci/bad-rom", test_bad_rom);
    return g_test_run();
}
