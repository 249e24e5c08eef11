/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The thread that sleeps until the next deadline and then tells the virtual CPU whose timer it is.
 * It runs no timer itself. While EM polls (a halted CPU waits with the deadline) it sleeps without
 * that CPU's. */
#include "vmm/base/thread-turns.h"
#include "vmm/tm/tm-private.h"

/* What there is to wait for at present. */
static uint64_t
wanted_deadline(const Tm *tm, TmQueue *queue)
{
    if (atomic_load(&queue->polled) || atomic_load(&queue->told) ||
        !atomic_load(&tm->clock.running))
        return TM_NEVER;
    return atomic_load(&queue->next);
}

static uint64_t
earliest_deadline(const Tm *tm)
{
    uint64_t earliest = TM_NEVER;

    for (unsigned i = 0; i < cpum_count(tm->cpum); i++)
        earliest = MIN(earliest, wanted_deadline(tm, &tm->vcpus[i].queue));
    return earliest;
}

/* A CPU that is told comes to tm_run_timers(), which takes the mark away again. */
static void
tell_expired(Tm *tm)
{
    const uint64_t now = tm_now(tm);

    for (unsigned i = 0; i < cpum_count(tm->cpum); i++) {
        TmQueue *queue = &tm->vcpus[i].queue;

        if (wanted_deadline(tm, queue) <= now) {
            atomic_store(&queue->told, true);
            cpum_pend(cpum_vcpu(tm->cpum, i), CPUM_PEND_TIMER);
        }
    }
}

static void *
run(void *user)
{
    Tm *tm = user;

    /* Every deadline of the guest is late by what this thread is. */
    base_thread_take_short_turns();
    while (!atomic_load(&tm->quit)) {
        uint64_t deadline;

        tell_expired(tm);
        deadline = earliest_deadline(tm);
        /* First stored: whoever changes the deadlines from here on pokes. */
        atomic_store(&tm->thread_deadline, deadline);
        if (earliest_deadline(tm) >= deadline)
            base_waiter_wait_until(tm->waiter, tm_host_deadline(tm, deadline));
    }
    return NULL;
}

void
tm_thread_poke(Tm *tm, TmQueue *queue)
{
    if (tm->thread != NULL && wanted_deadline(tm, queue) < atomic_load(&tm->thread_deadline))
        base_waiter_wake(tm->waiter);
}

void
tm_set_polled(Vcpu *vcpu, bool polled)
{
    TmQueue *queue = &vcpu->tm_vcpu->queue;

    atomic_store(&queue->polled, polled);
    if (!polled)
        tm_thread_poke(vcpu->tm, queue);
}

void
tm_thread_start(Tm *tm)
{
    if (tm->thread != NULL)
        return;
    atomic_store(&tm->thread_deadline, TM_NEVER);
    tm->waiter = base_waiter_new();
    tm->thread = g_thread_new("tm", run, tm);
}

void
tm_thread_stop(Tm *tm)
{
    if (tm->thread == NULL)
        return;
    atomic_store(&tm->quit, true);
    base_waiter_wake(tm->waiter);
    g_thread_join(tm->thread);
    base_waiter_free(tm->waiter);
}
