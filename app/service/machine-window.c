/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Windows in processes of their own: `vitrine --startvm ID --separate`. Such a process is a client
 * like others; whoever asked for it only has to hear of it when it ends before the machine runs. */
#include <sys/wait.h>

#include "app/service/machine.h"

typedef struct {
    Service *service;
    char *id; /* the machine may go before its window */
    int errors;
} Window;

static void
on_window_ended(GPid pid, int status, gpointer user_data)
{
    Window *window = user_data;
    Machine *machine = service_find_machine(window->service, window->id);
    g_autofree char *tail = machine_take_error_tail(&window->errors);
    g_spawn_close_pid(pid);
    if (machine && machine->launches->len && machine->child == 0 && !machine_is_online(machine)) {
        if (machine->start_error == NULL)
            machine->start_error =
                g_error_new(VITRINE_ERROR, VITRINE_ERROR_FAILED,
                            "The window of the machine \"%s\" ended before the machine ran.%s%s",
                            machine_name(machine), *tail ? "\n" : "", tail);
        machine_launch_failed(machine);
    }
    service_check_idle(window->service);
    g_free(window->id);
    g_free(window);
}

gboolean
machine_open_window(Machine *machine, const char *const *environment, GError **error)
{
    GPid pid;
    int errors;
    if (!machine_spawn(machine, "vitrine", "--separate", environment, &pid, &errors, error))
        return FALSE;
    Window *window = g_new(Window, 1);
    *window = (Window){machine->service, g_strdup(machine->id), errors};
    g_child_watch_add(pid, on_window_ended, window);
    return TRUE;
}
