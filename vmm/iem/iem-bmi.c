/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * BMI1, BMI2, LZCNT, ADX, MOVBE: the host's own instructions with the guest's status flags loaded,
 * so that flags which an instruction leaves alone or undefined are what the processor makes of
 * them. Intel SDM volume 2; volume 1 section 5.1.16. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-operand.h"

/* rm is the operand that ModRM.rm names, v the register of VEX.vvvv, d the destination before;
 * returns the destination. *raw has the status flags, before and after. */
typedef uint64_t (*BmiOp)(uint64_t rm, uint64_t v, uint64_t d, IemRawFlags *raw);

/* clang-format off */
#define RM_D(s)   " %" s "[rm], %" s "[d]"
#define RM_V_D(s) " %" s "[rm], %" s "[v], %" s "[d]"
#define V_RM_D(s) " %" s "[v], %" s "[rm], %" s "[d]"
/* AL is OF and AH the other flags: adding 7Fh makes OF of AL. */
#define SIZE(name, bits, text)                                                                     \
static uint64_t                                                                                    \
op_##name##bits(uint64_t rm, uint64_t v, uint64_t d, IemRawFlags *raw)                             \
{                                                                                                  \
    IemRawFlags flags = *raw;                                                                      \
    __asm__("addb $0x7f, %%al\n\tsahf\n\t" text "\n\tlahf\n\tseto %%al"                            \
            : [d] "+&r"(d), "+&a"(flags) : [rm] "r"(rm), [v] "r"(v) : "cc");                       \
    *raw = flags;                                                                                  \
    return d;                                                                                      \
}
#define OP(name, asm_name, operands, destination)                                                  \
    SIZE(name, 32, asm_name operands("k"))                                                         \
    SIZE(name, 64, asm_name operands("q"))
#define OP16(name, asm_name, operands, destination)                                                \
    SIZE(name, 16, asm_name operands("w"))                                                         \
    OP(name, asm_name, operands, destination)
#include "vmm/iem/iem-bmi.def"
#undef OP
#undef OP16
/* clang-format on */

IEM_INLINE uint64_t
source(Vcpu *vcpu, const IemInsn *insn, unsigned size)
{
    if (insn->flags & IEM_INSN_MEM)
        return iem_mem_get(vcpu, insn, size);
    return iem_reg_get(vcpu, insn->rm, size);
}

/* insn->imm is the operation, imm2 the offset of the destination. */
IEM_INLINE void
run(Vcpu *vcpu, const IemInsn *insn, unsigned size)
{
    BmiOp op = (BmiOp)(uintptr_t)insn->imm;
    uint64_t rm = source(vcpu, insn, size);
    IemRawFlags raw = iem_raw_from_status(vcpu);
    uint64_t d = op(rm, vcpu->gpr[insn->vvvv], iem_reg_get(vcpu, insn->imm2, size), &raw);

    iem_reg_set(vcpu, insn->imm2, size, d);
    iem_set_status(vcpu, raw);
}

static void
run16(Vcpu *vcpu, const IemInsn *insn)
{
    run(vcpu, insn, 2);
}

static void
run32(Vcpu *vcpu, const IemInsn *insn)
{
    run(vcpu, insn, 4);
}

static void
run64(Vcpu *vcpu, const IemInsn *insn)
{
    run(vcpu, insn, 8);
}

enum { DESTINATION_REG, DESTINATION_VVVV };

static unsigned
size_of(const IemInsn *insn)
{
    if (insn->flags & IEM_INSN_REX_W)
        return 8;
    return insn->flags & IEM_INSN_VEX ? 4 : insn->opsize;
}

static IemHandler
choose(IemInsn *insn, BmiOp op16, BmiOp op32, BmiOp op64, unsigned destination)
{
    unsigned size = size_of(insn);

    insn->imm2 = (uint16_t)(8 * (destination == DESTINATION_VVVV ? insn->vvvv : insn->reg));
    iem_use_offsets(insn, size, size);
    if (size == 2 && op16 != NULL) {
        insn->imm = (uintptr_t)op16;
        return run16;
    }
    insn->imm = (uintptr_t)(size == 8 ? op64 : op32);
    return size == 8 ? run64 : run32;
}

