/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Work in several steps, one after the other: runs of the worker, and calls in the service. While
 * it goes on its machines are busy: they neither start nor change. The first step that fails ends
 * it. A task without a progress object is one that a call waits for. */
#pragma once

#include "app/service/journal.h"
#include "app/service/progress.h"
#include "app/service/service.h"

typedef struct Task Task;

/* A step in the service; FALSE with error ends the task. */
typedef gboolean (*TaskCall)(gpointer data, GError **error);
/* The end: error NULL when all steps were done; it stays the task's, and its message may be
 * changed. Returns the result of the progress object (the caller's), or NULL for none. */
typedef char *(*TaskDone)(gpointer data, GError *error);
/* Called when a step has failed or all was cancelled: may add steps that put things in order, which
 * nobody can cancel. The task ends with the first error all the same. */
typedef void (*TaskRescue)(gpointer data);

typedef enum {
    TASK_READ,   /* shared lock */
    TASK_LOOK,   /* read, no lock: what a running machine has open does not change there */
    TASK_WRITE,  /* exclusive lock */
    TASK_PATCH,  /* written to without a lock: what the header says of a parent, in an image that a
                    running machine only reads and has read the header of */
    TASK_CREATE, /* makes the file, which must not exist; its folder too */
} TaskMode;

/* Takes data, which free_data releases at the end. */
Task *task_new(Service *service, gpointer data, GDestroyNotify free_data);
/* Shown as this; cancellable: until a step calls task_forbid_cancel(). */
void task_show(Task *task, const char *description, gboolean cancellable);
/* The machine is busy until the end. FALSE with VITRINE_ERROR_BUSY when it is already. */
gboolean task_hold(Task *task, Machine *machine, const char *doing, GError **error);
/* Settled at the end; takes it. */
void task_set_journal(Task *task, Journal *journal);
Journal *task_journal(Task *task);
/* The files stay, whatever names them. */
void task_drop_journal(Task *task);

void task_add_call(Task *task, TaskCall call);
/* A step that ends later, by task_continue(); cancel is called when it is to end early. FALSE with
 * error: it did not begin, and the task ends. */
void task_add_wait(Task *task, TaskCall begin, void (*cancel)(gpointer data));
/* From the main loop; takes error. */
void task_continue(Task *task, GError *error);
/* How long such a step takes, the one added last, beside the others; and how far it is. */
void task_weigh(Task *task, double weight);
void task_report(Task *task, double fraction);
/* How long all steps take that will be added from now on, so that progress goes from 0 to 1 once.
 */
void task_expect(Task *task, double weight);
/* Of a task that is shown, else NULL. */
Progress *task_progress(Task *task);
/* A run of the worker. weight: how long it takes, beside the others. */
void task_add_job(Task *task, const char *verb, double weight);
/* A word for the job added last. */
void task_add_word(Task *task, const char *word);
void task_add_number(Task *task, guint64 number);
/* A file for it: the next descriptor, and the word that messages name it by. */
void task_add_file(Task *task, const char *path, TaskMode mode);
/* Another file of an image that the job has. */
void task_add_part(Task *task, const char *path, TaskMode mode);
/* Name and format of an image, with its other files. */
void task_add_disk(Task *task, const char *path, const char *format, TaskMode mode);
/* The three words of a file that is a registered image: name, format, UUID. */
void task_add_image(Task *task, Medium *medium, TaskMode mode);
/* The whole chain from a medium down to its base, as a count and so many images; modes: for the
 * first two levels, those below are read. */
void task_add_chain(Task *task, Medium *medium, TaskMode first, TaskMode second);
/* A job that copies a file of this size, holes included; medium-jobs.c. Afterwards the copy has the
 * right size and is on the disk when task_end_copy() returned. */
void task_add_copy(Task *task, const char *from, const char *to, guint64 bytes);
gboolean task_end_copy(const char *path, guint64 bytes, GError **error);
/* The answers of the job that ended last: key -> value; NULL before. */
GHashTable *task_answers(Task *task);

/* Starts it, later; the task is gone after done. */
void task_start(Task *task, TaskDone done);
/* Of the steps that come; NULL: nothing is to be put in order. Called once at most. */
void task_set_rescue(Task *task, TaskRescue rescue);
/* Ends a task that was never started. */
void task_abandon(Task *task);
/* "" for a task that is not shown. */
const char *task_progress_path(Task *task);
void task_cancel(Task *task);
void task_forbid_cancel(Task *task);
