/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Far JMP, CALL and RET in every mode, to code segments. Call gates are in iem-gate.c, task
 * switches in iem-task.c. Intel SDM volume 2A CALL, JMP; volume 2B RET; volume 3A 5.8. */
#include "vmm/iem/iem-system.h"

/* Where a far transfer goes. */
typedef struct {
    uint16_t selector;
    uint64_t offset;
} FarTarget;

static FarTarget
target_immediate(const IemInsn *insn)
{
    uint64_t offset = insn->opsize == 2 ? (uint16_t)insn->imm : (uint32_t)insn->imm;

    return (FarTarget){.selector = insn->imm2, .offset = offset};
}

static FarTarget
target_memory(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t ea = iem_ea(vcpu, insn);
    uint64_t mask = insn->addrsize == 8 ? ~0ull : insn->addrsize == 4 ? 0xffffffffu : 0xffffu;
    FarTarget target;

    if (insn->opsize == 2)
        target.offset = iem_read_u16(vcpu, insn->seg, ea);
    else if (insn->opsize == 4)
        target.offset = iem_read_u32(vcpu, insn->seg, ea);
    else
        target.offset = iem_read_u64(vcpu, insn->seg, ea);
    target.selector = iem_read_u16(vcpu, insn->seg, (ea + insn->opsize) & mask);
    return target;
}

static void
far_real_jump(Vcpu *vcpu, FarTarget target)
{
    if (target.offset > vcpu->seg[X86_CS].limit)
        iem_raise_gp0(vcpu);
    iem_load_real_segment(vcpu, X86_CS, target.selector, iem_in_v86(vcpu));
    vcpu->rip = target.offset;
    iem_state_changed(vcpu);
}

static void
far_real_call(Vcpu *vcpu, FarTarget target, unsigned opsize)
{
    IemFrame frame;

    iem_frame_current(vcpu, &frame, 0);
    iem_frame_check_push(vcpu, &frame, 2, opsize);
    if (target.offset > vcpu->seg[X86_CS].limit)
        iem_raise_gp0(vcpu);
    iem_frame_push(vcpu, &frame, vcpu->seg[X86_CS].sel, opsize);
    iem_frame_push(vcpu, &frame, vcpu->rip, opsize);
    iem_frame_commit(vcpu, &frame);
    far_real_jump(vcpu, target);
}

/* A code segment that CALL and JMP may name directly. */
static void
check_direct_code(Vcpu *vcpu, uint16_t selector, const IemDescriptor *d)
{
    uint32_t error = iem_selector_error(selector, 0);
    unsigned dpl = X86_SEG_DPL(d->attr);
    bool allowed = iem_descriptor_is_conforming(d)
                       ? dpl <= vcpu->cpl
                       : dpl == vcpu->cpl && (selector & 3u) <= vcpu->cpl;

    if (iem_descriptor_has_bad_size(vcpu, d) || !allowed)
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (!(d->attr & X86_SEG_P))
        iem_raise_error(vcpu, X86_XCPT_NP, error);
}

static void
enter_code(Vcpu *vcpu, FarTarget target, IemDescriptor *d)
{
    iem_load_cs(vcpu, target.selector, d, vcpu->cpl);
    vcpu->rip = target.offset;
    cpum_update_mode(vcpu);
    iem_state_changed(vcpu);
}

