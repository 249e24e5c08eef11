/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What machines, media, progress and VM sessions need from their client: calls that reconnect when
 * they must, and the objects' own updates. Private to this room. */
#pragma once

#include "app/api/cache.h"
#include "app/api/transport.h"
#include "app/api/vitrine.h"

/* One call: an object of the service and what to do. parameters may be floating or NULL. */
typedef struct {
    const char *path;
    const char *interface;
    const char *method;
    GVariant *parameters;
} RemoteCall;

/* Result and descriptors (may be NULL) of a call; error in VITRINE_ERROR. */
GVariant *client_call_sync(VitrineClient *client, const RemoteCall *call, GUnixFDList **fds,
                           GCancellable *cancellable, GError **error);
/* The same, and afterwards the client's lists are as the service has them now. */
gboolean client_change_sync(VitrineClient *client, const RemoteCall *call,
                            GCancellable *cancellable, GError **error);
/* Completes a GTask of source with the reply. */
void client_call_async(VitrineClient *client, gpointer source, const RemoteCall *call,
                       GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
GVariant *client_call_finish(gpointer source, GAsyncResult *result, GError **error);
gboolean client_call_finish_void(gpointer source, GAsyncResult *result, GError **error);
/* For replies of one string. */
char *client_call_finish_string(gpointer source, GAsyncResult *result, GError **error);
/* Any error of GIO as one of ours; takes in. */
void client_take_error(GError **error, GError *in);

/* Fills the lists anew. */
gboolean client_refresh_sync(VitrineClient *client, GCancellable *cancellable, GError **error);

/* NULL while disconnected; borrowed. */
GDBusConnection *client_connection(VitrineClient *client);
/* Progress objects hear of changes while they live. */
void client_watch_progress(VitrineClient *client, const char *path, VitrineProgress *progress);
void client_forget_progress(VitrineClient *client, const char *path,
                            const VitrineProgress *progress);

VitrineMachine *machine_new(VitrineClient *client, const char *id, GVariant *properties);
void machine_update(VitrineMachine *machine, GVariant *properties);
VitrineClient *machine_client(VitrineMachine *machine);
const char *machine_path(VitrineMachine *machine);
VitrineMedium *medium_new(VitrineClient *client, const char *id, GVariant *properties);
void medium_update(VitrineMedium *medium, GVariant *properties);
VitrineClient *medium_client(VitrineMedium *medium);
/* A call to the medium's own interface. */
RemoteCall medium_call(VitrineMedium *medium, const char *method, GVariant *parameters);
VitrineProgress *progress_new(VitrineClient *client, const char *path);
/* Of a reply whose only value is the path of a progress object; takes reply, NULL for NULL. */
VitrineProgress *progress_from_reply(VitrineClient *client, GVariant *reply);
void progress_update(VitrineProgress *progress, GVariant *properties);
/* Its service has gone: it will never go on. */
void progress_lost(VitrineProgress *progress);

/* Connects to the service of this folder and starts it when nobody answers. Blocks; for threads. */
GDBusConnection *service_connect(const char *config_folder, GCancellable *cancellable,
                                 GError **error);
VitrineConsole *console_open_sync(const char *address, const char *machine_id,
                                  GCancellable *cancellable, GError **error);
void console_open_async(gpointer source, const char *address, const char *machine_id,
                        GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data);
