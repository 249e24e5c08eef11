/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Extra data to configuration. A machine may come from the original product with keys for its
 * devices: what does not fit here must not keep it from starting. */
#include "app/console/console-extra-data.h"

#include <string.h>

#define PREFIX "VBoxInternal/"
#define DEVICES "Devices/"

/* "Devices/<known device>/<number>/…/<key>" */
static bool
fits(const char *path, const PdmRegistry *registry)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", 5);
    const PdmDeviceInfo *info;
    guint64 instance;

    if (!g_str_has_prefix(path, DEVICES) || g_strv_length(parts) < 4 ||
        *(strrchr(path, '/') + 1) == '\0')
        return false;
    info = pdm_registry_find_device(registry, parts[1]);
    return info != NULL &&
           g_ascii_string_to_unsigned(parts[2], 10, 0, info->max_instances - 1, &instance, NULL);
}

static void
set_value(CfgmNode *node, const char *name, const char *text)
{
    if (g_str_has_prefix(text, "string:")) {
        cfgm_set_string(node, name, text + strlen("string:"));
    } else if (g_str_has_prefix(text, "bytes:")) {
        gsize size;
        g_autofree guchar *data = g_base64_decode(text + strlen("bytes:"), &size);

        cfgm_set_bytes(node, name, data, size);
    } else {
        /* CFGM reads a text of digits as a number where a number is asked for. */
        cfgm_set_string(node, name, text);
    }
}

static void
apply_one(const char *path, const char *text, CfgmNode *root)
{
    const char *name = strrchr(path, '/') + 1;
    g_autofree char *parent = g_strndup(path, (gsize)(name - 1 - path));

    set_value(cfgm_make(root, parent), name, text);
}

void
console_extra_data_apply(GHashTable *keys, const PdmRegistry *registry, CfgmNode *root,
                         void (*ignored)(void *user, const char *key), void *user)
{
    GList *sorted = g_list_sort(g_hash_table_get_keys(keys), (GCompareFunc)strcmp);

    for (const GList *link = sorted; link != NULL; link = link->next) {
        const char *key = link->data;

        if (!g_str_has_prefix(key, PREFIX))
            continue;
        if (fits(key + strlen(PREFIX), registry))
            apply_one(key + strlen(PREFIX), g_hash_table_lookup(keys, key), root);
        else if (ignored != NULL)
            ignored(user, key);
    }
    g_list_free(sorted);
}
