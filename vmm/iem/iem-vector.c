/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The two-operand instructions of iem-vector-ops.def, and MXCSR. Intel SDM volume 1 section 11.5
 * (SIMD exceptions). Leaves out: with an unmasked overflow or underflow the inexact flag is that of
 * the masked result. */
#include "vmm/iem/iem-vector.h"

#define PRE_COMPUTATION                                                                            \
    0x07u /* invalid, denormal, divide by zero: reported before a result exists */

void
iem_vector_enter(Vcpu *vcpu)
{
    _mm_setcsr((vcpu->fpu.mxcsr | IEM_MXCSR_MASKS) & IEM_MXCSR_VALID);
}

void
iem_vector_leave(Vcpu *vcpu)
{
    iem_vector_mxcsr(vcpu);
    _mm_setcsr(IEM_MXCSR_MASKS);
}

uint32_t
iem_vector_mxcsr(Vcpu *vcpu)
{
    vcpu->fpu.mxcsr |= _mm_getcsr() & IEM_MXCSR_FLAGS;
    return vcpu->fpu.mxcsr;
}

void
iem_vector_set_mxcsr(Vcpu *vcpu, uint32_t value)
{
    vcpu->fpu.mxcsr = value;
    iem_vector_enter(vcpu);
}

static bool
has_denormal(const uint8_t *elements, unsigned count, unsigned size, uint64_t exponent,
             uint64_t mantissa)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t element = 0;

        memcpy(&element, elements + i * size, size);
        if ((element & exponent) == 0 && (element & mantissa) != 0)
            return true;
    }
    return false;
}

bool
iem_vector_is_tiny(const uint8_t *result, bool wide, IemVectorTraits traits)
{
    const uint64_t exponent32 = 0x7f800000u, mantissa32 = 0x7fffffu;
    const uint64_t exponent64 = 0x7ff0000000000000ull, mantissa64 = 0xfffffffffffffull;

    switch (traits) {
    case IEM_VECTOR_PS: return has_denormal(result, wide ? 8 : 4, 4, exponent32, mantissa32);
    case IEM_VECTOR_SS: return has_denormal(result, 1, 4, exponent32, mantissa32);
    case IEM_VECTOR_PD: return has_denormal(result, wide ? 4 : 2, 8, exponent64, mantissa64);
    case IEM_VECTOR_SD: return has_denormal(result, 1, 8, exponent64, mantissa64);
    case IEM_VECTOR_PH: return has_denormal(result, wide ? 8 : 4, 2, 0x7c00, 0x3ff);
    default: return false;
    }
}

/* Flush-to-zero acts on masked underflow only: where it is unmasked the result has to show. */
uint32_t
iem_vector_fp_begin(Vcpu *vcpu)
{
    uint32_t before = iem_vector_mxcsr(vcpu);
    uint32_t host = (before | IEM_MXCSR_MASKS) & ~IEM_MXCSR_FLAGS;

    _mm_setcsr(before & IEM_MXCSR_UM ? host : host & ~IEM_MXCSR_FZ);
    return before;
}

/* An unmasked underflow is reported for every tiny result, a masked one only when it is inexact as
 * well. */
void
iem_vector_fp_end(Vcpu *vcpu, uint32_t before, bool tiny)
{
    uint32_t flags = _mm_getcsr() & IEM_MXCSR_FLAGS, unmasked;

    if (tiny && !(before & IEM_MXCSR_UM))
        flags |= IEM_MXCSR_UE;
    unmasked = flags & ~(before >> 7);
    if (unmasked & PRE_COMPUTATION)
        flags &= PRE_COMPUTATION;
    iem_vector_set_mxcsr(vcpu, before | flags);
    if (unmasked) {
        if (vcpu->cr4 & X86_CR4_OSXMMEXCPT)
            iem_raise(vcpu, X86_XCPT_XM);
        iem_raise_ud(vcpu);
    }
}

void
iem_vector_fp(Vcpu *vcpu, IemVectorOp op, IemVectorTraits traits, void *dst, const void *src)
{
    uint32_t before = iem_vector_fp_begin(vcpu);
    _Alignas(16) uint8_t result[16];

    memcpy(result, dst, 16);
    op(result, src);
    iem_vector_fp_end(vcpu, before, iem_vector_is_tiny(result, false, traits));
    memcpy(dst, result, 16);
}

void
iem_mmx_begin(Vcpu *vcpu)
{
    iem_check_mmx(vcpu);
    if (vcpu->fpu.fsw & 0x3800) {
        /* TOP becomes 0: the physical registers keep their places, ST(i) is renumbered. */
        unsigned top = vcpu->fpu.fsw >> 11 & 7;
        uint8_t saved[8][16];
        memcpy(saved, vcpu->fpu.st, sizeof(saved));
        for (unsigned i = 0; i < 8; i++)
            memcpy(vcpu->fpu.st[(i + top) & 7], saved[i], 16);
        vcpu->fpu.fsw &= ~0x3800;
    }
    vcpu->fpu.ftw = 0xff;
}

