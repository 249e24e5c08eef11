/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PNG through cairo's own writer. */
#include "app/console/console-png.h"

#include <cairo.h>

static cairo_status_t
append(void *closure, const unsigned char *data, unsigned length)
{
    g_byte_array_append(closure, data, length);
    return CAIRO_STATUS_SUCCESS;
}

GBytes *
console_png_encode(const uint8_t *pixels, unsigned width, unsigned height, unsigned stride,
                   GError **error)
{
    /* The surface is only read. */
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        (unsigned char *)pixels, CAIRO_FORMAT_RGB24, (int)width, (int)height, (int)stride);
    GByteArray *bytes = g_byte_array_new();
    cairo_status_t status = cairo_surface_write_to_png_stream(surface, append, bytes);

    cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS) {
        g_byte_array_unref(bytes);
        g_set_error(error, BASE_ERROR, BASE_ERROR_FAILED, "The picture cannot be encoded: %s.",
                    cairo_status_to_string(status));
        return NULL;
    }
    return g_byte_array_free_to_bytes(bytes);
}
