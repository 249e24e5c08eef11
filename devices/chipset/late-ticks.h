/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Ticks of a periodic timer that a busy host made late. They are delivered afterwards, at
 * LATE_TICKS_RATE times the timer's rate and at most LATE_TICKS_MAX of them, so that a guest that
 * counts its ticks keeps the time and one that was away for long is not flooded. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define LATE_TICKS_MAX 20u
#define LATE_TICKS_RATE 8u

/* What is owed after an expiry: `early` when it made up for a late tick, else `missed` periods had
 * gone by since its own time. */
static inline uint32_t
late_ticks_after(uint32_t owed, bool early, uint64_t missed)
{
    if (early)
        return owed - (owed > 0);
    return (uint32_t)MIN(owed + MIN(missed, LATE_TICKS_MAX), LATE_TICKS_MAX);
}

/* How long to wait for the next expiry; all in the timer's own unit. */
static inline uint64_t
late_ticks_wait(uint32_t owed, uint64_t wait, uint64_t period)
{
    return owed > 0 ? MIN(wait, MAX(period / LATE_TICKS_RATE, 1)) : wait;
}
