/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Opening and closing media, and recognising what is on one. Workers read and write the
 * files; the service only opens and deletes them. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "app/service/machine.h"
#include "app/service/medium.h"
#include "app/service/settings/file-error.h"
#include "app/service/worker-job.h"

/* One call that a worker is at. */
typedef struct {
    Service *service;
    GDBusMethodInvocation *invocation;
    MediumRecord *record;
} MediaCall;

static void
call_free(MediaCall *call)
{
    medium_record_free(call->record);
    g_free(call);
}

static int
open_file(const char *location, int flags, GError **error)
{
    struct stat status;
    int fd = open(location, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    if (fd >= 0 && fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode))
        return fd;
    int errnum = fd >= 0 ? EISDIR : errno;
    if (fd >= 0)
        close(fd);
    file_error_set(error, errnum, "\"%s\" cannot be opened", location);
    return -1;
}

static void
set_text(char **place, const char *text)
{
    g_free(*place);
    *place = g_strdup(text ? text : "");
}

/* A differencing image is of use only with its parent. */
static gboolean
check_parent(const MediaCall *call, GError **error)
{
    const MediumRecord *record = call->record;
    if (*record->parent == '\0' || service_find_medium(call->service, record->parent))
        return TRUE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                "\"%s\" is a differencing image on a parent with the UUID {%s}, which is not "
                "registered. Open the parent first; if it has another UUID now, tell the image so: "
                "vitrine-manage internalcommands sethdparentuuid \"%s\" UUID.",
                record->location, record->parent, record->location);
    return FALSE;
}

/* Puts a medium that was opened into a registry. NULL with error. */
static Medium *
add_to_registry(MediaCall *call, GError **error)
{
    Medium *known = service_find_medium(call->service, call->record->id);
    if (known) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_EXISTS,
                    "The image \"%s\" has the UUID {%s}, which \"%s\" has too: it is a copy. Give "
                    "it a UUID of its own first: vitrine-manage internalcommands sethduuid \"%s\".",
                    call->record->location, call->record->id, known->record->location,
                    call->record->location);
        return NULL;
    }
    if (!check_parent(call, error))
        return NULL;
    Medium *medium = medium_add(call->service, g_steal_pointer(&call->record));
    return medium_register_new(medium, error) ? medium : NULL;
}

static void
on_answered_refresh(gpointer user_data)
{
}

static void
on_open_probed(GHashTable *answers, GError *error, gpointer user_data)
{
    MediaCall *call = user_data;
    Medium *medium = NULL;
    if (answers) {
        const char *uuid = g_hash_table_lookup(answers, "uuid");
        const char *parent = g_hash_table_lookup(answers, "parent");
        set_text(&call->record->format, g_hash_table_lookup(answers, "format"));
        set_text(&call->record->parent, parent);
        g_free(call->record->id);
        call->record->id = uuid && *uuid ? g_strdup(uuid) : g_uuid_string_random();
        medium = add_to_registry(call, &error);
    }
    if (medium) {
        GDBusMethodInvocation *invocation = call->invocation;
        medium_refresh(medium, on_answered_refresh, NULL);
        vitrine_dbus_service_complete_open_medium(call->service->skeleton, invocation,
                                                  medium->record->id);
    } else {
        service_fail(call->invocation, error);
    }
    call_free(call);
}

static gboolean
on_open_medium(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation,
               const char *location, const char *kind_word, Service *service)
{
    GError *error = NULL;
    int kind = 0;
    if (!service_allow_change(service, invocation))
        return TRUE;
    if (!vitrine_from_nick(VITRINE_TYPE_MEDIUM_KIND, kind_word, &kind) ||
        !g_path_is_absolute(location))
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "\"%s\" is no medium.", location);
    Medium *known = service_find_medium_at(service, location);
    if (known && (int)known->record->kind == kind) {
        vitrine_dbus_service_complete_open_medium(skeleton, invocation, known->record->id);
        return TRUE;
    }
    int fd = open_file(location, O_RDONLY, &error);
    if (fd < 0)
        return service_fail(invocation, error);
    MediaCall *call = g_new0(MediaCall, 1);
    call->service = service;
    call->invocation = invocation;
    call->record = medium_record_new();
    call->record->kind = kind;
    set_text(&call->record->location, location);
    /* An optical or floppy image is what it is, whatever its first bytes look like. */
    medium_probe(fd, location, kind == VITRINE_MEDIUM_KIND_HARD_DISK ? "" : "RAW", on_open_probed,
                 call);
    return TRUE;
}

