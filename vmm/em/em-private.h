/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of EM share. */
#pragma once

#include "vmm/base/clock.h"
#include "vmm/em/em.h"

/* One more than engines.def can name today. */
#define EM_ENGINES_MAX 4

/* Instructions that a stand-in executes before the chosen engine may have its place back. */
#define EM_STAND_IN_BUDGET 1000000u

/* Time that other threads read: so far, and base_clock_ns() at which the present part began; 0
 * outside. */
typedef struct {
    _Atomic uint64_t total, since;
} EmTime;

typedef struct EmVcpu {
    Em *em;
    const EmEngine *_Atomic engine; /* written by its own thread */
    BaseWaiter *waiter;
    /* Short slices left before TM's thread takes over from looking at deadlines here. */
    unsigned slices;
    /* EM_EXIT_PAUSE in a row, and when the last one was over. */
    unsigned pauses;
    uint64_t paused_at;
    /* Instructions that the interpreter executes in a row when the engine asks for it next. */
    uint64_t burst;
    /* Of those, past a place where the engine is stuck, what could not be executed yet. */
    uint64_t owed;
    /* em-relief.c: base_clock_ns() until which the stand-in goes on, and for how long it was. */
    uint64_t relief_end, relief_ns;
    _Atomic uint64_t beats; /* rounds of the CPU's loop: it stands still while this does */
    _Atomic uint64_t fallbacks, reliefs, stuck;
    EmTime running, halted; /* em_run() as a whole, and of that in halts */
    EmTime in[EM_ENGINES_MAX];
} EmVcpu;

typedef struct {
    void *vm;
    unsigned vcpus; /* that the engine knows */
} EmSlot;

typedef struct EmCap EmCap;
typedef struct EmHeartbeat EmHeartbeat;

struct Em {
    EmRooms rooms;
    EmCap *cap;
    EmHeartbeat *heartbeat;         /* NULL: nobody looks */
    const EmEngine *_Atomic engine; /* the chosen one */
    const EmEngine *stand_in;       /* for what that one does not run or runs badly */
    EmSlot slot[EM_ENGINES_MAX];    /* as engines.def has them; vm is NULL for those not created */
    EmVcpu *vcpus;
    void (*run_queues)(void *user);
    void *queue_user;
};

/* em-pending.c: acts on everything that is pending; false: em_run() has to return *result. */
bool em_act_on_pending(Vcpu *vcpu, EmResult *result);
/* em-statistics.c: the present part begins, ends. */
void em_count_start(EmTime *time);
void em_count_stop(EmTime *time);
/* em-halt.c: sleeps until something is pending or a timer expired. */
void em_wait_halted(Vcpu *vcpu);
/* em-halt.c: sleeps while the execution cap holds the CPU and nothing is pending. */
void em_wait_held(Vcpu *vcpu);
/* em-cap.c */
void em_cap_init(Em *em);
void em_cap_clear(Em *em);
/* em-heartbeat.c: what the CPU is at, "name value" lines; nobody looks any more. */
void em_heartbeat_info(const Vcpu *vcpu, GString *out);
void em_heartbeat_end(Em *em);
static inline void
em_beat(EmVcpu *own)
{
    const uint64_t beats = atomic_load_explicit(&own->beats, memory_order_relaxed);

    atomic_store_explicit(&own->beats, beats + 1, memory_order_relaxed); /* one writer */
}
bool em_is_held(const Em *em);
/* em-halt.c: the guest waits for another CPU in a loop. */
void em_pause(Vcpu *vcpu);
void em_waker(Vcpu *vcpu, void *user);

/* em-choose.c */
unsigned em_index(const EmEngine *engine);
bool em_create_engine(Em *em, const EmEngine *engine, GError **error);
void em_destroy_engines(Em *em);
/* The engine that the settings ask for, created; NULL: none can be. */
const EmEngine *em_choose(Em *em, const EmConfig *config, GError **error);
/* Beside the chosen one; the interpreter where nothing else is needed. */
const EmEngine *em_choose_stand_in(Em *em, const EmEngine *chosen);

/* em-relief.c: the chosen engine was slow, or does not run this mode. */
void em_relieve(Vcpu *vcpu, bool slow);
/* Inside: the engine that is to run now has the registers. False: something was delivered
 * meanwhile, after which the CPU is not active any more. */
bool em_follow(Vcpu *vcpu);
uint64_t em_limit(const Vcpu *vcpu, uint64_t budget);

/* em-switch.c: the Vcpu becomes exact (false: what was being delivered ended in a shutdown; *event:
 * something was); it was changed; another engine goes on. */
bool em_take_state(Vcpu *vcpu, bool *event);
void em_give_state(Vcpu *vcpu);
void em_switch_to(Vcpu *vcpu, const EmEngine *next);
/* The interpreter executes what the engine left, a longer stretch where it was stuck; false:
 * shutdown. began: when that run started. */
bool em_fall_back(Vcpu *vcpu, uint64_t began, bool stuck);
/* Inside: goes on with that; false: shutdown. */
bool em_pay(Vcpu *vcpu);

/* em.c: enters the guest with a TLB that is up to date; false: it was inside already. */
bool em_enter(Vcpu *vcpu);
/* em.c: runs the engine once; false: shutdown. */
bool em_run_engine(Vcpu *vcpu, uint64_t budget);
/* em-deterministic.c */
EmResult em_run_counted(Vcpu *vcpu, uint64_t end);
