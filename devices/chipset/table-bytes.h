/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Little-endian fields of the tables that firmware gets, appended one after the other. */
#pragma once

#include <glib.h>

/* size: 1 to 8 bytes. */
static inline void
table_put(GByteArray *bytes, uint64_t value, unsigned size)
{
    value = GUINT64_TO_LE(value);
    g_byte_array_append(bytes, (const uint8_t *)&value, size);
}

static inline void
table_put_text(GByteArray *bytes, const char *text, unsigned size)
{
    g_byte_array_append(bytes, (const uint8_t *)text, size);
}
