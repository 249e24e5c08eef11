/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reads volume descriptors: ECMA-119 chapters 8.1 to 8.4, El Torito 1.0 chapter 2. The file is
 * hostile; nothing in it is followed but the sequence of descriptors, and that is bounded. */
#include "app/worker/iso9660.h"

#include <string.h>
#include <unistd.h>

#include "app/api/vitrine-types.h"

enum {
    SECTOR = 2048,
    FIRST_DESCRIPTOR = 16, /* sector */
    MAX_DESCRIPTORS = 64,
    TYPE_BOOT = 0,
    TYPE_PRIMARY = 1,
    TYPE_END = 255,
    SYSTEM_ID = 8, /* offsets in the primary descriptor */
    VOLUME_ID = 40,
    VOLUME_BLOCKS = 80,
    BLOCK_SIZE = 128,
    PUBLISHER_ID = 318,
    APPLICATION_ID = 574,
};

static void
take_text(char *to, size_t size, const uint8_t *from, size_t length)
{
    while (length > 0 && (from[length - 1] == ' ' || from[length - 1] == '\0'))
        length--;
    g_autofree char *text =
        g_utf8_make_valid((const char *)from, (gssize)strnlen((const char *)from, length));
    g_strlcpy(to, text, size);
}

static void
take_primary(const uint8_t *sector, IsoVolume *volume)
{
    uint32_t blocks, block_size = sector[BLOCK_SIZE] | sector[BLOCK_SIZE + 1] << 8;
    memcpy(&blocks, sector + VOLUME_BLOCKS, sizeof blocks);
    take_text(volume->system_id, sizeof volume->system_id, sector + SYSTEM_ID, 32);
    take_text(volume->volume_id, sizeof volume->volume_id, sector + VOLUME_ID, 32);
    take_text(volume->publisher_id, sizeof volume->publisher_id, sector + PUBLISHER_ID, 128);
    take_text(volume->application_id, sizeof volume->application_id, sector + APPLICATION_ID, 128);
    volume->volume_size = (uint64_t)GUINT32_FROM_LE(blocks) * block_size;
}

bool
iso9660_read(int fd, const char *name, IsoVolume *volume, GError **error)
{
    uint8_t sector[SECTOR];
    bool found = false;
    memset(volume, 0, sizeof *volume);
    for (int i = 0; i < MAX_DESCRIPTORS; i++) {
        ssize_t got = pread(fd, sector, SECTOR, (off_t)(FIRST_DESCRIPTOR + i) * SECTOR);
        if (got != SECTOR || memcmp(sector + 1, "CD001", 5) != 0 || sector[0] == TYPE_END)
            break;
        if (sector[0] == TYPE_PRIMARY && !found) {
            take_primary(sector, volume);
            found = true;
        } else if (sector[0] == TYPE_BOOT &&
                   memcmp(sector + 7, "EL TORITO SPECIFICATION", 23) == 0) {
            volume->bootable = true;
        }
    }
    if (!found)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "\"%s\" is no optical disk image: it has no ISO 9660 file system.", name);
    return found;
}
