/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The 16 bytes by which images know themselves and their parents. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* In the order of the text form (RFC 4122). */
typedef struct {
    uint8_t bytes[16];
} ImageUuid;

#define IMAGE_UUID_TEXT_SIZE 37

/* A new random one (version 4). */
void image_uuid_generate(ImageUuid *uuid);
bool image_uuid_is_null(const ImageUuid *uuid);
bool image_uuid_equal(const ImageUuid *a, const ImageUuid *b);

/* Lower case, without braces. */
void image_uuid_to_text(const ImageUuid *uuid, char text[IMAGE_UUID_TEXT_SIZE]);
/* Accepts both cases, with or without braces; false if text is anything else. */
bool image_uuid_from_text(const char *text, ImageUuid *uuid);

/* The form on disk in VDI, where the first three fields are little-endian. */
void image_uuid_to_mixed(const ImageUuid *uuid, uint8_t out[16]);
void image_uuid_from_mixed(const uint8_t in[16], ImageUuid *uuid);
