/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asks a VM process to merge images of a disk that it has open; see org.vitrine.VmProcess. */
#include "app/service/machine-merge.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <unistd.h>

#include "app/service/settings/file-error.h"

struct MachineMerging {
    Service *service;
    char *machine_id; /* it may be gone when the VM process answers */
    Task *task;       /* whose step it is; NULL: it is not told how far it is */
    MachineMerged done;
    gpointer user_data;
};

/* How far below top the medium is, and how many levels there are; -1: it is not there. */
static int
level_in_chain(Medium *top, const Medium *medium, guint *levels)
{
    int level = -1;
    *levels = 0;
    for (Medium *at = top; at; at = medium_parent(at)) {
        if (at == medium)
            level = (int)*levels;
        (*levels)++;
    }
    return level;
}

gboolean
machine_merge_find(Machine *machine, Medium *upper, Medium *lower, MergePlace *place)
{
    if (machine->vm == NULL)
        return FALSE;
    GPtrArray *attachments = vitrine_settings_get_attachments(machine->record->settings);
    for (guint i = 0; i < attachments->len; i++) {
        const VitrineAttachment *a = attachments->pdata[i];
        Medium *top = *a->medium ? service_find_medium(machine->service, a->medium) : NULL;
        guint levels;
        int level = top ? level_in_chain(top, upper, &levels) : -1;
        if (level < 0 || medium_parent(upper) != lower)
            continue;
        *place = (MergePlace){.controller = g_strdup(a->controller),
                              .port = a->port,
                              .device = a->device,
                              .levels = levels,
                              .upper = (guint)level};
        return TRUE;
    }
    return FALSE;
}

void
machine_merge_place_clear(MergePlace *place)
{
    g_clear_pointer(&place->controller, g_free);
}

static struct MachineMerging *
merging_new(Machine *machine, Task *task, MachineMerged done, gpointer user_data)
{
    struct MachineMerging *merging = g_new0(struct MachineMerging, 1);
    merging->service = machine->service;
    merging->machine_id = g_strdup(machine->id);
    merging->task = task;
    merging->done = done;
    merging->user_data = user_data;
    return merging;
}

static void
on_reply(GObject *source, GAsyncResult *result, gpointer user_data)
{
    struct MachineMerging *merging = user_data;
    GError *error = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), NULL, result, &error);
    Machine *machine = service_find_machine(merging->service, merging->machine_id);
    if (error)
        g_dbus_error_strip_remote_error(error);
    if (machine && machine->merging == merging)
        machine->merging = NULL;
    merging->done(error, merging->user_data);
    g_free(merging->machine_id);
    g_free(merging);
}

/* The machine has it open for reading and locks it for writing by itself. */
static gboolean
add_target(GVariantBuilder *target, GUnixFDList *fds, const Medium *medium, GError **error)
{
    const MediumRecord *record = medium->record;
    g_auto(GVariantBuilder) parts = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(si)"));
    int fd = open(record->location, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        file_error_set(error, errno, "The medium \"%s\" cannot be opened", record->location);
        return FALSE;
    }
    int index = g_unix_fd_list_append(fds, fd, error);
    close(fd);
    if (index < 0 || !medium_add_parts(&parts, fds, record->location, TRUE, FALSE, error))
        return FALSE;
    g_variant_builder_add(target, "(sssiba(si))", record->id, record->location, record->format,
                          index, FALSE, &parts);
    return TRUE;
}

gboolean
machine_merge_begin(Machine *machine, const MergePlace *place, Medium *upper, Medium *lower,
                    gboolean down, Task *task, MachineMerged done, gpointer user_data,
                    GError **error)
{
    guint from = down ? place->upper : place->upper + 1;
    guint to = down ? place->upper + 1 : place->upper;
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    g_auto(GVariantBuilder) target = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(sssiba(si))"));
    if (machine->vm == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE, "The machine \"%s\" is off.",
                    machine_name(machine));
        return FALSE;
    }
    if (to > 0 && !add_target(&target, fds, down ? lower : upper, error))
        return FALSE;
    machine->merging = merging_new(machine, task, done, user_data);
    g_dbus_connection_call_with_unix_fd_list(
        machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess", "MergeImages",
        g_variant_new("(suuuuua(sssiba(si))s)", place->controller, place->port, place->device,
                      place->levels, from, to, &target, (down ? upper : lower)->record->id),
        NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, fds, NULL, on_reply, machine->merging);
    return TRUE;
}

void
machine_merge_cancel(Machine *machine)
{
    if (machine->vm && machine->merging)
        g_dbus_connection_call(machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess",
                               "CancelMerge", NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL,
                               NULL);
}

void
machine_merge_end(Machine *machine, gboolean done, MachineMerged told, gpointer user_data)
{
    if (machine->vm)
        g_dbus_connection_call_with_unix_fd_list(
            machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess", "EndMerge",
            g_variant_new("(b)", done), NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, NULL,
            on_reply, merging_new(machine, NULL, told, user_data));
    else
        told(NULL, user_data);
}

void
machine_merge_progress(Machine *machine, guint percent)
{
    if (machine->merging && machine->merging->task)
        task_report(machine->merging->task, MIN(percent, 100) / 100.0);
}

static gboolean
on_has_image(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *id,
             Machine *machine)
{
    vitrine_dbus_machine_complete_has_image(skeleton, invocation,
                                            service_find_medium(machine->service, id) != NULL);
    return TRUE;
}

void
machine_connect_merge(Machine *machine)
{
    g_signal_connect(machine->skeleton, "handle-has-image", G_CALLBACK(on_has_image), machine);
}
