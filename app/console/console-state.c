/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saving the machine's state and continuing from a saved one. The work is done by threads, so that
 * clients are answered meanwhile. The service makes the files and says what becomes of them. */
#include "app/api/state-tail.h"
#include "app/console/console-private.h"

#include <unistd.h>

/* A save or a load that is under way. Its thread's, but for what a comment marks. */
typedef struct {
    Console *console;
    int file;
    bool live;
    GPtrArray *disks;    /* VitrineDiskChild */
    guint switched;      /* of them */
    GPtrArray *drives;   /* console_eject_list() */
    GBytes *ejected;     /* console_eject_record() of the moment that is saved; NULL: none */
    VitrineSaved *saved; /* the answer, as far as there is one */
    guint percent;       /* told last */
    gint cancelled;      /* any thread */
    GTask *asked;        /* whoever waits; the session's thread */
} StateJob;

static void
job_free(gpointer data)
{
    StateJob *job = data;

    g_clear_pointer(&job->disks, g_ptr_array_unref);
    g_clear_pointer(&job->drives, g_ptr_array_unref);
    g_clear_pointer(&job->ejected, g_bytes_unref);
    g_clear_pointer(&job->saved, vitrine_saved_free);
    g_clear_object(&job->asked);
    close(job->file);
    g_free(job);
}

/* Runs work on a thread, then done on the session's. */
static void
job_start(StateJob *job, GTaskThreadFunc work, GAsyncReadyCallback done)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, done, job->console);

    job->console->job = job;
    g_task_set_task_data(task, job, job_free);
    g_task_run_in_thread(task, work);
}

void
console_state_cancel(gpointer data)
{
    Console *console = data;
    StateJob *job = console->job;

    if (job != NULL)
        g_atomic_int_set(&job->cancelled, 1);
}

void
console_state_end(Console *console)
{
    console_state_cancel(console);
    while (console->job != NULL)
        g_main_context_iteration(console->context, TRUE);
}

/* --- saving, on a thread --- */

static bool
on_step(void *user, double fraction)
{
    StateJob *job = user;
    const guint percent = (guint)(fraction * 100);

    if (percent != job->percent) {
        job->percent = percent;
        vitrine_vm_session_set_save_progress(job->console->session, percent);
    }
    return !g_atomic_int_get(&job->cancelled);
}

static const PdmMediaConnector *
find_disk(const Console *console, const VitrineDiskChild *child, GError **error)
{
    return console_media_disk(console, child->controller, child->port, child->device, error);
}

static bool
switch_disk(Console *console, VitrineDiskChild *child, GError **error)
{
    const PdmMediaConnector *connector = find_disk(console, child, error);
    g_autofree char *descriptor = g_strdup_printf("fd:%d", child->image.descriptor);
    const PdmMediaSource source = {.source = descriptor,
                                   .name = child->image.location,
                                   .format = child->image.format,
                                   .uuid = child->image.id,
                                   .writable = true};

    if (connector == NULL)
        return false;
    child->image.descriptor = -1; /* the driver's, also when it fails */
    return connector->push_image(connector->user, &source, error);
}

/* The machine stands: what it writes from now on goes to the new images. */
static bool
switch_disks(void *user, GError **error)
{
    StateJob *job = user;

    job->ejected = console_eject_record(job->drives);
    for (; job->switched < job->disks->len; job->switched++) {
        if (!switch_disk(job->console, job->disks->pdata[job->switched], error))
            return false;
    }
    return true;
}

/* Before anything happens, since a disk that is switched stays so. */
static bool
check_disks(const StateJob *job, GError **error)
{
    for (guint i = 0; i < job->disks->len; i++) {
        if (find_disk(job->console, job->disks->pdata[i], error) == NULL)
            return false;
    }
    return true;
}

/* After the state, which is whole without it. */
static void
add_picture(const StateJob *job)
{
    ConsoleDisplay *display = job->console->display;
    g_autoptr(GBytes) png =
        display != NULL
            ? console_display_small_png(display, STATE_PICTURE_WIDTH, STATE_PICTURE_HEIGHT, NULL)
            : NULL;

    if (png != NULL && !state_tail_append(job->file, STATE_TAIL_PICTURE, png))
        console_log_line(job->console->log, "The saved state has no picture of the screen.");
}

/* Without it the drives had their media again, which is said in the log. */
static void
add_ejected(const StateJob *job)
{
    if (job->ejected != NULL && !state_tail_append(job->file, STATE_TAIL_EJECTED, job->ejected))
        console_log_line(job->console->log, "The saved state does not know of ejected media.");
}

static bool
save(StateJob *job, guint64 *pause_ns, GError **error)
{
    const SsmProgress progress = {.step = on_step, .user = job};
    const VmmLiveSave live = {.progress = &progress, .stopped = switch_disks, .user = job};
    Vmm *vmm = job->console->vmm;
    bool ok;

    if (!check_disks(job, error))
        return false;
    if (job->live)
        ok = vmm_save_live(vmm, job->file, &live, pause_ns, error);
    else
        ok = vmm_pause(vmm, VMM_PAUSE_USER, error) && vmm_save(vmm, job->file, &progress, error) &&
             switch_disks(job, error);
    if (ok) {
        add_ejected(job);
        add_picture(job);
    }
    if (ok && fsync(job->file) < 0) {
        base_error_set_errno(error, errno, "The saved state cannot be written");
        ok = false;
    }
    return ok;
}

