/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Looking at a selector without loading it: LAR, LSL, VERR, VERW, ARPL. They answer in ZF and
 * fault only for their memory operand. Intel SDM volume 2A; volume 3A 5.10. */
#include "vmm/iem/iem-system.h"

static void
set_zf(Vcpu *vcpu, bool value)
{
    vcpu->rflags = (vcpu->rflags & ~(uint64_t)X86_FL_ZF) | (value ? X86_FL_ZF : 0);
}

static uint16_t
read_selector(Vcpu *vcpu, const IemInsn *insn)
{
    return insn->flags & IEM_INSN_MEM ? iem_read_u16(vcpu, insn->seg, iem_ea(vcpu, insn))
                                      : (uint16_t)vcpu->gpr[insn->rm];
}

static bool
visible(const Vcpu *vcpu, uint16_t selector, const IemDescriptor *d)
{
    unsigned dpl = X86_SEG_DPL(d->attr);

    if (iem_descriptor_is_code(d) && iem_descriptor_is_conforming(d))
        return true;
    return vcpu->cpl <= dpl && (selector & 3u) <= dpl;
}

/* Gates have rights but no limit; 16-bit system types do not exist in long mode. */
static unsigned
lsl_types(const Vcpu *vcpu)
{
    unsigned types = 1u << X86_SYS_LDT | 1u << X86_SYS_TSS32_AVAIL | 1u << X86_SYS_TSS32_BUSY;

    if (!iem_long_mode_active(vcpu))
        types |= 1u << X86_SYS_TSS16_AVAIL | 1u << X86_SYS_TSS16_BUSY;
    return types;
}

static unsigned
lar_types(const Vcpu *vcpu)
{
    unsigned types = lsl_types(vcpu) | 1u << X86_SYS_CALL_GATE32;

    if (!iem_long_mode_active(vcpu))
        types |= 1u << X86_SYS_CALL_GATE16 | 1u << X86_SYS_TASK_GATE;
    return types;
}

static bool
look_up(Vcpu *vcpu, const IemInsn *insn, unsigned types, IemDescriptor *d)
{
    uint16_t selector;

    iem_require_protected(vcpu);
    selector = read_selector(vcpu, insn);
    if (iem_selector_is_null(selector) || !iem_fetch_descriptor(vcpu, selector, d))
        return false;
    if (iem_descriptor_is_system(d) && !(types >> iem_descriptor_type(d) & 1))
        return false;
    return visible(vcpu, selector, d);
}

static void
op_lar(Vcpu *vcpu, const IemInsn *insn)
{
    IemDescriptor d;
    bool found = look_up(vcpu, insn, lar_types(vcpu), &d);

    set_zf(vcpu, found);
    /* Bits 19:16 are undefined; CPUs show the limit's there. */
    if (found)
        iem_gpr_write(vcpu, insn->reg, insn->opsize,
                      d.raw >> 32 & (insn->opsize == 2 ? 0xff00 : 0xffff00));
}

static void
op_lsl(Vcpu *vcpu, const IemInsn *insn)
{
    IemDescriptor d;
    bool found = look_up(vcpu, insn, lsl_types(vcpu), &d);

    set_zf(vcpu, found);
    if (found)
        iem_gpr_write(vcpu, insn->reg, insn->opsize, d.limit);
}

IemHandler
iem_choose_lar_lsl(const Vcpu *vcpu, IemInsn *insn)
{
    return insn->opcode == 0x02 ? op_lar : op_lsl;
}

static bool
is_readable(const IemDescriptor *d)
{
    return !iem_descriptor_is_code(d) || d->attr & X86_SEG_READABLE;
}

static void
op_verr(Vcpu *vcpu, const IemInsn *insn)
{
    IemDescriptor d;

    set_zf(vcpu, look_up(vcpu, insn, 0, &d) && is_readable(&d));
}

static void
op_verw(Vcpu *vcpu, const IemInsn *insn)
{
    IemDescriptor d;

    set_zf(vcpu, look_up(vcpu, insn, 0, &d) && iem_descriptor_is_writable_data(&d));
}

IemHandler
iem_choose_verify(const Vcpu *vcpu, IemInsn *insn)
{
    return insn->modrm >> 3 & 1 ? op_verw : op_verr;
}

static bool
adjust_rpl(uint16_t *selector, uint16_t rpl)
{
    if ((*selector & 3) >= (rpl & 3))
        return false;
    *selector = (uint16_t)((*selector & ~3u) | (rpl & 3));
    return true;
}

static void
op_arpl(Vcpu *vcpu, const IemInsn *insn)
{
    uint16_t rpl = (uint16_t)vcpu->gpr[insn->reg];
    uint16_t selector;
    IemRmw rmw;

    iem_require_protected(vcpu);
    if (!(insn->flags & IEM_INSN_MEM)) {
        selector = (uint16_t)vcpu->gpr[insn->rm];
        set_zf(vcpu, adjust_rpl(&selector, rpl));
        iem_gpr_write(vcpu, insn->rm, 2, selector);
        return;
    }
    iem_rmw_begin(vcpu, insn->seg, iem_ea(vcpu, insn), 2, &rmw);
    memcpy(&selector, rmw.host, 2);
    set_zf(vcpu, adjust_rpl(&selector, rpl));
    memcpy(rmw.host, &selector, 2);
    iem_rmw_commit(vcpu, &rmw);
}

IemHandler
iem_choose_arpl(const Vcpu *vcpu, IemInsn *insn)
{
    return op_arpl;
}
