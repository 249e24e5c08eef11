/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Host clocks in nanoseconds and precise waits. What GLib lacks: its clocks count microseconds and
 * its condition variables wait no finer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Monotonic, from an arbitrary start; goes on while the host is suspended or not as the host
 * likes. Any thread, no lock, no system call where the host allows that. */
uint64_t base_clock_ns(void);
/* Wall clock since 1970-01-01 00:00 UTC; may jump. */
int64_t base_clock_wall_ns(void);
/* CPU time that this process used so far, all threads. */
uint64_t base_clock_cpu_ns(void);

/* How often the calling thread has waited for anything; what it lost to other threads of the host
 * does not count. */
uint64_t base_clock_thread_waits(void);

/* Sleeps until base_clock_ns() has reached the deadline. */
void base_clock_sleep_until(uint64_t deadline_ns);

/* A thread that waits, and others that wake it. A wake that comes before the wait makes that wait
 * return at once, so nothing is lost. One waiting thread at a time. */
typedef struct BaseWaiter BaseWaiter;
BaseWaiter *base_waiter_new(void);
void base_waiter_free(BaseWaiter *waiter);
/* Any thread; cheap when nobody waits. */
void base_waiter_wake(BaseWaiter *waiter);
/* Until a wake or the deadline (UINT64_MAX: no deadline); true: it was a wake. */
bool base_waiter_wait_until(BaseWaiter *waiter, uint64_t deadline_ns);
