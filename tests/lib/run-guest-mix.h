/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * run-guest in the deterministic mode: engines that take turns at random instructions, and a digest
 * of the state at the end, by which runs are compared. */
#pragma once

#include "vmm/em/em.h"
#include "vmm/vmm.h"

#define RUN_MIX_MAX 4

typedef struct {
    const EmEngine *engine[RUN_MIX_MAX];
    unsigned count; /* below 2: nothing is mixed */
    GRand *random;
} RunMix;

/* From "iem+rem", or one name. False: an engine that does not exist or does not count. */
bool run_mix_init(RunMix *mix, const char *names, GError **error);
void run_mix_clear(RunMix *mix);
/* The engine to make the machine with; NULL: names was NULL. */
const char *run_mix_first(const RunMix *mix, const char *names);
/* Chooses the engine for the next step of virtual CPU 0; returns its length, at most `most`. */
uint64_t run_mix_next(RunMix *mix, Vmm *vmm, uint64_t most);
/* SHA-256 of CPU 0's registers and of RAM. g_free(). */
char *run_mix_digest(Vmm *vmm);
