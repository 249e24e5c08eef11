/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * snapshot: take, delete, restore, edit and list snapshots of a machine. Manual, chapter
 * VBoxManage, "snapshot". */
#include "app/manage/manage.h"
#include "app/manage/showvminfo-private.h"

typedef struct {
    Manage *manage;
    VitrineMachine *machine;
    VitrineSnapshot *root; /* NULL: there are none */
} Snapshots;

static bool
find(const Snapshots *all, const char *name, VitrineSnapshot **snapshot, GError **error)
{
    *snapshot = vitrine_snapshot_find(all->root, name);
    if (*snapshot)
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                "Could not find a snapshot named '%s'", name);
    return false;
}

static bool
find_current(const Snapshots *all, VitrineSnapshot **snapshot, GError **error)
{
    const char *id = vitrine_machine_get_current_snapshot(all->machine);
    *snapshot = *id ? vitrine_snapshot_find(all->root, id) : NULL;
    if (*snapshot)
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                "This machine does not have any snapshots");
    return false;
}

/* Takes progress; false with error when it is NULL or fails. result may be NULL. */
static bool
complete(VitrineProgress *progress, char **result, GError **error)
{
    g_autoptr(VitrineProgress) owned = progress;
    char *text = progress ? manage_wait(progress, error) : NULL;
    if (result)
        *result = text;
    else
        g_free(text);
    return text != NULL;
}

typedef struct {
    const char *description, *unique;
    bool live, pause;
} Take;

static const char *const unique_words[] = {"number", "timestamp", "space", "force", NULL};

/* "name", or "name 1", "name_2025-…" when the name is taken; the caller's. */
static char *
unique_name(const Snapshots *all, const char *name, const char *unique)
{
    g_auto(GStrv) words = g_strsplit(unique, ",", -1);
    bool number = g_strv_contains((const char *const *)words, "Number");
    const char *gap = g_strv_contains((const char *const *)words, "Space") ? " " : "";
    bool taken = vitrine_snapshot_find(all->root, name) != NULL ||
                 g_strv_contains((const char *const *)words, "Force");
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    if (!taken)
        return g_strdup(name);
    if (!number) {
        g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
        return g_strconcat(name, gap, time, NULL);
    }
    for (guint i = 1;; i++) {
        g_autofree char *candidate = g_strdup_printf("%s%s%u", name, gap, i);
        if (vitrine_snapshot_find(all->root, candidate) == NULL)
            return g_steal_pointer(&candidate);
    }
}

static bool
check_unique(const char *unique, GError **error)
{
    g_auto(GStrv) words = g_strsplit(unique, ",", -1);
    for (guint i = 0; words[i]; i++) {
        g_autofree char *lower = g_ascii_strdown(words[i], -1);
        if (g_strv_contains(unique_words, lower))
            continue;
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0,
                    "'%s' is none of these: Number, Timestamp, Space, Force.", words[i]);
        return false;
    }
    return true;
}

static bool
run_take(Snapshots *all, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {
        {"description", MANAGE_TEXT, G_STRUCT_OFFSET(Take, description)},
        {"desc", MANAGE_TEXT, G_STRUCT_OFFSET(Take, description)},
        {"uniquename", MANAGE_TEXT, G_STRUCT_OFFSET(Take, unique)},
        {"live", MANAGE_FLAG, G_STRUCT_OFFSET(Take, live)},
        {"pause", MANAGE_FLAG, G_STRUCT_OFFSET(Take, pause)},
        {NULL},
    };
    Take wanted = {0};
    const char *name;
    if (!manage_args_parse(args, options, &wanted, &name, 1, 1, error) ||
        (wanted.unique && !check_unique(wanted.unique, error)))
        return false;
    g_autofree char *own = wanted.unique ? unique_name(all, name, wanted.unique) : g_strdup(name);
    g_autofree char *id = NULL;
    if (!complete(
            vitrine_machine_take_snapshot_sync(all->machine, own, wanted.description, NULL, error),
            &id, error))
        return false;
    manage_print("Snapshot taken. UUID: %s\n", id);
    return true;
}

static bool
run_delete(Snapshots *all, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {{NULL}};
    const char *name;
    VitrineSnapshot *snapshot;
    if (!manage_args_parse(args, options, NULL, &name, 1, 1, error) ||
        !find(all, name, &snapshot, error))
        return false;
    const char *id = vitrine_snapshot_get_id(snapshot);
    manage_print("Deleting snapshot '%s' (%s)\n", vitrine_snapshot_get_name(snapshot), id);
    return complete(vitrine_machine_delete_snapshot_sync(all->machine, id, NULL, error), NULL,
                    error);
}

static bool
restore(Snapshots *all, VitrineSnapshot *snapshot, GError **error)
{
    const char *id = vitrine_snapshot_get_id(snapshot);
    manage_print("Restoring snapshot '%s' (%s)\n", vitrine_snapshot_get_name(snapshot), id);
    return complete(vitrine_machine_restore_snapshot_sync(all->machine, id, NULL, error), NULL,
                    error);
}

static bool
run_restore(Snapshots *all, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {{NULL}};
    const char *name;
    VitrineSnapshot *snapshot;
    return manage_args_parse(args, options, NULL, &name, 1, 1, error) &&
           find(all, name, &snapshot, error) && restore(all, snapshot, error);
}

