/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Decompressing clusters with zlib and zstd. A cluster that does not fill its size is damaged; what
 * follows its end in the file is not looked at. */
#define ZLIB_CONST
#include "devices/drivers/disk/image/image-codec.h"

#include <zlib.h>
#include <zstd.h>

#include "vmm/base/error.h"

/* Raw deflate; the window that QCOW's writers use at the most. */
#define WINDOW_BITS (-15)

static bool
inflate_cluster(const uint8_t *packed, uint32_t length, uint8_t *plain, uint32_t size)
{
    z_stream stream = {.next_in = packed, .avail_in = length, .next_out = plain, .avail_out = size};
    int result;

    if (inflateInit2(&stream, WINDOW_BITS) != Z_OK)
        return false;
    result = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return (result == Z_STREAM_END || result == Z_BUF_ERROR) && stream.avail_out == 0;
}

static bool
unzstd_cluster(const uint8_t *packed, uint32_t length, uint8_t *plain, uint32_t size)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer in = {packed, length, 0};
    ZSTD_outBuffer out = {plain, size, 0};

    if (context == NULL)
        return false;
    while (out.pos < out.size && in.pos < in.size) {
        const size_t before = in.pos + out.pos;
        const size_t result = ZSTD_decompressStream(context, &out, &in);

        if (ZSTD_isError(result) || in.pos + out.pos == before)
            break;
    }
    ZSTD_freeDCtx(context);
    return out.pos == out.size;
}

const uint8_t *
image_coded_get(ImageCoded *coded, Image *image, uint64_t cluster, uint64_t position,
                uint32_t length, GError **error)
{
    g_autofree uint8_t *packed = NULL;
    g_autofree uint8_t *plain = NULL;
    bool ok;

    if (coded->plain != NULL && coded->cluster == cluster)
        return coded->plain;
    packed = g_malloc(length);
    plain = g_malloc(coded->cluster_size);
    if (!image_io_read(image->io, position, packed, length, error))
        return NULL;
    ok = coded->codec == IMAGE_CODEC_ZSTD
             ? unzstd_cluster(packed, length, plain, coded->cluster_size)
             : inflate_cluster(packed, length, plain, coded->cluster_size);
    if (!ok) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "“%s” is damaged: a compressed cluster cannot be decompressed.",
                    image->io->name);
        return NULL;
    }
    g_free(coded->plain);
    coded->plain = g_steal_pointer(&plain);
    coded->cluster = cluster;
    return coded->plain;
}

void
image_coded_clear(ImageCoded *coded)
{
    g_clear_pointer(&coded->plain, g_free);
}
