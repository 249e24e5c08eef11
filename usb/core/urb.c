/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The life of an URB: made within limits, submitted, answered by any thread, delivered through a
 * PDM queue. One that its submitter has abandoned lives on until the device gives it back. */
#include "usb/core/vusb-private.h"

#include <string.h>

#define FLUSH_ROUNDS 64u

/* --- made and freed --- */
VusbUrb *
vusb_urb_new(VusbHub *hub, uint32_t size, uint32_t packets)
{
    UrbState *state;

    if (size > VUSB_URB_SIZE_MAX || packets > VUSB_PACKETS_MAX || hub->urbs >= VUSB_URBS_MAX ||
        hub->bytes + size > VUSB_BYTES_MAX)
        return NULL;
    state = g_new0(UrbState, 1);
    state->hub = hub;
    state->room = state->urb.size = size;
    state->packet_room = state->urb.packet_count = packets;
    state->urb.data = g_malloc0(MAX(size, 1));
    state->urb.packets = g_new0(VusbPacket, MAX(packets, 1));
    state->link.data = state->finished_link.data = state;
    hub->urbs++;
    hub->bytes += size;
    return &state->urb;
}

void
vusb_urb_free(VusbUrb *urb)
{
    UrbState *state = urb_state(urb);

    if (urb == NULL)
        return;
    state->hub->urbs--;
    state->hub->bytes -= state->room;
    g_free(urb->data);
    g_free(urb->packets);
    g_free(state);
}

/* --- answered --- */

/* Nobody has to trust a device with what it says of itself. */
static void
hold_to_size(VusbUrb *urb, uint32_t packets)
{
    urb->actual = MIN(urb->actual, urb->size);
    for (uint32_t i = 0; i < packets; i++)
        urb->packets[i].actual = MIN(urb->packets[i].actual, urb->packets[i].size);
}

void
vusb_urb_done(VusbUrb *urb, VusbStatus status)
{
    UrbState *state = urb_state(urb);
    VusbHub *hub = state->hub;
    bool post = false;

    g_mutex_lock(&hub->lock);
    if (!state->finished) {
        state->finished = true;
        urb->status = status;
        hold_to_size(urb, MIN(urb->packet_count, state->packet_room));
        g_queue_push_tail_link(&hub->finished, &state->finished_link);
        post = !hub->posted;
        hub->posted = true;
    }
    g_mutex_unlock(&hub->lock);
    if (post)
        pdm_queue_push(hub->driver->api, hub->queue, NULL);
}

void
vusb_urb_answer(VusbUrb *urb, const void *data, size_t size)
{
    urb->actual = (uint32_t)MIN(size, urb->size);
    memcpy(urb->data, data, urb->actual);
    vusb_urb_done(urb, VUSB_OK);
}

/* --- delivered --- */
static void
release(VusbDevice *device)
{
    if (!device->gone || device->urbs.length > 0)
        return;
    device->gone = false;
    vusb_capture_stop(device);
    if (device->ops->released != NULL)
        device->ops->released(device);
}

static void
deliver(UrbState *state)
{
    VusbUrb *urb = &state->urb;
    VusbDevice *device = state->device;

    if (device != NULL)
        g_queue_unlink(&device->urbs, &state->link);
    state->device = NULL;
    state->under_way = false;
    if (state->device_gone)
        urb->status = VUSB_NO_DEVICE;
    if (device != NULL)
        vusb_capture_done(device, state);
    if (state->abandoned)
        vusb_urb_free(urb);
    else
        urb->done(urb->user, urb);
    if (device != NULL)
        release(device);
}

/* Those that are there now; what is answered meanwhile has its turn later. */
static bool
deliver_batch(VusbHub *hub)
{
    GQueue batch;

    g_mutex_lock(&hub->lock);
    batch = hub->finished;
    g_queue_init(&hub->finished);
    hub->posted = false;
    g_mutex_unlock(&hub->lock);
    if (batch.length == 0)
        return false;
    while (batch.length > 0)
        deliver(g_queue_pop_head_link(&batch)->data);
    return true;
}

static void
run_queue(void *user, void *item)
{
    deliver_batch(user);
}

void
vusb_hub_flush(VusbHub *hub)
{
    for (unsigned i = 0; i < FLUSH_ROUNDS && deliver_batch(hub); i++)
        ;
}

