/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Drives and media in words, the same in every window, and the choice of an image file. Results
 * with "char *" are the caller's. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

/* Symbolic icon of a kind of drive. */
const char *widget_drive_icon(VitrineMediumKind kind);
/* "Primary master" for IDE, "Drive A" for floppies; else the port's number. */
char *widget_drive_place(VitrineSettings *settings, const VitrineAttachment *drive);
/* "Debian.vdi, 20 GB", "Empty", or what is wrong with the medium. */
char *widget_drive_medium(VitrineClient *client, const VitrineAttachment *drive);

/* Image files of that kind, and all files. */
void widget_medium_add_filters(GtkFileChooser *chooser, VitrineMediumKind kind);
/* medium: UUID of the image, which the service knows now; NULL with error: it cannot be used. */
typedef void (*WidgetMediumChosen)(const char *medium, const GError *error, gpointer data);
/* Lets the person choose an image file, beginning where the last of that kind was, and opens it.
 * chosen is not called when the person chooses none; free_data is called in any case. */
void widget_medium_choose(GtkWindow *parent, VitrineClient *client, VitrineMediumKind kind,
                          WidgetMediumChosen chosen, gpointer data, GDestroyNotify free_data);