static bool
run_restore_current(Snapshots *all, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {{NULL}};
    VitrineSnapshot *snapshot;
    return manage_args_parse(args, options, NULL, NULL, 0, 0, error) &&
           find_current(all, &snapshot, error) && restore(all, snapshot, error);
}

typedef struct {
    const char *name, *description;
    bool current;
} Edit;

static bool
run_edit(Snapshots *all, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {
        {"name", MANAGE_TEXT, G_STRUCT_OFFSET(Edit, name)},
        {"description", MANAGE_TEXT, G_STRUCT_OFFSET(Edit, description)},
        {"desc", MANAGE_TEXT, G_STRUCT_OFFSET(Edit, description)},
        {"current", MANAGE_FLAG, G_STRUCT_OFFSET(Edit, current)},
        {NULL},
    };
    Edit wanted = {0};
    const char *name;
    VitrineSnapshot *snapshot;
    if (!manage_args_parse(args, options, &wanted, &name, 0, 1, error))
        return false;
    if ((name == NULL) == !wanted.current) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Expected a snapshot name or --current");
        return false;
    }
    if (!(name ? find(all, name, &snapshot, error) : find_current(all, &snapshot, error)))
        return false;
    return vitrine_machine_edit_snapshot_sync(
        all->machine, vitrine_snapshot_get_id(snapshot),
        wanted.name ? wanted.name : vitrine_snapshot_get_name(snapshot),
        wanted.description ? wanted.description : vitrine_snapshot_get_description(snapshot), NULL,
        error);
}

typedef struct {
    bool details, machine_readable;
} List;

static bool
run_list(Snapshots *all, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {
        {"details", MANAGE_FLAG, G_STRUCT_OFFSET(List, details)},
        {"machinereadable", MANAGE_FLAG, G_STRUCT_OFFSET(List, machine_readable)},
        {NULL},
    };
    List wanted = {0};
    if (!manage_args_parse(args, options, &wanted, NULL, 0, 0, error))
        return false;
    if (all->root == NULL) { /* scripts look for it in the output */
        manage_print("This machine does not have any snapshots\n");
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                    "This machine does not have any snapshots");
        return false;
    }
    showvminfo_snapshots(all->machine, all->root, wanted.machine_readable);
    return true;
}

static bool
run_show(Snapshots *all, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {{NULL}};
    const char *name;
    VitrineSnapshot *snapshot;
    if (!manage_args_parse(args, options, NULL, &name, 1, 1, error) ||
        !find(all, name, &snapshot, error))
        return false;
    g_autoptr(VitrineSettings) settings = vitrine_machine_load_snapshot_settings_sync(
        all->machine, vitrine_snapshot_get_id(snapshot), NULL, error);
    if (settings == NULL)
        return false;
    g_auto(GStrv) ejected = vitrine_machine_load_snapshot_ejected_drives_sync(
        all->machine, vitrine_snapshot_get_id(snapshot), NULL, error);
    if (ejected == NULL)
        return false;
    manage_print_settings(all->manage, all->machine, settings, (const char *const *)ejected, false);
    return true;
}

static const struct {
    const char *name;
    bool (*run)(Snapshots *all, ManageArgs *args, GError **error);
} actions[] = {
    {"delete", run_delete},
    {"edit", run_edit},
    {"list", run_list},
    {"restore", run_restore},
    {"restorecurrent", run_restore_current},
    {"showvminfo", run_show},
    {"take", run_take},
};

static bool
act(Snapshots *all, ManageArgs *args, const char *action, GError **error)
{
    g_autoptr(GError) problem = NULL;
    guint at = 0;
    while (at < G_N_ELEMENTS(actions) && !g_str_equal(actions[at].name, action))
        at++;
    if (at == G_N_ELEMENTS(actions)) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid parameter '%s'", action);
        return false;
    }
    g_autoptr(VitrineSnapshot) root =
        vitrine_machine_load_snapshots_sync(all->machine, NULL, &problem);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    all->root = root;
    return actions[at].run(all, args, error);
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    const char *name = manage_args_take(args), *action = name ? manage_args_take(args) : NULL;
    Snapshots all = {.manage = manage};
    if (action == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Not enough parameters");
        return false;
    }
    all.machine = manage_machine(manage, name, error);
    return all.machine && act(&all, args, action, error);
}

const ManageCommand manage_command_snapshot = {
    .name = "snapshot",
    .title = "Take, restore, delete and list snapshots",
    .usage = "snapshot NAME|UUID take SNAPSHOT [--description TEXT] [--live]\n"
             "    [--uniquename Number,Timestamp,Space,Force]\n"
             "snapshot NAME|UUID delete SNAPSHOT|UUID\n"
             "snapshot NAME|UUID restore SNAPSHOT|UUID\n"
             "snapshot NAME|UUID restorecurrent\n"
             "snapshot NAME|UUID edit SNAPSHOT|UUID|--current [--name TEXT] [--description TEXT]\n"
             "snapshot NAME|UUID list [--details|--machinereadable]\n"
             "snapshot NAME|UUID showvminfo SNAPSHOT|UUID\n",
    .about =
        "A snapshot keeps settings, disks and, of a saved machine, its memory. Restoring gives up"
        "\nthe present state. Deleting merges the disks of a snapshot with what follows it.",
    .run = run,
};
