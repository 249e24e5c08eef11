/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A machine's folder and settings file follow its name, as long as they were called like it: what a
 * user has put elsewhere stays there. Disks inside the folder move along. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "app/service/machine.h"
#include "app/service/medium.h"
#include "app/service/settings/file-error.h"

/* Whether folder and file are called like the machine. */
static gboolean
follows_name(Machine *machine, const char *name)
{
    g_autofree char *folder = machine_folder(machine);
    g_autofree char *folder_name = g_path_get_basename(folder);
    g_autofree char *file_name = g_path_get_basename(machine->settings_file);
    g_autofree char *expected = g_strconcat(name, ".vbox", NULL);
    return g_str_equal(folder_name, name) && g_str_equal(file_name, expected);
}

static gboolean
move(const char *from, const char *to, GError **error)
{
    if (g_file_test(to, G_FILE_TEST_EXISTS)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_EXISTS,
                    "\"%s\" exists already: choose another name.", to);
        return FALSE;
    }
    if (g_rename(from, to) == 0) {
        settings_sync_folder(to); /* in this order, which the journal knows */
        return TRUE;
    }
    file_error_set(error, errno, "\"%s\" cannot be renamed to \"%s\"", from, to);
    return FALSE;
}

static void
move_location(char **location, const char *from, const char *to)
{
    gsize length = strlen(from);
    if (!g_str_has_prefix(*location, from) || (*location)[length] != '/')
        return;
    char *moved = g_strconcat(to, *location + length, NULL);
    g_free(*location);
    *location = moved;
}

void
machine_tell_paths(Machine *machine, const char *from, const char *to, const char *settings_file)
{
    g_free(machine->settings_file);
    machine->settings_file = g_strdup(settings_file);
    settings_file_set_path(machine->file, settings_file);
    move_location(&machine->record->state_file, from, to);
    for (guint i = 0; i < machine->snapshots->len; i++) {
        SnapshotRecord *record = machine->snapshots->pdata[i];
        move_location(&record->state_file, from, to);
        snapshot_file_edit(machine->file, record);
    }
    for (guint i = 0; i < machine->service->media->len; i++) {
        Medium *medium = machine->service->media->pdata[i];
        move_location(&medium->record->location, from, to);
    }
    global_file_add_machine(machine->service->global, machine->id, settings_file);
}

gboolean
machine_rename_begin(Machine *machine, const char *old_name, const char *new_name,
                     Journal **journal, GError **error)
{
    *journal = NULL;
    if (g_str_equal(old_name, new_name) || !follows_name(machine, old_name))
        return TRUE;
    g_autofree char *from = machine_folder(machine);
    g_autofree char *parent = g_path_get_dirname(from);
    g_autofree char *base = g_path_get_basename(machine->settings_file);
    g_autofree char *file_name = g_strconcat(new_name, ".vbox", NULL);
    g_autofree char *between = g_build_filename(parent, new_name, base, NULL);
    g_autofree char *new_file = g_build_filename(parent, new_name, file_name, NULL);
    *journal = journal_new(machine->service, machine->id);
    journal_add_place(*journal, machine->settings_file);
    journal_add_place(*journal, between);
    journal_add_place(*journal, new_file);
    if (journal_write(*journal, error))
        return TRUE;
    journal_drop(g_steal_pointer(journal));
    return FALSE;
}

gboolean
machine_rename_files(Machine *machine, const char *old_name, const char *new_name, GError **error)
{
    if (g_str_equal(old_name, new_name) || !follows_name(machine, old_name))
        return TRUE;
    g_autofree char *from = machine_folder(machine);
    g_autofree char *parent = g_path_get_dirname(from);
    g_autofree char *to = g_build_filename(parent, new_name, NULL);
    g_autofree char *file_name = g_strconcat(new_name, ".vbox", NULL);
    g_autofree char *new_file = g_build_filename(to, file_name, NULL);
    g_autofree char *base = g_path_get_basename(machine->settings_file);
    g_autofree char *old_file = g_build_filename(to, base, NULL);
    if (!move(from, to, error))
        return FALSE;
    if (!move(old_file, new_file, error)) {
        g_rename(to, from);
        return FALSE;
    }
    g_autofree char *old_prev = g_strconcat(old_file, "-prev", NULL);
    g_autofree char *new_prev = g_strconcat(new_file, "-prev", NULL);
    g_rename(old_prev, new_prev);
    machine_tell_paths(machine, from, to, new_file);
    return TRUE;
}
