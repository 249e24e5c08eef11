/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Interrupt and exception delivery: the vector table of real mode, 16- and 32-bit gates of
 * protected mode with their stack switch and the way out of virtual-8086 mode, task gates; long
 * mode is in iem-interrupt-long.c. INT n and its kin are in iem-int.c. Intel SDM volume 3A 6.10
 * to 6.15, 20.1.4, 20.3; volume 2A INT n. */
#include "vmm/iem/iem-interrupt.h"

/* The RF of the image is 1 for every fault but a breakpoint's #DB, so that the handler's IRET goes
 * over the breakpoint (SDM 3B 17.3.1.1). Traps and interrupts keep what is there. */
static uint64_t
flags_image(const Vcpu *vcpu, const IemEvent *event)
{
    bool fault = event->kind == IEM_EVENT_EXCEPTION && event->vector != X86_XCPT_DB &&
                 event->vector != X86_XCPT_MC;

    return vcpu->rflags | (fault ? X86_FL_RF : 0);
}

void
iem_enter_handler_flags(Vcpu *vcpu, bool interrupt_gate)
{
    vcpu->rflags &= ~(uint64_t)(X86_FL_TF | X86_FL_NT | X86_FL_RF | X86_FL_VM);
    if (interrupt_gate)
        vcpu->rflags &= ~(uint64_t)X86_FL_IF;
}

static void
deliver_real(Vcpu *vcpu, const IemEvent *event)
{
    uint32_t offset = event->vector * 4u;
    IemFrame frame;
    uint32_t entry;

    if (offset + 3 > vcpu->idtr.limit)
        iem_raise_error(vcpu, X86_XCPT_GP, offset * 2 + IEM_ERROR_IDT + event->ext);
    entry = iem_sys_read_u32(vcpu, vcpu->idtr.base + offset);
    iem_frame_current(vcpu, &frame, event->ext);
    iem_frame_check_push(vcpu, &frame, 3, 2);
    if ((entry & 0xffff) > vcpu->seg[X86_CS].limit)
        iem_raise_error(vcpu, X86_XCPT_GP, event->ext);
    iem_frame_push(vcpu, &frame, vcpu->rflags, 2);
    iem_frame_push(vcpu, &frame, vcpu->seg[X86_CS].sel, 2);
    iem_frame_push(vcpu, &frame, vcpu->rip, 2);
    iem_frame_commit(vcpu, &frame);
    vcpu->rflags &= ~(uint64_t)(X86_FL_IF | X86_FL_TF | X86_FL_AC | X86_FL_RF);
    iem_load_real_segment(vcpu, X86_CS, (uint16_t)(entry >> 16), false);
    vcpu->rip = entry & 0xffff;
}

void
iem_check_handler_code(Vcpu *vcpu, uint16_t selector, uint32_t ext, IemDescriptor *cs)
{
    uint32_t error = iem_selector_error(selector, ext);

    if (iem_selector_is_null(selector))
        iem_raise_error(vcpu, X86_XCPT_GP, ext);
    iem_fetch_or_raise(vcpu, selector, X86_XCPT_GP, ext, cs);
    if (!iem_descriptor_is_code(cs) || X86_SEG_DPL(cs->attr) > vcpu->cpl)
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (iem_long_mode_active(vcpu) && (cs->attr & (X86_SEG_L | X86_SEG_DB)) != X86_SEG_L)
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (!(cs->attr & X86_SEG_P))
        iem_raise_error(vcpu, X86_XCPT_NP, error);
}

typedef struct {
    uint16_t selector;
    uint64_t offset;
    unsigned size; /* 2 or 4 */
    bool interrupt;
    IemDescriptor cs;
} Gate;

static void
push_event(Vcpu *vcpu, IemFrame *frame, const IemEvent *event, unsigned size)
{
    iem_frame_push(vcpu, frame, event->flags, size);
    iem_frame_push(vcpu, frame, vcpu->seg[X86_CS].sel, size);
    iem_frame_push(vcpu, frame, vcpu->rip, size);
    if (event->has_error)
        iem_frame_push(vcpu, frame, event->error, size);
}

static void
enter_handler(Vcpu *vcpu, Gate *gate, unsigned cpl)
{
    iem_load_cs(vcpu, gate->selector, &gate->cs, cpl);
    vcpu->rip = gate->offset;
    iem_enter_handler_flags(vcpu, gate->interrupt);
}

static void
deliver_same(Vcpu *vcpu, const IemEvent *event, Gate *gate)
{
    IemFrame frame;

    iem_frame_current(vcpu, &frame, event->ext);
    iem_frame_check_push(vcpu, &frame, 3u + event->has_error, gate->size);
    iem_check_code_offset(vcpu, &gate->cs, gate->offset, event->ext);
    push_event(vcpu, &frame, event, gate->size);
    iem_set_descriptor_accessed(vcpu, gate->selector, &gate->cs);
    iem_frame_commit(vcpu, &frame);
    enter_handler(vcpu, gate, vcpu->cpl);
}

static void
push_v86_segments(Vcpu *vcpu, IemFrame *frame, unsigned size)
{
    static const uint8_t order[] = {X86_GS, X86_FS, X86_DS, X86_ES};

    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++)
        iem_frame_push(vcpu, frame, vcpu->seg[order[i]].sel, size);
}

