/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Media: the union of what all settings files list, and what a worker says of each file. */
#include "app/service/medium.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "app/service/machine.h"

static void medium_connect(Medium *medium);

Medium *
medium_add(Service *service, MediumRecord *record)
{
    Medium *medium = g_new0(Medium, 1);
    medium->service = service;
    medium->record = record;
    medium->object_path = vitrine_object_path(VITRINE_MEDIUM_PREFIX, record->id);
    medium->skeleton = vitrine_dbus_medium_skeleton_new();
    medium->registries = g_ptr_array_new();
    vitrine_dbus_medium_set_id(medium->skeleton, record->id);
    vitrine_dbus_medium_set_variant(medium->skeleton, "");
    vitrine_dbus_medium_set_access_error(medium->skeleton, "");
    medium_connect(medium);
    g_ptr_array_add(service->media, medium);
    g_hash_table_insert(service->media_by_id, record->id, medium);
    medium_publish(medium);
    service_export(service, G_DBUS_INTERFACE_SKELETON(medium->skeleton), medium->object_path);
    g_autoptr(GVariant) properties = g_variant_ref_sink(
        g_dbus_interface_skeleton_get_properties(G_DBUS_INTERFACE_SKELETON(medium->skeleton)));
    vitrine_dbus_service_emit_medium_added(service->skeleton, record->id, properties);
    return medium;
}

void
medium_free(Medium *medium)
{
    service_unexport(G_DBUS_INTERFACE_SKELETON(medium->skeleton));
    g_signal_handlers_disconnect_by_data(medium->skeleton, medium);
    g_object_unref(medium->skeleton);
    g_ptr_array_unref(medium->registries);
    medium_record_free(medium->record);
    g_free(medium->object_path);
    g_free(medium);
}

void
medium_remove(Medium *medium)
{
    Service *service = medium->service;
    Medium *parent = medium_parent(medium);
    vitrine_dbus_service_emit_medium_removed(service->skeleton, medium->record->id);
    g_hash_table_remove(service->media_by_id, medium->record->id);
    g_ptr_array_remove(service->media, medium);
    if (parent && parent != medium)
        medium_publish(parent); /* it has a child less */
}

Machine *
medium_running_user(Medium *medium, const Machine *but)
{
    for (guint i = 0; i < medium->service->machines->len; i++) {
        Machine *machine = medium->service->machines->pdata[i];
        if (machine != but && machine_is_online(machine) &&
            machine_has_attached(machine, medium->record->id))
            return machine;
    }
    return NULL;
}

Machine *
medium_user(Medium *medium, const Machine *but)
{
    for (guint i = 0; i < medium->service->machines->len; i++) {
        Machine *machine = medium->service->machines->pdata[i];
        if (machine != but && machine_uses_medium(machine, medium->record->id))
            return machine;
    }
    return NULL;
}

Medium *
medium_parent(const Medium *medium)
{
    const char *parent = medium->record->parent;
    return *parent ? service_find_medium(medium->service, parent) : NULL;
}

Medium *
medium_base(Medium *medium)
{
    guint steps = medium->service->media->len; /* a ring in damaged files ends too */
    for (Medium *below; steps && (below = medium_parent(medium)); steps--)
        medium = below;
    return medium;
}

GPtrArray *
medium_children(const Medium *medium)
{
    GPtrArray *children = g_ptr_array_new();
    for (guint i = 0; i < medium->service->media->len; i++) {
        Medium *other = medium->service->media->pdata[i];
        if (g_str_equal(other->record->parent, medium->record->id))
            g_ptr_array_add(children, other);
    }
    return children;
}

VitrineMediumType
medium_type(Medium *medium)
{
    return medium_base(medium)->record->type;
}

gboolean
medium_save(Medium *medium, GError **error)
{
    for (guint i = 0; i < medium->registries->len; i++) {
        if (!machine_save(medium->registries->pdata[i], error))
            return FALSE;
    }
    return !medium->in_global || service_save(medium->service, error);
}

gboolean
medium_register_new(Medium *medium, GError **error)
{
    const Medium *parent = medium_parent(medium);
    for (guint i = 0; parent && i < parent->registries->len; i++)
        g_ptr_array_add(medium->registries, parent->registries->pdata[i]);
    medium->in_global = parent ? parent->in_global : TRUE;
    if (medium_save(medium, error)) {
        media_publish_all(medium->service);
        return TRUE;
    }
    medium_remove(medium);
    return FALSE;
}

