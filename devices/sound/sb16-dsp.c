/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Sound Blaster 16's DSP, version 4.05: commands with their parameters, and replies.
 * Programming Guide, chapters 2 and 6. Compressed samples pass as silence of their length; samples
 * by command (direct mode), MIDI and the signal processor CSP are left out, so their commands take
 * their parameters and do nothing. */
#include "devices/sound/sb16-private.h"

#include <string.h>

#define READY 0xaau
#define RATE_MIN 4000u
#define RATE_MAX 45454u

static const char copyright[] = "COPYRIGHT (C) CREATIVE TECHNOLOGY LTD, 1992.";

/* How many parameters a command has, where it has any. */
static unsigned
parameters_of(uint8_t command)
{
    switch (command) {
    case 0x04:
    case 0x08:
    case 0x0f:
    case 0x10:
    case 0x38:
    case 0x40:
    case 0xe0:
    case 0xe2:
    case 0xe4:
    case 0xf9: return 1;
    case 0x05:
    case 0x0e:
    case 0x14:
    case 0x16:
    case 0x17:
    case 0x24:
    case 0x41:
    case 0x42:
    case 0x48:
    case 0x74:
    case 0x75:
    case 0x76:
    case 0x77:
    case 0x80:
    case 0xfa: return 2;
    default: return command >= 0xb0 && command <= 0xcf ? 3 : 0;
    }
}

static void
reply(Sb16 *sb16, uint8_t value)
{
    if (sb16->reply_count < SB16_REPLIES)
        sb16->replies[sb16->reply_count++] = value;
}

uint8_t
sb16_dsp_read(Sb16 *sb16)
{
    if (sb16->reply_count != 0) {
        sb16->last_reply = sb16->replies[0];
        memmove(sb16->replies, sb16->replies + 1, --sb16->reply_count);
    }
    return sb16->last_reply;
}

void
sb16_dsp_reset(Sb16 *sb16)
{
    for (unsigned i = 0; i < SB16_WAYS; i++) {
        sb16_transfer_stop(&sb16->transfers[i]);
        sb16_irq_lower(sb16, i);
    }
    sb16->awaited = sb16->got = sb16->reply_count = 0;
    sb16->speaker = 0;
    sb16->length = 0x7ff;
    sb16->rate[AUDIO_OUTPUT] = sb16->rate[AUDIO_INPUT] = 22050;
}

void
sb16_dsp_write_reset(Sb16 *sb16, uint8_t value)
{
    if (sb16->in_reset && !(value & 1)) {
        sb16_dsp_reset(sb16);
        sb16_transfers_run(sb16);
        reply(sb16, READY);
    }
    sb16->in_reset = value & 1;
}

static void
set_rate(Sb16 *sb16, AudioDirection direction, uint32_t rate)
{
    sb16->rate[direction] = CLAMP(rate, RATE_MIN, RATE_MAX);
    for (unsigned i = 0; i < SB16_WAYS; i++) {
        Sb16Transfer *transfer = &sb16->transfers[i];

        if (transfer->active && transfer->input == direction)
            sb16_transfers_repace(sb16);
    }
}

/* The commands of older cards: unsigned bytes, one channel, as long as `samples`. */
static void
start_old(Sb16 *sb16, bool input, bool again, uint32_t samples)
{
    Sb16Transfer *transfer = &sb16->transfers[SB16_NARROW];

    transfer->input = input;
    transfer->again = again;
    transfer->stereo = transfer->is_signed = transfer->silent = false;
    sb16_transfer_start(transfer, samples);
}

static void
start_silence(Sb16 *sb16, uint32_t samples)
{
    start_old(sb16, false, false, 0);
    sb16->transfers[SB16_NARROW].silent = true;
    sb16_transfer_start(&sb16->transfers[SB16_NARROW], samples);
}

/* Commands Bxh (16 bits) and Cxh (8 bits). */
static void
start_new(Sb16 *sb16)
{
    bool wide = sb16->command < 0xc0;
    Sb16Transfer *transfer = &sb16->transfers[wide ? SB16_WIDE : SB16_NARROW];
    uint32_t samples = (uint32_t)(sb16->parameters[1] | sb16->parameters[2] << 8) + 1;

    transfer->input = sb16->command >> 3 & 1;
    transfer->again = sb16->command >> 2 & 1;
    transfer->stereo = sb16->parameters[0] >> 5 & 1;
    transfer->is_signed = sb16->parameters[0] >> 4 & 1;
    transfer->silent = false;
    sb16_transfer_start(transfer, samples << wide);
}

