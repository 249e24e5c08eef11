/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tree of groups: the original's definitions in and out, damaged ones, moves. */
#include "app/manager/group-tree.h"

static const char *
look_up(const char *key, gpointer table)
{
    return g_hash_table_lookup(table, key);
}

static GHashTable *
table_new(void)
{
    return g_hash_table_new(g_str_hash, g_str_equal);
}

/* Two machines in nested groups and one in none, as the original writes it. */
static GroupTree *
sample(void)
{
    g_autoptr(GHashTable) table = table_new();
    GroupTree *tree = group_tree_new();

    g_hash_table_insert(table, (gpointer)GROUP_TREE_KEY "/", (gpointer) "go=Linux,m=c");
    g_hash_table_insert(table, (gpointer)GROUP_TREE_KEY "/Linux", (gpointer) "gc=Build,m=b");
    g_hash_table_insert(table, (gpointer)GROUP_TREE_KEY "/Linux/Build", (gpointer) "m=a");
    group_tree_load(tree, look_up, table);
    group_tree_place(tree, "a", "/Linux/Build");
    group_tree_place(tree, "b", "/Linux");
    group_tree_place(tree, "c", "/");
    group_tree_prune(tree);
    group_tree_number(tree);
    return tree;
}

static void
check(GroupTree *tree, const char *path, const char *expected)
{
    g_autoptr(GHashTable) table = group_tree_definitions(tree);
    g_autofree char *key = g_strconcat(GROUP_TREE_KEY, path, NULL);

    g_assert_cmpstr(g_hash_table_lookup(table, key), ==, expected);
}

static void
test_round_trip(void)
{
    g_autoptr(GroupTree) tree = sample();

    check(tree, "/", "go=Linux,m=c");
    check(tree, "/Linux", "gc=Build,m=b");
    check(tree, "/Linux/Build", "m=a");
    g_assert_cmpuint(group_tree_find_machine(tree, "a")->depth, ==, 2);
    g_assert_cmpuint(group_tree_find_machine(tree, "c")->order, ==, 4);
    g_assert_true(group_node_is_hidden(group_tree_find_machine(tree, "a")));
    g_assert_false(group_node_is_hidden(group_tree_find_machine(tree, "b")));
}

/* A machine is where its own settings say, whatever the lists say. */
static void
test_settings_win(void)
{
    g_autoptr(GHashTable) table = table_new();
    g_autoptr(GroupTree) tree = group_tree_new();

    g_hash_table_insert(table, (gpointer)GROUP_TREE_KEY "/", (gpointer) "m=a,go=Old,m=gone");
    g_hash_table_insert(table, (gpointer)GROUP_TREE_KEY "/Old", (gpointer) "m=b");
    group_tree_load(tree, look_up, table);
    group_tree_place(tree, "a", "/New/Deep");
    group_tree_place(tree, "b", "/");
    group_tree_prune(tree);
    check(tree, "/", "go=New,m=b");
    check(tree, "/New", "go=Deep");
    check(tree, "/New/Deep", "m=a");
    check(tree, "/Old", NULL);
}

static void
test_damaged(void)
{
    g_autoptr(GHashTable) table = table_new();
    g_autoptr(GroupTree) tree = group_tree_new();
    GString *deep = g_string_new(GROUP_TREE_KEY);

    g_hash_table_insert(table, (gpointer)GROUP_TREE_KEY "/",
                        (gpointer) ",go=,m=,x=y,go=A,go=A,m=a,=,go");
    for (int i = 0; i < 40; i++) {
        g_string_append(deep, "/A");
        g_hash_table_insert(table, (gpointer)g_intern_string(deep->str), (gpointer) "go=A");
    }
    group_tree_load(tree, look_up, table);
    group_tree_place(tree, "a", "/");
    group_tree_prune(tree);
    check(tree, "/", "m=a");
    g_string_free(deep, TRUE);
}

