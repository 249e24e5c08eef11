/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Operations on whole images and chains: opening with all parents, identity, cloning, resizing,
 * compacting, merging, discarding. The user's manual, chapters "Virtual Storage" and "VBoxManage
 * modifymedium / clonemedium / createmedium".
 *
 * No operation follows a name that an image file has in it: the caller says which file is whose
 * parent, and where the files of an image in several files are. All of them block; progress is
 * called with 0.0 to 1.0 and cancels by returning false (BASE_ERROR_CANCELLED). Each operation on
 * an existing image can be cut anywhere (kill, loss of power, full disk): the image opens, reads as
 * before, and the same call brings the work to its end. */
#pragma once

#include "devices/drivers/disk/image/image.h"

/* --- chains --- */

/* One level of a chain. */
typedef struct {
    const char *path;   /* of the file; with io: for nothing */
    ImageIo *io;        /* instead of path; taken over, also on failure. Locked by the caller */
    const char *format; /* NULL: probed */
    ImageUuid uuid;     /* as the registry has it; null: not compared */
    bool writable;      /* otherwise it is opened for reading */
    const ImageFolder *folder; /* with io: where an image in several files has the others; NULL: it
                                  is refused. Used while opening */
} ImageSource;

/* Opens sources[0] (the newest) to sources[count - 1] (the base) and puts each on the next. NULL
 * when one can't be opened, when a UUID is not that of the registry or not that of the child
 * (BASE_ERROR_INVALID, with both values), or when the last is itself a differencing image. */
Image *image_open_chain(const ImageSource *sources, unsigned count, GError **error);
/* How many images a chain has, and the level-th of them (0: image itself); NULL past the base. */
unsigned image_chain_length(Image *image);
Image *image_chain_nth(Image *image, unsigned level);

/* Fills in what a differencing image on parent needs: variant, capacity, the parent's UUIDs and
 * path. format, uuid and comment stay. The format is the caller's choice; false when it can't have
 * parents. options->parent may hold the UUID that the parent is registered with: it serves where
 * the parent's format keeps none (a raw image), and without it such a parent is refused. */
bool image_child_options(Image *parent, ImageCreateOptions *options, GError **error);

/* --- identity --- */

/* What is NULL stays as it is. parent: only in a differencing image. */
typedef struct {
    const ImageUuid *uuid;
    const ImageUuid *modification;
    const ImageUuid *parent;
    const ImageUuid *parent_modification;
} ImageUuidChange;

/* BASE_ERROR_NOT_SUPPORTED in formats that do not keep the UUID in question (VHD has no
 * modification UUIDs: these are passed over). Durable when it returns true. */
bool image_set_uuids(Image *image, const ImageUuidChange *change, GError **error);
/* UTF-8, cut to what the format has room for. BASE_ERROR_NOT_SUPPORTED where it has none. */
bool image_set_comment(Image *image, const char *comment, GError **error);

/* --- contents --- */

/* What image has in its own file at offset, for at most length bytes; *same is for how many bytes
 * that is so (at least 1). HERE includes zeros that hide the parent. */
typedef enum { IMAGE_HAS_NOTHING, IMAGE_HAS_ZEROS, IMAGE_HAS_DATA } ImageHas;
bool image_what(Image *image, uint64_t offset, uint64_t length, ImageHas *has, uint64_t *same,
                GError **error);

/* The guest no longer needs the range: it reads as zeros or as before, and the host gets room back
 * where format and file system allow. Never fails for want of support. */
bool image_discard(Image *image, uint64_t offset, uint64_t length, GError **error);

/* Makes a new image in target (empty, stays the caller's) with what source and the chain below it
 * hold; zeros take no room where the format can do that. options as for image_create();
 * capacity 0: as the source has; larger: the rest reads as zeros; smaller is refused. With variant
 * IMAGE_DIFFERENCING only what source holds in its own file is copied, and options names the parent
 * that the copy is for. On failure the content of target is of no use. */
bool image_clone_io(Image *source, ImageIo *target, const ImageCreateOptions *options,
                    ImageProgress progress, void *user, GError **error);
/* The same to a new file; on failure there is none. */
bool image_clone(Image *source, const char *path, const ImageCreateOptions *options,
                 ImageProgress progress, void *user, GError **error);

/* Makes a writable image larger; what is new reads as zeros. BASE_ERROR_NOT_SUPPORTED when it would
 * become smaller, or when format or variant can't. An image that others stand on must not be
 * resized without them. */
bool image_resize(Image *image, uint64_t capacity, ImageProgress progress, void *user,
                  GError **error);

/* The same for an image in several files: those that come to it are made in folder. Their names are
 * those that image_resize_part_names() gives; NULL at the end, the caller's; NULL with error. */
bool image_resize_in_folder(Image *image, uint64_t capacity, const ImageFolder *folder,
                            ImageProgress progress, void *user, GError **error);
char **image_resize_part_names(Image *image, uint64_t capacity, GError **error);

/* Blocks that hold only zeros give up their room, and the file becomes as short as it can.
 * BASE_ERROR_NOT_SUPPORTED where the format can't (IMAGE_CAN_COMPACT says which can). */
bool image_compact(Image *image, ImageProgress progress, void *user, GError **error);

/* --- merging --- */

/* Writes what the images from top down to just above target hold into target, which is writable and
 * in top's chain; then target reads as top does. The others are not changed. target keeps its
 * modification UUID, so the chain fits together all the time; afterwards the caller sets the
 * parent UUIDs of top's children to target's and deletes the images between. target grows first if
 * top is larger. */
bool image_merge_down(Image *top, Image *target, ImageProgress progress, void *user,
                      GError **error);
/* Writes what the images below target down to oldest hold, and target does not, into target, which
 * is writable; then target needs them no more and stands on oldest's parent, or becomes a base
 * image. target reads the same all the time. The chain above it stays valid. Takes them out of the
 * chain and closes them. */
bool image_merge_up(Image *target, Image *oldest, ImageProgress progress, void *user,
                    GError **error);
