/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Making images: new ones, differencing ones, copies of registered ones, and of plain files. The
 * file is made first and registered when it is whole; a journal removes what was not. Also giving
 * an image other UUIDs. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#include "app/service/machine.h"
#include "app/service/medium.h"
#include "app/service/settings/file-error.h"

#define SECTOR 512

typedef struct {
    Service *service;
    MediumRecord *record; /* of what is made */
    GPtrArray *parts;     /* its other files, or NULL */
    char *existing;       /* the UUID of the image whose file is replaced, or NULL */
    char *parent;         /* SetImageUuids: the registered parent's UUID, or NULL */
    char *uuid;
    Task *task;
} Make;

static void
make_free(gpointer data)
{
    Make *make = data;
    medium_record_free(make->record);
    g_clear_pointer(&make->parts, g_ptr_array_unref);
    g_free(make->existing);
    g_free(make->parent);
    g_free(make->uuid);
    g_free(make);
}

static const struct {
    const char *name, *extension;
} formats[] = {{"VDI", ".vdi"}, {"VMDK", ".vmdk"}, {"VHD", ".vhd"}, {"RAW", ".img"}};

const char *
media_check_format(const char *format, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (g_ascii_strcasecmp(formats[i].name, format) == 0)
            return formats[i].name;
    }
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                "Disks are made in the formats VDI, VMDK, VHD and RAW, not \"%s\".", format);
    return NULL;
}

const char *
media_extension(const char *format)
{
    guint at = 0;
    while (at + 1 < G_N_ELEMENTS(formats) && g_ascii_strcasecmp(formats[at].name, format) != 0)
        at++;
    return formats[at].extension;
}

char *
media_with_extension(const char *location, const char *format)
{
    g_autofree char *base = g_path_get_basename(location);
    return strchr(base, '.') ? g_strdup(location)
                             : g_strconcat(location, media_extension(format), NULL);
}

gboolean
media_check_new_file(const char *location, GError **error)
{
    if (!g_path_is_absolute(location) || g_str_has_suffix(location, "/")) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "Say the whole path of the new disk.");
        return FALSE;
    }
    if (!g_file_test(location, G_FILE_TEST_EXISTS))
        return TRUE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_EXISTS, "\"%s\" exists already.", location);
    return FALSE;
}

/* Before a task is made: the folder, and whether a file may be made in it. */
static gboolean
make_folder(const char *location, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(location);
    if (settings_make_folder(folder) == 0)
        return TRUE;
    file_error_set(error, errno, "The folder \"%s\" cannot be made", folder);
    return FALSE;
}

/* What a format can be made as; for a person to read, these are all there are. */
static gboolean
check_variant(const char *variant, const char *format, gboolean copy, GError **error)
{
    gboolean vmdk = g_str_equal(format, "VMDK");
    if (g_str_equal(variant, "dynamic") || g_str_equal(variant, "fixed"))
        return TRUE;
    if (g_str_equal(variant, "dynamic,split") || g_str_equal(variant, "fixed,split") ||
        (copy && g_str_equal(variant, "stream"))) {
        if (vmdk)
            return TRUE;
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "Only VMDK images can be made in several files or compressed, not %s.", format);
        return FALSE;
    }
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                "A disk is made as dynamic, fixed, \"dynamic,split\" or \"fixed,split\", not "
                "\"%s\".",
                variant);
    return FALSE;
}

/* The files that the image will have beside its own. */
static gboolean
plan_parts(Make *make, const char *variant, guint64 size, GError **error)
{
    make->parts =
        medium_parts_planned(make->record->location, make->record->format, variant, size, error);
    return make->parts != NULL;
}

static void
add_parts(const Make *make)
{
    for (guint i = 0; make->parts && i < make->parts->len; i++)
        task_add_part(make->task, make->parts->pdata[i], TASK_CREATE);
}

static void
on_answered_refresh(gpointer user_data)
{
}

static gboolean
commit_new(gpointer data, GError **error)
{
    Make *make = data;
    settings_sync_folder(make->record->location);
    Medium *medium = medium_add(make->service, medium_record_copy(make->record));
    if (!medium_register_new(medium, error))
        return FALSE;
    medium_refresh(medium, on_answered_refresh, NULL);
    return TRUE;
}

