/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Merging an image with the only one that stands on it. What is read from the upper one is the same
 * at every moment of the merge, so it can be cut anywhere and done again: a base image takes in its
 * child (down), and so does an image that is larger than its child; else the child takes in what is
 * below it (up). Then one save of the settings makes the chain shorter, and the file that was taken
 * in is deleted. Images that stand on the child learn their new parent before that save; done
 * again, the merge begins with telling the child its present parent.
 *
 * A worker does it, or the process of a machine that has both images open: medium-merge-live.c. */
#include "app/service/medium-merge-private.h"

#include <glib/gstdio.h>

/* Probes, and telling an image its parent. */
#define OTHER_JOBS 4.0

MediaMerge *
media_merge_new(Service *service, const char *machine, Task *task)
{
    MediaMerge *merge = g_new0(MediaMerge, 1);
    merge->service = service;
    merge->machine_id = g_strdup(machine);
    merge->task = task;
    merge->ids = g_ptr_array_new_with_free_func(g_free);
    return merge;
}

void
media_merge_free(MediaMerge *merge)
{
    g_free(merge->machine_id);
    g_ptr_array_unref(merge->ids);
    g_free(merge->lower);
    g_free(merge->upper);
    machine_merge_place_clear(&merge->place);
    g_free(merge);
}

void
media_merge_add(MediaMerge *merge, const char *id)
{
    g_ptr_array_add(merge->ids, g_strdup(id));
}

static gboolean
belongs_to(const Medium *medium, const Machine *machine)
{
    return medium->registries->len == 0 ||
           (medium->registries->len == 1 && medium->registries->pdata[0] == machine);
}

/* The image that this one can be merged with, or NULL: nothing of another machine, such as a linked
 * clone, stands on either of them. */
static Medium *
only_child(MediaMerge *merge, Medium *medium)
{
    g_autoptr(GPtrArray) children = medium_children(medium);
    Medium *child = children->len == 1 ? children->pdata[0] : NULL;
    Machine *machine = service_find_machine(merge->service, merge->machine_id);
    if (child == NULL || !belongs_to(medium, machine) || !belongs_to(child, machine) ||
        medium_user(child, machine))
        return NULL;
    g_autoptr(GPtrArray) above = medium_children(child);
    for (guint i = 0; i < above->len; i++) {
        if (!belongs_to(above->pdata[i], machine))
            return NULL;
    }
    return child;
}

void
media_merge_list(MediaMerge *merge, Journal *journal)
{
    for (guint i = 0; i < merge->ids->len; i++) {
        Medium *medium = service_find_medium(merge->service, merge->ids->pdata[i]);
        Medium *child = medium ? only_child(merge, medium) : NULL;
        if (child == NULL)
            continue;
        journal_add_merge(journal, medium->record->id);
        journal_add_image(journal, medium->record->location);
        journal_add_image(journal, child->record->location);
    }
}

guint64
media_merge_size(const Medium *medium)
{
    GStatBuf status;
    return g_stat(medium->record->location, &status) == 0 ? (guint64)status.st_blocks : 0;
}

guint64
media_merge_cost(const Medium *lower, const Medium *upper)
{
    guint64 below = media_merge_size(lower), above = media_merge_size(upper);
    return *lower->record->parent == '\0' ? above : MIN(below, above);
}

/* Of all that is still to do: what else a merge does than to copy takes hardly any time. */
static double
weight_of_rest(MediaMerge *merge)
{
    double weight = 0;
    for (guint i = merge->at; i < merge->ids->len; i++) {
        Medium *lower = service_find_medium(merge->service, merge->ids->pdata[i]);
        Medium *upper = lower ? only_child(merge, lower) : NULL;
        if (upper)
            weight += OTHER_JOBS + (double)media_merge_cost(lower, upper);
    }
    return weight;
}

static const char *
answer(MediaMerge *merge, const char *key)
{
    GHashTable *answers = task_answers(merge->task);
    const char *text = answers ? g_hash_table_lookup(answers, key) : NULL;
    return text && *text ? text : "-";
}

