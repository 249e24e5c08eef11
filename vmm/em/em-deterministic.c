/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Deterministic runs: budgets end exactly at the next timer's deadline or at the end that was asked
 * for, halts skip to the next deadline, and nothing looks at the host's clock. */
#include "vmm/em/em-private.h"

/* Deadlines in a row that a halted CPU sleeps through before a bounded run gives up: every
 * interrupt may be masked. */
#define SKIPS_MAX 1000000u

typedef enum { HALT_GOES_ON, HALT_FOREVER } HaltEnd;

static HaltEnd
skip_halt(Vcpu *vcpu, Tm *tm)
{
    const uint64_t deadline = tm_next_deadline(vcpu);

    if (deadline == UINT64_MAX)
        return HALT_FOREVER;
    tm_skip_to(tm, deadline);
    tm_run_timers(vcpu);
    return HALT_GOES_ON;
}

static bool
run_to_deadline(Vcpu *vcpu, Tm *tm, uint64_t end)
{
    const uint64_t before = vcpu->retired;
    const uint64_t deadline = tm_next_deadline(vcpu);
    uint64_t budget = end - before;
    bool ok;

    if (deadline != UINT64_MAX)
        budget = MIN(budget, tm_instructions_until(tm, deadline));
    if (budget == 0) {
        tm_run_timers(vcpu);
        return true;
    }
    ok = em_run_engine(vcpu, budget);
    tm_advance(tm, vcpu->retired - before);
    return ok;
}

EmResult
em_run_counted(Vcpu *vcpu, uint64_t end)
{
    EmVcpu *own = vcpu->em_vcpu;
    Tm *tm = own->em->rooms.tm;
    const bool bounded = end != UINT64_MAX;
    unsigned skips = 0;
    EmResult result;

    while (vcpu->retired < end) {
        if (cpum_pending(vcpu) != 0) {
            const uint64_t before = vcpu->retired;

            if (!em_act_on_pending(vcpu, &result))
                return result;
            tm_advance(tm, vcpu->retired - before);
        }
        if (vcpu->activity == CPUM_SHUTDOWN)
            return EM_RESULT_SHUTDOWN;
        if (vcpu->activity == CPUM_ACTIVE) {
            skips = 0;
            /* What was acted on may have retired the last instruction of the budget. */
            if (vcpu->retired < end && !run_to_deadline(vcpu, tm, end))
                return EM_RESULT_SHUTDOWN;
        } else if (cpum_pending(vcpu) == 0 && skip_halt(vcpu, tm) == HALT_FOREVER) {
            if (bounded)
                return EM_RESULT_BUDGET;
            base_waiter_wait_until(own->waiter, UINT64_MAX);
        } else if (bounded && ++skips > SKIPS_MAX) {
            return EM_RESULT_BUDGET;
        }
    }
    return EM_RESULT_BUDGET;
}
