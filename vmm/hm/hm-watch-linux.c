/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The watch over KVM_RUN. A call that lasts is the rule on hardware, where a guest computes for as
 * long as it is let; it is a fault where the kernel tries the same instruction for ever, and it is
 * a waste where the kernel emulates. A periodic timer of the virtual CPU's thread ends the call by
 * the signal of kicks; then the guest's registers tell whether it got on. Linux timer_create(2).
 *
 * A call that does not even answer to a signal cannot be left from here: em's heartbeat shows it.
 */
#include "vmm/base/clock.h"
#include "vmm/hm/hm-kvm-linux.h"

#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

/* Between two looks at a guest on hardware. */
#define LOOK_NS 250000000u
/* What an emulating kernel gets at a time. */
#define SLICE_NS 2000000u

static uint32_t
period(const HmWatch *watch)
{
    return watch->emulates ? SLICE_NS : LOOK_NS;
}

static void
set_timer(HmWatch *watch, uint32_t ns)
{
    const struct timespec time = {.tv_nsec = ns};
    const struct itimerspec spec = {.it_value = time, .it_interval = time};

    watch->ticks = timer_settime(watch->timer, 0, &spec, NULL) == 0 && ns != 0;
}

static void
make_timer(HmWatch *watch, int thread)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = hm_kick_signal()};

    hm_watch_end(watch);
    event._sigev_un._tid = thread;
    watch->made = timer_create(CLOCK_MONOTONIC, &event, &watch->timer) == 0;
    watch->thread = thread;
}

void
hm_watch_begin(HmWatch *watch, int thread, bool emulates)
{
    watch->emulates = emulates;
    if (watch->thread != thread)
        make_timer(watch, thread);
    if (watch->made && !watch->ticks)
        set_timer(watch, period(watch));
}

void
hm_watch_rest(HmWatch *watch)
{
    if (watch->ticks)
        set_timer(watch, 0);
}

void
hm_watch_end(HmWatch *watch)
{
    if (watch->made)
        timer_delete(watch->timer);
    watch->made = watch->ticks = false;
    watch->thread = 0;
}

void
hm_watch_reset(HmWatch *watch)
{
    watch->since = base_clock_ns();
    watch->looked = false;
}

/* Is the guest where it was at the last look, without having left in between? */
static bool
stands_still(HmVcpu *own)
{
    HmWatch *watch = &own->watch;
    const uint64_t exits = watch->exits;
    struct kvm_regs regs;
    bool same;

    if (ioctl(own->fd, KVM_GET_REGS, &regs) != 0)
        return false;
    same = watch->looked && exits == watch->exits_then &&
           memcmp(&regs, &watch->regs, sizeof regs) == 0;
    watch->regs = regs;
    watch->exits_then = exits;
    watch->looked = true;
    return same;
}

bool
hm_watch_is_over(HmVcpu *own, EmExit *exit)
{
    HmWatch *watch = &own->watch;
    const uint64_t now = base_clock_ns();

    if (now - watch->since < period(watch))
        return false;
    watch->since = now;
    if (watch->emulates) {
        hm_count(own, HM_COUNT_SLICE);
        *exit = EM_EXIT_SLOW;
        return true;
    }
    if (!stands_still(own))
        return false;
    watch->looked = false;
    hm_count(own, HM_COUNT_STUCK);
    *exit = EM_EXIT_STUCK;
    return true;
}
