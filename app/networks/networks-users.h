/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which machines use which network: asked of each machine's settings, again when they change. */
#pragma once

#include "app/api/vitrine.h"

typedef struct NetworksUsers NetworksUsers;

/* changed is called whenever another answer may be due. */
NetworksUsers *networks_users_new(VitrineClient *client, void (*changed)(gpointer), gpointer data);
void networks_users_free(NetworksUsers *users);
/* Names of the machines with a card on this network, separated by commas; g_free(). */
char *networks_users_of(NetworksUsers *users, VitrineNetwork kind, const char *name);
/* (transfer full) (element-type utf8): the names of this kind's networks, sorted, each once. */
GPtrArray *networks_users_names(NetworksUsers *users, VitrineNetwork kind);
