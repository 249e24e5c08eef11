/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Work on the file of a registered image: larger, shorter, somewhere else. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "app/service/machine.h"
#include "app/service/medium.h"
#include "app/service/settings/file-error.h"

#define SECTOR 512

typedef struct {
    Service *service;
    char *id;
    char *target;  /* of a move */
    guint64 bytes; /* of the file that is moved */
} Work;

static void
work_free(gpointer data)
{
    Work *work = data;
    g_free(work->id);
    g_free(work->target);
    g_free(work);
}

static Task *
new_work(Medium *medium, const char *doing, Work **place)
{
    Work *work = g_new0(Work, 1);
    g_autofree char *name = g_path_get_basename(medium->record->location);
    g_autofree char *what = g_strdup_printf("%s \"%s\"", doing, name);
    work->service = medium->service;
    work->id = g_strdup(medium->record->id);
    Task *task = task_new(medium->service, work, work_free);
    task_show(task, what, TRUE);
    *place = work;
    return task;
}

static void
on_answered_refresh(gpointer user_data)
{
}

static char *
on_done(gpointer data, GError *error)
{
    Work *work = data;
    Medium *medium = service_find_medium(work->service, work->id);
    if (medium)
        medium_refresh(medium, on_answered_refresh, NULL);
    return error ? NULL : g_strdup(work->id);
}

/* An image that others stand on must stay as they know it. */
static gboolean
check_alone(Medium *medium, const char *what, GError **error)
{
    g_autoptr(GPtrArray) children = medium_children(medium);
    if (children->len == 0)
        return TRUE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                "\"%s\" cannot be %s: %u differencing images stand on it.",
                medium->record->location, what, children->len);
    return FALSE;
}

static gboolean
on_resize(VitrineDBusMedium *skeleton, GDBusMethodInvocation *invocation, guint64 size,
          Medium *medium)
{
    GError *error = NULL;
    Work *work;
    if (!service_allow_change(medium->service, invocation))
        return TRUE;
    if (size == 0 || size % SECTOR != 0 || size > VITRINE_MEDIUM_MAX_SIZE)
        return service_refuse(
            invocation, VITRINE_ERROR_INVALID,
            "The size must be from 512 bytes to 2 PB, in whole sectors of 512 bytes.");
    if (!check_alone(medium, "resized", &error))
        return service_fail(invocation, error);
    Task *task = new_work(medium, "Resizing", &work);
    task_add_job(task, "resize", 1.0);
    task_add_file(task, medium->record->location, TASK_WRITE);
    task_add_word(task, medium->record->format);
    task_add_number(task, size);
    vitrine_dbus_medium_complete_resize(skeleton, invocation, task_progress_path(task));
    task_start(task, on_done);
    return TRUE;
}

static gboolean
on_compact(VitrineDBusMedium *skeleton, GDBusMethodInvocation *invocation, Medium *medium)
{
    Work *work;
    if (!service_allow_change(medium->service, invocation))
        return TRUE;
    Task *task = new_work(medium, "Compacting", &work);
    task_add_job(task, "compact", 1.0);
    task_add_file(task, medium->record->location, TASK_WRITE);
    task_add_word(task, medium->record->format);
    vitrine_dbus_medium_complete_compact(skeleton, invocation, task_progress_path(task));
    task_start(task, on_done);
    return TRUE;
}

void
task_add_copy(Task *task, const char *from, const char *to, guint64 bytes)
{
    task_add_job(task, "clone", 1.0 + (double)bytes);
    task_add_number(task, 1);
    task_add_file(task, from, TASK_READ);
    task_add_word(task, "RAW");
    task_add_word(task, "");
    task_add_file(task, to, TASK_CREATE);
    task_add_word(task, "RAW");
    task_add_word(task, "dynamic");
    task_add_number(task, 0);
    task_add_word(task, "");
}

