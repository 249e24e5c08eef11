/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * New VHD files. What names the file as a VHD (the footer's copy at its start, or the footer of a
 * fixed one) is written last, so a file that was not finished is no VHD. A differencing image names
 * its parent's file relative to itself, as Windows writes paths. */
#include <string.h>

#include "devices/drivers/disk/image/image-bytes.h"
#include "devices/drivers/disk/image/vhd-private.h"
#include "vmm/base/error.h"

#define EPOCH 946684800 /* 2000-01-01 UTC */
#define LOCATORS_AT 576 /* in the dynamic header: eight of 24 bytes */
#define PARENT_NAME_AT 64
#define PARENT_NAME_UNITS 255u
#define LOCATOR_RELATIVE 0x57327275u /* W2ru */
/* Geometry that stands for "see the size". */
static const ImageGeometry no_geometry = {65535, 16, 255};

/* The specification's algorithm (appendix, "CHS calculation"). It rounds down; a disk that it does
 * not cover to the sector gets the largest geometry, which readers take as none. */
ImageGeometry
vhd_geometry_of(uint64_t capacity)
{
    uint64_t sectors = capacity / 512, tracks;
    ImageGeometry chs;

    if (sectors >= 65535ull * 16 * 63)
        return no_geometry;
    chs = (ImageGeometry){.sectors = 17};
    tracks = sectors / 17;
    chs.heads = (uint32_t)MAX((tracks + 1023) / 1024, 4);
    if (tracks >= chs.heads * 1024ull || chs.heads > 16) {
        chs = (ImageGeometry){.sectors = 31, .heads = 16};
        tracks = sectors / 31;
    }
    if (tracks >= chs.heads * 1024ull) {
        chs = (ImageGeometry){.sectors = 63, .heads = 16};
        tracks = sectors / 63;
    }
    chs.cylinders = (uint32_t)(tracks / chs.heads);
    if ((uint64_t)chs.cylinders * chs.heads * chs.sectors != sectors)
        return no_geometry;
    return chs;
}

static VhdFooter
footer_of(const ImageCreateOptions *options)
{
    VhdFooter footer = {
        .data_offset = VHD_FOOTER_SIZE,
        .time = (uint32_t)(g_get_real_time() / G_USEC_PER_SEC - EPOCH),
        .capacity = options->capacity,
        .geometry = vhd_geometry_of(options->capacity),
        .type = VHD_TYPE_DYNAMIC,
        .uuid = options->uuid,
    };

    if (options->variant == IMAGE_FIXED) {
        footer.type = VHD_TYPE_FIXED;
        footer.data_offset = G_MAXUINT64;
    } else if (options->variant == IMAGE_DIFFERENCING) {
        footer.type = VHD_TYPE_DIFFERENCING;
    }
    return footer;
}

static bool
create_fixed(ImageIo *io, const ImageCreateOptions *options, const uint8_t *footer,
             const ImageProgressSink *sink, GError **error)
{
    return image_reserve(io, 0, options->capacity, sink, error) &&
           image_io_write(io, options->capacity, footer, VHD_FOOTER_SIZE, error);
}

/* Writes the parent's path for the first locator and enters it in the header; *position moves
 * behind it. */
static bool
write_locator(ImageIo *io, uint8_t *header, const char *path, uint64_t *position, GError **error)
{
    uint8_t *locator = header + LOCATORS_AT;
    glong units = 0;
    g_autofree gunichar2 *text = g_utf8_to_utf16(path, -1, NULL, &units, NULL);
    uint32_t bytes = (uint32_t)units * 2, room = (bytes + 511) / 512 * 512;
    g_autofree uint8_t *sectors = g_malloc0(room);

    if (text == NULL || units == 0)
        return true; /* a name that is no UTF-8: the image is found by its UUID */
    for (glong i = 0; i < units; i++)
        text[i] = text[i] == '/' ? GUINT16_TO_LE('\\') : GUINT16_TO_LE(text[i]);
    memcpy(sectors, text, bytes);
    image_put32be(locator, 0, LOCATOR_RELATIVE);
    image_put32be(locator, 4, room);
    image_put32be(locator, 8, bytes);
    image_put64be(locator, 16, *position);
    if (!image_io_write(io, *position, sectors, room, error))
        return false;
    *position += room;
    return true;
}

static void
put_parent_name(uint8_t *header, const char *path)
{
    g_autofree char *base = g_path_get_basename(path);
    glong units = 0;
    g_autofree gunichar2 *text = g_utf8_to_utf16(base, -1, NULL, &units, NULL);

    for (glong i = 0; i < MIN(units, (glong)PARENT_NAME_UNITS); i++) {
        header[PARENT_NAME_AT + 2 * i] = (uint8_t)(text[i] >> 8);
        header[PARENT_NAME_AT + 2 * i + 1] = (uint8_t)text[i];
    }
}

static bool
write_parent(ImageIo *io, uint8_t *header, const ImageCreateOptions *options, uint64_t *position,
             GError **error)
{
    g_autofree char *relative = NULL;

    if (options->parent_path == NULL)
        return true;
    put_parent_name(header, options->parent_path);
    relative = image_relative_path(io->name, options->parent_path);
    return relative == NULL || write_locator(io, header, relative, position, error);
}

static bool
create_dynamic(ImageIo *io, const ImageCreateOptions *options, const uint8_t *footer,
               GError **error)
{
    VhdHeader header = {
        .table_offset = VHD_FOOTER_SIZE + VHD_HEADER_SIZE,
        .blocks = (uint32_t)((options->capacity - 1) / VHD_DEFAULT_BLOCK_SIZE + 1),
        .block_size = VHD_DEFAULT_BLOCK_SIZE,
        .parent = options->parent,
    };
    size_t table_size = (header.blocks * 4ull + 511) / 512 * 512;
    g_autofree uint8_t *table = g_malloc(table_size);
    uint8_t raw[VHD_HEADER_SIZE] = {0};
    uint64_t position = header.table_offset + table_size;

    memset(table, 0xff, table_size);
    if (!write_parent(io, raw, options, &position, error))
        return false;
    vhd_header_encode(&header, raw);
    return image_io_write(io, header.table_offset, table, table_size, error) &&
           image_io_write(io, VHD_FOOTER_SIZE, raw, VHD_HEADER_SIZE, error) &&
           image_io_write(io, position, footer, VHD_FOOTER_SIZE, error) &&
           image_io_write(io, 0, footer, VHD_FOOTER_SIZE, error);
}

bool
vhd_create(ImageIo *io, const ImageCreateOptions *options, const ImageProgressSink *sink,
           GError **error)
{
    VhdFooter footer = footer_of(options);
    uint8_t raw[VHD_FOOTER_SIZE] = {0};

    if (options->capacity > VHD_MAX_CAPACITY) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_INVALID,
                            "A VHD image can't be larger than 2040 GB.");
        return false;
    }
    vhd_footer_encode(&footer, raw);
    if (options->variant == IMAGE_FIXED)
        return create_fixed(io, options, raw, sink, error);
    return create_dynamic(io, options, raw, error) && image_report(sink, 1.0, error);
}
