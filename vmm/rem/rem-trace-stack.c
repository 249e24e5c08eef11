/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Calls, returns, indirect jumps, PUSH and POP in the turns of a trace. Stack words are found by
 * their distance from the stack pointer at the turn's start, which stays in its register; where
 * control would not go on as it was recorded, the turn is left in front of the instruction. Intel
 * SDM volume 1 chapter 6. */
#include "vmm/rem/rem-trace.h"

/* The RIP of that offset from the head's page, as it is pushed. */
static void
load_rip(RemTranslator *t, const RemTrace *trace, unsigned to, int32_t offset)
{
    rem_emit_mov_rm(t->emit, 8, to, rem_mem_hot(offsetof(RemHot, rip_base)));
    rem_emit_lea(t->emit, rem_trace_width(trace), to, rem_mem(to, offset));
}

/* Where a CALL or JMP through a register leads to; T0 is lost. */
static void
check_register(RemTranslator *t, const RemTrace *trace, unsigned i)
{
    const RemTraceInsn *step = &trace->insns[i];
    const unsigned reg = step->insn.rm, width = rem_trace_width(trace);

    load_rip(t, trace, REM_T0, step->next);
    if (rem_in_register(reg))
        rem_emit_alu_rr(t->emit, REM_CMP, width, REM_T0, reg);
    else
        rem_emit_alu_rm(t->emit, REM_CMP, width, REM_T0, rem_mem_gpr(reg));
    rem_trace_leave_if(t, trace, i, REM_CC_NZ);
}

/* RET, and JMP through memory. */
static void
check_memory(RemTranslator *t, RemTrace *trace, unsigned i)
{
    const unsigned width = rem_trace_width(trace);
    const RemMem mem = rem_trace_operand(t, trace, i);

    rem_emit_mov_rm(t->emit, width, REM_T1, mem);
    load_rip(t, trace, REM_T0, trace->insns[i].next);
    rem_emit_alu_rr(t->emit, REM_CMP, width, REM_T0, REM_T1);
    rem_trace_leave_if(t, trace, i, REM_CC_NZ);
}

static void
emit_push(RemTranslator *t, RemTrace *trace, unsigned i)
{
    const RemInsn *insn = &trace->insns[i].insn;
    const unsigned width = rem_trace_width(trace);
    const RemMem mem = rem_trace_operand(t, trace, i);

    if (!(insn->form & REM_FORM_OPREG)) {
        rem_emit_mov_mi(t->emit, width, mem, (int32_t)rem_insn_imm(insn));
    } else if (rem_in_register(insn->rm)) {
        rem_emit_mov_mr(t->emit, width, mem, insn->rm);
    } else {
        rem_rewrite_load(t->emit, REM_T0, insn->rm);
        rem_emit_mov_mr(t->emit, width, mem, REM_T0);
    }
}

static void
emit_pop(RemTranslator *t, RemTrace *trace, unsigned i)
{
    const RemInsn *insn = &trace->insns[i].insn;
    const unsigned to = insn->op.code == 0xc9 ? X86_RBP : insn->rm;
    const unsigned reg = rem_in_register(to) ? to : REM_T0;
    const RemMem mem = rem_trace_operand(t, trace, i);

    rem_emit_mov_rm(t->emit, rem_trace_width(trace), reg, mem);
    if (!rem_in_register(to))
        rem_rewrite_store(t->emit, to, reg);
}

/* Only the flags, where they matter. */
static void
emit_move(RemTranslator *t, const RemTrace *trace, unsigned i)
{
    const RemTraceInsn *step = &trace->insns[i];
    const RemInsn *insn = &step->insn;
    const unsigned width = rem_trace_width(trace);

    if (rem_insn_flags_written(insn) == 0 || step->needed_out == 0)
        return;
    if (trace->frames >> X86_RSP & 1)
        rem_emit_mov_rm(t->emit, 8, REM_T0, rem_mem_gpr(X86_RSP));
    rem_emit_lea(t->emit, width, REM_T0,
                 rem_mem(trace->frames >> X86_RSP & 1 ? REM_T0 : X86_RSP, step->sp));
    rem_emit_alu_ri(t->emit, (RemAlu)(insn->reg & 7), width, REM_T0, (int32_t)rem_insn_imm(insn));
    t->flags = REM_FLAGS_HOST;
}

static void
emit_read(RemTranslator *t, const RemTraceInsn *step)
{
    const RemInsn *insn = &step->insn;
    const unsigned to = insn->op.code == 0x89 ? insn->rm : insn->reg;
    const unsigned reg = rem_in_register(to) ? to : REM_T0;

    rem_emit_lea(t->emit, insn->opsize, reg, rem_mem(X86_RSP, step->sp));
    if (!rem_in_register(to))
        rem_rewrite_store(t->emit, to, reg);
}

static void
emit_call(RemTranslator *t, RemTrace *trace, unsigned i)
{
    const RemTraceInsn *step = &trace->insns[i];
    RemMem mem;

    if (step->checks)
        check_register(t, trace, i);
    mem = rem_trace_operand(t, trace, i);
    load_rip(t, trace, REM_T0, step->at + step->insn.length);
    rem_emit_mov_mr(t->emit, rem_trace_width(trace), mem, REM_T0);
}

void
rem_trace_emit_stack(RemTranslator *t, RemTrace *trace, unsigned i)
{
    const RemTraceInsn *step = &trace->insns[i];

    if (step->checks && step->flags_of == REM_NO_WRITER)
        rem_save_flags(t);
    switch (step->kind) {
    case REM_TRACE_GOTO:
        if (step->insn.form & REM_FORM_MEM)
            check_memory(t, trace, i);
        else
            check_register(t, trace, i);
        break;
    case REM_TRACE_RET: check_memory(t, trace, i); break;
    case REM_TRACE_CALL: emit_call(t, trace, i); break;
    case REM_TRACE_PUSH: emit_push(t, trace, i); break;
    case REM_TRACE_POP: emit_pop(t, trace, i); break;
    case REM_TRACE_MOVE_SP: emit_move(t, trace, i); break;
    default: emit_read(t, step); break;
    }
}
