/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * discardstate and adoptstate: what a machine that is off continues from. Manual, chapter
 * VBoxManage. */
#include "app/manage/manage.h"

static bool
run_discard(Manage *manage, ManageArgs *args, GError **error)
{
    const char *name, *leftover = NULL;
    const ManageOption options[] = {{"leftover", MANAGE_TEXT, 0}, {NULL}};
    if (!manage_args_parse(args, options, &leftover, &name, 1, 1, error))
        return false;
    VitrineMachine *machine = manage_machine(manage, name, error);
    if (machine && leftover)
        return vitrine_machine_remove_leftover_state_sync(machine, leftover, NULL, error);
    return machine && vitrine_machine_discard_state_sync(machine, NULL, error);
}

static bool
run_adopt(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {{NULL}};
    const char *words[2];
    if (!manage_args_parse(args, options, NULL, words, 2, 2, error))
        return false;
    VitrineMachine *machine = manage_machine(manage, words[0], error);
    g_autofree char *path = manage_absolute_path(words[1]);
    return machine && vitrine_machine_adopt_state_sync(machine, path, NULL, error);
}

const ManageCommand manage_command_discardstate = {
    .name = "discardstate",
    .title = "Delete a saved state",
    .usage = "discardstate NAME|UUID [--leftover FILE]\n",
    .about =
        "Deletes the saved state of a machine. It is off then, as if its plug had been pulled"
        "\nwhen the state was saved. With --leftover its state stays as it is, and the file of that"
        "\nname goes, which showvminfo tells of as a saved state that belongs to nothing.",
    .run = run_discard,
};

const ManageCommand manage_command_adoptstate = {
    .name = "adoptstate",
    .title = "Give a machine a saved state",
    .usage = "adoptstate NAME|UUID FILE\n",
    .about = "A machine that is off continues from this file when it is started. Its settings and"
             "\ndisks have to be those that the state was saved with.",
    .run = run_adopt,
};
