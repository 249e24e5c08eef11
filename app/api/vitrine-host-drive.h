/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Optical and floppy drives of the host, which machines can have in place of an image: the medium
 * "host:<path>". A boxed type; fields may be read and written directly. */
#pragma once

#include "app/api/vitrine-client.h"

G_BEGIN_DECLS

/**
 * VitrineHostDrive:
 * @kind: DVD or FLOPPY
 * @path: of its device node; owned, as all texts are; none is NULL
 * @vendor: as the drive says, may be ""
 * @model: the same
 */
typedef struct {
    VitrineMediumKind kind;
    char *path;
    char *vendor;
    char *model;
} VitrineHostDrive;

#define VITRINE_TYPE_HOST_DRIVE (vitrine_host_drive_get_type())
GType vitrine_host_drive_get_type(void);
VitrineHostDrive *vitrine_host_drive_new(VitrineMediumKind kind, const char *path,
                                         const char *vendor, const char *model);
VitrineHostDrive *vitrine_host_drive_copy(const VitrineHostDrive *drive);
void vitrine_host_drive_free(VitrineHostDrive *drive);

/**
 * vitrine_host_drive_get_title:
 *
 * Returns: (transfer full): for people: "VENDOR MODEL (sr0)"
 */
char *vitrine_host_drive_get_title(const VitrineHostDrive *drive);
/**
 * vitrine_host_drive_get_id:
 *
 * Returns: (transfer full): a UUID that is the same as long as the path is
 */
char *vitrine_host_drive_get_id(const VitrineHostDrive *drive);

/**
 * vitrine_client_load_host_drives_sync:
 *
 * Returns: (transfer container) (element-type VitrineHostDrive): those of the host now, by path; or
 *   %NULL with an error
 */
GPtrArray *vitrine_client_load_host_drives_sync(VitrineClient *client, GCancellable *cancellable,
                                                GError **error);
void vitrine_client_load_host_drives_async(VitrineClient *client, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_client_load_host_drives_finish:
 *
 * Returns: (transfer container) (element-type VitrineHostDrive): as
 *   vitrine_client_load_host_drives_sync()
 */
GPtrArray *vitrine_client_load_host_drives_finish(VitrineClient *client, GAsyncResult *result,
                                                  GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineHostDrive, vitrine_host_drive_free)

G_END_DECLS
