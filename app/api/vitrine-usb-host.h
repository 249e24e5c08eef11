/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is plugged into the host's USB ports, and giving it to machines and back. The client's
 * signal "usb-devices-changed" tells of what came, went or changed hands once the devices were
 * asked for. */
#pragma once

#include "app/api/vitrine-client.h"
#include "app/api/vitrine-usb.h"

G_BEGIN_DECLS

/**
 * vitrine_client_load_usb_devices_sync:
 *
 * Returns: (transfer container) (element-type VitrineUsbDevice): what is plugged in now, by bus and
 *   address, without hubs; or %NULL with an error
 */
GPtrArray *vitrine_client_load_usb_devices_sync(VitrineClient *client, GCancellable *cancellable,
                                                GError **error);
void vitrine_client_load_usb_devices_async(VitrineClient *client, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_client_load_usb_devices_finish:
 *
 * Returns: (transfer container) (element-type VitrineUsbDevice): as
 *   vitrine_client_load_usb_devices_sync()
 */
GPtrArray *vitrine_client_load_usb_devices_finish(VitrineClient *client, GAsyncResult *result,
                                                  GError **error);

/**
 * vitrine_client_load_usb_filters_sync:
 *
 * Returns: (transfer container) (element-type VitrineUsbFilter): the global filters, whose actions
 *   are ignore and hold
 */
GPtrArray *vitrine_client_load_usb_filters_sync(VitrineClient *client, GCancellable *cancellable,
                                                GError **error);
void vitrine_client_load_usb_filters_async(VitrineClient *client, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_client_load_usb_filters_finish:
 *
 * Returns: (transfer container) (element-type VitrineUsbFilter): as
 *   vitrine_client_load_usb_filters_sync()
 */
GPtrArray *vitrine_client_load_usb_filters_finish(VitrineClient *client, GAsyncResult *result,
                                                  GError **error);
/**
 * vitrine_client_save_usb_filters_sync:
 * @filters: (element-type VitrineUsbFilter): all of them
 */
gboolean vitrine_client_save_usb_filters_sync(VitrineClient *client, GPtrArray *filters,
                                              GCancellable *cancellable, GError **error);
/**
 * vitrine_client_save_usb_filters_async:
 * @filters: (element-type VitrineUsbFilter): all of them
 */
void vitrine_client_save_usb_filters_async(VitrineClient *client, GPtrArray *filters,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
gboolean vitrine_client_save_usb_filters_finish(VitrineClient *client, GAsyncResult *result,
                                                GError **error);

/**
 * vitrine_machine_attach_usb_sync:
 * @device: its id, or the address of a remote one: "usbredir:…"
 * @capture: (nullable): the absolute path of a file that records what passes between the guest and
 *   the device, as pcapng, until it is taken back
 *
 * Gives a device to a running machine. When the call returns the guest has it plugged in; one that
 * listens for a peer waits for it.
 */
gboolean vitrine_machine_attach_usb_sync(VitrineMachine *machine, const char *device,
                                         const char *capture, GCancellable *cancellable,
                                         GError **error);
void vitrine_machine_attach_usb_async(VitrineMachine *machine, const char *device,
                                      const char *capture, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
/* Takes it back. When the call returns the host has it again. */
gboolean vitrine_machine_detach_usb_sync(VitrineMachine *machine, const char *device,
                                         GCancellable *cancellable, GError **error);
void vitrine_machine_detach_usb_async(VitrineMachine *machine, const char *device,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data);
/* Ends both. */
gboolean vitrine_machine_change_usb_finish(VitrineMachine *machine, GAsyncResult *result,
                                           GError **error);

G_END_DECLS
