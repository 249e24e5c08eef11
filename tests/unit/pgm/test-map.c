/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The physical map: kinds of region, priorities, access switches, aliases, ranges that share a
 * page, holes, the A20 gate, DMA, saved state. */
#include "tests/unit/pgm/pgm-bench.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct {
    uint64_t value, last_offset, last_value;
    unsigned reads, writes;
} Device;

static uint64_t
device_read(void *user, uint64_t offset, unsigned size)
{
    Device *device = user;

    device->reads++;
    device->last_offset = offset;
    return device->value;
}

static void
device_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    Device *device = user;

    device->writes++;
    device->last_offset = offset;
    device->last_value = value;
}

static const IomMmioOps device_ops = {.read = device_read, .write = device_write};

typedef struct {
    Bench bench;
    Device device;
    IomMmio *mmio;
    PgmMem *mem; /* 64 KiB with each byte = its page number + 0x80 */
} Map;

static void
map_open(Map *map)
{
    memset(map, 0, sizeof *map);
    bench_open(&map->bench);
    map->mmio = iom_mmio_new(map->bench.iom, "device", &device_ops, &map->device, false);
    map->mem = pgm_mem_new(map->bench.pgm, "mem", 0x10000, NULL);
    for (unsigned page = 0; page < 16; page++)
        memset((uint8_t *)pgm_mem_host(map->mem) + page * PAGE, (int)(0x80 + page), PAGE);
}

static void
map_close(Map *map)
{
    Pgm *pgm = map->bench.pgm;

    pgm_mem_free(map->mem);
    iom_mmio_free(map->mmio);
    (void)pgm;
    bench_close(&map->bench);
}

static PgmRegion *
add(Map *map, PgmKind kind, uint64_t gpa, uint64_t size, int priority)
{
    const PgmRegionInfo info = {
        .name = "test",
        .kind = kind,
        .mem = kind == PGM_MMIO ? NULL : map->mem,
        .mmio = kind == PGM_MMIO || kind == PGM_ROMD ? map->mmio : NULL,
        .size = size,
        .priority = priority,
    };
    PgmRegion *region = pgm_region_new(map->bench.pgm, &info);

    pgm_region_map(region, gpa);
    return region;
}

static uint64_t
get(Map *map, uint64_t linear)
{
    uint64_t value, physical;

    g_assert_true(bench_read(&map->bench, linear, CPUM_TLB_SUPERVISOR, 1, &value));
    physical = pgm_cpu_phys_read(map->bench.vcpu, linear, 1);
    g_assert_cmphex(value, ==, physical);
    return value;
}

static void
put(Map *map, uint64_t linear, uint64_t value)
{
    g_assert_true(bench_write(&map->bench, linear, CPUM_TLB_SUPERVISOR, 1, value));
}

static void
test_holes(void)
{
    Map map;
    uint64_t value;
    uint32_t dma = 0;

    map_open(&map);
    g_assert_cmphex(get(&map, 0xd0000000), ==, 0xff);
    put(&map, 0xd0000000, 0x55);
    g_assert_cmphex(get(&map, 0xd0000000), ==, 0xff);
    g_assert_true(bench_read(&map.bench, BENCH_LOW + 8, CPUM_TLB_SUPERVISOR, 8, &value));
    g_assert_cmphex(value, ==, UINT64_MAX);
    pgm_phys_read(map.bench.pgm, BENCH_LOW - 2, &dma, 4);
    g_assert_cmphex(dma, ==, 0xffff0000);
    /* Across the end of RAM: the part inside is written. */
    pgm_cpu_phys_write(map.bench.vcpu, BENCH_LOW - 1, 0x1234, 2);
    g_assert_cmphex(get(&map, BENCH_LOW - 1), ==, 0x34);
    g_assert_cmphex(pgm_cpu_phys_read(map.bench.vcpu, BENCH_LOW - 1, 2), ==, 0xff34);
    /* RAM above 4 GiB follows the low RAM in memory. */
    pgm_cpu_phys_write(map.bench.vcpu, 1ull << 32, 0xa5, 1);
    g_assert_cmphex(*((uint8_t *)pgm_mem_host(pgm_ram_mem(map.bench.pgm)) + BENCH_LOW), ==, 0xa5);
    map_close(&map);
}

