/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Copies and frees records that own texts, and says them as dictionaries. */
#include "app/api/record.h"

#include "app/api/vitrine.h"

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

static gpointer
at(gconstpointer record, const RecordField *field)
{
    return (char *)record + field->offset;
}

void
record_init(const RecordField *fields, guint count, gpointer record)
{
    for (guint i = 0; i < count; i++) {
        if (fields[i].kind == RECORD_TEXT)
            *(char **)at(record, &fields[i]) = g_strdup("");
    }
}

gboolean
record_equal(const RecordField *fields, guint count, gconstpointer a, gconstpointer b)
{
    for (guint i = 0; i < count; i++) {
        gboolean same = fields[i].kind == RECORD_TEXT
                            ? g_str_equal(*(char **)at(a, &fields[i]), *(char **)at(b, &fields[i]))
                            : *(int *)at(a, &fields[i]) == *(int *)at(b, &fields[i]);

        if (!same)
            return FALSE;
    }
    return TRUE;
}

static GVariant *
value_of(gconstpointer record, const RecordField *field)
{
    switch (field->kind) {
    case RECORD_BOOL: return g_variant_new_boolean(*(gboolean *)at(record, field));
    case RECORD_ENUM:
        return g_variant_new_string(vitrine_nick(field->type(), *(int *)at(record, field)));
    case RECORD_TEXT: break;
    }
    return g_variant_new_string(*(char **)at(record, field));
}

GVariant *
record_to_variant(const RecordField *fields, guint count, gconstpointer record)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    for (guint i = 0; i < count; i++)
        g_variant_builder_add(&builder, "{sv}", fields[i].key, value_of(record, &fields[i]));
    return g_variant_builder_end(&builder);
}

static gboolean
take(gpointer record, const RecordField *field, GVariant *value)
{
    char **text;

    if (field->kind == RECORD_BOOL) {
        if (!g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
            return FALSE;
        *(gboolean *)at(record, field) = g_variant_get_boolean(value);
        return TRUE;
    }
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return FALSE;
    if (field->kind == RECORD_ENUM)
        return vitrine_from_nick(field->type(), g_variant_get_string(value, NULL),
                                 (int *)at(record, field));
    text = at(record, field);
    g_free(*text);
    *text = g_variant_dup_string(value, NULL);
    return TRUE;
}

gboolean
record_take_variant(const RecordField *fields, guint count, gpointer record, GVariant *dictionary,
                    const char *what, GError **error)
{
    for (guint i = 0; i < count; i++) {
        g_autoptr(GVariant) value = g_variant_lookup_value(dictionary, fields[i].key, NULL);

        if (value == NULL || take(record, &fields[i], value))
            continue;
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "%s “%s” has a value of the wrong kind.", what, fields[i].key);
        return FALSE;
    }
    return TRUE;
}
