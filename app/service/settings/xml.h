/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Small steps on libxml2's tree, for this room only. Elements are found by local name, whatever
 * their namespace; new ones take their parent's. */
#pragma once

#include <libxml/tree.h>

#include "app/service/settings/settings-file.h"

struct SettingsFile {
    char *path;
    SettingsKind kind;
    xmlDocPtr doc;
    xmlNodePtr body; /* <Global> or <Machine> */
    char *version;   /* "1.12-linux" */
    char *loaded_version;
    int number; /* 12 for 1.12 */
    char *read_only_reason;
};

/* Highest version that is understood, and the one that a new file has. */
#define SETTINGS_NEWEST 19
#define SETTINGS_OLDEST 3
#define SETTINGS_FIRST 12
#define SETTINGS_MAX_NESTING 250
#define SETTINGS_MAX_DISK_NESTING 300

/* First child element of this name; NULL when there is none (or parent is NULL). */
xmlNodePtr xml_child(xmlNodePtr parent, const char *name);
/* Next sibling of the same name. */
xmlNodePtr xml_next(xmlNodePtr node);
/* "Hardware/CPU/PAE" below parent. */
xmlNodePtr xml_path(xmlNodePtr parent, const char *path);
/* The same, making what is missing. */
xmlNodePtr xml_make_path(xmlNodePtr parent, const char *path);
xmlNodePtr xml_add(xmlNodePtr parent, const char *name);
void xml_remove(xmlNodePtr node);
/* Removes the node when it says nothing, and then its parents, up to but without stop. */
void xml_prune(xmlNodePtr node, xmlNodePtr stop);

/* The caller's; NULL when there is none. */
char *xml_get(xmlNodePtr node, const char *attribute);
/* value NULL: removes. Leaves an equal value as it is. */
void xml_set(xmlNodePtr node, const char *attribute, const char *value);
gboolean xml_get_bool(xmlNodePtr node, const char *attribute, gboolean fallback);
gint64 xml_get_int(xmlNodePtr node, const char *attribute, gint64 fallback);
/* A UUID without braces in lower case; NULL when it is none. */
char *xml_get_uuid(xmlNodePtr node, const char *attribute);
void xml_set_uuid(xmlNodePtr node, const char *attribute, const char *id);
/* Text of a child element; "" when there is none. The caller's. */
char *xml_get_text(xmlNodePtr parent, const char *child);
void xml_set_text(xmlNodePtr parent, const char *child, const char *text);

/* The version becomes at least 1.number. */
void settings_file_need_version(SettingsFile *file, int number);
/* Makes explicit what older versions mean when they say nothing (upgrade.c). */
void settings_file_upgrade(SettingsFile *file, int from, int to);

/* A location in a file, absolute: relative ones start at the file's folder. The caller's. */
char *settings_file_absolute(const SettingsFile *file, const char *location);
/* The way it is written: relative when it is inside the file's folder. */
char *settings_file_relative(const SettingsFile *file, const char *location);

/* machine-storage.c */
gboolean machine_storage_read(SettingsFile *file, VitrineSettings *settings, GError **error);
void machine_storage_write(SettingsFile *file, VitrineSettings *settings);
/* machine-ports.c */
void machine_ports_read(SettingsFile *file, VitrineSettings *settings);
void machine_ports_write(SettingsFile *file, VitrineSettings *settings);
/* machine-network.c */
void machine_network_read(SettingsFile *file, VitrineSettings *settings);
void machine_network_write(SettingsFile *file, VitrineSettings *settings);
/* machine-usb.c */
void machine_usb_read(SettingsFile *file, VitrineSettings *settings);
void machine_usb_write(SettingsFile *file, VitrineSettings *settings);
/* The form of before 1.14 becomes the later one. holder: the parent of <Hardware>. */
void machine_usb_upgrade(xmlNodePtr holder);
/* usb-filters.c: (element-type VitrineUsbFilter) the <DeviceFilter> of a node, which may be NULL.
 */
GPtrArray *usb_filters_read(xmlNodePtr parent);
/* Replaces those of the node at a path below body, which is made, or goes, as needed. */
void usb_filters_write(xmlNodePtr body, const char *path, GPtrArray *filters);
/* machine-version.c: the lowest version that can say this. */
int machine_version_needed(VitrineSettings *settings);
