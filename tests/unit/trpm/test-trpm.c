/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TRPM: what is delivered when, and the local APIC: priorities, EOI, timer modes, IPIs,
 * destinations, x2APIC, errors, virtual wire, saved state. Intel SDM volume 3A chapters 6 and 11.
 */
#include "vmm/trpm/trpm.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BASE 0xfee00000ull
#define LVT_TIMER 0x320
#define LVT_LINT0 0x350
#define LVT_ERROR 0x370
#define SVR 0xf0
#define EOI 0xb0
#define TPR 0x80
#define PPR 0xa0
#define LDR 0xd0
#define DFR 0xe0
#define ESR 0x280
#define ICR 0x300
#define ICR_HIGH 0x310
#define IRR 0x200
#define ISR 0x100
#define TMR 0x180
#define X2_ICR 0x830

typedef struct {
    Cpum *cpum;
    Iom *iom;
    Pgm *pgm;
    Tm *tm;
    Trpm *trpm;
    Vcpu *cpu[3];
    uint8_t pic_vector;
    unsigned pic_acks;
    GString *eois;
} Bench;

static uint8_t
pic_ack(void *user)
{
    Bench *bench = user;

    bench->pic_acks++;
    trpm_pic_line(bench->trpm, false);
    return bench->pic_vector;
}

static void
on_eoi(void *user, uint8_t vector)
{
    g_string_append_printf(((Bench *)user)->eois, "%02x ", vector);
}

static void
bench_open_cpus(Bench *bench, unsigned cpus, bool apic)
{
    const CpumConfig cpu = {
        .cpus = cpus, .pae = true, .long_mode = true, .apic = apic, .x2apic = apic, .nx = true};
    const TmConfig time = {.deterministic = true, .deterministic_hz = 1000000000};

    memset(bench, 0, sizeof *bench);
    bench->cpum = cpum_new(&cpu, NULL);
    bench->iom = iom_new();
    bench->pgm = pgm_new(bench->cpum, bench->iom, NULL);
    bench->tm = tm_new(bench->cpum, &time, NULL);
    bench->trpm = trpm_new(bench->cpum, bench->pgm, bench->iom, bench->tm, apic, NULL);
    bench->eois = g_string_new(NULL);
    trpm_set_pic(bench->trpm, pic_ack, bench, NULL);
    trpm_set_eoi_hook(bench->trpm, on_eoi, bench);
    for (unsigned i = 0; i < cpus; i++) {
        bench->cpu[i] = cpum_vcpu(bench->cpum, i);
        bench->cpu[i]->rflags |= X86_FL_IF;
        pgm_flush_tlb(bench->cpu[i], true);
        cpum_unpend(bench->cpu[i], UINT32_MAX);
    }
}

static void
write_apic(Bench *bench, unsigned cpu, uint32_t reg, uint32_t value)
{
    pgm_cpu_phys_write(bench->cpu[cpu], BASE + reg, value, 4);
}

static uint32_t
read_apic(Bench *bench, unsigned cpu, uint32_t reg)
{
    return (uint32_t)pgm_cpu_phys_read(bench->cpu[cpu], BASE + reg, 4);
}

/* One CPU whose APIC is on. */
static void
bench_open(Bench *bench)
{
    bench_open_cpus(bench, 1, true);
    write_apic(bench, 0, SVR, 0x1ff);
}

static void
bench_close(Bench *bench)
{
    trpm_free(bench->trpm);
    tm_free(bench->tm);
    pgm_free(bench->pgm);
    iom_free(bench->iom);
    cpum_free(bench->cpum);
    g_string_free(bench->eois, TRUE);
}

static int
take(Bench *bench, unsigned cpu)
{
    bool nmi;
    const int vector = trpm_take_interrupt(bench->cpu[cpu], &nmi);

    g_assert_true(!nmi || vector == 2);
    return vector;
}

static void
send(Bench *bench, uint8_t vector, bool level)
{
    trpm_apic_message(bench->trpm, 0, false, TRPM_FIXED, vector, level);
}

static bool
is_pending(Bench *bench, uint32_t bit)
{
    return cpum_pending(bench->cpu[0]) & bit;
}

/* --- order and blocking --- */

