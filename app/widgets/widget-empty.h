/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is in the place of a list that has no rows: what would be there, and how it gets there. */
#pragma once

#include <gtk/gtk.h>

/* An icon, a title, and a text (NULL: none) in the middle of the room that there is. */
GtkWidget *widget_empty_page_new(const char *icon, const char *title, const char *text);
/* The list, or such a page: two children of a GtkStack. Shown. */
GtkWidget *widget_empty_new(GtkWidget *list, const char *icon, const char *title, const char *text);
/* Which of the two. */
void widget_empty_show(GtkWidget *stack, gboolean is_empty);
