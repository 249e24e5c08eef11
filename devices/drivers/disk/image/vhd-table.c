/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The block allocation table of a VHD file. Blocks may lie anywhere behind the headers at any
 * sector, also before the table, so that they do not overlap is checked in the order of their
 * positions. */
#include <stdlib.h>

#include "devices/drivers/disk/image/vhd-private.h"
#include "vmm/base/error.h"

static int
compare_sectors(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static bool
damaged(const Image *image, const char *what, GError **error)
{
    g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT, "“%s” is damaged: %s.", image->io->name,
                what);
    return false;
}

/* sorted holds the `used` sector numbers; *next ends behind all of them. */
static bool
check_order(Image *image, VhdState *vhd, const uint32_t *sorted, GError **error)
{
    uint64_t stride = vhd->bitmap_size + (uint64_t)vhd->header.block_size;
    uint64_t table = vhd->header.table_offset;
    uint64_t table_end = (table + vhd->header.blocks * 4ull + 511) / 512 * 512;

    for (uint32_t i = 0; i < vhd->used; i++) {
        uint64_t start = sorted[i] * 512ull;

        if (start < vhd->next || (start < table_end && table < start + stride))
            return damaged(image, i == 0 ? "a block lies in its metadata" : "two blocks overlap",
                           error);
        if (start + stride > vhd->file_end)
            return damaged(image, "a block lies past the end of the file", error);
        vhd->next = start + stride;
    }
    vhd->next = MAX(vhd->next, table_end);
    return true;
}

bool
vhd_table_load(Image *image, VhdState *vhd, GError **error)
{
    g_autofree uint32_t *sorted = NULL;

    if (!image_map_load(&vhd->table, image, vhd->header.table_offset, vhd->header.blocks, true,
                        vhd->file_end, error))
        return false;
    sorted = g_try_malloc((size_t)vhd->header.blocks * 4);
    if (sorted == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NO_MEMORY,
                    "There is not enough memory for the block table of “%s”.", image->io->name);
        return false;
    }
    for (uint32_t block = 0; block < vhd->header.blocks; block++) {
        if (vhd->table.entries[block] != VHD_BLOCK_FREE)
            sorted[vhd->used++] = vhd->table.entries[block];
    }
    qsort(sorted, vhd->used, sizeof *sorted, compare_sectors);
    vhd->next = vhd->footer.data_offset + VHD_HEADER_SIZE;
    if (!check_order(image, vhd, sorted, error))
        return false;
    vhd->next = MAX(vhd->next, (MIN(vhd->header.locators_end, vhd->file_end) + 511) / 512 * 512);
    return true;
}
