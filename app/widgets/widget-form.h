/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A page of a form: labels in one column, controls in the other. */
#pragma once

#include <gtk/gtk.h>

GtkWidget *widget_form_new(void);
/* An explanation. */
GtkWidget *widget_dim_label(const char *text);
/* Says what is wrong; hidden until it is shown. */
GtkWidget *widget_problem_label(void);
/* label: with a mnemonic for the control. Returns the next row. */
int widget_form_add(GtkWidget *form, int row, const char *label, GtkWidget *control);
/* An explanation below a control. */
int widget_form_add_note(GtkWidget *form, int row, const char *text);
