/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The service's life: lock, socket, clients, registry file. */
#include "app/service/service.h"
#include "app/service/network.h"
#include "app/service/usb.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "app/service/journal.h"
#include "app/service/machine-state.h"
#include "app/service/medium.h"

#define LINGER_SECONDS 5

static void load_registry(Service *service);

gboolean
service_fail(GDBusMethodInvocation *invocation, GError *error)
{
    g_dbus_method_invocation_take_error(invocation, error);
    return TRUE;
}

gboolean
service_refuse(GDBusMethodInvocation *invocation, VitrineError code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_dbus_method_invocation_take_error(invocation,
                                        g_error_new_valist(VITRINE_ERROR, code, format, arguments));
    va_end(arguments);
    return TRUE;
}

Service *
service_new(const char *config_folder, GMainLoop *loop)
{
    Service *service = g_new0(Service, 1);
    service->config_folder = g_canonicalize_filename(config_folder, NULL);
    service->loop = loop;
    service->lock = -1;
    service->damage = g_strdup("");
    service->connections = g_ptr_array_new_with_free_func(g_object_unref);
    service->machines = g_ptr_array_new_with_free_func((GDestroyNotify)machine_free);
    service->media = g_ptr_array_new_with_free_func((GDestroyNotify)medium_free);
    service->media_by_id = g_hash_table_new(g_str_hash, g_str_equal);
    service->skeleton = vitrine_dbus_service_skeleton_new();
    service->devices = device_list_new();
    service->networks = networks_new(service);
    service->usb = usb_new(service);
    return service;
}

void
service_free(Service *service)
{
    if (service->server) {
        g_dbus_server_stop(service->server);
        g_object_unref(service->server);
        g_unlink(service->socket_path);
    }
    for (guint i = 0; i < service->connections->len; i++) {
        GDBusConnection *connection = service->connections->pdata[i];
        g_signal_handlers_disconnect_by_data(connection, service);
        g_dbus_connection_close_sync(connection, NULL, NULL);
    }
    g_clear_pointer(&service->usb, usb_free);
    g_ptr_array_unref(service->machines);
    g_ptr_array_unref(service->media);
    g_hash_table_unref(service->media_by_id);
    service_unexport(G_DBUS_INTERFACE_SKELETON(service->skeleton));
    g_object_unref(service->skeleton);
    device_list_free(service->devices);
    networks_free(service->networks);
    g_ptr_array_unref(service->connections);
    g_clear_pointer(&service->extra_data, g_hash_table_unref);
    settings_file_free(service->global);
    if (service->idle_source)
        g_source_remove(service->idle_source);
    if (service->lock >= 0)
        close(service->lock);
    g_free(service->socket_path);
    g_free(service->damage);
    g_free(service->config_folder);
    g_free(service);
}

static gboolean
work_needs_us(Service *service)
{
    if (service->task_count || networks_are_kept(service->networks))
        return TRUE;
    for (guint i = 0; i < service->machines->len; i++) {
        const Machine *machine = service->machines->pdata[i];
        if (machine->child || machine->orphan_source)
            return TRUE;
    }
    return FALSE;
}

static gboolean
on_idle(gpointer user_data)
{
    Service *service = user_data;
    service->idle_source = 0;
    if (service->connections->len == 0 && !work_needs_us(service))
        g_main_loop_quit(service->loop);
    return G_SOURCE_REMOVE;
}

void
service_check_idle(Service *service)
{
    if (service->idle_source)
        g_source_remove(service->idle_source);
    service->idle_source = 0;
    if (service->connections->len == 0 && !work_needs_us(service))
        service->idle_source = g_timeout_add_seconds(LINGER_SECONDS, on_idle, service);
}

void
service_export(Service *service, GDBusInterfaceSkeleton *skeleton, const char *path)
{
    for (guint i = 0; i < service->connections->len; i++)
        g_dbus_interface_skeleton_export(skeleton, service->connections->pdata[i], path, NULL);
}

