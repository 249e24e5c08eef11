/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Requests of an IDE channel to the driver below. There is one at a time. When the guest resets the
 * channel while a request is under way, nobody waits: the request is dropped together with its
 * buffer, and the next one is held back until the driver is through with it, so that a guest that
 * resets in a loop has at most two. */
#include "devices/storage/ide-private.h"

static void request_done(void *user, PdmIoRequest *io, int error);

static IdeRequest *
new_request(IdeChannel *channel)
{
    IdeRequest *request = g_new0(IdeRequest, 1);

    request->channel = channel;
    request->buffer = g_malloc0(IDE_BUFFER_SIZE);
    request->io.done = request_done;
    request->io.user = request;
    return request;
}

static void
free_request(IdeRequest *request)
{
    if (request == NULL)
        return;
    g_free(request->buffer);
    g_free(request);
}

void
ide_requests_init(IdeChannel *channel)
{
    channel->request = new_request(channel);
    channel->buffer = channel->request->buffer;
}

void
ide_requests_free(IdeChannel *channel)
{
    for (unsigned i = 0; i < IDE_DRIVES; i++) {
        const PdmMediaConnector *media = channel->drives[i].media;

        if (media != NULL)
            media->cancel_all(media->user);
    }
    g_clear_pointer(&channel->request, free_request);
}

static void
send_request(IdeChannel *channel)
{
    const PdmMediaConnector *media = ide_selected(channel)->media;

    channel->deferred = false;
    channel->in_flight = true;
    media->submit(media->user, &channel->request->io);
}

void
ide_submit(IdeChannel *channel, PdmIoKind kind)
{
    IdeTransfer *transfer = &channel->transfer;
    bool optical = ide_selected(channel)->atapi;
    uint32_t sector = optical ? IDE_CD_SECTOR : IDE_SECTOR;
    PdmIoRequest *io = &channel->request->io;

    io->kind = kind;
    io->offset = transfer->lba * sector;
    io->size = kind == PDM_IO_FLUSH ? 0 : transfer->chunk * sector;
    /* Framing moves sectors apart, so they are read to the end of the buffer. */
    io->buffer = channel->buffer + (transfer->packet_raw ? IDE_BUFFER_SIZE - io->size : 0);
    transfer->io_kind = kind;
    transfer->phase = IDE_PHASE_MEDIUM;
    if (channel->dropped != NULL)
        channel->deferred = true;
    else
        send_request(channel);
}

static void
request_done(void *user, PdmIoRequest *io, int error)
{
    IdeRequest *request = user;
    IdeChannel *channel = request->channel;

    if (request->dropped) {
        channel->dropped = NULL;
        free_request(request);
        if (channel->deferred)
            send_request(channel);
        return;
    }
    channel->in_flight = false;
    ide_medium_done(channel, error);
}

void
ide_abandon(IdeChannel *channel)
{
    channel->transfer = (IdeTransfer){0};
    channel->deferred = false;
    if (!channel->in_flight)
        return;
    channel->in_flight = false;
    channel->dropped = channel->request;
    channel->dropped->dropped = true;
    ide_requests_init(channel);
}
