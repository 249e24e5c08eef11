/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A registered machine: its file and what clients see of it. */
#include "app/service/machine.h"

#include <glib/gstdio.h>
#include <string.h>

#include "app/service/machine-state.h"
#include "app/service/medium.h"
#include "app/service/usb.h"

Machine *
machine_new(Service *service, const char *id, const char *settings_file)
{
    Machine *machine = g_new0(Machine, 1);
    machine->service = service;
    machine->id = g_strdup(id);
    machine->settings_file = g_strdup(settings_file);
    machine->object_path = vitrine_object_path(VITRINE_MACHINE_PREFIX, id);
    machine->skeleton = vitrine_dbus_machine_skeleton_new();
    machine->access_error = g_strdup("");
    machine->session_type = g_strdup("");
    machine->launches = g_ptr_array_new();
    machine->child_errors = -1;
    g_queue_init(&machine->deferred);
    machine_connect_settings(machine);
    machine_connect_session(machine);
    machine_connect_launch(machine);
    machine_connect_media(machine);
    machine_connect_ejects(machine);
    machine_connect_merge(machine);
    machine_connect_ports(machine);
    machine_connect_snapshots(machine);
    machine_connect_state(machine);
    machine_connect_usb(machine);
    machine_load(machine);
    machine_session_restore(machine);
    service_export(service, G_DBUS_INTERFACE_SKELETON(machine->skeleton), machine->object_path);
    return machine;
}

void
machine_free(Machine *machine)
{
    machine_session_end(machine);
    service_unexport(G_DBUS_INTERFACE_SKELETON(machine->skeleton));
    g_object_unref(machine->skeleton);
    settings_file_free(machine->file);
    machine_record_free(machine->record);
    g_clear_pointer(&machine->snapshots, g_ptr_array_unref);
    g_clear_pointer(&machine->snapshot_media, g_hash_table_unref);
    g_free(machine->busy);
    g_free(machine->restore_when_off);
    g_clear_error(&machine->start_error);
    g_ptr_array_unref(machine->launches);
    g_free(machine->id);
    g_free(machine->settings_file);
    g_free(machine->object_path);
    g_free(machine->access_error);
    g_free(machine->session_type);
    g_free(machine);
}

static void
set_access_error(Machine *machine, const char *message)
{
    g_free(machine->access_error);
    machine->access_error = g_strdup(message);
}

static MachineRecord *
read_record(Machine *machine, SettingsFile *file, GError **error)
{
    g_autoptr(MachineRecord) record = machine_file_read(file, error);
    if (record == NULL)
        return NULL;
    if (g_ascii_strcasecmp(record->id, machine->id) != 0) {
        g_set_error(
            error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT,
            "The settings file \"%s\" belongs to the machine {%s}, but the registry expects "
            "{%s} there.",
            machine->settings_file, record->id, machine->id);
        return NULL;
    }
    return g_steal_pointer(&record);
}

/* Of the content, so that it is the same in a service that replaces a killed one. */
static guint
generation_of(Machine *machine)
{
    if (machine->record == NULL)
        return 0;
    g_autoptr(GVariant) all =
        g_variant_ref_sink(vitrine_settings_to_variant(machine->record->settings));
    g_autoptr(GBytes) bytes = g_variant_get_data_as_bytes(all);
    g_autofree char *hash = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
    hash[8] = '\0';
    return (guint)g_ascii_strtoull(hash, NULL, 16) | 1; /* 0 means any */
}

void
machine_load(Machine *machine)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SettingsFile) file =
        settings_file_load(machine->settings_file, SETTINGS_MACHINE, &error);
    g_autoptr(MachineRecord) record = file ? read_record(machine, file, &error) : NULL;
    set_access_error(machine, record ? "" : error->message);
    g_clear_pointer(&machine->file, settings_file_free);
    g_clear_pointer(&machine->record, machine_record_free);
    if (record) {
        machine->file = g_steal_pointer(&file);
        machine->record = g_steal_pointer(&record);
        machine_read_snapshots(machine);
        g_autoptr(GPtrArray) media = settings_file_read_media(machine->file);
        media_take_registry(machine->service, media, machine);
        if (!machine_is_online(machine)) {
            machine->state = machine_resting_state(
                machine, machine->record->aborted ? VITRINE_MACHINE_STATE_ABORTED
                                                  : VITRINE_MACHINE_STATE_POWERED_OFF);
            machine_find_ejected(machine);
        }
    }
    machine_publish(machine);
}

