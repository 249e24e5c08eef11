/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The APIC's MSRs: base address and mode, x2APIC registers, TSC deadline. Intel SDM volume 3A
 * sections 11.4.3, 11.4.4 and 11.12. */
#include "vmm/trpm/trpm-private.h"

/* --- IA32_APIC_BASE --- */

static bool
read_base(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    *value = vcpu->apic_base;
    return true;
}

static bool
is_transition_valid(uint64_t old, uint64_t new)
{
    const uint64_t both = TRPM_APIC_BASE_EN | TRPM_APIC_BASE_EXTD;

    switch (new &both) {
    case TRPM_APIC_BASE_EXTD: return false;
    case TRPM_APIC_BASE_EN: return (old & both) != both; /* x2APIC leaves only to disabled */
    case both: return (old & both) != 0;                 /* and comes only from xAPIC */
    default: return true;
    }
}

static bool
write_base(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user)
{
    TrpmVcpu *apic = vcpu->trpm_vcpu;
    const uint64_t old = vcpu->apic_base;
    const uint64_t address = ((1ull << vcpu->phys_bits) - 1) & ~0xfffull;
    const uint64_t extd = cpum_has(vcpu, CPUM_FEATURE_X2APIC) ? TRPM_APIC_BASE_EXTD : 0;

    if ((value & ~(address | extd | TRPM_APIC_BASE_EN | TRPM_APIC_BASE_BSP)) ||
        !is_transition_valid(old, value))
        return false;
    vcpu->apic_base = (value & ~(uint64_t)TRPM_APIC_BASE_BSP) | (old & TRPM_APIC_BASE_BSP);
    if ((old & TRPM_APIC_BASE_EN) && !(value & TRPM_APIC_BASE_EN))
        trpm_apic_reset(apic, false);
    if (~old & value & TRPM_APIC_BASE_EXTD)
        apic->ldr = (vcpu->id >> 4) << 16 | 1u << (vcpu->id & 15);
    trpm_map_apic(apic);
    trpm_recheck(vcpu);
    return true;
}

/* --- x2APIC registers --- */

static bool
is_readable(unsigned reg)
{
    switch (reg) {
    case APIC_ID:
    case APIC_VERSION:
    case APIC_TPR:
    case APIC_PPR:
    case APIC_LDR:
    case APIC_SVR:
    case APIC_ESR:
    case APIC_ICR:
    case APIC_TIMER_INITIAL:
    case APIC_TIMER_CURRENT:
    case APIC_TIMER_DIVIDE: return true;
    default:
        return (reg >= APIC_ISR && reg < APIC_IRR + 8) ||
               (reg >= APIC_LVT && reg < APIC_LVT + LVT_COUNT);
    }
}

static bool
read_x2apic(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    TrpmVcpu *apic = vcpu->trpm_vcpu;
    const unsigned reg = msr - X86_MSR_X2APIC_FIRST;

    if (!trpm_is_x2apic(apic) || !is_readable(reg))
        return false;
    *value = reg == APIC_ICR ? apic->icr : trpm_apic_read(apic, reg);
    return true;
}

/* Bits that may be other than 0 in a write; 0 for registers that are not written. */
static uint32_t
writable_bits(unsigned reg)
{
    switch (reg) {
    case APIC_TPR: return 0xff;
    case APIC_SVR: return 0x3ff;
    case APIC_LVT + LVT_TIMER: return 0x700ff;
    case APIC_LVT + LVT_THERMAL:
    case APIC_LVT + LVT_PERFORMANCE: return 0x117ff;
    case APIC_LVT + LVT_LINT0:
    case APIC_LVT + LVT_LINT1: return 0x1f7ff;
    case APIC_LVT + LVT_ERROR: return 0x110ff;
    case APIC_TIMER_INITIAL: return UINT32_MAX;
    case APIC_TIMER_DIVIDE: return 0xb;
    default: return 0;
    }
}

static bool
write_x2apic(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user)
{
    TrpmVcpu *apic = vcpu->trpm_vcpu;
    const unsigned reg = msr - X86_MSR_X2APIC_FIRST;
    const uint32_t bits = writable_bits(reg);

    if (!trpm_is_x2apic(apic))
        return false;
    switch (reg) {
    case APIC_ICR:
        if (value & 0xfff32000u)
            return false;
        apic->icr = value;
        trpm_bus_send(apic, value);
        return true;
    case APIC_SELF_IPI:
        if (value > 0xff)
            return false;
        trpm_bus_send(apic, 1u << 18 | 1u << 14 | value);
        return true;
    case APIC_EOI:
    case APIC_ESR:
        if (value != 0)
            return false;
        break;
    default:
        if (bits == 0 || (value & ~(uint64_t)bits))
            return false;
    }
    trpm_apic_write(apic, reg, (uint32_t)value);
    return true;
}

/* --- IA32_TSC_DEADLINE --- */

static bool
read_deadline(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    *value = vcpu->trpm_vcpu->tsc_deadline;
    return cpum_has(vcpu, CPUM_FEATURE_TSC_DEADLINE);
}

static bool
write_deadline(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user)
{
    if (!cpum_has(vcpu, CPUM_FEATURE_TSC_DEADLINE))
        return false;
    trpm_timer_set_deadline(vcpu->trpm_vcpu, value);
    return true;
}

void
trpm_msr_init(Trpm *trpm)
{
    cpum_msr_register(trpm->cpum, X86_MSR_APIC_BASE, X86_MSR_APIC_BASE, read_base, write_base,
                      NULL);
    cpum_msr_register(trpm->cpum, X86_MSR_X2APIC_FIRST, X86_MSR_X2APIC_LAST, read_x2apic,
                      write_x2apic, NULL);
    cpum_msr_register(trpm->cpum, X86_MSR_TSC_DEADLINE, X86_MSR_TSC_DEADLINE, read_deadline,
                      write_deadline, NULL);
}
