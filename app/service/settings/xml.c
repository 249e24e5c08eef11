/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Steps on libxml2's tree; see xml.h. */
#include "app/service/settings/xml.h"

#include <string.h>

static gboolean
is_element(xmlNodePtr node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static xmlNodePtr
first_named(xmlNodePtr node, const char *name)
{
    while (node && !is_element(node, name))
        node = node->next;
    return node;
}

xmlNodePtr
xml_child(xmlNodePtr parent, const char *name)
{
    return parent ? first_named(parent->children, name) : NULL;
}

xmlNodePtr
xml_next(xmlNodePtr node)
{
    return first_named(node->next, (const char *)node->name);
}

xmlNodePtr
xml_path(xmlNodePtr parent, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    for (guint i = 0; parent && names[i]; i++) {
        if (*names[i])
            parent = xml_child(parent, names[i]);
    }
    return parent;
}

/* The order in which elements are written; one that is not here goes to the end. */
static const char *const order[] = {
    "Description",
    "Teleporter",
    "MediaRegistry",
    "ExtraData",
    "MachineRegistry",
    "Snapshot",
    "Hardware",
    "CPU",
    "Memory",
    "Firmware",
    "HID",
    "HPET",
    "Chipset",
    "Paravirt",
    "Iommu",
    "Boot",
    "Display",
    "VideoCapture",
    "RemoteDisplay",
    "BIOS",
    "TrustedPlatformModule",
    "USB",
    "USBController",
    "Network",
    "UART",
    "LPT",
    "AudioAdapter",
    "RTC",
    "SharedFolders",
    "Clipboard",
    "DragAndDrop",
    "IO",
    "HostPci",
    "EmulatedUSB",
    "Frontend",
    "Guest",
    "GuestProperties",
    "StorageControllers",
    "NetserviceRegistry",
    "SystemProperties",
    "USBDeviceFilters",
    "Debugging",
    "Autostart",
    "Recording",
    "Groups",
    "Snapshots",
};

static guint
rank(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
        if (strcmp(order[i], name) == 0)
            return i;
    }
    return G_N_ELEMENTS(order);
}

xmlNodePtr
xml_add(xmlNodePtr parent, const char *name)
{
    xmlNodePtr node = xmlNewDocNode(parent->doc, parent->ns, (const xmlChar *)name, NULL);
    guint mine = rank(name);
    for (xmlNodePtr other = parent->children; other; other = other->next) {
        if (other->type == XML_ELEMENT_NODE && rank((const char *)other->name) > mine)
            return xmlAddPrevSibling(other, node);
    }
    return xmlAddChild(parent, node);
}

xmlNodePtr
xml_make_path(xmlNodePtr parent, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    for (guint i = 0; names[i]; i++) {
        if (*names[i] == '\0')
            continue;
        xmlNodePtr child = xml_child(parent, names[i]);
        parent = child ? child : xml_add(parent, names[i]);
    }
    return parent;
}

void
xml_remove(xmlNodePtr node)
{
    if (node == NULL)
        return;
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}

void
xml_prune(xmlNodePtr node, xmlNodePtr stop)
{
    while (node && node != stop && node->properties == NULL && node->children == NULL) {
        xmlNodePtr parent = node->parent;
        xml_remove(node);
        node = parent;
    }
}

char *
xml_get(xmlNodePtr node, const char *attribute)
{
    xmlChar *value = node ? xmlGetNoNsProp(node, (const xmlChar *)attribute) : NULL;
    char *copy = g_strdup((const char *)value);
    xmlFree(value);
    return copy;
}

/* XML 1.0 cannot hold control characters, not even escaped: they become spaces. */
static char *
printable(const char *text)
{
    char *copy = g_utf8_make_valid(text, -1);
    for (char *at = copy; *at; at++) {
        if ((guchar)*at < ' ' && *at != '\t' && *at != '\n' && *at != '\r')
            *at = ' ';
    }
    return copy;
}

void
xml_set(xmlNodePtr node, const char *attribute, const char *value)
{
    g_autofree char *old = xml_get(node, attribute);
    if (value == NULL) {
        xmlUnsetProp(node, (const xmlChar *)attribute);
        return;
    }
    g_autofree char *clean = printable(value);
    if (g_strcmp0(old, clean) != 0)
        xmlSetProp(node, (const xmlChar *)attribute, (const xmlChar *)clean);
}

gboolean
xml_get_bool(xmlNodePtr node, const char *attribute, gboolean fallback)
{
    static const char *const yes[] = {"true", "1", "yes", "on", NULL};
    static const char *const no[] = {"false", "0", "no", "off", NULL};
    g_autofree char *value = xml_get(node, attribute);
    if (value == NULL)
        return fallback;
    g_autofree char *lower = g_ascii_strdown(g_strstrip(value), -1);
    if (g_strv_contains(yes, lower))
        return TRUE;
    return g_strv_contains(no, lower) ? FALSE : fallback;
}

gint64
xml_get_int(xmlNodePtr node, const char *attribute, gint64 fallback)
{
    g_autofree char *value = xml_get(node, attribute);
    char *end = NULL;
    if (value == NULL || *value == '\0')
        return fallback;
    gboolean hex = g_str_has_prefix(value, "0x") || g_str_has_prefix(value, "0X");
    gint64 number = g_ascii_strtoll(value, &end, hex ? 16 : 10);
    return *end == '\0' ? number : fallback;
}

char *
xml_get_uuid(xmlNodePtr node, const char *attribute)
{
    g_autofree char *value = xml_get(node, attribute);
    if (value == NULL)
        return NULL;
    g_strstrip(value);
    gsize length = strlen(value);
    gboolean braces = length > 2 && value[0] == '{' && value[length - 1] == '}';
    g_autofree char *bare = braces ? g_strndup(value + 1, length - 2) : g_strdup(value);
    if (!g_uuid_string_is_valid(bare) || g_str_equal(bare, "00000000-0000-0000-0000-000000000000"))
        return NULL;
    return g_ascii_strdown(bare, -1);
}

void
xml_set_uuid(xmlNodePtr node, const char *attribute, const char *id)
{
    g_autofree char *old = xml_get_uuid(node, attribute);
    g_autofree char *braces = g_strdup_printf("{%s}", id);
    if (g_strcmp0(old, id) != 0)
        xml_set(node, attribute, braces);
}

char *
xml_get_text(xmlNodePtr parent, const char *child)
{
    xmlNodePtr node = xml_child(parent, child);
    xmlChar *text = node ? xmlNodeGetContent(node) : NULL;
    char *copy = g_strdup(text ? (const char *)text : "");
    xmlFree(text);
    return copy;
}

void
xml_set_text(xmlNodePtr parent, const char *child, const char *text)
{
    g_autofree char *old = xml_get_text(parent, child);
    if (g_str_equal(old, text))
        return;
    xmlNodePtr node = xml_child(parent, child);
    if (*text == '\0') {
        xml_remove(node);
        return;
    }
    if (node == NULL)
        node = xml_add(parent, child);
    g_autofree char *clean = printable(text);
    xmlNodeSetContent(node, NULL);
    xmlNodeAddContent(node, (const xmlChar *)clean);
}
