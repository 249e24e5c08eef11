/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The guest's x87, MMX and SSE state in the host's registers. It is loaded when a block that uses
 * it begins (`live`) and stays there over blocks that do not. Rules:
 *  - While live, x87 and XMM (YMM) registers, FCW and FSW are the host's. Both control words mask
 * every exception: what an unmasked one would need has a mode of its own, in which IEM executes all
 * such instructions (REM_MODE_X87 and REM_MODE_SSE are clear). MXCSR is always the host's while an
 *    engine runs, as IEM has it; Vcpu.fpu.mxcsr is right but for its sticky flags.
 *  - C code that is called from a block may use XMM and YMM registers: the trampoline stores
 *    them to Vcpu.fpu and loads them again. The x87 is left alone, since C code leaves it alone.
 *  - IEM and everybody else sees Vcpu.fpu after rem_vector_sync() only: before a vector instruction
 *    in IEM, and when a run ends.
 *  - FIP, FDP and FOP never come from the host's x87: translated code notes them.
 * Intel SDM volume 1 sections 8.1.8, 10.5; AMD APM volume 2 chapter 11. */
#pragma once

#include "vmm/rem/rem-insn.h"

typedef enum {
    REM_VECTOR_NONE,
    REM_VECTOR_SSE, /* x87, MMX and XMM registers */
    REM_VECTOR_AVX, /* and the upper halves of YMM registers */
} RemVectorLive;

typedef struct {
    uint32_t live;     /* RemVectorLive */
    uint32_t x87_insn; /* the last x87 instruction that FIP knows: REM_X87_* ; 0: as in Vcpu.fpu */
    uint64_t x87_base; /* RIP of that instruction minus its offset in the page */
    uint64_t x87_dp;   /* FDP */
    uint16_t x87_cs, x87_ds;
} RemVectorHot;

#define REM_X87_VALID (1u << 31)
#define REM_X87_FOP_SHIFT 12 /* below: the offset in the page */

/* Loads the guest's state up to `need`, but for XMM and YMM registers, which the trampoline loads
 * on the way back. */
void rem_vector_load(Vcpu *vcpu, unsigned need);
/* Vcpu.fpu becomes exact (but for MXCSR's flags), the host's x87 empty. */
void rem_vector_sync(Vcpu *vcpu);
/* Can REM execute x87 and SSE instructions with these control words? */
bool rem_vector_x87_is_masked(const Vcpu *vcpu);
bool rem_vector_sse_is_masked(const Vcpu *vcpu);

/* For the trampolines: XMM and YMM registers to Vcpu.fpu and back, as live. Host flags are lost. */
void rem_vector_emit_store(RemEmit *emit);
void rem_vector_emit_load(RemEmit *emit);

/* Does IEM need Vcpu.fpu for it, or change it? */
static inline bool
rem_insn_uses_vector(const RemInsn *insn)
{
    return (insn->does & REM_DOES_VECTOR) ||
           (insn->op.map == 1 && insn->op.code == 0xae) /* XSAVE and the like */
           || (insn->op.map == 1 && insn->op.code == 0xc7);
}
