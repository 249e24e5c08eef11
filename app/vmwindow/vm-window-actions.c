/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The actions of the VM window. Menus, host-key combinations and buttons all end here. */
#include "app/vmwindow/vm-window-private.h"

#include "app/snapshots/snapshots-edit.h"
#include "app/vmwindow/vm-commands.h"
#include "app/vmwindow/vm-information.h"
#include "app/widgets/widget-actions.h"

#include <glib/gi18n.h>

static VitrineMachineState
machine_state(VmWindow *window)
{
    return window->console ? vitrine_console_get_state(window->console)
                           : vitrine_machine_get_state(window->machine);
}

static void
on_plain(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    VmWindow *window = data;
    const char *name = g_action_get_name(G_ACTION(action));
    const guint *keys = vm_commands_keys(name);

    if (keys)
        vm_input_send_keys(window->input, keys);
    else if (g_str_equal(name, "reset"))
        vm_window_do(window, VITRINE_CONSOLE_RESET);
    else if (g_str_equal(name, "resume"))
        vm_window_do(window, VITRINE_CONSOLE_RESUME);
    else if (g_str_equal(name, "acpi-shutdown"))
        vm_window_do(window, VITRINE_CONSOLE_ACPI_POWER_BUTTON);
    else if (g_str_equal(name, "power-off"))
        vm_window_do(window, VITRINE_CONSOLE_POWER_OFF);
    else if (g_str_equal(name, "save-state"))
        vm_window_save_state(window);
    else if (g_str_equal(name, "take-snapshot"))
        snapshots_take_show(GTK_WINDOW(window), window->machine);
    else if (g_str_equal(name, "close"))
        vm_window_ask_close(window);
    else if (g_str_equal(name, "leave-fullscreen"))
        g_action_group_change_action_state(G_ACTION_GROUP(window), "fullscreen",
                                           g_variant_new_boolean(FALSE));
    else if (g_str_equal(name, "adjust"))
        vm_window_adjust(window);
    else if (g_str_equal(name, "minimize"))
        gtk_window_iconify(GTK_WINDOW(window));
    else if (g_str_equal(name, "screenshot"))
        vm_window_save_screenshot(window);
}

static void
on_show_log(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    VmWindow *window = data;
    const char *folder = vitrine_machine_get_log_folder(window->machine);
    g_autofree char *path = g_build_filename(folder, "VBox.log", NULL);
    g_autofree char *uri = g_filename_to_uri(path, NULL, NULL);
    g_autoptr(GError) error = NULL;

    if (!gtk_show_uri_on_window(GTK_WINDOW(window), uri, GDK_CURRENT_TIME, &error))
        vm_window_show_error(window, _("The log cannot be shown"), error);
}

static void
on_information(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    VmWindow *window = data;

    if (!window->console)
        return;
    if (!window->information)
        g_set_weak_pointer(&window->information,
                           vm_information_new(GTK_WINDOW(window), window->console,
                                              vitrine_machine_get_name(window->machine)));
    gtk_window_present(GTK_WINDOW(window->information));
}

static void
on_about(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    widget_about_show(GTK_WINDOW(data));
}

/* The host key itself, for a guest that needs it. */
static void
on_key_host(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    VmWindow *window = data;
    g_autofree GdkKeymapKey *keys = NULL;
    GdkKeymap *keymap = gdk_keymap_get_for_display(gtk_widget_get_display(GTK_WIDGET(window)));
    guint codes[2] = {0, 0};
    int count;

    if (gdk_keymap_get_entries_for_keyval(keymap, vm_input_get_host_key(window->input), &keys,
                                          &count) &&
        count > 0) {
        codes[0] = keys[0].keycode;
        vm_input_send_keys(window->input, codes);
    }
}

/* --- toggles: the state follows what really happened, not the click --- */
static void
on_pause(GSimpleAction *action, GVariant *value, gpointer data)
{
    vm_window_do(data,
                 g_variant_get_boolean(value) ? VITRINE_CONSOLE_PAUSE : VITRINE_CONSOLE_RESUME);
}

static void
on_fullscreen(GSimpleAction *action, GVariant *value, gpointer data)
{
    vm_window_set_fullscreen(data, g_variant_get_boolean(value));
    vm_window_keep(data, VM_WINDOW_FULLSCREEN_DATA, g_variant_get_boolean(value));
}

static void
on_scaled(GSimpleAction *action, GVariant *value, gpointer data)
{
    VmWindow *window = data;
    gboolean scaled = g_variant_get_boolean(value);

    vm_window_set_scaled(window, scaled);
    vm_window_keep(window, VM_WINDOW_SCALE_DATA, scaled);
}

