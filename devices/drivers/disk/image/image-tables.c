/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Two-level tables: bounded in the file when they are loaded and when a second-level table is. */
#include "devices/drivers/disk/image/image-tables.h"

#include "vmm/base/error.h"

/* 16 million entries of the first level: 128 MiB. */
#define FIRST_MAX (16ull << 20)
/* 16 MiB in one table of the second level; the largest that is usual has 256 KiB. */
#define SECOND_MAX (2u << 20)
/* So many tables of the second level are kept; then they are dropped together. */
#define CACHE_BYTES (32u << 20)

static uint64_t *
read_table(const ImageTables *tables, Image *image, uint64_t position, uint64_t count,
           GError **error)
{
    g_autofree uint64_t *table = NULL;

    if (position > tables->file_end || count > (tables->file_end - position) / 8) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "“%s” is damaged: a table lies past the end of the file.", image->io->name);
        return NULL;
    }
    table = g_try_malloc(count * 8);
    if (table == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NO_MEMORY,
                    "There is not enough memory for the tables of “%s”.", image->io->name);
        return NULL;
    }
    if (!image_io_read(image->io, position, table, count * 8, error))
        return NULL;
    for (uint64_t i = 0; i < count; i++)
        table[i] = tables->big_endian ? GUINT64_FROM_BE(table[i]) : GUINT64_FROM_LE(table[i]);
    return g_steal_pointer(&table);
}

bool
image_tables_load(ImageTables *tables, Image *image, uint64_t position, GError **error)
{
    if (tables->first_count > FIRST_MAX || tables->second_count > SECOND_MAX)
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
                            "its tables are larger than any that is in use");
    tables->first = read_table(tables, image, position, tables->first_count, error);
    if (tables->first == NULL)
        return false;
    tables->cache = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    return true;
}

void
image_tables_clear(ImageTables *tables)
{
    g_clear_pointer(&tables->first, g_free);
    g_clear_pointer(&tables->cache, g_hash_table_unref);
}

static const uint64_t *
second_table(ImageTables *tables, Image *image, uint64_t position, GError **error)
{
    const uint64_t *cached = g_hash_table_lookup(tables->cache, &position);
    uint64_t *table;

    if (cached != NULL)
        return cached;
    table = read_table(tables, image, position, tables->second_count, error);
    if (table == NULL)
        return NULL;
    if (g_hash_table_size(tables->cache) >= MAX(CACHE_BYTES / 8 / tables->second_count, 2))
        g_hash_table_remove_all(tables->cache);
    g_hash_table_insert(tables->cache, g_memdup2(&position, sizeof position), table);
    return table;
}

bool
image_tables_lookup(ImageTables *tables, Image *image, uint64_t cluster, uint64_t *entry,
                    GError **error)
{
    const uint64_t position = tables->first[cluster / tables->second_count] & tables->mask;
    const uint64_t *table;

    *entry = 0;
    if (position == 0)
        return true;
    table = second_table(tables, image, position, error);
    if (table == NULL)
        return false;
    *entry = table[cluster % tables->second_count];
    return true;
}
