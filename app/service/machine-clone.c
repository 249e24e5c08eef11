/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Cloning a machine. Manual, chapter "Cloning virtual machines". The clone's disks are made one
 * after the other, then its settings file, then it is registered; a journal removes all of it when
 * it does not come to that. A full clone has copies of all that its states need; a linked one has
 * images that stand on those of a snapshot. */
#include "app/service/machine-clone.h"

#include <glib/gstdio.h>
#include <string.h>

static void
image_free(gpointer data)
{
    CloneImage *image = data;
    g_free(image->source);
    medium_record_free(image->record);
    g_free(image);
}

static void
clone_free(gpointer data)
{
    Clone *clone = data;
    g_free(clone->machine_id);
    g_free(clone->snapshot);
    g_free(clone->mode);
    g_free(clone->name);
    g_free(clone->id);
    g_free(clone->path);
    g_strfreev(clone->groups);
    settings_file_free(clone->file);
    g_ptr_array_unref(clone->images);
    g_array_unref(clone->states);
    g_free(clone);
}

static void
clear_state(gpointer data)
{
    g_free(((CloneState *)data)->path);
}

/* --- making them --- */

static gboolean next_image(gpointer data, GError **error);

static void
add_copy_job(Clone *clone, const CloneImage *image, const char *modification)
{
    Task *task = clone->task;
    Medium *source = service_find_medium(clone->service, image->source);
    gboolean differs = *image->record->parent != '\0';
    task_add_job(task, "clone", 1000.0);
    task_add_chain(task, source, TASK_READ, TASK_READ);
    task_add_file(task, image->record->location, TASK_CREATE);
    task_add_word(task, image->record->format);
    task_add_word(task, differs ? "diff" : "dynamic");
    task_add_number(task, 0);
    task_add_word(task, image->record->id);
    if (!differs)
        return;
    task_add_word(task, image->record->parent);
    task_add_word(task, modification);
    task_add_word(task, "");
}

/* After a look at the copy that this one stands on. */
static gboolean
copy_difference(gpointer data, GError **error)
{
    Clone *clone = data;
    GHashTable *answers = task_answers(clone->task);
    const char *modification = answers ? g_hash_table_lookup(answers, "modification") : NULL;
    add_copy_job(clone, clone->images->pdata[clone->at - 1], modification ? modification : "");
    task_add_call(clone->task, next_image);
    return TRUE;
}

static void
add_link_job(Clone *clone, const CloneImage *image)
{
    task_add_job(clone->task, "create-child", 1.0);
    task_add_file(clone->task, image->record->location, TASK_CREATE);
    task_add_word(clone->task, image->record->format);
    task_add_word(clone->task, image->record->id);
    task_add_image(clone->task, service_find_medium(clone->service, image->source), TASK_READ);
}

static const MediumRecord *
record_of(const Clone *clone, const char *id)
{
    for (guint i = 0; i < clone->images->len; i++) {
        const CloneImage *image = clone->images->pdata[i];
        if (g_str_equal(image->record->id, id))
            return image->record;
    }
    return NULL;
}

/* The memory of online snapshots: copied to the clone's own folder. Before the images, whose jobs
 * follow one another. */
static void
add_states(Clone *clone, Machine *machine, Journal *journal)
{
    g_autofree char *folder = machine_clone_folder(clone);
    g_autoptr(GPtrArray) kept = snapshot_file_read(clone->file);
    for (guint i = 0; i < kept->len; i++) {
        SnapshotRecord *record = kept->pdata[i];
        const SnapshotRecord *model = machine_find_snapshot(machine, record->id);
        GStatBuf status;
        if (*model->state_file == '\0' || g_stat(model->state_file, &status) < 0)
            continue;
        g_autofree char *base = g_path_get_basename(model->state_file);
        CloneState state = {g_build_filename(folder, "Snapshots", base, NULL),
                            (guint64)status.st_size};
        g_array_append_val(clone->states, state);
        service_set_text(&record->state_file, state.path);
        snapshot_file_edit(clone->file, record);
        journal_add_file(journal, state.path);
        task_add_copy(clone->task, model->state_file, state.path, state.bytes);
    }
}

