/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The host's CPUID and time stamp counter. Intel SDM volume 2A (CPUID), volume 3B section 18.17. */
#include "vmm/base/cpu-features.h"

#include "vmm/base/clock.h"

#include <cpuid.h>
#include <string.h>

#define NS_PER_S 1000000000ull

void
base_cpuid(uint32_t leaf, uint32_t subleaf, BaseCpuid *out)
{
    memset(out, 0, sizeof *out);
    if (__get_cpuid_max(leaf & 0x80000000u, NULL) >= leaf)
        __cpuid_count(leaf, subleaf, out->eax, out->ebx, out->ecx, out->edx);
}

bool
base_cpu_keeps_ymm(void)
{
    const uint32_t osxsave = 1u << 27, sse_and_ymm = 6;
    BaseCpuid basic;
    uint32_t low, high;

    base_cpuid(1, 0, &basic);
    if (!(basic.ecx & osxsave))
        return false;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & sse_and_ymm) == sse_and_ymm;
}

bool
base_cpu_tsc_is_invariant(void)
{
    BaseCpuid power;

    base_cpuid(0x80000007u, 0, &power);
    return (power.edx >> 8) & 1;
}

typedef struct {
    uint64_t tsc, ns;
} Sample;

/* Reads both clocks close together: of a few tries the one that the host disturbed least. */
static Sample
sample_clocks(void)
{
    Sample best = {0, 0};
    uint64_t best_gap = UINT64_MAX;

    for (unsigned i = 0; i < 8; i++) {
        const uint64_t before = base_cpu_tsc();
        const uint64_t ns = base_clock_ns();
        const uint64_t gap = base_cpu_tsc() - before;

        if (gap < best_gap) {
            best_gap = gap;
            best = (Sample){before + gap / 2, ns};
        }
    }
    return best;
}

uint64_t
base_cpu_tsc_hz(void)
{
    const Sample start = sample_clocks();
    Sample end;

    base_clock_sleep_until(start.ns + NS_PER_S / 200);
    end = sample_clocks();
    return (uint64_t)((unsigned __int128)(end.tsc - start.tsc) * NS_PER_S / (end.ns - start.ns));
}
