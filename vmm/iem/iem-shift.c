/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Shifts and rotates, SHLD and SHRD. A count of zero (after masking to 5 or 6 bits) changes no
 * flag. Intel SDM volume 2. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-operand.h"

typedef uint64_t (*Shift)(uint64_t a, unsigned count, uint64_t rflags, IemRawFlags *raw);
typedef uint64_t (*DoubleShift)(uint64_t a, uint64_t b, unsigned count, IemRawFlags *raw);

IEM_INLINE unsigned
masked(uint64_t count, unsigned size)
{
    return (unsigned)count & (size == 8 ? 63 : 31);
}

/* A write happens in any case: a 32-bit register loses its upper half, memory has to be writable.
 */
IEM_INLINE void
shift_reg(Vcpu *vcpu, const IemInsn *insn, uint64_t by, Shift fn, unsigned size, uint64_t mask)
{
    unsigned count = masked(by, size);
    uint64_t value = iem_reg_get(vcpu, insn->rm, size);
    IemRawFlags raw;

    if (count != 0) {
        value = fn(value, count, vcpu->rflags, &raw);
        iem_merge_flags(vcpu, raw, mask);
    }
    iem_reg_set(vcpu, insn->rm, size, value);
}

IEM_INLINE void
shift_mem(Vcpu *vcpu, const IemInsn *insn, uint64_t by, Shift fn, unsigned size, uint64_t mask)
{
    unsigned count = masked(by, size);
    IemRawFlags raw = 0;
    IemRmw rmw;

    iem_mem_rmw(vcpu, insn, size, &rmw);
    if (count != 0)
        iem_host_set(rmw.host, size, fn(iem_host_get(rmw.host, size), count, vcpu->rflags, &raw));
    iem_rmw_commit(vcpu, &rmw);
    if (count != 0)
        iem_merge_flags(vcpu, raw, mask);
}

IEM_INLINE void
double_reg(Vcpu *vcpu, const IemInsn *insn, uint64_t by, DoubleShift fn, unsigned size)
{
    unsigned count = masked(by, size);
    uint64_t value = iem_reg_get(vcpu, insn->rm, size);
    IemRawFlags raw;

    if (count != 0) {
        value = fn(value, iem_reg_get(vcpu, insn->reg, size), count, &raw);
        iem_set_status(vcpu, raw);
    }
    iem_reg_set(vcpu, insn->rm, size, value);
}

IEM_INLINE void
double_mem(Vcpu *vcpu, const IemInsn *insn, uint64_t by, DoubleShift fn, unsigned size)
{
    unsigned count = masked(by, size);
    IemRawFlags raw = 0;
    IemRmw rmw;

    iem_mem_rmw(vcpu, insn, size, &rmw);
    if (count != 0)
        iem_host_set(
            rmw.host, size,
            fn(iem_host_get(rmw.host, size), iem_reg_get(vcpu, insn->reg, size), count, &raw));
    iem_rmw_commit(vcpu, &rmw);
    if (count != 0)
        iem_set_status(vcpu, raw);
}

