/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Interrupts of the PRO/1000 cards: cause and mask registers (section 13.4.17 to 13.4.22), the
 * throttle (ITR) and the delays of received and sent frames. */
#include "devices/network/e1000-private.h"

#define THROTTLE_NS 256u
#define DELAY_NS 1024u
#define COUNT_MASK 0xffffu
#define FRAMES_ENOUGH 16u

static void
set_line(E1000 *nic, bool level)
{
    if (nic->line == level)
        return;
    nic->line = level;
    pdm_pci_irq(nic->device, nic->pci, level);
}

/* The pin goes down at once, and up no sooner than the throttle allows, unless enough frames wait:
 * time is measured out for the speed of a wire, and a sender on this host is kept waiting by it. */
void
e1000_update_interrupt(E1000 *nic)
{
    const uint64_t interval = (*e1000_reg(nic, E1000_ITR) & COUNT_MASK) * (uint64_t)THROTTLE_NS;

    if ((*e1000_reg(nic, E1000_ICR) & *e1000_reg(nic, E1000_IMS)) == 0) {
        set_line(nic, false);
        return;
    }
    if (nic->line)
        return;
    if (interval != 0) {
        const uint64_t now = pdm_now(nic->device);

        if (now < nic->next_interrupt && nic->waiting < FRAMES_ENOUGH) {
            if (!pdm_timer_armed(nic->device, nic->throttle))
                pdm_timer_set(nic->device, nic->throttle, nic->next_interrupt);
            return;
        }
        nic->next_interrupt = now + interval;
    }
    nic->waiting = 0;
    set_line(nic, true);
}

void
e1000_raise(E1000 *nic, uint32_t causes)
{
    *e1000_reg(nic, E1000_ICR) |= causes;
    e1000_update_interrupt(nic);
}

/* Raises a cause now, or when no more frames come for a while, or when the first of them is old. */
static void
raise_later(E1000 *nic, uint8_t cause, uint32_t delay, uint32_t absolute, TmTimer *delay_timer,
            TmTimer *absolute_timer)
{
    const uint64_t now = pdm_now(nic->device);

    if ((delay & COUNT_MASK) == 0) {
        e1000_raise(nic, cause);
        return;
    }
    pdm_timer_set(nic->device, delay_timer, now + (delay & COUNT_MASK) * (uint64_t)DELAY_NS);
    if ((nic->delayed & cause) == 0 && (absolute & COUNT_MASK) != 0)
        pdm_timer_set(nic->device, absolute_timer,
                      now + (absolute & COUNT_MASK) * (uint64_t)DELAY_NS);
    nic->delayed |= cause;
}

void
e1000_raise_received(E1000 *nic)
{
    raise_later(nic, ICR_RXT0, *e1000_reg(nic, E1000_RDTR), *e1000_reg(nic, E1000_RADV),
                nic->receive_delay, nic->receive_absolute);
}

void
e1000_raise_sent(E1000 *nic, bool delay)
{
    raise_later(nic, ICR_TXDW, delay ? *e1000_reg(nic, E1000_TIDV) : 0, *e1000_reg(nic, E1000_TADV),
                nic->transmit_delay, nic->transmit_absolute);
}

/* Reading takes the causes away. */
uint32_t
e1000_read_causes(E1000 *nic)
{
    const uint32_t causes = *e1000_reg(nic, E1000_ICR);

    *e1000_reg(nic, E1000_ICR) = 0;
    e1000_update_interrupt(nic);
    return causes;
}

static void
throttle_expired(void *user)
{
    e1000_update_interrupt(user);
}

static void
receive_expired(void *user)
{
    E1000 *nic = user;

    pdm_timer_cancel(nic->device, nic->receive_delay);
    pdm_timer_cancel(nic->device, nic->receive_absolute);
    nic->delayed &= (uint8_t)~ICR_RXT0;
    e1000_raise(nic, ICR_RXT0);
}

static void
transmit_expired(void *user)
{
    E1000 *nic = user;

    pdm_timer_cancel(nic->device, nic->transmit_delay);
    pdm_timer_cancel(nic->device, nic->transmit_absolute);
    nic->delayed &= (uint8_t)~ICR_TXDW;
    e1000_raise(nic, ICR_TXDW);
}

void
e1000_interrupt_init(E1000 *nic)
{
    PdmDevice *device = nic->device;

    nic->throttle = pdm_timer_new(device, "e1000-throttle", throttle_expired, nic);
    nic->receive_delay = pdm_timer_new(device, "e1000-receive", receive_expired, nic);
    nic->receive_absolute = pdm_timer_new(device, "e1000-receive-abs", receive_expired, nic);
    nic->transmit_delay = pdm_timer_new(device, "e1000-transmit", transmit_expired, nic);
    nic->transmit_absolute = pdm_timer_new(device, "e1000-transmit-abs", transmit_expired, nic);
}

void
e1000_interrupt_reset(E1000 *nic)
{
    pdm_timer_cancel(nic->device, nic->throttle);
    pdm_timer_cancel(nic->device, nic->receive_delay);
    pdm_timer_cancel(nic->device, nic->receive_absolute);
    pdm_timer_cancel(nic->device, nic->transmit_delay);
    pdm_timer_cancel(nic->device, nic->transmit_absolute);
    nic->delayed = 0;
    nic->next_interrupt = 0;
    nic->waiting = 0;
    set_line(nic, false);
}
