/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * <DeviceFilter>: filters of USB devices, of a machine and of the host (which have an action).
 * Fields that say nothing are not written. */
#include "app/service/settings/xml.h"

/* clang-format off */
static const struct {
    const char *key, *attribute;
} fields[] = {
#define TEXT(field, key, attribute) {key, attribute},
#include "app/api/usb-filter-fields.def"
#undef TEXT
};
/* clang-format on */

/* In the order of VitrineUsbAction. */
static const char *const action_words[] = {NULL, "Ignore", "Hold"};

static VitrineUsbFilter *
read_filter(xmlNodePtr node)
{
    g_autofree char *name = xml_get(node, "name");
    g_autofree char *action = xml_get(node, "action");
    VitrineUsbFilter *filter = vitrine_usb_filter_new(name);

    filter->active = xml_get_bool(node, "active", FALSE);
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autofree char *text = xml_get(node, fields[i].attribute);

        if (text != NULL)
            vitrine_usb_filter_set_text(filter, fields[i].key, text);
    }
    for (guint i = 1; action != NULL && i < G_N_ELEMENTS(action_words); i++) {
        if (g_ascii_strcasecmp(action, action_words[i]) == 0)
            filter->action = (VitrineUsbAction)i;
    }
    return filter;
}

GPtrArray *
usb_filters_read(xmlNodePtr parent)
{
    GPtrArray *filters = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_usb_filter_free);

    for (xmlNodePtr node = xml_child(parent, "DeviceFilter"); node != NULL; node = xml_next(node))
        g_ptr_array_add(filters, read_filter(node));
    return filters;
}

/* Taken away first: attributes stand in the order in which they are set. */
static void
clear_filter(xmlNodePtr node)
{
    xml_set(node, "name", NULL);
    xml_set(node, "active", NULL);
    xml_set(node, "action", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
        xml_set(node, fields[i].attribute, NULL);
}

static void
write_filter(xmlNodePtr node, const VitrineUsbFilter *filter)
{
    clear_filter(node);
    xml_set(node, "name", filter->name);
    xml_set(node, "active", filter->active ? "true" : "false");
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        const char *text = vitrine_usb_filter_get_text(filter, fields[i].key);

        if (*text != '\0')
            xml_set(node, fields[i].attribute, text);
    }
    xml_set(node, "action", action_words[filter->action]);
}

void
usb_filters_write(xmlNodePtr body, const char *path, GPtrArray *filters)
{
    g_autoptr(GPtrArray) before = usb_filters_read(xml_path(body, path));
    xmlNodePtr parent, node;

    if (vitrine_usb_filters_equal(before, filters))
        return;
    parent = xml_make_path(body, path);
    node = xml_child(parent, "DeviceFilter");
    for (guint i = 0; i < filters->len; i++) {
        xmlNodePtr own = node != NULL ? node : xml_add(parent, "DeviceFilter");

        write_filter(own, filters->pdata[i]);
        node = node != NULL ? xml_next(node) : NULL;
    }
    while (node != NULL) {
        xmlNodePtr surplus = node;

        node = xml_next(node);
        xml_remove(surplus);
    }
    if (filters->len == 0)
        xml_prune(parent, body);
}
