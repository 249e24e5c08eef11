/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Two levels of tables of 64-bit entries, as QCOW and QED have them: the first is held in memory,
 * those of the second are read when they are needed. For reading only. */
#pragma once

#include "devices/drivers/disk/image/image-format.h"

typedef struct {
    uint64_t *first;
    uint64_t first_count;
    uint32_t second_count; /* entries of each table of the second level */
    uint64_t mask;         /* bits of a first-level entry that are a position in the file */
    bool big_endian;
    uint64_t file_end;
    GHashTable *cache; /* position to table */
} ImageTables;

/* first, first_count, mask, big_endian, second_count and file_end are set by the caller. Reads the
 * first level at position. */
bool image_tables_load(ImageTables *tables, Image *image, uint64_t position, GError **error);
void image_tables_clear(ImageTables *tables);
/* The second level's entry of that cluster; 0 where there is no table. */
bool image_tables_lookup(ImageTables *tables, Image *image, uint64_t cluster, uint64_t *entry,
                         GError **error);
