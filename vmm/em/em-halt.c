/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A halted virtual CPU sleeps in its own thread. CPU 0 waits with the next timer's deadline, so
 * that nobody else has to wake it for a tick. */
#include "vmm/em/em-private.h"

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
    const uint64_t deadline = tm_next_deadline(tm);

    if (deadline <= tm_now(tm))
        tm_run_timers(tm);
    else
        base_waiter_wait_until(vcpu->em_vcpu->waiter, tm_host_deadline(tm, deadline));
}

void
em_wait_halted(Vcpu *vcpu)
{
    EmVcpu *own = vcpu->em_vcpu;
    Tm *tm = own->em->rooms.tm;

    em_count_start(&own->halted);
    if (vcpu->id == 0)
        tm_set_polled(tm, true);
    while (cpum_pending(vcpu) == 0) {
        if (vcpu->id == 0)
            wait_with_timers(vcpu, tm);
        else
            base_waiter_wait_until(own->waiter, UINT64_MAX);
    }
    em_count_stop(&own->halted);
}
