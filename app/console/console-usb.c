/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB devices from outside in a running machine, whatever their kind: the list of them, how they
 * come, and how they go back, which takes a while. Manual, chapter "USB settings". */
#include "app/console/console-usb.h"

#include <unistd.h>

#define POLL_MS 20
#define GIVE_BACK_MS 3000        /* the longest wait for devices before the machine is saved */
#define CAPTURE_MAX (1ull << 30) /* bytes of a record */

/* --- what the kinds use --- */
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

void
console_usb_record(ConsoleUsb *usb, VusbDevice *device)
{
    const int capture = usb->capture;
    g_autoptr(GError) error = NULL;

    usb->capture = -1;
    if (capture >= 0 && !vusb_capture_start(device, capture, CAPTURE_MAX, &error))
        vitrine_vm_session_runtime_error(usb->console->session, FALSE, "usb", error->message);
}

/* --- the end --- */
static void
usb_free(gpointer data)
{
    ConsoleUsb *usb = data;

    if (usb->poll != NULL)
        g_source_destroy(usb->poll);
    g_clear_pointer(&usb->poll, g_source_unref);
    if (usb->capture >= 0)
        close(usb->capture);
    g_free(usb->id);
    g_free(usb->title);
    usb->kind->free(usb);
}

/* While the guest stands nobody else delivers URBs. */
static void
run_queues(Console *console)
{
    GRecMutex *lock;

    if (vmm_state(console->vmm) == VMM_RUNNING)
        return;
    lock = pdm_device_lock(vmm_pdm(console->vmm));
    g_rec_mutex_lock(lock);
    pdm_run_queues(vmm_pdm(console->vmm));
    g_rec_mutex_unlock(lock);
}

/* Forgets it if it is back. */
static void
finish(ConsoleUsb *usb)
{
    Console *console = usb->console;
    g_autofree char *id = NULL;

    run_queues(console);
    if (!usb->kind->closed(usb))
        return;
    console_log_printf(console->log, "USB: “%s” %s.", usb->title, usb->kind->gone);
    id = g_strdup(usb->id);
    g_ptr_array_remove(console->usb, usb);
    vitrine_vm_session_usb_released(console->session, id);
}

static gboolean
on_poll(gpointer data)
{
    finish(data);
    return G_SOURCE_CONTINUE; /* else its source is destroyed */
}

void
console_usb_take_out(ConsoleUsb *usb)
{
    GRecMutex *lock = pdm_device_lock(vmm_pdm(usb->console->vmm));

    if (usb->poll != NULL)
        return;
    g_rec_mutex_lock(lock);
    usb->kind->close(usb);
    g_rec_mutex_unlock(lock);
    usb->poll = g_timeout_source_new(POLL_MS);
    g_source_set_callback(usb->poll, on_poll, usb, NULL);
    g_source_attach(usb->poll, usb->console->context);
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

    if (usb != NULL)
        console_usb_take_out(usb);
}

/* --- the beginning --- */
static bool
check_machine(Console *console, const char *id, const char *title, GError **error)
{
    VusbHub *hubs[CONSOLE_USB_CONTROLLERS];

    if (console->vmm == NULL || console->job != NULL ||
        (console->state != VITRINE_MACHINE_STATE_RUNNING &&
         console->state != VITRINE_MACHINE_STATE_PAUSED)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "The machine does not take USB devices in its present state.");
        return false;
    }
    if (console_usb_hubs(vmm_pdm(console->vmm), hubs) == 0) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "The machine has no USB controller. Settings, USB gives it one.");
        return false;
    }
    if (find(console, id) == NULL)
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                "The machine has the USB device “%s” already.", title);
    return false;
}

/* Takes both descriptors. */
static ConsoleUsb *
usb_new(Console *console, const char *id, const char *title, int node, int capture, GError **error)
{
    ConsoleUsb *usb = console_usb_is_remote(id) ? console_usb_remote_new(console, node, error)
                                                : console_usb_host_new(console, node, error);

    if (usb == NULL) {
        if (capture >= 0)
            close(capture);
        return NULL;
    }
    usb->console = console;
    usb->id = g_strdup(id);
    usb->title = g_strdup(title);
    usb->capture = capture;
    return usb;
}

gboolean
console_usb_attach(gpointer data, const char *id, const char *title, int node, int capture,
                   GError **error)
{
    Console *console = data;
    ConsoleUsb *usb;

    if (!check_machine(console, id, title, error)) {
        close(node);
        if (capture >= 0)
            close(capture);
        return FALSE;
    }
    usb = usb_new(console, id, title, node, capture, error);
    if (usb != NULL) {
        g_ptr_array_add(console->usb, usb);
        if (usb->kind->start(usb, error))
            return TRUE;
        console_usb_take_out(usb);
    }
    console_translate_error(error);
    return FALSE;
}

/* --- the machine's end, or its state is saved --- */
static bool
wait_given_back(Console *console)
{
    const gint64 end = g_get_monotonic_time() + GIVE_BACK_MS * G_TIME_SPAN_MILLISECOND;

    while (console->usb->len > 0 && g_get_monotonic_time() < end) {
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
            "of the host. The machine has it again if it goes on now; when it is started later, "
            "give it the device again, or have a filter do that.",
            usb->title);

        if (tell && usb->poll == NULL)
            vitrine_vm_session_runtime_error(console->session, FALSE, "usb", note);
        console_usb_take_out(usb);
    }
    if (!wait_given_back(console))
        console_log_line(console->log, "USB: a device of the host does not answer.");
}

void
console_usb_activity(Console *console, VitrineActivity *activity)
{
    for (guint i = 0; i < console->usb->len; i++) {
        const ConsoleUsb *usb = console->usb->pdata[i];

        if (usb->poll == NULL && usb->kind->activity != NULL)
            usb->kind->activity(usb, &activity->reads[VITRINE_ACTIVITY_USB],
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
}

GPtrArray *
console_usb_new(void)
{
    return g_ptr_array_new_with_free_func(usb_free);
}
