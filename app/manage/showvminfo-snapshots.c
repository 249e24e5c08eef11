/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * showvminfo and snapshot list: the tree of snapshots. */
#include "app/manage/manage.h"
#include "app/manage/showvminfo-private.h"

static void
print_fact(const char *key, const char *prefix, const char *text)
{
    g_autofree char *name = g_strconcat(key, prefix, NULL);
    showvminfo_text(true, name, NULL, text);
}

/* prefix: "-1-2" for scripts, spaces for people. current: gets the prefix of the current one. */
static void
print_tree(VitrineSnapshot *snapshot, const char *prefix, bool machine_readable,
           const char *current_id, char **current)
{
    const char *name = vitrine_snapshot_get_name(snapshot), *id = vitrine_snapshot_get_id(snapshot);
    const char *description = vitrine_snapshot_get_description(snapshot);
    bool is_current = g_str_equal(id, current_id);
    GListModel *children = vitrine_snapshot_get_children(snapshot);
    if (is_current)
        *current = g_strdup(prefix);
    if (machine_readable) {
        print_fact("SnapshotName", prefix, name);
        print_fact("SnapshotUUID", prefix, id);
        if (*description)
            print_fact("SnapshotDescription", prefix, description);
    } else {
        manage_print("   %sName: %s (UUID: %s)%s\n", prefix, name, id, is_current ? " *" : "");
        if (*description)
            manage_print("   %sDescription:\n%s\n", prefix, description);
    }
    for (guint i = 0; i < g_list_model_get_n_items(children); i++) {
        g_autoptr(VitrineSnapshot) child = g_list_model_get_item(children, i);
        g_autofree char *below = machine_readable ? g_strdup_printf("%s-%u", prefix, i + 1)
                                                  : g_strdup_printf("%s   ", prefix);
        print_tree(child, below, machine_readable, current_id, current);
    }
}

void
showvminfo_snapshots(VitrineMachine *machine, VitrineSnapshot *root, bool machine_readable)
{
    g_autofree char *current = NULL;
    print_tree(root, "", machine_readable, vitrine_machine_get_current_snapshot(machine), &current);
    if (!machine_readable || current == NULL)
        return;
    g_autofree char *node = g_strconcat("SnapshotName", current, NULL);
    showvminfo_text(true, "CurrentSnapshotName", NULL,
                    vitrine_machine_get_current_snapshot_name(machine));
    showvminfo_text(true, "CurrentSnapshotUUID", NULL,
                    vitrine_machine_get_current_snapshot(machine));
    showvminfo_text(true, "CurrentSnapshotNode", NULL, node);
}
