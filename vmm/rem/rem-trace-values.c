/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The values of registers in a turn of a trace, relative to those at its start. */
#include "vmm/rem/rem-trace.h"

static void
set(RemTrace *trace, unsigned reg, unsigned root, int64_t offset)
{
    if (root == REM_ROOT_ZERO && !rem_trace_is_long64(trace))
        offset = (uint32_t)offset;
    trace->value[reg] = (RemValue){(uint16_t)root, offset};
}

static void
set_unknown(RemTrace *trace, unsigned reg, unsigned origin)
{
    if (trace->next_root == REM_TRACE_ROOTS) {
        set(trace, reg, REM_ROOT_UNKNOWN, 0);
        return;
    }
    trace->origin[trace->next_root] = (uint16_t)origin;
    set(trace, reg, trace->next_root++, 0);
}

static RemValue
value_of(const RemTrace *trace, unsigned reg)
{
    return reg == REM_NO_REG ? (RemValue){REM_ROOT_ZERO, 0} : trace->value[reg];
}

/* The instruction's base and index where it has one, as they are now. */
static void
note_operand(const RemTrace *trace, RemTraceInsn *step)
{
    const RemOperand *mem = &step->insn.mem;

    step->base = value_of(trace, mem->base);
    step->index = value_of(trace, mem->index);
    step->offset = mem->disp + step->base.offset + step->index.offset * (1 << mem->scale);
    if (mem->rip_relative) {
        step->base = (RemValue){REM_ROOT_RIP, 0};
        step->offset += step->at + step->insn.length;
    }
}

bool
rem_trace_is_step(const RemInsn *insn, unsigned *reg, int64_t *by)
{
    const unsigned code = insn->op.code, digit = insn->reg & 7;

    *reg = insn->rm;
    if (insn->op.map != 0 || !(insn->form & REM_FORM_LEGACY) || (insn->form & REM_FORM_MEM))
        return false;
    if ((code == 0x81 || code == 0x83) && (digit == 0 || digit == 5)) {
        *by = digit == 0 ? rem_insn_imm(insn) : -rem_insn_imm(insn);
        return true;
    }
    if (code == 0xff && digit <= 1) {
        *by = digit == 0 ? 1 : -1;
        return true;
    }
    *by = code < 0x48 ? 1 : -1;
    return insn->code != X86_CODE_64 && code >> 4 == 4;
}

/* XOR or SUB of a register and itself, MOV of an immediate. */
static bool
is_constant(const RemInsn *insn, unsigned *reg, int64_t *value)
{
    const unsigned code = insn->op.code;

    *reg = insn->rm;
    *value = 0;
    if (insn->op.map != 0 || (insn->form & REM_FORM_MEM) || !(insn->form & REM_FORM_LEGACY) ||
        insn->opsize < 4)
        return false;
    if (code == 0x31 || code == 0x33 || code == 0x29 || code == 0x2b)
        return insn->reg == insn->rm;
    *value = code == 0xc7 && insn->opsize == 8 ? rem_insn_imm(insn) : (int64_t)insn->imm;
    return (code & 0xf8) == 0xb8 || code == 0xc7;
}

static bool
track_known(RemTrace *trace, const RemTraceInsn *step)
{
    const RemInsn *insn = &step->insn;
    const RemValue *value = trace->value;
    unsigned reg;
    int64_t by;

    if (is_constant(insn, &reg, &by)) {
        set(trace, reg, REM_ROOT_ZERO, by);
        return true;
    }
    if (insn->opsize != rem_trace_width(trace))
        return false;
    if (rem_trace_is_step(insn, &reg, &by)) {
        set(trace, reg, value[reg].root, value[reg].offset + by);
        return true;
    }
    if (insn->row == ZYDIS_MNEMONIC_LEA && insn->addrsize == rem_trace_width(trace) &&
        step->index.root == REM_ROOT_ZERO) {
        set(trace, insn->reg, step->base.root, step->offset);
        return true;
    }
    if (insn->op.map == 0 && !(insn->form & REM_FORM_MEM) &&
        (insn->op.code == 0x89 || insn->op.code == 0x8b)) {
        const unsigned from = insn->op.code == 0x89 ? insn->reg : insn->rm;

        set(trace, insn->op.code == 0x89 ? insn->rm : insn->reg, value[from].root,
            value[from].offset);
        return true;
    }
    return false;
}