MediumRecord *
medium_new_child_record(Medium *parent, const char *folder)
{
    static const struct {
        const char *format, *extension;
    } formats[] = {{"VDI", ".vdi"}, {"VHD", ".vhd"}, {"VMDK", ".vmdk"}};
    guint at = 0; /* what cannot have children gets one of the standard format */
    MediumRecord *record = medium_record_new();
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (g_ascii_strcasecmp(parent->record->format, formats[i].format) == 0)
            at = i;
    }
    g_free(record->id);
    record->id = g_uuid_string_random();
    g_free(record->parent);
    record->parent = g_strdup(parent->record->id);
    g_free(record->format);
    record->format = g_strdup(formats[at].format);
    g_autofree char *name = g_strdup_printf("{%s}%s", record->id, formats[at].extension);
    g_free(record->location);
    record->location = g_build_filename(folder, name, NULL);
    record->kind = VITRINE_MEDIUM_KIND_HARD_DISK;
    return record;
}

static void
publish_snapshot_users(Medium *medium)
{
    g_autoptr(GPtrArray) users = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < medium->service->machines->len; i++) {
        const Machine *machine = medium->service->machines->pdata[i];
        const GPtrArray *snapshots =
            machine->snapshot_media
                ? g_hash_table_lookup(machine->snapshot_media, medium->record->id)
                : NULL;
        for (guint k = 0; snapshots && k < snapshots->len; k++)
            g_ptr_array_add(
                users, g_strdup_printf("%s/%s", machine->id, (const char *)snapshots->pdata[k]));
    }
    g_ptr_array_add(users, NULL);
    vitrine_dbus_medium_set_snapshots(medium->skeleton, (const char *const *)users->pdata);
}

static void
publish_properties(Medium *medium)
{
    g_autoptr(GVariantBuilder) builder = g_variant_builder_new(G_VARIANT_TYPE("a{ss}"));
    GHashTableIter iter;
    gpointer name, value;
    g_hash_table_iter_init(&iter, medium->record->properties);
    while (g_hash_table_iter_next(&iter, &name, &value))
        g_variant_builder_add(builder, "{ss}", name, value);
    vitrine_dbus_medium_set_properties(medium->skeleton, g_variant_builder_end(builder));
}

static void
publish_users(Medium *medium)
{
    g_autoptr(GPtrArray) machines = g_ptr_array_new();
    g_autoptr(GPtrArray) children = g_ptr_array_new();
    for (guint i = 0; i < medium->service->machines->len; i++) {
        Machine *machine = medium->service->machines->pdata[i];
        if (machine_uses_medium(machine, medium->record->id))
            g_ptr_array_add(machines, machine->id);
    }
    for (guint i = 0; i < medium->service->media->len; i++) {
        const Medium *other = medium->service->media->pdata[i];
        if (g_str_equal(other->record->parent, medium->record->id))
            g_ptr_array_add(children, other->record->id);
    }
    g_ptr_array_add(machines, NULL);
    g_ptr_array_add(children, NULL);
    vitrine_dbus_medium_set_machines(medium->skeleton, (const char *const *)machines->pdata);
    vitrine_dbus_medium_set_children(medium->skeleton, (const char *const *)children->pdata);
}

static const char *
state_word(Medium *medium)
{
    const char *error = vitrine_dbus_medium_get_access_error(medium->skeleton);
    VitrineMediumState state = VITRINE_MEDIUM_STATE_UNKNOWN;
    if (medium_running_user(medium, NULL))
        state = medium->record->kind == VITRINE_MEDIUM_KIND_DVD ? VITRINE_MEDIUM_STATE_LOCKED_READ
                                                                : VITRINE_MEDIUM_STATE_LOCKED_WRITE;
    else if (error && *error)
        state = VITRINE_MEDIUM_STATE_INACCESSIBLE;
    else if (vitrine_dbus_medium_get_logical_size(medium->skeleton))
        state = VITRINE_MEDIUM_STATE_CREATED;
    return vitrine_nick(VITRINE_TYPE_MEDIUM_STATE, state);
}