void
media_merge_add_probe(MediaMerge *merge, Medium *medium)
{
    task_add_job(merge->task, "probe", 1.0);
    task_add_disk(merge->task, medium->record->location, medium->record->format,
                  merge->live ? TASK_LOOK : TASK_READ);
}

/* After a probe of the parent. */
static void
add_set_parent(MediaMerge *merge, Medium *child, const char *parent)
{
    task_add_job(merge->task, "set-uuids", 1.0);
    task_add_disk(merge->task, child->record->location, child->record->format,
                  media_merge_is_open(merge, child) ? TASK_PATCH : TASK_WRITE);
    task_add_word(merge->task, "-");
    task_add_word(merge->task, "-");
    task_add_word(merge->task, parent);
    task_add_word(merge->task, answer(merge, "modification"));
}

/* In memory: lower takes the place of upper. Done twice with exchanged images it is undone. */
static void
put_in_place(Machine *machine, Medium *gone, Medium *stays)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(machine->record->settings);
    g_autoptr(GPtrArray) above = medium_children(gone);
    for (guint i = 0; i < attachments->len; i++) {
        VitrineAttachment *a = attachments->pdata[i];
        if (g_str_equal(a->medium, gone->record->id))
            service_set_text(&a->medium, stays->record->id);
    }
    snapshot_file_replace_medium(machine->file, gone->record->id, stays->record->id);
    for (guint i = 0; i < above->len; i++) {
        Medium *medium = above->pdata[i];
        service_set_text(&medium->record->parent, stays->record->id);
    }
    stays->record->auto_reset = gone->record->auto_reset;
}

static gboolean
finish_down(Machine *machine, Medium *lower, Medium *upper, GError **error)
{
    gboolean auto_reset = lower->record->auto_reset;
    g_autofree char *parent = g_strdup(lower->record->parent);
    put_in_place(machine, upper, lower);
    upper->dropped = TRUE;
    if (machine_commit_snapshots(machine, error))
        return TRUE;
    /* The file was read again; images above are told here. */
    g_autoptr(GPtrArray) above = medium_children(lower);
    for (guint i = 0; i < above->len; i++) {
        Medium *medium = above->pdata[i];
        if (medium != upper)
            service_set_text(&medium->record->parent, upper->record->id);
    }
    lower->record->auto_reset = auto_reset;
    upper->dropped = FALSE;
    return FALSE;
}

static gboolean
finish_up(Machine *machine, Medium *lower, Medium *upper, GError **error)
{
    service_set_text(&upper->record->parent, lower->record->parent);
    lower->dropped = TRUE;
    if (machine_commit_snapshots(machine, error))
        return TRUE;
    service_set_text(&upper->record->parent, lower->record->id);
    lower->dropped = FALSE;
    return FALSE;
}

/* After a probe of what the images named as their parent before. */
static gboolean
tell_back(gpointer data, GError **error)
{
    MediaMerge *merge = *(MediaMerge **)data;
    Medium *upper = service_find_medium(merge->service, merge->upper);
    g_autoptr(GPtrArray) above = medium_children(upper);
    if (!merge->down)
        add_set_parent(merge, upper, merge->lower);
    for (guint i = 0; merge->down && i < above->len; i++) {
        if (!media_merge_tells_itself(merge, above->pdata[i]))
            add_set_parent(merge, above->pdata[i], merge->upper);
    }
    return TRUE;
}

/* It was not done: images name the parents again that the settings name. */
static void
put_back(gpointer data)
{
    MediaMerge *merge = *(MediaMerge **)data;
    Medium *upper = service_find_medium(merge->service, merge->upper);
    Medium *lower = service_find_medium(merge->service, merge->lower);
    g_autoptr(GPtrArray) above = medium_children(upper);
    if (merge->live)
        media_merge_end_live(merge, FALSE);
    if (merge->down ? above->len > 0 : !merge->live) {
        media_merge_add_probe(merge, merge->down ? upper : lower);
        task_add_call(merge->task, tell_back);
    }
}

