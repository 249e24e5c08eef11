/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB: controllers and filters. Since 1.14 <USB> with <Controllers> and <DeviceFilters>, before
 * that <USBController> with the filters in it. Of each type one controller is a setting; more of
 * them, and other types, stay in the file as they are. */
#include "app/service/settings/xml.h"

#define USB "Hardware/USB"
#define CONTROLLERS USB "/Controllers"
#define FILTERS USB "/DeviceFilters"
#define OLD "Hardware/USBController"
#define FIRST_NEW 14 /* 1.14 */

static const struct {
    const char *property, *type, *name;
    const char *attribute; /* of the old element; NULL: it knows none */
} controllers[] = {
    {"usb-ohci", "OHCI", "OHCI", "enabled"},
    {"usb-ehci", "EHCI", "EHCI", "enabledEhci"},
    {"usb-xhci", "XHCI", "xHCI", NULL},
};

static xmlNodePtr
find_controller(xmlNodePtr body, const char *type)
{
    for (xmlNodePtr node = xml_path(body, CONTROLLERS "/Controller"); node; node = xml_next(node)) {
        g_autofree char *own = xml_get(node, "type");
        if (own && g_ascii_strcasecmp(own, type) == 0)
            return node;
    }
    return NULL;
}

static gboolean
is_old(const SettingsFile *file)
{
    return file->number < FIRST_NEW;
}

void
machine_usb_read(SettingsFile *file, VitrineSettings *settings)
{
    xmlNodePtr old = xml_path(file->body, OLD);
    for (guint i = 0; i < G_N_ELEMENTS(controllers); i++) {
        gboolean there = find_controller(file->body, controllers[i].type) != NULL;
        if (is_old(file) && controllers[i].attribute)
            there |= xml_get_bool(old, controllers[i].attribute, FALSE);
        vitrine_settings_set_bool(settings, controllers[i].property, there);
    }
    g_autoptr(GPtrArray) filters =
        usb_filters_read(is_old(file) && old ? old : xml_path(file->body, FILTERS));
    vitrine_settings_set_usb_filters(settings, filters);
}

static void
write_controller(xmlNodePtr body, guint index, gboolean wanted)
{
    xmlNodePtr node = find_controller(body, controllers[index].type);
    if (wanted == (node != NULL))
        return;
    if (wanted) {
        node = xml_add(xml_make_path(body, CONTROLLERS), "Controller");
        xml_set(node, "name", controllers[index].name);
        xml_set(node, "type", controllers[index].type);
        return;
    }
    xmlNodePtr parent = node->parent;
    xml_remove(node);
    xml_prune(parent, body);
}

static void
write_old(SettingsFile *file, VitrineSettings *settings)
{
    GPtrArray *filters = vitrine_settings_get_usb_filters(settings);
    xmlNodePtr node = xml_path(file->body, OLD);
    for (guint i = 0; i < G_N_ELEMENTS(controllers); i++) {
        const char *attribute = controllers[i].attribute;
        const gboolean wanted = vitrine_settings_get_bool(settings, controllers[i].property);
        if (attribute == NULL || (node == NULL && !wanted && filters->len == 0))
            continue;
        node = xml_make_path(file->body, OLD);
        xml_set(node, attribute, wanted ? "true" : "false");
    }
    usb_filters_write(file->body, OLD, filters);
}

void
machine_usb_write(SettingsFile *file, VitrineSettings *settings)
{
    if (is_old(file)) {
        write_old(file, settings);
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(controllers); i++)
        write_controller(file->body, i,
                         vitrine_settings_get_bool(settings, controllers[i].property));
    usb_filters_write(file->body, FILTERS, vitrine_settings_get_usb_filters(settings));
}

void
machine_usb_upgrade(xmlNodePtr holder)
{
    xmlNodePtr old = xml_path(holder, OLD);
    if (old == NULL)
        return;
    g_autoptr(GPtrArray) filters = usb_filters_read(old);
    for (guint i = 0; i < G_N_ELEMENTS(controllers); i++) {
        if (controllers[i].attribute && xml_get_bool(old, controllers[i].attribute, FALSE))
            write_controller(holder, i, TRUE);
    }
    xml_remove(old);
    if (filters->len > 0)
        usb_filters_write(holder, FILTERS, filters);
}
