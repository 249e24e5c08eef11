/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Media that the guest ejects: the service hears of them, and a saved state knows which drives were
 * emptied. Manual, chapter VBoxManage, "storageattach --tempeject". */
#include "app/console/console-private.h"

void
console_eject_watch(Console *console, const ConsoleDrive *drive)
{
    const PdmMediaConnector *connector = console_media_connector(console, drive);

    if (connector != NULL && connector->watch_ejects != NULL)
        connector->watch_ejects(connector->user, console_medium_ejected, console);
}

static void
tell(Console *console, const ConsoleDrive *drive)
{
    vitrine_vm_session_medium_ejected(console->session, drive->controller, drive->port,
                                      drive->device);
}

void
console_eject_tell(Console *console)
{
    for (guint i = 0; console->vmm != NULL && i < console->drives->len; i++) {
        const ConsoleDrive *drive = &g_array_index(console->drives, ConsoleDrive, i);
        const PdmMediaConnector *connector = console_media_connector(console, drive);

        if (connector == NULL || connector->take_ejected == NULL ||
            !connector->take_ejected(connector->user))
            continue;
        console_log_printf(console->log, "The guest has ejected the medium of %s, port %u.",
                           drive->controller, drive->port);
        tell(console, drive);
    }
}

void
console_eject_tell_again(gpointer data)
{
    Console *console = data;

    for (guint i = 0; console->vmm != NULL && i < console->drives->len; i++) {
        const ConsoleDrive *drive = &g_array_index(console->drives, ConsoleDrive, i);
        const PdmMediaConnector *connector = console_media_connector(console, drive);

        if (connector != NULL && connector->is_ejected != NULL &&
            connector->is_ejected(connector->user))
            tell(console, drive);
    }
}

/* --- in saved states --- */

typedef struct {
    const PdmMediaConnector *connector;
    char *line;
} Entry;

static void
entry_free(gpointer data)
{
    Entry *entry = data;

    g_free(entry->line);
    g_free(entry);
}

static char *
line_of(const ConsoleDrive *drive)
{
    const VitrineAttachment attachment = {
        .controller = drive->controller, .port = drive->port, .device = drive->device};
    g_autofree char *place = vitrine_attachment_place(&attachment);

    return g_strdup_printf("%s %s\n", drive->medium, place);
}

GPtrArray *
console_eject_list(const Console *console)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(entry_free);

    for (guint i = 0; i < console->drives->len; i++) {
        const ConsoleDrive *drive = &g_array_index(console->drives, ConsoleDrive, i);
        const PdmMediaConnector *connector = console_media_connector(console, drive);

        if (connector == NULL || connector->is_ejected == NULL || *drive->medium == '\0')
            continue;
        Entry *entry = g_new0(Entry, 1);
        entry->connector = connector;
        entry->line = line_of(drive);
        g_ptr_array_add(list, entry);
    }
    return list;
}

GBytes *
console_eject_record(const GPtrArray *list)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++) {
        const Entry *entry = list->pdata[i];

        if (entry->connector->is_ejected(entry->connector->user))
            g_string_append(text, entry->line);
    }
    if (text->len > 0)
        return g_string_free_to_bytes(text);
    g_string_free(text, TRUE);
    return NULL;
}
