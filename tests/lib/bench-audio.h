/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A fake host side for sound cards: the driver "bench-audio" keeps what the card played and gives
 * bytes of 5Ah to what it records. */
#pragma once

#include "audio/audio.h"
#include "vmm/pdm/pdm-vm.h"

struct AudioStream {
    AudioDirection direction;
    AudioFormat format;
    bool running;
    bool waits; /* the host is not ready */
    float volume[2];
    GByteArray *written;
};

typedef struct {
    AudioStream streams[AUDIO_STREAMS_MAX];
    unsigned count;
    AudioConnector connector;
    PdmActivity activity;
} BenchAudio;

extern const PdmDriverInfo bench_audio_driver;

/* The fake at a LUN; the test ends when there is none. */
BenchAudio *bench_audio(Pdm *pdm, const char *device, unsigned instance, unsigned lun);
