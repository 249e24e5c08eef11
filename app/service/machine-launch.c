/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Starts VM processes. Whoever asked is answered when the machine runs, or with the process's own
 * words why it does not. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/service/machine-state.h"

#define ERROR_TAIL 2000  /* bytes of what a failed process wrote */
#define LEAVE_SECONDS 10 /* for a process that has given the machine back */

void
machine_launch_done(Machine *machine)
{
    g_clear_error(&machine->start_error);
    for (guint i = 0; i < machine->launches->len; i++)
        vitrine_dbus_machine_complete_launch(machine->skeleton, machine->launches->pdata[i]);
    g_ptr_array_set_size(machine->launches, 0);
}

void
machine_launch_failed(Machine *machine)
{
    if (machine->launches->len == 0)
        return;
    if (machine->start_error == NULL)
        machine->start_error =
            g_error_new(VITRINE_ERROR, VITRINE_ERROR_FAILED,
                        "The process of the machine \"%s\" ended before the machine ran.",
                        machine_name(machine));
    for (guint i = 0; i < machine->launches->len; i++)
        g_dbus_method_invocation_return_gerror(machine->launches->pdata[i], machine->start_error);
    g_ptr_array_set_size(machine->launches, 0);
    g_clear_error(&machine->start_error);
}

static gboolean
on_report_start_error(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, int code,
                      const char *message, Machine *machine)
{
    g_clear_error(&machine->start_error);
    machine->start_error = g_error_new_literal(
        VITRINE_ERROR, CLAMP(code, VITRINE_ERROR_FAILED, VITRINE_ERROR_DISCONNECTED), message);
    machine_restore_end(machine, machine->start_error);
    machine_launch_failed(machine);
    machine->start_failed = machine->child != 0;
    vitrine_dbus_machine_complete_report_start_error(skeleton, invocation);
    return TRUE;
}

/* A call that waits for the end of the machine's last process. */
typedef struct {
    char *id;
    Service *service;
    void (*again)(Machine *machine, GDBusMethodInvocation *call);
    GDBusMethodInvocation *call;
} Deferred;

static gboolean
on_overstayed(gpointer user_data)
{
    Machine *machine = user_data;
    machine->leave_source = 0;
    kill(machine->child, SIGKILL);
    return G_SOURCE_REMOVE;
}

gboolean
machine_defer(Machine *machine, void (*again)(Machine *machine, GDBusMethodInvocation *call),
              GDBusMethodInvocation *call)
{
    if ((machine_is_online(machine) && !machine->start_failed) || machine->launches->len ||
        (machine->child == 0 && !machine->start_failed))
        return FALSE;
    Deferred *deferred = g_new(Deferred, 1);
    deferred->id = g_strdup(machine->id);
    deferred->service = machine->service;
    deferred->again = again;
    deferred->call = call;
    g_queue_push_tail(&machine->deferred, deferred);
    if (machine->leave_source == 0 && machine->child)
        machine->leave_source = g_timeout_add_seconds(LEAVE_SECONDS, on_overstayed, machine);
    return TRUE;
}

/* One of them may take the machine away, so the list is taken out first. */
static void
run_deferred(Machine *machine)
{
    if (machine->child || (machine->start_failed && machine->vm))
        return;
    machine->start_failed = FALSE;
    GQueue waiting = machine->deferred;
    Deferred *deferred;
    g_queue_init(&machine->deferred);
    while ((deferred = g_queue_pop_head(&waiting))) {
        Machine *found = service_find_machine(deferred->service, deferred->id);
        if (found)
            deferred->again(found, deferred->call);
        else
            service_refuse(deferred->call, VITRINE_ERROR_NOT_FOUND, "The machine is gone.");
        g_free(deferred->id);
        g_free(deferred);
    }
}

static gboolean
on_run_deferred(gpointer user_data)
{
    Deferred *later = user_data;
    Machine *machine = service_find_machine(later->service, later->id);
    if (machine)
        run_deferred(machine);
    g_free(later->id);
    g_free(later);
    return G_SOURCE_REMOVE;
}

void
machine_run_deferred_later(Machine *machine)
{
    if (machine->child == 0)
        machine->start_failed = FALSE;
    if (g_queue_is_empty(&machine->deferred))
        return;
    Deferred *later = g_new0(Deferred, 1);
    later->id = g_strdup(machine->id);
    later->service = machine->service;
    g_idle_add(on_run_deferred, later);
}

char *
machine_take_error_tail(int *errors)
{
    char buffer[ERROR_TAIL + 1];
    off_t size = lseek(*errors, 0, SEEK_END);
    ssize_t got = pread(*errors, buffer, ERROR_TAIL, size > ERROR_TAIL ? size - ERROR_TAIL : 0);
    close(*errors);
    *errors = -1;
    if (got <= 0)
        return g_strdup("");
    buffer[got] = '\0';
    return g_utf8_make_valid(g_strstrip(buffer), -1);
}

