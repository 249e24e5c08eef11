/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Drives of the virtio SCSI host adapter that come and go while the machine runs, and the event
 * queue that tells the driver (VIRTIO 1.1 section 5.6.6.3). Left out: asynchronous notifications
 * and changed parameters. */
#include "devices/storage/virtio-scsi-private.h"

enum { EVENT_NONE = 0, EVENT_TRANSPORT_RESET = 1 };
enum { REASON_RESCAN = 1, REASON_REMOVED = 2 };

#define EVENTS_MISSED 0x80000000u

/* False: the driver has given no buffer. */
static bool
send_event(VirtioScsi *adapter, uint32_t event, unsigned target, uint32_t reason)
{
    uint8_t data[VSCSI_EVENT_SIZE] = {0};
    VirtioChain chain = {0};

    if (!virtqueue_pop(&adapter->virtio, VSCSI_QUEUE_EVENT, &chain))
        return false;
    vscsi_put32(data, event | (adapter->events_missed ? EVENTS_MISSED : 0));
    if (event != EVENT_NONE) {
        data[4] = 1;
        data[5] = (uint8_t)target;
        vscsi_put32(data + 12, reason);
    }
    adapter->events_missed = false;
    dma_list_write(&chain.in, adapter->device, 0, data, sizeof(data));
    virtqueue_push(&adapter->virtio, VSCSI_QUEUE_EVENT, chain.head,
                   (uint32_t)MIN(chain.in.size, sizeof(data)));
    virtio_chain_clear(&chain);
    return true;
}

/* A driver that does not know of hot-plugging looks at the bus when its user asks it to. */
static void
tell(VirtioScsi *adapter, unsigned target, uint32_t reason)
{
    if (!virtio_ready(&adapter->virtio) || !virtio_has(&adapter->virtio, VSCSI_FEATURE_HOTPLUG))
        return;
    if (!send_event(adapter, EVENT_TRANSPORT_RESET, target, reason))
        adapter->events_missed = true;
}

void
vscsi_run_events(VirtioScsi *adapter)
{
    if (adapter->events_missed)
        send_event(adapter, EVENT_NONE, 0, 0);
}

void
vscsi_plugged(void *user, const PdmMediaConnector *media)
{
    VscsiTarget *target = (VscsiTarget *)((char *)user - offsetof(VscsiTarget, unit));
    VirtioScsi *adapter = target->adapter;
    unsigned index = (unsigned)(target - adapter->targets);

    if (media != NULL) {
        scsi_unit_attach(&target->unit, adapter->device, media);
        scsi_unit_reset(&target->unit);
        target->present = true;
        tell(adapter, index, REASON_RESCAN);
        return;
    }
    vscsi_end_commands(adapter, index, VSCSI_BAD_TARGET);
    scsi_unit_reset(&target->unit);
    target->present = false;
    media = target->unit.media;
    media->cancel_all(media->user);
    target->unit.media = NULL;
    tell(adapter, index, REASON_REMOVED);
}
