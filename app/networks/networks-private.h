/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the window and its commands share. */
#pragma once

#include "app/networks/networks-rows.h"
#include "app/networks/networks-window.h"

VitrineClient *networks_window_get_client(NetworksWindow *window);
/* The kind whose list is shown. */
NetworksKind networks_window_get_kind(NetworksWindow *window);
/* (transfer full) (nullable): a column of the selected row; NULL: none is selected. */
char *networks_window_get_selected(NetworksWindow *window, int column);
/* Selects a network when it is there, or as soon as it is; NULL: as it is. */
void networks_window_select(gpointer window, const char *name);
void networks_window_show_error(NetworksWindow *window, const char *summary, const GError *error);
/* What a network is has changed; the host does not tell of its devices. */
void networks_window_reload(gpointer window);

/* ---- networks-commands.c ---- */
void networks_window_add_commands(NetworksWindow *window);
void networks_window_update_commands(NetworksWindow *window);
