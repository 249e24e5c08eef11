/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Merging images of a disk while the machine runs. A thread does it; the guest goes on. The service
 * opens the files, and says at the end what the chain is. */
#include "app/console/console-private.h"

#include <unistd.h>

/* The thread's while it runs, but for what a comment marks; then the session's thread's. */
typedef struct {
    Console *console;
    const PdmMediaConnector *disk;
    VitrineImage target; /* id NULL: there is none */
    guint from, to;
    guint percent;  /* told last */
    gint cancelled; /* any thread */
    GTask *asked;   /* whoever waits; the session's thread */
} MergeJob;

static void
job_free(gpointer data)
{
    MergeJob *job = data;

    if (job->target.descriptor >= 0)
        close(job->target.descriptor);
    g_free(job->target.id);
    g_free(job->target.location);
    g_free(job->target.format);
    g_clear_pointer(&job->target.parts, g_ptr_array_unref);
    g_clear_object(&job->asked);
    g_free(job);
}

/* --- on the thread --- */

static bool
on_step(void *user, double fraction)
{
    MergeJob *job = user;
    const guint percent = (guint)(fraction * 100);

    if (percent != job->percent) {
        job->percent = percent;
        vitrine_vm_session_set_save_progress(job->console->session, percent);
    }
    return !g_atomic_int_get(&job->cancelled);
}

/* Descriptors of the target's other files, which are the driver's from now on. */
static PdmMediaPart *
take_parts(const VitrineImage *target)
{
    PdmMediaPart *parts = target->parts ? g_new0(PdmMediaPart, target->parts->len + 1) : NULL;

    for (guint i = 0; parts && i < target->parts->len; i++) {
        VitrineImagePart *part = target->parts->pdata[i];

        parts[i] = (PdmMediaPart){part->name, part->descriptor};
        part->descriptor = -1;
    }
    return parts;
}

static void
merge_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    MergeJob *job = data;
    g_autofree char *descriptor = g_strdup_printf("fd:%d", job->target.descriptor);
    g_autofree PdmMediaPart *parts = take_parts(&job->target);
    const PdmMediaSource target = {
        .source = descriptor,
        .parts = parts,
        .part_count = parts != NULL ? job->target.parts->len : 0,
        .name = job->target.location,
        .format = job->target.format,
        .uuid = g_strcmp0(job->target.format, "RAW") == 0 ? NULL : job->target.id,
        .writable = true,
    };
    GError *error = NULL;

    job->target.descriptor = -1; /* the driver's, also when it fails */
    if (job->disk->merge_images(job->disk->user, job->from, job->to,
                                job->target.id != NULL ? &target : NULL, on_step, job, &error)) {
        g_task_return_boolean(task, TRUE);
        return;
    }
    console_translate_error(&error);
    g_task_return_error(task, error);
}

/* --- on the session's thread --- */

static void
on_merged(GObject *source, GAsyncResult *result, gpointer data)
{
    Console *console = data;
    MergeJob *job = g_steal_pointer(&console->merge);
    GError *error = NULL;

    if (g_task_propagate_boolean(G_TASK(result), &error)) {
        console->merged = job->disk;
        g_task_return_boolean(job->asked, TRUE);
        return;
    }
    console_log_printf(console->log, "Disk images were not merged: %s", error->message);
    g_task_return_error(job->asked, error);
}

/* NULL with error when that disk cannot be merged now. */
static const PdmMediaConnector *
find_disk(const Console *console, const VitrineMerge *merge, GError **error)
{
    const PdmMediaConnector *disk =
        console_media_disk(console, merge->controller, merge->port, merge->device, error);

    if (disk == NULL)
        return NULL;
    if (console->merge != NULL || console->merged != NULL || console->job != NULL)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY, "The machine is being saved.");
    else if (disk->chain_length(disk->user) != merge->levels)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "The running machine has other images in this drive than its settings say.");
    else
        return disk;
    return NULL;
}

void
console_merge_images(gpointer data, const VitrineMerge *merge, GTask *asked)
{
    Console *console = data;
    GError *error = NULL;
    const PdmMediaConnector *disk = find_disk(console, merge, &error);
    MergeJob *job;
    g_autoptr(GTask) task = NULL;

    if (disk == NULL) {
        console_translate_error(&error);
        g_task_return_error(asked, error);
        g_object_unref(asked);
        return;
    }
    job = g_new0(MergeJob, 1);
    *job = (MergeJob){.console = console,
                      .disk = disk,
                      .target = {.descriptor = -1},
                      .from = merge->from,
                      .to = merge->to,
                      .asked = asked};
    if (merge->target != NULL) {
        job->target = *merge->target;
        *merge->target = (VitrineImage){.descriptor = -1};
    }
    console->merge = job;
    task = g_task_new(NULL, NULL, on_merged, console);
    g_task_set_task_data(task, job, job_free);
    g_task_run_in_thread(task, merge_thread);
}

void
console_merge_cancel(gpointer data)
{
    Console *console = data;
    MergeJob *job = console->merge;

    if (job != NULL)
        g_atomic_int_set(&job->cancelled, 1);
}

gboolean
console_merge_end(gpointer data, gboolean done, GError **error)
{
    Console *console = data;
    const PdmMediaConnector *disk = console->merged;

    console->merged = NULL;
    if (disk == NULL || disk->settle_merge(disk->user, done, error))
        return TRUE;
    console_log_printf(console->log, "A merge of disk images: %s",
                       error != NULL && *error != NULL ? (*error)->message : "it did not end");
    console_translate_error(error);
    return FALSE;
}

void
console_merge_finish(Console *console)
{
    console_merge_cancel(console);
    while (console->merge != NULL)
        g_main_context_iteration(console->context, TRUE);
}
