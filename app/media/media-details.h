/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MediaDetails: what is known of one medium. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

#define MEDIA_TYPE_DETAILS (media_details_get_type())
G_DECLARE_FINAL_TYPE(MediaDetails, media_details, MEDIA, DETAILS, GtkGrid)

GtkWidget *media_details_new(VitrineClient *client);
/* NULL: none is selected. Follows its properties. */
void media_details_set_medium(MediaDetails *details, VitrineMedium *medium);