static char *
on_done(gpointer data, GError *error)
{
    const Make *make = data;
    return error ? NULL : g_strdup(make->record->id);
}

/* The task, its journal written; NULL with error. Takes make, also then. */
static Task *
new_task(Make *make, const char *doing, gboolean with_file, GError **error)
{
    g_autofree char *name = g_path_get_basename(make->record->location);
    g_autofree char *what = g_strdup_printf("%s \"%s\"", doing, name);
    const Medium *parent = service_find_medium(make->service, make->record->parent);
    const Machine *machine =
        parent && parent->registries->len ? parent->registries->pdata[0] : NULL;
    Journal *journal = with_file ? journal_new(make->service, machine ? machine->id : "") : NULL;
    if (journal)
        journal_add_file(journal, make->record->location);
    for (guint i = 0; journal && make->parts && i < make->parts->len; i++)
        journal_add_part(journal, make->parts->pdata[i], make->record->location);
    if (journal && !journal_write(journal, error)) {
        journal_drop(journal);
        make_free(make);
        return NULL;
    }
    make->task = task_new(make->service, make, make_free);
    task_set_journal(make->task, journal);
    task_show(make->task, what, TRUE);
    return make->task;
}

/* What CreateMedium was told. */
typedef struct {
    const char *format, *variant, *description, *parent;
    guint64 size;
    int kind;
} Wanted;

static gboolean
check_wanted(Service *service, const Wanted *wanted, GError **error)
{
    if (*wanted->parent) {
        const Medium *parent = service_find_medium(service, wanted->parent);
        if (parent && parent->record->kind == VITRINE_MEDIUM_KIND_HARD_DISK)
            return TRUE;
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "There is no disk {%s}.",
                    wanted->parent);
        return FALSE;
    }
    if (!check_variant(wanted->variant, wanted->format, FALSE, error))
        return FALSE;
    if (wanted->size && wanted->size % SECTOR == 0 && wanted->size <= VITRINE_MEDIUM_MAX_SIZE)
        return TRUE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                "The size must be from 512 bytes to 2 PB, in whole sectors of 512 bytes.");
    return FALSE;
}

static void
add_create_job(Make *make, const Wanted *wanted)
{
    Task *task = make->task;
    Medium *parent = *wanted->parent ? service_find_medium(make->service, wanted->parent) : NULL;
    task_add_job(task, parent ? "create-child" : "create", 1.0);
    task_add_file(task, make->record->location, TASK_CREATE);
    task_add_word(task, make->record->format);
    if (parent) {
        task_add_word(task, make->record->id);
        task_add_image(task, parent, TASK_READ);
    } else {
        task_add_word(task, wanted->variant);
        task_add_number(task, wanted->size);
        task_add_word(task, make->record->id);
        add_parts(make);
    }
}

static Make *
new_make(Service *service, const char *location, const char *format, int kind)
{
    Make *make = g_new0(Make, 1);
    g_autofree char *path = media_with_extension(location, format);
    g_autofree char *id = g_uuid_string_random();
    make->service = service;
    make->record = medium_record_new();
    make->record->kind = (VitrineMediumKind)kind;
    service_set_text(&make->record->id, id);
    service_set_text(&make->record->format, format);
    service_set_text(&make->record->location, path);
    return make;
}

static Task *
plan_create(Service *service, const char *location, Wanted *wanted, GError **error)
{
    const char *format = media_check_format(wanted->format, error);
    wanted->format = format;
    if (format == NULL || !check_wanted(service, wanted, error))
        return NULL;
    Make *make = new_make(service, location, format, wanted->kind);
    service_set_text(&make->record->description, wanted->description);
    if (*wanted->parent) {
        g_autofree char *parent = g_ascii_strdown(wanted->parent, -1);
        service_set_text(&make->record->parent, parent);
    }
    if (!media_check_new_file(make->record->location, error) ||
        !make_folder(make->record->location, error) ||
        (*wanted->parent == '\0' && !plan_parts(make, wanted->variant, wanted->size, error))) {
        make_free(make);
        return NULL;
    }
    Task *task = new_task(make, "Creating the disk", TRUE, error);
    if (task) {
        add_create_job(make, wanted);
        task_add_call(task, commit_new);
    }
    return task;
}