static void
far_protected(Vcpu *vcpu, FarTarget target, unsigned opsize, bool call)
{
    IemDescriptor d;
    IemFrame frame;

    if (iem_selector_is_null(target.selector))
        iem_raise_gp0(vcpu);
    iem_fetch_or_raise(vcpu, target.selector, X86_XCPT_GP, 0, &d);
    if (iem_descriptor_is_system(&d)) {
        unsigned type = iem_descriptor_type(&d);

        if (type != X86_SYS_CALL_GATE32 && type != X86_SYS_CALL_GATE16)
            iem_task_transfer(vcpu, target.selector, &d, call);
        else if (call)
            iem_gate_call(vcpu, target.selector, &d);
        else
            iem_gate_jump(vcpu, target.selector, &d);
        return;
    }
    if (!iem_descriptor_is_code(&d))
        iem_raise_error(vcpu, X86_XCPT_GP, iem_selector_error(target.selector, 0));
    check_direct_code(vcpu, target.selector, &d);
    iem_frame_current(vcpu, &frame, 0);
    if (call)
        iem_frame_check_push(vcpu, &frame, 2, opsize);
    iem_check_code_offset(vcpu, &d, target.offset, 0);
    if (call) {
        iem_frame_push(vcpu, &frame, vcpu->seg[X86_CS].sel, opsize);
        iem_frame_push(vcpu, &frame, vcpu->rip, opsize);
        iem_set_descriptor_accessed(vcpu, target.selector, &d);
        iem_frame_commit(vcpu, &frame);
    }
    enter_code(vcpu, target, &d);
}

static void
far_transfer(Vcpu *vcpu, FarTarget target, unsigned opsize, bool call)
{
    if (iem_is_protected(vcpu))
        far_protected(vcpu, target, opsize, call);
    else if (call)
        far_real_call(vcpu, target, opsize);
    else
        far_real_jump(vcpu, target);
}

static void
op_jmp_far_imm(Vcpu *vcpu, const IemInsn *insn)
{
    far_transfer(vcpu, target_immediate(insn), insn->opsize, false);
}

static void
op_jmp_far_mem(Vcpu *vcpu, const IemInsn *insn)
{
    far_transfer(vcpu, target_memory(vcpu, insn), insn->opsize, false);
}

static void
op_call_far_imm(Vcpu *vcpu, const IemInsn *insn)
{
    far_transfer(vcpu, target_immediate(insn), insn->opsize, true);
}

static void
op_call_far_mem(Vcpu *vcpu, const IemInsn *insn)
{
    far_transfer(vcpu, target_memory(vcpu, insn), insn->opsize, true);
}

static uint64_t
release_bytes(const IemInsn *insn)
{
    return insn->opcode == 0xca ? (uint16_t)insn->imm : 0;
}

static void
release(Vcpu *vcpu, IemFrame *frame, uint64_t bytes)
{
    frame->sp += bytes;
    iem_frame_commit(vcpu, frame);
}

static void
return_real(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned size = insn->opsize;
    FarTarget target;
    IemFrame frame;

    iem_frame_current(vcpu, &frame, 0);
    iem_frame_check_pop(vcpu, &frame, 0, size);
    iem_frame_check_pop(vcpu, &frame, size, 2);
    target.offset = iem_frame_peek(vcpu, &frame, 0, size);
    target.selector = (uint16_t)iem_frame_peek(vcpu, &frame, size, 2);
    if (target.offset > vcpu->seg[X86_CS].limit)
        iem_raise_gp0(vcpu);
    release(vcpu, &frame, 2u * size + release_bytes(insn));
    far_real_jump(vcpu, target);
}

void
iem_check_return_code(Vcpu *vcpu, uint16_t selector, IemDescriptor *d)
{
    uint32_t error = iem_selector_error(selector, 0);
    unsigned rpl = selector & 3u;
    unsigned dpl;

    if (iem_selector_is_null(selector))
        iem_raise_gp0(vcpu);
    iem_fetch_or_raise(vcpu, selector, X86_XCPT_GP, 0, d);
    dpl = X86_SEG_DPL(d->attr);
    if (!iem_descriptor_is_code(d) || rpl < vcpu->cpl || iem_descriptor_has_bad_size(vcpu, d) ||
        (iem_descriptor_is_conforming(d) ? dpl > rpl : dpl != rpl))
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (!(d->attr & X86_SEG_P))
        iem_raise_error(vcpu, X86_XCPT_NP, error);
}

