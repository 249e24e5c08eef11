/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Making a fixed VHD image larger. Its only footer is the file's last sector, so it moves with the
 * end: first it stands there once more as it is, which says that what lies between is not of the
 * disk; then that is made zeros, the old footer with it; then the last sector, which a disk writes
 * whole or not at all, says the new size. */
#include "devices/drivers/disk/image/vhd-private.h"
#include "vmm/base/error.h"

#define ZERO_STEP (1u << 20)

static bool
move_footer(Image *image, VhdState *vhd, uint64_t end, GError **error)
{
    if (!image_put(image, end - VHD_FOOTER_SIZE, vhd->raw_footer, VHD_FOOTER_SIZE, error) ||
        !image_sync(image, error))
        return false;
    if (vhd->file_end > end) {
        image->unsynced = true;
        if (!image_io_truncate(image->io, end, error))
            return false;
    }
    vhd->file_end = end;
    return image_sync(image, error);
}

/* What the file had behind the disk: a footer, or what someone left there. */
static bool
clear_old_end(Image *image, uint64_t start, uint64_t end, GError **error)
{
    g_autofree uint8_t *zeros = g_malloc0(ZERO_STEP);

    while (start < end) {
        const size_t part = (size_t)MIN(end - start, ZERO_STEP);

        if (!image_put(image, start, zeros, part, error))
            return false;
        start += part;
    }
    return true;
}

bool
vhd_resize_fixed(Image *image, uint64_t capacity, const ImageProgressSink *sink, GError **error)
{
    VhdState *vhd = image->state;
    const uint64_t old_end = vhd->file_end, old = image->capacity;
    const uint64_t left_over = MIN(old_end, capacity);

    if (!move_footer(image, vhd, capacity + VHD_FOOTER_SIZE, error))
        return false;
    if (left_over < capacity &&
        !image_reserve(image->io, left_over, capacity - left_over, sink, error)) {
        /* The host's disk is full, or the user does not want it any more: as it was. */
        image->unsynced = true;
        if (image_io_truncate(image->io, old_end, NULL))
            vhd->file_end = old_end;
        return false;
    }
    image->unsynced = true;
    if (!clear_old_end(image, old, left_over, error) || !image_sync(image, error))
        return false;
    vhd->footer.capacity = capacity;
    vhd->footer.geometry = vhd_geometry_of(capacity);
    if (!vhd_write_footers(image, vhd, error) || !image_sync(image, error))
        return false;
    image->capacity = capacity;
    return true;
}