static void
on_status_bar(GSimpleAction *action, GVariant *value, gpointer data)
{
    VmWindow *window = data;
    gboolean shown = g_variant_get_boolean(value);

    gtk_widget_set_visible(GTK_WIDGET(window->status), shown && !window->fullscreen);
    g_simple_action_set_state(action, value);
    vm_window_keep(window, VM_WINDOW_STATUS_BAR_DATA, shown);
    vm_window_adjust_later(window);
}

gboolean
vm_window_wants_status_bar(VmWindow *window)
{
    g_autoptr(GVariant) state =
        g_action_group_get_action_state(G_ACTION_GROUP(window), "status-bar");

    return state && g_variant_get_boolean(state);
}

static void
set_toggle(VmWindow *window, const char *name, gboolean on)
{
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(window), name);

    g_simple_action_set_state(G_SIMPLE_ACTION(action), g_variant_new_boolean(on));
}

void
vm_window_update_actions(VmWindow *window)
{
    GActionMap *map = G_ACTION_MAP(window);
    VitrineMachineState state = machine_state(window);
    gboolean running = window->console && state == VITRINE_MACHINE_STATE_RUNNING;
    gboolean paused = window->console && state == VITRINE_MACHINE_STATE_PAUSED;
    gboolean there = running || paused || (window->console && state == VITRINE_MACHINE_STATE_STUCK);

    widget_action_enable(map, "pause", running || paused);
    widget_action_enable(map, "resume", paused);
    widget_action_enable(map, "reset", there);
    widget_action_enable(map, "save-state", running || paused);
    widget_action_enable(map, "take-snapshot", running || paused);
    widget_action_enable(map, "acpi-shutdown", running);
    widget_action_enable(map, "power-off", there);
    widget_action_enable(map, "screenshot", there);
    widget_action_enable(map, "information", there);
    widget_action_enable(map, "adjust", !window->fullscreen && !window->scaled);
    set_toggle(window, "pause", paused);
    set_toggle(window, "fullscreen", window->fullscreen);
    set_toggle(window, "scaled", window->scaled);
}

gboolean
vm_window_run_combo(VmWindow *window, guint keyval)
{
    const VmCommand *command = vm_commands_find_combo(keyval);
    GAction *action;

    if (!command)
        return FALSE;
    action = g_action_map_lookup_action(G_ACTION_MAP(window), command->action);
    if (action)
        g_action_activate(action, NULL);
    return TRUE;
}

typedef void (*ChangeState)(GSimpleAction *action, GVariant *value, gpointer data);

static ChangeState
toggle_handler(const char *action)
{
    if (g_str_equal(action, "pause"))
        return on_pause;
    if (g_str_equal(action, "fullscreen"))
        return on_fullscreen;
    if (g_str_equal(action, "scaled"))
        return on_scaled;
    return on_status_bar;
}

static void
add_action(VmWindow *window, const char *name, gboolean toggle)
{
    g_autoptr(GSimpleAction) action = NULL;

    if (toggle) {
        gboolean on = g_str_equal(name, "status-bar");
        action = g_simple_action_new_stateful(name, NULL, g_variant_new_boolean(on));
        g_signal_connect(action, "change-state", G_CALLBACK(toggle_handler(name)), window);
    } else {
        action = g_simple_action_new(name, NULL);
        if (g_str_equal(name, "show-log"))
            g_signal_connect(action, "activate", G_CALLBACK(on_show_log), window);
        else if (g_str_equal(name, "information"))
            g_signal_connect(action, "activate", G_CALLBACK(on_information), window);
        else if (g_str_equal(name, "about"))
            g_signal_connect(action, "activate", G_CALLBACK(on_about), window);
        else if (g_str_equal(name, "key-host"))
            g_signal_connect(action, "activate", G_CALLBACK(on_key_host), window);
        else
            g_signal_connect(action, "activate", G_CALLBACK(on_plain), window);
    }
    g_action_map_add_action(G_ACTION_MAP(window), G_ACTION(action));
}

void
vm_window_add_actions(VmWindow *window)
{
    guint count;
    const VmCommand *commands = vm_commands(&count);

    for (guint i = 0; i < count; i++)
        add_action(window, commands[i].action, commands[i].toggle);
    /* Of buttons only. */
    add_action(window, "resume", FALSE);
    add_action(window, "leave-fullscreen", FALSE);
    vm_window_add_disk_actions(window);
    vm_window_add_media_actions(window);
    vm_window_add_network_actions(window);
    vm_window_add_audio_actions(window);
    vm_window_add_usb_actions(window);
}
