/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Work in several steps; see task.h. Files are opened when their step begins and locked as long as
 * its worker lives, also when the service does not: whoever comes next finds them in use. */
#include "app/service/task.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "app/service/machine.h"
#include "app/service/medium.h"
#include "app/service/progress.h"
#include "app/service/settings/file-error.h"
#include "app/service/worker-job.h"

#define MAX_CHAIN 300

typedef struct {
    char *path;
    TaskMode mode;
} StepFile;

typedef struct {
    TaskCall call;                 /* or a job: */
    void (*cancel)(gpointer data); /* of a call that ends later */
    GPtrArray *words;
    GArray *files; /* StepFile */
    GArray *parts; /* StepFile: other files of images, behind all of those */
    double weight;
} Step;

struct Task {
    Service *service;
    gpointer data;
    GDestroyNotify free_data;
    Progress *progress;
    Journal *journal;
    GPtrArray *machines; /* identifiers */
    GPtrArray *steps;
    guint at;
    double done_weight, all_weight;
    double expected; /* of all_weight: of steps that are not there yet */
    double shown;    /* of 1 */
    WorkerJob *job;
    GHashTable *answers;
    GError *error;
    TaskRescue rescue;
    GError *first_error; /* while steps of the rescue run */
    gboolean cancelled, cannot_cancel;
    TaskDone done;
};

static void next_step(Task *task);

static void
clear_file(gpointer file)
{
    g_free(((StepFile *)file)->path);
}

static GArray *
new_files(void)
{
    GArray *files = g_array_new(FALSE, FALSE, sizeof(StepFile));
    g_array_set_clear_func(files, clear_file);
    return files;
}

static void
step_free(gpointer data)
{
    Step *step = data;
    g_clear_pointer(&step->files, g_array_unref);
    g_clear_pointer(&step->parts, g_array_unref);
    g_clear_pointer(&step->words, g_ptr_array_unref);
    g_free(step);
}

Task *
task_new(Service *service, gpointer data, GDestroyNotify free_data)
{
    Task *task = g_new0(Task, 1);
    task->service = service;
    task->data = data;
    task->free_data = free_data;
    task->machines = g_ptr_array_new_with_free_func(g_free);
    task->steps = g_ptr_array_new_with_free_func(step_free);
    service->task_count++;
    return task;
}

static void
release_machines(Task *task)
{
    for (guint i = 0; i < task->machines->len; i++) {
        Machine *machine = service_find_machine(task->service, task->machines->pdata[i]);
        if (machine == NULL)
            continue;
        g_clear_pointer(&machine->busy, g_free);
        machine_publish(machine);
        if (machine->left_busy) /* what could not be done then can be done now */
            journals_merge_later(task->service, machine->id);
        machine->left_busy = FALSE;
    }
}

static void
task_free(Task *task)
{
    Service *service = task->service;
    g_ptr_array_unref(task->machines);
    g_ptr_array_unref(task->steps);
    g_clear_pointer(&task->answers, g_hash_table_unref);
    g_clear_error(&task->error);
    g_clear_error(&task->first_error);
    if (task->free_data)
        task->free_data(task->data);
    g_free(task);
    service->task_count--;
    service_check_idle(service);
}

void
task_abandon(Task *task)
{
    release_machines(task);
    journal_settle(g_steal_pointer(&task->journal));
    task_free(task);
}

static void
on_cancelled(gpointer user_data)
{
    task_cancel(user_data);
}

void
task_show(Task *task, const char *description, gboolean cancellable)
{
    task->progress =
        progress_start(task->service, description, cancellable ? on_cancelled : NULL, task);
}

gboolean
task_hold(Task *task, Machine *machine, const char *doing, GError **error)
{
    if (machine->busy) {
        machine_set_busy_error(machine, error);
        return FALSE;
    }
    machine->busy = g_strdup(doing);
    g_ptr_array_add(task->machines, g_strdup(machine->id));
    machine_publish(machine);
    return TRUE;
}

void
task_set_journal(Task *task, Journal *journal)
{
    task->journal = journal;
}

Journal *
task_journal(Task *task)
{
    return task->journal;
}

void
task_drop_journal(Task *task)
{
    journal_drop(g_steal_pointer(&task->journal));
}

static Step *
add_step(Task *task)
{
    Step *step = g_new0(Step, 1);
    g_ptr_array_add(task->steps, step);
    return step;
}

static Step *
last_step(Task *task)
{
    return g_ptr_array_index(task->steps, task->steps->len - 1);
}

void
task_add_call(Task *task, TaskCall call)
{
    add_step(task)->call = call;
}

void
task_add_wait(Task *task, TaskCall begin, void (*cancel)(gpointer data))
{
    Step *step = add_step(task);
    step->call = begin;
    step->cancel = cancel;
}

void
task_continue(Task *task, GError *error)
{
    const Step *step = task->steps->pdata[task->at];
    task->error = error;
    task->done_weight += step->weight;
    task->at++;
    next_step(task);
}

