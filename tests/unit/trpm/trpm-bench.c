/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * See trpm-bench.h. */
#include "tests/unit/trpm/trpm-bench.h"

#include <string.h>

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

void
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

void
bench_write(Bench *bench, unsigned cpu, uint32_t reg, uint32_t value)
{
    pgm_cpu_phys_write(bench->cpu[cpu], BASE + reg, value, 4);
}

uint32_t
bench_read(Bench *bench, unsigned cpu, uint32_t reg)
{
    return (uint32_t)pgm_cpu_phys_read(bench->cpu[cpu], BASE + reg, 4);
}

/* One CPU whose APIC is on. */
void
bench_open(Bench *bench)
{
    bench_open_cpus(bench, 1, true);
    bench_write(bench, 0, SVR, 0x1ff);
}

void
bench_close(Bench *bench)
{
    trpm_free(bench->trpm);
    tm_free(bench->tm);
    pgm_free(bench->pgm);
    iom_free(bench->iom);
    cpum_free(bench->cpum);
    g_string_free(bench->eois, TRUE);
}

int
bench_take(Bench *bench, unsigned cpu)
{
    bool nmi;
    const int vector = trpm_take_interrupt(bench->cpu[cpu], &nmi);

    g_assert_true(!nmi || vector == 2);
    return vector;
}

void
bench_send(Bench *bench, uint8_t vector, bool level)
{
    trpm_apic_message(bench->trpm, 0, false, TRPM_FIXED, vector, level);
}

bool
bench_is_pending(Bench *bench, uint32_t bit)
{
    return cpum_pending(bench->cpu[0]) & bit;
}

void
bench_advance(Bench *bench, uint64_t ns)
{
    tm_skip_to(bench->tm, tm_now(bench->tm) + ns);
    for (unsigned i = 0; i < cpum_count(bench->cpum); i++)
        tm_run_timers(bench->cpu[i]);
}

void
bench_open_three(Bench *bench)
{
    bench_open_cpus(bench, 3, true);
    for (unsigned i = 0; i < 3; i++) {
        bench_write(bench, i, SVR, 0x1ff);
        bench_write(bench, i, LDR, 1u << (24 + i));
    }
}
