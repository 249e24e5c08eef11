/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The service: registry, machines, media, and the clients that are connected. One thread; what
 * takes long is done by workers. */
#pragma once

#include "app/api/transport.h"
#include "app/api/vitrine.h"
#include "app/service/device-list.h"
#include "app/service/settings/global-file.h"
#include "vitrine-dbus.h"

typedef struct Machine Machine;
typedef struct Medium Medium;
struct Networks;
struct Usb;

typedef struct {
    char *config_folder;
    GMainLoop *loop;
    int lock; /* of the one service for this folder */
    char *socket_path;
    GDBusServer *server;
    GPtrArray *connections; /* GDBusConnection */
    guint idle_source;
    VitrineDBusService *skeleton;
    SettingsFile *global;
    char *damage; /* "" or why VirtualBox.xml cannot be used */
    GHashTable *extra_data;
    GPtrArray *machines; /* Machine, in the registry's order */
    GPtrArray *media;    /* Medium */
    GHashTable *media_by_id;
    guint task_count;            /* the service stays while work is under way */
    gboolean journals_recovered; /* what a killed service left has been seen to */
    guint progress_count;
    DeviceList *devices;
    struct Usb *usb;           /* devices of the host; see usb.h */
    struct Networks *networks; /* of running machines; see network.h */
} Service;

Service *service_new(const char *config_folder, GMainLoop *loop);
void service_free(Service *service);
/* Takes the lock and the socket. VITRINE_ERROR_BUSY: another service has them. */
gboolean service_start(Service *service, GError **error);

/* Offers an object to all clients, and takes it away. */
void service_export(Service *service, GDBusInterfaceSkeleton *skeleton, const char *path);
void service_unexport(GDBusInterfaceSkeleton *skeleton);

/* Why nothing can be changed now, or NULL. Borrowed. */
const char *service_read_only_reason(Service *service);
/* FALSE, and the call is answered, when nothing can be changed. */
gboolean service_allow_change(Service *service, GDBusMethodInvocation *invocation);
gboolean service_save(Service *service, GError **error);
/* A system property that is a text; the caller's. */
char *service_property(Service *service, const char *name);
/* Looks whether the service may end. */
void service_check_idle(Service *service);

Machine *service_find_machine(Service *service, const char *id);
Medium *service_find_medium(Service *service, const char *id);
Medium *service_find_medium_at(Service *service, const char *location);

/* Locks the file of an image, shared or for writing. The lock belongs to the descriptor and goes
 * where that goes. VITRINE_ERROR_BUSY when another program has it. */
gboolean service_lock_image(int fd, gboolean writing, const char *path, GError **error);

/* service-calls.c: answers to org.vitrine.Service. */
void service_connect_calls(Service *service);
/* VITRINE_ERROR_EXISTS when a machine has this name or identifier, or the file (may be NULL) is
 * there. */
gboolean service_check_unused(Service *service, const char *name, const char *id, const char *path,
                              GError **error);
/* <base>/<first group>/<name>/<name>.vbox; base "": the usual one. The caller's. */
char *service_new_settings_path(Service *service, VitrineSettings *settings, const char *base);
/* Registers a settings file that is there; NULL with error. */
Machine *service_add_machine(Service *service, const char *id, const char *path, GError **error);

/* Answers with an error; takes it. Always TRUE, for handlers to return. */
gboolean service_fail(GDBusMethodInvocation *invocation, GError *error);
gboolean service_refuse(GDBusMethodInvocation *invocation, VitrineError code, const char *format,
                        ...) G_GNUC_PRINTF(3, 4);

/* Puts a copy of a text in the place of another one. */
static inline void
service_set_text(char **place, const char *text)
{
    g_free(*place);
    *place = g_strdup(text);
}

/* service-log.c: messages go to a file in this folder, if it exists. */
void service_log_open(const char *config_folder);

/* original-*.c: whether the original product's service runs for this user on this folder. */
gboolean original_service_runs(const char *config_folder);
