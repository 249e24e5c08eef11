/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Journals of work on files; see journal.h. A journal is a key file with one group:
 *   machine=UUID   files=path;path;…   parts=path;owner;…   new-parts=path;owner;…   folders=path;…
 *   merges=UUID;…   places=path;… */
#include "app/service/journal.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "app/service/machine-state.h"
#include "app/service/medium.h"
#include "app/service/settings/file-error.h"

#define GROUP "work"
#define SUFFIX ".work"

struct Journal {
    Service *service;
    char *path;
    char *machine;
    GPtrArray *files, *folders, *merges, *places;
    GPtrArray *parts, *new_parts; /* a path and its owner's, by turns */
    gboolean left;                /* by a service that was killed */
};

static char *
work_folder(Service *service)
{
    return g_build_filename(service->config_folder, "Vitrine-work", NULL);
}

static Journal *
make(Service *service, const char *machine, const char *path)
{
    Journal *journal = g_new0(Journal, 1);
    journal->service = service;
    journal->machine = g_strdup(machine);
    journal->path = g_strdup(path);
    journal->files = g_ptr_array_new_with_free_func(g_free);
    journal->parts = g_ptr_array_new_with_free_func(g_free);
    journal->new_parts = g_ptr_array_new_with_free_func(g_free);
    journal->folders = g_ptr_array_new_with_free_func(g_free);
    journal->merges = g_ptr_array_new_with_free_func(g_free);
    journal->places = g_ptr_array_new_with_free_func(g_free);
    return journal;
}

static void
journal_free(Journal *journal)
{
    g_free(journal->path);
    g_free(journal->machine);
    g_ptr_array_unref(journal->files);
    g_ptr_array_unref(journal->parts);
    g_ptr_array_unref(journal->new_parts);
    g_ptr_array_unref(journal->folders);
    g_ptr_array_unref(journal->merges);
    g_ptr_array_unref(journal->places);
    g_free(journal);
}

