/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Disk images for those who use them: open, create, read, write, flush. A medium is a chain: an
 * image, and below a differencing one its parent.
 *
 * Reading, writing, flushing and discarding may be done by several threads at once, as long as no
 * range that one of them writes or discards is used by another; everything else needs the image for
 * itself. What a flush promises is what had been written when it began. All calls may block on the
 * host's disk. Errors are in
 * the domain BASE_ERROR; BASE_ERROR_NO_SPACE means that the host's disk is full, that the image is
 * consistent, and that the same call can be made again once there is room. Image files are
 * hostile input: everything in them is checked when they are opened. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "devices/drivers/disk/image/image-io.h"
#include "devices/drivers/disk/image/image-uuid.h"

typedef struct Image Image;

/* So many images a chain may have: the deepest tree of snapshots, and some. */
enum { IMAGE_CHAIN_MAX = 254 };

typedef enum {
    IMAGE_DYNAMIC,      /* grows as it is written */
    IMAGE_FIXED,        /* takes all its room from the start */
    IMAGE_DIFFERENCING, /* holds what differs from its parent */
} ImageVariant;

/* Bits of ImageFormatInfo.capabilities. */
typedef enum {
    IMAGE_CAN_WRITE = 1 << 0,
    IMAGE_CAN_CREATE_DYNAMIC = 1 << 1,
    IMAGE_CAN_CREATE_FIXED = 1 << 2,
    IMAGE_CAN_DIFFER = 1 << 3,
    IMAGE_HAS_UUIDS = 1 << 4,
    IMAGE_CAN_RESIZE = 1 << 5,  /* can become larger; not in every variant or kind */
    IMAGE_CAN_COMPACT = 1 << 6, /* dynamic and differencing images */
    IMAGE_CAN_SPLIT = 1 << 7,   /* IMAGE_KIND_SPLIT with dynamic and fixed images */
    IMAGE_CAN_STREAM = 1 << 8,  /* IMAGE_KIND_STREAM by cloning only */
} ImageCapabilities;

/* Bits beside the variant. */
typedef enum {
    IMAGE_KIND_SPLIT = 1 << 0,  /* in files of at most 2 GB */
    IMAGE_KIND_STREAM = 1 << 1, /* compressed, written once from start to end */
} ImageKind;

typedef enum {
    IMAGE_OPEN_READ_WRITE = 0,
    IMAGE_OPEN_READ_ONLY = 1 << 0,
} ImageOpenFlags;

/* As a BIOS addresses the disk; all zero when the image does not say. */
typedef struct {
    uint32_t cylinders;
    uint32_t heads;
    uint32_t sectors;
} ImageGeometry;

typedef struct {
    const char *format; /* the name in the registry of formats; static */
    ImageVariant variant;
    unsigned kind; /* ImageKind */
    bool writable;
    uint64_t capacity;   /* what the guest sees, bytes, a multiple of 512 */
    uint64_t allocated;  /* bytes of the capacity that have room in the file */
    uint32_t block_size; /* the unit of allocation in bytes; 0 if there is none */
    ImageGeometry lchs;
    ImageUuid uuid;                /* these four are null in formats without UUIDs */
    ImageUuid modification;        /* changes when an open image is first written to */
    ImageUuid parent;              /* null in a base image */
    ImageUuid parent_modification; /* the parent's at the time when the child was made */
    const char *comment;           /* UTF-8, never NULL; belongs to the image */
} ImageInfo;

/* What image_check() found. An image with errors could not have been opened, so these are only
 * things that cost room or are put right by the next write. */
typedef struct {
    uint64_t leaked_blocks; /* room in the file that nothing refers to */
    bool stale_header;      /* the header's count of blocks lags behind the map */
} ImageCheck;

typedef struct {
    const char *name;              /* upper case, as in settings files: "VDI", "RAW" */
    const char *title;             /* for a person */
    const char *const *extensions; /* lower case without the dot, NULL at the end; the first is used
                                      for new files */
    unsigned capabilities;
} ImageFormatInfo;

typedef struct {
    const char *format; /* name of the format; required */
    ImageVariant variant;
    unsigned kind;       /* ImageKind */
    uint64_t capacity;   /* bytes; rounded up to 512 */
    ImageUuid uuid;      /* null: a new one */
    const char *comment; /* UTF-8 or NULL */
    /* Of differencing images: the parent's UUIDs, and its path for formats that name it (or NULL).
     */
    ImageUuid parent, parent_modification;
    const char *parent_path;
    const ImageFolder *folder; /* with image_create_io(): for formats in several files */
} ImageCreateOptions;

