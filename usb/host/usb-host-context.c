/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * libusb's life and its event thread. */
#include "usb/host/usb-host-context.h"

static gpointer
handle_events(gpointer data)
{
    UsbHostContext *context = data;

    while (!g_atomic_int_get(&context->stop))
        libusb_handle_events(context->libusb);
    return NULL;
}

bool
usb_host_context_init(UsbHostContext *context, bool discover, libusb_hotplug_event events,
                      libusb_hotplug_callback_fn hotplug, void *user, GError **error)
{
    int code = LIBUSB_SUCCESS;

    if (!discover)
        code = libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
    if (code == LIBUSB_SUCCESS)
        code = libusb_init(&context->libusb);
    if (code != LIBUSB_SUCCESS) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_FAILED, "USB devices cannot be used here: %s.",
                    libusb_strerror(code));
        return false;
    }
    if (discover && libusb_has_capability(LIBUSB_CAP_HAS_HOTPLUG))
        libusb_hotplug_register_callback(context->libusb, events, 0, LIBUSB_HOTPLUG_MATCH_ANY,
                                         LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY,
                                         hotplug, user, NULL);
    context->thread = g_thread_new("usb-host", handle_events, context);
    return true;
}

/* What was registered goes with the context. */
void
usb_host_context_clear(UsbHostContext *context)
{
    g_atomic_int_set(&context->stop, 1);
    libusb_interrupt_event_handler(context->libusb);
    g_thread_join(context->thread);
    libusb_exit(context->libusb);
}
