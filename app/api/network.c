/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The record of a network card, and its form on the wire: a dictionary, so that a newer version may
 * have more. */
#include "app/api/record.h"
#include "app/api/vitrine.h"

#define OFFSET(field) G_STRUCT_OFFSET(VitrineAdapter, field)
#define BOOL(field, key)
#define ENUM(field, key, type)
#define TEXT(field, key) OFFSET(field),
static const RecordType adapter_record = {
    sizeof(VitrineAdapter),
    14,
    {
#include "app/api/adapter-fields.def"
    },
};
#undef BOOL
#undef ENUM
#undef TEXT

typedef enum { FIELD_BOOL, FIELD_ENUM, FIELD_TEXT } FieldKind;

typedef struct {
    FieldKind kind;
    const char *key;
    gsize offset;
    GType (*type)(void);
} Field;

#define BOOL(field, key) {FIELD_BOOL, key, OFFSET(field), NULL},
#define ENUM(field, key, type) {FIELD_ENUM, key, OFFSET(field), vitrine_##type##_get_type},
#define TEXT(field, key) {FIELD_TEXT, key, OFFSET(field), NULL},
static const Field fields[] = {
#include "app/api/adapter-fields.def"
};
#undef BOOL
#undef ENUM
#undef TEXT

G_DEFINE_BOXED_TYPE(VitrineAdapter, vitrine_adapter, vitrine_adapter_copy, vitrine_adapter_free)

static gpointer
at(gconstpointer adapter, const Field *field)
{
    return (char *)adapter + field->offset;
}

char *
vitrine_adapter_new_mac(void)
{
    return g_strdup_printf("080027%06X", (guint)g_random_int() & 0xffffff);
}

void
vitrine_adapter_set_text(char **field, const char *text)
{
    char *copy = g_strdup(text != NULL ? text : "");

    g_free(*field);
    *field = copy;
}

VitrineAdapter *
vitrine_adapter_new(void)
{
    VitrineAdapter *adapter = g_new0(VitrineAdapter, 1);

    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (fields[i].kind == FIELD_TEXT)
            *(char **)at(adapter, &fields[i]) = g_strdup("");
    }
    adapter->type = VITRINE_ADAPTER_I82540EM;
    adapter->cable_connected = TRUE;
    adapter->nat_localhost = TRUE;
    adapter->nat_pass_domain = TRUE;
    return adapter;
}

VitrineAdapter *
vitrine_adapter_copy(const VitrineAdapter *adapter)
{
    return record_copy(&adapter_record, adapter);
}

void
vitrine_adapter_free(VitrineAdapter *adapter)
{
    record_free(&adapter_record, adapter);
}

gboolean
vitrine_adapter_equal(const VitrineAdapter *a, const VitrineAdapter *b)
{
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        gboolean same = fields[i].kind == FIELD_TEXT
                            ? g_str_equal(*(char **)at(a, &fields[i]), *(char **)at(b, &fields[i]))
                            : *(int *)at(a, &fields[i]) == *(int *)at(b, &fields[i]);

        if (!same)
            return FALSE;
    }
    return TRUE;
}

gboolean
vitrine_adapter_is_built(VitrineAdapterType type)
{
    switch (type) {
    case VITRINE_ADAPTER_AM79C970A:
    case VITRINE_ADAPTER_AM79C973:
    case VITRINE_ADAPTER_I82540EM:
    case VITRINE_ADAPTER_I82543GC:
    case VITRINE_ADAPTER_I82545EM:
    case VITRINE_ADAPTER_VIRTIO: return TRUE;
    default: return FALSE;
    }
}

/* --- the wire --- */

static GVariant *
value_of(const VitrineAdapter *adapter, const Field *field)
{
    switch (field->kind) {
    case FIELD_BOOL: return g_variant_new_boolean(*(gboolean *)at(adapter, field));
    case FIELD_ENUM:
        return g_variant_new_string(vitrine_nick(field->type(), *(int *)at(adapter, field)));
    case FIELD_TEXT: break;
    }
    return g_variant_new_string(*(char **)at(adapter, field));
}

GVariant *
vitrine_adapter_to_variant(const VitrineAdapter *adapter)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
        g_variant_builder_add(&builder, "{sv}", fields[i].key, value_of(adapter, &fields[i]));
    return g_variant_builder_end(&builder);
}

static gboolean
take(VitrineAdapter *adapter, const Field *field, GVariant *value)
{
    if (field->kind == FIELD_BOOL) {
        if (!g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
            return FALSE;
        *(gboolean *)at(adapter, field) = g_variant_get_boolean(value);
        return TRUE;
    }
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return FALSE;
    if (field->kind == FIELD_ENUM)
        return vitrine_from_nick(field->type(), g_variant_get_string(value, NULL),
                                 (int *)at(adapter, field));
    vitrine_adapter_set_text(at(adapter, field), g_variant_get_string(value, NULL));
    return TRUE;
}

VitrineAdapter *
vitrine_adapter_from_variant(GVariant *dictionary, GError **error)
{
    g_autoptr(VitrineAdapter) adapter = vitrine_adapter_new();

    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autoptr(GVariant) value = g_variant_lookup_value(dictionary, fields[i].key, NULL);

        if (value == NULL || take(adapter, &fields[i], value))
            continue;
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "A network card's “%s” has a value of the wrong kind.", fields[i].key);
        return NULL;
    }
    return g_steal_pointer(&adapter);
}
