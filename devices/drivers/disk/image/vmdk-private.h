/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VMDK inside: the sparse header, the descriptor's text, grain directory and grain tables. Virtual
 * Disk Format 5.0 (VMware), "Hosted Sparse Extents", "Stream-Optimized Compressed Sparse Extents".
 * Positions and lengths in the file are counted in sectors of 512 bytes there. */
#pragma once

#include "devices/drivers/disk/image/image-codec.h"
#include "devices/drivers/disk/image/image-map.h"

#define VMDK_SECTOR 512u
/* The specification fixes the entries of a grain table. */
#define VMDK_TABLE_ENTRIES 512u
#define VMDK_TABLE_SECTORS (VMDK_TABLE_ENTRIES * 4 / VMDK_SECTOR)
#define VMDK_DEFAULT_GRAIN 128u
/* So many grains an image may have: 4 TiB at the default size, tables of 256 MiB. */
#define VMDK_MAX_GRAINS (64u << 20)
#define VMDK_POSITION_AT_END G_MAXUINT64
#define VMDK_NO_PARENT 0xffffffffu

#define VMDK_GRAIN_FREE 0u
#define VMDK_GRAIN_ZERO 1u /* only with VMDK_FLAG_ZERO_GRAINS */

typedef enum {
    VMDK_FLAG_NEWLINES = 1 << 0, /* the bytes that show a transfer as text are valid */
    VMDK_FLAG_REDUNDANT = 1 << 1,
    VMDK_FLAG_ZERO_GRAINS = 1 << 2,
    VMDK_FLAG_COMPRESSED = 1 << 16,
    VMDK_FLAG_MARKERS = 1 << 17,
} VmdkFlags;

typedef struct {
    uint32_t version;
    uint32_t flags;
    uint64_t capacity; /* sectors, as all below */
    uint32_t grain;
    uint64_t descriptor;
    uint64_t descriptor_size;
    uint64_t redundant; /* directory; meaningless without VMDK_FLAG_REDUNDANT */
    uint64_t directory;
    uint64_t overhead; /* of all metadata at the start */
    uint16_t compression;
} VmdkHeader;

typedef struct {
    char *text;  /* with a NUL behind it at the latest after `room` bytes */
    size_t room; /* bytes that it may have in the file */
    char *comment;
    ImageUuid uuid, modification, parent, parent_modification;
    ImageGeometry lchs;
} VmdkDescriptor;

/* A line of the descriptor that names an extent. */
typedef struct {
    uint64_t sectors;
    char *kind;      /* "SPARSE", "FLAT", "ZERO" ... */
    char *name;      /* of the file; NULL: none is named */
    uint64_t offset; /* sectors; where a flat extent begins in its file */
} VmdkExtent;

/* An image in one file, or one sparse file of an image in several. */
typedef struct {
    VmdkHeader header;
    uint8_t raw_header[VMDK_SECTOR]; /* as read: what is not understood is kept */
    VmdkDescriptor descriptor;       /* empty in a part */
    ImageMap directory;              /* sectors of the grain tables; 0: none */
    ImageMap redundant; /* the same of their copies; without entries when there is none, or when
                           the image is only read */
    ImageMap grains;    /* all tables one after the other: sectors of grains */
    uint64_t next;      /* bytes: where the next grain goes */
    uint64_t file_end;
    uint32_t used;    /* allocated grains */
    uint64_t leaked;  /* room for so many between them that nothing refers to */
    uint32_t pending; /* grains that the tables in the file do not have yet */
    ImageCoded coded;
} VmdkState;

/* A file of an image in several. */
typedef struct {
    uint64_t start, length; /* bytes of the disk */
    uint64_t offset;        /* bytes; where it begins in a flat part's file */
    Image *image;           /* NULL: zeros */
} VmdkPart;

typedef struct {
    VmdkDescriptor descriptor;
    GArray *parts; /* VmdkPart */
    bool sparse;
} VmdkSet;

