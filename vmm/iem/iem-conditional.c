/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SETcc and CMOVcc, one handler for each condition and form. A CMOVcc reads its memory operand, and
 * clears the upper half of a 32-bit destination, whether or not the condition holds. Intel SDM
 * volume 2. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-operand.h"

IEM_INLINE void
cmov(Vcpu *vcpu, const IemInsn *insn, uint64_t value, bool condition, unsigned size)
{
    if (!condition)
        value = iem_reg_get(vcpu, insn->reg, size);
    iem_reg_set(vcpu, insn->reg, size, value);
}

/* clang-format off */
#define CMOV(number, bits)                                                                         \
static void op_cmov##number##_##bits##_r(Vcpu *vcpu, const IemInsn *insn)                          \
{ cmov(vcpu, insn, iem_reg_get(vcpu, insn->rm, bits / 8),                                          \
       iem_condition(vcpu->rflags, number), bits / 8); }                                           \
static void op_cmov##number##_##bits##_m(Vcpu *vcpu, const IemInsn *insn)                          \
{ cmov(vcpu, insn, iem_mem_get(vcpu, insn, bits / 8),                                              \
       iem_condition(vcpu->rflags, number), bits / 8); }
#define CC(number, suffix)                                                                         \
static void op_set##number##_r(Vcpu *vcpu, const IemInsn *insn)                                    \
{ iem_reg_set(vcpu, insn->rm, 1, iem_condition(vcpu->rflags, number)); }                           \
static void op_set##number##_m(Vcpu *vcpu, const IemInsn *insn)                                    \
{ iem_mem_set(vcpu, insn, 1, iem_condition(vcpu->rflags, number)); }                               \
CMOV(number, 16) CMOV(number, 32) CMOV(number, 64)
#include "vmm/iem/iem-condition.def"
#undef CC
#undef CMOV

#define CC(number, suffix) {op_set##number##_r, op_set##number##_m},
static const IemHandler set[16][2] = {
#include "vmm/iem/iem-condition.def"
};
#undef CC
#define CC(number, suffix) {{op_cmov##number##_16_r, op_cmov##number##_16_m}, \
                            {op_cmov##number##_32_r, op_cmov##number##_32_m}, \
                            {op_cmov##number##_64_r, op_cmov##number##_64_m}},
static const IemHandler cmovs[16][3][2] = {
#include "vmm/iem/iem-condition.def"
};
#undef CC
/* clang-format on */

IemHandler
iem_choose_setcc(const Vcpu *vcpu, IemInsn *insn)
{
    iem_use_offsets(insn, 1, 1);
    return set[insn->opcode & 15][(insn->flags & IEM_INSN_MEM) != 0];
}

IemHandler
iem_choose_cmov(const Vcpu *vcpu, IemInsn *insn)
{
    iem_use_offsets(insn, insn->opsize, insn->opsize);
    return cmovs[insn->opcode & 15][iem_size_index(insn->opsize) - 1]
                [(insn->flags & IEM_INSN_MEM) != 0];
}
