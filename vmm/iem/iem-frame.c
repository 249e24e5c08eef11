/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Stack frames of far transfers and interrupts. A frame is checked as a whole, then written, and
 * only then becomes SS:RSP, so that a page fault in its middle leaves the program's stack pointer
 * as it was. Also the inner stacks that a TSS holds.
 * Intel SDM volume 3A 5.8.5 (stack switching), 6.12.1, 6.14.2 to 6.14.5, 7.2.1. */
#include "vmm/iem/iem-system.h"

void
iem_frame_current(Vcpu *vcpu, IemFrame *frame, uint32_t error)
{
    frame->ss = vcpu->seg[X86_SS];
    frame->sp = vcpu->gpr[X86_RSP];
    frame->flat = iem_is_long64(vcpu);
    frame->mask = frame->flat ? ~0ull : frame->ss.attr & X86_SEG_DB ? 0xffffffffu : 0xffff;
    frame->error = error;
    frame->current = true;
}

void
iem_frame_inner(IemFrame *frame, uint16_t selector, const IemDescriptor *ss, uint64_t sp,
                uint32_t error)
{
    frame->ss = (CpumSeg){.sel = selector, .base = ss->base, .limit = ss->limit, .attr = ss->attr};
    frame->sp = sp;
    frame->mask = ss->attr & X86_SEG_DB ? 0xffffffffu : 0xffff;
    frame->error = error;
    frame->flat = false;
    frame->current = false;
    frame->kind = CPUM_TLB_SUPERVISOR;
}

void
iem_frame_inner64(Vcpu *vcpu, IemFrame *frame, uint64_t sp, unsigned cpl, uint32_t error)
{
    frame->ss = (CpumSeg){.attr = X86_SEG_UNUSABLE};
    frame->sp = sp;
    frame->mask = ~0ull;
    frame->error = error;
    frame->flat = true;
    frame->current = false;
    frame->kind = cpl == vcpu->cpl ? vcpu->tlb_kind : CPUM_TLB_SUPERVISOR;
}

static bool
inside(const Vcpu *vcpu, const IemFrame *frame, uint64_t offset, unsigned size)
{
    uint64_t last = offset + size - 1;

    if (frame->flat)
        return iem_is_canonical(vcpu, offset) && iem_is_canonical(vcpu, last);
    if (frame->ss.attr & X86_SEG_UNUSABLE)
        return false;
    if ((frame->ss.attr & (X86_SEG_CODE | X86_SEG_EXPAND_DOWN)) == X86_SEG_EXPAND_DOWN)
        return offset > frame->ss.limit &&
               last <= (frame->ss.attr & X86_SEG_DB ? 0xffffffffu : 0xffffu);
    return last <= frame->ss.limit;
}

void
iem_frame_check_push(Vcpu *vcpu, const IemFrame *frame, unsigned count, unsigned size)
{
    uint64_t sp = frame->sp;

    for (unsigned i = 0; i < count; i++) {
        sp -= size;
        if (!inside(vcpu, frame, sp & frame->mask, size))
            iem_raise_error(vcpu, X86_XCPT_SS, frame->error);
    }
}

void
iem_frame_check_pop(Vcpu *vcpu, const IemFrame *frame, unsigned offset, unsigned bytes)
{
    if (!inside(vcpu, frame, (frame->sp + offset) & frame->mask, bytes))
        iem_raise_error(vcpu, X86_XCPT_SS, frame->error);
}

static uint64_t
frame_linear(const IemFrame *frame, uint64_t offset)
{
    return frame->flat ? offset : (uint32_t)(frame->ss.base + offset);
}

void
iem_frame_push(Vcpu *vcpu, IemFrame *frame, uint64_t value, unsigned size)
{
    uint64_t offset;

    frame->sp = (frame->sp & ~frame->mask) | ((frame->sp - size) & frame->mask);
    offset = frame->sp & frame->mask;
    if (!frame->current)
        iem_linear_write(vcpu, frame_linear(frame, offset), value, size, frame->kind);
    else if (size == 2)
        iem_write_u16(vcpu, X86_SS, offset, (uint16_t)value);
    else if (size == 4)
        iem_write_u32(vcpu, X86_SS, offset, (uint32_t)value);
    else
        iem_write_u64(vcpu, X86_SS, offset, value);
}

/* Only the present stack is ever popped. */
uint64_t
iem_frame_peek(Vcpu *vcpu, const IemFrame *frame, unsigned offset, unsigned size)
{
    uint64_t place = (frame->sp + offset) & frame->mask;

    if (size == 2)
        return iem_read_u16(vcpu, X86_SS, place);
    if (size == 4)
        return iem_read_u32(vcpu, X86_SS, place);
    return iem_read_u64(vcpu, X86_SS, place);
}

void
iem_frame_commit(Vcpu *vcpu, const IemFrame *frame)
{
    unsigned size = frame->flat ? 8 : frame->mask == 0xffff ? 2 : 4;

    iem_gpr_write(vcpu, X86_RSP, size, frame->sp);
}

void
iem_tss_stack(Vcpu *vcpu, unsigned cpl, uint32_t ext, uint16_t *ss, uint32_t *sp)
{
    bool wide = (X86_SEG_TYPE(vcpu->tr.attr) & 8) != 0;
    uint32_t offset = wide ? cpl * 8 + 4 : cpl * 4 + 2;
    uint64_t place = vcpu->tr.base + offset;

    if (offset + (wide ? 5 : 3) > vcpu->tr.limit)
        iem_raise_error(vcpu, X86_XCPT_TS, iem_selector_error(vcpu->tr.sel, ext));
    *sp = wide ? iem_sys_read_u32(vcpu, place) : iem_sys_read_u16(vcpu, place);
    *ss = iem_sys_read_u16(vcpu, place + (wide ? 4 : 2));
}

uint64_t
iem_tss_stack64(Vcpu *vcpu, unsigned cpl, unsigned ist, uint32_t ext)
{
    uint32_t offset = ist ? ist * 8 + 28 : cpl * 8 + 4;

    if (offset + 7 > vcpu->tr.limit)
        iem_raise_error(vcpu, X86_XCPT_TS, iem_selector_error(vcpu->tr.sel, ext));
    return iem_sys_read_u64(vcpu, vcpu->tr.base + offset);
}

void
iem_check_inner_ss(Vcpu *vcpu, uint16_t ss, unsigned cpl, uint32_t ext, IemDescriptor *out)
{
    uint32_t error = iem_selector_error(ss, ext);

    if (iem_selector_is_null(ss))
        iem_raise_error(vcpu, X86_XCPT_TS, error);
    iem_fetch_or_raise(vcpu, ss, X86_XCPT_TS, ext, out);
    if ((ss & 3u) != cpl || X86_SEG_DPL(out->attr) != cpl || !iem_descriptor_is_writable_data(out))
        iem_raise_error(vcpu, X86_XCPT_TS, error);
    if (!(out->attr & X86_SEG_P))
        iem_raise_error(vcpu, X86_XCPT_SS, error);
}
