/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Moving the guest's arithmetic flags between the host's flags and the virtual CPU, where it has to
 * be. LAHF and SETO take them, SAHF and an addition that overflows give them back. */
#include "vmm/rem/rem-translate.h"

void
rem_emit_store_flags(RemEmit *emit)
{
    rem_emit_mov_rr(emit, 8, REM_T0, X86_RAX);
    rem_emit_flags_to_ax(emit);
    rem_emit_mov_mr(emit, 2, rem_mem_hot(offsetof(RemHot, flags)), X86_RAX);
    rem_emit_mov_rr(emit, 8, X86_RAX, REM_T0);
}

void
rem_emit_load_flags(RemEmit *emit)
{
    rem_emit_mov_rr(emit, 8, REM_T0, X86_RAX);
    rem_emit_movzx_rm(emit, 2, X86_RAX, rem_mem_hot(offsetof(RemHot, flags)));
    rem_emit_flags_from_ax(emit);
    rem_emit_mov_rr(emit, 8, X86_RAX, REM_T0);
}

/* While both temporaries are in use. */
static void
load_flags_without_temporary(RemEmit *emit)
{
    const RemMem scratch = rem_mem_hot(offsetof(RemHot, scratch));

    rem_emit_mov_mr(emit, 8, scratch, X86_RAX);
    rem_emit_movzx_rm(emit, 2, X86_RAX, rem_mem_hot(offsetof(RemHot, flags)));
    rem_emit_flags_from_ax(emit);
    rem_emit_mov_rm(emit, 8, X86_RAX, scratch);
}

void
rem_save_flags(RemTranslator *t)
{
    if (t->flags != REM_FLAGS_HOST)
        return;
    rem_emit_store_flags(t->emit);
    t->flags = REM_FLAGS_BOTH;
}

void
rem_restore_flags(RemTranslator *t)
{
    if (t->flags != REM_FLAGS_SAVED)
        return;
    if (t->temps_busy)
        load_flags_without_temporary(t->emit);
    else
        rem_emit_load_flags(t->emit);
    t->flags = REM_FLAGS_BOTH;
}

void
rem_restore_flags_for_insn(RemTranslator *t)
{
    const RemFlags *flow = &t->flow[t->index];
    unsigned needed = t->insn->flags_read;

    if (rem_insn_flags_written(t->insn) != 0)
        needed |= (flow->live_out | flow->shown_out) & ~(unsigned)t->insn->flags_set;
    if (needed != 0)
        rem_restore_flags(t);
}

void
rem_flags_lost(RemTranslator *t)
{
    t->flags = REM_FLAGS_SAVED;
}

void
rem_flags_written(RemTranslator *t)
{
    if (rem_insn_flags_written(t->insn) != 0)
        t->flags = REM_FLAGS_HOST;
}
