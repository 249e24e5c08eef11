/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * createvm: a new machine. Manual, chapter VBoxManage, "createvm". Leaves out: encryption. */
#include "app/manage/manage.h"

typedef struct {
    const char *name, *os_type, *base_folder, *groups, *uuid;
    bool registered, defaults;
} CreateVm;

static const ManageOption options[] = {
    {"name", MANAGE_TEXT, G_STRUCT_OFFSET(CreateVm, name)},
    {"ostype", MANAGE_TEXT, G_STRUCT_OFFSET(CreateVm, os_type)},
    {"basefolder", MANAGE_TEXT, G_STRUCT_OFFSET(CreateVm, base_folder)},
    {"groups", MANAGE_TEXT, G_STRUCT_OFFSET(CreateVm, groups)},
    {"uuid", MANAGE_TEXT, G_STRUCT_OFFSET(CreateVm, uuid)},
    {"register", MANAGE_FLAG, G_STRUCT_OFFSET(CreateVm, registered)},
    {"default", MANAGE_FLAG, G_STRUCT_OFFSET(CreateVm, defaults)},
    {NULL},
};

static GVariant *
service_options(const CreateVm *wanted, const char *os_type)
{
    GVariantDict dict;
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "os-type", "s", os_type);
    g_variant_dict_insert(&dict, "register", "b", wanted->registered);
    g_variant_dict_insert(&dict, "defaults", "b", wanted->defaults);
    if (wanted->base_folder) {
        g_autofree char *folder = manage_absolute_path(wanted->base_folder);
        g_variant_dict_insert(&dict, "folder", "s", folder);
    }
    if (wanted->groups) {
        g_auto(GStrv) groups = g_strsplit(wanted->groups, ",", -1);
        g_variant_dict_insert(&dict, "groups", "^as", groups);
    }
    if (wanted->uuid)
        g_variant_dict_insert(&dict, "id", "s", wanted->uuid);
    return g_variant_dict_end(&dict);
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    CreateVm wanted = {0};
    g_autofree char *file = NULL;
    if (!manage_args_parse(args, options, &wanted, NULL, 0, 0, error))
        return false;
    if (wanted.name == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Parameter --name is required");
        return false;
    }
    const char *os_type = manage_os_type(wanted.os_type ? wanted.os_type : "Other", error);
    VitrineClient *client = os_type ? manage_client(manage, error) : NULL;
    if (client == NULL)
        return false;
    g_autofree char *id = vitrine_client_create_machine_sync(
        client, wanted.name, service_options(&wanted, os_type), &file, NULL, error);
    if (id == NULL)
        return false;
    manage_print("Virtual machine '%s' is created%s.\n", wanted.name,
                 wanted.registered ? " and registered" : "");
    manage_print("UUID: %s\nSettings file: '%s'\n", id, file);
    return true;
}

const ManageCommand manage_command_createvm = {
    .name = "createvm",
    .title = "Make a machine",
    .usage = "createvm --name NAME [--ostype TYPE] [--register] [--basefolder FOLDER]\n"
             "    [--groups GROUP,...] [--uuid UUID] [--default]\n",
    .about =
        "Makes a machine and its settings file. --register also adds it to the list of machines;"
        "\n--default gives it what its operating system needs (see list ostypes).",
    .run = run,
};