Journal *
journal_new(Service *service, const char *machine)
{
    g_autofree char *folder = work_folder(service);
    g_autofree char *id = g_uuid_string_random();
    g_autofree char *name = g_strconcat(id, SUFFIX, NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return make(service, machine, path);
}

void
journal_add_file(Journal *journal, const char *path)
{
    g_ptr_array_add(journal->files, g_strdup(path));
}

void
journal_add_image(Journal *journal, const char *path)
{
    g_autoptr(GPtrArray) parts = medium_parts_at(path);
    journal_add_file(journal, path);
    for (guint i = 0; i < parts->len; i++)
        journal_add_part(journal, parts->pdata[i], path);
}

void
journal_add_part(Journal *journal, const char *path, const char *owner)
{
    g_ptr_array_add(journal->parts, g_strdup(path));
    g_ptr_array_add(journal->parts, g_strdup(owner));
}

void
journal_add_new_part(Journal *journal, const char *path, const char *owner)
{
    g_ptr_array_add(journal->new_parts, g_strdup(path));
    g_ptr_array_add(journal->new_parts, g_strdup(owner));
}

void
journal_add_folder(Journal *journal, const char *path)
{
    g_ptr_array_add(journal->folders, g_strdup(path));
}

void
journal_add_merge(Journal *journal, const char *medium)
{
    g_ptr_array_add(journal->merges, g_strdup(medium));
}

void
journal_forget_merges(Journal *journal)
{
    g_ptr_array_set_size(journal->merges, 0);
}

void
journal_add_place(Journal *journal, const char *settings_file)
{
    g_ptr_array_add(journal->places, g_strdup(settings_file));
}

static void
set_list(GKeyFile *keys, const char *name, GPtrArray *list)
{
    if (list->len)
        g_key_file_set_string_list(keys, GROUP, name, (const char *const *)list->pdata, list->len);
}

gboolean
journal_write(Journal *journal, GError **error)
{
    g_autoptr(GKeyFile) keys = g_key_file_new();
    gsize length;
    g_autofree char *folder = work_folder(journal->service);
    g_key_file_set_string(keys, GROUP, "machine", journal->machine);
    set_list(keys, "files", journal->files);
    set_list(keys, "parts", journal->parts);
    set_list(keys, "new-parts", journal->new_parts);
    set_list(keys, "folders", journal->folders);
    set_list(keys, "merges", journal->merges);
    set_list(keys, "places", journal->places);
    g_autofree char *text = g_key_file_to_data(keys, &length, NULL);
    if (settings_make_folder(folder) < 0) {
        file_error_set(error, errno, "The folder \"%s\" cannot be made", folder);
        return FALSE;
    }
    return settings_replace_file(journal->path, text, length, error);
}

static void
forget(Journal *journal)
{
    g_autofree char *folder = work_folder(journal->service);
    if (g_unlink(journal->path) == 0)
        g_rmdir(folder);
    journal_free(journal);
}

static gboolean
is_named(Service *service, const char *path)
{
    if (service_find_medium_at(service, path))
        return TRUE;
    for (guint i = 0; i < service->machines->len; i++) {
        Machine *machine = service->machines->pdata[i];
        if (g_str_equal(machine->settings_file, path) || machine_names_state_file(machine, path))
            return TRUE;
    }
    return FALSE;
}

/* A saved state that other settings speak of than those we have read. After a fault those may come
 * back that cannot be read now. */
static gboolean
is_claimed(const Journal *journal, const char *path)
{
    Machine *machine =
        *journal->machine ? service_find_machine(journal->service, journal->machine) : NULL;
    if (!g_str_has_suffix(path, ".sav") || !g_file_test(path, G_FILE_TEST_EXISTS))
        return FALSE;
    g_autofree char *claim =
        machine_state_claim(journal->service, machine, path,
                            journal->left ? STATE_CLAIMS_UNREADABLE : STATE_CLAIMS_BESIDE);
    if (claim)
        g_message("\"%s\" is not needed any more; it is kept since \"%s\" may need it.", path,
                  claim);
    return claim != NULL;
}

/* FALSE: it should go, and is still there. Of one that has gone `gone` learns the folder. */
static gboolean
delete_file(const char *path, GHashTable *gone)
{
    if (g_unlink(path) == 0 || errno == ENOENT) {
        g_hash_table_add(gone, g_path_get_dirname(path));
        return TRUE;
    }
    g_warning("\"%s\" is not needed any more and cannot be deleted: %s", path, g_strerror(errno));
    return FALSE;
}

static gboolean
settle_file(const Journal *journal, const char *path, const char *owner, GHashTable *gone)
{
    return is_named(journal->service, owner) || is_claimed(journal, path) ||
           delete_file(path, gone);
}

/* An image that cannot be read may name it. */
static gboolean
settle_new_part(const char *path, const char *owner, GHashTable *gone)
{
    g_autoptr(GPtrArray) parts = medium_parts_at(owner);
    if (parts->len == 0 || g_ptr_array_find_with_equal_func(parts, path, g_str_equal, NULL))
        return TRUE;
    return delete_file(path, gone);
}

/* A journal must not go for good before what it lists has. */
static void
sync_folders(GHashTable *folders)
{
    GHashTableIter iter;
    gpointer folder;
    g_hash_table_iter_init(&iter, folders);
    while (g_hash_table_iter_next(&iter, &folder, NULL)) {
        g_autofree char *inside = g_build_filename(folder, ".", NULL);
        settings_sync_folder(inside);
    }
}

/* Whether all that is to go has gone. */
static gboolean
delete_unneeded(Journal *journal)
{
    Machine *machine =
        *journal->machine ? service_find_machine(journal->service, journal->machine) : NULL;
    gboolean clean = TRUE;
    g_autoptr(GHashTable) gone = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < journal->files->len; i++) {
        const char *path = journal->files->pdata[i];
        clean &= settle_file(journal, path, path, gone);
    }
    for (guint i = 0; i + 1 < journal->parts->len; i += 2)
        clean &= settle_file(journal, journal->parts->pdata[i], journal->parts->pdata[i + 1], gone);
    for (guint i = 0; i + 1 < journal->new_parts->len; i += 2)
        clean &=
            settle_new_part(journal->new_parts->pdata[i], journal->new_parts->pdata[i + 1], gone);
    sync_folders(gone);
    for (guint i = 0; i < journal->folders->len; i++)
        g_rmdir(journal->folders->pdata[i]); /* fails while something is in it */
    if (machine)
        machine_find_leftovers(machine); /* a state among them may have been taken for one */
    return clean;
}

void
journal_settle(Journal *journal)
{
    if (journal && delete_unneeded(journal))
        forget(journal);
    else if (journal)
        journal_free(journal);
}

void
journal_settle_undone(Journal *journal)
{
    if (journal && delete_unneeded(journal) && journal->merges->len == 0)
        forget(journal);
    else if (journal)
        journal_free(journal);
}

void
journal_drop(Journal *journal)
{
    if (journal)
        forget(journal);
}

static void
take_list(GKeyFile *keys, const char *name, GPtrArray *list)
{
    g_auto(GStrv) texts = g_key_file_get_string_list(keys, GROUP, name, NULL, NULL);
    for (guint i = 0; texts && texts[i]; i++)
        g_ptr_array_add(list, g_strdup(texts[i]));
}

