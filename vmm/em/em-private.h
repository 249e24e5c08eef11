/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of EM share. */
#pragma once

#include "vmm/base/clock.h"
#include "vmm/em/em.h"

typedef struct EmVcpu {
    Em *em;
    const EmEngine *engine;
    BaseWaiter *waiter;
    /* Short slices left before TM's thread takes over from looking at deadlines here. */
    unsigned slices;
    /* Read by other threads: time in em_run() so far and of that in halts; base_clock_ns() at which
     * the present em_run() and the present halt began, 0 outside. */
    _Atomic uint64_t running_ns, halted_ns, run_since, halt_since;
} EmVcpu;

struct Em {
    EmRooms rooms;
    const EmEngine *engine;
    void *engine_vm;
    EmVcpu *vcpus;
    unsigned created; /* virtual CPUs that the engine knows */
    void (*run_queues)(void *user);
    void *queue_user;
};

/* em-pending.c: acts on everything that is pending; false: em_run() has to return *result. */
bool em_act_on_pending(Vcpu *vcpu, EmResult *result);
/* em-statistics.c: the present run or halt begins, ends. */
void em_count_start(_Atomic uint64_t *since);
void em_count_stop(_Atomic uint64_t *since, _Atomic uint64_t *total);
/* em-halt.c: sleeps until something is pending or a timer expired. */
void em_wait_halted(Vcpu *vcpu);
void em_waker(Vcpu *vcpu, void *user);
/* em.c: runs the engine once; false: shutdown. */
bool em_run_engine(Vcpu *vcpu, uint64_t budget);
/* em-deterministic.c */
EmResult em_run_counted(Vcpu *vcpu, uint64_t end);
