/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The log of a VHDX file that was not closed in order: what it would write is laid over the file in
 * memory, and the file stays as it is. MS-VHDX 2.3 (layout) and 2.3.3 (replay). */
#include "devices/drivers/disk/image/image-bytes.h"
#include "devices/drivers/disk/image/image-overlay.h"
#include "devices/drivers/disk/image/vhdx-private.h"
#include "vmm/base/crc32c.h"

#define SECTOR 4096u
#define ENTRY_HEADER 64u
#define DESCRIPTOR 32u
/* The usual one has 1 MiB. A hostile one costs the square of its length. */
#define LOG_MAX (8u << 20)
/* In a data sector, between the marks at both ends. */
#define DATA_AT 8u
#define DATA_BYTES 4084u

enum {
    AT_CHECKSUM = 4,
    AT_LENGTH = 8,
    AT_TAIL = 12,
    AT_SEQUENCE = 16,
    AT_COUNT = 24,
    AT_UUID = 32,
    AT_FLUSHED = 48,
    AT_LAST = 56,
};

typedef struct {
    const VhdxState *vhdx;
    uint8_t *bytes;
    uint32_t length;
} Log;

/* Entries one after the other, around the end of the log. */
typedef struct {
    uint32_t first, last; /* offsets of the oldest and of the newest entry */
    uint32_t end;         /* behind the newest */
    uint64_t sequence;    /* of the newest */
    unsigned count;
} Sequence;

/* --- entries --- */

/* A copy in one piece, or NULL when there is no valid entry at offset. */
static uint8_t *
take_entry(const Log *log, uint32_t offset)
{
    const uint8_t *head = log->bytes + offset;
    const uint32_t length = image_get32(head, AT_LENGTH), count = image_get32(head, AT_COUNT);
    const uint64_t descriptors = ENTRY_HEADER + (uint64_t)count * DESCRIPTOR;
    g_autofree uint8_t *entry = NULL;
    uint32_t stored;

    if (memcmp(head, "loge", 4) != 0 || length < SECTOR || length % SECTOR != 0 ||
        length > log->length || descriptors > length ||
        memcmp(head + AT_UUID, log->vhdx->log_uuid, 16) != 0 || image_get64(head, AT_SEQUENCE) == 0)
        return NULL;
    entry = g_malloc(length);
    for (uint32_t at = 0; at < length; at += SECTOR)
        memcpy(entry + at, log->bytes + (offset + at) % log->length, SECTOR);
    stored = image_get32(entry, AT_CHECKSUM);
    image_put32(entry, AT_CHECKSUM, 0);
    if (base_crc32c(0, entry, length) != stored)
        return NULL;
    return g_steal_pointer(&entry);
}

/* --- which entries count --- */

static bool
contains(const Log *log, const Sequence *sequence, uint32_t offset)
{
    uint32_t at = sequence->first;

    for (unsigned i = 0; i < sequence->count; i++) {
        if (at == offset)
            return true;
        at = (at + image_get32(log->bytes + at, AT_LENGTH)) % log->length;
    }
    return false;
}

/* All that follow each other from offset on. */
static Sequence
follow(const Log *log, uint32_t offset)
{
    Sequence sequence = {.first = offset, .end = offset};
    uint64_t covered = 0;

    while (covered < log->length) {
        g_autofree uint8_t *entry = take_entry(log, sequence.end);

        if (entry == NULL ||
            (sequence.count > 0 && image_get64(entry, AT_SEQUENCE) != sequence.sequence + 1))
            break;
        sequence.sequence = image_get64(entry, AT_SEQUENCE);
        sequence.last = sequence.end;
        sequence.end = (sequence.end + image_get32(entry, AT_LENGTH)) % log->length;
        sequence.count++;
        covered += image_get32(entry, AT_LENGTH);
    }
    return sequence;
}

/* The newest that is whole: its newest entry says where it begins. */
static bool
find_active(const Log *log, Sequence *active)
{
    uint32_t offset = 0;

    *active = (Sequence){0};
    while (offset < log->length) {
        const Sequence sequence = follow(log, offset);

        if (sequence.count > 0 && sequence.sequence > active->sequence &&
            contains(log, &sequence, image_get32(log->bytes + sequence.last, AT_TAIL)))
            *active = sequence;
        if (sequence.count > 0 && sequence.end > offset)
            offset = sequence.end;
        else if (sequence.count > 0)
            break; /* around the end */
        else
            offset += SECTOR;
    }
    return active->count > 0;
}

