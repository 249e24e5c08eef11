/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Requests of a controller to the drivers below, one at a time, with the buffer that they move data
 * through. When the guest resets the controller while a request is under way, nobody waits: the
 * request is dropped together with its buffer, and the next one is held back until the driver is
 * through with it, so that a guest that resets in a loop has at most two. */
#pragma once

#include "vmm/pdm/pdm.h"

typedef struct DriveIoRequest DriveIoRequest;

typedef struct {
    uint8_t *buffer; /* of the next request, or of the one under way; another one after a drop */
    uint32_t buffer_size;
    void (*done)(void *user, int error); /* error is an errno value, 0: it worked */
    void *user;
    DriveIoRequest *current; /* with buffer */
    DriveIoRequest *dropped; /* still at its driver */
    const PdmMediaConnector *target;
    bool in_flight; /* current is at its driver */
    bool deferred;  /* current waits until dropped is through */
} DriveIo;

void drive_io_init(DriveIo *io, uint32_t buffer_size, void (*done)(void *user, int error),
                   void *user);
/* Ends what is under way with all of the drives and frees the buffer. */
void drive_io_free(DriveIo *io, const PdmMediaConnector *const *drives, unsigned count);

/* Asks target for size bytes at offset, from or to the buffer at `within`; the device has bounded
 * all three. done() follows, never before this returns. */
void drive_io_submit(DriveIo *io, const PdmMediaConnector *target, PdmIoKind kind, uint64_t offset,
                     uint32_t size, uint32_t within);
/* Forgets what is under way: done() is not called for it. */
void drive_io_drop(DriveIo *io);
