/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a CD/DVD drive says about itself: MODE SENSE, GET CONFIGURATION, GET EVENT STATUS
 * NOTIFICATION, MECHANISM STATUS (MMC-3 chapter 6). */
#include <string.h>

#include "devices/storage/scsi-private.h"

#define SPEED_KB 7056 /* 40 times audio */

/* --- MODE SENSE --- */

static unsigned
put_error_recovery(uint8_t *out)
{
    out[0] = 0x01;
    out[1] = 6;
    out[3] = 5; /* retries */
    return 8;
}

static unsigned
put_capabilities(uint8_t *out, const ScsiUnit *unit)
{
    out[0] = 0x2a;
    out[1] = 18;
    out[2] = 0x3b; /* reads CD-R, CD-RW, DVD-ROM, DVD-R, DVD-RAM */
    out[4] = 0x70; /* mode 2 forms 1 and 2, several sessions */
    out[6] = (uint8_t)(0x29 | (unit->locked ? 0x02 : 0)); /* tray, ejects, locks */
    scsi_put16(out + 8, SPEED_KB);
    scsi_put16(out + 12, 128 /* KiB of buffer */);
    scsi_put16(out + 14, SPEED_KB);
    return 20;
}

static uint8_t
medium_type(const ScsiUnit *unit)
{
    if (unit->tray_open)
        return 0x71;
    return scsi_has_medium(unit) ? 0x01 : 0x70;
}

/* The pages, after a header of `header` bytes; 0: the command has failed. */
static unsigned
put_pages(ScsiUnit *unit, ScsiTask *task, unsigned header)
{
    uint8_t *out = task->data;
    uint8_t control = task->cdb[2] >> 6;
    uint8_t page = task->cdb[2] & 0x3f;
    unsigned size = header;

    memset(out, 0, 64);
    if (page == 0x01 || page == 0x3f)
        size += put_error_recovery(out + size);
    if (page == 0x2a || page == 0x3f)
        size += put_capabilities(out + size, unit);
    if (size == header) {
        scsi_fail_field(unit, task);
        return 0;
    }
    if (control == 3) { /* saved values */
        scsi_fail(unit, task, SENSE_ILLEGAL_REQUEST, 0x39, 0);
        return 0;
    }
    /* Nothing can be changed: that mask is the page's head and zeros. */
    for (unsigned at = header; control == 1 && at < size; at += 2u + out[at + 1])
        memset(out + at + 2, 0, out[at + 1]);
    return size;
}

void
mmc_mode_sense_6(ScsiUnit *unit, ScsiTask *task)
{
    unsigned size = put_pages(unit, task, 4);

    if (size == 0)
        return;
    task->data[0] = (uint8_t)(size - 1);
    task->data[1] = medium_type(unit);
    scsi_reply(task, size, task->cdb[4]);
}

void
mmc_mode_sense_10(ScsiUnit *unit, ScsiTask *task)
{
    unsigned size = put_pages(unit, task, 8);

    if (size == 0)
        return;
    scsi_put16(task->data, size - 2);
    task->data[2] = medium_type(unit);
    scsi_reply(task, size, scsi_get16(task->cdb + 7));
}

/* --- GET CONFIGURATION --- */

typedef enum { CURRENT_ALWAYS, CURRENT_WITH_CD, CURRENT_WITH_DVD, CURRENT_WITH_MEDIUM } Current;

typedef struct {
    uint16_t code;
    uint8_t flags; /* version << 2, persistent << 1 */
    Current current;
    uint8_t size;
    uint8_t data[8];
} Feature;

/* clang-format off */
static const Feature features[] = {
    {0x0001, 0x0a, CURRENT_ALWAYS,      8, {0, 0, 0, 2, 1}},          /* core: ATAPI */
    {0x0002, 0x06, CURRENT_ALWAYS,      4, {0}},                      /* morphing: events by polling */
    {0x0003, 0x02, CURRENT_ALWAYS,      4, {0x29}},                   /* removable medium: tray, ejects, locks */
    {0x0010, 0x00, CURRENT_WITH_MEDIUM, 8, {0, 0, 8, 0, 0, 1, 0, 0}}, /* random readable, 2048 bytes */
    {0x001d, 0x00, CURRENT_WITH_CD,     0, {0}},                      /* multi-read */
    {0x001e, 0x04, CURRENT_WITH_CD,     4, {0}},                      /* CD read */
    {0x001f, 0x00, CURRENT_WITH_DVD,    0, {0}},                      /* DVD read */
    {0x0100, 0x02, CURRENT_ALWAYS,      0, {0}},                      /* power management */
    {0x0105, 0x06, CURRENT_ALWAYS,      4, {0}},                      /* time-out */
};
/* clang-format on */

