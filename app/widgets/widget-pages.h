/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A list of pages left, the page right, and a search across all of them: settings, preferences. */
#pragma once

#include <gtk/gtk.h>

/* A box that fills a dialog. Ctrl+F in its window goes to the search. */
GtkWidget *widget_pages_new(void);
/* The first page that is added is shown first. title: translated. */
void widget_pages_add(GtkWidget *pages, const char *name, const char *title, GtkWidget *page);
/* NULL or unknown: stays. */
void widget_pages_show(GtkWidget *pages, const char *name);
/* What the pages are in, for one who has something to do with all of them; list and search are
 * not. */
GtkWidget *widget_pages_place(GtkWidget *pages);
