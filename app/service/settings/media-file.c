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
    record->properties = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return record;
}

MediumRecord *
medium_record_copy(const MediumRecord *record)
{
    MediumRecord *copy = g_memdup2(record, sizeof *record);
    GHashTableIter iter;
    gpointer name, value;
    copy->id = g_strdup(record->id);
    copy->location = g_strdup(record->location);
    copy->format = g_strdup(record->format);
    copy->description = g_strdup(record->description);
    copy->parent = g_strdup(record->parent);
    copy->properties = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_iter_init(&iter, record->properties);
    while (g_hash_table_iter_next(&iter, &name, &value))
        g_hash_table_insert(copy->properties, g_strdup(name), g_strdup(value));
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
    g_hash_table_unref(record->properties);
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

static void
read_properties(xmlNodePtr medium, GHashTable *properties)
{
    for (xmlNodePtr node = xml_child(medium, "Property"); node; node = xml_next(node)) {
        char *name = xml_get(node, "name"), *value = xml_get(node, "value");
        if (name && value) {
            g_hash_table_insert(properties, name, value);
        } else {
            g_free(name);
            g_free(value);
        }
    }
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
        record->auto_reset = xml_get_bool(node, "autoReset", FALSE);
        read_properties(node, record->properties);
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

/* All media of the document by UUID; keys belong to the table. */
static void
index_below(xmlNodePtr node, GHashTable *index)
{
    for (; node; node = xml_next(node)) {
        char *id = xml_get_uuid(node, "uuid");
        if (id)
            g_hash_table_insert(index, id, node);
        index_below(xml_child(node, "HardDisk"), index);
    }
}

static GHashTable *
index_of_media(SettingsFile *file)
{
    GHashTable *index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint kind = 0; kind < G_N_ELEMENTS(places); kind++)
        index_below(xml_child(xml_path(file->body, places[kind].parent), places[kind].element),
                    index);
    return index;
}

static void
write_properties(xmlNodePtr medium, GHashTable *properties)
{
    GHashTableIter iter;
    gpointer name, value;
    xmlNodePtr next;
    g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (xmlNodePtr node = xml_child(medium, "Property"); node; node = next) {
        char *own = xml_get(node, "name");
        const char *wanted = own ? g_hash_table_lookup(properties, own) : NULL;
        next = xml_next(node);
        if (wanted) {
            xml_set(node, "value", wanted);
            g_hash_table_add(found, own);
        } else {
            xml_remove(node);
            g_free(own);
        }
    }
    g_hash_table_iter_init(&iter, properties);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        if (g_hash_table_contains(found, name))
            continue;
        xmlNodePtr node = xml_add(medium, "Property");
        xml_set(node, "name", name);
        xml_set(node, "value", value);
    }
}

static void
write_location(SettingsFile *file, xmlNodePtr node, const char *wanted)
{
    g_autofree char *location = xml_get(node, "location");
    g_autofree char *old = location ? settings_file_absolute(file, location) : NULL;
    if (g_strcmp0(old, wanted) == 0)
        return;
    g_autofree char *relative = settings_file_relative(file, wanted);
    xml_set(node, "location", relative);
}

static void
write_medium(SettingsFile *file, xmlNodePtr node, const MediumRecord *record, gboolean is_new)
{
    xml_set_uuid(node, "uuid", record->id);
    write_location(file, node, record->location);
    if (record->kind == VITRINE_MEDIUM_KIND_HARD_DISK) {
        xml_set(node, "format", record->format);
        xml_set(node, "type", *record->parent ? NULL : type_words[record->type]);
        if (xml_get_bool(node, "autoReset", FALSE) != record->auto_reset)
            xml_set(node, "autoReset", record->auto_reset ? "true" : NULL);
    } else if (is_new && !g_str_equal(record->format, "RAW")) {
        xml_set(node, "format", record->format);
    }
    xml_set_text(node, "Description", record->description);
    write_properties(node, record->properties);
}

/* The element of a medium, in its place: below its parent if this file has it. */
static xmlNodePtr
place_medium(SettingsFile *file, GHashTable *index, const MediumRecord *record)
{
    xmlNodePtr node = g_hash_table_lookup(index, record->id);
    xmlNodePtr parent = *record->parent ? g_hash_table_lookup(index, record->parent) : NULL;
    if (parent == NULL)
        parent = xml_make_path(file->body, places[record->kind].parent);
    if (node->parent == parent)
        return node;
    xmlUnlinkNode(node);
    return xmlAddChild(parent, node);
}

static void
make_missing(SettingsFile *file, GHashTable *index, const MediumRecord *record)
{
    gboolean is_new = !g_hash_table_contains(index, record->id);
    if (is_new) {
        xmlNodePtr parent = *record->parent ? g_hash_table_lookup(index, record->parent) : NULL;
        if (parent == NULL)
            parent = xml_make_path(file->body, places[record->kind].parent);
        g_hash_table_insert(index, g_strdup(record->id),
                            xml_add(parent, places[record->kind].element));
    }
    write_medium(file, g_hash_table_lookup(index, record->id), record, is_new);
}

/* Nothing that stays is below what goes. */
static void
remove_gone(SettingsFile *file, GHashTable *index, GPtrArray *old, GHashTable *kept)
{
    for (guint i = old->len; i > 0; i--) { /* children before parents */
        const MediumRecord *record = g_ptr_array_index(old, i - 1);
        xmlNodePtr node = g_hash_table_lookup(index, record->id);
        if (node == NULL || g_hash_table_contains(kept, record->id))
            continue;
        g_hash_table_remove(index, record->id);
        xmlNodePtr parent = node->parent;
        xml_remove(node);
        if (parent)
            xml_prune(parent, file->body);
    }
}

void
settings_file_write_media(SettingsFile *file, GPtrArray *media)
{
    g_autoptr(GPtrArray) old = settings_file_read_media(file);
    g_autoptr(GHashTable) index = index_of_media(file);
    g_autoptr(GHashTable) kept = g_hash_table_new(g_str_hash, g_str_equal);
    if (media->len && file->kind == SETTINGS_MACHINE)
        settings_file_need_version(file, 11);
    for (guint i = 0; i < media->len; i++) {
        const MediumRecord *record = g_ptr_array_index(media, i);
        g_hash_table_add(kept, record->id);
        make_missing(file, index, record);
    }
    for (guint i = 0; i < media->len; i++)
        place_medium(file, index, g_ptr_array_index(media, i));
    remove_gone(file, index, old, kept);
}
