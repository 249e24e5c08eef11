/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who is inside the guest. A virtual CPU is inside while it may use what others take away from it:
 * TLB entries, its physical map, translations. Others ask it by its pending word and wait here
 * until it has agreed or is outside; nobody waits while being inside, so two who wait for each
 * other do not block. Intel SDM volume 3A section 9.1 (bus locking) is what running alone is for.
 *
 * Both sides first say what they do and then look at the other's word, in one total order: who
 * enters sees that he was asked, or is seen inside by who asks. */
#include "vmm/cpum/cpum-private.h"

/* Waiters look again whenever a CPU leaves or agrees. */
static void
tell_waiters(Cpum *cpum)
{
    if (G_LIKELY(atomic_load(&cpum->gate_waiters) == 0))
        return;
    g_mutex_lock(&cpum->gate_lock);
    g_cond_broadcast(&cpum->gate_changed);
    g_mutex_unlock(&cpum->gate_lock);
}

void
cpum_gate_init(Cpum *cpum)
{
    g_mutex_init(&cpum->gate_lock);
    g_cond_init(&cpum->gate_changed);
}

void
cpum_gate_clear(Cpum *cpum)
{
    g_cond_clear(&cpum->gate_changed);
    g_mutex_clear(&cpum->gate_lock);
}

void
cpum_enter(Vcpu *vcpu)
{
    Cpum *cpum = vcpu->cpum;

    for (;;) {
        atomic_store(&vcpu->inside, true);
        if (G_LIKELY(atomic_load(&cpum->alone) == NULL))
            return;
        cpum_leave(vcpu);
        g_mutex_lock(&cpum->gate_lock);
        while (atomic_load(&cpum->alone) != NULL)
            g_cond_wait(&cpum->gate_changed, &cpum->gate_lock);
        g_mutex_unlock(&cpum->gate_lock);
    }
}

void
cpum_leave(Vcpu *vcpu)
{
    atomic_store(&vcpu->inside, false);
    tell_waiters(vcpu->cpum);
}

bool
cpum_is_inside(const Vcpu *vcpu)
{
    return atomic_load(&((Vcpu *)vcpu)->inside);
}

void
cpum_agreed(Vcpu *vcpu)
{
    tell_waiters(vcpu->cpum);
}

static bool
everyone_agrees(Cpum *cpum, const Vcpu *self, CpumAgreed agreed, const void *user)
{
    for (unsigned i = 0; i < cpum->count; i++) {
        const Vcpu *other = cpum->vcpu[i];

        if (other != self && cpum_is_inside(other) && !(agreed != NULL && agreed(other, user)))
            return false;
    }
    return true;
}

static void
wait_until(Cpum *cpum, const Vcpu *self, CpumAgreed agreed, const void *user)
{
    atomic_fetch_add(&cpum->gate_waiters, 1);
    g_mutex_lock(&cpum->gate_lock);
    while (!everyone_agrees(cpum, self, agreed, user))
        g_cond_wait(&cpum->gate_changed, &cpum->gate_lock);
    g_mutex_unlock(&cpum->gate_lock);
    atomic_fetch_sub(&cpum->gate_waiters, 1);
}

void
cpum_wait_for_all(Cpum *cpum, CpumAgreed agreed, const void *user)
{
    if (!everyone_agrees(cpum, NULL, agreed, user))
        wait_until(cpum, NULL, agreed, user);
}

void
cpum_wait_for_others(Vcpu *self, CpumAgreed agreed, const void *user)
{
    Cpum *cpum = self->cpum;
    const bool inside = cpum_is_inside(self);

    if (everyone_agrees(cpum, self, agreed, user))
        return;
    cpum_leave(self);
    wait_until(cpum, self, agreed, user);
    if (inside)
        cpum_enter(self);
}

void
cpum_alone_begin(Vcpu *self)
{
    Cpum *cpum = self->cpum;

    if (cpum->count == 1)
        return;
    cpum_leave(self);
    atomic_fetch_add(&cpum->gate_waiters, 1);
    g_mutex_lock(&cpum->gate_lock);
    while (atomic_load(&cpum->alone) != NULL)
        g_cond_wait(&cpum->gate_changed, &cpum->gate_lock);
    atomic_store(&cpum->alone, self);
    for (unsigned i = 0; i < cpum->count; i++) {
        if (cpum_is_inside(cpum->vcpu[i]))
            cpum_pend(cpum->vcpu[i], CPUM_PEND_KICK);
    }
    while (!everyone_agrees(cpum, self, NULL, NULL))
        g_cond_wait(&cpum->gate_changed, &cpum->gate_lock);
    g_mutex_unlock(&cpum->gate_lock);
    atomic_fetch_sub(&cpum->gate_waiters, 1);
    atomic_store(&self->inside, true);
}

void
cpum_alone_end(Vcpu *self)
{
    Cpum *cpum = self->cpum;

    if (cpum->count == 1)
        return;
    g_mutex_lock(&cpum->gate_lock);
    atomic_store(&cpum->alone, NULL);
    g_cond_broadcast(&cpum->gate_changed);
    g_mutex_unlock(&cpum->gate_lock);
}