/* --- replaying --- */

/* A sector of the entry, around what its descriptor says of both ends. */
static bool
lay_data(ImageIo *overlay, const uint8_t *descriptor, const uint8_t *sector, uint64_t sequence)
{
    const uint64_t position = image_get64(descriptor, 16);
    uint8_t page[SECTOR];

    if (memcmp(sector, "data", 4) != 0 || image_get32(sector, 4) != (uint32_t)(sequence >> 32) ||
        image_get32(sector, SECTOR - 4) != (uint32_t)sequence || position % SECTOR != 0 ||
        position > VHDX_MAX_CAPACITY)
        return false;
    memcpy(page, descriptor + 8, 8);
    memcpy(page + DATA_AT, sector + DATA_AT, DATA_BYTES);
    memcpy(page + DATA_AT + DATA_BYTES, descriptor + 4, 4);
    image_overlay_put(overlay, position, page);
    return true;
}

static bool
lay_zeros(ImageIo *overlay, const uint8_t *descriptor)
{
    const uint64_t length = image_get64(descriptor, 8), position = image_get64(descriptor, 16);

    if (length % SECTOR != 0 || position % SECTOR != 0 || position > VHDX_MAX_CAPACITY ||
        length > VHDX_MAX_CAPACITY)
        return false;
    return image_overlay_zero(overlay, position, length);
}

static bool
lay_entry(const uint8_t *entry, ImageIo *overlay)
{
    const uint32_t count = image_get32(entry, AT_COUNT), length = image_get32(entry, AT_LENGTH);
    const uint64_t sequence = image_get64(entry, AT_SEQUENCE);
    uint64_t sector = (ENTRY_HEADER + (uint64_t)count * DESCRIPTOR + SECTOR - 1) / SECTOR * SECTOR;

    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *descriptor = entry + ENTRY_HEADER + i * DESCRIPTOR;

        if (image_get64(descriptor, 24) != sequence)
            return false;
        if (memcmp(descriptor, "zero", 4) == 0) {
            if (!lay_zeros(overlay, descriptor))
                return false;
            continue;
        }
        if (memcmp(descriptor, "desc", 4) != 0 || sector + SECTOR > length ||
            !lay_data(overlay, descriptor, entry + sector, sequence))
            return false;
        sector += SECTOR;
    }
    return true;
}

static bool
replay(Image *image, const Log *log, const Sequence *active, ImageIo *overlay, GError **error)
{
    const uint64_t flushed = image_get64(log->bytes + active->last, AT_FLUSHED);
    const uint64_t last = image_get64(log->bytes + active->last, AT_LAST);
    uint32_t offset = image_get32(log->bytes + active->last, AT_TAIL);

    if (flushed > log->vhdx->file_end)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "it is shorter than its log says that it is");
    while (true) {
        g_autofree uint8_t *entry = take_entry(log, offset);

        if (entry == NULL || !lay_entry(entry, overlay))
            return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                                "an entry of its log is damaged");
        if (offset == active->last)
            break;
        offset = (offset + image_get32(entry, AT_LENGTH)) % log->length;
    }
    image_overlay_extend(overlay, MIN(last, VHDX_MAX_CAPACITY));
    return true;
}

static bool
load_log(Image *image, const VhdxState *vhdx, Log *log, GError **error)
{
    if (vhdx->log_length == 0 || vhdx->log_length % SECTOR != 0 || vhdx->log_length > LOG_MAX ||
        vhdx->log_position < VHDX_REGIONS_AT_LEAST || vhdx->log_position > vhdx->file_end ||
        vhdx->log_length > vhdx->file_end - vhdx->log_position)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its log lies outside of the file");
    *log = (Log){vhdx, g_malloc(vhdx->log_length), vhdx->log_length};
    return image_io_read(image->io, vhdx->log_position, log->bytes, vhdx->log_length, error);
}

bool
vhdx_log_replay(Image *image, VhdxState *vhdx, GError **error)
{
    Log log = {0};
    bool ok = load_log(image, vhdx, &log, error);
    g_autofree uint8_t *bytes = log.bytes;
    Sequence active;

    /* A log of which nothing is whole has written nothing either. */
    if (!ok || !find_active(&log, &active))
        return ok;
    vhdx->overlay = image_overlay_new(image->io, vhdx->file_end);
    return replay(image, &log, &active, vhdx->overlay, error) &&
           image_io_size(vhdx->overlay, &vhdx->file_end, error);
}
