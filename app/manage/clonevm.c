/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * clonevm and movevm: a machine like another, and a machine somewhere else. Manual, chapter
 * VBoxManage. */
#include <string.h>

#include "app/manage/medium-words.h"

typedef struct {
    const char *name, *snapshot, *mode, *options, *folder, *groups, *uuid;
    bool add;
} CloneVm;

static const ManageOption options[] = {
    {"name", MANAGE_TEXT, G_STRUCT_OFFSET(CloneVm, name)},
    {"snapshot", MANAGE_TEXT, G_STRUCT_OFFSET(CloneVm, snapshot)},
    {"mode", MANAGE_TEXT, G_STRUCT_OFFSET(CloneVm, mode)},
    {"options", MANAGE_TEXT, G_STRUCT_OFFSET(CloneVm, options)},
    {"basefolder", MANAGE_TEXT, G_STRUCT_OFFSET(CloneVm, folder)},
    {"groups", MANAGE_TEXT, G_STRUCT_OFFSET(CloneVm, groups)},
    {"uuid", MANAGE_TEXT, G_STRUCT_OFFSET(CloneVm, uuid)},
    {"register", MANAGE_FLAG, G_STRUCT_OFFSET(CloneVm, add)},
    {NULL},
};

static void
put(GVariantDict *all, const char *key, const char *text)
{
    if (text)
        g_variant_dict_insert(all, key, "s", text);
}

/* Link,KeepAllMACs,KeepNATMACs,KeepDiskNames,KeepHwUUIDs */
static bool
put_options(GVariantDict *all, const char *list, GError **error)
{
    static const struct {
        const char *word, *key, *text;
    } words[] = {
        {"link", "linked", NULL},
        {"keepallmacs", "macs", "keep"},
        {"keepnatmacs", "macs", "keep-nat"},
        {"keepdisknames", "keep-disk-names", NULL},
        {"keephwuuids", "keep-hardware-uuids", NULL},
    };
    g_auto(GStrv) parts = g_strsplit(list, ",", -1);
    for (guint i = 0; parts[i]; i++) {
        guint at = 0;
        while (at < G_N_ELEMENTS(words) && g_ascii_strcasecmp(words[at].word, parts[i]) != 0)
            at++;
        if (at == G_N_ELEMENTS(words)) {
            g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid clone options '%s'", parts[i]);
            return false;
        }
        if (words[at].text)
            put(all, words[at].key, words[at].text);
        else
            g_variant_dict_insert(all, words[at].key, "b", TRUE);
    }
    return true;
}

static bool
put_mode(GVariantDict *all, const char *word, GError **error)
{
    static const struct {
        const char *word, *mode;
    } modes[] = {
        {"machine", "machine"},
        {"machineandchildren", "children"},
        {"all", "all"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
        if (g_ascii_strcasecmp(word, modes[i].word) != 0)
            continue;
        put(all, "mode", modes[i].mode);
        return true;
    }
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid clone mode '%s'", word);
    return false;
}

static bool
put_snapshot(GVariantDict *all, VitrineMachine *machine, const char *name, GError **error)
{
    g_autoptr(VitrineSnapshot) root = vitrine_machine_load_snapshots_sync(machine, NULL, NULL);
    VitrineSnapshot *snapshot = vitrine_snapshot_find(root, name);
    if (snapshot)
        put(all, "snapshot", vitrine_snapshot_get_id(snapshot));
    else
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                    "Could not find a snapshot named '%s'", name);
    return snapshot != NULL;
}

static bool
fill(GVariantDict *all, VitrineMachine *machine, const CloneVm *wanted, GError **error)
{
    g_autofree char *folder = wanted->folder ? manage_absolute_path(wanted->folder) : NULL;
    g_auto(GStrv) groups = wanted->groups ? g_strsplit(wanted->groups, ",", -1) : NULL;
    put(all, "folder", folder);
    put(all, "id", wanted->uuid);
    if (groups)
        g_variant_dict_insert_value(all, "groups",
                                    g_variant_new_strv((const char *const *)groups, -1));
    g_variant_dict_insert(all, "register", "b", (gboolean)wanted->add);
    return (wanted->options == NULL || put_options(all, wanted->options, error)) &&
           (wanted->mode == NULL || put_mode(all, wanted->mode, error)) &&
           (wanted->snapshot == NULL || put_snapshot(all, machine, wanted->snapshot, error));
}

static bool
run_clone(Manage *manage, ManageArgs *args, GError **error)
{
    CloneVm wanted = {0};
    const char *source;
    g_auto(GVariantDict) all = G_VARIANT_DICT_INIT(NULL);
    if (!manage_args_parse(args, options, &wanted, &source, 1, 1, error))
        return false;
    VitrineMachine *machine = manage_machine(manage, source, error);
    if (machine == NULL || !fill(&all, machine, &wanted, error))
        return false;
    g_autofree char *name = wanted.name
                                ? g_strdup(wanted.name)
                                : g_strconcat(vitrine_machine_get_name(machine), " Clone", NULL);
    if (!manage_complete(
            vitrine_machine_clone_sync(machine, name, g_variant_dict_end(&all), NULL, error), NULL,
            error))
        return false;
    manage_print("Machine has been successfully cloned as \"%s\"\n", name);
    return true;
}

typedef struct {
    const char *type, *folder;
} MoveVm;

static bool
run_move(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption move_options[] = {
        {"type", MANAGE_TEXT, G_STRUCT_OFFSET(MoveVm, type)},
        {"folder", MANAGE_TEXT, G_STRUCT_OFFSET(MoveVm, folder)},
        {NULL},
    };
    MoveVm wanted = {0};
    const char *name;
    if (!manage_args_parse(args, move_options, &wanted, &name, 1, 1, error))
        return false;
    if (wanted.type && g_ascii_strcasecmp(wanted.type, "basic") != 0) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid type '%s': basic.", wanted.type);
        return false;
    }
    VitrineMachine *machine = manage_machine(manage, name, error);
    g_autofree char *standard = NULL;
    if (machine == NULL)
        return false;
    g_object_get(manage->client, "machine-folder", &standard, NULL);
    g_autofree char *folder = manage_absolute_path(wanted.folder ? wanted.folder : standard);
    if (!manage_complete(vitrine_machine_move_sync(machine, folder, NULL, error), NULL, error))
        return false;
    manage_print("Machine has been successfully moved into %s\n", folder);
    return true;
}

const ManageCommand manage_command_clonevm = {
    .name = "clonevm",
    .title = "Make a machine like another",
    .usage = "clonevm NAME|UUID [--name NAME] [--snapshot SNAPSHOT|UUID]\n"
             "    [--mode machine|machineandchildren|all] [--basefolder FOLDER] [--register]\n"
             "    [--options Link,KeepAllMACs,KeepNATMACs,KeepDiskNames,KeepHwUUIDs]\n"
             "    [--groups GROUP,...] [--uuid UUID]\n",
    .about = "Makes a machine with the settings and copies of the disks of another: of its present "
             "state,"
             "\nof a snapshot, or of all snapshots. With the option Link the disks hold only what "
             "differs"
             "\nfrom those of a snapshot.",
    .run = run_clone,
};

const ManageCommand manage_command_movevm = {
    .name = "movevm",
    .title = "Move a machine's folder",
    .usage = "movevm NAME|UUID [--type basic] [--folder FOLDER]\n",
    .about = "Moves a machine's folder, with settings, logs, snapshots and the disks in it, into"
             "\nanother folder.",
    .run = run_move,
};
