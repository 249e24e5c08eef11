/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Plain records that own texts: the common part of the boxed types. Private to this room. */
#pragma once

#include <glib.h>

#define RECORD_MAX_TEXTS 16

typedef struct {
    gsize size;
    guint count;                   /* of texts */
    gsize texts[RECORD_MAX_TEXTS]; /* offsets of char * */
} RecordType;

gpointer record_copy(const RecordType *type, gconstpointer record);
/* NULL is nothing. */
void record_free(const RecordType *type, gpointer record);
