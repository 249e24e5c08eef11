/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB controllers: <USB><Controllers>, since 1.14. Of the types, XHCI is a setting; others stay in
 * the file as they are. */
#include "app/service/settings/xml.h"

#define CONTROLLERS "Hardware/USB/Controllers"
#define XHCI "XHCI"

static xmlNodePtr
find_controller(SettingsFile *file, const char *type)
{
    for (xmlNodePtr node = xml_path(file->body, CONTROLLERS "/Controller"); node;
         node = xml_next(node)) {
        g_autofree char *own = xml_get(node, "type");
        if (own && g_ascii_strcasecmp(own, type) == 0)
            return node;
    }
    return NULL;
}

void
machine_usb_read(SettingsFile *file, VitrineSettings *settings)
{
    vitrine_settings_set_bool(settings, "usb-xhci", find_controller(file, XHCI) != NULL);
}

void
machine_usb_write(SettingsFile *file, VitrineSettings *settings)
{
    xmlNodePtr node = find_controller(file, XHCI);
    const gboolean wanted = vitrine_settings_get_bool(settings, "usb-xhci");
    if (wanted == (node != NULL))
        return;
    if (wanted) {
        node = xml_add(xml_make_path(file->body, CONTROLLERS), "Controller");
        xml_set(node, "name", "xHCI");
        xml_set(node, "type", XHCI);
        return;
    }
    xmlNodePtr parent = node->parent;
    xml_remove(node);
    xml_prune(parent, file->body);
}
