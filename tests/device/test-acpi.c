/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Power management: registers where configuration space puts them, the timer, the buttons, soft
 * off, and the tables, loaded as firmware does it. */
#include "tests/lib/device-bench.h"

#include <string.h>

#define PM 0x600

static DeviceBench *
acpi_bench(bool ioapic)
{
    CfgmNode *config = cfgm_new();
    DeviceBench *bench;

    device_bench_add(config, "pic", 0);
    device_bench_add(config, "i440fx", 0);
    device_bench_add(config, "piix3", 0);
    cfgm_set_uint(device_bench_add(config, "acpi", 0), "IoApic", ioapic);
    device_bench_add(config, "fw-cfg", 0);
    bench = device_bench_new(config);
    g_assert_cmphex(device_bench_in16(bench, PM + 4), ==, 0xffff);
    device_bench_pci_write(bench, 1, 3, 0x40, PM | 1, 4);
    device_bench_pci_write(bench, 1, 3, 0x80, 1, 1);
    return bench;
}

static void
test_mapping(void)
{
    g_autoptr(DeviceBench) bench = acpi_bench(true);

    g_assert_cmphex(device_bench_pci_read(bench, 1, 3, 0, 4), ==, 0x71138086);
    /* What tells SeaBIOS that there is nothing to set up for SMM. */
    g_assert_cmphex(device_bench_pci_read(bench, 1, 3, 0x5b, 1) & 2, ==, 2);
    g_assert_cmphex(device_bench_in16(bench, PM + 4), ==, 0);
    device_bench_pci_write(bench, 1, 3, 0x40, 0x4000, 4);
    g_assert_cmphex(device_bench_pci_read(bench, 1, 3, 0x40, 4), ==, 0x4001);
    g_assert_cmphex(device_bench_in16(bench, PM + 4), ==, 0xffff);
    g_assert_cmphex(device_bench_in16(bench, 0x4004), ==, 0);
    device_bench_pci_write(bench, 1, 3, 0x80, 0, 1);
    g_assert_cmphex(device_bench_in16(bench, 0x4004), ==, 0xffff);
}

static void
test_enable(void)
{
    g_autoptr(DeviceBench) bench = acpi_bench(true);

    device_bench_out8(bench, 0xb2, 0xf1);
    g_assert_cmphex(device_bench_in16(bench, PM + 4), ==, 1);
    device_bench_out8(bench, 0xb2, 0xf0);
    g_assert_cmphex(device_bench_in16(bench, PM + 4), ==, 0);
    device_bench_out8(bench, 0xb3, 0x77);
    g_assert_cmphex(device_bench_in8(bench, 0xb3), ==, 0x77);
}

static void
test_timer(void)
{
    g_autoptr(DeviceBench) bench = acpi_bench(true);
    uint32_t first = device_bench_in32(bench, PM + 8), second;

    device_bench_advance(bench, 100000000);
    second = device_bench_in32(bench, PM + 8);
    g_assert_cmpuint((second - first) & 0xffffff, >=, 357954);
    g_assert_cmpuint((second - first) & 0xffffff, <=, 357955);
    /* The top bit changes every 2.343 s: status and interrupt. */
    device_bench_out8(bench, 0xb2, 0xf1);
    device_bench_out16(bench, PM, 0xffff);
    device_bench_out16(bench, PM + 2, 1);
    g_assert_false(device_bench_irq(bench, 9));
    device_bench_advance(bench, 2400000000);
    g_assert_true(device_bench_irq(bench, 9));
    g_assert_cmphex(device_bench_in16(bench, PM) & 1, ==, 1);
    device_bench_out16(bench, PM, 1);
    g_assert_false(device_bench_irq(bench, 9));
    device_bench_advance(bench, 2400000000);
    g_assert_true(device_bench_irq(bench, 9));
}

