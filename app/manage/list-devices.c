/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * list devices: what machines can be made of, and the keys of extra data that set it up. VBoxManage
 * has no such topic; its keys VBoxInternal/Devices/… are the same. */
#include "app/manage/list-private.h"

static void
print_range(const VitrineDeviceOption *option)
{
    switch (option->type) {
    case VITRINE_OPTION_UINT:
        manage_print("%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ", default %" G_GUINT64_FORMAT,
                     option->minimum, option->maximum, option->value);
        break;
    case VITRINE_OPTION_BOOL: manage_print("0 or 1, default %d", option->value != 0); break;
    case VITRINE_OPTION_STRING: manage_print("text, default \"%s\"", option->text); break;
    case VITRINE_OPTION_CHOICE: {
        g_autofree char *choices = g_strjoinv(", ", option->choices);
        manage_print("%s, default %s", choices, option->text);
        break;
    }
    }
}

static void
print_device(const VitrineDevice *device, bool full)
{
    manage_print("Name:        %s\nTitle:       %s\nKind:        %s\nInstances:   %u\n"
                 "Module:      %s\n",
                 device->name, device->title, device->kind, device->max_instances,
                 device->module ? "yes" : "no");
    for (guint i = 0; full && i < device->options->len; i++) {
        const VitrineDeviceOption *option = g_ptr_array_index(device->options, i);
        manage_print("Option:      %s: ", option->key);
        print_range(option);
        manage_print(" (%s)\n", option->title);
    }
    manage_print("\n");
}

bool
list_devices(VitrineClient *client, bool full, GError **error)
{
    g_autoptr(GPtrArray) devices = vitrine_client_load_devices_sync(client, NULL, error);
    for (guint i = 0; devices && i < devices->len; i++)
        print_device(g_ptr_array_index(devices, i), full);
    return devices != NULL;
}
