/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the worker share. The worker has one file, descriptor WORKER_FD, and answers
 * with lines "key value" on its standard output; "done" is the last of a successful run. */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum { WORKER_FD = 3 };

/* From here on nothing but reading, writing and answering is possible: no file can be opened, no
 * process started, no network reached. FALSE with error where the host cannot do that. */
bool worker_confine(GError **error);

/* One line. Line ends and control characters in value become spaces. */
void worker_answer(const char *key, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* What an image is: format, variant, capacity, allocated, uuid, parent. format "": by its content.
 */
bool worker_probe(const char *name, const char *format, GError **error);
/* Makes an image in the empty file. */
bool worker_create(const char *name, const char *format, const char *variant, const char *size,
                   const char *uuid, GError **error);
/* Which operating system an ISO image installs. */
bool worker_recognize(const char *name, GError **error);
