/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * See pgm-bench.h. */
#include "tests/unit/pgm/pgm-bench.h"

#include <string.h>

void
bench_open(Bench *bench)
{
    const CpumConfig config = {
        .cpus = 1, .pae = true, .long_mode = true, .apic = true, .x2apic = true, .nx = true};

    bench->cpum = cpum_new(&config, NULL);
    bench->iom = iom_new();
    bench->pgm = pgm_new(bench->cpum, bench->iom, NULL);
    bench->vcpu = cpum_vcpu(bench->cpum, 0);
    g_assert_true(pgm_ram_setup(bench->pgm, BENCH_LOW, BENCH_HIGH, NULL));
    pgm_flush_tlb(bench->vcpu, true);
}

void
bench_close(Bench *bench)
{
    pgm_free(bench->pgm);
    iom_free(bench->iom);
    cpum_free(bench->cpum);
}

static uint8_t *
host_of(const Bench *bench, uint64_t gpa)
{
    return (uint8_t *)pgm_mem_host(pgm_ram_mem(bench->pgm)) + gpa;
}

void
bench_put64(const Bench *bench, uint64_t gpa, uint64_t value)
{
    memcpy(host_of(bench, gpa), &value, sizeof value);
}

void
bench_put32(const Bench *bench, uint64_t gpa, uint32_t value)
{
    memcpy(host_of(bench, gpa), &value, sizeof value);
}

uint64_t
bench_get64(const Bench *bench, uint64_t gpa)
{
    uint64_t value;

    memcpy(&value, host_of(bench, gpa), sizeof value);
    return value;
}

uint32_t
bench_get32(const Bench *bench, uint64_t gpa)
{
    uint32_t value;

    memcpy(&value, host_of(bench, gpa), sizeof value);
    return value;
}

void
bench_paging(Bench *bench, BenchPaging paging, uint64_t cr3, uint64_t cr0, uint64_t cr4,
             uint64_t efer)
{
    Vcpu *vcpu = bench->vcpu;
    const uint64_t old_cr0 = vcpu->cr0, old_cr4 = vcpu->cr4, old_efer = vcpu->efer;

    vcpu->cr3 = cr3;
    vcpu->cr0 = X86_CR0_PE | X86_CR0_PG | cr0;
    vcpu->cr4 = cr4 | (paging == PAGING_32 ? 0 : X86_CR4_PAE);
    vcpu->efer = efer | (paging == PAGING_LONG ? X86_EFER_LME | X86_EFER_LMA : 0);
    g_assert_true(pgm_paging_changed(vcpu, old_cr0, old_cr4, old_efer));
    g_assert_true(pgm_cr3_changed(vcpu));
    pgm_flush_tlb(vcpu, true);
}

bool
bench_read(Bench *bench, uint64_t linear, CpumTlbKind kind, unsigned size, uint64_t *value)
{
    CpumTlbEntry *entry = cpum_tlb_entry(bench->vcpu, kind, linear);
    PgmFault fault;

    *value = 0;
    if ((entry->tag_read & ~3ull) != (linear & ~0xfffull) &&
        !pgm_tlb_fill(bench->vcpu, linear, PGM_READ, kind, &fault))
        return false;
    if (entry->tag_read == (linear & ~0xfffull))
        memcpy(value, (const void *)(uintptr_t)(entry->addend + linear), size);
    else
        *value = pgm_slow_read(bench->vcpu, linear, size, kind);
    return true;
}

bool
bench_write(Bench *bench, uint64_t linear, CpumTlbKind kind, unsigned size, uint64_t value)
{
    CpumTlbEntry *entry = cpum_tlb_entry(bench->vcpu, kind, linear);
    PgmFault fault;

    if ((entry->tag_write & ~3ull) != (linear & ~0xfffull) &&
        !pgm_tlb_fill(bench->vcpu, linear, PGM_WRITE, kind, &fault))
        return false;
    if (entry->tag_write == (linear & ~0xfffull))
        memcpy((void *)(uintptr_t)(entry->addend + linear), &value, size);
    else
        pgm_slow_write(bench->vcpu, linear, value, size, kind);
    return true;
}
