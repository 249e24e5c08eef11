/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Images as they come from the service: what they are, and the descriptors that are numbered. */
#include <gio/gunixfdlist.h>
#include <unistd.h>

#include "app/api/vm-session-private.h"

void
vm_session_image_clear(VitrineImage *image)
{
    if (image->descriptor >= 0)
        close(image->descriptor);
    g_free(image->id);
    g_free(image->location);
    g_free(image->format);
    g_clear_pointer(&image->parts, g_ptr_array_unref);
}

static void
part_free(gpointer data)
{
    VitrineImagePart *part = data;
    if (part->descriptor >= 0)
        close(part->descriptor);
    g_free(part->name);
    g_free(part);
}

static void
image_free(gpointer data)
{
    vm_session_image_clear(data);
    g_free(data);
}

int
vm_session_take_fd(GUnixFDList *fds, int index, const char *location, GError **error)
{
    int count = fds ? g_unix_fd_list_get_length(fds) : 0;
    int fd = index >= 0 && index < count ? g_unix_fd_list_get(fds, index, error) : -1;
    if (fd < 0 && error && *error == NULL)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT,
                    "The service sent no descriptor for \"%s\".", location);
    return fd;
}

/* a(si) and the descriptors it numbers. */
static GPtrArray *
parse_parts(GVariant *list, GUnixFDList *fds, GError **error)
{
    GVariantIter iter;
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(part_free);
    const char *name;
    int index;
    g_variant_iter_init(&iter, list);
    while (g_variant_iter_next(&iter, "(&si)", &name, &index)) {
        int fd = vm_session_take_fd(fds, index, name, error);
        if (fd < 0)
            return NULL;
        VitrineImagePart *part = g_new(VitrineImagePart, 1);
        part->name = g_strdup(name);
        part->descriptor = fd;
        g_ptr_array_add(parts, part);
    }
    return g_steal_pointer(&parts);
}

GPtrArray *
vm_session_parse_images(GVariant *list, GUnixFDList *fds, GError **error)
{
    g_autoptr(GPtrArray) images = g_ptr_array_new_with_free_func(image_free);
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) entry = g_variant_get_child_value(list, i);
        g_autoptr(GVariant) names = g_variant_get_child_value(entry, 5);
        const char *id, *location, *format;
        int index;
        gboolean read_only;
        g_variant_get(entry, "(&s&s&siba(si))", &id, &location, &format, &index, &read_only, NULL);
        int fd = vm_session_take_fd(fds, index, location, error);
        if (fd < 0)
            return NULL;
        VitrineImage *image = g_new0(VitrineImage, 1);
        image->id = g_strdup(id);
        image->location = g_strdup(location);
        image->format = g_strdup(format);
        image->descriptor = fd;
        image->read_only = read_only;
        g_ptr_array_add(images, image);
        image->parts = parse_parts(names, fds, error);
        if (image->parts == NULL)
            return NULL;
    }
    return g_steal_pointer(&images);
}