/* --- submitted --- */
static bool
endpoint_fits(const VusbDevice *device, const VusbUrb *urb)
{
    const uint8_t *descriptor = vusb_find_endpoint(device, urb->endpoint, urb->in);
    const uint16_t halted = urb->in ? device->halted_in : device->halted_out;

    return descriptor != NULL && (descriptor[3] & 3) == (uint8_t)urb->type &&
           (halted >> urb->endpoint & 1) == 0;
}

static void
give(VusbDevice *device, VusbUrb *urb)
{
    if (urb->type == VUSB_CONTROL && urb->endpoint == 0 && urb->stage == VUSB_STAGE_ALL)
        vusb_control_whole(device, urb);
    else if (urb->type == VUSB_CONTROL && urb->endpoint == 0)
        vusb_control_stage(device, urb);
    else if (urb->type == VUSB_CONTROL ||
             (device->descriptors != NULL && !endpoint_fits(device, urb)))
        vusb_urb_done(urb, VUSB_STALL);
    else
        device->ops->submit(device, urb);
}

/* What a submitter says of its own buffer is held to what it got. */
static bool
within_room(const UrbState *state)
{
    const VusbUrb *urb = &state->urb;

    if (urb->size > state->room || urb->packet_count > state->packet_room || urb->endpoint > 15)
        return false;
    for (uint32_t i = 0; i < urb->packet_count; i++) {
        if (urb->packets[i].offset > urb->size ||
            urb->packets[i].size > urb->size - urb->packets[i].offset)
            return false;
    }
    return urb->type != VUSB_CONTROL || urb->stage != VUSB_STAGE_ALL ||
           urb->setup.length <= urb->size;
}

void
vusb_urb_submit(VusbHub *hub, VusbDevice *device, VusbUrb *urb)
{
    UrbState *state = urb_state(urb);

    state->under_way = true;
    state->abandoned = state->taken_back = state->device_gone = state->finished = false;
    state->device = NULL;
    urb->actual = 0;
    urb->device_data = NULL;
    state->number = 0;
    if (device == NULL || !device->enabled) {
        vusb_urb_done(urb, VUSB_NO_DEVICE);
        return;
    }
    state->device = device;
    g_queue_push_tail_link(&device->urbs, &state->link);
    if (!within_room(state)) {
        vusb_urb_done(urb, VUSB_IO_ERROR);
        return;
    }
    vusb_capture_submit(device, state);
    give(device, urb);
}

/* --- taken back --- */
static bool
is_finished(UrbState *state)
{
    bool finished;

    g_mutex_lock(&state->hub->lock);
    finished = state->finished;
    g_mutex_unlock(&state->hub->lock);
    return finished;
}

static void
take_back(UrbState *state)
{
    VusbUrb *urb = &state->urb;
    VusbDevice *device = state->device;

    if (device == NULL || state->taken_back || is_finished(state))
        return;
    state->taken_back = true;
    if (vusb_control_cancel(device, urb))
        return;
    device->ops->cancel(device, urb);
}

void
vusb_urb_cancel(VusbUrb *urb)
{
    UrbState *state = urb_state(urb);

    if (urb == NULL)
        return;
    if (!state->under_way) {
        vusb_urb_free(urb);
        return;
    }
    state->abandoned = true;
    take_back(state);
}

void
vusb_take_back(VusbDevice *device)
{
    GList *next;

    for (GList *link = device->urbs.head; link != NULL; link = next) {
        UrbState *state = link->data;

        next = link->next;
        state->device_gone = true;
        take_back(state);
    }
}

/* --- of a hub --- */
void
vusb_hub_init_urbs(VusbHub *hub)
{
    g_mutex_init(&hub->lock);
    g_queue_init(&hub->finished);
    hub->queue = pdm_driver_queue_new(hub->driver, run_queue, hub);
}

void
vusb_hub_clear_urbs(VusbHub *hub)
{
    while (hub->finished.length > 0) {
        UrbState *state = g_queue_pop_head_link(&hub->finished)->data;

        if (state->device != NULL)
            g_queue_unlink(&state->device->urbs, &state->link);
        vusb_urb_free(&state->urb);
    }
    g_mutex_clear(&hub->lock);
}
