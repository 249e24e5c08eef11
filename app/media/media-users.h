/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who uses which medium: machines as they are now, and their snapshots by name. The service says
 * which; the names, and what is attached now, are asked of each machine whose snapshots have media,
 * and again when its settings or its snapshots change. */
#pragma once

#include "app/api/vitrine.h"

typedef struct MediaUsers MediaUsers;

/* changed is called whenever another answer may be due. */
MediaUsers *media_users_new(VitrineClient *client, void (*changed)(gpointer), gpointer data);
void media_users_free(MediaUsers *users);
/* Names of the machines, with their snapshots that have it; "" without any. g_free(). */
char *media_users_text(MediaUsers *users, VitrineMedium *medium);
/* What an image of differences holds: a snapshot, the present of a machine, or what was that; NULL:
 * an image with a file name that tells something. g_free(). */
char *media_users_title(MediaUsers *users, VitrineMedium *medium);
/* Whether a machine has it attached now, not only a snapshot. */
gboolean media_users_is_attached(MediaUsers *users, VitrineMedium *medium);
