/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loads the settings, changes and saves them. */
#include "app/widgets/widget-change.h"

#define TRIES 3 /* when others change the settings at the same time */

typedef struct {
    WidgetChange change;
    gpointer data;
    guint tries;
} Change;

static void on_loaded(GObject *source, GAsyncResult *result, gpointer data);

static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Change *change = g_task_get_task_data(task);
    g_autoptr(GError) error = NULL;

    if (vitrine_machine_save_settings_finish(VITRINE_MACHINE(source), result, &error))
        g_task_return_boolean(task, TRUE);
    else if (g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_BUSY) && ++change->tries < TRIES)
        vitrine_machine_load_settings_async(VITRINE_MACHINE(source), NULL, on_loaded,
                                            g_steal_pointer(&task));
    else
        g_task_return_error(task, g_steal_pointer(&error));
}

static void
on_loaded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    const Change *change = g_task_get_task_data(task);
    GError *error = NULL;
    g_autoptr(VitrineSettings) settings =
        vitrine_machine_load_settings_finish(VITRINE_MACHINE(source), result, &error);

    if (settings == NULL) {
        g_task_return_error(task, error);
        return;
    }
    change->change(settings, change->data);
    vitrine_machine_save_settings_async(VITRINE_MACHINE(source), settings, NULL, on_saved,
                                        g_steal_pointer(&task));
}

void
widget_change_settings_async(VitrineMachine *machine, WidgetChange change, gpointer data,
                             GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(machine, NULL, callback, user_data);
    Change *wanted = g_new(Change, 1);

    *wanted = (Change){change, data, 0};
    g_task_set_task_data(task, wanted, g_free);
    vitrine_machine_load_settings_async(machine, NULL, on_loaded, task);
}

gboolean
widget_change_settings_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}
