/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Requests of a controller to the drivers below. */
#include "devices/storage/drive-io.h"

struct DriveIoRequest {
    PdmIoRequest io;
    DriveIo *owner;
    uint8_t *buffer;
    bool dropped;
};

static void request_done(void *user, PdmIoRequest *io, int error);

static void
renew(DriveIo *io)
{
    DriveIoRequest *request = g_new0(DriveIoRequest, 1);

    request->owner = io;
    request->buffer = g_malloc0(io->buffer_size);
    request->io.done = request_done;
    request->io.user = request;
    io->current = request;
    io->buffer = request->buffer;
}

static void
free_request(DriveIoRequest *request)
{
    if (request == NULL)
        return;
    g_free(request->buffer);
    g_free(request);
}

void
drive_io_init(DriveIo *io, uint32_t buffer_size, void (*done)(void *user, int error), void *user)
{
    io->buffer_size = buffer_size;
    io->done = done;
    io->user = user;
    renew(io);
}

void
drive_io_free(DriveIo *io, const PdmMediaConnector *const *drives, unsigned count)
{
    drive_io_drop(io);
    for (unsigned i = 0; i < count; i++)
        if (drives[i] != NULL)
            drives[i]->cancel_all(drives[i]->user);
    g_clear_pointer(&io->dropped, free_request);
    g_clear_pointer(&io->current, free_request);
}

static void
send_request(DriveIo *io)
{
    io->deferred = false;
    io->in_flight = true;
    io->target->submit(io->target->user, &io->current->io);
}

static void
request_done(void *user, PdmIoRequest *finished, int error)
{
    DriveIoRequest *request = user;
    DriveIo *io = request->owner;

    if (!request->dropped) {
        io->in_flight = false;
        io->done(io->user, error);
        return;
    }
    io->dropped = NULL;
    free_request(request);
    if (io->deferred)
        send_request(io);
}

void
drive_io_submit(DriveIo *io, const PdmMediaConnector *target, PdmIoKind kind, uint64_t offset,
                uint32_t size, uint32_t within)
{
    PdmIoRequest *request = &io->current->io;

    request->kind = kind;
    request->offset = offset;
    request->size = size;
    request->buffer = io->buffer + within;
    io->target = target;
    if (io->dropped != NULL)
        io->deferred = true;
    else
        send_request(io);
}

void
drive_io_drop(DriveIo *io)
{
    io->deferred = false;
    if (!io->in_flight)
        return;
    io->in_flight = false;
    io->dropped = io->current;
    io->dropped->dropped = true;
    renew(io);
}
