/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of TM share. */
#pragma once

#include "vmm/base/clock.h"
#include "vmm/tm/tm.h"

#define TM_NS_PER_S 1000000000ull
#define TM_NEVER UINT64_MAX
#define TM_NAME_MAX 63

typedef struct TmQueue TmQueue;

struct TmTimer {
    Tm *tm;
    TmQueue *queue;
    char *name;
    TmCallback callback;
    void *user;
    uint64_t deadline; /* TM_NEVER: not armed */
    uint64_t order;    /* of arming: of two equal deadlines the older goes first */
    guint index;       /* in TmQueue.heap while armed */
};

/* What tm_now() reads: a writer makes seq odd, changes the rest and makes it even again. */
typedef struct {
    _Atomic uint32_t seq;
    _Atomic bool running;
    _Atomic uint64_t ns;    /* running: host clock at virtual time 0; else the virtual time */
    _Atomic uint64_t ticks; /* running: ticks minus the host's; else the ticks */
} TmClock;

/* Deterministic mode: time is what this many instructions take, and what was skipped in halts. */
typedef struct {
    _Atomic uint64_t instructions;
    _Atomic uint64_t retired_mark; /* Vcpu.retired of virtual CPU 0 that is counted already */
    _Atomic uint64_t skipped_ns;
} TmCounted;

/* The timers that expire on the thread of one virtual CPU. */
struct TmQueue {
    Vcpu *vcpu;
    GMutex lock;     /* nothing is taken inside */
    GPtrArray *heap; /* those that are armed */
    uint64_t order;
    _Atomic uint64_t next; /* deadline of heap[0], TM_NEVER when empty */
    _Atomic bool polled;   /* EM looks at the deadline itself */
    _Atomic bool told;     /* TM's thread has told the CPU, which has not come to it yet */
};

typedef struct TmVcpu {
    uint64_t offset; /* guest TSC minus the machine's ticks */
    uint64_t adjust; /* IA32_TSC_ADJUST */
    TmQueue queue;
} TmVcpu;

struct Tm {
    TmConfig config;
    Cpum *cpum;
    bool invariant; /* ticks are the host's TSC, else they are made from its clock */
    TmClock clock;
    TmCounted counted;
    TmVcpu *vcpus;
    GRecMutex *device_lock;

    GMutex lock;    /* of all; nothing is taken inside */
    GPtrArray *all; /* every TmTimer, in order of creation */

    GThread *thread; /* not in deterministic mode */
    BaseWaiter *waiter;
    _Atomic uint64_t thread_deadline; /* what the thread waits for at present */
    _Atomic bool quit;
};

/* tm-clock.c */
void tm_clock_init(Tm *tm);
void tm_clock_restore(Tm *tm, uint64_t now_ns, uint64_t ticks);
uint64_t tm_ticks(const Tm *tm); /* of the machine: stand still with the clock, start at 0 */
/* tm-tsc.c: the guest's TSC and its MSRs. */
void tm_tsc_init(Tm *tm);
/* tm-thread.c */
void tm_thread_start(Tm *tm);
void tm_thread_stop(Tm *tm);
/* The earliest deadline of the queue, or who looks at it, changed. */
void tm_thread_poke(Tm *tm, TmQueue *queue);
