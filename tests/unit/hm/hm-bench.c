/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The machine of the tests of HM. */
#include "tests/unit/hm/hm-bench.h"

#include <string.h>

#define LIMIT_NS 10000000000ull
#define POLL_NS 2000000ull

/* A CPU that halted with interrupts off would wait for ever: the timer ends the run. */
static void
on_limit(void *user)
{
    HmBench *bench = user;
    const uint64_t now = tm_now(bench->rooms.tm);
    const bool halted = bench->vcpu->activity == CPUM_HALTED && !(bench->vcpu->rflags & X86_FL_IF);

    bench->late = now >= LIMIT_NS && !halted;
    if (halted || bench->late)
        cpum_pend(bench->vcpu, CPUM_PEND_REQUEST);
    else
        tm_timer_set(bench->limit, now + POLL_NS);
}

static bool
make_rooms(HmBench *bench, GError **error)
{
    const CpumConfig cpu = {
        .cpus = 1, .pae = true, .long_mode = true, .apic = true, .x2apic = true, .nx = true};
    const TmConfig time = {.deterministic = false};
    const EmConfig config = {.engine = "hm"};
    EmRooms *rooms = &bench->rooms;

    rooms->cpum = cpum_new(&cpu, NULL);
    rooms->iom = iom_new();
    rooms->pgm = pgm_new(rooms->cpum, rooms->iom, NULL);
    g_assert_true(pgm_ram_setup(rooms->pgm, HM_BENCH_RAM, 0, NULL));
    rooms->tm = tm_new(rooms->cpum, &time, NULL);
    rooms->trpm = trpm_new(rooms->cpum, rooms->pgm, rooms->iom, rooms->tm, true, NULL);
    bench->vcpu = cpum_vcpu(rooms->cpum, 0);
    bench->limit = tm_timer_new(rooms->tm, "limit", on_limit, bench);
    bench->em = em_new(rooms, &config, error);
    return bench->em != NULL;
}

bool
hm_bench_open(HmBench *bench)
{
    g_autoptr(GError) error = NULL;

    *bench = (HmBench){0};
    if (hm_host()->kind == HM_HOST_NONE) {
        g_test_skip(hm_host()->reason);
        return false;
    }
    make_rooms(bench, &error);
    g_assert_no_error(error);
    return true;
}

void
hm_bench_close(HmBench *bench)
{
    em_free(bench->em);
    trpm_free(bench->rooms.trpm);
    tm_timer_free(bench->limit);
    tm_free(bench->rooms.tm);
    pgm_free(bench->rooms.pgm);
    iom_free(bench->rooms.iom);
    cpum_free(bench->rooms.cpum);
}

uint8_t *
hm_bench_ram(const HmBench *bench, uint32_t gpa)
{
    return (uint8_t *)pgm_mem_host(pgm_ram_mem(bench->rooms.pgm)) + gpa;
}

void
hm_bench_load(HmBench *bench, const void *code, size_t size)
{
    Vcpu *vcpu = bench->vcpu;

    cpum_reset(vcpu, false);
    memcpy(hm_bench_ram(bench, HM_BENCH_CODE), code, size);
    vcpu->seg[X86_CS].sel = 0;
    vcpu->seg[X86_CS].base = 0;
    vcpu->rip = HM_BENCH_CODE;
    vcpu->gpr[X86_RSP] = HM_BENCH_STACK;
    cpum_update_mode(vcpu);
    pgm_flush_tlb(vcpu, true);
}

EmResult
hm_bench_run(HmBench *bench)
{
    EmResult result;

    bench->late = false;
    tm_timer_set(bench->limit, tm_now(bench->rooms.tm) + POLL_NS);
    tm_resume(bench->rooms.tm);
    result = em_run(bench->vcpu);
    cpum_unpend(bench->vcpu, CPUM_PEND_REQUEST);
    tm_pause(bench->rooms.tm);
    tm_timer_cancel(bench->limit);
    g_assert_false(bench->late);
    return result;
}
