/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Answers to org.vitrine.Service that are not about media: the lists, properties, extra data, and
 * making, adding and removing machines. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "app/service/host-drives.h"
#include "app/service/machine-state.h"
#include "app/service/medium.h"
#include "app/service/settings/file-error.h"

static GVariant *
properties_of(gpointer skeleton)
{
    return g_dbus_interface_skeleton_get_properties(G_DBUS_INTERFACE_SKELETON(skeleton));
}

static GVariant *
extra_table(Service *service)
{
    GVariantBuilder builder;
    GHashTableIter iter;
    gpointer key, value;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{ss}"));
    g_hash_table_iter_init(&iter, service->extra_data);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_variant_builder_add(&builder, "{ss}", key, value);
    return g_variant_builder_end(&builder);
}

static gboolean
on_get_objects(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation, Service *service)
{
    GVariantBuilder machines, media;
    service_read_only_reason(service);
    g_variant_builder_init(&machines, G_VARIANT_TYPE("a(sa{sv})"));
    g_variant_builder_init(&media, G_VARIANT_TYPE("a(sa{sv})"));
    for (guint i = 0; i < service->machines->len; i++) {
        Machine *machine = service->machines->pdata[i];
        g_variant_builder_add(&machines, "(s@a{sv})", machine->id,
                              properties_of(machine->skeleton));
    }
    for (guint i = 0; i < service->media->len; i++) {
        Medium *medium = service->media->pdata[i];
        g_variant_builder_add(&media, "(s@a{sv})", medium->record->id,
                              properties_of(medium->skeleton));
    }
    vitrine_dbus_service_complete_get_objects(
        skeleton, invocation, properties_of(service->skeleton), extra_table(service),
        g_variant_builder_end(&machines), g_variant_builder_end(&media));
    return TRUE;
}

static gboolean
on_set_system_property(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation,
                       const char *name, GVariant *boxed, Service *service)
{
    GError *error = NULL;
    g_autoptr(GVariant) value = g_variant_get_variant(boxed);
    if (!service_allow_change(service, invocation))
        return TRUE;
    if (!global_file_set_property(service->global, name, value, &error) ||
        !service_save(service, &error))
        return service_fail(invocation, error);
    vitrine_dbus_service_complete_set_system_property(skeleton, invocation);
    return TRUE;
}

static gboolean
on_set_extra_data(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation, const char *key,
                  const char *value, Service *service)
{
    GError *error = NULL;
    if (!service_allow_change(service, invocation))
        return TRUE;
    if (*key == '\0')
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "Extra data needs a key.");
    settings_file_set_extra_data(service->global, key, value);
    if (!service_save(service, &error))
        return service_fail(invocation, error);
    g_clear_pointer(&service->extra_data, g_hash_table_unref);
    service->extra_data = settings_file_read_extra_data(service->global);
    vitrine_dbus_service_emit_extra_data_changed(skeleton, "", key, value);
    vitrine_dbus_service_complete_set_extra_data(skeleton, invocation);
    return TRUE;
}

/* What CreateMachine may be told. */
typedef struct {
    const char *os_type, *folder, *id;
    const char **groups;
    gboolean add, defaults;
} CreateOptions;

static CreateOptions
parse_options(GVariant *options)
{
    CreateOptions parsed = {"Other", "", "", NULL, TRUE, FALSE};
    g_variant_lookup(options, "os-type", "&s", &parsed.os_type);
    g_variant_lookup(options, "folder", "&s", &parsed.folder);
    g_variant_lookup(options, "id", "&s", &parsed.id);
    g_variant_lookup(options, "groups", "^a&s", &parsed.groups);
    g_variant_lookup(options, "register", "b", &parsed.add);
    g_variant_lookup(options, "defaults", "b", &parsed.defaults);
    return parsed;
}

static VitrineSettings *
new_settings(const char *name, const CreateOptions *options, GError **error)
{
    g_autoptr(VitrineSettings) settings = vitrine_settings_new();
    const VitrineOsType *type = vitrine_os_type_find(options->os_type);
    if (type == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                    "There is no guest OS type \"%s\".", options->os_type);
        return NULL;
    }
    vitrine_settings_set_string(settings, "name", name);
    vitrine_settings_set_string(settings, "os-type", type->id);
    vitrine_settings_set_groups(settings, options->groups);
    if (options->defaults)
        vitrine_os_type_apply(type, settings);
    g_autoptr(GPtrArray) problems = vitrine_settings_check(settings);
    for (guint i = 0; i < problems->len; i++) {
        const VitrineProblem *problem = problems->pdata[i];
        if (problem->fatal) {
            g_set_error(error, VITRINE_ERROR, problem->code, "%s", problem->message);
            return NULL;
        }
    }
    return g_steal_pointer(&settings);
}