static gboolean
on_create_medium(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation,
                 const char *location, const char *kind_word, const char *format,
                 const char *variant, guint64 size, GVariant *options, Service *service)
{
    GError *error = NULL;
    Wanted wanted = {format, variant, "", "", size, 0};
    g_autofree char *standard = service_property(service, "default-disk-format");
    if (!service_allow_change(service, invocation))
        return TRUE;
    if (!vitrine_from_nick(VITRINE_TYPE_MEDIUM_KIND, kind_word, &wanted.kind))
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "There is no medium \"%s\".",
                              kind_word);
    if (*format == '\0')
        wanted.format = wanted.kind == VITRINE_MEDIUM_KIND_HARD_DISK ? standard : "RAW";
    g_variant_lookup(options, "description", "&s", &wanted.description);
    g_variant_lookup(options, "parent", "&s", &wanted.parent);
    Task *task = plan_create(service, location, &wanted, &error);
    if (task == NULL)
        return service_fail(invocation, error);
    vitrine_dbus_service_complete_create_medium(skeleton, invocation, task_progress_path(task));
    task_start(task, on_done);
    return TRUE;
}

/* --- copies --- */

static void
add_target(Make *make, const char *location, const char *variant)
{
    task_add_file(make->task, location, TASK_CREATE);
    task_add_word(make->task, make->record->format);
    task_add_word(make->task, g_str_equal(variant, "stream") ? "dynamic,stream" : variant);
    task_add_number(make->task, 0);
    task_add_word(make->task, make->record->id);
    add_parts(make);
}

/* The copy stands beside the image that takes its content; a rename puts it in its place. */
static char *
beside(const char *location)
{
    return g_strconcat(location, "-new", NULL);
}

static gboolean
commit_existing(gpointer data, GError **error)
{
    Make *make = data;
    Medium *medium = service_find_medium(make->service, make->existing);
    g_autofree char *copy = beside(make->record->location);
    if (medium == NULL || medium_running_user(medium, NULL)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY, "\"%s\" is in use meanwhile.",
                    make->record->location);
        return FALSE;
    }
    if (g_rename(copy, make->record->location) < 0) {
        file_error_set(error, errno, "\"%s\" cannot be replaced", make->record->location);
        return FALSE;
    }
    settings_sync_folder(make->record->location);
    medium_refresh(medium, on_answered_refresh, NULL);
    return TRUE;
}

static gboolean
check_existing(Medium *existing, Medium *source, GError **error)
{
    g_autoptr(GPtrArray) children = medium_children(existing);
    Machine *user = medium_running_user(existing, NULL);
    if (existing == source)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, "A disk cannot be its own copy.");
    else if (children->len || *existing->record->parent)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "\"%s\" is part of a chain of differencing images.",
                    existing->record->location);
    else if (user)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "\"%s\" is in use by the machine \"%s\", which is running.",
                    existing->record->location, machine_name(user));
    else
        return TRUE;
    return FALSE;
}

/* A rename can put one file in the place of another, not several. */
static gboolean
check_one_file(Medium *existing, const char *variant, GError **error)
{
    const MediumRecord *record = existing->record;
    g_autoptr(GPtrArray) parts = medium_parts_at(record->location);
    gboolean several = g_str_equal(record->format, "VMDK") &&
                       (g_str_has_prefix(variant, "fixed") || g_str_has_suffix(variant, ",split"));
    if (parts->len == 0 && !several)
        return TRUE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                "\"%s\" cannot take the content of another disk in several files: copy to a new "
                "disk.",
                record->location);
    return FALSE;
}