static void
test_priorities(void)
{
    Bench bench;

    bench_open(&bench);
    send(&bench, 0x31, false);
    send(&bench, 0x52, false);
    send(&bench, 0x58, false);
    g_assert_true(is_pending(&bench, CPUM_PEND_INTERRUPT));
    g_assert_cmphex(read_apic(&bench, 0, IRR + 0x10), ==, 1u << 0x11);
    g_assert_cmpint(take(&bench, 0), ==, 0x58);
    g_assert_cmphex(read_apic(&bench, 0, PPR), ==, 0x50);
    g_assert_cmphex(read_apic(&bench, 0, ISR + 0x20), ==, 1u << 0x18);
    /* The same class has to wait for the EOI, a higher one does not. */
    g_assert_cmpint(take(&bench, 0), ==, -1);
    send(&bench, 0x61, false);
    g_assert_cmpint(take(&bench, 0), ==, 0x61);
    write_apic(&bench, 0, EOI, 0);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    write_apic(&bench, 0, EOI, 0);
    g_assert_true(is_pending(&bench, CPUM_PEND_INTERRUPT));
    g_assert_cmpint(take(&bench, 0), ==, 0x52);
    write_apic(&bench, 0, EOI, 0);
    g_assert_cmpint(take(&bench, 0), ==, 0x31);
    bench_close(&bench);
}

static void
test_blocking(void)
{
    Bench bench;
    Vcpu *cpu;

    bench_open(&bench);
    cpu = bench.cpu[0];
    cpu->rflags &= ~(uint64_t)X86_FL_IF;
    send(&bench, 0x40, false);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    /* Nothing is left that would make an engine leave over and over. */
    g_assert_false(is_pending(&bench, CPUM_PEND_INTERRUPT));
    g_assert_false(trpm_should_wake(cpu));
    cpu->rflags |= X86_FL_IF;
    g_assert_true(trpm_should_wake(cpu));
    cpu->irq_shadow = 1;
    trpm_recheck(cpu);
    g_assert_true(is_pending(&bench, CPUM_PEND_INTERRUPT));
    g_assert_cmpint(take(&bench, 0), ==, -1);
    cpu->irq_shadow = 0;
    trpm_set_tpr(cpu, 4);
    trpm_recheck(cpu);
    g_assert_false(is_pending(&bench, CPUM_PEND_INTERRUPT));
    g_assert_cmphex(read_apic(&bench, 0, TPR), ==, 0x40);
    trpm_set_tpr(cpu, 3);
    g_assert_true(is_pending(&bench, CPUM_PEND_INTERRUPT));
    g_assert_cmpuint(trpm_tpr(cpu), ==, 3);
    g_assert_cmpint(take(&bench, 0), ==, 0x40);
    bench_close(&bench);
}

static void
test_nmi(void)
{
    Bench bench;
    bool nmi;

    bench_open(&bench);
    bench.cpu[0]->rflags &= ~(uint64_t)X86_FL_IF;
    trpm_nmi(bench.cpu[0]);
    send(&bench, 0x40, false);
    g_assert_true(trpm_should_wake(bench.cpu[0]));
    g_assert_cmpint(trpm_take_interrupt(bench.cpu[0], &nmi), ==, 2);
    g_assert_true(nmi);
    /* The next one waits for IRET. */
    trpm_nmi(bench.cpu[0]);
    g_assert_cmpint(trpm_take_interrupt(bench.cpu[0], &nmi), ==, -1);
    g_assert_false(is_pending(&bench, CPUM_PEND_NMI));
    bench.cpu[0]->nmi_blocked = 0;
    trpm_recheck(bench.cpu[0]);
    g_assert_true(is_pending(&bench, CPUM_PEND_NMI));
    g_assert_cmpint(trpm_take_interrupt(bench.cpu[0], &nmi), ==, 2);
    bench_close(&bench);
}

static void
test_eoi(void)
{
    Bench bench;

    bench_open(&bench);
    send(&bench, 0x41, true);
    send(&bench, 0x32, false);
    g_assert_cmphex(read_apic(&bench, 0, TMR + 0x20), ==, 1u << 1);
    g_assert_cmpint(take(&bench, 0), ==, 0x41);
    write_apic(&bench, 0, EOI, 0);
    g_assert_cmpint(take(&bench, 0), ==, 0x32);
    write_apic(&bench, 0, EOI, 0);
    write_apic(&bench, 0, EOI, 0); /* one too many */
    g_assert_cmpstr(bench.eois->str, ==, "41 ");
    bench_close(&bench);
}

