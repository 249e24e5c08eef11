/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB devices of the host as the command line names them. */
#include "app/manage/usb-words.h"

#include <string.h>

#define DEVICES "/sys/bus/usb/devices"

static char *
node_of(const VitrineUsbDevice *device)
{
    return g_strdup_printf("/dev/bus/usb/%03u/%03u", device->bus, device->address);
}

char *
usb_words_address(const VitrineUsbDevice *device)
{
    g_autofree char *node = node_of(device);
    g_autofree char *link = g_build_filename(DEVICES, device->path, NULL);
    g_autofree char *target = g_file_read_link(link, NULL);
    g_autofree char *folder = g_canonicalize_filename(target != NULL ? target : link, DEVICES);

    return g_strdup_printf("sysfs:%s//device:%s", folder, node);
}

static bool
is_named(const VitrineUsbDevice *device, const char *word)
{
    g_autofree char *address = usb_words_address(device);
    g_autofree char *node = node_of(device);

    return g_ascii_strcasecmp(device->id, word) == 0 || g_str_equal(address, word) ||
           g_str_equal(node, word) || g_str_equal(device->path, word);
}

char *
usb_words_find(VitrineClient *client, const char *word, GError **error)
{
    g_autoptr(GPtrArray) devices = NULL;
    g_autofree char *bare = g_strdup(word);

    /* A remote one is its address. */
    if (g_str_has_prefix(word, "usbredir:"))
        return g_strdup(word);
    devices = vitrine_client_load_usb_devices_sync(client, NULL, error);
    if (devices == NULL)
        return NULL;
    if (*word == '{' && g_str_has_suffix(word, "}")) {
        g_free(bare);
        bare = g_strndup(word + 1, strlen(word) - 2);
    }
    for (guint i = 0; i < devices->len; i++) {
        const VitrineUsbDevice *device = devices->pdata[i];

        if (is_named(device, bare))
            return g_strdup(device->id);
    }
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                "There is no USB device '%s'. 'list usbhost' shows those that are plugged in.",
                word);
    return NULL;
}