static void
on_child_ended(GPid pid, int status, gpointer user_data)
{
    Machine *machine = user_data;
    machine->child_source = 0;
    machine->child = 0;
    if (machine->leave_source)
        g_source_remove(machine->leave_source);
    machine->leave_source = 0;
    g_spawn_close_pid(pid);
    g_autofree char *tail = machine_take_error_tail(&machine->child_errors);
    if (machine->launches->len && machine->start_error == NULL) {
        g_autofree char *how =
            WIFSIGNALED(status) ? g_strdup_printf("was ended by signal %d", WTERMSIG(status))
                                : g_strdup_printf("ended with exit code %d", WEXITSTATUS(status));
        machine->start_error =
            g_error_new(VITRINE_ERROR, VITRINE_ERROR_FAILED,
                        "The process of the machine \"%s\" %s before the machine ran.%s%s",
                        machine_name(machine), how, *tail ? "\n" : "", tail);
    }
    Service *service = machine->service;
    machine_launch_failed(machine);
    run_deferred(machine);
    service_check_idle(service);
}

static void
leave_session(gpointer user_data)
{
    setsid();
}

static char **
child_environment(Machine *machine, const char *const *given)
{
    char **environment = g_strdupv((char **)given);
    if (*given == NULL) {
        g_strfreev(environment);
        environment = g_get_environ();
    }
    return g_environ_setenv(environment, "VBOX_USER_HOME", machine->service->config_folder, TRUE);
}

gboolean
machine_spawn(Machine *machine, const char *program, const char *option,
              const char *const *environment, GPid *pid, int *errors, GError **error)
{
    g_autofree char *path = vitrine_find_program(program, error);
    g_auto(GStrv) environ_list = child_environment(machine, environment);
    g_autoptr(GError) cause = NULL;
    if (path == NULL)
        return FALSE;
    char *argv[] = {path, (char *)"--startvm", machine->id, (char *)option, NULL};
    /* Not a pipe: a service that is killed must not take the machine with it. */
    *errors = memfd_create("vitrine-errors", MFD_CLOEXEC);
    if (g_spawn_async_with_fds("/", argv, environ_list,
                               G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
                               leave_session, NULL, pid, -1, -1, *errors, &cause))
        return TRUE;
    close(*errors);
    *errors = -1;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_FAILED, "\"%s\" cannot be started: %s.", path,
                cause->message);
    return FALSE;
}

static gboolean
spawn(Machine *machine, const char *type, const char *const *environment, GError **error)
{
    const char *program = g_str_equal(type, "headless") ? "vitrine-headless" : "vitrine";
    if (!machine_spawn(machine, program, NULL, environment, &machine->child, &machine->child_errors,
                       error))
        return FALSE;
    machine->child_source = g_child_watch_add(machine->child, on_child_ended, machine);
    return TRUE;
}

/* What this version cannot run is said before a process is started. */
static gboolean
check_startable(Machine *machine, GError **error)
{
    if (machine->record == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE, "%s", machine->access_error);
        return FALSE;
    }
    if (machine_is_online(machine) || machine->child) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "The machine \"%s\" is running already.", machine_name(machine));
        return FALSE;
    }
    if (machine->busy) {
        machine_set_busy_error(machine, error);
        return FALSE;
    }
    g_autoptr(GPtrArray) problems = machine_problems(machine, machine->record->settings);
    for (guint i = 0; i < problems->len; i++) {
        const VitrineProblem *problem = problems->pdata[i];
        if (problem->fatal) {
            g_set_error(error, VITRINE_ERROR, problem->code,
                        "The machine \"%s\" cannot be started: %s", machine_name(machine),
                        problem->message);
            return FALSE;
        }
    }
    return TRUE;
}

/* A running machine gets a window; one that does not is started by its window. */
static void
launch_window(Machine *machine, GDBusMethodInvocation *call, const char *const *environment)
{
    GError *error = NULL;
    gboolean online = machine_is_online(machine);
    if ((!online && !check_startable(machine, &error)) ||
        !machine_open_window(machine, environment, &error)) {
        service_fail(call, error);
        return;
    }
    if (online)
        vitrine_dbus_machine_complete_launch(machine->skeleton, call);
    else
        g_ptr_array_add(machine->launches, call);
}

static void launch_again(Machine *machine, GDBusMethodInvocation *call);

static void
launch(Machine *machine, GDBusMethodInvocation *call, const char *type,
       const char *const *environment)
{
    static const char *const types[] = {"gui", "headless", NULL};
    GError *error = NULL;
    if (machine_defer(machine, launch_again, call))
        return;
    if (g_str_equal(type, "separate")) {
        launch_window(machine, call, environment);
        return;
    }
    if (!g_strv_contains(types, type))
        g_set_error(&error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "A machine starts as gui, headless or separate, not \"%s\".", type);
    if (error || !check_startable(machine, &error) || !spawn(machine, type, environment, &error)) {
        service_fail(call, error);
        return;
    }
    g_clear_error(&machine->start_error);
    g_ptr_array_add(machine->launches, call);
}

static void
launch_again(Machine *machine, GDBusMethodInvocation *call)
{
    const char *type;
    g_autofree const char **environment = NULL;
    g_variant_get(g_dbus_method_invocation_get_parameters(call), "(&s^a&s)", &type, &environment);
    launch(machine, call, type, environment);
}

static gboolean
on_launch(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *type,
          const char *const *environment, Machine *machine)
{
    launch(machine, invocation, type, environment);
    return TRUE;
}

void
machine_connect_launch(Machine *machine)
{
    g_signal_connect(machine->skeleton, "handle-launch", G_CALLBACK(on_launch), machine);
    g_signal_connect(machine->skeleton, "handle-report-start-error",
                     G_CALLBACK(on_report_start_error), machine);
}
