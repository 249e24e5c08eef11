/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A machine of rooms alone for the tests of HM: a CPU with its APIC, 4 MiB of RAM, and a few bytes
 * of guest code in real mode. */
#pragma once

#include "vmm/em/em.h"
#include "vmm/hm/hm.h"

#define HM_BENCH_RAM (4u << 20)
#define HM_BENCH_CODE 0x1000u
#define HM_BENCH_STACK 0x8000u

typedef struct {
    EmRooms rooms;
    Em *em;
    Vcpu *vcpu;
    TmTimer *limit;
    bool late; /* the guest did not stop by itself */
} HmBench;

/* Where this host has no KVM the test is skipped, with the reason, and false returned. */
bool hm_bench_open(HmBench *bench);
void hm_bench_close(HmBench *bench);
uint8_t *hm_bench_ram(const HmBench *bench, uint32_t gpa);
/* Puts code at HM_BENCH_CODE and the CPU in front of it, in real mode with flat segments at 0. */
void hm_bench_load(HmBench *bench, const void *code, size_t size);
/* Runs until the guest halts with IF = 0, faults for good, or ten seconds are over (`late`). */
EmResult hm_bench_run(HmBench *bench);
