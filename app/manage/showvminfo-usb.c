/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * showvminfo's lines about USB filters, and about devices of the host that a running machine has.
 */
#include "app/manage/showvminfo-private.h"
#include "app/manage/usb-words.h"

/* clang-format off */
static const struct {
    const char *key;
    const char *name;  /* in machine-readable output, after "USBFilter" */
    const char *label; /* for people */
} filter_rows[] = {
    {"name",             "Name",             "Name:"},
    {"vendorid",         "VendorId",         "VendorId:"},
    {"productid",        "ProductId",        "ProductId:"},
    {"revision",         "Revision",         "Revision:"},
    {"manufacturer",     "Manufacturer",     "Manufacturer:"},
    {"product",          "Product",          "Product:"},
    {"remote",           "Remote",           "Remote:"},
    {"serialnumber",     "SerialNumber",     "Serial Number:"},
};
/* clang-format on */

static void
print_filter(const VitrineUsbFilter *filter, guint index, bool machine_readable)
{
    if (machine_readable)
        manage_print("USBFilterActive%u=\"%s\"\n", index + 1, filter->active ? "on" : "off");
    else
        manage_print("%-29s%u\n%-29s%s\n", "Index:", index,
                     "Active:", filter->active ? "yes" : "no");
    for (guint i = 0; i < G_N_ELEMENTS(filter_rows); i++) {
        g_autofree char *key = g_strdup_printf("USBFilter%s%u", filter_rows[i].name, index + 1);

        showvminfo_text(machine_readable, key, filter_rows[i].label,
                        vitrine_usb_filter_get_text(filter, filter_rows[i].key));
    }
    if (!machine_readable)
        manage_print("\n");
}

static void
print_filters(GPtrArray *filters, bool machine_readable)
{
    if (!machine_readable)
        manage_print("\nUSB Device Filters:\n\n%s", filters->len == 0 ? "<none>\n" : "");
    for (guint i = 0; i < filters->len; i++)
        print_filter(filters->pdata[i], i, machine_readable);
}

static void
print_device_machine_readable(const VitrineUsbDevice *device, guint number)
{
    const struct {
        const char *name;
        char *text;
    } rows[] = {
        {"UUID", g_strdup(device->id)},
        {"VendorId", g_strdup_printf("0x%x", device->vendor_id)},
        {"ProductId", g_strdup_printf("0x%x", device->product_id)},
        {"Revision1", g_strdup_printf("%u", device->revision >> 8)},
        {"Revision2", g_strdup_printf("%u", device->revision & 0xff)},
        {"Manufacturer", g_strdup(device->manufacturer)},
        {"Product", g_strdup(device->product)},
        {"SerialNumber", g_strdup(device->serial)},
        {"Address", usb_words_address(device)},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *key = g_strdup_printf("USBAttached%s%u", rows[i].name, number);

        showvminfo_text(true, key, NULL, rows[i].text);
        g_free(rows[i].text);
    }
}

static void
print_device(const VitrineUsbDevice *device)
{
    g_autofree char *address = usb_words_address(device);

    showvminfo_line("UUID:", "%s", device->id);
    showvminfo_line("VendorId:", "0x%04x (%04X)", device->vendor_id, device->vendor_id);
    showvminfo_line("ProductId:", "0x%04x (%04X)", device->product_id, device->product_id);
    showvminfo_line("Revision:", "%u.%u (%02u%02u)", device->revision >> 8, device->revision & 0xff,
                    device->revision >> 8, device->revision & 0xff);
    if (*device->manufacturer != '\0')
        showvminfo_line("Manufacturer:", "%s", device->manufacturer);
    if (*device->product != '\0')
        showvminfo_line("Product:", "%s", device->product);
    if (*device->serial != '\0')
        showvminfo_line("SerialNumber:", "%s", device->serial);
    showvminfo_line("Address:", "%s", address);
    manage_print("\n");
}

/* A host without libusb has no such devices either. */
static void
print_attached(VitrineClient *client, VitrineMachine *machine, bool machine_readable)
{
    g_autoptr(GPtrArray) devices = vitrine_client_load_usb_devices_sync(client, NULL, NULL);
    guint number = 0;

    /* Such come from the clients of a remote display. */
    if (!machine_readable)
        manage_print("\nAvailable remote USB devices:\n\n<none>\n"
                     "\nCurrently Attached USB Devices:\n\n");
    for (guint i = 0; devices != NULL && i < devices->len; i++) {
        const VitrineUsbDevice *device = devices->pdata[i];

        if (g_ascii_strcasecmp(device->machine, vitrine_machine_get_id(machine)) != 0)
            continue;
        number++;
        if (machine_readable)
            print_device_machine_readable(device, number);
        else
            print_device(device);
    }
    if (!machine_readable && number == 0)
        manage_print("<none>\n");
}

void
showvminfo_usb(Manage *manage, VitrineMachine *machine, VitrineSettings *settings,
               bool machine_readable)
{
    const char *remotes = vitrine_settings_get_string(settings, "usb-remotes");

    print_filters(vitrine_settings_get_usb_filters(settings), machine_readable);
    if (*remotes != '\0')
        showvminfo_text(machine_readable, "usbremotes", "Remote USB devices:", remotes);
    if (vitrine_machine_state_is_online(vitrine_machine_get_state(machine)))
        print_attached(manage->client, machine, machine_readable);
}
