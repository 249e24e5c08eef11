/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a host thread needs that runs translated guest code, whose stack pointer and GS base are not
 * the host's. */
#pragma once

#include <signal.h>

/* What a thread had before it ran translated code. */
typedef struct {
    sigset_t signals;
} BaseGuestThread;

/* Around translated code: signals that could arrive at any time are blocked, because a handler's
 * frame would be written where the guest's stack pointer happens to point. Signals that tell of the
 * code's own faults stay open. */
void base_guest_thread_enter(BaseGuestThread *before);
void base_guest_thread_leave(const BaseGuestThread *before);

/* Sets the base of GS for this thread; generated code addresses by it. */
void base_guest_thread_set_gs(void *base);