void
medium_publish(Medium *medium)
{
    const MediumRecord *record = medium->record;
    VitrineDBusMedium *skeleton = medium->skeleton;
    vitrine_dbus_medium_set_kind(skeleton, vitrine_nick(VITRINE_TYPE_MEDIUM_KIND, record->kind));
    vitrine_dbus_medium_set_location(skeleton, record->location);
    vitrine_dbus_medium_set_format(skeleton, record->format);
    vitrine_dbus_medium_set_medium_type(skeleton,
                                        vitrine_nick(VITRINE_TYPE_MEDIUM_TYPE, record->type));
    vitrine_dbus_medium_set_description(skeleton, record->description);
    vitrine_dbus_medium_set_parent_id(skeleton, record->parent);
    vitrine_dbus_medium_set_auto_reset(skeleton, record->auto_reset);
    publish_users(medium);
    publish_snapshot_users(medium);
    publish_properties(medium);
    vitrine_dbus_medium_set_state(skeleton, state_word(medium));
    g_dbus_interface_skeleton_flush(G_DBUS_INTERFACE_SKELETON(skeleton));
}

void
media_publish_all(Service *service)
{
    for (guint i = 0; i < service->media->len; i++)
        medium_publish(service->media->pdata[i]);
}

void
media_take_registry(Service *service, GPtrArray *records, Machine *machine)
{
    for (guint i = 0; i < records->len; i++) {
        const MediumRecord *record = records->pdata[i];
        Medium *medium = service_find_medium(service, record->id);
        if (medium == NULL)
            medium = medium_add(service, medium_record_copy(record));
        if (machine == NULL)
            medium->in_global = TRUE;
        else if (!g_ptr_array_find(medium->registries, machine, NULL))
            g_ptr_array_add(medium->registries, machine);
    }
}

GPtrArray *
media_of_registry(Service *service, Machine *machine)
{
    GPtrArray *records = g_ptr_array_new();
    for (guint i = 0; i < service->media->len; i++) {
        Medium *medium = service->media->pdata[i];
        gboolean listed =
            machine ? g_ptr_array_find(medium->registries, machine, NULL) : medium->in_global;
        if (listed && !medium->dropped)
            g_ptr_array_add(records, medium->record);
    }
    return records;
}

void
medium_adopt(Medium *medium, Machine *machine)
{
    gboolean old = machine->file && settings_file_is_before_registries(machine->file);
    for (; medium; medium = medium_parent(medium)) {
        if (old) { /* a file of that age lists its media in the global registry */
            medium->in_global = TRUE;
            continue;
        }
        if (!g_ptr_array_find(medium->registries, machine, NULL))
            g_ptr_array_add(medium->registries, machine);
        medium->in_global = FALSE;
    }
}

void
media_forget_machine(Service *service, Machine *machine)
{
    for (guint i = service->media->len; i > 0; i--) {
        Medium *medium = service->media->pdata[i - 1];
        g_ptr_array_remove(medium->registries, machine);
        if (medium->registries->len == 0 && !medium->in_global)
            medium_remove(medium);
    }
}

/* A question to the worker about one medium. */
typedef struct {
    Service *service;
    char *id;
    guint number;
    void (*done)(gpointer user_data);
    gpointer user_data;
} Refresh;

static guint64
number_of(GHashTable *answers, const char *key)
{
    const char *text = g_hash_table_lookup(answers, key);
    return text ? g_ascii_strtoull(text, NULL, 10) : 0;
}

/* Why an image that opens is not the one that the registry means, with the way to repair it; NULL
 * when it is. The caller's. */
static char *
find_mismatch(const MediumRecord *record, const char *uuid, const char *parent)
{
    if (uuid && *uuid && g_ascii_strcasecmp(uuid, record->id) != 0)
        return g_strdup_printf(
            "The image \"%s\" has the UUID {%s}, but the registry expects {%s}. If it is the right "
            "image, give it that UUID: vitrine-manage internalcommands sethduuid \"%s\" %s.",
            record->location, uuid, record->id, record->location, record->id);
    if (*record->parent && parent && *parent && g_ascii_strcasecmp(parent, record->parent) != 0)
        return g_strdup_printf(
            "The image \"%s\" was made for a parent with the UUID {%s}, but the registry has it on "
            "{%s}. If that is the right parent, tell the image so: vitrine-manage "
            "internalcommands sethdparentuuid \"%s\" %s.",
            record->location, parent, record->parent, record->location, record->parent);
    return NULL;
}

