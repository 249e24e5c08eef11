/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Numbers at any place of a header: little-endian, and (be) big-endian. */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t
image_get16(const uint8_t *raw, unsigned at)
{
    return (uint16_t)(raw[at] | raw[at + 1] << 8);
}

static inline uint32_t
image_get32(const uint8_t *raw, unsigned at)
{
    uint32_t value;

    memcpy(&value, raw + at, sizeof value);
    return GUINT32_FROM_LE(value);
}

static inline uint64_t
image_get64(const uint8_t *raw, unsigned at)
{
    uint64_t value;

    memcpy(&value, raw + at, sizeof value);
    return GUINT64_FROM_LE(value);
}

static inline void
image_put32(uint8_t *raw, unsigned at, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    memcpy(raw + at, &value, sizeof value);
}

static inline void
image_put64(uint8_t *raw, unsigned at, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    memcpy(raw + at, &value, sizeof value);
}

static inline uint32_t
image_get32be(const uint8_t *raw, unsigned at)
{
    return GUINT32_SWAP_LE_BE(image_get32(raw, at));
}

static inline uint64_t
image_get64be(const uint8_t *raw, unsigned at)
{
    return GUINT64_SWAP_LE_BE(image_get64(raw, at));
}

static inline void
image_put32be(uint8_t *raw, unsigned at, uint32_t value)
{
    image_put32(raw, at, GUINT32_SWAP_LE_BE(value));
}

static inline void
image_put64be(uint8_t *raw, unsigned at, uint64_t value)
{
    image_put64(raw, at, GUINT64_SWAP_LE_BE(value));
}
