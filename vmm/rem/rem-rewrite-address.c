/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Addresses of guest memory operands as host LEAs: the three address sizes, guest r13 to r15 as
 * base or index, RIP-relative ones. Nothing here touches flags. Intel SDM volume 2A, 2.1.5
 * and 2.2.1. */
#include "vmm/rem/rem-emit.h"
#include "vmm/rem/rem-rewrite.h"

/* RIP of the next instruction + displacement. */
static void
emit_relative(RemEmit *emit, const RemInsn *insn, unsigned to, const RemRip *rip)
{
    uint64_t value = rip->value + (uint64_t)insn->mem.disp;

    if (!rip->in_vcpu) {
        rem_emit_mov_ri(emit, to, insn->addrsize == 4 ? (uint32_t)value : value);
        return;
    }
    rem_emit_mov_rm(emit, 8, to, rem_mem_vcpu(rip->field));
    if ((int64_t)value != (int32_t)value) {
        rem_emit_lea(emit, 8, to, rem_mem(to, (int32_t)rip->value));
        value = (uint64_t)insn->mem.disp;
    }
    rem_emit_lea(emit, insn->addrsize, to, rem_mem(to, (int32_t)value));
}

/* No registers: an absolute address, sign-extended where it has 32 bits in 64-bit code. */
static void
emit_absolute(RemEmit *emit, const RemInsn *insn, unsigned to)
{
    uint64_t value = (uint64_t)insn->mem.disp;

    rem_emit_mov_ri(emit, to,
                    insn->addrsize == 8   ? value
                    : insn->addrsize == 4 ? (uint32_t)value
                                          : (uint16_t)value);
}

/* The operand with host registers: r13 to r15 are loaded to `first` and `second`. */
static RemMem
with_host_registers(RemEmit *emit, const RemInsn *insn, unsigned first, unsigned second)
{
    RemMem mem = {insn->mem.base, insn->mem.index, insn->mem.scale, false, (int32_t)insn->mem.disp};

    if (mem.base != REM_NO_REG && !rem_is_held(emit, mem.base)) {
        rem_rewrite_load(emit, first, mem.base);
        mem.base = (uint8_t)first;
    }
    if (mem.index != REM_NO_REG && !rem_is_held(emit, mem.index)) {
        unsigned to = mem.base == first ? second : first;

        if (mem.base == first && insn->mem.base == insn->mem.index)
            to = first;
        else
            rem_rewrite_load(emit, to, mem.index);
        mem.index = (uint8_t)to;
    }
    return mem;
}

static void
emit_registers(RemEmit *emit, const RemInsn *insn, unsigned to, unsigned scratch)
{
    RemMem mem = with_host_registers(emit, insn, to, scratch);

    if (insn->addrsize == 8 && mem.index == REM_NO_REG && mem.disp == 0) {
        if (mem.base != to)
            rem_emit_mov_rr(emit, 8, to, mem.base);
        return;
    }
    rem_emit_lea(emit, insn->addrsize == 8 ? 8 : 4, to, mem);
    if (insn->addrsize == 2)
        rem_emit_movzx_rr(emit, 2, to, to);
}

void
rem_rewrite_offset(RemEmit *emit, const RemInsn *insn, unsigned to, unsigned scratch,
                   const RemRip *rip)
{
    if (insn->mem.rip_relative)
        emit_relative(emit, insn, to, rip);
    else if (insn->mem.base == REM_NO_REG && insn->mem.index == REM_NO_REG)
        emit_absolute(emit, insn, to);
    else
        emit_registers(emit, insn, to, scratch);
}

/* LEA without a detour where the host's does the same. */
static bool
is_direct(const RemInsn *insn)
{
    if (insn->mem.rip_relative || insn->addrsize == 2 || insn->opsize == 2)
        return false;
    return insn->mem.base != REM_NO_REG || insn->mem.index != REM_NO_REG;
}

void
rem_rewrite_lea(RemEmit *emit, const RemInsn *insn, const RemRip *rip)
{
    unsigned to = rem_is_held(emit, insn->reg) ? insn->reg : REM_T0;

    if (is_direct(insn)) {
        unsigned size = insn->opsize == 8 && insn->addrsize == 8 ? 8 : 4;

        rem_emit_lea(emit, size, to, with_host_registers(emit, insn, REM_T0, REM_T1));
        rem_rewrite_store(emit, insn->reg, to);
        return;
    }
    rem_rewrite_offset(emit, insn, REM_T0, REM_T1, rip);
    if (insn->opsize == 8)
        rem_rewrite_store(emit, insn->reg, REM_T0);
    else if (!rem_is_held(emit, insn->reg) && insn->opsize == 2)
        rem_emit_mov_mr(emit, 2, rem_mem_gpr(insn->reg), REM_T0);
    else
        rem_emit_mov_rr(emit, insn->opsize, to, REM_T0);
    if (insn->opsize == 4 && !rem_is_held(emit, insn->reg))
        rem_rewrite_store(emit, insn->reg, REM_T0);
}
