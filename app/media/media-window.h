/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The media manager. Manual, chapter "Virtual Storage" (The Virtual Media Manager). */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

#define MEDIA_TYPE_WINDOW (media_window_get_type())
G_DECLARE_FINAL_TYPE(MediaWindow, media_window, MEDIA, WINDOW, GtkWindow)

GtkWidget *media_window_new(GtkWindow *parent, VitrineClient *client);
