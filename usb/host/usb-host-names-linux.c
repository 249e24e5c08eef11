/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Linux: sysfs holds a device's texts (Documentation/ABI/testing/sysfs-bus-usb); its node's rights
 * tell who may open it. */
#include "usb/host/usb-host-names.h"

#include <unistd.h>

char *
usb_host_name(const char *path, const char *what)
{
    g_autofree char *file = g_build_filename("/sys/bus/usb/devices", path, what, NULL);
    g_autofree char *raw = NULL;
    char *text;

    if (!g_file_get_contents(file, &raw, NULL, NULL))
        return NULL;
    text = g_utf8_make_valid(g_strstrip(raw), -1);
    if (*text == '\0')
        g_clear_pointer(&text, g_free);
    return text;
}

bool
usb_host_permitted(guint bus, guint address)
{
    g_autofree char *node = g_strdup_printf("/dev/bus/usb/%03u/%03u", bus, address);

    return access(node, R_OK | W_OK) == 0;
}
