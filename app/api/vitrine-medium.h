/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineMedium: a disk, optical or floppy image that the service knows. One object per UUID for
 * the client's life. Properties, all read-only and notified: id, kind, location, format,
 * medium-type, state, access-error, description, logical-size, file-size, variant, parent-id,
 * machines, children, snapshots, auto-reset. Images form trees: a differencing image holds what
 * differs from its parent. */
#pragma once

#include "app/api/vitrine-progress.h"

G_BEGIN_DECLS

/* Bytes of the largest image that is made. */
#define VITRINE_MEDIUM_MAX_SIZE (G_GUINT64_CONSTANT(1) << 51)

#define VITRINE_TYPE_MEDIUM (vitrine_medium_get_type())
G_DECLARE_FINAL_TYPE(VitrineMedium, vitrine_medium, VITRINE, MEDIUM, GObject)

const char *vitrine_medium_get_id(VitrineMedium *medium);
VitrineMediumKind vitrine_medium_get_kind(VitrineMedium *medium);
/* Absolute path. */
const char *vitrine_medium_get_location(VitrineMedium *medium);
/* The last part of the path, for lists; owned by the caller. */
char *vitrine_medium_dup_name(VitrineMedium *medium);
/* "VDI", "VMDK", "VHD", "RAW" */
const char *vitrine_medium_get_format(VitrineMedium *medium);
VitrineMediumType vitrine_medium_get_medium_type(VitrineMedium *medium);
VitrineMediumState vitrine_medium_get_state(VitrineMedium *medium);
/* "" unless the state is inaccessible. */
const char *vitrine_medium_get_access_error(VitrineMedium *medium);
const char *vitrine_medium_get_description(VitrineMedium *medium);
/* Bytes that the guest sees, and bytes that the file takes on the host; 0 while unknown. */
guint64 vitrine_medium_get_logical_size(VitrineMedium *medium);
guint64 vitrine_medium_get_file_size(VitrineMedium *medium);
/* "dynamic", "fixed", "diff" of a differencing image, or "" while unknown. */
const char *vitrine_medium_get_variant(VitrineMedium *medium);
/* UUID of the image below a differencing one, or "". */
const char *vitrine_medium_get_parent_id(VitrineMedium *medium);
/**
 * vitrine_medium_get_machines:
 * Returns: (transfer none) (array zero-terminated=1): UUIDs of machines that it is attached to.
 */
const char *const *vitrine_medium_get_machines(VitrineMedium *medium);

/**
 * vitrine_medium_get_children:
 * Returns: (transfer none) (array zero-terminated=1): UUIDs of the images that stand on it.
 */
const char *const *vitrine_medium_get_children(VitrineMedium *medium);
/**
 * vitrine_medium_get_snapshots:
 * Returns: (transfer none) (array zero-terminated=1): the snapshots that have it attached, each as
 *   "machine UUID/snapshot UUID".
 */
const char *const *vitrine_medium_get_snapshots(VitrineMedium *medium);
/* A differencing image of an immutable disk that starts empty at each power-on. */
gboolean vitrine_medium_get_auto_reset(VitrineMedium *medium);
/**
 * vitrine_medium_get_image_property:
 * Returns: (nullable): the value of a property of the image's format, %NULL when it is not set.
 */
const char *vitrine_medium_get_image_property(VitrineMedium *medium, const char *name);
/**
 * vitrine_medium_list_image_properties:
 * Returns: (transfer container) (array zero-terminated=1): the names of all that are set, sorted.
 */
const char **vitrine_medium_list_image_properties(VitrineMedium *medium);

/* Looks at the file again; afterwards state and sizes are right. */
gboolean vitrine_medium_refresh_sync(VitrineMedium *medium, GCancellable *cancellable,
                                     GError **error);
void vitrine_medium_refresh_async(VitrineMedium *medium, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);
gboolean vitrine_medium_refresh_finish(VitrineMedium *medium, GAsyncResult *result, GError **error);

/* Forgets the medium; delete_file: and deletes the image. Refused while it is attached. */
gboolean vitrine_medium_close_sync(VitrineMedium *medium, gboolean delete_file,
                                   GCancellable *cancellable, GError **error);
void vitrine_medium_close_async(VitrineMedium *medium, gboolean delete_file,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data);
gboolean vitrine_medium_close_finish(VitrineMedium *medium, GAsyncResult *result, GError **error);

gboolean vitrine_medium_set_description_sync(VitrineMedium *medium, const char *description,
                                             GCancellable *cancellable, GError **error);