#define CHOOSER(name, op16, destination)                                                           \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn)                                  \
    {                                                                                              \
        return choose(insn, op16, op_##name##32, op_##name##64, DESTINATION_##destination);        \
    }
#define OP(name, asm_name, operands, destination) CHOOSER(name, NULL, destination)
#define OP16(name, asm_name, operands, destination) CHOOSER(name, op_##name##16, destination)
#include "vmm/iem/iem-bmi.def"
#undef OP
#undef OP16

/* ---- MULX: rDX times rm, no flags; the low half goes first ---- */
static void
op_mulx32(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t product = source(vcpu, insn, 4) * (uint32_t)vcpu->gpr[X86_RDX];

    vcpu->gpr[insn->vvvv] = (uint32_t)product;
    iem_reg_set(vcpu, insn->reg, 4, product >> 32);
}

static void
op_mulx64(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned __int128 product = (unsigned __int128)source(vcpu, insn, 8) * vcpu->gpr[X86_RDX];

    vcpu->gpr[insn->vvvv] = (uint64_t)product;
    iem_reg_set(vcpu, insn->reg, 8, (uint64_t)(product >> 64));
}

IemHandler
iem_choose_mulx(const Vcpu *vcpu, IemInsn *insn)
{
    unsigned size = size_of(insn);

    iem_use_offsets(insn, size, size);
    return size == 8 ? op_mulx64 : op_mulx32;
}

/* ---- RORX ---- */
static void
op_rorx32(Vcpu *vcpu, const IemInsn *insn)
{
    uint32_t value = (uint32_t)source(vcpu, insn, 4);
    unsigned count = insn->imm & 31;

    iem_reg_set(vcpu, insn->reg, 4, value >> count | value << (-count & 31));
}

static void
op_rorx64(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value = source(vcpu, insn, 8);
    unsigned count = insn->imm & 63;

    iem_reg_set(vcpu, insn->reg, 8, value >> count | value << (-count & 63));
}

IemHandler
iem_choose_rorx(const Vcpu *vcpu, IemInsn *insn)
{
    unsigned size = size_of(insn);

    iem_use_offsets(insn, size, size);
    return size == 8 ? op_rorx64 : op_rorx32;
}

/* ---- MOVBE ---- */
IEM_INLINE uint64_t
swapped(uint64_t value, unsigned size)
{
    return __builtin_bswap64(value) >> (64 - 8 * size);
}

/* clang-format off */
#define MOVBE(bits)                                                                                \
static void movbe_load##bits(Vcpu *vcpu, const IemInsn *insn)                                      \
{ iem_reg_set(vcpu, insn->reg, bits / 8, swapped(iem_mem_get(vcpu, insn, bits / 8), bits / 8)); }  \
static void movbe_store##bits(Vcpu *vcpu, const IemInsn *insn)                                     \
{ iem_mem_set(vcpu, insn, bits / 8, swapped(iem_reg_get(vcpu, insn->reg, bits / 8), bits / 8)); }
MOVBE(16)
MOVBE(32)
MOVBE(64)
#undef MOVBE
/* clang-format on */

IemHandler
iem_choose_movbe(const Vcpu *vcpu, IemInsn *insn)
{
    static const IemHandler loads[3] = {movbe_load16, movbe_load32, movbe_load64};
    static const IemHandler stores[3] = {movbe_store16, movbe_store32, movbe_store64};

    if (!(insn->flags & IEM_INSN_MEM))
        return NULL;
    iem_use_offsets(insn, insn->opsize, insn->opsize);
    return (insn->opcode == 0xf1 ? stores : loads)[iem_size_index(insn->opsize) - 1];
}
