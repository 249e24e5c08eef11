/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What an ATAPI drive says about itself: INQUIRY, MODE SENSE, GET CONFIGURATION, GET EVENT STATUS
 * NOTIFICATION, MECHANISM STATUS (MMC-3 chapter 6; SPC-2 for INQUIRY). */
#include <string.h>

#include "devices/storage/atapi.h"

#define SPEED_KB 7056 /* 40 times audio */

void
atapi_inquiry(IdeChannel *channel, const uint8_t *packet)
{
    uint8_t *out = channel->io.buffer;

    if ((packet[1] & 0x03) != 0 || packet[2] != 0) { /* vital product data */
        atapi_fail_field(channel);
        return;
    }
    memset(out, 0, 36);
    out[0] = 0x05; /* CD-ROM */
    out[1] = 0x80; /* removable */
    out[3] = 0x21; /* ATAPI */
    out[4] = 31;
    memcpy(out + 8, "VITRINE CD-ROM          1.0 ", 28);
    atapi_reply(channel, 36, packet[4]);
}

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
put_capabilities(uint8_t *out, const IdeDrive *drive)
{
    out[0] = 0x2a;
    out[1] = 18;
    out[2] = 0x3b; /* reads CD-R, CD-RW, DVD-ROM, DVD-R, DVD-RAM */
    out[4] = 0x70; /* mode 2 forms 1 and 2, several sessions */
    out[6] = (uint8_t)(0x29 | (drive->locked ? 0x02 : 0)); /* tray, ejects, locks */
    atapi_put16(out + 8, SPEED_KB);
    atapi_put16(out + 12, IDE_BUFFER_SIZE / 1024);
    atapi_put16(out + 14, SPEED_KB);
    return 20;
}

static uint8_t
medium_type(const IdeDrive *drive)
{
    if (drive->tray_open)
        return 0x71;
    return atapi_has_medium(drive) ? 0x01 : 0x70;
}

void
atapi_mode_sense(IdeChannel *channel, const uint8_t *packet)
{
    const IdeDrive *drive = ide_selected(channel);
    uint8_t *out = channel->io.buffer;
    uint8_t control = packet[2] >> 6;
    uint8_t page = packet[2] & 0x3f;
    unsigned size = 8;

    memset(out, 0, 64);
    if (page == 0x01 || page == 0x3f)
        size += put_error_recovery(out + size);
    if (page == 0x2a || page == 0x3f)
        size += put_capabilities(out + size, drive);
    if (size == 8) {
        atapi_fail_field(channel);
        return;
    }
    if (control == 3) { /* saved values */
        atapi_fail(channel, SENSE_ILLEGAL_REQUEST, 0x39, 0);
        return;
    }
    /* Nothing can be changed: that mask is the page's head and zeros. */
    for (unsigned at = 8; control == 1 && at < size; at += 2u + out[at + 1])
        memset(out + at + 2, 0, out[at + 1]);
    atapi_put16(out, size - 2);
    out[2] = medium_type(drive);
    atapi_reply(channel, size, atapi_get16(packet + 7));
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
present_disc(const IdeDrive *drive)
{
    bool present = atapi_has_medium(drive);
    bool large = present && atapi_sectors(drive) > ATAPI_CD_SECTORS_MAX;

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
    atapi_put16(out, 0x0000);
    out[2] = 0x03;
    out[3] = 8;
    atapi_put16(out + 4, 0x0010); /* DVD-ROM */
    out[6] = disc.dvd;
    atapi_put16(out + 8, 0x0008); /* CD-ROM */
    out[10] = disc.cd;
    return 12;
}

static unsigned
put_feature(uint8_t *out, const Feature *feature, bool current)
{
    atapi_put16(out, feature->code);
    out[2] = (uint8_t)(feature->flags | current);
    out[3] = feature->size;
    memcpy(out + 4, feature->data, feature->size);
    return 4u + feature->size;
}

void
atapi_get_configuration(IdeChannel *channel, const uint8_t *packet)
{
    uint8_t *out = channel->io.buffer;
    Disc disc = present_disc(ide_selected(channel));
    uint8_t which = packet[1] & 3; /* 0 all, 1 the current ones, 2 just the one */
    uint32_t from = atapi_get16(packet + 2);
    unsigned size = 8;

    if (which == 3) {
        atapi_fail_field(channel);
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
    atapi_put32(out, size - 4);
    atapi_put16(out + 6, disc.dvd ? 0x0010 : disc.cd ? 0x0008 : 0);
    atapi_reply(channel, size, atapi_get16(packet + 7));
}

/* --- events and the mechanism --- */

static uint8_t
take_event(IdeDrive *drive)
{
    uint8_t code = 0;

    if (drive->event_eject) {
        drive->event_eject = false;
        code = 1;
    } else if (drive->event_removed) {
        drive->event_removed = false;
        code = 3;
    } else if (drive->event_new) {
        drive->event_new = false;
        code = 2;
    }
    return code;
}

void
atapi_get_event(IdeChannel *channel, const uint8_t *packet)
{
    IdeDrive *drive = ide_selected(channel);
    uint32_t allocation = atapi_get16(packet + 7);
    uint8_t *out = channel->io.buffer;

    if ((packet[1] & 0x01) == 0) { /* asynchronous */
        atapi_fail_field(channel);
        return;
    }
    memset(out, 0, 8);
    out[3] = 0x10; /* media events are what there is */
    if ((packet[4] & 0x10) == 0) {
        atapi_put16(out, 2);
        out[2] = 0x80;
        atapi_reply(channel, 4, allocation);
        return;
    }
    atapi_put16(out, 6);
    out[2] = 0x04;
    /* An event that does not fit is kept for next time. */
    if (allocation > 4)
        out[4] = take_event(drive);
    out[5] = (uint8_t)((atapi_has_medium(drive) ? 0x02 : 0) | (drive->tray_open ? 0x01 : 0));
    atapi_reply(channel, 8, allocation);
}

void
atapi_mechanism_status(IdeChannel *channel, const uint8_t *packet)
{
    uint8_t *out = channel->io.buffer;

    memset(out, 0, 8);
    out[1] = ide_selected(channel)->tray_open ? 0x10 : 0;
    atapi_reply(channel, 8, atapi_get16(packet + 8));
}
