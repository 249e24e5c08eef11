/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The state of a virtual CPU after power-up, RESET and INIT. Intel SDM volume 3A section 10.1,
 * table 10-1. The local APIC is reset by TRPM, the TSC by TM. */
#include "vmm/cpum/cpum-private.h"

#include <string.h>

static void
reset_segments(Vcpu *vcpu)
{
    const uint32_t data = X86_SEG_P | X86_SEG_S | X86_SEG_WRITABLE | X86_SEG_ACCESSED;

    for (unsigned i = 0; i < X86_SEG_COUNT; i++)
        vcpu->seg[i] = (CpumSeg){.limit = 0xffff, .attr = data};
    vcpu->seg[X86_CS] =
        (CpumSeg){.base = 0xffff0000, .limit = 0xffff, .attr = data | X86_SEG_CODE, .sel = 0xf000};
    vcpu->ldtr = (CpumSeg){.limit = 0xffff, .attr = X86_SEG_P | X86_SYS_LDT};
    vcpu->tr = (CpumSeg){.limit = 0xffff, .attr = X86_SEG_P | X86_SYS_TSS32_BUSY};
    vcpu->gdtr = (CpumTable){.limit = 0xffff};
    vcpu->idtr = (CpumTable){.limit = 0xffff};
}

static void
reset_registers(Vcpu *vcpu)
{
    memset(vcpu->gpr, 0, sizeof vcpu->gpr);
    vcpu->gpr[X86_RDX] = CPUM_SIGNATURE;
    vcpu->rip = 0xfff0;
    vcpu->rflags = X86_FL_1;
    vcpu->cr2 = vcpu->cr3 = vcpu->cr4 = 0;
    vcpu->efer = 0;
    memset(vcpu->dr, 0, sizeof vcpu->dr);
    vcpu->dr[6] = 0xffff0ff0;
    vcpu->dr[7] = 0x400;
    memset(vcpu->pae_pdpte, 0, sizeof vcpu->pae_pdpte);
}

static void
reset_fpu(Vcpu *vcpu)
{
    vcpu->fpu =
        (CpumFpu){.fcw = 0x40, .ftw = 0xff, .mxcsr = 0x1f80, .mxcsr_mask = 0xffff, .xstate_bv = 3};
    vcpu->fpu_cs = vcpu->fpu_ds = 0;
    vcpu->xcr0 = X86_XCR0_X87;
}

static void
reset_msrs(Vcpu *vcpu)
{
    vcpu->star = vcpu->lstar = vcpu->cstar = vcpu->sfmask = vcpu->kernel_gs_base = 0;
    vcpu->sysenter_cs = vcpu->sysenter_esp = vcpu->sysenter_eip = 0;
    vcpu->tsc_aux = 0;
    vcpu->pat = CPUM_PAT_RESET;
    vcpu->misc_enable = 1; /* fast strings */
    vcpu->mtrr_def_type = 0;
    memset(vcpu->mtrr_fix, 0, sizeof vcpu->mtrr_fix);
    memset(vcpu->mtrr_var, 0, sizeof vcpu->mtrr_var);
}

void
cpum_reset(Vcpu *vcpu, bool init_only)
{
    const uint64_t kept_cr0 =
        init_only ? vcpu->cr0 & (X86_CR0_CD | X86_CR0_NW) : X86_CR0_CD | X86_CR0_NW;

    reset_registers(vcpu);
    reset_segments(vcpu);
    vcpu->cr0 = kept_cr0 | X86_CR0_ET;
    if (!init_only) {
        reset_fpu(vcpu);
        reset_msrs(vcpu);
    }
    vcpu->irq_shadow = 0;
    vcpu->debug_waits = 0;
    vcpu->nmi_blocked = 0;
    vcpu->smm = false;
    vcpu->activity = vcpu->id == 0 ? CPUM_ACTIVE : CPUM_WAIT_SIPI;
    cpum_update_mode(vcpu);
    /* Whatever was mapped before is gone. */
    atomic_fetch_or(&vcpu->pending, CPUM_PEND_TLB_FLUSH);
}
