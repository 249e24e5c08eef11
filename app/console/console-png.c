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

static cairo_surface_t *
wrap(const uint8_t *pixels, unsigned width, unsigned height, unsigned stride)
{
    return cairo_image_surface_create_for_data((unsigned char *)pixels, CAIRO_FORMAT_RGB24,
                                               (int)width, (int)height,
                                               (int)stride); /* only read */
}

/* Takes the surface. */
static GBytes *
encode(cairo_surface_t *surface, GError **error)
{
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

GBytes *
console_png_encode(const uint8_t *pixels, unsigned width, unsigned height, unsigned stride,
                   GError **error)
{
    return encode(wrap(pixels, width, height, stride), error);
}

GBytes *
console_png_encode_small(const uint8_t *pixels, unsigned width, unsigned height, unsigned stride,
                         unsigned max_width, unsigned max_height, GError **error)
{
    cairo_surface_t *whole = wrap(pixels, width, height, stride);
    const double scale = MIN(1.0, MIN((double)max_width / width, (double)max_height / height));
    const int small_width = MAX(1, (int)(width * scale)),
              small_height = MAX(1, (int)(height * scale));
    cairo_surface_t *small =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, small_width, small_height);
    cairo_t *cr = cairo_create(small);

    cairo_scale(cr, (double)small_width / width, (double)small_height / height);
    cairo_set_source_surface(cr, whole, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_GOOD);
    cairo_paint(cr);
    cairo_destroy(cr);
    cairo_surface_destroy(whole);
    return encode(small, error);
}
