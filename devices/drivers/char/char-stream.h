/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the character drivers have in common: two bounded buffers, a worker thread that moves bytes
 * between them and a descriptor, and the connector that the device above sees. A driver opens its
 * descriptor, says how a peer comes about, and starts the stream. */
#pragma once

#include "devices/drivers/char/char-host.h"
#include "vmm/pdm/pdm.h"

#define CHAR_OUTPUT_SIZE 65536
#define CHAR_INPUT_SIZE 4096

typedef enum {
    CHAR_PEER_FIXED,   /* `peer` is there as long as it is open */
    CHAR_PEER_ACCEPT,  /* one at a time from `listener` */
    CHAR_PEER_CONNECT, /* from `connect`, tried again every second */
    CHAR_PEER_PTY,     /* `peer` is a pseudo-terminal's master; somebody may open the slave */
} CharPeer;

typedef struct CharStream {
    PdmDriver *driver;
    PdmCharConnector connector;
    PdmQueue *queue; /* brings what the worker found to virtual CPU 0 */

    /* Set by the driver before char_stream_start(). */
    CharPeer kind;
    int listener, peer; /* -1: none; owned; peer is the worker's while it runs */
    int output;         /* where it differs from peer (standard output), else -1 */
    bool write_only;
    int (*connect)(struct CharStream *stream, GError **error);
    char *address;     /* of the listening socket or the peer; owned */
    char *unlink_path; /* removed at the end; owned */
    uint16_t port;

    int wake[2];
    GThread *worker;
    gint64 next_try;     /* the worker's: when it may connect again, monotonic microseconds */
    bool told_connected; /* what the device knows; device lock */

    GMutex mutex; /* for what follows; never held while taking the device lock */
    GCond drained;
    uint8_t out[CHAR_OUTPUT_SIZE];
    uint32_t out_head, out_count;
    uint8_t in[CHAR_INPUT_SIZE];
    uint32_t in_head, in_count;
    bool connected;
    bool short_send; /* the device waits for can_send */
    bool kicked;     /* the queue has been told */
    bool end_of_input;
    bool warned; /* that the host's disk is full */
    bool stop;
} CharStream;

/* First, in construct: nothing is open. False: the host lacks descriptors. */
bool char_stream_init(CharStream *stream, PdmDriver *driver, GError **error);
/* Last: the worker runs. */
void char_stream_start(CharStream *stream);
/* The descriptor that the embedder put into the configuration as Descriptor; -1: none, or *error.
 */
int char_stream_descriptor(const CfgmNode *config, GError **error);

/* For the drivers' descriptors. */
void char_stream_destruct(PdmDriver *driver);
void char_stream_power_off(PdmDriver *driver);

/* char-worker.c */
gpointer char_worker_main(gpointer stream);
