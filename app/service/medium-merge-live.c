/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A merge of two images that a running machine has open. Its process does it, so that the guest
 * goes on, and leaves a disk that is right with and without the image that goes; after the save it
 * is told which of the two it is. When the process ends before it is done a worker does it again.
 */
#include <fcntl.h>
#include <unistd.h>

#include "app/service/medium-merge-private.h"

/* A process that was killed has its files for a moment more. */
#define POLL_MS 50
#define POLLS_MAX 200

gboolean
media_merge_is_open(const MediaMerge *merge, const Medium *medium)
{
    Medium *at = merge->live ? service_find_medium(merge->service, merge->upper) : NULL;
    MergePlace place = {0};
    Machine *machine = service_find_machine(merge->service, merge->machine_id);
    if (at == NULL || medium_parent(medium) == NULL)
        return FALSE;
    gboolean found = machine_merge_find(machine, (Medium *)medium, medium_parent(medium), &place);
    machine_merge_place_clear(&place);
    return found;
}

gboolean
media_merge_tells_itself(const MediaMerge *merge, const Medium *medium)
{
    Machine *machine = service_find_machine(merge->service, merge->machine_id);
    MergePlace place = {0};
    /* Merged into the upper one: it keeps its UUIDs. */
    if (merge->live && !merge->down)
        return TRUE;
    if (!merge->live || merge->place.upper != 1 || !media_merge_is_open(merge, medium))
        return FALSE;
    gboolean found = machine_merge_find(machine, (Medium *)medium, medium_parent(medium), &place);
    machine_merge_place_clear(&place);
    return found && place.upper == 0;
}

/* --- after the process has gone --- */

static gboolean
is_free(const Medium *medium)
{
    int fd = medium ? open(medium->record->location, O_RDWR | O_CLOEXEC | O_NONBLOCK) : -1;
    gboolean free = fd < 0 || service_lock_image(fd, TRUE, medium->record->location, NULL);
    if (fd >= 0)
        close(fd);
    return free; /* what cannot be opened, the next step says */
}

static gboolean
both_are_free(const MediaMerge *merge)
{
    return is_free(service_find_medium(merge->service, merge->upper)) &&
           is_free(service_find_medium(merge->service, merge->lower));
}

static gboolean
on_poll(gpointer user_data)
{
    MediaMerge *merge = user_data;
    if (!both_are_free(merge) && merge->polls > 0) {
        merge->polls--;
        return G_SOURCE_CONTINUE;
    }
    task_continue(merge->task, NULL);
    return G_SOURCE_REMOVE;
}

static gboolean
wait_until_free(gpointer data, GError **error)
{
    MediaMerge *merge = *(MediaMerge **)data;
    merge->polls = POLLS_MAX;
    if (both_are_free(merge))
        task_continue(merge->task, NULL);
    else
        g_timeout_add(POLL_MS, on_poll, merge);
    return TRUE;
}

static void
stop_waiting(gpointer data)
{
    MediaMerge *merge = *(MediaMerge **)data;
    merge->polls = 0;
}

void
media_merge_add_wait(MediaMerge *merge)
{
    task_add_wait(merge->task, wait_until_free, stop_waiting);
}

/* By a worker now. */
static void
begin_again(MediaMerge *merge)
{
    merge->at--;
    merge->live = FALSE;
    task_set_rescue(merge->task, NULL);
    task_add_call(merge->task, media_merge_next);
}

/* --- while it runs --- */

static void
on_merged(GError *error, gpointer user_data)
{
    MediaMerge *merge = user_data;
    Machine *machine = service_find_machine(merge->service, merge->machine_id);
    if (error && machine && machine->vm == NULL) {
        g_clear_error(&error);
        begin_again(merge);
    } else if (error == NULL) {
        media_merge_add_probe(merge, service_find_medium(merge->service, merge->lower));
        task_add_call(merge->task, media_merge_tell_those_above);
    }
    task_continue(merge->task, error);
}

static gboolean
merge_live(gpointer data, GError **error)
{
    MediaMerge *merge = *(MediaMerge **)data;
    Machine *machine = service_find_machine(merge->service, merge->machine_id);
    g_autoptr(GError) problem = NULL;
    if (machine_merge_begin(machine, &merge->place,
                            service_find_medium(merge->service, merge->upper),
                            service_find_medium(merge->service, merge->lower), merge->down,
                            merge->task, on_merged, merge, &problem))
        return TRUE;
    on_merged(g_steal_pointer(&problem), merge);
    return TRUE;
}

static void
cancel_live(gpointer data)
{
    MediaMerge *merge = *(MediaMerge **)data;
    Machine *machine = service_find_machine(merge->service, merge->machine_id);
    if (machine)
        machine_merge_cancel(machine);
}

void
media_merge_add_live(MediaMerge *merge)
{
    const Medium *lower = service_find_medium(merge->service, merge->lower);
    const Medium *upper = service_find_medium(merge->service, merge->upper);
    task_add_wait(merge->task, merge_live, cancel_live);
    task_weigh(merge->task, (double)media_merge_cost(lower, upper));
}

/* --- afterwards --- */

static void
not_cancelled(gpointer data)
{
}

/* A process that has not heard of it is gone. */
static void
on_ended(GError *error, gpointer user_data)
{
    MediaMerge *merge = user_data;
    g_clear_error(&error);
    task_continue(merge->task, NULL);
}

static gboolean
end_live(gpointer data, gboolean done)
{
    MediaMerge *merge = *(MediaMerge **)data;
    Machine *machine = service_find_machine(merge->service, merge->machine_id);
    machine_merge_end(machine, done, on_ended, merge);
    return TRUE;
}

static gboolean
keep_shorter(gpointer data, GError **error)
{
    return end_live(data, TRUE);
}

static gboolean
keep_as_before(gpointer data, GError **error)
{
    return end_live(data, FALSE);
}

void
media_merge_end_live(MediaMerge *merge, gboolean done)
{
    const Machine *machine = service_find_machine(merge->service, merge->machine_id);
    if (machine && machine->vm) {
        task_add_wait(merge->task, done ? keep_shorter : keep_as_before, not_cancelled);
        return;
    }
    merge->live = FALSE;
    media_merge_add_wait(merge);
}