static gboolean
delete_files(GPtrArray *paths, GError **error)
{
    for (guint i = 0; i < paths->len; i++) {
        if (g_unlink(paths->pdata[i]) == 0 || errno == ENOENT)
            continue;
        file_error_set(error, errno, "\"%s\" cannot be deleted", (const char *)paths->pdata[i]);
        return FALSE;
    }
    return TRUE;
}

static gboolean
on_close_medium(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation, const char *id,
                gboolean delete_file, Service *service)
{
    GError *error = NULL;
    Medium *medium = service_find_medium(service, id);
    if (!service_allow_change(service, invocation))
        return TRUE;
    if (medium == NULL)
        return service_refuse(invocation, VITRINE_ERROR_NOT_FOUND, "There is no medium {%s}.", id);
    medium_publish(medium);
    const char *const *machines = vitrine_dbus_medium_get_machines(medium->skeleton);
    const char *const *children = vitrine_dbus_medium_get_children(medium->skeleton);
    if (machines[0])
        return service_refuse(invocation, VITRINE_ERROR_BUSY,
                              "\"%s\" is attached to the machine \"%s\": take it out there first.",
                              medium->record->location,
                              machine_name(service_find_machine(service, machines[0])));
    if (children[0])
        return service_refuse(invocation, VITRINE_ERROR_BUSY,
                              "\"%s\" has differencing images: close them first.",
                              medium->record->location);
    g_autofree char *location = g_strdup(medium->record->location);
    g_autoptr(GPtrArray) registries = g_ptr_array_copy(medium->registries, NULL, NULL);
    g_autoptr(GPtrArray) files = medium_parts_at(location);
    g_ptr_array_insert(files, 0, g_steal_pointer(&location));
    medium_remove(medium);
    for (guint i = 0; i < registries->len; i++) {
        if (!machine_save(registries->pdata[i], &error))
            return service_fail(invocation, error);
    }
    if (!service_save(service, &error))
        return service_fail(invocation, error);
    if (delete_file && !delete_files(files, &error))
        return service_fail(invocation, error);
    vitrine_dbus_service_complete_close_medium(skeleton, invocation);
    return TRUE;
}

static void
on_recognized(GHashTable *answers, GError *error, gpointer user_data)
{
    static const char *const texts[] = {"os-type", "os-id", "os-name", "volume-label",
                                        "architecture"};
    static const char *const flags[] = {"bootable", "live"};
    MediaCall *call = user_data;
    GVariantBuilder builder;
    if (answers == NULL) {
        service_fail(call->invocation, error);
        call_free(call);
        return;
    }
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *text = g_hash_table_lookup(answers, texts[i]);
        if (text && *text)
            g_variant_builder_add(&builder, "{sv}", texts[i], g_variant_new_string(text));
    }
    for (guint i = 0; i < G_N_ELEMENTS(flags); i++)
        g_variant_builder_add(&builder, "{sv}", flags[i],
                              g_variant_new_boolean(g_hash_table_contains(answers, flags[i])));
    vitrine_dbus_service_complete_recognize_media(call->service->skeleton, call->invocation,
                                                  g_variant_builder_end(&builder));
    call_free(call);
}

static gboolean
on_recognize(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation, const char *location,
             Service *service)
{
    GError *error = NULL;
    int fd = open_file(location, O_RDONLY, &error);
    if (fd < 0)
        return service_fail(invocation, error);
    MediaCall *call = g_new0(MediaCall, 1);
    const char *arguments[] = {"recognize", location, NULL};
    call->service = service;
    call->invocation = invocation;
    worker_job_start(fd, arguments, NULL, on_recognized, call);
    return TRUE;
}

void
media_connect_calls(Service *service)
{
    VitrineDBusService *skeleton = service->skeleton;
    g_signal_connect(skeleton, "handle-open-medium", G_CALLBACK(on_open_medium), service);
    g_signal_connect(skeleton, "handle-close-medium", G_CALLBACK(on_close_medium), service);
    g_signal_connect(skeleton, "handle-recognize-media", G_CALLBACK(on_recognize), service);
}
