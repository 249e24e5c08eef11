/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MediaDetails: what is known of one medium. */
#pragma once

#include "app/media/media-users.h"

#include <gtk/gtk.h>

#define MEDIA_TYPE_DETAILS (media_details_get_type())
G_DECLARE_FINAL_TYPE(MediaDetails, media_details, MEDIA, DETAILS, GtkGrid)

/* users stay the caller's, and as long as the widget. */
GtkWidget *media_details_new(VitrineClient *client, MediaUsers *users);
/* What the users know has changed. */
void media_details_update(MediaDetails *details);
/* NULL: none is selected. Follows its properties. */
void media_details_set_medium(MediaDetails *details, VitrineMedium *medium);
