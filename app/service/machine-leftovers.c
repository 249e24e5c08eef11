/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saved states that nobody names. What an interrupted save, start or end of a state leaves, a
 * journal lists and deletes (journal.h). Any other file could be needed by what we cannot see: a
 * copy of the settings that somebody brings back, another installation that shares the folder. So
 * it stays; log and clients are told of it, and it goes when a person says so, unless settings or
 * a copy of settings speak of it. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "app/service/machine-state.h"
#include "app/service/settings/file-error.h"

/* No settings file is larger; one that is may say anything. */
#define MAX_SETTINGS (256u << 20)

static gboolean
is_regular(const char *path, struct stat *status)
{
    return lstat(path, status) == 0 && S_ISREG(status->st_mode);
}

/* --- who names a state --- */

gboolean
service_names_state_file(Service *service, const Machine *except, const char *path)
{
    for (guint i = 0; i < service->machines->len; i++) {
        const Machine *machine = service->machines->pdata[i];
        if (machine != except && machine_names_state_file(machine, path))
            return TRUE;
    }
    return FALSE;
}

/* Settings and copies of them, whatever they are called: "x.vbox-prev", "x.vbox~", "x-1.12.vbox".
 */
static gboolean
is_settings_name(const char *name)
{
    return strstr(name, ".vbox") || strstr(name, ".xml");
}

/* UTF-16 has zeros between the letters. One that cannot be read may say anything. */
static gboolean
speaks_of(const char *file, const char *name)
{
    struct stat status;
    g_autofree char *text = NULL;
    gsize length = 0, kept = 0;
    if (stat(file, &status) < 0)
        return TRUE;
    if (!S_ISREG(status.st_mode))
        return FALSE;
    if (status.st_size > MAX_SETTINGS || !g_file_get_contents(file, &text, &length, NULL))
        return TRUE;
    for (gsize i = 0; i < length; i++) {
        if (text[i])
            text[kept++] = text[i];
    }
    return g_strstr_len(text, (gssize)kept, name) != NULL;
}

/* Those whose contents the service knows, and what the machine's own save leaves beside it. */
static gboolean
is_known(Service *service, const Machine *machine, const char *file, gboolean backups)
{
    static const char *const endings[] = {"-prev", "-tmp"};
    for (guint i = 0; i < service->machines->len; i++) {
        const Machine *other = service->machines->pdata[i];
        if (other->record && g_str_equal(other->settings_file, file))
            return TRUE;
    }
    for (guint i = 0; machine && !backups && i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *own = g_strconcat(machine->settings_file, endings[i], NULL);
        if (g_str_equal(own, file))
            return TRUE;
    }
    return FALSE;
}