static gboolean
end_states(Clone *clone, GError **error)
{
    for (guint i = 0; i < clone->states->len; i++) {
        const CloneState *state = &g_array_index(clone->states, CloneState, i);
        if (!task_end_copy(state->path, state->bytes, error))
            return FALSE;
    }
    return TRUE;
}

/* --- the settings --- */

/* All that the clone's file has to list: its own images, and what it shares with others. */
static GPtrArray *
media_to_list(Clone *clone)
{
    GPtrArray *records = g_ptr_array_new();
    g_autoptr(GHashTable) listed = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) attached = snapshot_file_media(clone->file);
    g_autoptr(VitrineSettings) settings = vitrine_settings_new();
    g_autoptr(GPtrArray) shared = g_ptr_array_new();
    GHashTableIter iter;
    gpointer id;
    machine_file_read_hardware(clone->file, settings, NULL);
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    for (guint i = 0; i < attachments->len; i++)
        g_ptr_array_add(shared, ((VitrineAttachment *)attachments->pdata[i])->medium);
    g_hash_table_iter_init(&iter, attached);
    while (g_hash_table_iter_next(&iter, &id, NULL))
        g_ptr_array_add(shared, id);
    for (guint i = 0; clone->linked && i < clone->images->len; i++)
        g_ptr_array_add(shared, ((CloneImage *)clone->images->pdata[i])->source);
    for (guint i = 0; i < shared->len; i++) {
        Medium *medium = service_find_medium(clone->service, shared->pdata[i]);
        for (; medium && g_hash_table_add(listed, medium); medium = medium_parent(medium))
            g_ptr_array_insert(records, 0, medium->record);
    }
    for (guint i = 0; i < clone->images->len; i++)
        g_ptr_array_add(records, ((CloneImage *)clone->images->pdata[i])->record);
    return records;
}

static void
write_identity(Clone *clone, MachineRecord *record, const char *current)
{
    const char *hardware = vitrine_settings_get_string(record->settings, "hardware-uuid");
    service_set_text(&record->id, clone->id);
    vitrine_settings_set_string(record->settings, "name", clone->name);
    vitrine_settings_set_string(record->settings, "hardware-uuid",
                                !clone->keep_hardware ? ""
                                : *hardware           ? hardware
                                                      : clone->machine_id);
    if (clone->groups)
        vitrine_settings_set_groups(record->settings, (const char *const *)clone->groups);
    service_set_text(&record->state_file, "");
    service_set_text(&record->current_snapshot, current);
    record->current_state_modified = TRUE;
    record->aborted = FALSE;
    record->last_state_change = g_get_real_time() / G_USEC_PER_SEC;
}

static gboolean
write_settings(Clone *clone, GError **error)
{
    for (guint i = 0; i < clone->images->len; i++) {
        const CloneImage *image = clone->images->pdata[i];
        settings_sync_folder(image->record->location);
        machine_file_replace_medium(clone->file, image->source, image->record->id);
    }
    machine_file_renew_macs(clone->file, clone->macs); /* the record is written over all of it */
    g_autoptr(MachineRecord) record = machine_file_read(clone->file, error);
    if (record == NULL)
        return FALSE;
    g_autofree char *current = g_strdup(record->current_snapshot);
    g_autoptr(GHashTable) ids = snapshot_file_renew_ids(clone->file);
    const char *renewed = g_hash_table_lookup(ids, current);
    write_identity(clone, record, renewed ? renewed : "");
    machine_file_write(clone->file, record);
    g_autoptr(GPtrArray) media = media_to_list(clone);
    settings_file_write_media(clone->file, media);
    return settings_file_save(clone->file, error);
}

static gboolean
commit(gpointer data, GError **error)
{
    Clone *clone = data;
    if (!service_check_unused(clone->service, clone->name, clone->id, clone->path, error) ||
        !end_states(clone, error) || !write_settings(clone, error))
        return FALSE;
    if (!clone->add) {
        task_drop_journal(clone->task);
        return TRUE;
    }
    return service_add_machine(clone->service, clone->id, clone->path, error) != NULL;
}

