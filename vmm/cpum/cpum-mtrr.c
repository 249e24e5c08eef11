/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Memory type range registers: eight variable ranges and the fixed ones, with the checks that the
 * CPU makes. What they say changes nothing here, since memory is always coherent. Intel SDM volume
 * 3A section 12.11. */
#include "vmm/cpum/cpum-private.h"

#define VARIABLE_COUNT 8u
#define CAP_FIXED (1u << 8)
#define CAP_WRITE_COMBINING (1u << 10)
#define DEF_TYPE_FIXED_ENABLE (1u << 10)
#define DEF_TYPE_ENABLE (1u << 11)
#define MASK_VALID (1ull << 11)

/* UC, WC, WT, WP, WB */
static bool
is_type_valid(uint8_t type)
{
    return type == 0 || type == 1 || type == 4 || type == 5 || type == 6;
}

static uint64_t
physical_mask(const Vcpu *vcpu)
{
    return ((1ull << vcpu->phys_bits) - 1) & ~0xfffull;
}

static bool
read_cap(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    *value = VARIABLE_COUNT | CAP_FIXED | CAP_WRITE_COMBINING;
    return cpum_has(vcpu, CPUM_FEATURE_MTRR);
}

static bool
read_def_type(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    *value = vcpu->mtrr_def_type;
    return cpum_has(vcpu, CPUM_FEATURE_MTRR);
}

static bool
write_def_type(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user)
{
    const uint64_t valid = 0xff | DEF_TYPE_FIXED_ENABLE | DEF_TYPE_ENABLE;

    if (!cpum_has(vcpu, CPUM_FEATURE_MTRR) || (value & ~valid) || !is_type_valid((uint8_t)value))
        return false;
    vcpu->mtrr_def_type = value;
    return true;
}

/* Even: base, odd: mask. */
static bool
read_variable(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    *value = vcpu->mtrr_var[msr - X86_MSR_MTRR_PHYSBASE0];
    return cpum_has(vcpu, CPUM_FEATURE_MTRR);
}

static bool
write_variable(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user)
{
    const unsigned index = msr - X86_MSR_MTRR_PHYSBASE0;
    const bool is_mask = index & 1;
    const uint64_t valid = physical_mask(vcpu) | (is_mask ? MASK_VALID : 0xff);

    if (!cpum_has(vcpu, CPUM_FEATURE_MTRR) || (value & ~valid) ||
        (!is_mask && !is_type_valid((uint8_t)value)))
        return false;
    vcpu->mtrr_var[index] = value;
    return true;
}

/* One of 64 KiB, two of 16 KiB, eight of 4 KiB, in that order. */
static unsigned
fixed_index(uint32_t msr)
{
    if (msr == X86_MSR_MTRR_FIX64K)
        return 0;
    if (msr <= X86_MSR_MTRR_FIX16K_A0000)
        return 1 + msr - X86_MSR_MTRR_FIX16K_80000;
    return 3 + msr - X86_MSR_MTRR_FIX4K_C0000;
}

static bool
read_fixed(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    *value = vcpu->mtrr_fix[fixed_index(msr)];
    return cpum_has(vcpu, CPUM_FEATURE_MTRR);
}

static bool
write_fixed(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user)
{
    if (!cpum_has(vcpu, CPUM_FEATURE_MTRR))
        return false;
    for (unsigned i = 0; i < 8; i++) {
        if (!is_type_valid((uint8_t)(value >> (8 * i))))
            return false;
    }
    vcpu->mtrr_fix[fixed_index(msr)] = value;
    return true;
}

void
cpum_mtrr_init(Cpum *cpum)
{
    cpum_msr_register(cpum, X86_MSR_MTRR_CAP, X86_MSR_MTRR_CAP, read_cap, NULL, NULL);
    cpum_msr_register(cpum, X86_MSR_MTRR_DEF_TYPE, X86_MSR_MTRR_DEF_TYPE, read_def_type,
                      write_def_type, NULL);
    cpum_msr_register(cpum, X86_MSR_MTRR_PHYSBASE0, X86_MSR_MTRR_PHYSBASE0 + 2 * VARIABLE_COUNT - 1,
                      read_variable, write_variable, NULL);
    cpum_msr_register(cpum, X86_MSR_MTRR_FIX64K, X86_MSR_MTRR_FIX64K, read_fixed, write_fixed,
                      NULL);
    cpum_msr_register(cpum, X86_MSR_MTRR_FIX16K_80000, X86_MSR_MTRR_FIX16K_A0000, read_fixed,
                      write_fixed, NULL);
    cpum_msr_register(cpum, X86_MSR_MTRR_FIX4K_C0000, X86_MSR_MTRR_FIX4K_C0000 + 7, read_fixed,
                      write_fixed, NULL);
}