static Task *
plan_clone_existing(Medium *source, Medium *existing, const char *variant, GError **error)
{
    if (!check_existing(existing, source, error) ||
        !check_variant(variant, existing->record->format, TRUE, error) ||
        !check_one_file(existing, variant, error))
        return NULL;
    Make *make = g_new0(Make, 1);
    make->service = source->service;
    make->record = medium_record_copy(existing->record);
    make->existing = g_strdup(existing->record->id);
    g_autofree char *copy = beside(existing->record->location);
    Task *task = new_task(make, "Copying to the disk", TRUE, error);
    if (task == NULL)
        return NULL;
    journal_add_file(task_journal(task), copy);
    if (!journal_write(task_journal(task), error)) {
        task_abandon(task);
        return NULL;
    }
    task_add_job(task, "clone", 1.0);
    task_add_chain(task, source, TASK_READ, TASK_READ);
    add_target(make, copy, variant);
    task_add_call(task, commit_existing);
    return task;
}

static Task *
plan_clone(Medium *source, const char *location, const char *format, const char *variant,
           GError **error)
{
    const char *name = media_check_format(*format ? format : source->record->format, error);
    if (name == NULL || !check_variant(variant, name, TRUE, error))
        return NULL;
    Make *make = new_make(source->service, location, name, source->record->kind);
    guint64 size = g_str_equal(name, "VMDK") ? medium_capacity(source, error) : 1;
    if (size == 0 || !media_check_new_file(make->record->location, error) ||
        !make_folder(make->record->location, error) || !plan_parts(make, variant, size, error)) {
        make_free(make);
        return NULL;
    }
    Task *task = new_task(make, "Copying to the disk", TRUE, error);
    if (task == NULL)
        return NULL;
    task_add_job(task, "clone", 1.0);
    task_add_chain(task, source, TASK_READ, TASK_READ);
    add_target(make, make->record->location, variant);
    task_add_call(task, commit_new);
    return task;
}

static gboolean
on_clone_medium(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation, const char *id,
                const char *location, const char *format, const char *variant, GVariant *options,
                Service *service)
{
    GError *error = NULL;
    const char *existing_id = "";
    Medium *source = service_find_medium(service, id);
    if (!service_allow_change(service, invocation))
        return TRUE;
    g_variant_lookup(options, "existing", "&s", &existing_id);
    Medium *existing = *existing_id ? service_find_medium(service, existing_id) : NULL;
    if (source == NULL || (*existing_id && existing == NULL))
        return service_refuse(invocation, VITRINE_ERROR_NOT_FOUND, "There is no medium {%s}.",
                              source ? existing_id : id);
    Task *task = existing ? plan_clone_existing(source, existing, variant, &error)
                          : plan_clone(source, location, format, variant, &error);
    if (task == NULL)
        return service_fail(invocation, error);
    vitrine_dbus_service_complete_clone_medium(skeleton, invocation, task_progress_path(task));
    task_start(task, on_done);
    return TRUE;
}

/* The file stays though nothing registers it. */
static gboolean
commit_converted(gpointer data, GError **error)
{
    Make *make = data;
    settings_sync_folder(make->record->location);
    task_drop_journal(make->task);
    return TRUE;
}

static Task *
plan_convert(Service *service, const char *source, const char *location, const char *format,
             const char *variant, const char *uuid, GError **error)
{
    const char *name = media_check_format(*format ? format : "VDI", error);
    if (name == NULL || !check_variant(variant, name, TRUE, error))
        return NULL;
    GStatBuf status;
    gboolean planned = FALSE;
    Make *make = new_make(service, location, name, VITRINE_MEDIUM_KIND_HARD_DISK);
    service_set_text(&make->record->location,
                     location); /* as it was said, without an extension too */
    if (*uuid)
        service_set_text(&make->record->id, uuid);
    if (g_stat(source, &status) < 0)
        file_error_set(error, errno, "\"%s\" cannot be opened", source);
    else if (media_check_new_file(location, error) && make_folder(location, error) &&
             plan_parts(make, variant, ((guint64)status.st_size + SECTOR - 1) & ~(SECTOR - 1ull),
                        error))
        planned = TRUE;
    if (!planned) {
        make_free(make);
        return NULL;
    }
    Task *task = new_task(make, "Converting to the disk", TRUE, error);
    if (task == NULL)
        return NULL;
    task_add_job(task, "clone", 1.0);
    task_add_number(task, 1);
    task_add_file(task, source, TASK_READ);
    task_add_word(task, "RAW");
    task_add_word(task, "");
    add_target(make, location, variant);
    task_add_call(task, commit_converted);
    return task;
}

