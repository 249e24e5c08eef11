/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * EM: for each virtual CPU, chooses the engine for the code about to run, runs it, and does between
 * runs what is pending: interrupts, timers, requests, halts. */
#pragma once

#include "vmm/em/engine.h"

typedef struct Em Em;

typedef struct {
    const char *engine; /* "auto" or an engine's name */
    bool no_hardware;   /* "auto" leaves hardware acceleration alone */
    bool small_pages;   /* EmRooms.small_pages */
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

/* Percent of a host CPU that each virtual CPU may take, 1 to 100. One thread at a time. */
void em_set_execution_cap(Em *em, unsigned percent);
unsigned em_execution_cap(const Em *em);

/* From now on a thread looks at intervals: a CPU that stands still although something is pending
 * for it is reported, once, with all that is known, and again when it gets on. `report` is called
 * on that thread, one line. Once for each Em. */
void em_watch(Em *em, uint64_t interval_ns, void (*report)(void *user, const char *text),
              void *user);

/* Runs the virtual CPU on the calling thread until EM_RESULT_*; sleeps while it is halted. */
EmResult em_run(Vcpu *vcpu);
/* Deterministic tests: exactly that many instructions (halts skip time). */
EmResult em_run_for(Vcpu *vcpu, uint64_t instructions);
/* Statistics and names, for the session information; any thread. */
const char *em_engine_name(const Vcpu *vcpu);
uint64_t em_time_in_engine_ns(const Vcpu *vcpu); /* not halted, whatever engine ran */
uint64_t em_time_halted_ns(const Vcpu *vcpu);
/* In this engine alone: the interpreter's part counts as such where it stood in for another. */
uint64_t em_time_by_engine_ns(const Vcpu *vcpu, const EmEngine *engine);
/* All of that and what the engines count themselves, one "name value" line each. */
void em_info(Vcpu *vcpu, GString *out);
/* All engines known to this build: NULL-terminated, sorted by name. */
const EmEngine *const *em_engines(void);
const EmEngine *em_engine_by_name(const char *name); /* NULL: none */
/* Tests: the virtual CPU goes on in that engine; between em_run()s. */
bool em_set_engine(Vcpu *vcpu, const EmEngine *engine, GError **error);
