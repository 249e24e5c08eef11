/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineClient: the way in. Connects to the service of a configuration folder, starts it when
 * needed, keeps live lists of its machines and media, and reconnects by itself when the service
 * was killed; machine and medium objects stay the same objects.
 *
 * All signals and notifications arrive in the main context that was the thread's default when the
 * client was made. A program without a main loop sees the state at the time of its last *_sync()
 * call. Each *_finish() takes the object that the *_async() was called on.
 *
 * Properties: connected (boolean), config-folder, read-only-reason (string), and the system
 * properties, read-only and notified: machine-folder, default-disk-format, log-history-count
 * (uint), vrde-auth-library, web-service-auth-library, default-frontend, language-id, proxy-mode
 * (uint: 0 system, 1 none, 2 manual), proxy-url, exclusive-hw-virt (boolean).
 *
 * Signals:
 *   machine-added (VitrineMachine), machine-removed (VitrineMachine)
 *   medium-added (VitrineMedium), medium-removed (VitrineMedium)
 *   usb-devices-changed: see vitrine-usb-host.h
 *   extra-data-changed (machine UUID or "" for the global table, key, value or "" when removed) */
#pragma once

#include "app/api/vitrine-machine.h"
#include "app/api/vitrine-medium.h"
#include "app/api/vitrine-progress.h"

G_BEGIN_DECLS

#define VITRINE_TYPE_CLIENT (vitrine_client_get_type())
G_DECLARE_FINAL_TYPE(VitrineClient, vitrine_client, VITRINE, CLIENT, GObject)

/**
 * vitrine_client_new_sync:
 * @config_folder: (nullable) (type filename): %NULL for the folder that the environment says
 *   ($VBOX_USER_HOME, ...; see vitrine_config_folder())
 *
 * Returns: (transfer full): a connected client with its lists filled, or %NULL with @error set.
 */
VitrineClient *vitrine_client_new_sync(const char *config_folder, GCancellable *cancellable,
                                       GError **error);
