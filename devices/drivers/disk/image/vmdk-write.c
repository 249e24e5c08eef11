/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writing to a VMDK file so that it survives a loss of power at any moment:
 *
 *  - before the first write of a session the header says that the image is open, and the
 *    descriptor gets a new CID and modification UUID; both are synced;
 *  - a new grain goes behind all that is used, whole; a table that is missing goes there too, as
 *    zeros; what refers to them changes in memory only;
 *  - a flush syncs that, then writes the changed sectors of both sets of tables and of both
 *    directories, and syncs again.
 *
 * So nothing on the disk refers to data that is not there yet. Between the redundant tables and
 * the first ones a cut can leave a difference; the first ones count. */
#include <string.h>

#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

/* Without a flush by the guest, so many new grains may be lost when the process is killed. */
#define PENDING_GRAINS_MAX 1024

static bool
start_session(Image *image, VmdkState *vmdk, GError **error)
{
    vmdk_header_set_unclean(vmdk->raw_header, true);
    if (!image_put(image, 0, vmdk->raw_header, VMDK_SECTOR, error))
        return false;
    /* A part's descriptor is in another file, which sees to itself. */
    if (image->outer == NULL && !image->keeps_modification) {
        vmdk_descriptor_renew(&vmdk->descriptor);
        if (!vmdk_descriptor_write(image, &vmdk->descriptor, vmdk->header.descriptor * VMDK_SECTOR,
                                   error))
            return false;
    }
    if (!image_sync(image, error))
        return false;
    image->started = true;
    return true;
}

void
vmdk_end_session(Image *image, VmdkState *vmdk)
{
    /* An image with unsynced changes was not closed in order. */
    if (!image->started || image->lost || image->unsynced)
        return;
    vmdk_header_set_unclean(vmdk->raw_header, false);
    image_io_write(image->io, 0, vmdk->raw_header, VMDK_SECTOR, NULL);
}

static bool
append(Image *image, VmdkState *vmdk, const void *data, uint32_t length, uint32_t *sector,
       GError **error)
{
    const uint64_t start = vmdk->next / VMDK_SECTOR;

    if (start > G_MAXUINT32) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NO_SPACE, "“%s” has no room for more grains.",
                    image->io->name);
        return false;
    }
    if (!image_put(image, vmdk->next, data, length, error))
        return false;
    *sector = (uint32_t)start;
    vmdk->next += length;
    vmdk->file_end = MAX(vmdk->file_end, vmdk->next);
    return true;
}

/* Makes a grain table, or its copy, where the directory has none. */
static bool
ensure_table(Image *image, VmdkState *vmdk, ImageMap *directory, uint32_t table, GError **error)
{
    const uint8_t zeros[VMDK_TABLE_SECTORS * VMDK_SECTOR] = {0};
    uint32_t sector;

    if (directory->count == 0 || directory->entries[table] != 0)
        return true;
    if (!append(image, vmdk, zeros, sizeof zeros, &sector, error))
        return false;
    image_map_set(directory, table, sector);
    return true;
}

/* The whole grain in one write: what the chain below has, and the new part. */
static bool
allocate_grain(Image *image, VmdkState *vmdk, uint32_t grain, uint32_t within, const void *buffer,
               uint32_t length, GError **error)
{
    const uint32_t size = vmdk_grain_bytes(&vmdk->header), table = grain / VMDK_TABLE_ENTRIES;
    const uint64_t start = (uint64_t)grain * size, below = MIN(size, image->capacity - start);
    const bool hidden = vmdk->grains.entries[grain] != VMDK_GRAIN_FREE;
    g_autofree uint8_t *whole = g_malloc0(size);
    uint32_t sector;

    if (!hidden && image_has_parent(image) && !image_read_below(image, start, whole, below, error))
        return false;
    memcpy(whole + within, buffer, length);
    if (!ensure_table(image, vmdk, &vmdk->directory, table, error) ||
        !ensure_table(image, vmdk, &vmdk->redundant, table, error) ||
        !append(image, vmdk, whole, size, &sector, error))
        return false;
    image_map_set(&vmdk->grains, grain, sector);
    vmdk->used++;
    vmdk->pending++;
    return true;
}

static bool
write_in_grain(Image *image, VmdkState *vmdk, uint32_t grain, uint32_t within, const void *buffer,
               uint32_t length, GError **error)
{
    const uint32_t entry = vmdk->grains.entries[grain];

    if (vmdk_is_allocated(vmdk, entry))
        return image_put(image, (uint64_t)entry * VMDK_SECTOR + within, buffer, length, error);
    if ((entry != VMDK_GRAIN_FREE || !image_has_parent(image)) && image_is_zero(buffer, length))
        return true;
    return allocate_grain(image, vmdk, grain, within, buffer, length, error);
}

bool
vmdk_write(Image *image, uint64_t offset, const void *buffer, size_t length, GError **error)
{
    VmdkState *vmdk = image->state;
    const uint32_t size = vmdk_grain_bytes(&vmdk->header);
    const uint8_t *bytes = buffer;

    if (!image->started && !start_session(image, vmdk, error))
        return false;
    while (length > 0) {
        const uint32_t within = (uint32_t)(offset & (size - 1));
        const uint32_t part = (uint32_t)MIN(length, size - within);

        if (!write_in_grain(image, vmdk, (uint32_t)(offset / size), within, bytes, part, error))
            return false;
        bytes += part;
        offset += part;
        length -= part;
    }
    return vmdk->pending < PENDING_GRAINS_MAX || vmdk_flush(image, error);
}

static bool
write_tables(Image *image, const VmdkState *vmdk, const ImageMap *directory, GError **error)
{
    if (directory->count == 0)
        return true;
    return image_map_write_pieces(&vmdk->grains, image, directory->entries, VMDK_TABLE_SECTORS,
                                  error) &&
           image_map_write(directory, image, error);
}

bool
vmdk_flush(Image *image, GError **error)
{
    if (!image_sync(image, error))
        return false;
    return !image->started || vmdk_flush_tables(image, error);
}

bool
vmdk_flush_tables(Image *image, GError **error)
{
    VmdkState *vmdk = image->state;

    if (vmdk->grains.dirty_sectors == 0 && vmdk->directory.dirty_sectors == 0 &&
        vmdk->redundant.dirty_sectors == 0)
        return true;
    if (!write_tables(image, vmdk, &vmdk->directory, error) ||
        !write_tables(image, vmdk, &vmdk->redundant, error) || !image_sync(image, error))
        return false;
    image_map_written(&vmdk->grains);
    image_map_written(&vmdk->directory);
    if (vmdk->redundant.count > 0)
        image_map_written(&vmdk->redundant);
    vmdk->pending = 0;
    return true;
}
