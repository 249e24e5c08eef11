/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * For authors of image formats: one const ImageFormat at the end of the format's file, one sorted
 * line in formats.def. The common part (image.c) bounds every range, walks the chain and keeps the
 * promise about failed flushes; a format says where things are and orders its writes. */
#pragma once

#include "devices/drivers/disk/image/image.h"
#include "vmm/base/error.h"

/* How sure a probe is. */
typedef enum {
    IMAGE_PROBE_NO,
    IMAGE_PROBE_FALLBACK, /* could be anything */
    IMAGE_PROBE_CONTENT,  /* a signature is where it belongs */
} ImageProbe;

/* What probes are shown: the first bytes of the file, padded with zeros, and its last bytes. */
#define IMAGE_PROBE_SIZE 36864
#define IMAGE_PROBE_TAIL 512
typedef struct {
    uint8_t head[IMAGE_PROBE_SIZE];
    uint8_t tail[IMAGE_PROBE_TAIL]; /* zeros when the file is shorter */
    uint64_t file_size;
} ImageProbeInput;

typedef enum {
    IMAGE_EXTENT_DATA,    /* in this file at position */
    IMAGE_EXTENT_ZERO,    /* zeros, whatever the parent has */
    IMAGE_EXTENT_HOLE,    /* as the parent has it; zeros in a base image */
    IMAGE_EXTENT_ENCODED, /* here, but not as plain bytes: the format's read() has it */
} ImageExtentKind;

typedef struct {
    ImageExtentKind kind;
    uint64_t length;   /* bytes for which this holds; at least 1 */
    uint64_t position; /* in the file; IMAGE_EXTENT_DATA only */
} ImageExtent;

typedef struct {
    ImageProgress callback; /* may be NULL */
    void *user;
} ImageProgressSink;

typedef struct ImageFormat {
    ImageFormatInfo info;
    ImageProbe (*probe)(const ImageProbeInput *input);
    /* Reads and checks the metadata; sets capacity and state. On failure close() is not called. */
    bool (*open)(Image *image, GError **error);
    /* After the last flush; frees state. */
    void (*close)(Image *image);
    /* What lies at offset, for at most length bytes. It may have to read metadata. */
    bool (*locate)(Image *image, uint64_t offset, uint64_t length, ImageExtent *extent,
                   GError **error);
    /* Reads from an encoded extent; NULL in formats that have none. */
    bool (*read)(Image *image, uint64_t offset, void *buffer, size_t length, GError **error);
    /* NULL in read-only formats. */
    bool (*write)(Image *image, uint64_t offset, const void *buffer, size_t length, GError **error);
    /* Makes all that was written durable, metadata included. NULL: a sync is all it takes. */
    bool (*flush)(Image *image, GError **error);
    /* Fills in what image_get_info() can't know; NULL if there is nothing. */
    void (*get_info)(Image *image, ImageInfo *info);
    bool (*check)(Image *image, ImageCheck *check, GError **error); /* may be NULL */
    bool (*create)(ImageIo *io, const ImageCreateOptions *options, const ImageProgressSink *sink,
                   GError **error); /* may be NULL */
} ImageFormat;

struct Image {
    const ImageFormat *format;
    ImageIo *io;
    Image *parent;     /* owned; NULL in a base image */
    bool writable;     /* set before open() */
    uint64_t capacity; /* set by open(), a multiple of 512 */
    void *state;       /* the format's own */
    bool unsynced;     /* the file was written to since the last sync */
    bool lost;         /* a sync failed */
};

/* What locate() says of a disk that lies in its file as it is, from position 0 to `end`; zeros
 * behind that. */
static inline void
image_locate_flat(uint64_t end, uint64_t offset, uint64_t length, ImageExtent *extent)
{
    if (offset >= end)
        *extent = (ImageExtent){IMAGE_EXTENT_ZERO, length, 0};
    else
        *extent = (ImageExtent){IMAGE_EXTENT_DATA, MIN(length, end - offset), offset};
}

/* Sets an error: file `name` cannot be used, and why (a clause without a full stop). False. */
static inline bool
image_refuse(GError **error, BaseError code, const char *name, const char *reason)
{
    g_set_error(error, BASE_ERROR, code, "“%s” cannot be used: %s.", name, reason);
    return false;
}

/* Write to the image's file and note that a sync is due. */
bool image_put(Image *image, uint64_t position, const void *buffer, size_t length, GError **error);
/* Sync the file if anything was written since the last time; a failure is remembered for ever. */
bool image_sync(Image *image, GError **error);

/* What the chain below image holds: zeros where it has no parent or a shorter one. */
bool image_read_below(Image *image, uint64_t offset, void *buffer, size_t length, GError **error);
/* The path from the folder of file `from` to file `to`, with slashes; NULL if there is none. */
char *image_relative_path(const char *from, const char *to);

/* Fills a range of a new file with zeros that have room, reporting progress from 0 to 1. */
bool image_reserve(ImageIo *io, uint64_t offset, uint64_t length, const ImageProgressSink *sink,
                   GError **error);
/* False and BASE_ERROR_CANCELLED when the user cancelled. */
bool image_report(const ImageProgressSink *sink, double fraction, GError **error);

/* True if every byte is zero. */
bool image_is_zero(const void *buffer, size_t length);
/* The translation that most BIOSes use for a disk of that many bytes (LBA assist). */
ImageGeometry image_guess_lchs(uint64_t capacity);

const ImageFormat *image_format_lookup(const char *name);
