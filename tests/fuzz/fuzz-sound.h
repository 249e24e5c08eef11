/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the fuzzers of sound cards and the PC's speaker share: fuzz-sound.c takes the steps, one of
 * fuzz-sound-*.c knows the card. */
#pragma once

#include "tests/device/pci-guest.h"
#include "tests/fuzz/fuzz-bench.h"

#define FUZZ_SOUND_SLOT 5

typedef struct {
    DeviceBench *bench;
    unsigned choice; /* the first byte of the input */
} FuzzSound;

typedef struct {
    const char *card;
    bool speaker;          /* the timer chip has one, which plays through the card */
    uint16_t ports, count; /* those of the card, after its windows were put there; count 0: none */
    uint32_t window;       /* bytes of BAR 0 in memory; 0: none */
    const char *const *codecs; /* NULL at the end; NULL: one only */
} FuzzSoundInfo;

extern const FuzzSoundInfo fuzz_sound;

/* Brings the card up as a driver does. */
void fuzz_sound_begin(FuzzSound *sound);
/* Something that a driver does, and does not always do well. */
void fuzz_sound_work(FuzzSound *sound, FuzzInput *input);
