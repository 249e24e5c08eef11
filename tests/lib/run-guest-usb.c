/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Devices of the host and remote ones in run-guest: opened, plugged in, given back. */
#include "tests/lib/run-guest-usb.h"

#include "devices/drivers/char/char-host.h"
#include "usb/vusb.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define CONTROLLERS 3
#define AT_HUB "@hub"
#define TRACE_MAX (256u << 20)

static size_t
find_hubs(Pdm *pdm, VusbHub *hubs[CONTROLLERS])
{
    static const char *const names[CONTROLLERS] = {"xhci", "ehci", "ohci"};
    size_t count = 0;

    for (unsigned i = 0; i < CONTROLLERS; i++) {
        const VusbHubConnector *hub = pdm_lun_connector(pdm, names[i], 0, 0, PDM_IF_USB);

        if (hub != NULL)
            hubs[count++] = hub->user;
    }
    return count;
}

static void
record(RunUsb *usb, VusbDevice *device)
{
    g_autoptr(GError) error = NULL;
    const int trace = usb->trace;

    usb->trace = -1;
    if (trace >= 0 && !vusb_capture_start(device, trace, TRACE_MAX, &error))
        fprintf(stderr, "run-guest: %s\n", error->message);
}

/* At the machine's emulated hub, where the address says so. */
static bool
plug(UsbHostDevice *device, const char *word, Pdm *pdm, GError **error)
{
    PdmDevice *owner = pdm_find_device(pdm, "usb-hub", 0);
    VusbDevice *hub = owner != NULL ? pdm_find_object(owner, VUSB_HUB_DEVICE_OBJECT, 0) : NULL;
    VusbHub *hubs[CONTROLLERS];

    if (!g_str_has_suffix(word, AT_HUB))
        return usb_host_plug(device, hubs, find_hubs(pdm, hubs), error);
    if (hub != NULL)
        return vusb_device_plug_below(hub, -1, usb_host_device_vusb(device), error);
    g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_FOUND, "The machine has no USB hub.");
    return false;
}

static bool
add(RunUsb *usb, const char *word, Pdm *pdm, GError **error)
{
    unsigned bus, address;
    UsbHostDevice *device;

    if (sscanf(word, "%u.%u", &bus, &address) != 2) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "\"%s\" is not BUS.ADDRESS", word);
        return false;
    }
    device = usb_host_open(usb->host, bus, address, error);
    if (device == NULL)
        return false;
    g_ptr_array_add(usb->devices, device);
    if (!plug(device, word, pdm, error))
        return false;
    record(usb, usb_host_device_vusb(device));
    return true;
}

static void
on_lost(void *user, UsbHostDevice *device)
{
    g_async_queue_push(((RunUsb *)user)->lost, device);
}

/* --- remote ones --- */
static int
open_address(const char *address, GError **error)
{
    const bool listens = g_str_has_prefix(address, "listen:");
    const char *place = listens ? address + strlen("listen:") : address;
    const char *colon = strrchr(place, ':');
    g_autofree char *host = NULL;
    guint64 port = 0;

    if (g_path_is_absolute(place))
        return listens ? char_host_listen_local(place, error)
                       : char_host_connect_local(place, error);
    if (colon == NULL || !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, error))
        return -1;
    host = g_strndup(place, (gsize)(colon - place));
    return listens ? char_host_listen_tcp(host, (uint16_t)port, error)
                   : char_host_connect_tcp(host, (uint16_t)port, error);
}

static void
add_remote(RunUsb *usb, const char *address)
{
    g_autoptr(GError) error = NULL;
    const int descriptor = open_address(address, &error);
    UsbRemote *remote = descriptor >= 0 ? usb_remote_new(descriptor, NULL, &error) : NULL;

    if (remote != NULL)
        g_ptr_array_add(usb->remotes, remote);
    else
        fprintf(stderr, "run-guest: %s\n", error != NULL ? error->message : "what address?");
}

static void
poll_remotes(RunUsb *usb, Pdm *pdm)
{
    VusbHub *hubs[CONTROLLERS];
    const size_t count = find_hubs(pdm, hubs);

    for (guint i = 0; i < usb->remotes->len; i++) {
        UsbRemote *remote = usb->remotes->pdata[i];
        g_autoptr(GError) error = NULL;

        if (!usb_remote_update(remote, hubs, count, &error))
            fprintf(stderr, "run-guest: %s\n", error->message);
        if (usb->trace >= 0 && usb_remote_device(remote) != NULL)
            record(usb, usb_remote_device(remote));
    }
}

static void
clear_remotes(RunUsb *usb, Pdm *pdm)
{
    for (guint i = 0; i < usb->remotes->len; i++) {
        UsbRemote *remote = usb->remotes->pdata[i];

        g_rec_mutex_lock(pdm_device_lock(pdm));
        usb_remote_close(remote);
        g_rec_mutex_unlock(pdm_device_lock(pdm));
        while (!usb_remote_closed(remote)) {
            g_rec_mutex_lock(pdm_device_lock(pdm));
            pdm_run_queues(pdm);
            g_rec_mutex_unlock(pdm_device_lock(pdm));
            g_usleep(1000);
        }
        usb_remote_free(remote);
    }
    g_clear_pointer(&usb->remotes, g_ptr_array_unref);
}

bool
run_usb_init(RunUsb *usb, char **words, char **addresses, const char *trace, Pdm *pdm,
             GError **error)
{
    const UsbHostEvents events = {.user = usb, .lost = on_lost};
    bool ok;

    usb->remotes = g_ptr_array_new();
    usb->trace = trace != NULL ? creat(trace, 0600) : -1;
    for (char **address = addresses; address != NULL && *address != NULL; address++)
        add_remote(usb, *address);
    if (words == NULL)
        return true;
    usb->devices = g_ptr_array_new();
    usb->lost = g_async_queue_new();
    usb->host = usb_host_new(true, &events, error);
    ok = usb->host != NULL;
    g_rec_mutex_lock(pdm_device_lock(pdm));
    for (char **word = words; ok && *word != NULL; word++) {
        g_autoptr(GError) refused = NULL;

        if (!add(usb, *word, pdm, &refused))
            fprintf(stderr, "run-guest: %s\n", refused->message);
    }
    g_rec_mutex_unlock(pdm_device_lock(pdm));
    return ok;
}

void
run_usb_poll(RunUsb *usb, Pdm *pdm)
{
    UsbHostDevice *device;

    while (usb->lost != NULL && (device = g_async_queue_try_pop(usb->lost)) != NULL) {
        if (g_ptr_array_remove(usb->devices, device))
            usb_host_close(device);
    }
    if (usb->remotes != NULL && usb->remotes->len > 0)
        poll_remotes(usb, pdm);
}

void
run_usb_clear(RunUsb *usb, Pdm *pdm)
{
    if (usb->remotes != NULL)
        clear_remotes(usb, pdm);
    if (usb->host != NULL) {
        g_rec_mutex_lock(pdm_device_lock(pdm));
        for (guint i = 0; i < usb->devices->len; i++)
            usb_host_close(usb->devices->pdata[i]);
        g_rec_mutex_unlock(pdm_device_lock(pdm));
        while (usb_host_busy(usb->host)) {
            g_rec_mutex_lock(pdm_device_lock(pdm));
            pdm_run_queues(pdm);
            g_rec_mutex_unlock(pdm_device_lock(pdm));
            g_usleep(1000);
        }
        usb_host_free(usb->host);
    }
    g_clear_pointer(&usb->devices, g_ptr_array_unref);
    g_clear_pointer(&usb->lost, g_async_queue_unref);
}
