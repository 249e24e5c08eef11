/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a virtual CPU did with its time; other threads ask while it runs. */
#include "vmm/em/em-private.h"

void
em_count_start(_Atomic uint64_t *since)
{
    atomic_store(since, base_clock_ns());
}

void
em_count_stop(_Atomic uint64_t *since, _Atomic uint64_t *total)
{
    const uint64_t began = atomic_exchange(since, 0);

    atomic_fetch_add(total, base_clock_ns() - began);
}

/* Up to now, with what has not ended yet. */
static uint64_t
so_far(const _Atomic uint64_t *since, const _Atomic uint64_t *total)
{
    const uint64_t began = atomic_load(since), sum = atomic_load(total);
    const uint64_t now = base_clock_ns();

    return began == 0 || now < began ? sum : sum + (now - began);
}

const char *
em_engine_name(const Vcpu *vcpu)
{
    return vcpu->em_vcpu->engine->name;
}

uint64_t
em_time_in_engine_ns(const Vcpu *vcpu)
{
    const EmVcpu *own = vcpu->em_vcpu;
    const uint64_t halted = so_far(&own->halt_since, &own->halted_ns);
    const uint64_t running = so_far(&own->run_since, &own->running_ns);

    return running > halted ? running - halted : 0;
}

uint64_t
em_time_halted_ns(const Vcpu *vcpu)
{
    const EmVcpu *own = vcpu->em_vcpu;

    return so_far(&own->halt_since, &own->halted_ns);
}
