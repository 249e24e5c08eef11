/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pictures that come with saved states. */
#pragma once

#include <gtk/gtk.h>

/* From a PNG file, whoever made it. NULL: it is none, or one that is larger than such pictures
 * are. Free with cairo_surface_destroy(). */
cairo_surface_t *widget_picture_from_png(GBytes *png);
/* In its shape, as large as fits, in the middle of a place of this size. width and height are the
 * picture's. */
void widget_picture_draw(cairo_t *cr, cairo_surface_t *picture, double width, double height,
                         double max_width, double max_height);
