/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The snapshots that a machine has, for clients; and editing them. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "app/api/state-tail.h"
#include "app/service/machine.h"
#include "app/service/medium.h"

void
machine_read_snapshots(Machine *machine)
{
    g_clear_pointer(&machine->snapshots, g_ptr_array_unref);
    g_clear_pointer(&machine->snapshot_media, g_hash_table_unref);
    machine->snapshots = snapshot_file_read(machine->file);
    machine->snapshot_media = snapshot_file_media(machine->file);
    machine->snapshots_generation++;
}

SnapshotRecord *
machine_find_snapshot(const Machine *machine, const char *id)
{
    for (guint i = 0; machine->snapshots && i < machine->snapshots->len; i++) {
        SnapshotRecord *record = machine->snapshots->pdata[i];
        if (g_ascii_strcasecmp(record->id, id) == 0)
            return record;
    }
    return NULL;
}

/* The same file has other names where folders are links. */
static gboolean
is_file(const char *named, const char *path, const GStatBuf *file)
{
    GStatBuf status;
    return g_str_equal(named, path) ||
           (file && *named && g_stat(named, &status) == 0 && status.st_dev == file->st_dev &&
            status.st_ino == file->st_ino);
}

gboolean
machine_names_state_file(const Machine *machine, const char *path)
{
    GStatBuf status;
    const GStatBuf *file = g_stat(path, &status) == 0 ? &status : NULL;
    if (machine->record && is_file(machine->record->state_file, path, file))
        return TRUE;
    for (guint i = 0; machine->snapshots && i < machine->snapshots->len; i++) {
        const SnapshotRecord *record = machine->snapshots->pdata[i];
        if (is_file(record->state_file, path, file))
            return TRUE;
    }
    return FALSE;
}

void
machine_publish_snapshots(Machine *machine)
{
    VitrineDBusMachine *skeleton = machine->skeleton;
    const char *current = machine->record ? machine->record->current_snapshot : "";
    const SnapshotRecord *record = *current ? machine_find_snapshot(machine, current) : NULL;
    vitrine_dbus_machine_set_current_snapshot(skeleton, record ? record->id : "");
    vitrine_dbus_machine_set_current_snapshot_name(skeleton, record ? record->name : "");
    vitrine_dbus_machine_set_snapshot_count(skeleton,
                                            machine->snapshots ? machine->snapshots->len : 0);
    vitrine_dbus_machine_set_current_state_modified(
        skeleton, record && machine->record->current_state_modified);
    vitrine_dbus_machine_set_snapshots_generation(skeleton, machine->snapshots_generation);
}

gboolean
machine_commit_snapshots(Machine *machine, GError **error)
{
    if (!machine_save(machine, error)) {
        machine_load(machine);
        return FALSE;
    }
    machine_read_snapshots(machine);
    machine_publish(machine);
    media_publish_all(machine->service);
    return TRUE;
}

static gboolean
on_get_snapshots(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, Machine *machine)
{
    GVariantBuilder builder;
    if (machine->record == NULL)
        return service_refuse(invocation, VITRINE_ERROR_STATE, "%s", machine->access_error);
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ssssxs)"));
    for (guint i = 0; i < machine->snapshots->len; i++) {
        const SnapshotRecord *record = machine->snapshots->pdata[i];
        g_variant_builder_add(&builder, "(ssssxs)", record->id, record->parent, record->name,
                              record->description, record->time, record->state_file);
    }
    vitrine_dbus_machine_complete_get_snapshots(skeleton, invocation,
                                                g_variant_builder_end(&builder));
    return TRUE;
}

static gboolean
on_get_snapshot_settings(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation,
                         const char *id, Machine *machine)
{
    GError *error = NULL;
    if (machine->record == NULL)
        return service_refuse(invocation, VITRINE_ERROR_STATE, "%s", machine->access_error);
    g_autofree char *lower = g_ascii_strdown(id, -1);
    g_autoptr(VitrineSettings) settings =
        snapshot_file_read_settings(machine->file, lower, machine->record->settings, &error);
    if (settings == NULL)
        return service_fail(invocation, error);
    vitrine_dbus_machine_complete_get_snapshot_settings(skeleton, invocation,
                                                        vitrine_settings_to_variant(settings));
    return TRUE;
}

/* No picture is no error: older states have none. */
static gboolean
on_get_picture(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *id,
               Machine *machine)
{
    if (machine->record == NULL)
        return service_refuse(invocation, VITRINE_ERROR_STATE, "%s", machine->access_error);
    const SnapshotRecord *record = *id ? machine_find_snapshot(machine, id) : NULL;
    if (*id && record == NULL)
        return service_refuse(invocation, VITRINE_ERROR_NOT_FOUND, "There is no snapshot {%s}.",
                              id);
    const char *path = record ? record->state_file : machine->record->state_file;
    int fd = *path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
    g_autoptr(GBytes) png = fd >= 0 ? state_tail_read(fd, STATE_TAIL_PICTURE) : NULL;
    if (fd >= 0)
        close(fd);
    if (png == NULL)
        png = g_bytes_new(NULL, 0);
    g_dbus_method_invocation_return_value(
        invocation,
        g_variant_new("(@ay)", g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, png, TRUE)));
    return TRUE;
}

static gboolean
on_edit(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *id,
        const char *name, const char *description, Machine *machine)
{
    GError *error = NULL;
    if (!machine_allow_change(machine, invocation))
        return TRUE;
    SnapshotRecord *record = machine_find_snapshot(machine, id);
    if (record == NULL)
        return service_refuse(invocation, VITRINE_ERROR_NOT_FOUND, "There is no snapshot {%s}.",
                              id);
    if (*name == '\0')
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "A snapshot needs a name.");
    service_set_text(&record->name, name);
    service_set_text(&record->description, description);
    snapshot_file_edit(machine->file, record);
    if (!machine_commit_snapshots(machine, &error))
        return service_fail(invocation, error);
    vitrine_dbus_machine_complete_edit_snapshot(skeleton, invocation);
    return TRUE;
}

void
machine_connect_snapshots(Machine *machine)
{
    static const struct {
        const char *signal;
        GCallback handler;
    } handlers[] = {
        {"handle-get-snapshots", G_CALLBACK(on_get_snapshots)},
        {"handle-get-snapshot-settings", G_CALLBACK(on_get_snapshot_settings)},
        {"handle-get-state-picture", G_CALLBACK(on_get_picture)},
        {"handle-edit-snapshot", G_CALLBACK(on_edit)},
    };
    for (guint i = 0; i < G_N_ELEMENTS(handlers); i++)
        g_signal_connect(machine->skeleton, handlers[i].signal, handlers[i].handler, machine);
    machine_connect_snapshot_take(machine);
    machine_connect_snapshot_restore(machine);
    machine_connect_snapshot_delete(machine);
    machine_connect_clone(machine);
    machine_connect_move(machine);
}