/* --- the PIC --- */

static void
test_virtual_wire(void)
{
    Bench bench;

    bench_open(&bench);
    bench.pic_vector = 0x08;
    trpm_pic_line(bench.trpm, true);
    g_assert_cmpint(take(&bench, 0), ==, -1); /* LINT0 is masked */
    write_apic(&bench, 0, LVT_LINT0, 0x700);
    g_assert_true(is_pending(&bench, CPUM_PEND_INTERRUPT));
    g_assert_cmpint(take(&bench, 0), ==, 0x08);
    g_assert_cmpuint(bench.pic_acks, ==, 1);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    /* It has no priority: the TPR does not hold it. */
    trpm_set_tpr(bench.cpu[0], 15);
    trpm_pic_line(bench.trpm, true);
    g_assert_cmpint(take(&bench, 0), ==, 0x08);
    trpm_set_tpr(bench.cpu[0], 0);
    /* As a fixed interrupt the vector is the APIC's, at the rising edge. */
    write_apic(&bench, 0, LVT_LINT0, 0x35);
    trpm_pic_line(bench.trpm, true);
    g_assert_cmpint(take(&bench, 0), ==, 0x35);
    trpm_pic_line(bench.trpm, true);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    trpm_pic_line(bench.trpm, false);
    /* As an NMI. */
    write_apic(&bench, 0, LVT_LINT0, 0x400);
    trpm_pic_line(bench.trpm, true);
    g_assert_cmpint(take(&bench, 0), ==, 2);
    g_assert_cmpuint(bench.pic_acks, ==, 2);
    bench_close(&bench);
}

static void
test_without_apic(void)
{
    Bench bench;
    uint64_t value;

    bench_open_cpus(&bench, 1, false);
    bench.pic_vector = 0x70;
    trpm_pic_line(bench.trpm, true);
    g_assert_cmpint(take(&bench, 0), ==, 0x70);
    send(&bench, 0x50, false);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    g_assert_false(cpum_rdmsr(bench.cpu[0], X86_MSR_APIC_BASE, &value));
    g_assert_cmphex(read_apic(&bench, 0, SVR), ==, UINT32_MAX);
    bench_close(&bench);
}

static void
test_apic_off(void)
{
    Bench bench;
    Vcpu *cpu;

    bench_open(&bench);
    cpu = bench.cpu[0];
    bench.pic_vector = 0x21;
    g_assert_cmphex(cpu->apic_base, ==, BASE | 0x900);
    g_assert_true(cpum_wrmsr(cpu, X86_MSR_APIC_BASE, BASE));
    g_assert_cmphex(cpu->apic_base, ==, BASE | 0x100); /* BSP cannot be written */
    g_assert_cmphex(read_apic(&bench, 0, SVR), ==, UINT32_MAX);
    send(&bench, 0x50, false);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    trpm_pic_line(bench.trpm, true); /* on the INTR pin */
    g_assert_cmpint(take(&bench, 0), ==, 0x21);
    /* On again, in another place, as after a reset. */
    g_assert_true(cpum_wrmsr(cpu, X86_MSR_APIC_BASE, 0xfec80000 | 0x800));
    pgm_flush_tlb(cpu, true);
    g_assert_cmphex(pgm_cpu_phys_read(cpu, 0xfec80000 + SVR, 4), ==, 0xff);
    g_assert_cmphex(read_apic(&bench, 0, SVR), ==, UINT32_MAX);
    g_assert_false(cpum_wrmsr(cpu, X86_MSR_APIC_BASE, BASE | 0x801));
    g_assert_false(cpum_wrmsr(cpu, X86_MSR_APIC_BASE, 1ull << 40 | 0x800));
    bench_close(&bench);
}

/* --- registers --- */

