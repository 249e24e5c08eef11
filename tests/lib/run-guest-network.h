/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * run-guest's network cards: each of --nic MODEL[,WORD…], with a gateway of its own where one is
 * asked for. */
#pragma once

#include "devices/machine.h"
#include "vmm/pdm/pdm-vm.h"

#include <glib.h>

/* The words: "nat": a gateway in a worker process; then "forward=tcp:HOST:GUEST" (or udp),
 * "tftp=FOLDER", "boot=FILE", "loopback" (the host's own address can be reached); "fd=N": a socket
 * that the caller has opened; "tap=N": a TAP device; "mac=…"; "trace=FILE"; "unplugged". */
typedef struct {
    MachineAdapter adapters[MACHINE_ADAPTERS];
    GPtrArray *texts; /* that the adapters point to */
    GArray *controls; /* int: sockets; a worker ends when its own is closed */
    unsigned changes; /* of cables */
} RunNetwork;

bool run_network_init(RunNetwork *network, char **words, GError **error);
/* Pulls one card's cable, another's the next time; when all are out, plugs them in again. */
void run_network_change_cable(RunNetwork *network, Pdm *pdm);
void run_network_clear(RunNetwork *network);
