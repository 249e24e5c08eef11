/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * internalcommands: repairing UUIDs of images. Manual, chapter VBoxManage. Leaves out what was for
 * the original's own developers. */
#include "app/manage/medium-words.h"

static bool
set_uuid(Manage *manage, const char **words, GError **error)
{
    g_autofree char *own = words[2] ? g_strdup(words[2]) : g_uuid_string_random();
    if (!manage_complete(
            vitrine_client_set_image_uuids_sync(manage->client, words[1], own, NULL, NULL, error),
            NULL, error))
        return false;
    manage_print("UUID changed to: %s\n", own);
    return true;
}

static bool
set_parent_uuid(Manage *manage, const char **words, GError **error)
{
    if (words[2] == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Say the UUID of the parent.");
        return false;
    }
    if (!manage_complete(vitrine_client_set_image_uuids_sync(manage->client, words[1], NULL,
                                                             words[2], NULL, error),
                         NULL, error))
        return false;
    manage_print("UUID changed to: %s\n", words[2]);
    return true;
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption none[] = {{NULL}};
    const char *words[3];
    if (!manage_args_parse(args, none, NULL, words, 2, 3, error))
        return false;
    bool parent = g_str_equal(words[0], "sethdparentuuid");
    if (!parent && !g_str_equal(words[0], "sethduuid")) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid internal command '%s'", words[0]);
        return false;
    }
    if (words[2] && !g_uuid_string_is_valid(words[2])) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "'%s' is no UUID.", words[2]);
        return false;
    }
    if (!manage_client(manage, error))
        return false;
    return parent ? set_parent_uuid(manage, words, error) : set_uuid(manage, words, error);
}

const ManageCommand manage_command_internalcommands = {
    .name = "internalcommands",
    .title = "Repair UUIDs of images",
    .usage = "internalcommands sethduuid FILE [UUID]\n"
             "internalcommands sethdparentuuid FILE UUID\n",
    .about =
        "Gives an image another UUID (a new one when none is said), or tells a differencing image"
        "\nthe UUID of its parent.",
    .run = run,
};
