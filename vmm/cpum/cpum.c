/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The set of virtual CPUs: creation, the pending word, and the mode that follows from control
 * registers and segments. Intel SDM volume 3A sections 2.2 and 5.5. */
#include "vmm/cpum/cpum-private.h"

#include "vmm/base/memory.h"

#include <string.h>

#define MAX_CPUS 32 /* PGM has a bit for each */

static Vcpu *
vcpu_new(Cpum *cpum, unsigned id, GError **error)
{
    Vcpu *vcpu = base_memory_map(sizeof *vcpu, 0, error);

    if (vcpu == NULL)
        return NULL;
    vcpu->id = id;
    vcpu->cpum = cpum;
    vcpu->features = cpum->features;
    vcpu->phys_bits = 40;
    vcpu->linear_bits = cpum_has(vcpu, CPUM_FEATURE_LM) ? 48 : 32;
    memset(vcpu->tlb, 0xff, sizeof vcpu->tlb); /* CPUM_TLB_INVALID */
    cpum_reset(vcpu, false);
    return vcpu;
}

static bool
create_vcpus(Cpum *cpum, GError **error)
{
    cpum->vcpu = g_new0(Vcpu *, cpum->count);
    for (unsigned i = 0; i < cpum->count; i++) {
        cpum->vcpu[i] = vcpu_new(cpum, i, error);
        if (cpum->vcpu[i] == NULL)
            return false;
    }
    return true;
}

Cpum *
cpum_new(const CpumConfig *config, GError **error)
{
    uint64_t features;
    Cpum *cpum;

    if (config->cpus < 1 || config->cpus > MAX_CPUS) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "A machine has 1 to %d CPUs, not %u.",
                    MAX_CPUS, config->cpus);
        return NULL;
    }
    if (!cpum_profile_features(config, &features, error))
        return NULL;
    cpum = g_new0(Cpum, 1);
    cpum->config = *config;
    cpum->count = config->cpus;
    cpum->features = features;
    cpum->leaves = g_array_new(FALSE, TRUE, sizeof(CpumLeaf));
    cpum->msrs = g_array_new(FALSE, TRUE, sizeof(CpumMsrOwner));
    cpum->logged = g_hash_table_new(NULL, NULL);
    g_mutex_init(&cpum->logged_lock);
    cpum_gate_init(cpum);
    cpum_cpuid_build(cpum);
    cpum_msr_init(cpum);
    cpum_mtrr_init(cpum);
    if (!create_vcpus(cpum, error)) {
        cpum_free(cpum);
        return NULL;
    }
    return cpum;
}

void
cpum_free(Cpum *cpum)
{
    if (cpum == NULL)
        return;
    for (unsigned i = 0; i < cpum->count; i++)
        base_memory_unmap(cpum->vcpu[i], sizeof(Vcpu));
    g_free(cpum->vcpu);
    g_array_unref(cpum->leaves);
    g_array_unref(cpum->msrs);
    g_hash_table_unref(cpum->logged);
    g_mutex_clear(&cpum->logged_lock);
    cpum_gate_clear(cpum);
    g_free(cpum);
}

unsigned
cpum_count(const Cpum *cpum)
{
    return cpum->count;
}

Vcpu *
cpum_vcpu(Cpum *cpum, unsigned id)
{
    return id < cpum->count ? cpum->vcpu[id] : NULL;
}

static CpumMode
mode_of(const Vcpu *vcpu)
{
    const uint32_t cs = vcpu->seg[X86_CS].attr;

    if (!(vcpu->cr0 & X86_CR0_PE))
        return CPUM_MODE_REAL;
    if (vcpu->rflags & X86_FL_VM)
        return CPUM_MODE_V86;
    if ((vcpu->efer & X86_EFER_LMA) && (cs & X86_SEG_L))
        return CPUM_MODE_LONG64;
    return cs & X86_SEG_DB ? CPUM_MODE_PROT32 : CPUM_MODE_PROT16;
}

