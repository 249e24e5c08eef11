/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * <Snapshot> elements of a .vbox file; see snapshot-file.h. What a snapshot holds is a copy of the
 * machine's elements, with everything in them that this program does not understand. */
#include "app/service/settings/snapshot-file.h"

#include <string.h>

#include "app/service/settings/xml.h"

/* What belongs to a snapshot beside its name, description and children. */
static const char *const parts[] = {"Hardware", "StorageControllers", "Debugging", "Autostart",
                                    "Recording"};

SnapshotRecord *
snapshot_record_new(const char *parent, const char *name, const char *description)
{
    SnapshotRecord *record = g_new0(SnapshotRecord, 1);
    record->id = g_uuid_string_random();
    record->parent = g_strdup(parent ? parent : "");
    record->name = g_strdup(name);
    record->description = g_strdup(description ? description : "");
    record->state_file = g_strdup("");
    record->time = g_get_real_time() / G_USEC_PER_SEC;
    return record;
}

void
snapshot_record_free(SnapshotRecord *record)
{
    if (record == NULL)
        return;
    g_free(record->id);
    g_free(record->parent);
    g_free(record->name);
    g_free(record->description);
    g_free(record->state_file);
    g_free(record);
}

static xmlNodePtr
first_child(xmlNodePtr snapshot)
{
    return xml_path(snapshot, "Snapshots/Snapshot");
}

static gint64
read_time(xmlNodePtr node)
{
    g_autofree char *text = xml_get(node, "timeStamp");
    g_autoptr(GDateTime) date = text ? g_date_time_new_from_iso8601(text, NULL) : NULL;
    return date ? g_date_time_to_unix(date) : 0;
}

static void
read_all(SettingsFile *file, xmlNodePtr node, const char *parent, GPtrArray *records)
{
    for (; node; node = xml_next(node)) {
        g_autofree char *name = xml_get(node, "name");
        g_autofree char *description = xml_get_text(node, "Description");
        g_autofree char *state_file = xml_get(node, "stateFile");
        char *id = xml_get_uuid(node, "uuid");
        if (id) {
            SnapshotRecord *record = snapshot_record_new(parent, name ? name : "", description);
            g_free(record->id);
            record->id = id;
            record->time = read_time(node);
            if (state_file && *state_file) {
                g_free(record->state_file);
                record->state_file = settings_file_absolute(file, state_file);
            }
            g_ptr_array_add(records, record);
        }
        read_all(file, first_child(node), id ? id : "", records);
    }
}

GPtrArray *
snapshot_file_read(SettingsFile *file)
{
    GPtrArray *records = g_ptr_array_new_with_free_func((GDestroyNotify)snapshot_record_free);
    read_all(file, xml_child(file->body, "Snapshot"), "", records);
    return records;
}

static xmlNodePtr
find_below(xmlNodePtr node, const char *id)
{
    for (; node; node = xml_next(node)) {
        g_autofree char *own = xml_get_uuid(node, "uuid");
        xmlNodePtr found = g_strcmp0(own, id) == 0 ? node : find_below(first_child(node), id);
        if (found)
            return found;
    }
    return NULL;
}

static xmlNodePtr
find(SettingsFile *file, const char *id, GError **error)
{
    xmlNodePtr node = find_below(xml_child(file->body, "Snapshot"), id);
    if (node == NULL)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "There is no snapshot {%s}.",
                    id);
    return node;
}

VitrineSettings *
snapshot_file_read_settings(SettingsFile *file, const char *id, VitrineSettings *machine,
                            GError **error)
{
    static const char *const own[] = {"name", "os-type", "description", "snapshot-folder"};
    xmlNodePtr node = find(file, id, error);
    if (node == NULL)
        return NULL;
    SettingsFile view = *file; /* the same document, read from another element */
    view.body = node;
    g_autoptr(VitrineSettings) settings = vitrine_settings_new();
    if (!machine_file_read_hardware(&view, settings, error))
        return NULL;
    for (guint i = 0; i < G_N_ELEMENTS(own); i++)
        vitrine_settings_set_string(settings, own[i], vitrine_settings_get_string(machine, own[i]));
    vitrine_settings_set_groups(settings, vitrine_settings_get_groups(machine));
    return g_steal_pointer(&settings);
}

static void
collect_images(xmlNodePtr node, const char *snapshot, GHashTable *media)
{
    for (; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        g_autofree char *id =
            strcmp((const char *)node->name, "Image") == 0 ? xml_get_uuid(node, "uuid") : NULL;
        if (id) {
            GPtrArray *users = g_hash_table_lookup(media, id);
            if (users == NULL) {
                users = g_ptr_array_new_with_free_func(g_free);
                g_hash_table_insert(media, g_strdup(id), users);
            }
            g_ptr_array_add(users, g_strdup(snapshot));
        }
        collect_images(node->children, snapshot, media);
    }
}

static void
collect_media(xmlNodePtr node, GHashTable *media)
{
    for (; node; node = xml_next(node)) {
        g_autofree char *id = xml_get_uuid(node, "uuid");
        for (guint i = 0; id && i < G_N_ELEMENTS(parts); i++) {
            xmlNodePtr part = xml_child(node, parts[i]);
            if (part)
                collect_images(part->children, id, media);
        }
        collect_media(first_child(node), media);
    }
}