const void *
iem_vector_source(Vcpu *vcpu, const IemInsn *insn, unsigned width, void *buffer)
{
    uint64_t offset;

    if (!(insn->flags & IEM_INSN_MEM))
        return iem_xmm(vcpu, insn->rm);
    offset = iem_ea(vcpu, insn);
    if (width == 16) {
        iem_read_aligned16(vcpu, insn->seg, offset, buffer);
        return buffer;
    }
    memset(buffer, 0, 16);
    iem_read_bytes(vcpu, insn->seg, offset, buffer, width);
    return buffer;
}

uint64_t
iem_mmx_source(Vcpu *vcpu, const IemInsn *insn, unsigned width)
{
    if (!(insn->flags & IEM_INSN_MEM))
        return iem_mm_read(vcpu, insn->rm & 7);
    if (width == 4)
        return iem_read_u32(vcpu, insn->seg, iem_ea(vcpu, insn));
    return iem_read_u64(vcpu, insn->seg, iem_ea(vcpu, insn));
}

/* --- the operations --- */
#define REGISTERS_X(name, asm_name)                                                                \
    static void xmm_##name(void *dst, const void *src)                                             \
    {                                                                                              \
        __m128i d = _mm_loadu_si128(dst), s = _mm_loadu_si128(src);                                \
        __asm__(asm_name " %1, %0" : "+x"(d) : "x"(s));                                            \
        _mm_storeu_si128(dst, d);                                                                  \
    }                                                                                              \
    static const IemVectorOp mmx_##name = NULL;
#define REGISTERS_MX(name, asm_name)                                                               \
    static void xmm_##name(void *dst, const void *src)                                             \
    {                                                                                              \
        __m128i d = _mm_loadu_si128(dst), s = _mm_loadu_si128(src);                                \
        __asm__(asm_name " %1, %0" : "+x"(d) : "x"(s));                                            \
        _mm_storeu_si128(dst, d);                                                                  \
    }                                                                                              \
    static void mmx_##name(void *dst, const void *src)                                             \
    {                                                                                              \
        __asm__ volatile("movq (%0), %%mm0\n\t" asm_name                                           \
                         " (%1), %%mm0\n\tmovq %%mm0, (%0)\n\temms"                                \
                         :                                                                         \
                         : "r"(dst), "r"(src)                                                      \
                         : "memory", "mm0", "st");                                                 \
    }
#define OP(name, asm_name, registers, memory, traits) REGISTERS_##registers(name, asm_name)
#include "vmm/iem/iem-vector-ops.def"
#undef OP

/* --- handlers: insn->imm is the operation, imm2 its traits --- */
static inline IemVectorOp
operation(const IemInsn *insn)
{
    return (IemVectorOp)(uintptr_t)insn->imm;
}

static void
xmm_register(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    operation(insn)(iem_xmm(vcpu, insn->reg), iem_xmm(vcpu, insn->rm));
}

static void
xmm_memory(Vcpu *vcpu, const IemInsn *insn)
{
    _Alignas(16) uint8_t buffer[16];

    iem_check_sse(vcpu);
    operation(insn)(iem_xmm(vcpu, insn->reg), iem_vector_source(vcpu, insn, insn->width, buffer));
}

static void
xmm_float(Vcpu *vcpu, const IemInsn *insn)
{
    _Alignas(16) uint8_t buffer[16];
    const void *source;

    iem_check_sse(vcpu);
    source = iem_vector_source(vcpu, insn, insn->width, buffer);
    if (iem_vector_all_masked(vcpu))
        operation(insn)(iem_xmm(vcpu, insn->reg), source);
    else
        iem_vector_fp(vcpu, operation(insn), insn->imm2, iem_xmm(vcpu, insn->reg), source);
}

static void
mmx_any(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t source;
    uint64_t value;

    iem_check_mmx(vcpu);
    source = iem_mmx_source(vcpu, insn, insn->width);
    iem_mmx_begin(vcpu);
    if (!(insn->flags & IEM_INSN_MEM)) /* TOP may have moved the registers */
        source = iem_mm_read(vcpu, insn->rm & 7);
    value = iem_mm_read(vcpu, insn->reg & 7);
    operation(insn)(&value, &source);
    iem_mm_write(vcpu, insn->reg & 7, value);
}

#define IEM_VECTOR_LOW 0x80 /* with IEM_VECTOR_NONE: the MMX form reads 4 bytes */

static IemHandler
choose(IemInsn *insn, IemVectorOp xmm, IemVectorOp mmx, unsigned memory, unsigned traits)
{
    if (mmx && !iem_is_xmm_form(insn)) {
        insn->imm = (uintptr_t)mmx;
        insn->width = traits & IEM_VECTOR_LOW ? 4 : 8;
        return mmx_any;
    }
    insn->imm = (uintptr_t)xmm;
    insn->width = (uint8_t)memory;
    insn->imm2 = (uint16_t)traits;
    if (traits & ~IEM_VECTOR_LOW)
        return xmm_float;
    return insn->flags & IEM_INSN_MEM ? xmm_memory : xmm_register;
}

#define OP(name, asm_name, registers, memory, traits)                                              \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn);                                 \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn)                                  \
    {                                                                                              \
        return choose(insn, xmm_##name, mmx_##name, memory, IEM_VECTOR_##traits);                  \
    }
#include "vmm/iem/iem-vector-ops.def"
#undef OP
