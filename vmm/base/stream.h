/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whole reads and writes on descriptors that have a position of their own: saved-state files,
 * pipes. Files that are accessed here and there are in file.h. Errors are errno values, because
 * callers collect them and make one message at the end. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Reads size bytes, fewer only where the stream ends; *done is how many. 0 or an errno value.
 * Blocks. */
int base_stream_read(int descriptor, void *buffer, size_t size, size_t *done);
/* Writes all of size bytes; 0 or an errno value. Blocks. */
int base_stream_write(int descriptor, const void *buffer, size_t size);
/* How many bytes a file has from its position on; 0 where that is not known (pipes). */
uint64_t base_stream_left(int descriptor);