void
service_unexport(GDBusInterfaceSkeleton *skeleton)
{
    if (g_dbus_interface_skeleton_get_connection(skeleton))
        g_dbus_interface_skeleton_unexport(skeleton);
}

static void
unexport_from(GDBusInterfaceSkeleton *skeleton, GDBusConnection *connection)
{
    if (g_dbus_interface_skeleton_has_connection(skeleton, connection))
        g_dbus_interface_skeleton_unexport_from_connection(skeleton, connection);
}

static void
on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer user_data)
{
    Service *service = user_data;
    g_autoptr(GDBusConnection) held = g_object_ref(connection);
    unexport_from(G_DBUS_INTERFACE_SKELETON(service->skeleton), connection);
    for (guint i = 0; i < service->machines->len; i++) {
        Machine *machine = service->machines->pdata[i];
        unexport_from(G_DBUS_INTERFACE_SKELETON(machine->skeleton), connection);
    }
    for (guint i = 0; i < service->media->len; i++) {
        Medium *medium = service->media->pdata[i];
        unexport_from(G_DBUS_INTERFACE_SKELETON(medium->skeleton), connection);
    }
    g_ptr_array_remove_fast(service->connections, connection);
    service_check_idle(service);
}

static gboolean
on_new_connection(GDBusServer *server, GDBusConnection *connection, gpointer user_data)
{
    Service *service = user_data;
    g_ptr_array_add(service->connections, g_object_ref(connection));
    g_signal_connect(connection, "closed", G_CALLBACK(on_closed), service);
    g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(service->skeleton), connection,
                                     VITRINE_SERVICE_PATH, NULL);
    for (guint i = 0; i < service->machines->len; i++) {
        Machine *machine = service->machines->pdata[i];
        g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(machine->skeleton), connection,
                                         machine->object_path, NULL);
    }
    for (guint i = 0; i < service->media->len; i++) {
        Medium *medium = service->media->pdata[i];
        g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(medium->skeleton), connection,
                                         medium->object_path, NULL);
    }
    service_check_idle(service);
    return TRUE;
}

gboolean
service_start(Service *service, GError **error)
{
    if (service->socket_path == NULL)
        service->socket_path = vitrine_transport_path(service->config_folder, "service", error);
    if (service->socket_path == NULL)
        return FALSE;
    g_autofree char *lock = g_strconcat(service->socket_path, ".lock", NULL);
    service->lock = vitrine_transport_lock(lock, error);
    if (service->lock < 0)
        return FALSE;
    service_log_open(service->config_folder); /* what is found and mended is told, too */
    load_registry(service);
    journals_recover(service);
    machines_find_leftovers(service);
    service_connect_calls(service);
    media_connect_calls(service);
    media_connect_create(service);
    usb_connect_calls(service);
    networks_connect_calls(service);
    service->server = vitrine_transport_listen(service->socket_path, error);
    if (service->server == NULL)
        return FALSE;
    g_signal_connect(service->server, "new-connection", G_CALLBACK(on_new_connection), service);
    service_check_idle(service);
    return TRUE;
}

const char *
service_read_only_reason(Service *service)
{
    const char *reason = NULL;
    if (*service->damage)
        reason = service->damage;
    else if (*settings_file_read_only_reason(service->global))
        reason = settings_file_read_only_reason(service->global);
    else if (original_service_runs(service->config_folder))
        reason = "VirtualBox's own service is running on this configuration folder. Close all its "
                 "programs to change anything here.";
    vitrine_dbus_service_set_read_only_reason(service->skeleton, reason ? reason : "");
    return reason;
}

gboolean
service_allow_change(Service *service, GDBusMethodInvocation *invocation)
{
    const char *reason = service_read_only_reason(service);
    if (reason)
        service_refuse(invocation, VITRINE_ERROR_READ_ONLY, "%s", reason);
    return reason == NULL;
}

