/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Copies and frees records that own texts. */
#include "app/api/record.h"

gpointer
record_copy(const RecordType *type, gconstpointer record)
{
    gpointer copy = g_memdup2(record, type->size);
    for (guint i = 0; i < type->count; i++) {
        char **text = G_STRUCT_MEMBER_P(copy, type->texts[i]);
        *text = g_strdup(*text);
    }
    return copy;
}

void
record_free(const RecordType *type, gpointer record)
{
    if (record == NULL)
        return;
    for (guint i = 0; i < type->count; i++)
        g_free(G_STRUCT_MEMBER(char *, record, type->texts[i]));
    g_free(record);
}
