/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Threads of this process that must not be late. */
#pragma once

#include <glib.h>

/* Asks the host to let the thread with this id (base_thread_id()) come before ordinary ones. The
 * answers arrive in the thread-default main context of the caller. Nobody is told of a refusal. */
void console_realtime_ask(guint64 thread);
