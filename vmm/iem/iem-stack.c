/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PUSH, POP, PUSHA, POPA, PUSHF, POPF, ENTER, LEAVE, and the stack as other handlers use it. Intel
 * SDM volume 2; virtual-8086 rules of PUSHF and POPF: volume 3B section 20.2.7 (without VME). */
#include "vmm/iem/iem-stack.h"
#include "vmm/iem/iem-decode.h"

void
iem_push(Vcpu *vcpu, uint64_t value, unsigned size)
{
    uint64_t top = iem_truncate(vcpu->gpr[X86_RSP] - size, iem_stack_width(vcpu));

    switch (size) {
    case 2: iem_write_u16(vcpu, X86_SS, top, (uint16_t)value); break;
    case 4: iem_write_u32(vcpu, X86_SS, top, (uint32_t)value); break;
    default: iem_write_u64(vcpu, X86_SS, top, value); break;
    }
    iem_gpr_write(vcpu, X86_RSP, iem_stack_width(vcpu), top);
}

uint64_t
iem_stack_peek(Vcpu *vcpu, uint64_t byte_offset, unsigned size)
{
    uint64_t at = iem_truncate(vcpu->gpr[X86_RSP] + byte_offset, iem_stack_width(vcpu));

    switch (size) {
    case 2: return iem_read_u16(vcpu, X86_SS, at);
    case 4: return iem_read_u32(vcpu, X86_SS, at);
    default: return iem_read_u64(vcpu, X86_SS, at);
    }
}

void
iem_stack_add(Vcpu *vcpu, int64_t bytes)
{
    iem_gpr_write(vcpu, X86_RSP, iem_stack_width(vcpu), vcpu->gpr[X86_RSP] + (uint64_t)bytes);
}

uint64_t
iem_pop(Vcpu *vcpu, unsigned size)
{
    uint64_t value = iem_stack_peek(vcpu, 0, size);

    iem_stack_add(vcpu, size);
    return value;
}

