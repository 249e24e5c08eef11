/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which process has the machine. The lock is a file that the VM process holds open and locked for
 * its whole life: a service that comes after a killed one sees by it whether that process lives,
 * and a lock file that nobody holds any more means that the machine ended without saying so. */
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <unistd.h>

#include "app/service/machine-state.h"
#include "app/service/network.h"
#include "app/service/usb.h"

#define ORPHAN_POLL_MS 200

static char *
lock_path(Machine *machine)
{
    g_autofree char *suffix = g_strconcat(machine->id, ".lock", NULL);
    return vitrine_transport_path(machine->service->config_folder, suffix, NULL);
}

static char *
console_path(Machine *machine)
{
    return vitrine_transport_path(machine->service->config_folder, machine->id, NULL);
}

static void
set_session(Machine *machine, const char *type, guint pid)
{
    g_free(machine->session_type);
    machine->session_type = g_strdup(type);
    machine->vm_pid = pid;
}

static void
drop_vm(Machine *machine)
{
    if (machine->vm) {
        g_signal_handler_disconnect(machine->vm, machine->vm_closed);
        g_clear_object(&machine->vm);
    }
    if (machine->orphan_source)
        g_source_remove(machine->orphan_source);
    machine->orphan_source = 0;
    set_session(machine, "", 0);
    vitrine_dbus_machine_set_console_address(machine->skeleton, "");
    vitrine_dbus_machine_set_remote_usb(machine->skeleton, (const char *const[]){NULL});
}

/* Nobody has the machine any more. */
static void
release(Machine *machine, VitrineMachineState state)
{
    g_autofree char *lock = lock_path(machine);
    g_autofree char *console = console_path(machine);
    drop_vm(machine);
    networks_close(machine->service->networks, machine->id, -1);
    usb_machine_gone(machine);
    if (lock)
        g_unlink(lock);
    if (console)
        g_unlink(console);
    machine_set_state(machine, machine_resting_state(machine, state));
    machine_find_ejected(machine);
    machine_state_released(machine);
    machine_restore_left(machine, state);
    machine_find_leftovers(machine);
    machine_publish(machine);
    machine_restore_when_off(machine);
    machine->left_busy = machine->busy != NULL;
    journals_merge(machine->service, machine->id);
    machine_run_deferred_later(machine);
    service_check_idle(machine->service);
}

void
machine_session_end(Machine *machine)
{
    drop_vm(machine);
    if (machine->child_source)
        g_source_remove(machine->child_source);
    machine->child_source = 0;
    if (machine->leave_source)
        g_source_remove(machine->leave_source);
    machine->leave_source = 0;
    if (machine->child_errors >= 0)
        close(machine->child_errors);
    machine->child_errors = -1;
}

/* A machine that never ran is off again; one that did was torn away. */
static void
on_vm_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer user_data)
{
    Machine *machine = user_data;
    gboolean ran = machine->state != VITRINE_MACHINE_STATE_STARTING;
    release(machine, ran ? VITRINE_MACHINE_STATE_ABORTED : VITRINE_MACHINE_STATE_POWERED_OFF);
    machine_launch_failed(machine);
}

static gboolean
on_orphan_poll(gpointer user_data)
{
    Machine *machine = user_data;
    g_autofree char *path = lock_path(machine);
    int fd = path ? vitrine_transport_lock(path, NULL) : -1;
    if (fd < 0)
        return G_SOURCE_CONTINUE; /* it lives: it will come */
    close(fd);
    machine->orphan_source = 0;
    release(machine, VITRINE_MACHINE_STATE_ABORTED);
    return G_SOURCE_REMOVE;
}

void
machine_session_restore(Machine *machine)
{
    g_autofree char *path = lock_path(machine);
    if (path == NULL || !g_file_test(path, G_FILE_TEST_EXISTS))
        return;
    int fd = vitrine_transport_lock(path, NULL);
    if (fd >= 0) {
        close(fd);
        release(machine, VITRINE_MACHINE_STATE_ABORTED);
        return;
    }
    machine->state = VITRINE_MACHINE_STATE_RUNNING;
    machine->orphan_source = g_timeout_add(ORPHAN_POLL_MS, on_orphan_poll, machine);
    machine_publish(machine);
}

static guint
peer_pid(GDBusMethodInvocation *invocation, guint claimed)
{
    GCredentials *peer =
        g_dbus_connection_get_peer_credentials(g_dbus_method_invocation_get_connection(invocation));
    pid_t pid = peer ? g_credentials_get_unix_pid(peer, NULL) : -1;
    return pid > 0 ? (guint)pid : claimed;
}

/* The locked file for a new process, any descriptor for one that holds its lock already; -1 when
 * somebody else has the machine. */
static int
take_lock(Machine *machine, gboolean returning, GError **error)
{
    g_autofree char *path = lock_path(machine);
    if (path == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_IO, "There is no folder for locks.");
        return -1;
    }
    if (returning)
        return open(path, O_RDONLY | O_CLOEXEC);
    int fd = vitrine_transport_lock(path, NULL);
    if (fd < 0)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "The machine \"%s\" is running in another process.", machine_name(machine));
    return fd;
}

static gboolean
check_lockable(Machine *machine, gboolean returning, GError **error)
{
    if (machine->record == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE, "%s", machine->access_error);
        return FALSE;
    }
    if (machine->busy && !returning) {
        machine_set_busy_error(machine, error);
        return FALSE;
    }
    if (machine->vm || (machine->orphan_source && !returning)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "The machine \"%s\" is running already.", machine_name(machine));
        return FALSE;
    }
    return TRUE;
}

