/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The local APIC's registers, errors and timer. Intel SDM volume 3A sections 11.4 and 11.5. */
#include "tests/unit/trpm/trpm-bench.h"

static void
test_registers(void)
{
    Bench bench;

    bench_open(&bench);
    g_assert_cmphex(bench_read(&bench, 0, 0x20), ==, 0);
    g_assert_cmphex(bench_read(&bench, 0, 0x30), ==, 0x50014);
    g_assert_cmphex(bench_read(&bench, 0, DFR), ==, UINT32_MAX);
    bench_write(&bench, 0, DFR, 0);
    g_assert_cmphex(bench_read(&bench, 0, DFR), ==, 0x0fffffff);
    bench_write(&bench, 0, LDR, 0x12345678);
    g_assert_cmphex(bench_read(&bench, 0, LDR), ==, 0x12000000);
    bench_write(&bench, 0, LVT_LINT0, 0x8700);
    g_assert_cmphex(bench_read(&bench, 0, LVT_LINT0), ==, 0x8700);
    /* Software-disabled: everything is masked and stays so. */
    bench_write(&bench, 0, SVR, 0xff);
    g_assert_cmphex(bench_read(&bench, 0, LVT_LINT0), ==, 0x18700);
    bench_write(&bench, 0, LVT_LINT0, 0x8700);
    g_assert_cmphex(bench_read(&bench, 0, LVT_LINT0), ==, 0x18700);
    bench_send(&bench, 0x50, false);
    g_assert_cmphex(bench_read(&bench, 0, IRR + 0x20), ==, 0);
    /* A byte and a word of a register. */
    g_assert_cmphex(pgm_cpu_phys_read(bench.cpu[0], BASE + LVT_LINT0 + 1, 1), ==, 0x87);
    bench_close(&bench);
}

static void
test_errors(void)
{
    Bench bench;

    bench_open(&bench);
    bench_write(&bench, 0, LVT_ERROR, 0xfe);
    bench_write(&bench, 0, ICR, 0x40005); /* vector 5 to itself */
    g_assert_cmpint(bench_take(&bench, 0), ==, 0xfe);
    g_assert_cmphex(bench_read(&bench, 0, ESR), ==, 0); /* only after a write */
    bench_write(&bench, 0, ESR, 0);
    g_assert_cmphex(bench_read(&bench, 0, ESR), ==, 1u << 5);
    bench_write(&bench, 0, ESR, 0);
    g_assert_cmphex(bench_read(&bench, 0, ESR), ==, 0);
    bench_send(&bench, 7, false);
    bench_read(&bench, 0, 0x3d0);
    bench_write(&bench, 0, ESR, 0);
    g_assert_cmphex(bench_read(&bench, 0, ESR), ==, 1u << 6 | 1u << 7);
    bench_close(&bench);
}

static void
test_timer_one_shot(void)
{
    Bench bench;

    bench_open(&bench);
    bench_write(&bench, 0, LVT_TIMER, 0x44);
    bench_write(&bench, 0, 0x3e0, 3); /* 16 ns */
    bench_write(&bench, 0, 0x380, 1000);
    bench_advance(&bench, 8000);
    g_assert_cmpuint(bench_read(&bench, 0, 0x390), ==, 500);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    bench_write(&bench, 0, 0x3e0, 0xb); /* 1 ns: the count goes on from 500 */
    g_assert_cmpuint(bench_read(&bench, 0, 0x390), ==, 500);
    bench_advance(&bench, 499);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    bench_advance(&bench, 1);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x44);
    g_assert_cmpuint(bench_read(&bench, 0, 0x390), ==, 0);
    bench_advance(&bench, 100000);
    bench_write(&bench, 0, EOI, 0);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    bench_close(&bench);
}

static void
test_timer_periodic(void)
{
    Bench bench;

    bench_open(&bench);
    bench_write(&bench, 0, LVT_TIMER, 0x20044);
    bench_write(&bench, 0, 0x3e0, 0xb);
    bench_write(&bench, 0, 0x380, 100000);
    for (unsigned i = 0; i < 5; i++) {
        bench_advance(&bench, 99999);
        g_assert_cmpint(bench_take(&bench, 0), ==, -1);
        g_assert_cmpuint(bench_read(&bench, 0, 0x390), ==, 1);
        bench_advance(&bench, 1);
        g_assert_cmpint(bench_take(&bench, 0), ==, 0x44);
        bench_write(&bench, 0, EOI, 0);
    }
    /* Ticks that were missed are one; the phase stays. */
    bench_advance(&bench, 350000);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x44);
    bench_write(&bench, 0, EOI, 0);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    bench_advance(&bench, 50000);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x44);
    bench_write(&bench, 0, EOI, 0);
    bench_write(&bench, 0, 0x380, 0);
    bench_advance(&bench, 1000000);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    bench_close(&bench);
}

