/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * <MediaRegistry> and <ExtraData>, which machines and the global file have alike. */
#include <string.h>

#include "app/service/settings/xml.h"

static const char *const type_words[] = {"Normal",    "Immutable", "Writethrough",
                                         "Shareable", "Readonly",  "MultiAttach"};

MediumRecord *
medium_record_new(void)
{
    MediumRecord *record = g_new0(MediumRecord, 1);
    record->id = g_strdup("");
    record->location = g_strdup("");
    record->format = g_strdup("");
    record->description = g_strdup("");
    record->parent = g_strdup("");
    return record;
}

MediumRecord *
medium_record_copy(const MediumRecord *record)
{
    MediumRecord *copy = g_memdup2(record, sizeof *record);
    copy->id = g_strdup(record->id);
    copy->location = g_strdup(record->location);
    copy->format = g_strdup(record->format);
    copy->description = g_strdup(record->description);
    copy->parent = g_strdup(record->parent);
    return copy;
}

void
medium_record_free(MediumRecord *record)
{
    if (record == NULL)
        return;
    g_free(record->id);
    g_free(record->location);
    g_free(record->format);
    g_free(record->description);
    g_free(record->parent);
    g_free(record);
}

GHashTable *
settings_file_read_extra_data(SettingsFile *file)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    xmlNodePtr item = xml_path(file->body, "ExtraData/ExtraDataItem");
    for (; item; item = xml_next(item)) {
        char *key = xml_get(item, "name"), *value = xml_get(item, "value");
        if (key && value) {
            g_hash_table_insert(table, key, value);
        } else {
            g_free(key);
            g_free(value);
        }
    }
    return table;
}

void
settings_file_set_extra_data(SettingsFile *file, const char *key, const char *value)
{
    xmlNodePtr item = xml_path(file->body, "ExtraData/ExtraDataItem");
    for (; item; item = xml_next(item)) {
        g_autofree char *own = xml_get(item, "name");
        if (g_strcmp0(own, key) == 0)
            break;
    }
    if (*value == '\0') {
        if (item) {
            xmlNodePtr parent = item->parent;
            xml_remove(item);
            xml_prune(parent, file->body);
        }
        return;
    }
    if (item == NULL)
        item = xml_add(xml_make_path(file->body, "ExtraData"), "ExtraDataItem");
    xml_set(item, "name", key);
    xml_set(item, "value", value);
}

/* Locations of the registry: the file's folder is where relative ones start. */
static void
read_medium(SettingsFile *file, xmlNodePtr node, VitrineMediumKind kind, const char *parent,
            GPtrArray *media)
{
    g_autofree char *id = xml_get_uuid(node, "uuid");
    g_autofree char *location = xml_get(node, "location");
    g_autofree char *format = xml_get(node, "format");
    g_autofree char *type = xml_get(node, "type");
    if (id && location) {
        MediumRecord *record = medium_record_new();
        g_free(record->id);
        record->id = g_strdup(id);
        g_free(record->location);
        record->location = settings_file_absolute(file, location);
        g_free(record->format);
        record->format = g_strdup(format ? format : "RAW");
        g_free(record->description);
        record->description = xml_get_text(node, "Description");
        g_free(record->parent);
        record->parent = g_strdup(parent);
        record->kind = kind;
        for (guint i = 0; type && i < G_N_ELEMENTS(type_words); i++) {
            if (g_ascii_strcasecmp(type_words[i], type) == 0)
                record->type = i;
        }
        g_ptr_array_add(media, record);
    }
    for (xmlNodePtr child = xml_child(node, "HardDisk"); child; child = xml_next(child))
        read_medium(file, child, kind, id ? id : "", media);
}

static const struct {
    const char *parent, *element;
} places[] = {
    [VITRINE_MEDIUM_KIND_HARD_DISK] = {"MediaRegistry/HardDisks", "HardDisk"},
    [VITRINE_MEDIUM_KIND_DVD] = {"MediaRegistry/DVDImages", "Image"},
    [VITRINE_MEDIUM_KIND_FLOPPY] = {"MediaRegistry/FloppyImages", "Image"},
};

GPtrArray *
settings_file_read_media(SettingsFile *file)
{
    GPtrArray *media = g_ptr_array_new_with_free_func((GDestroyNotify)medium_record_free);
    for (guint kind = 0; kind < G_N_ELEMENTS(places); kind++) {
        xmlNodePtr node =
            xml_child(xml_path(file->body, places[kind].parent), places[kind].element);
        for (; node; node = xml_next(node))
            read_medium(file, node, kind, "", media);
    }
    return media;
}

static xmlNodePtr
find_below(xmlNodePtr node, const char *id)
{
    for (; node; node = xml_next(node)) {
        g_autofree char *own = xml_get_uuid(node, "uuid");
        xmlNodePtr found =
            g_strcmp0(own, id) == 0 ? node : find_below(xml_child(node, "HardDisk"), id);
        if (found)
            return found;
    }
    return NULL;
}

static xmlNodePtr
find_medium(SettingsFile *file, VitrineMediumKind kind, const char *id)
{
    return find_below(xml_child(xml_path(file->body, places[kind].parent), places[kind].element),
                      id);
}

static const MediumRecord *
find_record(GPtrArray *media, const char *id)
{
    for (guint i = 0; i < media->len; i++) {
        const MediumRecord *record = g_ptr_array_index(media, i);
        if (g_str_equal(record->id, id))
            return record;
    }
    return NULL;
}

static void
write_medium(SettingsFile *file, const MediumRecord *record)
{
    xmlNodePtr node = find_medium(file, record->kind, record->id);
    xmlNodePtr parent = *record->parent ? find_medium(file, record->kind, record->parent) : NULL;
    gboolean is_new = node == NULL;
    if (parent == NULL && is_new)
        parent = xml_make_path(file->body, places[record->kind].parent);
    if (is_new)
        node = xml_add(parent, places[record->kind].element);
    xml_set_uuid(node, "uuid", record->id);
    g_autofree char *location = xml_get(node, "location");
    g_autofree char *old = location ? settings_file_absolute(file, location) : NULL;
    if (g_strcmp0(old, record->location) != 0) {
        g_autofree char *relative = settings_file_relative(file, record->location);
        xml_set(node, "location", relative);
    }
    if (record->kind == VITRINE_MEDIUM_KIND_HARD_DISK) {
        xml_set(node, "format", record->format);
        if (*record->parent == '\0')
            xml_set(node, "type", type_words[record->type]);
    } else if (is_new && !g_str_equal(record->format, "RAW")) {
        xml_set(node, "format", record->format);
    }
    xml_set_text(node, "Description", record->description);
}

void
settings_file_write_media(SettingsFile *file, GPtrArray *media)
{
    g_autoptr(GPtrArray) old = settings_file_read_media(file);
    for (guint i = old->len; i > 0; i--) { /* children before parents */
        const MediumRecord *record = g_ptr_array_index(old, i - 1);
        if (find_record(media, record->id))
            continue;
        xmlNodePtr node = find_medium(file, record->kind, record->id);
        if (node == NULL)
            continue;
        xmlNodePtr parent = node->parent;
        xml_remove(node);
        if (parent)
            xml_prune(parent, file->body);
    }
    if (media->len && file->kind == SETTINGS_MACHINE)
        settings_file_need_version(file, 11);
    for (guint i = 0; i < media->len; i++)
        write_medium(file, g_ptr_array_index(media, i));
}
