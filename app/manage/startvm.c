/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * startvm: starts machines. Manual, chapter VBoxManage, "startvm". Leaves out: the SDL front end,
 * passwords. */
#include <glib-unix.h>
#include <unistd.h>

#include "app/manage/manage.h"

typedef struct {
    const char *type;
    GPtrArray *names; /* borrowed texts */
    char **environment;
} StartVm;

static const char *
usual_type(Manage *manage, VitrineMachine *machine)
{
    g_autofree char *of_client = NULL;
    g_autoptr(VitrineSettings) settings = vitrine_machine_load_settings_sync(machine, NULL, NULL);
    g_object_get(manage->client, "default-frontend", &of_client, NULL);
    const char *wanted = settings ? vitrine_settings_get_string(settings, "frontend") : "";
    if (*wanted == '\0' || g_str_equal(wanted, "default"))
        wanted = of_client ? of_client : "";
    return g_str_equal(wanted, "headless") ? "headless" : "gui";
}

static bool
check_type(const char *type, GError **error)
{
    static const char *const types[] = {"gui", "headless", "separate", "emergencystop", NULL};
    static const char *const missing[] = {"sdl", NULL};
    if (type == NULL || g_strv_contains(types, type))
        return true;
    if (g_strv_contains(missing, type))
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "This version does not have the front end '%s': use gui, headless or separate.",
                    type);
    else
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid frontend type: '%s'", type);
    return false;
}

typedef struct {
    GAsyncResult *result; /* of the launch */
    VitrineProgress *restoring;
    guint interrupt, shown;
} Launch;

/* Ctrl+C while a saved state is being loaded: it stays as it is. */
static gboolean
on_interrupt(gpointer progress)
{
    vitrine_progress_cancel(progress);
    return G_SOURCE_CONTINUE;
}

/* Only people are told: the manual's tool says nothing of it. */
static void
on_percent(VitrineProgress *progress, GParamSpec *spec, Launch *launch)
{
    if (isatty(STDERR_FILENO))
        manage_show_percent(&launch->shown, vitrine_progress_get_percent(progress));
}

static void
forget_restoring(Launch *launch)
{
    if (launch->restoring) {
        g_source_remove(launch->interrupt);
        g_signal_handlers_disconnect_by_data(launch->restoring, launch);
    }
    g_clear_object(&launch->restoring);
}

static void
on_restoring(VitrineMachine *machine, GParamSpec *spec, Launch *launch)
{
    forget_restoring(launch);
    launch->restoring = vitrine_machine_open_restore_progress(machine);
    if (launch->restoring == NULL)
        return;
    launch->interrupt = g_unix_signal_add(SIGINT, on_interrupt, launch->restoring);
    g_signal_connect(launch->restoring, "notify::percent", G_CALLBACK(on_percent), launch);
    on_percent(launch->restoring, NULL, launch);
}

static void
on_launched(GObject *source, GAsyncResult *result, gpointer data)
{
    Launch *launch = data;
    launch->result = g_object_ref(result);
}

static bool
launch_machine(VitrineMachine *machine, const char *type, char **environment, GError **error)
{
    Launch launch = {0};
    gulong handler =
        g_signal_connect(machine, "notify::restore-progress", G_CALLBACK(on_restoring), &launch);
    vitrine_machine_launch_async(machine, type, (const char *const *)environment, NULL, on_launched,
                                 &launch);
    while (launch.result == NULL)
        g_main_context_iteration(NULL, TRUE);
    g_signal_handler_disconnect(machine, handler);
    forget_restoring(&launch);
    bool started = vitrine_machine_launch_finish(machine, launch.result, error);
    g_object_unref(launch.result);
    if (launch.shown > 0 && started)
        manage_show_percent(&launch.shown, 100);
    else if (launch.shown > 0)
        g_printerr("\n");
    return started;
}

static bool
start(Manage *manage, const char *name, const StartVm *wanted, GError **error)
{
    VitrineMachine *machine = manage_machine(manage, name, error);
    if (machine == NULL)
        return false;
    if (g_strcmp0(wanted->type, "emergencystop") == 0)
        return vitrine_machine_emergency_stop_sync(machine, NULL, error);
    const char *type = wanted->type ? wanted->type : usual_type(manage, machine);
    manage_print("Waiting for VM \"%s\" to power on...\n", name);
    if (!launch_machine(machine, type, wanted->environment, error))
        return false;
    manage_print("VM \"%s\" has been successfully started.\n", name);
    return true;
}

/* NAME=VALUE for the VM process; several in one word are separated by line ends. */
static bool
put_environment(ManageArgs *args, StartVm *wanted, GError **error)
{
    const char *text;
    if (!manage_args_text(args, &text, error))
        return false;
    g_auto(GStrv) pairs = g_strsplit(text, "\n", -1);
    for (guint i = 0; pairs[i]; i++) {
        g_auto(GStrv) pair = g_strsplit(pairs[i], "=", 2);
        if (pair[0] == NULL || *pair[0] == '\0')
            continue;
        wanted->environment = pair[1]
                                  ? g_environ_setenv(wanted->environment, pair[0], pair[1], TRUE)
                                  : g_environ_unsetenv(wanted->environment, pair[0]);
    }
    return true;
}

static bool
parse(ManageArgs *args, StartVm *wanted, GError **error)
{
    while (args->at < args->count) {
        if (manage_args_take_option(args, "type", NULL)) {
            if (!manage_args_text(args, &wanted->type, error))
                return false;
        } else if (manage_args_take_option(args, "putenv", NULL) ||
                   manage_args_take_option(args, "e", NULL)) {
            if (!put_environment(args, wanted, error))
                return false;
        } else {
            const char *word = manage_args_take(args);
            if (*word == '-') {
                g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Unknown option: %s", word);
                return false;
            }
            g_ptr_array_add(wanted->names, (gpointer)word);
        }
    }
    if (wanted->names->len)
        return check_type(wanted->type, error);
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "VM name or UUID required");
    return false;
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    StartVm wanted = {.names = names, .environment = g_get_environ()};
    bool ok = parse(args, &wanted, error);
    for (guint i = 0; ok && i < names->len; i++)
        ok = start(manage, g_ptr_array_index(names, i), &wanted, error);
    g_strfreev(wanted.environment);
    return ok;
}

const ManageCommand manage_command_startvm = {
    .name = "startvm",
    .title = "Start machines",
    .usage =
        "startvm NAME|UUID... [--type gui|headless|separate|emergencystop] [--putenv NAME=VALUE]\n",
    .about =
        "Starts machines, with a window (gui), without (headless), or with a window that\n"
        "can be closed while the machine runs on (separate). emergencystop ends the process of\n"
        "one that no longer answers; it becomes aborted.",
    .run = run,
};
