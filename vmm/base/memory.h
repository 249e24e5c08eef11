/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Large pieces of host memory: mapped whole, zeroed, given back page by page. For guest RAM and
 * what grows with it; everything else is GLib's. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum {
    BASE_MEMORY_HUGE = 1 << 0, /* back it with huge pages where the host has some */
} BaseMemoryFlags;

/* Maps size bytes (> 0, rounded up to host pages) of private zeroed memory, readable and writable.
 * Physical memory is taken only as pages are touched. With BASE_MEMORY_HUGE the address is aligned
 * to a huge page. NULL and BASE_ERROR_NO_MEMORY when the host refuses. Free with
 * base_memory_unmap(). */
void *base_memory_map(size_t size, unsigned flags, GError **error);
void base_memory_unmap(void *memory, size_t size);
/* Gives whole pages of a mapping back to the host: they read as zero afterwards. */
void base_memory_discard(void *memory, size_t size);
/* Bytes of physical memory that the process has at present; 0 where the host does not say. */
size_t base_memory_resident(void);
