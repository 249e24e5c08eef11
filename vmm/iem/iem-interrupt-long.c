/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Interrupt and exception delivery in long mode: 16-byte gates, the interrupt stack table, aligned
 * frames that always hold SS:RSP. Intel SDM volume 3A 6.14. */
#include "vmm/iem/iem-interrupt.h"

static void
fetch_gate(Vcpu *vcpu, const IemEvent *event, IemDescriptor *d)
{
    uint32_t offset = event->vector * 16u;
    uint32_t error = event->vector * 8u + IEM_ERROR_IDT + event->ext;
    unsigned type;

    if (offset + 15 > vcpu->idtr.limit)
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    iem_parse_descriptor(iem_sys_read_u64(vcpu, vcpu->idtr.base + offset), d);
    d->high = (uint32_t)iem_sys_read_u64(vcpu, vcpu->idtr.base + offset + 8);
    type = iem_descriptor_type(d);
    if (!iem_descriptor_is_system(d) || (type != X86_SYS_INT_GATE32 && type != X86_SYS_TRAP_GATE32))
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (event->kind == IEM_EVENT_SOFTWARE && X86_SEG_DPL(d->attr) < vcpu->cpl)
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (!(d->attr & X86_SEG_P))
        iem_raise_error(vcpu, X86_XCPT_NP, error);
}

/* The stack pointer of the handler. Same level without IST: the present one, which
 * compatibility-mode code may have above 4 GiB only if it came from 64-bit code. */
static uint64_t
handler_stack(Vcpu *vcpu, const IemEvent *event, unsigned cpl, unsigned ist)
{
    uint64_t sp;

    if (!ist && cpl == vcpu->cpl)
        return vcpu->gpr[X86_RSP];
    sp = iem_tss_stack64(vcpu, cpl, ist, event->ext);
    if (!iem_is_canonical(vcpu, sp))
        iem_raise_error(vcpu, X86_XCPT_SS, event->ext);
    return sp;
}

static void
push_frame(Vcpu *vcpu, IemFrame *frame, const IemEvent *event)
{
    iem_frame_push(vcpu, frame, vcpu->seg[X86_SS].sel, 8);
    iem_frame_push(vcpu, frame, vcpu->gpr[X86_RSP], 8);
    iem_frame_push(vcpu, frame, event->flags, 8);
    iem_frame_push(vcpu, frame, vcpu->seg[X86_CS].sel, 8);
    iem_frame_push(vcpu, frame, vcpu->rip, 8);
    if (event->has_error)
        iem_frame_push(vcpu, frame, event->error, 8);
}

void
iem_deliver_long(Vcpu *vcpu, const IemEvent *event)
{
    IemDescriptor d, cs;
    IemFrame frame;
    unsigned cpl, ist;
    uint64_t offset, sp;
    uint16_t selector;

    fetch_gate(vcpu, event, &d);
    ist = (unsigned)(d.raw >> 32) & 7;
    selector = iem_gate_selector(&d);
    offset = iem_gate_offset(&d, true);
    iem_check_handler_code(vcpu, selector, event->ext, &cs);
    cpl = iem_descriptor_is_conforming(&cs) ? vcpu->cpl : X86_SEG_DPL(cs.attr);
    sp = handler_stack(vcpu, event, cpl, ist);
    /* Alignment comes before the push, whichever stack it is. */
    iem_frame_inner64(vcpu, &frame, sp & ~15ull, cpl, event->ext);
    iem_frame_check_push(vcpu, &frame, 5u + event->has_error, 8);
    iem_check_code_offset(vcpu, &cs, offset, event->ext);
    push_frame(vcpu, &frame, event);
    iem_set_descriptor_accessed(vcpu, selector, &cs);
    if (cpl != vcpu->cpl)
        iem_load_null_ss(vcpu, (uint16_t)cpl, cpl);
    iem_frame_commit(vcpu, &frame);
    iem_load_cs(vcpu, selector, &cs, cpl);
    vcpu->rip = offset;
    iem_enter_handler_flags(vcpu, iem_descriptor_type(&d) == X86_SYS_INT_GATE32);
}
