/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The local APIC's timer: one-shot, periodic, TSC deadline. Its clock is 1 GHz before the divider.
 * Intel SDM volume 3A section 11.5.4. */
#include "vmm/trpm/trpm-private.h"

/* A guest may ask for a tick every nanosecond; this is the shortest that it gets. */
#define PERIOD_MIN_NS 20000u

static TrpmTimerMode
mode_of(const TrpmVcpu *apic)
{
    return LVT_TIMER_MODE(apic->lvt[LVT_TIMER]);
}

/* 0: /2, 1: /4 … 6: /128, 7: /1; bit 2 of the register is skipped. */
static unsigned
divider_shift(const TrpmVcpu *apic)
{
    const unsigned code = (apic->timer_divide & 3) | (apic->timer_divide & 8) >> 1;

    return (code + 1) & 7;
}

static uint64_t
period_ns(const TrpmVcpu *apic)
{
    return (uint64_t)apic->timer_initial << divider_shift(apic);
}

static void
start(TrpmVcpu *apic)
{
    if (apic->timer_initial == 0 || mode_of(apic) == TIMER_TSC_DEADLINE) {
        tm_timer_cancel(apic->timer);
        return;
    }
    tm_timer_set(apic->timer, apic->timer_start + period_ns(apic));
}

uint32_t
trpm_timer_current(const TrpmVcpu *apic)
{
    const uint64_t elapsed = tm_now(apic->trpm->tm) - apic->timer_start;
    const uint64_t ticks = elapsed >> divider_shift(apic);

    if (apic->timer_initial == 0 || mode_of(apic) == TIMER_TSC_DEADLINE)
        return 0;
    if (mode_of(apic) == TIMER_PERIODIC)
        return apic->timer_initial - (uint32_t)(ticks % apic->timer_initial);
    return ticks >= apic->timer_initial ? 0 : apic->timer_initial - (uint32_t)ticks;
}

void
trpm_timer_set_initial(TrpmVcpu *apic, uint32_t value)
{
    if (mode_of(apic) == TIMER_TSC_DEADLINE)
        return;
    apic->timer_initial = value;
    apic->timer_start = tm_now(apic->trpm->tm);
    start(apic);
}

/* The count goes on from where it is, at the new rate. */
void
trpm_timer_set_divide(TrpmVcpu *apic, uint32_t value)
{
    const uint32_t current = trpm_timer_current(apic);
    uint64_t done;

    apic->timer_divide = value & 0xb;
    if (current == 0)
        return;
    done = (uint64_t)(apic->timer_initial - current) << divider_shift(apic);
    apic->timer_start = tm_now(apic->trpm->tm) - done;
    start(apic);
}

void
trpm_timer_mode_changed(TrpmVcpu *apic, uint32_t old_lvt)
{
    const bool was_deadline = LVT_TIMER_MODE(old_lvt) == TIMER_TSC_DEADLINE;

    if (was_deadline == (mode_of(apic) == TIMER_TSC_DEADLINE))
        return;
    tm_timer_cancel(apic->timer);
    apic->tsc_deadline = 0;
    apic->timer_initial = 0;
}

void
trpm_timer_set_deadline(TrpmVcpu *apic, uint64_t tsc)
{
    if (mode_of(apic) != TIMER_TSC_DEADLINE)
        return;
    apic->tsc_deadline = tsc;
    if (tsc == 0)
        tm_timer_cancel(apic->timer);
    else
        tm_timer_set(apic->timer, tm_tsc_to_ns(apic->vcpu, tsc));
}

/* The next tick of a periodic timer; ticks that are long past are one. */
static void
next_period(TrpmVcpu *apic)
{
    const uint64_t now = tm_now(apic->trpm->tm), period = period_ns(apic);
    uint64_t next;

    apic->timer_start += (now - apic->timer_start) / period * period;
    next = apic->timer_start + period;
    tm_timer_set(apic->timer, MAX(next, now + PERIOD_MIN_NS));
}

static void
expired(void *user)
{
    TrpmVcpu *apic = user;

    switch (mode_of(apic)) {
    case TIMER_TSC_DEADLINE:
        /* The TSC may have been set back meanwhile. */
        if (tm_tsc(apic->vcpu) < apic->tsc_deadline) {
            tm_timer_set(apic->timer, tm_tsc_to_ns(apic->vcpu, apic->tsc_deadline));
            return;
        }
        apic->tsc_deadline = 0;
        break;
    case TIMER_PERIODIC:
        if (apic->timer_initial == 0)
            return;
        next_period(apic);
        break;
    case TIMER_ONE_SHOT: break;
    }
    trpm_apic_local(apic, LVT_TIMER);
}

void
trpm_timer_reset(TrpmVcpu *apic)
{
    tm_timer_cancel(apic->timer);
    apic->timer_initial = apic->timer_divide = 0;
    apic->timer_start = 0;
    apic->tsc_deadline = 0;
}

void
trpm_timer_init(TrpmVcpu *apic)
{
    g_autofree char *name = g_strdup_printf("local-apic/%u", apic->vcpu->id);

    apic->timer = tm_timer_new_local(apic->vcpu, name, expired, apic);
}