/* Files that an unreadable settings file may name must not go. */
static gboolean
can_judge(Service *service, const char *id)
{
    Machine *machine = *id ? service_find_machine(service, id) : NULL;
    return machine == NULL || machine->record;
}

static void
recover(Service *service, const char *path)
{
    g_autoptr(GKeyFile) keys = g_key_file_new();
    if (!g_key_file_load_from_file(keys, path, G_KEY_FILE_NONE, NULL)) {
        g_unlink(path); /* it was not finished, so nothing was begun */
        return;
    }
    g_autofree char *machine = g_key_file_get_string(keys, GROUP, "machine", NULL);
    if (machine == NULL || !can_judge(service, machine))
        return;
    Journal *journal = make(service, machine, path);
    journal->left = TRUE;
    take_list(keys, "files", journal->files);
    take_list(keys, "parts", journal->parts);
    take_list(keys, "new-parts", journal->new_parts);
    take_list(keys, "folders", journal->folders);
    take_list(keys, "merges", journal->merges);
    g_autoptr(GPtrArray) merges = g_ptr_array_ref(journal->merges);
    if (g_key_file_has_key(keys, GROUP, "places", NULL) && !service_save(service, NULL)) {
        journal_free(journal);
        return; /* it is found by the journal again */
    }
    if (merges->len && !media_may_merge(service, machine)) {
        journal_settle_undone(journal);
        return; /* once it may */
    }
    journal_settle(journal);
    media_merge_again(service, machine, merges);
}

static gboolean
has_merges_of(const char *path, const char *wanted)
{
    g_autoptr(GKeyFile) keys = g_key_file_new();
    g_key_file_load_from_file(keys, path, G_KEY_FILE_NONE, NULL);
    g_autofree char *machine = g_key_file_get_string(keys, GROUP, "machine", NULL);
    return g_strcmp0(machine, wanted) == 0 && g_key_file_has_key(keys, GROUP, "merges", NULL);
}

void
journals_merge(Service *service, const char *machine)
{
    g_autofree char *folder = work_folder(service);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autofree char *found = NULL;
    const char *name;
    /* Until all is read nobody can say which files are needed. */
    if (!service->journals_recovered)
        return;
    while (dir && found == NULL && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_str_has_suffix(name, SUFFIX) && has_merges_of(path, machine))
            found = g_steal_pointer(&path);
    }
    if (found && media_may_merge(service, machine))
        recover(service, found);
}

typedef struct {
    Service *service;
    char *machine;
} Later;

static void
later_free(gpointer data)
{
    Later *later = data;
    g_free(later->machine);
    g_free(later);
}

static gboolean
on_later(gpointer user_data)
{
    const Later *later = user_data;
    journals_merge(later->service, later->machine);
    return G_SOURCE_REMOVE;
}

void
journals_merge_later(Service *service, const char *machine)
{
    Later *later = g_new(Later, 1);
    *later = (Later){service, g_strdup(machine)};
    g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, on_later, later, later_free);
}

static void
find_machine(Service *service, const char *path)
{
    g_autoptr(GKeyFile) keys = g_key_file_new();
    g_key_file_load_from_file(keys, path, G_KEY_FILE_NONE, NULL);
    g_autofree char *machine = g_key_file_get_string(keys, GROUP, "machine", NULL);
    g_auto(GStrv) places = g_key_file_get_string_list(keys, GROUP, "places", NULL, NULL);
    for (guint i = 0; machine && places && places[i]; i++) {
        if (!g_file_test(places[i], G_FILE_TEST_EXISTS))
            continue;
        global_file_add_machine(service->global, machine, places[i]);
        break;
    }
}

void
journals_find_machines(Service *service)
{
    g_autofree char *folder = work_folder(service);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_str_has_suffix(name, SUFFIX))
            find_machine(service, path);
    }
}

void
journals_recover(Service *service)
{
    g_autofree char *folder = work_folder(service);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    if (service_read_only_reason(service))
        return;
    while (dir && (name = g_dir_read_name(dir)))
        g_ptr_array_add(found, g_build_filename(folder, name, NULL));
    for (guint i = 0; i < found->len; i++) {
        if (g_str_has_suffix(found->pdata[i], SUFFIX))
            recover(service, found->pdata[i]);
        else
            g_unlink(found->pdata[i]); /* "-tmp" or "-prev" of one */
    }
    g_rmdir(folder); /* fails while a journal is in it */
    service->journals_recovered = TRUE;
}
