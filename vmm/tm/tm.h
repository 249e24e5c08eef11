/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TM: time. One virtual clock in nanoseconds that stops while the VM is paused, the guest's TSC on
 * top of it, and timers. Time is read without a lock. Devices' timers expire on the thread of
 * virtual CPU 0 under the device lock, those of a local APIC on the thread of its own CPU (EM calls
 * tm_run_timers() when CPUM_PEND_TIMER is set), so a halted guest costs one wake-up per tick. In
 * deterministic mode the clock is derived from retired instructions and never looks at the host.
 * Manual, chapter "Technical background" (TM). */
#pragma once

#include "vmm/cpum/cpum.h"
#include "vmm/ssm/ssm.h"

typedef struct Tm Tm;
typedef struct TmTimer TmTimer;
typedef void (*TmCallback)(void *user);

typedef struct {
    bool deterministic;
    uint64_t deterministic_hz; /* instructions per second of virtual time, e.g. 100000000 */
    uint64_t tsc_hz;           /* as CpumConfig; 0: measured (deterministic mode: 1 GHz) */
    int64_t wall_offset_ns;    /* added to the host's wall clock */
} TmConfig;

Tm *tm_new(Cpum *cpum, const TmConfig *config, GError **error);
void tm_free(Tm *tm);
/* TM takes this lock around callbacks; PDM's device lock. */
void tm_set_lock(Tm *tm, GRecMutex *lock);

void tm_resume(Tm *tm); /* the virtual clock runs */
void tm_pause(Tm *tm);  /* the virtual clock stands still */

/* Nanoseconds of virtual time since power-on. Any thread. */
uint64_t tm_now(const Tm *tm);
/* Host's wall clock in nanoseconds since the epoch plus the configured offset; in deterministic
 * mode a fixed epoch plus virtual time. */
int64_t tm_wall_clock(const Tm *tm);

/* TSC: host TSC plus an offset while running, so that RDTSC is cheap; frozen while paused. */
uint64_t tm_tsc(const Vcpu *vcpu);
void tm_tsc_set(Vcpu *vcpu, uint64_t value);
/* RESET: every TSC starts again at 0 and IA32_TSC_ADJUST is 0. The CPUs stand still. */
void tm_reset(Tm *tm);
uint64_t tm_tsc_hz(const Tm *tm);
/* For engines that let the guest read the host's TSC: what is added to it for this virtual CPU at
 * present. False: the guest's does not follow the host's (deterministic, or the host's is not
 * invariant). */
bool tm_tsc_offset(const Vcpu *vcpu, uint64_t *offset);
/* The virtual time at which the TSC gets there. */
uint64_t tm_tsc_to_ns(const Vcpu *vcpu, uint64_t tsc);

/* Timers. Create before power-on; name is for the log and the saved state and must be unique.
 * Arm, cancel and query under the device lock. */
TmTimer *tm_timer_new(Tm *tm, const char *name, TmCallback callback, void *user);
/* One that belongs to a virtual CPU: armed, cancelled and called on its thread, also without the
 * device lock. */
TmTimer *tm_timer_new_local(Vcpu *vcpu, const char *name, TmCallback callback, void *user);
void tm_timer_free(TmTimer *timer);
void tm_timer_set(TmTimer *timer, uint64_t deadline_ns); /* absolute virtual time; may be past */
void tm_timer_cancel(TmTimer *timer);
bool tm_timer_armed(const TmTimer *timer);
uint64_t tm_timer_deadline(const TmTimer *timer); /* UINT64_MAX when not armed */

/* For EM, on the virtual CPU's thread. The earliest deadline of the timers that expire there,
 * UINT64_MAX when none. */
uint64_t tm_next_deadline(const Vcpu *vcpu);
/* When that is on the host's base_clock_ns(), while the clock runs; UINT64_MAX: never. */
uint64_t tm_host_deadline(const Tm *tm, uint64_t deadline_ns);
/* Runs those that have expired; on virtual CPU 0 under the device lock. */
void tm_run_timers(Vcpu *vcpu);
/* EM looks at tm_next_deadline() itself from now on (the virtual CPU waits with the deadline, or
 * runs in short slices), so TM's own thread need not wake up. */
void tm_set_polled(Vcpu *vcpu, bool polled);
/* Deterministic mode (one CPU): adds retired instructions to the clock, or skips to a deadline in a
 * halt. */
void tm_advance(Tm *tm, uint64_t instructions);
void tm_skip_to(Tm *tm, uint64_t deadline_ns);
bool tm_is_deterministic(const Tm *tm);
uint64_t tm_instructions_until(const Tm *tm, uint64_t deadline_ns);

void tm_ssm_register(Tm *tm, Ssm *ssm);