static void
test_buttons(void)
{
    g_autoptr(DeviceBench) bench = acpi_bench(true);

    /* Nobody listens yet. */
    g_assert_false(pdm_command(bench->pdm, "acpi", 0, "power-button", NULL));
    g_assert_false(device_bench_irq(bench, 9));
    device_bench_out16(bench, PM, 0xffff);
    device_bench_out8(bench, 0xb2, 0xf1);
    device_bench_out16(bench, PM + 2, 0x300);
    g_assert_true(pdm_command(bench->pdm, "acpi", 0, "power-button", NULL));
    g_assert_true(device_bench_irq(bench, 9));
    g_assert_cmphex(device_bench_in16(bench, PM), ==, 0x100);
    device_bench_out16(bench, PM, 0x100);
    g_assert_false(device_bench_irq(bench, 9));
    g_assert_true(pdm_command(bench->pdm, "acpi", 0, "sleep-button", NULL));
    g_assert_cmphex(device_bench_in16(bench, PM), ==, 0x200);
}

static void
test_soft_off(void)
{
    g_autoptr(DeviceBench) bench = acpi_bench(true);

    device_bench_out16(bench, PM + 4, 0x2401); /* a state that does not exist */
    g_assert_cmpuint(bench->power_offs, ==, 0);
    device_bench_out16(bench, PM + 4, 0x0001);
    g_assert_cmpuint(bench->power_offs, ==, 0);
    device_bench_out16(bench, PM + 4, 0x2001);
    g_assert_cmpuint(bench->power_offs, ==, 1);
}

static void
test_gpe(void)
{
    g_autoptr(DeviceBench) bench = acpi_bench(true);

    device_bench_out16(bench, 0xafe2, 0xa55a);
    g_assert_cmphex(device_bench_in16(bench, 0xafe2), ==, 0xa55a);
    g_assert_cmphex(device_bench_in16(bench, 0xafe0), ==, 0);
}

static void
test_smbus(void)
{
    g_autoptr(DeviceBench) bench = acpi_bench(true);

    device_bench_pci_write(bench, 1, 3, 0x90, 0x700, 4);
    device_bench_pci_write(bench, 1, 3, 0xd2, 1, 1);
    g_assert_cmphex(device_bench_in8(bench, 0x700), ==, 0);
    device_bench_out8(bench, 0x704, 0xa1);
    device_bench_out8(bench, 0x702, 0x48);
    g_assert_cmphex(device_bench_in8(bench, 0x700), ==, 0x04); /* nobody answers */
    device_bench_out8(bench, 0x700, 0x04);
    g_assert_cmphex(device_bench_in8(bench, 0x700), ==, 0);
}

/* --- tables: the loader's part of firmware, at fixed places --- */

typedef struct {
    const char *name;
    uint8_t *data;
    uint32_t size;
    uint64_t address;
} Loaded;

