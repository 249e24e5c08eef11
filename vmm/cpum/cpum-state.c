/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saved state of the virtual CPUs: one unit for each. What follows from other state (mode, TLB) is
 * computed again; address sizes come from the configuration, which has to be the same. A state of a
 * CPU with fewer instruction set extensions is taken, and they stay away; one with more is refused.
 */
#include "vmm/cpum/cpum-private.h"

/* 2: XCR0 may name AVX. Version 1 has the same fields. */
#define STATE_VERSION 2
#define STATE_MIN_VERSION 1

/* clang-format off */
static const SsmField seg_fields[] = {
    SSM_UINT(CpumSeg, base),
    SSM_UINT(CpumSeg, limit),
    SSM_UINT(CpumSeg, attr),
    SSM_UINT(CpumSeg, sel),
    SSM_END,
};

static const SsmField table_fields[] = {
    SSM_UINT(CpumTable, base),
    SSM_UINT(CpumTable, limit),
    SSM_END,
};

static const SsmField fpu_fields[] = {
    SSM_UINT(CpumFpu, fcw),
    SSM_UINT(CpumFpu, fsw),
    SSM_UINT(CpumFpu, ftw),
    SSM_UINT(CpumFpu, fop),
    SSM_UINT(CpumFpu, fip),
    SSM_UINT(CpumFpu, fdp),
    SSM_UINT(CpumFpu, mxcsr),
    SSM_BYTES(CpumFpu, st),
    SSM_BYTES(CpumFpu, xmm),
    SSM_BYTES(CpumFpu, ymm_high),
    SSM_END,
};

static const SsmField vcpu_fields[] = {
    SSM_UINT(Vcpu, features),
    SSM_UINT_ARRAY(Vcpu, gpr),
    SSM_UINT(Vcpu, rip),
    SSM_UINT(Vcpu, rflags),
    SSM_UINT_BELOW(Vcpu, irq_shadow, 2),
    SSM_UINT(Vcpu, retired),
    SSM_STRUCT_ARRAY(Vcpu, seg, seg_fields),
    SSM_STRUCT(Vcpu, ldtr, seg_fields),
    SSM_STRUCT(Vcpu, tr, seg_fields),
    SSM_STRUCT(Vcpu, gdtr, table_fields),
    SSM_STRUCT(Vcpu, idtr, table_fields),
    SSM_UINT(Vcpu, cr0),
    SSM_UINT(Vcpu, cr2),
    SSM_UINT(Vcpu, cr3),
    SSM_UINT(Vcpu, cr4),
    SSM_UINT(Vcpu, efer),
    SSM_UINT(Vcpu, xcr0),
    SSM_UINT_ARRAY(Vcpu, dr),
    SSM_UINT(Vcpu, star),
    SSM_UINT(Vcpu, lstar),
    SSM_UINT(Vcpu, cstar),
    SSM_UINT(Vcpu, sfmask),
    SSM_UINT(Vcpu, kernel_gs_base),
    SSM_UINT(Vcpu, sysenter_cs),
    SSM_UINT(Vcpu, sysenter_esp),
    SSM_UINT(Vcpu, sysenter_eip),
    SSM_UINT(Vcpu, tsc_aux),
    SSM_UINT(Vcpu, pat),
    SSM_UINT(Vcpu, misc_enable),
    SSM_UINT(Vcpu, mtrr_def_type),
    SSM_UINT_ARRAY(Vcpu, mtrr_fix),
    SSM_UINT_ARRAY(Vcpu, mtrr_var),
    SSM_UINT_ARRAY(Vcpu, pae_pdpte),
    SSM_STRUCT(Vcpu, fpu, fpu_fields),
    SSM_UINT(Vcpu, fpu_cs),
    SSM_UINT(Vcpu, fpu_ds),
    SSM_UINT_BELOW(Vcpu, activity, CPUM_SHUTDOWN + 1),
    SSM_UINT_BELOW(Vcpu, nmi_blocked, 2),
    SSM_END,
};
/* clang-format on */

/* The state's features become the machine's where they are a part of what it has. */
static bool
adopt_features(Vcpu *vcpu, GError **error)
{
    Cpum *cpum = vcpu->cpum;
    const uint64_t saved = vcpu->features, missing = saved & ~cpum->features;
    const uint64_t extra = cpum->features & ~saved & ~cpum_extensions();
    g_autofree char *names = cpum_feature_names(missing != 0 ? missing : extra);

    vcpu->features = cpum->features;
    if (missing != 0) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                    "The state was saved on a CPU with features that this host or CPU profile "
                    "does not have: %s.",
                    names);
        return false;
    }
    if (extra != 0) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                    "The state was saved on a CPU without features that this machine has: %s.",
                    names);
        return false;
    }
    if (saved != cpum->features) {
        cpum->features = vcpu->features = saved;
        cpum_cpuid_update_features(cpum);
    }
    return true;
}

static bool
post_load(void *object, uint32_t version, GError **error)
{
    Vcpu *vcpu = object;

    if (!adopt_features(vcpu, error))
        return false;
    if ((vcpu->cr4 & ~cpum_cr4_valid(vcpu)) || (vcpu->efer & ~cpum_efer_valid(vcpu)) ||
        !cpum_xcr0_is_valid(vcpu, vcpu->xcr0)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "A control register of CPU %u has bits that this CPU does not have.", vcpu->id);
        return false;
    }
    vcpu->rflags = (vcpu->rflags & 0x3f7fd7) | X86_FL_1;
    vcpu->fpu.mxcsr &= vcpu->fpu.mxcsr_mask;
    vcpu->debug_waits = 0;
    cpum_update_mode(vcpu);
    atomic_fetch_or(&vcpu->pending, CPUM_PEND_TLB_FLUSH);
    return true;
}

static const SsmState vcpu_state = {
    .version = STATE_VERSION,
    .min_version = STATE_MIN_VERSION,
    .fields = vcpu_fields,
    .post_load = post_load,
};

void
cpum_ssm_register(Cpum *cpum, Ssm *ssm)
{
    for (unsigned i = 0; i < cpum->count; i++)
        ssm_register(ssm, "cpum", i, &vcpu_state, cpum->vcpu[i]);
}
