/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A halted virtual CPU sleeps in its own thread, with its next timer's deadline, so that nobody
 * else has to wake it for a tick. One that spins gives its host CPU away: who holds the lock that
 * it waits for may be waiting for that one. */
#include "vmm/em/em-private.h"

#include <glib.h>

/* Spins that are longer apart than that have nothing to do with each other. */
#define SPIN_GAP_NS 200000u
/* So often the host's scheduler is asked; then the spinning CPU sleeps for a moment each time. */
#define YIELDS 8u
#define SPIN_SLEEP_NS 50000u

void
em_waker(Vcpu *vcpu, void *user)
{
    EmVcpu *own = vcpu->em_vcpu;

    if (own->engine->kick != NULL)
        own->engine->kick(vcpu);
    base_waiter_wake(own->waiter);
}

static void
wait_with_timers(Vcpu *vcpu, Tm *tm)
{
    const uint64_t deadline = tm_next_deadline(vcpu);

    if (deadline <= tm_now(tm))
        tm_run_timers(vcpu);
    else
        base_waiter_wait_until(vcpu->em_vcpu->waiter, tm_host_deadline(tm, deadline));
}

void
em_wait_halted(Vcpu *vcpu)
{
    EmVcpu *own = vcpu->em_vcpu;

    em_count_start(&own->halted);
    tm_set_polled(vcpu, true);
    while (cpum_pending(vcpu) == 0)
        wait_with_timers(vcpu, own->em->rooms.tm);
    em_count_stop(&own->halted);
}

void
em_wait_held(Vcpu *vcpu)
{
    EmVcpu *own = vcpu->em_vcpu;

    em_count_start(&own->halted);
    tm_set_polled(vcpu, true);
    while (em_is_held(own->em) && cpum_pending(vcpu) == 0)
        wait_with_timers(vcpu, own->em->rooms.tm);
    em_count_stop(&own->halted);
}

void
em_pause(Vcpu *vcpu)
{
    EmVcpu *own = vcpu->em_vcpu;
    const uint64_t now = base_clock_ns();

    own->pauses = now - own->paused_at < SPIN_GAP_NS ? own->pauses + 1 : 0;
    if (own->pauses < YIELDS)
        g_thread_yield();
    else if (cpum_pending(vcpu) == 0)
        base_waiter_wait_until(own->waiter, now + SPIN_SLEEP_NS);
    own->paused_at = base_clock_ns();
}