static void
drop_v86_segments(Vcpu *vcpu)
{
    iem_null_segment(vcpu, X86_ES, 0);
    iem_null_segment(vcpu, X86_DS, 0);
    iem_null_segment(vcpu, X86_FS, 0);
    iem_null_segment(vcpu, X86_GS, 0);
}

static void
deliver_inner(Vcpu *vcpu, const IemEvent *event, Gate *gate, unsigned cpl)
{
    bool v86 = iem_in_v86(vcpu);
    unsigned count = 5u + event->has_error + (v86 ? 4 : 0);
    IemDescriptor ss;
    IemFrame frame;
    uint16_t ss_selector;
    uint32_t sp;

    iem_tss_stack(vcpu, cpl, event->ext, &ss_selector, &sp);
    iem_check_inner_ss(vcpu, ss_selector, cpl, event->ext, &ss);
    iem_frame_inner(&frame, ss_selector, &ss, sp, iem_selector_error(ss_selector, event->ext));
    iem_frame_check_push(vcpu, &frame, count, gate->size);
    iem_check_code_offset(vcpu, &gate->cs, gate->offset, event->ext);
    if (v86)
        push_v86_segments(vcpu, &frame, gate->size);
    iem_frame_push(vcpu, &frame, vcpu->seg[X86_SS].sel, gate->size);
    iem_frame_push(vcpu, &frame, vcpu->gpr[X86_RSP], gate->size);
    push_event(vcpu, &frame, event, gate->size);
    iem_set_descriptor_accessed(vcpu, gate->selector, &gate->cs);
    iem_load_ss(vcpu, ss_selector, &ss);
    iem_frame_commit(vcpu, &frame);
    if (v86)
        drop_v86_segments(vcpu);
    enter_handler(vcpu, gate, cpl);
}

static void
deliver_gate(Vcpu *vcpu, const IemEvent *event, const IemDescriptor *d)
{
    unsigned type = iem_descriptor_type(d);
    bool wide = (type & 8) != 0;
    Gate gate = {.selector = iem_gate_selector(d),
                 .offset = iem_gate_offset(d, wide),
                 .size = wide ? 4 : 2,
                 .interrupt = !(type & 1)};
    unsigned dpl;
    bool inner;

    iem_check_handler_code(vcpu, gate.selector, event->ext, &gate.cs);
    dpl = X86_SEG_DPL(gate.cs.attr);
    inner = !iem_descriptor_is_conforming(&gate.cs) && dpl < vcpu->cpl;
    /* Only ring 0 may serve virtual-8086 mode. */
    if (iem_in_v86(vcpu) && (!inner || dpl != 0))
        iem_raise_error(vcpu, X86_XCPT_GP, iem_selector_error(gate.selector, event->ext));
    if (inner)
        deliver_inner(vcpu, event, &gate, dpl);
    else
        deliver_same(vcpu, event, &gate);
}

static void
deliver_task(Vcpu *vcpu, const IemEvent *event, uint16_t tss)
{
    unsigned why = event->ext ? IEM_TASK_INTERRUPT : IEM_TASK_SOFTWARE;

    iem_task_gate_check(vcpu, tss, event->ext);
    vcpu->rflags = event->flags; /* the old task's image */
    iem_task_switch(vcpu, tss, why, event->has_error, event->error, vcpu->rip);
}

static void
deliver_protected(Vcpu *vcpu, const IemEvent *event)
{
    uint32_t offset = event->vector * 8u;
    uint32_t error = offset + IEM_ERROR_IDT + event->ext;
    IemDescriptor d;
    unsigned type;

    if (offset + 7 > vcpu->idtr.limit)
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    iem_parse_descriptor(iem_sys_read_u64(vcpu, vcpu->idtr.base + offset), &d);
    type = iem_descriptor_type(&d);
    if (!iem_descriptor_is_system(&d) ||
        (type != X86_SYS_TASK_GATE && (type & ~8u) != X86_SYS_INT_GATE16 &&
         (type & ~8u) != X86_SYS_TRAP_GATE16))
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (event->kind == IEM_EVENT_SOFTWARE && X86_SEG_DPL(d.attr) < vcpu->cpl)
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (!(d.attr & X86_SEG_P))
        iem_raise_error(vcpu, X86_XCPT_NP, error);
    if (type == X86_SYS_TASK_GATE)
        deliver_task(vcpu, event, iem_gate_selector(&d));
    else
        deliver_gate(vcpu, event, &d);
}

void
iem_interrupt(Vcpu *vcpu, IemEventKind kind, uint8_t vector, bool has_error, uint32_t error)
{
    IemEvent event = {.kind = kind,
                      .vector = vector,
                      .has_error = has_error,
                      .error = error,
                      .ext = kind == IEM_EVENT_SOFTWARE ? 0 : IEM_ERROR_EXT};

    if (kind == IEM_EVENT_NMI)
        vcpu->nmi_blocked = 1;
    event.flags = flags_image(vcpu, &event);
    if (vcpu->mode == CPUM_MODE_REAL)
        deliver_real(vcpu, &event);
    else if (iem_long_mode_active(vcpu))
        iem_deliver_long(vcpu, &event);
    else
        deliver_protected(vcpu, &event);
    vcpu->irq_shadow = 0;
    cpum_update_mode(vcpu);
    iem_state_changed(vcpu);
}
