/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the host's CPU can do, and its time stamp counter. Intel SDM volume 2A (CPUID), volume 3B
 * section 18.17 (invariant TSC). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#if !defined(__x86_64__)
#error "Only x86-64 hosts so far."
#endif

typedef struct {
    uint32_t eax, ebx, ecx, edx;
} BaseCpuid;

/* The host's CPUID; all zero for a leaf beyond the host's last one. 3.5 us in a cloud VM: keep it.
 */
void base_cpuid(uint32_t leaf, uint32_t subleaf, BaseCpuid *out);

/* Does the host's operating system keep the YMM registers of a thread? */
bool base_cpu_keeps_ymm(void);

/* Does the time stamp counter run at one rate in all power states, the same on every core? */
bool base_cpu_tsc_is_invariant(void);
/* Ticks of the time stamp counter per second, measured against base_clock_ns(): takes 5 ms and is
 * good to about 20 ppm. */
uint64_t base_cpu_tsc_hz(void);

static inline uint64_t
base_cpu_tsc(void)
{
    return __builtin_ia32_rdtsc();
}
