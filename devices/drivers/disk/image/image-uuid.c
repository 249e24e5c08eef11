/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * UUIDs of images: RFC 4122 for the text form and version 4. */
#include "devices/drivers/disk/image/image-uuid.h"

#include <string.h>

/* Where byte i of the text order lies in the mixed-endian form; the table is its own inverse. */
static const uint8_t mixed_order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

void
image_uuid_generate(ImageUuid *uuid)
{
    g_autofree char *text = g_uuid_string_random();

    image_uuid_from_text(text, uuid);
}

bool
image_uuid_is_null(const ImageUuid *uuid)
{
    static const ImageUuid null_uuid;

    return image_uuid_equal(uuid, &null_uuid);
}

bool
image_uuid_equal(const ImageUuid *a, const ImageUuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void
image_uuid_to_text(const ImageUuid *uuid, char text[IMAGE_UUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    char *out = text;

    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[uuid->bytes[i] >> 4];
        *out++ = digits[uuid->bytes[i] & 15];
    }
    *out = '\0';
}

bool
image_uuid_from_text(const char *text, ImageUuid *uuid)
{
    g_autofree char *bare = NULL;
    size_t length = strlen(text);
    unsigned digit = 0;

    if (length == 38 && text[0] == '{' && text[37] == '}') {
        bare = g_strndup(text + 1, 36);
        text = bare;
    }
    if (!g_uuid_string_is_valid(text))
        return false;
    for (; *text != '\0'; text++) {
        if (*text == '-')
            continue;
        uint8_t value = (uint8_t)g_ascii_xdigit_value(*text);
        uint8_t *byte = &uuid->bytes[digit / 2];

        *byte = (digit % 2) == 0 ? (uint8_t)(value << 4) : (uint8_t)(*byte | value);
        digit++;
    }
    return true;
}

void
image_uuid_to_mixed(const ImageUuid *uuid, uint8_t out[16])
{
    for (unsigned i = 0; i < 16; i++)
        out[mixed_order[i]] = uuid->bytes[i];
}

void
image_uuid_from_mixed(const uint8_t in[16], ImageUuid *uuid)
{
    for (unsigned i = 0; i < 16; i++)
        uuid->bytes[i] = in[mixed_order[i]];
}
