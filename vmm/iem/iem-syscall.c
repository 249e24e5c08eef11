/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Fast system calls: SYSCALL, SYSRET, SYSENTER, SYSEXIT, and SWAPGS. Vendors differ: AMD has
 * SYSCALL outside of 64-bit mode and no SYSENTER in long mode, Intel the other way round, and
 * Intel's SYSRET checks RCX while it is still at CPL 0; the profile's vendor decides. Intel SDM
 * volume 2B; AMD APM volume 3 (SYSCALL, SYSRET, SYSENTER). */
#include "vmm/iem/iem-system.h"

#define CODE_ATTR                                                                                  \
    (X86_SEG_P | X86_SEG_S | X86_SEG_CODE | X86_SEG_READABLE | X86_SEG_ACCESSED | X86_SEG_G)
#define STACK_ATTR                                                                                 \
    (X86_SEG_P | X86_SEG_S | X86_SEG_WRITABLE | X86_SEG_ACCESSED | X86_SEG_G | X86_SEG_DB)

/* CpumCpuid.ebx of leaf 0: "Auth" */
#define VENDOR_AMD 0x68747541u

/* Choosers keep the answer in IemInsn.width. */
static uint8_t
vendor_is_amd(const Vcpu *vcpu)
{
    CpumCpuid leaf;

    cpum_cpuid((Vcpu *)vcpu, 0, 0, &leaf);
    return leaf.ebx == VENDOR_AMD;
}

/* Flat CS and SS that no descriptor is read for. */
static void
load_flat(Vcpu *vcpu, unsigned cs, unsigned ss, unsigned cpl, bool code64)
{
    uint32_t dpl = cpl << 5;

    vcpu->seg[X86_CS] = (CpumSeg){.sel = (uint16_t)((cs & 0xfffcu) | cpl),
                                  .limit = 0xffffffffu,
                                  .attr = CODE_ATTR | dpl | (code64 ? X86_SEG_L : X86_SEG_DB)};
    vcpu->seg[X86_SS] = (CpumSeg){
        .sel = (uint16_t)((ss & 0xfffcu) | cpl), .limit = 0xffffffffu, .attr = STACK_ATTR | dpl};
}

static void
enter(Vcpu *vcpu, uint64_t rip)
{
    vcpu->rip = rip;
    cpum_update_mode(vcpu);
    iem_state_changed(vcpu);
    trpm_recheck(vcpu);
}

/* Unlike with every other instruction, the flags after SYSCALL and SYSRET decide whether a step
 * trap follows: a program that steps cannot trap the kernel at its entry when SFMASK clears TF, and
 * the trap comes right behind the SYSRET. Neither manual says so; Xen's advisory XSA-204 does. */
static void
step_by_new_flags(Vcpu *vcpu)
{
    vcpu->iem_vcpu->suppress_step = true;
    if (vcpu->rflags & X86_FL_TF)
        iem_debug_trap(vcpu, IEM_DR6_BS);
}

static void
op_syscall(Vcpu *vcpu, const IemInsn *insn)
{
    bool amd = insn->width != 0;
    bool code64 = iem_is_long64(vcpu);
    unsigned cs = (unsigned)(vcpu->star >> 32) & 0xffff;
    uint64_t rip;

    if (!(vcpu->efer & X86_EFER_SCE) || !iem_is_protected(vcpu) || (!code64 && !amd))
        iem_raise_ud(vcpu);
    if (iem_long_mode_active(vcpu)) {
        vcpu->gpr[X86_RCX] = vcpu->rip;
        vcpu->gpr[X86_R11] = vcpu->rflags & ~(uint64_t)X86_FL_RF;
        rip = code64 ? vcpu->lstar : vcpu->cstar;
        vcpu->rflags = (vcpu->rflags & ~vcpu->sfmask & ~(uint64_t)X86_FL_RF) | X86_FL_1;
    } else {
        vcpu->gpr[X86_RCX] = (uint32_t)vcpu->rip;
        rip = (uint32_t)vcpu->star;
        vcpu->rflags &= ~(uint64_t)(X86_FL_IF | X86_FL_RF | X86_FL_VM);
    }
    load_flat(vcpu, cs, cs + 8, 0, iem_long_mode_active(vcpu));
    enter(vcpu, rip);
    step_by_new_flags(vcpu);
}

