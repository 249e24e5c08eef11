/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The networks of running machines: a worker process for each, which is started with its first card
 * and ends with its last. A NAT network can be
 * started before. A worker that dies is replaced, and its cards do not notice but for what
 * was under way. */
#pragma once

#include "app/service/service.h"

typedef struct Networks Networks;

Networks *networks_new(Service *service);
void networks_free(Networks *networks);
/* Whether a network was started by name and not stopped: the service stays for it. */
gboolean networks_are_kept(Networks *networks);
/* Answers to the calls about NAT networks and DHCP servers. */
void networks_connect_calls(Service *service);
/* Tells all clients of the NAT networks and DHCP servers as they are now. */
void networks_publish(Service *service);
/* What is behind the cable of a machine's card: a frame socket, the caller's; -1 with error. What
 * was behind it before is taken away. *warning: a sentence about a part of the settings that cannot
 * be had (a port of the host that is in use), or NULL; the caller's. */
int networks_open(Networks *networks, const char *machine, guint slot,
                  const VitrineAdapter *adapter, char **warning, GError **error);
/* The machine has ended, or a card of it is attached to nothing (slot; -1: all). */
void networks_close(Networks *networks, const char *machine, int slot);
/* Puts a running card's settings into force that can change: ports that lead to it, and what it may
 * see. */
gboolean networks_update(Networks *networks, const char *machine, guint slot,
                         const VitrineAdapter *before, const VitrineAdapter *now, GError **error);
