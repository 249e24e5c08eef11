/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The turns of a trace and the ways out of them. At each exit registers that were lent are the
 * guest's again, REM_COUNT counts instructions, and the flags are saved. */
#include "vmm/rem/rem-trace.h"

#define INDEX_MASK ((CPUM_TLB_ENTRIES - 1) * (int32_t)sizeof(CpumTlbEntry))
#define INDEX_SHIFT (X86_PAGE_SHIFT - 5)

static RemMem
loop_word(size_t offset)
{
    return rem_mem_hot(offsetof(RemHot, loop) + offset);
}

static RemRip
rip_of(const RemTraceInsn *step)
{
    return (RemRip){(uint64_t)(int64_t)(step->at + step->insn.length),
                    (uint32_t)(offsetof(Vcpu, rem_words) + offsetof(RemHot, rip_base)), true};
}

/* ---- exits ---- */
void
rem_trace_take_back(RemEmit *emit, const RemTrace *trace)
{
    for (unsigned bits = trace->lent; bits != 0; bits &= bits - 1) {
        const unsigned reg = (unsigned)__builtin_ctz(bits);

        rem_emit_mov_rm(emit, 8, reg, rem_mem_gpr(reg));
    }
}

/* `flags`: the host's are the guest's, and are saved. They are touched in no other way. */
static void
give_back(RemEmit *emit, const RemTrace *trace, bool flags)
{
    const bool free = trace->lent & (1 << X86_RAX);

    for (unsigned reg = REM_T0; reg < X86_GPR_COUNT; reg++)
        if (trace->at[reg] != REM_NO_REG && (trace->written >> reg & 1))
            rem_rewrite_store(emit, reg, trace->at[reg]);
    if (flags && free) {
        rem_emit_flags_to_ax(emit);
        rem_emit_mov_mr(emit, 2, rem_mem_hot(offsetof(RemHot, flags)), X86_RAX);
    } else if (flags) {
        rem_emit_store_flags(emit);
    }
    rem_trace_take_back(emit, trace);
}

/* REM_COUNT after the turns that are over and `more` instructions. */
static void
emit_count(RemEmit *emit, const RemTrace *trace, unsigned more)
{
    rem_emit_mov_rm(emit, 8, REM_T0, loop_word(offsetof(RemLoopHot, turns)));
    rem_emit_alu_rr(emit, REM_SUB, 8, REM_T0, REM_COUNT);
    rem_emit_imul_rri(emit, 8, REM_T0, REM_T0, (int32_t)trace->count);
    rem_emit_alu_ri(emit, REM_ADD, 8, REM_T0, (int32_t)more);
    rem_emit_mov_rm(emit, 8, REM_COUNT, loop_word(offsetof(RemLoopHot, count)));
    rem_emit_alu_rr(emit, REM_SUB, 8, REM_COUNT, REM_T0);
}

/* FIP, FOP and selectors, when the first `done` instructions of a turn are over. */
static void
note_x87(RemEmit *emit, const RemTrace *trace, unsigned done)
{
    const RemTraceInsn *last = NULL, *memory = NULL;

    for (unsigned i = 0; i < done; i++) {
        if (!rem_x87_changes_pointers(&trace->insns[i].insn))
            continue;
        last = &trace->insns[i];
        if (last->insn.form & REM_FORM_MEM)
            memory = last;
    }
    if (last != NULL)
        rem_x87_note(emit, &last->insn, (unsigned)last->at, memory != NULL ? &memory->insn : NULL);
}

/* The jump (in the cold part) leads to the plain block at the trace's start. */
static void
emit_plain(RemTranslator *t, const RemTrace *trace, RemJump jump)
{
    RemSite *site = rem_new_site(t, rem_call_link);

    site->target = (int32_t)trace->head;
    site->link = jump.at;
    site->flags = REM_SITE_FLAGS_SAVED | REM_SITE_PLAIN;
    rem_emit_bind_to(t->cold, jump, rem_emit_offset(t->cold));
    rem_emit_leave(t, t->cold, site);
}

/* CMP or TEST with what was loaded for it. */
static void
emit_kept(RemTranslator *t, RemEmit *emit, const RemTrace *trace, const RemInsn *writer)
{
    const RemRip rip = {0};
    RemInsn insn = *writer;

    insn.form = (uint16_t)((insn.form & ~REM_FORM_MEM) | REM_FORM_RM_GPR);
    insn.does &= (uint16_t)~REM_DOES_MEMORY;
    insn.mem = (RemOperand){.base = REM_NO_REG, .index = REM_NO_REG};
    insn.rm = trace->kept;
    t->failed |= !rem_rewrite(emit, &insn, NULL, &rip);
}

