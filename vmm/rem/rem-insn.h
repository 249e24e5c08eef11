/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the recompiler wants to know of one guest instruction, taken once from Zydis: how to encode
 * it again, which registers and flags it reads and writes, its memory operand, how it can fault.
 * Intel SDM volume 2. Far pointers and the operands of branches are in `imm` only. */
#pragma once

#include "vmm/cpum/vcpu.h"
#include "vmm/rem/rem-emit-core.h"
#include "vmm/x86/x86-decode.h"

/* The column of instructions.def. */
typedef enum {
    REM_TREAT_IEM,
    REM_TREAT_CALL,
    REM_TREAT_STUB,
    REM_TREAT_REWRITE,
    REM_TREAT_COPY
} RemTreatment;

/* How the bytes are put together. */
#define REM_FORM_MODRM (1u << 0)
#define REM_FORM_MEM (1u << 1)    /* ModRM names memory */
#define REM_FORM_MOFFS (1u << 2)  /* A0..A3: an absolute address without ModRM */
#define REM_FORM_OPREG (1u << 3)  /* the opcode's low bits are a register (`rm`) */
#define REM_FORM_LEGACY (1u << 4) /* neither VEX nor anything later */
#define REM_FORM_VEX (1u << 5)
#define REM_FORM_LOCK (1u << 6)
#define REM_FORM_REP (1u << 7) /* repeated: REP or REPE */
#define REM_FORM_REPNE (1u << 8)
/* Which fields are general registers, and which of these are AH, CH, DH, BH (rm - 4). */
#define REM_FORM_REG_GPR (1u << 9)
#define REM_FORM_RM_GPR (1u << 10)
#define REM_FORM_VVVV_GPR (1u << 11)
#define REM_FORM_REG_HIGH (1u << 12)
#define REM_FORM_RM_HIGH (1u << 13)

/* What it does besides computing. Any of REM_DOES_FAULTS: it can raise an exception, or leave. */
#define REM_DOES_MEMORY (1u << 0)   /* its explicit memory operand is accessed */
#define REM_DOES_IMPLICIT (1u << 1) /* stack, string, XLAT, MASKMOV: other memory */
#define REM_DOES_DIVIDE (1u << 2)   /* #DE */
#define REM_DOES_X87 (1u << 3)      /* uses x87 state: #NM, #MF */
#define REM_DOES_MMX (1u << 4)      /* uses MMX registers: #NM, #MF, and TOP is set to 0 */
#define REM_DOES_SSE (1u << 5)      /* uses XMM registers or MXCSR: #NM */
#define REM_DOES_AVX (1u << 6)      /* VEX-encoded vector: #NM, and XCR0 has to allow it */
#define REM_DOES_SIMD_FP (1u << 7)  /* can raise #XM when MXCSR unmasks it */
#define REM_DOES_LEAVE (1u << 8)    /* control transfer, or anything that is not COPY */
#define REM_DOES_BITS                                                                              \
    (1u << 9) /* BT and the like with a register: addresses beyond its operand                     \
               */
#define REM_DOES_FAULTS                                                                            \
    (REM_DOES_MEMORY | REM_DOES_IMPLICIT | REM_DOES_DIVIDE | REM_DOES_X87 | REM_DOES_MMX |         \
     REM_DOES_SIMD_FP | REM_DOES_LEAVE)
#define REM_DOES_VECTOR (REM_DOES_X87 | REM_DOES_MMX | REM_DOES_SSE | REM_DOES_AVX)

