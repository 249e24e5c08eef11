/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Linux: sysfs holds a device's texts (Documentation/ABI/testing/sysfs-bus-usb); its node's rights
 * tell who may open it. */
#include "usb/host/usb-host-names.h"

#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSFS "/sys/bus/usb/devices"

char *
usb_host_name(const char *path, const char *what)
{
    g_autofree char *file = g_build_filename(SYSFS, path, what, NULL);
    g_autofree char *raw = NULL;
    char *text;

    if (!g_file_get_contents(file, &raw, NULL, NULL))
        return NULL;
    text = g_utf8_make_valid(g_strstrip(raw), -1);
    if (*text == '\0')
        g_clear_pointer(&text, g_free);
    return text;
}

static char *
node_of(guint bus, guint address)
{
    return g_strdup_printf("/dev/bus/usb/%03u/%03u", bus, address);
}

bool
usb_host_permitted(guint bus, guint address)
{
    g_autofree char *node = node_of(bus, address);

    return access(node, R_OK | W_OK) == 0;
}

int
usb_host_open_node(guint bus, guint address)
{
    g_autofree char *node = node_of(bus, address);

    return open(node, O_RDWR | O_CLOEXEC);
}

char *
usb_host_group(guint bus, guint address)
{
    g_autofree char *node = node_of(bus, address);
    const struct group *group;
    struct stat status;

    if (stat(node, &status) != 0 || (status.st_mode & S_IRGRP) == 0 ||
        (status.st_mode & S_IWGRP) == 0 || status.st_gid == 0)
        return NULL;
    group = getgrgid(status.st_gid);
    return group != NULL ? g_strdup(group->gr_name) : NULL;
}

/* --- drivers: one for each interface, whose folders are "3-1.4:1.0" --- */
static void
add_driver(GPtrArray *names, const char *path, const char *interface)
{
    g_autofree char *link = g_build_filename(SYSFS, path, interface, "driver", NULL);
    g_autofree char *target = g_file_read_link(link, NULL);
    char *name;

    if (target == NULL)
        return;
    name = g_path_get_basename(target);
    if (g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
        g_free(name);
    else
        g_ptr_array_add(names, name);
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *
usb_host_drivers(const char *path)
{
    g_autofree char *folder = g_build_filename(SYSFS, path, NULL);
    g_autofree char *prefix = g_strconcat(path, ":", NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    const char *entry;

    while (entries != NULL && (entry = g_dir_read_name(entries)) != NULL) {
        if (g_str_has_prefix(entry, prefix))
            add_driver(names, path, entry);
    }
    if (names->len == 0)
        return NULL;
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return g_strjoinv(", ", (char **)names->pdata);
}
