/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A socket and its peers, one after the other. The worker does all that waits; the owner plugs and
 * unplugs under the device lock; a session is freed by the worker when VUSB has let go of it. */
#include "usb/remote/usb-remote-private.h"

void
remote_changed(UsbRemote *remote)
{
    if (remote->events.changed != NULL)
        remote->events.changed(remote->events.user, remote);
}

static bool
is_closing(UsbRemote *remote)
{
    bool closing;

    g_mutex_lock(&remote->lock);
    closing = remote->closing || remote->refused;
    g_mutex_unlock(&remote->lock);
    return closing;
}

/* --- the worker --- */

/* NULL: nobody can come any more. */
static RemoteSession *
next_session(UsbRemote *remote)
{
    while (remote->descriptor >= 0 && !is_closing(remote)) {
        const int descriptor = remote_socket_accept(remote->descriptor);

        if (descriptor >= 0)
            return remote_session_new(remote, descriptor);
        remote_socket_wait(remote->descriptor, false, &remote->wake);
    }
    return NULL;
}

static bool
has_output(RemoteSession *session)
{
    return usbredirparser_get_bufferered_output_size(session->parser) > 0;
}

/* Until the device is out of the machine, where it is in. */
static void
wait_for_release(UsbRemote *remote, RemoteSession *session)
{
    g_mutex_lock(&remote->lock);
    while (remote->plugged && !g_atomic_int_get(&session->released))
        g_cond_wait(&remote->cond, &remote->lock);
    remote->session = NULL;
    remote->plugged = remote->refused = false;
    g_mutex_unlock(&remote->lock);
}

static void
run_session(UsbRemote *remote, RemoteSession *session)
{
    while (remote_session_run(session) && !is_closing(remote))
        remote_socket_wait(session->descriptor, has_output(session), &remote->wake);
    remote_session_end(session);
    remote_changed(remote);
    wait_for_release(remote, session);
    remote_session_free(session);
}

static void
set_session(UsbRemote *remote, RemoteSession *session)
{
    g_mutex_lock(&remote->lock);
    remote->session = session;
    g_mutex_unlock(&remote->lock);
}

static gpointer
work(gpointer data)
{
    UsbRemote *remote = data;
    RemoteSession *session = remote->session;

    while (session != NULL) {
        run_session(remote, session);
        session = next_session(remote);
        set_session(remote, session);
    }
    g_mutex_lock(&remote->lock);
    remote->over = true;
    while (!remote->closing)
        g_cond_wait(&remote->cond, &remote->lock);
    remote->closed = true;
    g_mutex_unlock(&remote->lock);
    return NULL;
}

static gpointer
work_as_server(gpointer data)
{
    UsbRemote *remote = data;

    set_session(remote, next_session(remote));
    return work(remote);
}

/* --- the owner --- */
UsbRemote *
usb_remote_new(int descriptor, const UsbRemoteEvents *events, GError **error)
{
    UsbRemote *remote = g_new0(UsbRemote, 1);
    bool listens;

    if (!remote_socket_adopt(descriptor, &listens) || !remote_wake_init(&remote->wake)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_FAILED,
                    "The descriptor is no socket that a remote USB device can come from.");
        remote_socket_close(descriptor);
        g_free(remote);
        return NULL;
    }
    if (events != NULL)
        remote->events = *events;
    g_mutex_init(&remote->lock);
    g_cond_init(&remote->cond);
    remote->descriptor = listens ? descriptor : -1;
    if (!listens)
        remote->session = remote_session_new(remote, descriptor);
    remote->worker = g_thread_new("usb-remote", listens ? work_as_server : work, remote);
    return remote;
}

static bool
plug(RemoteSession *session, VusbHub *const *hubs, size_t count, GError **error)
{
    for (size_t i = 0; i < count; i++) {
        if (vusb_hub_plug(hubs[i], -1, &session->vusb, NULL))
            return true;
    }
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "The machine has no free USB port that is fast enough for “%s”.", session->title);
    return false;
}

/* What the worker has said of the session; it frees it only when we have let go of it. */
static void
look(UsbRemote *remote, bool *known, bool *gone)
{
    RemoteSession *session = remote->session;

    if (session == NULL)
        return;
    g_mutex_lock(&session->lock);
    *known = session->known && !session->gone && !remote->refused && !remote->closing;
    *gone = session->gone;
    g_mutex_unlock(&session->lock);
}

static void
unplug(UsbRemote *remote)
{
    RemoteSession *session = g_steal_pointer(&remote->in_machine);

    if (session != NULL)
        vusb_unplug(&session->vusb);
}

bool
usb_remote_update(UsbRemote *remote, VusbHub *const *hubs, size_t count, GError **error)
{
    bool known = false, gone = false, ok = true;

    g_mutex_lock(&remote->lock);
    look(remote, &known, &gone);
    if (known && remote->in_machine == NULL) {
        ok = remote->plugged = plug(remote->session, hubs, count, error);
        remote->refused = !ok;
        remote->in_machine = ok ? remote->session : NULL;
        if (!ok)
            remote_wake_up(&remote->wake);
    }
    g_mutex_unlock(&remote->lock);
    if (gone)
        unplug(remote);
    return ok;
}

bool
usb_remote_listens(const UsbRemote *remote)
{
    return remote->descriptor >= 0;
}

UsbRemoteState
usb_remote_state(UsbRemote *remote)
{
    bool over;

    if (remote->in_machine != NULL)
        return USB_REMOTE_PLUGGED;
    g_mutex_lock(&remote->lock);
    over = remote->over;
    g_mutex_unlock(&remote->lock);
    return over ? USB_REMOTE_OVER : USB_REMOTE_WAITING;
}

const char *
usb_remote_title(const UsbRemote *remote)
{
    return remote->in_machine != NULL ? remote->in_machine->title : NULL;
}

VusbDevice *
usb_remote_device(UsbRemote *remote)
{
    return remote->in_machine != NULL ? &remote->in_machine->vusb : NULL;
}

void
usb_remote_close(UsbRemote *remote)
{
    g_mutex_lock(&remote->lock);
    remote->closing = true;
    g_cond_signal(&remote->cond);
    g_mutex_unlock(&remote->lock);
    unplug(remote);
    remote_wake_up(&remote->wake);
}

bool
usb_remote_closed(UsbRemote *remote)
{
    bool closed;

    g_mutex_lock(&remote->lock);
    closed = remote->closed;
    g_mutex_unlock(&remote->lock);
    return closed;
}

void
usb_remote_free(UsbRemote *remote)
{
    g_thread_join(remote->worker);
    remote_socket_close(remote->descriptor);
    remote_wake_clear(&remote->wake);
    g_mutex_clear(&remote->lock);
    g_cond_clear(&remote->cond);
    g_free(remote);
}
