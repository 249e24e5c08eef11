/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * EHCI: time. Microframes and the frame list's rollover (2.3.4, 4.6), interrupts and their
 * threshold (4.15), and the timer. It runs while a schedule is switched on: each microframe while
 * data move, each millisecond while something has moved lately, else every IDLE_NS; and for those
 * who want to hear of rollovers.
 *
 * While there are isochronous transfers the bus keeps the guest's time, not the clock's: on a busy
 * host a frame is late, and the next ones follow at CATCH_UP_NS, but none is left out. A frame
 * waits for its device, too, until the bus is EHCI_PATIENCE behind. */
#include "devices/usb-controllers/ehci-private.h"

#define BUSY_NS 1000000ull
#define ACTIVE_NS 50000000ull
#define IDLE_NS 4000000ull
#define CATCH_UP_NS 250000ull
#define WALK_MAX 32u   /* frames that are made up for */
#define BEHIND_MAX 64u /* frames: what is more the bus does not make up for */

static uint64_t
clock_microframe(const EhciController *ehci)
{
    const uint64_t now = pdm_now(ehci->device);

    if (!ehci_runs(ehci) || now < ehci->start_ns)
        return ehci->stood;
    return ehci->stood + (now - ehci->start_ns) / EHCI_MICROFRAME_NS;
}

/* Where every frame matters, one is over when it has been worked on. */
uint64_t
ehci_microframe(const EhciController *ehci)
{
    const uint64_t microframe = clock_microframe(ehci);

    return ehci->isochronous ? MIN(microframe, ehci->served_frame * 8 + 7) : microframe;
}

/* Frames by which the bus is late. */
static uint64_t
behind(const EhciController *ehci)
{
    return (clock_microframe(ehci) - ehci_microframe(ehci)) / 8;
}

uint64_t
ehci_frame_ns(const EhciController *ehci, uint64_t frame)
{
    return ehci->start_ns + (frame * 8 - MIN(ehci->stood, frame * 8)) * EHCI_MICROFRAME_NS;
}

void
ehci_set_microframe(EhciController *ehci, uint64_t microframe)
{
    ehci->stood = microframe;
    ehci->start_ns = pdm_now(ehci->device);
    ehci->served_frame = microframe / 8;
    ehci->rolled = ehci->served_frame / ehci_list_size(ehci);
}

uint32_t
ehci_list_size(const EhciController *ehci)
{
    const unsigned size = (ehci->command & EHCI_LIST_SIZE) >> 2;

    return 1024u >> MIN(size, 2);
}

/* --- interrupts --- */
void
ehci_update_irq(EhciController *ehci)
{
    pdm_pci_irq(ehci->device, ehci->pci, (ehci->status & ehci->enable & EHCI_INTERRUPTS) != 0);
}

/* The threshold is the shortest time between two of them, in microframes: 2.3.1. */
static uint64_t
next_interrupt(const EhciController *ehci)
{
    return ehci->interrupt_ns + (ehci->command >> 16 & 0xff) * EHCI_MICROFRAME_NS;
}

static void
release_held(EhciController *ehci)
{
    const uint64_t now = pdm_now(ehci->device);

    if (ehci->held == 0 || (now < next_interrupt(ehci) && now >= ehci->interrupt_ns))
        return;
    ehci->status |= ehci->held;
    ehci->held = 0;
    ehci->interrupt_ns = now;
    ehci_update_irq(ehci);
}

void
ehci_interrupt(EhciController *ehci, uint32_t bits)
{
    const uint32_t held = EHCI_DONE | EHCI_FAILED | EHCI_ASYNC_ADVANCE;

    ehci->status |= bits & ~held;
    ehci->held |= bits & held;
    release_held(ehci);
    ehci_update_irq(ehci);
    if (ehci->held != 0)
        ehci_arm(ehci);
}

void
ehci_check_rollover(EhciController *ehci)
{
    const uint64_t rolled = ehci_microframe(ehci) / 8 / ehci_list_size(ehci);

    if (rolled != ehci->rolled)
        ehci_interrupt(ehci, EHCI_ROLLOVER);
    ehci->rolled = rolled;
}

