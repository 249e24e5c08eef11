/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The console server half of a VM session. */
#pragma once

#include "app/api/client-private.h"
#include "app/api/vitrine-vm-session.h"
#include "vitrine-dbus.h"

typedef struct VmConsole VmConsole;

/* Makes the server's object; nobody can connect yet. */
VmConsole *vm_console_new(VitrineVmSession *session, const char *machine_id);
gboolean vm_console_listen(VmConsole *console, const char *path, const VitrineVmOps *ops,
                           gpointer data, GError **error);
/* Ends all connections, after what was sent has arrived. vm_console_wake() stays allowed. */
/* New clients find nobody; those that are connected stay. */
void vm_console_stop_listening(VmConsole *console);
void vm_console_close(VmConsole *console);
void vm_console_free(VmConsole *console);

/* The following only in the session's context, except vm_console_wake(). */
VitrineDBusConsole *vm_console_skeleton(VmConsole *console);
void vm_console_set_screen(VmConsole *console, guint screen, guint width, guint height,
                           gboolean enabled);
void vm_console_wake(VmConsole *console, guint screen);
/* Sends what is waiting: property changes before whatever comes next. */
void vm_console_flush(VmConsole *console);

/* vm-state.c: saving as the service asks for it. Only in the session's context. */
typedef struct VmState VmState;
VmState *vm_state_new(VitrineVmSession *session, VitrineDBusVmProcess *skeleton);
void vm_state_free(VmState *state);
void vm_state_serve(VmState *state, const VitrineVmOps *ops, gpointer data);
/* The service has come back. */
void vm_state_reconnected(VmState *state);

/* vm-merge.c: merging images as the service asks for it. Only in the session's context. */
typedef struct VmMerge VmMerge;
VmMerge *vm_merge_new(VitrineVmSession *session, VitrineDBusVmProcess *skeleton);
void vm_merge_free(VmMerge *merge);
void vm_merge_serve(VmMerge *merge, const VitrineVmOps *ops, gpointer data);
/* The service has come back. */
void vm_merge_reconnected(VmMerge *merge);

/* vm-usb.c: USB devices of the host. Only in the session's context. */
typedef struct VmUsb VmUsb;
VmUsb *vm_usb_new(VitrineVmSession *session, VitrineDBusVmProcess *skeleton);
void vm_usb_free(VmUsb *usb);
void vm_usb_serve(VmUsb *usb, const VitrineVmOps *ops, gpointer data);
void vm_usb_released(VmUsb *usb, const char *device);
/* The service has come back. */
void vm_usb_reconnected(VmUsb *usb);

/* vm-drives.c: drives of the running machine. Only in the session's context. */
typedef struct VmDrives VmDrives;
VmDrives *vm_drives_new(VitrineDBusVmProcess *skeleton);
void vm_drives_free(VmDrives *drives);
void vm_drives_serve(VmDrives *drives, const VitrineVmOps *ops, gpointer data);
/* A service has come in the place of another one. */
void vm_drives_reconnected(const VmDrives *drives);

/* vm-images.c */
/* a(sssiba(si)) and the descriptors that it numbers: (element-type VitrineImage). NULL with error
 * when a number is out of range. */
GPtrArray *vm_session_parse_images(GVariant *list, GUnixFDList *fds, GError **error);
void vm_session_image_clear(VitrineImage *image);
/* Number index of fds, the caller's; -1 with an error that names location. */
int vm_session_take_fd(GUnixFDList *fds, int index, const char *location, GError **error);

/* vm-session.c */
/* Whoever asked for this is still there to hear the answer. */
gboolean vm_session_is_heard(GDBusMethodInvocation *invocation);
RemoteCall vm_session_call(VitrineVmSession *session, const char *method, GVariant *parameters);
VitrineClient *vm_session_client(VitrineVmSession *session);
/* Runs later in the session's context. Takes what. */
void vm_session_post(VitrineVmSession *session, void (*run)(VitrineVmSession *, GVariant *),
                     GVariant *what);