static gboolean
on_convert(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation, const char *source,
           const char *location, const char *format, const char *variant, const char *uuid,
           Service *service)
{
    GError *error = NULL;
    if (!service_allow_change(service, invocation))
        return TRUE;
    if (!g_path_is_absolute(source))
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "\"%s\" is not a whole path.",
                              source);
    if (*uuid && !g_uuid_string_is_valid(uuid))
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "\"%s\" is no UUID.", uuid);
    Task *task = plan_convert(service, source, location, format, variant, uuid, &error);
    if (task == NULL)
        return service_fail(invocation, error);
    vitrine_dbus_service_complete_convert_from_raw(skeleton, invocation, task_progress_path(task));
    task_start(task, on_done);
    return TRUE;
}

/* --- UUIDs --- */

/* After the parent was looked at, if it is known. */
static gboolean
add_uuids_job(gpointer data, GError **error)
{
    Make *make = data;
    GHashTable *answers = task_answers(make->task);
    const char *modification = answers ? g_hash_table_lookup(answers, "modification") : NULL;
    task_add_job(make->task, "set-uuids", 1.0);
    task_add_disk(make->task, make->record->location, make->record->format, TASK_WRITE);
    task_add_word(make->task, *make->uuid ? make->uuid : "-");
    task_add_word(make->task, "-");
    task_add_word(make->task, *make->parent ? make->parent : "-");
    task_add_word(make->task, modification && *modification ? modification : "-");
    return TRUE;
}

static void
on_uuids_refreshed(gpointer user_data)
{
}

static char *
on_uuids_done(gpointer data, GError *error)
{
    const Make *make = data;
    Medium *medium = service_find_medium_at(make->service, make->record->location);
    if (medium)
        medium_refresh(medium, on_uuids_refreshed, NULL);
    return error ? NULL : g_strdup(make->uuid);
}

static gboolean
on_set_uuids(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation, const char *location,
             const char *uuid, const char *parent, Service *service)
{
    GError *error = NULL;
    if (!service_allow_change(service, invocation))
        return TRUE;
    if (!g_path_is_absolute(location))
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "\"%s\" is not a whole path.",
                              location);
    if ((*uuid && !g_uuid_string_is_valid(uuid)) || (*parent && !g_uuid_string_is_valid(parent)))
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "\"%s\" is no UUID.",
                              *uuid ? uuid : parent);
    Make *make = new_make(service, location, "", VITRINE_MEDIUM_KIND_HARD_DISK);
    service_set_text(&make->record->location, location);
    make->uuid = g_strdup(uuid);
    make->parent = g_strdup(parent);
    Medium *below = *parent ? service_find_medium(service, parent) : NULL;
    Task *task = new_task(make, "Changing the UUID of", FALSE, &error);
    if (below) {
        task_add_job(task, "probe", 1.0);
        task_add_disk(task, below->record->location, below->record->format, TASK_READ);
    }
    task_add_call(task, add_uuids_job);
    vitrine_dbus_service_complete_set_image_uuids(skeleton, invocation, task_progress_path(task));
    task_start(task, on_uuids_done);
    return TRUE;
}

void
media_connect_create(Service *service)
{
    VitrineDBusService *skeleton = service->skeleton;
    g_signal_connect(skeleton, "handle-create-medium", G_CALLBACK(on_create_medium), service);
    g_signal_connect(skeleton, "handle-clone-medium", G_CALLBACK(on_clone_medium), service);
    g_signal_connect(skeleton, "handle-convert-from-raw", G_CALLBACK(on_convert), service);
    g_signal_connect(skeleton, "handle-set-image-uuids", G_CALLBACK(on_set_uuids), service);
}