char *
service_new_settings_path(Service *service, VitrineSettings *settings, const char *base)
{
    const char *name = vitrine_settings_get_string(settings, "name");
    g_autofree char *standard = service_property(service, "machine-folder");
    g_autofree char *file = g_strconcat(name, ".vbox", NULL);
    return g_build_filename(*base ? base : standard, vitrine_settings_get_groups(settings)[0], name,
                            file, NULL);
}

gboolean
service_check_unused(Service *service, const char *name, const char *id, const char *path,
                     GError **error)
{
    for (guint i = 0; i < service->machines->len; i++) {
        Machine *machine = service->machines->pdata[i];
        if (!g_str_equal(machine_name(machine), name) && !g_str_equal(machine->id, id))
            continue;
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_EXISTS,
                    "There is already a machine called \"%s\".", machine_name(machine));
        return FALSE;
    }
    if (path && g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_EXISTS,
                    "The settings file \"%s\" exists already: add that machine, or choose another "
                    "name.",
                    path);
        return FALSE;
    }
    return TRUE;
}

static gboolean
write_new_machine(const char *id, const char *path, VitrineSettings *settings, GError **error)
{
    g_autoptr(SettingsFile) file = settings_file_new(path, SETTINGS_MACHINE);
    g_autoptr(MachineRecord) record = machine_record_new();
    g_free(record->id);
    record->id = g_strdup(id);
    g_set_object(&record->settings, settings);
    record->last_state_change = g_get_real_time() / G_USEC_PER_SEC;
    machine_file_write(file, record);
    return settings_file_save(file, error);
}

/* Nothing stays of a machine that could not be made whole. */
static void
take_back_new_machine(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_unlink(path);
    g_rmdir(folder);
}

Machine *
service_add_machine(Service *service, const char *id, const char *path, GError **error)
{
    global_file_add_machine(service->global, id, path);
    if (!service_save(service, error)) {
        global_file_remove_machine(service->global, id);
        return NULL;
    }
    Machine *machine = machine_new(service, id, path);
    g_ptr_array_add(service->machines, machine);
    machine_find_leftovers(machine);
    media_publish_all(service);
    g_autoptr(GVariant) properties = g_variant_ref_sink(properties_of(machine->skeleton));
    vitrine_dbus_service_emit_machine_added(service->skeleton, id, properties);
    return machine;
}

static gboolean
on_create_machine(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation, const char *name,
                  GVariant *dictionary, Service *service)
{
    GError *error = NULL;
    CreateOptions options = parse_options(dictionary);
    g_autofree const char **groups = options.groups;
    if (!service_allow_change(service, invocation))
        return TRUE;
    if (*options.id && !g_uuid_string_is_valid(options.id))
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "\"%s\" is no UUID.", options.id);
    if (*options.folder && !g_path_is_absolute(options.folder))
        return service_refuse(invocation, VITRINE_ERROR_INVALID,
                              "The folder \"%s\" is not a whole path.", options.folder);
    g_autofree char *id = *options.id ? g_ascii_strdown(options.id, -1) : g_uuid_string_random();
    g_autoptr(VitrineSettings) settings = new_settings(name, &options, &error);
    if (settings == NULL)
        return service_fail(invocation, error);
    g_autofree char *path = service_new_settings_path(service, settings, options.folder);
    if (!service_check_unused(service, name, id, path, &error))
        return service_fail(invocation, error);
    if (!write_new_machine(id, path, settings, &error) ||
        (options.add && service_add_machine(service, id, path, &error) == NULL)) {
        take_back_new_machine(path);
        return service_fail(invocation, error);
    }
    vitrine_dbus_service_complete_create_machine(skeleton, invocation, id, path);
    return TRUE;
}

static gboolean
on_register_machine(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation,
                    const char *path, Service *service)
{
    GError *error = NULL;
    if (!service_allow_change(service, invocation))
        return TRUE;
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, &error);
    g_autoptr(MachineRecord) record = file ? machine_file_read(file, &error) : NULL;
    if (record == NULL)
        return service_fail(invocation, error);
    const char *name = vitrine_settings_get_string(record->settings, "name");
    if (!service_check_unused(service, name, record->id, NULL, &error) ||
        service_add_machine(service, record->id, settings_file_path(file), &error) == NULL)
        return service_fail(invocation, error);
    vitrine_dbus_service_complete_register_machine(skeleton, invocation, record->id);
    return TRUE;
}