static uint32_t
le32(const uint8_t *at)
{
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static void
load_file(DeviceBench *bench, const char *name, uint64_t address, Loaded *file)
{
    uint8_t directory[4 + 64 * 32];

    device_bench_out16(bench, 0x510, 0x19);
    for (unsigned i = 0; i < sizeof(directory); i++)
        directory[i] = device_bench_in8(bench, 0x511);
    for (unsigned i = 0; i < directory[3]; i++) {
        const uint8_t *entry = directory + 4 + i * 64;

        if (strcmp((const char *)entry + 8, name) != 0)
            continue;
        file->size = (uint32_t)entry[1] << 16 | entry[2] << 8 | entry[3];
        file->data = g_malloc(file->size);
        file->address = address;
        file->name = name;
        device_bench_out16(bench, 0x510, (uint16_t)(entry[4] << 8 | entry[5]));
        for (unsigned j = 0; j < file->size; j++)
            file->data[j] = device_bench_in8(bench, 0x511);
        return;
    }
    g_error("%s is missing", name);
}

/* A file of those that are loaded, by its name in the script. */
static Loaded *
file_named(Loaded *const files[], const uint8_t *name)
{
    for (unsigned i = 0; files[i] != NULL; i++)
        if (strcmp(files[i]->name, (const char *)name) == 0)
            return files[i];
    return NULL;
}

/* Does what the script says to files, which end with NULL; others are left alone. */
static void
run_script(const Loaded *script, Loaded *const files[])
{
    for (unsigned at = 0; at < script->size; at += 128) {
        const uint8_t *command = script->data + at;
        Loaded *file = file_named(files, command + 4);
        uint8_t sum = 0;
        uint32_t value;

        if (file == NULL)
            continue;
        switch (le32(command)) {
        case 1: g_assert_cmpuint(file->address % le32(command + 60), ==, 0); break;
        case 2:
            g_assert_nonnull(file_named(files, command + 60));
            g_assert_cmpuint(le32(command + 116) + 4, <=, file->size);
            value = le32(file->data + le32(command + 116)) +
                    (uint32_t)file_named(files, command + 60)->address;
            memcpy(file->data + le32(command + 116), &value, 4);
            break;
        case 3:
            g_assert_cmpuint(le32(command + 64) + le32(command + 68), <=, file->size);
            for (unsigned i = 0; i < le32(command + 68); i++)
                sum += file->data[le32(command + 64) + i];
            file->data[le32(command + 60)] -= sum;
            break;
        default: g_assert_not_reached();
        }
    }
}

static uint8_t
sum_of(const uint8_t *data, uint32_t size)
{
    uint8_t sum = 0;

    while (size--)
        sum += *data++;
    return sum;
}

static const uint8_t *
find_table(const Loaded *tables, uint32_t rsdt, const char *signature)
{
    const uint8_t *root = tables->data + (rsdt - tables->address);

    g_assert_cmpint(memcmp(root, "RSDT", 4), ==, 0);
    g_assert_cmphex(sum_of(root, le32(root + 4)), ==, 0);
    for (unsigned i = 36; i < le32(root + 4); i += 4) {
        const uint8_t *table = tables->data + (le32(root + i) - tables->address);

        g_assert_cmphex(sum_of(table, le32(table + 4)), ==, 0);
        if (memcmp(table, signature, 4) == 0)
            return table;
    }
    return NULL;
}

/* Name (xxxx, integer) of a DSDT. */
static void
check_name(const uint8_t *dsdt, const char *name, uint32_t wanted)
{
    for (uint32_t at = 36; at + 10 < le32(dsdt + 4); at++) {
        if (dsdt[at] == 0x08 && memcmp(dsdt + at + 1, name, 4) == 0) {
            g_assert_cmphex(dsdt[at + 5], ==, 0x0c);
            g_assert_cmphex(le32(dsdt + at + 6), ==, wanted);
            return;
        }
    }
    g_error("%s is missing", name);
}

static void
test_tables(void)
{
    g_autoptr(DeviceBench) bench = acpi_bench(true);
    Loaded tables = {0}, rsdp = {0}, script = {0};
    const uint8_t *fadt, *dsdt, *facs;
    uint32_t rsdt;

    device_bench_pci_write(bench, 1, 3, 0x40, 0xb000, 4);
    load_file(bench, "etc/table-loader", 0, &script);
    load_file(bench, "etc/acpi/tables", 0xfe0000, &tables);
    load_file(bench, "etc/acpi/rsdp", 0xf5a40, &rsdp);
    run_script(&script, (Loaded *const[]){&tables, &rsdp, NULL});
    g_assert_cmpint(memcmp(rsdp.data, "RSD PTR ", 8), ==, 0);
    g_assert_cmphex(sum_of(rsdp.data, 20), ==, 0);
    rsdt = le32(rsdp.data + 16);
    fadt = find_table(&tables, rsdt, "FACP");
    g_assert_cmpuint(le32(fadt + 4), ==, 244);
    /* Where the firmware has put it, not where it was at power-on. */
    g_assert_cmphex(le32(fadt + 56), ==, 0xb000);
    g_assert_cmphex(le32(fadt + 64), ==, 0xb004);
    g_assert_cmphex(le32(fadt + 76), ==, 0xb008);
    g_assert_cmphex(le32(fadt + 80), ==, 0xafe0);
    g_assert_cmphex(le32(fadt + 152), ==, 0xb000);
    g_assert_cmphex(le32(fadt + 120), ==, 0xcf9);
    g_assert_cmphex(fadt[108], ==, 0x32);
    facs = tables.data + (le32(fadt + 36) - tables.address);
    g_assert_cmpint(memcmp(facs, "FACS", 4), ==, 0);
    g_assert_cmphex(le32(fadt + 36) & 63, ==, 0);
    dsdt = tables.data + (le32(fadt + 40) - tables.address);
    g_assert_cmpint(memcmp(dsdt, "DSDT", 4), ==, 0);
    g_assert_cmphex(sum_of(dsdt, le32(dsdt + 4)), ==, 0);
    check_name(dsdt, "P32S", 0x01000000); /* the end of memory */
    check_name(dsdt, "P32E", 0xfebfffff);
    check_name(dsdt, "P64S", 4);
    check_name(dsdt, "P64L", 0);
    g_assert_nonnull(find_table(&tables, rsdt, "APIC"));
    g_assert_nonnull(find_table(&tables, rsdt, "HPET"));
    g_assert_nonnull(find_table(&tables, rsdt, "SSDT"));
    g_free(tables.data);
    g_free(rsdp.data);
    g_free(script.data);
}

/* --- a card with a 64-bit BAR, which firmware may put above 4 GiB --- */

static uint64_t
card_read(void *user, uint64_t offset, unsigned size)
{
    return 0;
}

static const IomMmioOps card_ops = {.read = card_read};

static bool
card_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    static const PdmPciInfo info = {.vendor = 0x1234, .device = 2, .slot = 4};
    PdmPci *pci = pdm_pci_new(device, &info, NULL, NULL, error);

    return pci != NULL &&
           pdm_pci_bar_region(device, pci, 0, pdm_mmio_new(device, "card", 0x1000, &card_ops, NULL),
                              0x1000, true, true, error);
}

