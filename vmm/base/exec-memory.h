/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Memory for generated code: one piece of host memory at two addresses, one to write it and one to
 * execute it, so that no address is ever writable and executable. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *write;      /* readable and writable */
    const uint8_t *exec; /* readable and executable: the same bytes */
    size_t size;         /* bytes, whole host pages */
} BaseExecMemory;

/* Maps size bytes (> 0, rounded up to host pages), zeroed; host memory is taken as pages are
 * touched. false and BASE_ERROR_NO_MEMORY (or BASE_ERROR_IO) where the host refuses. Free with
 * base_exec_memory_free(). */
bool base_exec_memory_new(BaseExecMemory *memory, size_t size, GError **error);
/* A zeroed BaseExecMemory is fine. */
void base_exec_memory_free(BaseExecMemory *memory);
/* Gives the pages of [offset, offset + size) back to the host: they read as zero afterwards. Both
 * are multiples of a host page. */
void base_exec_memory_discard(BaseExecMemory *memory, size_t offset, size_t size);

/* Where a byte that was written executes. */
static inline const uint8_t *
base_exec_memory_exec(const BaseExecMemory *memory, const uint8_t *written)
{
    return memory->exec + (written - memory->write);
}
