/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Waits for long work in the service and shows how far it is. */
#include <glib-unix.h>
#include <stdio.h>

#include "app/manage/manage.h"

static void
on_percent(VitrineProgress *progress, GParamSpec *spec, gpointer shown)
{
    manage_show_percent(shown, vitrine_progress_get_percent(progress));
}

/* Ctrl+C: the service removes what it has made so far. */
static gboolean
on_interrupt(gpointer progress)
{
    vitrine_progress_cancel(progress);
    return G_SOURCE_CONTINUE;
}

static void
on_waited(GObject *source, GAsyncResult *result, gpointer data)
{
    *(GAsyncResult **)data = g_object_ref(result);
}

char *
manage_wait(VitrineProgress *progress, GError **error)
{
    guint shown = 0;
    g_autoptr(GAsyncResult) result = NULL;
    gulong handler = g_signal_connect(progress, "notify::percent", G_CALLBACK(on_percent), &shown);
    guint interrupt = g_unix_signal_add(SIGINT, on_interrupt, progress);
    on_percent(progress, NULL, &shown);
    vitrine_progress_wait_async(progress, NULL, on_waited, &result);
    while (result == NULL)
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(interrupt);
    g_signal_handler_disconnect(progress, handler);
    char *id = vitrine_progress_wait_finish(progress, result, error);
    if (id)
        manage_show_percent(&shown, 100);
    else if (shown <= 10)
        fprintf(stderr, "\n");
    return id;
}
