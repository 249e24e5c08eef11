/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The loop that runs an engine until the VM has to act. Design, section 5 "Engine". */
#include "vmm/em/em-private.h"

#include <string.h>

/* After a halt deadlines are looked at here, between slices of this many instructions (a few
 * hundred microseconds); a guest that goes on for longer gets TM's thread. An idle guest's tick
 * is over long before, so that it wakes one thread and not two. */
#define SLICE_INSTRUCTIONS 20000u
#define SLICES_AFTER_HALT 50u

static void
create_vcpus(Em *em)
{
    for (unsigned i = 0; i < cpum_count(em->rooms.cpum); i++) {
        Vcpu *vcpu = cpum_vcpu(em->rooms.cpum, i);
        EmVcpu *own = &em->vcpus[i];

        own->em = em;
        own->burst = 1;
        own->waiter = base_waiter_new();
        vcpu->em_vcpu = own;
        vcpu->iom = em->rooms.iom;
    }
}

Em *
em_new(const EmRooms *rooms, const EmConfig *config, GError **error)
{
    Em *em = g_new0(Em, 1);

    em->rooms = *rooms;
    em->rooms.small_pages = config->small_pages;
    em->vcpus = g_new0(EmVcpu, cpum_count(rooms->cpum));
    create_vcpus(em);
    em_cap_init(em);
    em->engine = em_choose(em, config, error);
    if (em->engine == NULL) {
        em_free(em);
        return NULL;
    }
    em->stand_in = em_choose_stand_in(em, em->engine);
    for (unsigned i = 0; i < cpum_count(rooms->cpum); i++)
        em->vcpus[i].engine = em->engine;
    cpum_set_waker(rooms->cpum, em_waker, em);
    return em;
}

void
em_free(Em *em)
{
    if (em == NULL)
        return;
    em_heartbeat_end(em);
    em_cap_clear(em);
    cpum_set_waker(em->rooms.cpum, NULL, NULL);
    em_destroy_engines(em);
    for (unsigned i = 0; i < cpum_count(em->rooms.cpum); i++) {
        base_waiter_free(em->vcpus[i].waiter);
        cpum_vcpu(em->rooms.cpum, i)->em_vcpu = NULL;
    }
    g_free(em->vcpus);
    g_free(em);
}

void
em_set_queue_hook(Em *em, void (*run)(void *user), void *user)
{
    em->run_queues = run;
    em->queue_user = user;
}

/* --- running --- */

bool
em_enter(Vcpu *vcpu)
{
    if (cpum_is_inside(vcpu))
        return false;
    cpum_enter(vcpu);
    if (cpum_pending(vcpu) & CPUM_PEND_TLB_FLUSH)
        pgm_act_on_flush(vcpu);
    return true;
}

/* Inside the guest. False: shutdown. */
static bool
run_inside(Vcpu *vcpu, uint64_t budget, EmExit *exit)
{
    EmVcpu *own = vcpu->em_vcpu;
    EmTime *time;
    uint64_t began;

    *exit = EM_EXIT_PENDING;
    if (!em_follow(vcpu))
        return vcpu->activity != CPUM_SHUTDOWN;
    /* What is to be delivered is the engine's turn. */
    if (G_UNLIKELY(own->owed != 0) && !(cpum_pending(vcpu) & (CPUM_PEND_INTERRUPT | CPUM_PEND_NMI)))
        return em_pay(vcpu);
    time = &own->in[em_index(own->engine)];
    em_count_start(time);
    began = atomic_load_explicit(&time->since, memory_order_relaxed);
    *exit = own->engine->run(vcpu, em_limit(vcpu, budget));
    em_count_stop(time);
    if (*exit != EM_EXIT_FALLBACK && *exit != EM_EXIT_STUCK)
        return true;
    return em_fall_back(vcpu, began, *exit == EM_EXIT_STUCK);
}

