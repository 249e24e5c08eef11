/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Moves between segment registers and registers, memory or the stack: MOV, PUSH, POP, LDS, LES,
 * LFS, LGS, LSS. The checks of a load are iem_load_segment()'s. Intel SDM volume 2. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-stack.h"

/* Nothing that a handler does behind it can fault. A load of SS holds interrupts and debug traps
 * back for one instruction. */
static void
after_load(Vcpu *vcpu, unsigned seg)
{
    iem_segment_loaded(vcpu, seg);
    if (seg == X86_SS)
        vcpu->irq_shadow = 1;
}

static void
op_mov_to_segment(Vcpu *vcpu, const IemInsn *insn)
{
    uint16_t selector = insn->flags & IEM_INSN_MEM ? (uint16_t)iem_mem_get(vcpu, insn, 2)
                                                   : (uint16_t)vcpu->gpr[insn->rm];

    iem_load_segment(vcpu, insn->reg & 7, selector);
    after_load(vcpu, insn->reg & 7);
}

/* Memory gets 16 bits; a register its operand size, zero-extended. */
static void
op_mov_from_segment(Vcpu *vcpu, const IemInsn *insn)
{
    uint16_t selector = vcpu->seg[insn->reg & 7].sel;

    if (insn->flags & IEM_INSN_MEM)
        iem_mem_set(vcpu, insn, 2, selector);
    else
        iem_gpr_write(vcpu, insn->rm, insn->opsize, selector);
}

IemHandler
iem_choose_mov_segment(const Vcpu *vcpu, IemInsn *insn)
{
    bool load = insn->opcode == 0x8e;
    unsigned seg = insn->reg & 7;

    if (seg >= X86_SEG_COUNT || (load && seg == X86_CS))
        return NULL;
    if (load)
        insn->flags |= IEM_INSN_SYSTEM | IEM_INSN_SEGMENT | IEM_INSN_BLOCK_END;
    return load ? op_mov_to_segment : op_mov_from_segment;
}

/* insn->width holds the segment register. With a 32-bit operand only the low half of the slot is
 * written. */
static void
op_push_segment(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t top = iem_truncate(vcpu->gpr[X86_RSP] - insn->opsize, iem_stack_width(vcpu));
    uint64_t value = vcpu->seg[insn->width].sel;

    if (insn->opsize == 8)
        iem_write_u64(vcpu, X86_SS, top, value);
    else
        iem_write_u16(vcpu, X86_SS, top, (uint16_t)value);
    iem_gpr_write(vcpu, X86_RSP, iem_stack_width(vcpu), top);
}

static void
op_pop_segment(Vcpu *vcpu, const IemInsn *insn)
{
    uint16_t selector = (uint16_t)iem_stack_peek(vcpu, 0, insn->opsize);
    unsigned width = iem_stack_width(vcpu);

    iem_load_segment(vcpu, insn->width, selector);
    iem_gpr_write(vcpu, X86_RSP, width, vcpu->gpr[X86_RSP] + insn->opsize);
    after_load(vcpu, insn->width);
}

IemHandler
iem_choose_push_segment(const Vcpu *vcpu, IemInsn *insn)
{
    bool pop = insn->opcode & 1;

    insn->width = insn->opcode >> 3 & 7; /* ES, CS, SS, DS; in map 1 A0 is 4 and A8 is 5 */
    if (insn->map == 1)
        insn->width = insn->opcode & 8 ? X86_GS : X86_FS;
    if (pop)
        insn->flags |= IEM_INSN_SYSTEM | IEM_INSN_SEGMENT | IEM_INSN_BLOCK_END;
    return pop ? op_pop_segment : op_push_segment;
}

/* insn->width holds the segment register. */
static void
op_far_pointer(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t offset = iem_ea(vcpu, insn), pointer = 0;
    uint16_t selector;

    iem_read_bytes(vcpu, insn->seg, offset, &pointer, insn->opsize);
    selector = iem_read_u16(vcpu, insn->seg, iem_truncate(offset + insn->opsize, insn->addrsize));
    iem_load_segment(vcpu, insn->width, selector);
    iem_gpr_write(vcpu, insn->reg, insn->opsize, pointer);
    after_load(vcpu, insn->width);
}

IemHandler
iem_choose_far_pointer(const Vcpu *vcpu, IemInsn *insn)
{
    if (!(insn->flags & IEM_INSN_MEM))
        return NULL;
    insn->flags |= IEM_INSN_SYSTEM | IEM_INSN_SEGMENT | IEM_INSN_BLOCK_END;
    switch (insn->row) {
    case ZYDIS_MNEMONIC_LDS: insn->width = X86_DS; break;
    case ZYDIS_MNEMONIC_LES: insn->width = X86_ES; break;
    case ZYDIS_MNEMONIC_LFS: insn->width = X86_FS; break;
    case ZYDIS_MNEMONIC_LGS: insn->width = X86_GS; break;
    default: insn->width = X86_SS; break;
    }
    return op_far_pointer;
}
