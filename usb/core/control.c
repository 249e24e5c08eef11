/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Control transfers: USB 2.0 sections 5.5 and 8.5.3. Whole ones go to the standard requests or to
 * the device; those that a controller does transaction by transaction are put together here first.
 * A transfer that reads runs after its setup stage, one that writes (or has no data) in its status
 * stage: so a new address holds from the transfer after that on. At most VUSB_CONTROL_BUFFER bytes
 * of data. */
#include "usb/core/vusb-private.h"

#include <string.h>

typedef enum {
    CONTROL_IDLE,
    CONTROL_COLLECT, /* data to the device, or straight to the status stage */
    CONTROL_RUNNING, /* the device is at it */
    CONTROL_OVER,    /* its answer is in the pipe */
    CONTROL_PHASES,
} ControlPhase;

void
vusb_control_whole(VusbDevice *device, VusbUrb *urb)
{
    urb->in = (urb->setup.request_type & VUSB_REQUEST_IN) != 0;
    if (!vusb_standard_request(device, urb))
        device->ops->control(device, urb);
}

static bool
reads(const VusbControlPipe *pipe)
{
    return (pipe->setup[0] & VUSB_REQUEST_IN) != 0;
}

/* --- a stage's answer --- */
static void
finish_stage(VusbDevice *device, VusbUrb *urb)
{
    VusbControlPipe *pipe = &device->control;
    const bool data = reads(pipe) && urb->in;

    if (pipe->status != VUSB_OK) {
        vusb_urb_done(urb, (VusbStatus)pipe->status);
        return;
    }
    if (data) {
        urb->actual = MIN(urb->size, pipe->length - pipe->offset);
        memcpy(urb->data, pipe->data + pipe->offset, urb->actual);
        pipe->offset += urb->actual;
    }
    vusb_urb_done(urb, VUSB_OK);
}

static void
whole_done(void *user, VusbUrb *urb)
{
    VusbDevice *device = user;
    VusbControlPipe *pipe = &device->control;
    VusbUrb *waiting = g_steal_pointer(&pipe->waiting);

    pipe->whole = NULL;
    pipe->phase = CONTROL_OVER;
    pipe->status = (uint8_t)urb->status;
    if (reads(pipe)) {
        pipe->length = MIN(urb->actual, VUSB_CONTROL_BUFFER);
        memcpy(pipe->data, urb->data, pipe->length);
    }
    vusb_urb_free(urb);
    if (waiting != NULL)
        finish_stage(device, waiting);
}

static void
run_whole(VusbDevice *device, VusbHub *hub)
{
    VusbControlPipe *pipe = &device->control;
    const VusbSetup setup = vusb_setup_parse(pipe->setup);
    const uint32_t length = MIN(setup.length, VUSB_CONTROL_BUFFER);
    VusbUrb *urb = vusb_urb_new(hub, length, 0);

    if (urb == NULL) {
        pipe->phase = CONTROL_OVER;
        pipe->status = VUSB_IO_ERROR;
        return;
    }
    urb->type = VUSB_CONTROL;
    urb->stage = VUSB_STAGE_ALL;
    urb->setup = setup;
    urb->setup.length = (uint16_t)length;
    urb->done = whole_done;
    urb->user = device;
    if (!reads(pipe))
        memcpy(urb->data, pipe->data, MIN(length, pipe->length));
    pipe->whole = urb;
    pipe->phase = CONTROL_RUNNING;
    vusb_urb_submit(hub, device, urb);
}

/* --- the stages --- */
static void
setup_stage(VusbDevice *device, VusbUrb *urb)
{
    VusbControlPipe *pipe = &device->control;

    vusb_control_forget(device);
    if (urb->size != sizeof(pipe->setup)) {
        vusb_urb_done(urb, VUSB_IO_ERROR);
        return;
    }
    memcpy(pipe->setup, urb->data, sizeof(pipe->setup));
    pipe->phase = CONTROL_COLLECT;
    pipe->status = VUSB_OK;
    pipe->length = pipe->offset = 0;
    if (reads(pipe))
        run_whole(device, urb_state(urb)->hub);
    urb->actual = urb->size;
    vusb_urb_done(urb, VUSB_OK);
}

static void
collect(VusbDevice *device, VusbUrb *urb)
{
    VusbControlPipe *pipe = &device->control;
    const VusbSetup setup = vusb_setup_parse(pipe->setup);

    if (pipe->phase != CONTROL_COLLECT || urb->size > VUSB_CONTROL_BUFFER - pipe->length ||
        pipe->length + urb->size > setup.length) {
        vusb_urb_done(urb, VUSB_STALL);
        return;
    }
    memcpy(pipe->data + pipe->length, urb->data, urb->size);
    pipe->length += urb->size;
    urb->actual = urb->size;
    vusb_urb_done(urb, VUSB_OK);
}

void
vusb_control_stage(VusbDevice *device, VusbUrb *urb)
{
    VusbControlPipe *pipe = &device->control;

    urb->in = urb->stage == VUSB_STAGE_IN;
    if (urb->stage == VUSB_STAGE_SETUP) {
        setup_stage(device, urb);
        return;
    }
    if (pipe->phase == CONTROL_IDLE || pipe->waiting != NULL) {
        vusb_urb_done(urb, VUSB_STALL);
        return;
    }
    if (!reads(pipe) && urb->stage == VUSB_STAGE_OUT) {
        collect(device, urb);
        return;
    }
    if (pipe->phase == CONTROL_COLLECT)
        run_whole(device, urb_state(urb)->hub);
    if (pipe->phase == CONTROL_RUNNING)
        pipe->waiting = urb;
    else
        finish_stage(device, urb);
}

void
vusb_control_forget(VusbDevice *device)
{
    VusbControlPipe *pipe = &device->control;

    if (pipe->waiting != NULL)
        vusb_urb_done(g_steal_pointer(&pipe->waiting), VUSB_IO_ERROR);
    vusb_urb_cancel(g_steal_pointer(&pipe->whole));
    pipe->phase = CONTROL_IDLE;
}

bool
vusb_control_cancel(VusbDevice *device, VusbUrb *urb)
{
    if (urb->type != VUSB_CONTROL || urb->endpoint != 0 || urb->stage == VUSB_STAGE_ALL)
        return false;
    if (device->control.waiting == urb)
        device->control.waiting = NULL;
    vusb_urb_done(urb, VUSB_CANCELLED);
    return true;
}

/* A transfer that was running begins again with the stage that asks for it. */
bool
vusb_control_loaded(VusbDevice *device, GError **error)
{
    VusbControlPipe *pipe = &device->control;

    if (pipe->length > VUSB_CONTROL_BUFFER || pipe->offset > pipe->length) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The control transfer of a USB device in the saved state is impossible.");
        return false;
    }
    if (pipe->phase == CONTROL_RUNNING)
        pipe->phase = CONTROL_COLLECT;
    return true;
}

/* clang-format off */
const SsmField vusb_control_fields[] = {
    SSM_UINT_BELOW(VusbControlPipe, phase, CONTROL_PHASES),
    SSM_UINT_BELOW(VusbControlPipe, status, VUSB_CANCELLED + 1),
    SSM_BYTES(VusbControlPipe, setup), SSM_UINT(VusbControlPipe, length),
    SSM_UINT(VusbControlPipe, offset), SSM_BYTES(VusbControlPipe, data),
    SSM_END,
};
/* clang-format on */
