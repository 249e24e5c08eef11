/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The commands of a direct-access block device (SBC-3, SPC-3): one row each. Left out: protection
 * information, reservations (a bus has one initiator), formatting, defect lists, XOR commands. */
#include "devices/storage/scsi-private.h"

#include <string.h>

#define BLOCK 512u

/* --- transfers --- */

/* The address and length fields of the command groups. */
static void
take_fields(const uint8_t *cdb, uint64_t *lba, uint32_t *count)
{
    switch (cdb[0] >> 5) {
    case 0:
        *lba = (uint64_t)(cdb[1] & 0x1f) << 16 | scsi_get16(cdb + 2);
        *count = cdb[4] != 0 ? cdb[4] : 256;
        break;
    case 4:
        *lba = scsi_get64(cdb + 2);
        *count = scsi_get32(cdb + 10);
        break;
    case 5:
        *lba = scsi_get32(cdb + 2);
        *count = scsi_get32(cdb + 6);
        break;
    default:
        *lba = scsi_get32(cdb + 2);
        *count = scsi_get16(cdb + 7);
        break;
    }
}

static void
begin(ScsiUnit *unit, ScsiTask *task, ScsiOp op)
{
    uint64_t lba;
    uint32_t count;

    take_fields(task->cdb, &lba, &count);
    if (task->cdb[0] >= 0x20 && (task->cdb[1] & 0xe0) != 0) { /* protection information */
        scsi_fail_field(unit, task);
        return;
    }
    scsi_begin_range(unit, task, op, lba, count);
}

static bool
may_write(ScsiUnit *unit, ScsiTask *task)
{
    if (!unit->media->read_only(unit->media->user))
        return true;
    scsi_fail(unit, task, SENSE_DATA_PROTECT, 0x27, 0);
    return false;
}

static void
run_read(ScsiUnit *unit, ScsiTask *task)
{
    begin(unit, task, SCSI_READ);
}

static void
run_write(ScsiUnit *unit, ScsiTask *task)
{
    if (!may_write(unit, task))
        return;
    task->fua = task->cdb[0] >= 0x20 && (task->cdb[1] & 0x08) != 0;
    begin(unit, task, SCSI_WRITE);
}

/* WRITE AND VERIFY: what is written is on the disk at the end. */
static void
run_write_verify(ScsiUnit *unit, ScsiTask *task)
{
    if (!may_write(unit, task))
        return;
    task->fua = true;
    begin(unit, task, SCSI_WRITE);
}

/* Without a comparison with the host's data, which is not offered. */
static void
run_verify(ScsiUnit *unit, ScsiTask *task)
{
    if ((task->cdb[1] & 0x06) != 0)
        scsi_fail_field(unit, task);
    else
        begin(unit, task, SCSI_VERIFY);
}

static void
run_synchronize(ScsiUnit *unit, ScsiTask *task)
{
    task->op = SCSI_FLUSH;
}

static void
run_seek(ScsiUnit *unit, ScsiTask *task)
{
    begin(unit, task, SCSI_NOTHING);
}

/* --- discarding and filling --- */

static void
run_write_same(ScsiUnit *unit, ScsiTask *task)
{
    uint64_t lba;
    uint32_t count;

    if (!may_write(unit, task))
        return;
    take_fields(task->cdb, &lba, &count);
    task->unmap = (task->cdb[1] & 0x08) != 0 && unit->media->discard;
    /* A length of 0 means all the rest: refused, as the block limits say. */
    if (count == 0 || (task->cdb[1] & 0xe6) != 0) {
        scsi_fail_field(unit, task);
        return;
    }
    scsi_begin_range(unit, task, SCSI_SAME, lba, count);
    if (task->op != SCSI_SAME)
        return;
    memset(task->data, 0, BLOCK);
    if (task->cdb[0] == 0x93 && (task->cdb[1] & 0x01) != 0)
        return; /* NDOB: zeros, without data from the host */
    task->op = SCSI_TAKE;
    task->size = BLOCK;
}