gboolean
machine_is_online(const Machine *machine)
{
    return vitrine_machine_state_is_online(machine->state);
}

const char *
machine_name(const Machine *machine)
{
    return machine->record ? vitrine_settings_get_string(machine->record->settings, "name") : "";
}

char *
machine_folder(const Machine *machine)
{
    return g_path_get_dirname(machine->settings_file);
}

char *
machine_log_folder(const Machine *machine)
{
    g_autofree char *folder = machine_folder(machine);
    return g_build_filename(folder, "Logs", NULL);
}

char *
machine_snapshot_folder(const Machine *machine)
{
    g_autofree char *folder = machine_folder(machine);
    const char *own =
        machine->record ? vitrine_settings_get_string(machine->record->settings, "snapshot-folder")
                        : "";
    return g_canonicalize_filename(*own ? own : "Snapshots", folder);
}

/* What an unreadable machine is called: its file's name. */
static char *
fallback_name(const Machine *machine)
{
    g_autofree char *base = g_path_get_basename(machine->settings_file);
    char *dot = strrchr(base, '.');
    if (dot && dot != base)
        *dot = '\0';
    return g_steal_pointer(&base);
}

static void
publish_settings(Machine *machine)
{
    VitrineDBusMachine *skeleton = machine->skeleton;
    VitrineSettings *settings = machine->record->settings;
    vitrine_dbus_machine_set_name(skeleton, machine_name(machine));
    vitrine_dbus_machine_set_os_type(skeleton, vitrine_settings_get_string(settings, "os-type"));
    vitrine_dbus_machine_set_description(skeleton,
                                         vitrine_settings_get_string(settings, "description"));
    vitrine_dbus_machine_set_groups(skeleton, vitrine_settings_get_groups(settings));
    vitrine_dbus_machine_set_last_state_change(skeleton, machine->record->last_state_change);
    vitrine_dbus_machine_set_read_only_reason(skeleton,
                                              settings_file_read_only_reason(machine->file));
}

static void
publish_unreadable(Machine *machine)
{
    static const char *const no_group[] = {"/", NULL};
    g_autofree char *name = fallback_name(machine);
    vitrine_dbus_machine_set_name(machine->skeleton, name);
    vitrine_dbus_machine_set_os_type(machine->skeleton, "");
    vitrine_dbus_machine_set_description(machine->skeleton, "");
    vitrine_dbus_machine_set_groups(machine->skeleton, no_group);
    vitrine_dbus_machine_set_read_only_reason(machine->skeleton, machine->access_error);
}

void
machine_publish(Machine *machine)
{
    VitrineDBusMachine *skeleton = machine->skeleton;
    g_autofree char *logs = machine_log_folder(machine);
    g_autofree char *snapshots = machine_snapshot_folder(machine);
    machine->generation = generation_of(machine);
    if (machine->record)
        publish_settings(machine);
    else
        publish_unreadable(machine);
    vitrine_dbus_machine_set_id(skeleton, machine->id);
    vitrine_dbus_machine_set_state(skeleton,
                                   vitrine_nick(VITRINE_TYPE_MACHINE_STATE, machine->state));
    vitrine_dbus_machine_set_accessible(skeleton, machine->record != NULL);
    vitrine_dbus_machine_set_access_error(skeleton, machine->access_error);
    vitrine_dbus_machine_set_settings_file(skeleton, machine->settings_file);
    vitrine_dbus_machine_set_log_folder(skeleton, logs);
    vitrine_dbus_machine_set_snapshot_folder(skeleton, snapshots);
    vitrine_dbus_machine_set_settings_generation(skeleton, machine->generation);
    vitrine_dbus_machine_set_session_type(skeleton, machine->session_type);
    vitrine_dbus_machine_set_session_pid(skeleton, machine->vm_pid);
    vitrine_dbus_machine_set_busy(skeleton, machine->busy ? machine->busy : "");
    machine_publish_snapshots(machine);
    if (vitrine_dbus_machine_get_console_address(skeleton) == NULL)
        vitrine_dbus_machine_set_console_address(skeleton, "");
    if (vitrine_dbus_machine_get_restore_progress(skeleton) == NULL)
        vitrine_dbus_machine_set_restore_progress(skeleton, "");
    g_dbus_interface_skeleton_flush(G_DBUS_INTERFACE_SKELETON(skeleton));
}