/* A guest that wants a tick each nanosecond does not stop the machine. */
static void
test_timer_storm(void)
{
    Bench bench;

    bench_open(&bench);
    bench_write(&bench, 0, LVT_TIMER, 0x20044);
    bench_write(&bench, 0, 0x3e0, 0xb);
    bench_write(&bench, 0, 0x380, 1);
    bench_advance(&bench, 1000000);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x44);
    g_assert_cmpuint(tm_next_deadline(bench.cpu[0]), >=, tm_now(bench.tm) + 1000);
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
    bench_write(&bench, 0, LVT_TIMER, 0x40044);
    g_assert_true(cpum_wrmsr(cpu, X86_MSR_TSC_DEADLINE, tm_tsc(cpu) + 500));
    bench_advance(&bench, 499);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    bench_advance(&bench, 1);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x44);
    g_assert_true(cpum_rdmsr(cpu, X86_MSR_TSC_DEADLINE, &value));
    g_assert_cmpuint(value, ==, 0);
    bench_write(&bench, 0, EOI, 0);
    /* In the past: at once. Zero: never. */
    g_assert_true(cpum_wrmsr(cpu, X86_MSR_TSC_DEADLINE, 1));
    bench_advance(&bench, 0);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x44);
    bench_write(&bench, 0, EOI, 0);
    g_assert_true(cpum_wrmsr(cpu, X86_MSR_TSC_DEADLINE, tm_tsc(cpu) + 10));
    g_assert_true(cpum_wrmsr(cpu, X86_MSR_TSC_DEADLINE, 0));
    bench_advance(&bench, 1000);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    /* The TSC was set back meanwhile: it waits for the value, not for the time. */
    g_assert_true(cpum_wrmsr(cpu, X86_MSR_TSC_DEADLINE, tm_tsc(cpu) + 100));
    tm_tsc_set(cpu, tm_tsc(cpu) - 300);
    bench_advance(&bench, 100);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    bench_advance(&bench, 300);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x44);
    bench_close(&bench);
}

/* Each CPU's APIC is where its own base says, for itself and for nobody else. */
static void
test_base(void)
{
    const uint64_t moved = 0x80000, on = 1 << 11, x2apic = 1 << 10;
    Bench bench;
    Vcpu *second;

    bench_open_cpus(&bench, 2, true);
    second = bench.cpu[1];
    g_assert_true(pgm_ram_setup(bench.pgm, 1 << 20, 0, NULL));
    pgm_cpu_phys_write(second, moved, 0x12345678, 4);
    g_assert_true(cpum_wrmsr(second, X86_MSR_APIC_BASE, moved | on));
    g_assert_cmphex(pgm_cpu_phys_read(second, moved + 0x20, 4), ==, 1u << 24);
    g_assert_cmphex(pgm_cpu_phys_read(second, BASE + 0x20, 4), ==, UINT32_MAX);
    g_assert_cmphex(pgm_cpu_phys_read(bench.cpu[0], BASE + 0x20, 4), ==, 0);
    g_assert_cmphex(pgm_cpu_phys_read(bench.cpu[0], moved, 4), ==, 0x12345678);
    /* In x2APIC mode and switched off there is no page. */
    g_assert_true(cpum_wrmsr(second, X86_MSR_APIC_BASE, moved | on | x2apic));
    g_assert_cmphex(pgm_cpu_phys_read(second, moved, 4), ==, 0x12345678);
    g_assert_true(cpum_wrmsr(second, X86_MSR_APIC_BASE, moved));
    g_assert_true(cpum_wrmsr(second, X86_MSR_APIC_BASE, BASE | on));
    g_assert_cmphex(pgm_cpu_phys_read(second, BASE + 0x20, 4), ==, 1u << 24);
    bench_close(&bench);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trpm/apic/registers", test_registers);
    g_test_add_func("/trpm/apic/base", test_base);
    g_test_add_func("/trpm/apic/errors", test_errors);
    g_test_add_func("/trpm/apic/timer/one-shot", test_timer_one_shot);
    g_test_add_func("/trpm/apic/timer/periodic", test_timer_periodic);
    g_test_add_func("/trpm/apic/timer/storm", test_timer_storm);
    g_test_add_func("/trpm/apic/timer/deadline", test_timer_deadline);
    return g_test_run();
}
