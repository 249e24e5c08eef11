/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ManagerWindow: the list of machines and what is known of the selected one. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define MANAGER_TYPE_WINDOW (manager_window_get_type())
G_DECLARE_FINAL_TYPE(ManagerWindow, manager_window, MANAGER, WINDOW, GtkApplicationWindow)

ManagerWindow *manager_window_new(GtkApplication *application);
/* Place and size of the last time; before it is shown. */
void manager_window_restore(ManagerWindow *window, VitrineClient *client);
/* The window is there at once; the machines when the service has answered. */
void manager_window_set_client(ManagerWindow *window, VitrineClient *client);
/* The service cannot be reached: says why, with a button to try again ("app.reconnect"). */
void manager_window_set_failed(ManagerWindow *window, const GError *error);
VitrineClient *manager_window_get_client(ManagerWindow *window);
/* The selected machine; NULL: none. */
VitrineMachine *manager_window_get_machine(ManagerWindow *window);
/* A quiet bar below the header bar. */
void manager_window_show_error(ManagerWindow *window, const char *summary, const GError *error);

G_END_DECLS
