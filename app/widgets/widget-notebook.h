/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pages with tabs, whose leaving GTK does not complain of. */
#pragma once

#include <gtk/gtk.h>

/* For a notebook whose pages go with it. */
void widget_notebook_setup(GtkNotebook *notebook);

/* Takes all pages away. */
void widget_notebook_clear(GtkNotebook *notebook);
