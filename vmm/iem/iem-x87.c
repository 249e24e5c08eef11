/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The x87's register stack, status, exception summary and the choice of a handler. Intel SDM volume
 * 1 sections 8.1, 8.5 and 8.7. */
#include "vmm/iem/iem-x87.h"

const X87Value x87_default_nan = {{0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff}};

static void
set_top(Vcpu *vcpu, unsigned top)
{
    vcpu->fpu.fsw = (uint16_t)((vcpu->fpu.fsw & ~0x3800u) | (top & 7) << 11);
}

void
x87_push(Vcpu *vcpu, const X87Value *value)
{
    memmove(vcpu->fpu.st[1], vcpu->fpu.st[0], 7 * 16);
    set_top(vcpu, x87_top(vcpu) - 1);
    x87_set(vcpu, 0, value);
}

void
x87_pop(Vcpu *vcpu)
{
    uint8_t popped[16];

    x87_free(vcpu, 0);
    memcpy(popped, vcpu->fpu.st[0], 16);
    memmove(vcpu->fpu.st[0], vcpu->fpu.st[1], 7 * 16);
    memcpy(vcpu->fpu.st[7], popped, 16);
    set_top(vcpu, x87_top(vcpu) + 1);
}

void
x87_free(Vcpu *vcpu, unsigned i)
{
    vcpu->fpu.ftw &= (uint8_t) ~(1u << ((x87_top(vcpu) + i) & 7));
}

void
x87_update_summary(Vcpu *vcpu)
{
    if (vcpu->fpu.fsw & ~vcpu->fpu.fcw & X87_EXCEPTIONS)
        vcpu->fpu.fsw |= X87_ES | X87_B;
    else
        vcpu->fpu.fsw &= (uint16_t) ~(X87_ES | X87_B);
    x87_tell_chipset(vcpu);
}

bool
x87_report(Vcpu *vcpu, uint16_t host_fsw, uint16_t conditions)
{
    uint16_t flags = host_fsw & X87_EXCEPTIONS;

    vcpu->fpu.fsw = (uint16_t)((vcpu->fpu.fsw & ~conditions) | flags | (host_fsw & conditions));
    x87_update_summary(vcpu);
    return !(flags & ~vcpu->fpu.fcw & (X87_IE | X87_DE | X87_ZE));
}

bool
x87_stack_fault(Vcpu *vcpu, bool overflow)
{
    vcpu->fpu.fsw |= X87_IE | X87_SF;
    vcpu->fpu.fsw = (uint16_t)((vcpu->fpu.fsw & ~X87_C1) | (overflow ? X87_C1 : 0));
    x87_update_summary(vcpu);
    return vcpu->fpu.fcw & X87_IE;
}

uint16_t
x87_full_tags(const Vcpu *vcpu)
{
    uint16_t tags = 0;

    for (unsigned physical = 0; physical < 8; physical++) {
        const uint8_t *value = vcpu->fpu.st[(physical - x87_top(vcpu)) & 7];
        unsigned exponent = (value[8] | value[9] << 8) & 0x7fff, tag;
        uint64_t mantissa;
        memcpy(&mantissa, value, 8);
        if (!(vcpu->fpu.ftw >> physical & 1))
            tag = 3;
        else if (exponent == 0 && mantissa == 0)
            tag = 1;
        else if (exponent == 0x7fff || exponent == 0 || !(mantissa >> 63))
            tag = 2;
        else
            tag = 0;
        tags |= (uint16_t)(tag << (2 * physical));
    }
    return tags;
}

static void
raise_pending(Vcpu *vcpu)
{
    if (!(vcpu->fpu.fsw & X87_ES))
        return;
    if (vcpu->cr0 & X86_CR0_NE)
        iem_raise(vcpu, X86_XCPT_MF);
    if (!trpm_fpu_error(vcpu))
        iem_wait_before(vcpu);
}

void
iem_check_x87(Vcpu *vcpu)
{
    if (vcpu->cr0 & (X86_CR0_EM | X86_CR0_TS))
        iem_raise_nm(vcpu);
    raise_pending(vcpu);
}

void
iem_check_mmx(Vcpu *vcpu)
{
    if (vcpu->cr0 & X86_CR0_EM)
        iem_raise_ud(vcpu);
    if (vcpu->cr0 & X86_CR0_TS)
        iem_raise_nm(vcpu);
    raise_pending(vcpu);
}

void
iem_check_sse(Vcpu *vcpu)
{
    if ((vcpu->cr0 & X86_CR0_EM) || !(vcpu->cr4 & X86_CR4_OSFXSR))
        iem_raise_ud(vcpu);
    if (vcpu->cr0 & X86_CR0_TS)
        iem_raise_nm(vcpu);
}

void
x87_begin(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_x87(vcpu);
    vcpu->fpu.fop = (uint16_t)((insn->opcode & 7) << 8 | insn->modrm);
    vcpu->fpu.fip = vcpu->rip - insn->length;
    vcpu->fpu_cs = vcpu->seg[X86_CS].sel;
    if (insn->flags & IEM_INSN_MEM) {
        vcpu->fpu.fdp = iem_ea(vcpu, insn);
        vcpu->fpu_ds = vcpu->seg[insn->seg].sel;
    }
}

/* FWAIT: only looks. */
static void
wait_for_x87(Vcpu *vcpu, const IemInsn *insn)
{
    if ((vcpu->cr0 & (X86_CR0_MP | X86_CR0_TS)) == (X86_CR0_MP | X86_CR0_TS))
        iem_raise_nm(vcpu);
    raise_pending(vcpu);
}

/* Encodings that the manuals call reserved and every processor takes as an older one's. */
static void
resolve_alias(IemInsn *insn)
{
    unsigned key = (unsigned)insn->opcode << 8 | (insn->modrm & 0xf8);

    if (insn->flags & IEM_INSN_MEM)
        return;
    switch (key) {
    case 0xdcd0: insn->opcode = 0xd8; break; /* FCOM */
    case 0xdcd8:
    case 0xded0: /* FCOMP */
        insn->opcode = 0xd8;
        insn->reg = 3;
        insn->modrm = 0xd8 | (insn->modrm & 7);
        break;
    case 0xddc8:
    case 0xdfc8: insn->opcode = 0xd9; break; /* FXCH */
    case 0xd9d8:
    case 0xdfd0:
    case 0xdfd8: /* FSTP */
        insn->opcode = 0xdd;
        insn->reg = 3;
        insn->modrm = 0xd8 | (insn->modrm & 7);
        break;
    default: break;
    }
}

IemHandler iem_choose_x87(const Vcpu *vcpu, IemInsn *insn);
IemHandler
iem_choose_x87(const Vcpu *vcpu, IemInsn *insn)
{
    IemHandler handler;

    if (insn->opcode == 0x9b)
        return wait_for_x87;
    resolve_alias(insn);
    handler = x87_choose_arithmetic(insn);
    if (!handler)
        handler = x87_choose_compare(insn);
    if (!handler)
        handler = x87_choose_move(insn);
    if (!handler)
        handler = x87_choose_unary(insn);
    if (!handler)
        handler = x87_choose_control(insn);
    return handler;
}
