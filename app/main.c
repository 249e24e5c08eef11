/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vitrine: the manager, or with --startvm a VM window. The machine runs in this process, on a
 * thread of its own, and the window is a client of it through the Main API; with --separate the
 * machine runs in another process. */
#include "app/api/vitrine.h"
#include "app/console/console-run.h"
#include "app/manager/manager-application.h"
#include "app/vmwindow/vm-attach.h"
#include "app/vmwindow/vm-window.h"
#include "app/widgets/widget-message.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <stdlib.h>

/* One machine with its window. */
typedef struct {
    GtkApplication *application;
    const char *machine;
    ConsoleRun *run;
    GThread *thread;
    GError *error;     /* of the run; the thread's until it has ended */
    GtkWidget *window; /* weak */
    int status;
} VmProcess;

static void
show_start_error(VmProcess *process)
{
    g_autofree char *title =
        g_strdup_printf(_("The machine “%s” cannot be started"), process->machine);

    widget_message_then_quit(G_APPLICATION(process->application), title, process->error->message);
}

static gboolean
on_run_ended(gpointer data)
{
    VmProcess *process = data;

    g_clear_pointer(&process->thread, g_thread_join);
    if (process->window)
        gtk_widget_destroy(process->window);
    if (process->error) {
        process->status = EXIT_FAILURE;
        show_start_error(process);
    } else {
        g_application_quit(G_APPLICATION(process->application));
    }
    return G_SOURCE_REMOVE;
}

static gpointer
run_machine(gpointer data)
{
    VmProcess *process = data;

    console_run_main(process->run, &process->error);
    g_idle_add(on_run_ended, process);
    return NULL;
}

/* Closed before the machine was there, or gone with it. */
static void
on_window_destroyed(GtkWidget *window, gpointer data)
{
    VmProcess *process = data;

    process->window = NULL;
    console_run_stop(process->run);
}

static void
on_client(GObject *source, GAsyncResult *result, gpointer data)
{
    VmProcess *process = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineClient) client = vitrine_client_new_finish(result, &error);
    VitrineMachine *machine = client ? vitrine_client_find_machine(client, process->machine) : NULL;

    /* What is wrong here is wrong for the run too, and it tells. */
    if (!machine || !process->thread)
        return;
    process->window = GTK_WIDGET(vm_window_new(process->application, client, machine, FALSE));
    g_signal_connect(process->window, "destroy", G_CALLBACK(on_window_destroyed), process);
}

static void
on_activate(GtkApplication *application, VmProcess *process)
{
    g_application_hold(G_APPLICATION(application));
    process->thread = g_thread_new("session", run_machine, process);
    vitrine_client_new_async(NULL, NULL, on_client, process);
}

static int
run_vm_process(const char *machine)
{
    g_autoptr(GtkApplication) application =
        gtk_application_new("org.vitrine.Vitrine", G_APPLICATION_NON_UNIQUE);
    VmProcess process = {
        .application = application,
        .machine = machine,
        .run = console_run_new(machine, "gui"),
    };

    g_signal_connect(application, "activate", G_CALLBACK(on_activate), &process);
    g_application_run(G_APPLICATION(application), 0, NULL);
    if (process.thread) { /* the session ended with the desktop */
        console_run_stop(process.run);
        g_thread_join(process.thread);
    }
    console_run_free(process.run);
    g_clear_error(&process.error);
    return process.status;
}

/* Translations of an installed program; a build folder names its own. */
static const char *
locale_folder(void)
{
    const char *folder = g_getenv("VITRINE_LOCALE_FOLDER");

    return folder ? folder : VITRINE_LOCALEDIR;
}

static int
describe_devices(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = console_describe_devices(&error);

    if (text)
        g_print("%s\n", text);
    else
        g_printerr("vitrine: %s\n", error->message);
    return text ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool
parse(int *argc, char ***argv, char **machine, gboolean *separate, gboolean *version,
      gboolean *describe, GError **error)
{
    GOptionEntry entries[] = {
        {"startvm", 's', 0, G_OPTION_ARG_STRING, machine, "Run this machine in a window",
         "NAME|UUID"},
        {"separate", 0, 0, G_OPTION_ARG_NONE, separate,
         "The machine runs in another process, also when the window is closed", NULL},
        {"describe-devices", 0, 0, G_OPTION_ARG_NONE, describe,
         "Print the devices and their options, for the service", NULL},
        {"version", 'V', 0, G_OPTION_ARG_NONE, version, "Print the version", NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- virtual machines");

    g_option_context_add_main_entries(context, entries, "vitrine");
    if (!g_option_context_parse(context, argc, argv, error))
        return false;
    if (*argc == 1 && (*machine || !*separate))
        return true;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                *argc > 1 ? "Unknown argument “%s”."
                          : "Say which machine to show: --startvm NAME.%s",
                *argc > 1 ? (*argv)[1] : "");
    return false;
}

int
main(int argc, char **argv)
{
    g_autofree char *machine = NULL;
    g_autoptr(GError) error = NULL;
    gboolean separate = FALSE, version = FALSE, describe = FALSE;

    setlocale(LC_ALL, "");
    bindtextdomain(GETTEXT_PACKAGE, locale_folder());
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
    if (!parse(&argc, &argv, &machine, &separate, &version, &describe, &error)) {
        g_printerr("vitrine: %s\n", error->message);
        return 2;
    }
    if (version) {
        g_print("%s\n", VITRINE_VERSION);
        return EXIT_SUCCESS;
    }
    if (describe)
        return describe_devices();
    if (!gtk_init_check(NULL, NULL)) {
        g_printerr("vitrine: %s\n",
                   _("There is no display. Run a machine without a window with `vitrine-headless "
                     "--startvm NAME`, and manage machines with `vitrine-manage`."));
        return EXIT_FAILURE;
    }
    if (!machine)
        return manager_application_run();
    return separate ? vm_attach_run(machine) : run_vm_process(machine);
}
