/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, INC, DEC, NEG, NOT in every form and size. The
 * host's own instruction does the work, so results and flags are the hardware's. One set of
 * handlers for each row of iem-alu.def and each size. Intel SDM volume 2. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-operand.h"

typedef uint64_t (*Binary)(uint64_t a, uint64_t b, uint64_t rflags, IemRawFlags *raw);
typedef void (*BinaryLocked)(void *host, uint64_t b, uint64_t rflags, IemRawFlags *raw);
typedef uint64_t (*Unary)(uint64_t a, IemRawFlags *raw);
typedef void (*UnaryLocked)(void *host, IemRawFlags *raw);

/* ---- the forms; operation, size and store are constants wherever these are used ---- */
IEM_INLINE void
reg_with(Vcpu *vcpu, unsigned dst, uint64_t b, Binary fn, unsigned size, bool store)
{
    IemRawFlags raw;
    uint64_t result = fn(iem_reg_get(vcpu, dst, size), b, vcpu->rflags, &raw);

    if (store)
        iem_reg_set(vcpu, dst, size, result);
    iem_set_status(vcpu, raw);
}

IEM_INLINE void
mem_with(Vcpu *vcpu, const IemInsn *insn, uint64_t b, Binary fn, unsigned size, bool store)
{
    IemRawFlags raw;
    IemRmw rmw;

    if (!store) {
        fn(iem_mem_get(vcpu, insn, size), b, vcpu->rflags, &raw);
    } else {
        iem_mem_rmw(vcpu, insn, size, &rmw);
        iem_host_set(rmw.host, size, fn(iem_host_get(rmw.host, size), b, vcpu->rflags, &raw));
        iem_rmw_commit(vcpu, &rmw);
    }
    iem_set_status(vcpu, raw);
}

IEM_INLINE void
locked_with(Vcpu *vcpu, const IemInsn *insn, uint64_t b, BinaryLocked fn, unsigned size)
{
    IemRawFlags raw;
    IemRmw rmw;

    iem_mem_rmw(vcpu, insn, size, &rmw);
    fn(rmw.host, b, vcpu->rflags, &raw);
    iem_rmw_commit(vcpu, &rmw);
    iem_set_status(vcpu, raw);
}

IEM_INLINE void
unary_reg(Vcpu *vcpu, const IemInsn *insn, Unary fn, unsigned size, uint64_t mask)
{
    IemRawFlags raw;

    iem_reg_set(vcpu, insn->rm, size, fn(iem_reg_get(vcpu, insn->rm, size), &raw));
    if (mask != 0)
        iem_merge_flags(vcpu, raw, mask);
}

IEM_INLINE void
unary_mem(Vcpu *vcpu, const IemInsn *insn, Unary fn, unsigned size, uint64_t mask)
{
    IemRawFlags raw;
    IemRmw rmw;

    iem_mem_rmw(vcpu, insn, size, &rmw);
    iem_host_set(rmw.host, size, fn(iem_host_get(rmw.host, size), &raw));
    iem_rmw_commit(vcpu, &rmw);
    if (mask != 0)
        iem_merge_flags(vcpu, raw, mask);
}

IEM_INLINE void
unary_locked(Vcpu *vcpu, const IemInsn *insn, UnaryLocked fn, unsigned size, uint64_t mask)
{
    IemRawFlags raw;
    IemRmw rmw;

    iem_mem_rmw(vcpu, insn, size, &rmw);
    fn(rmw.host, &raw);
    iem_rmw_commit(vcpu, &rmw);
    if (mask != 0)
        iem_merge_flags(vcpu, raw, mask);
}

/* clang-format off */
#include "vmm/iem/iem-alu-forms.def"
#define BINARY(name, NAME, carry, store) \
    BINARY_SIZE(name, carry, store, 8, "b") BINARY_SIZE(name, carry, store, 16, "w") \
    BINARY_SIZE(name, carry, store, 32, "l") BINARY_SIZE(name, carry, store, 64, "q")
#define LOCKED(name, NAME, carry) \
    LOCKED_SIZE(name, carry, 8, "b") LOCKED_SIZE(name, carry, 16, "w") \
    LOCKED_SIZE(name, carry, 32, "l") LOCKED_SIZE(name, carry, 64, "q")