GHashTable *
snapshot_file_media(SettingsFile *file)
{
    GHashTable *media =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    collect_media(xml_child(file->body, "Snapshot"), media);
    return media;
}

static guint
depth_of(xmlNodePtr node)
{
    guint depth = 0;
    for (; node; node = node->parent)
        depth +=
            node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, "Snapshot") == 0;
    return depth;
}

/* A copy brings its own declaration of the namespace that is declared above it already. */
static void
use_namespace(xmlNodePtr node, xmlNsPtr ns)
{
    for (; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        if (node->ns && ns && xmlStrEqual(node->ns->href, ns->href))
            node->ns = ns;
        use_namespace(node->children, ns);
    }
}

static void
drop_declaration(xmlNodePtr node, xmlNsPtr ns)
{
    for (xmlNsPtr *place = &node->nsDef; *place; place = &(*place)->next) {
        xmlNsPtr own = *place;
        if (own->prefix || ns == NULL || !xmlStrEqual(own->href, ns->href))
            continue;
        *place = own->next;
        own->next = NULL;
        xmlFreeNs(own);
        break;
    }
}

static void
copy_parts(xmlNodePtr from, xmlNodePtr to)
{
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        xmlNodePtr part = xml_child(from, parts[i]);
        xmlNodePtr old = xml_child(to, parts[i]);
        xml_remove(old);
        if (part == NULL)
            continue;
        /* The place in the order of elements first, then the content. */
        xmlNodePtr place = xml_add(to, parts[i]);
        xmlNodePtr copy = xmlDocCopyNode(part, to->doc, 1);
        xmlReplaceNode(place, copy);
        xmlFreeNode(place);
        if (copy->ns && to->ns && xmlStrEqual(copy->ns->href, to->ns->href))
            copy->ns = to->ns;
        use_namespace(copy->children, to->ns);
        drop_declaration(copy, to->ns);
    }
}

static void
write_record(SettingsFile *file, xmlNodePtr node, const SnapshotRecord *record)
{
    xml_set_uuid(node, "uuid", record->id);
    xml_set(node, "name", record->name);
    if (read_time(node) != record->time) {
        g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(record->time);
        g_autofree char *time = g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ");
        xml_set(node, "timeStamp", time);
    }
    g_autofree char *state_file = settings_file_relative(file, record->state_file);
    xml_set(node, "stateFile", *state_file ? state_file : NULL);
    xml_set_text(node, "Description", record->description);
}

gboolean
snapshot_file_add(SettingsFile *file, const SnapshotRecord *record, GError **error)
{
    xmlNodePtr parent = *record->parent ? find(file, record->parent, error) : file->body;
    if (parent == NULL)
        return FALSE;
    if (depth_of(parent) >= SNAPSHOT_MAX_DEPTH) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "At most %d snapshots can follow each other. Delete one of this line, or "
                    "restore an earlier one first.",
                    SNAPSHOT_MAX_DEPTH);
        return FALSE;
    }
    xmlNodePtr node = parent == file->body
                          ? xml_add(parent, "Snapshot")
                          : xml_add(xml_make_path(parent, "Snapshots"), "Snapshot");
    write_record(file, node, record);
    copy_parts(file->body, node);
    return TRUE;
}

gboolean
snapshot_file_restore(SettingsFile *file, const char *id, GError **error)
{
    xmlNodePtr node = find(file, id, error);
    if (node == NULL)
        return FALSE;
    copy_parts(node, file->body);
    return TRUE;
}

gboolean
snapshot_file_remove(SettingsFile *file, const char *id, GError **error)
{
    xmlNodePtr node = find(file, id, error);
    if (node == NULL)
        return FALSE;
    xmlNodePtr child = first_child(node), next;
    if (node->parent == file->body && child && xml_next(child)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "The first snapshot can only be deleted when at most one snapshot follows it.");
        return FALSE;
    }
    for (; child; child = next) {
        next = xml_next(child);
        xmlUnlinkNode(child);
        xmlAddPrevSibling(node, child);
    }
    xmlNodePtr parent = node->parent;
    xml_remove(node);
    xml_prune(parent, file->body);
    return TRUE;
}

void
snapshot_file_edit(SettingsFile *file, const SnapshotRecord *record)
{
    xmlNodePtr node = find(file, record->id, NULL);
    if (node)
        write_record(file, node, record);
}

static void
replace_medium(xmlNodePtr node, const char *old_id, const char *new_id)
{
    for (; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        if (strcmp((const char *)node->name, "Image") == 0) {
            g_autofree char *id = xml_get_uuid(node, "uuid");
            if (g_strcmp0(id, old_id) == 0)
                xml_set_uuid(node, "uuid", new_id);
        }
        replace_medium(node->children, old_id, new_id);
    }
}

void
machine_file_replace_medium(SettingsFile *file, const char *old_id, const char *new_id)
{
    replace_medium(file->body->children, old_id, new_id);
}

void
snapshot_file_replace_medium(SettingsFile *file, const char *old_id, const char *new_id)
{
    xmlNodePtr snapshot = xml_child(file->body, "Snapshot");
    if (snapshot)
        replace_medium(snapshot->children, old_id, new_id);
}
