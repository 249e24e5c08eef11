/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * CFGM: paths, types, defaults, what required values say, removal, dumps. */
#include "vmm/cfgm/cfgm.h"

#include <string.h>

static void
test_paths(void)
{
    CfgmNode *root = cfgm_new();
    CfgmNode *node = cfgm_makef(root, "Devices/%s/%u", "ide", 0);

    g_assert_true(cfgm_make(root, "/Devices//ide/0/") == node);
    g_assert_true(cfgm_child(root, "Devices/ide/0") == node);
    g_assert_null(cfgm_child(root, "Devices/ide/00"));
    g_assert_null(cfgm_child(root, "Devices/id"));
    g_assert_null(cfgm_child(node, "Config"));
    g_assert_cmpstr(cfgm_name(node), ==, "0");
    g_assert_true(cfgm_child(root, "") == root);
    g_assert_null(cfgm_child(NULL, "x"));
    cfgm_free(root);
}

static void
test_order_and_removal(void)
{
    CfgmNode *root = cfgm_new();
    GString *seen = g_string_new(NULL);

    cfgm_make(root, "c/deep/er");
    cfgm_make(root, "a");
    cfgm_make(root, "b");
    cfgm_remove(root, "b");
    cfgm_remove(root, "c");
    cfgm_remove(root, "nothing/here");
    cfgm_make(root, "d");
    for (const CfgmNode *node = cfgm_first_child(root); node != NULL; node = cfgm_next(node))
        g_string_append(seen, cfgm_name(node));
    g_assert_cmpstr(seen->str, ==, "ad");
    g_string_free(seen, TRUE);
    cfgm_free(root);
}

static void
test_types(void)
{
    CfgmNode *root = cfgm_new();
    size_t size;

    cfgm_set_uint(root, "number", 7);
    cfgm_set_string(root, "decimal", "42");
    cfgm_set_string(root, "hex", "0x1F");
    cfgm_set_string(root, "text", "12 apples");
    cfgm_set_string(root, "sign", "-1");
    cfgm_set_bytes(root, "bytes", "\x00\x01", 2);
    g_assert_cmpuint(cfgm_uint(root, "number", 1), ==, 7);
    g_assert_cmpuint(cfgm_uint(root, "decimal", 1), ==, 42);
    g_assert_cmpuint(cfgm_uint(root, "hex", 1), ==, 31);
    g_assert_cmpuint(cfgm_uint(root, "text", 1), ==, 1);
    g_assert_cmpuint(cfgm_uint(root, "sign", 1), ==, 1);
    g_assert_cmpuint(cfgm_uint(root, "bytes", 1), ==, 1);
    g_assert_cmpuint(cfgm_uint(NULL, "number", 3), ==, 3);
    g_assert_true(cfgm_bool(root, "number", false));
    g_assert_true(cfgm_bool(root, "missing", true));
    g_assert_cmpstr(cfgm_string(root, "number", "none"), ==, "none");
    g_assert_cmpmem(cfgm_bytes(root, "bytes", &size), 2, "\x00\x01", 2);
    g_assert_cmpuint(size, ==, 2);
    g_assert_null(cfgm_bytes(root, "text", &size));
    g_assert_cmpuint(size, ==, 0);
    cfgm_free(root);
}

static void
test_replace(void)
{
    CfgmNode *root = cfgm_new();

    cfgm_set_string(root, "value", "first");
    cfgm_set_string(root, "value", cfgm_string(root, "value", NULL));
    g_assert_cmpstr(cfgm_string(root, "value", NULL), ==, "first");
    cfgm_set_uint(root, "value", 5);
    g_assert_null(cfgm_string(root, "value", NULL));
    g_assert_cmpuint(cfgm_uint(root, "value", 0), ==, 5);
    g_assert_true(cfgm_has(root, "value"));
    g_assert_false(cfgm_has(root, "Value"));
    cfgm_free(root);
}

static void
test_required(void)
{
    CfgmNode *root = cfgm_new();
    CfgmNode *node = cfgm_make(root, "Devices/uart/1/Config");
    g_autoptr(GError) error = NULL;
    const char *text;
    uint64_t value = 0;

    cfgm_set_uint(node, "Irq", 16);
    g_assert_true(cfgm_query_uint(node, "Irq", 0, 16, &value, &error));
    g_assert_cmpuint(value, ==, 16);
    g_assert_false(cfgm_query_uint(node, "Irq", 0, 15, &value, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "/Devices/uart/1/Config/Irq"));
    g_clear_error(&error);
    g_assert_false(cfgm_query_string(node, "Path", &text, &error));
    g_assert_nonnull(strstr(error->message, "/Devices/uart/1/Config/Path"));
    cfgm_free(root);
}

static void
test_dump_and_depth(void)
{
    CfgmNode *root = cfgm_new();
    CfgmNode *node = root;
    g_autofree char *dump = NULL;

    cfgm_set_uint(root, "RamSize", 16);
    cfgm_set_string(cfgm_make(root, "EM"), "Engine", "iem");
    dump = cfgm_dump(root);
    g_assert_cmpstr(dump, ==, "/RamSize = 16 (0x10)\n/EM/Engine = \"iem\"\n");
    /* A tree from a user's ExtraData may be deep: nothing here may recurse. */
    for (unsigned i = 0; i < 20000; i++)
        node = cfgm_make(node, "n");
    cfgm_free(root);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cfgm/paths", test_paths);
    g_test_add_func("/cfgm/order-and-removal", test_order_and_removal);
    g_test_add_func("/cfgm/types", test_types);
    g_test_add_func("/cfgm/replace", test_replace);
    g_test_add_func("/cfgm/required", test_required);
    g_test_add_func("/cfgm/dump-and-depth", test_dump_and_depth);
    return g_test_run();
}
