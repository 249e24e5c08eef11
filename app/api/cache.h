/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a remote object last said about itself: its D-Bus properties, offered as read-only GObject
 * properties by a table. Private to this room. */
#pragma once

#include <gio/gio.h>

/* A row: D-Bus property, GObject property, its kind, and the type of an enumeration (else NULL).
 * Kinds: 's' string, 'b' boolean, 'u' uint, 'x' int64, 't' uint64, 'a' strv, 'e' enumeration as a
 * word, 'v' whatever it is. */
typedef struct {
    const char *remote;
    const char *name;
    char kind;
    GType (*enum_type)(void);
} CacheField;

typedef GHashTable Cache; /* D-Bus property -> GVariant */

Cache *cache_new(void);
/* Installs the properties; ids are index + 1. */
void cache_install(GObjectClass *class, const CacheField *fields, guint count);
void cache_get_property(Cache *cache, const CacheField *field, GValue *value);
/* Takes the values that are there and notifies those that differ. */
void cache_update(Cache *cache, GObject *object, const CacheField *fields, guint count,
                  GVariant *dictionary);

/* Values belong to the cache until they change; defaults are "", 0, FALSE and an empty list. */
const char *cache_string(Cache *cache, const char *remote);
guint64 cache_number(Cache *cache, const char *remote);
gboolean cache_bool(Cache *cache, const char *remote);
int cache_enum(Cache *cache, const char *remote, GType enum_type);
