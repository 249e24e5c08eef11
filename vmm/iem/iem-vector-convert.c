/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Conversions between SSE, MMX and general registers, and the comparisons that set RFLAGS. The host
 * converts. Intel SDM volume 2. */
#include "vmm/iem/iem-vector.h"

#include <immintrin.h>

#define CHOOSER(name)                                                                              \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn);                                 \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn)

static inline __m128i
load16(const void *from)
{
    return _mm_loadu_si128(from);
}

static inline IemVectorOp
operation(const IemInsn *insn)
{
    return (IemVectorOp)(uintptr_t)insn->imm;
}

/* Each operation has the integer in the low 8 bytes of dst or src. */
#define FROM_INTEGER(name, asm_name)                                                               \
    static void name(void *dst, const void *src)                                                   \
    {                                                                                              \
        __m128i d = load16(dst);                                                                   \
        uint64_t s;                                                                                \
        memcpy(&s, src, 8);                                                                        \
        __asm__(asm_name : "+x"(d) : "r"(s));                                                      \
        _mm_storeu_si128(dst, d);                                                                  \
    }
FROM_INTEGER(si2ss_32, "cvtsi2ssl %k1, %0")
FROM_INTEGER(si2ss_64, "cvtsi2ssq %1, %0")
FROM_INTEGER(si2sd_32, "cvtsi2sdl %k1, %0")
FROM_INTEGER(si2sd_64, "cvtsi2sdq %1, %0")

#define TO_INTEGER(name, asm_name, type)                                                           \
    static void name(void *dst, const void *src)                                                   \
    {                                                                                              \
        __m128i s = load16(src);                                                                   \
        type d;                                                                                    \
        uint64_t wide;                                                                             \
        __asm__(asm_name " %1, %0" : "=r"(d) : "x"(s));                                            \
        wide = d;                                                                                  \
        memcpy(dst, &wide, 8);                                                                     \
    }
TO_INTEGER(ss2si_32, "cvtss2si", uint32_t)
TO_INTEGER(ss2si_64, "cvtss2si", uint64_t)
TO_INTEGER(sd2si_32, "cvtsd2si", uint32_t)
TO_INTEGER(sd2si_64, "cvtsd2si", uint64_t)
TO_INTEGER(tss2si_32, "cvttss2si", uint32_t)
TO_INTEGER(tss2si_64, "cvttss2si", uint64_t)
TO_INTEGER(tsd2si_32, "cvttsd2si", uint32_t)
TO_INTEGER(tsd2si_64, "cvttsd2si", uint64_t)

static void
from_general(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t source;

    iem_check_sse(vcpu);
    if (!(insn->flags & IEM_INSN_MEM))
        source = vcpu->gpr[insn->rm];
    else if (insn->flags & IEM_INSN_REX_W)
        source = iem_read_u64(vcpu, insn->seg, iem_ea(vcpu, insn));
    else
        source = iem_read_u32(vcpu, insn->seg, iem_ea(vcpu, insn));
    iem_vector_fp(vcpu, operation(insn), IEM_VECTOR_FP, iem_xmm(vcpu, insn->reg), &source);
}

static void
to_general(Vcpu *vcpu, const IemInsn *insn)
{
    _Alignas(16) uint8_t buffer[16], result[16] = {0};

    iem_check_sse(vcpu);
    iem_vector_fp(vcpu, operation(insn), IEM_VECTOR_FP, result,
                  iem_vector_source(vcpu, insn, insn->width, buffer));
    memcpy(&vcpu->gpr[insn->reg], result, 8);
}

static IemHandler
choose(IemInsn *insn, IemHandler handler, unsigned width, IemVectorOp narrow, IemVectorOp wide)
{
    insn->width = (uint8_t)width;
    insn->imm = (uintptr_t)(insn->flags & IEM_INSN_REX_W ? wide : narrow);
    return handler;
}

CHOOSER(cvtsi2ss)
{
    return choose(insn, from_general, 0, si2ss_32, si2ss_64);
}
CHOOSER(cvtsi2sd)
{
    return choose(insn, from_general, 0, si2sd_32, si2sd_64);
}
CHOOSER(cvtss2si)
{
    return choose(insn, to_general, 4, ss2si_32, ss2si_64);
}
CHOOSER(cvtsd2si)
{
    return choose(insn, to_general, 8, sd2si_32, sd2si_64);
}
CHOOSER(cvttss2si)
{
    return choose(insn, to_general, 4, tss2si_32, tss2si_64);
}
CHOOSER(cvttsd2si)
{
    return choose(insn, to_general, 8, tsd2si_32, tsd2si_64);
}

/* --- MMX --- */
#define WITH_MMX(name, asm_name)                                                                   \
    static void name(void *dst, const void *src)                                                   \
    {                                                                                              \
        __m128i d = load16(dst);                                                                   \
        __asm__ volatile(asm_name "\n\temms" : "+x"(d) : "r"(src), "r"(dst) : "memory", "mm0");    \
        _mm_storeu_si128(dst, d);                                                                  \
    }
WITH_MMX(pi2ps, "movq (%1), %%mm0\n\tcvtpi2ps %%mm0, %0")
WITH_MMX(pi2pd, "movq (%1), %%mm0\n\tcvtpi2pd %%mm0, %0")

