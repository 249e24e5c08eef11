/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Devices of the host in run-guest: opened, plugged in, given back. */
#include "tests/lib/run-guest-usb.h"

#include "usb/vusb.h"

#include <stdio.h>

#define CONTROLLERS 3

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

static bool
add(RunUsb *usb, const char *word, Pdm *pdm, GError **error)
{
    VusbHub *hubs[CONTROLLERS];
    const size_t count = find_hubs(pdm, hubs);
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
    return usb_host_plug(device, hubs, count, error);
}

static void
on_lost(void *user, UsbHostDevice *device)
{
    g_async_queue_push(((RunUsb *)user)->lost, device);
}

bool
run_usb_init(RunUsb *usb, char **words, Pdm *pdm, GError **error)
{
    const UsbHostEvents events = {.user = usb, .lost = on_lost};
    bool ok;

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
run_usb_poll(RunUsb *usb)
{
    UsbHostDevice *device;

    while (usb->lost != NULL && (device = g_async_queue_try_pop(usb->lost)) != NULL) {
        if (g_ptr_array_remove(usb->devices, device))
            usb_host_close(device);
    }
}

void
run_usb_clear(RunUsb *usb, Pdm *pdm)
{
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
