/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineSurface: the reader of a screen's shared memory (app/api/surface-layout.h). Nothing is
 * copied; pixels are read where the VM process writes them.
 *
 * Signals, in the main context in which it was opened:
 *   updated (): something changed; take_damage() tells what
 *   resized (): width, height, stride or the memory changed; pixels got before are invalid
 *   cursor-changed (): shape, visibility or place of the guest's pointer
 * Emissions are merged: one for any number of changes since the last look. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define VITRINE_TYPE_SURFACE (vitrine_surface_get_type())
G_DECLARE_FINAL_TYPE(VitrineSurface, vitrine_surface, VITRINE, SURFACE, GObject)

/* Takes both descriptors (updates may be -1), also on failure. The memory may be replaced later. */
VitrineSurface *vitrine_surface_new(int memory, int updates, GError **error);
gboolean vitrine_surface_replace(VitrineSurface *surface, int memory, int updates, GError **error);

/* FALSE while the screen is off or has no mode yet; sizes are 0 then. */
gboolean vitrine_surface_get_enabled(VitrineSurface *surface);
guint vitrine_surface_get_width(VitrineSurface *surface);
guint vitrine_surface_get_height(VitrineSurface *surface);
/* Bytes from one row to the next. */
guint vitrine_surface_get_stride(VitrineSurface *surface);

/**
 * vitrine_surface_get_pixels: (skip)
 *
 * Returns: (nullable): 0x00RRGGBB words, height rows of stride bytes, as cairo's RGB24. Valid until
 *   "resized" or the end of the object, whose memory it is. Read only.
 */
const guint32 *vitrine_surface_get_pixels(VitrineSurface *surface);

typedef struct {
    guint x, y, width, height;
} VitrineRect;

/**
 * vitrine_surface_take_damage: (skip)
 * @rects: (out caller-allocates): filled with up to @max rectangles, clipped to the screen
 * @max: at least 1
 *
 * What changed since the last call; when there is more than fits, rectangles are joined.
 *
 * Returns: number of rectangles; 0 when nothing changed.
 */
guint vitrine_surface_take_damage(VitrineSurface *surface, VitrineRect *rects, guint max);
/* The next take_damage() gives the whole screen. */
void vitrine_surface_damage_all(VitrineSurface *surface);

/**
 * VitrineCursor: (skip)
 * @visible: the guest wants a pointer to be seen
 * @defined: the guest has set a shape
 * @x: place of the hot spot
 * @pixels: 0xAARRGGBB, premultiplied, @width words a row; owned by the surface, until the next call
 */
typedef struct {
    gboolean visible;
    gboolean defined;
    int x, y;
    guint hot_x, hot_y;
    guint width, height;
    guint shape;
    const guint32 *pixels;
} VitrineCursor;

void vitrine_surface_get_cursor(VitrineSurface *surface, VitrineCursor *cursor);

G_END_DECLS