static void
test_kinds(void)
{
    Map map;
    PgmRegion *region;
    uint8_t *host;

    map_open(&map);
    host = pgm_mem_host(map.mem);
    put(&map, 0x100000, 0x11);
    region = add(&map, PGM_ROM, 0x100000, PAGE, 2);
    g_assert_cmphex(get(&map, 0x100000), ==, 0x80);
    put(&map, 0x100000, 0x22);
    g_assert_cmphex(get(&map, 0x100000), ==, 0x80);
    pgm_region_unmap(region);
    g_assert_cmphex(get(&map, 0x100000), ==, 0x11);
    pgm_region_free(region);

    region = add(&map, PGM_RAM, 0x100000, PAGE, 2);
    put(&map, 0x100003, 0x33);
    g_assert_cmphex(host[3], ==, 0x33);
    pgm_region_map(region, 0x200000); /* moves */
    g_assert_cmphex(get(&map, 0x100000), ==, 0x11);
    g_assert_cmphex(get(&map, 0x200003), ==, 0x33);
    pgm_region_free(region);

    region = add(&map, PGM_ROMD, 0x100000, PAGE, 2);
    g_assert_cmphex(get(&map, 0x100000), ==, 0x80);
    put(&map, 0x100004, 0x44);
    g_assert_cmpuint(map.device.writes, ==, 1);
    g_assert_cmphex(map.device.last_offset, ==, 4);
    g_assert_cmphex(map.device.last_value, ==, 0x44);
    g_assert_cmphex(host[4], ==, 0x80);
    pgm_region_free(region);

    map.device.value = 0x5a;
    region = add(&map, PGM_MMIO, 0x100000, PAGE, 3);
    g_assert_cmphex(get(&map, 0x100fff), ==, 0x5a);
    g_assert_cmphex(map.device.last_offset, ==, 0xfff);
    pgm_region_free(region);
    g_assert_cmphex(get(&map, 0x100000), ==, 0x11);
    map_close(&map);
}

/* A chipset's PAM: RAM above a ROM, reads and writes switched apart. */
static void
test_access(void)
{
    Map map;
    PgmRegion *rom, *pam;
    const PgmRegionInfo shadow = {
        .name = "pam", .kind = PGM_RAM, .mem_offset = 0xf0000, .size = 0x10000, .priority = 3};
    PgmRegionInfo info = shadow;

    map_open(&map);
    info.mem = pgm_ram_mem(map.bench.pgm);
    rom = add(&map, PGM_ROM, 0xf0000, 0x10000, 2);
    pam = pgm_region_new(map.bench.pgm, &info);
    pgm_region_set_access(pam, PGM_ACCESS_NONE);
    pgm_region_map(pam, 0xf0000);
    g_assert_cmphex(get(&map, 0xf0000), ==, 0x80);
    put(&map, 0xf0000, 1);
    g_assert_cmphex(bench_get32(&map.bench, 0xf0000), ==, 0);
    pgm_region_set_access(pam, PGM_ACCESS_WRITE_ONLY);
    put(&map, 0xf0000, 2);
    g_assert_cmphex(get(&map, 0xf0000), ==, 0x80);
    g_assert_cmphex(bench_get32(&map.bench, 0xf0000), ==, 2);
    pgm_region_set_access(pam, PGM_ACCESS_READ_ONLY);
    put(&map, 0xf0000, 3);
    g_assert_cmphex(get(&map, 0xf0000), ==, 2);
    pgm_region_set_access(pam, PGM_ACCESS_NORMAL);
    put(&map, 0xf0000, 4);
    g_assert_cmphex(get(&map, 0xf0000), ==, 4);
    pgm_region_free(pam);
    pgm_region_free(rom);
    map_close(&map);
}

static void
test_shared_page(void)
{
    Map map;
    PgmRegion *small;

    map_open(&map);
    map.device.value = 0x77;
    put(&map, 0x100000, 0x10);
    put(&map, 0x100400, 0x20);
    small = add(&map, PGM_MMIO, 0x100100, 0x300, 3);
    g_assert_cmphex(get(&map, 0x100000), ==, 0x10);
    g_assert_cmphex(get(&map, 0x1000ff), ==, 0);
    g_assert_cmphex(get(&map, 0x100100), ==, 0x77);
    g_assert_cmphex(get(&map, 0x1003ff), ==, 0x77);
    g_assert_cmphex(map.device.last_offset, ==, 0x2ff);
    g_assert_cmphex(get(&map, 0x100400), ==, 0x20);
    put(&map, 0x100401, 0x21);
    g_assert_cmphex(bench_get32(&map.bench, 0x100400), ==, 0x2120);
    g_assert_null(pgm_code_page(map.bench.vcpu, 0x100000));
    g_assert_nonnull(pgm_code_page(map.bench.vcpu, 0x101000));
    pgm_region_free(small);
    g_assert_nonnull(pgm_code_page(map.bench.vcpu, 0x100000));
    map_close(&map);
}