/* As its VM process says. */
static void
enter_state(Machine *machine, VitrineMachineState state)
{
    if (state == VITRINE_MACHINE_STATE_RESTORING)
        machine_restore_begin(machine);
    machine_set_state(machine, state);
}

static void lock_again(Machine *machine, GDBusMethodInvocation *invocation);

static gboolean
on_lock_vm(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *in,
           const char *type, const char *state_word, guint pid, Machine *machine)
{
    GError *error = NULL;
    int state = VITRINE_MACHINE_STATE_STARTING;
    g_autofree char *console = console_path(machine);
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    vitrine_from_nick(VITRINE_TYPE_MACHINE_STATE, state_word, &state);
    gboolean returning = machine->orphan_source != 0 && state != VITRINE_MACHINE_STATE_STARTING;
    if (!check_lockable(machine, returning, &error))
        return service_fail(invocation, error);
    if (!returning && machine_reset_images(machine, invocation, lock_again))
        return TRUE;
    int lock = take_lock(machine, returning, &error);
    int index = lock >= 0 ? g_unix_fd_list_append(fds, lock, &error) : -1;
    if (lock >= 0)
        close(lock);
    if (index < 0)
        return service_fail(invocation, error);
    drop_vm(machine);
    machine->vm = g_object_ref(g_dbus_method_invocation_get_connection(invocation));
    machine->vm_closed = g_signal_connect(machine->vm, "closed", G_CALLBACK(on_vm_closed), machine);
    set_session(machine, type, peer_pid(invocation, pid));
    enter_state(machine, state);
    machine_publish(machine);
    vitrine_dbus_machine_complete_lock_vm(skeleton, invocation, fds, g_variant_new_handle(index),
                                          console);
    return TRUE;
}

static void
lock_again(Machine *machine, GDBusMethodInvocation *invocation)
{
    const char *type, *state;
    guint pid;
    g_variant_get(g_dbus_method_invocation_get_parameters(invocation), "(&s&su)", &type, &state,
                  &pid);
    on_lock_vm(machine->skeleton, invocation, NULL, type, state, pid, machine);
}

/* Only the process that has the machine may say these things. */
static gboolean
is_holder(Machine *machine, GDBusMethodInvocation *invocation)
{
    if (machine->vm == g_dbus_method_invocation_get_connection(invocation))
        return TRUE;
    service_refuse(invocation, VITRINE_ERROR_DENIED, "This process does not have the machine.");
    return FALSE;
}

static gboolean
on_set_vm_state(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *word,
                Machine *machine)
{
    int state = 0;
    const gboolean began = machine->state == VITRINE_MACHINE_STATE_STARTING ||
                           machine->state == VITRINE_MACHINE_STATE_RESTORING;
    if (!is_holder(machine, invocation))
        return TRUE;
    if (!vitrine_from_nick(VITRINE_TYPE_MACHINE_STATE, word, &state) ||
        !vitrine_machine_state_is_online(state))
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "\"%s\" is no running state.",
                              word);
    enter_state(machine, state);
    vitrine_dbus_machine_complete_set_vm_state(skeleton, invocation);
    if (state == VITRINE_MACHINE_STATE_RUNNING || state == VITRINE_MACHINE_STATE_PAUSED)
        machine_launch_done(machine);
    if (began)
        usb_machine_started(machine);
    else
        usb_machine_goes_on(machine);
    return TRUE;
}

static gboolean
on_console_ready(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, Machine *machine)
{
    g_autofree char *console = console_path(machine);
    if (!is_holder(machine, invocation))
        return TRUE;
    vitrine_dbus_machine_set_console_address(skeleton, console);
    machine_publish(machine);
    vitrine_dbus_machine_complete_set_console_ready(skeleton, invocation);
    journals_merge(machine->service, machine->id);
    return TRUE;
}

static gboolean
on_unlock_vm(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *word,
             Machine *machine)
{
    int state = VITRINE_MACHINE_STATE_POWERED_OFF;
    if (!is_holder(machine, invocation))
        return TRUE;
    vitrine_from_nick(VITRINE_TYPE_MACHINE_STATE, word, &state);
    if (vitrine_machine_state_is_online(state))
        state = VITRINE_MACHINE_STATE_POWERED_OFF;
    release(machine, state);
    machine_launch_failed(machine);
    vitrine_dbus_machine_complete_unlock_vm(skeleton, invocation);
    return TRUE;
}

static gboolean
on_emergency_stop(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, Machine *machine)
{
    if (machine->vm_pid == 0)
        return service_refuse(invocation, VITRINE_ERROR_STATE, "The machine \"%s\" does not run.",
                              machine_name(machine));
    if (kill((pid_t)machine->vm_pid, SIGKILL) < 0)
        return service_refuse(invocation, VITRINE_ERROR_FAILED,
                              "The machine's process cannot be ended: %s.", g_strerror(errno));
    release(machine, VITRINE_MACHINE_STATE_ABORTED);
    machine_launch_failed(machine);
    vitrine_dbus_machine_complete_emergency_stop(skeleton, invocation);
    return TRUE;
}

void
machine_connect_session(Machine *machine)
{
    static const struct {
        const char *signal;
        GCallback handler;
    } handlers[] = {
        {"handle-lock-vm", G_CALLBACK(on_lock_vm)},
        {"handle-set-vm-state", G_CALLBACK(on_set_vm_state)},
        {"handle-set-console-ready", G_CALLBACK(on_console_ready)},
        {"handle-unlock-vm", G_CALLBACK(on_unlock_vm)},
        {"handle-emergency-stop", G_CALLBACK(on_emergency_stop)},
    };
    for (guint i = 0; i < G_N_ELEMENTS(handlers); i++)
        g_signal_connect(machine->skeleton, handlers[i].signal, handlers[i].handler, machine);
}
