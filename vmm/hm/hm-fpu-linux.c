/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * x87, SSE and AVX state, which CPUM and KVM both hold in XSAVE's standard layout, and the debug
 * registers. Intel SDM volume 1 section 13.4; Linux Documentation/virt/kvm/api.rst (KVM_GET_XSAVE,
 * KVM_GET_DEBUGREGS). */
#include "vmm/hm/hm-kvm-linux.h"

#include <string.h>
#include <sys/ioctl.h>

#define COMPONENT_X87 (1ull << 0)
#define COMPONENT_SSE (1ull << 1)
#define COMPONENT_AVX (1ull << 2)
#define MXCSR_VALID 0xffffu
_Static_assert(sizeof(CpumFpu) <= sizeof(struct kvm_xsave), "the layout's start is the same");

/* CPUM's copy is always complete. */
static uint64_t
components(const Vcpu *vcpu)
{
    return COMPONENT_X87 | COMPONENT_SSE | (cpum_has(vcpu, CPUM_FEATURE_AVX) ? COMPONENT_AVX : 0);
}

bool
hm_import_fpu(HmVcpu *own)
{
    CpumFpu fpu = own->vcpu->fpu;

    fpu.mxcsr &= MXCSR_VALID;
    fpu.xstate_bv = components(own->vcpu);
    fpu.xcomp_bv = 0;
    memset(fpu.reserved1, 0, sizeof fpu.reserved1);
    memset(fpu.reserved2, 0, sizeof fpu.reserved2);
    memset(own->xsave, 0, own->xsave_size);
    memcpy(own->xsave, &fpu, sizeof fpu);
    return ioctl(own->fd, KVM_SET_XSAVE, own->xsave) == 0;
}

static int
get_xsave(HmVcpu *own)
{
    return own->xsave_size > sizeof *own->xsave ? ioctl(own->fd, KVM_GET_XSAVE2, own->xsave)
                                                : ioctl(own->fd, KVM_GET_XSAVE, own->xsave);
}

void
hm_export_fpu(HmVcpu *own)
{
    Vcpu *vcpu = own->vcpu;
    const CpumFpu before = vcpu->fpu;

    if (get_xsave(own) != 0)
        return;
    memcpy(&vcpu->fpu, own->xsave, sizeof vcpu->fpu);
    vcpu->fpu.mxcsr_mask = before.mxcsr_mask;
    vcpu->fpu.xstate_bv = before.xstate_bv;
    vcpu->fpu.xcomp_bv = before.xcomp_bv;
    memcpy(vcpu->fpu.reserved1, before.reserved1, sizeof before.reserved1);
    memcpy(vcpu->fpu.reserved2, before.reserved2, sizeof before.reserved2);
    /* The 64-bit form has no selectors: they are known only while the pointers stay the same. */
    if (vcpu->fpu.fip != before.fip || vcpu->fpu.fdp != before.fdp)
        vcpu->fpu_cs = vcpu->fpu_ds = 0;
}

/* --- debug registers --- */

bool
hm_import_debug(HmVcpu *own)
{
    const uint64_t *dr = own->vcpu->dr;
    const struct kvm_debugregs debug = {
        .db = {dr[0], dr[1], dr[2], dr[3]}, .dr6 = dr[6], .dr7 = dr[7]};

    return ioctl(own->fd, KVM_SET_DEBUGREGS, &debug) == 0;
}

void
hm_export_debug(HmVcpu *own)
{
    uint64_t *dr = own->vcpu->dr;
    struct kvm_debugregs debug;

    if (ioctl(own->fd, KVM_GET_DEBUGREGS, &debug) != 0)
        return;
    memcpy(dr, debug.db, sizeof debug.db);
    dr[6] = debug.dr6;
    dr[7] = debug.dr7;
}