static void
test_registers(void)
{
    Bench bench;

    bench_open(&bench);
    g_assert_cmphex(read_apic(&bench, 0, 0x20), ==, 0);
    g_assert_cmphex(read_apic(&bench, 0, 0x30), ==, 0x50014);
    g_assert_cmphex(read_apic(&bench, 0, DFR), ==, UINT32_MAX);
    write_apic(&bench, 0, DFR, 0);
    g_assert_cmphex(read_apic(&bench, 0, DFR), ==, 0x0fffffff);
    write_apic(&bench, 0, LDR, 0x12345678);
    g_assert_cmphex(read_apic(&bench, 0, LDR), ==, 0x12000000);
    write_apic(&bench, 0, LVT_LINT0, 0x8700);
    g_assert_cmphex(read_apic(&bench, 0, LVT_LINT0), ==, 0x8700);
    /* Software-disabled: everything is masked and stays so. */
    write_apic(&bench, 0, SVR, 0xff);
    g_assert_cmphex(read_apic(&bench, 0, LVT_LINT0), ==, 0x18700);
    write_apic(&bench, 0, LVT_LINT0, 0x8700);
    g_assert_cmphex(read_apic(&bench, 0, LVT_LINT0), ==, 0x18700);
    send(&bench, 0x50, false);
    g_assert_cmphex(read_apic(&bench, 0, IRR + 0x20), ==, 0);
    /* A byte and a word of a register. */
    g_assert_cmphex(pgm_cpu_phys_read(bench.cpu[0], BASE + LVT_LINT0 + 1, 1), ==, 0x87);
    bench_close(&bench);
}

static void
test_errors(void)
{
    Bench bench;

    bench_open(&bench);
    write_apic(&bench, 0, LVT_ERROR, 0xfe);
    write_apic(&bench, 0, ICR, 0x40005); /* vector 5 to itself */
    g_assert_cmpint(take(&bench, 0), ==, 0xfe);
    g_assert_cmphex(read_apic(&bench, 0, ESR), ==, 0); /* only after a write */
    write_apic(&bench, 0, ESR, 0);
    g_assert_cmphex(read_apic(&bench, 0, ESR), ==, 1u << 5);
    write_apic(&bench, 0, ESR, 0);
    g_assert_cmphex(read_apic(&bench, 0, ESR), ==, 0);
    send(&bench, 7, false);
    read_apic(&bench, 0, 0x3d0);
    write_apic(&bench, 0, ESR, 0);
    g_assert_cmphex(read_apic(&bench, 0, ESR), ==, 1u << 6 | 1u << 7);
    bench_close(&bench);
}

/* --- timer --- */

static void
advance(Bench *bench, uint64_t ns)
{
    tm_skip_to(bench->tm, tm_now(bench->tm) + ns);
    tm_run_timers(bench->tm);
}

static void
test_timer_one_shot(void)
{
    Bench bench;

    bench_open(&bench);
    write_apic(&bench, 0, LVT_TIMER, 0x44);
    write_apic(&bench, 0, 0x3e0, 3); /* 16 ns */
    write_apic(&bench, 0, 0x380, 1000);
    advance(&bench, 8000);
    g_assert_cmpuint(read_apic(&bench, 0, 0x390), ==, 500);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    write_apic(&bench, 0, 0x3e0, 0xb); /* 1 ns: the count goes on from 500 */
    g_assert_cmpuint(read_apic(&bench, 0, 0x390), ==, 500);
    advance(&bench, 499);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    advance(&bench, 1);
    g_assert_cmpint(take(&bench, 0), ==, 0x44);
    g_assert_cmpuint(read_apic(&bench, 0, 0x390), ==, 0);
    advance(&bench, 100000);
    write_apic(&bench, 0, EOI, 0);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    bench_close(&bench);
}

static void
test_timer_periodic(void)
{
    Bench bench;

    bench_open(&bench);
    write_apic(&bench, 0, LVT_TIMER, 0x20044);
    write_apic(&bench, 0, 0x3e0, 0xb);
    write_apic(&bench, 0, 0x380, 100000);
    for (unsigned i = 0; i < 5; i++) {
        advance(&bench, 99999);
        g_assert_cmpint(take(&bench, 0), ==, -1);
        g_assert_cmpuint(read_apic(&bench, 0, 0x390), ==, 1);
        advance(&bench, 1);
        g_assert_cmpint(take(&bench, 0), ==, 0x44);
        write_apic(&bench, 0, EOI, 0);
    }
    /* Ticks that were missed are one; the phase stays. */
    advance(&bench, 350000);
    g_assert_cmpint(take(&bench, 0), ==, 0x44);
    write_apic(&bench, 0, EOI, 0);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    advance(&bench, 50000);
    g_assert_cmpint(take(&bench, 0), ==, 0x44);
    write_apic(&bench, 0, EOI, 0);
    write_apic(&bench, 0, 0x380, 0);
    advance(&bench, 1000000);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    bench_close(&bench);
}

