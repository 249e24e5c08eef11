/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sector of a CD around its 2048 bytes of user data, mode 1: ECMA-130 chapter 14 and annexes A
 * (error correction, a product code over the field of 256 elements made by x^8+x^4+x^3+x^2+1) and B
 * (error detection). */
#include <string.h>

#include "devices/storage/scsi-private.h"

#define HEADER_AT 12
#define DATA_AT 16
#define EDC_AT 2064
#define ZERO_AT 2068
#define P_AT 2076
#define Q_AT 2248

#define FRAMES_PER_SECOND 75u
#define LEAD_IN_FRAMES 150u

void
mmc_put_msf(uint8_t out[3], uint32_t lba)
{
    uint32_t frames = lba + LEAD_IN_FRAMES;

    out[0] = (uint8_t)(frames / FRAMES_PER_SECOND / 60);
    out[1] = (uint8_t)(frames / FRAMES_PER_SECOND % 60);
    out[2] = (uint8_t)(frames % FRAMES_PER_SECOND);
}

static uint8_t
to_bcd(uint8_t value)
{
    return (uint8_t)(value / 10 % 10 << 4 | value % 10);
}

/* The polynomial (x^16+x^15+x^2+1)(x^16+x^2+x+1), least significant bit first. */
static uint32_t
edc(const uint8_t *data, size_t size)
{
    uint32_t value = 0;

    for (size_t i = 0; i < size; i++) {
        value ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (0xd8018001u & (0u - (value & 1)));
    }
    return value;
}

static uint8_t
times_alpha(uint8_t value)
{
    return (uint8_t)(value << 1 ^ (0x1d & (0u - (value >> 7))));
}

/* Divides by alpha + 1, whose inverse is 0xf4. */
static uint8_t
over_alpha_plus_one(uint8_t value)
{
    uint8_t result = 0;

    for (unsigned bit = 8; bit-- > 0;) {
        result = times_alpha(result);
        if ((0xf4 >> bit & 1) != 0)
            result ^= value;
    }
    return result;
}

/* The two check bytes that follow a vector's data: the sum of all bytes is 0, and so is the sum of
 * each times alpha to the power of its distance from the end. The vector's words are `count` at
 * first, first + step, … modulo `modulus`; plane 0 is the low bytes, 1 the high ones. */
static void
check_bytes(const uint8_t *words, unsigned plane, unsigned first, unsigned step, unsigned modulus,
            unsigned count, uint8_t out[2])
{
    uint8_t sum = 0;
    uint8_t weighted = 0;
    unsigned word = first;

    for (unsigned i = 0; i < count; i++) {
        uint8_t value = words[2 * word + plane];

        sum ^= value;
        weighted = times_alpha(weighted) ^ value;
        word = (word + step) % modulus;
    }
    weighted = times_alpha(times_alpha(weighted));
    out[0] = over_alpha_plus_one(weighted ^ sum);
    out[1] = out[0] ^ sum;
}

static void
put_parity(uint8_t *sector)
{
    uint8_t *words = sector + HEADER_AT;
    uint8_t check[2];

    for (unsigned plane = 0; plane < 2; plane++) {
        for (unsigned n = 0; n < 43; n++) {
            check_bytes(words, plane, n, 43, 1118, 24, check);
            sector[P_AT + 2 * n + plane] = check[0];
            sector[P_AT + 86 + 2 * n + plane] = check[1];
        }
    }
    for (unsigned plane = 0; plane < 2; plane++) {
        for (unsigned n = 0; n < 26; n++) {
            check_bytes(words, plane, 43 * n, 44, 1118, 43, check);
            sector[Q_AT + 2 * n + plane] = check[0];
            sector[Q_AT + 52 + 2 * n + plane] = check[1];
        }
    }
}

void
mmc_frame_sector(uint8_t out[SCSI_CD_RAW_SECTOR], uint32_t lba)
{
    uint32_t check;

    memset(out, 0xff, HEADER_AT);
    out[0] = out[11] = 0;
    mmc_put_msf(out + HEADER_AT, lba);
    for (unsigned i = 0; i < 3; i++)
        out[HEADER_AT + i] = to_bcd(out[HEADER_AT + i]);
    out[HEADER_AT + 3] = 1; /* mode */
    check = GUINT32_TO_LE(edc(out, EDC_AT));
    memcpy(out + EDC_AT, &check, sizeof(check));
    memset(out + ZERO_AT, 0, P_AT - ZERO_AT);
    put_parity(out);
}
