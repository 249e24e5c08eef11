/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saved states in the manager: save what runs, discard what was saved, delete what is left over. */
#include "app/manager/manager-private.h"
#include "app/widgets/widget-actions.h"

#include <glib/gi18n.h>

static gboolean
can_save(VitrineMachine *machine)
{
    VitrineMachineState state = vitrine_machine_get_state(machine);

    return vitrine_machine_get_accessible(machine) &&
           (state == VITRINE_MACHINE_STATE_RUNNING || state == VITRINE_MACHINE_STATE_PAUSED);
}

static gboolean
can_discard(VitrineMachine *machine)
{
    VitrineMachineState state = vitrine_machine_get_state(machine);

    return vitrine_machine_get_accessible(machine) &&
           (state == VITRINE_MACHINE_STATE_SAVED || state == VITRINE_MACHINE_STATE_ABORTED_SAVED);
}

/* --- save --- */
static void
end_save(gpointer data, const char *made, const GError *error)
{
    if (error && !g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED))
        manager_window_show_error(data, _("The state was not saved"), error);
}

static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerWindow) window = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *what = vitrine_progress_wait_finish(VITRINE_PROGRESS(source), result, &error);

    end_save(window, what, error);
}

static void
on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerWindow) window = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_machine_save_state_finish(VITRINE_MACHINE(source), result, &error);
    WidgetWork *work = manager_window_get_work(window);

    if (!work) /* the window is gone */
        return;
    if (!progress)
        manager_window_show_error(window, _("The state was not saved"), error);
    else if (widget_work_is_busy(work)) /* several at once */
        vitrine_progress_wait_async(progress, NULL, on_saved, g_steal_pointer(&window));
    else
        widget_work_follow(work, progress, end_save, window);
}

/* The selected machine, or all of the selected group that can. */
static void
on_save_state(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    g_autoptr(GPtrArray) machines = manager_list_get_machines(manager_window_get_list(data));

    for (guint i = 0; i < machines->len; i++) {
        VitrineMachine *machine = g_ptr_array_index(machines, i);
        if (can_save(machine))
            vitrine_machine_save_state_async(machine, NULL, on_started, g_object_ref(data));
    }
}

/* --- discard --- */
static void
on_discarded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerWindow) window = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_machine_discard_state_finish(VITRINE_MACHINE(source), result, &error))
        manager_window_show_error(window, _("The state was not discarded"), error);
}

static void
on_response(GtkDialog *dialog, int response, gpointer data)
{
    VitrineMachine *machine = g_object_get_data(G_OBJECT(dialog), "machine");

    if (response == GTK_RESPONSE_OK)
        vitrine_machine_discard_state_async(machine, NULL, on_discarded, g_object_ref(data));
    gtk_widget_destroy(GTK_WIDGET(dialog));
}

/* A question about the selected machine; response gets GTK_RESPONSE_OK for the button's text, and
 * the machine as the dialog's data "machine". */
static GtkWidget *
ask(ManagerWindow *window, const char *question, const char *explanation, const char *button,
    GCallback response)
{
    VitrineMachine *machine = manager_window_get_machine(window);
    GtkWidget *dialog = gtk_message_dialog_new(
        GTK_WINDOW(window), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_QUESTION,
        GTK_BUTTONS_NONE, "%s", question);
    GtkWidget *destroys;

    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(dialog), "%s", explanation);
    gtk_dialog_add_button(GTK_DIALOG(dialog), _("_Cancel"), GTK_RESPONSE_CANCEL);
    destroys = gtk_dialog_add_button(GTK_DIALOG(dialog), button, GTK_RESPONSE_OK);
    gtk_style_context_add_class(gtk_widget_get_style_context(destroys), "destructive-action");
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_CANCEL);
    g_object_set_data_full(G_OBJECT(dialog), "machine", g_object_ref(machine), g_object_unref);
    g_signal_connect(dialog, "response", response, window);
    gtk_widget_show(dialog);
    return dialog;
}

static void
on_discard(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    g_autofree char *question =
        g_strdup_printf(_("Discard the saved state of “%s”?"),
                        vitrine_machine_get_name(manager_window_get_machine(data)));

    ask(data, question,
        _("The machine starts anew the next time, as if its plug had been pulled. What its guest "
          "had not written to disk is lost."),
        _("_Discard the state"), G_CALLBACK(on_response));
}

/* --- what is left over --- */
static void
on_leftover_deleted(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerWindow) window = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_machine_remove_leftover_state_finish(VITRINE_MACHINE(source), result, &error))
        manager_window_show_error(window, _("The saved state was not deleted"), error);
}

static void
on_leftovers_response(GtkDialog *dialog, int response, gpointer data)
{
    VitrineMachine *machine = g_object_get_data(G_OBJECT(dialog), "machine");
    const char *const *asked = g_object_get_data(G_OBJECT(dialog), "names");

    for (guint i = 0; response == GTK_RESPONSE_OK && asked[i]; i++)
        vitrine_machine_remove_leftover_state_async(machine, asked[i], NULL, on_leftover_deleted,
                                                    g_object_ref(data));
    gtk_widget_destroy(GTK_WIDGET(dialog));
}

/* Which files; the caller's. */
static char *
leftovers_explained(VitrineMachine *machine, char **names)
{
    g_autofree char *list = g_strjoinv("\n", names);
    const char *text = ngettext(
        "This file in the folder “%s” belongs to no machine and no snapshot that is known. It may "
        "be of settings that you keep elsewhere; deleting it cannot be undone.",
        "These files in the folder “%s” belong to no machine and no snapshot that is known. They "
        "may be of settings that you keep elsewhere; deleting them cannot be undone.",
        g_strv_length(names));
    g_autofree char *explanation =
        g_strdup_printf(text, vitrine_machine_get_snapshot_folder(machine));

    return g_strjoin("\n\n", explanation, list, NULL);
}

static void
on_delete_leftovers(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    VitrineMachine *machine = manager_window_get_machine(data);
    char **names = (char **)vitrine_machine_get_leftover_states(machine);
    g_autofree char *explanation = leftovers_explained(machine, names);
    GtkWidget *dialog;

    if (*names == NULL)
        return;
    dialog = ask(data,
                 ngettext("Delete the saved state that is left over?",
                          "Delete the saved states that are left over?", g_strv_length(names)),
                 explanation, _("_Delete"), G_CALLBACK(on_leftovers_response));
    g_object_set_data_full(G_OBJECT(dialog), "names", g_strdupv(names), (GDestroyNotify)g_strfreev);
}

/* --- what is possible now --- */
void
manager_window_update_state_actions(ManagerWindow *window)
{
    g_autoptr(GPtrArray) machines = manager_list_get_machines(manager_window_get_list(window));
    VitrineMachine *machine = manager_window_get_machine(window);
    gboolean any = FALSE;

    for (guint i = 0; i < machines->len; i++)
        any = any || can_save(g_ptr_array_index(machines, i));
    widget_action_enable(G_ACTION_MAP(window), "save-state", any);
    widget_action_enable(G_ACTION_MAP(window), "discard", machine && can_discard(machine));
}

void
manager_window_add_state_actions(ManagerWindow *window)
{
    static const GActionEntry entries[] = {
        {.name = "save-state", .activate = on_save_state},
        {.name = "discard", .activate = on_discard},
        {.name = "delete-leftovers", .activate = on_delete_leftovers},
    };

    g_action_map_add_action_entries(G_ACTION_MAP(window), entries, G_N_ELEMENTS(entries), window);
}