/* A guest that wants a tick each nanosecond does not stop the machine. */
static void
test_timer_storm(void)
{
    Bench bench;

    bench_open(&bench);
    write_apic(&bench, 0, LVT_TIMER, 0x20044);
    write_apic(&bench, 0, 0x3e0, 0xb);
    write_apic(&bench, 0, 0x380, 1);
    advance(&bench, 1000000);
    g_assert_cmpint(take(&bench, 0), ==, 0x44);
    g_assert_cmpuint(tm_next_deadline(bench.tm), >=, tm_now(bench.tm) + 1000);
    bench_close(&bench);
}

static void
test_timer_deadline(void)
{
    Bench bench;
    Vcpu *cpu;
    uint64_t value;

    bench_open(&bench);
    cpu = bench.cpu[0];
    g_assert_true(cpum_wrmsr(cpu, X86_MSR_TSC_DEADLINE, 500)); /* ignored in other modes */
    g_assert_true(cpum_rdmsr(cpu, X86_MSR_TSC_DEADLINE, &value));
    g_assert_cmpuint(value, ==, 0);
    write_apic(&bench, 0, LVT_TIMER, 0x40044);
    g_assert_true(cpum_wrmsr(cpu, X86_MSR_TSC_DEADLINE, tm_tsc(cpu) + 500));
    advance(&bench, 499);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    advance(&bench, 1);
    g_assert_cmpint(take(&bench, 0), ==, 0x44);
    g_assert_true(cpum_rdmsr(cpu, X86_MSR_TSC_DEADLINE, &value));
    g_assert_cmpuint(value, ==, 0);
    write_apic(&bench, 0, EOI, 0);
    /* In the past: at once. Zero: never. */
    g_assert_true(cpum_wrmsr(cpu, X86_MSR_TSC_DEADLINE, 1));
    advance(&bench, 0);
    g_assert_cmpint(take(&bench, 0), ==, 0x44);
    write_apic(&bench, 0, EOI, 0);
    g_assert_true(cpum_wrmsr(cpu, X86_MSR_TSC_DEADLINE, tm_tsc(cpu) + 10));
    g_assert_true(cpum_wrmsr(cpu, X86_MSR_TSC_DEADLINE, 0));
    advance(&bench, 1000);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    /* The TSC was set back meanwhile: it waits for the value, not for the time. */
    g_assert_true(cpum_wrmsr(cpu, X86_MSR_TSC_DEADLINE, tm_tsc(cpu) + 100));
    tm_tsc_set(cpu, tm_tsc(cpu) - 300);
    advance(&bench, 100);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    advance(&bench, 300);
    g_assert_cmpint(take(&bench, 0), ==, 0x44);
    bench_close(&bench);
}

/* --- several CPUs --- */

static void
open_three(Bench *bench)
{
    bench_open_cpus(bench, 3, true);
    for (unsigned i = 0; i < 3; i++) {
        write_apic(bench, i, SVR, 0x1ff);
        write_apic(bench, i, LDR, 1u << (24 + i));
    }
}

/* Which CPUs got the vector, as a bit mask. */
static unsigned
who(Bench *bench, int vector)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < 3; i++) {
        if (take(bench, i) == vector) {
            mask |= 1u << i;
            write_apic(bench, i, EOI, 0);
        }
    }
    return mask;
}

