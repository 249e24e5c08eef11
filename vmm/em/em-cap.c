/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The execution cap: virtual CPUs run for so many percent of each period and are held for the rest
 * of it, all at the same time, so that none spins for one that is held. A thread of its own keeps
 * the beat; there is none while there is no cap. Devices and timers go on meanwhile. Manual,
 * chapter "Configuring virtual machines", "Execution cap". */
#include "vmm/em/em-private.h"

#include <glib.h>

#define PERIOD_NS 10000000ull

struct EmCap {
    Em *em;
    GThread *thread;
    BaseWaiter *waiter;
    _Atomic unsigned percent;
    _Atomic bool held, quit;
};

static void
set_held(EmCap *cap, bool held)
{
    atomic_store(&cap->held, held);
    for (unsigned i = 0; i < cpum_count(cap->em->rooms.cpum); i++) {
        if (held)
            cpum_pend_inside(cpum_vcpu(cap->em->rooms.cpum, i), CPUM_PEND_KICK);
        else
            base_waiter_wake(cap->em->vcpus[i].waiter);
    }
}

/* How long they are held follows from how long they truly ran: this thread may be late, too. */
static void *
keep_beat(void *user)
{
    EmCap *cap = user;

    while (!atomic_load(&cap->quit)) {
        const unsigned percent = atomic_load(&cap->percent);
        const uint64_t began = base_clock_ns();
        uint64_t now;

        set_held(cap, false);
        if (percent >= 100) {
            base_waiter_wait_until(cap->waiter, UINT64_MAX);
            continue;
        }
        base_waiter_wait_until(cap->waiter, began + PERIOD_NS * percent / 100);
        set_held(cap, true);
        now = base_clock_ns();
        base_waiter_wait_until(cap->waiter, now + (now - began) * (100 - percent) / percent);
    }
    set_held(cap, false);
    return NULL;
}

void
em_set_execution_cap(Em *em, unsigned percent)
{
    EmCap *cap = em->cap;

    atomic_store(&cap->percent, CLAMP(percent, 1, 100));
    if (cap->thread == NULL && percent < 100)
        cap->thread = g_thread_new("execution-cap", keep_beat, cap);
    else
        base_waiter_wake(cap->waiter);
}

unsigned
em_execution_cap(const Em *em)
{
    return atomic_load(&em->cap->percent);
}

bool
em_is_held(const Em *em)
{
    return G_UNLIKELY(atomic_load_explicit(&em->cap->held, memory_order_relaxed));
}

void
em_cap_init(Em *em)
{
    em->cap = g_new0(EmCap, 1);
    em->cap->em = em;
    em->cap->waiter = base_waiter_new();
    atomic_store(&em->cap->percent, 100);
}

void
em_cap_clear(Em *em)
{
    EmCap *cap = em->cap;

    atomic_store(&cap->quit, true);
    base_waiter_wake(cap->waiter);
    if (cap->thread != NULL)
        g_thread_join(cap->thread);
    base_waiter_free(cap->waiter);
    g_clear_pointer(&em->cap, g_free);
}