/* clang-format off */
#define SHIFT_SIZE(name, carry, mask, bits, suffix)                                                \
static inline uint64_t                                                                             \
name##bits(uint64_t a, unsigned count, uint64_t rflags, IemRawFlags *raw)                          \
{                                                                                                  \
    uint##bits##_t result = (uint##bits##_t)a;                                                     \
    __asm__(carry #name suffix " %%cl, %[result]\n\tlahf\n\tseto %%al"                             \
            : [result] "+&r"(result), "=&a"(*raw) : "c"(count), [rflags] "r"(rflags) : "cc");      \
    return result;                                                                                 \
}                                                                                                  \
static void op_##name##bits##_ri(Vcpu *vcpu, const IemInsn *insn)                                  \
{ shift_reg(vcpu, insn, insn->imm, name##bits, bits / 8, mask); }                                  \
static void op_##name##bits##_rc(Vcpu *vcpu, const IemInsn *insn)                                  \
{ shift_reg(vcpu, insn, vcpu->gpr[X86_RCX], name##bits, bits / 8, mask); }                         \
static void op_##name##bits##_mi(Vcpu *vcpu, const IemInsn *insn)                                  \
{ shift_mem(vcpu, insn, insn->imm, name##bits, bits / 8, mask); }                                  \
static void op_##name##bits##_mc(Vcpu *vcpu, const IemInsn *insn)                                  \
{ shift_mem(vcpu, insn, vcpu->gpr[X86_RCX], name##bits, bits / 8, mask); }
#define SHIFT(name, NAME, carry, mask) \
    SHIFT_SIZE(name, carry, mask, 8, "b") SHIFT_SIZE(name, carry, mask, 16, "w") \
    SHIFT_SIZE(name, carry, mask, 32, "l") SHIFT_SIZE(name, carry, mask, 64, "q")
#include "vmm/iem/iem-shift.def"
#undef SHIFT

#define DOUBLE_SIZE(name, bits, suffix)                                                            \
static inline uint64_t                                                                             \
name##bits(uint64_t a, uint64_t b, unsigned count, IemRawFlags *raw)                               \
{                                                                                                  \
    uint##bits##_t result = (uint##bits##_t)a;                                                     \
    __asm__(#name suffix " %%cl, %[b], %[result]\n\tlahf\n\tseto %%al"                             \
            : [result] "+&r"(result), "=&a"(*raw)                                                  \
            : "c"(count), [b] "r"((uint##bits##_t)b) : "cc");                                      \
    return result;                                                                                 \
}                                                                                                  \
static void op_##name##bits##_ri(Vcpu *vcpu, const IemInsn *insn)                                  \
{ double_reg(vcpu, insn, insn->imm, name##bits, bits / 8); }                                       \
static void op_##name##bits##_rc(Vcpu *vcpu, const IemInsn *insn)                                  \
{ double_reg(vcpu, insn, vcpu->gpr[X86_RCX], name##bits, bits / 8); }                              \
static void op_##name##bits##_mi(Vcpu *vcpu, const IemInsn *insn)                                  \
{ double_mem(vcpu, insn, insn->imm, name##bits, bits / 8); }                                       \
static void op_##name##bits##_mc(Vcpu *vcpu, const IemInsn *insn)                                  \
{ double_mem(vcpu, insn, vcpu->gpr[X86_RCX], name##bits, bits / 8); }
DOUBLE_SIZE(shld, 16, "w") DOUBLE_SIZE(shld, 32, "l") DOUBLE_SIZE(shld, 64, "q")
DOUBLE_SIZE(shrd, 16, "w") DOUBLE_SIZE(shrd, 32, "l") DOUBLE_SIZE(shrd, 64, "q")

typedef enum { FORM_RI, FORM_RC, FORM_MI, FORM_MC, FORM_COUNT } Form;

#define FOUR_SIZES(name, form) \
    {op_##name##8_##form, op_##name##16_##form, op_##name##32_##form, op_##name##64_##form}
#define SHIFT(name, NAME, carry, mask) \
    [ZYDIS_MNEMONIC_##NAME] = {FOUR_SIZES(name, ri), FOUR_SIZES(name, rc), \
                               FOUR_SIZES(name, mi), FOUR_SIZES(name, mc)},
static const IemHandler shifts[][FORM_COUNT][4] = {
#include "vmm/iem/iem-shift.def"
};
#undef SHIFT
#define THREE_SIZES(name, form) \
    {NULL, op_##name##16_##form, op_##name##32_##form, op_##name##64_##form}
static const IemHandler doubles[2][FORM_COUNT][4] = {
    {THREE_SIZES(shld, ri), THREE_SIZES(shld, rc), THREE_SIZES(shld, mi), THREE_SIZES(shld, mc)},
    {THREE_SIZES(shrd, ri), THREE_SIZES(shrd, rc), THREE_SIZES(shrd, mi), THREE_SIZES(shrd, mc)},
};
/* clang-format on */

IemHandler
iem_choose_shift(const Vcpu *vcpu, IemInsn *insn)
{
    bool by_cl = insn->opcode == 0xd2 || insn->opcode == 0xd3;
    bool by_one = insn->opcode == 0xd0 || insn->opcode == 0xd1;
    Form form = (insn->flags & IEM_INSN_MEM ? FORM_MI : FORM_RI) + by_cl;

    if (by_one)
        insn->imm = 1;
    iem_use_offsets(insn, insn->opsize, insn->opsize);
    return shifts[insn->row][form][iem_size_index(insn->opsize)];
}

IemHandler
iem_choose_double_shift(const Vcpu *vcpu, IemInsn *insn)
{
    bool right = insn->row == ZYDIS_MNEMONIC_SHRD;
    bool by_cl = insn->opcode & 1; /* A5, AD */
    Form form = (insn->flags & IEM_INSN_MEM ? FORM_MI : FORM_RI) + by_cl;

    iem_use_offsets(insn, insn->opsize, insn->opsize);
    return doubles[right][form][iem_size_index(insn->opsize)];
}
