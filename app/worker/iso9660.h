/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The primary volume descriptor of ISO 9660 (ECMA-119, chapter 8.4), as far as it names a system.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Texts without their padding, any bytes made valid UTF-8. */
typedef struct {
    char system_id[33 * 3];
    char volume_id[33 * 3];
    char publisher_id[129 * 3];
    char application_id[129 * 3];
    uint64_t volume_size; /* bytes */
    bool bootable;        /* there is an El Torito boot record */
} IsoVolume;

/* Reads from a descriptor. FALSE with error when there is no such file system. */
bool iso9660_read(int fd, const char *name, IsoVolume *volume, GError **error);
