/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One run of run-guest, and the machine that its options ask for. */
#pragma once

#include "devices/machine.h"
#include "tests/lib/run-guest-drivers.h"
#include "tests/lib/run-guest-keys.h"
#include "tests/lib/run-guest-mix.h"
#include "tests/lib/run-guest-network.h"
#include "tests/lib/run-guest-options.h"
#include "tests/lib/run-guest-usb.h"
#include "vmm/vmm.h"

#define RUN_MEDIA_MAX 12

typedef struct {
    RunOptions options;
    CfgmNode *config;
    PdmRegistry *registry;
    Vmm *vmm;
    RunDisplay display;
    RunChar serial, debug;
    RunKeys *keys;
    RunMix mix;
    RunNetwork network;
    RunUsb usb;
    MachineMedium media[RUN_MEDIA_MAX];
    char **sound; /* card, back end */
    char **usb_words;
    char *screen; /* the text at the last look */
    uint64_t start_ns, next_text_ns, next_shot_ns;
    gint off, stuck; /* set by events */
} Run;

/* Fills run->config from the options; what it keeps for that, such as paths, belongs to the run. */
bool run_describe(Run *run, GError **error);