static char *
claim_beside(Service *service, const Machine *machine, const char *path, gboolean backups)
{
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *states = g_path_get_dirname(path);
    g_autofree char *folder = g_path_get_dirname(states);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *entry;
    while (dir && (entry = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(folder, entry, NULL);
        if (is_settings_name(entry) && !is_known(service, machine, file, backups) &&
            speaks_of(file, name))
            return g_steal_pointer(&file);
    }
    return NULL;
}

static char *
claim_of_unreadable(Service *service, const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    for (guint i = 0; i < service->machines->len; i++) {
        const Machine *machine = service->machines->pdata[i];
        if (machine->record == NULL && speaks_of(machine->settings_file, name))
            return g_strdup(machine->settings_file);
    }
    return NULL;
}

char *
machine_state_claim(Service *service, const Machine *machine, const char *path, StateClaims which)
{
    char *claim = claim_beside(service, machine, path, which == STATE_CLAIMS_ALL);
    return claim || which == STATE_CLAIMS_BESIDE ? claim : claim_of_unreadable(service, path);
}

/* --- what is left over --- */

/* Only a folder that is the machine's alone: what others keep in a shared one we do not know. */
static gboolean
has_own_folder(const Machine *machine)
{
    g_autofree char *folder = machine_folder(machine);
    g_autofree char *usual = g_build_filename(folder, "Snapshots", NULL);
    g_autofree char *snapshots = machine_snapshot_folder(machine);
    return machine->record && g_str_equal(usual, snapshots);
}

static gboolean
is_state_name(const char *name)
{
    return g_str_has_suffix(name, ".sav") || g_str_has_suffix(name, ".sav.tmp");
}

static gboolean
is_leftover(const Machine *machine, const char *path)
{
    struct stat status;
    return is_regular(path, &status) && !service_names_state_file(machine->service, NULL, path);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* among: only those of these; NULL: all. */
static GPtrArray *
find_names(const Machine *machine, const char *const *among)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *folder = machine_snapshot_folder(machine);
    g_autoptr(GDir) dir = has_own_folder(machine) ? g_dir_open(folder, 0, NULL) : NULL;
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (is_state_name(name) && g_utf8_validate(name, -1, NULL) &&
            (among == NULL || g_strv_contains(among, name)) && is_leftover(machine, path))
            g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return names;
}

static void
tell_log(const Machine *machine, GPtrArray *names, const char *const *told)
{
    g_autofree char *folder = machine_snapshot_folder(machine);
    for (guint i = 0; i + 1 < names->len; i++) {
        if (told == NULL || !g_strv_contains(told, names->pdata[i]))
            g_message("\"%s/%s\" is a saved state of no machine or snapshot that is known. It is "
                      "kept; \"discardstate --leftover\" deletes it.",
                      folder, (const char *)names->pdata[i]);
    }
}

void
machine_find_leftovers(Machine *machine)
{
    const char *const *told = vitrine_dbus_machine_get_leftover_states(machine->skeleton);
    /* A state may be on its way: then only what has gone is news. */
    const gboolean works = machine_is_online(machine) || machine->busy;
    g_autoptr(GPtrArray) names = NULL;
    if (machine->record == NULL || (works && told == NULL))
        return;
    names = find_names(machine, works ? told : NULL);
    tell_log(machine, names, told);
    vitrine_dbus_machine_set_leftover_states(machine->skeleton, (const char *const *)names->pdata);
}

void
machines_find_leftovers(Service *service)
{
    for (guint i = 0; i < service->machines->len; i++)
        machine_find_leftovers(service->machines->pdata[i]);
}

/* --- by the wish of a person --- */

static gboolean
check_leftover(Machine *machine, const char *name, const char *path, GError **error)
{
    const char *const *known = vitrine_dbus_machine_get_leftover_states(machine->skeleton);
    if (!g_strv_contains(known, name) || !is_leftover(machine, path)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                    "The machine \"%s\" has no left-over saved state \"%s\".",
                    machine_name(machine), name);
        return FALSE;
    }
    g_autofree char *claim = machine_state_claim(machine->service, machine, path, STATE_CLAIMS_ALL);
    if (claim)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "The saved state \"%s\" is kept: \"%s\" may need it.", name, claim);
    return claim == NULL;
}

static gboolean
on_remove_leftover(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation,
                   const char *name, Machine *machine)
{
    GError *error = NULL;
    g_autofree char *folder = machine_snapshot_folder(machine);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (!machine_allow_change(machine, invocation))
        return TRUE;
    if (!check_leftover(machine, name, path, &error))
        return service_fail(invocation, error);
    if (g_unlink(path) < 0) {
        file_error_set(&error, errno, "The saved state \"%s\" cannot be deleted", path);
        return service_fail(invocation, error);
    }
    g_message("The left-over saved state \"%s\" was deleted.", path);
    machine_find_leftovers(machine);
    vitrine_dbus_machine_complete_remove_leftover_state(skeleton, invocation);
    return TRUE;
}

void
machine_delete_states(Machine *machine)
{
    g_autofree char *folder = machine_snapshot_folder(machine);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const gboolean own = has_own_folder(machine);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *claim = NULL;
        struct stat status;
        if (!is_state_name(name) || !is_regular(path, &status) ||
            !(own || machine_names_state_file(machine, path)) ||
            service_names_state_file(machine->service, machine, path))
            continue;
        claim = machine_state_claim(machine->service, machine, path, STATE_CLAIMS_BESIDE);
        if (claim)
            g_message("\"%s\" is kept: \"%s\" may need it.", path, claim);
        else
            g_unlink(path);
    }
}

void
machine_connect_leftovers(Machine *machine)
{
    vitrine_dbus_machine_set_leftover_states(machine->skeleton, (const char *const[]){NULL});
    g_signal_connect(machine->skeleton, "handle-remove-leftover-state",
                     G_CALLBACK(on_remove_leftover), machine);
}
