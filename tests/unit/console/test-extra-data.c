/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Extra data in the configuration: what fits goes in, what does not is named and does no harm. */
#include "app/console/console-extra-data.h"

#include <string.h>

static void
remember(void *user, const char *key)
{
    g_string_append_printf(user, "%s ", key);
}

static void
put(GHashTable *keys, const char *key, const char *value)
{
    g_hash_table_insert(keys, (void *)key, (void *)value);
}

static void
test_apply(void)
{
    g_autoptr(GHashTable) keys = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GString) ignored = g_string_new(NULL);
    PdmRegistry *registry = pdm_registry_new();
    CfgmNode *root = cfgm_new();
    const CfgmNode *config;
    size_t size;

    devices_register(registry, NULL);
    cfgm_set_uint(cfgm_make(root, "Devices/vga/0/Config"), "VRamSize", 1);
    put(keys, "VBoxInternal/Devices/vga/0/Config/VRamSize", "0x1000000");
    put(keys, "VBoxInternal/Devices/fw-cfg/0/Config/SystemProduct", "string:42");
    put(keys, "VBoxInternal/Devices/fw-cfg/0/Config/Table", "bytes:AAEC");
    put(keys, "VBoxInternal/Devices/piix4-ide/0/LUN0/Config/Serial", "A B");
    put(keys, "VBoxInternal/Devices/efi/0/Config/DmiBIOSVendor", "x");
    put(keys, "VBoxInternal/Devices/vga/7/Config/VRamSize", "1");
    put(keys, "VBoxInternal/Devices/vga/0", "1");
    put(keys, "VBoxInternal/Devices/vga/0/Config/", "1");
    put(keys, "VBoxInternal/TM/TSCMode", "1");
    put(keys, "GUI/Fullscreen", "true");
    console_extra_data_apply(keys, registry, root, remember, ignored);

    config = cfgm_child(root, "Devices/vga/0/Config");
    g_assert_cmphex(cfgm_uint(config, "VRamSize", 0), ==, 0x1000000);
    config = cfgm_child(root, "Devices/fw-cfg/0/Config");
    g_assert_cmpstr(cfgm_string(config, "SystemProduct", NULL), ==, "42");
    g_assert_cmpmem(cfgm_bytes(config, "Table", &size), 3, "\x00\x01\x02", 3);
    config = cfgm_child(root, "Devices/piix4-ide/0/LUN0/Config");
    g_assert_cmpstr(cfgm_string(config, "Serial", NULL), ==, "A B");
    g_assert_null(cfgm_child(root, "Devices/efi"));
    g_assert_null(cfgm_child(root, "Devices/vga/7"));
    g_assert_null(cfgm_child(root, "TM"));
    g_assert_cmpstr(ignored->str, ==,
                    "VBoxInternal/Devices/efi/0/Config/DmiBIOSVendor VBoxInternal/Devices/vga/0 "
                    "VBoxInternal/Devices/vga/0/Config/ VBoxInternal/Devices/vga/7/Config/VRamSize "
                    "VBoxInternal/TM/TSCMode ");
    cfgm_free(root);
    pdm_registry_free(registry);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/console/extra-data", test_apply);
    return g_test_run();
}