static const PdmDeviceInfo card_device = {
    .abi = PDM_ABI_VERSION,
    .name = "card",
    .title = "Card",
    .kind = PDM_KIND_OTHER,
    .instance_size = 1,
    .max_instances = 1,
    .construct = card_construct,
    .state = &PDM_STATE_NONE,
};

static void
check_high_window(DeviceBench *bench, uint32_t first, uint32_t length)
{
    Loaded tables = {0};
    const uint8_t *dsdt;

    load_file(bench, "etc/acpi/tables", 0xfe0000, &tables);
    dsdt = tables.data + 64; /* after the FACS */
    g_assert_cmpint(memcmp(dsdt, "DSDT", 4), ==, 0);
    check_name(dsdt, "P64S", first);
    check_name(dsdt, "P64L", length);
    g_free(tables.data);
}

static void
test_high_window(void)
{
    g_autoptr(GError) error = NULL;
    PdmRegistry *registry = device_bench_registry();
    CfgmNode *config = cfgm_new();
    DeviceBench *bench;

    pdm_registry_add_device(registry, &card_device, &error);
    g_assert_no_error(error);
    device_bench_add(config, "i440fx", 0);
    device_bench_add(config, "acpi", 0);
    device_bench_add(config, "fw-cfg", 0);
    device_bench_add(config, "card", 0);
    bench = device_bench_try(config, registry, &error);
    g_assert_no_error(error);
    check_high_window(bench, 4, 0);
    device_bench_pci_write(bench, 4, 0, 0x10, 0xe0000000, 4);
    check_high_window(bench, 4, 0);
    device_bench_pci_write(bench, 4, 0, 0x14, 0x00000002, 4);
    check_high_window(bench, 4, 508);
    device_bench_free(bench);
    pdm_registry_free(registry);
}

/* MultiProcessor Specification 1.4, 4.1 and 4.2: as many entries as the header says, each of its
 * kind's size; interrupts of PCI functions are those that firmware has chosen. */
