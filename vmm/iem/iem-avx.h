/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * AVX in the interpreter: the host executes each operation. A thunk is the bare instruction on
 * fixed registers and RET; iem_avx_call_*() load the registers from an IemAvxFrame, call it, and
 * store what it left, so no file has to be compiled for AVX and the host's upper halves are clean
 * whenever C code runs. A register of the guest lies in two places, fpu.xmm and fpu.ymm_high; a
 * VEX-encoded instruction writes both, a legacy one leaves ymm_high alone. Intel SDM volume 1
 * chapter 14, volume 2 section 2.4 (exception classes). */
#pragma once

#include "vmm/iem/iem-vector.h"

/* v[0] is the destination (before and after), v[1] the register of VEX.vvvv, v[2] the operand of
 * ModRM.rm, v[3] the register in an immediate; gpr is RAX, flags RFLAGS after the thunk. */
typedef struct {
    _Alignas(32) uint8_t v[4][32];
    uint64_t gpr, flags;
} IemAvxFrame;

/* The upper halves of v[] are neither read nor written by the 128-bit call but for v[0]'s, which
 * becomes zero. */
void iem_avx_call_128(IemAvxFrame *frame, const void *thunk);
void iem_avx_call_256(IemAvxFrame *frame, const void *thunk);

/* ---- forms: the operands of a thunk, in the assembler's order; `imm` is "$…, " or empty ----
 * RVM: v[2], v[1] to v[0]; RM: v[2] to v[0]; RVMR: with v[3]. In the 256-bit thunk all registers
 * are YMM but for X: v[2] is XMM; N: v[0] is XMM; S: scalar, all are XMM. _128 and _256: there is
 * one length only. */
/* clang-format off */
#define IEM_AVX_NONE(op, imm)         "ud2"
#define IEM_AVX_128_RVM(op, imm)      op " " imm "%xmm2, %xmm1, %xmm0"
#define IEM_AVX_256_RVM(op, imm)      op " " imm "%ymm2, %ymm1, %ymm0"
#define IEM_AVX_128_RVM_128           IEM_AVX_128_RVM
#define IEM_AVX_256_RVM_128           IEM_AVX_NONE
#define IEM_AVX_128_RVM_256           IEM_AVX_NONE
#define IEM_AVX_256_RVM_256           IEM_AVX_256_RVM
#define IEM_AVX_128_RVMS              IEM_AVX_128_RVM
#define IEM_AVX_256_RVMS              IEM_AVX_128_RVM
#define IEM_AVX_128_RVMX              IEM_AVX_128_RVM
#define IEM_AVX_256_RVMX(op, imm)     op " " imm "%xmm2, %ymm1, %ymm0"
#define IEM_AVX_128_RVMX_256          IEM_AVX_NONE
#define IEM_AVX_256_RVMX_256          IEM_AVX_256_RVMX
#define IEM_AVX_128_RVMR(op, imm)     op " " imm "%xmm3, %xmm2, %xmm1, %xmm0"
#define IEM_AVX_256_RVMR(op, imm)     op " " imm "%ymm3, %ymm2, %ymm1, %ymm0"
#define IEM_AVX_128_RM(op, imm)       op " " imm "%xmm2, %xmm0"
#define IEM_AVX_256_RM(op, imm)       op " " imm "%ymm2, %ymm0"
#define IEM_AVX_128_RM_128            IEM_AVX_128_RM
#define IEM_AVX_256_RM_128            IEM_AVX_NONE
#define IEM_AVX_128_RM_256            IEM_AVX_NONE
#define IEM_AVX_256_RM_256            IEM_AVX_256_RM
#define IEM_AVX_128_RMX               IEM_AVX_128_RM
#define IEM_AVX_256_RMX(op, imm)      op " " imm "%xmm2, %ymm0"
#define IEM_AVX_128_RMX_256           IEM_AVX_NONE
#define IEM_AVX_256_RMX_256           IEM_AVX_256_RMX
/* The host's own has a form with memory only. */
#define IEM_AVX_128_HALVES_256        IEM_AVX_NONE
#define IEM_AVX_256_HALVES_256(op, imm) op " $1, %xmm2, %ymm2, %ymm0"
#define IEM_AVX_128_RMN               IEM_AVX_128_RM
#define IEM_AVX_256_RMN(op, imm)      op " " imm "%ymm2, %xmm0"
#define IEM_AVX_128_RMN_256           IEM_AVX_NONE
#define IEM_AVX_256_RMN_256           IEM_AVX_256_RMN
/* clang-format on */

