/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Decompressing clusters with zlib and zstd. A cluster that does not fill its size is damaged; what
 * follows its end in the file is not looked at. */
#define ZLIB_CONST
#include "devices/drivers/disk/image/image-codec.h"

#include <zlib.h>
#include <zstd.h>

#include "vmm/base/error.h"

/* The largest window; negative asks zlib for raw deflate. */
#define RAW_WINDOW_BITS (-15)
#define ZLIB_WINDOW_BITS 15

static bool
inflate_cluster(int window_bits, const uint8_t *packed, uint32_t length, uint8_t *plain,
                uint32_t size, uint32_t least)
{
    z_stream stream = {.next_in = packed, .avail_in = length, .next_out = plain, .avail_out = size};
    int result;

    if (inflateInit2(&stream, window_bits) != Z_OK)
        return false;
    result = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    if (result == Z_STREAM_END)
        return size - stream.avail_out >= least;
    return result == Z_BUF_ERROR && stream.avail_out == 0;
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

static bool
unpack(const ImageCoded *coded, const uint8_t *packed, uint32_t length, uint8_t *plain)
{
    const uint32_t size = coded->cluster_size;

    switch (coded->codec) {
    case IMAGE_CODEC_ZSTD: return unzstd_cluster(packed, length, plain, size);
    case IMAGE_CODEC_ZLIB:
        return inflate_cluster(ZLIB_WINDOW_BITS, packed, length, plain, size,
                               coded->last_size != 0 ? coded->last_size : size);
    case IMAGE_CODEC_DEFLATE: break;
    }
    return inflate_cluster(RAW_WINDOW_BITS, packed, length, plain, size, size);
}

const uint8_t *
image_coded_get(ImageCoded *coded, Image *image, uint64_t cluster, uint64_t position,
                uint32_t length, GError **error)
{
    g_autofree uint8_t *packed = NULL;
    g_autofree uint8_t *plain = NULL;

    if (coded->plain != NULL && coded->cluster == cluster)
        return coded->plain;
    packed = g_malloc(length);
    plain = g_malloc0(coded->cluster_size);
    if (!image_io_read(image->io, position, packed, length, error))
        return NULL;
    if (!unpack(coded, packed, length, plain)) {
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
