/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the fuzzers of network cards share: fuzz-card.c takes the steps, one of fuzz-card-*.c knows
 * the card. */
#pragma once

#include "tests/device/net-guest.h"
#include "tests/fuzz/fuzz-bench.h"

typedef struct {
    DeviceBench *bench;
    unsigned choice; /* the first byte of the input: a model, an interface, a style */
    unsigned saves;
    uint32_t made[4]; /* descriptors, commands: of each queue */
} FuzzCard;

typedef struct {
    const char *device, *option; /* an option of it, or NULL */
    const char *const *values;   /* of that option; NULL at the end */
    uint16_t ports;              /* first one, of `port_count` */
    uint16_t port_count;         /* 0: none */
    unsigned windows;            /* bit n: base address register n */
} FuzzCardInfo;

extern const FuzzCardInfo fuzz_card;

/* Brings the card up as a driver does. */
void fuzz_card_begin(FuzzCard *card);
/* Something that a driver does with its rings, and does not always do well. */
void fuzz_card_work(FuzzCard *card, FuzzInput *input);
