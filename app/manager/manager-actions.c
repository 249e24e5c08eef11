/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What can be done in the manager's window. */
#include "app/manager/manager-private.h"
#include "app/media/media-window.h"
#include "app/networks/networks-window.h"
#include "app/settings/settings-dialog.h"
#include "app/widgets/widget-actions.h"
#include "app/wizards/clone-machine/clone-machine.h"
#include "app/wizards/new-machine/new-machine.h"

#include <glib/gi18n.h>

typedef struct {
    ManagerWindow *window;
    VitrineConsoleAction action;
} Command;

static void
command_free(Command *command)
{
    g_object_unref(command->window);
    g_free(command);
}

/* --- new, add --- */
static void
on_new(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    new_machine_wizard_show(GTK_WINDOW(data), manager_window_get_client(data));
}

static void
on_registered(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerWindow) window = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *id =
        vitrine_client_register_machine_finish(VITRINE_CLIENT(source), result, &error);

    if (!id)
        manager_window_show_error(window, _("The machine was not added"), error);
}

static void
on_add_response(GtkNativeDialog *dialog, int response, gpointer data)
{
    ManagerWindow *window = data;
    g_autofree char *path = gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(dialog));

    if (response == GTK_RESPONSE_ACCEPT && path)
        vitrine_client_register_machine_async(manager_window_get_client(window), path, NULL,
                                              on_registered, g_object_ref(window));
    g_object_unref(dialog);
}

static void
on_add(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(_("Add a machine"), GTK_WINDOW(data),
                                    GTK_FILE_CHOOSER_ACTION_OPEN, _("_Add"), _("_Cancel"));
    GtkFileFilter *filter = gtk_file_filter_new();

    gtk_file_filter_set_name(filter, _("Machines (*.vbox, *.xml)"));
    gtk_file_filter_add_pattern(filter, "*.vbox");
    gtk_file_filter_add_pattern(filter, "*.xml");
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), filter);
    g_signal_connect(dialog, "response", G_CALLBACK(on_add_response), data);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* --- start, and what a running machine can be told --- */
/* The start tells of what went wrong. */
static void
on_restored(gpointer data, const char *made, const GError *error)
{
}

/* A machine without a window: how far its saved state is loaded is told here. */
static void
on_restoring(VitrineMachine *machine, GParamSpec *property, ManagerWindow *window)
{
    g_autoptr(VitrineProgress) progress = vitrine_machine_open_restore_progress(machine);
    WidgetWork *work = manager_window_get_work(window);

    if (progress && work && !widget_work_is_busy(work))
        widget_work_follow(work, progress, on_restored, window);
}

static void
on_launched(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerWindow) window = data;
    g_autoptr(GError) error = NULL;

    g_signal_handlers_disconnect_by_func(source, on_restoring, window);
    if (!vitrine_machine_launch_finish(VITRINE_MACHINE(source), result, &error) &&
        !g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED))
        manager_window_show_error(window, _("The machine did not start"), error);
}

static gboolean
can_start(VitrineMachine *machine)
{
    return vitrine_machine_get_accessible(machine) &&
           !vitrine_machine_state_is_online(vitrine_machine_get_state(machine));
}

static gboolean
can_shut_down(VitrineMachine *machine)
{
    return vitrine_machine_get_accessible(machine) &&
           vitrine_machine_get_state(machine) == VITRINE_MACHINE_STATE_RUNNING;
}

/* The selected machine, or all of the selected group that can. */
static void
launch(ManagerWindow *window, const char *type)
{
    g_auto(GStrv) environment = g_get_environ();
    g_autoptr(GPtrArray) machines = manager_list_get_machines(manager_window_get_list(window));

    for (guint i = 0; i < machines->len; i++) {
        VitrineMachine *machine = g_ptr_array_index(machines, i);
        if (!can_start(machine))
            continue;
        if (g_str_equal(type, "headless"))
            g_signal_connect_object(machine, "notify::restore-progress", G_CALLBACK(on_restoring),
                                    window, 0);
        vitrine_machine_launch_async(machine, type, (const char *const *)environment, NULL,
                                     on_launched, g_object_ref(window));
    }
}

static void
on_start(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    launch(data, "gui");
}

static void
on_start_detachable(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    launch(data, "separate");
}

static void
on_start_headless(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    launch(data, "headless");
}

static void
on_command_done(GObject *source, GAsyncResult *result, gpointer data)
{
    Command *command = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_console_do_finish(VITRINE_CONSOLE(source), result, &error))
        manager_window_show_error(command->window, _("That did not work"), error);
    command_free(command);
}