/* ---- the stack pointer ---- */
static void
track_stack(RemTrace *trace, const RemTraceInsn *step, unsigned number)
{
    const RemInsn *insn = &step->insn;
    const int64_t width = rem_trace_width(trace);
    const RemValue sp = trace->value[X86_RSP], bp = trace->value[X86_RBP];
    const bool leave = insn->op.code == 0xc9;

    switch (step->kind) {
    case REM_TRACE_CALL:
    case REM_TRACE_PUSH: set(trace, X86_RSP, sp.root, sp.offset - width); break;
    case REM_TRACE_RET:
        set(trace, X86_RSP, sp.root,
            sp.offset + width + (insn->imm_size != 0 ? (uint16_t)insn->imm : 0));
        break;
    case REM_TRACE_POP:
        if (leave)
            set(trace, X86_RSP, bp.root, bp.offset + width);
        else
            set(trace, X86_RSP, sp.root, sp.offset + width);
        set_unknown(trace, leave ? X86_RBP : insn->rm, number);
        break;
    default: break;
    }
}

/* An instruction that is emitted again while the stack pointer has to be known: false if it needs
 * more of it than its value. */
static bool
settle_plain(RemTraceInsn *step)
{
    RemInsn *insn = &step->insn;
    const bool move = insn->op.map == 0 && (insn->op.code == 0x89 || insn->op.code == 0x8b);

    if (insn->gpr_written >> X86_RSP & 1) {
        const bool flags = rem_insn_flags_written(insn) != 0;

        step->kind = REM_TRACE_MOVE_SP;
        return !flags || insn->op.code == 0x81 || insn->op.code == 0x83;
    }
    if (rem_trace_names(insn, X86_RSP)) {
        step->kind = REM_TRACE_READ_SP;
        return move && !(insn->form & REM_FORM_MEM) && insn->opsize >= 4;
    }
    if (insn->mem.base == X86_RSP) {
        insn->mem.disp += step->sp;
        return insn->mem.disp == (int32_t)insn->mem.disp;
    }
    return true;
}

/* In a trace that changes it, its register has the value that it had at the start of the turn. */
static bool
settle_stack(RemTrace *trace)
{
    if (!(trace->written >> X86_RSP & 1))
        return true;
    for (unsigned i = 0; i < trace->count; i++) {
        RemTraceInsn *step = &trace->insns[i];

        if (step->kind == REM_TRACE_PLAIN && !settle_plain(step))
            return false;
    }
    return trace->value[X86_RSP].offset == 0;
}

/* ---- all of it ---- */
bool
rem_trace_track(RemTrace *trace)
{
    for (unsigned reg = 0; reg < X86_GPR_COUNT; reg++)
        set(trace, reg, reg, 0);
    trace->next_root = REM_ROOT_FIRST;
    trace->steady = trace->used = trace->written = 0;
    for (unsigned i = 0; i < trace->count; i++) {
        RemTraceInsn *step = &trace->insns[i];

        trace->used |= step->insn.gpr_read | step->insn.gpr_written;
        trace->written |= step->insn.gpr_written;
        note_operand(trace, step);
        step->sp = (int32_t)trace->value[X86_RSP].offset;
        if (rem_trace_is_stack(step)) {
            track_stack(trace, step, i);
        } else if (step->kind != REM_TRACE_PLAIN || !track_known(trace, step)) {
            for (unsigned bits = step->insn.gpr_written; bits != 0; bits &= bits - 1)
                set_unknown(trace, (unsigned)__builtin_ctz(bits), i);
        }
        if (trace->value[X86_RSP].root != X86_RSP ||
            ABS(trace->value[X86_RSP].offset) > REM_TRACE_SPAN)
            return false;
    }
    for (unsigned reg = 0; reg < X86_GPR_COUNT; reg++) {
        if (trace->value[reg].root == reg)
            trace->steady |= (uint16_t)(1u << reg);
        trace->step[reg] = trace->value[reg].offset;
    }
    return settle_stack(trace);
}
