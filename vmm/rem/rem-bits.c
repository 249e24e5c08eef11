/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * BT, BTS, BTR, BTC of memory with a register, which names a bit anywhere before or behind the
 * operand: the word that holds it is found first. Words of 4 and 8 bytes in flat segments; the
 * rest is IEM's. Intel SDM volume 1 section 3.1.1.9 (bit strings), volume 2. */
#include "vmm/rem/rem-translate.h"

static bool
is_flat(const RemTranslator *t)
{
    const unsigned seg = t->insn->mem.seg;

    if (rem_is_long64(t))
        return seg != X86_FS && seg != X86_GS;
    return (t->mode & REM_MODE_FLAT) && (seg == X86_ES || seg == X86_SS || seg == X86_DS);
}

/* The bit's number, sign-extended, into T1. */
static void
emit_bit(RemTranslator *t)
{
    if (t->insn->opsize == 8) {
        rem_rewrite_load(t->emit, REM_T1, t->insn->reg);
    } else if (rem_in_register(t->insn->reg)) {
        rem_emit_movsx_rr(t->emit, 4, REM_T1, t->insn->reg);
    } else {
        rem_rewrite_load(t->emit, REM_T1, t->insn->reg);
        rem_emit_movsx_rr(t->emit, 4, REM_T1, REM_T1);
    }
}

bool
rem_translate_bits(RemTranslator *t)
{
    const RemInsn *insn = t->insn;
    const unsigned size = insn->opsize, shift = (unsigned)__builtin_ctz(size);
    const bool write = insn->op.code != 0xa3;
    const RemRip rip = rem_rip(t);
    RemOpcode op = {.map = 1, .code = insn->op.code, .flags = size == 8 ? REM_OP_W : 0};
    RemMem mem;

    if (size < 4 || insn->addrsize != (rem_is_long64(t) ? 8 : 4) || !is_flat(t) ||
        (t->mode & REM_MODE_SLOW_MEMORY))
        return false;
    rem_begin_retry(t);
    rem_rewrite_offset(t->emit, insn, REM_T0, REM_T1, &rip);
    emit_bit(t);
    rem_emit_shift_ri(t->emit, REM_SAR, 8, REM_T1, shift + 3);
    rem_flags_lost(t);
    rem_emit_lea(t->emit, insn->addrsize, REM_T0, rem_mem_index(REM_T0, REM_T1, shift, 0));
    rem_memory_computed(t, size, write, &mem);
    emit_bit(t);
    if (write) {
        rem_emit_alu_ri(t->emit, REM_AND, 4, REM_T1, (int32_t)size * 8 - 1);
        rem_restore_flags_for_insn(t);
        op.flags |= insn->form & REM_FORM_LOCK ? REM_OP_LOCK : 0;
        rem_emit_op_rm(t->emit, op, REM_T1, mem);
    } else {
        rem_emit_mov_rm(t->emit, size, REM_T0, mem);
        rem_restore_flags_for_insn(t);
        rem_emit_op_rr(t->emit, op, REM_T1, REM_T0);
    }
    rem_flags_written(t);
    return true;
}
