/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * IRET, IRETD, IRETQ: real mode, virtual-8086 mode with and without VME, return within and between
 * privilege levels, to virtual-8086 mode, from a nested task, in long mode.
 * Intel SDM volume 2A IRET; volume 3A 6.12.1, 6.14.3, 7.3, 20.2.1. */
#include "vmm/iem/iem-system.h"

/* What an IRET at that CPL and operand size may change (SDM 2A, IRET, "Return to same privilege").
 */
static uint64_t
writable_flags(const Vcpu *vcpu, unsigned size)
{
    uint64_t mask = X86_FL_STATUS | X86_FL_TF | X86_FL_DF | X86_FL_NT;
    unsigned iopl = (unsigned)(vcpu->rflags >> 12) & 3;

    if (size != 2)
        mask |= X86_FL_RF | X86_FL_AC | X86_FL_ID;
    if (vcpu->cpl <= iopl)
        mask |= X86_FL_IF;
    if (vcpu->cpl == 0)
        mask |= X86_FL_IOPL | (size != 2 ? X86_FL_VIF | X86_FL_VIP : 0);
    return mask;
}

static uint64_t
merge_flags(uint64_t old, uint64_t image, uint64_t mask)
{
    return (old & ~mask) | (image & mask) | X86_FL_1;
}

typedef struct {
    IemFrame frame;
    unsigned size;
    uint64_t rip, flags;
    uint16_t cs;
} Return;

/* Reads the three words that every form has. */
static void
read_return(Vcpu *vcpu, unsigned size, Return *ret)
{
    ret->size = size;
    iem_frame_current(vcpu, &ret->frame, 0);
    for (unsigned i = 0; i < 3; i++)
        iem_frame_check_pop(vcpu, &ret->frame, i * size, size);
    ret->rip = iem_frame_peek(vcpu, &ret->frame, 0, size);
    ret->cs = (uint16_t)iem_frame_peek(vcpu, &ret->frame, size, size);
    ret->flags = iem_frame_peek(vcpu, &ret->frame, 2 * size, size);
}

static void
leave_with(Vcpu *vcpu, const Return *ret)
{
    vcpu->rip = ret->rip;
    cpum_update_mode(vcpu);
    iem_state_changed(vcpu);
    iem_check_virtual_interrupt(vcpu);
    trpm_recheck(vcpu);
}

static void
return_as_8086(Vcpu *vcpu, Return *ret, uint64_t mask)
{
    if (ret->rip > vcpu->seg[X86_CS].limit)
        iem_raise_gp0(vcpu);
    iem_load_real_segment(vcpu, X86_CS, ret->cs, iem_in_v86(vcpu));
    ret->frame.sp += 3u * ret->size;
    iem_frame_commit(vcpu, &ret->frame);
    vcpu->rflags = merge_flags(vcpu->rflags, ret->flags, mask);
    leave_with(vcpu, ret);
}

static void
iret_real(Vcpu *vcpu, unsigned size)
{
    uint64_t mask = X86_FL_STATUS | X86_FL_TF | X86_FL_IF | X86_FL_DF | X86_FL_IOPL | X86_FL_NT;
    Return ret;

    if (size != 2)
        mask |= X86_FL_RF | X86_FL_AC | X86_FL_ID;
    read_return(vcpu, size, &ret);
    return_as_8086(vcpu, &ret, mask);
}

/* IOPL < 3 with VME: the image's IF is the program's VIF. */
static void
iret_v86_virtual(Vcpu *vcpu)
{
    Return ret;

    read_return(vcpu, 2, &ret);
    if (ret.rip > vcpu->seg[X86_CS].limit)
        iem_raise_gp0(vcpu);
    iem_load_virtual_flags(vcpu, ret.flags);
    return_as_8086(vcpu, &ret, 0);
}

static void
iret_v86(Vcpu *vcpu, unsigned size)
{
    uint64_t mask = X86_FL_STATUS | X86_FL_TF | X86_FL_IF | X86_FL_DF | X86_FL_NT;
    Return ret;

    if (iem_has_virtual_flags(vcpu, size)) {
        iret_v86_virtual(vcpu);
        return;
    }
    if ((vcpu->rflags & X86_FL_IOPL) != X86_FL_IOPL)
        iem_raise_gp0(vcpu);
    if (size != 2)
        mask |= X86_FL_RF | X86_FL_AC | X86_FL_ID;
    read_return(vcpu, size, &ret);
    return_as_8086(vcpu, &ret, mask);
}

static void
return_to_v86(Vcpu *vcpu, Return *ret)
{
    static const uint8_t order[] = {X86_ES, X86_DS, X86_FS, X86_GS};
    uint16_t data[G_N_ELEMENTS(order)];
    uint64_t esp;
    uint16_t ss;

    for (unsigned i = 3; i < 9; i++)
        iem_frame_check_pop(vcpu, &ret->frame, i * 4, 4);
    esp = iem_frame_peek(vcpu, &ret->frame, 12, 4);
    ss = (uint16_t)iem_frame_peek(vcpu, &ret->frame, 16, 4);
    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++)
        data[i] = (uint16_t)iem_frame_peek(vcpu, &ret->frame, 20 + 4 * i, 4);
    if (ret->rip > 0xffff)
        iem_raise_gp0(vcpu);
    vcpu->rflags =
        merge_flags(vcpu->rflags, ret->flags, writable_flags(vcpu, 4) | X86_FL_VM | X86_FL_IF);
    iem_load_real_segment(vcpu, X86_CS, ret->cs, true);
    iem_load_real_segment(vcpu, X86_SS, ss, true);
    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++)
        iem_load_real_segment(vcpu, order[i], data[i], true);
    vcpu->gpr[X86_RSP] = esp;
    leave_with(vcpu, ret);
}

