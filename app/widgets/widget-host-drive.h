/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The host's own optical and floppy drives in words, and the choice between them and an image. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

/* "Host drive “VENDOR MODEL (sr0)”"; the caller's. */
char *widget_host_drive_label(const VitrineHostDrive *drive);

/* path: of a host drive; NULL: an image file is wanted. */
typedef void (*WidgetHostDriveChosen)(const char *path, gpointer data);
/* Offers an image file and the host's drives of that kind in a menu at the button; where the host
 * has none, chosen is called with NULL at once. It is not called when the person chooses nothing;
 * free_data is called in any case. */
void widget_host_drive_ask(GtkWidget *button, VitrineClient *client, VitrineMediumKind kind,
                           WidgetHostDriveChosen chosen, gpointer data, GDestroyNotify free_data);