static void
run_unmap(ScsiUnit *unit, ScsiTask *task)
{
    if (!unit->media->discard) {
        scsi_fail(unit, task, SENSE_ILLEGAL_REQUEST, 0x20, 0);
        return;
    }
    if (!may_write(unit, task))
        return;
    task->size = scsi_get16(task->cdb + 7);
    if (task->size == 0)
        return;
    if (task->size > SCSI_DATA_MAX || task->size < 8)
        scsi_fail_field(unit, task);
    else
        task->op = SCSI_TAKE;
}

bool
scsi_unmap_range(const ScsiUnit *unit, const ScsiTask *task, unsigned index, uint64_t *lba,
                 uint32_t *count)
{
    const uint8_t *entry = task->data + 8 + 16 * index;

    *lba = scsi_get64(entry);
    *count = scsi_get32(entry + 8);
    return *count > 0;
}

static void
check_unmap_list(ScsiUnit *unit, ScsiTask *task)
{
    uint32_t described = scsi_get16(task->data + 2);
    uint32_t ranges = MIN(described, task->size - 8) / 16;
    uint64_t blocks = scsi_blocks(unit);

    for (unsigned i = 0; i < ranges; i++) {
        uint64_t lba;
        uint32_t count;

        scsi_unmap_range(unit, task, i, &lba, &count);
        if (lba > blocks || count > blocks - lba) {
            scsi_fail(unit, task, SENSE_ILLEGAL_REQUEST, 0x21, 0);
            return;
        }
    }
    task->count = ranges;
    task->op = ranges != 0 ? SCSI_UNMAP : SCSI_NOTHING;
}

/* MODE SELECT: nothing can be changed, so a list that says what is so already is taken. */
void
scsi_disk_taken(ScsiUnit *unit, ScsiTask *task)
{
    switch (task->cdb[0]) {
    case 0x41:
    case 0x93: task->op = SCSI_SAME; break;
    case 0x42: check_unmap_list(unit, task); break;
    default: scsi_succeed(task); break;
    }
}

static void
run_mode_select(ScsiUnit *unit, ScsiTask *task)
{
    uint32_t size = task->cdb[0] == 0x15 ? task->cdb[4] : scsi_get16(task->cdb + 7);

    task->size = MIN(size, SCSI_DATA_MAX);
    task->op = task->size != 0 ? SCSI_TAKE : SCSI_NOTHING;
}

/* --- what the disk says about itself --- */

static void
run_read_capacity_10(ScsiUnit *unit, ScsiTask *task)
{
    scsi_put32(task->data, (uint32_t)MIN(scsi_blocks(unit) - 1, UINT32_MAX));
    scsi_put32(task->data + 4, BLOCK);
    scsi_reply(task, 8, 8);
}

static void
run_service_action_in(ScsiUnit *unit, ScsiTask *task)
{
    if ((task->cdb[1] & 0x1f) != 0x10) { /* READ CAPACITY (16) */
        scsi_fail_field(unit, task);
        return;
    }
    memset(task->data, 0, 32);
    scsi_put64(task->data, scsi_blocks(unit) - 1);
    scsi_put32(task->data + 8, BLOCK);
    /* Logical block provisioning; what is discarded reads as zeros. */
    task->data[14] = unit->media->discard ? 0xc0 : 0;
    scsi_reply(task, 32, scsi_get32(task->cdb + 10));
}

static unsigned
put_caching(uint8_t *out, bool changeable)
{
    out[0] = 0x08;
    out[1] = 18;
    out[2] = changeable ? 0 : 0x04; /* a write cache */
    return 20;
}

static unsigned
put_control(uint8_t *out)
{
    out[0] = 0x0a;
    out[1] = 10;
    return 12;
}

static unsigned
put_recovery(uint8_t *out, bool changeable)
{
    out[0] = 0x01;
    out[1] = 10;
    out[2] = changeable ? 0 : 0xc0; /* bad blocks are moved without a word */
    return 12;
}