static void
op_sysret(Vcpu *vcpu, const IemInsn *insn)
{
    const uint64_t flags = X86_FL_STATUS | X86_FL_TF | X86_FL_IF | X86_FL_DF | X86_FL_IOPL |
                           X86_FL_NT | X86_FL_AC | X86_FL_VIF | X86_FL_VIP | X86_FL_ID;
    bool amd = insn->width != 0;
    bool wide = insn->opsize == 8;
    unsigned base = (unsigned)(vcpu->star >> 48);
    uint64_t rip = wide ? vcpu->gpr[X86_RCX] : (uint32_t)vcpu->gpr[X86_RCX];

    if (!(vcpu->efer & X86_EFER_SCE) || (!iem_is_long64(vcpu) && !amd))
        iem_raise_ud(vcpu);
    if (!iem_is_protected(vcpu) || vcpu->cpl != 0)
        iem_raise_gp0(vcpu);
    if (wide && !amd && !iem_is_canonical(vcpu, rip))
        iem_raise_gp0(vcpu);
    if (iem_is_long64(vcpu))
        vcpu->rflags = (vcpu->gpr[X86_R11] & flags) | X86_FL_1;
    else
        vcpu->rflags |= X86_FL_IF;
    load_flat(vcpu, wide ? base + 16 : base, base + 8, 3, wide);
    enter(vcpu, rip);
    step_by_new_flags(vcpu);
}

static void
op_sysenter(Vcpu *vcpu, const IemInsn *insn)
{
    bool amd = insn->width != 0;
    bool long_mode = iem_long_mode_active(vcpu);
    unsigned cs = (unsigned)vcpu->sysenter_cs & 0xfffc;

    if (amd && long_mode)
        iem_raise_ud(vcpu);
    if (vcpu->mode == CPUM_MODE_REAL || cs == 0)
        iem_raise_gp0(vcpu);
    vcpu->rflags &= ~(uint64_t)(X86_FL_VM | X86_FL_IF | X86_FL_RF);
    load_flat(vcpu, cs, cs + 8, 0, long_mode);
    vcpu->gpr[X86_RSP] = long_mode ? vcpu->sysenter_esp : (uint32_t)vcpu->sysenter_esp;
    enter(vcpu, long_mode ? vcpu->sysenter_eip : (uint32_t)vcpu->sysenter_eip);
}

static void
op_sysexit(Vcpu *vcpu, const IemInsn *insn)
{
    bool amd = insn->width != 0;
    bool wide = insn->opsize == 8;
    unsigned cs = (unsigned)vcpu->sysenter_cs & 0xfffc;
    uint64_t rsp = vcpu->gpr[X86_RCX];
    uint64_t rip = vcpu->gpr[X86_RDX];

    if (amd && iem_long_mode_active(vcpu))
        iem_raise_ud(vcpu);
    if (!iem_is_protected(vcpu) || cs == 0 || vcpu->cpl != 0)
        iem_raise_gp0(vcpu);
    if (wide && (!iem_is_canonical(vcpu, rsp) || !iem_is_canonical(vcpu, rip)))
        iem_raise_gp0(vcpu);
    cs += wide ? 32 : 16;
    load_flat(vcpu, cs, cs + 8, 3, wide);
    vcpu->gpr[X86_RSP] = wide ? rsp : (uint32_t)rsp;
    enter(vcpu, wide ? rip : (uint32_t)rip);
}

IemHandler
iem_choose_syscall(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    insn->width = vendor_is_amd(vcpu);
    switch (insn->opcode) {
    case 0x05: return op_syscall;
    case 0x07: return op_sysret;
    case 0x34: return op_sysenter;
    case 0x35: return op_sysexit;
    default: return NULL;
    }
}

static void
op_swapgs(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t base = vcpu->seg[X86_GS].base;

    iem_require_cpl0(vcpu);
    vcpu->seg[X86_GS].base = vcpu->kernel_gs_base;
    vcpu->kernel_gs_base = base;
    iem_segments_changed(vcpu);
}

IemHandler
iem_choose_swapgs(const Vcpu *vcpu, IemInsn *insn)
{
    return iem_is_long64(vcpu) ? op_swapgs : NULL;
}
