/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The size is looked at in the file's first chunk before anything is unpacked: PNG specification,
 * chapters "PNG signature" and "IHDR Image header". */
#include "app/widgets/widget-picture.h"

#include <math.h>
#include <string.h>

#define LARGEST 1024
#define HEADER_SIZE 24 /* signature, length and kind of the chunk, width, height */

typedef struct {
    const guint8 *data;
    gsize left;
} Source;

static cairo_status_t
take(void *closure, unsigned char *data, unsigned int length)
{
    Source *source = closure;

    if (length > source->left)
        return CAIRO_STATUS_READ_ERROR;
    memcpy(data, source->data, length);
    source->data += length;
    source->left -= length;
    return CAIRO_STATUS_SUCCESS;
}

static guint32
number_at(const guint8 *data)
{
    return (guint32)data[0] << 24 | (guint32)data[1] << 16 | (guint32)data[2] << 8 | data[3];
}

static gboolean
is_small(const Source *source)
{
    static const guint8 start[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

    return source->left >= HEADER_SIZE && memcmp(source->data, start, sizeof(start)) == 0 &&
           memcmp(source->data + 12, "IHDR", 4) == 0 &&
           number_at(source->data + 16) - 1 < LARGEST && number_at(source->data + 20) - 1 < LARGEST;
}

cairo_surface_t *
widget_picture_from_png(GBytes *png)
{
    Source source;
    cairo_surface_t *picture;

    source.data = g_bytes_get_data(png, &source.left);
    if (!is_small(&source))
        return NULL;
    picture = cairo_image_surface_create_from_png_stream(take, &source);
    if (cairo_surface_status(picture) == CAIRO_STATUS_SUCCESS)
        return picture;
    cairo_surface_destroy(picture);
    return NULL;
}

void
widget_picture_draw(cairo_t *cr, cairo_surface_t *picture, double width, double height,
                    double max_width, double max_height)
{
    double scale = MIN(max_width / width, max_height / height);

    cairo_save(cr);
    cairo_translate(cr, floor((max_width - width * scale) / 2),
                    floor((max_height - height * scale) / 2));
    cairo_scale(cr, scale, scale);
    cairo_set_source_surface(cr, picture, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_GOOD);
    cairo_paint(cr);
    cairo_restore(cr);
}
