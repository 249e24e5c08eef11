/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of usb/remote share. */
#pragma once

#include "usb/remote/usb-remote-guard.h"
#include "usb/remote/usb-remote-socket.h"
#include "usb/remote/usb-remote.h"

#include <usbredirparser.h>

#define REMOTE_ENDPOINTS 32u
#define REMOTE_READ_SIZE 65536u
/* What a peer may leave unread before it counts as gone. */
#define REMOTE_OUTPUT_MAX ((uint64_t)VUSB_BYTES_MAX)
/* What a peer may send of a stream before the guest asks for it; the oldest are dropped. */
#define REMOTE_PACKETS_MAX 512u

/* A packet of a stream that nobody has asked for yet. */
typedef struct {
    uint8_t status;
    uint32_t size;
    uint8_t *data; /* the parser's */
} RemotePacket;

/* An endpoint. Interrupt and isochronous IN are streams: the peer sends on its own. */
typedef struct {
    uint8_t type, interval; /* as the peer says */
    bool streams;           /* it was told to send, or that we shall */
    GQueue urbs;            /* VusbUrb: waiting for packets */
    GQueue packets;         /* RemotePacket: waiting for URBs */
} RemotePipe;

/* A peer, from its first byte to when its device was taken out of the machine. */
typedef struct {
    VusbDevice vusb; /* first */
    UsbRemote *remote;
    int descriptor;
    struct usbredirparser *parser;
    char title[32];

    /* The reader's: the worker, or whoever feeds bytes in a test. */
    uint8_t *input;
    size_t input_size, input_read;
    bool drained; /* a read brought less than there was room for: the next one is for later */
    bool ended;   /* the peer has closed its side, or broke the protocol */
    RemoteGuard guard;

    GMutex lock;      /* of what follows */
    GHashTable *urbs; /* by id */
    uint32_t next_id;
    RemotePipe pipes[REMOTE_ENDPOINTS];
    bool known; /* the peer has said what its device is */
    bool gone;  /* nothing is sent or answered any more */
    bool used;  /* since the last reset, by more than looking at descriptors */
    gint released;
} RemoteSession;

struct UsbRemote {
    UsbRemoteEvents events;
    int descriptor; /* that listens; -1: none */
    RemoteWake wake;
    GThread *worker;
    RemoteSession *in_machine; /* the owner's, under the device lock */

    GMutex lock; /* of what follows */
    GCond cond;
    RemoteSession *session; /* NULL: nobody is there */
    bool plugged, refused;
    bool over; /* no other peer can come */
    bool closing, closed;
};

/* usb-remote-session.c */
/* Takes the descriptor over. -1: none, bytes come from remote_session_feed(). */
RemoteSession *remote_session_new(UsbRemote *remote, int descriptor);
void remote_session_free(RemoteSession *session);
/* Reads and writes until there is no more now. False: the peer is gone. */
bool remote_session_run(RemoteSession *session);
/* Bytes of the peer's, for tests. False: it broke the protocol. */
bool remote_session_feed(RemoteSession *session, const uint8_t *data, size_t size);
/* All URBs come back, nothing is sent any more. */
void remote_session_end(RemoteSession *session);
/* Sends what is queued as far as the socket takes it. Under session->lock. */
void remote_session_flush(RemoteSession *session);
/* Tells the owner that there is something to do. */
void remote_changed(UsbRemote *remote);

/* usb-remote-device.c */
extern const VusbDeviceOps remote_device_ops;
RemotePipe *remote_pipe(RemoteSession *session, uint8_t endpoint, bool in);
/* Takes an URB off the table; NULL: the peer answers what nobody has asked (any more). Under
 * session->lock. */
VusbUrb *remote_take(RemoteSession *session, uint64_t id);
VusbStatus remote_status(uint8_t status);

/* usb-remote-answer.c */
void remote_answers_init(struct usbredirparser *parser);

/* usb-remote-stream.c; all under session->lock. */
void remote_stream_submit(RemoteSession *session, RemotePipe *pipe, VusbUrb *urb);
/* False: it does not wait there. */
bool remote_stream_cancel(RemoteSession *session, RemotePipe *pipe, VusbUrb *urb);
/* Takes the data over. */
void remote_stream_packet(RemoteSession *session, uint8_t endpoint, uint8_t type, uint8_t status,
                          uint8_t *data, int size);
void remote_stream_status(RemoteSession *session, uint8_t endpoint, uint8_t type, uint8_t status);
/* The peer has ended its streams: what waits ends so. */
void remote_streams_clear(RemoteSession *session, VusbStatus status);