/* The two thunks of an operation, 8 bytes each: the instruction (at most 6) and RET. */
#define IEM_AVX_THUNK_PAIR(op128, op256) ".balign 8\n" op128 "\nret\n.balign 8\n" op256 "\nret\n"
#define IEM_AVX_PAIR_SIZE 16

/* What a row says besides its thunks. */
typedef struct {
    uint8_t memory[2]; /* bytes of a memory operand, by VEX.L */
    uint8_t traits;    /* IemVectorTraits */
} IemAvxTraits;

/* ---- what the handlers share (iem-avx.c) ---- */
/* #UD unless the operating system has switched AVX on, #NM with CR0.TS. */
static inline void
iem_check_avx(Vcpu *vcpu)
{
    if (!(vcpu->cr4 & X86_CR4_OSXSAVE) ||
        (vcpu->xcr0 & (X86_XCR0_SSE | X86_XCR0_AVX)) != (X86_XCR0_SSE | X86_XCR0_AVX))
        iem_raise_ud(vcpu);
    if (vcpu->cr0 & X86_CR0_TS)
        iem_raise_nm(vcpu);
}

static inline bool
iem_avx_is_256(const IemInsn *insn)
{
    return insn->flags & IEM_INSN_VEX_L;
}

static inline void
iem_ymm_read(const Vcpu *vcpu, unsigned reg, uint8_t value[32])
{
    memcpy(value, vcpu->fpu.xmm[reg & 15], 16);
    memcpy(value + 16, vcpu->fpu.ymm_high[reg & 15], 16);
}

static inline void
iem_ymm_write(Vcpu *vcpu, unsigned reg, const uint8_t value[32])
{
    memcpy(vcpu->fpu.xmm[reg & 15], value, 16);
    memcpy(vcpu->fpu.ymm_high[reg & 15], value + 16, 16);
}

/* A VEX.128 instruction wrote fpu.xmm[reg]. */
static inline void
iem_ymm_zero_high(Vcpu *vcpu, unsigned reg)
{
    memset(vcpu->fpu.ymm_high[reg & 15], 0, 16);
}

/* v[2]: the register, or `width` bytes of memory and zeros. */
void iem_avx_load_rm(Vcpu *vcpu, const IemInsn *insn, unsigned width, IemAvxFrame *frame);
/* Runs the thunk in insn->imm; with traits, SIMD exceptions are raised before anything of the guest
 * has changed. */
void iem_avx_execute(Vcpu *vcpu, const IemInsn *insn, unsigned traits, IemAvxFrame *frame);
/* Keeps thunk, memory size and traits in the instruction. */
void iem_avx_prepare(IemInsn *insn, const uint8_t *pair, const IemAvxTraits *traits);
static inline unsigned
iem_avx_traits(const IemInsn *insn)
{
    return insn->imm2 & 0xff;
}
/* The handler of what iem_avx_prepare() has seen, with the destination in ModRM.reg. */
IemHandler iem_avx_handler(const IemInsn *insn);

/* The forms with an immediate of mnemonics that have others too (iem-avx-immediate.c). */
#define OP(name, asm_name, form, memory128, memory256, traits, destination)
#define BOTH(name, asm_name, form, memory128, memory256, traits, destination)                      \
    IemHandler iem_avx_immediate_##name(IemInsn *insn);
#include "vmm/iem/iem-avx-immediate.def"
#undef OP
#undef BOTH
