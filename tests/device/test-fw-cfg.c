/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fw_cfg: items, the directory, files by port and by DMA, bad requests; boot order, SMBIOS, debug
 * console. */
#include "tests/lib/device-bench.h"

#include <string.h>

static DeviceBench *
fw_cfg_bench(const char *boot_order)
{
    CfgmNode *config = cfgm_new(), *node;

    device_bench_add(config, "rtc", 0);
    device_bench_add(config, "i440fx", 0);
    device_bench_add(config, "debugcon", 0);
    node = device_bench_add(config, "fw-cfg", 0);
    cfgm_set_string(node, "Uuid", "{01234567-89ab-cdef-0123-456789abcdef}");
    cfgm_set_uint(node, "BootMenuDelay", 1500);
    if (boot_order)
        cfgm_set_string(node, "BootOrder", boot_order);
    return device_bench_new(config);
}

static void
read_item(DeviceBench *bench, uint16_t key, void *data, size_t size)
{
    device_bench_out16(bench, 0x510, key);
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)data)[i] = device_bench_in8(bench, 0x511);
}

static uint32_t
be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

/* The contents of a file, NULL when there is none. */
static GBytes *
read_file(DeviceBench *bench, const char *name, uint16_t *key)
{
    uint8_t count[4];
    unsigned files;

    read_item(bench, 0x19, count, sizeof(count));
    files = be32(count);
    g_assert_cmpuint(files, <, 100);
    for (unsigned i = 0; i < files; i++) {
        g_autofree uint8_t *directory = g_malloc(4 + (i + 1) * 64u);
        const uint8_t *entry = directory + 4 + i * 64;
        uint32_t size;
        uint8_t *data;

        read_item(bench, 0x19, directory, 4 + (i + 1) * 64u);
        if (strcmp((const char *)entry + 8, name) != 0)
            continue;
        size = be32(entry);
        *key = (uint16_t)(entry[4] << 8 | entry[5]);
        data = g_malloc(size);
        read_item(bench, *key, data, size);
        return g_bytes_new_take(data, size);
    }
    return NULL;
}

static uint8_t
cmos(DeviceBench *bench, uint8_t index)
{
    device_bench_out8(bench, 0x70, index);
    return device_bench_in8(bench, 0x71);
}

