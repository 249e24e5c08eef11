/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * INQUIRY and its pages of vital product data (SPC-3 sections 6.4 and 7.6, SBC-3 section 6.5). */
#include "devices/storage/scsi-private.h"

#include <string.h>

/* Blocks that a host may discard or fill in one command. */
#define RANGE_MAX 0x3fffffu
#define TRANSFER_MAX 0xffffu

static unsigned
put_supported_pages(const ScsiUnit *unit, uint8_t *out)
{
    static const uint8_t disk[] = {0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2};
    unsigned count = unit->optical ? 3 : G_N_ELEMENTS(disk);

    memcpy(out, disk, count);
    return count;
}

static unsigned
put_serial(const ScsiUnit *unit, uint8_t *out)
{
    const char *serial = unit->media->serial(unit->media->user);
    size_t length = MIN(strlen(serial), 20);

    memcpy(out, serial, length);
    return (unsigned)length;
}

/* A vendor's name with the serial number, and a locally assigned NAA name where there is one. */
static unsigned
put_identification(const ScsiUnit *unit, uint8_t *out)
{
    unsigned length = put_serial(unit, out + 12);
    unsigned size = 12 + length;

    out[0] = 0x02; /* ASCII */
    out[1] = 0x01; /* T10 vendor identification */
    memcpy(out + 4, "VITRINE ", 8);
    out[3] = (uint8_t)(8 + length);
    if (unit->wwn == 0)
        return size;
    out[size] = 0x01;     /* binary */
    out[size + 1] = 0x03; /* NAA */
    out[size + 3] = 8;
    scsi_put64(out + size + 4, unit->wwn);
    return size + 12;
}

static unsigned
put_limits(const ScsiUnit *unit, uint8_t *out)
{
    out[0] = 0x01;          /* WSNZ: WRITE SAME needs a length */
    scsi_put16(out + 2, 8); /* granularity: 4 KiB */
    scsi_put32(out + 4, TRANSFER_MAX);
    if (unit->media->discard) {
        scsi_put32(out + 16, RANGE_MAX);
        scsi_put32(out + 20, SCSI_UNMAP_MAX);
        scsi_put32(out + 24, 8);
    }
    scsi_put64(out + 32, RANGE_MAX);
    return 60;
}

static unsigned
put_characteristics(const ScsiUnit *unit, uint8_t *out)
{
    scsi_put16(out, unit->media->non_rotational ? 1 : 7200);
    return 60;
}

static unsigned
put_provisioning(const ScsiUnit *unit, uint8_t *out)
{
    if (unit->media->discard) {
        out[1] = 0xe0; /* UNMAP, WRITE SAME (16) and (10) discard */
        out[2] = 0x02; /* thin */
    }
    return 4;
}

static unsigned
put_page(const ScsiUnit *unit, uint8_t page, uint8_t *out)
{
    switch (page) {
    case 0x00: return put_supported_pages(unit, out);
    case 0x80: return put_serial(unit, out);
    case 0x83: return put_identification(unit, out);
    default: break;
    }
    if (unit->optical)
        return 0;
    switch (page) {
    case 0xb0: return put_limits(unit, out);
    case 0xb1: return put_characteristics(unit, out);
    case 0xb2: return put_provisioning(unit, out);
    default: return 0;
    }
}

static void
reply_page(ScsiUnit *unit, ScsiTask *task)
{
    uint8_t page = task->cdb[2];
    uint8_t *out = task->data;
    unsigned size;

    memset(out, 0, 128);
    size = put_page(unit, page, out + 4);
    if (size == 0 && page != 0x80) {
        scsi_fail_field(unit, task);
        return;
    }
    out[0] = unit->optical ? 0x05 : 0x00;
    out[1] = page;
    scsi_put16(out + 2, size);
    scsi_reply(task, size + 4, scsi_get16(task->cdb + 3));
}

static void
put_standard(const ScsiUnit *unit, uint8_t *out)
{
    memset(out, 0, 36);
    out[0] = unit->optical ? 0x05 : 0x00;
    out[1] = unit->optical ? 0x80 : 0; /* removable */
    out[2] = unit->atapi ? 0 : 0x05;   /* SPC-3 */
    out[3] = unit->atapi ? 0x21 : 0x02;
    out[4] = 31;
    out[7] = unit->atapi ? 0 : 0x02; /* queued commands */
    memcpy(out + 8, unit->optical ? "VITRINE CD-ROM          1.0 " : "VITRINE HARDDISK        1.0 ",
           28);
}

void
scsi_inquiry(ScsiUnit *unit, ScsiTask *task)
{
    bool vital = (task->cdb[1] & 0x01) != 0;

    if ((task->cdb[1] & 0x02) != 0 || (vital ? unit->atapi : task->cdb[2] != 0)) {
        scsi_fail_field(unit, task);
        return;
    }
    if (vital) {
        reply_page(unit, task);
        return;
    }
    put_standard(unit, task->data);
    scsi_reply(task, 36, unit->atapi ? task->cdb[4] : scsi_get16(task->cdb + 3));
}