static void
take_answers(Medium *medium, GHashTable *answers)
{
    const char *variant = g_hash_table_lookup(answers, "variant");
    vitrine_dbus_medium_set_logical_size(medium->skeleton, number_of(answers, "capacity"));
    const char *kind = g_hash_table_lookup(answers, "kind");
    g_autofree char *whole = g_strjoin(",", variant ? variant : "", kind, NULL);
    vitrine_dbus_medium_set_variant(medium->skeleton, whole);
    g_autofree char *error = find_mismatch(medium->record, g_hash_table_lookup(answers, "uuid"),
                                           g_hash_table_lookup(answers, "parent"));
    vitrine_dbus_medium_set_access_error(medium->skeleton, error ? error : "");
}

static void
on_probed(GHashTable *answers, GError *error, gpointer user_data)
{
    Refresh *refresh = user_data;
    Medium *medium = service_find_medium(refresh->service, refresh->id);
    gboolean last = medium && medium->refreshes == refresh->number;
    if (last && answers)
        take_answers(medium, answers);
    else if (last)
        vitrine_dbus_medium_set_access_error(medium->skeleton, error->message);
    if (medium)
        medium_publish(medium);
    g_clear_error(&error);
    if (refresh->done)
        refresh->done(refresh->user_data);
    g_free(refresh->id);
    g_free(refresh);
}

static gboolean
on_unopened(gpointer user_data)
{
    Refresh *refresh = user_data;
    Medium *medium = service_find_medium(refresh->service, refresh->id);
    g_autofree char *message =
        medium ? g_strdup_printf("The file \"%s\" cannot be opened.", medium->record->location)
               : g_strdup("");
    on_probed(NULL, g_error_new_literal(VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, message), refresh);
    return G_SOURCE_REMOVE;
}

static guint64
size_of_parts(const Medium *medium)
{
    g_autoptr(GPtrArray) parts = medium_parts_at(medium->record->location);
    guint64 size = 0;
    for (guint i = 0; i < parts->len; i++) {
        GStatBuf status;
        if (g_lstat(parts->pdata[i], &status) == 0)
            size += (guint64)status.st_blocks * 512;
    }
    return size;
}

void
medium_refresh(Medium *medium, void (*done)(gpointer user_data), gpointer user_data)
{
    const MediumRecord *record = medium->record;
    Refresh *refresh = g_new0(Refresh, 1);
    GStatBuf status;
    refresh->service = medium->service;
    refresh->id = g_strdup(record->id);
    refresh->number = ++medium->refreshes;
    refresh->done = done;
    refresh->user_data = user_data;
    int fd = open(record->location, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status) < 0 || S_ISDIR(status.st_mode)) {
        if (fd >= 0)
            close(fd);
        g_idle_add(on_unopened, refresh);
        return;
    }
    vitrine_dbus_medium_set_file_size(medium->skeleton,
                                      (guint64)status.st_blocks * 512 + size_of_parts(medium));
    medium_probe(fd, record->location, record->format, on_probed, refresh);
}

typedef struct {
    VitrineDBusMedium *skeleton;
    GDBusMethodInvocation *invocation;
} RefreshCall;

static void
on_refreshed(gpointer user_data)
{
    RefreshCall *call = user_data;
    vitrine_dbus_medium_complete_refresh(call->skeleton, call->invocation);
    g_object_unref(call->skeleton);
    g_free(call);
}

static gboolean
on_refresh(VitrineDBusMedium *skeleton, GDBusMethodInvocation *invocation, Medium *medium)
{
    RefreshCall *call = g_new(RefreshCall, 1);
    call->skeleton = g_object_ref(skeleton);
    call->invocation = invocation;
    medium_refresh(medium, on_refreshed, call);
    return TRUE;
}

static void
medium_connect(Medium *medium)
{
    g_signal_connect(medium->skeleton, "handle-refresh", G_CALLBACK(on_refresh), medium);
    medium_connect_modify(medium);
    medium_connect_jobs(medium);
}
