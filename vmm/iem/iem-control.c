/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The small privileged instructions: HLT, INVD, WBINVD, INVLPG, INVPCID, CLAC, STAC. Caches
 * are not modelled, so INVD and WBINVD only check privilege. The TLB holds the entries of the
 * current PCID only: every change of CR3 drops the others. Intel SDM volumes 2A and 2B; volume 3A
 * section 4.10.4. */
#include "vmm/iem/iem-system.h"

static void
op_hlt(Vcpu *vcpu, const IemInsn *insn)
{
    iem_require_cpl0(vcpu);
    vcpu->activity = CPUM_HALTED;
    iem_leave(vcpu, EM_EXIT_HALT);
}

IemHandler
iem_choose_hlt(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    return op_hlt;
}

static void
op_cache(Vcpu *vcpu, const IemInsn *insn)
{
    iem_require_cpl0(vcpu);
}

IemHandler
iem_choose_cache(const Vcpu *vcpu, IemInsn *insn)
{
    return op_cache;
}

/* The address is not checked against the segment; a non-canonical one is ignored. */
static void
op_invlpg(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t offset = iem_ea(vcpu, insn);
    uint64_t linear = offset;

    iem_require_cpl0(vcpu);
    if (!iem_is_long64(vcpu))
        linear = (uint32_t)(vcpu->seg[insn->seg].base + offset);
    else if (insn->seg == X86_FS || insn->seg == X86_GS)
        linear += vcpu->seg[insn->seg].base;
    if (iem_is_long64(vcpu) && !iem_is_canonical(vcpu, linear))
        return;
    pgm_invlpg(vcpu, linear);
    iem_state_changed(vcpu);
}

IemHandler
iem_choose_invlpg(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    return insn->flags & IEM_INSN_MEM ? op_invlpg : NULL;
}

enum { INVPCID_ADDRESS, INVPCID_CONTEXT, INVPCID_ALL, INVPCID_ALL_BUT_GLOBAL };

static void
op_invpcid(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t type = vcpu->gpr[insn->reg], descriptor[2];

    iem_require_cpl0(vcpu);
    if (!iem_is_long64(vcpu))
        type = (uint32_t)type;
    iem_read_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), descriptor, sizeof descriptor);
    if (type > INVPCID_ALL_BUT_GLOBAL || descriptor[0] >> 12 != 0)
        iem_raise_gp0(vcpu);
    if (type <= INVPCID_CONTEXT && descriptor[0] != 0 && !(vcpu->cr4 & X86_CR4_PCIDE))
        iem_raise_gp0(vcpu);
    if (!iem_is_long64(vcpu))
        descriptor[1] = (uint32_t)descriptor[1];
    else if (type == INVPCID_ADDRESS && !iem_is_canonical(vcpu, descriptor[1]))
        iem_raise_gp0(vcpu);
    if (type == INVPCID_ADDRESS)
        pgm_invlpg(vcpu, descriptor[1]);
    else
        pgm_flush_tlb(vcpu, type == INVPCID_ALL);
    iem_state_changed(vcpu);
}

IemHandler
iem_choose_invpcid(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    return insn->flags & IEM_INSN_MEM ? op_invpcid : NULL;
}

static void
set_ac(Vcpu *vcpu, bool value)
{
    if (vcpu->cpl != 0)
        iem_raise_ud(vcpu);
    vcpu->rflags = (vcpu->rflags & ~(uint64_t)X86_FL_AC) | (value ? X86_FL_AC : 0);
    cpum_update_mode(vcpu);
}

static void
op_clac(Vcpu *vcpu, const IemInsn *insn)
{
    set_ac(vcpu, false);
}

static void
op_stac(Vcpu *vcpu, const IemInsn *insn)
{
    set_ac(vcpu, true);
}

IemHandler
iem_choose_ac(const Vcpu *vcpu, IemInsn *insn)
{
    return insn->modrm == 0xca ? op_clac : op_stac;
}