void
task_weigh(Task *task, double weight)
{
    const double whole = MAX(weight, 1.0), expected = MIN(whole, task->expected);
    last_step(task)->weight = whole;
    task->expected -= expected;
    task->all_weight += whole - expected;
}

void
task_expect(Task *task, double weight)
{
    task->all_weight += weight - task->expected;
    task->expected = weight;
}

Progress *
task_progress(Task *task)
{
    return task->progress;
}

void
task_add_job(Task *task, const char *verb, double weight)
{
    Step *step = add_step(task);
    step->words = g_ptr_array_new_with_free_func(g_free);
    step->files = new_files();
    step->parts = new_files();
    task_weigh(task, weight);
    task_add_word(task, verb);
}

void
task_add_word(Task *task, const char *word)
{
    g_ptr_array_add(last_step(task)->words, g_strdup(word));
}

void
task_add_number(Task *task, guint64 number)
{
    g_ptr_array_add(last_step(task)->words, g_strdup_printf("%" G_GUINT64_FORMAT, number));
}

void
task_add_file(Task *task, const char *path, TaskMode mode)
{
    StepFile file = {g_strdup(path), mode};
    g_array_append_val(last_step(task)->files, file);
    task_add_word(task, path);
}

void
task_add_part(Task *task, const char *path, TaskMode mode)
{
    StepFile file = {g_strdup(path), mode};
    g_array_append_val(last_step(task)->parts, file);
}

void
task_add_disk(Task *task, const char *path, const char *format, TaskMode mode)
{
    g_autoptr(GPtrArray) parts = medium_parts_at(path);
    task_add_file(task, path, mode);
    task_add_word(task, format);
    for (guint i = 0; i < parts->len; i++)
        task_add_part(task, parts->pdata[i], mode);
}

void
task_add_image(Task *task, Medium *medium, TaskMode mode)
{
    task_add_disk(task, medium->record->location, medium->record->format, mode);
    /* What a raw file is registered as is written nowhere in it. */
    task_add_word(task, g_str_equal(medium->record->format, "RAW") ? "" : medium->record->id);
}

void
task_add_chain(Task *task, Medium *medium, TaskMode first, TaskMode second)
{
    g_autoptr(GPtrArray) chain = g_ptr_array_new();
    for (; medium && chain->len < MAX_CHAIN; medium = medium_parent(medium))
        g_ptr_array_add(chain, medium);
    task_add_number(task, chain->len);
    for (guint i = 0; i < chain->len; i++)
        task_add_image(task, chain->pdata[i], i == 0 ? first : i == 1 ? second : TASK_READ);
}

GHashTable *
task_answers(Task *task)
{
    return task->answers;
}

const char *
task_progress_path(Task *task)
{
    return task->progress ? progress_path(task->progress) : "";
}

void
task_cancel(Task *task)
{
    if (task->cannot_cancel)
        return;
    const Step *step = task->at < task->steps->len ? task->steps->pdata[task->at] : NULL;
    task->cancelled = TRUE;
    if (task->job)
        worker_job_cancel(task->job);
    else if (step && step->cancel)
        step->cancel(task->data);
}

void
task_forbid_cancel(Task *task)
{
    task->cannot_cancel = TRUE;
    if (task->progress)
        progress_forbid_cancel(task->progress);
}

/* done first: it answers what waits and may change the registry, by which the journal judges. */
static void
finish(Task *task)
{
    g_autofree char *result = task->done(task->data, task->error);
    if (task->error)
        journal_settle_undone(g_steal_pointer(&task->journal));
    else
        journal_settle(g_steal_pointer(&task->journal));
    release_machines(task);
    if (task->progress)
        progress_finish(task->progress, result ? result : "", g_steal_pointer(&task->error));
    task_free(task);
}

void
task_report(Task *task, double fraction)
{
    const Step *step = task->steps->pdata[task->at];
    double done = task->done_weight + step->weight * CLAMP(fraction, 0.0, 1.0);
    /* Steps that nobody expected make it wait, not go back. */
    task->shown = MAX(task->shown, done / MAX(task->all_weight, 1.0));
    if (task->progress)
        progress_set(task->progress, task->shown);
}

static void
on_job_progress(double fraction, gpointer user_data)
{
    task_report(user_data, fraction);
}

static void
on_job_done(GHashTable *answers, GError *error, gpointer user_data)
{
    Task *task = user_data;
    const Step *step = task->steps->pdata[task->at];
    task->job = NULL;
    g_clear_pointer(&task->answers, g_hash_table_unref);
    if (answers)
        task->answers = g_hash_table_ref(answers);
    task->error = error;
    task->done_weight += step->weight;
    task->at++;
    next_step(task);
}

