/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One run of the worker program. What it says is hostile, as the files are that it reads: lines and
 * their number are bounded. */
#include "app/service/worker-job.h"

#include <string.h>
#include <unistd.h>

#include "app/api/transport.h"
#include "app/api/vitrine-types.h"
#include "app/service/settings/file-error.h"

#define MAX_LINE 4096
#define MAX_ANSWERS 300
#define WORKER_FD 3

struct WorkerJob {
    GSubprocess *process;
    GDataInputStream *output;
    GCancellable *cancellable;
    GHashTable *answers;
    GError *error;
    WorkerProgress progress;
    WorkerDone done;
    gpointer user_data;
};

static void read_line(WorkerJob *job);

static void
finish(WorkerJob *job)
{
    if (job->error == NULL && !g_hash_table_contains(job->answers, "done"))
        job->error = g_error_new(VITRINE_ERROR, VITRINE_ERROR_FAILED,
                                 "The worker ended before it was done.");
    GHashTable *answers = job->error ? NULL : job->answers;
    job->done(answers, g_steal_pointer(&job->error), job->user_data);
    g_hash_table_unref(job->answers);
    g_clear_object(&job->output);
    g_clear_object(&job->process);
    g_clear_object(&job->cancellable);
    g_free(job);
}

static void
on_ended(GObject *source, GAsyncResult *result, gpointer user_data)
{
    WorkerJob *job = user_data;
    g_subprocess_wait_finish(G_SUBPROCESS(source), result, NULL);
    if (g_cancellable_is_cancelled(job->cancellable)) {
        g_clear_error(&job->error);
        job->error = g_error_new(VITRINE_ERROR, VITRINE_ERROR_CANCELLED, "It was cancelled.");
    }
    finish(job);
}

/* "error <code> <sentence>" */
static void
take_error(WorkerJob *job, const char *text)
{
    char *end = NULL;
    guint64 code = g_ascii_strtoull(text, &end, 10);
    if (job->error)
        return;
    text = *end == ' ' ? end + 1 : end;
    code = MIN(code, VITRINE_ERROR_DISCONNECTED);
    job->error = g_error_new(VITRINE_ERROR, (int)code, "%s%s%s", text,
                             g_str_has_suffix(text, ".") ? "" : ".", file_error_advice(code));
}

static void
take_line(WorkerJob *job, char *line)
{
    char *space = strchr(line, ' ');
    const char *value = space ? space + 1 : "";
    if (!g_utf8_validate(line, -1, NULL))
        return;
    if (space)
        *space = '\0';
    if (g_str_equal(line, "error"))
        take_error(job, value);
    else if (g_str_equal(line, "progress") && job->progress)
        job->progress(g_ascii_strtod(value, NULL), job->user_data);
    else if (g_hash_table_size(job->answers) < MAX_ANSWERS || g_str_equal(line, "done"))
        g_hash_table_insert(job->answers, g_strdup(line), g_strdup(value));
}

static void
on_line(GObject *source, GAsyncResult *result, gpointer user_data)
{
    WorkerJob *job = user_data;
    gsize length = 0;
    g_autofree char *line =
        g_data_input_stream_read_line_finish(G_DATA_INPUT_STREAM(source), result, &length, NULL);
    if (line && length < MAX_LINE) {
        take_line(job, line);
        read_line(job);
        return;
    }
    if (line)
        g_subprocess_force_exit(job->process);
    g_subprocess_wait_async(job->process, NULL, on_ended, job);
}

static void
read_line(WorkerJob *job)
{
    g_data_input_stream_read_line_async(job->output, G_PRIORITY_DEFAULT, NULL, on_line, job);
}

static gboolean
report_failure(gpointer user_data)
{
    finish(user_data);
    return G_SOURCE_REMOVE;
}

/* The worker's end is the only one left, so that its locks end with it. */
static void
spawn(WorkerJob *job, const int *fds, guint count, const char *const *arguments)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autofree char *program = vitrine_find_program("vitrine-worker", &job->error);
    for (guint i = 0; i < count; i++)
        g_subprocess_launcher_take_fd(launcher, fds[i], (int)(WORKER_FD + i));
    if (program == NULL)
        return;
    g_ptr_array_add(argv, program);
    for (guint i = 0; arguments[i]; i++)
        g_ptr_array_add(argv, (gpointer)arguments[i]);
    g_ptr_array_add(argv, NULL);
    job->process =
        g_subprocess_launcher_spawnv(launcher, (const char *const *)argv->pdata, &job->error);
}

static WorkerJob *
new_job(void)
{
    WorkerJob *job = g_new0(WorkerJob, 1);
    job->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    job->cancellable = g_cancellable_new();
    return job;
}

WorkerJob *
worker_job_start_files(const int *fds, guint count, const char *const *arguments,
                       WorkerProgress progress, WorkerDone done, gpointer user_data)
{
    WorkerJob *job = new_job();
    job->progress = progress;
    job->done = done;
    job->user_data = user_data;
    spawn(job, fds, count, arguments);
    if (job->process == NULL) {
        g_idle_add(report_failure, job);
        return job;
    }
    job->output = g_data_input_stream_new(g_subprocess_get_stdout_pipe(job->process));
    read_line(job);
    return job;
}

WorkerJob *
worker_job_start(int fd, const char *const *arguments, WorkerProgress progress, WorkerDone done,
                 gpointer user_data)
{
    return worker_job_start_files(&fd, 1, arguments, progress, done, user_data);
}

typedef struct {
    GHashTable *answers;
    GError **error;
} Outcome;

static void
take_outcome(GHashTable *answers, GError *error, gpointer user_data)
{
    Outcome *outcome = user_data;
    if (answers)
        outcome->answers = g_hash_table_ref(answers);
    else
        g_propagate_error(outcome->error, error);
}

GHashTable *
worker_job_run(const int *fds, guint count, const char *const *arguments, GError **error)
{
    Outcome outcome = {NULL, error};
    WorkerJob *job = new_job();
    gsize length = 0;
    char *line;
    job->done = take_outcome;
    job->user_data = &outcome;
    spawn(job, fds, count, arguments);
    if (job->process) {
        job->output = g_data_input_stream_new(g_subprocess_get_stdout_pipe(job->process));
        while ((line = g_data_input_stream_read_line(job->output, &length, NULL, NULL))) {
            take_line(job, line);
            g_free(line);
        }
        g_subprocess_wait(job->process, NULL, NULL);
    }
    finish(job);
    return outcome.answers;
}

void
worker_job_cancel(WorkerJob *job)
{
    g_cancellable_cancel(job->cancellable);
    if (job->process)
        g_subprocess_force_exit(job->process);
}
