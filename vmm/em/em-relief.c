/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The stand-in: the fastest engine beside a chosen one that is partial on this host, for modes that
 * the chosen one does not run and for a while after it was slow. With several CPUs it takes over
 * all of them for good: what hardware writes on one CPU would be invisible to the translations of
 * another. */
#include "vmm/em/em-private.h"

/* For so long at a time; ever longer where the chosen engine is slow again and again. */
#define RELIEF_MIN_NS 20000000ull
#define RELIEF_MAX_NS 320000000ull

static const EmEngine *
engine_for_now(const Vcpu *vcpu)
{
    const EmVcpu *own = vcpu->em_vcpu;
    const EmEngine *chosen = own->em->engine;

    return chosen->can_run(vcpu) && base_clock_ns() >= own->relief_end ? chosen : own->em->stand_in;
}

/* No CPU is inside while the engine changes, and each looks when it enters next. */
static void
give_up(Vcpu *vcpu)
{
    Em *em = vcpu->em_vcpu->em;

    cpum_alone_begin(vcpu);
    em->engine = em->stand_in;
    cpum_alone_end(vcpu);
    cpum_leave(vcpu);
}

void
em_relieve(Vcpu *vcpu, bool slow)
{
    EmVcpu *own = vcpu->em_vcpu;
    const uint64_t now = base_clock_ns();
    const bool again = now - own->relief_end < own->relief_ns;

    atomic_fetch_add_explicit(&own->reliefs, 1, memory_order_relaxed);
    if (slow) {
        own->relief_ns = again ? MIN(own->relief_ns * 2, RELIEF_MAX_NS) : RELIEF_MIN_NS;
        own->relief_end = now + own->relief_ns;
    }
    if (cpum_count(vcpu->cpum) > 1 && own->engine != own->em->stand_in)
        give_up(vcpu);
    else
        em_switch_to(vcpu, engine_for_now(vcpu));
}

bool
em_follow(Vcpu *vcpu)
{
    if (G_LIKELY(vcpu->em_vcpu->engine == vcpu->em_vcpu->em->engine))
        return true;
    em_switch_to(vcpu, engine_for_now(vcpu));
    return vcpu->activity == CPUM_ACTIVE;
}

/* A stand-in is asked from time to time whether it is wanted yet. */
uint64_t
em_limit(const Vcpu *vcpu, uint64_t budget)
{
    const EmVcpu *own = vcpu->em_vcpu;

    return G_LIKELY(own->engine == own->em->engine) ? budget : MIN(budget, EM_STAND_IN_BUDGET);
}
