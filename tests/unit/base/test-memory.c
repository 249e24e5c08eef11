/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Host memory and the host CPU's features: what engines rely on. */
#include "vmm/base/clock.h"
#include "vmm/base/cpu-features.h"
#include "vmm/base/error.h"
#include "vmm/base/memory.h"

#include <string.h>

#define MIB ((size_t)1 << 20)

static bool
is_zero(const uint8_t *memory, size_t size)
{
    return memory[0] == 0 && memcmp(memory, memory + 1, size - 1) == 0;
}

static void
test_map(void)
{
    static const size_t sizes[] = {1, 4096, 4097, 3 * MIB + 5, 16 * MIB};

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (unsigned huge = 0; huge < 2; huge++) {
            uint8_t *memory = base_memory_map(sizes[i], huge ? BASE_MEMORY_HUGE : 0, NULL);

            g_assert_nonnull(memory);
            g_assert_true(is_zero(memory, sizes[i] + 1 < 4096 ? 4096 : sizes[i]));
            if (huge && sizes[i] >= 2 * MIB)
                g_assert_cmpuint((uintptr_t)memory % (2 * MIB), ==, 0);
            memory[0] = 1;
            memory[sizes[i] - 1] = 2;
            base_memory_unmap(memory, sizes[i]);
        }
    }
}

static void
test_discard(void)
{
    uint8_t *memory = base_memory_map(4 * MIB, BASE_MEMORY_HUGE, NULL);

    memset(memory, 0x5a, 4 * MIB);
    base_memory_discard(memory + 2 * MIB, 2 * MIB);
    g_assert_cmphex(memory[2 * MIB - 1], ==, 0x5a);
    g_assert_true(is_zero(memory + 2 * MIB, 2 * MIB));
    base_memory_unmap(memory, 4 * MIB);
}

static void
test_too_much(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(base_memory_map(SIZE_MAX - 4096, BASE_MEMORY_HUGE, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NO_MEMORY);
    g_clear_error(&error);
    g_assert_null(base_memory_map((size_t)1 << 60, 0, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NO_MEMORY);
}

static void
test_cpuid(void)
{
    BaseCpuid value, beyond;

    base_cpuid(0, 0, &value);
    g_assert_cmpuint(value.eax, >=, 1);
    base_cpuid(value.eax + 1000, 0, &beyond);
    g_assert_cmphex(beyond.eax | beyond.ebx | beyond.ecx | beyond.edx, ==, 0);
    base_cpuid(1, 0, &value);
    g_assert_cmphex(value.edx & (1u << 26), !=, 0); /* SSE2: every x86-64 CPU */
}

static void
test_tsc(void)
{
    const uint64_t hz = base_cpu_tsc_hz();
    const uint64_t tsc = base_cpu_tsc(), ns = base_clock_ns();
    double measured;

    g_assert_cmpuint(hz, >, 100000000);
    g_assert_cmpuint(hz, <, 20000000000ull);
    base_clock_sleep_until(ns + 20000000);
    measured = (double)(base_cpu_tsc() - tsc) * 1e9 / (double)(base_clock_ns() - ns);
    /* A busy host may take the CPU away between the two readings. */
    g_assert_cmpfloat_with_epsilon(measured / (double)hz, 1.0, 0.05);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/memory/map", test_map);
    g_test_add_func("/base/memory/discard", test_discard);
    g_test_add_func("/base/memory/too-much", test_too_much);
    g_test_add_func("/base/cpu/cpuid", test_cpuid);
    g_test_add_func("/base/cpu/tsc", test_tsc);
    return g_test_run();
}
