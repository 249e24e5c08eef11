/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB devices of the host in a running machine. The service opens their nodes; libusb finds nothing
 * here by itself. Each device has a libusb of its own, so that one which takes long to be given
 * back does not keep the others from it. */
#include "app/console/console-usb.h"

#include <unistd.h>

#include "usb/host/usb-host.h"

typedef struct {
    ConsoleUsb base; /* first */
    int node;
    UsbHost *host;
    UsbHostDevice *device; /* NULL: it is being given back */
} HostUsb;

/* --- a device that left the host --- */
typedef struct {
    Console *console;
    UsbHostDevice *device; /* to compare */
} Lost;

static const ConsoleUsbKind host_kind;

static gboolean
take_lost(gpointer data)
{
    const Lost *lost = data;

    for (guint i = 0; lost->console->usb != NULL && i < lost->console->usb->len; i++) {
        ConsoleUsb *usb = lost->console->usb->pdata[i];

        if (usb->kind != &host_kind || ((HostUsb *)usb)->device != lost->device)
            continue;
        console_log_printf(lost->console->log, "USB: “%s” has left the host.", usb->title);
        console_usb_take_out(usb);
        break;
    }
    return G_SOURCE_REMOVE;
}

/* From any thread. */
static void
on_lost(void *user, UsbHostDevice *device)
{
    Lost *lost = g_new(Lost, 1);

    *lost = (Lost){user, device};
    g_main_context_invoke_full(lost->console->context, G_PRIORITY_DEFAULT, take_lost, lost, g_free);
}

/* --- what is different --- */
static bool
host_start(ConsoleUsb *usb, GError **error)
{
    HostUsb *own = (HostUsb *)usb;
    Pdm *pdm = vmm_pdm(usb->console->vmm);
    VusbHub *hubs[CONSOLE_USB_CONTROLLERS];
    size_t count;
    bool ok;

    g_rec_mutex_lock(pdm_device_lock(pdm));
    count = console_usb_hubs(pdm, hubs);
    ok = usb_host_plug(own->device, hubs, count, error);
    if (ok)
        console_usb_record(usb, usb_host_device_vusb(own->device));
    g_rec_mutex_unlock(pdm_device_lock(pdm));
    if (ok)
        console_log_printf(usb->console->log, "USB: the guest has “%s”.", usb->title);
    return ok;
}

static void
host_close(ConsoleUsb *usb)
{
    usb_host_close(g_steal_pointer(&((HostUsb *)usb)->device));
}

static bool
host_closed(const ConsoleUsb *usb)
{
    return !usb_host_busy(((const HostUsb *)usb)->host);
}

static void
host_free(ConsoleUsb *usb)
{
    HostUsb *own = (HostUsb *)usb;

    usb_host_free(own->host);
    close(own->node);
    g_free(own);
}

static void
host_activity(const ConsoleUsb *usb, uint64_t *reads, uint64_t *writes)
{
    usb_host_device_activity(((const HostUsb *)usb)->device, reads, writes);
}

static const ConsoleUsbKind host_kind = {
    .gone = "is given back to the host",
    .start = host_start,
    .close = host_close,
    .closed = host_closed,
    .free = host_free,
    .activity = host_activity,
};

ConsoleUsb *
console_usb_host_new(Console *console, int node, GError **error)
{
    const UsbHostEvents events = {.user = console, .lost = on_lost};
    HostUsb *own = g_new0(HostUsb, 1);

    *own = (HostUsb){
        .base.kind = &host_kind, .node = node, .host = usb_host_new(false, &events, error)};
    if (own->host != NULL)
        own->device = usb_host_open_descriptor(own->host, node, error);
    if (own->device != NULL)
        return &own->base;
    host_free(&own->base);
    return NULL;
}