typedef struct {
    bool cd, dvd;
} Disc;

static Disc
present_disc(const ScsiUnit *unit)
{
    bool present = scsi_has_medium(unit);
    bool large = present && scsi_blocks(unit) > MMC_CD_SECTORS_MAX;

    return (Disc){.cd = present && !large, .dvd = large};
}

static bool
is_current(Current current, Disc disc)
{
    switch (current) {
    case CURRENT_WITH_CD: return disc.cd;
    case CURRENT_WITH_DVD: return disc.dvd;
    case CURRENT_WITH_MEDIUM: return disc.cd || disc.dvd;
    case CURRENT_ALWAYS: break;
    }
    return true;
}

static unsigned
put_profiles(uint8_t *out, Disc disc)
{
    scsi_put16(out, 0x0000);
    out[2] = 0x03;
    out[3] = 8;
    scsi_put16(out + 4, 0x0010); /* DVD-ROM */
    out[6] = disc.dvd;
    scsi_put16(out + 8, 0x0008); /* CD-ROM */
    out[10] = disc.cd;
    return 12;
}

static unsigned
put_feature(uint8_t *out, const Feature *feature, bool current)
{
    scsi_put16(out, feature->code);
    out[2] = (uint8_t)(feature->flags | current);
    out[3] = feature->size;
    memcpy(out + 4, feature->data, feature->size);
    return 4u + feature->size;
}

void
mmc_get_configuration(ScsiUnit *unit, ScsiTask *task)
{
    uint8_t *out = task->data;
    Disc disc = present_disc(unit);
    uint8_t which = task->cdb[1] & 3; /* 0 all, 1 the current ones, 2 just the one */
    uint32_t from = scsi_get16(task->cdb + 2);
    unsigned size = 8;

    if (which == 3) {
        scsi_fail_field(unit, task);
        return;
    }
    memset(out, 0, 256);
    if (from == 0)
        size += put_profiles(out + size, disc);
    for (unsigned i = 0; i < G_N_ELEMENTS(features); i++) {
        const Feature *feature = &features[i];
        bool current = is_current(feature->current, disc);
        bool wanted =
            which == 2 ? feature->code == from : feature->code >= from && (which == 0 || current);

        if (wanted)
            size += put_feature(out + size, feature, current);
    }
    scsi_put32(out, size - 4);
    scsi_put16(out + 6, disc.dvd ? 0x0010 : disc.cd ? 0x0008 : 0);
    scsi_reply(task, size, scsi_get16(task->cdb + 7));
}

/* --- events and the mechanism --- */

static uint8_t
take_event(ScsiUnit *unit)
{
    uint8_t code = 0;

    if (unit->event_eject) {
        unit->event_eject = false;
        code = 1;
    } else if (unit->event_removed) {
        unit->event_removed = false;
        code = 3;
    } else if (unit->event_new) {
        unit->event_new = false;
        code = 2;
    }
    return code;
}

void
mmc_get_event(ScsiUnit *unit, ScsiTask *task)
{
    uint32_t allocation = scsi_get16(task->cdb + 7);
    uint8_t *out = task->data;

    if ((task->cdb[1] & 0x01) == 0) { /* asynchronous */
        scsi_fail_field(unit, task);
        return;
    }
    memset(out, 0, 8);
    out[3] = 0x10; /* media events are what there is */
    if ((task->cdb[4] & 0x10) == 0) {
        scsi_put16(out, 2);
        out[2] = 0x80;
        scsi_reply(task, 4, allocation);
        return;
    }
    scsi_put16(out, 6);
    out[2] = 0x04;
    /* An event that does not fit is kept for next time. */
    if (allocation > 4)
        out[4] = take_event(unit);
    out[5] = (uint8_t)((scsi_has_medium(unit) ? 0x02 : 0) | (unit->tray_open ? 0x01 : 0));
    scsi_reply(task, 8, allocation);
}

void
mmc_mechanism_status(ScsiUnit *unit, ScsiTask *task)
{
    uint8_t *out = task->data;

    memset(out, 0, 8);
    out[1] = unit->tray_open ? 0x10 : 0;
    scsi_reply(task, 8, scsi_get16(task->cdb + 8));
}
