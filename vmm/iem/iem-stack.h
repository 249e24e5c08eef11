/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The stack with constant sizes, for handlers that were chosen for them. `width` is the stack's
 * address size in bytes. Intel SDM volume 1 chapter 6. */
#pragma once

#include "vmm/iem/iem-operand.h"

/* The stack's address size at present: 8, 4 or 2. */
static inline unsigned
iem_stack_width(const Vcpu *vcpu)
{
    if (iem_is_long64(vcpu))
        return 8;
    return vcpu->seg[X86_SS].attr & X86_SEG_DB ? 4 : 2;
}

/* Sets RSP, ESP (clearing the upper half, which only 64-bit code sees) or SP. */
IEM_INLINE void
iem_stack_set(Vcpu *vcpu, uint64_t value, unsigned width)
{
    iem_reg_set(vcpu, 8 * X86_RSP, width, value);
}

IEM_INLINE void
iem_push_fixed(Vcpu *vcpu, uint64_t value, unsigned size, unsigned width)
{
    uint64_t top = iem_truncate(vcpu->gpr[X86_RSP] - size, width);

    iem_write_size(vcpu, X86_SS, top, value, size);
    iem_stack_set(vcpu, top, width);
}

IEM_INLINE uint64_t
iem_pop_fixed(Vcpu *vcpu, unsigned size, unsigned width)
{
    uint64_t top = iem_truncate(vcpu->gpr[X86_RSP], width);
    uint64_t value = iem_read_size(vcpu, X86_SS, top, size);

    iem_stack_set(vcpu, top + size, width);
    return value;
}

/* PUSH and POP of segment registers (iem-segment-move.c): one byte below 20, or 0F A0..A9. */
static inline bool
iem_is_segment_push(const IemInsn *insn)
{
    return insn->map == 1 || insn->opcode < 0x20;
}
IemHandler iem_choose_push_segment(const Vcpu *vcpu, IemInsn *insn);
/* MOV to and from segment registers, 8C and 8E. */
IemHandler iem_choose_mov_segment(const Vcpu *vcpu, IemInsn *insn);