static void
on_command_console(GObject *source, GAsyncResult *result, gpointer data)
{
    Command *command = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineConsole) console =
        vitrine_machine_open_console_finish(VITRINE_MACHINE(source), result, &error);

    if (console) {
        vitrine_console_do_async(console, command->action, NULL, on_command_done, command);
        return;
    }
    manager_window_show_error(command->window, _("The machine does not answer"), error);
    command_free(command);
}

static void
tell(ManagerWindow *window, VitrineMachine *machine, VitrineConsoleAction action)
{
    Command *command = g_new(Command, 1);

    *command = (Command){g_object_ref(window), action};
    vitrine_machine_open_console_async(machine, NULL, on_command_console, command);
}

static void
tell_machine(ManagerWindow *window, VitrineConsoleAction action)
{
    tell(window, manager_window_get_machine(window), action);
}

static void
on_pause(GSimpleAction *action, GVariant *value, gpointer data)
{
    tell_machine(data,
                 g_variant_get_boolean(value) ? VITRINE_CONSOLE_PAUSE : VITRINE_CONSOLE_RESUME);
}

static void
on_reset(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    tell_machine(data, VITRINE_CONSOLE_RESET);
}

static void
on_shutdown(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    g_autoptr(GPtrArray) machines = manager_list_get_machines(manager_window_get_list(data));

    for (guint i = 0; i < machines->len; i++) {
        if (can_shut_down(g_ptr_array_index(machines, i)))
            tell(data, g_ptr_array_index(machines, i), VITRINE_CONSOLE_ACPI_POWER_BUTTON);
    }
}

static void
on_power_off(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    tell_machine(data, VITRINE_CONSOLE_POWER_OFF);
}

/* --- show: the window that there is, else a new one beside the machine's process --- */
static void
open_window(ManagerWindow *window, VitrineMachine *machine)
{
    g_auto(GStrv) environment = g_get_environ();

    vitrine_machine_launch_async(machine, "separate", (const char *const *)environment, NULL,
                                 on_launched, g_object_ref(window));
}

typedef struct {
    ManagerWindow *window;
    VitrineMachine *machine;
} Show;

static void
on_shown(GObject *source, GAsyncResult *result, gpointer data)
{
    Show *show = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_console_show_window_finish(VITRINE_CONSOLE(source), result, &error)) {
        if (error)
            manager_window_show_error(show->window, _("The machine does not answer"), error);
        else
            open_window(show->window, show->machine);
    }
    g_object_unref(show->window);
    g_object_unref(show->machine);
    g_free(show);
}

static void
on_show_console(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerWindow) window = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineConsole) console =
        vitrine_machine_open_console_finish(VITRINE_MACHINE(source), result, &error);
    Show *show;

    if (!console) {
        manager_window_show_error(window, _("The machine does not answer"), error);
        return;
    }
    show = g_new(Show, 1);
    *show = (Show){g_steal_pointer(&window), g_object_ref(VITRINE_MACHINE(source))};
    vitrine_console_show_window_async(console, NULL, on_shown, show);
}

static void
on_show(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    vitrine_machine_open_console_async(manager_window_get_machine(data), NULL, on_show_console,
                                       g_object_ref(data));
}

/* --- settings, files, removal --- */
void
manager_window_open_settings(ManagerWindow *window, const char *page)
{
    VitrineMachine *machine = manager_window_get_machine(window);

    if (machine && vitrine_machine_get_accessible(machine))
        settings_dialog_show(GTK_WINDOW(window), manager_window_get_client(window), machine, page);
}

static void
on_settings(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    manager_window_open_settings(data, "general");
}

static void
on_open_settings(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    manager_window_open_settings(data, g_variant_get_string(parameter, NULL));
}

static void
on_show_log(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    manager_window_show_page(data, "logs");
}

static void
on_clone(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    clone_machine_show(GTK_WINDOW(data), manager_window_get_client(data),
                       manager_window_get_machine(data), "");
}

static void
on_move(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    manager_window_ask_move(data, manager_window_get_machine(data));
}

static void
on_media(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    gtk_window_present(
        GTK_WINDOW(media_window_new(GTK_WINDOW(data), manager_window_get_client(data))));
}

static void
on_networks(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    gtk_window_present(
        GTK_WINDOW(networks_window_new(GTK_WINDOW(data), manager_window_get_client(data))));
}

static void
show_folder(ManagerWindow *window, const char *folder)
{
    g_autofree char *uri = g_filename_to_uri(folder, NULL, NULL);
    g_autoptr(GError) error = NULL;

    if (!gtk_show_uri_on_window(GTK_WINDOW(window), uri, GDK_CURRENT_TIME, &error))
        manager_window_show_error(window, _("The folder cannot be shown"), error);
}

static void
on_show_folder(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    const char *file = vitrine_machine_get_settings_file(manager_window_get_machine(data));
    g_autofree char *folder = g_path_get_dirname(file);

    show_folder(data, folder);
}

