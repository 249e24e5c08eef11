/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the fuzzers of devices share: see the header. */
#include "tests/fuzz/fuzz-bench.h"

#include "tests/device/pci-guest.h"

uint32_t
fuzz_take(FuzzInput *input, unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes && input->size > 0; i++) {
        value |= (uint32_t)*input->data++ << 8 * i;
        input->size--;
    }
    return value;
}

uint64_t
fuzz_take_address(FuzzInput *input)
{
    const uint32_t where = fuzz_take(input, 1), low = fuzz_take(input, 2);

    switch (where & 15) {
    case 0: return PCI_GUEST_BAR(where >> 4 & 7) + low;
    case 1: return ~0ull - low;
    case 2: return 0xffffffffu - low;
    case 3: return (16u << 20) - (low & 0xfff); /* the end of RAM */
    case 4: return (uint64_t)low << 44;
    default: return FUZZ_MEMORY + (where >> 4 & 3) * 0x8000 + low % FUZZ_MEMORY_SIZE;
    }
}

void
fuzz_write_memory(DeviceBench *bench, FuzzInput *input)
{
    const uint32_t at = FUZZ_MEMORY + 4 * (fuzz_take(input, 2) & (FUZZ_MEMORY_SIZE / 4 - 1));
    const unsigned count = 1 + (fuzz_take(input, 1) & 15);

    for (unsigned i = 0; i < count; i++)
        pci_guest_put32(bench, at + 4 * i, fuzz_take(input, 4));
}

void
fuzz_access_port(DeviceBench *bench, FuzzInput *input, uint16_t first, uint32_t count)
{
    const uint32_t how = fuzz_take(input, 1);
    const uint16_t port = (uint16_t)(first + fuzz_take(input, 1) % count);
    const unsigned bytes = 1u << (how & 3) % 3;
    const uint32_t value = (how & 4) != 0 ? fuzz_take(input, bytes) : 0;

    switch (how & 7) {
    case 0:
    case 3: device_bench_in8(bench, port); break;
    case 1: device_bench_in16(bench, port); break;
    case 2: device_bench_in32(bench, port); break;
    case 5: device_bench_out16(bench, port, (uint16_t)value); break;
    case 6: device_bench_out32(bench, port, value); break;
    default: device_bench_out8(bench, port, (uint8_t)value); break;
    }
}

void
fuzz_access_window(DeviceBench *bench, FuzzInput *input, uint64_t window, uint32_t size)
{
    const uint32_t how = fuzz_take(input, 1);
    const uint32_t offset = (fuzz_take(input, 2) | (how >> 4) << 16) % size;
    const unsigned bytes = 1u << (how & 3);

    if ((how & 4) != 0)
        device_bench_write(bench, window + offset, fuzz_take(input, MIN(bytes, 4)), bytes);
    else
        device_bench_read(bench, window + offset, bytes);
}

void
fuzz_wait(DeviceBench *bench, unsigned count, uint64_t step_ns)
{
    for (unsigned i = 0; i < count; i++) {
        device_bench_advance(bench, step_ns);
        device_bench_run_queues(bench);
    }
}

DeviceBench *
fuzz_save_and_load(DeviceBench *bench, CfgmNode *same)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) state = device_bench_save(bench, &error);
    DeviceBench *fresh = device_bench_new(same);

    g_assert_no_error(error);
    if (!device_bench_load(fresh, state, &error))
        g_error("what was saved is not loaded: %s", error->message);
    device_bench_free(bench);
    return fresh;
}
