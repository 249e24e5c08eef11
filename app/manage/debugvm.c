/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * debugvm: looks into a running machine. Manual, chapter VBoxManage, "debugvm". Leaves out: all but
 * info and statistics. */
#include "app/manage/manage.h"

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {{NULL}};
    const char *words[3];
    if (!manage_args_parse(args, options, NULL, words, 2, 3, error))
        return false;
    if (g_str_equal(words[1], "statistics") && words[2] == NULL) {
        words[2] = words[1];
    } else if (!g_str_equal(words[1], "info")) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid sub-command '%s'", words[1]);
        return false;
    }
    VitrineMachine *machine = manage_machine(manage, words[0], error);
    g_autoptr(VitrineConsole) console = machine ? manage_console(machine, error) : NULL;
    if (console == NULL)
        return false;
    bool names = words[2] == NULL || g_str_equal(words[2], "help");
    g_autofree char *text =
        vitrine_console_get_info_sync(console, names ? "" : words[2], NULL, error);
    if (text)
        manage_print("%s%s", text, g_str_has_suffix(text, "\n") ? "" : "\n");
    return text != NULL;
}

const ManageCommand manage_command_debugvm = {
    .name = "debugvm",
    .title = "Look into a running machine",
    .usage = "debugvm NAME|UUID info [ITEM]\n"
             "debugvm NAME|UUID statistics\n",
    .about = "Prints registers, statistics, the text on the screen, or the state of a device of a"
             "\nrunning machine. Without an item, or with help, it names the items.",
    .run = run,
};
