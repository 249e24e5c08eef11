/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What both kinds of worker do to confine themselves. */
#pragma once

#include <gio/gio.h>
#include <seccomp.h>
#include <stdbool.h>

/* Memory may be mapped, but never executable. 0, or a negative errno. */
int confine_allow_memory(scmp_filter_ctx filter);
/* Seeds what needs files, leaves no core, ends with the service, and gives up privileges for good.
 */
bool confine_begin(GError **error);
/* Sets the error for an errno and returns false. */
bool confine_fail(GError **error, int errnum);
