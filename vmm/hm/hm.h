/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * HM: guest code on the host's own virtualization extensions, through the API that the host has for
 * it (KVM on Linux). What a host has is found out by running a short guest, because some offer that
 * API without hardware behind it. */
#pragma once

#include "vmm/em/engine.h"

extern const EmEngine hm_engine;

typedef enum {
    HM_HOST_NONE,     /* the host has no such API, or this process may not use it */
    HM_HOST_EMULATED, /* guests run, but an interpreter in the host's kernel executes them */
    HM_HOST_HARDWARE,
} HmHostKind;

/* The parts of the test guest. */
typedef enum { HM_TEST_REAL, HM_TEST_PAGED, HM_TEST_LONG, HM_TEST_COUNT } HmTest;

typedef struct {
    HmHostKind kind;
    /* Host time that each part took, UINT64_MAX when it ended wrongly. */
    uint64_t ns[HM_TEST_COUNT];
    char *reason; /* a sentence for people: why it is not HM_HOST_HARDWARE; NULL when it is */
} HmHost;

/* Tests the host at the first call in this process (milliseconds; up to a second where it emulates)
 * and remembers the answer. Any thread. Never NULL. */
const HmHost *hm_host(void);
