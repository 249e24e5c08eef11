/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MOV, MOVNTI, MOVZX, MOVSX, MOVSXD, LEA, CMOVcc, SETcc, BSWAP, XLAT, and the family of CBW. MOV to
 * and from control and debug registers is the system files'. Intel SDM volume 2. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-stack.h"

/* clang-format off */
#define MOV_SIZE(bits)                                                                             \
static void op_mov##bits##_rr(Vcpu *vcpu, const IemInsn *insn)                                     \
{ iem_reg_set(vcpu, insn->rm, bits / 8, iem_reg_get(vcpu, insn->reg, bits / 8)); }                 \
static void op_mov##bits##_ri(Vcpu *vcpu, const IemInsn *insn)                                     \
{ iem_reg_set(vcpu, insn->rm, bits / 8, insn->imm); }                                              \
static void op_mov##bits##_rm(Vcpu *vcpu, const IemInsn *insn)                                     \
{ iem_reg_set(vcpu, insn->reg, bits / 8, iem_mem_get(vcpu, insn, bits / 8)); }                     \
static void op_mov##bits##_mr(Vcpu *vcpu, const IemInsn *insn)                                     \
{ iem_mem_set(vcpu, insn, bits / 8, iem_reg_get(vcpu, insn->reg, bits / 8)); }                     \
static void op_mov##bits##_mi(Vcpu *vcpu, const IemInsn *insn)                                     \
{ iem_mem_set(vcpu, insn, bits / 8, insn->imm); }                                                  \
static void op_mov##bits##_from_offset(Vcpu *vcpu, const IemInsn *insn)                            \
{ iem_reg_set(vcpu, 8 * X86_RAX, bits / 8, iem_read_size(vcpu, insn->seg, insn->imm, bits / 8)); } \
static void op_mov##bits##_to_offset(Vcpu *vcpu, const IemInsn *insn)                              \
{ iem_write_size(vcpu, insn->seg, insn->imm, iem_reg_get(vcpu, 8 * X86_RAX, bits / 8), bits / 8); }
MOV_SIZE(8)
MOV_SIZE(16)
MOV_SIZE(32)
MOV_SIZE(64)
#undef MOV_SIZE

typedef enum { FORM_RR, FORM_RI, FORM_RM, FORM_MR, FORM_MI, FORM_FROM_OFFSET, FORM_TO_OFFSET,
               FORM_COUNT } Form;
#define FORMS(bits) {op_mov##bits##_rr, op_mov##bits##_ri, op_mov##bits##_rm, op_mov##bits##_mr, \
                     op_mov##bits##_mi, op_mov##bits##_from_offset, op_mov##bits##_to_offset}
static const IemHandler movs[4][FORM_COUNT] = {FORMS(8), FORMS(16), FORMS(32), FORMS(64)};
#undef FORMS

/* MOVZX and MOVSX: from 8, 16 or 32 bits to 16, 32 or 64. */
#define EXTEND(name, convert, from, to)                                                            \
static void op_##name##from##_##to##_r(Vcpu *vcpu, const IemInsn *insn)                            \
{ iem_reg_set(vcpu, insn->reg, to / 8,                                                             \
              (uint64_t)convert(iem_reg_get(vcpu, insn->rm, from / 8), from / 8)); }               \
static void op_##name##from##_##to##_m(Vcpu *vcpu, const IemInsn *insn)                            \
{ iem_reg_set(vcpu, insn->reg, to / 8,                                                             \
              (uint64_t)convert(iem_mem_get(vcpu, insn, from / 8), from / 8)); }
#define EXTENDS(name, convert)                                                                     \
EXTEND(name, convert, 8, 16) EXTEND(name, convert, 8, 32) EXTEND(name, convert, 8, 64)             \
EXTEND(name, convert, 16, 16) EXTEND(name, convert, 16, 32) EXTEND(name, convert, 16, 64)
EXTENDS(movzx, iem_truncate)
EXTENDS(movsx, iem_sign_extend)
EXTEND(movsx, iem_sign_extend, 32, 64)
#undef EXTENDS
#undef EXTEND
#define PAIR(name, from, to) {op_##name##from##_##to##_r, op_##name##from##_##to##_m}
#define TABLE(name) { \
    {PAIR(name, 8, 16), PAIR(name, 8, 32), PAIR(name, 8, 64)}, \
    {PAIR(name, 16, 16), PAIR(name, 16, 32), PAIR(name, 16, 64)}}
