/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Long work as clients see it: an object that says how far it is, and answers Wait when it is done.
 */
#include "app/service/progress.h"

#include <unistd.h>

#define STAYS_SECONDS 60

struct Progress {
    VitrineDBusProgress *skeleton;
    char *path;
    void (*cancel)(gpointer user_data);
    gpointer user_data;
    GPtrArray *waiting; /* GDBusMethodInvocation */
    GError *error;
};

static void
answer(Progress *progress, GDBusMethodInvocation *invocation)
{
    if (progress->error)
        g_dbus_method_invocation_return_gerror(invocation, progress->error);
    else
        vitrine_dbus_progress_complete_wait(progress->skeleton, invocation,
                                            vitrine_dbus_progress_get_result(progress->skeleton));
}

static gboolean
on_wait(VitrineDBusProgress *skeleton, GDBusMethodInvocation *invocation, Progress *progress)
{
    if (vitrine_dbus_progress_get_completed(skeleton))
        answer(progress, invocation);
    else
        g_ptr_array_add(progress->waiting, invocation);
    return TRUE;
}

static gboolean
on_cancel(VitrineDBusProgress *skeleton, GDBusMethodInvocation *invocation, Progress *progress)
{
    if (progress->cancel == NULL)
        return service_refuse(invocation, VITRINE_ERROR_NOT_SUPPORTED, "This cannot be cancelled.");
    if (!vitrine_dbus_progress_get_completed(skeleton))
        progress->cancel(progress->user_data);
    vitrine_dbus_progress_complete_cancel(skeleton, invocation);
    return TRUE;
}

Progress *
progress_start(Service *service, const char *description, void (*cancel)(gpointer user_data),
               gpointer user_data)
{
    Progress *progress = g_new0(Progress, 1);
    progress->skeleton = vitrine_dbus_progress_skeleton_new();
    /* Not that of another one with the service before. */
    progress->path =
        g_strdup_printf(VITRINE_PROGRESS_PREFIX "%d_%u", (int)getpid(), ++service->progress_count);
    progress->cancel = cancel;
    progress->user_data = user_data;
    progress->waiting = g_ptr_array_new();
    vitrine_dbus_progress_set_description(progress->skeleton, description);
    vitrine_dbus_progress_set_cancellable(progress->skeleton, cancel != NULL);
    vitrine_dbus_progress_set_result(progress->skeleton, "");
    g_signal_connect(progress->skeleton, "handle-wait", G_CALLBACK(on_wait), progress);
    g_signal_connect(progress->skeleton, "handle-cancel", G_CALLBACK(on_cancel), progress);
    service_export(service, G_DBUS_INTERFACE_SKELETON(progress->skeleton), progress->path);
    return progress;
}

const char *
progress_path(Progress *progress)
{
    return progress->path;
}

void
progress_set(Progress *progress, double fraction)
{
    vitrine_dbus_progress_set_percent(progress->skeleton,
                                      (guint)(CLAMP(fraction, 0.0, 1.0) * 100.0));
}

void
progress_forbid_cancel(Progress *progress)
{
    progress->cancel = NULL;
    vitrine_dbus_progress_set_cancellable(progress->skeleton, FALSE);
}

static gboolean
on_expired(gpointer user_data)
{
    Progress *progress = user_data;
    service_unexport(G_DBUS_INTERFACE_SKELETON(progress->skeleton));
    g_object_unref(progress->skeleton);
    g_clear_error(&progress->error);
    g_ptr_array_unref(progress->waiting);
    g_free(progress->path);
    g_free(progress);
    return G_SOURCE_REMOVE;
}

void
progress_finish(Progress *progress, const char *result, GError *error)
{
    progress->error = error;
    progress->cancel = NULL;
    if (error == NULL) {
        vitrine_dbus_progress_set_percent(progress->skeleton, 100);
        vitrine_dbus_progress_set_result(progress->skeleton, result);
    }
    vitrine_dbus_progress_set_cancellable(progress->skeleton, FALSE);
    vitrine_dbus_progress_set_completed(progress->skeleton, TRUE);
    g_dbus_interface_skeleton_flush(G_DBUS_INTERFACE_SKELETON(progress->skeleton));
    for (guint i = 0; i < progress->waiting->len; i++)
        answer(progress, progress->waiting->pdata[i]);
    g_ptr_array_set_size(progress->waiting, 0);
    g_timeout_add_seconds(STAYS_SECONDS, on_expired, progress);
}
