/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * modifymedium and mediumproperty: changing what a disk is registered as, and its image. Manual,
 * chapter VBoxManage. Leaves out: encryption. */
#include <string.h>

#include "app/manage/manage-words.h"
#include "app/manage/medium-words.h"

#define MIB (1024 * 1024)

typedef struct {
    const char *type, *property, *move, *location, *description;
    ManageSwitch auto_reset;
    ManageNumber mib, bytes;
    bool compact;
} ModifyMedium;

static const ManageOption options[] = {
    {"type", MANAGE_TEXT, G_STRUCT_OFFSET(ModifyMedium, type)},
    {"autoreset", MANAGE_SWITCH, G_STRUCT_OFFSET(ModifyMedium, auto_reset)},
    {"property", MANAGE_TEXT, G_STRUCT_OFFSET(ModifyMedium, property)},
    {"compact", MANAGE_FLAG, G_STRUCT_OFFSET(ModifyMedium, compact)},
    {"resize", MANAGE_NUMBER, G_STRUCT_OFFSET(ModifyMedium, mib)},
    {"resizebyte", MANAGE_NUMBER, G_STRUCT_OFFSET(ModifyMedium, bytes)},
    {"move", MANAGE_TEXT, G_STRUCT_OFFSET(ModifyMedium, move)},
    {"setlocation", MANAGE_TEXT, G_STRUCT_OFFSET(ModifyMedium, location)},
    {"description", MANAGE_TEXT, G_STRUCT_OFFSET(ModifyMedium, description)},
    {NULL},
};

static bool
set_type(VitrineMedium *medium, const char *word, GError **error)
{
    int type = 0;
    return manage_from_word(VITRINE_TYPE_MEDIUM_TYPE, word, &type, error) &&
           vitrine_medium_set_medium_type_sync(medium, (VitrineMediumType)type, NULL, error);
}

/* NAME=VALUE */
static bool
set_property(VitrineMedium *medium, const char *pair, GError **error)
{
    const char *equals = strchr(pair, '=');
    if (equals == NULL || equals == pair) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid --property argument '%s': NAME=VALUE.",
                    pair);
        return false;
    }
    g_autofree char *name = g_strndup(pair, (gsize)(equals - pair));
    return vitrine_medium_set_image_property_sync(medium, name, equals + 1, NULL, error);
}

static bool
resize(VitrineMedium *medium, const ModifyMedium *wanted, GError **error)
{
    if (wanted->mib.value > G_MAXINT64 / MIB) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "The size is too large.");
        return false;
    }
    guint64 size = wanted->bytes.given ? wanted->bytes.value : wanted->mib.value * MIB;
    return manage_complete(vitrine_medium_resize_sync(medium, size, NULL, error), NULL, error);
}

/* A folder, which need not be there yet, has a slash at its end. */
static char *
target_of_move(VitrineMedium *medium, const char *wanted)
{
    g_autofree char *path = manage_absolute_path(wanted);
    g_autofree char *name = g_path_get_basename(vitrine_medium_get_location(medium));
    return g_str_has_suffix(wanted, "/") ? g_build_filename(path, name, NULL)
                                         : g_steal_pointer(&path);
}

static bool
move(VitrineMedium *medium, const ModifyMedium *wanted, GError **error)
{
    const char *id = vitrine_medium_get_id(medium);
    if (wanted->location) {
        g_autofree char *path = manage_absolute_path(wanted->location);
        if (!vitrine_medium_set_location_sync(medium, path, NULL, error))
            return false;
        manage_print("Set new location of medium with UUID %s finished\n", id);
    }
    if (wanted->move) {
        g_autofree char *path = target_of_move(medium, wanted->move);
        if (!manage_complete(vitrine_medium_move_sync(medium, path, NULL, error), NULL, error))
            return false;
        manage_print("Move medium with UUID %s finished\n", id);
    }
    return true;
}

