/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * registervm and unregistervm: the list of machines. Manual, chapter VBoxManage. Leaves out:
 * passwords of encrypted machines. */
#include "app/manage/manage.h"

static bool
run_register(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {{NULL}};
    const char *file;
    if (!manage_args_parse(args, options, NULL, &file, 1, 1, error))
        return false;
    VitrineClient *client = manage_client(manage, error);
    if (client == NULL)
        return false;
    g_autofree char *path = manage_absolute_path(file);
    g_autofree char *id = vitrine_client_register_machine_sync(client, path, NULL, error);
    return id != NULL;
}

typedef struct {
    bool delete_files;
} Unregister;

static bool
run_unregister(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {
        {"delete", MANAGE_FLAG, G_STRUCT_OFFSET(Unregister, delete_files)},
        {"deleteall", MANAGE_FLAG, G_STRUCT_OFFSET(Unregister, delete_files)},
        {NULL},
    };
    Unregister wanted = {0};
    const char *name;
    if (!manage_args_parse(args, options, &wanted, &name, 1, 1, error))
        return false;
    VitrineMachine *machine = manage_machine(manage, name, error);
    guint shown = 0;
    if (machine == NULL ||
        !vitrine_machine_unregister_sync(machine, wanted.delete_files, NULL, error))
        return false;
    if (wanted.delete_files)
        manage_show_percent(&shown, 100);
    return true;
}

const ManageCommand manage_command_registervm = {
    .name = "registervm",
    .title = "Add a machine to the list",
    .usage = "registervm FILE\n",
    .about = "Adds the machine of an existing settings file (.vbox) to the list of machines.",
    .run = run_register,
};

const ManageCommand manage_command_unregistervm = {
    .name = "unregistervm",
    .title = "Take a machine out of the list",
    .usage = "unregistervm NAME|UUID [--delete]\n",
    .about =
        "Takes a machine out of the list. --delete also deletes its settings, logs, and the disks"
        "\nthat no other machine uses.",
    .run = run_unregister,
};