/* 16 TiB in parts of 2 GB. */
#define VMDK_PARTS_MAX 8192u
/* 2047 MiB, which every file system and every program takes. */
#define VMDK_PART_SECTORS 4192256ull
/* A descriptor in a file of its own may grow by so much when keys are set. */
#define VMDK_SPARE 4096u

/* vmdk-header.c */
bool vmdk_header_is_valid(const uint8_t *raw);
/* part: it may have no descriptor. */
bool vmdk_header_decode(const uint8_t raw[VMDK_SECTOR], const char *name, bool part,
                        VmdkHeader *header, GError **error);
void vmdk_header_encode(const VmdkHeader *header, uint8_t raw[VMDK_SECTOR]);
void vmdk_header_set_unclean(uint8_t raw[VMDK_SECTOR], bool unclean);

/* vmdk-descriptor.c: reads a text of `size` bytes, which may grow to `room`, and takes what is
 * needed from it. */
bool vmdk_descriptor_load(Image *image, VmdkDescriptor *descriptor, uint64_t position, size_t size,
                          size_t room, GError **error);
void vmdk_descriptor_clear(VmdkDescriptor *descriptor);
void vmdk_descriptor_get_info(const VmdkDescriptor *descriptor, ImageInfo *info);
/* NULL without such a key. */
char *vmdk_descriptor_value(const VmdkDescriptor *descriptor, const char *key);
/* Its extents, VmdkExtent; at most `most`, else NULL and *error. */
GPtrArray *vmdk_descriptor_extents(const Image *image, const VmdkDescriptor *descriptor,
                                   unsigned most, GError **error);

/* vmdk-edit.c: changes the text in memory, and writes it. Puts a new CID and modification UUID into
 * the text where it has such keys. */
void vmdk_descriptor_renew(VmdkDescriptor *descriptor);
bool vmdk_descriptor_set(const Image *image, VmdkDescriptor *descriptor, const char *key,
                         const char *value, GError **error);
bool vmdk_descriptor_set_uuids(Image *image, VmdkDescriptor *descriptor, uint64_t position,
                               const ImageUuidChange *change, GError **error);
bool vmdk_descriptor_set_comment(Image *image, VmdkDescriptor *descriptor, uint64_t position,
                                 const char *comment, GError **error);
bool vmdk_descriptor_write(Image *image, const VmdkDescriptor *descriptor, uint64_t position,
                           GError **error);
/* Puts another size, in bytes, into the text of an image with one extent. */
bool vmdk_descriptor_resize(const Image *image, VmdkDescriptor *descriptor, uint64_t capacity,
                            GError **error);
/* Whether a line, without its end, names an extent: what may be done with it, a size, more. */
bool vmdk_descriptor_is_extent(const char *line, size_t length);
/* The last line that names an extent; false: there is none. */
bool vmdk_descriptor_last_extent(const char *text, size_t *start, size_t *length);
/* Such a line with another size, in sectors. */
char *vmdk_descriptor_extent_line(const char *line, size_t length, uint64_t sectors);
/* Changes the geometry where there is one, and then sees to it that the keys by which an image
 * knows itself lie in one sector, if there is room for that. */
bool vmdk_descriptor_set_geometry(const Image *image, VmdkDescriptor *descriptor, uint64_t capacity,
                                  GError **error);
/* Takes the values anew that are kept beside the text. */
bool vmdk_descriptor_take(const Image *image, VmdkDescriptor *descriptor, GError **error);
/* Where the value of a key is. */
bool vmdk_descriptor_find(const VmdkDescriptor *descriptor, const char *key, size_t *at,
                          size_t *length);

/* vmdk-describe.c: the text of a new image's descriptor, without padding; extents are its lines.
 * The content ID goes with a modification UUID, so a child knows its parent's. */
uint32_t vmdk_content_id(const ImageUuid *modification);
char *vmdk_escape_comment(const char *comment);
bool vmdk_is_plain_name(const char *name);
char *vmdk_descriptor_text(const char *file_name, const char *type, const char *extents,
                           const ImageCreateOptions *options);

