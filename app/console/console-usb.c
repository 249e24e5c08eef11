/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB devices of the host in a running machine. The service opens their nodes; libusb finds nothing
 * here by itself. Each device has a libusb of its own, so that one which takes long to be given
 * back does not keep the others from it. Manual, chapter "USB settings". */
#include "app/console/console-usb.h"

#include <unistd.h>

#include "usb/host/usb-host.h"

#define GIVE_BACK_MS 3000 /* the longest wait for devices before the machine is saved */

typedef struct {
    Console *console;
    char *id, *title;
    int node;
    UsbHost *host;
    UsbHostDevice *device; /* NULL: it is being given back */
    GSource *poll;         /* until it has been */
} ConsoleUsb;

/* --- the end of a device --- */
static void
device_free(gpointer data)
{
    ConsoleUsb *usb = data;

    if (usb->poll != NULL)
        g_source_destroy(usb->poll);
    g_clear_pointer(&usb->poll, g_source_unref);
    usb_host_free(usb->host);
    close(usb->node);
    g_free(usb->id);
    g_free(usb->title);
    g_free(usb);
}

void
console_usb_run_queues(Console *console)
{
    GRecMutex *lock;

    if (vmm_state(console->vmm) == VMM_RUNNING)
        return;
    lock = pdm_device_lock(vmm_pdm(console->vmm));
    g_rec_mutex_lock(lock);
    pdm_run_queues(vmm_pdm(console->vmm));
    g_rec_mutex_unlock(lock);
}

