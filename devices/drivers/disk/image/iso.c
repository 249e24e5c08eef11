/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Images of optical discs: 2048-byte sectors of one data track, recognised by the first volume
 * descriptor (ECMA-119 chapter 8, ECMA-167 part 2 chapter 9). Read only. The capacity is whole
 * 2048-byte sectors; what a truncated copy lacks of the last one reads as zeros. */
#include <string.h>

#include "devices/drivers/disk/image/image-format.h"
#include "vmm/base/error.h"

#define SECTOR_SIZE 2048
/* The standard identifier follows the type byte of the descriptor in sector 16. */
#define IDENTIFIER_AT (16 * SECTOR_SIZE + 1)

static ImageProbe
iso_probe(const ImageProbeInput *input)
{
    const char *identifier = (const char *)input->head + IDENTIFIER_AT;

    if (memcmp(identifier, "CD001", 5) == 0 || memcmp(identifier, "BEA01", 5) == 0)
        return IMAGE_PROBE_CONTENT;
    return IMAGE_PROBE_NO;
}

static bool
iso_open(Image *image, GError **error)
{
    uint64_t size;

    if (!image_io_size(image->io, &size, error))
        return false;
    /* READ CAPACITY and Red Book addresses are 32 bits wide. */
    if (size == 0 || size > (uint64_t)G_MAXUINT32 * SECTOR_SIZE) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "“%s” is empty or too large for an optical disc.", image->io->name);
        return false;
    }
    image->state = g_memdup2(&size, sizeof(size));
    image->capacity = (size + SECTOR_SIZE - 1) / SECTOR_SIZE * SECTOR_SIZE;
    return true;
}

static void
iso_close(Image *image)
{
    g_free(image->state);
}

static bool
iso_locate(Image *image, uint64_t offset, uint64_t length, ImageExtent *extent, GError **error)
{
    image_locate_flat(*(const uint64_t *)image->state, offset, length, extent);
    return true;
}

static const char *const iso_extensions[] = {"iso", NULL};

const ImageFormat image_format_iso = {
    .info = {.name = "ISO", .title = "Optical disc image", .extensions = iso_extensions},
    .probe = iso_probe,
    .open = iso_open,
    .close = iso_close,
    .locate = iso_locate,
};