#define VMDK_KEY_COMMENT "ddb.comment"
#define VMDK_KEY_UUID "ddb.uuid.image"
#define VMDK_KEY_MODIFICATION "ddb.uuid.modification"
#define VMDK_KEY_PARENT "ddb.uuid.parent"
#define VMDK_KEY_PARENT_MODIFICATION "ddb.uuid.parentmodification"
#define VMDK_KEY_CID "CID"
#define VMDK_KEY_PARENT_CID "parentCID"
#define VMDK_KEY_PARENT_HINT "parentFileNameHint"

/* vmdk-tables.c: loads them and checks that all lies in the file and apart from all else. */
bool vmdk_tables_load(Image *image, VmdkState *vmdk, GError **error);

/* vmdk-write.c */
bool vmdk_write(Image *image, uint64_t offset, const void *buffer, size_t length, GError **error);
bool vmdk_flush(Image *image, GError **error);
/* The same half of a flush that writes tables, also without a session. */
bool vmdk_flush_tables(Image *image, GError **error);
/* Notes in the header that the image was closed in order. */
void vmdk_end_session(Image *image, VmdkState *vmdk);

/* vmdk-compact.c, vmdk-resize.c: of an image in one file, or of a part. */
bool vmdk_compact(Image *image, const ImageProgressSink *sink, GError **error);
bool vmdk_resize(Image *image, uint64_t capacity, const ImageProgressSink *sink, GError **error);

/* vmdk-create.c */
bool vmdk_create(ImageIo *io, const ImageCreateOptions *options, const ImageProgressSink *sink,
                 GError **error);
/* descriptor: NULL in a part. */
bool vmdk_create_sparse(ImageIo *io, const ImageCreateOptions *options, const char *descriptor,
                        GError **error);

/* vmdk-set.c: images in several files, opened by their descriptor. */
bool vmdk_set_open(Image *image, GError **error);
/* Opens the file of an extent behind those that there are. */
bool vmdk_set_open_part(Image *image, VmdkSet *set, const VmdkExtent *extent, GError **error);
/* vmdk-set-create.c */
bool vmdk_set_create(ImageIo *io, const ImageCreateOptions *options, const ImageProgressSink *sink,
                     GError **error);
/* A flat or sparse file for so many sectors. */
bool vmdk_set_create_part(const ImageCreateOptions *options, const char *name, uint64_t sectors,
                          const ImageProgressSink *sink, GError **error);
/* vmdk-set-resize.c: with the image's folder, where new files are made. */
bool vmdk_set_resize(Image *image, uint64_t capacity, const ImageProgressSink *sink,
                     GError **error);
/* vmdk-stream.c */
bool vmdk_stream(Image *source, ImageIo *io, const ImageCreateOptions *options,
                 const ImageProgressSink *sink, GError **error);

/* vmdk.c */
extern const ImageFormat vmdk_part_format;
/* Whether a file begins as a descriptor. */
bool vmdk_is_descriptor(const uint8_t *head);

static inline bool
vmdk_is_compressed(const VmdkState *vmdk)
{
    return (vmdk->header.flags & VMDK_FLAG_COMPRESSED) != 0;
}

static inline bool
vmdk_is_allocated(const VmdkState *vmdk, uint32_t entry)
{
    return entry > VMDK_GRAIN_ZERO ||
           (entry == VMDK_GRAIN_ZERO && (vmdk->header.flags & VMDK_FLAG_ZERO_GRAINS) == 0);
}

static inline uint32_t
vmdk_grain_bytes(const VmdkHeader *header)
{
    return header->grain * VMDK_SECTOR;
}

/* ATA's geometry, of which many programs ask for the cylinders only. */
static inline unsigned
vmdk_cylinders(uint64_t capacity)
{
    return (unsigned)CLAMP(capacity / VMDK_SECTOR / (16 * 63), 1, 16383);
}

/* How many tables a disk needs. */
static inline uint32_t
vmdk_table_count(const VmdkHeader *header)
{
    return (uint32_t)((header->capacity - 1) / header->grain / VMDK_TABLE_ENTRIES + 1);
}