static void
mode_sense(ScsiUnit *unit, ScsiTask *task, unsigned header, uint32_t allocation)
{
    uint8_t *out = task->data;
    uint8_t page = task->cdb[2] & 0x3f;
    bool changeable = (task->cdb[2] >> 6) == 1;
    bool descriptor = (task->cdb[1] & 0x08) == 0;
    unsigned size = header + (descriptor ? 8 : 0);
    unsigned empty = size;

    memset(out, 0, 128);
    if (page == 0x01 || page == 0x3f)
        size += put_recovery(out + size, changeable);
    if (page == 0x08 || page == 0x3f)
        size += put_caching(out + size, changeable);
    if (page == 0x0a || page == 0x3f)
        size += put_control(out + size);
    if (size == empty && page != 0) {
        scsi_fail_field(unit, task);
        return;
    }
    out[header == 4 ? 2 : 3] =
        (uint8_t)(0x10 | (unit->media->read_only(unit->media->user) ? 0x80 : 0)); /* DPOFUA */
    if (header == 4)
        out[0] = (uint8_t)(size - 1);
    else
        scsi_put16(out, size - 2);
    if (descriptor) {
        out[header - 1] = 8;
        scsi_put32(out + header, (uint32_t)MIN(scsi_blocks(unit), UINT32_MAX));
        scsi_put32(out + header + 4, BLOCK);
    }
    scsi_reply(task, size, allocation);
}

static void
run_mode_sense_6(ScsiUnit *unit, ScsiTask *task)
{
    mode_sense(unit, task, 4, task->cdb[4]);
}

static void
run_mode_sense_10(ScsiUnit *unit, ScsiTask *task)
{
    mode_sense(unit, task, 8, scsi_get16(task->cdb + 7));
}

static void
run_nothing(ScsiUnit *unit, ScsiTask *task)
{
    scsi_succeed(task);
}

/* What the disk caches is on it before it stops. */
static void
run_start_stop(ScsiUnit *unit, ScsiTask *task)
{
    task->op = (task->cdb[4] & 0x01) != 0 ? SCSI_NOTHING : SCSI_FLUSH;
}

/* clang-format off */
static const ScsiCommand commands[] = {
    {0x00, 0, scsi_test_unit_ready},
    {0x03, SCSI_DESPITE_ATTENTION, scsi_request_sense},
    {0x08, 0, run_read},
    {0x0a, 0, run_write},
    {0x12, SCSI_DESPITE_ATTENTION, scsi_inquiry},
    {0x15, 0, run_mode_select},
    {0x1a, 0, run_mode_sense_6},
    {0x1b, 0, run_start_stop},
    {0x1e, 0, run_nothing}, /* PREVENT ALLOW MEDIUM REMOVAL */
    {0x25, 0, run_read_capacity_10},
    {0x28, 0, run_read},
    {0x2a, 0, run_write},
    {0x2b, 0, run_seek},
    {0x2e, 0, run_write_verify},
    {0x2f, 0, run_verify},
    {0x35, 0, run_synchronize},
    {0x41, 0, run_write_same},
    {0x42, 0, run_unmap},
    {0x55, 0, run_mode_select},
    {0x5a, 0, run_mode_sense_10},
    {0x88, 0, run_read},
    {0x8a, 0, run_write},
    {0x8e, 0, run_write_verify},
    {0x8f, 0, run_verify},
    {0x91, 0, run_synchronize},
    {0x93, 0, run_write_same},
    {0x9e, 0, run_service_action_in},
    {0xa0, SCSI_DESPITE_ATTENTION, scsi_report_luns},
    {0xa8, 0, run_read},
    {0xaa, 0, run_write},
    {0xae, 0, run_write_verify},
    {0xaf, 0, run_verify},
};
/* clang-format on */

const ScsiCommand *
scsi_disk_find_command(uint8_t code)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        if (commands[i].code == code)
            return &commands[i];
    return NULL;
}
