/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A window in a process of its own. It outlives nothing: the machine does. */
#include "app/vmwindow/vm-attach.h"

#include "app/vmwindow/vm-window.h"
#include "app/widgets/widget-message.h"

#include <glib/gi18n.h>
#include <stdlib.h>

#define END_MS 2000 /* until the service knows how the machine has ended */

typedef struct {
    GtkApplication *application;
    const char *name;
    VitrineClient *client;
    VitrineMachine *machine;
    GtkWidget *window; /* NULL: none, or not any more */
    gboolean was_shown;
    gboolean launching; /* what its window shows is not known to run */
    guint timeout;
    int status;
} Attach;

static void
fail(Attach *attach, const char *text)
{
    const char *name = attach->machine ? vitrine_machine_get_name(attach->machine) : attach->name;
    g_autofree char *title = attach->was_shown && !attach->launching
                                 ? g_strdup_printf(_("The machine “%s” has stopped"), name)
                                 : g_strdup_printf(_("The machine “%s” cannot be shown"), name);

    attach->status = EXIT_FAILURE;
    widget_message_then_quit(G_APPLICATION(attach->application), title, text);
}

/* --- the end of the window --- */
static void
on_end_known(VitrineMachine *machine, GParamSpec *property, Attach *attach)
{
    VitrineMachineState state = vitrine_machine_get_state(machine);

    if (vitrine_machine_state_is_online(state))
        return;
    g_signal_handlers_disconnect_by_data(machine, attach);
    if (state == VITRINE_MACHINE_STATE_ABORTED || state == VITRINE_MACHINE_STATE_ABORTED_SAVED)
        fail(attach, _("Its process has ended unexpectedly. What the guest had not saved is lost; "
                       "the machine can be started again. Its log may tell the cause."));
    else
        g_application_quit(G_APPLICATION(attach->application));
}

static gboolean
on_timeout(gpointer data)
{
    Attach *attach = data;

    attach->timeout = 0;
    g_application_quit(G_APPLICATION(attach->application));
    return G_SOURCE_REMOVE;
}

static void
on_window_destroyed(GtkWidget *window, Attach *attach)
{
    attach->window = NULL;
    if (attach->launching || attach->status != EXIT_SUCCESS)
        return; /* the end of the launch, or of the message, is the end */
    if (vm_window_is_detached(VM_WINDOW(window))) {
        g_application_quit(G_APPLICATION(attach->application));
        return;
    }
    attach->timeout = g_timeout_add(END_MS, on_timeout, attach);
    g_signal_connect(attach->machine, "notify::state", G_CALLBACK(on_end_known), attach);
    on_end_known(attach->machine, NULL, attach);
}

/* --- the beginning --- */
static void
show(Attach *attach)
{
    if (attach->was_shown)
        return;
    attach->window =
        GTK_WIDGET(vm_window_new(attach->application, attach->client, attach->machine, TRUE));
    attach->was_shown = TRUE;
    g_signal_connect(attach->window, "destroy", G_CALLBACK(on_window_destroyed), attach);
}

/* A machine that loads its saved state is shown before it runs. */
static void
on_restore_progress(VitrineMachine *machine, GParamSpec *property, Attach *attach)
{
    if (*vitrine_machine_get_restore_progress(machine))
        show(attach);
}

static void
on_launched(GObject *source, GAsyncResult *result, gpointer data)
{
    Attach *attach = data;
    g_autoptr(GError) error = NULL;

    g_signal_handlers_disconnect_by_func(source, on_restore_progress, attach);
    if (vitrine_machine_launch_finish(VITRINE_MACHINE(source), result, &error))
        show(attach);
    else if (!g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED))
        fail(attach, error->message);
    attach->launching = FALSE;
    if (attach->status == EXIT_SUCCESS && (error || attach->window == NULL))
        g_application_quit(G_APPLICATION(attach->application));
}

static void
on_client(GObject *source, GAsyncResult *result, gpointer data)
{
    Attach *attach = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    VitrineMachine *machine;

    attach->client = vitrine_client_new_finish(result, &error);
    if (!attach->client) {
        fail(attach, error->message);
        return;
    }
    machine = vitrine_client_find_machine(attach->client, attach->name);
    if (!machine) {
        text = g_strdup_printf(_("There is no machine named “%s”. `vitrine-manage list vms` shows "
                                 "those that there are."),
                               attach->name);
        fail(attach, text);
        return;
    }
    attach->machine = g_object_ref(machine);
    if (vitrine_machine_state_is_online(vitrine_machine_get_state(machine))) {
        show(attach);
        return;
    }
    g_signal_connect(machine, "notify::restore-progress", G_CALLBACK(on_restore_progress), attach);
    attach->launching = TRUE;
    vitrine_machine_launch_async(machine, "headless", NULL, NULL, on_launched, attach);
}

static void
on_activate(GtkApplication *application, Attach *attach)
{
    g_application_hold(G_APPLICATION(application));
    vitrine_client_new_async(NULL, NULL, on_client, attach);
}

int
vm_attach_run(const char *machine)
{
    g_autoptr(GtkApplication) application =
        gtk_application_new("org.vitrine.Vitrine", G_APPLICATION_NON_UNIQUE);
    Attach attach = {.application = application, .name = machine};

    g_signal_connect(application, "activate", G_CALLBACK(on_activate), &attach);
    g_application_run(G_APPLICATION(application), 0, NULL);
    g_clear_handle_id(&attach.timeout, g_source_remove);
    if (attach.machine)
        g_signal_handlers_disconnect_by_data(attach.machine, &attach);
    g_clear_object(&attach.machine);
    g_clear_object(&attach.client);
    return attach.status;
}