gboolean
service_save(Service *service, GError **error)
{
    const char *reason = service_read_only_reason(service);
    if (reason) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_READ_ONLY, "%s", reason);
        return FALSE;
    }
    g_autoptr(GPtrArray) media = media_of_registry(service, NULL);
    settings_file_write_media(service->global, media);
    if (!settings_file_save(service->global, error))
        return FALSE;
    vitrine_dbus_service_set_system_properties(service->skeleton,
                                               global_file_read_properties(service->global));
    g_dbus_interface_skeleton_flush(G_DBUS_INTERFACE_SKELETON(service->skeleton));
    return TRUE;
}

char *
service_property(Service *service, const char *name)
{
    char *text = NULL;
    g_autoptr(GVariant) all = g_variant_ref_sink(global_file_read_properties(service->global));
    return g_variant_lookup(all, name, "s", &text) ? text : g_strdup("");
}

static SettingsFile *
open_global(Service *service)
{
    g_autofree char *path = g_build_filename(service->config_folder, "VirtualBox.xml", NULL);
    g_autoptr(GError) error = NULL;
    SettingsFile *file = settings_file_load(path, SETTINGS_GLOBAL, &error);
    if (file)
        return file;
    if (!g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND)) {
        g_free(service->damage);
        service->damage = g_strdup(error->message);
    }
    return settings_file_new(path, SETTINGS_GLOBAL);
}

/* What a save of a killed service left beside a settings file. */
static void
drop_temporary(const char *settings_file)
{
    g_autofree char *path = g_strconcat(settings_file, "-tmp", NULL);
    g_unlink(path);
}

static void
drop_temporaries(Service *service)
{
    if (service_read_only_reason(service))
        return;
    drop_temporary(settings_file_path(service->global));
    for (guint i = 0; i < service->machines->len; i++) {
        const Machine *machine = service->machines->pdata[i];
        drop_temporary(machine->settings_file);
    }
}

static void
load_registry(Service *service)
{
    service->global = open_global(service);
    service->extra_data = settings_file_read_extra_data(service->global);
    g_autoptr(GPtrArray) media = settings_file_read_media(service->global);
    media_take_registry(service, media, NULL);
    journals_find_machines(service);
    g_autoptr(GPtrArray) entries = global_file_read_machines(service->global);
    for (guint i = 0; i < entries->len; i++) {
        const MachineEntry *entry = entries->pdata[i];
        if (service_find_machine(service, entry->id) == NULL)
            g_ptr_array_add(service->machines, machine_new(service, entry->id, entry->src));
    }
    media_publish_all(service);
    vitrine_dbus_service_set_version(service->skeleton, VITRINE_VERSION);
    vitrine_dbus_service_set_config_folder(service->skeleton, service->config_folder);
    vitrine_dbus_service_set_system_properties(service->skeleton,
                                               global_file_read_properties(service->global));
    vitrine_dbus_service_set_damage(service->skeleton, service->damage);
    networks_publish(service);
    drop_temporaries(service);
}

Machine *
service_find_machine(Service *service, const char *id)
{
    for (guint i = 0; i < service->machines->len; i++) {
        Machine *machine = service->machines->pdata[i];
        if (g_ascii_strcasecmp(machine->id, id) == 0)
            return machine;
    }
    return NULL;
}

Medium *
service_find_medium(Service *service, const char *id)
{
    g_autofree char *lower = g_ascii_strdown(id, -1);
    return g_hash_table_lookup(service->media_by_id, lower);
}

Medium *
service_find_medium_at(Service *service, const char *location)
{
    for (guint i = 0; i < service->media->len; i++) {
        Medium *medium = service->media->pdata[i];
        if (g_str_equal(medium->record->location, location))
            return medium;
    }
    return NULL;
}

gboolean
service_lock_image(int fd, gboolean writing, const char *path, GError **error)
{
    struct flock lock = {.l_type = writing ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES))
        return TRUE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                "The medium \"%s\" is in use by another machine or program.", path);
    return FALSE;
}