#define UNARY(name, NAME, mask) \
    UNARY_SIZE(name, mask, 8, "b") UNARY_SIZE(name, mask, 16, "w") \
    UNARY_SIZE(name, mask, 32, "l") UNARY_SIZE(name, mask, 64, "q")
#include "vmm/iem/iem-alu.def"
#undef BINARY
#undef LOCKED
#undef UNARY

typedef enum { FORM_RR, FORM_RI, FORM_RM, FORM_MR, FORM_MI, FORM_COUNT } Form;
typedef enum { FORM_R, FORM_M, FORM_LOCKED, UNARY_FORM_COUNT } UnaryForm;

#define LOCKED(name, NAME, carry)
#define UNARY(name, NAME, mask)
#define BINARY(name, NAME, carry, store) \
    [ZYDIS_MNEMONIC_##NAME] = {FOUR_SIZES(name, rr), FOUR_SIZES(name, ri), FOUR_SIZES(name, rm), \
                               FOUR_SIZES(name, mr), FOUR_SIZES(name, mi)},
static const IemHandler binary[][FORM_COUNT][4] = {
#include "vmm/iem/iem-alu.def"
};
#undef BINARY
#undef LOCKED
#define BINARY(name, NAME, carry, store)
#define LOCKED(name, NAME, carry) \
    [ZYDIS_MNEMONIC_##NAME] = {FOUR_SIZES(name, locked_mr), FOUR_SIZES(name, locked_mi)},
static const IemHandler locked[][2][4] = {
#include "vmm/iem/iem-alu.def"
};
#undef LOCKED
#undef UNARY
#define LOCKED(name, NAME, carry)
#define UNARY(name, NAME, mask) \
    [ZYDIS_MNEMONIC_##NAME] = {FOUR_SIZES(name, r), FOUR_SIZES(name, m), FOUR_SIZES(name, locked)},
static const IemHandler unary[][UNARY_FORM_COUNT][4] = {
#include "vmm/iem/iem-alu.def"
};
#undef BINARY
#undef LOCKED
#undef UNARY
/* clang-format on */

/* 00..3F: op r/m, r (bit 1 clear); op r, r/m (bit 1 set); op accumulator, imm (bit 2 set). */
static Form
binary_form(IemInsn *insn)
{
    bool has_imm = insn->opcode >= 0x80 ? insn->opcode < 0x84 || insn->opcode >= 0xa8
                                        : (insn->opcode & 7) >= 4;
    uint8_t swap;

    if (has_imm && (insn->opcode < 0x80 || insn->opcode == 0xa8 || insn->opcode == 0xa9))
        insn->rm = X86_RAX;
    if (insn->flags & IEM_INSN_MEM)
        return has_imm ? FORM_MI : insn->opcode < 0x80 && (insn->opcode & 2) ? FORM_RM : FORM_MR;
    if (has_imm)
        return FORM_RI;
    if (insn->opcode < 0x80 && (insn->opcode & 2)) {
        swap = insn->reg;
        insn->reg = insn->rm;
        insn->rm = swap;
    }
    return FORM_RR;
}

IemHandler
iem_choose_alu(const Vcpu *vcpu, IemInsn *insn)
{
    Form form = binary_form(insn);
    unsigned size = iem_size_index(insn->opsize);

    iem_use_offsets(insn, insn->opsize, insn->opsize);
    if (insn->flags & IEM_INSN_LOCK)
        return form == FORM_MR || form == FORM_MI ? locked[insn->row][form == FORM_MI][size] : NULL;
    return binary[insn->row][form][size];
}

IemHandler
iem_choose_unary(const Vcpu *vcpu, IemInsn *insn)
{
    unsigned size = iem_size_index(insn->opsize);

    iem_use_offsets(insn, insn->opsize, insn->opsize);
    if (!(insn->flags & IEM_INSN_MEM))
        return unary[insn->row][FORM_R][size];
    return unary[insn->row][insn->flags & IEM_INSN_LOCK ? FORM_LOCKED : FORM_M][size];
}
