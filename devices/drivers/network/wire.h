/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a network driver exchanges frames with: a descriptor, and how frames are written to it. One
 * implementation for each kind of host. */
#pragma once

#include "vmm/pdm/pdm.h"

#define WIRE_BATCH 16u

typedef enum {
    WIRE_NONE,   /* not attached */
    WIRE_FRAMES, /* a frame socket: local, message by message, with the header of frame.h */
    WIRE_TAP,    /* a TAP device with a header of 10 bytes (virtio_net_hdr) */
    WIRE_PLAIN,  /* datagrams that are frames and nothing else (UDP tunnel) */
} WireKind;

typedef enum { WIRE_DONE, WIRE_AGAIN, WIRE_LOST } WireResult;

/* A frame that was received; data is the batch's memory. */
typedef struct {
    uint8_t *data;
    size_t size;
    PdmFrameOffload offload;
    bool recorded; /* in a trace */
} WireFrame;

typedef struct {
    uint8_t *memory;
    unsigned count, next; /* frames in it; the first that nobody has taken */
    WireFrame frames[WIRE_BATCH];
} WireBatch;

/* The kind of this name ("frames", "tap", "plain"); WIRE_NONE for others. */
WireKind wire_kind(const char *name);
/* Takes a descriptor over from elsewhere. False: it is none. */
bool wire_adopt(int descriptor);
void wire_close(int descriptor);
/* Another number for the same thing; -1 and *error. */
int wire_duplicate(int descriptor, GError **error);
/* Makes `number` the same thing as `descriptor`, in one step. */
bool wire_replace(int number, int descriptor);
/* A descriptor that ends a wait. */
int wire_wake_open(GError **error);
void wire_wake(int descriptor);
void wire_wake_clear(int descriptor);

void wire_batch_init(WireBatch *batch);
void wire_batch_clear(WireBatch *batch);
/* Fills an empty batch with what is there. */
WireResult wire_receive(WireKind kind, int descriptor, WireBatch *batch);
/* What send takes beside ordinary frames. */
PdmOffloads wire_offloads(WireKind kind);
/* Sends a frame at once, whole or not at all. */
WireResult wire_send(WireKind kind, int descriptor, const PdmFramePiece *pieces, unsigned count,
                     const PdmFrameOffload *offload);
