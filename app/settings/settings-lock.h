/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What cannot change while a machine runs, or while it has a saved state, is visible, locked, and
 * says why. Every control of a page is locked unless the page has opened it for that state: nobody
 * can forget one. */
#pragma once

#include <gtk/gtk.h>

/* The machine's state, and the mask of those in which a control can be used beside FREE. */
typedef enum {
    SETTINGS_FREE = 0, /* powered off */
    SETTINGS_RUNNING = 1 << 0,
    SETTINGS_SAVED = 1 << 1,
    SETTINGS_READ_ONLY = 1 << 2, /* never: the settings cannot be written */
} SettingsState;

#define SETTINGS_ALWAYS (SETTINGS_RUNNING | SETTINGS_SAVED)

/* Opens a control, with all that is in it, in the states of the mask. */
void settings_lock_open(GtkWidget *control, guint states);
/* Whether the control makes sense by itself, and its own tooltip (or NULL), which the reason of a
 * lock replaces: in place of gtk_widget_set_sensitive() and gtk_widget_set_tooltip_text(). */
void settings_lock_set_possible(GtkWidget *control, gboolean possible, const char *tooltip);
/* Locks and unlocks the controls below place. reason: why, a sentence. */
void settings_lock_apply(GtkWidget *place, SettingsState state, const char *reason);
