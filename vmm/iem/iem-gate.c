/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Far CALL and JMP through 16-, 32- and 64-bit call gates: privilege, the inner stack, the copy of
 * parameters. Intel SDM volume 2A CALL "Call gate", volume 3A 5.8.3 to 5.8.5. */
#include "vmm/iem/iem-system.h"

void
iem_check_system_target(Vcpu *vcpu, uint16_t selector, const IemDescriptor *d)
{
    uint32_t error = iem_selector_error(selector, 0);
    unsigned dpl = X86_SEG_DPL(d->attr);

    if (dpl < vcpu->cpl || dpl < (selector & 3u))
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (!(d->attr & X86_SEG_P))
        iem_raise_error(vcpu, X86_XCPT_NP, error);
}

typedef struct {
    uint16_t selector;
    uint64_t offset;
    unsigned size; /* of what is pushed: 2, 4, 8 */
    unsigned params;
    IemDescriptor cs;
} Gate;

/* Everything that CALL and JMP check alike. In long mode only the 16-byte gate exists, and it leads
 * to 64-bit code. */
static void
open_gate(Vcpu *vcpu, uint16_t selector, const IemDescriptor *d, Gate *gate)
{
    bool long_mode = iem_long_mode_active(vcpu);
    bool wide = iem_descriptor_type(d) == X86_SYS_CALL_GATE32;
    uint32_t error;

    if (long_mode && (!wide || (d->high >> 40 & 0x1f)))
        iem_raise_error(vcpu, X86_XCPT_GP, iem_selector_error(selector, 0));
    iem_check_system_target(vcpu, selector, d);
    gate->selector = iem_gate_selector(d);
    gate->offset = iem_gate_offset(d, wide);
    gate->size = long_mode ? 8 : wide ? 4 : 2;
    gate->params = long_mode ? 0 : (unsigned)(d->raw >> 32) & 0x1f;
    if (iem_selector_is_null(gate->selector))
        iem_raise_gp0(vcpu);
    error = iem_selector_error(gate->selector, 0);
    iem_fetch_or_raise(vcpu, gate->selector, X86_XCPT_GP, 0, &gate->cs);
    if (!iem_descriptor_is_code(&gate->cs) || X86_SEG_DPL(gate->cs.attr) > vcpu->cpl)
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (long_mode && (gate->cs.attr & (X86_SEG_L | X86_SEG_DB)) != X86_SEG_L)
        iem_raise_error(vcpu, X86_XCPT_GP, error);
}

static void
require_present(Vcpu *vcpu, const Gate *gate)
{
    if (!(gate->cs.attr & X86_SEG_P))
        iem_raise_error(vcpu, X86_XCPT_NP, iem_selector_error(gate->selector, 0));
}

static void
enter_gate(Vcpu *vcpu, Gate *gate, unsigned cpl)
{
    iem_load_cs(vcpu, gate->selector, &gate->cs, cpl);
    vcpu->rip = gate->offset;
    cpum_update_mode(vcpu);
    iem_state_changed(vcpu);
}

void
iem_gate_jump(Vcpu *vcpu, uint16_t selector, const IemDescriptor *d)
{
    Gate gate;

    open_gate(vcpu, selector, d, &gate);
    if (!iem_descriptor_is_conforming(&gate.cs) && X86_SEG_DPL(gate.cs.attr) != vcpu->cpl)
        iem_raise_error(vcpu, X86_XCPT_GP, iem_selector_error(gate.selector, 0));
    require_present(vcpu, &gate);
    iem_check_code_offset(vcpu, &gate.cs, gate.offset, 0);
    enter_gate(vcpu, &gate, vcpu->cpl);
}

static void
push_return(Vcpu *vcpu, IemFrame *frame, unsigned size)
{
    iem_frame_push(vcpu, frame, vcpu->seg[X86_CS].sel, size);
    iem_frame_push(vcpu, frame, vcpu->rip, size);
}

