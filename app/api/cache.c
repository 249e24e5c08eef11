/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Remote properties as GObject properties; see cache.h. */
#include "app/api/cache.h"

#include "app/api/vitrine-types.h"

Cache *
cache_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
}

static GParamSpec *
make_pspec(const CacheField *field)
{
    GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
    const char *name = field->name;
    switch (field->kind) {
    case 'b': return g_param_spec_boolean(name, name, name, FALSE, flags);
    case 'u': return g_param_spec_uint(name, name, name, 0, G_MAXUINT, 0, flags);
    case 'x': return g_param_spec_int64(name, name, name, G_MININT64, G_MAXINT64, 0, flags);
    case 't': return g_param_spec_uint64(name, name, name, 0, G_MAXUINT64, 0, flags);
    case 'a': return g_param_spec_boxed(name, name, name, G_TYPE_STRV, flags);
    case 'e': return g_param_spec_enum(name, name, name, field->enum_type(), 0, flags);
    case 'v': return g_param_spec_variant(name, name, name, G_VARIANT_TYPE_ANY, NULL, flags);
    default: return g_param_spec_string(name, name, name, "", flags);
    }
}

void
cache_install(GObjectClass *class, const CacheField *fields, guint count)
{
    for (guint i = 0; i < count; i++)
        g_object_class_install_property(class, i + 1, make_pspec(&fields[i]));
}

static GVariant *
lookup(Cache *cache, const char *remote, const char *type)
{
    GVariant *value = g_hash_table_lookup(cache, remote);
    return value && g_variant_is_of_type(value, G_VARIANT_TYPE(type)) ? value : NULL;
}

const char *
cache_string(Cache *cache, const char *remote)
{
    GVariant *value = lookup(cache, remote, "s");
    return value ? g_variant_get_string(value, NULL) : "";
}

guint64
cache_number(Cache *cache, const char *remote)
{
    GVariant *value = g_hash_table_lookup(cache, remote);
    if (value == NULL)
        return 0;
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_UINT32: return g_variant_get_uint32(value);
    case G_VARIANT_CLASS_INT64: return (guint64)g_variant_get_int64(value);
    case G_VARIANT_CLASS_UINT64: return g_variant_get_uint64(value);
    default: return 0;
    }
}

gboolean
cache_bool(Cache *cache, const char *remote)
{
    GVariant *value = lookup(cache, remote, "b");
    return value && g_variant_get_boolean(value);
}

int
cache_enum(Cache *cache, const char *remote, GType enum_type)
{
    int number = 0;
    vitrine_from_nick(enum_type, cache_string(cache, remote), &number);
    return number;
}

void
cache_get_property(Cache *cache, const CacheField *field, GValue *value)
{
    GVariant *strings;
    switch (field->kind) {
    case 'b': g_value_set_boolean(value, cache_bool(cache, field->remote)); break;
    case 'u': g_value_set_uint(value, cache_number(cache, field->remote)); break;
    case 'x': g_value_set_int64(value, (gint64)cache_number(cache, field->remote)); break;
    case 't': g_value_set_uint64(value, cache_number(cache, field->remote)); break;
    case 'a':
        strings = lookup(cache, field->remote, "as");
        g_value_take_boxed(value, strings ? g_variant_dup_strv(strings, NULL) : g_new0(char *, 1));
        break;
    case 'e': g_value_set_enum(value, cache_enum(cache, field->remote, field->enum_type())); break;
    case 'v': g_value_set_variant(value, g_hash_table_lookup(cache, field->remote)); break;
    default: g_value_set_string(value, cache_string(cache, field->remote)); break;
    }
}

/* Whether the value of this property is new. */
static gboolean
take(Cache *cache, const char *remote, GVariant *dictionary)
{
    GVariant *value = g_variant_lookup_value(dictionary, remote, NULL);
    GVariant *old = g_hash_table_lookup(cache, remote);
    if (value == NULL)
        return FALSE;
    if (old && g_variant_equal(old, value)) {
        g_variant_unref(value);
        return FALSE;
    }
    g_hash_table_insert(cache, g_strdup(remote), value);
    return TRUE;
}

void
cache_update(Cache *cache, GObject *object, const CacheField *fields, guint count,
             GVariant *dictionary)
{
    g_object_freeze_notify(object);
    for (guint i = 0; i < count; i++) {
        if (take(cache, fields[i].remote, dictionary))
            g_object_notify(object, fields[i].name);
    }
    g_object_thaw_notify(object);
}
