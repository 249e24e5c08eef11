/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From one engine to another: who holds the registers, and the interpreter standing in for an
 * engine that cannot go on. An engine without `counts` is hardware: memory that it writes is not
 * reported, so nothing that was decoded or walked before may be used after it. Design section 5
 * "Memory". */
#include "vmm/em/em-private.h"

#include "vmm/iem/iem.h"

/* An engine that needs help again within this time is of no use for the code at hand; the
 * interpreter then takes ever longer parts of it. */
#define USEFUL_NS 200000ull
#define BURST_MAX 1000000ull
/* Past a place where the engine is stuck. */
#define STUCK_BURST 100000ull

static bool
deliver(Vcpu *vcpu, const EmEvent *event)
{
    const IemEventKind kind = event->nmi         ? IEM_EVENT_NMI
                              : event->exception ? IEM_EVENT_EXCEPTION
                                                 : IEM_EVENT_EXTERNAL;

    const bool entered = em_enter(vcpu);
    const EmExit exit =
        iem_deliver(vcpu, kind, event->vector, event->error_code, event->fault_address);

    if (entered)
        cpum_leave(vcpu);
    return exit != EM_EXIT_SHUTDOWN;
}

bool
em_take_state(Vcpu *vcpu, bool *event)
{
    const EmEngine *engine = vcpu->em_vcpu->engine;
    EmEvent left;

    *event = false;
    if (engine->sync_out == NULL)
        return true;
    engine->sync_out(vcpu);
    if (!engine->counts)
        pgm_flush_tlb(vcpu, true);
    if (engine->take_event == NULL || !engine->take_event(vcpu, &left))
        return true;
    *event = true;
    if (deliver(vcpu, &left)) {
        em_give_state(vcpu);
        return true;
    }
    vcpu->activity = CPUM_SHUTDOWN;
    em_give_state(vcpu);
    return false;
}

void
em_give_state(Vcpu *vcpu)
{
    const EmEngine *engine = vcpu->em_vcpu->engine;

    if (engine->sync_in != NULL)
        engine->sync_in(vcpu);
}

void
em_switch_to(Vcpu *vcpu, const EmEngine *next)
{
    EmVcpu *own = vcpu->em_vcpu;
    const bool unseen = !own->engine->counts;
    bool event;

    if (next == own->engine)
        return;
    em_take_state(vcpu, &event);
    own->engine = next;
    if (!next->counts && own->slices > 0) {
        own->slices = 0;
        tm_set_polled(vcpu, false);
    }
    if (unseen && next->forget != NULL)
        next->forget(vcpu);
    em_give_state(vcpu);
}

/* --- standing in --- */

/* Other CPUs may run on the hardware at the same time and change code unseen: then nothing that was
 * decoded is kept. */
static EmExit
interpret(Vcpu *vcpu, uint64_t count)
{
    EmExit exit = EM_EXIT_BUDGET;

    if (count > 1 && cpum_count(vcpu->cpum) == 1) {
        iem_engine.forget(vcpu);
        return iem_engine.run(vcpu, count);
    }
    while (count-- > 0 && exit == EM_EXIT_BUDGET)
        exit = iem_step(vcpu);
    return exit;
}

static uint64_t
next_burst(EmVcpu *own, uint64_t began, bool stuck)
{
    if (stuck)
        return own->burst = CLAMP(own->burst * 2, STUCK_BURST, BURST_MAX);
    if (own->engine->counts)
        return 1;
    own->burst = base_clock_ns() - began < USEFUL_NS ? MIN(own->burst * 2, BURST_MAX) : 1;
    return own->burst;
}

static bool
stand_in(Vcpu *vcpu, uint64_t count)
{
    EmVcpu *own = vcpu->em_vcpu;
    EmTime *time = &own->in[em_index(&iem_engine)];
    const uint64_t before = vcpu->retired;
    EmExit exit = EM_EXIT_BUDGET;
    bool event;

    if (!em_take_state(vcpu, &event))
        return false;
    if (!event) {
        em_count_start(time);
        exit = interpret(vcpu, count);
        em_count_stop(time);
    }
    own->owed -= MIN(own->owed, vcpu->retired - before);
    em_give_state(vcpu);
    if (exit == EM_EXIT_SHUTDOWN)
        vcpu->activity = CPUM_SHUTDOWN;
    return exit != EM_EXIT_SHUTDOWN;
}

bool
em_fall_back(Vcpu *vcpu, uint64_t began, bool stuck)
{
    EmVcpu *own = vcpu->em_vcpu;
    const uint64_t count = next_burst(own, began, stuck);

    atomic_fetch_add_explicit(stuck ? &own->stuck : &own->fallbacks, 1, memory_order_relaxed);
    if (stuck)
        own->owed = count;
    return stand_in(vcpu, count);
}

bool
em_pay(Vcpu *vcpu)
{
    EmVcpu *own = vcpu->em_vcpu;

    /* A halt or a switch ends it, too. */
    if (!stand_in(vcpu, own->owed))
        return false;
    if (vcpu->activity != CPUM_ACTIVE)
        own->owed = 0;
    return true;
}
