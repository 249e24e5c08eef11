/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An entry for a folder: its path can be typed, pasted, or chosen with the icon; it need not exist
 * yet. */
#pragma once

#include <gtk/gtk.h>

/* title: of the chooser, and the name for assistive technology. Follow "changed" like any GtkEntry.
 */
GtkWidget *widget_folder_entry_new(const char *title);
/* Makes an entry of a template one. */
void widget_folder_entry_setup(GtkEntry *entry, const char *title);
