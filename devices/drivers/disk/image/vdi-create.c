/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * New VDI files, version 1.1: header, map and data each on a boundary of 1 MiB, blocks of 1 MiB.
 * The header is written last, so a file that was not finished is not a VDI file. */
#include <string.h>

#include "devices/drivers/disk/image/vdi-private.h"
#include "vmm/base/error.h"

#define LABEL "<<< Vitrine disk image >>>\n"
#define MAP_STEP_ENTRIES 16384u

static uint32_t
align_up(uint64_t value)
{
    return (uint32_t)((value + VDI_ALIGNMENT - 1) / VDI_ALIGNMENT * VDI_ALIGNMENT);
}

/* The ATA standard's translation, with 16 heads and 63 sectors. */
static ImageGeometry
physical_geometry(uint64_t capacity)
{
    uint64_t cylinders = capacity / 512 / (16 * 63);

    return (ImageGeometry){(uint32_t)CLAMP(cylinders, 1, 16383), 16, 63};
}

static VdiType
type_of(ImageVariant variant)
{
    switch (variant) {
    case IMAGE_FIXED: return VDI_TYPE_FIXED;
    case IMAGE_DIFFERENCING: return VDI_TYPE_DIFFERENCING;
    case IMAGE_DYNAMIC: break;
    }
    return VDI_TYPE_DYNAMIC;
}

static void
layout(const ImageCreateOptions *options, VdiHeader *header)
{
    *header = (VdiHeader){
        .header_size = 400,
        .type = type_of(options->variant),
        .map_offset = VDI_ALIGNMENT,
        .geometry = physical_geometry(options->capacity),
        .capacity = options->capacity,
        .block_size = VDI_DEFAULT_BLOCK_SIZE,
        .blocks = (uint32_t)((options->capacity - 1) / VDI_DEFAULT_BLOCK_SIZE + 1),
        .uuid = options->uuid,
        .parent = options->parent,
        .parent_modification = options->parent_modification,
        .lchs = image_guess_lchs(options->capacity),
    };
    header->data_offset = align_up(header->map_offset + 4ull * header->blocks);
    header->blocks_allocated = options->variant == IMAGE_FIXED ? header->blocks : 0;
    image_uuid_generate(&header->modification);
    vdi_header_set_comment(header, options->comment);
}

static bool
write_map(ImageIo *io, const VdiHeader *header, GError **error)
{
    g_autofree uint32_t *entries = g_new(uint32_t, MAP_STEP_ENTRIES);

    for (uint32_t block = 0; block < header->blocks;) {
        uint32_t count = MIN(MAP_STEP_ENTRIES, header->blocks - block);

        for (uint32_t i = 0; i < count; i++)
            entries[i] = GUINT32_TO_LE(header->type == VDI_TYPE_FIXED ? block + i : VDI_BLOCK_FREE);
        if (!image_io_write(io, header->map_offset + block * 4ull, entries, count * 4ull, error))
            return false;
        block += count;
    }
    return true;
}

static bool
write_data(ImageIo *io, const VdiHeader *header, const ImageProgressSink *sink, GError **error)
{
    uint64_t length = (uint64_t)header->blocks * header->block_size;

    if (header->type == VDI_TYPE_FIXED)
        return image_reserve(io, header->data_offset, length, sink, error);
    return image_io_truncate(io, header->data_offset, error) && image_report(sink, 1.0, error);
}

bool
vdi_create(ImageIo *io, const ImageCreateOptions *options, const ImageProgressSink *sink,
           GError **error)
{
    uint8_t raw[VDI_HEADER_SIZE] = LABEL;
    VdiHeader header;

    if (options->capacity > VDI_MAX_CAPACITY) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "A VDI image can't be larger than %u TiB.", (unsigned)(VDI_MAX_CAPACITY >> 40));
        return false;
    }
    layout(options, &header);
    vdi_header_encode(&header, raw);
    return write_data(io, &header, sink, error) && write_map(io, &header, error) &&
           image_io_sync(io, error) && image_io_write(io, 0, raw, sizeof(raw), error);
}
