/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * EM: for each virtual CPU, chooses the engine for the code about to run, runs it, and does between
 * runs what is pending: interrupts, timers, requests, halts. */
#pragma once

#include "vmm/em/engine.h"

typedef struct Em Em;

typedef struct {
    const char *engine; /* "auto" or an engine's name */
} EmConfig;

typedef enum {
    EM_RESULT_REQUEST,  /* CPUM_PEND_REQUEST: the VM has something for this CPU */
    EM_RESULT_SHUTDOWN, /* triple fault */
    EM_RESULT_BUDGET,   /* em_run_for only */
} EmResult;

/* queue_hook runs when CPUM_PEND_QUEUE is set (PDM's queues), on virtual CPU 0. */
Em *em_new(const EmRooms *rooms, const EmConfig *config, GError **error);
void em_free(Em *em);
void em_set_queue_hook(Em *em, void (*run)(void *user), void *user);

/* Runs the virtual CPU on the calling thread until EM_RESULT_*; sleeps while it is halted. */
EmResult em_run(Vcpu *vcpu);
/* Deterministic tests: exactly that many instructions (halts skip time). */
EmResult em_run_for(Vcpu *vcpu, uint64_t instructions);
/* Statistics and names, for the session information. */
const char *em_engine_name(const Vcpu *vcpu);
uint64_t em_time_in_engine_ns(const Vcpu *vcpu);
uint64_t em_time_halted_ns(const Vcpu *vcpu);
/* All engines known to this build: NULL-terminated. */
const EmEngine *const *em_engines(void);
