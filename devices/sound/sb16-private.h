/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Sound Blaster 16: what its files share. Creative Labs, Sound Blaster Series Hardware
 * Programming Guide. */
#pragma once

#include "audio/audio.h"
#include "devices/sound/sound-pace.h"

#define SB16_MIXER_REGISTERS 0x83u
#define SB16_REPLIES 64u

/* Two ways to memory: samples of 8 and of 16 bits. */
enum { SB16_NARROW, SB16_WIDE, SB16_WAYS };

typedef struct Sb16 Sb16;

typedef struct {
    uint32_t block, left; /* bytes: after each block there is an interrupt */
    uint8_t active, paused, again, input, stereo, is_signed;
    uint8_t silent; /* no memory: so much time passes */

    Sb16 *sb16;
    unsigned way;
    uint64_t budget;         /* bytes that are due, while it runs */
    SoundPace pace;          /* in frames */
    AudioStream *streams[2]; /* by AudioDirection */
} Sb16Transfer;

struct Sb16 {
    Sb16Transfer transfers[SB16_WAYS];
    uint8_t mixer[SB16_MIXER_REGISTERS];
    uint8_t mixer_index;
    /* The DSP's side of the port. */
    uint8_t command, awaited, got, parameters[3];
    uint8_t replies[SB16_REPLIES], reply_count;
    uint8_t last_reply, test, speaker, in_reset;
    uint16_t length;  /* of a block, as command 48h set it */
    uint32_t rate[2]; /* frames a second, by AudioDirection */

    PdmDevice *device;
    IomPorts *ports;
    TmTimer *timer;
    const AudioConnector *audio;
    AudioPort port;
    unsigned default_irq, default_dma, default_dma16;
    int line; /* the IRQ that is asserted; -1: none */
    Sb16Transfer *serving;
};

/* sb16-mixer.c: CT1745 */
void sb16_mixer_reset(Sb16 *sb16);
void sb16_mixer_write(Sb16 *sb16, uint8_t value);
uint8_t sb16_mixer_read(const Sb16 *sb16);
/* Volumes of the streams from the registers. */
void sb16_mixer_apply(Sb16 *sb16);
/* The line and channels that the guest has chosen; -1: none. */
int sb16_mixer_irq(const Sb16 *sb16);
int sb16_mixer_dma(const Sb16 *sb16, unsigned way);
/* Interrupts: one for each way, until acknowledged. */
void sb16_irq_raise(Sb16 *sb16, unsigned way);
void sb16_irq_lower(Sb16 *sb16, unsigned way);

/* sb16-dsp.c */
void sb16_dsp_reset(Sb16 *sb16);
void sb16_dsp_write_reset(Sb16 *sb16, uint8_t value);
void sb16_dsp_write(Sb16 *sb16, uint8_t value);
uint8_t sb16_dsp_read(Sb16 *sb16);

/* sb16-transfer.c */
/* Starts `bytes` (a block) on a way whose other properties are set. */
void sb16_transfer_start(Sb16Transfer *transfer, uint32_t bytes);
void sb16_transfer_stop(Sb16Transfer *transfer);
void sb16_transfer_pause(Sb16Transfer *transfer, bool on);
/* After a load, or when the rate has changed. */
void sb16_transfers_repace(Sb16 *sb16);
/* Moves what is due and sets the timer. */
void sb16_transfers_run(Sb16 *sb16);
uint32_t sb16_dma(void *user, unsigned channel, uint32_t position, uint32_t size);