bool
em_run_engine(Vcpu *vcpu, uint64_t budget)
{
    EmExit exit;
    bool ok;

    em_beat(vcpu->em_vcpu);
    em_enter(vcpu);
    ok = run_inside(vcpu, budget, &exit);
    cpum_leave(vcpu);
    switch (exit) {
    case EM_EXIT_SHUTDOWN: vcpu->activity = CPUM_SHUTDOWN; return false;
    case EM_EXIT_MODE: em_relieve(vcpu, false); break;
    case EM_EXIT_SLOW: em_relieve(vcpu, true); break;
    case EM_EXIT_PAUSE: em_pause(vcpu); break;
    case EM_EXIT_FALLBACK:
    case EM_EXIT_STUCK:
    case EM_EXIT_BUDGET:
    case EM_EXIT_PENDING:
    case EM_EXIT_HALT:
    case EM_EXIT_DEBUG: break;
    }
    return ok;
}

static void
poll_timers(Vcpu *vcpu)
{
    if (tm_next_deadline(vcpu) <= tm_now(vcpu->em_vcpu->em->rooms.tm))
        tm_run_timers(vcpu);
    if (--vcpu->em_vcpu->slices == 0)
        tm_set_polled(vcpu, false);
}

/* Until the next thing that somebody has to look at. */
static bool
run_once(Vcpu *vcpu)
{
    EmVcpu *own = vcpu->em_vcpu;
    bool ok;

    if (own->slices == 0)
        return em_run_engine(vcpu, UINT64_MAX);
    ok = em_run_engine(vcpu, SLICE_INSTRUCTIONS);
    poll_timers(vcpu);
    return ok;
}

/* Slices need an engine that counts; for the others TM's thread looks at deadlines again at once.
 */
static void
after_halt(Vcpu *vcpu)
{
    EmVcpu *own = vcpu->em_vcpu;

    own->slices = own->engine->counts ? SLICES_AFTER_HALT : 0;
    if (own->slices == 0)
        tm_set_polled(vcpu, false);
}

static EmResult
run(Vcpu *vcpu, uint64_t end)
{
    EmResult result;

    for (;;) {
        if (cpum_pending(vcpu) != 0 && !em_act_on_pending(vcpu, &result))
            return result;
        if (vcpu->activity == CPUM_SHUTDOWN)
            return EM_RESULT_SHUTDOWN;
        if (vcpu->activity != CPUM_ACTIVE) {
            em_wait_halted(vcpu);
            after_halt(vcpu);
        } else if (em_is_held(vcpu->em_vcpu->em)) {
            em_wait_held(vcpu);
            after_halt(vcpu);
        } else if (!run_once(vcpu)) {
            return EM_RESULT_SHUTDOWN;
        }
    }
}

/* Outside of em_run() the Vcpu is exact and may be changed. */
static EmResult
run_with_state(Vcpu *vcpu, EmResult (*loop)(Vcpu *vcpu, uint64_t end), uint64_t end)
{
    EmVcpu *own = vcpu->em_vcpu;
    EmResult result;
    bool event;

    pgm_bind_thread(vcpu);
    em_count_start(&own->running);
    em_give_state(vcpu);
    result = loop(vcpu, end);
    if (!em_take_state(vcpu, &event))
        result = EM_RESULT_SHUTDOWN;
    em_count_stop(&own->running);
    return result;
}

EmResult
em_run(Vcpu *vcpu)
{
    const bool deterministic = tm_is_deterministic(vcpu->em_vcpu->em->rooms.tm);

    return run_with_state(vcpu, deterministic ? em_run_counted : run, UINT64_MAX);
}

EmResult
em_run_for(Vcpu *vcpu, uint64_t instructions)
{
    const uint64_t end = vcpu->retired + instructions;

    return run_with_state(vcpu, em_run_counted, end < vcpu->retired ? UINT64_MAX : end);
}

/* --- switching --- */

const EmEngine *
em_engine_by_name(const char *name)
{
    const EmEngine *const *all = em_engines();

    while (*all != NULL && strcmp((*all)->name, name) != 0)
        all++;
    return *all;
}

bool
em_set_engine(Vcpu *vcpu, const EmEngine *engine, GError **error)
{
    Em *em = vcpu->em_vcpu->em;

    if (!em_create_engine(em, engine, error))
        return false;
    em->engine = engine;
    em_switch_to(vcpu, engine);
    return true;
}
