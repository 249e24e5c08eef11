/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * For authors of image formats: one const ImageFormat at the end of the format's file, one sorted
 * line in formats.def. The common part (image.c) bounds every range, walks the chain and keeps the
 * promise about failed flushes; a format says where things are and orders its writes. */
#pragma once

#include <stdatomic.h>

#include "devices/drivers/disk/image/image-ops.h"
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
    Image *part;       /* of an image in several files: whose position that is; NULL: the image's */
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
    /* Puts the file into the order that other programs expect, after the last flush of a session
     * that wrote; what it could not do is no error as long as the image is whole. May be NULL. */
    bool (*settle)(Image *image, GError **error);
    /* Nothing will be written to it any more, though it stays open: after a flush, makes it what
     * other programs expect, without moving anything that is read. May be NULL; as above. */
    bool (*freeze)(Image *image, GError **error);
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
    /* The rest may be NULL: the format can't. All must leave an image that opens when they are cut,
     * and go on with the work when they are called again. */
    /* Whole blocks that need not be kept; NULL: holes are punched in the file where data lies. */
    bool (*discard)(Image *image, uint64_t offset, uint64_t length, GError **error);
    /* Zeros that hide what the parent has; NULL: they are written like data. */
    bool (*write_zeros)(Image *image, uint64_t offset, uint64_t length, GError **error);
    bool (*resize)(Image *image, uint64_t capacity, const ImageProgressSink *sink, GError **error);
    bool (*compact)(Image *image, const ImageProgressSink *sink, GError **error);
    /* A null parent UUID makes a base image. */
    bool (*set_uuids)(Image *image, const ImageUuidChange *change, GError **error);
    bool (*set_comment)(Image *image, const char *comment, GError **error);
    /* Writes a new image from start to end with what source's chain holds (IMAGE_KIND_STREAM). */
    bool (*stream)(Image *source, ImageIo *io, const ImageCreateOptions *options,
                   const ImageProgressSink *sink, GError **error);
} ImageFormat;

/* Which level of a chain below an image has a piece of it: image-chain.c. */
typedef struct ImageOwners ImageOwners;

struct Image {
    const ImageFormat *format;
    ImageIo *io;
    Image *parent;     /* owned; NULL in a base image */
    bool writable;     /* set before open() */
    uint64_t capacity; /* set by open(), a multiple of 512 */
    void *state;       /* the format's own */
    GMutex lock;       /* for all that follows below it in a request but what is said to be free */
    /* Set by open() when locate() may run beside write() and flush() without the lock, because what
     * it looks at are words that are replaced whole; and then `started` once write() need not do
     * anything for a session to begin. */
    bool concurrent;
    bool chain_concurrent; /* that, of this image and all below */
    _Atomic bool started;
    _Atomic bool unsynced;   /* the file was written to since the last sync */
    bool lost;               /* a sync failed */
    bool differs;            /* set by open(): it is a differencing image */
    bool borrows_io;         /* io stays its owner's */
    bool keeps_modification; /* a session does not change the modification UUID */
    const ImageFolder
        *folder;          /* during open() and resize(): where other files are; NULL: nowhere */
    Image *outer;         /* of a part: the image in several files that it belongs to */
    uint64_t outer_start; /* where the part begins there */
    ImageOwners *owners;  /* NULL: the chain is walked */
};

/* What locate() says of a disk that lies in its file as it is, from position 0 to `end`; zeros
 * behind that. */
static inline void
image_locate_flat(uint64_t end, uint64_t offset, uint64_t length, ImageExtent *extent)
{
    if (offset >= end)
        *extent = (ImageExtent){IMAGE_EXTENT_ZERO, length, 0, NULL};
    else
        *extent = (ImageExtent){IMAGE_EXTENT_DATA, MIN(length, end - offset), offset, NULL};
}

/* Sets an error: file `name` cannot be used, and why (a clause without a full stop). False. */
static inline bool
image_refuse(GError **error, BaseError code, const char *name, const char *reason)
{
    g_set_error(error, BASE_ERROR, code, "“%s” cannot be used: %s.", name, reason);
    return false;
}

