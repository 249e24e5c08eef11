/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The 8237A pair, driven by an owner of channels 2 and 5 that the test plays itself. */
#include "tests/lib/device-bench.h"

#include <string.h>

typedef struct {
    PdmDevice *device;
    uint8_t data[0x20000];
    uint32_t chunk; /* how much is moved at a time */
    bool to_memory;
    bool pauses; /* it drops its request after each chunk */
    unsigned calls;
} Owner;

/* A device whose only part is being the owner; its data is set by the test. */
static bool
owner_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    return true;
}

static const PdmDeviceInfo owner_device = {
    .abi = PDM_ABI_VERSION,
    .name = "dma-owner",
    .title = "Owner of DMA channels",
    .kind = PDM_KIND_OTHER,
    .instance_size = 1,
    .max_instances = 1,
    .construct = owner_construct,
    .state = &PDM_STATE_NONE,
};

static uint32_t
owner_transfer(void *user, unsigned channel, uint32_t position, uint32_t size)
{
    Owner *owner = user;
    uint32_t length = MIN(owner->chunk, size - position);

    owner->calls++;
    if (owner->pauses)
        pdm_dma_dreq(owner->device, channel, false);
    if (owner->to_memory)
        length = pdm_dma_write(owner->device, channel, owner->data + position, position, length);
    else
        length = pdm_dma_read(owner->device, channel, owner->data + position, position, length);
    return position + length;
}

static DeviceBench *
dma_bench(PdmRegistry *registry, Owner *owner)
{
    g_autoptr(GError) error = NULL;
    CfgmNode *config = cfgm_new();
    DeviceBench *bench;

    pdm_registry_add_device(registry, &owner_device, &error);
    g_assert_no_error(error);
    device_bench_add(config, "dma", 0);
    device_bench_add(config, "dma-owner", 0);
    bench = device_bench_try(config, registry, &error);
    g_assert_no_error(error);
    owner->device = pdm_find_device(bench->pdm, "dma-owner", 0);
    pdm_dma_register(owner->device, 2, owner_transfer, owner);
    pdm_dma_register(owner->device, 5, owner_transfer, owner);
    return bench;
}

static void
program(DeviceBench *bench, unsigned channel, uint8_t mode, uint32_t address, uint16_t count)
{
    bool wide = channel >= 4;
    uint16_t base = wide ? 0xc0 : 0, step = wide ? 2 : 1, index = channel & 3;
    uint16_t address_port = (uint16_t)(base + index * 2 * step);
    uint16_t count_port = (uint16_t)(address_port + step);
    uint32_t offset = wide ? address >> 1 : address;

    device_bench_out8(bench, (uint16_t)(base + 0xa * step), (uint8_t)(4 | index));
    device_bench_out8(bench, (uint16_t)(base + 0xc * step), 0);
    device_bench_out8(bench, (uint16_t)(base + 0xb * step), (uint8_t)(mode | index));
    device_bench_out8(bench, address_port, (uint8_t)offset);
    device_bench_out8(bench, address_port, (uint8_t)(offset >> 8));
    device_bench_out8(bench, count_port, (uint8_t)count);
    device_bench_out8(bench, count_port, (uint8_t)(count >> 8));
    device_bench_out8(bench, channel == 2 ? 0x81 : 0x8b, (uint8_t)(address >> 16));
    device_bench_out8(bench, (uint16_t)(base + 0xa * step), (uint8_t)index);
}

static void
fill(Owner *owner)
{
    for (unsigned i = 0; i < sizeof(owner->data); i++)
        owner->data[i] = (uint8_t)(i * 7 + (i >> 8));
}

static void
test_to_memory(void)
{
    g_autofree Owner *owner = g_new0(Owner, 1);
    PdmRegistry *registry = device_bench_registry();
    DeviceBench *bench = dma_bench(registry, owner);

    fill(owner);
    owner->to_memory = true;
    owner->chunk = 512;
    owner->pauses = true;
    program(bench, 2, 0x44, 0x23456, 1023);
    pdm_dma_dreq(owner->device, 2, true);
    /* One chunk for each request. */
    g_assert_cmpuint(owner->calls, ==, 1);
    g_assert_cmphex(device_bench_in8(bench, 8) & 4, ==, 0);
    pdm_dma_dreq(owner->device, 2, true);
    g_assert_cmphex(device_bench_in8(bench, 8) & 4, ==, 4);
    g_assert_cmphex(device_bench_in8(bench, 8) & 4, ==, 0);
    for (unsigned i = 0; i < 1024; i++)
        g_assert_cmphex(device_bench_read(bench, 0x23456 + i, 1), ==, owner->data[i]);
    /* Finished: masked until it is programmed again. */
    pdm_dma_dreq(owner->device, 2, true);
    g_assert_cmpuint(owner->calls, ==, 2);
    device_bench_free(bench);
    pdm_registry_free(registry);
}