/* The flags that the instruction wrote, into the host's. */
static void
emit_flags_again(RemTranslator *t, RemEmit *emit, const RemTrace *trace, const RemInsn *writer)
{
    const unsigned reg =
        writer->gpr_written != 0 ? (unsigned)__builtin_ctz(writer->gpr_written) : 0;
    const RemRip rip = {0};
    int32_t undo = 0;
    const RemAgain again = rem_trace_again(trace, writer, &undo);

    if (writer->does & REM_DOES_MEMORY) {
        emit_kept(t, emit, trace, writer);
        return;
    }
    if (again == REM_AGAIN_TEST) {
        rem_emit_test_rr(emit, writer->opsize, reg, reg);
        return;
    }
    if (again == REM_AGAIN_REVERSE) {
        const bool add = writer->op.code < 0x28, to_rm = !(writer->op.code & 2);

        rem_emit_alu_rr(emit, add ? REM_SUB : REM_ADD, writer->opsize,
                        to_rm ? writer->rm : writer->reg, to_rm ? writer->reg : writer->rm);
    }
    if (again == REM_AGAIN_UNDO)
        rem_emit_lea(emit, writer->opsize, reg, rem_mem(reg, undo));
    t->failed |= !rem_rewrite(emit, writer, NULL, &rip);
}

/* The stack pointer's own value, before or behind such an instruction. No flags. */
static void
set_stack_pointer(RemEmit *emit, const RemTrace *trace, const RemTraceInsn *step)
{
    if ((trace->written >> X86_RSP & 1) && step->sp != 0)
        rem_emit_lea(emit, rem_trace_width(trace), X86_RSP, rem_mem(X86_RSP, step->sp));
}

/* The jump, of instruction i, leaves for that offset when `done` instructions of the turn are over;
 * the flags are where t->flags says. */
static void
emit_exit(RemTranslator *t, const RemTrace *trace, RemJump jump, unsigned i, unsigned done,
          int32_t target)
{
    RemEmit *const hot = t->emit;
    const RemFlagsPlace flags = t->flags;

    rem_emit_bind_to(hot, jump, rem_emit_offset(t->cold));
    give_back(t->cold, trace, flags == REM_FLAGS_HOST);
    set_stack_pointer(t->cold, trace, &trace->insns[i]);
    emit_count(t->cold, trace, done);
    note_x87(t->cold, trace, done);
    t->flags = REM_FLAGS_SAVED;
    t->emit = t->cold;
    if (done == 0) /* or it would come back, and go nowhere */
        emit_plain(t, trace, rem_emit_jmp(t->cold, 4));
    else
        rem_emit_goto(t, target);
    t->emit = hot;
    t->flags = flags;
    t->ended = false;
}

static void
emit_branch(RemTranslator *t, const RemTrace *trace, unsigned i)
{
    const RemTraceInsn *step = &trace->insns[i];
    const unsigned cc = step->insn.op.code & 15;
    const int32_t behind = step->at + step->insn.length;
    const int32_t target = behind + (int32_t)rem_insn_imm(&step->insn);
    RemJump jump;

    rem_restore_flags(t);
    jump = rem_emit_jcc(t->emit, (RemCondition)(step->taken ? cc ^ 1 : cc), 4);
    emit_exit(t, trace, jump, i, i + 1, step->taken ? behind : target);
}

/* ---- probes in the turn ---- */
static RemMem
entry_field(const RemTrace *trace, size_t field)
{
    const unsigned kind = (trace->mode & REM_MODE_TLB) >> 5;
    RemMem mem = rem_mem_vcpu(offsetof(Vcpu, tlb) + kind * sizeof(CpumTlb) + field);

    mem.base = REM_T1;
    return mem;
}

void
rem_trace_leave_if(RemTranslator *t, const RemTrace *trace, unsigned i, RemCondition cc)
{
    const unsigned writer = trace->insns[i].flags_of;
    RemJump miss = rem_emit_jcc(t->emit, cc, 4);

    if (writer == REM_NO_WRITER) {
        rem_flags_lost(t);
    } else { /* nobody asks for them but this exit */
        rem_emit_bind_to(t->emit, miss, rem_emit_offset(t->cold));
        emit_flags_again(t, t->cold, trace, &trace->insns[writer].insn);
        miss = rem_emit_jmp(t->cold, 4);
    }
    emit_exit(t, trace, miss, i, i, trace->insns[i].at);
}

