/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * controlvm: a running machine. Manual, chapter VBoxManage, "controlvm". Leaves out:
 * clipboard, and what else this version has no device for. */
#include <stdio.h>

#include "app/manage/controlvm-private.h"

typedef struct {
    const char *name;
    bool (*run)(VitrineConsole *console, ManageArgs *args, GError **error); /* or else: */
    VitrineConsoleAction action;
    bool (*of_machine)(VitrineMachine *machine, GError **error); /* before all others */
} Action;

static bool
screenshot(VitrineConsole *console, ManageArgs *args, GError **error)
{
    const char *path = manage_args_take(args);
    const char *word = manage_args_take(args);
    guint64 screen = 0;
    gsize size;
    if (path == NULL || (word && !manage_parse_number(word, &screen)) || screen > 63) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0,
                    path ? "'%s' is not the number of a screen."
                         : "Missing argument: the file to write.%s",
                    path ? word : "");
        return false;
    }
    g_autoptr(GBytes) png =
        vitrine_console_screenshot_png_sync(console, (guint)screen, NULL, error);
    if (png == NULL)
        return false;
    const char *data = g_bytes_get_data(png, &size);
    return g_file_set_contents(path, data, (gssize)size, error);
}

static bool
set_execution_cap(VitrineConsole *console, ManageArgs *args, GError **error)
{
    const char *word = manage_args_take(args);
    guint64 percent;
    if (word == NULL || !manage_parse_number(word, &percent) || percent < 1 || percent > 100) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0,
                    word ? "Invalid execution cap '%s': a number from 1 to 100"
                         : "Missing argument: the execution cap in percent%s",
                    word ? word : "");
        return false;
    }
    return vitrine_console_set_execution_cap_sync(console, (guint)percent, NULL, error);
}

static bool
set_audio(VitrineConsole *console, ManageArgs *args, bool input, GError **error)
{
    const char *word = manage_args_take(args);
    bool on = word && g_str_equal(word, "on");
    if (word == NULL || !(on || g_str_equal(word, "off"))) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Say on or off, not '%s'.", word ? word : "");
        return false;
    }
    return vitrine_console_set_audio_sync(console, input, on, NULL, error);
}

static bool
set_audio_in(VitrineConsole *console, ManageArgs *args, GError **error)
{
    return set_audio(console, args, true, error);
}

static bool
set_audio_out(VitrineConsole *console, ManageArgs *args, GError **error)
{
    return set_audio(console, args, false, error);
}

/* Done when the process has gone, like poweroff. */
static bool
save_state(VitrineMachine *machine, GError **error)
{
    g_autoptr(VitrineProgress) progress = vitrine_machine_save_state_sync(machine, NULL, error);
    g_autofree char *result = progress ? manage_wait(progress, error) : NULL;
    return result && manage_wait_offline(machine, error);
}

static const Action actions[] = {
    {"acpipowerbutton", NULL, VITRINE_CONSOLE_ACPI_POWER_BUTTON},
    {"acpisleepbutton", NULL, VITRINE_CONSOLE_ACPI_SLEEP_BUTTON},
    {"audioin", set_audio_in, 0},
    {"audioout", set_audio_out, 0},
    {"cpuexecutioncap", set_execution_cap, 0},
    {"keyboardputfile", controlvm_put_file, 0},
    {"keyboardputscancode", controlvm_put_scancodes, 0},
    {"keyboardputstring", controlvm_put_string, 0},
    {"pause", NULL, VITRINE_CONSOLE_PAUSE},
    {"poweroff", NULL, VITRINE_CONSOLE_POWER_OFF},
    {"reset", NULL, VITRINE_CONSOLE_RESET},
    {"resume", NULL, VITRINE_CONSOLE_RESUME},
    {"savestate", NULL, 0, save_state},
    {"screenshotpng", screenshot, 0},
};

static const Action *
find(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (g_ascii_strcasecmp(actions[i].name, name) == 0)
            return &actions[i];
    }
    return NULL;
}

static bool
has_no_more(ManageArgs *args, GError **error)
{
    if (args->at >= args->count)
        return true;
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid parameter '%s'", manage_args_take(args));
    return false;
}

/* Done when the process has gone: the machine can be changed or started again at once. */
static bool
power_off(VitrineMachine *machine, VitrineConsole *console, GError **error)
{
    guint shown = 0;
    manage_show_percent(&shown, 0);
    bool ok = vitrine_console_do_sync(console, VITRINE_CONSOLE_POWER_OFF, NULL, error) &&
              manage_wait_offline(machine, error);
    if (ok)
        manage_show_percent(&shown, 100);
    else
        fprintf(stderr, "\n");
    return ok;
}

static bool
perform(VitrineMachine *machine, const Action *action, ManageArgs *args, GError **error)
{
    g_autoptr(VitrineConsole) console = manage_console(machine, error);
    if (console == NULL)
        return false;
    if (action->run)
        return action->run(console, args, error);
    if (!has_no_more(args, error))
        return false;
    if (action->action == VITRINE_CONSOLE_POWER_OFF)
        return power_off(machine, console, error);
    return vitrine_console_do_sync(console, action->action, NULL, error);
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    const char *name = manage_args_take(args);
    const char *word = manage_args_take(args);
    const Action *action = word ? find(word) : NULL;
    if (word && controlvm_is_network(word))
        return controlvm_network(manage, name, word, args, error);
    if (word && controlvm_is_usb(word))
        return controlvm_usb(manage, name, word, args, error);
    if (word == NULL || action == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0,
                    word ? "Invalid parameter '%s'" : "Not enough parameters%s", word ? word : "");
        return false;
    }
    VitrineMachine *machine = manage_machine(manage, name, error);
    return machine &&
           (action->of_machine ? has_no_more(args, error) && action->of_machine(machine, error)
                               : perform(machine, action, args, error));
}

const ManageCommand manage_command_controlvm = {
    .name = "controlvm",
    .title = "Change the state of a running machine",
    .usage = "controlvm NAME|UUID pause|resume|reset|poweroff|savestate|acpipowerbutton|\n"
             "    acpisleepbutton\n"
             "controlvm NAME|UUID audioin on|off | audioout on|off\n"
             "controlvm NAME|UUID cpuexecutioncap 1-100\n"
             "controlvm NAME|UUID keyboardputscancode HEX...\n"
             "controlvm NAME|UUID keyboardputstring TEXT...\n"
             "controlvm NAME|UUID keyboardputfile FILE\n"
             "controlvm NAME|UUID natpfN RULE|delete NAME\n"
             "controlvm NAME|UUID nicN null|nat|bridged|intnet|hostonly|generic|natnetwork [NAME]\n"
             "controlvm NAME|UUID nicpromiscN deny|allow-vms|allow-all\n"
             "controlvm NAME|UUID nicpropertyN NAME=VALUE\n"
             "controlvm NAME|UUID nictraceN on|off\n"
             "controlvm NAME|UUID nictracefileN FILE\n"
             "controlvm NAME|UUID screenshotpng FILE [SCREEN]\n"
             "controlvm NAME|UUID setlinkstateN on|off\n"
             "controlvm NAME|UUID usbattach UUID|ADDRESS [--capturefile FILE]\n"
             "controlvm NAME|UUID usbdetach UUID|ADDRESS\n",
    .about = "Changes the state of a running machine, types on its keyboard, takes a picture of its"
             "\nscreen. Scan codes are those of set 1: 1c 9c is Enter, pressed and released.",
    .run = run,
};
