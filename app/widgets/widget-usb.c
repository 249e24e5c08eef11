/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Words for USB devices and filters. */
#include "app/widgets/widget-usb.h"

#include <glib/gi18n.h>

static void
append(GString *text, const char *separator, const char *format, const char *value)
{
    if (*value == '\0')
        return;
    g_string_append(text, text->len > 0 ? separator : "");
    g_string_append_printf(text, format, value);
}

char *
widget_usb_filter_text(const VitrineUsbFilter *filter)
{
    GString *text = g_string_new(NULL);

    if (*filter->vendor_id != '\0' || *filter->product_id != '\0')
        g_string_append_printf(text, "%s:%s", *filter->vendor_id ? filter->vendor_id : "*",
                               *filter->product_id ? filter->product_id : "*");
    append(text, ", ", "%s", filter->manufacturer);
    append(text, ", ", "%s", filter->product);
    append(text, ", ", _("serial number %s"), filter->serial_number);
    append(text, ", ", _("revision %s"), filter->revision);
    append(text, ", ", _("port %s"), filter->port);
    if (text->len == 0)
        g_string_append(text, _("Any device"));
    return g_string_free(text, FALSE);
}

const char *
widget_usb_action_name(VitrineUsbAction action)
{
    switch (action) {
    case VITRINE_USB_ACTION_IGNORE: return _("The host keeps it");
    case VITRINE_USB_ACTION_HOLD: return _("It waits for a machine");
    case VITRINE_USB_ACTION_ATTACH: break;
    }
    return _("The machine gets it");
}

/* Numbers first: a person who looks for them has them from lsusb. */
char *
widget_usb_device_details(const VitrineUsbDevice *device)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, _("Vendor and product: %04x:%04x"), device->vendor_id,
                           device->product_id);
    append(text, "\n", _("Manufacturer: %s"), device->manufacturer);
    append(text, "\n", _("Product: %s"), device->product);
    append(text, "\n", _("Serial number: %s"), device->serial);
    append(text, "\n", _("Plugged in at: %s"), device->path);
    append(text, "\n", _("Used by the host's driver: %s"), device->drivers);
    return g_string_free(text, FALSE);
}

gboolean
widget_usb_has_controller(VitrineSettings *settings)
{
    const int pointing = vitrine_settings_get_enum(settings, "pointing");
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);

    for (guint i = 0; i < attachments->len; i++) {
        const VitrineAttachment *drive = attachments->pdata[i];
        const VitrineController *controller =
            vitrine_settings_find_controller(settings, drive->controller);

        if (controller != NULL && controller->type == VITRINE_CONTROLLER_USB)
            return TRUE;
    }
    return vitrine_settings_get_bool(settings, "usb-ohci") ||
           vitrine_settings_get_bool(settings, "usb-ehci") ||
           vitrine_settings_get_bool(settings, "usb-xhci") ||
           (pointing != VITRINE_POINTING_PS2_MOUSE && pointing != VITRINE_POINTING_NONE) ||
           vitrine_settings_get_enum(settings, "keyboard") == VITRINE_KEYBOARD_USB;
}

char *
widget_usb_settings_text(VitrineSettings *settings)
{
    static const struct {
        const char *property, *name;
    } controllers[] = {{"usb-ohci", "OHCI"}, {"usb-ehci", "EHCI"}, {"usb-xhci", "xHCI"}};
    const guint filters = vitrine_settings_get_usb_filters(settings)->len;
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(controllers); i++) {
        if (vitrine_settings_get_bool(settings, controllers[i].property))
            append(text, ", ", "%s", controllers[i].name);
    }
    if (text->len == 0)
        g_string_append(text, _("No controller"));
    if (filters > 0) {
        g_autofree char *count =
            g_strdup_printf(ngettext("%u filter", "%u filters", filters), filters);

        append(text, ", ", "%s", count);
    }
    return g_string_free(text, FALSE);
}
