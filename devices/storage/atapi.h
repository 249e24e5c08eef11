/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the ATAPI CD/DVD-ROM drive share: the packet commands, answers, sense keys. */
#pragma once

#include "devices/storage/ide-private.h"

enum {
    SENSE_NONE = 0,
    SENSE_NOT_READY = 2,
    SENSE_MEDIUM_ERROR = 3,
    SENSE_ILLEGAL_REQUEST = 5,
    SENSE_UNIT_ATTENTION = 6,
};

/* All data tracks on a CD of 90 minutes; a larger medium is a DVD. */
#define ATAPI_CD_SECTORS_MAX 405000u

static inline void
atapi_put16(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

static inline void
atapi_put32(uint8_t *out, uint32_t value)
{
    atapi_put16(out, value >> 16);
    atapi_put16(out + 2, value);
}

static inline uint32_t
atapi_get16(const uint8_t *in)
{
    return (uint32_t)in[0] << 8 | in[1];
}

static inline uint32_t
atapi_get32(const uint8_t *in)
{
    return atapi_get16(in) << 16 | atapi_get16(in + 2);
}

/* A packet asks for something that this drive can't give: "invalid field in command packet". */
static inline void
atapi_fail_field(IdeChannel *channel)
{
    atapi_fail(channel, SENSE_ILLEGAL_REQUEST, 0x24, 0);
}

/* Sends bytes of the buffer, at most as many as the command has room for, and then succeeds. */
void atapi_reply(IdeChannel *channel, uint32_t bytes, uint32_t allocation);
/* There is a disc and the tray is closed. */
bool atapi_has_medium(const IdeDrive *drive);
uint64_t atapi_sectors(const IdeDrive *drive);

/* atapi-read.c */
void atapi_read_10(IdeChannel *channel, const uint8_t *packet);
void atapi_read_12(IdeChannel *channel, const uint8_t *packet);
void atapi_read_cd(IdeChannel *channel, const uint8_t *packet);
void atapi_read_cd_msf(IdeChannel *channel, const uint8_t *packet);
void atapi_seek(IdeChannel *channel, const uint8_t *packet);

/* atapi-frame.c: builds the 2352 bytes of a mode 1 sector around its 2048 at out + 16. */
void atapi_frame_sector(uint8_t out[IDE_CD_RAW_SECTOR], uint32_t lba);
/* Minute, second and frame of an address, with the two seconds of lead-in counted. */
void atapi_put_msf(uint8_t out[3], uint32_t lba);

/* atapi-drive-info.c */
void atapi_inquiry(IdeChannel *channel, const uint8_t *packet);
void atapi_mode_sense(IdeChannel *channel, const uint8_t *packet);
void atapi_get_configuration(IdeChannel *channel, const uint8_t *packet);
void atapi_get_event(IdeChannel *channel, const uint8_t *packet);
void atapi_mechanism_status(IdeChannel *channel, const uint8_t *packet);

/* atapi-disc-info.c */
void atapi_read_toc(IdeChannel *channel, const uint8_t *packet);
void atapi_read_disc_information(IdeChannel *channel, const uint8_t *packet);
void atapi_read_track_information(IdeChannel *channel, const uint8_t *packet);
void atapi_read_subchannel(IdeChannel *channel, const uint8_t *packet);