/* An owner that keeps asking is served to the end. */
static void
test_demand(void)
{
    g_autofree Owner *owner = g_new0(Owner, 1);
    PdmRegistry *registry = device_bench_registry();
    DeviceBench *bench = dma_bench(registry, owner);

    owner->to_memory = true;
    owner->chunk = 100;
    program(bench, 2, 0x04, 0x20000, 999);
    pdm_dma_dreq(owner->device, 2, true);
    g_assert_cmpuint(owner->calls, ==, 10);
    g_assert_cmphex(device_bench_in8(bench, 8) & 4, ==, 4);
    /* Past the end both registers say so. */
    device_bench_out8(bench, 0x0c, 0);
    g_assert_cmphex(device_bench_in8(bench, 0x05), ==, 0xff);
    g_assert_cmphex(device_bench_in8(bench, 0x05), ==, 0xff);
    device_bench_free(bench);
    pdm_registry_free(registry);
}

static void
test_from_memory_wide(void)
{
    g_autofree Owner *owner = g_new0(Owner, 1);
    PdmRegistry *registry = device_bench_registry();
    DeviceBench *bench = dma_bench(registry, owner);

    for (unsigned i = 0; i < 512; i += 4)
        device_bench_write(bench, 0x41000 + i, 0x01010101u * (i / 4), 4);
    owner->chunk = UINT32_MAX;
    program(bench, 5, 0x48, 0x41000, 255);
    pdm_dma_dreq(owner->device, 5, true);
    for (unsigned i = 0; i < 512; i++)
        g_assert_cmphex(owner->data[i], ==, i / 4);
    device_bench_free(bench);
    pdm_registry_free(registry);
}

static void
test_wrap(void)
{
    g_autofree Owner *owner = g_new0(Owner, 1);
    PdmRegistry *registry = device_bench_registry();
    DeviceBench *bench = dma_bench(registry, owner);

    fill(owner);
    owner->to_memory = true;
    owner->chunk = UINT32_MAX;
    program(bench, 2, 0x44, 0x2fffe, 3);
    pdm_dma_dreq(owner->device, 2, true);
    g_assert_cmphex(device_bench_read(bench, 0x2ffff, 1), ==, owner->data[1]);
    g_assert_cmphex(device_bench_read(bench, 0x20000, 1), ==, owner->data[2]);
    g_assert_cmphex(device_bench_read(bench, 0x30000, 1), ==, 0);
    device_bench_free(bench);
    pdm_registry_free(registry);
}

static void
test_auto_initialise(void)
{
    g_autofree Owner *owner = g_new0(Owner, 1);
    PdmRegistry *registry = device_bench_registry();
    DeviceBench *bench = dma_bench(registry, owner);

    owner->to_memory = true;
    owner->chunk = UINT32_MAX;
    program(bench, 2, 0x54, 0x10000, 99);
    for (unsigned i = 0; i < 3; i++)
        pdm_dma_dreq(owner->device, 2, true);
    g_assert_cmpuint(owner->calls, ==, 3);
    device_bench_out8(bench, 0x0c, 0);
    g_assert_cmphex(device_bench_in8(bench, 0x05), ==, 99);
    device_bench_free(bench);
    pdm_registry_free(registry);
}

/* An owner that the guest misprograms cannot make it read beyond its block. */
static void
test_bounds(void)
{
    g_autofree Owner *owner = g_new0(Owner, 1);
    PdmRegistry *registry = device_bench_registry();
    DeviceBench *bench = dma_bench(registry, owner);
    uint8_t buffer[64];

    program(bench, 2, 0x48, 0x10000, 15);
    g_assert_cmpuint(pdm_dma_read(owner->device, 2, buffer, 0, sizeof(buffer)), ==, 16);
    g_assert_cmpuint(pdm_dma_read(owner->device, 2, buffer, 16, sizeof(buffer)), ==, 0);
    g_assert_cmpuint(pdm_dma_read(owner->device, 2, buffer, UINT32_MAX, sizeof(buffer)), ==, 0);
    device_bench_free(bench);
    pdm_registry_free(registry);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dma/to-memory", test_to_memory);
    g_test_add_func("/dma/demand", test_demand);
    g_test_add_func("/dma/from-memory-wide", test_from_memory_wide);
    g_test_add_func("/dma/wrap", test_wrap);
    g_test_add_func("/dma/auto-initialise", test_auto_initialise);
    g_test_add_func("/dma/bounds", test_bounds);
    return g_test_run();
}
