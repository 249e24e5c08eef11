/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MMX and SSE instructions with an 8-bit immediate that is part of the operation: one small host
 * function for each of the 256 values, 16 bytes apart. Intel SDM volume 2. */
#include "vmm/iem/iem-vector.h"

#define THUNK_SIZE 16

/* movups (3 bytes) twice, the instruction (at most 6), movups, ret: 16 bytes. */
#define XMM_THUNKS(name, asm_name)                                                                 \
    __asm__(".pushsection .text\n.balign 16\niem_thunks_" #name ":\n.set iem_i, 0\n.rept 256\n"    \
            ".balign 16\nmovups (%rdi), %xmm0\nmovups (%rsi), %xmm1\n" asm_name                    \
            " $iem_i, %xmm1, %xmm0\nmovups %xmm0, (%rdi)\nret\n.set iem_i, iem_i + 1\n.endr\n"     \
            ".popsection\n");                                                                      \
    extern const uint8_t iem_thunks_##name[];
/* Shift of one register by the immediate. */
#define XMM_SELF_THUNKS(name, asm_name)                                                            \
    __asm__(".pushsection .text\n.balign 16\niem_thunks_" #name ":\n.set iem_i, 0\n.rept 256\n"    \
            ".balign 16\nmovups (%rdi), %xmm0\n" asm_name                                          \
            " $iem_i, %xmm0\nmovups %xmm0, (%rdi)\nret\n.set iem_i, iem_i + 1\n.endr\n"            \
            ".popsection\n");                                                                      \
    extern const uint8_t iem_thunks_##name[];
/* movq (3), the instruction with its memory operand (at most 6), movq (3), emms (2), ret (1). */
#define MMX_THUNKS(name, asm_name)                                                                 \
    __asm__(".pushsection .text\n.balign 16\niem_thunks_mmx_" #name                                \
            ":\n.set iem_i, 0\n.rept 256\n"                                                        \
            ".balign 16\nmovq (%rdi), %mm0\n" asm_name                                             \
            " $iem_i, (%rsi), %mm0\nmovq %mm0, (%rdi)\nemms\nret\n.set iem_i, iem_i + 1\n.endr\n"  \
            ".popsection\n");                                                                      \
    extern const uint8_t iem_thunks_mmx_##name[];

#define OP(name, asm_name, memory, traits) XMM_THUNKS(name, asm_name)
#define SELF(name, asm_name) XMM_SELF_THUNKS(name, asm_name)
#define MMX(name, asm_name) MMX_THUNKS(name, asm_name)
#include "vmm/iem/iem-vector-immediate.def"
#undef OP
#undef SELF
#undef MMX

static inline IemVectorOp
operation(const IemInsn *insn)
{
    return (IemVectorOp)(uintptr_t)insn->imm;
}

static void
xmm_any(Vcpu *vcpu, const IemInsn *insn)
{
    _Alignas(16) uint8_t buffer[16];

    iem_check_sse(vcpu);
    operation(insn)(iem_xmm(vcpu, insn->reg), iem_vector_source(vcpu, insn, insn->width, buffer));
}

static void
xmm_float(Vcpu *vcpu, const IemInsn *insn)
{
    _Alignas(16) uint8_t buffer[16];

    iem_check_sse(vcpu);
    iem_vector_fp(vcpu, operation(insn), insn->imm2, iem_xmm(vcpu, insn->reg),
                  iem_vector_source(vcpu, insn, insn->width, buffer));
}

static void
xmm_self(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    operation(insn)(iem_xmm(vcpu, insn->rm), iem_xmm(vcpu, insn->rm));
}

static void
mmx_any(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t source, value;

    iem_check_mmx(vcpu);
    source = iem_mmx_source(vcpu, insn, 8);
    iem_mmx_begin(vcpu);
    if (!(insn->flags & IEM_INSN_MEM))
        source = iem_mm_read(vcpu, insn->rm);
    value = iem_mm_read(vcpu, insn->reg);
    operation(insn)(&value, &source);
    iem_mm_write(vcpu, insn->reg, value);
}

static IemHandler
choose(IemInsn *insn, const uint8_t *thunks, unsigned memory, IemHandler handler)
{
    insn->imm = (uintptr_t)(thunks + (insn->imm & 0xff) * THUNK_SIZE);
    insn->width = (uint8_t)memory;
    return handler;
}

/* PALIGNR exists for both kinds of registers under one name. */
IemHandler iem_choose_PALIGNR(const Vcpu *vcpu, IemInsn *insn);
IemHandler
iem_choose_PALIGNR(const Vcpu *vcpu, IemInsn *insn)
{
    if (iem_is_xmm_form(insn))
        return choose(insn, iem_thunks_PALIGNR_X, 16, xmm_any);
    return choose(insn, iem_thunks_mmx_PALIGNR_M, 8, mmx_any);
}

#define OP(name, asm_name, memory, traits)                                                         \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn);                                 \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn)                                  \
    {                                                                                              \
        insn->imm2 = IEM_VECTOR_##traits;                                                          \
        return choose(insn, iem_thunks_##name, memory, insn->imm2 ? xmm_float : xmm_any);          \
    }
#define SELF(name, asm_name)                                                                       \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn);                                 \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn)                                  \
    {                                                                                              \
        return choose(insn, iem_thunks_##name, 16, xmm_self);                                      \
    }
#define MMX(name, asm_name)                                                                        \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn);                                 \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn)                                  \
    {                                                                                              \
        return choose(insn, iem_thunks_mmx_##name, 8, mmx_any);                                    \
    }
#include "vmm/iem/iem-vector-immediate.def"