static int
open_step_file(const StepFile *file, int extra_flags, GError **error)
{
    const int common = O_CLOEXEC | O_NONBLOCK | O_NOCTTY | extra_flags;
    gboolean reads = file->mode == TASK_READ || file->mode == TASK_LOOK;
    int flags = reads ? O_RDONLY : file->mode == TASK_CREATE ? O_RDWR | O_CREAT | O_EXCL : O_RDWR;
    GStatBuf status;
    g_autofree char *folder = g_path_get_dirname(file->path);
    if (file->mode == TASK_CREATE)
        settings_make_folder(folder); /* what is wrong with it, open says */
    int fd = open(file->path, flags | common, 0600);
    if (fd < 0 || fstat(fd, &status) < 0 || S_ISDIR(status.st_mode)) {
        int errnum = fd < 0 ? errno : EISDIR;
        if (fd >= 0)
            close(fd);
        if (errnum == ELOOP && extra_flags)
            g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_DENIED,
                        "\"%s\" is a link, so it is not opened as a part of a disk.", file->path);
        else
            file_error_set(error, errnum, "\"%s\" cannot be opened", file->path);
        return -1;
    }
    /* Before anything names it. */
    if (file->mode == TASK_CREATE)
        settings_sync_folder(file->path);
    if (file->mode == TASK_LOOK || file->mode == TASK_PATCH ||
        service_lock_image(fd, !reads, file->path, error))
        return fd;
    close(fd);
    return -1;
}

static gboolean
open_each(const GArray *files, int extra_flags, GArray *fds, GError **error)
{
    for (guint i = 0; i < files->len; i++) {
        int fd = open_step_file(&g_array_index(files, StepFile, i), extra_flags, error);
        if (fd < 0)
            return FALSE;
        g_array_append_val(fds, fd);
    }
    return TRUE;
}

/* A part that is a link could be any file of the user's. */
static GArray *
open_files(const Step *step, GError **error)
{
    GArray *fds = g_array_new(FALSE, FALSE, sizeof(int));
    if (open_each(step->files, 0, fds, error) && open_each(step->parts, O_NOFOLLOW, fds, error))
        return fds;
    for (guint k = 0; k < fds->len; k++)
        close(g_array_index(fds, int, k));
    g_array_unref(fds);
    return NULL;
}

static gboolean
start_job(Task *task, const Step *step)
{
    g_autoptr(GArray) fds = open_files(step, &task->error);
    if (fds == NULL)
        return FALSE;
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < step->words->len; i++)
        g_ptr_array_add(words, g_strdup(step->words->pdata[i]));
    for (guint i = 0; i < step->parts->len; i++) {
        const StepFile *part = &g_array_index(step->parts, StepFile, i);
        g_ptr_array_add(words, g_strdup(part->mode == TASK_CREATE ? "+new" : "+extent"));
        g_ptr_array_add(words, g_path_get_basename(part->path));
    }
    g_ptr_array_add(words, NULL);
    task->job = worker_job_start_files((const int *)(gpointer)fds->data, fds->len,
                                       (const char *const *)words->pdata, on_job_progress,
                                       on_job_done, task);
    return TRUE;
}

/* FALSE: a step has begun that ends later. */
static gboolean
run_step(Task *task, const Step *step)
{
    if (step->cancel) {
        return !step->call(task->data, &task->error);
    } else if (step->call) {
        step->call(task->data, &task->error);
        task->at++;
        return TRUE;
    }
    return !start_job(task, step);
}

/* Whether there are steps that put things in order. */
static gboolean
rescue(Task *task)
{
    TaskRescue call = g_steal_pointer(&task->rescue);
    if (call == NULL)
        return FALSE;
    g_ptr_array_set_size(task->steps, (int)MIN(task->at + 1, task->steps->len));
    task->at = task->steps->len;
    task->first_error = g_steal_pointer(&task->error);
    task_forbid_cancel(task);
    call(task->data);
    return TRUE;
}

static void
take_first_error(Task *task)
{
    if (task->first_error == NULL)
        return;
    if (task->error)
        g_warning("After a failure: %s", task->error->message);
    g_clear_error(&task->error);
    task->error = g_steal_pointer(&task->first_error);
}

static void
next_step(Task *task)
{
    do {
        while (task->error == NULL && task->at < task->steps->len) {
            if (task->cancelled && !task->cannot_cancel)
                task->error =
                    g_error_new(VITRINE_ERROR, VITRINE_ERROR_CANCELLED, "It was cancelled.");
            else if (!run_step(task, task->steps->pdata[task->at]))
                return;
        }
    } while (task->error && rescue(task));
    take_first_error(task);
    finish(task);
}

void
task_set_rescue(Task *task, TaskRescue rescue_call)
{
    task->rescue = rescue_call;
}

static gboolean
on_start(gpointer user_data)
{
    next_step(user_data);
    return G_SOURCE_REMOVE;
}

void
task_start(Task *task, TaskDone done)
{
    task->done = done;
    g_idle_add(on_start, task);
}
