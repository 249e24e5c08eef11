/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Compacting a sparse VMDK file: grains of zeros leave the tables, then grains from the end of the
 * file move to where there is room for one, then the file is cut. Directories and tables stay where
 * they are. */
#include "devices/drivers/disk/image/image-pack.h"
#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

/* Finding zeros is that share of the work. */
#define ZEROS_SHARE 0.6

/* What stands for zeros. In a differencing image a missing grain shows what the parent has, and not
 * every file may say that there are zeros instead. */
static bool
find_word_for_zeros(const Image *image, const VmdkState *vmdk, uint32_t *word)
{
    *word = image_has_parent(image) ? VMDK_GRAIN_ZERO : VMDK_GRAIN_FREE;
    return !image_has_parent(image) || (vmdk->header.flags & VMDK_FLAG_ZERO_GRAINS) != 0;
}

static bool
drop_zero_grains(Image *image, VmdkState *vmdk, const ImageProgressSink *sink, GError **error)
{
    const uint32_t size = vmdk_grain_bytes(&vmdk->header);
    g_autofree uint8_t *buffer = g_malloc(size);
    uint32_t word;

    if (!find_word_for_zeros(image, vmdk, &word))
        return true;
    for (uint32_t grain = 0; grain < vmdk->grains.count; grain++) {
        const uint32_t entry = vmdk->grains.entries[grain];

        if (!image_report(sink, ZEROS_SHARE * grain / vmdk->grains.count, error))
            return false;
        if (!vmdk_is_allocated(vmdk, entry))
            continue;
        if (!image_io_read(image->io, (uint64_t)entry * VMDK_SECTOR, buffer, size, error))
            return false;
        if (!image_is_zero(buffer, size))
            continue;
        image_map_set(&vmdk->grains, grain, word);
        vmdk->used--;
        vmdk->pending++;
    }
    return image_sync(image, error) && vmdk_flush_tables(image, error);
}

static GArray *
collect_grains(const VmdkState *vmdk)
{
    GArray *places = g_array_new(FALSE, FALSE, sizeof(ImagePlace));

    for (uint32_t grain = 0; grain < vmdk->grains.count; grain++) {
        const ImagePlace place = {grain, vmdk->grains.entries[grain]};

        if (vmdk_is_allocated(vmdk, place.sector))
            g_array_append_val(places, place);
    }
    return places;
}

static void
add_taken(GArray *taken, uint64_t sector, uint64_t sectors)
{
    const ImageTaken range = {sector * VMDK_SECTOR, (sector + sectors) * VMDK_SECTOR};

    g_array_append_val(taken, range);
}

static void
add_directory(GArray *taken, const ImageMap *directory)
{
    if (directory->count == 0)
        return;
    add_taken(taken, directory->position / VMDK_SECTOR,
              (directory->count * 4ull + VMDK_SECTOR - 1) / VMDK_SECTOR);
    for (uint32_t table = 0; table < directory->count; table++) {
        if (directory->entries[table] != 0)
            add_taken(taken, directory->entries[table], VMDK_TABLE_SECTORS);
    }
}

static GArray *
collect_taken(const VmdkState *vmdk)
{
    GArray *taken = g_array_new(FALSE, FALSE, sizeof(ImageTaken));

    add_taken(taken, 0, 1);
    if (vmdk->header.descriptor != 0)
        add_taken(taken, vmdk->header.descriptor, vmdk->header.descriptor_size);
    add_directory(taken, &vmdk->directory);
    add_directory(taken, &vmdk->redundant);
    return taken;
}

static bool
moved(Image *image, const ImagePlace *places, unsigned count, GError **error)
{
    VmdkState *vmdk = image->state;

    for (unsigned i = 0; i < count; i++)
        image_map_set(&vmdk->grains, places[i].block, places[i].sector);
    vmdk->pending += count;
    return image_sync(image, error) && vmdk_flush_tables(image, error);
}

static bool
cut_file(Image *image, VmdkState *vmdk, const GArray *taken, GError **error)
{
    const uint32_t size = vmdk_grain_bytes(&vmdk->header);
    uint64_t end = MIN(vmdk->header.overhead * VMDK_SECTOR, vmdk->next);

    for (guint i = 0; i < taken->len; i++)
        end = MAX(end, g_array_index(taken, ImageTaken, i).end);
    for (uint32_t grain = 0; grain < vmdk->grains.count; grain++) {
        if (vmdk_is_allocated(vmdk, vmdk->grains.entries[grain]))
            end = MAX(end, (uint64_t)vmdk->grains.entries[grain] * VMDK_SECTOR + size);
    }
    vmdk->next = end;
    vmdk->leaked = 0;
    if (vmdk->file_end <= end)
        return true;
    image->unsynced = true;
    vmdk->file_end = end;
    return image_io_truncate(image->io, end, error);
}

bool
vmdk_compact(Image *image, const ImageProgressSink *sink, GError **error)
{
    VmdkState *vmdk = image->state;
    g_autoptr(GArray) places = NULL;
    g_autoptr(GArray) taken = NULL;

    if (!drop_zero_grains(image, vmdk, sink, error))
        return false;
    places = collect_grains(vmdk);
    taken = collect_taken(vmdk);
    const ImagePacking packing = {
        .stride = vmdk_grain_bytes(&vmdk->header),
        .first = MIN(vmdk->header.overhead * VMDK_SECTOR, vmdk->next),
        .places = places,
        .taken = taken,
        .moved = moved,
    };
    return image_pack(image, &packing, ZEROS_SHARE, sink, error) &&
           cut_file(image, vmdk, taken, error);
}