static void
test_destinations(void)
{
    Bench bench;

    open_three(&bench);
    trpm_apic_message(bench.trpm, 2, false, TRPM_FIXED, 0x50, false);
    g_assert_cmphex(who(&bench, 0x50), ==, 4);
    trpm_apic_message(bench.trpm, 0xff, false, TRPM_FIXED, 0x51, false);
    g_assert_cmphex(who(&bench, 0x51), ==, 7);
    trpm_apic_message(bench.trpm, 5, true, TRPM_FIXED, 0x52, false);
    g_assert_cmphex(who(&bench, 0x52), ==, 5);
    /* Clusters: CPUs 0 and 1 in cluster 1, CPU 2 in cluster 2. */
    for (unsigned i = 0; i < 3; i++)
        write_apic(&bench, i, DFR, 0);
    write_apic(&bench, 0, LDR, 0x11000000);
    write_apic(&bench, 1, LDR, 0x12000000);
    write_apic(&bench, 2, LDR, 0x21000000);
    trpm_apic_message(bench.trpm, 0x13, true, TRPM_FIXED, 0x53, false);
    g_assert_cmphex(who(&bench, 0x53), ==, 3);
    trpm_apic_message(bench.trpm, 0xf1, true, TRPM_FIXED, 0x54, false);
    g_assert_cmphex(who(&bench, 0x54), ==, 5);
    bench_close(&bench);
}

static void
test_lowest_priority(void)
{
    Bench bench;

    open_three(&bench);
    write_apic(&bench, 0, TPR, 0x60);
    write_apic(&bench, 1, TPR, 0x20);
    write_apic(&bench, 2, TPR, 0x40);
    trpm_apic_message(bench.trpm, 0xff, true, TRPM_LOWEST, 0x70, false);
    g_assert_cmphex(who(&bench, 0x70), ==, 2);
    /* An MSI: logical destination 5, lowest priority. */
    trpm_msi(bench.trpm, 0xfee05004, 0x0171);
    g_assert_cmphex(who(&bench, 0x71), ==, 4);
    bench_close(&bench);
}

static void
test_ipis(void)
{
    Bench bench;
    uint8_t page;

    open_three(&bench);
    write_apic(&bench, 1, ICR_HIGH, 2u << 24);
    write_apic(&bench, 1, ICR, 0x4060);
    g_assert_cmphex(who(&bench, 0x60), ==, 4);
    write_apic(&bench, 1, ICR, 0x44061); /* self */
    g_assert_cmphex(who(&bench, 0x61), ==, 2);
    write_apic(&bench, 1, ICR, 0x84062); /* all */
    g_assert_cmphex(who(&bench, 0x62), ==, 7);
    write_apic(&bench, 1, ICR, 0xc4063); /* all others */
    g_assert_cmphex(who(&bench, 0x63), ==, 5);
    /* INIT, its de-assert, SIPI */
    write_apic(&bench, 0, LVT_LINT0, 0x8700);
    write_apic(&bench, 0, ICR_HIGH, 2u << 24);
    write_apic(&bench, 0, ICR, 0xc500);
    g_assert_true(trpm_take_init(bench.cpu[2]));
    g_assert_cmphex(read_apic(&bench, 2, SVR), ==, 0xff);
    g_assert_cmphex(read_apic(&bench, 2, 0x20), ==, 2u << 24);
    write_apic(&bench, 0, ICR, 0x8500);
    g_assert_false(trpm_take_init(bench.cpu[2]));
    write_apic(&bench, 0, ICR, 0x4608);
    g_assert_true(cpum_pending(bench.cpu[2]) & CPUM_PEND_SIPI);
    g_assert_true(trpm_take_sipi(bench.cpu[2], &page));
    g_assert_cmphex(page, ==, 8);
    g_assert_false(trpm_take_sipi(bench.cpu[2], &page));
    /* NMI to all others */
    write_apic(&bench, 0, ICR, 0xc4400);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    g_assert_cmpint(take(&bench, 1), ==, 2);
    bench_close(&bench);
}

/* --- x2APIC --- */

