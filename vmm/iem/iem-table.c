/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Descriptor tables: LGDT, LIDT, SGDT, SIDT, LLDT, SLDT, LTR, STR.
 * Intel SDM volume 2A; volume 3A 2.4, 7.2.3. */
#include "vmm/iem/iem-system.h"

void
iem_require_umip(Vcpu *vcpu)
{
    if (vcpu->cr4 & X86_CR4_UMIP && vcpu->cpl != 0)
        iem_raise_gp0(vcpu);
}

static uint64_t
next_offset(const IemInsn *insn, uint64_t ea)
{
    uint64_t mask = insn->addrsize == 8 ? ~0ull : insn->addrsize == 4 ? 0xffffffffu : 0xffffu;

    return (ea + 2) & mask;
}

static void
load_table(Vcpu *vcpu, const IemInsn *insn, CpumTable *table)
{
    uint64_t ea = iem_ea(vcpu, insn);
    CpumTable value;

    iem_require_cpl0(vcpu);
    value.limit = iem_read_u16(vcpu, insn->seg, ea);
    if (iem_is_long64(vcpu)) {
        value.base = iem_read_u64(vcpu, insn->seg, next_offset(insn, ea));
        if (!iem_is_canonical(vcpu, value.base))
            iem_raise_gp0(vcpu);
    } else {
        value.base = iem_read_u32(vcpu, insn->seg, next_offset(insn, ea));
        if (insn->opsize == 2)
            value.base &= 0xffffff;
    }
    *table = value;
}

static void
store_table(Vcpu *vcpu, const IemInsn *insn, const CpumTable *table)
{
    unsigned size = iem_is_long64(vcpu) ? 8 : 4;
    uint64_t ea = iem_ea(vcpu, insn);
    uint8_t image[10];

    iem_require_umip(vcpu);
    memcpy(image, &table->limit, 2);
    memcpy(image + 2, &table->base, 8);
    iem_probe_write(vcpu, insn->seg, next_offset(insn, ea), size);
    iem_write_u16(vcpu, insn->seg, ea, table->limit);
    iem_write_bytes(vcpu, insn->seg, next_offset(insn, ea), image + 2, size);
}

static void
op_lgdt(Vcpu *vcpu, const IemInsn *insn)
{
    load_table(vcpu, insn, &vcpu->gdtr);
}

static void
op_lidt(Vcpu *vcpu, const IemInsn *insn)
{
    load_table(vcpu, insn, &vcpu->idtr);
}

static void
op_sgdt(Vcpu *vcpu, const IemInsn *insn)
{
    store_table(vcpu, insn, &vcpu->gdtr);
}

static void
op_sidt(Vcpu *vcpu, const IemInsn *insn)
{
    store_table(vcpu, insn, &vcpu->idtr);
}

IemHandler
iem_choose_table(const Vcpu *vcpu, IemInsn *insn)
{
    static const IemHandler handlers[4] = {op_sgdt, op_sidt, op_lgdt, op_lidt};

    return insn->flags & IEM_INSN_MEM ? handlers[insn->modrm >> 3 & 3] : NULL;
}

static uint16_t
read_selector(Vcpu *vcpu, const IemInsn *insn)
{
    return insn->flags & IEM_INSN_MEM ? iem_read_u16(vcpu, insn->seg, iem_ea(vcpu, insn))
                                      : (uint16_t)vcpu->gpr[insn->rm];
}

static void
write_selector(Vcpu *vcpu, const IemInsn *insn, uint16_t selector)
{
    if (insn->flags & IEM_INSN_MEM)
        iem_write_u16(vcpu, insn->seg, iem_ea(vcpu, insn), selector);
    else
        iem_gpr_write(vcpu, insn->rm, insn->opsize, selector);
}

/* Both loads take a system descriptor from the GDT; `types` is a set of X86_SYS_*. */
static void
fetch_system(Vcpu *vcpu, uint16_t selector, unsigned types, IemDescriptor *d)
{
    uint32_t error = iem_selector_error(selector, 0);

    if (selector & 4 || !iem_fetch_descriptor(vcpu, selector, d) || !iem_descriptor_is_system(d) ||
        !(types >> iem_descriptor_type(d) & 1))
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (iem_long_mode_active(vcpu) && (d->high >> 40 & 0x1f || !iem_is_canonical(vcpu, d->base)))
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (!(d->attr & X86_SEG_P))
        iem_raise_error(vcpu, X86_XCPT_NP, error);
}

static void
op_lldt(Vcpu *vcpu, const IemInsn *insn)
{
    IemDescriptor d;
    uint16_t selector;

    iem_require_protected(vcpu);
    iem_require_cpl0(vcpu);
    selector = read_selector(vcpu, insn);
    if (iem_selector_is_null(selector)) {
        vcpu->ldtr = (CpumSeg){.sel = selector, .attr = X86_SEG_UNUSABLE};
        return;
    }
    fetch_system(vcpu, selector, 1u << X86_SYS_LDT, &d);
    vcpu->ldtr = (CpumSeg){.sel = selector, .base = d.base, .limit = d.limit, .attr = d.attr};
}

static void
op_ltr(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned types = 1u << X86_SYS_TSS32_AVAIL;
    IemDescriptor d;
    uint16_t selector;

    iem_require_protected(vcpu);
    iem_require_cpl0(vcpu);
    if (!iem_long_mode_active(vcpu))
        types |= 1u << X86_SYS_TSS16_AVAIL;
    selector = read_selector(vcpu, insn);
    if (iem_selector_is_null(selector))
        iem_raise_gp0(vcpu);
    fetch_system(vcpu, selector, types, &d);
    d.attr |= 2;
    if (iem_sys_change_u8(vcpu, vcpu->gdtr.base + (selector & 0xfff8u) + 5, 2, 0) & 2)
        iem_raise_error(vcpu, X86_XCPT_GP, iem_selector_error(selector, 0)); /* another CPU's now */
    vcpu->tr = (CpumSeg){.sel = selector, .base = d.base, .limit = d.limit, .attr = d.attr};
}

static void
op_sldt(Vcpu *vcpu, const IemInsn *insn)
{
    iem_require_protected(vcpu);
    iem_require_umip(vcpu);
    write_selector(vcpu, insn, vcpu->ldtr.sel);
}

static void
op_str(Vcpu *vcpu, const IemInsn *insn)
{
    iem_require_protected(vcpu);
    iem_require_umip(vcpu);
    write_selector(vcpu, insn, vcpu->tr.sel);
}

IemHandler
iem_choose_ldt_tr(const Vcpu *vcpu, IemInsn *insn)
{
    static const IemHandler handlers[4] = {op_sldt, op_str, op_lldt, op_ltr};

    return handlers[insn->modrm >> 3 & 3];
}
