/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What MOVS, STOS, LODS, SCAS, CMPS, INS and OUTS share: index registers, the REP loop, runs of
 * elements that lie in one page and can be worked on in place. Intel SDM volume 2, REP. */
#pragma once

#include "vmm/iem/iem-operand.h"

/* Executes at least one and at most `max` elements, moves the index registers, returns how many. */
typedef uint64_t (*IemStringStep)(Vcpu *vcpu, const IemInsn *insn, unsigned size, uint64_t max);

typedef enum {
    IEM_STRING_MOVE,    /* REP counts only */
    IEM_STRING_COMPARE, /* REPE and REPNE look at ZF as well */
} IemStringKind;

IEM_INLINE uint64_t
iem_string_index(const Vcpu *vcpu, unsigned reg, const IemInsn *insn)
{
    return iem_truncate(vcpu->gpr[reg], insn->addrsize);
}

/* Moves SI or DI over `count` elements in the direction of DF. */
IEM_INLINE void
iem_string_advance(Vcpu *vcpu, unsigned reg, const IemInsn *insn, unsigned size, uint64_t count)
{
    uint64_t bytes = count * size;

    iem_gpr_write(vcpu, reg, insn->addrsize,
                  vcpu->gpr[reg] + (vcpu->rflags & X86_FL_DF ? -bytes : bytes));
}

/* How many elements from `offset` upwards, at most `max`, lie in one page that can be accessed
 * directly; *host is the first. 0 sends the caller to the element-wise path. */
static inline uint64_t
iem_string_run(Vcpu *vcpu, const IemInsn *insn, unsigned seg, uint64_t offset, unsigned size,
               bool write, uint64_t max, void **host)
{
    const IemVcpu *iem = vcpu->iem_vcpu;
    uint64_t linear = (iem->seg[seg].base + offset) & iem->linear_mask;
    uint64_t end = write ? iem->seg[seg].write_end : iem->seg[seg].read_end;
    uint64_t room = X86_PAGE_SIZE - (linear & X86_PAGE_OFFSET_MASK);

    if (vcpu->rflags & X86_FL_DF)
        return 0;
    *host = iem_mem_host(vcpu, seg, offset, size, write);
    if (*host == NULL)
        return 0;
    room = MIN(room, end - offset);
    if (insn->addrsize == 2)
        room = MIN(room, 0x10000 - offset);
    return MIN(max, room / size);
}

/* The instruction without or with REP. */
void iem_string_repeat(Vcpu *vcpu, const IemInsn *insn, IemStringStep step, unsigned size,
                       IemStringKind kind);