static void
test_items(void)
{
    static const uint8_t uuid[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                     0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    g_autoptr(DeviceBench) bench = fw_cfg_bench(NULL);
    uint8_t data[16];

    read_item(bench, 0, data, 5);
    g_assert_cmpint(memcmp(data, "QEMU\0", 5), ==, 0);
    read_item(bench, 1, data, 4);
    g_assert_cmphex(data[0], ==, 3);
    read_item(bench, 2, data, 16);
    g_assert_cmpint(memcmp(data, uuid, 16), ==, 0);
    read_item(bench, 3, data, 8);
    g_assert_cmpint(memcmp(data, "\0\0\0\1\0\0\0\0", 8), ==, 0);
    read_item(bench, 5, data, 2);
    g_assert_cmphex(data[0], ==, 1);
    read_item(bench, 0x3fff, data, 4);
    g_assert_cmphex(data[0], ==, 0);
    /* A byte is no selector. */
    device_bench_out16(bench, 0x510, 0);
    device_bench_out8(bench, 0x510, 5);
    g_assert_cmphex(device_bench_in8(bench, 0x511), ==, 'Q');
}

static void
test_files(void)
{
    g_autoptr(DeviceBench) bench = fw_cfg_bench(NULL);
    g_autoptr(GBytes) map = NULL, wait = NULL;
    uint16_t key;
    const uint8_t *data;
    gsize size;

    map = read_file(bench, "etc/e820", &key);
    data = g_bytes_get_data(map, &size);
    g_assert_cmpuint(size, ==, 20);
    g_assert_cmphex(data[11], ==, 1);
    g_assert_cmphex(data[16], ==, 1);
    wait = read_file(bench, "etc/boot-menu-wait", &key);
    data = g_bytes_get_data(wait, &size);
    g_assert_cmpuint(size, ==, 2);
    g_assert_cmpuint(data[0] | data[1] << 8, ==, 1500);
    g_assert_null(read_file(bench, "no/such/file", &key));
}

/* control, length and address, big-endian; returns the control word afterwards. */
static uint32_t
dma(DeviceBench *bench, uint32_t control, uint32_t length, uint64_t address)
{
    const uint64_t request = 0x3000;
    uint32_t words[4] = {GUINT32_TO_BE(control), GUINT32_TO_BE(length),
                         GUINT32_TO_BE((uint32_t)(address >> 32)),
                         GUINT32_TO_BE((uint32_t)address)};

    for (unsigned i = 0; i < 4; i++)
        device_bench_write(bench, request + i * 4, words[i], 4);
    device_bench_out32(bench, 0x514, 0);
    device_bench_out32(bench, 0x518, GUINT32_SWAP_LE_BE((uint32_t)request));
    return GUINT32_FROM_BE((uint32_t)device_bench_read(bench, request, 4));
}

static void
test_dma(void)
{
    g_autoptr(DeviceBench) bench = fw_cfg_bench(NULL);
    g_autoptr(GBytes) map = NULL;
    const uint8_t *data;
    uint16_t key;

    g_assert_cmphex(device_bench_in32(bench, 0x514), ==, 0x554d4551);
    map = read_file(bench, "etc/e820", &key);
    data = g_bytes_get_data(map, NULL);
    device_bench_write(bench, 0x4018, 0x1111111111111111, 8);
    g_assert_cmphex(dma(bench, (uint32_t)key << 16 | 0x0a, 32, 0x4000), ==, 0);
    for (unsigned i = 0; i < 20; i++)
        g_assert_cmphex(device_bench_read(bench, 0x4000 + i, 1), ==, data[i]);
    g_assert_cmphex(device_bench_read(bench, 0x4018, 8), ==, 0);
    /* Skip, then read on. */
    g_assert_cmphex(dma(bench, (uint32_t)key << 16 | 0x0c, 16, 0), ==, 0);
    g_assert_cmphex(dma(bench, 0x02, 4, 0x5000), ==, 0);
    g_assert_cmphex(device_bench_read(bench, 0x5000, 4), ==, 1);
    /* Writing, and what no file can be as long as. */
    g_assert_cmphex(dma(bench, (uint32_t)key << 16 | 0x18, 4, 0x5000), ==, 1);
    g_assert_cmphex(dma(bench, 0x02, 0xffffffff, 0x5000), ==, 1);
    g_assert_cmphex(dma(bench, 0x02, 16, 0xfffffffffffffff0), ==, 0);
}

static void
test_boot_order(void)
{
    g_autoptr(DeviceBench) classes = fw_cfg_bench("disk, dvd,network,floppy");
    g_autoptr(DeviceBench) paths = fw_cfg_bench("/pci@i0cf8/ide@1,1/drive@1/disk@0,dvd");
    g_autoptr(DeviceBench) last = fw_cfg_bench(
        "disk,/pci@i0cf8/sata@d/drive@0/disk@0,/pci@i0cf8/scsi@f/channel@0/disk@1,0,HALT");
    g_autoptr(GBytes) order = NULL;
    g_autoptr(GError) error = NULL;
    CfgmNode *config = cfgm_new();
    uint16_t key;

    g_assert_cmphex(cmos(classes, 0x3d), ==, 0x32);
    g_assert_cmphex(cmos(classes, 0x38), ==, 0x41);
    g_assert_null(read_file(classes, "bootorder", &key));
    order = read_file(paths, "bootorder", &key);
    g_assert_cmpstr(g_bytes_get_data(order, NULL), ==, "/pci@i0cf8/ide@1,1/drive@1/disk@0\n");
    g_assert_cmphex(cmos(paths, 0x3d), ==, 0x03);
    g_bytes_unref(order);
    order = read_file(last, "bootorder", &key);
    g_assert_cmpstr(
        g_bytes_get_data(order, NULL), ==,
        "/pci@i0cf8/sata@d/drive@0/disk@0\n/pci@i0cf8/scsi@f/channel@0/disk@1,0\nHALT\n");

    cfgm_set_string(device_bench_add(config, "fw-cfg", 0), "BootOrder", "disk,tape");
    g_assert_null(device_bench_try(config, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "tape"));
}

/* Walks the tables by their own lengths. */
static void
test_smbios(void)
{
    g_autoptr(DeviceBench) bench = fw_cfg_bench(NULL);
    g_autoptr(GBytes) tables = NULL, anchor = NULL;
    uint16_t key;
    gsize size, at = 0, count = 0, largest = 0;
    const uint8_t *data, *entry;
    bool system = false, memory = false, end = false;

    tables = read_file(bench, "etc/smbios/smbios-tables", &key);
    data = g_bytes_get_data(tables, &size);
    while (at + 4 <= size) {
        gsize next = at + data[at + 1];

        while (next + 2 <= size && (data[next] || data[next + 1]))
            next++;
        next += 2;
        g_assert_cmpuint(next, <=, size);
        if (data[at] == 1) {
            system = true;
            g_assert_cmpstr((const char *)data + at + data[at + 1], ==, "Vitrine");
            g_assert_cmphex(data[at + 8], ==, 0x67);
        }
        if (data[at] == 17) {
            memory = true;
            g_assert_cmpuint(data[at + 12] | data[at + 13] << 8, ==, 16);
        }
        end = data[at] == 127;
        largest = MAX(largest, next - at);
        count++;
        at = next;
    }
    g_assert_true(system && memory && end && at == size);
    anchor = read_file(bench, "etc/smbios/smbios-anchor", &key);
    entry = g_bytes_get_data(anchor, &size);
    g_assert_cmpuint(size, ==, 31);
    g_assert_cmpuint(entry[22] | entry[23] << 8, ==, at);
    g_assert_cmpuint(entry[28] | entry[29] << 8, ==, count);
    g_assert_cmpuint(entry[8] | entry[9] << 8, ==, largest);
}

static void
test_debugcon(void)
{
    g_autoptr(DeviceBench) bench = fw_cfg_bench(NULL);
    static const char text[] = "Hello from \x01 the firmware\r\n";

    g_assert_cmphex(device_bench_in8(bench, 0x402), ==, 0xe9);
    for (unsigned i = 0; text[i]; i++)
        device_bench_out8(bench, 0x402, (uint8_t)text[i]);
    g_assert_true(device_bench_logged(bench, "Hello from ? the firmware"));
    for (unsigned i = 0; i < 1000; i++)
        device_bench_out8(bench, 0x402, 'a');
    g_assert_cmpuint(bench->log->len, <, 3000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fw-cfg/items", test_items);
    g_test_add_func("/fw-cfg/files", test_files);
    g_test_add_func("/fw-cfg/dma", test_dma);
    g_test_add_func("/fw-cfg/boot-order", test_boot_order);
    g_test_add_func("/fw-cfg/smbios", test_smbios);
    g_test_add_func("/fw-cfg/debugcon", test_debugcon);
    return g_test_run();
}