/* T1: the first byte's address, becomes the entry's offset. T0: the last byte's. */
static void
emit_compare(RemTranslator *t, const RemTrace *trace, unsigned i, bool write, unsigned align)
{
    const size_t tag = write ? offsetof(CpumTlbEntry, tag_write) : offsetof(CpumTlbEntry, tag_read);

    rem_emit_shift_ri(t->emit, REM_SHR, 4, REM_T1, INDEX_SHIFT);
    rem_emit_alu_ri(t->emit, REM_AND, 4, REM_T1, INDEX_MASK);
    rem_emit_alu_ri(t->emit, REM_AND, 8, REM_T0, -(int32_t)X86_PAGE_SIZE | (int32_t)(align - 1));
    rem_emit_alu_rm(t->emit, REM_CMP, 8, REM_T0, entry_field(trace, tag));
    rem_trace_leave_if(t, trace, i, REM_CC_NZ);
}

static void
add_segment(RemTranslator *t, const RemOperand *operand, unsigned reg)
{
    if (operand->seg == X86_FS || operand->seg == X86_GS)
        rem_emit_alu_rm(t->emit, REM_ADD, 8, reg,
                        rem_mem_vcpu(offsetof(Vcpu, seg) + operand->seg * sizeof(CpumSeg) +
                                     offsetof(CpumSeg, base)));
}

/* base + index, of which one may be RSP. */
static RemMem
sum_of(unsigned base, unsigned index, int32_t disp)
{
    return index == X86_RSP ? rem_mem_index(index, base, 0, disp)
                            : rem_mem_index(base, index, 0, disp);
}

static RemMem
probe_direct(RemTranslator *t, const RemTrace *trace, unsigned i)
{
    const RemOperand *operand = &trace->insns[i].insn.mem;
    const int32_t disp = (int32_t)operand->disp;
    const int32_t last = operand->align == 1 ? operand->size - 1 : 0;

    rem_emit_lea(t->emit, 8, REM_T1, rem_mem(operand->base, disp));
    rem_emit_lea(t->emit, 8, REM_T0, rem_mem(operand->base, disp + last));
    emit_compare(t, trace, i, operand->written, operand->align);
    rem_emit_mov_rm(t->emit, 8, REM_T1, entry_field(trace, offsetof(CpumTlbEntry, addend)));
    return rem_mem_index(operand->base, REM_T1, 0, disp);
}

/* Are the operands from `low` to `high` behind the pointer in the window? */
static void
ask_window(RemTranslator *t, const RemTrace *trace, unsigned i, int64_t low, int64_t high)
{
    const RemTraceInsn *step = &trace->insns[i];

    rem_emit_lea(t->emit, 8, REM_T0, rem_mem(step->insn.mem.base, (int32_t)low));
    rem_emit_alu_rm(t->emit, REM_SUB, 8, REM_T0, rem_trace_page(step->window));
    rem_emit_alu_ri(t->emit, REM_CMP, 8, REM_T0, (int32_t)(X86_PAGE_SIZE - (high - low)));
    rem_trace_leave_if(t, trace, i, REM_CC_NBE);
}

/* The same where it is likely to be in a window. Another CPU may have changed the pointer between
 * two loads of it: that is what the second is compared for. */
static RemMem
look_in_window(RemTranslator *t, const RemTrace *trace, unsigned i)
{
    const RemTraceInsn *step = &trace->insns[i];
    const RemOperand *operand = &step->insn.mem;
    const RemTraceWindow *window = &trace->windows[step->window];
    unsigned home = window->home;

    if (step->look == REM_LOOK_EACH) {
        ask_window(t, trace, i, operand->disp, operand->disp + operand->size);
    } else if (step->look == REM_LOOK_SAME && window->anchor != REM_NO_REG) {
        rem_emit_alu_rr(t->emit, REM_CMP, rem_trace_width(trace), operand->base, window->anchor);
        rem_trace_leave_if(t, trace, i, REM_CC_NZ);
    } else if (step->look != REM_LOOK_DONE) {
        ask_window(t, trace, i, window->low, window->high);
    }
    if (step->look == REM_LOOK_FIRST && window->anchor != REM_NO_REG)
        rem_emit_mov_rr(t->emit, 8, window->anchor, operand->base);
    if (home == REM_NO_REG) {
        home = REM_T1;
        rem_emit_mov_rm(t->emit, 8, REM_T1, rem_trace_addend(step->window));
    }
    return sum_of(operand->base, home, (int32_t)operand->disp);
}

