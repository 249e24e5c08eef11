/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Several CPUs: INIT and SIPI, who they are (APIC id, CPUID 1 and 0xB), IPIs by every kind of
 * destination, lowest priority, NMI, a second INIT, one TSC for all. Intel SDM volume 3A sections
 * 8.4, 11.6 and 18.17. */
#include "tests/guest/lib/smp64.h"

static unsigned cpus, ids, threads[SMP_MAX], x2ids[SMP_MAX];
static volatile unsigned ready, halted_wakes;
static volatile uint64_t stamp;
static unsigned backwards;

static void
cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(subleaf));
}

static void
identify(unsigned cpu)
{
    uint32_t out[4];

    __atomic_fetch_or(&ids, 1u << cpu, __ATOMIC_SEQ_CST);
    cpuid(1, 0, out);
    threads[cpu] = out[1] >> 24;
    cpuid(0xb, 0, out);
    x2ids[cpu] = out[3];
}

static void
report_identity(void)
{
    unsigned right = 0;

    smp_run(identify);
    for (unsigned i = 0; i < cpus; i++)
        right += threads[i] == i && x2ids[i] == i;
    log_text("cpus: %u, ids %x, cpuid agrees on %u\n", cpus, ids, right);
}

static void
clear(void)
{
    for (unsigned cpu = 0; cpu < SMP_MAX; cpu++) {
        for (unsigned i = 0; i < SMP_VECTORS; i++)
            smp_taken[cpu][i] = 0;
    }
}

static unsigned
total(unsigned vector)
{
    unsigned sum = 0;

    for (unsigned cpu = 0; cpu < SMP_MAX; cpu++)
        sum += smp_taken[cpu][vector];
    return sum;
}

/* Sends, waits for what is expected, and a little for what is not. */
static void
try_ipi(const char *name, uint32_t icr, uint32_t destination, unsigned expected)
{
    unsigned who = 0;

    clear();
    smp_send(icr | ICR_ASSERT | (SMP_VECTOR + 1), destination);
    for (unsigned i = 0; i < 2000000 && total(1) < expected; i++)
        smp_pause();
    for (volatile unsigned i = 0; i < 100000; i++)
        ;
    for (unsigned cpu = 0; cpu < SMP_MAX; cpu++)
        who |= (smp_taken[cpu][1] != 0) << cpu;
    log_text("%s: %u taken by %x\n", name, total(1), who);
}

static void
set_flat(unsigned cpu)
{
    *apic_reg(APIC_DFR) = 0xffffffff;
    *apic_reg(APIC_LDR) = 1u << (24 + cpu);
}

/* Two clusters of two. */
static void
set_clusters(unsigned cpu)
{
    *apic_reg(APIC_DFR) = 0x0fffffff;
    *apic_reg(APIC_LDR) = (cpu / 2) << 28 | 1u << (24 + cpu % 2);
}

static void
report_ipis(void)
{
    try_ipi("physical", 0, 1, 1);
    try_ipi("self", ICR_SELF, 0, 1);
    try_ipi("all", ICR_ALL, 0, cpus);
    try_ipi("others", ICR_OTHERS, 0, cpus - 1);
    try_ipi("broadcast", 0, 0xff, cpus);
    try_ipi("nobody", 0, 0x0d, 0);
    smp_run(set_flat);
    try_ipi("flat", ICR_LOGICAL, 3, 2);
    try_ipi("flat all", ICR_LOGICAL, 0xff, cpus);
    smp_run(set_clusters);
    try_ipi("cluster", ICR_LOGICAL, 0x12, 1);
    try_ipi("cluster both", ICR_LOGICAL, 0x03, 2);
    try_ipi("clusters", ICR_LOGICAL, 0xff, cpus);
    smp_run(set_flat);
}

/* All but the last have a task priority above. */
static void
raise_priority(unsigned cpu)
{
    *apic_reg(APIC_TPR) = cpu + 1 == cpus ? 0x10 : 0x20;
}

static void
lower_priority(unsigned cpu)
{
    (void)cpu;
    *apic_reg(APIC_TPR) = 0;
}

static void
halt_once(unsigned cpu)
{
    if (cpu != 1)
        return;
    __asm__ volatile("cli");
    ready = 1;
    __asm__ volatile("sti; hlt");
    halted_wakes++;
}

static void
wake_halted(unsigned cpu)
{
    if (cpu == 1) {
        halt_once(cpu);
    } else if (cpu == 0) {
        smp_wait(&ready, 1);
        while (halted_wakes == 0) {
            smp_send(ICR_ASSERT | SMP_VECTOR, 1);
            for (volatile unsigned i = 0; i < 10000; i++)
                ;
        }
    }
}

static void
report_others(void)
{
    smp_run(raise_priority);
    try_ipi("lowest priority", ICR_LOGICAL | ICR_LOWEST, 0xff, 1);
    smp_run(lower_priority);
    smp_run(wake_halted);
    log_text("halted: %u wakes\n", halted_wakes);
    smp_send(ICR_NMI | ICR_ASSERT, 1);
    smp_wait(&smp_nmis[1], 1);
    log_text("nmi: %u on 0, %u on 1\n", smp_nmis[0], smp_nmis[1]);
}

/* Each CPU in turn reads the TSC and compares it with what the one before it read. */
static void
compare_tsc(unsigned cpu)
{
    static volatile unsigned turn;

    for (unsigned round = 0; round < 10; round++) {
        uint32_t low, high;
        uint64_t now;

        while (turn % cpus != cpu)
            smp_pause();
        __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
        now = (uint64_t)high << 32 | low;
        backwards += now < stamp;
        stamp = now;
        __atomic_fetch_add(&turn, 1, __ATOMIC_SEQ_CST);
    }
}

void
guest_main(void)
{
    cpus = smp_start();
    report_identity();
    report_ipis();
    report_others();
    smp_run(compare_tsc);
    log_text("tsc: %u times backwards\n", backwards);
    /* All begin again, from their SIPI on. */
    ids = 0;
    log_text("again: %u\n", smp_start());
    report_identity();
    log_end();
}