/* ---- PUSH and POP; the common pairs of sizes have handlers of their own ---- */
/* clang-format off */
#define STACK_PAIR(size, width)                                                                    \
static void op_push_reg_##size##_##width(Vcpu *vcpu, const IemInsn *insn)                          \
{ iem_push_fixed(vcpu, iem_reg_get(vcpu, insn->rm, size), size, width); }                          \
static void op_push_imm_##size##_##width(Vcpu *vcpu, const IemInsn *insn)                          \
{ iem_push_fixed(vcpu, insn->imm, size, width); }                                                  \
static void op_push_mem_##size##_##width(Vcpu *vcpu, const IemInsn *insn)                          \
{ iem_push_fixed(vcpu, iem_mem_get(vcpu, insn, size), size, width); }                              \
static void op_pop_reg_##size##_##width(Vcpu *vcpu, const IemInsn *insn)                           \
{ iem_reg_set(vcpu, insn->rm, size, iem_pop_fixed(vcpu, size, width)); }
STACK_PAIR(2, 2)
STACK_PAIR(2, 4)
STACK_PAIR(2, 8)
STACK_PAIR(4, 2)
STACK_PAIR(4, 4)
STACK_PAIR(8, 8)
#define TABLE(op) { \
    {op##_2_2, op##_2_4, op##_2_8}, {op##_4_2, op##_4_4, NULL}, {NULL, NULL, op##_8_8}}
static const IemHandler push_reg[3][3] = TABLE(op_push_reg);
static const IemHandler push_imm[3][3] = TABLE(op_push_imm);
static const IemHandler push_mem[3][3] = TABLE(op_push_mem);
static const IemHandler pop_reg[3][3] = TABLE(op_pop_reg);
#undef TABLE
#undef STACK_PAIR
/* clang-format on */

static IemHandler
stack_handler(const Vcpu *vcpu, const IemInsn *insn, const IemHandler table[3][3])
{
    return table[iem_size_index(insn->opsize) - 1][iem_size_index(iem_stack_width(vcpu)) - 1];
}

/* The address is computed with RSP as it is after the pop. */
static void
op_pop_mem(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value = iem_stack_peek(vcpu, 0, insn->opsize);
    uint64_t before = vcpu->gpr[X86_RSP], after, offset;

    iem_stack_add(vcpu, insn->opsize);
    after = vcpu->gpr[X86_RSP];
    offset = iem_ea(vcpu, insn);
    vcpu->gpr[X86_RSP] = before;
    iem_write_bytes(vcpu, insn->seg, offset, &value, insn->opsize);
    vcpu->gpr[X86_RSP] = after;
}

IemHandler
iem_choose_push(const Vcpu *vcpu, IemInsn *insn)
{
    if (iem_is_segment_push(insn))
        return iem_choose_push_segment(vcpu, insn);
    iem_use_offsets(insn, insn->opsize, insn->opsize);
    if (insn->opcode == 0x68 || insn->opcode == 0x6a)
        return stack_handler(vcpu, insn, push_imm);
    return stack_handler(vcpu, insn, insn->flags & IEM_INSN_MEM ? push_mem : push_reg);
}

IemHandler
iem_choose_pop(const Vcpu *vcpu, IemInsn *insn)
{
    if (iem_is_segment_push(insn))
        return iem_choose_push_segment(vcpu, insn);
    if (insn->flags & IEM_INSN_MEM)
        return op_pop_mem;
    iem_use_offsets(insn, insn->opsize, insn->opsize);
    return stack_handler(vcpu, insn, pop_reg);
}

/* ---- PUSHA, POPA ---- */
static void
op_pusha(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned size = insn->opsize, width = iem_stack_width(vcpu);
    uint64_t top = vcpu->gpr[X86_RSP];
    uint8_t frame[8 * 4];

    for (unsigned i = 0; i < 8; i++)
        memcpy(frame + (7 - i) * size, &vcpu->gpr[i], size);
    for (unsigned i = 0; i < 8; i++)
        iem_probe_write(vcpu, X86_SS, iem_truncate(top - (i + 1) * size, width), size);
    for (unsigned i = 0; i < 8; i++)
        iem_write_bytes(vcpu, X86_SS, iem_truncate(top - (8 - i) * size, width), frame + i * size,
                        size);
    iem_gpr_write(vcpu, X86_RSP, width, top - 8 * size);
}

static void
op_popa(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value[8];

    for (unsigned i = 0; i < 8; i++)
        value[7 - i] = iem_stack_peek(vcpu, i * insn->opsize, insn->opsize);
    for (unsigned i = 0; i < 8; i++) {
        if (i != X86_RSP)
            iem_gpr_write(vcpu, i, insn->opsize, value[i]);
    }
    iem_stack_add(vcpu, 8 * insn->opsize);
}

IemHandler
iem_choose_pusha(const Vcpu *vcpu, IemInsn *insn)
{
    return insn->opcode == 0x60 ? op_pusha : op_popa;
}

/* ---- PUSHF, POPF ---- */
static void
require_iopl3_in_v86(Vcpu *vcpu)
{
    if (vcpu->mode == CPUM_MODE_V86 && (vcpu->rflags & X86_FL_IOPL) != X86_FL_IOPL)
        iem_raise_gp0(vcpu);
}

static void
op_pushf(Vcpu *vcpu, const IemInsn *insn)
{
    if (iem_has_virtual_flags(vcpu, insn->opsize)) {
        iem_push(vcpu, iem_virtual_flags(vcpu), 2);
        return;
    }
    require_iopl3_in_v86(vcpu);
    iem_push(vcpu, vcpu->rflags & ~(uint64_t)(X86_FL_VM | X86_FL_RF), insn->opsize);
}

/* IOPL changes only at CPL 0, IF only when CPL does not exceed IOPL; others are silently kept. */
static uint64_t
popf_mask(const Vcpu *vcpu, unsigned size)
{
    uint64_t mask = X86_FL_STATUS | X86_FL_TF | X86_FL_DF | X86_FL_NT;
    unsigned iopl = (unsigned)(vcpu->rflags & X86_FL_IOPL) >> 12;
    bool real = vcpu->mode == CPUM_MODE_REAL;

    if (size > 2)
        mask |= X86_FL_AC | X86_FL_ID;
    if (real || vcpu->cpl == 0)
        mask |= X86_FL_IOPL;
    if (real || vcpu->cpl <= iopl)
        mask |= X86_FL_IF;
    return mask;
}

static void
op_popf(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t mask, value;

    if (iem_has_virtual_flags(vcpu, insn->opsize)) {
        iem_load_virtual_flags(vcpu, iem_stack_peek(vcpu, 0, 2));
        iem_stack_add(vcpu, 2);
        return;
    }
    require_iopl3_in_v86(vcpu);
    mask = popf_mask(vcpu, insn->opsize);
    value = iem_stack_peek(vcpu, 0, insn->opsize);
    vcpu->rflags = (vcpu->rflags & ~(mask | X86_FL_RF)) | (value & mask);
    iem_stack_add(vcpu, insn->opsize);
    cpum_update_mode(vcpu);
    iem_state_changed(vcpu);
    trpm_recheck(vcpu);
}

IemHandler
iem_choose_pushf(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    return insn->opcode == 0x9c ? op_pushf : op_popf;
}

/* ---- ENTER, LEAVE ---- */
/* The frame pointers of `level` - 1 outer frames, then the new one. Returns the new top. */
static uint64_t
push_display(Vcpu *vcpu, unsigned size, unsigned width, unsigned level, uint64_t top,
             uint64_t frame)
{
    uint64_t from = vcpu->gpr[X86_RBP];
    uint64_t value = 0;

    for (unsigned i = 1; i < level; i++) {
        from = iem_truncate(from - size, width);
        top = iem_truncate(top - size, width);
        iem_read_bytes(vcpu, X86_SS, from, &value, size);
        iem_write_bytes(vcpu, X86_SS, top, &value, size);
    }
    top = iem_truncate(top - size, width);
    iem_write_bytes(vcpu, X86_SS, top, &frame, size);
    return top;
}

static void
op_enter(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned size = insn->opsize, width = iem_stack_width(vcpu);
    unsigned level = insn->imm2 & 31;
    uint64_t top = iem_truncate(vcpu->gpr[X86_RSP] - size, width);
    uint64_t frame = top;

    iem_write_bytes(vcpu, X86_SS, top, &vcpu->gpr[X86_RBP], size);
    if (level > 0)
        top = push_display(vcpu, size, width, level, top, frame);
    top = iem_truncate(top - (uint16_t)insn->imm, width);
    iem_probe_write(vcpu, X86_SS, top, size);
    iem_gpr_write(vcpu, X86_RBP, size, frame);
    iem_gpr_write(vcpu, X86_RSP, width, top);
}

static void
op_leave(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned width = iem_stack_width(vcpu);
    uint64_t frame = iem_truncate(vcpu->gpr[X86_RBP], width);
    uint64_t value = 0;

    iem_read_bytes(vcpu, X86_SS, frame, &value, insn->opsize);
    iem_gpr_write(vcpu, X86_RSP, width, frame + insn->opsize);
    iem_gpr_write(vcpu, X86_RBP, insn->opsize, value);
}

static void
op_leave64(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value = iem_read_u64(vcpu, X86_SS, vcpu->gpr[X86_RBP]);

    vcpu->gpr[X86_RSP] = vcpu->gpr[X86_RBP] + 8;
    vcpu->gpr[X86_RBP] = value;
}

IemHandler
iem_choose_enter(const Vcpu *vcpu, IemInsn *insn)
{
    if (insn->opcode == 0xc8)
        return op_enter;
    return iem_is_long64(vcpu) && insn->opsize == 8 ? op_leave64 : op_leave;
}
