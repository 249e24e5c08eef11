/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saved states that nobody names: a service or a host that ended between two steps of a save, or of
 * the end of a state, leaves its file in the machine's Snapshots folder. The disks may have changed
 * since it was written, so it is never taken up again: it is deleted when the service starts. Only
 * a file that is ours by its name and its first bytes goes, and only where nothing could name it
 * that we do not know of; what else is there is left, and told to the log. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/service/machine-state.h"

/* What vmm/ssm begins a file with. */
#define MAGIC "Vitrine state\r\n\x1a"
/* As machine_new_state_path() names them. */
#define NAME "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}-[0-9]{9}Z\\.sav$"

static gboolean
has_our_magic(const char *path)
{
    char start[sizeof(MAGIC) - 1] = "";
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (fd < 0)
        return FALSE;
    gboolean ours = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1 &&
                    pread(fd, start, sizeof(start), 0) == sizeof(start) &&
                    memcmp(start, MAGIC, sizeof(start)) == 0;
    close(fd);
    return ours;
}

/* Another machine's settings in the same folder, registered or not, may name its states. */
static gboolean
is_alone(const Machine *machine)
{
    g_autofree char *folder = machine_folder(machine);
    g_autofree char *own = g_path_get_basename(machine->settings_file);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        if ((g_str_has_suffix(name, ".vbox") || g_str_has_suffix(name, ".xml")) &&
            !g_str_equal(name, own))
            return FALSE;
    }
    return dir != NULL;
}

/* One that has a folder for its states beside its settings file, and that nobody works with. */
static gboolean
is_at_rest(const Machine *machine)
{
    g_autofree char *folder = machine_folder(machine);
    g_autofree char *usual = g_build_filename(folder, "Snapshots", NULL);
    g_autofree char *snapshots = machine_snapshot_folder(machine);
    return machine->record && !machine_is_online(machine) && machine->busy == NULL &&
           g_str_equal(usual, snapshots) && *settings_file_read_only_reason(machine->file) == '\0';
}

static gboolean
is_file(const char *path, const struct stat *file)
{
    struct stat status;
    return *path && stat(path, &status) == 0 && status.st_dev == file->st_dev &&
           status.st_ino == file->st_ino;
}

/* Also by another one whose folder for states is elsewhere, and on whatever way. */
static gboolean
is_named(Service *service, const struct stat *file)
{
    for (guint i = 0; i < service->machines->len; i++) {
        const Machine *machine = service->machines->pdata[i];
        if (is_file(machine->record->state_file, file))
            return TRUE;
        for (guint j = 0; machine->snapshots && j < machine->snapshots->len; j++) {
            const SnapshotRecord *record = machine->snapshots->pdata[j];
            if (is_file(record->state_file, file))
                return TRUE;
        }
    }
    return FALSE;
}

static void
clean(Machine *machine)
{
    g_autofree char *folder = machine_snapshot_folder(machine);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        struct stat status;
        if (!g_str_has_suffix(name, ".sav") || stat(path, &status) < 0 ||
            is_named(machine->service, &status))
            continue;
        if (!g_regex_match_simple(NAME, name, 0, 0) || !has_our_magic(path) || !is_alone(machine))
            g_message("\"%s\" belongs to no machine or snapshot that is known; it is left alone.",
                      path);
        else if (g_unlink(path) == 0)
            g_message("\"%s\" was left by a save or a start that came to no end; it is deleted.",
                      path);
    }
}

void
machines_clean_orphans(Service *service)
{
    if (service_read_only_reason(service))
        return;
    for (guint i = 0; i < service->machines->len; i++) {
        Machine *machine = service->machines->pdata[i];
        if (machine->record == NULL)
            return; /* what it names is not known */
    }
    for (guint i = 0; i < service->machines->len; i++) {
        Machine *machine = service->machines->pdata[i];
        if (is_at_rest(machine))
            clean(machine);
    }
}