/* The operand's own probe: what it becomes, with T0 or T1. */
static RemMem
probe_operand(RemTranslator *t, const RemTrace *trace, unsigned i)
{
    const RemTraceInsn *step = &trace->insns[i];
    const RemOperand *operand = &step->insn.mem;
    const RemRip rip = rip_of(step);
    const int32_t last = operand->align == 1 ? operand->size - 1 : 0;

    if (step->flags_of == REM_NO_WRITER && rem_trace_asks(step))
        rem_save_flags(t);
    if (step->window != REM_NO_WINDOW && rem_in_register(operand->base))
        return look_in_window(t, trace, i);
    if (rem_trace_is_direct(trace, step) && rem_in_register(operand->base))
        return probe_direct(t, trace, i);
    rem_rewrite_offset(t->emit, &step->insn, REM_T1, REM_T0, &rip);
    add_segment(t, operand, REM_T1);
    rem_emit_lea(t->emit, rem_trace_width(trace), REM_T0, rem_mem(REM_T1, last));
    emit_compare(t, trace, i, operand->written, operand->align);
    rem_rewrite_offset(t->emit, &step->insn, REM_T0, REM_T0, &rip);
    add_segment(t, operand, REM_T0);
    rem_emit_alu_rm(t->emit, REM_ADD, 8, REM_T0,
                    entry_field(trace, offsetof(CpumTlbEntry, addend)));
    return rem_mem(REM_T0, 0);
}

/* Home of a group that comes up in the turn: the host address of its lowest byte. */
static void
probe_group(RemTranslator *t, const RemTrace *trace, unsigned i, RemTraceGroup *group)
{
    const RemTraceInsn *step = &trace->insns[i];
    const unsigned width = rem_trace_width(trace);
    const unsigned home = group->home == REM_NO_REG ? REM_T0 : group->home;
    const RemMem low = rem_mem(step->insn.mem.base, (int32_t)(group->low - step->base.offset));

    if (step->flags_of == REM_NO_WRITER)
        rem_save_flags(t);
    rem_emit_lea(t->emit, width, REM_T1, low);
    rem_emit_lea(t->emit, 8, REM_T0, rem_mem(REM_T1, (int32_t)(group->high - group->low) - 1));
    emit_compare(t, trace, i, group->write, 1);
    rem_emit_lea(t->emit, width, home, low);
    rem_emit_alu_rm(t->emit, REM_ADD, 8, home, entry_field(trace, offsetof(CpumTlbEntry, addend)));
    if (group->home == REM_NO_REG)
        rem_emit_mov_mr(t->emit, 8, rem_trace_slot(step->group), home);
    group->probed = true;
}

/* ---- instructions ---- */
/* The operand of a group whose home is known; T1 is loaded if that is not in a register. */
static RemMem
place_operand(RemTranslator *t, const RemTrace *trace, const RemTraceInsn *step,
              const RemTraceGroup *group)
{
    const RemOperand *mem = &step->insn.mem;
    const int64_t by_index = step->index.offset * (1 << mem->scale);
    unsigned home = group->home;

    if (home == REM_NO_REG) {
        home = REM_T1;
        rem_emit_mov_rm(t->emit, 8, REM_T1, rem_trace_slot(step->group));
    }
    if (group->fixed || !group->hoisted)
        return rem_mem(home, (int32_t)(step->offset - group->low));
    if (rem_trace_step(trace, group->base) == 0)
        return rem_mem_index(home, mem->index, mem->scale, (int32_t)(step->offset - by_index));
    if (group->index == REM_ROOT_ZERO)
        return sum_of(mem->base, home, (int32_t)(step->offset - step->base.offset));
    rem_emit_lea(t->emit, 8, REM_T1, sum_of(mem->base, home, 0));
    return rem_mem_index(REM_T1, mem->index, mem->scale,
                         (int32_t)(step->offset - by_index - step->base.offset));
}

RemMem
rem_trace_operand(RemTranslator *t, RemTrace *trace, unsigned i)
{
    const RemTraceInsn *step = &trace->insns[i];
    RemTraceGroup *group = rem_trace_group(trace, step);

    if (step->probes)
        return probe_operand(t, trace, i);
    if (!group->hoisted && !group->probed)
        probe_group(t, trace, i, group);
    return place_operand(t, trace, step, group);
}