void vitrine_client_new_async(const char *config_folder, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_client_new_finish:
 * Returns: (transfer full): as vitrine_client_new_sync()
 */
VitrineClient *vitrine_client_new_finish(GAsyncResult *result, GError **error);

/**
 * vitrine_config_folder:
 * Returns: (transfer full) (type filename): $VBOX_USER_HOME, else ~/.VirtualBox if it exists, else
 *   $XDG_CONFIG_HOME/VirtualBox.
 */
char *vitrine_config_folder(void);

gboolean vitrine_client_get_connected(VitrineClient *client);
const char *vitrine_client_get_config_folder(VitrineClient *client);
/* "" when the registry can be changed; else a sentence. */
const char *vitrine_client_get_read_only_reason(VitrineClient *client);
/* "" when the registry was read; else a sentence: the lists are empty, though the file may name
 * machines. */
const char *vitrine_client_get_damage(VitrineClient *client);

/**
 * vitrine_client_get_machines:
 * Returns: (transfer none): a live list of VitrineMachine, in the registry's order, inaccessible
 *   ones too.
 */
GListModel *vitrine_client_get_machines(VitrineClient *client);
/**
 * vitrine_client_find_machine:
 * @name_or_id: a machine's name, UUID (braces allowed) or path of its settings file
 * Returns: (transfer none) (nullable): the machine
 */
VitrineMachine *vitrine_client_find_machine(VitrineClient *client, const char *name_or_id);
/**
 * vitrine_client_get_media:
 * Returns: (transfer none): a live list of VitrineMedium of all kinds.
 */
GListModel *vitrine_client_get_media(VitrineClient *client);
/**
 * vitrine_client_find_medium:
 * @location_or_id: a path or UUID (braces allowed)
 * Returns: (transfer none) (nullable): the medium
 */
VitrineMedium *vitrine_client_find_medium(VitrineClient *client, const char *location_or_id);

/* name: one of the system properties above; value: of its type ("s", "u" or "b"), floating
 * references are taken. An empty machine-folder means the default. */
gboolean vitrine_client_set_system_property_sync(VitrineClient *client, const char *name,
                                                 GVariant *value, GCancellable *cancellable,
                                                 GError **error);
void vitrine_client_set_system_property_async(VitrineClient *client, const char *name,
                                              GVariant *value, GCancellable *cancellable,
                                              GAsyncReadyCallback callback, gpointer user_data);
gboolean vitrine_client_set_system_property_finish(VitrineClient *client, GAsyncResult *result,
                                                   GError **error);

/* The global table of extra data. It is known to the client, so reading does not wait: NULL when
 * there is no such key. */
const char *vitrine_client_get_extra_data(VitrineClient *client, const char *key);
/**
 * vitrine_client_list_extra_data:
 * Returns: (transfer container) (array zero-terminated=1): all keys, sorted.
 */
const char **vitrine_client_list_extra_data(VitrineClient *client);
/**
 * vitrine_client_set_extra_data_sync:
 * @value: (nullable): %NULL or "" removes the key
 */
gboolean vitrine_client_set_extra_data_sync(VitrineClient *client, const char *key,
                                            const char *value, GCancellable *cancellable,
                                            GError **error);
void vitrine_client_set_extra_data_async(VitrineClient *client, const char *key, const char *value,
                                         GCancellable *cancellable, GAsyncReadyCallback callback,
                                         gpointer user_data);
gboolean vitrine_client_set_extra_data_finish(VitrineClient *client, GAsyncResult *result,
                                              GError **error);

/**
 * vitrine_client_create_machine_sync:
 * @name: name, without '/' and control characters
 * @options: (nullable): a{sv}: "os-type" s, "folder" s (base folder, default machine-folder),
 *   "groups" as, "id" s (UUID to take), "register" b (default true), "defaults" b (settings that
 *   the OS type recommends, see vitrine_os_type_apply())
 * @settings_file: (out) (optional): path of the .vbox file
 *
 * Returns: (transfer full): the new machine's UUID; with "register" it is in the list already.
 */
char *vitrine_client_create_machine_sync(VitrineClient *client, const char *name, GVariant *options,
                                         char **settings_file, GCancellable *cancellable,
                                         GError **error);
void vitrine_client_create_machine_async(VitrineClient *client, const char *name, GVariant *options,
                                         GCancellable *cancellable, GAsyncReadyCallback callback,
                                         gpointer user_data);
char *vitrine_client_create_machine_finish(VitrineClient *client, GAsyncResult *result,
                                           char **settings_file, GError **error);

/* Adds the machine of an existing settings file; returns its UUID. */
char *vitrine_client_register_machine_sync(VitrineClient *client, const char *settings_file,
                                           GCancellable *cancellable, GError **error);
void vitrine_client_register_machine_async(VitrineClient *client, const char *settings_file,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
char *vitrine_client_register_machine_finish(VitrineClient *client, GAsyncResult *result,
                                             GError **error);

/* Makes an image known; returns its UUID, also when it was known. */
char *vitrine_client_open_medium_sync(VitrineClient *client, const char *location,
                                      VitrineMediumKind kind, GCancellable *cancellable,
                                      GError **error);
void vitrine_client_open_medium_async(VitrineClient *client, const char *location,
                                      VitrineMediumKind kind, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
char *vitrine_client_open_medium_finish(VitrineClient *client, GAsyncResult *result,
                                        GError **error);

/**
 * vitrine_client_create_medium_sync:
 * @location: absolute path; a missing extension is added
 * @format: "VDI", "VMDK", "VHD" or "RAW"; "" for default-disk-format
 * @variant: "dynamic" or "fixed"
 * @logical_size: bytes, a multiple of 512; of a differencing image its parent's, whatever is said
 * @options: (nullable): a{sv}: "description" s, "parent" s: the UUID of a disk; then the new image
 *   holds what differs from that one
 *
 * Starts the work.
 *
 * Returns: (transfer full): its progress, whose wait gives the medium's UUID.
 */
VitrineProgress *vitrine_client_create_medium_sync(VitrineClient *client, const char *location,
                                                   VitrineMediumKind kind, const char *format,
                                                   const char *variant, guint64 logical_size,
                                                   GVariant *options, GCancellable *cancellable,
                                                   GError **error);
void vitrine_client_create_medium_async(VitrineClient *client, const char *location,
                                        VitrineMediumKind kind, const char *format,
                                        const char *variant, guint64 logical_size,
                                        GVariant *options, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_client_create_medium_finish:
 * Returns: (transfer full): as vitrine_client_create_medium_sync()
 */
VitrineProgress *vitrine_client_create_medium_finish(VitrineClient *client, GAsyncResult *result,
                                                     GError **error);

/**
 * vitrine_client_clone_medium_sync:
 * @source: UUID of a disk
 * @location: absolute path; a missing extension is added
 * @format: as vitrine_client_create_medium_sync(); "" for the source's
 * @variant: "dynamic", "fixed", or "stream": compressed, VMDK only
 * @options: (nullable): a{sv}: "existing" s: the UUID of a disk that takes the content, instead of
 *   @location and @format
 *
 * Copies what a disk shows, with everything below it in its chain.
 *
 * Returns: (transfer full): its progress, whose wait gives the copy's UUID
 */
VitrineProgress *vitrine_client_clone_medium_sync(VitrineClient *client, const char *source,
                                                  const char *location, const char *format,
                                                  const char *variant, GVariant *options,
                                                  GCancellable *cancellable, GError **error);
/**
 * vitrine_client_clone_medium_async:
 * @options: (nullable): as vitrine_client_clone_medium_sync()
 */
void vitrine_client_clone_medium_async(VitrineClient *client, const char *source,
                                       const char *location, const char *format,
                                       const char *variant, GVariant *options,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
/**
 * vitrine_client_clone_medium_finish:
 * Returns: (transfer full): as vitrine_client_clone_medium_sync()
 */
VitrineProgress *vitrine_client_clone_medium_finish(VitrineClient *client, GAsyncResult *result,
                                                    GError **error);

/**
 * vitrine_client_convert_from_raw_sync:
 * @source: a file with the plain content of a disk
 * @location: path of the new image
 * @format: "VDI", "VMDK", "VHD"; "" for VDI
 * @variant: "dynamic", "fixed" or "stream"
 * @uuid: (nullable): of the image; %NULL for a new one
 *
 * The image is not registered.
 *
 * Returns: (transfer full): its progress
 */
VitrineProgress *vitrine_client_convert_from_raw_sync(VitrineClient *client, const char *source,
                                                      const char *location, const char *format,
                                                      const char *variant, const char *uuid,
                                                      GCancellable *cancellable, GError **error);
/**
 * vitrine_client_convert_from_raw_async:
 * @uuid: (nullable): as vitrine_client_convert_from_raw_sync()
 */
void vitrine_client_convert_from_raw_async(VitrineClient *client, const char *source,
                                           const char *location, const char *format,
                                           const char *variant, const char *uuid,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
/**
 * vitrine_client_convert_from_raw_finish:
 * Returns: (transfer full): as vitrine_client_convert_from_raw_sync()
 */
VitrineProgress *vitrine_client_convert_from_raw_finish(VitrineClient *client, GAsyncResult *result,
                                                        GError **error);

/**
 * vitrine_client_set_image_uuids_sync:
 * @location: path of an image, registered or not
 * @uuid: (nullable): the image's UUID from now on; %NULL leaves it
 * @parent: (nullable): its parent's; %NULL leaves it. Of a registered parent the present
 *   modification UUID is taken over too
 *
 * Repairs an image that says another UUID than the registry does.
 *
 * Returns: (transfer full): its progress
 */
VitrineProgress *vitrine_client_set_image_uuids_sync(VitrineClient *client, const char *location,
                                                     const char *uuid, const char *parent,
                                                     GCancellable *cancellable, GError **error);
/**
 * vitrine_client_set_image_uuids_async:
 * @uuid: (nullable): as vitrine_client_set_image_uuids_sync()
 * @parent: (nullable): as vitrine_client_set_image_uuids_sync()
 */
void vitrine_client_set_image_uuids_async(VitrineClient *client, const char *location,
                                          const char *uuid, const char *parent,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);
/**
 * vitrine_client_set_image_uuids_finish:
 * Returns: (transfer full): as vitrine_client_set_image_uuids_sync()
 */
VitrineProgress *vitrine_client_set_image_uuids_finish(VitrineClient *client, GAsyncResult *result,
                                                       GError **error);

/**
 * VitrineMediaInfo:
 * @os_type: identifier of a VitrineOsType, "" when not recognised; owned
 * @os_name: "Debian 12"; "" when not recognised; owned
 * @os_id: short name in libosinfo, "debian12"; owned
 * @volume_label: of the ISO 9660 file system; owned
 * @architecture: "x86_64", "i686" or ""; owned
 * @bootable: has an El Torito boot catalogue
 * @live: runs without installation
 */
typedef struct {
    char *os_type;
    char *os_name;
    char *os_id;
    char *volume_label;
    char *architecture;
    gboolean bootable;
    gboolean live;
} VitrineMediaInfo;

#define VITRINE_TYPE_MEDIA_INFO (vitrine_media_info_get_type())
GType vitrine_media_info_get_type(void);
VitrineMediaInfo *vitrine_media_info_copy(const VitrineMediaInfo *info);
void vitrine_media_info_free(VitrineMediaInfo *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineMediaInfo, vitrine_media_info_free)

/* What is on an ISO image; takes a second or two, in a worker. Fails when the file cannot be read
 * or has no ISO 9660 file system; a file system that nobody knows is success with os_type "". */
VitrineMediaInfo *vitrine_client_recognize_media_sync(VitrineClient *client, const char *location,
                                                      GCancellable *cancellable, GError **error);
void vitrine_client_recognize_media_async(VitrineClient *client, const char *location,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);
VitrineMediaInfo *vitrine_client_recognize_media_finish(VitrineClient *client, GAsyncResult *result,
                                                        GError **error);

G_END_DECLS