static gboolean
next_image(gpointer data, GError **error)
{
    Clone *clone = data;
    if (clone->at == clone->images->len) {
        task_add_call(clone->task, commit);
        return TRUE;
    }
    const CloneImage *image = clone->images->pdata[clone->at++];
    const MediumRecord *below =
        *image->record->parent ? record_of(clone, image->record->parent) : NULL;
    if (below) {
        task_add_job(clone->task, "probe", 1.0);
        task_add_disk(clone->task, below->location, below->format, TASK_READ);
        task_add_call(clone->task, copy_difference);
        return TRUE;
    }
    if (clone->linked)
        add_link_job(clone, image);
    else
        add_copy_job(clone, image, NULL);
    task_add_call(clone->task, next_image);
    return TRUE;
}

/* --- the call --- */

/* The states of the clone: what its file has of the model's. */
static gboolean
plan_file(Clone *clone, Machine *machine, GError **error)
{
    gboolean all = g_str_equal(clone->mode, "all");
    gboolean children = g_str_equal(clone->mode, "children") && *clone->snapshot;
    clone->file = machine_file_clone(machine->file, clone->path);
    if (*clone->snapshot && !all && !snapshot_file_restore(clone->file, clone->snapshot, error))
        return FALSE;
    if (!all) {
        machine_file_set_current(clone->file, children ? clone->snapshot : NULL);
        snapshot_file_keep(clone->file, children ? clone->snapshot : NULL);
    }
    return TRUE;
}

static gboolean
check(Clone *clone, Machine *machine, GError **error)
{
    static const char *const modes[] = {"machine", "children", "all", NULL};
    if (!g_strv_contains(modes, clone->mode))
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "A clone is made of machine, children or all, not of \"%s\".", clone->mode);
    else if (*clone->snapshot && machine_find_snapshot(machine, clone->snapshot) == NULL)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "There is no snapshot {%s}.",
                    clone->snapshot);
    else if (clone->linked && (*clone->snapshot == '\0' || !g_str_equal(clone->mode, "machine")))
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "A linked clone is made of one snapshot: take one first, and name it.");
    else if (machine_is_online(machine) &&
             (*clone->snapshot == '\0' || !g_str_equal(clone->mode, "machine")))
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "The machine \"%s\" is running: power it off, or clone one of its snapshots.",
                    machine_name(machine));
    else if (*clone->id && !g_uuid_string_is_valid(clone->id))
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, "\"%s\" is no UUID.", clone->id);
    return *error == NULL;
}

static MachineMacs
macs_policy(const char *word)
{
    if (g_str_equal(word, "keep"))
        return MACHINE_MACS_KEEP;
    return g_str_equal(word, "keep-nat") ? MACHINE_MACS_KEEP_NAT : MACHINE_MACS_NEW;
}

static Clone *
new_clone(Machine *machine, const char *name, GVariant *options)
{
    Clone *clone = g_new0(Clone, 1);
    const char *mode = "machine", *snapshot = "", *id = "", *macs = "new";
    clone->service = machine->service;
    clone->machine_id = g_strdup(machine->id);
    clone->name = g_strdup(name);
    clone->add = TRUE;
    clone->images = g_ptr_array_new_with_free_func(image_free);
    clone->states = g_array_new(FALSE, FALSE, sizeof(CloneState));
    g_array_set_clear_func(clone->states, clear_state);
    g_variant_lookup(options, "mode", "&s", &mode);
    g_variant_lookup(options, "snapshot", "&s", &snapshot);
    g_variant_lookup(options, "id", "&s", &id);
    g_variant_lookup(options, "macs", "&s", &macs);
    g_variant_lookup(options, "linked", "b", &clone->linked);
    g_variant_lookup(options, "register", "b", &clone->add);
    g_variant_lookup(options, "keep-disk-names", "b", &clone->keep_names);
    g_variant_lookup(options, "keep-hardware-uuids", "b", &clone->keep_hardware);
    g_variant_lookup(options, "groups", "^as", &clone->groups);
    clone->mode = g_strdup(mode);
    clone->snapshot = g_ascii_strdown(snapshot, -1);
    clone->id = *id ? g_ascii_strdown(id, -1) : g_uuid_string_random();
    clone->macs = macs_policy(macs);
    return clone;
}