static void
test_x2apic(void)
{
    /* clang-format off */
    static const struct { uint32_t msr; uint64_t value; bool ok; } rows[] = {
        {0x808, 0x20, true},  {0x808, 0x100, false}, {0x80b, 0, true},       {0x80b, 1, false},
        {0x80d, 0, false},    {0x80e, 0, false},     {0x80f, 0x1ff, true},   {0x80f, 0x1000, false},
        {0x828, 0, true},     {0x828, 1, false},     {0x832, 0x400ff, true}, {0x832, 0x80000, false},
        {0x835, 0x700, true}, {0x835, 0x20000, false}, {0x831, 0, false},    {0x838, 1000, true},
        {0x83e, 0xb, true},   {0x83e, 4, false},     {0x839, 0, false},      {0x802, 0, false},
    };
    /* clang-format on */
    const uint64_t on = BASE | 0xc00;
    Bench bench;
    uint64_t value;

    bench_open_cpus(&bench, 3, true);
    g_assert_false(cpum_rdmsr(bench.cpu[0], 0x802, &value));
    g_assert_false(cpum_wrmsr(bench.cpu[0], X86_MSR_APIC_BASE, BASE | 0x400));
    for (unsigned i = 0; i < 3; i++) {
        g_assert_true(cpum_wrmsr(bench.cpu[i], X86_MSR_APIC_BASE, on));
        g_assert_true(cpum_wrmsr(bench.cpu[i], 0x80f, 0x1ff));
        cpum_unpend(bench.cpu[i], UINT32_MAX);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (cpum_wrmsr(bench.cpu[0], rows[i].msr, rows[i].value) != rows[i].ok)
            g_error("row %u", i);
    }
    g_assert_true(cpum_rdmsr(bench.cpu[2], 0x802, &value));
    g_assert_cmphex(value, ==, 2);
    g_assert_true(cpum_rdmsr(bench.cpu[2], 0x80d, &value));
    g_assert_cmphex(value, ==, 4);
    g_assert_cmphex(read_apic(&bench, 0, SVR), ==, UINT32_MAX); /* the page is dead */
    g_assert_true(cpum_wrmsr(bench.cpu[0], 0x808, 0));
    g_assert_true(cpum_wrmsr(bench.cpu[0], X2_ICR, 2ull << 32 | 0x4055));
    g_assert_cmpint(take(&bench, 2), ==, 0x55);
    g_assert_true(cpum_wrmsr(bench.cpu[0], X2_ICR, 6ull << 32 | 0x4856)); /* logical 1 and 2 */
    g_assert_cmpint(take(&bench, 1), ==, 0x56);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    g_assert_true(cpum_wrmsr(bench.cpu[0], 0x83f, 0x57));
    g_assert_cmpint(take(&bench, 0), ==, 0x57);
    /* Back only by way of "off". */
    g_assert_false(cpum_wrmsr(bench.cpu[0], X86_MSR_APIC_BASE, BASE | 0x800));
    g_assert_true(cpum_wrmsr(bench.cpu[0], X86_MSR_APIC_BASE, BASE));
    g_assert_false(cpum_wrmsr(bench.cpu[0], X86_MSR_APIC_BASE, on));
    bench_close(&bench);
}

/* --- other threads, saved state --- */

static gpointer
flood(gpointer user)
{
    for (unsigned i = 0; i < 100000; i++)
        send(user, (uint8_t)(0x20 + i % 0xd0), false);
    return NULL;
}

/* Every vector that was sent arrives, whatever the timing. */
static void
test_threads(void)
{
    Bench bench;
    GThread *thread;
    unsigned seen[256] = {0};
    bool running = true;

    bench_open(&bench);
    thread = g_thread_new("flood", flood, &bench);
    for (unsigned idle = 0; idle < 2;) {
        const int vector = take(&bench, 0);

        if (vector >= 0) {
            seen[vector]++;
            write_apic(&bench, 0, EOI, 0);
            idle = 0;
        } else if (running && cpum_pending(bench.cpu[0]) == 0 && seen[0x20] > 0) {
            g_thread_join(thread);
            running = false;
        } else if (!running) {
            idle++;
        }
    }
    if (running)
        g_thread_join(thread);
    for (unsigned i = 0x20; i < 0xf0; i++)
        g_assert_cmpuint(seen[i], >, 0);
    bench_close(&bench);
}