static const IemHandler movzx[2][3][2] = TABLE(movzx);
static const IemHandler movsx[2][3][2] = TABLE(movsx);
#undef TABLE
#undef PAIR
/* clang-format on */

static IemHandler
choose_mov_rm(IemInsn *insn)
{
    bool load = insn->opcode & 2;
    uint8_t swap = insn->reg;

    if (insn->flags & IEM_INSN_MEM)
        return movs[iem_size_index(insn->opsize)][load ? FORM_RM : FORM_MR];
    if (load) {
        insn->reg = insn->rm;
        insn->rm = swap;
    }
    return movs[iem_size_index(insn->opsize)][FORM_RR];
}

IemHandler
iem_choose_mov(const Vcpu *vcpu, IemInsn *insn)
{
    unsigned size = iem_size_index(insn->opsize);

    if (insn->map == 1) {
        insn->flags |= IEM_INSN_SYSTEM | IEM_INSN_BLOCK_END;
        return iem_choose_mov_cr_dr(vcpu, insn);
    }
    if (insn->opcode == 0x8c || insn->opcode == 0x8e)
        return iem_choose_mov_segment(vcpu, insn);
    iem_use_offsets(insn, insn->opsize, insn->opsize);
    switch (insn->opcode) {
    case 0x88:
    case 0x89:
    case 0x8a:
    case 0x8b: return choose_mov_rm(insn);
    case 0xa0:
    case 0xa1: return movs[size][FORM_FROM_OFFSET];
    case 0xa2:
    case 0xa3: return movs[size][FORM_TO_OFFSET];
    case 0xc6:
    case 0xc7: return movs[size][insn->flags & IEM_INSN_MEM ? FORM_MI : FORM_RI];
    default: return movs[size][FORM_RI]; /* B0..BF */
    }
}

/* 32 or 64 bits; an operand-size prefix makes no difference. */
IemHandler
iem_choose_movnti(const Vcpu *vcpu, IemInsn *insn)
{
    insn->opsize = MAX(insn->opsize, 4);
    iem_use_offsets(insn, insn->opsize, insn->opsize);
    return movs[iem_size_index(insn->opsize)][FORM_MR];
}

IemHandler
iem_choose_extend(const Vcpu *vcpu, IemInsn *insn)
{
    bool word = insn->opcode & 1, mem = insn->flags & IEM_INSN_MEM;
    unsigned to = iem_size_index(insn->opsize) - 1;

    iem_use_offsets(insn, insn->opsize, word ? 2 : 1);
    return (insn->row == ZYDIS_MNEMONIC_MOVZX ? movzx : movsx)[word][to][mem];
}

IemHandler
iem_choose_movsxd(const Vcpu *vcpu, IemInsn *insn)
{
    bool mem = insn->flags & IEM_INSN_MEM;
    uint8_t swap;

    iem_use_offsets(insn, insn->opsize, 4);
    if (insn->opsize == 8)
        return mem ? op_movsx32_64_m : op_movsx32_64_r;
    if (mem) /* without REX.W it is a plain MOV */
        return movs[iem_size_index(insn->opsize)][FORM_RM];
    swap = insn->reg;
    insn->reg = insn->rm;
    insn->rm = swap;
    return movs[iem_size_index(insn->opsize)][FORM_RR];
}

/* ---- LEA ---- */
static void
op_lea16(Vcpu *vcpu, const IemInsn *insn)
{
    iem_reg_set(vcpu, insn->reg, 2, iem_ea(vcpu, insn));
}

static void
op_lea32(Vcpu *vcpu, const IemInsn *insn)
{
    iem_reg_set(vcpu, insn->reg, 4, iem_ea(vcpu, insn));
}

static void
op_lea64(Vcpu *vcpu, const IemInsn *insn)
{
    iem_reg_set(vcpu, insn->reg, 8, iem_ea(vcpu, insn));
}

IemHandler
iem_choose_lea(const Vcpu *vcpu, IemInsn *insn)
{
    static const IemHandler lea[4] = {NULL, op_lea16, op_lea32, op_lea64};

    iem_use_offsets(insn, insn->opsize, insn->opsize);
    return insn->flags & IEM_INSN_MEM ? lea[iem_size_index(insn->opsize)] : NULL;
}
