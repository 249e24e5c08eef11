/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Remote USB devices in a running machine: the service has connected a socket to a usbredir peer.
 * A device is plugged in when the peer says what it is, and taken out when the peer goes. */
#include "app/console/console-usb.h"

#include <unistd.h>

#include "usb/remote/usb-remote.h"

typedef struct {
    Console *console;
    char *id;
    UsbRemote *remote;
    GSource *poll; /* while it ends */
} ConsoleRemote;

bool
console_usb_is_remote(const char *id)
{
    return g_str_has_prefix(id, "usbredir:");
}

/* --- the end --- */
static void
remote_free(gpointer data)
{
    ConsoleRemote *remote = data;

    if (remote->poll != NULL)
        g_source_destroy(remote->poll);
    g_clear_pointer(&remote->poll, g_source_unref);
    if (remote->remote != NULL)
        usb_remote_free(remote->remote);
    g_free(remote->id);
    g_free(remote);
}

static bool
finish(ConsoleRemote *remote)
{
    Console *console = remote->console;
    g_autofree char *id = NULL;

    console_usb_run_queues(console);
    if (!usb_remote_closed(remote->remote))
        return false;
    console_log_printf(console->log, "USB: the remote device of “%s” is gone.", remote->id);
    id = g_strdup(remote->id);
    g_ptr_array_remove(console->usb_remote, remote);
    vitrine_vm_session_usb_released(console->session, id);
    return true;
}

static gboolean
on_poll(gpointer data)
{
    finish(data);
    return G_SOURCE_CONTINUE; /* else its source is destroyed */
}

static void
close_remote(ConsoleRemote *remote)
{
    GRecMutex *lock = pdm_device_lock(vmm_pdm(remote->console->vmm));

    if (remote->poll != NULL)
        return;
    g_rec_mutex_lock(lock);
    usb_remote_close(remote->remote);
    g_rec_mutex_unlock(lock);
    remote->poll = g_timeout_source_new(CONSOLE_USB_POLL_MS);
    g_source_set_callback(remote->poll, on_poll, remote, NULL);
    g_source_attach(remote->poll, remote->console->context);
}

/* --- what the peer does --- */
static void
update(ConsoleRemote *remote)
{
    Console *console = remote->console;
    Pdm *pdm = vmm_pdm(console->vmm);
    VusbHub *hubs[CONSOLE_USB_CONTROLLERS];
    const size_t count = console_usb_hubs(pdm, hubs);
    const UsbRemoteState before = usb_remote_state(remote->remote);
    g_autoptr(GError) error = NULL;

    g_rec_mutex_lock(pdm_device_lock(pdm));
    usb_remote_update(remote->remote, hubs, count, &error);
    g_rec_mutex_unlock(pdm_device_lock(pdm));
    if (error != NULL)
        vitrine_vm_session_runtime_error(console->session, FALSE, "usb", error->message);
    if (usb_remote_state(remote->remote) == USB_REMOTE_PLUGGED && before != USB_REMOTE_PLUGGED)
        console_log_printf(console->log, "USB: the guest has “%s” of “%s”.",
                           usb_remote_title(remote->remote), remote->id);
    /* A connected socket has one peer only. */
    if (error != NULL ||
        (before == USB_REMOTE_PLUGGED && usb_remote_state(remote->remote) != USB_REMOTE_PLUGGED))
        close_remote(remote);
}

static gboolean
update_all(gpointer data)
{
    Console *console = data;

    for (guint i = 0; console->usb_remote != NULL && i < console->usb_remote->len; i++) {
        ConsoleRemote *remote = console->usb_remote->pdata[i];

        if (remote->poll == NULL)
            update(remote);
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

static ConsoleRemote *
find(Console *console, const char *id)
{
    for (guint i = 0; console->usb_remote != NULL && i < console->usb_remote->len; i++) {
        ConsoleRemote *remote = console->usb_remote->pdata[i];

        if (g_str_equal(remote->id, id))
            return remote;
    }
    return NULL;
}

/* --- what the service asks for --- */
bool
console_usb_remote_attach(Console *console, const char *id, int socket, GError **error)
{
    const UsbRemoteEvents events = {.user = console, .changed = on_changed};
    ConsoleRemote *remote;
    UsbRemote *usb;

    if (find(console, id) != NULL) {
        close(socket);
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "The machine has the remote USB device “%s” already.", id);
        return false;
    }
    usb = usb_remote_new(socket, &events, error);
    if (usb == NULL) {
        console_translate_error(error);
        return false;
    }
    if (console->usb_remote == NULL)
        console->usb_remote = g_ptr_array_new_with_free_func(remote_free);
    remote = g_new0(ConsoleRemote, 1);
    *remote = (ConsoleRemote){.console = console, .id = g_strdup(id), .remote = usb};
    g_ptr_array_add(console->usb_remote, remote);
    /* What has happened before it was in the list. */
    on_changed(console, usb);
    return true;
}

void
console_usb_remote_detach(Console *console, const char *id)
{
    ConsoleRemote *remote = find(console, id);

    if (remote != NULL)
        close_remote(remote);
}

void
console_usb_remote_detach_all(Console *console)
{
    for (guint i = 0; console->usb_remote != NULL && i < console->usb_remote->len; i++)
        close_remote(console->usb_remote->pdata[i]);
}

bool
console_usb_remote_finish(Console *console)
{
    for (guint i = console->usb_remote != NULL ? console->usb_remote->len : 0; i > 0; i--)
        finish(console->usb_remote->pdata[i - 1]);
    return console->usb_remote == NULL || console->usb_remote->len == 0;
}

void
console_usb_remote_clear(Console *console)
{
    GPtrArray *remotes = g_steal_pointer(&console->usb_remote);

    for (guint i = 0; remotes != NULL && i < remotes->len; i++) {
        const ConsoleRemote *remote = remotes->pdata[i];

        if (remote->poll != NULL)
            g_source_destroy(remote->poll);
    }
    if (remotes == NULL)
        return;
    g_ptr_array_set_free_func(remotes, NULL);
    g_ptr_array_unref(remotes);
}
