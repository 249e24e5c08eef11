/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Debug output by lines: see the header. The log itself limits how much a device may say. */
#include "devices/firmware/debug-line.h"

/* clang-format off */
const SsmField debug_line_fields[] = {
    SSM_BYTES(DebugLine, text), SSM_UINT_BELOW(DebugLine, length, DEBUG_LINE_MAX), SSM_END
};
/* clang-format on */

void
debug_line_put(DebugLine *line, PdmDevice *device, uint8_t byte)
{
    if (byte == '\r')
        return;
    if (byte != '\n')
        line->text[line->length++] = g_ascii_isprint(byte) || byte == '\t' ? (char)byte : '?';
    if (byte != '\n' && line->length < DEBUG_LINE_MAX - 1)
        return;
    pdm_log(device, "%.*s", line->length, line->text);
    line->length = 0;
}
