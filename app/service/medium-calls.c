/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Opening, creating and closing media, and recognising what is on one. Workers read and write the
 * files; the service only opens and deletes them. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "app/service/machine.h"
#include "app/service/medium.h"
#include "app/service/progress.h"
#include "app/service/settings/file-error.h"
#include "app/service/worker-job.h"

#define SECTOR 512

/* One call that a worker is at. */
typedef struct {
    Service *service;
    GDBusMethodInvocation *invocation; /* OpenMedium, RecognizeMedia */
    Progress *progress;                /* CreateMedium */
    WorkerJob *job;
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

/* Puts a medium that was opened or made into the global registry. NULL with error. */
static Medium *
add_to_registry(MediaCall *call, GError **error)
{
    Medium *known = service_find_medium(call->service, call->record->id);
    if (known) {
        g_set_error(
            error, VITRINE_ERROR, VITRINE_ERROR_EXISTS,
            "The image \"%s\" has the UUID {%s}, which \"%s\" has too: it is a copy. Give it "
            "a UUID of its own first.",
            call->record->location, call->record->id, known->record->location);
        return NULL;
    }
    Medium *medium = medium_add(call->service, g_steal_pointer(&call->record));
    medium->in_global = TRUE;
    if (!service_save(call->service, error)) {
        medium_remove(medium);
        return NULL;
    }
    return medium;
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
    const char *arguments[] = {"probe", location,
                               kind == VITRINE_MEDIUM_KIND_HARD_DISK ? "" : "RAW", NULL};
    worker_job_start(fd, arguments, NULL, on_open_probed, call);
    return TRUE;
}

static void
on_created(GHashTable *answers, GError *error, gpointer user_data)
{
    MediaCall *call = user_data;
    g_autofree char *location = g_strdup(call->record->location);
    Medium *medium = answers ? add_to_registry(call, &error) : NULL;
    if (medium) {
        medium_refresh(medium, on_answered_refresh, NULL);
        progress_finish(call->progress, medium->record->id, NULL);
    } else {
        g_unlink(location);
        progress_finish(call->progress, "", error);
    }
    call_free(call);
}

static void
on_create_progress(double fraction, gpointer user_data)
{
    MediaCall *call = user_data;
    progress_set(call->progress, fraction);
}

static void
on_create_cancelled(gpointer user_data)
{
    MediaCall *call = user_data;
    worker_job_cancel(call->job);
}

static char *
with_extension(const char *location, const char *format)
{
    g_autofree char *base = g_path_get_basename(location);
    if (strchr(base, '.'))
        return g_strdup(location);
    return g_strconcat(location, g_ascii_strcasecmp(format, "RAW") == 0 ? ".img" : ".vdi", NULL);
}

static gboolean
check_create(GDBusMethodInvocation *invocation, const char *location, const char *format,
             const char *variant, guint64 size)
{
    if (!g_path_is_absolute(location) || g_str_has_suffix(location, "/"))
        service_refuse(invocation, VITRINE_ERROR_INVALID, "Say the whole path of the new disk.");
    else if (g_ascii_strcasecmp(format, "VDI") != 0 && g_ascii_strcasecmp(format, "RAW") != 0)
        service_refuse(invocation, VITRINE_ERROR_NOT_SUPPORTED,
                       "This version makes disks of the formats VDI and RAW, not \"%s\".", format);
    else if (!g_str_equal(variant, "dynamic") && !g_str_equal(variant, "fixed"))
        service_refuse(invocation, VITRINE_ERROR_INVALID,
                       "A disk is made as dynamic or fixed, not \"%s\".", variant);
    else if (size == 0 || size % SECTOR != 0 || size > VITRINE_MEDIUM_MAX_SIZE)
        service_refuse(invocation, VITRINE_ERROR_INVALID,
                       "The size must be from 512 bytes to 2 PB, in whole sectors of 512 bytes.");
    else
        return TRUE;
    return FALSE;
}

/* Takes fd. */
static void
start_create(MediaCall *call, int fd, const char *variant, guint64 size)
{
    g_autofree char *base = g_path_get_basename(call->record->location);
    g_autofree char *what = g_strdup_printf("Creating the disk \"%s\"", base);
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, size);
    const char *arguments[] = {
        "create", call->record->location, call->record->format, variant, number, call->record->id,
        NULL};
    call->progress = progress_start(call->service, what, on_create_cancelled, call);
    call->job = worker_job_start(fd, arguments, on_create_progress, on_created, call);
}

static gboolean
on_create_medium(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation,
                 const char *location, const char *kind_word, const char *format,
                 const char *variant, guint64 size, GVariant *options, Service *service)
{
    GError *error = NULL;
    int kind = 0;
    const char *description = "";
    g_autofree char *standard = service_property(service, "default-disk-format");
    if (!service_allow_change(service, invocation))
        return TRUE;
    if (!vitrine_from_nick(VITRINE_TYPE_MEDIUM_KIND, kind_word, &kind))
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "There is no medium \"%s\".",
                              kind_word);
    if (*format == '\0')
        format = kind == VITRINE_MEDIUM_KIND_HARD_DISK ? standard : "RAW";
    if (!check_create(invocation, location, format, variant, size))
        return TRUE;
    g_variant_lookup(options, "description", "&s", &description);
    g_autofree char *path = with_extension(location, format);
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = -1;
    if (g_mkdir_with_parents(folder, 0700) < 0)
        file_error_set(&error, errno, "The folder \"%s\" cannot be made", folder);
    else
        fd = open_file(path, O_RDWR | O_CREAT | O_EXCL, &error);
    if (fd < 0)
        return service_fail(invocation, error);
    MediaCall *call = g_new0(MediaCall, 1);
    call->service = service;
    call->record = medium_record_new();
    call->record->kind = kind;
    g_free(call->record->id);
    call->record->id = g_uuid_string_random();
    g_free(call->record->format);
    call->record->format = g_ascii_strup(format, -1);
    set_text(&call->record->location, path);
    set_text(&call->record->description, description);
    start_create(call, fd, variant, size);
    vitrine_dbus_service_complete_create_medium(skeleton, invocation,
                                                progress_path(call->progress));
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
    medium_remove(medium);
    for (guint i = 0; i < registries->len; i++) {
        if (!machine_save(registries->pdata[i], &error))
            return service_fail(invocation, error);
    }
    if (!service_save(service, &error))
        return service_fail(invocation, error);
    if (delete_file && g_unlink(location) < 0 && errno != ENOENT) {
        file_error_set(&error, errno, "\"%s\" cannot be deleted", location);
        return service_fail(invocation, error);
    }
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
    g_signal_connect(skeleton, "handle-create-medium", G_CALLBACK(on_create_medium), service);
    g_signal_connect(skeleton, "handle-close-medium", G_CALLBACK(on_close_medium), service);
    g_signal_connect(skeleton, "handle-recognize-media", G_CALLBACK(on_recognize), service);
}
