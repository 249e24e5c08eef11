/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The settings file of a clone: a copy of its model's, with identities of its own. */
#include <string.h>

#include "app/service/settings/snapshot-file.h"
#include "app/service/settings/xml.h"

SettingsFile *
machine_file_clone(SettingsFile *file, const char *path)
{
    SettingsFile *copy = g_new0(SettingsFile, 1);
    copy->path = g_canonicalize_filename(path, NULL);
    copy->kind = file->kind;
    copy->doc = xmlCopyDoc(file->doc, 1);
    copy->body = xml_child(xmlDocGetRootElement(copy->doc), "Machine");
    copy->version = g_strdup(file->version);
    copy->number = file->number;
    copy->read_only_reason = g_strdup("");
    xml_remove(xml_child(copy->body, "MediaRegistry"));
    xml_set(copy->body, "stateFile", NULL);
    xml_set(copy->body, "aborted", NULL);
    xml_set(copy->body, "snapshotFolder", NULL); /* it may be the model's */
    return copy;
}

void
machine_file_set_current(SettingsFile *file, const char *id)
{
    if (id)
        xml_set_uuid(file->body, "currentSnapshot", id);
    else
        xml_set(file->body, "currentSnapshot", NULL);
}

static xmlNodePtr
first_child(xmlNodePtr snapshot)
{
    return xml_path(snapshot, "Snapshots/Snapshot");
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

void
snapshot_file_keep(SettingsFile *file, const char *root)
{
    xmlNodePtr all = xml_child(file->body, "Snapshot");
    xmlNodePtr kept = root ? find_below(all, root) : NULL;
    if (all == NULL || kept == all)
        return;
    if (kept) {
        xmlUnlinkNode(kept);
        xmlAddPrevSibling(all, kept);
    }
    xml_remove(all);
}

static void
renew_below(xmlNodePtr node, GHashTable *ids)
{
    for (; node; node = xml_next(node)) {
        char *old = xml_get_uuid(node, "uuid");
        if (old) {
            char *own = g_uuid_string_random();
            xml_set_uuid(node, "uuid", own);
            g_hash_table_insert(ids, old, own);
        }
        renew_below(first_child(node), ids);
    }
}

GHashTable *
snapshot_file_renew_ids(SettingsFile *file)
{
    GHashTable *ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *current = xml_get_uuid(file->body, "currentSnapshot");
    renew_below(xml_child(file->body, "Snapshot"), ids);
    machine_file_set_current(file, current ? g_hash_table_lookup(ids, current) : NULL);
    return ids;
}

/* 08:00:27 and three bytes; the caller's. */
static char *
new_mac(void)
{
    return g_strdup_printf("080027%06X", (guint)g_random_int() & 0xffffff);
}

static void
renew_macs(xmlNodePtr node, MachineMacs policy, GHashTable *macs)
{
    for (; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        gboolean keeps = policy == MACHINE_MACS_KEEP_NAT && xml_child(node, "NAT");
        if (strcmp((const char *)node->name, "Adapter") == 0 && !keeps) {
            char *old = xml_get(node, "MACAddress");
            if (old && !g_hash_table_contains(macs, old))
                g_hash_table_insert(macs, g_strdup(old), new_mac());
            if (old)
                xml_set(node, "MACAddress", g_hash_table_lookup(macs, old));
            g_free(old);
        }
        renew_macs(node->children, policy, macs);
    }
}

void
machine_file_renew_macs(SettingsFile *file, MachineMacs policy)
{
    g_autoptr(GHashTable) macs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (policy != MACHINE_MACS_KEEP)
        renew_macs(file->body->children, policy, macs);
}
