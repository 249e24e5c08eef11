/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Plain records that own texts: the common part of the boxed types. Private to this room. */
#pragma once

#include <gio/gio.h>

#define RECORD_MAX_TEXTS 16

typedef struct {
    gsize size;
    guint count;                   /* of texts */
    gsize texts[RECORD_MAX_TEXTS]; /* offsets of char * */
} RecordType;

gpointer record_copy(const RecordType *type, gconstpointer record);
/* NULL is nothing. */
void record_free(const RecordType *type, gpointer record);

/* --- a record's form on the wire: a dictionary, so that a newer version may have more --- */

typedef enum { RECORD_BOOL, RECORD_ENUM, RECORD_TEXT } RecordKind;

typedef struct {
    RecordKind kind;
    const char *key;
    gsize offset;
    GType (*type)(void); /* of an ENUM */
} RecordField;

/* Texts become "". The record is zeroed before. */
void record_init(const RecordField *fields, guint count, gpointer record);
gboolean record_equal(const RecordField *fields, guint count, gconstpointer a, gconstpointer b);
/* Floating. */
GVariant *record_to_variant(const RecordField *fields, guint count, gconstpointer record);
/* Keys that are absent leave the record as it is. what: names the record in an error. */
gboolean record_take_variant(const RecordField *fields, guint count, gpointer record,
                             GVariant *dictionary, const char *what, GError **error);
