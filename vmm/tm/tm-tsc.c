/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The guest's time stamp counters: the machine's ticks plus an offset for each virtual CPU, and the
 * MSRs that change it. Intel SDM volume 3B section 18.17. */
#include "vmm/tm/tm-private.h"

static bool
read_tsc(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    *value = tm_tsc(vcpu);
    return true;
}

static bool
write_tsc(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user)
{
    tm_tsc_set(vcpu, value);
    return true;
}

static bool
read_adjust(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    *value = vcpu->tm_vcpu->adjust;
    return true;
}

static bool
write_adjust(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user)
{
    TmVcpu *own = vcpu->tm_vcpu;

    own->offset += value - own->adjust;
    own->adjust = value;
    return true;
}

uint64_t
tm_tsc(const Vcpu *vcpu)
{
    return tm_ticks(vcpu->tm) + vcpu->tm_vcpu->offset;
}

bool
tm_tsc_offset(const Vcpu *vcpu, uint64_t *offset)
{
    const Tm *tm = vcpu->tm;

    *offset = atomic_load_explicit(&tm->clock.ticks, memory_order_relaxed) + vcpu->tm_vcpu->offset;
    return tm->invariant && !tm->config.deterministic;
}

/* IA32_TSC_ADJUST keeps the sum of all that was ever added by writing. */
void
tm_tsc_set(Vcpu *vcpu, uint64_t value)
{
    TmVcpu *own = vcpu->tm_vcpu;
    const uint64_t offset = value - tm_ticks(vcpu->tm);

    own->adjust += offset - own->offset;
    own->offset = offset;
}

void
tm_reset(Tm *tm)
{
    const uint64_t ticks = tm_ticks(tm);

    for (unsigned i = 0; i < cpum_count(tm->cpum); i++) {
        tm->vcpus[i].offset = -ticks;
        tm->vcpus[i].adjust = 0;
    }
}

uint64_t
tm_tsc_hz(const Tm *tm)
{
    return tm->config.tsc_hz;
}

uint64_t
tm_tsc_to_ns(const Vcpu *vcpu, uint64_t tsc)
{
    const Tm *tm = vcpu->tm;
    const uint64_t now = tm_now(tm);
    const uint64_t current = tm_tsc(vcpu);
    unsigned __int128 ahead;

    if (tsc <= current)
        return now;
    /* Rounded up, so that the TSC has got there at that time. */
    ahead = ((unsigned __int128)(tsc - current) * TM_NS_PER_S + tm->config.tsc_hz - 1) /
            tm->config.tsc_hz;
    return ahead > TM_NEVER - 1 - now ? TM_NEVER - 1 : now + (uint64_t)ahead;
}

void
tm_tsc_init(Tm *tm)
{
    tm->vcpus = g_new0(TmVcpu, cpum_count(tm->cpum));
    for (unsigned i = 0; i < cpum_count(tm->cpum); i++) {
        Vcpu *vcpu = cpum_vcpu(tm->cpum, i);

        vcpu->tm = tm;
        vcpu->tm_vcpu = &tm->vcpus[i];
    }
    cpum_msr_register(tm->cpum, X86_MSR_TSC, X86_MSR_TSC, read_tsc, write_tsc, NULL);
    cpum_msr_register(tm->cpum, X86_MSR_TSC_ADJUST, X86_MSR_TSC_ADJUST, read_adjust, write_adjust,
                      NULL);
}
