/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The dialog for a new disk image, empty or a copy. Manual, chapter "Virtual Storage". */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

/* medium: UUID of the new disk. */
typedef void (*WidgetDiskMade)(gpointer data, const char *medium);

/* Asks for place, size and format, and makes the disk, whose progress the dialog shows. folder:
 * where it goes unless the person chooses another; name: what its file is called then, without an
 * extension. made is not called when the person gives up; data is kept meanwhile. */
void widget_new_disk_show(GtkWindow *parent, VitrineClient *client, const char *folder,
                          const char *name, WidgetDiskMade made, GObject *data);
/* A name that no file in folder has: the machine's, with a number from the second one on; the
 * caller's. */
char *widget_disk_free_name(VitrineMachine *machine, const char *folder);
/* The same for a copy of what a disk shows, beside its file unless the person chooses another
 * place.
 */
void widget_copy_disk_show(GtkWindow *parent, VitrineClient *client, VitrineMedium *source,
                           WidgetDiskMade made, GObject *data);
