/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Mass storage: carries out what the SCSI unit asks for, a window of the data at a time. Everything
 * that is under way can be asked for once more, so a saved state needs no answer of the medium. */
#include "usb/devices/storage-private.h"

#include <string.h>

#define DISCARD_MAX (1u << 30)
#define PATTERN 512u

void
usb_storage_submit(UsbStorage *storage)
{
    storage->waiting = true;
    drive_io_submit(&storage->io, storage->media, (PdmIoKind)storage->io_kind, storage->io_offset,
                    storage->io_size, storage->io_within);
}

static void
ask(UsbStorage *storage, PdmIoKind kind, uint64_t offset, uint32_t size, uint32_t within)
{
    storage->io_kind = (uint8_t)kind;
    storage->io_offset = offset;
    storage->io_size = size;
    storage->io_within = within;
    usb_storage_submit(storage);
}

static uint64_t
begin_of_range(const UsbStorage *storage)
{
    return storage->task.lba * scsi_block(&storage->unit);
}

static uint64_t
size_of_range(const UsbStorage *storage)
{
    return storage->task.count * scsi_block(&storage->unit);
}

/* --- data --- */

/* A frame at a time: its data come to their place within it. */
static void
fetch_raw(UsbStorage *storage, uint32_t at)
{
    const uint32_t sector = at / SCSI_CD_RAW_SECTOR;

    storage->window = sector * SCSI_CD_RAW_SECTOR;
    storage->window_size = SCSI_CD_RAW_SECTOR;
    ask(storage, PDM_IO_READ, begin_of_range(storage) + (uint64_t)sector * SCSI_CD_SECTOR,
        SCSI_CD_SECTOR, 16);
}

void
usb_storage_fetch(UsbStorage *storage, uint32_t at)
{
    const uint32_t block = scsi_block(&storage->unit);
    const uint32_t begin = at - at % block;

    if (at >= storage->window && at - storage->window < storage->window_size)
        return;
    if (storage->task.raw) {
        fetch_raw(storage, at);
        return;
    }
    storage->window = begin;
    storage->window_size = (uint32_t)MIN(size_of_range(storage) - begin, STORAGE_BUFFER);
    ask(storage, PDM_IO_READ, begin_of_range(storage) + begin, storage->window_size, 0);
}

void
usb_storage_write(UsbStorage *storage)
{
    ask(storage, PDM_IO_WRITE, begin_of_range(storage) + storage->window, storage->window_size, 0);
}

/* --- after the data --- */
static bool
flush(UsbStorage *storage)
{
    if (storage->position != 0)
        return false;
    storage->position = 1;
    ask(storage, PDM_IO_FLUSH, 0, 0, 0);
    return true;
}

static bool
verify(UsbStorage *storage)
{
    const uint64_t left = size_of_range(storage) - storage->position;
    const uint32_t size = (uint32_t)MIN(left, STORAGE_BUFFER);

    if (left == 0)
        return false;
    ask(storage, PDM_IO_READ, begin_of_range(storage) + storage->position, size, 0);
    storage->position += size;
    return true;
}

/* Position: the range's number above 32 bits of blocks within it. */
static bool
unmap(UsbStorage *storage)
{
    uint64_t range;

    while ((range = storage->position >> 32) < storage->task.count) {
        const uint32_t done = (uint32_t)storage->position;
        uint64_t lba;
        uint32_t count, size;

        if (!scsi_unmap_range(&storage->unit, &storage->task, (unsigned)range, &lba, &count) ||
            done >= count) {
            storage->position = (range + 1) << 32;
            continue;
        }
        size = MIN(count - done, DISCARD_MAX / PATTERN);
        storage->position += size;
        ask(storage, PDM_IO_DISCARD, (lba + done) * PATTERN, size * PATTERN, 0);
        return true;
    }
    return false;
}

static bool
is_zero(const uint8_t *data, size_t size)
{
    return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

static bool
fill(UsbStorage *storage)
{
    const ScsiTask *task = &storage->task;
    const bool discard = task->unmap && is_zero(task->data, PATTERN);
    const uint64_t left = size_of_range(storage) - storage->position;
    const uint32_t size = (uint32_t)MIN(left, discard ? DISCARD_MAX : STORAGE_BUFFER);

    if (left == 0)
        return false;
    for (uint32_t at = 0; !discard && at < size; at += PATTERN)
        memcpy(storage->io.buffer + at, task->data, PATTERN);
    ask(storage, discard ? PDM_IO_DISCARD : PDM_IO_WRITE,
        begin_of_range(storage) + storage->position, size, 0);
    storage->position += size;
    return true;
}

bool
usb_storage_work(UsbStorage *storage)
{
    switch (storage->task.op) {
    case SCSI_FLUSH: return flush(storage);
    case SCSI_WRITE: return storage->task.fua && flush(storage);
    case SCSI_VERIFY: return verify(storage);
    case SCSI_UNMAP: return unmap(storage);
    case SCSI_SAME: return fill(storage);
    default: return false;
    }
}

/* --- loaded --- */
static bool
range_holds(const UsbStorage *storage)
{
    const ScsiTask *task = &storage->task;
    const uint64_t blocks = storage->media->size(storage->media->user) / scsi_block(&storage->unit);

    switch (task->op) {
    case SCSI_READ:
    case SCSI_WRITE:
        return task->lba <= blocks && task->count <= blocks - task->lba &&
               storage->planned <= task->count * scsi_host_block(&storage->unit, task) &&
               storage->window <= storage->planned;
    case SCSI_VERIFY:
    case SCSI_SAME:
        return task->lba <= blocks && task->count <= blocks - task->lba &&
               storage->position <= size_of_range(storage);
    case SCSI_REPLY:
    case SCSI_TAKE: return task->size <= SCSI_DATA_MAX && storage->planned <= task->size;
    case SCSI_UNMAP: return task->count <= SCSI_UNMAP_MAX;
    default: return true;
    }
}

static bool
request_holds(const UsbStorage *storage)
{
    const uint64_t size = storage->media->size(storage->media->user);
    const bool buffer = storage->io_kind == PDM_IO_READ || storage->io_kind == PDM_IO_WRITE;

    if (!storage->waiting)
        return true;
    return storage->io_offset <= size && storage->io_size <= size - storage->io_offset &&
           (storage->io_offset | storage->io_size) % scsi_block(&storage->unit) == 0 &&
           (!buffer || (storage->io_within <= STORAGE_BUFFER &&
                        storage->io_size <= STORAGE_BUFFER - storage->io_within));
}

bool
usb_storage_task_holds(const UsbStorage *storage)
{
    return storage->planned <= storage->expected && storage->moved <= storage->expected &&
           storage->taken <= storage->moved && storage->window_size <= STORAGE_BUFFER &&
           (!storage->task.raw || storage->unit.optical) && range_holds(storage) &&
           request_holds(storage);
}