/* FDP. */
static void
note_pointer(RemTranslator *t, const RemTraceInsn *step)
{
    const RemRip rip = rip_of(step);

    rem_rewrite_offset(t->emit, &step->insn, REM_T0, REM_T1, &rip);
    rem_emit_mov_mr(t->emit, 8, rem_mem_hot(offsetof(RemHot, vector.x87_dp)), REM_T0);
}

static void
emit_insn(RemTranslator *t, RemTrace *trace, unsigned i)
{
    const RemTraceInsn *step = &trace->insns[i];
    const RemInsn *insn = &step->insn;
    const bool memory = (insn->does & REM_DOES_MEMORY) != 0;
    const RemRip rip = rip_of(step);
    unsigned needed = insn->flags_read;
    RemMem mem;

    if (memory)
        mem = rem_trace_operand(t, trace, i);
    if (rem_insn_flags_written(insn) != 0)
        needed |= step->needed_out & ~(unsigned)insn->flags_set;
    t->temps_busy = memory;
    if (needed != 0)
        rem_restore_flags(t);
    t->temps_busy = false;
    if (i == trace->writer && trace->again == REM_AGAIN_KEPT) {
        rem_emit_mov_rm(t->emit, insn->opsize, trace->kept, mem);
        emit_kept(t, t->emit, trace, insn);
    } else {
        t->failed |= !rem_rewrite(t->emit, insn, memory ? &mem : NULL, &rip);
    }
    if (rem_insn_flags_written(insn) != 0)
        t->flags = REM_FLAGS_HOST;
    if (step->notes_pointer)
        note_pointer(t, step);
}

/* ---- the end of a turn ---- */
static void
emit_end(RemTranslator *t, const RemTrace *trace, uint32_t top)
{
    if (trace->again == REM_AGAIN_STORE)
        rem_save_flags(t);
    if (trace->x87_each_turn && trace->x87)
        note_x87(t->emit, trace, trace->count);
    rem_emit_op_rr(t->emit, (RemOpcode){.code = 0xff, .flags = REM_OP_W}, 1, REM_COUNT); /* DEC */
    rem_emit_bind_to(t->emit, rem_emit_jcc(t->emit, REM_CC_NZ, 4), top);
    if (t->flags == REM_FLAGS_HOST)
        emit_flags_again(t, t->emit, trace, &trace->insns[trace->writer].insn);
    t->emit->held = 0;
    give_back(t->emit, trace, t->flags == REM_FLAGS_HOST);
    emit_count(t->emit, trace, 0);
    note_x87(t->emit, trace, trace->count);
    rem_emit_bind_to(t->emit, rem_emit_jmp(t->emit, 4), t->block->entry_saved);
}

static uint32_t
emit_turn(RemTranslator *t, RemTrace *trace)
{
    const uint32_t top = rem_emit_offset(t->emit);

    t->flags = REM_FLAGS_SAVED;
    t->emit->held = trace->held;
    for (unsigned i = 0; i < trace->group_count; i++)
        trace->groups[i].probed = false;
    for (unsigned i = 0; i < trace->count; i++) {
        const RemTraceInsn *step = &trace->insns[i];

        switch (step->kind) {
        case REM_TRACE_PLAIN: emit_insn(t, trace, i); break;
        case REM_TRACE_BRANCH: emit_branch(t, trace, i); break;
        case REM_TRACE_JUMP: break;
        default: rem_trace_emit_stack(t, trace, i); break;
        }
    }
    emit_end(t, trace, top);
    return top;
}

uint32_t
rem_trace_emit(RemTranslator *t, RemTrace *trace)
{
    RemJump exhausted, slow;
    uint32_t top;

    trace->number = (uint32_t)t->rem->traces + 1;
    t->block->entry = rem_emit_offset(t->emit);
    rem_emit_store_flags(t->emit);
    t->block->entry_saved = rem_emit_offset(t->emit);
    t->flags = REM_FLAGS_SAVED;
    if (trace->vector != REM_VECTOR_NONE)
        rem_vector_emit_check(t);
    rem_emit_alu_ri(t->emit, REM_CMP, 8, REM_COUNT, (int32_t)trace->count);
    exhausted = rem_emit_jcc(t->emit, REM_CC_L, 4);
    rem_emit_bind_to(t->emit, exhausted, rem_emit_offset(t->cold));
    rem_emit_leave(t, t->cold, rem_new_site(t, rem_call_exhausted));
    slow = rem_trace_guard(t, trace);
    top = emit_turn(t, trace);
    emit_plain(t, trace, slow);
    return top;
}