/* A guest may write anything anywhere. */
static void
test_hostile(void)
{
    static const uint32_t msrs[] = {X86_MSR_APIC_BASE, X86_MSR_TSC_DEADLINE, X86_MSR_TSC,
                                    X86_MSR_TSC_ADJUST};
    Bench bench;
    GRand *random = g_rand_new_with_seed(3);
    unsigned taken = 0;

    open_three(&bench);
    for (unsigned i = 0; i < 200000; i++) {
        const unsigned cpu = (unsigned)g_rand_int_range(random, 0, 3);
        const uint32_t value = g_rand_int(random) >> g_rand_int_range(random, 0, 32);
        const uint64_t wide = (uint64_t)g_rand_int(random) << 32 | value;
        uint8_t page;

        switch (g_rand_int_range(random, 0, 8)) {
        case 0: cpum_wrmsr(bench.cpu[cpu], 0x800 + (value & 0x3f), wide); break;
        case 1:
            if (g_rand_int_range(random, 0, 20) == 0)
                cpum_wrmsr(bench.cpu[cpu], msrs[value & 3], wide);
            break;
        case 2: trpm_msi(bench.trpm, wide, value); break;
        case 3: advance(&bench, value & 0xffff); break;
        case 4: trpm_pic_line(bench.trpm, value & 1); break;
        case 5:
            trpm_take_init(bench.cpu[cpu]);
            trpm_take_sipi(bench.cpu[cpu], &page);
            taken += take(&bench, cpu) >= 0;
            bench.cpu[cpu]->nmi_blocked = 0;
            break;
        case 6: pgm_cpu_phys_read(bench.cpu[cpu], BASE + (value & 0xfff), 4); break;
        default: write_apic(&bench, cpu, (i * 16) & 0xff0, value);
        }
        pgm_flush_tlb(bench.cpu[cpu], true);
    }
    g_assert_cmpuint(taken, >, 100);
    g_rand_free(random);
    bench_close(&bench);
}

static void
test_state(void)
{
    Bench bench;
    Ssm *ssm = ssm_new();
    const int fd = memfd_create("state", 0);
    g_autoptr(GError) error = NULL;

    bench_open(&bench);
    trpm_ssm_register(bench.trpm, ssm);
    send(&bench, 0x45, true);
    send(&bench, 0x65, false);
    g_assert_cmpint(take(&bench, 0), ==, 0x65);
    write_apic(&bench, 0, TPR, 0x10);
    g_assert_true(ssm_save(ssm, fd, &error));
    trpm_reset(bench.trpm);
    lseek(fd, 0, SEEK_SET);
    g_assert_true(ssm_load(ssm, fd, &error));
    g_assert_no_error(error);
    pgm_flush_tlb(bench.cpu[0], true);
    g_assert_cmphex(read_apic(&bench, 0, PPR), ==, 0x60);
    g_assert_cmpint(take(&bench, 0), ==, -1);
    write_apic(&bench, 0, EOI, 0);
    g_assert_cmpint(take(&bench, 0), ==, 0x45);
    write_apic(&bench, 0, EOI, 0);
    g_assert_cmpstr(bench.eois->str, ==, "45 ");
    ssm_free(ssm);
    close(fd);
    bench_close(&bench);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trpm/priorities", test_priorities);
    g_test_add_func("/trpm/blocking", test_blocking);
    g_test_add_func("/trpm/nmi", test_nmi);
    g_test_add_func("/trpm/eoi", test_eoi);
    g_test_add_func("/trpm/virtual-wire", test_virtual_wire);
    g_test_add_func("/trpm/without-apic", test_without_apic);
    g_test_add_func("/trpm/apic-off", test_apic_off);
    g_test_add_func("/trpm/registers", test_registers);
    g_test_add_func("/trpm/errors", test_errors);
    g_test_add_func("/trpm/timer/one-shot", test_timer_one_shot);
    g_test_add_func("/trpm/timer/periodic", test_timer_periodic);
    g_test_add_func("/trpm/timer/storm", test_timer_storm);
    g_test_add_func("/trpm/timer/deadline", test_timer_deadline);
    g_test_add_func("/trpm/destinations", test_destinations);
    g_test_add_func("/trpm/lowest-priority", test_lowest_priority);
    g_test_add_func("/trpm/ipis", test_ipis);
    g_test_add_func("/trpm/x2apic", test_x2apic);
    g_test_add_func("/trpm/threads", test_threads);
    g_test_add_func("/trpm/hostile", test_hostile);
    g_test_add_func("/trpm/state", test_state);
    return g_test_run();
}
