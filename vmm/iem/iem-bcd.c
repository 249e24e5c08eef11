/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * DAA, DAS, AAA, AAS, AAM, AAD: not in 64-bit mode, where their opcodes are undefined, so the
 * host's own instructions cannot help. Intel SDM volume 2; flags that it leaves undefined are set
 * as by current AMD and Intel processors: by the result. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-operand.h"

static uint8_t
get_al(const Vcpu *vcpu)
{
    return (uint8_t)vcpu->gpr[X86_RAX];
}

static void
set_al(Vcpu *vcpu, uint8_t value)
{
    iem_reg_set(vcpu, 8 * X86_RAX, 1, value);
}

static void
set_ah(Vcpu *vcpu, uint8_t value)
{
    iem_reg_set(vcpu, 8 * X86_RAX + 1, 1, value);
}

/* SF, ZF, PF of AL, with these CF and AF; OF cleared. */
static void
set_flags(Vcpu *vcpu, bool carry, bool adjust)
{
    uint8_t al = get_al(vcpu);
    uint64_t flags = (carry ? X86_FL_CF : 0) | (adjust ? X86_FL_AF : 0);

    flags |= al == 0 ? X86_FL_ZF : 0;
    flags |= al & 0x80 ? X86_FL_SF : 0;
    flags |= __builtin_parity(al) ? 0 : X86_FL_PF;
    vcpu->rflags = (vcpu->rflags & ~(uint64_t)X86_FL_STATUS) | flags;
}

static void
decimal_adjust(Vcpu *vcpu, bool subtract)
{
    uint8_t old = get_al(vcpu), al = old;
    bool old_carry = vcpu->rflags & X86_FL_CF;
    bool adjust = (old & 15) > 9 || (vcpu->rflags & X86_FL_AF);
    bool carry = old > 0x99 || old_carry;

    if (adjust)
        al = (uint8_t)(subtract ? al - 6 : al + 6);
    if (carry)
        al = (uint8_t)(subtract ? al - 0x60 : al + 0x60);
    if (adjust && subtract && old < 6)
        carry = true;
    set_al(vcpu, al);
    set_flags(vcpu, carry, adjust);
}

static void
op_daa(Vcpu *vcpu, const IemInsn *insn)
{
    decimal_adjust(vcpu, false);
}

static void
op_das(Vcpu *vcpu, const IemInsn *insn)
{
    decimal_adjust(vcpu, true);
}

static void
op_aaa(Vcpu *vcpu, const IemInsn *insn)
{
    bool adjust = (get_al(vcpu) & 15) > 9 || (vcpu->rflags & X86_FL_AF);

    if (adjust)
        iem_reg_set(vcpu, 8 * X86_RAX, 2, vcpu->gpr[X86_RAX] + 0x106);
    set_al(vcpu, get_al(vcpu) & 15);
    set_flags(vcpu, adjust, adjust);
}

static void
op_aas(Vcpu *vcpu, const IemInsn *insn)
{
    bool adjust = (get_al(vcpu) & 15) > 9 || (vcpu->rflags & X86_FL_AF);

    if (adjust)
        iem_reg_set(vcpu, 8 * X86_RAX, 2, vcpu->gpr[X86_RAX] - 0x106);
    set_al(vcpu, get_al(vcpu) & 15);
    set_flags(vcpu, adjust, adjust);
}

static void
op_aam(Vcpu *vcpu, const IemInsn *insn)
{
    uint8_t base = (uint8_t)insn->imm, al = get_al(vcpu);

    if (base == 0)
        iem_raise(vcpu, X86_XCPT_DE);
    set_ah(vcpu, al / base);
    set_al(vcpu, al % base);
    set_flags(vcpu, false, false);
}

static void
op_aad(Vcpu *vcpu, const IemInsn *insn)
{
    uint8_t ah = (uint8_t)(vcpu->gpr[X86_RAX] >> 8);

    set_al(vcpu, (uint8_t)(get_al(vcpu) + ah * (uint8_t)insn->imm));
    set_ah(vcpu, 0);
    set_flags(vcpu, false, false);
}

IemHandler
iem_choose_bcd(const Vcpu *vcpu, IemInsn *insn)
{
    switch (insn->opcode) {
    case 0x27: return op_daa;
    case 0x2f: return op_das;
    case 0x37: return op_aaa;
    case 0x3f: return op_aas;
    case 0xd4: return op_aam;
    default: return op_aad;
    }
}
