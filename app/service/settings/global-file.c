/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * <Global>: the machine registry, <SystemProperties> and <USBDeviceFilters>. */
#include "app/service/settings/global-file.h"

#include "app/service/settings/xml.h"

/* clang-format off */
static const struct {
    const char *name, *attribute;
    char kind; /* s, u, b */
    const char *fallback;
} properties[] = {
    {"machine-folder",           "defaultMachineFolder",  's', ""},
    {"default-disk-format",      "defaultHardDiskFormat", 's', "VDI"},
    {"log-history-count",        "LogHistoryCount",       'u', "3"},
    {"vrde-auth-library",        "VRDEAuthLibrary",       's', "VBoxAuth"},
    {"web-service-auth-library", "webServiceAuthLibrary", 's', "VBoxAuth"},
    {"default-frontend",         "defaultFrontend",       's', ""},
    {"language-id",              "LanguageId",            's', ""},
    {"proxy-mode",               "proxyMode",             'u', "0"},
    {"proxy-url",                "proxyUrl",              's', ""},
    {"exclusive-hw-virt",        "exclusiveHwVirt",       'b', "true"},
};
/* clang-format on */

void
machine_entry_free(MachineEntry *entry)
{
    g_free(entry->id);
    g_free(entry->src);
    g_free(entry);
}

GPtrArray *
global_file_read_machines(SettingsFile *file)
{
    GPtrArray *machines = g_ptr_array_new_with_free_func((GDestroyNotify)machine_entry_free);
    xmlNodePtr node = xml_path(file->body, "MachineRegistry/MachineEntry");
    for (; node; node = xml_next(node)) {
        g_autofree char *id = xml_get_uuid(node, "uuid");
        g_autofree char *src = xml_get(node, "src");
        if (id == NULL || src == NULL || *src == '\0')
            continue;
        MachineEntry *entry = g_new(MachineEntry, 1);
        entry->id = g_steal_pointer(&id);
        entry->src = settings_file_absolute(file, src);
        g_ptr_array_add(machines, entry);
    }
    return machines;
}

static xmlNodePtr
find_machine(SettingsFile *file, const char *id)
{
    xmlNodePtr node = xml_path(file->body, "MachineRegistry/MachineEntry");
    for (; node; node = xml_next(node)) {
        g_autofree char *own = xml_get_uuid(node, "uuid");
        if (g_strcmp0(own, id) == 0)
            return node;
    }
    return NULL;
}

void
global_file_add_machine(SettingsFile *file, const char *id, const char *src)
{
    xmlNodePtr node = find_machine(file, id);
    if (node == NULL)
        node = xml_add(xml_make_path(file->body, "MachineRegistry"), "MachineEntry");
    xml_set_uuid(node, "uuid", id);
    xml_set(node, "src", src);
}

void
global_file_remove_machine(SettingsFile *file, const char *id)
{
    xml_remove(find_machine(file, id));
}

GPtrArray *
global_file_read_usb_filters(SettingsFile *file)
{
    GPtrArray *filters = usb_filters_read(xml_child(file->body, "USBDeviceFilters"));

    /* One without an action does what the original's would: nothing is taken from the host. */
    for (guint i = 0; i < filters->len; i++) {
        VitrineUsbFilter *filter = filters->pdata[i];

        if (filter->action == VITRINE_USB_ACTION_ATTACH)
            filter->action = VITRINE_USB_ACTION_IGNORE;
    }
    return filters;
}

void
global_file_write_usb_filters(SettingsFile *file, GPtrArray *filters)
{
    usb_filters_write(file->body, "USBDeviceFilters", filters);
}

static char *
default_machine_folder(void)
{
    return g_build_filename(g_get_home_dir(), "VirtualBox VMs", NULL);
}

GVariant *
global_file_read_properties(SettingsFile *file)
{
    xmlNodePtr node = xml_child(file->body, "SystemProperties");
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    for (guint i = 0; i < G_N_ELEMENTS(properties); i++) {
        const char *attribute = properties[i].attribute;
        g_autofree char *text = xml_get(node, attribute);
        GVariant *value;
        if (text == NULL)
            text = g_strdup(properties[i].fallback);
        if (properties[i].kind == 'u')
            value = g_variant_new_uint32((guint32)g_ascii_strtoull(text, NULL, 10));
        else if (properties[i].kind == 'b')
            value = g_variant_new_boolean(xml_get_bool(node, attribute, TRUE));
        else if (i == 0 && *text == '\0')
            value = g_variant_new_take_string(default_machine_folder());
        else
            value = g_variant_new_string(text);
        g_variant_builder_add(&builder, "{sv}", properties[i].name, value);
    }
    return g_variant_builder_end(&builder);
}

static char *
value_text(char kind, GVariant *value)
{
    if (kind == 's' && g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return g_variant_dup_string(value, NULL);
    if (kind == 'u' && g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
        return g_strdup_printf("%u", g_variant_get_uint32(value));
    if (kind == 'b' && g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
        return g_strdup(g_variant_get_boolean(value) ? "true" : "false");
    return NULL;
}

gboolean
global_file_set_property(SettingsFile *file, const char *name, GVariant *value, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(properties); i++) {
        if (!g_str_equal(properties[i].name, name))
            continue;
        g_autofree char *text = value_text(properties[i].kind, value);
        if (text == NULL || (i == 0 && *text && !g_path_is_absolute(text))) {
            g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                        "The value does not fit the property \"%s\".", name);
            return FALSE;
        }
        xml_set(xml_make_path(file->body, "SystemProperties"), properties[i].attribute,
                *text ? text : NULL);
        return TRUE;
    }
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                "There is no system property \"%s\".", name);
    return FALSE;
}
