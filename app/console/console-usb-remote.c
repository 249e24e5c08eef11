/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Remote USB devices in a running machine: the service has connected a socket to a usbredir peer,
 * or has one at which peers come and go. A device is plugged in when the peer says what it is, and
 * taken out when the peer goes. */
#include "app/console/console-usb.h"

#include "usb/remote/usb-remote.h"

typedef struct {
    ConsoleUsb base; /* first */
    UsbRemote *remote;
} RemoteUsb;

static const ConsoleUsbKind remote_kind;

/* --- what the peer does --- */
static void
update(RemoteUsb *own)
{
    ConsoleUsb *usb = &own->base;
    Console *console = usb->console;
    Pdm *pdm = vmm_pdm(console->vmm);
    VusbHub *hubs[CONSOLE_USB_CONTROLLERS];
    const size_t count = console_usb_hubs(pdm, hubs);
    const bool before = usb_remote_state(own->remote) == USB_REMOTE_PLUGGED;
    g_autoptr(GError) error = NULL;
    bool now;

    g_rec_mutex_lock(pdm_device_lock(pdm));
    usb_remote_update(own->remote, hubs, count, &error);
    now = usb_remote_state(own->remote) == USB_REMOTE_PLUGGED;
    if (now && !before)
        console_usb_record(usb, usb_remote_device(own->remote));
    g_rec_mutex_unlock(pdm_device_lock(pdm));
    if (error != NULL)
        vitrine_vm_session_runtime_error(console->session, FALSE, "usb", error->message);
    if (now && !before)
        console_log_printf(console->log, "USB: the guest has “%s” of “%s”.",
                           usb_remote_title(own->remote), usb->title);
    if (before && !now)
        console_log_printf(console->log, "USB: the remote device of “%s” is gone.", usb->title);
    /* A connected socket has one peer only. */
    if (!usb_remote_listens(own->remote) && (error != NULL || (before && !now)))
        console_usb_take_out(usb);
}

static gboolean
update_all(gpointer data)
{
    Console *console = data;

    for (guint i = 0; console->usb != NULL && i < console->usb->len; i++) {
        ConsoleUsb *usb = console->usb->pdata[i];

        if (usb->kind == &remote_kind && usb->poll == NULL)
            update((RemoteUsb *)usb);
    }
    return G_SOURCE_REMOVE;
}

/* From any thread. */
static void
on_changed(void *user, UsbRemote *remote)
{
    Console *console = user;
    g_autoptr(GSource) source = g_idle_source_new();

    g_source_set_callback(source, update_all, console, NULL);
    g_source_attach(source, console->context);
}

/* --- what is different --- */

/* Looks at what has happened before it was in the list. */
static bool
remote_start(ConsoleUsb *usb, GError **error)
{
    on_changed(usb->console, ((RemoteUsb *)usb)->remote);
    return true;
}

static void
remote_close(ConsoleUsb *usb)
{
    usb_remote_close(((RemoteUsb *)usb)->remote);
}

static bool
remote_closed(const ConsoleUsb *usb)
{
    return usb_remote_closed(((const RemoteUsb *)usb)->remote);
}

static void
remote_free(ConsoleUsb *usb)
{
    usb_remote_free(((RemoteUsb *)usb)->remote);
    g_free(usb);
}

static const ConsoleUsbKind remote_kind = {
    .gone = "is no longer connected to the machine",
    .start = remote_start,
    .close = remote_close,
    .closed = remote_closed,
    .free = remote_free,
};

ConsoleUsb *
console_usb_remote_new(Console *console, int socket, GError **error)
{
    const UsbRemoteEvents events = {.user = console, .changed = on_changed};
    UsbRemote *remote = usb_remote_new(socket, &events, error);
    RemoteUsb *own;

    if (remote == NULL)
        return NULL;
    own = g_new0(RemoteUsb, 1);
    *own = (RemoteUsb){.base.kind = &remote_kind, .remote = remote};
    return &own->base;
}