static void
test_priorities(void)
{
    Map map;
    PgmRegion *low, *high, *late;

    map_open(&map);
    map.device.value = 0x99;
    high = add(&map, PGM_MMIO, 0x102000, 2 * PAGE, 3);
    low = add(&map, PGM_ROM, 0x100000, 8 * PAGE, 2);
    g_assert_cmphex(get(&map, 0x101000), ==, 0x81);
    g_assert_cmphex(get(&map, 0x102000), ==, 0x99);
    g_assert_cmphex(get(&map, 0x104000), ==, 0x84);
    /* Of equals the one that was mapped last. */
    late = add(&map, PGM_ROM, 0x103000, PAGE, 3);
    g_assert_cmphex(get(&map, 0x103000), ==, 0x80);
    pgm_region_map(high, 0x103000);
    g_assert_cmphex(get(&map, 0x103000), ==, 0x99);
    g_assert_cmphex(get(&map, 0x102000), ==, 0x82);
    pgm_region_free(low);
    pgm_region_free(high);
    pgm_region_free(late);
    map_close(&map);
}

static void
test_a20(void)
{
    Map map;
    const uint32_t before = 0;
    uint32_t generation;

    map_open(&map);
    put(&map, before, 0x0a);
    put(&map, 0x100000, 0x1b);
    generation = pgm_generation(map.bench.pgm);
    pgm_set_a20(map.bench.pgm, false);
    g_assert_false(pgm_a20(map.bench.pgm));
    g_assert_cmpuint(pgm_generation(map.bench.pgm), !=, generation);
    g_assert_cmphex(get(&map, 0x100000), ==, 0x0a);
    put(&map, 0x300000, 0x2c);
    g_assert_cmphex(bench_get32(&map.bench, 0x200000), ==, 0x2c);
    pgm_set_a20(map.bench.pgm, true);
    g_assert_cmphex(get(&map, 0x100000), ==, 0x1b);
    map_close(&map);
}

static void
test_dma(void)
{
    Map map;
    PgmRegion *mmio, *rom;
    uint8_t buffer[3 * PAGE];
    size_t size = sizeof buffer;
    uint8_t *host;

    map_open(&map);
    mmio = add(&map, PGM_MMIO, 0x101000, PAGE, 3);
    rom = add(&map, PGM_ROM, 0x103000, PAGE, 3);
    memset(buffer, 0x42, sizeof buffer);
    pgm_phys_write(map.bench.pgm, 0x100000, buffer, sizeof buffer);
    g_assert_cmpuint(map.device.writes, ==, 0);
    pgm_phys_read(map.bench.pgm, 0x100000, buffer, sizeof buffer);
    g_assert_cmpuint(map.device.reads, ==, 0);
    g_assert_cmphex(buffer[PAGE - 1], ==, 0x42);
    g_assert_cmphex(buffer[PAGE], ==, 0xff);
    g_assert_cmphex(buffer[2 * PAGE], ==, 0x42);
    pgm_phys_read(map.bench.pgm, 0x103000, buffer, 1);
    g_assert_cmphex(buffer[0], ==, 0x80);

    g_assert_null(pgm_phys_map(map.bench.pgm, 0x101000, &size, false));
    g_assert_null(pgm_phys_map(map.bench.pgm, 0x103000, &size, true));
    host = pgm_phys_map(map.bench.pgm, 0x100ff0, &size, true);
    g_assert_nonnull(host);
    g_assert_cmpuint(size, ==, 16);
    host[15] = 0x24;
    pgm_phys_unmap(map.bench.pgm, 0x100ff0, host, size, true);
    g_assert_cmphex(get(&map, 0x100fff), ==, 0x24);
    pgm_region_free(mmio);
    pgm_region_free(rom);
    map_close(&map);
}

/* A guest may name any address for DMA. */
static void
test_far_addresses(void)
{
    static const uint64_t rows[] = {UINT64_MAX, UINT64_MAX - 2,   1ull << 63,
                                    1ull << 52, (1ull << 52) - 2, 1ull << 40};
    Map map;
    PgmRegion *region;
    uint8_t data[8];

    map_open(&map);
    region = add(&map, PGM_RAM, UINT64_MAX - 0xfff, PAGE, 3);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        size_t size = sizeof data;

        memset(data, 0, sizeof data);
        pgm_phys_write(map.bench.pgm, rows[i], data, sizeof data);
        pgm_phys_read(map.bench.pgm, rows[i], data, sizeof data);
        g_assert_cmpmem(data, 8, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
        g_assert_null(pgm_phys_map(map.bench.pgm, rows[i], &size, true));
    }
    g_assert_cmphex(pgm_cpu_phys_read(map.bench.vcpu, UINT64_MAX - 1, 4), ==, UINT32_MAX);
    pgm_region_free(region);
    map_close(&map);
}

