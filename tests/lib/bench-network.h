/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A fake network for cards: the driver "bench-network" keeps what the card sends and gives it what
 * the test has. */
#pragma once

#include "vmm/pdm/pdm-vm.h"

typedef struct {
    GByteArray *frame;
    PdmFrameOffload offload;
} BenchFrame;

typedef struct {
    GPtrArray *frames; /* BenchFrame: that the card sent */
    bool full;         /* send() has no room */
    bool link, promiscuous;
    unsigned ready_calls;
    const PdmNetworkPort *port; /* of the card */
    PdmActivity activity;
    PdmNetworkConnector connector;
} BenchNetwork;

extern const PdmDriverInfo bench_network_driver;

/* The fake at a LUN; the test ends when there is none. */
BenchNetwork *bench_network(Pdm *pdm, const char *device, unsigned instance, unsigned lun);
/* A frame that was sent; the test ends when there are not so many. */
const BenchFrame *bench_network_sent(const BenchNetwork *network, unsigned index);
/* Pulls the cable or plugs it in. */
void bench_network_link(BenchNetwork *network, bool up);
