/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How soon the host's scheduler gives a thread its turn when others want the processors too. All of
 * it is a wish: a host that does not know or allow it goes on as usual. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The calling thread often works for a moment only, and soon: it takes short turns and gets the
 * next one the earlier, of no larger a share. Needs no rights (Linux 6.12 and newer). */
void base_thread_take_short_turns(void);

/* The calling thread comes before all ordinary ones. It must sleep most of the time, and never hold
 * a lock for long. False: this user may not. */
bool base_thread_take_first_turns(void);

/* Priority among threads that come first: the lowest that a sound server's clients have. */
#define BASE_FIRST_TURNS_PRIORITY 5u

/* The calling thread, as the host's other programs know it. */
uint64_t base_thread_id(void);

/* For the whole process, before another program lets a thread of it come first: a thread that does
 * and works for this long (us) without a wait becomes an ordinary one, instead of stopping the
 * host. False: the host has no such limit, or does not let it be set. */
bool base_thread_limit_first_turns(uint64_t us);