void
machine_set_state(Machine *machine, VitrineMachineState state)
{
    gboolean was_aborted = machine->record && machine->record->aborted;
    if (machine->state == state)
        return;
    gboolean rests = !vitrine_machine_state_is_online(state);
    machine->state = state;
    if (machine->record) {
        g_autoptr(GError) error = NULL;
        machine->record->last_state_change = g_get_real_time() / G_USEC_PER_SEC;
        if (state == VITRINE_MACHINE_STATE_RUNNING || state == VITRINE_MACHINE_STATE_ABORTED)
            machine_set_modified(machine); /* it ran */
        machine->record->aborted =
            state == VITRINE_MACHINE_STATE_ABORTED || state == VITRINE_MACHINE_STATE_ABORTED_SAVED;
        if ((rests || was_aborted != machine->record->aborted) && !machine_save(machine, &error))
            g_warning("The state of \"%s\" was not saved: %s", machine_name(machine),
                      error->message);
    }
    machine_publish(machine);
    media_publish_all(machine->service);
}

gboolean
machine_save(Machine *machine, GError **error)
{
    const char *reason = service_read_only_reason(machine->service);
    if (machine->record == NULL || reason) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_READ_ONLY, "%s",
                    reason ? reason : machine->access_error);
        return FALSE;
    }
    g_autoptr(GPtrArray) media = media_of_registry(machine->service, machine);
    machine_file_write(machine->file, machine->record);
    settings_file_write_media(machine->file, media);
    return settings_file_save(machine->file, error);
}

gboolean
machine_allow_change(Machine *machine, GDBusMethodInvocation *invocation)
{
    if (machine->record == NULL) {
        service_refuse(invocation, VITRINE_ERROR_STATE, "%s", machine->access_error);
        return FALSE;
    }
    if (machine->busy) {
        GError *error = NULL;
        machine_set_busy_error(machine, &error);
        return !service_fail(invocation, error);
    }
    const char *reason = settings_file_read_only_reason(machine->file);
    if (*reason) {
        service_refuse(invocation, VITRINE_ERROR_READ_ONLY, "%s", reason);
        return FALSE;
    }
    return service_allow_change(machine->service, invocation);
}

void
machine_set_busy_error(const Machine *machine, GError **error)
{
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY, "The machine \"%s\" is busy: %s.",
                machine_name(machine), machine->busy);
}

void
machine_set_modified(Machine *machine)
{
    if (machine->record && *machine->record->current_snapshot)
        machine->record->current_state_modified = TRUE;
}

gboolean
machine_has_attached(const Machine *machine, const char *medium)
{
    if (machine->record == NULL)
        return FALSE;
    GPtrArray *attachments = vitrine_settings_get_attachments(machine->record->settings);
    for (guint i = 0; i < attachments->len; i++) {
        const VitrineAttachment *attachment = attachments->pdata[i];
        if (g_ascii_strcasecmp(attachment->medium, medium) == 0)
            return TRUE;
    }
    return FALSE;
}

gboolean
machine_uses_medium(const Machine *machine, const char *medium)
{
    return machine->record && (g_hash_table_contains(machine->snapshot_media, medium) ||
                               machine_has_attached(machine, medium));
}

/* Files in a folder that have this beginning, then the folder if it is empty. */
static void
delete_matching(const char *folder, const char *prefix, const char *suffix)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_str_has_prefix(name, prefix) && g_str_has_suffix(name, suffix))
            g_unlink(path);
    }
}

/* "<name>-1.15-linux.vbox" and so on: the file as it was before an upgrade. */
static void
delete_old_versions(const char *settings_file)
{
    g_autofree char *folder = g_path_get_dirname(settings_file);
    g_autofree char *name = g_path_get_basename(settings_file);
    char *dot = strrchr(name, '.');
    if (dot == NULL)
        return;
    g_autofree char *suffix = g_strdup(dot);
    *dot = '\0';
    g_autofree char *prefix = g_strconcat(name, "-1.", NULL);
    delete_matching(folder, prefix, suffix);
}

void
machine_delete_files(Machine *machine)
{
    g_autofree char *folder = machine_folder(machine);
    g_autofree char *logs = machine_log_folder(machine);
    g_autofree char *snapshots = machine_snapshot_folder(machine);
    static const char *const endings[] = {"", "-prev", "-tmp"};
    delete_matching(logs, "VBox", "");
    g_rmdir(logs);
    delete_old_versions(machine->settings_file);
    for (guint i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *path = g_strconcat(machine->settings_file, endings[i], NULL);
        g_unlink(path);
    }
    machine_delete_states(machine);
    g_rmdir(snapshots);
    g_rmdir(folder);
}