/* Called now and then with fraction from 0 to 1; false cancels (BASE_ERROR_CANCELLED). */
typedef bool (*ImageProgress)(void *user, double fraction);

/* Formats: index from 0; NULL past the end. The names of two formats differ. */
const ImageFormatInfo *image_format_nth(unsigned index);
/* Case does not matter; NULL if there is none. */
const ImageFormatInfo *image_format_find(const char *name);

/* Which format a file has, by its content and then by its name; the static name. Only for files
 * whose format is not on record: what a guest wrote to a raw disk may look like any other format.
 * Image formats that we know but can't read give BASE_ERROR_NOT_SUPPORTED. */
const char *image_probe(ImageIo *io, GError **error);

/* Opens the file at path and locks it (shared for reading, exclusive for writing; BASE_ERROR_BUSY
 * when somebody else has it). format may be NULL: then it is probed. Release with image_close(). */
Image *image_open(const char *path, const char *format, ImageOpenFlags flags, GError **error);
/* The same through io, which is taken over also when opening fails. Locks nothing. */
Image *image_open_io(ImageIo *io, const char *format, ImageOpenFlags flags, GError **error);
/* The same for an image that may have other files: in folder, which is used during the call. */
Image *image_open_in_folder(ImageIo *io, const char *format, ImageOpenFlags flags,
                            const ImageFolder *folder, GError **error);

/* Flushes and frees. False when the last flush failed; the image is gone in any case. */
bool image_close(Image *image, GError **error);
/* The same for those who can't do anything about an error. NULL is ignored. */
void image_free(Image *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Image, image_free)

/* offset + length must lie within the capacity (else BASE_ERROR_INVALID); any alignment. */
bool image_read(Image *image, uint64_t offset, void *buffer, size_t length, GError **error);
bool image_write(Image *image, uint64_t offset, const void *buffer, size_t length, GError **error);
/* The same two with memory in pieces, in their order. */
bool image_read_pieces(Image *image, uint64_t offset, const BaseFilePiece *pieces, size_t count,
                       GError **error);
bool image_write_pieces(Image *image, uint64_t offset, const BaseFilePiece *pieces, size_t count,
                        GError **error);
/* image_read() and image_write() where they take no waiting for the host's disk and change nothing
 * but the data. False: they have to be done in the ordinary way, with all of the range; part of it
 * may have been moved. Only images and chains that bear several threads at once. */
bool image_try_read(Image *image, uint64_t offset, void *buffer, size_t length);
bool image_try_write(Image *image, uint64_t offset, const void *buffer, size_t length);

/* When it returns true, everything written before survives a loss of power. Once it has failed for
 * another reason than a full disk, it fails always: the host may have dropped what was written. */
bool image_flush(Image *image, GError **error);

/* Whether image_flush() would have something to do. */
bool image_is_dirty(const Image *image);

/* Whether the range can be written to; else *error is set. */
bool image_may_write(const Image *image, uint64_t offset, uint64_t length, GError **error);

uint64_t image_capacity(const Image *image);
bool image_is_writable(const Image *image);
/* The name of the file, for messages. */
const char *image_name(const Image *image);
/* The image below in the chain; NULL for a base image, or while none is attached. */
Image *image_parent(Image *image);
/* Puts parent below child, which is a differencing image, and takes it over. BASE_ERROR_INVALID
 * with both values when their UUIDs do not fit; BASE_ERROR_NOT_SUPPORTED when the chain would be
 * longer than IMAGE_CHAIN_MAX. On failure the parent stays the caller's. Until a differencing image
 * has its parent, what it does not hold itself reads as zeros: attach it before the first access.
 */
bool image_attach_parent(Image *child, Image *parent, GError **error);
/* The same check without attaching. */
bool image_check_parent(Image *child, Image *parent, GError **error);
void image_get_info(Image *image, ImageInfo *info);
bool image_check(Image *image, ImageCheck *check, GError **error);

/* The names of the other files that an image made with these options consists of, for callers that
 * hand over descriptors. Free with g_strfreev(). */
char **image_part_names(const char *file_name, const ImageCreateOptions *options);
/* The same of an image that is there, as far as its names are plain; NULL and *error when it cannot
 * be read. Empty for an image in one file. */
char **image_list_parts(ImageIo *io, GError **error);

/* Makes a new file; an existing one is never touched (BASE_ERROR_EXISTS). When it returns true the
 * file is durable; when it fails or is cancelled there is no file. progress may be NULL. */
bool image_create(const char *path, const ImageCreateOptions *options, ImageProgress progress,
                  void *user, GError **error);
/* The same in an empty io, which stays the caller's. */
bool image_create_io(ImageIo *io, const ImageCreateOptions *options, ImageProgress progress,
                     void *user, GError **error);