static gboolean
save_shorter(MediaMerge *merge, GError **error)
{
    Machine *machine = service_find_machine(merge->service, merge->machine_id);
    Medium *lower = service_find_medium(merge->service, merge->lower);
    Medium *upper = service_find_medium(merge->service, merge->upper);
    gboolean in_global = (merge->down ? upper : lower)->in_global;
    return (merge->down ? finish_down(machine, lower, upper, error)
                        : finish_up(machine, lower, upper, error)) &&
           (!in_global || service_save(merge->service, error));
}

/* The save that makes the chain shorter. */
static gboolean
commit(gpointer data, GError **error)
{
    MediaMerge *merge = *(MediaMerge **)data;
    if (!save_shorter(merge, error))
        return FALSE;
    task_set_rescue(merge->task, NULL);
    Medium *gone = service_find_medium(merge->service, merge->down ? merge->upper : merge->lower);
    g_autofree char *location = g_strdup(gone->record->location);
    medium_remove(gone);
    media_publish_all(merge->service);
    g_unlink(location); /* what fails here is tried again by the journal, which tells of it */
    if (merge->live)
        media_merge_end_live(merge, TRUE);
    task_add_call(merge->task, media_merge_next);
    return TRUE;
}

gboolean
media_merge_tell_those_above(gpointer data, GError **error)
{
    MediaMerge *merge = *(MediaMerge **)data;
    Medium *upper = service_find_medium(merge->service, merge->upper);
    g_autoptr(GPtrArray) above = medium_children(upper);
    for (guint i = 0; i < above->len; i++) {
        if (!media_merge_tells_itself(merge, above->pdata[i]))
            add_set_parent(merge, above->pdata[i], merge->down ? merge->lower : merge->upper);
    }
    task_add_call(merge->task, commit);
    return TRUE;
}

/* After a probe of lower. */
static gboolean
run_merge(gpointer data, GError **error)
{
    MediaMerge *merge = *(MediaMerge **)data;
    Medium *lower = service_find_medium(merge->service, merge->lower);
    Medium *upper = service_find_medium(merge->service, merge->upper);
    task_set_rescue(merge->task, put_back);
    add_set_parent(merge, upper, merge->lower);
    task_add_job(merge->task, "merge", 1.0 + (double)media_merge_cost(lower, upper));
    task_add_number(merge->task, merge->down ? 0 : 1);
    task_add_number(merge->task, merge->down ? 1 : 0);
    task_add_chain(merge->task, upper, merge->down ? TASK_READ : TASK_WRITE,
                   merge->down ? TASK_WRITE : TASK_READ);
    media_merge_add_probe(merge, merge->down ? lower : upper);
    task_add_call(merge->task, media_merge_tell_those_above);
    return TRUE;
}

gboolean
media_merge_next(gpointer data, GError **error)
{
    MediaMerge *merge = *(MediaMerge **)data;
    Machine *machine = service_find_machine(merge->service, merge->machine_id);
    task_expect(merge->task, weight_of_rest(merge));
    while (merge->at < merge->ids->len) {
        Medium *lower = service_find_medium(merge->service, merge->ids->pdata[merge->at++]);
        Medium *upper = lower && medium_is_unused(lower) ? only_child(merge, lower) : NULL;
        if (upper == NULL)
            continue;
        service_set_text(&merge->lower, lower->record->id);
        service_set_text(&merge->upper, upper->record->id);
        merge->down =
            *lower->record->parent == '\0' || media_merge_size(upper) < media_merge_size(lower);
        machine_merge_place_clear(&merge->place);
        merge->live = machine_merge_find(machine, upper, lower, &merge->place);
        if (merge->live) {
            task_set_rescue(merge->task, put_back);
            media_merge_add_live(merge);
        } else {
            media_merge_add_wait(merge);
            media_merge_add_probe(merge, lower);
            task_add_call(merge->task, run_merge);
        }
        break;
    }
    return TRUE;
}

void
media_merge_begin(MediaMerge *merge)
{
    task_add_call(merge->task, media_merge_next);
}
