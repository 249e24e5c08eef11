/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What devices there are, for the settings of machines: the registry of the program and its modules
 * as a text that the service reads (`vitrine --describe-devices`). */
#include "app/console/console-private.h"
#include "app/console/console-run.h"

/* In the order of PdmKind and PdmOptionType. */
static const char *const kinds[] = {"chipset", "firmware", "graphics", "input", "storage",
                                    "network", "serial",   "sound",    "usb",   "other"};
static const char *const types[] = {"", "uint", "bool", "string", "choice"};

G_STATIC_ASSERT(G_N_ELEMENTS(kinds) == PDM_KIND_OTHER + 1);
G_STATIC_ASSERT(G_N_ELEMENTS(types) == PDM_OPTION_CHOICE + 1);

static GVariant *
describe_option(const PdmOption *option)
{
    static const char *const none[] = {NULL};
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "key", "s", option->key);
    g_variant_dict_insert(&dict, "title", "s", option->title);
    g_variant_dict_insert(&dict, "type", "s", types[option->type]);
    g_variant_dict_insert(&dict, "value", "t", option->value);
    g_variant_dict_insert(&dict, "minimum", "t", option->min);
    g_variant_dict_insert(&dict, "maximum", "t", option->max);
    g_variant_dict_insert(&dict, "text", "s", option->text ? option->text : "");
    g_variant_dict_insert(&dict, "choices", "^as", option->choices ? option->choices : none);
    return g_variant_dict_end(&dict);
}

static GVariant *
describe(const PdmDeviceInfo *info, bool built_in)
{
    GVariantBuilder options;
    GVariantDict dict;

    g_variant_builder_init(&options, G_VARIANT_TYPE("aa{sv}"));
    for (const PdmOption *at = info->options; at && at->type != PDM_OPTION_END; at++) {
        if ((unsigned)at->type < G_N_ELEMENTS(types)) /* a module's may be newer than we are */
            g_variant_builder_add_value(&options, describe_option(at));
    }
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "name", "s", info->name);
    g_variant_dict_insert(&dict, "title", "s", info->title);
    g_variant_dict_insert(&dict, "kind", "s", kinds[MIN((unsigned)info->kind, PDM_KIND_OTHER)]);
    g_variant_dict_insert(&dict, "max-instances", "u", info->max_instances);
    g_variant_dict_insert(&dict, "module", "b", !built_in);
    g_variant_dict_insert_value(&dict, "options", g_variant_builder_end(&options));
    return g_variant_dict_end(&dict);
}

static void
tell_problem(void *user, const char *message)
{
    g_printerr("A module is left out: %s\n", message);
}

char *
console_describe_devices(GError **error)
{
    size_t built_in, count;
    PdmRegistry *registry = console_registry_new(tell_problem, NULL, &built_in, error);
    const PdmDeviceInfo *const *devices;
    g_autoptr(GVariant) list = NULL;
    GVariantBuilder builder;

    if (!registry) {
        console_translate_error(error);
        return NULL;
    }
    devices = pdm_registry_devices(registry, &count);
    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (size_t i = 0; i < count; i++)
        g_variant_builder_add_value(&builder, describe(devices[i], i < built_in));
    list = g_variant_ref_sink(g_variant_builder_end(&builder));
    pdm_registry_free(registry);
    return g_variant_print(list, TRUE);
}