void
cpum_update_mode(Vcpu *vcpu)
{
    const CpumMode mode = mode_of(vcpu);

    vcpu->mode = (uint8_t)mode;
    /* SS's DPL is the CPL also right after PE was set, when CS still holds a real-mode value. */
    if (mode == CPUM_MODE_REAL)
        vcpu->cpl = 0;
    else if (mode == CPUM_MODE_V86)
        vcpu->cpl = 3;
    else
        vcpu->cpl = (uint8_t)X86_SEG_DPL(vcpu->seg[X86_SS].attr);
    if (vcpu->cpl == 3)
        vcpu->tlb_kind = CPUM_TLB_USER;
    else if ((vcpu->rflags & X86_FL_AC) && (vcpu->cr4 & X86_CR4_SMAP))
        vcpu->tlb_kind = CPUM_TLB_SUPERVISOR_AC;
    else
        vcpu->tlb_kind = CPUM_TLB_SUPERVISOR;
}

uint64_t
cpum_cr4_valid(const Vcpu *vcpu)
{
    /* clang-format off */
    static const struct {
        CpumFeature feature;
        uint32_t bits;
    } rows[] = {
        {CPUM_FEATURE_BASE, X86_CR4_PCE},
        {CPUM_FEATURE_VME, X86_CR4_VME | X86_CR4_PVI},
        {CPUM_FEATURE_TSC, X86_CR4_TSD},
        {CPUM_FEATURE_DE, X86_CR4_DE},
        {CPUM_FEATURE_PSE, X86_CR4_PSE},
        {CPUM_FEATURE_PAE, X86_CR4_PAE},
        {CPUM_FEATURE_MCE, X86_CR4_MCE},
        {CPUM_FEATURE_PGE, X86_CR4_PGE},
        {CPUM_FEATURE_FXSR, X86_CR4_OSFXSR},
        {CPUM_FEATURE_SSE, X86_CR4_OSXMMEXCPT},
        {CPUM_FEATURE_UMIP, X86_CR4_UMIP},
        {CPUM_FEATURE_FSGSBASE, X86_CR4_FSGSBASE},
        {CPUM_FEATURE_PCID, X86_CR4_PCIDE},
        {CPUM_FEATURE_XSAVE, X86_CR4_OSXSAVE},
        {CPUM_FEATURE_SMEP, X86_CR4_SMEP},
        {CPUM_FEATURE_SMAP, X86_CR4_SMAP},
    };
    /* clang-format on */
    uint64_t valid = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (cpum_has(vcpu, rows[i].feature))
            valid |= rows[i].bits;
    }
    return valid;
}

uint64_t
cpum_efer_valid(const Vcpu *vcpu)
{
    uint64_t valid = 0;

    if (cpum_has(vcpu, CPUM_FEATURE_SYSCALL))
        valid |= X86_EFER_SCE;
    if (cpum_has(vcpu, CPUM_FEATURE_LM))
        valid |= X86_EFER_LME | X86_EFER_LMA;
    if (cpum_has(vcpu, CPUM_FEATURE_NX))
        valid |= X86_EFER_NXE;
    return valid;
}

bool
cpum_xcr0_is_valid(const Vcpu *vcpu, uint64_t value)
{
    uint64_t valid = X86_XCR0_X87 | X86_XCR0_SSE;

    if (cpum_has(vcpu, CPUM_FEATURE_AVX))
        valid |= X86_XCR0_AVX;
    if (!(value & X86_XCR0_X87) || (value & ~valid))
        return false;
    return !(value & X86_XCR0_AVX) || (value & X86_XCR0_SSE);
}

void
cpum_wake(Vcpu *vcpu)
{
    if (vcpu->cpum->wake != NULL)
        vcpu->cpum->wake(vcpu, vcpu->cpum->wake_user);
}

void
cpum_pend(Vcpu *vcpu, uint32_t bits)
{
    atomic_fetch_or(&vcpu->pending, bits);
    cpum_wake(vcpu);
}

void
cpum_pend_inside(Vcpu *vcpu, uint32_t bits)
{
    atomic_fetch_or(&vcpu->pending, bits);
    if (cpum_is_inside(vcpu))
        cpum_pend(vcpu, bits);
}

void
cpum_unpend(Vcpu *vcpu, uint32_t bits)
{
    atomic_fetch_and(&vcpu->pending, ~bits);
}

void
cpum_set_waker(Cpum *cpum, void (*wake)(Vcpu *vcpu, void *user), void *user)
{
    cpum->wake_user = user;
    cpum->wake = wake;
}