/* Whether the host has it again; then it is forgotten. */
static bool
finish(ConsoleUsb *usb)
{
    Console *console = usb->console;
    g_autofree char *id = NULL;

    console_usb_run_queues(console);
    if (usb_host_busy(usb->host))
        return false;
    console_log_printf(console->log, "USB: “%s” is given back to the host.", usb->title);
    id = g_strdup(usb->id);
    g_ptr_array_remove(console->usb, usb);
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
start_poll(ConsoleUsb *usb)
{
    usb->poll = g_timeout_source_new(CONSOLE_USB_POLL_MS);
    g_source_set_callback(usb->poll, on_poll, usb, NULL);
    g_source_attach(usb->poll, usb->console->context);
}

static void
unplug(ConsoleUsb *usb)
{
    GRecMutex *lock = pdm_device_lock(vmm_pdm(usb->console->vmm));

    if (usb->device == NULL)
        return;
    g_rec_mutex_lock(lock);
    usb_host_close(g_steal_pointer(&usb->device));
    g_rec_mutex_unlock(lock);
    start_poll(usb);
}

static ConsoleUsb *
find(Console *console, const char *id)
{
    for (guint i = 0; i < console->usb->len; i++) {
        ConsoleUsb *usb = console->usb->pdata[i];

        if (g_str_equal(usb->id, id))
            return usb;
    }
    return NULL;
}

void
console_usb_detach(gpointer data, const char *id)
{
    ConsoleUsb *usb = find(data, id);

    if (console_usb_is_remote(id))
        console_usb_remote_detach(data, id);
    else if (usb != NULL)
        unplug(usb);
}

/* --- a device that left the host --- */
typedef struct {
    Console *console;
    UsbHostDevice *device; /* to compare */
} Lost;

static gboolean
take_lost(gpointer data)
{
    const Lost *lost = data;

    for (guint i = 0; lost->console->usb != NULL && i < lost->console->usb->len; i++) {
        ConsoleUsb *usb = lost->console->usb->pdata[i];

        if (usb->device != lost->device)
            continue;
        console_log_printf(lost->console->log, "USB: “%s” has left the host.", usb->title);
        unplug(usb);
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

/* --- the beginning --- */

size_t
console_usb_hubs(Pdm *pdm, VusbHub *hubs[CONSOLE_USB_CONTROLLERS])
{
    static const char *const names[CONSOLE_USB_CONTROLLERS] = {"xhci", "ehci", "ohci"};
    size_t count = 0;

    for (unsigned i = 0; i < CONSOLE_USB_CONTROLLERS; i++) {
        const VusbHubConnector *hub = pdm_lun_connector(pdm, names[i], 0, 0, PDM_IF_USB);

        if (hub != NULL)
            hubs[count++] = hub->user;
    }
    return count;
}

static bool
plug(ConsoleUsb *usb, GError **error)
{
    Pdm *pdm = vmm_pdm(usb->console->vmm);
    VusbHub *hubs[CONSOLE_USB_CONTROLLERS];
    size_t count;
    bool ok;

    g_rec_mutex_lock(pdm_device_lock(pdm));
    count = console_usb_hubs(pdm, hubs);
    ok = usb_host_plug(usb->device, hubs, count, error);
    g_rec_mutex_unlock(pdm_device_lock(pdm));
    return ok;
}

/* Takes the node. */
static ConsoleUsb *
open_device(Console *console, const char *id, const char *title, int node, GError **error)
{
    const UsbHostEvents events = {.user = console, .lost = on_lost};
    ConsoleUsb *usb = g_new0(ConsoleUsb, 1);

    *usb = (ConsoleUsb){.console = console,
                        .id = g_strdup(id),
                        .title = g_strdup(title),
                        .node = node,
                        .host = usb_host_new(false, &events, error)};
    if (usb->host != NULL)
        usb->device = usb_host_open_descriptor(usb->host, node, error);
    if (usb->device == NULL) {
        device_free(usb);
        return NULL;
    }
    return usb;
}

static bool
check_machine(Console *console, GError **error)
{
    VusbHub *hubs[CONSOLE_USB_CONTROLLERS];

    if (console->vmm == NULL || console->job != NULL ||
        (console->state != VITRINE_MACHINE_STATE_RUNNING &&
         console->state != VITRINE_MACHINE_STATE_PAUSED)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "The machine does not take USB devices in its present state.");
        return false;
    }
    if (console_usb_hubs(vmm_pdm(console->vmm), hubs) > 0)
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                "The machine has no USB controller. Settings, USB gives it one.");
    return false;
}

gboolean
console_usb_attach(gpointer data, const char *id, const char *title, int node, GError **error)
{
    Console *console = data;
    ConsoleUsb *usb;

    if (!check_machine(console, error)) {
        close(node);
        return FALSE;
    }
    if (console_usb_is_remote(id))
        return console_usb_remote_attach(console, id, node, error);
    usb = open_device(console, id, title, node, error);
    if (usb == NULL) {
        console_translate_error(error);
        return FALSE;
    }
    g_ptr_array_add(console->usb, usb);
    if (!plug(usb, error)) {
        unplug(usb);
        console_translate_error(error);
        return FALSE;
    }
    console_log_printf(console->log, "USB: the guest has “%s”.", title);
    return TRUE;
}

/* --- the machine's end, or its state is saved --- */
static bool
wait_given_back(Console *console)
{
    const gint64 end = g_get_monotonic_time() + GIVE_BACK_MS * G_TIME_SPAN_MILLISECOND;

    while ((console->usb->len > 0 || !console_usb_remote_finish(console)) &&
           g_get_monotonic_time() < end) {
        for (guint i = console->usb->len; i > 0; i--)
            finish(console->usb->pdata[i - 1]);
        g_usleep(1000);
    }
    return console->usb->len == 0;
}

void
console_usb_detach_all(Console *console, bool tell)
{
    for (guint i = 0; i < console->usb->len; i++) {
        ConsoleUsb *usb = console->usb->pdata[i];
        g_autofree char *note = g_strdup_printf(
            "The USB device “%s” was taken out of the machine: a saved state does not hold devices "
            "of the host. Give it to the machine again when it runs, or have a filter do that.",
            usb->title);

        if (tell && usb->device != NULL)
            vitrine_vm_session_runtime_error(console->session, FALSE, "usb", note);
        unplug(usb);
    }
    console_usb_remote_detach_all(console);
    if (!wait_given_back(console))
        console_log_line(console->log, "USB: a device of the host does not answer.");
}

void
console_usb_activity(Console *console, VitrineActivity *activity)
{
    for (guint i = 0; i < console->usb->len; i++) {
        const ConsoleUsb *usb = console->usb->pdata[i];

        if (usb->device != NULL)
            usb_host_device_activity(usb->device, &activity->reads[VITRINE_ACTIVITY_USB],
                                     &activity->writes[VITRINE_ACTIVITY_USB]);
    }
}

/* What was not given back in time keeps its memory until the process ends, which gives it back. */
void
console_usb_clear(Console *console)
{
    GPtrArray *devices = g_steal_pointer(&console->usb);

    for (guint i = 0; i < devices->len; i++) {
        const ConsoleUsb *usb = devices->pdata[i];

        if (usb->poll != NULL)
            g_source_destroy(usb->poll);
    }
    g_ptr_array_set_free_func(devices, NULL);
    g_ptr_array_unref(devices);
    console_usb_remote_clear(console);
}

GPtrArray *
console_usb_new(void)
{
    return g_ptr_array_new_with_free_func(device_free);
}