/* With SS:RSP on the stack: to an outer level, and always in 64-bit mode. */
static void
return_with_stack(Vcpu *vcpu, Return *ret, IemDescriptor *cs)
{
    unsigned rpl = ret->cs & 3u;
    bool outer = rpl > vcpu->cpl;
    uint64_t mask = writable_flags(vcpu, ret->size);
    IemDescriptor ss;
    uint64_t sp;
    uint16_t ss_selector;

    iem_frame_check_pop(vcpu, &ret->frame, 3 * ret->size, ret->size);
    iem_frame_check_pop(vcpu, &ret->frame, 4 * ret->size, ret->size);
    sp = iem_frame_peek(vcpu, &ret->frame, 3 * ret->size, ret->size);
    ss_selector = (uint16_t)iem_frame_peek(vcpu, &ret->frame, 4 * ret->size, ret->size);
    iem_check_return_ss(vcpu, ss_selector, rpl, iem_descriptor_is_code64(vcpu, cs), &ss);
    iem_check_code_offset(vcpu, cs, ret->rip, 0);
    iem_set_descriptor_accessed(vcpu, ret->cs, cs);
    if (!iem_selector_is_null(ss_selector))
        iem_set_descriptor_accessed(vcpu, ss_selector, &ss);
    iem_load_cs(vcpu, ret->cs, cs, rpl);
    vcpu->rflags = merge_flags(vcpu->rflags, ret->flags, mask);
    iem_return_ss(vcpu, ss_selector, &ss, rpl, sp);
    if (outer)
        iem_drop_inner_segments(vcpu, rpl);
    leave_with(vcpu, ret);
}

static void
return_same(Vcpu *vcpu, Return *ret, IemDescriptor *cs)
{
    iem_check_code_offset(vcpu, cs, ret->rip, 0);
    iem_load_cs(vcpu, ret->cs, cs, vcpu->cpl);
    ret->frame.sp += 3u * ret->size;
    iem_frame_commit(vcpu, &ret->frame);
    vcpu->rflags = merge_flags(vcpu->rflags, ret->flags, writable_flags(vcpu, ret->size));
    leave_with(vcpu, ret);
}

/* NT is set: back to the task whose selector is in the link of the present TSS. */
static void
return_from_task(Vcpu *vcpu)
{
    uint16_t link = iem_sys_read_u16(vcpu, vcpu->tr.base);
    uint32_t error = iem_selector_error(link, 0);
    IemDescriptor tss;
    unsigned type;

    if (link & 4 || iem_selector_is_null(link))
        iem_raise_error(vcpu, X86_XCPT_TS, error);
    iem_fetch_or_raise(vcpu, link, X86_XCPT_TS, 0, &tss);
    type = iem_descriptor_type(&tss);
    if (!iem_descriptor_is_system(&tss) ||
        (type != X86_SYS_TSS16_BUSY && type != X86_SYS_TSS32_BUSY))
        iem_raise_error(vcpu, X86_XCPT_TS, error);
    if (!(tss.attr & X86_SEG_P))
        iem_raise_error(vcpu, X86_XCPT_NP, error);
    iem_task_switch(vcpu, link, IEM_TASK_IRET, false, 0, vcpu->rip);
}

static void
iret_protected(Vcpu *vcpu, unsigned size)
{
    bool long_mode = iem_long_mode_active(vcpu);
    IemDescriptor cs;
    Return ret;

    if (vcpu->rflags & X86_FL_NT) {
        if (long_mode)
            iem_raise_gp0(vcpu);
        return_from_task(vcpu);
        return;
    }
    read_return(vcpu, size, &ret);
    if (!long_mode && size == 4 && ret.flags & X86_FL_VM && vcpu->cpl == 0) {
        return_to_v86(vcpu, &ret);
        return;
    }
    iem_check_return_code(vcpu, ret.cs, &cs);
    if (iem_is_long64(vcpu) || (ret.cs & 3u) > vcpu->cpl)
        return_with_stack(vcpu, &ret, &cs);
    else
        return_same(vcpu, &ret, &cs);
}

/* NMIs are let in again by the execution of IRET, even when it faults (SDM 3A 6.7.1). */
static void
op_iret(Vcpu *vcpu, const IemInsn *insn)
{
    if (vcpu->nmi_blocked) {
        vcpu->nmi_blocked = 0;
        trpm_recheck(vcpu);
    }
    if (vcpu->mode == CPUM_MODE_REAL)
        iret_real(vcpu, insn->opsize);
    else if (iem_in_v86(vcpu))
        iret_v86(vcpu, insn->opsize);
    else
        iret_protected(vcpu, insn->opsize);
}

IemHandler
iem_choose_iret(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    return op_iret;
}