static void
test_mp(void)
{
    static const uint8_t sizes[] = {20, 8, 8, 8, 8};
    g_autoptr(DeviceBench) bench = acpi_bench(true);
    Loaded mp = {0}, script = {0};
    unsigned counts[5] = {0}, pci = 0;
    const uint8_t *table, *entry;

    device_bench_pci_write(bench, 1, 3, 0x3c, 9, 1);
    load_file(bench, "etc/table-loader", 0, &script);
    load_file(bench, "etc/mp/table", 0xf5600, &mp);
    run_script(&script, (Loaded *const[]){&mp, NULL});
    g_assert_cmpint(memcmp(mp.data, "_MP_", 4), ==, 0);
    g_assert_cmphex(le32(mp.data + 4), ==, 0xf5610);
    g_assert_cmphex(sum_of(mp.data, 16), ==, 0);
    table = mp.data + 16;
    g_assert_cmpint(memcmp(table, "PCMP", 4), ==, 0);
    g_assert_cmpuint(le32(table + 4) & 0xffff, <=, mp.size - 16);
    g_assert_cmphex(sum_of(table, le32(table + 4) & 0xffff), ==, 0);
    entry = table + 44;
    for (unsigned i = 0; i < (le32(table + 34) & 0xffff); i++) {
        g_assert_cmpuint(entry[0], <, G_N_ELEMENTS(sizes));
        counts[entry[0]]++;
        if (entry[0] == 3 && entry[4] == 0) {
            g_assert_cmphex(entry[5], ==, 1 << 2); /* slot 1, INTA# */
            g_assert_cmphex(entry[7], ==, 9);
            pci++;
        }
        entry += sizes[entry[0]];
    }
    g_assert_true(entry == table + (le32(table + 4) & 0xffff));
    g_assert_cmpuint(counts[0], ==, 1);
    g_assert_cmpuint(counts[1], ==, 2);
    g_assert_cmpuint(counts[2], ==, 1);
    g_assert_cmpuint(pci, ==, 1);
    g_assert_cmpuint(counts[3], ==, 15 + pci);
    g_assert_cmpuint(counts[4], ==, 2);
    g_free(mp.data);
    g_free(script.data);
}

static void
test_no_ioapic(void)
{
    g_autoptr(DeviceBench) bench = acpi_bench(false);
    Loaded tables = {0}, rsdp = {0}, script = {0};

    load_file(bench, "etc/table-loader", 0, &script);
    load_file(bench, "etc/acpi/tables", 0xfe0000, &tables);
    load_file(bench, "etc/acpi/rsdp", 0xf5a40, &rsdp);
    run_script(&script, (Loaded *const[]){&tables, &rsdp, NULL});
    g_assert_null(find_table(&tables, le32(rsdp.data + 16), "APIC"));
    g_assert_nonnull(find_table(&tables, le32(rsdp.data + 16), "FACP"));
    g_free(tables.data);
    g_free(rsdp.data);
    g_free(script.data);
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = acpi_bench(true), other = acpi_bench(true);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) saved = NULL;

    device_bench_pci_write(bench, 1, 3, 0x40, 0x4000, 4);
    device_bench_out8(bench, 0xb2, 0xf1);
    device_bench_out16(bench, 0x4002, 0x100);
    pdm_command(bench->pdm, "acpi", 0, "power-button", NULL);
    saved = device_bench_save(bench, &error);
    g_assert_no_error(error);
    device_bench_load(other, saved, &error);
    g_assert_no_error(error);
    g_assert_cmphex(device_bench_in16(other, PM + 4), ==, 0xffff);
    g_assert_cmphex(device_bench_in16(other, 0x4000), ==, 0x100);
    g_assert_true(device_bench_irq(other, 9));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/acpi/mapping", test_mapping);
    g_test_add_func("/acpi/enable", test_enable);
    g_test_add_func("/acpi/timer", test_timer);
    g_test_add_func("/acpi/buttons", test_buttons);
    g_test_add_func("/acpi/soft-off", test_soft_off);
    g_test_add_func("/acpi/gpe", test_gpe);
    g_test_add_func("/acpi/smbus", test_smbus);
    g_test_add_func("/acpi/tables", test_tables);
    g_test_add_func("/acpi/mp", test_mp);
    g_test_add_func("/acpi/high-window", test_high_window);
    g_test_add_func("/acpi/no-ioapic", test_no_ioapic);
    g_test_add_func("/acpi/state", test_state);
    return g_test_run();
}