#define TO_MMX(name, asm_name)                                                                     \
    static void name(void *dst, const void *src)                                                   \
    {                                                                                              \
        __m128i s = load16(src);                                                                   \
        __asm__ volatile(asm_name " %0, %%mm0\n\tmovq %%mm0, (%1)\n\temms"                         \
                         :                                                                         \
                         : "x"(s), "r"(dst)                                                        \
                         : "memory", "mm0");                                                       \
    }
TO_MMX(ps2pi, "cvtps2pi")
TO_MMX(tps2pi, "cvttps2pi")
TO_MMX(pd2pi, "cvtpd2pi")
TO_MMX(tpd2pi, "cvttpd2pi")

static void
from_mmx(Vcpu *vcpu, const IemInsn *insn)
{
    _Alignas(16) uint8_t source[16] = {0};
    bool memory = insn->flags & IEM_INSN_MEM;
    uint64_t value;

    iem_check_sse(vcpu);
    if (memory) { /* does not touch MMX state: CVTPI2PD nowhere, CVTPI2PS on AMD's */
        value = iem_read_u64(vcpu, insn->seg, iem_ea(vcpu, insn));
    } else {
        iem_check_mmx(vcpu);
        iem_mmx_begin(vcpu);
        value = iem_mm_read(vcpu, insn->rm);
    }
    memcpy(source, &value, 8);
    iem_vector_fp(vcpu, operation(insn), IEM_VECTOR_FP, iem_xmm(vcpu, insn->reg), source);
}

static void
to_mmx(Vcpu *vcpu, const IemInsn *insn)
{
    _Alignas(16) uint8_t buffer[16], result[16] = {0};
    const void *source;
    uint64_t value;

    iem_check_sse(vcpu);
    iem_check_mmx(vcpu);
    source = iem_vector_source(vcpu, insn, insn->width, buffer);
    iem_mmx_begin(vcpu); /* also when the conversion raises #XM */
    iem_vector_fp(vcpu, operation(insn), IEM_VECTOR_FP, result, source);
    memcpy(&value, result, 8);
    iem_mm_write(vcpu, insn->reg, value);
}

CHOOSER(cvtpi2ps)
{
    return choose(insn, from_mmx, 8, pi2ps, pi2ps);
}
CHOOSER(cvtpi2pd)
{
    return choose(insn, from_mmx, 8, pi2pd, pi2pd);
}
CHOOSER(cvtps2pi)
{
    return choose(insn, to_mmx, 8, ps2pi, ps2pi);
}
CHOOSER(cvttps2pi)
{
    return choose(insn, to_mmx, 8, tps2pi, tps2pi);
}
CHOOSER(cvtpd2pi)
{
    return choose(insn, to_mmx, 16, pd2pi, pd2pi);
}
CHOOSER(cvttpd2pi)
{
    return choose(insn, to_mmx, 16, tpd2pi, tpd2pi);
}

/* --- comparisons into RFLAGS: src is [16 bytes a][16 bytes b], the flags land in dst --- */
#define COMPARE(name, asm_name)                                                                    \
    static void name(void *dst, const void *src)                                                   \
    {                                                                                              \
        __m128i a = load16(src), b = load16((const uint8_t *)src + 16);                            \
        uint64_t flags;                                                                            \
        __asm__ volatile(asm_name " %2, %1\n\tpushfq\n\tpopq %0"                                   \
                         : "=r"(flags)                                                             \
                         : "x"(a), "x"(b)                                                          \
                         : "cc");                                                                  \
        memcpy(dst, &flags, 8);                                                                    \
    }
COMPARE(compare_comiss, "comiss")
COMPARE(compare_comisd, "comisd")
COMPARE(compare_ucomiss, "ucomiss")
COMPARE(compare_ucomisd, "ucomisd")
COMPARE(compare_ptest, "ptest")

static void
compare(Vcpu *vcpu, const IemInsn *insn)
{
    _Alignas(16) uint8_t buffer[16], operands[32], result[16] = {0};
    uint64_t flags;

    iem_check_sse(vcpu);
    memcpy(operands + 16, iem_vector_source(vcpu, insn, insn->width, buffer), 16);
    memcpy(operands, iem_xmm(vcpu, insn->reg), 16);
    iem_vector_fp(vcpu, operation(insn), IEM_VECTOR_FP, result, operands);
    memcpy(&flags, result, 8);
    vcpu->rflags = (vcpu->rflags & ~(uint64_t)X86_FL_STATUS) | (flags & X86_FL_STATUS);
}

CHOOSER(comiss)
{
    return choose(insn, compare, 4, compare_comiss, compare_comiss);
}
CHOOSER(comisd)
{
    return choose(insn, compare, 8, compare_comisd, compare_comisd);
}
CHOOSER(ucomiss)
{
    return choose(insn, compare, 4, compare_ucomiss, compare_ucomiss);
}
CHOOSER(ucomisd)
{
    return choose(insn, compare, 8, compare_ucomisd, compare_ucomisd);
}
CHOOSER(ptest)
{
    return choose(insn, compare, 16, compare_ptest, compare_ptest);
}
