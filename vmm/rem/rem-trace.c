/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a turn of a trace does: where the flags matter and how they come back, what the x87 notes.
 */
#include "vmm/rem/rem-trace.h"

/* ---- flags ---- */
/* Can control leave in front of the instruction? */
static bool
may_leave(RemTrace *trace, const RemTraceInsn *step)
{
    RemTraceGroup *group = rem_trace_group(trace, step);

    if (step->kind == REM_TRACE_BRANCH || step->checks || rem_trace_asks(step)) {
        if (group != NULL)
            group->probed = true;
        return true;
    }
    if (step->probes || group == NULL || group->hoisted || group->probed)
        return false;
    group->probed = true;
    return true;
}

/* ADD or SUB of two registers. */
static bool
is_reversible(const RemInsn *insn)
{
    const unsigned code = insn->op.code;

    return insn->op.map == 0 && !(insn->form & REM_FORM_MEM) && insn->opsize >= 4 &&
           (code == 0x01 || code == 0x03 || code == 0x29 || code == 0x2b) && insn->reg != insn->rm;
}

RemAgain
rem_trace_again(const RemTrace *trace, const RemInsn *writer, int32_t *undo)
{
    unsigned reg;
    int64_t by;

    if ((writer->does & (REM_DOES_MEMORY | REM_DOES_VECTOR)) ||
        (writer->gpr_written >> X86_RSP & 1))
        return REM_AGAIN_STORE;
    if (writer->gpr_written == 0 && writer->flags_set == X86_FL_STATUS && writer->flags_read == 0)
        return REM_AGAIN_REPEAT; /* CMP, TEST */
    if (rem_trace_is_step(writer, &reg, &by) && writer->opsize == rem_trace_width(trace) &&
        -by == (int32_t)-by) {
        *undo = (int32_t)-by;
        return REM_AGAIN_UNDO;
    }
    if (is_reversible(writer))
        return REM_AGAIN_REVERSE;
    switch (writer->row) {
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_OR:
    case ZYDIS_MNEMONIC_XOR:
        return writer->opsize >= 4 && (writer->gpr_written & (writer->gpr_written - 1)) == 0
                   ? REM_AGAIN_TEST
                   : REM_AGAIN_STORE;
    default: return REM_AGAIN_STORE;
    }
}

/* Do the registers that make the flags of `writer` again stay as they are until `end`? */
static bool
is_undisturbed(const RemTrace *trace, unsigned writer, unsigned end)
{
    const RemInsn *insn = &trace->insns[writer].insn;
    int32_t undo;
    const bool result = rem_trace_again(trace, insn, &undo) == REM_AGAIN_TEST;
    const unsigned kept = insn->gpr_written | (result ? 0 : insn->gpr_read);

    for (unsigned i = writer + 1; i < end; i++)
        if (trace->insns[i].insn.gpr_written & kept)
            return false;
    return true;
}

/* Instructions that leave in front of them without the flags, which `writer` can make again there:
 * from `first` on until all are overwritten. Nothing else may want them. */
static void
mark_remade(RemTrace *trace, const bool *leaves, unsigned writer, unsigned first)
{
    const RemInsn *insn = &trace->insns[writer].insn;
    unsigned end = first;
    int32_t undo;

    /* All flags have to be the writer's own. */
    if (insn->flags_set != X86_FL_STATUS || rem_trace_again(trace, insn, &undo) == REM_AGAIN_STORE)
        return;
    for (; end < trace->count; end++) {
        const RemTraceInsn *step = &trace->insns[end];

        if (step->kind == REM_TRACE_BRANCH || step->insn.flags_read != 0 ||
            (leaves[end] && !is_undisturbed(trace, writer, end)))
            return;
        if (rem_insn_flags_written(&step->insn) == 0)
            continue;
        if ((step->needed_out & ~(unsigned)step->insn.flags_set) != 0)
            return;
        end++;
        break;
    }
    if (end == trace->count && rem_insn_flags_written(&trace->insns[end - 1].insn) == 0)
        return; /* they are wanted at the end of the turn */
    for (unsigned i = first; i < end; i++)
        if (leaves[i])
            trace->insns[i].flags_of = (uint16_t)writer;
}

