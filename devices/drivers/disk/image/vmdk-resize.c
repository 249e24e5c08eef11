/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Making a sparse VMDK file larger. The header, one sector that a disk writes whole or not at all,
 * says how large the disk is and where directories and descriptor are; so longer directories with
 * their new tables, and a descriptor that has the new size, are prepared behind the last grain and
 * synced before the header names them. Then the descriptor goes to where it was, for other programs
 * look for it there, and the header follows it. */
#include <string.h>

#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

#define CAPACITY_MAX ((uint64_t)VMDK_MAX_GRAINS * VMDK_DEFAULT_GRAIN * VMDK_SECTOR / 2)

static uint32_t
directory_sectors(uint32_t tables)
{
    return (tables * 4 + VMDK_SECTOR - 1) / VMDK_SECTOR;
}

/* What lies behind the old end in its grain was never shown, and may be anything. */
static bool
clear_tail(Image *image, const VmdkState *vmdk, GError **error)
{
    const uint32_t size = vmdk_grain_bytes(&vmdk->header);
    const uint32_t within = (uint32_t)(image->capacity & (size - 1));
    const uint32_t entry = vmdk->grains.entries[(image->capacity - 1) / size];
    g_autofree uint8_t *zeros = NULL;

    if (within == 0 || !vmdk_is_allocated(vmdk, entry))
        return true;
    zeros = g_malloc0(size - within);
    return image_put(image, (uint64_t)entry * VMDK_SECTOR + within, zeros, size - within, error);
}

/* Lays a longer directory and its new tables at sector `at`; the tables are the zeros that the file
 * has there. Returns the sector behind them. */
static uint64_t
lengthen(ImageMap *directory, Image *image, uint32_t tables, uint64_t at, GError **error)
{
    const uint32_t old = directory->count;
    uint64_t next = at + directory_sectors(tables);

    if (!image_map_grow(directory, image, tables, 0, error))
        return 0;
    directory->position = at * VMDK_SECTOR;
    for (uint32_t table = 0; table < tables; table++) {
        uint32_t sector = directory->entries[table];

        if (table >= old) {
            sector = (uint32_t)next;
            next += VMDK_TABLE_SECTORS;
        }
        image_map_set(directory, table, sector);
    }
    return next;
}

/* Sectors that a directory with that many tables more takes. */
static uint64_t
sectors_for(uint32_t tables, uint32_t added)
{
    return directory_sectors(tables) + (uint64_t)added * VMDK_TABLE_SECTORS;
}

static bool
extend_file(Image *image, VmdkState *vmdk, uint64_t end, GError **error)
{
    if (end / VMDK_SECTOR > G_MAXUINT32)
        return image_refuse(error, BASE_ERROR_NO_SPACE, image->io->name,
                            "it has no room for longer tables");
    image->unsynced = true;
    /* What an earlier attempt left behind is no table. */
    if (!image_io_truncate(image->io, vmdk->next, error) ||
        !image_io_truncate(image->io, end, error))
        return false;
    vmdk->file_end = end;
    return true;
}

static bool
lengthen_tables(Image *image, VmdkState *vmdk, VmdkHeader *header, GError **error)
{
    const uint32_t tables = vmdk_table_count(header), old = vmdk->directory.count;
    const bool copies = vmdk->redundant.count > 0;
    const uint64_t at = vmdk->next / VMDK_SECTOR;
    const uint64_t sectors = sectors_for(tables, tables - old) * (copies ? 2 : 1);
    uint64_t next = at;

    if (tables == old)
        return true;
    if (!extend_file(image, vmdk, (at + sectors) * VMDK_SECTOR, error) ||
        !image_map_grow(&vmdk->grains, image, tables * VMDK_TABLE_ENTRIES, VMDK_GRAIN_FREE, error))
        return false;
    image_map_written(&vmdk->grains);
    if (copies) {
        header->redundant = next;
        next = lengthen(&vmdk->redundant, image, tables, next, error);
        if (next == 0 || !image_map_write(&vmdk->redundant, image, error))
            return false;
        image_map_written(&vmdk->redundant);
    }
    header->directory = next;
    next = lengthen(&vmdk->directory, image, tables, next, error);
    if (next == 0 || !image_map_write(&vmdk->directory, image, error))
        return false;
    image_map_written(&vmdk->directory);
    vmdk->next = next * VMDK_SECTOR;
    return true;
}

static bool
put_header(Image *image, VmdkState *vmdk, const VmdkHeader *header, GError **error)
{
    vmdk->header = *header;
    vmdk_header_encode(header, vmdk->raw_header);
    return image_put(image, 0, vmdk->raw_header, VMDK_SECTOR, error) && image_sync(image, error);
}

/* A part of an image in several files has no descriptor of its own. */
static bool
switch_with_descriptor(Image *image, VmdkState *vmdk, VmdkHeader *header, GError **error)
{
    const uint64_t place = header->descriptor, behind = vmdk->next;
    const uint64_t room = header->descriptor_size * VMDK_SECTOR;

    if (!vmdk_descriptor_resize(image, &vmdk->descriptor, header->capacity * VMDK_SECTOR, error) ||
        !extend_file(image, vmdk, behind + room, error) ||
        !vmdk_descriptor_write(image, &vmdk->descriptor, behind, error) ||
        !image_sync(image, error))
        return false;
    header->descriptor = behind / VMDK_SECTOR;
    if (!put_header(image, vmdk, header, error) ||
        !vmdk_descriptor_write(image, &vmdk->descriptor, place * VMDK_SECTOR, error) ||
        !image_sync(image, error))
        return false;
    header->descriptor = place;
    if (!put_header(image, vmdk, header, error))
        return false;
    image->unsynced = true;
    vmdk->file_end = behind;
    return image_io_truncate(image->io, behind, error);
}

static bool
grow(Image *image, VmdkState *vmdk, uint64_t capacity, GError **error)
{
    const uint32_t size = vmdk_grain_bytes(&vmdk->header);
    VmdkHeader header = vmdk->header;
    bool ok;

    header.capacity = capacity / VMDK_SECTOR;
    if (!clear_tail(image, vmdk, error) || !lengthen_tables(image, vmdk, &header, error) ||
        !image_sync(image, error))
        return false;
    ok = image->outer != NULL ? put_header(image, vmdk, &header, error)
                              : switch_with_descriptor(image, vmdk, &header, error);
    if (!ok)
        return false;
    /* Grains go on where they lie well for the host. */
    vmdk->next = (vmdk->next + size - 1) / size * size;
    image->capacity = capacity;
    return true;
}

bool
vmdk_resize(Image *image, uint64_t capacity, const ImageProgressSink *sink, GError **error)
{
    VmdkState *vmdk = image->state;

    if (capacity > CAPACITY_MAX) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_INVALID,
                            "A VMDK image can't be larger than 2 TiB.");
        return false;
    }
    if (grow(image, vmdk, capacity, error))
        return true;
    /* Memory has gone ahead of the file, which is as it was: nothing more may be written. */
    image->writable = false;
    return false;
}
