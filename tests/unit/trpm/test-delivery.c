/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is delivered when: priorities, blocking, NMI, EOI, the PIC by virtual wire and without the
 * APIC, interrupts from other threads, saved state. Intel SDM volume 3A chapters 6 and 11. */
#include "tests/unit/trpm/trpm-bench.h"

#include <sys/mman.h>
#include <unistd.h>

static void
test_priorities(void)
{
    Bench bench;

    bench_open(&bench);
    bench_send(&bench, 0x31, false);
    bench_send(&bench, 0x52, false);
    bench_send(&bench, 0x58, false);
    g_assert_true(bench_is_pending(&bench, CPUM_PEND_INTERRUPT));
    g_assert_cmphex(bench_read(&bench, 0, IRR + 0x10), ==, 1u << 0x11);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x58);
    g_assert_cmphex(bench_read(&bench, 0, PPR), ==, 0x50);
    g_assert_cmphex(bench_read(&bench, 0, ISR + 0x20), ==, 1u << 0x18);
    /* The same class has to wait for the EOI, a higher one does not. */
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    bench_send(&bench, 0x61, false);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x61);
    bench_write(&bench, 0, EOI, 0);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    bench_write(&bench, 0, EOI, 0);
    g_assert_true(bench_is_pending(&bench, CPUM_PEND_INTERRUPT));
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x52);
    bench_write(&bench, 0, EOI, 0);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x31);
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
    bench_send(&bench, 0x40, false);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    /* Nothing is left that would make an engine leave over and over. */
    g_assert_false(bench_is_pending(&bench, CPUM_PEND_INTERRUPT));
    g_assert_false(trpm_should_wake(cpu));
    cpu->rflags |= X86_FL_IF;
    g_assert_true(trpm_should_wake(cpu));
    cpu->irq_shadow = 1;
    trpm_recheck(cpu);
    g_assert_true(bench_is_pending(&bench, CPUM_PEND_INTERRUPT));
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    cpu->irq_shadow = 0;
    trpm_set_tpr(cpu, 4);
    trpm_recheck(cpu);
    g_assert_false(bench_is_pending(&bench, CPUM_PEND_INTERRUPT));
    g_assert_cmphex(bench_read(&bench, 0, TPR), ==, 0x40);
    trpm_set_tpr(cpu, 3);
    g_assert_true(bench_is_pending(&bench, CPUM_PEND_INTERRUPT));
    g_assert_cmpuint(trpm_tpr(cpu), ==, 3);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x40);
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
    bench_send(&bench, 0x40, false);
    g_assert_true(trpm_should_wake(bench.cpu[0]));
    g_assert_cmpint(trpm_take_interrupt(bench.cpu[0], &nmi), ==, 2);
    g_assert_true(nmi);
    /* The next one waits for IRET. */
    trpm_nmi(bench.cpu[0]);
    g_assert_cmpint(trpm_take_interrupt(bench.cpu[0], &nmi), ==, -1);
    g_assert_false(bench_is_pending(&bench, CPUM_PEND_NMI));
    bench.cpu[0]->nmi_blocked = 0;
    trpm_recheck(bench.cpu[0]);
    g_assert_true(bench_is_pending(&bench, CPUM_PEND_NMI));
    g_assert_cmpint(trpm_take_interrupt(bench.cpu[0], &nmi), ==, 2);
    bench_close(&bench);
}

static void
test_eoi(void)
{
    Bench bench;

    bench_open(&bench);
    bench_send(&bench, 0x41, true);
    bench_send(&bench, 0x32, false);
    g_assert_cmphex(bench_read(&bench, 0, TMR + 0x20), ==, 1u << 1);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x41);
    bench_write(&bench, 0, EOI, 0);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x32);
    bench_write(&bench, 0, EOI, 0);
    bench_write(&bench, 0, EOI, 0); /* one too many */
    g_assert_cmpstr(bench.eois->str, ==, "41 ");
    bench_close(&bench);
}

