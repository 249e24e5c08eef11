/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The thread that sleeps until the next deadline and then tells virtual CPU 0. It runs no
 * timer itself. While EM polls (a halted CPU waits with the deadline) it sleeps without one. */
#include "vmm/tm/tm-private.h"

/* What there is to wait for at present. */
static uint64_t
wanted_deadline(Tm *tm)
{
    if (atomic_load(&tm->polled) || !atomic_load(&tm->clock.running))
        return TM_NEVER;
    return atomic_load(&tm->next);
}

static void *
run(void *user)
{
    Tm *tm = user;

    while (!atomic_load(&tm->quit)) {
        uint64_t deadline = wanted_deadline(tm);
        const bool expired = deadline != TM_NEVER && deadline <= tm_now(tm);

        if (expired)
            deadline = TM_NEVER;
        /* Stored before anybody is told: whoever changes the deadlines from here on pokes. */
        atomic_store(&tm->thread_deadline, deadline);
        if (expired)
            cpum_pend(cpum_vcpu(tm->cpum, 0), CPUM_PEND_TIMER);
        else if (wanted_deadline(tm) < deadline)
            continue;
        base_waiter_wait_until(tm->waiter, tm_host_deadline(tm, deadline));
    }
    return NULL;
}

void
tm_thread_poke(Tm *tm)
{
    if (tm->thread != NULL && wanted_deadline(tm) < atomic_load(&tm->thread_deadline))
        base_waiter_wake(tm->waiter);
}

void
tm_set_polled(Tm *tm, bool polled)
{
    atomic_store(&tm->polled, polled);
    if (!polled)
        tm_thread_poke(tm);
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