void
iem_check_return_ss(Vcpu *vcpu, uint16_t selector, unsigned rpl, bool to_code64, IemDescriptor *d)
{
    uint32_t error = iem_selector_error(selector, 0);

    if (iem_selector_is_null(selector)) {
        if (!to_code64 || rpl == 3 || (selector & 3u) != rpl)
            iem_raise_gp0(vcpu);
        return;
    }
    iem_fetch_or_raise(vcpu, selector, X86_XCPT_GP, 0, d);
    if ((selector & 3u) != rpl || X86_SEG_DPL(d->attr) != rpl ||
        !iem_descriptor_is_writable_data(d))
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (!(d->attr & X86_SEG_P))
        iem_raise_error(vcpu, X86_XCPT_SS, error);
}

void
iem_return_ss(Vcpu *vcpu, uint16_t selector, IemDescriptor *d, unsigned rpl, uint64_t sp)
{
    IemFrame frame;

    if (iem_selector_is_null(selector))
        iem_load_null_ss(vcpu, selector, rpl);
    else
        iem_load_ss(vcpu, selector, d);
    cpum_update_mode(vcpu);
    iem_frame_current(vcpu, &frame, 0);
    frame.sp = sp;
    iem_frame_commit(vcpu, &frame);
}

static void
return_outer(Vcpu *vcpu, const IemInsn *insn, const IemFrame *frame, FarTarget target,
             IemDescriptor *cs)
{
    unsigned size = insn->opsize;
    unsigned rpl = target.selector & 3u;
    unsigned above = 2u * size + (unsigned)release_bytes(insn);
    IemDescriptor ss;
    uint16_t ss_selector;
    uint64_t sp;

    iem_frame_check_pop(vcpu, frame, above, size);
    iem_frame_check_pop(vcpu, frame, above + size, 2);
    sp = iem_frame_peek(vcpu, frame, above, size);
    ss_selector = (uint16_t)iem_frame_peek(vcpu, frame, above + size, 2);
    iem_check_return_ss(vcpu, ss_selector, rpl, iem_descriptor_is_code64(vcpu, cs), &ss);
    iem_check_code_offset(vcpu, cs, target.offset, 0);
    iem_set_descriptor_accessed(vcpu, target.selector, cs);
    if (!iem_selector_is_null(ss_selector))
        iem_set_descriptor_accessed(vcpu, ss_selector, &ss);
    iem_load_cs(vcpu, target.selector, cs, rpl);
    iem_return_ss(vcpu, ss_selector, &ss, rpl, sp + release_bytes(insn));
    iem_drop_inner_segments(vcpu, rpl);
}

static void
return_protected(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned size = insn->opsize;
    FarTarget target;
    IemFrame frame;
    IemDescriptor cs;

    iem_frame_current(vcpu, &frame, 0);
    iem_frame_check_pop(vcpu, &frame, 0, size);
    iem_frame_check_pop(vcpu, &frame, size, 2);
    target.offset = iem_frame_peek(vcpu, &frame, 0, size);
    target.selector = (uint16_t)iem_frame_peek(vcpu, &frame, size, 2);
    iem_check_return_code(vcpu, target.selector, &cs);
    if ((target.selector & 3u) > vcpu->cpl) {
        return_outer(vcpu, insn, &frame, target, &cs);
    } else {
        iem_check_code_offset(vcpu, &cs, target.offset, 0);
        iem_load_cs(vcpu, target.selector, &cs, vcpu->cpl);
        release(vcpu, &frame, 2u * size + release_bytes(insn));
    }
    vcpu->rip = target.offset;
    cpum_update_mode(vcpu);
    iem_state_changed(vcpu);
}

static void
op_ret_far(Vcpu *vcpu, const IemInsn *insn)
{
    if (iem_is_protected(vcpu))
        return_protected(vcpu, insn);
    else
        return_real(vcpu, insn);
}

IemHandler
iem_choose_jmp_far(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    return insn->opcode == 0xea ? op_jmp_far_imm : op_jmp_far_mem;
}

IemHandler
iem_choose_call_far(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    return insn->opcode == 0x9a ? op_call_far_imm : op_call_far_mem;
}

IemHandler
iem_choose_ret_far(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    return op_ret_far;
}