static void
test_virtual_wire(void)
{
    Bench bench;

    bench_open(&bench);
    bench.pic_vector = 0x08;
    trpm_pic_line(bench.trpm, true);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1); /* LINT0 is masked */
    bench_write(&bench, 0, LVT_LINT0, 0x700);
    g_assert_true(bench_is_pending(&bench, CPUM_PEND_INTERRUPT));
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x08);
    g_assert_cmpuint(bench.pic_acks, ==, 1);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    /* It has no priority: the TPR does not hold it. */
    trpm_set_tpr(bench.cpu[0], 15);
    trpm_pic_line(bench.trpm, true);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x08);
    trpm_set_tpr(bench.cpu[0], 0);
    /* As a fixed interrupt the vector is the APIC's, at the rising edge. */
    bench_write(&bench, 0, LVT_LINT0, 0x35);
    trpm_pic_line(bench.trpm, true);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x35);
    trpm_pic_line(bench.trpm, true);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    trpm_pic_line(bench.trpm, false);
    /* As an NMI. */
    bench_write(&bench, 0, LVT_LINT0, 0x400);
    trpm_pic_line(bench.trpm, true);
    g_assert_cmpint(bench_take(&bench, 0), ==, 2);
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
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x70);
    bench_send(&bench, 0x50, false);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    g_assert_false(cpum_rdmsr(bench.cpu[0], X86_MSR_APIC_BASE, &value));
    g_assert_cmphex(bench_read(&bench, 0, SVR), ==, UINT32_MAX);
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
    g_assert_cmphex(bench_read(&bench, 0, SVR), ==, UINT32_MAX);
    bench_send(&bench, 0x50, false);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    trpm_pic_line(bench.trpm, true); /* on the INTR pin */
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x21);
    /* On again, in another place, as after a reset. */
    g_assert_true(cpum_wrmsr(cpu, X86_MSR_APIC_BASE, 0xfec80000 | 0x800));
    pgm_flush_tlb(cpu, true);
    g_assert_cmphex(pgm_cpu_phys_read(cpu, 0xfec80000 + SVR, 4), ==, 0xff);
    g_assert_cmphex(bench_read(&bench, 0, SVR), ==, UINT32_MAX);
    g_assert_false(cpum_wrmsr(cpu, X86_MSR_APIC_BASE, BASE | 0x801));
    g_assert_false(cpum_wrmsr(cpu, X86_MSR_APIC_BASE, 1ull << 40 | 0x800));
    bench_close(&bench);
}

static gpointer
flood(gpointer user)
{
    for (unsigned i = 0; i < 100000; i++)
        bench_send(user, (uint8_t)(0x20 + i % 0xd0), false);
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
        const int vector = bench_take(&bench, 0);

        if (vector >= 0) {
            seen[vector]++;
            bench_write(&bench, 0, EOI, 0);
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

static void
test_state(void)
{
    Bench bench;
    Ssm *ssm = ssm_new();
    const int fd = memfd_create("state", 0);
    g_autoptr(GError) error = NULL;

    bench_open(&bench);
    trpm_ssm_register(bench.trpm, ssm);
    bench_send(&bench, 0x45, true);
    bench_send(&bench, 0x65, false);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x65);
    bench_write(&bench, 0, TPR, 0x10);
    g_assert_true(ssm_save(ssm, fd, NULL, &error));
    trpm_reset(bench.trpm);
    lseek(fd, 0, SEEK_SET);
    g_assert_true(ssm_load(ssm, fd, NULL, &error));
    g_assert_no_error(error);
    pgm_flush_tlb(bench.cpu[0], true);
    g_assert_cmphex(bench_read(&bench, 0, PPR), ==, 0x60);
    g_assert_cmpint(bench_take(&bench, 0), ==, -1);
    bench_write(&bench, 0, EOI, 0);
    g_assert_cmpint(bench_take(&bench, 0), ==, 0x45);
    bench_write(&bench, 0, EOI, 0);
    g_assert_cmpstr(bench.eois->str, ==, "45 ");
    ssm_free(ssm);
    close(fd);
    bench_close(&bench);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trpm/delivery/priorities", test_priorities);
    g_test_add_func("/trpm/delivery/blocking", test_blocking);
    g_test_add_func("/trpm/delivery/nmi", test_nmi);
    g_test_add_func("/trpm/delivery/eoi", test_eoi);
    g_test_add_func("/trpm/delivery/virtual-wire", test_virtual_wire);
    g_test_add_func("/trpm/delivery/without-apic", test_without_apic);
    g_test_add_func("/trpm/delivery/apic-off", test_apic_off);
    g_test_add_func("/trpm/delivery/threads", test_threads);
    g_test_add_func("/trpm/delivery/state", test_state);
    return g_test_run();
}
