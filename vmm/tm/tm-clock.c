/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The virtual clock and the machine's ticks, on which the guest's TSC stands. Both are read without
 * a lock. Where the host's TSC is not invariant, ticks are made from the host's clock at the
 * TSC's nominal rate (Intel SDM volume 3B section 18.17). */
#include "vmm/tm/tm-private.h"

#include "vmm/base/cpu-features.h"

/* 2026-01-01 00:00 UTC: the wall clock of a deterministic machine at virtual time 0. */
#define DETERMINISTIC_EPOCH_NS (1767225600ll * (int64_t)TM_NS_PER_S)

static uint64_t
scale(uint64_t value, uint64_t to, uint64_t from)
{
    return (uint64_t)((unsigned __int128)value * to / from);
}

/* --- deterministic time --- */

static uint64_t
counted_instructions(const Tm *tm)
{
    const Vcpu *boot = cpum_vcpu(tm->cpum, 0);

    return atomic_load(&tm->counted.instructions) +
           (boot->retired - atomic_load(&tm->counted.retired_mark));
}

static uint64_t
counted_now(const Tm *tm)
{
    return atomic_load(&tm->counted.skipped_ns) +
           scale(counted_instructions(tm), TM_NS_PER_S, tm->config.deterministic_hz);
}

void
tm_advance(Tm *tm, uint64_t instructions)
{
    atomic_fetch_add(&tm->counted.instructions, instructions);
    atomic_store(&tm->counted.retired_mark, cpum_vcpu(tm->cpum, 0)->retired);
}

void
tm_skip_to(Tm *tm, uint64_t deadline_ns)
{
    const uint64_t now = counted_now(tm);

    if (deadline_ns > now)
        atomic_fetch_add(&tm->counted.skipped_ns, deadline_ns - now);
}

bool
tm_is_deterministic(const Tm *tm)
{
    return tm->config.deterministic;
}

uint64_t
tm_instructions_until(const Tm *tm, uint64_t deadline_ns)
{
    const uint64_t hz = tm->config.deterministic_hz;
    const uint64_t skipped = atomic_load(&tm->counted.skipped_ns);
    const uint64_t done = counted_instructions(tm);
    unsigned __int128 total;

    if (deadline_ns <= counted_now(tm))
        return 0;
    /* Rounded up: the clock has to have reached the deadline afterwards. */
    total = ((unsigned __int128)(deadline_ns - skipped) * hz + TM_NS_PER_S - 1) / TM_NS_PER_S;
    return total - done > UINT64_MAX ? UINT64_MAX : (uint64_t)(total - done);
}

/* --- host time --- */

static uint64_t
host_ticks(const Tm *tm)
{
    return tm->invariant ? base_cpu_tsc() : scale(base_clock_ns(), tm->config.tsc_hz, TM_NS_PER_S);
}

static uint64_t
clock_now(const TmClock *clock)
{
    for (;;) {
        const uint32_t seq = atomic_load_explicit(&clock->seq, memory_order_acquire);
        const bool running = atomic_load_explicit(&clock->running, memory_order_relaxed);
        const uint64_t ns = atomic_load_explicit(&clock->ns, memory_order_relaxed);

        atomic_thread_fence(memory_order_acquire);
        if (!(seq & 1) && atomic_load_explicit(&clock->seq, memory_order_relaxed) == seq)
            return running ? base_clock_ns() - ns : ns;
    }
}

static void
clock_set(TmClock *clock, bool running, uint64_t ns, uint64_t ticks)
{
    atomic_fetch_add_explicit(&clock->seq, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&clock->running, running, memory_order_relaxed);
    atomic_store_explicit(&clock->ns, ns, memory_order_relaxed);
    atomic_store_explicit(&clock->ticks, ticks, memory_order_relaxed);
    atomic_fetch_add_explicit(&clock->seq, 1, memory_order_release);
}

uint64_t
tm_now(const Tm *tm)
{
    return tm->config.deterministic ? counted_now(tm) : clock_now(&tm->clock);
}

/* Read on threads of virtual CPUs, which stand still while the clock is switched. */
uint64_t
tm_ticks(const Tm *tm)
{
    uint64_t ticks;

    if (tm->config.deterministic)
        return scale(counted_now(tm), tm->config.tsc_hz, TM_NS_PER_S);
    ticks = atomic_load_explicit(&tm->clock.ticks, memory_order_relaxed);
    if (atomic_load_explicit(&tm->clock.running, memory_order_relaxed))
        ticks += host_ticks(tm);
    return ticks;
}

uint64_t
tm_host_deadline(const Tm *tm, uint64_t deadline_ns)
{
    const uint64_t now = tm_now(tm);
    const uint64_t host = base_clock_ns();

    if (deadline_ns == TM_NEVER || deadline_ns - now > INT64_MAX - host)
        return deadline_ns <= now ? host : TM_NEVER;
    return host + (deadline_ns - now);
}

int64_t
tm_wall_clock(const Tm *tm)
{
    const int64_t host = tm->config.deterministic ? DETERMINISTIC_EPOCH_NS + (int64_t)tm_now(tm)
                                                  : base_clock_wall_ns();

    return host + tm->config.wall_offset_ns;
}

void
tm_resume(Tm *tm)
{
    TmClock *clock = &tm->clock;

    if (tm->config.deterministic || atomic_load(&clock->running))
        return;
    clock_set(clock, true, base_clock_ns() - atomic_load(&clock->ns),
              atomic_load(&clock->ticks) - host_ticks(tm));
    tm_thread_start(tm);
    for (unsigned i = 0; i < cpum_count(tm->cpum); i++)
        tm_thread_poke(tm, &tm->vcpus[i].queue);
}

void
tm_pause(Tm *tm)
{
    TmClock *clock = &tm->clock;

    if (!tm->config.deterministic && atomic_load(&clock->running))
        clock_set(clock, false, clock_now(clock), tm_ticks(tm));
}

void
tm_clock_init(Tm *tm)
{
    TmConfig *config = &tm->config;

    tm->invariant = base_cpu_tsc_is_invariant();
    if (config->deterministic && config->deterministic_hz == 0)
        config->deterministic_hz = 100000000;
    if (config->tsc_hz == 0)
        config->tsc_hz = config->deterministic ? TM_NS_PER_S : base_cpu_tsc_hz();
}

void
tm_clock_restore(Tm *tm, uint64_t now_ns, uint64_t ticks)
{
    if (tm->config.deterministic) {
        atomic_store(&tm->counted.instructions, 0);
        atomic_store(&tm->counted.retired_mark, cpum_vcpu(tm->cpum, 0)->retired);
        atomic_store(&tm->counted.skipped_ns, now_ns);
    } else {
        clock_set(&tm->clock, false, now_ns, ticks);
    }
}