static gboolean
plan_path(Clone *clone, Machine *machine, const char *folder, GError **error)
{
    g_autoptr(VitrineSettings) settings = vitrine_settings_copy(machine->record->settings);
    if (*clone->name == '\0' || strchr(clone->name, '/')) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "A machine needs a name without \"/\".");
        return FALSE;
    }
    vitrine_settings_set_string(settings, "name", clone->name);
    if (clone->groups)
        vitrine_settings_set_groups(settings, (const char *const *)clone->groups);
    clone->path = service_new_settings_path(clone->service, settings, folder);
    return service_check_unused(clone->service, clone->name, clone->id, clone->path, error);
}

static void
list_files(Clone *clone, Journal *journal)
{
    g_autofree char *folder = machine_clone_folder(clone);
    g_autofree char *snapshots = g_build_filename(folder, "Snapshots", NULL);
    g_autofree char *temporary = g_strconcat(clone->path, "-tmp", NULL);
    for (guint i = 0; i < clone->images->len; i++) {
        const CloneImage *image = clone->images->pdata[i];
        journal_add_file(journal, image->record->location);
    }
    journal_add_file(journal, clone->path);
    journal_add_file(journal, temporary);
    journal_add_folder(journal, snapshots);
    journal_add_folder(journal, folder);
}

/* The journal is the clone's own: nothing of it is named before it is registered. */
static Task *
plan(Machine *machine, Clone *clone, const char *folder, GError **error)
{
    if (!check(clone, machine, error) || !plan_path(clone, machine, folder, error) ||
        !plan_file(clone, machine, error)) {
        clone_free(clone);
        return NULL;
    }
    machine_clone_plan_images(clone);
    Journal *journal = journal_new(clone->service, clone->id);
    list_files(clone, journal);
    clone->task = task_new(clone->service, clone, clone_free);
    add_states(clone, machine, journal);
    task_add_call(clone->task, next_image);
    if ((machine_is_online(machine) || task_hold(clone->task, machine, "being cloned", error)) &&
        journal_write(journal, error)) {
        task_set_journal(clone->task, journal);
        return clone->task;
    }
    journal_drop(journal);
    task_abandon(clone->task);
    return NULL;
}

static char *
on_done(gpointer data, GError *error)
{
    const Clone *clone = data;
    return error ? NULL : g_strdup(clone->id);
}

static void
clone_now(Machine *machine, GDBusMethodInvocation *invocation)
{
    GError *error = NULL;
    const char *name, *folder = "";
    g_autoptr(GVariant) options = NULL;
    if (machine_defer(machine, clone_now, invocation))
        return;
    g_variant_get(g_dbus_method_invocation_get_parameters(invocation), "(&s@a{sv})", &name,
                  &options);
    g_variant_lookup(options, "folder", "&s", &folder);
    Task *task = plan(machine, new_clone(machine, name, options), folder, &error);
    if (task == NULL) {
        service_fail(invocation, error);
        return;
    }
    g_autofree char *what = g_strdup_printf("Cloning the machine \"%s\"", machine_name(machine));
    task_show(task, what, TRUE);
    vitrine_dbus_machine_complete_clone(machine->skeleton, invocation, task_progress_path(task));
    task_start(task, on_done);
}

static gboolean
on_clone(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *name,
         GVariant *options, Machine *machine)
{
    if (machine->record == NULL)
        return service_refuse(invocation, VITRINE_ERROR_STATE, "%s", machine->access_error);
    if (service_allow_change(machine->service, invocation))
        clone_now(machine, invocation);
    return TRUE;
}

void
machine_connect_clone(Machine *machine)
{
    g_signal_connect(machine->skeleton, "handle-clone", G_CALLBACK(on_clone), machine);
}
