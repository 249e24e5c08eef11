/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MMX and SSE in the interpreter: the host executes each operation on copies of the guest's
 * registers, so results and exceptions are exact. While an engine runs, the host's MXCSR is the
 * guest's with every exception masked; its flags are the guest's sticky flags. Intel SDM volume 1
 * chapters 9 to 12. */
#pragma once

#include "vmm/iem/iem-private.h"

#include <emmintrin.h>

#define IEM_MXCSR_FLAGS 0x3fu
#define IEM_MXCSR_MASKS 0x1f80u
#define IEM_MXCSR_VALID 0xffffu
#define IEM_MXCSR_UE 0x10u
#define IEM_MXCSR_UM 0x800u
#define IEM_MXCSR_FZ 0x8000u

/* What an operation may report: nothing; SIMD exceptions; these and, from PS on, tiny results of
 * that type in its destination. */
typedef enum {
    IEM_VECTOR_NONE,
    IEM_VECTOR_FP,
    IEM_VECTOR_PS,
    IEM_VECTOR_PD,
    IEM_VECTOR_SS,
    IEM_VECTOR_SD,
    IEM_VECTOR_PH,
} IemVectorTraits;

/* dst and src are 16 bytes each and may be the same. */
typedef void (*IemVectorOp)(void *dst, const void *src);

/* The engine's run begins or ends on this thread: loads and stores the host's MXCSR. */
void iem_vector_enter(Vcpu *vcpu);
void iem_vector_leave(Vcpu *vcpu);
/* The guest's MXCSR with the flags of what has been executed; and setting it. */
uint32_t iem_vector_mxcsr(Vcpu *vcpu);
void iem_vector_set_mxcsr(Vcpu *vcpu, uint32_t value);
/* Executes a floating-point operation whose exceptions may be unmasked: *dst is changed only when
 * no unmasked exception occurred, otherwise #XM (or #UD) is raised and this does not return. */
void iem_vector_fp(Vcpu *vcpu, IemVectorOp op, IemVectorTraits traits, void *dst, const void *src);
/* The same in steps: what the host executes between them has every exception masked; the end raises
 * the unmasked ones. `before` is the guest's MXCSR, `tiny`: a result is a denormal number. */
uint32_t iem_vector_fp_begin(Vcpu *vcpu);
void iem_vector_fp_end(Vcpu *vcpu, uint32_t before, bool tiny);
/* Is an element of a result a denormal number? */
bool iem_vector_is_tiny(const uint8_t *result, bool wide, IemVectorTraits traits);

static inline bool
iem_vector_all_masked(const Vcpu *vcpu)
{
    return (vcpu->fpu.mxcsr & IEM_MXCSR_MASKS) == IEM_MXCSR_MASKS;
}

/* Of an instruction that MMX and SSE2 share: the prefix 66 makes it the XMM form. */
static inline bool
iem_is_xmm_form(const IemInsn *insn)
{
    return insn->flags & IEM_INSN_OPERAND_PREFIX;
}

static inline uint8_t *
iem_xmm(Vcpu *vcpu, unsigned reg)
{
    return vcpu->fpu.xmm[reg & 15];
}

/* MMX registers are the mantissas of the x87 registers. TOP is 0 while MMX is in use, so ST(i) is
 * MMi. */
static inline uint8_t *
iem_mm(Vcpu *vcpu, unsigned reg)
{
    return vcpu->fpu.st[reg & 7];
}

/* An MMX instruction: TOP becomes 0 and all registers are valid; one that writes sets the exponent.
 */
void iem_mmx_begin(Vcpu *vcpu);
static inline void
iem_mm_write(Vcpu *vcpu, unsigned reg, uint64_t value)
{
    __builtin_memcpy(vcpu->fpu.st[reg & 7], &value, 8);
    __builtin_memset(vcpu->fpu.st[reg & 7] + 8, 0xff, 2);
}
static inline uint64_t
iem_mm_read(Vcpu *vcpu, unsigned reg)
{
    uint64_t value;

    __builtin_memcpy(&value, vcpu->fpu.st[reg & 7], 8);
    return value;
}

/* The source operand of an XMM form: a register, or memory of `width` bytes (16: aligned) in
 * *buffer. */
const void *iem_vector_source(Vcpu *vcpu, const IemInsn *insn, unsigned width, void *buffer);
uint64_t iem_mmx_source(Vcpu *vcpu, const IemInsn *insn, unsigned width);