/* The explicit memory operand: seg base + (base + (index << scale) + disp, cut to addrsize). */
typedef struct {
    int64_t disp;
    uint8_t seg;         /* X86_ES..; in 64-bit code only SS, DS, FS, GS */
    uint8_t base, index; /* X86_RAX.. or REM_NO_REG; VSIB's index is REM_NO_REG */
    uint8_t scale;       /* a shift count */
    bool rip_relative;   /* disp counts from the end of the instruction */
    bool present;        /* there is one; it may be an address only (LEA, NOP) */
    bool read, written;  /* as the manual says, also where only conditionally */
    bool vsib;           /* AVX2's gathers: several addresses */
    uint8_t align;       /* 16 or 32 where a misaligned access is #GP(0), else 1 */
    uint16_t size;       /* bytes */
} RemOperand;

/* How much may be added to the displacement of a near operand, for its last byte or for others
 * beside it, and the sum still is one. Others: what is added wraps to an address 4 GiB away, so all
 * that is computed from theirs is added to the address instead. */
#define REM_REACH (1 << 20)

static inline bool
rem_operand_is_near(const RemOperand *mem)
{
    return mem->disp >= INT32_MIN + REM_REACH && mem->disp <= INT32_MAX - REM_REACH;
}

typedef struct {
    uint16_t row;      /* ZYDIS_MNEMONIC_*, ZYDIS_MNEMONIC_INVALID for what is no instruction */
    uint8_t treatment; /* RemTreatment; IEM also for what the profile does not have */
    uint8_t code;      /* X86CodeSize */
    uint8_t length;    /* 1..15; 0 for what is no instruction */
    uint8_t opsize;    /* bytes: 1, 2, 4, 8; Zydis's notion, so 4 or 8 for vectors */
    uint8_t addrsize;  /* bytes: 2, 4, 8 */
    uint16_t form;     /* REM_FORM_* */
    uint16_t does;     /* REM_DOES_* */
    RemOpcode op;      /* as it is in 64-bit host code; LOCK is in `form` only */
    uint8_t modrm;     /* as it stands in the guest's code */
    uint8_t reg, rm;   /* ModRM.reg (or /digit) and register operand ModRM.rm or opcode, 0..15 */
    uint8_t imm_size;  /* bytes behind displacement: 0..8 */
    uint64_t imm;      /* imm_size bytes, not extended */

    /* Masks by register number. Read: the old value matters, also because a write keeps a part of
     * it or is conditional. AH counts as RAX. */
    uint16_t gpr_read, gpr_written;

    /* Status flags (X86_FL_STATUS). `set`: always overwritten by a result that does not depend on
     * them unless they are in `read`; `maybe`: changed or left as they were; `undefined`: the
     * manual says nothing (and the processor may leave them as they were). Disjoint but for read.
     */
    uint16_t flags_read, flags_set, flags_maybe, flags_undefined;

    RemOperand mem;
} RemInsn;

/* Decodes what starts at bytes[0] for that CPU profile. MORE: `available` bytes were not enough,
 * and nothing is in *insn. Otherwise *insn is complete; UNDEFINED and TOO_LONG give an instruction
 * of length 0 that IEM raises the fault of. */
X86DecodeResult rem_insn_decode(const X86Decoder *decoder, X86CodeSize code, const Vcpu *profile,
                                const uint8_t *bytes, size_t available, RemInsn *insn);

/* The immediate, sign-extended: branch displacements and the like. */
static inline int64_t
rem_insn_imm(const RemInsn *insn)
{
    unsigned unused = 64 - 8u * insn->imm_size;

    return insn->imm_size == 0 ? 0 : (int64_t)(insn->imm << unused) >> unused;
}

/* Is a direct branch's target, counted from its page, within 32 bits? */
static inline bool
rem_insn_is_near(const RemInsn *insn)
{
    return rem_insn_imm(insn) < INT32_MAX - 2 * (int64_t)X86_PAGE_SIZE;
}

static inline bool
rem_insn_can_fault(const RemInsn *insn)
{
    return (insn->does & REM_DOES_FAULTS) != 0;
}

static inline uint16_t
rem_insn_flags_written(const RemInsn *insn)
{
    return insn->flags_set | insn->flags_maybe | insn->flags_undefined;
}
