/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MMX and SSE2 shifts by a count in a register, in memory or in the immediate: all three are the
 * host's shift by a 64-bit count. Intel SDM volume 2. */
#include "vmm/iem/iem-vector.h"

typedef struct {
    IemVectorOp xmm, mmx;
} ShiftOps;

#define SHIFT(name)                                                                                \
    static void xmm_##name(void *dst, const void *count)                                           \
    {                                                                                              \
        __m128i d = _mm_loadu_si128(dst), c = _mm_loadu_si128(count);                              \
        __asm__(#name " %1, %0" : "+x"(d) : "x"(c));                                               \
        _mm_storeu_si128(dst, d);                                                                  \
    }                                                                                              \
    static void mmx_##name(void *dst, const void *count)                                           \
    {                                                                                              \
        __asm__ volatile("movq (%0), %%mm0\n\t" #name " (%1), %%mm0\n\tmovq %%mm0, (%0)\n\temms"   \
                         :                                                                         \
                         : "r"(dst), "r"(count)                                                    \
                         : "memory", "mm0");                                                       \
    }                                                                                              \
    static const ShiftOps ops_##name = {xmm_##name, mmx_##name};
SHIFT(pslld)
SHIFT(psllq)
SHIFT(psllw)
SHIFT(psrad)
SHIFT(psraw)
SHIFT(psrld)
SHIFT(psrlq)
SHIFT(psrlw)

static const ShiftOps *const shift_table[] = {&ops_pslld, &ops_psllq, &ops_psllw, &ops_psrad,
                                              &ops_psraw, &ops_psrld, &ops_psrlq, &ops_psrlw};
enum { PSLLD, PSLLQ, PSLLW, PSRAD, PSRAW, PSRLD, PSRLQ, PSRLW };

/* insn->imm2 is the index of the operation. */
static inline const ShiftOps *
ops_of(const IemInsn *insn)
{
    return shift_table[insn->imm2 & 7];
}

static void
xmm_by_register(Vcpu *vcpu, const IemInsn *insn)
{
    _Alignas(16) uint8_t buffer[16];

    iem_check_sse(vcpu);
    ops_of(insn)->xmm(iem_xmm(vcpu, insn->reg), iem_vector_source(vcpu, insn, 16, buffer));
}

static void
xmm_by_immediate(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t count[2] = {insn->imm & 0xff, 0};

    iem_check_sse(vcpu);
    ops_of(insn)->xmm(iem_xmm(vcpu, insn->rm), count);
}

static void
mmx_by_register(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t count, value;

    iem_check_mmx(vcpu);
    count = iem_mmx_source(vcpu, insn, 8);
    iem_mmx_begin(vcpu);
    if (!(insn->flags & IEM_INSN_MEM))
        count = iem_mm_read(vcpu, insn->rm);
    value = iem_mm_read(vcpu, insn->reg);
    ops_of(insn)->mmx(&value, &count);
    iem_mm_write(vcpu, insn->reg, value);
}

static void
mmx_by_immediate(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t count = insn->imm & 0xff, value;

    iem_mmx_begin(vcpu);
    value = iem_mm_read(vcpu, insn->rm);
    ops_of(insn)->mmx(&value, &count);
    iem_mm_write(vcpu, insn->rm, value);
}

static IemHandler
choose(IemInsn *insn, unsigned index)
{
    bool immediate = insn->opcode >= 0x71 && insn->opcode <= 0x73;

    insn->imm2 = (uint16_t)index;
    if (iem_is_xmm_form(insn))
        return immediate ? xmm_by_immediate : xmm_by_register;
    return immediate ? mmx_by_immediate : mmx_by_register;
}

#define CHOOSER(name)                                                                              \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn);                                 \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn)                                  \
    {                                                                                              \
        return choose(insn, name);                                                                 \
    }
CHOOSER(PSLLD)
CHOOSER(PSLLQ)
CHOOSER(PSLLW)
CHOOSER(PSRAD)
CHOOSER(PSRAW)
CHOOSER(PSRLD)
CHOOSER(PSRLQ)
CHOOSER(PSRLW)