/* --- the timer --- */

/* When a frame begins that has not begun yet. */
static uint64_t
frame_due(const EhciController *ehci, uint64_t frame, uint64_t now)
{
    const uint64_t due = ehci_frame_ns(ehci, frame);

    return due > now ? due : now + CATCH_UP_NS;
}

static uint64_t
next_look(const EhciController *ehci, uint64_t now)
{
    const uint64_t quiet = now - ehci->active_ns;
    const uint64_t frame = frame_due(ehci, ehci_microframe(ehci) / 8 + 1, now);

    if ((ehci->command & (EHCI_PERIODIC | EHCI_ASYNC)) == 0)
        return UINT64_MAX;
    if ((ehci->command & EHCI_ASYNC) != 0 && quiet < BUSY_NS)
        return now + EHCI_MICROFRAME_NS;
    return quiet < ACTIVE_NS || ehci->isochronous ? frame : frame + IDLE_NS - EHCI_FRAME_NS;
}

void
ehci_arm(EhciController *ehci)
{
    const uint64_t now = pdm_now(ehci->device);
    const uint64_t rollover = (ehci->rolled + 1) * ehci_list_size(ehci);
    uint64_t deadline = ehci->held != 0 ? MAX(next_interrupt(ehci), now) : UINT64_MAX;

    if (ehci_runs(ehci)) {
        /* A saved state may come from a clock that was ahead. */
        if (now < ehci->start_ns)
            ehci_set_microframe(ehci, ehci->served_frame * 8);
        deadline = MIN(deadline, next_look(ehci, now));
        if ((ehci->enable & EHCI_ROLLOVER) != 0)
            deadline = MIN(deadline, frame_due(ehci, rollover, now));
    }
    if (deadline == UINT64_MAX)
        pdm_timer_cancel(ehci->device, ehci->timer);
    else
        pdm_timer_set(ehci->device, ehci->timer, deadline);
}

void
ehci_wake(EhciController *ehci)
{
    ehci->active_ns = pdm_now(ehci->device);
    ehci_arm(ehci);
}

/* What the host was away for longer than it can make up for: the bus has stood still meanwhile. */
static void
forgive(EhciController *ehci)
{
    const uint64_t late = behind(ehci);

    if (late > BEHIND_MAX)
        ehci->start_ns += (late - BEHIND_MAX) * EHCI_FRAME_NS;
}

/* The frame that it is time to work on; the last one again: there is no new one yet. */
static uint64_t
next_frame(EhciController *ehci)
{
    const uint64_t frame = clock_microframe(ehci) / 8, next = ehci->served_frame + 1;

    if (!ehci->isochronous || frame < next)
        return frame;
    if (frame - ehci->served_frame <= EHCI_PATIENCE && ehci_awaits(ehci, next))
        return ehci->served_frame;
    return next;
}

static void
serve(EhciController *ehci)
{
    const uint64_t frame = next_frame(ehci);
    const bool fresh = frame != ehci->served_frame;
    uint64_t first = MIN(ehci->served_frame + 1, frame);

    if (fresh) {
        ehci->bytes = EHCI_FRAME_BYTES;
        ehci->visits = EHCI_FRAME_VISITS;
        ehci_finish_frame(ehci, frame);
    }
    first = MAX(first, frame < WALK_MAX ? 0 : frame - WALK_MAX + 1);
    if (fresh && (ehci->command & EHCI_PERIODIC) != 0)
        ehci_run_periodic(ehci, first, frame);
    ehci->served_frame = frame;
    if ((ehci->command & EHCI_ASYNC) != 0)
        ehci_run_async(ehci);
}

void
ehci_on_timer(void *user)
{
    EhciController *ehci = user;

    release_held(ehci);
    if (ehci_runs(ehci)) {
        forgive(ehci);
        serve(ehci);
        ehci_check_rollover(ehci);
    }
    ehci_arm(ehci);
}
