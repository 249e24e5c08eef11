/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * DIV and IDIV of 2 to 8 bytes. The host must not fault, so what could is looked for first and goes
 * to IEM: for IDIV everything but a dividend that fits the operand's size, as compilers make it.
 * Flags are undefined behind them; IEM leaves them as they were, and so does this. Intel SDM volume
 * 2A. */
#include "vmm/rem/rem-translate.h"

/* The divisor's host register: the guest's own, or T0. */
static bool
take_divisor(RemTranslator *t, unsigned *divisor)
{
    const RemInsn *insn = t->insn;
    RemMem mem;

    *divisor = REM_T0;
    if (insn->form & REM_FORM_MEM) {
        if (!rem_memory_operand(t, &mem))
            return false;
        rem_emit_movzx_rm(t->emit, insn->opsize, REM_T0, mem);
    } else if (rem_in_register(insn->rm)) {
        *divisor = insn->rm;
    } else {
        rem_rewrite_load(t->emit, REM_T0, insn->rm);
    }
    return true;
}

static void
leave_if(RemTranslator *t, RemCondition cc)
{
    RemSite *site = rem_retry_site(t, rem_call_iem);
    const RemJump jump = rem_emit_jcc(t->emit, cc, 4);

    rem_emit_bind_to(t->emit, jump, rem_emit_offset(t->cold));
    rem_emit_leave(t, t->cold, site);
}

static void
emit_divide(RemTranslator *t, unsigned digit, unsigned divisor)
{
    rem_emit_op_rr(t->emit, rem_op_sized(0, 0xf7, t->insn->opsize, REM_NO_REG, REM_NO_REG), digit,
                   divisor);
}

/* The quotient fits if the upper half of the dividend is below the divisor. */
bool
rem_translate_div(RemTranslator *t)
{
    const unsigned size = t->insn->opsize;
    unsigned divisor;

    if (size == 1)
        return false;
    rem_begin_retry(t);
    if (!take_divisor(t, &divisor))
        return false;
    rem_emit_alu_rr(t->emit, REM_CMP, size, X86_RDX, divisor);
    rem_flags_lost(t);
    leave_if(t, REM_CC_NB);
    emit_divide(t, 6, divisor);
    return true;
}

/* A dividend that is its lower half, sign-extended; any divisor but 0 and -1. */
bool
rem_translate_idiv(RemTranslator *t)
{
    const unsigned size = t->insn->opsize;
    unsigned divisor;

    if (size == 1)
        return false;
    rem_begin_retry(t);
    if (!take_divisor(t, &divisor))
        return false;
    rem_emit_mov_rr(t->emit, 8, REM_T1, X86_RAX);
    rem_emit_shift_ri(t->emit, REM_SAR, size, REM_T1, 8 * size - 1);
    rem_emit_alu_rr(t->emit, REM_CMP, size, REM_T1, X86_RDX);
    rem_flags_lost(t);
    leave_if(t, REM_CC_NZ);
    rem_emit_lea(t->emit, 8, REM_T1, rem_mem(divisor, 1));
    rem_emit_alu_ri(t->emit, REM_CMP, size, REM_T1, 1);
    leave_if(t, REM_CC_BE);
    emit_divide(t, 7, divisor);
    return true;
}