static void
save_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    StateJob *job = data;
    GError *error = NULL;

    job->saved = g_new0(VitrineSaved, 1);
    if (save(job, &job->saved->pause_ns, &error)) {
        g_task_return_boolean(task, TRUE);
        return;
    }
    console_translate_error(&error);
    g_task_return_error(task, error);
}

/* --- saving, on the session's thread --- */

/* The machine goes on as it was before the save. */
static void
go_on(Console *console)
{
    g_autoptr(GError) error = NULL;

    if (console->resume_after_save && !vmm_resume(console->vmm, &error))
        console_log_printf(console->log, "The machine does not go on: %s", error->message);
    console_set_state(console, console->resume_after_save ? VITRINE_MACHINE_STATE_RUNNING
                                                          : VITRINE_MACHINE_STATE_PAUSED);
}

/* There is an answer also when it went wrong, if disks were switched by then. */
static void
answer(StateJob *job, GError *error)
{
    VitrineSaved *saved = g_steal_pointer(&job->saved);

    if (error != NULL && job->switched == 0) {
        vitrine_saved_free(saved);
        g_task_return_error(job->asked, error);
        return;
    }
    saved->switched = job->switched;
    saved->problem = g_strdup(error != NULL ? error->message : "");
    g_clear_error(&error);
    g_task_return_pointer(job->asked, saved, (GDestroyNotify)vitrine_saved_free);
}

static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
    Console *console = data;
    StateJob *job = g_steal_pointer(&console->job);
    GError *error = NULL;

    if (g_task_propagate_boolean(G_TASK(result), &error))
        console_log_line(console->log, "The state is saved.");
    else
        console_log_printf(console->log, "The state was not saved: %s", error->message);
    if (error != NULL && !job->live)
        go_on(console);
    answer(job, error);
}

static bool
check_free(const Console *console, GError **error)
{
    if (console->job == NULL && console->merge == NULL && console->merged == NULL &&
        (console->state == VITRINE_MACHINE_STATE_RUNNING ||
         console->state == VITRINE_MACHINE_STATE_PAUSED))
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                "The machine cannot be saved in its present state.");
    return false;
}

void
console_state_save(gpointer data, int file, gboolean live, GPtrArray *disks, GTask *task)
{
    Console *console = data;
    GError *error = NULL;
    StateJob *job;

    if (!check_free(console, &error)) {
        close(file);
        g_task_return_error(task, error);
        g_object_unref(task);
        return;
    }
    job = g_new0(StateJob, 1);
    *job = (StateJob){.console = console,
                      .file = file,
                      .live = live,
                      .disks = g_ptr_array_ref(disks),
                      .drives = console_eject_list(console),
                      .asked = task};
    if (!live) {
        console->resume_after_save = console->state == VITRINE_MACHINE_STATE_RUNNING;
        console_usb_detach_all(console, true);
        console_set_state(console, VITRINE_MACHINE_STATE_SAVING);
    }
    job_start(job, save_thread, on_saved);
}

void
console_state_end_save(gpointer data, gboolean done)
{
    Console *console = data;

    if (console->state != VITRINE_MACHINE_STATE_SAVING)
        return;
    if (!done) {
        go_on(console);
        return;
    }
    console->ends_saved = true;
    g_main_loop_quit(console->loop);
}

/* --- loading --- */

static void
load_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    StateJob *job = data;
    const SsmProgress progress = {.step = on_step, .user = job};
    GError *error = NULL;

    if (vmm_load(job->console->vmm, job->file, &progress, &error)) {
        g_task_return_boolean(task, TRUE);
        return;
    }
    console_translate_error(&error);
    g_task_return_new_error(task, error->domain, error->code,
                            "The saved state cannot be restored: %s%s The state is kept. Discard "
                            "it to start the machine anew.",
                            error->message, g_str_has_suffix(error->message, ".") ? "" : ".");
    g_error_free(error);
}

static void
on_loaded(GObject *source, GAsyncResult *result, gpointer data)
{
    Console *console = data;
    const StateJob *job = g_steal_pointer(&console->job);
    GError *error = NULL;

    if (g_task_propagate_boolean(G_TASK(result), &error) && g_atomic_int_get(&job->cancelled))
        g_set_error_literal(&error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED, "Cancelled.");
    /* The guest's disks change when it runs: the state is over before. */
    if (error == NULL && vitrine_vm_session_state_loaded(console->session, &error)) {
        console_log_line(console->log, "The saved state is loaded.");
        console_run_power_on(console, &error);
    }
    if (error == NULL)
        return;
    console_set_state(console, VITRINE_MACHINE_STATE_STARTING);
    if (g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED))
        console_log_line(console->log, "The saved state was not restored; it is kept.");
    else
        console->problem = g_steal_pointer(&error);
    g_clear_error(&error);
    g_main_loop_quit(console->loop);
}

bool
console_state_load(Console *console, bool *loading, GError **error)
{
    StateJob *job;
    int file;

    *loading = false;
    if (!vitrine_vm_session_open_state(console->session, &file, error))
        return false;
    if (file < 0)
        return true;
    *loading = true;
    console_set_state(console, VITRINE_MACHINE_STATE_RESTORING);
    job = g_new0(StateJob, 1);
    job->console = console;
    job->file = file;
    job_start(job, load_thread, on_loaded);
    return true;
}
