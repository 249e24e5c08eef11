/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The engine: one recompiler for each virtual CPU, its run, its statistics. */
#include "vmm/rem/rem-private.h"

#include "vmm/base/cpu-features.h"
#include "vmm/base/guest-thread.h"
#include "vmm/iem/iem.h"
#include "vmm/tm/tm.h"
#include "vmm/x86/x86-decode.h"

static const uint8_t *
on_site(Vcpu *vcpu, uint32_t number, uint64_t argument)
{
    RemVcpu *rem = rem_of(vcpu);
    const RemSite *site = &rem->sites[number];
    const uint8_t *code = site->call(vcpu, site, argument);

    rem_returns_check(rem);
    return code;
}

static void
run_blocks(Vcpu *vcpu)
{
    const uint8_t *code = rem_go_on(vcpu);

    rem_returns_check(rem_of(vcpu));
    if (code != NULL)
        rem_trampoline_enter(rem_of(vcpu), code);
}

/* One by one by IEM, while a path is recorded. */
static void
run_recorded(Vcpu *vcpu)
{
    RemVcpu *rem = rem_of(vcpu);

    rem_vector_sync(vcpu);
    do {
        iem_step_cached(vcpu);
        rem->leaves = !iem_settle(vcpu, &rem->exit);
    } while (!rem->leaves && vcpu->retired < rem->end && !iem_wants_care(vcpu) &&
             rem_record_step(vcpu));
}

/* Until the end of the budget, or an exit. */
static EmExit
run_to_end(Vcpu *vcpu)
{
    RemVcpu *rem = rem_of(vcpu);
    bool ok;

    while (vcpu->retired < rem->end && !rem->stops) {
        const bool records = rem_record_step(vcpu);

        if (rem->care || iem_wants_care(vcpu)) {
            EmExit exit;

            iem_end(vcpu);
            rem_vector_sync(vcpu);
            rem->care = false;
            exit = iem_engine.run(vcpu, 1);
            iem_begin(vcpu);
            if (exit != EM_EXIT_BUDGET)
                return exit;
            continue;
        }
        rem->leaves = false;
        ok = iem_guard(vcpu, records ? run_recorded : run_blocks);
        if (!ok)
            return EM_EXIT_SHUTDOWN;
        if (vcpu->activity == CPUM_HALTED && !rem->leaves)
            return EM_EXIT_HALT;
        if (rem->leaves)
            return rem->exit;
    }
    return EM_EXIT_BUDGET;
}

static EmExit
run(Vcpu *vcpu, uint64_t budget)
{
    RemVcpu *rem = rem_of(vcpu);
    BaseGuestThread before;
    EmExit exit;

    rem->end = budget > UINT64_MAX - vcpu->retired ? UINT64_MAX : vcpu->retired + budget;
    rem->start = vcpu->retired;
    rem->care = rem->stops = false;
    base_guest_thread_enter(&before);
    base_guest_thread_set_gs(vcpu);
    rem_cache_enter(vcpu);
    iem_begin(vcpu);
    exit = run_to_end(vcpu);
    iem_end(vcpu);
    base_guest_thread_leave(&before);
    return exit;
}

static EmExit
rem_run(Vcpu *vcpu, uint64_t budget)
{
    const EmExit exit = run(vcpu, budget);

    rem_vector_sync(vcpu);
    return exit;
}

static bool
rem_probe(GError **error)
{
    return true;
}

static unsigned
rem_rank(void)
{
    return EM_RANK_RECOMPILER;
}

static void *
rem_vm_create(const EmRooms *rooms, GError **error)
{
    return g_memdup2(rooms, sizeof *rooms);
}

static void
rem_vcpu_destroy(Vcpu *vcpu)
{
    RemVcpu *rem = rem_of(vcpu);

    if (rem == NULL)
        return;
    rem_cache_clear(rem);
    g_free(rem->fallback_rows);
    g_free(rem->spare_insn);
    g_free(rem->translator);
    g_free(rem->recorder);
    g_free(rem);
    vcpu->rem_vcpu = NULL;
}

static bool
rem_vcpu_create(void *engine_vm, Vcpu *vcpu, GError **error)
{
    RemVcpu *rem = g_new0(RemVcpu, 1);
    RemHot *hot = rem_hot(vcpu);
    BaseCpuid leaf;

    vcpu->rem_vcpu = rem;
    rem->vcpu = vcpu;
    rem->fallback_rows = g_new0(uint64_t, ZYDIS_MNEMONIC_MAX_VALUE + 1);
    rem->spare_insn = g_malloc0(iem_insn_size());
    rem->generation = pgm_generation(vcpu->pgm);
    rem->exact = vcpu->tm == NULL || tm_is_deterministic(vcpu->tm);
    base_cpuid(7, 0, &leaf);
    rem->bmi2 = (leaf.ebx >> 8) & 1;
    rem_translator_init(rem);
    rem_record_init(rem);
    hot->self = (uint64_t)(uintptr_t)vcpu;
    hot->on_site = (uint64_t)(uintptr_t)on_site;
    if (!rem_cache_init(rem, error)) {
        rem_vcpu_destroy(vcpu);
        return false;
    }
    rem_cache_watch(rem);
    return true;
}

static bool
rem_can_run(const Vcpu *vcpu)
{
    return true;
}

static void
rem_forget(Vcpu *vcpu)
{
    rem_cache_flush(rem_of(vcpu));
}

const EmEngine rem_engine = {
    .name = "rem",
    .title = "Recompiler",
    .probe = rem_probe,
    .rank = rem_rank,
    .counts = true,
    .vm_create = rem_vm_create,
    .vm_destroy = g_free,
    .vcpu_create = rem_vcpu_create,
    .vcpu_destroy = rem_vcpu_destroy,
    .can_run = rem_can_run,
    .run = rem_run,
    .forget = rem_forget,
    .info = rem_info,
};