static void
on_show_log_folder(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    show_folder(data, vitrine_machine_get_log_folder(manager_window_get_machine(data)));
}

static void
on_refreshed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerWindow) window = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_machine_refresh_finish(VITRINE_MACHINE(source), result, &error))
        manager_window_show_error(window, _("The machine still can't be read"), error);
}

static void
on_refresh(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    vitrine_machine_refresh_async(manager_window_get_machine(data), NULL, on_refreshed,
                                  g_object_ref(data));
}

static void
on_remove(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    manager_window_ask_remove(data, manager_window_get_machine(data));
}

static void
on_search(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    manager_window_toggle_search(data);
}

/* --- what is possible now --- */
static gboolean
any(GPtrArray *machines, gboolean (*can)(VitrineMachine *machine))
{
    for (guint i = 0; i < machines->len; i++) {
        if (can(g_ptr_array_index(machines, i)))
            return TRUE;
    }
    return FALSE;
}

void
manager_window_update_actions(ManagerWindow *window)
{
    g_autoptr(GPtrArray) machines = manager_list_get_machines(manager_window_get_list(window));
    VitrineMachine *machine = manager_window_get_machine(window);
    gboolean client = manager_window_get_client(window) != NULL;
    gboolean accessible = machine && vitrine_machine_get_accessible(machine);
    VitrineMachineState state =
        machine ? vitrine_machine_get_state(machine) : VITRINE_MACHINE_STATE_POWERED_OFF;
    gboolean online = accessible && vitrine_machine_state_is_online(state);
    gboolean running = state == VITRINE_MACHINE_STATE_RUNNING;
    gboolean paused = state == VITRINE_MACHINE_STATE_PAUSED;
    GActionMap *map = G_ACTION_MAP(window);
    GAction *pause = g_action_map_lookup_action(G_ACTION_MAP(window), "pause");

    widget_action_enable(map, "new", client);
    widget_action_enable(map, "add", client);
    widget_action_enable(map, "start", any(machines, can_start));
    widget_action_enable(map, "start-detachable", any(machines, can_start));
    widget_action_enable(map, "start-headless", any(machines, can_start));
    widget_action_enable(map, "show", online && vitrine_machine_get_console_available(machine));
    manager_window_show_start_button(window, !online);
    widget_action_enable(map, "settings", accessible);
    widget_action_enable(map, "open-settings", accessible);
    widget_action_enable(map, "clone", machine && can_start(machine));
    widget_action_enable(map, "move-machine", machine && can_start(machine));
    widget_action_enable(map, "show-log", machine != NULL);
    widget_action_enable(map, "show-log-folder", machine != NULL);
    widget_action_enable(map, "show-folder", machine != NULL);
    widget_action_enable(map, "pause", accessible && (running || paused));
    widget_action_enable(map, "reset", online);
    widget_action_enable(map, "shutdown", any(machines, can_shut_down));
    widget_action_enable(map, "power-off",
                         online && (running || paused || state == VITRINE_MACHINE_STATE_STUCK));
    widget_action_enable(map, "refresh", machine && !accessible);
    widget_action_enable(map, "remove", machine && !online);
    g_simple_action_set_state(G_SIMPLE_ACTION(pause), g_variant_new_boolean(accessible && paused));
    manager_window_update_state_actions(window);
    manager_window_update_group_actions(window);
}

void
manager_window_add_actions(ManagerWindow *window)
{
    static const GActionEntry entries[] = {
        {.name = "new", .activate = on_new},
        {.name = "add", .activate = on_add},
        {.name = "start", .activate = on_start},
        {.name = "start-detachable", .activate = on_start_detachable},
        {.name = "start-headless", .activate = on_start_headless},
        {.name = "show", .activate = on_show},
        {.name = "settings", .activate = on_settings},
        {.name = "open-settings", .activate = on_open_settings, .parameter_type = "s"},
        {.name = "show-log", .activate = on_show_log},
        {.name = "media", .activate = on_media},
        {.name = "networks", .activate = on_networks},
        {.name = "clone", .activate = on_clone},
        {.name = "move-machine", .activate = on_move},
        {.name = "show-folder", .activate = on_show_folder},
        {.name = "show-log-folder", .activate = on_show_log_folder},
        {.name = "pause", .state = "false", .change_state = on_pause},
        {.name = "reset", .activate = on_reset},
        {.name = "shutdown", .activate = on_shutdown},
        {.name = "power-off", .activate = on_power_off},
        {.name = "refresh", .activate = on_refresh},
        {.name = "remove", .activate = on_remove},
        {.name = "search", .activate = on_search},
    };

    g_action_map_add_action_entries(G_ACTION_MAP(window), entries, G_N_ELEMENTS(entries), window);
    manager_window_add_state_actions(window);
    manager_window_add_group_actions(window);
    manager_window_update_actions(window);
}
