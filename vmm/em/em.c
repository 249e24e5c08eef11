/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Engines: the table, the choice, and the loop that runs one until the VM has to act. Design,
 * section 5 "Engine". */
#include "vmm/em/em-private.h"

#include "vmm/iem/iem.h"

#include <string.h>

/* After a halt deadlines are looked at here, between slices of this many instructions (a few
 * hundred microseconds); a guest that goes on for longer gets TM's thread. An idle guest's tick
 * is over long before, so that it wakes one thread and not two. */
#define SLICE_INSTRUCTIONS 20000u
#define SLICES_AFTER_HALT 50u

static const EmEngine *const engines[] = {
#define ENGINE(engine) &engine,
#include "vmm/em/engines.def"
#undef ENGINE
    NULL,
};

const EmEngine *const *
em_engines(void)
{
    return engines;
}

static const EmEngine *
find_engine(const char *name, GError **error)
{
    const bool automatic = name == NULL || strcmp(name, "auto") == 0;

    for (unsigned i = 0; engines[i] != NULL; i++) {
        if (automatic ? engines[i]->probe(NULL) : strcmp(name, engines[i]->name) == 0)
            return automatic || engines[i]->probe(error) ? engines[i] : NULL;
    }
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "There is no execution engine \"%s\" in this build.", automatic ? "auto" : name);
    return NULL;
}

static bool
create_vcpus(Em *em, GError **error)
{
    for (unsigned i = 0; i < cpum_count(em->rooms.cpum); i++) {
        Vcpu *vcpu = cpum_vcpu(em->rooms.cpum, i);
        EmVcpu *own = &em->vcpus[i];

        own->em = em;
        own->engine = em->engine;
        own->waiter = base_waiter_new();
        vcpu->em_vcpu = own;
        vcpu->iom = em->rooms.iom;
        if (!em->engine->vcpu_create(em->engine_vm, vcpu, error))
            return false;
        em->created++;
    }
    return true;
}

Em *
em_new(const EmRooms *rooms, const EmConfig *config, GError **error)
{
    const EmEngine *engine = find_engine(config->engine, error);
    Em *em;

    if (engine == NULL)
        return NULL;
    em = g_new0(Em, 1);
    em->rooms = *rooms;
    em->engine = engine;
    em->vcpus = g_new0(EmVcpu, cpum_count(rooms->cpum));
    em->engine_vm = engine->vm_create(rooms, error);
    if (em->engine_vm == NULL || !create_vcpus(em, error)) {
        em_free(em);
        return NULL;
    }
    cpum_set_waker(rooms->cpum, em_waker, em);
    return em;
}

void
em_free(Em *em)
{
    if (em == NULL)
        return;
    cpum_set_waker(em->rooms.cpum, NULL, NULL);
    for (unsigned i = 0; i < cpum_count(em->rooms.cpum); i++) {
        Vcpu *vcpu = cpum_vcpu(em->rooms.cpum, i);

        if (i < em->created)
            em->engine->vcpu_destroy(vcpu);
        base_waiter_free(em->vcpus[i].waiter);
        vcpu->em_vcpu = NULL;
    }
    if (em->engine_vm != NULL)
        em->engine->vm_destroy(em->engine_vm);
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

static const EmEngine *
engine_for_mode(const Vcpu *vcpu)
{
    for (unsigned i = 0; engines[i] != NULL; i++) {
        if (engines[i] == vcpu->em_vcpu->em->engine && engines[i]->can_run(vcpu))
            return engines[i];
    }
    return &iem_engine; /* it runs everything */
}

static void
switch_engine(Vcpu *vcpu)
{
    EmVcpu *own = vcpu->em_vcpu;
    const EmEngine *next = engine_for_mode(vcpu);

    if (next == own->engine)
        return;
    if (own->engine->sync_out != NULL)
        own->engine->sync_out(vcpu);
    own->engine = next;
    if (next->sync_in != NULL)
        next->sync_in(vcpu);
}

bool
em_run_engine(Vcpu *vcpu, uint64_t budget)
{
    switch (vcpu->em_vcpu->engine->run(vcpu, budget)) {
    case EM_EXIT_SHUTDOWN: vcpu->activity = CPUM_SHUTDOWN; return false;
    case EM_EXIT_FALLBACK:
        if (iem_step(vcpu) == EM_EXIT_SHUTDOWN) {
            vcpu->activity = CPUM_SHUTDOWN;
            return false;
        }
        break;
    case EM_EXIT_MODE: switch_engine(vcpu); break;
    case EM_EXIT_BUDGET:
    case EM_EXIT_PENDING:
    case EM_EXIT_HALT:
    case EM_EXIT_DEBUG: break;
    }
    return true;
}

static void
poll_timers(Vcpu *vcpu)
{
    Tm *tm = vcpu->em_vcpu->em->rooms.tm;

    if (tm_next_deadline(tm) <= tm_now(tm))
        tm_run_timers(tm);
    if (--vcpu->em_vcpu->slices == 0)
        tm_set_polled(tm, false);
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

static EmResult
run(Vcpu *vcpu)
{
    EmVcpu *own = vcpu->em_vcpu;
    EmResult result;

    for (;;) {
        if (cpum_pending(vcpu) != 0 && !em_act_on_pending(vcpu, &result))
            return result;
        if (vcpu->activity == CPUM_SHUTDOWN)
            return EM_RESULT_SHUTDOWN;
        if (vcpu->activity != CPUM_ACTIVE) {
            em_wait_halted(vcpu);
            own->slices = vcpu->id == 0 ? SLICES_AFTER_HALT : 0;
        } else if (!run_once(vcpu)) {
            return EM_RESULT_SHUTDOWN;
        }
    }
}

EmResult
em_run(Vcpu *vcpu)
{
    EmVcpu *own = vcpu->em_vcpu;
    EmResult result;

    pgm_bind_thread(vcpu);
    em_count_start(&own->run_since);
    if (tm_is_deterministic(own->em->rooms.tm))
        result = em_run_counted(vcpu, UINT64_MAX);
    else
        result = run(vcpu);
    em_count_stop(&own->run_since, &own->running_ns);
    return result;
}

EmResult
em_run_for(Vcpu *vcpu, uint64_t instructions)
{
    EmVcpu *own = vcpu->em_vcpu;
    const uint64_t end = vcpu->retired + instructions;
    EmResult result;

    pgm_bind_thread(vcpu);
    em_count_start(&own->run_since);
    result = em_run_counted(vcpu, end < vcpu->retired ? UINT64_MAX : end);
    em_count_stop(&own->run_since, &own->running_ns);
    return result;
}
