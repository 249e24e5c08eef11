/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE: of 64-bit code only, and only with CR4.FSGSBASE. Intel
 * SDM volume 2B. */
#include "vmm/iem/iem-system.h"

#include <Zydis/Mnemonic.h>

static CpumSeg *
segment(Vcpu *vcpu, const IemInsn *insn)
{
    const bool fs = insn->row == ZYDIS_MNEMONIC_RDFSBASE || insn->row == ZYDIS_MNEMONIC_WRFSBASE;

    if (!iem_is_long64(vcpu) || !(vcpu->cr4 & X86_CR4_FSGSBASE))
        iem_raise_ud(vcpu);
    return &vcpu->seg[fs ? X86_FS : X86_GS];
}

static unsigned
size_of(const IemInsn *insn)
{
    return insn->flags & IEM_INSN_REX_W ? 8 : 4;
}

static void
read_base(Vcpu *vcpu, const IemInsn *insn)
{
    iem_gpr_write(vcpu, insn->rm, size_of(insn), segment(vcpu, insn)->base);
}

static void
write_base(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value = vcpu->gpr[insn->rm];
    CpumSeg *seg = segment(vcpu, insn);

    if (size_of(insn) == 4)
        value = (uint32_t)value;
    if (!iem_is_canonical(vcpu, value))
        iem_raise_gp0(vcpu);
    seg->base = value;
}

IemHandler
iem_choose_fsgsbase(const Vcpu *vcpu, IemInsn *insn)
{
    if (insn->flags & IEM_INSN_MEM)
        return NULL;
    return insn->row == ZYDIS_MNEMONIC_RDFSBASE || insn->row == ZYDIS_MNEMONIC_RDGSBASE
               ? read_base
               : write_base;
}
