/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What console.c and console-calls.c share. */
#pragma once

#include "app/api/client-private.h"

/* NULL once it is closed. */
GDBusConnection *console_connection(VitrineConsole *console);
/* A surface that wants the new file when the screen's surface is replaced. */
void console_follow_surface(VitrineConsole *console, guint screen, VitrineSurface *surface);
/* Takes over the descriptors of a GetSurface reply; FALSE with error. */
gboolean console_surface_fds(GVariant *reply, GUnixFDList *fds, int *memory, int *updates,
                             GError **error);
/* Asks for all properties, so that a program without a main loop sees what its call has changed. */
void console_refresh_sync(VitrineConsole *console);