void vitrine_medium_set_description_async(VitrineMedium *medium, const char *description,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);
gboolean vitrine_medium_set_description_finish(VitrineMedium *medium, GAsyncResult *result,
                                               GError **error);

/* What attaching it means. VITRINE_ERROR_BUSY while it is attached or differencing images stand on
 * it, VITRINE_ERROR_INVALID for a differencing image, and for a shareable disk that is not of fixed
 * size. */
gboolean vitrine_medium_set_medium_type_sync(VitrineMedium *medium, VitrineMediumType type,
                                             GCancellable *cancellable, GError **error);
void vitrine_medium_set_medium_type_async(VitrineMedium *medium, VitrineMediumType type,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);
gboolean vitrine_medium_set_medium_type_finish(VitrineMedium *medium, GAsyncResult *result,
                                               GError **error);

/* Whether a differencing image of an immutable disk starts empty at each power-on. */
gboolean vitrine_medium_set_auto_reset_sync(VitrineMedium *medium, gboolean auto_reset,
                                            GCancellable *cancellable, GError **error);
void vitrine_medium_set_auto_reset_async(VitrineMedium *medium, gboolean auto_reset,
                                         GCancellable *cancellable, GAsyncReadyCallback callback,
                                         gpointer user_data);
gboolean vitrine_medium_set_auto_reset_finish(VitrineMedium *medium, GAsyncResult *result,
                                              GError **error);

/**
 * vitrine_medium_set_image_property_sync:
 * @value: (nullable): %NULL or "" removes the property
 */
gboolean vitrine_medium_set_image_property_sync(VitrineMedium *medium, const char *name,
                                                const char *value, GCancellable *cancellable,
                                                GError **error);
/**
 * vitrine_medium_set_image_property_async:
 * @value: (nullable): as vitrine_medium_set_image_property_sync()
 */
void vitrine_medium_set_image_property_async(VitrineMedium *medium, const char *name,
                                             const char *value, GCancellable *cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data);
gboolean vitrine_medium_set_image_property_finish(VitrineMedium *medium, GAsyncResult *result,
                                                  GError **error);

/* Where the file is now; the file itself is left alone. */
gboolean vitrine_medium_set_location_sync(VitrineMedium *medium, const char *location,
                                          GCancellable *cancellable, GError **error);
void vitrine_medium_set_location_async(VitrineMedium *medium, const char *location,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
gboolean vitrine_medium_set_location_finish(VitrineMedium *medium, GAsyncResult *result,
                                            GError **error);

/**
 * vitrine_medium_move_sync:
 * @location: path of the file, or a folder that exists
 *
 * Moves the image; also to another file system.
 *
 * Returns: (transfer full): its progress
 */
VitrineProgress *vitrine_medium_move_sync(VitrineMedium *medium, const char *location,
                                          GCancellable *cancellable, GError **error);
void vitrine_medium_move_async(VitrineMedium *medium, const char *location,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
/**
 * vitrine_medium_move_finish:
 * Returns: (transfer full): as vitrine_medium_move_sync()
 */
VitrineProgress *vitrine_medium_move_finish(VitrineMedium *medium, GAsyncResult *result,
                                            GError **error);

/**
 * vitrine_medium_resize_sync:
 * @logical_size: bytes, a multiple of 512, more than now
 *
 * VITRINE_ERROR_BUSY when differencing images stand on it, VITRINE_ERROR_NOT_SUPPORTED when the
 * format cannot.
 *
 * Returns: (transfer full): its progress
 */
VitrineProgress *vitrine_medium_resize_sync(VitrineMedium *medium, guint64 logical_size,
                                            GCancellable *cancellable, GError **error);
void vitrine_medium_resize_async(VitrineMedium *medium, guint64 logical_size,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);
/**
 * vitrine_medium_resize_finish:
 * Returns: (transfer full): as vitrine_medium_resize_sync()
 */
VitrineProgress *vitrine_medium_resize_finish(VitrineMedium *medium, GAsyncResult *result,
                                              GError **error);

/**
 * vitrine_medium_compact_sync:
 *
 * Blocks that hold only zeros give up their room on the host.
 *
 * Returns: (transfer full): its progress
 */
VitrineProgress *vitrine_medium_compact_sync(VitrineMedium *medium, GCancellable *cancellable,
                                             GError **error);
void vitrine_medium_compact_async(VitrineMedium *medium, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_medium_compact_finish:
 * Returns: (transfer full): as vitrine_medium_compact_sync()
 */
VitrineProgress *vitrine_medium_compact_finish(VitrineMedium *medium, GAsyncResult *result,
                                               GError **error);

G_END_DECLS
