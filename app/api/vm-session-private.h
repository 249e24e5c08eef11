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