static void
call_same(Vcpu *vcpu, Gate *gate)
{
    IemFrame frame;

    /* A 64-bit gate pushes on a 64-bit stack even when compatibility-mode code calls it. */
    if (gate->size == 8)
        iem_frame_inner64(vcpu, &frame, vcpu->gpr[X86_RSP], vcpu->cpl, 0);
    else
        iem_frame_current(vcpu, &frame, 0);
    iem_frame_check_push(vcpu, &frame, 2, gate->size);
    iem_check_code_offset(vcpu, &gate->cs, gate->offset, 0);
    push_return(vcpu, &frame, gate->size);
    iem_set_descriptor_accessed(vcpu, gate->selector, &gate->cs);
    iem_frame_commit(vcpu, &frame);
    enter_gate(vcpu, gate, vcpu->cpl);
}

/* Parameters move from the outer stack to the inner one in the same order. */
static void
copy_parameters(Vcpu *vcpu, IemFrame *inner, const Gate *gate)
{
    IemFrame outer;

    iem_frame_current(vcpu, &outer, 0);
    for (unsigned i = gate->params; i-- > 0;)
        iem_frame_push(vcpu, inner, iem_frame_peek(vcpu, &outer, i * gate->size, gate->size),
                       gate->size);
}

static void
call_inner_legacy(Vcpu *vcpu, Gate *gate, unsigned cpl)
{
    IemDescriptor ss;
    IemFrame frame;
    uint16_t ss_selector;
    uint32_t sp;

    iem_tss_stack(vcpu, cpl, 0, &ss_selector, &sp);
    iem_check_inner_ss(vcpu, ss_selector, cpl, 0, &ss);
    iem_frame_inner(&frame, ss_selector, &ss, sp, iem_selector_error(ss_selector, 0));
    iem_frame_check_push(vcpu, &frame, 4 + gate->params, gate->size);
    iem_check_code_offset(vcpu, &gate->cs, gate->offset, 0);
    iem_frame_push(vcpu, &frame, vcpu->seg[X86_SS].sel, gate->size);
    iem_frame_push(vcpu, &frame, vcpu->gpr[X86_RSP], gate->size);
    copy_parameters(vcpu, &frame, gate);
    push_return(vcpu, &frame, gate->size);
    iem_set_descriptor_accessed(vcpu, gate->selector, &gate->cs);
    iem_load_ss(vcpu, ss_selector, &ss);
    iem_frame_commit(vcpu, &frame);
    enter_gate(vcpu, gate, cpl);
}

static void
call_inner_long(Vcpu *vcpu, Gate *gate, unsigned cpl)
{
    uint64_t sp = iem_tss_stack64(vcpu, cpl, 0, 0);
    IemFrame frame;

    if (!iem_is_canonical(vcpu, sp))
        iem_raise_error(vcpu, X86_XCPT_SS, 0);
    iem_frame_inner64(vcpu, &frame, sp, cpl, 0);
    iem_frame_check_push(vcpu, &frame, 4, 8);
    iem_check_code_offset(vcpu, &gate->cs, gate->offset, 0);
    iem_frame_push(vcpu, &frame, vcpu->seg[X86_SS].sel, 8);
    iem_frame_push(vcpu, &frame, vcpu->gpr[X86_RSP], 8);
    push_return(vcpu, &frame, 8);
    iem_set_descriptor_accessed(vcpu, gate->selector, &gate->cs);
    iem_load_null_ss(vcpu, (uint16_t)cpl, cpl);
    iem_frame_commit(vcpu, &frame);
    enter_gate(vcpu, gate, cpl);
}

void
iem_gate_call(Vcpu *vcpu, uint16_t selector, const IemDescriptor *d)
{
    Gate gate;
    unsigned dpl;

    open_gate(vcpu, selector, d, &gate);
    require_present(vcpu, &gate);
    dpl = X86_SEG_DPL(gate.cs.attr);
    if (iem_descriptor_is_conforming(&gate.cs) || dpl == vcpu->cpl)
        call_same(vcpu, &gate);
    else if (gate.size == 8)
        call_inner_long(vcpu, &gate, dpl);
    else
        call_inner_legacy(vcpu, &gate, dpl);
}