gboolean
task_end_copy(const char *path, guint64 bytes, GError **error)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    gboolean done = fd >= 0 && ftruncate(fd, (off_t)bytes) == 0 && fsync(fd) == 0;
    int errnum = errno;
    if (fd >= 0)
        close(fd);
    if (done)
        settings_sync_folder(path);
    else
        file_error_set(error, errnum, "\"%s\" cannot be written", path);
    return done;
}

/* The registry says where it is; the file that it does not name is deleted by the journal. */
static gboolean
commit_move(gpointer data, GError **error)
{
    Work *work = data;
    Medium *medium = service_find_medium(work->service, work->id);
    if (medium == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "The medium is gone.");
        return FALSE;
    }
    if (!task_end_copy(work->target, work->bytes, error))
        return FALSE;
    char *before = medium->record->location;
    medium->record->location = g_strdup(work->target);
    if (medium_save(medium, error)) {
        g_free(before);
        media_publish_all(work->service);
        return TRUE;
    }
    g_free(medium->record->location);
    medium->record->location = before;
    return FALSE;
}

/* Within a file system a second name is enough, before the first one goes. FALSE without error:
 * the file must be copied. */
static gboolean
link_file(const char *from, const char *to, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(to);
    if (g_mkdir_with_parents(folder, 0700) < 0)
        file_error_set(error, errno, "The folder \"%s\" cannot be made", folder);
    else if (link(from, to) == 0)
        return TRUE;
    else if (errno != EXDEV && errno != EPERM && errno != EMLINK && errno != ENOTSUP)
        file_error_set(error, errno, "\"%s\" cannot be moved to \"%s\"", from, to);
    return FALSE;
}

static char *
move_target(Medium *medium, const char *location)
{
    g_autofree char *name = g_path_get_basename(medium->record->location);
    if (g_file_test(location, G_FILE_TEST_IS_DIR))
        return g_build_filename(location, name, NULL);
    return g_strdup(location);
}

static gboolean
check_move(Medium *medium, const char *target, GError **error)
{
    Machine *user = medium_running_user(medium, NULL);
    if (user) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "\"%s\" is in use by the machine \"%s\", which is running.",
                    medium->record->location, machine_name(user));
        return FALSE;
    }
    return media_check_new_file(target, error);
}

static gboolean
on_move(VitrineDBusMedium *skeleton, GDBusMethodInvocation *invocation, const char *location,
        Medium *medium)
{
    GError *error = NULL;
    GStatBuf status = {0};
    Work *work;
    g_autofree char *target = move_target(medium, location);
    const char *from = medium->record->location;
    if (!service_allow_change(medium->service, invocation))
        return TRUE;
    if (!check_move(medium, target, &error))
        return service_fail(invocation, error);
    if (g_stat(from, &status) < 0) {
        file_error_set(&error, errno, "\"%s\" cannot be moved", from);
        return service_fail(invocation, error);
    }
    Journal *journal =
        journal_new(medium->service,
                    medium->registries->len ? ((Machine *)medium->registries->pdata[0])->id : "");
    journal_add_file(journal, from);
    journal_add_file(journal, target);
    if (!journal_write(journal, &error)) {
        journal_drop(journal);
        return service_fail(invocation, error);
    }
    gboolean linked = link_file(from, target, &error);
    if (error) {
        journal_settle(journal);
        return service_fail(invocation, error);
    }
    Task *task = new_work(medium, "Moving", &work);
    task_set_journal(task, journal);
    work->target = g_strdup(target);
    work->bytes = (guint64)status.st_size;
    if (!linked)
        task_add_copy(task, from, target, work->bytes);
    task_add_call(task, commit_move);
    vitrine_dbus_medium_complete_move(skeleton, invocation, task_progress_path(task));
    task_start(task, on_done);
    return TRUE;
}

void
medium_connect_jobs(Medium *medium)
{
    g_signal_connect(medium->skeleton, "handle-resize", G_CALLBACK(on_resize), medium);
    g_signal_connect(medium->skeleton, "handle-compact", G_CALLBACK(on_compact), medium);
    g_signal_connect(medium->skeleton, "handle-move", G_CALLBACK(on_move), medium);
}
