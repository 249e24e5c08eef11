/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Layout of a screen's shared memory: one writer (the VM process), any number of readers (window,
 * SDL, remote display, recording, thumbnails). Plain C, no GObject; the writer is in app/console,
 * the reader is VitrineSurface.
 *
 * The memory is a sealed file of fixed size (a memfd that cannot shrink): header, cursor, pixels. A
 * mode that does not fit makes the writer start a new file; `retired` in the old one says so. All
 * fields are native-endian; `_Atomic`-style access is by __atomic builtins, as named beside each.
 *
 * Writer, new mode:      mode_sequence += 1 (odd, release); fill width..pixels_offset;
 *                        generation += 1; mode_sequence += 1 (even, release); mark all dirty.
 * Writer, new picture:   pixels; ring[dirty_head % SURFACE_RING] = rectangle;
 *                        dirty_head += 1 (release); then wake readers.
 * Reader:                head = dirty_head (acquire); if head - seen > SURFACE_RING / 2 all is
 * dirty, else the rectangles seen..head; read dirty_head again: if it moved by so much that a slot
 * was reused, all is dirty. Pixels may tear, never be out of date for good: a change after the
 * reader's look comes with a newer head. A reader must check width, height, stride and offset
 * against the size of its mapping: the writer runs a hostile guest. */
#pragma once

#include <stdint.h>

enum {
    SURFACE_MAGIC = 0x52545656, /* "VVTR" */
    SURFACE_VERSION = 1,
    SURFACE_RING = 256,        /* rectangles; a power of two */
    SURFACE_MAX_SIDE = 16384,  /* pixels, either way */
    SURFACE_CURSOR_SIDE = 256, /* pixels, either way */
    SURFACE_PAGE = 4096,       /* alignment of the pixels */
};

enum {
    SURFACE_FORMAT_XRGB8888 = 1, /* 32-bit words 0x00RRGGBB: cairo's CAIRO_FORMAT_RGB24 */
};

typedef struct {
    uint32_t x, y, width, height;
} SurfaceRect;

typedef struct {
    uint32_t sequence;      /* odd while the writer changes what follows */
    uint32_t visible;       /* the guest wants a pointer to be seen */
    uint32_t defined;       /* 0: the guest has set no shape, show the host's own pointer */
    int32_t x, y;           /* of the hot spot, pixels of the screen; hardware cursors only */
    uint32_t hot_x, hot_y;  /* within the shape */
    uint32_t width, height; /* up to SURFACE_CURSOR_SIDE */
    uint32_t shape;         /* moves with each new shape */
    uint32_t pixels[SURFACE_CURSOR_SIDE *
                    SURFACE_CURSOR_SIDE]; /* 0xAARRGGBB, premultiplied, rows of `width` */
} SurfaceCursor;

typedef struct {
    uint32_t magic;
    uint32_t version;
    uint64_t total_size;    /* bytes of the whole file */
    uint32_t retired;       /* 1: a newer file has taken over */
    uint32_t mode_sequence; /* odd while the mode changes */
    uint32_t generation;    /* moves with each mode */
    uint32_t enabled;       /* 0: the screen is off (blanked or not driven) */
    uint32_t width;         /* pixels */
    uint32_t height;
    uint32_t stride; /* bytes */
    uint32_t format;
    uint64_t pixels_offset; /* bytes from the start of the file */
    uint64_t dirty_head;    /* rectangles written since the start */
    SurfaceRect ring[SURFACE_RING];
    SurfaceCursor cursor;
} SurfaceHeader;

/* Bytes of a file that holds every mode up to width x height. */
static inline uint64_t
surface_size_for(uint32_t width, uint32_t height)
{
    uint64_t header = (sizeof(SurfaceHeader) + SURFACE_PAGE - 1) & ~(uint64_t)(SURFACE_PAGE - 1);
    return header + (uint64_t)width * height * 4;
}

/* Where the pixels start in a file made by surface_size_for(). */
static inline uint64_t
surface_pixels_offset(void)
{
    return surface_size_for(0, 0);
}
