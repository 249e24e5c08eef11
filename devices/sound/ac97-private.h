/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The AC'97 controller: what its files share. */
#pragma once

#include "audio/audio.h"
#include "devices/sound/sound-pace.h"

/* The bus masters: PCM in, PCM out, microphone in. */
enum { AC97_PI, AC97_PO, AC97_MC, AC97_BOXES };

#define AC97_CODEC_BYTES 0x100u
#define AC97_MASTER_BYTES 0x40u

typedef struct Ac97 Ac97;

typedef struct {
    uint32_t base; /* of the list of 32 descriptors */
    uint8_t civ, lvi, piv, cr;
    uint16_t sr, picb;     /* picb: samples left in the buffer */
    uint32_t address;      /* of what is left */
    uint8_t loaded;        /* a buffer is being worked at */
    uint8_t on_completion; /* it interrupts at its end */

    Ac97 *ac97;
    unsigned index;
    SoundPace pace; /* in samples, not frames */
    AudioStream *stream;
} Ac97Box;

struct Ac97 {
    uint16_t codec[AC97_CODEC_BYTES / 2]; /* by register / 2 */
    Ac97Box box[AC97_BOXES];
    uint32_t global_control, global_status;
    uint8_t semaphore;

    PdmDevice *device;
    PdmPci *pci;
    TmTimer *timer;
    const AudioConnector *audio;
    AudioPort port;
    bool ad1980;
};

/* ac97-codec.c */
void ac97_codec_reset(Ac97 *ac97);
/* Volumes and rates of the streams from the registers. */
void ac97_codec_apply(Ac97 *ac97);
uint32_t ac97_codec_rate(const Ac97 *ac97, unsigned box);
extern const IomPortOps ac97_codec_ops;

/* ac97-master.c */
void ac97_master_reset(Ac97 *ac97);
/* Moves what is due and sets the timer. */
void ac97_master_run(Ac97 *ac97);
/* A rate has changed, or the clock. */
void ac97_master_repace(Ac97 *ac97);
void ac97_master_loaded(Ac97 *ac97);
extern const IomPortOps ac97_master_ops;
