/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The insides of VitrineClient, for the files client*.c. */
#pragma once

#include "app/api/client-private.h"

struct _VitrineClient {
    GObject parent;
    char *config_folder;
    GMainContext *context;
    GDBusConnection *connection; /* NULL while disconnected */
    guint subscription;
    gulong closed_handler;
    GSource *reconnect;
    gboolean connecting;
    GQueue waiting;         /* GTask: calls that wait for the connection */
    Cache *properties;      /* of the service, system properties included */
    GHashTable *extra_data; /* key -> value */
    GListStore *machines;
    GListStore *media;
    GHashTable *machine_by_id; /* borrowed from the list */
    GHashTable *medium_by_id;
    GHashTable *progress; /* object path -> VitrineProgress, weak: it tells us when it goes */
};

/* client.c */
extern const CacheField client_fields[];
extern const guint client_field_count;
void client_take_objects(VitrineClient *client, GVariant *objects);
void client_take_properties(VitrineClient *client, GVariant *properties);
void client_add_machine(VitrineClient *client, const char *id, GVariant *properties);
void client_remove_machine(VitrineClient *client, const char *id);
void client_add_medium(VitrineClient *client, const char *id, GVariant *properties);
void client_remove_medium(VitrineClient *client, const char *id);
void client_take_extra_data(VitrineClient *client, const char *machine, const char *key,
                            const char *value);

/* client-connection.c */
gboolean client_connect_sync(VitrineClient *client, GCancellable *cancellable, GError **error);
void client_disconnect(VitrineClient *client);

/* client-signals.c */
void client_on_signal(GDBusConnection *connection, const char *sender, const char *path,
                      const char *interface, const char *signal, GVariant *parameters,
                      gpointer user_data);
