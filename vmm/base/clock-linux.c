/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Clocks and waits on Linux: clock_gettime(2), clock_nanosleep(2), getrusage(2), futex(2). */
#include "vmm/base/clock.h"

#include <errno.h>
#include <glib.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

enum { WAITER_IDLE, WAITER_WAITING, WAITER_WOKEN };

struct BaseWaiter {
    _Atomic uint32_t state;
};

static uint64_t
read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static struct timespec
to_timespec(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

uint64_t
base_clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t
base_clock_wall_ns(void)
{
    return (int64_t)read_clock(CLOCK_REALTIME);
}

uint64_t
base_clock_cpu_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t
base_clock_thread_waits(void)
{
    struct rusage usage = {0};

    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)usage.ru_nvcsw;
}

void
base_clock_sleep_until(uint64_t deadline_ns)
{
    const struct timespec deadline = to_timespec(deadline_ns);

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == EINTR)
        ;
}

BaseWaiter *
base_waiter_new(void)
{
    return g_new0(BaseWaiter, 1);
}

void
base_waiter_free(BaseWaiter *waiter)
{
    g_free(waiter);
}

void
base_waiter_wake(BaseWaiter *waiter)
{
    if (atomic_exchange(&waiter->state, WAITER_WOKEN) == WAITER_WAITING)
        syscall(SYS_futex, &waiter->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

bool
base_waiter_wait_until(BaseWaiter *waiter, uint64_t deadline_ns)
{
    const struct timespec deadline = to_timespec(deadline_ns);
    const struct timespec *limit = deadline_ns == UINT64_MAX ? NULL : &deadline;
    uint32_t expected = WAITER_IDLE;

    atomic_compare_exchange_strong(&waiter->state, &expected, WAITER_WAITING);
    while (atomic_load(&waiter->state) == WAITER_WAITING) {
        /* FUTEX_WAIT_BITSET takes an absolute time on the monotonic clock. */
        const long result = syscall(SYS_futex, &waiter->state, FUTEX_WAIT_BITSET_PRIVATE,
                                    WAITER_WAITING, limit, NULL, FUTEX_BITSET_MATCH_ANY);

        if (result < 0 && errno == ETIMEDOUT)
            break;
    }
    return atomic_exchange(&waiter->state, WAITER_IDLE) == WAITER_WOKEN;
}