/* Opens a part of an image in several files: never probed, not locked, io is taken over. */
Image *image_open_part(Image *outer, uint64_t start, ImageIo *io, const ImageFormat *format,
                       GError **error);

/* Opens for writing what was just made in io, which stays the caller's. */
Image *image_open_borrowed(ImageIo *io, const char *format, const ImageFolder *folder,
                           GError **error);

/* Whether what the image does not hold comes from a parent, which need not be there yet. */
static inline bool
image_has_parent(const Image *image)
{
    if (image->outer != NULL)
        image = image->outer;
    return image->differs || image->parent != NULL;
}

/* Write to the image's file and note that a sync is due. */
/* For what goes to the file in another way: called before and after. */
void image_note_unsynced(Image *image);
bool image_put(Image *image, uint64_t position, const void *buffer, size_t length, GError **error);
/* Sync the file if anything was written since the last time; a failure is remembered for ever. */
bool image_sync(Image *image, GError **error);

/* Gives the room of a range of the file back where the host can; it may read as zeros then. */
bool image_punch(Image *image, uint64_t position, uint64_t length, GError **error);

/* image-change.c: false, since a fixed image is not compacted. */
bool image_refuse_fixed(const Image *image, GError **error);
/* Zeros that hide what is below. */
bool image_zero(Image *image, uint64_t offset, uint64_t length, GError **error);
/* Makes holes in the file where the range has data; the caller has the lock. */
bool image_punch_data(Image *image, uint64_t offset, uint64_t length, GError **error);

/* image-chain.c: who has the content at offset below top; *length is cut to where that is sure.
 * NULL: nobody. */
Image *image_owners_find(Image *top, uint64_t offset, uint64_t *length, GError **error);
void image_owners_free(ImageOwners *owners);
/* What `image` and those below have at offset, without reading it. */
bool image_locate_in_chain(Image *image, uint64_t offset, uint64_t length, Image **owner,
                           ImageExtent *extent, GError **error);

/* What the chain below image holds: zeros where it has no parent or a shorter one. */
bool image_read_below(Image *image, uint64_t offset, void *buffer, size_t length, GError **error);
/* The path from the folder of file `from` to file `to`, with slashes; NULL if there is none. */
char *image_relative_path(const char *from, const char *to);

/* Fills a range of a new file with zeros that have room, reporting progress from 0 to 1. */
bool image_reserve(ImageIo *io, uint64_t offset, uint64_t length, const ImageProgressSink *sink,
                   GError **error);
/* Whether the format can make what the options say. */
const ImageFormat *image_creatable_format(const ImageCreateOptions *options, GError **error);
/* Checks the options and fills in what they leave open. */
bool image_complete_options(const ImageCreateOptions *options, ImageCreateOptions *checked,
                            GError **error);
/* A new file at path, locked, as make() fills it; durable, or not there. */
typedef bool (*ImageMaker)(void *user, ImageIo *io, const ImageFolder *folder, GError **error);
bool image_make_file(const char *path, ImageMaker make, void *user, GError **error);
/* The folder of the file at path. Free with image_folder_clear(). */
ImageFolder image_folder_beside(const char *path);
void image_folder_clear(ImageFolder *folder);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ImageFolder, image_folder_clear)
/* One file in a folder, and not a way to another folder. */
bool image_is_plain_file_name(const char *name);
/* Opens a file of an image in several files, if its name is one without a folder. */
ImageIo *image_folder_open(const ImageFolder *folder, const char *name, ImageFileMode mode,
                           GError **error);

/* False and BASE_ERROR_CANCELLED when the user cancelled. */
bool image_report(const ImageProgressSink *sink, double fraction, GError **error);

/* True if every byte is zero. */
bool image_is_zero(const void *buffer, size_t length);
/* The translation that most BIOSes use for a disk of that many bytes (LBA assist). */
ImageGeometry image_guess_lchs(uint64_t capacity);

const ImageFormat *image_format_lookup(const char *name);
