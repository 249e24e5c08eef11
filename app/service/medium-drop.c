/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Differencing images that nobody needs any more. Only what the service itself made for snapshots
 * goes by itself: files in a machine's snapshot folder that carry their UUID as their name. */
#include <string.h>

#include "app/service/machine.h"
#include "app/service/medium.h"

gboolean
medium_is_unused(Medium *medium)
{
    return medium_user(medium, NULL) == NULL;
}

gboolean
medium_is_own_child(Medium *medium, Machine *machine)
{
    const MediumRecord *record = medium->record;
    g_autofree char *snapshots = machine_snapshot_folder(machine);
    g_autofree char *folder = g_path_get_dirname(record->location);
    g_autofree char *name = g_path_get_basename(record->location);
    return *record->parent && g_str_equal(folder, snapshots) && *name == '{' &&
           g_ascii_strncasecmp(name + 1, record->id, strlen(record->id)) == 0;
}

static gboolean
has_children(Medium *medium)
{
    g_autoptr(GPtrArray) children = medium_children(medium);
    for (guint i = 0; i < children->len; i++) {
        const Medium *child = children->pdata[i];
        if (!child->dropped)
            return TRUE;
    }
    return FALSE;
}

void
media_drop_chain(Medium *leaf, Machine *machine, Journal *journal, GPtrArray *dropped)
{
    for (Medium *medium = leaf; medium; medium = medium_parent(medium)) {
        if (medium->dropped || has_children(medium) || !medium_is_own_child(medium, machine) ||
            (medium != leaf && !medium_is_unused(medium)))
            break;
        medium->dropped = TRUE;
        g_ptr_array_add(dropped, medium);
        if (journal)
            journal_add_file(journal, medium->record->location);
    }
}

void
media_finish_drop(GPtrArray *dropped, gboolean saved)
{
    for (guint i = 0; i < dropped->len; i++) {
        Medium *medium = dropped->pdata[i];
        medium->dropped = FALSE;
        if (saved)
            medium_remove(medium);
    }
    g_ptr_array_set_size(dropped, 0);
}