/* Disks of a machine that go with it: what another machine has, and all that it stands on, stay. */
static GPtrArray *
disks_of(Machine *machine)
{
    g_autoptr(GHashTable) kept = g_hash_table_new(NULL, NULL);
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *media = machine->service->media;
    for (guint i = 0; i < media->len; i++) {
        Medium *medium = media->pdata[i];
        gboolean own = medium->registries->len == 1 && medium->registries->pdata[0] == machine;
        if (own && medium_user(medium, machine) == NULL)
            continue;
        for (; medium && g_hash_table_add(kept, medium); medium = medium_parent(medium))
            continue;
    }
    for (guint i = 0; i < media->len; i++) {
        Medium *medium = media->pdata[i];
        if (medium->record->kind == VITRINE_MEDIUM_KIND_HARD_DISK &&
            !g_hash_table_contains(kept, medium)) {
            g_autoptr(GPtrArray) parts = medium_parts_at(medium->record->location);
            g_ptr_array_add(paths, g_strdup(medium->record->location));
            for (guint k = 0; k < parts->len; k++)
                g_ptr_array_add(paths, g_strdup(parts->pdata[k]));
        }
    }
    return paths;
}

/* Nobody names these files any more, so what cannot be deleted is told. */
static void
delete_disks(GPtrArray *paths, GError **error)
{
    for (guint i = 0; i < paths->len; i++) {
        if (g_unlink(paths->pdata[i]) < 0 && errno != ENOENT && *error == NULL)
            file_error_set(error, errno,
                           "The machine is removed, but its disk \"%s\" cannot be deleted",
                           (const char *)paths->pdata[i]);
    }
}

static void
unregister(Machine *machine, GDBusMethodInvocation *call)
{
    Service *service = machine->service;
    GError *error = NULL;
    gboolean delete_files = FALSE;
    if (machine_defer(machine, unregister, call))
        return;
    if (machine->busy) {
        machine_set_busy_error(machine, &error);
        service_fail(call, error);
        return;
    }
    if (machine_is_online(machine) || machine->child) {
        service_refuse(call, VITRINE_ERROR_STATE,
                       "The machine \"%s\" is running: power it off first.", machine_name(machine));
        return;
    }
    g_variant_get_child(g_dbus_method_invocation_get_parameters(call), 1, "b", &delete_files);
    g_autofree char *own_id = g_strdup(machine->id);
    g_autoptr(GPtrArray) disks = disks_of(machine);
    global_file_remove_machine(service->global, own_id);
    if (!service_save(service, &error)) {
        global_file_add_machine(service->global, own_id, machine->settings_file);
        service_fail(call, error);
        return;
    }
    if (delete_files)
        delete_disks(disks, &error);
    if (delete_files)
        machine_delete_files(machine);
    media_forget_machine(service, machine);
    g_ptr_array_remove(service->machines, machine);
    media_publish_all(service);
    vitrine_dbus_service_emit_machine_removed(service->skeleton, own_id);
    if (error)
        service_fail(call, error);
    else
        vitrine_dbus_service_complete_unregister_machine(service->skeleton, call);
}

static gboolean
on_unregister_machine(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation,
                      const char *id, gboolean delete_files, Service *service)
{
    Machine *machine = service_find_machine(service, id);
    if (!service_allow_change(service, invocation))
        return TRUE;
    if (machine == NULL)
        return service_refuse(invocation, VITRINE_ERROR_NOT_FOUND, "There is no machine {%s}.", id);
    unregister(machine, invocation);
    return TRUE;
}

static gboolean
on_get_devices(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation, Service *service)
{
    device_list_answer(service->devices, invocation);
    return TRUE;
}

static gboolean
on_get_host_drives(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation,
                   Service *service)
{
    g_autoptr(GPtrArray) drives = host_drives_list();
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("a(ssss)"));
    for (guint i = 0; i < drives->len; i++) {
        const VitrineHostDrive *drive = drives->pdata[i];

        g_variant_builder_add(&list, "(ssss)",
                              vitrine_nick(VITRINE_TYPE_MEDIUM_KIND, (int)drive->kind), drive->path,
                              drive->vendor, drive->model);
    }
    vitrine_dbus_service_complete_get_host_drives(skeleton, invocation,
                                                  g_variant_builder_end(&list));
    return TRUE;
}

void
service_connect_calls(Service *service)
{
    static const struct {
        const char *signal;
        GCallback handler;
    } handlers[] = {
        {"handle-get-devices", G_CALLBACK(on_get_devices)},
        {"handle-get-host-drives", G_CALLBACK(on_get_host_drives)},
        {"handle-get-objects", G_CALLBACK(on_get_objects)},
        {"handle-set-system-property", G_CALLBACK(on_set_system_property)},
        {"handle-set-extra-data", G_CALLBACK(on_set_extra_data)},
        {"handle-create-machine", G_CALLBACK(on_create_machine)},
        {"handle-register-machine", G_CALLBACK(on_register_machine)},
        {"handle-unregister-machine", G_CALLBACK(on_unregister_machine)},
    };
    for (guint i = 0; i < G_N_ELEMENTS(handlers); i++)
        g_signal_connect(service->skeleton, handlers[i].signal, handlers[i].handler, service);
}
