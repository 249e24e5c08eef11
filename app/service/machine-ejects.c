/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Media that the guest has ejected although the settings keep them. Manual, chapter VBoxManage,
 * "storageattach --tempeject". The VM process tells of them while it runs, and a saved state has
 * those of its moment: what the machine continues with, and what a snapshot had. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "app/api/state-tail.h"
#include "app/service/machine.h"

/* The lines of a saved state's record; NULL: it has none. */
static GStrv
read_lines(const char *state_file)
{
    int fd = *state_file ? open(state_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
    g_autoptr(GBytes) record = fd >= 0 ? state_tail_read(fd, STATE_TAIL_EJECTED) : NULL;
    if (fd >= 0)
        close(fd);
    if (record == NULL)
        return NULL;
    gsize length;
    const char *data = g_bytes_get_data(record, &length);
    g_autofree char *text = g_strndup(data, length);
    return g_strsplit(text, "\n", -1);
}

/* Places of drives that were empty when the state was saved and still have the same medium in the
 * settings. The file is hostile: only what the settings have comes out of it. */
static GStrv
read_ejected(const char *state_file, VitrineSettings *settings)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    g_auto(GStrv) lines = read_lines(state_file);
    g_autoptr(GPtrArray) places = g_ptr_array_new();
    for (guint i = 0; lines && i < attachments->len; i++) {
        const VitrineAttachment *a = attachments->pdata[i];
        g_autofree char *place = vitrine_attachment_place(a);
        g_autofree char *line = g_strconcat(a->medium, " ", place, NULL);
        if (*a->medium && a->kind != VITRINE_MEDIUM_KIND_HARD_DISK &&
            g_strv_contains((const char *const *)lines, line))
            g_ptr_array_add(places, g_steal_pointer(&place));
    }
    g_ptr_array_add(places, NULL);
    return (GStrv)g_ptr_array_steal(places, NULL);
}

void
machine_find_ejected(Machine *machine)
{
    g_auto(GStrv) places =
        machine->record ? read_ejected(machine->record->state_file, machine->record->settings)
                        : g_new0(char *, 1);
    vitrine_dbus_machine_set_ejected_drives(machine->skeleton, (const char *const *)places);
}

void
machine_note_ejected(Machine *machine, const VitrineAttachment *attachment, gboolean ejected)
{
    g_autofree char *place = vitrine_attachment_place(attachment);
    const char *const *before = vitrine_dbus_machine_get_ejected_drives(machine->skeleton);
    g_autoptr(GPtrArray) places = g_ptr_array_new();
    for (guint i = 0; before && before[i]; i++) {
        if (!g_str_equal(before[i], place))
            g_ptr_array_add(places, (gpointer)before[i]);
    }
    if (ejected)
        g_ptr_array_add(places, place);
    g_ptr_array_add(places, NULL);
    vitrine_dbus_machine_set_ejected_drives(machine->skeleton, (const char *const *)places->pdata);
}

static gboolean
on_get_ejected(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *id,
               Machine *machine)
{
    GError *error = NULL;
    if (machine->record == NULL)
        return service_refuse(invocation, VITRINE_ERROR_STATE, "%s", machine->access_error);
    const SnapshotRecord *record = machine_find_snapshot(machine, id);
    if (record == NULL)
        return service_refuse(invocation, VITRINE_ERROR_NOT_FOUND, "There is no snapshot {%s}.",
                              id);
    g_autoptr(VitrineSettings) settings =
        snapshot_file_read_settings(machine->file, record->id, machine->record->settings, &error);
    if (settings == NULL)
        return service_fail(invocation, error);
    g_auto(GStrv) places = read_ejected(record->state_file, settings);
    vitrine_dbus_machine_complete_get_snapshot_ejected_drives(skeleton, invocation,
                                                              (const char *const *)places);
    return TRUE;
}

void
machine_connect_ejects(Machine *machine)
{
    g_signal_connect(machine->skeleton, "handle-get-snapshot-ejected-drives",
                     G_CALLBACK(on_get_ejected), machine);
}