static void
test_new_and_ungroup(void)
{
    g_autoptr(GroupTree) tree = sample();
    GroupNode *group = group_tree_new_group(tree, group_tree_find_machine(tree, "c"), "Linux");

    check(tree, "/", "go=Linux,go=Linux 2");
    check(tree, "/Linux 2", "m=c");
    g_assert_nonnull(group_node_name_problem(group, "Linux"));
    g_assert_nonnull(group_node_name_problem(group, ""));
    g_assert_nonnull(group_node_name_problem(group, "a,b"));
    g_assert_nonnull(group_node_name_problem(group, "a/b"));
    g_assert_nonnull(group_node_name_problem(group, ".."));
    g_assert_null(group_node_name_problem(group, "Linux 2"));
    group_node_rename(group, "Fenêtres");
    check(tree, "/", "go=Linux,go=Fenêtres");
    group_tree_ungroup(tree, group_tree_find_machine(tree, "b")->parent);
    check(tree, "/", "gc=Build,m=b,go=Fenêtres");
}

static void
test_move(void)
{
    g_autoptr(GroupTree) tree = sample();
    GroupNode *a = group_tree_find_machine(tree, "a"), *c = group_tree_find_machine(tree, "c");
    GroupNode *build = a->parent, *linux_group = build->parent;

    g_assert_false(group_tree_move(tree, linux_group, build, 0));
    g_assert_false(group_tree_move(tree, linux_group, linux_group, 0));
    g_assert_true(group_tree_move(tree, c, build, 0));
    check(tree, "/Linux/Build", "m=c,m=a");
    g_assert_true(group_tree_move(tree, c, build, 2)); /* behind a, counted before the move */
    check(tree, "/Linux/Build", "m=a,m=c");
    g_assert_true(group_tree_move(tree, a, group_tree_root(tree), G_MAXUINT));
    check(tree, "/", "go=Linux,m=a");
}

/* Down through the whole list and up again. */
static void
test_step(void)
{
    g_autoptr(GroupTree) tree = sample();
    GroupNode *b = group_tree_find_machine(tree, "b"), *c = group_tree_find_machine(tree, "c");

    g_assert_true(group_tree_step(tree, c, -1)); /* into the open group, at its end */
    check(tree, "/Linux", "gc=Build,m=b,m=c");
    g_assert_true(group_tree_step(tree, c, -1));
    check(tree, "/Linux", "gc=Build,m=c,m=b");
    g_assert_true(group_tree_step(tree, c, -1)); /* over the closed one */
    check(tree, "/Linux", "m=c,gc=Build,m=b");
    g_assert_true(group_tree_step(tree, c, -1)); /* out */
    check(tree, "/", "m=c,go=Linux");
    g_assert_false(group_tree_step(tree, c, -1));
    g_assert_true(group_tree_step(tree, c, 1)); /* in */
    check(tree, "/Linux", "m=c,gc=Build,m=b");
    g_assert_true(group_tree_step(tree, b, 1));
    check(tree, "/", "go=Linux,m=b");
    g_assert_false(group_tree_step(tree, b, 1));
}

static int
backwards(gconstpointer a, gconstpointer b, gpointer data)
{
    return g_strcmp0(b, a);
}

static void
test_sort(void)
{
    g_autoptr(GroupTree) tree = sample();

    group_tree_move(tree, group_tree_find_machine(tree, "c"), group_tree_root(tree), 0);
    group_tree_move(tree, group_tree_find_machine(tree, "b"), group_tree_root(tree), 0);
    check(tree, "/", "m=b,m=c,go=Linux");
    group_node_sort(group_tree_root(tree), backwards, NULL);
    check(tree, "/", "go=Linux,m=c,m=b");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/group-tree/round-trip", test_round_trip);
    g_test_add_func("/group-tree/settings-win", test_settings_win);
    g_test_add_func("/group-tree/damaged", test_damaged);
    g_test_add_func("/group-tree/new-and-ungroup", test_new_and_ungroup);
    g_test_add_func("/group-tree/move", test_move);
    g_test_add_func("/group-tree/step", test_step);
    g_test_add_func("/group-tree/sort", test_sort);
    return g_test_run();
}