/* Page tables where reads come from ROM and writes go to RAM: the accessed bit never shows. */
static void
test_tables_in_shadow(void)
{
    Map map;
    PgmRegion *rom, *pam;
    PgmRegionInfo info = {
        .name = "pam", .kind = PGM_RAM, .mem_offset = 0xf0000, .size = PAGE, .priority = 3};
    const uint32_t entry = 0x400083; /* present, writable, 4 MiB */
    uint64_t value;

    map_open(&map);
    memcpy(pgm_mem_host(map.mem), &entry, sizeof entry);
    info.mem = pgm_ram_mem(map.bench.pgm);
    rom = add(&map, PGM_ROM, 0xf0000, PAGE, 2);
    pam = pgm_region_new(map.bench.pgm, &info);
    pgm_region_set_access(pam, PGM_ACCESS_WRITE_ONLY);
    pgm_region_map(pam, 0xf0000);
    bench_put32(&map.bench, 0x400010, 0x77);
    bench_paging(&map.bench, PAGING_32, 0xf0000, 0, X86_CR4_PSE, 0);
    g_assert_true(bench_read(&map.bench, 0x10, CPUM_TLB_SUPERVISOR, 1, &value));
    g_assert_cmphex(value, ==, 0x77);
    g_assert_cmphex(bench_get32(&map.bench, 0xf0000), ==, entry | 0x20);
    pgm_region_free(pam);
    pgm_region_free(rom);
    map_close(&map);
}

static void
test_state(void)
{
    Map map;
    Ssm *ssm = ssm_new();
    const int fd = memfd_create("state", 0);
    g_autoptr(GError) error = NULL;

    map_open(&map);
    pgm_ssm_register(map.bench.pgm, ssm);
    put(&map, 0x5678, 0x9a);
    pgm_set_a20(map.bench.pgm, false);
    g_assert_true(ssm_save(ssm, fd, NULL, &error));
    g_assert_no_error(error);
    pgm_set_a20(map.bench.pgm, true);
    put(&map, 0x5678, 0);
    put(&map, 0x9abcd, 0x11);
    memset(pgm_mem_host(map.mem), 0, PAGE);
    lseek(fd, 0, SEEK_SET);
    g_assert_true(ssm_load(ssm, fd, NULL, &error));
    g_assert_no_error(error);
    g_assert_false(pgm_a20(map.bench.pgm));
    pgm_set_a20(map.bench.pgm, true);
    g_assert_cmphex(get(&map, 0x5678), ==, 0x9a);
    g_assert_cmphex(get(&map, 0x9abcd), ==, 0);
    g_assert_cmphex(((uint8_t *)pgm_mem_host(map.mem))[5], ==, 0x80);
    ssm_free(ssm);
    close(fd);
    map_close(&map);
}

/* Old maps must not pile up while the CPU acknowledges changes. */
static void
test_many_changes(void)
{
    Map map;
    PgmRegion *region;

    map_open(&map);
    region = add(&map, PGM_ROM, 0x100000, PAGE, 2);
    for (unsigned i = 0; i < 2000; i++) {
        pgm_region_map(region, 0x100000 + (i & 7) * PAGE);
        g_assert_cmphex(get(&map, 0x100000 + (i & 7) * PAGE), ==, 0x80);
        g_assert_true(cpum_pending(map.bench.vcpu) & CPUM_PEND_TLB_FLUSH);
        pgm_flush_tlb(map.bench.vcpu, true);
        g_assert_false(cpum_pending(map.bench.vcpu) & CPUM_PEND_TLB_FLUSH);
    }
    pgm_region_free(region);
    map_close(&map);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pgm/map/holes", test_holes);
    g_test_add_func("/pgm/map/kinds", test_kinds);
    g_test_add_func("/pgm/map/access", test_access);
    g_test_add_func("/pgm/map/shared-page", test_shared_page);
    g_test_add_func("/pgm/map/priorities", test_priorities);
    g_test_add_func("/pgm/map/a20", test_a20);
    g_test_add_func("/pgm/map/dma", test_dma);
    g_test_add_func("/pgm/map/far-addresses", test_far_addresses);
    g_test_add_func("/pgm/map/tables-in-shadow", test_tables_in_shadow);
    g_test_add_func("/pgm/map/state", test_state);
    g_test_add_func("/pgm/map/many-changes", test_many_changes);
    return g_test_run();
}