static void
control(Sb16 *sb16, uint8_t command)
{
    Sb16Transfer *narrow = &sb16->transfers[SB16_NARROW], *wide = &sb16->transfers[SB16_WIDE];

    switch (command) {
    case 0x45: narrow->again = true; return;
    case 0x47: wide->again = true; return;
    case 0xd0: sb16_transfer_pause(narrow, true); return;
    case 0xd1: sb16->speaker = 0xff; return;
    case 0xd3: sb16->speaker = 0; return;
    case 0xd4: sb16_transfer_pause(narrow, false); return;
    case 0xd5: sb16_transfer_pause(wide, true); return;
    case 0xd6: sb16_transfer_pause(wide, false); return;
    case 0xd9: wide->again = false; return;
    case 0xda: narrow->again = false; return;
    case 0xf2: sb16_irq_raise(sb16, SB16_NARROW); return;
    case 0xf3: sb16_irq_raise(sb16, SB16_WIDE); return;
    default: return;
    }
}

static void
answer(Sb16 *sb16, uint8_t command)
{
    switch (command) {
    case 0x08:
    case 0x0f:
    case 0xf9: reply(sb16, 0xff); return;
    case 0xd8: reply(sb16, sb16->speaker); return;
    case 0xe0: reply(sb16, (uint8_t)~sb16->parameters[0]); return;
    case 0xe1:
        reply(sb16, 4);
        reply(sb16, 5);
        return;
    case 0xe3:
        for (size_t i = 0; i < sizeof copyright; i++)
            reply(sb16, (uint8_t)copyright[i]);
        return;
    case 0xe4: sb16->test = sb16->parameters[0]; return;
    case 0xe8: reply(sb16, sb16->test); return;
    default: control(sb16, command); return;
    }
}

static void
execute(Sb16 *sb16)
{
    const uint8_t *parameters = sb16->parameters;
    uint32_t low_first = (uint32_t)(parameters[0] | parameters[1] << 8);
    uint32_t high_first = (uint32_t)(parameters[0] << 8 | parameters[1]);

    if (sb16->command >= 0xb0 && sb16->command <= 0xcf) {
        start_new(sb16);
        return;
    }
    switch (sb16->command) {
    case 0x14: start_old(sb16, false, false, low_first + 1); return;
    case 0x1c:
    case 0x90: start_old(sb16, false, true, sb16->length + 1u); return;
    case 0x24: start_old(sb16, true, false, low_first + 1); return;
    case 0x2c:
    case 0x98: start_old(sb16, true, true, sb16->length + 1u); return;
    case 0x91: start_old(sb16, false, false, sb16->length + 1u); return;
    case 0x99: start_old(sb16, true, false, sb16->length + 1u); return;
    case 0x16:
    case 0x17:
    case 0x74:
    case 0x75:
    case 0x76:
    case 0x77:
    case 0x80: start_silence(sb16, low_first + 1); return;
    case 0x40:
        set_rate(sb16, AUDIO_OUTPUT, 1000000u / (256u - parameters[0]));
        set_rate(sb16, AUDIO_INPUT, 1000000u / (256u - parameters[0]));
        return;
    case 0x41: set_rate(sb16, AUDIO_OUTPUT, high_first); return;
    case 0x42: set_rate(sb16, AUDIO_INPUT, high_first); return;
    case 0x48: sb16->length = (uint16_t)low_first; return;
    default: answer(sb16, sb16->command); return;
    }
}

void
sb16_dsp_write(Sb16 *sb16, uint8_t value)
{
    if (sb16->awaited == 0) {
        sb16->command = value;
        sb16->awaited = (uint8_t)parameters_of(value);
        sb16->got = 0;
        memset(sb16->parameters, 0, sizeof sb16->parameters);
    } else {
        sb16->parameters[sb16->got++] = value;
        sb16->awaited--;
    }
    if (sb16->awaited == 0)
        execute(sb16);
}
