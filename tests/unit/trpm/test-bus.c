/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Messages between local APICs: destinations, lowest priority, IPIs, x2APIC; a guest that writes
 * anything anywhere. Intel SDM volume 3A sections 11.6 and 11.12. */
#include "tests/unit/trpm/trpm-bench.h"

/* Which CPUs got the vector, as a bit mask. */
static unsigned
who(Bench *bench, int vector)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < 3; i++) {
        if (bench_take(bench, i) == vector) {
            mask |= 1u << i;
            bench_write(bench, i, EOI, 0);
        }
    }
    return mask;
}

static void
test_destinations(void)
{
    Bench bench;

    bench_open_three(&bench);
    trpm_apic_message(bench.trpm, 2, false, TRPM_FIXED, 0x50, false);
    g_assert_cmphex(who(&bench, 0x50), ==, 4);
    trpm_apic_message(bench.trpm, 0xff, false, TRPM_FIXED, 0x51, false);
    g_assert_cmphex(who(&bench, 0x51), ==, 7);
    trpm_apic_message(bench.trpm, 5, true, TRPM_FIXED, 0x52, false);
    g_assert_cmphex(who(&bench, 0x52), ==, 5);
    /* Clusters: CPUs 0 and 1 in cluster 1, CPU 2 in cluster 2. */
    for (unsigned i = 0; i < 3; i++)
        bench_write(&bench, i, DFR, 0);
    bench_write(&bench, 0, LDR, 0x11000000);
    bench_write(&bench, 1, LDR, 0x12000000);
    bench_write(&bench, 2, LDR, 0x21000000);
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

    bench_open_three(&bench);
    bench_write(&bench, 0, TPR, 0x60);
    bench_write(&bench, 1, TPR, 0x20);
    bench_write(&bench, 2, TPR, 0x40);
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

    bench_open_three(&bench);
    bench_write(&bench, 1, ICR_HIGH, 2u << 24);
    bench_write(&bench, 1, ICR, 0x4060);
    g_assert_cmphex(who(&bench, 0x60), ==, 4);
    bench_write(&bench, 1, ICR, 0x44061); /* self */
    g_assert_cmphex(who(&bench, 0x61), ==, 2);
    bench_write(&bench, 1, ICR, 0x84062); /* all */
    g_assert_cmphex(who(&bench, 0x62), ==, 7);
    bench_write(&bench, 1, ICR, 0xc4063); /* all others */
    g_assert_cmphex(who(&bench, 0x63), ==, 5);
    /* INIT, its de-assert, SIPI */
    bench_write(&bench, 0, LVT_LINT0, 0x8700);
    bench_write(&bench, 0, ICR_HIGH, 2u << 24);
    bench_write(&bench, 0, ICR, 0xc500);
    g_assert_true(trpm_take_init(bench.cpu[2]));
    g_assert_cmphex(bench_read(&bench, 2, SVR), ==, 0xff);
    g_assert_cmphex(bench_read(&bench, 2, 0x20), ==, 2u << 24);
    bench_write(&bench, 0, ICR, 0x8500);
    g_assert_false(trpm_take_init(bench.cpu[2]));
    bench_write(&bench, 0, ICR, 0x4608);
    g_assert_true(cpum_pending(bench.cpu[2]) & CPUM_PEND_SIPI);
    g_assert_true(trpm_take_sipi(bench.cpu[2], &page));
    g_assert_cmphex(page, ==, 8);
    g_assert_false(trpm_take_sipi(bench.cpu[2], &page));
    /* NMI to all others */
    bench_write(&bench, 0, ICR, 0xc4400);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    g_assert_cmpint(bench_take(&bench, 1), ==, 2);
    bench_close(&bench);
}

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
    g_assert_cmphex(bench_read(&bench, 0, SVR), ==, UINT32_MAX); /* the page is dead */
    g_assert_true(cpum_wrmsr(bench.cpu[0], 0x808, 0));
    g_assert_true(cpum_wrmsr(bench.cpu[0], X2_ICR, 2ull << 32 | 0x4055));
    g_assert_cmpint(bench_take(&bench, 2), ==, 0x55);
    g_assert_true(cpum_wrmsr(bench.cpu[0], X2_ICR, 6ull << 32 | 0x4856)); /* logical 1 and 2 */
    g_assert_cmpint(bench_take(&bench, 1), ==, 0x56);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    g_assert_true(cpum_wrmsr(bench.cpu[0], 0x83f, 0x57));
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x57);
    /* Back only by way of "off". */
    g_assert_false(cpum_wrmsr(bench.cpu[0], X86_MSR_APIC_BASE, BASE | 0x800));
    g_assert_true(cpum_wrmsr(bench.cpu[0], X86_MSR_APIC_BASE, BASE));
    g_assert_false(cpum_wrmsr(bench.cpu[0], X86_MSR_APIC_BASE, on));
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

    bench_open_three(&bench);
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
        case 3: bench_advance(&bench, value & 0xffff); break;
        case 4: trpm_pic_line(bench.trpm, value & 1); break;
        case 5:
            trpm_take_init(bench.cpu[cpu]);
            trpm_take_sipi(bench.cpu[cpu], &page);
            taken += bench_take(&bench, cpu) >= 0;
            bench.cpu[cpu]->nmi_blocked = 0;
            break;
        case 6: pgm_cpu_phys_read(bench.cpu[cpu], BASE + (value & 0xfff), 4); break;
        default: bench_write(&bench, cpu, (i * 16) & 0xff0, value);
        }
        pgm_flush_tlb(bench.cpu[cpu], true);
    }
    g_assert_cmpuint(taken, >, 100);
    g_rand_free(random);
    bench_close(&bench);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trpm/bus/destinations", test_destinations);
    g_test_add_func("/trpm/bus/lowest-priority", test_lowest_priority);
    g_test_add_func("/trpm/bus/ipis", test_ipis);
    g_test_add_func("/trpm/bus/x2apic", test_x2apic);
    g_test_add_func("/trpm/bus/hostile", test_hostile);
    return g_test_run();
}
