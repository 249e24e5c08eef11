/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Puts the bytes that a guest writes to a debug port together into lines for the log. */
#pragma once

#include "vmm/pdm/pdm.h"

#define DEBUG_LINE_MAX 200

typedef struct {
    char text[DEBUG_LINE_MAX];
    uint8_t length;
} DebugLine;

extern const SsmField debug_line_fields[];

/* Takes a byte; logs at a line feed or when the line is full. Bytes that are no text become '?'. */
void debug_line_put(DebugLine *line, PdmDevice *device, uint8_t byte);
