/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Several CPUs in a 64-bit guest program: starts them by INIT and SIPI, runs a function on all at
 * once, sends IPIs and counts those that arrive. All of them use one set of tables. Only the first
 * CPU may log. Intel SDM volume 3A sections 8.4 and 11.6. */
#pragma once

#include "tests/guest/lib/guest64.h"

#define SMP_MAX 8u /* SMP_CPUS is defined for the compiler: how many the machine has */
#define SMP_VECTORS 4u
#define SMP_VECTOR 0x40u /* the first of SMP_VECTORS */

enum {
    ICR_LOWEST = 1 << 8,
    ICR_NMI = 4 << 8,
    ICR_INIT = 5 << 8,
    ICR_STARTUP = 6 << 8,
    ICR_LOGICAL = 1 << 11,
    ICR_ASSERT = 1 << 14,
    ICR_SELF = 1 << 18,
    ICR_ALL = 2 << 18,
    ICR_OTHERS = 3 << 18,
};

enum {
    APIC_ID = 0x20,
    APIC_TPR = 0x80,
    APIC_EOI = 0xb0,
    APIC_LDR = 0xd0,
    APIC_DFR = 0xe0,
    APIC_SVR = 0xf0,
    APIC_ICR = 0x300,
    APIC_ICR_HIGH = 0x310
};

static inline volatile uint32_t *
apic_reg(unsigned reg)
{
    return (volatile uint32_t *)(0xfee00000ull + reg);
}

static inline unsigned
smp_self(void)
{
    return *apic_reg(APIC_ID) >> 24;
}

/* Interrupts of SMP_VECTOR + v that each CPU took, and NMIs. */
extern volatile unsigned smp_taken[SMP_MAX][SMP_VECTORS], smp_nmis[SMP_MAX];
/* Called in the handler of that interrupt; NULL: nothing more. */
extern void (*volatile smp_hook[SMP_VECTORS])(unsigned cpu);

/* Starts the others; returns how many CPUs there are. */
unsigned smp_start(void);
/* Runs body on every CPU at the same time; returns when all are done. */
void smp_run(void (*body)(unsigned cpu));
/* In body: waits until all have come here. */
void smp_barrier(void);
void smp_send(uint32_t icr, uint32_t destination);
static inline void
smp_pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}
/* Waits until *word has that value, for a while; false: it never had. */
bool smp_wait(const volatile unsigned *word, unsigned value);
