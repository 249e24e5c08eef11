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
    char *target;     /* of a move */
    GPtrArray *moved; /* Moved: its files, the image last */
} Work;

/* A file of an image that is moved. */
typedef struct {
    char *from, *to;
    guint64 bytes;
    gboolean linked; /* it has both names already */
} Moved;

static void
moved_free(gpointer data)
{
    Moved *moved = data;
    g_free(moved->from);
    g_free(moved->to);
    g_free(moved);
}

static void
work_free(gpointer data)
{
    Work *work = data;
    g_free(work->id);
    g_free(work->target);
    g_clear_pointer(&work->moved, g_ptr_array_unref);
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

/* Files that come to an image go again if it does not name them in the end. NULL with error. */
static Journal *
expect_parts(const Medium *medium, const GPtrArray *parts, GError **error)
{
    Journal *journal = journal_new(medium->service, "");
    for (guint i = 0; i < parts->len; i++)
        journal_add_new_part(journal, parts->pdata[i], medium->record->location);
    if (parts->len == 0 || journal_write(journal, error))
        return journal;
    journal_drop(journal);
    return NULL;
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
    g_autoptr(GPtrArray) parts = medium_parts_of_resize(medium, size, &error);
    Journal *journal = parts ? expect_parts(medium, parts, &error) : NULL;
    if (journal == NULL)
        return service_fail(invocation, error);
    Task *task = new_work(medium, "Resizing", &work);
    task_set_journal(task, journal);
    task_add_job(task, "resize", 1.0);
    task_add_disk(task, medium->record->location, medium->record->format, TASK_WRITE);
    for (guint i = 0; i < parts->len; i++)
        task_add_part(task, parts->pdata[i], TASK_CREATE);
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
    task_add_disk(task, medium->record->location, medium->record->format, TASK_WRITE);
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
    for (guint i = 0; i < work->moved->len; i++) {
        const Moved *moved = work->moved->pdata[i];
        if (!task_end_copy(moved->to, moved->bytes, error))
            return FALSE;
    }
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
    if (settings_make_folder(folder) < 0)
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
add_moved(GPtrArray *moved, const char *from, const char *to, GError **error)
{
    GStatBuf status;
    Moved *file = g_new0(Moved, 1);
    file->from = g_strdup(from);
    file->to = g_strdup(to);
    g_ptr_array_add(moved, file);
    if (g_stat(from, &status) < 0) {
        file_error_set(error, errno, "\"%s\" cannot be moved", from);
        return FALSE;
    }
    file->bytes = (guint64)status.st_size;
    return TRUE;
}

/* The image knows its other files by name, so these keep theirs, in the folder that it goes to. */
static GPtrArray *
list_moved(const char *from, const char *target, GError **error)
{
    g_autoptr(GPtrArray) moved = g_ptr_array_new_with_free_func(moved_free);
    g_autoptr(GPtrArray) parts = medium_parts_at(from);
    g_autofree char *folder = g_path_get_dirname(target);
    g_autofree char *before = g_path_get_dirname(from);
    for (guint i = 0; i < parts->len && !g_str_equal(folder, before); i++) {
        g_autofree char *name = g_path_get_basename(parts->pdata[i]);
        g_autofree char *to = g_build_filename(folder, name, NULL);
        if (!media_check_new_file(to, error) || !add_moved(moved, parts->pdata[i], to, error))
            return NULL;
    }
    return add_moved(moved, from, target, error) ? g_steal_pointer(&moved) : NULL;
}

static Journal *
write_journal(Medium *medium, const GPtrArray *moved, GError **error)
{
    Journal *journal =
        journal_new(medium->service,
                    medium->registries->len ? ((Machine *)medium->registries->pdata[0])->id : "");
    const Moved *image = moved->pdata[moved->len - 1];
    for (guint i = 0; i + 1 < moved->len; i++) {
        const Moved *part = moved->pdata[i];
        journal_add_part(journal, part->from, image->from);
        journal_add_part(journal, part->to, image->to);
    }
    journal_add_file(journal, image->from);
    journal_add_file(journal, image->to);
    if (journal_write(journal, error))
        return journal;
    journal_drop(journal);
    return NULL;
}

/* NULL with error. */
static Task *
plan_move(Medium *medium, const char *target, GError **error)
{
    const char *from = medium->record->location;
    GError *problem = NULL;
    Work *work;
    g_autoptr(GPtrArray) files =
        check_move(medium, target, error) ? list_moved(from, target, error) : NULL;
    Journal *journal = files ? write_journal(medium, files, error) : NULL;
    if (journal == NULL)
        return NULL;
    for (guint i = 0; i < files->len && problem == NULL; i++) {
        Moved *moved = files->pdata[i];
        moved->linked = link_file(moved->from, moved->to, &problem);
    }
    if (problem) {
        g_propagate_error(error, problem);
        journal_settle(journal);
        return NULL;
    }
    Task *task = new_work(medium, "Moving", &work);
    task_set_journal(task, journal);
    work->target = g_strdup(target);
    work->moved = g_steal_pointer(&files);
    for (guint i = 0; i < work->moved->len; i++) {
        const Moved *moved = work->moved->pdata[i];
        if (!moved->linked)
            task_add_copy(task, moved->from, moved->to, moved->bytes);
    }
    task_add_call(task, commit_move);
    return task;
}

static gboolean
on_move(VitrineDBusMedium *skeleton, GDBusMethodInvocation *invocation, const char *location,
        Medium *medium)
{
    GError *error = NULL;
    g_autofree char *target = move_target(medium, location);
    if (!service_allow_change(medium->service, invocation))
        return TRUE;
    Task *task = plan_move(medium, target, &error);
    if (task == NULL)
        return service_fail(invocation, error);
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
