/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Changes of networks, one after the other: the first that fails ends them. */
#pragma once

#include "app/api/vitrine.h"

typedef struct NetworksSteps NetworksSteps;

/* error NULL: all was done. */
typedef void (*NetworksStepsDone)(gpointer data, const GError *error);

NetworksSteps *networks_steps_new(VitrineClient *client);
/* name: of the network that is changed; "": a new one. */
void networks_steps_save_nat(NetworksSteps *steps, const char *name,
                             const VitrineNatNetwork *network);
void networks_steps_change_nat(NetworksSteps *steps, const char *name, const char *verb);
void networks_steps_save_dhcp(NetworksSteps *steps, const VitrineDhcpServer *server);
void networks_steps_change_dhcp(NetworksSteps *steps, const char *name, const char *verb);
/* Takes steps. done is called once, at the end, with data, which lives until then. */
void networks_steps_run(NetworksSteps *steps, NetworksStepsDone done, GObject *data);
