/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The driver "network": the host half of every network card. It exchanges frames with whatever is
 * behind its wire, keeps the cable's state, counts, records, and does for either side what that
 * cannot do itself. Sending happens on the caller's thread and never waits; receiving has a thread
 * of its own, which takes the device lock for each batch. */
#pragma once

#include "devices/drivers/network/trace.h"
#include "devices/drivers/network/wire.h"
#include "vmm/pdm/pdm.h"

typedef struct {
    PdmDriver *driver;
    PdmNetworkConnector connector;
    PdmActivity activity;
    GThread *thread;
    int wake;

    /* Under the device lock. */
    bool link, paused;
    bool card_full; /* the card has no buffer: the batch waits for receive_ready() */
    NetworkTrace trace;
    uint8_t *scratch; /* a frame that is finished in software on its way out */

    GMutex mutex; /* for what follows; never held while taking the device lock */
    WireKind kind;
    int descriptor;      /* its number stays the same */
    unsigned generation; /* of kind and descriptor: the thread's batch belongs to one */
    bool wants_room;     /* a send was refused: can_send() follows */
    bool lost, stop;

    WireBatch batch; /* the thread's */
} Network;

/* network-thread.c */
gpointer network_thread(gpointer network);
