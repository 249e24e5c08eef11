/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the windows' actions have in common. */
#pragma once

#include <gtk/gtk.h>

/* name: of a GSimpleAction in the map. */
void widget_action_enable(GActionMap *map, const char *name, gboolean enabled);
/* The About dialog of the program. */
void widget_about_show(GtkWindow *parent);

/* Enables the action unless there is a reason why not; its button tells what it does, or that
 * reason. */
void widget_action_offer(GActionMap *map, const char *action, GtkWidget *button, const char *what,
                         const char *why_not);