static void
analyse_flags(RemTrace *trace)
{
    bool leaves[REM_TRACE_INSNS];
    uint16_t needed = X86_FL_STATUS;
    unsigned writer = REM_NO_WRITER;

    for (unsigned i = 0; i < trace->count; i++) {
        trace->insns[i].flags_of = REM_NO_WRITER;
        leaves[i] = may_leave(trace, &trace->insns[i]);
        if (rem_insn_flags_written(&trace->insns[i].insn) != 0)
            trace->writer = i;
    }
    for (unsigned i = trace->count; i-- > 0;) {
        RemTraceInsn *step = &trace->insns[i];

        step->needed_out = needed;
        needed = (uint16_t)((needed & ~step->insn.flags_set) | step->insn.flags_read);
        if (leaves[i])
            needed = X86_FL_STATUS;
    }
    for (unsigned i = 0; i < trace->count; i++) {
        const RemTraceInsn *step = &trace->insns[i];

        if (leaves[i] && step->kind != REM_TRACE_BRANCH && step->flags_of == REM_NO_WRITER &&
            writer != REM_NO_WRITER)
            mark_remade(trace, leaves, writer, i);
        if (rem_insn_flags_written(&step->insn) != 0)
            writer = i;
        else if (leaves[i] && step->flags_of == REM_NO_WRITER && step->kind != REM_TRACE_BRANCH)
            writer = REM_NO_WRITER; /* they are saved from here on */
    }
    trace->top = needed == 0 ? REM_TOP_LOST : REM_TOP_SAVED;
}

/* CMP or TEST of memory and a register or immediate, of which the memory can be loaded before. */
static bool
can_keep(const RemInsn *insn)
{
    const unsigned form = REM_FORM_LEGACY | REM_FORM_MODRM | REM_FORM_MEM;

    return (insn->row == ZYDIS_MNEMONIC_CMP || insn->row == ZYDIS_MNEMONIC_TEST) &&
           (insn->form & form) == form && insn->op.map == 0 && insn->opsize >= 4 &&
           (insn->does & REM_DOES_MEMORY) && insn->gpr_written == 0 && insn->flags_read == 0 &&
           insn->flags_set == X86_FL_STATUS;
}

static RemAgain
way_to_flags(RemTrace *trace)
{
    const RemInsn *insn = &trace->insns[trace->writer].insn;
    int32_t undo;

    if (trace->top == REM_TOP_SAVED || !is_undisturbed(trace, trace->writer, trace->count))
        return REM_AGAIN_STORE;
    return can_keep(insn) ? REM_AGAIN_KEPT : rem_trace_again(trace, insn, &undo);
}

/* ---- x87 ---- */
/* FDP is noted by the last instruction with memory in front of each exit, and in a turn. */
static void
analyse_x87(RemTrace *trace)
{
    RemTraceInsn *last = NULL;
    bool any = false, before_memory = false;

    trace->x87 = trace->x87_each_turn = false;
    for (unsigned i = 0; i < trace->count; i++) {
        RemTraceInsn *step = &trace->insns[i];
        const RemTraceGroup *group = rem_trace_group(trace, step);
        const bool shown = step->kind == REM_TRACE_BRANCH || step->checks || rem_trace_asks(step) ||
                           (!step->probes && group != NULL && !group->hoisted);

        if (shown && last != NULL)
            last->notes_pointer = true;
        trace->x87_each_turn |= shown && !any;
        before_memory |= shown && last == NULL;
        if (!rem_x87_changes_pointers(&step->insn))
            continue;
        any = trace->x87 = true;
        if (step->insn.form & REM_FORM_MEM)
            last = step;
    }
    if (last != NULL)
        last->notes_pointer = true;
    trace->x87_each_turn |= before_memory && last != NULL;
}

bool
rem_trace_analyse(Vcpu *vcpu, RemTrace *trace)
{
    if (!rem_trace_track(trace) || !rem_trace_group_operands(vcpu, trace))
        return false;
    for (unsigned i = 0; i < trace->group_count; i++)
        trace->groups[i].probed = false;
    rem_trace_find_windows(trace);
    analyse_flags(trace);
    trace->again = way_to_flags(trace);
    analyse_x87(trace);
    return true;
}
