/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A guest instruction as host code: the same opcode with its memory operand elsewhere, guest r13 to
 * r15 in temporaries or in the virtual CPU, and 16- and 32-bit code's encodings as 64-bit code has
 * them. All other guest registers are in the host registers of the same number, the guest's status
 * flags in the host's. Intel SDM volume 2. Left out (false): whatever touches the stack, string
 * instructions, segment and control registers, branches, and all that is not COPY in
 * instructions.def, but for LEA and CLFLUSH. */
#pragma once

#include "vmm/rem/rem-emit.h"
#include "vmm/rem/rem-insn.h"

/* Where RIP-relative operands count from: the offset of the next instruction is `value`, or, with
 * `in_vcpu`, value + the 64-bit field of the virtual CPU at offset `field`. */
typedef struct {
    uint64_t value;
    uint32_t field;
    bool in_vcpu;
} RemRip;

/* Can rem_rewrite() do it? `mem` is wanted if the instruction has REM_DOES_MEMORY. */
bool rem_can_rewrite(const RemInsn *insn);

/* Emits the instruction. mem: what its memory operand becomes (NULL without REM_DOES_MEMORY); it
 * may use temporaries, which keep their values only as far as the instruction does not need one
 * to write. rip is for LEA only. Temporaries that mem does not use are lost; guest registers and
 * flags are exactly as the instruction leaves them. The only host instruction that accesses *mem
 * or can raise an exception is one copy of the guest's. false: nothing was emitted. */
bool rem_rewrite(RemEmit *emit, const RemInsn *insn, const RemMem *mem, const RemRip *rip);

/* Emits the offset of the explicit memory operand (without the segment's base), cut to the address
 * size, into the host register `to`. `scratch` (another temporary) may be lost. No flags. */
void rem_rewrite_offset(RemEmit *emit, const RemInsn *insn, unsigned to, unsigned scratch,
                        const RemRip *rip);

/* LEA: what rem_rewrite() does for it. */
void rem_rewrite_lea(RemEmit *emit, const RemInsn *insn, const RemRip *rip);

/* A guest register into a host register, and back; 64 bits, no flags. */
void rem_rewrite_load(RemEmit *emit, unsigned to, unsigned guest);
void rem_rewrite_store(RemEmit *emit, unsigned guest, unsigned from);

/* A guest register below r13 into the virtual CPU. */
static inline void
rem_rewrite_spill(RemEmit *emit, unsigned guest)
{
    rem_emit_mov_mr(emit, 8, rem_mem_vcpu(offsetof(Vcpu, gpr) + 8 * guest), guest);
}

/* The guest register's home: a register where it has one, else gs:[gpr]. */
static inline bool
rem_in_register(unsigned guest)
{
    return guest < REM_T0;
}

/* The same, if the assembler holds guest registers in temporaries. */
static inline bool
rem_is_held(const RemEmit *emit, unsigned guest)
{
    return guest < REM_T0 ||
           (guest < REM_T0 + REM_TEMPORARIES && (emit->held >> (guest - REM_T0) & 1));
}

static inline RemMem
rem_mem_gpr(unsigned guest)
{
    return rem_mem_vcpu(offsetof(Vcpu, gpr) + 8 * guest);
}
