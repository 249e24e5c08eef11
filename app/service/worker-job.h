/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Runs the worker program. The worker gets the open files as descriptors from 3 on and words as
 * arguments, and answers with lines "key value" on its standard output. */
#pragma once

#include <gio/gio.h>

typedef struct WorkerJob WorkerJob;

/* answers: key -> value, NULL with error. */
typedef void (*WorkerDone)(GHashTable *answers, GError *error, gpointer user_data);
typedef void (*WorkerProgress)(double fraction, gpointer user_data);

/* Takes fd. arguments: NULL-terminated. done is called exactly once, later; the job is gone then.
 */
WorkerJob *worker_job_start(int fd, const char *const *arguments, WorkerProgress progress,
                            WorkerDone done, gpointer user_data);
/* The same with several files: descriptors 3, 4 … */
WorkerJob *worker_job_start_files(const int *fds, guint count, const char *const *arguments,
                                  WorkerProgress progress, WorkerDone done, gpointer user_data);
/* The same for short questions: waits for the end. The answers, owned; NULL with error. */
GHashTable *worker_job_run(const int *fds, guint count, const char *const *arguments,
                           GError **error);
/* done is called with VITRINE_ERROR_CANCELLED. */
void worker_job_cancel(WorkerJob *job);
