/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Words for values, the same in every window. Results with "char *" are the caller's. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

/* "Running", "Powered off" … static, translated. */
const char *widget_state_name(VitrineMachineState state);
/* A symbolic icon that says the same by its shape. */
const char *widget_state_icon(VitrineMachineState state);
/* "Running – 3 h", "Powered off", for a list row; for an inaccessible machine, so. */
char *widget_state_line(VitrineMachine *machine);
/* "2 days ago", "just now" */
char *widget_age(gint64 unix_seconds);
/* "512 MB", "4 GB": MiB in the units that people use for memory and disks. */
char *widget_megabytes(guint64 mebibytes);
/* Icon name of a guest OS type. */
const char *widget_os_icon(const char *os_type);
/* "Debian (64-bit)", or the identifier itself when it is not known. */
const char *widget_os_name(const char *os_type);
/* Gives an icon-only widget its name for assistive technology, and a tooltip. */
void widget_set_name(GtkWidget *widget, const char *name);
