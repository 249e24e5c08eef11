/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * list usbhost, list usbfilters. Manual, chapter VBoxManage, "list". */
#include "app/manage/list-private.h"
#include "app/manage/usb-words.h"

static const char *
speed_word(guint speed)
{
    static const struct {
        guint speed;
        const char *word;
    } words[] = {{2, "Low"}, {12, "Full"}, {480, "High"}, {5000, "Super"}, {10000, "SuperPlus"}};

    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        if (words[i].speed == speed)
            return words[i].word;
    }
    return "Unknown";
}

static const char *
state_word(VitrineUsbState state)
{
    static const char *const words[] = {
        [VITRINE_USB_STATE_UNAVAILABLE] = "Unavailable", [VITRINE_USB_STATE_BUSY] = "Busy",
        [VITRINE_USB_STATE_AVAILABLE] = "Available",     [VITRINE_USB_STATE_HELD] = "Held",
        [VITRINE_USB_STATE_CAPTURED] = "Captured",
    };

    return words[state];
}

static void
print_text(const char *label, const char *text)
{
    if (*text != '\0')
        manage_print("%-19s %s\n", label, text);
}

static void
print_device(VitrineClient *client, const VitrineUsbDevice *device)
{
    g_autofree char *address = usb_words_address(device);
    VitrineMachine *machine =
        *device->machine != '\0' ? vitrine_client_find_machine(client, device->machine) : NULL;
    g_autofree char *why = vitrine_usb_device_explain(
        device, machine != NULL ? vitrine_machine_get_name(machine) : NULL);

    manage_print("UUID:               %s\n", device->id);
    manage_print("VendorId:           0x%04x (%04X)\n", device->vendor_id, device->vendor_id);
    manage_print("ProductId:          0x%04x (%04X)\n", device->product_id, device->product_id);
    manage_print("Revision:           %u.%u (%02u%02u)\n", device->revision >> 8,
                 device->revision & 0xff, device->revision >> 8, device->revision & 0xff);
    manage_print("Port:               %u\n", device->port);
    manage_print("USB version/speed:  %u/%s\n", device->version >> 8, speed_word(device->speed));
    print_text("Manufacturer:", device->manufacturer);
    print_text("Product:", device->product);
    print_text("SerialNumber:", device->serial);
    print_text("Address:", address);
    print_text("Port path:", device->path);
    manage_print("Current State:      %s\n", state_word(device->state));
    if (why != NULL)
        print_text("Reason:", why);
    manage_print("\n");
}

bool
list_usbhost(VitrineClient *client, GError **error)
{
    g_autoptr(GPtrArray) devices = vitrine_client_load_usb_devices_sync(client, NULL, error);

    if (devices == NULL)
        return false;
    manage_print("Host USB Devices:\n\n%s", devices->len == 0 ? "<none>\n\n" : "");
    for (guint i = 0; i < devices->len; i++)
        print_device(client, devices->pdata[i]);
    return true;
}

static void
print_filter(const VitrineUsbFilter *filter, guint index)
{
    manage_print("Index:            %u\n", index);
    manage_print("Active:           %s\n", filter->active ? "yes" : "no");
    manage_print("Action:           %s\n",
                 filter->action == VITRINE_USB_ACTION_HOLD ? "Hold" : "Ignore");
    manage_print("Name:             %s\n", filter->name);
    manage_print("VendorId:         %s\n", filter->vendor_id);
    manage_print("ProductId:        %s\n", filter->product_id);
    manage_print("Revision:         %s\n", filter->revision);
    manage_print("Manufacturer:     %s\n", filter->manufacturer);
    manage_print("Product:          %s\n", filter->product);
    manage_print("Serial Number:    %s\n\n", filter->serial_number);
}

bool
list_usbfilters(VitrineClient *client, GError **error)
{
    g_autoptr(GPtrArray) filters = vitrine_client_load_usb_filters_sync(client, NULL, error);

    if (filters == NULL)
        return false;
    manage_print("Global USB Device Filters:\n\n%s", filters->len == 0 ? "<none>\n\n" : "");
    for (guint i = 0; i < filters->len; i++)
        print_filter(filters->pdata[i], i);
    return true;
}