static bool
change(VitrineMedium *medium, const ModifyMedium *wanted, GError **error)
{
    if (wanted->type && !set_type(medium, wanted->type, error))
        return false;
    if (wanted->auto_reset &&
        !vitrine_medium_set_auto_reset_sync(medium, wanted->auto_reset == MANAGE_ON, NULL, error))
        return false;
    if (wanted->property && !set_property(medium, wanted->property, error))
        return false;
    if (wanted->description) {
        if (!vitrine_medium_set_description_sync(medium, wanted->description, NULL, error))
            return false;
        manage_print("Medium description has been changed.\n");
    }
    if (wanted->compact &&
        !manage_complete(vitrine_medium_compact_sync(medium, NULL, error), NULL, error))
        return false;
    if ((wanted->mib.given || wanted->bytes.given) && !resize(medium, wanted, error))
        return false;
    return move(medium, wanted, error);
}

static bool
says_something(const ModifyMedium *wanted, GError **error)
{
    if (wanted->type || wanted->auto_reset || wanted->property || wanted->compact ||
        wanted->mib.given || wanted->bytes.given || wanted->move || wanted->location ||
        wanted->description)
        return true;
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "No operation specified");
    return false;
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    ModifyMedium wanted = {0};
    const char *words[2];
    VitrineMediumKind kind;
    if (!manage_args_parse(args, options, &wanted, words, 1, 2, error) ||
        !manage_split_kind(words, 2, &kind, error) || !says_something(&wanted, error))
        return false;
    VitrineMedium *medium = manage_find_medium(manage, words[1], kind, error);
    return medium && change(medium, &wanted, error);
}

static bool
get_property(VitrineMedium *medium, const char *name, GError **error)
{
    const char *value = vitrine_medium_get_image_property(medium, name);
    if (value)
        manage_print("%s=%s\n", name, value);
    else
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                    "Property '%s' of the medium is not set", name);
    return value != NULL;
}

/* words: kind, action, medium, name, value */
static bool
run_property(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption none[] = {{NULL}};
    const char *words[5];
    int kind = VITRINE_MEDIUM_KIND_HARD_DISK;
    guint at = 0;
    if (!manage_args_parse(args, none, NULL, words, 3, 5, error))
        return false;
    if (manage_from_word(VITRINE_TYPE_MEDIUM_KIND, words[0], &kind, NULL))
        at = 1;
    const char *action = words[at], *name = words[at + 2],
               *value = at + 3 < 5 ? words[at + 3] : NULL;
    bool set = g_str_equal(action, "set");
    bool known = set || g_str_equal(action, "get") || g_str_equal(action, "delete");
    if (!known || name == NULL || set != (value != NULL)) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid arguments");
        return false;
    }
    VitrineMedium *medium =
        manage_find_medium(manage, words[at + 1], (VitrineMediumKind)kind, error);
    if (medium == NULL)
        return false;
    if (g_str_equal(action, "get"))
        return get_property(medium, name, error);
    return vitrine_medium_set_image_property_sync(medium, name, value, NULL, error);
}

const ManageCommand manage_command_modifymedium = {
    .name = "modifymedium",
    .title = "Change a disk",
    .alias = "modifyhd",
    .usage = "modifymedium [disk|dvd|floppy] UUID|FILE\n"
             "    [--type normal|writethrough|immutable|shareable|readonly|multiattach]\n"
             "    [--autoreset on|off] [--property NAME=VALUE] [--description TEXT] [--compact]\n"
             "    [--resize MB|--resizebyte BYTES] [--move PATH] [--setlocation FILE]\n",
    .about =
        "Changes what a disk is registered as, or its image. --move moves the file, --setlocation"
        "\nsays where it is now. --compact gives back the room of blocks that hold only zeros.",
    .run = run,
};

const ManageCommand manage_command_mediumproperty = {
    .name = "mediumproperty",
    .title = "Properties of images",
    .usage = "mediumproperty [disk|dvd|floppy] set UUID|FILE NAME VALUE\n"
             "mediumproperty [disk|dvd|floppy] get UUID|FILE NAME\n"
             "mediumproperty [disk|dvd|floppy] delete UUID|FILE NAME\n",
    .about = "Sets, prints and removes properties that an image's format may use.",
    .run = run_property,
};
