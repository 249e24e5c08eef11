/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The record of a network card, and its form on the wire: a dictionary, so that a newer version may
 * have more. */
#include "app/api/record.h"
#include "app/api/settings-private.h"
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

#define BOOL(field, key) {RECORD_BOOL, key, OFFSET(field), NULL},
#define ENUM(field, key, type) {RECORD_ENUM, key, OFFSET(field), vitrine_##type##_get_type},
#define TEXT(field, key) {RECORD_TEXT, key, OFFSET(field), NULL},
static const RecordField fields[] = {
#include "app/api/adapter-fields.def"
};
#undef BOOL
#undef ENUM
#undef TEXT

G_DEFINE_BOXED_TYPE(VitrineAdapter, vitrine_adapter, vitrine_adapter_copy, vitrine_adapter_free)

char *
vitrine_adapter_new_mac(void)
{
    return g_strdup_printf("080027%06X", (guint)g_random_int() & 0xffffff);
}

char *
vitrine_plain_mac(const char *text)
{
    g_auto(GStrv) parts = g_strsplit_set(text, ":- ", -1);
    g_autofree char *joined = g_strjoinv("", parts);

    return g_ascii_strup(joined, -1);
}

/* Numbers at the end that are left out are 0. */
char *
vitrine_plain_range(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    g_auto(GStrv) numbers = g_strsplit(parts[0] != NULL ? parts[0] : "", ".", -1);
    g_autoptr(GString) address = g_string_new(parts[0]);
    guint64 bits = 24;
    guint32 number;

    for (guint i = g_strv_length(numbers); i < 4; i++)
        g_string_append(address, ".0");
    if (!vitrine_parse_ipv4(address->str, &number) ||
        (parts[1] != NULL && !g_ascii_string_to_unsigned(parts[1], 10, 8, 27, &bits, NULL)))
        return NULL;
    return g_strdup_printf("%s/%u", address->str, (guint)bits);
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

    record_init(fields, G_N_ELEMENTS(fields), adapter);
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
    return record_equal(fields, G_N_ELEMENTS(fields), a, b);
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
    case VITRINE_ADAPTER_NE2000:
    case VITRINE_ADAPTER_VIRTIO: return TRUE;
    default: return FALSE;
    }
}

/* --- the wire --- */

GVariant *
vitrine_adapter_to_variant(const VitrineAdapter *adapter)
{
    return record_to_variant(fields, G_N_ELEMENTS(fields), adapter);
}

VitrineAdapter *
vitrine_adapter_from_variant(GVariant *dictionary, GError **error)
{
    g_autoptr(VitrineAdapter) adapter = vitrine_adapter_new();

    return record_take_variant(fields, G_N_ELEMENTS(fields), adapter, dictionary,
                               "A network card's", error)
               ? g_steal_pointer(&adapter)
               : NULL;
}
