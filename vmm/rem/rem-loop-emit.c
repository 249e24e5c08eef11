/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Code for a loop's turns without probes, in front of the block's own code:
 *   guard: for each group of operands a probe; turns = min(turns in the page); else the block
 * itself turns: the instructions, operands at [host address]; DEC count of turns; again exits:
 * REM_COUNT from the turns, flags stored, on to the block's other end or its start REM_COUNT's
 * register counts turns meanwhile. No instruction in a turn can fault or miss: all pages are in the
 * TLB, which changes only when C code runs on this thread. */
#include "vmm/rem/rem-loop.h"

#define INDEX_MASK ((CPUM_TLB_ENTRIES - 1) * (int32_t)sizeof(CpumTlbEntry))
#define INDEX_SHIFT (X86_PAGE_SHIFT - 5)
#define RECIPROCAL_BITS 24
_Static_assert(REM_QUANTUM <= 8192 && REM_BLOCK_INSNS * 8192 < 1 << RECIPROCAL_BITS,
               "reciprocals are exact");

static RemMem
loop_word(size_t offset)
{
    return rem_mem_hot(offsetof(RemHot, loop) + offset);
}

static RemMem
slot(unsigned group)
{
    return loop_word(offsetof(RemLoopHot, slot) + 8 * group);
}

/* value / divisor for values below 8192, and their product below 2^24. */
static void
emit_divide(RemEmit *emit, unsigned reg, unsigned divisor)
{
    const int32_t reciprocal = (int32_t)(((1u << RECIPROCAL_BITS) + divisor - 1) / divisor);

    if (divisor == 1)
        return;
    if ((divisor & (divisor - 1)) == 0) {
        rem_emit_shift_ri(emit, REM_SHR, 4, reg, (unsigned)__builtin_ctz(divisor));
        return;
    }
    rem_emit_imul_rri(emit, 8, reg, reg, reciprocal);
    rem_emit_shift_ri(emit, REM_SHR, 8, reg, RECIPROCAL_BITS);
}

/* ---- the guard ---- */
typedef struct {
    RemJump jump[8 * REM_LOOP_GROUPS + 2];
    unsigned count;
} Misses;

static void
miss_if(RemTranslator *t, Misses *misses, RemCondition cc)
{
    misses->jump[misses->count++] = rem_emit_jcc(t->emit, cc, 4);
}

/* Outside of 64-bit code: a register that neither has an upper half nor gets near a wrap. */
static void
check_register(RemTranslator *t, unsigned reg, Misses *misses)
{
    const int32_t margin = 2 * (int32_t)X86_PAGE_SIZE;

    if (reg == REM_NO_REG)
        return;
    rem_emit_mov_rr(t->emit, 4, REM_T1, reg);
    rem_emit_alu_rr(t->emit, REM_CMP, 8, REM_T1, reg);
    miss_if(t, misses, REM_CC_NZ);
    rem_emit_alu_ri(t->emit, REM_SUB, 4, REM_T1, margin);
    rem_emit_alu_ri(t->emit, REM_CMP, 4, REM_T1, -3 * margin);
    miss_if(t, misses, REM_CC_NBE);
}

/* The linear address of the group's lowest byte in T0. */
static void
emit_low(RemTranslator *t, const RemLoopGroup *group)
{
    RemMem mem = {group->base, group->index, group->scale, false, (int32_t)group->low};

    if (group->bare && group->rip_relative) {
        rem_emit_rip(t, t->emit, REM_T0, (int32_t)group->low);
    } else if (group->bare) {
        rem_emit_mov_ri(t->emit, REM_T0,
                        rem_is_long64(t) ? (uint64_t)group->low : (uint32_t)group->low);
    } else {
        if (group->base != REM_NO_REG && !rem_in_register(group->base)) {
            rem_rewrite_load(t->emit, REM_T0, group->base);
            mem.base = REM_T0;
        }
        rem_emit_lea(t->emit, 8, REM_T0, mem);
    }
}

/* Outside of 64-bit code, all of the addition has to fit 32 bits. */
static void
check_low(RemTranslator *t, const RemLoopGroup *group, Misses *misses)
{
    if (!rem_is_long64(t) && !group->bare) {
        check_register(t, group->base, misses);
        check_register(t, group->index, misses);
        rem_emit_mov_rr(t->emit, 4, REM_T1, REM_T0);
        rem_emit_alu_rr(t->emit, REM_CMP, 8, REM_T1, REM_T0);
        miss_if(t, misses, REM_CC_NZ);
    }
    if (group->align > 1) {
        const int32_t mask = group->align - 1;

        rem_emit_lea(t->emit, 4, REM_T1,
                     rem_mem(REM_T0, (int32_t)(group->phase - group->low) & mask));
        rem_emit_test_ri(t->emit, 4, REM_T1, mask);
        miss_if(t, misses, REM_CC_NZ);
    }
}

static RemMem
entry_field(const RemTranslator *t, size_t field)
{
    const unsigned kind = (t->mode & REM_MODE_TLB) >> 5;
    RemMem mem = rem_mem_vcpu(offsetof(Vcpu, tlb) + kind * sizeof(CpumTlb) + field);

    mem.base = REM_T1;
    return mem;
}

/* T0 becomes the offset in the page, T1 the entry. */
static void
emit_probe(RemTranslator *t, const RemLoopGroup *group, Misses *misses)
{
    const size_t tag =
        group->write ? offsetof(CpumTlbEntry, tag_write) : offsetof(CpumTlbEntry, tag_read);
    RemEmit *emit = t->emit;

    rem_emit_mov_rr(emit, 4, REM_T1, REM_T0);
    rem_emit_shift_ri(emit, REM_SHR, 4, REM_T1, INDEX_SHIFT);
    rem_emit_alu_ri(emit, REM_AND, 4, REM_T1, INDEX_MASK);
    rem_emit_alu_ri(emit, REM_AND, 8, REM_T0, -(int32_t)X86_PAGE_SIZE);
    rem_emit_alu_rm(emit, REM_CMP, 8, REM_T0, entry_field(t, tag)); /* no flag is set in it */
    miss_if(t, misses, REM_CC_NZ);
    emit_low(t, group);
    rem_emit_alu_ri(emit, REM_AND, 4, REM_T0, X86_PAGE_OFFSET_MASK);
    rem_emit_alu_ri(emit, REM_CMP, 4, REM_T0, rem_loop_last(group));
    miss_if(t, misses, REM_CC_NBE);
}

/* Turns that the operands stay in the page, from the offset of the lowest byte in T0. */
static void
emit_turns(RemTranslator *t, const RemLoopGroup *group)
{
    RemEmit *emit = t->emit;

    if (group->stride == 0)
        return;
    if (group->stride > 0) {
        rem_emit_neg_r(emit, 4, REM_T0);
        rem_emit_alu_ri(emit, REM_ADD, 4, REM_T0, rem_loop_last(group));
    }
    emit_divide(emit, REM_T0, (unsigned)ABS(group->stride));
    rem_emit_lea(emit, 4, REM_T0, rem_mem(REM_T0, 1));
    rem_emit_alu_rr(emit, REM_CMP, 8, REM_T0, REM_COUNT);
    rem_emit_cmov_rr(emit, REM_CC_B, 8, REM_COUNT, REM_T0);
}

/* Host minus guest address; and the base or all of the address, if that stays as it is. */
static void
emit_slot(RemTranslator *t, const RemLoopGroup *group, unsigned number)
{
    RemEmit *emit = t->emit;

    rem_emit_mov_rm(emit, 8, REM_T1, entry_field(t, offsetof(CpumTlbEntry, addend)));
    if (group->bare)
        emit_low(t, group);
    else if (group->fixed)
        rem_rewrite_load(emit, REM_T0, group->base);
    if (group->bare || group->fixed)
        rem_emit_alu_rr(emit, REM_ADD, 8, REM_T1, REM_T0);
    rem_emit_mov_mr(emit, 8, slot(number), REM_T1);
}

static void
restore_count(RemEmit *emit)
{
    rem_emit_mov_rm(emit, 8, REM_COUNT, loop_word(offsetof(RemLoopHot, count)));
}

/* Out of line: the block's own code, whose jump is returned. */
static RemJump
emit_misses(RemTranslator *t, const Misses *misses)
{
    const uint32_t start = rem_emit_offset(t->cold);

    for (unsigned i = 0; i < misses->count; i++)
        rem_emit_bind_to(t->emit, misses->jump[i], start);
    restore_count(t->cold);
    return rem_emit_jmp(t->cold, 4);
}

static RemJump
emit_guard(RemTranslator *t, const RemLoop *loop)
{
    Misses misses = {.count = 0};

    rem_emit_mov_mr(t->emit, 8, loop_word(offsetof(RemLoopHot, count)), REM_COUNT);
    emit_divide(t->emit, REM_COUNT, loop->count);
    for (unsigned i = 0; i < loop->group_count; i++) {
        const RemLoopGroup *group = &loop->groups[i];

        emit_low(t, group);
        check_low(t, group, &misses);
        emit_probe(t, group, &misses);
        emit_turns(t, group);
        emit_slot(t, group, i);
    }
    rem_emit_alu_ri(t->emit, REM_CMP, 8, REM_COUNT, 2);
    miss_if(t, &misses, REM_CC_B);
    rem_emit_mov_mr(t->emit, 8, loop_word(offsetof(RemLoopHot, turns)), REM_COUNT);
    rem_emit_load_flags(t->emit);
    return emit_misses(t, &misses);
}

/* ---- the turns ---- */
/* Groups whose slots stay in T0 and T1. */
typedef struct {
    unsigned held[REM_TEMPORARIES]; /* REM_LOOP_GROUPS: none */
} Held;

static bool
moves_with_index(const RemLoopGroup *group)
{
    return !group->fixed && group->base != REM_NO_REG && group->index != REM_NO_REG;
}

static Held
hold_slots(RemTranslator *t, const RemLoop *loop)
{
    Held held = {{REM_LOOP_GROUPS, REM_LOOP_GROUPS}};
    unsigned free = loop->needs_temporaries ? 0 : REM_TEMPORARIES;
    bool all = loop->group_count <= REM_TEMPORARIES;

    for (unsigned i = 0; i < loop->group_count; i++)
        all = all && !moves_with_index(&loop->groups[i]);
    if (!all && free != 0)
        free = 1; /* the other one is for those that are not held */
    for (unsigned i = 0, n = 0; i < loop->group_count && n < free; i++) {
        if (moves_with_index(&loop->groups[i]))
            continue;
        held.held[n] = i;
        rem_emit_mov_rm(t->emit, 8, REM_T0 + n, slot(i));
        n++;
    }
    return held;
}

/* The operand of the present instruction; T1 is loaded if its slot is not held. */
static RemMem
place_operand(RemTranslator *t, const RemLoop *loop, const Held *held)
{
    const RemOperand *operand = &t->insn->mem;
    const unsigned number = loop->group_of[t->index];
    const RemLoopGroup *group = &loop->groups[number];
    unsigned at = held->held[0] == number ? REM_T0 : REM_T1;

    if (at == REM_T1 && held->held[1] != number)
        rem_emit_mov_rm(t->emit, 8, REM_T1, slot(number));
    if (group->bare)
        return rem_mem(at, 0);
    if (group->index == REM_NO_REG)
        return group->fixed ? rem_mem(at, (int32_t)operand->disp)
                            : rem_mem_index(group->base, at, 0, (int32_t)operand->disp);
    if (moves_with_index(group))
        rem_emit_lea(t->emit, 8, at, rem_mem_index(group->base, at, 0, 0));
    return rem_mem_index(at, group->index, group->scale, (int32_t)operand->disp);
}

static void
emit_insn(RemTranslator *t, const RemLoop *loop, const Held *held)
{
    const RemRip rip = rem_rip(t);
    RemMem mem;

    if (t->insn->does & REM_DOES_MEMORY)
        mem = place_operand(t, loop, held);
    if (!rem_rewrite(t->emit, t->insn, t->insn->does & REM_DOES_MEMORY ? &mem : NULL, &rip))
        t->emit->overflow = true; /* rem_can_rewrite() has been asked */
}

/* ---- exits ---- */
/* REM_COUNT after the turns that are over and `more` instructions. */
static void
emit_count(RemEmit *emit, const RemLoop *loop, unsigned more)
{
    rem_emit_mov_rm(emit, 8, REM_T0, loop_word(offsetof(RemLoopHot, turns)));
    rem_emit_alu_rr(emit, REM_SUB, 8, REM_T0, REM_COUNT);
    rem_emit_imul_rri(emit, 8, REM_T0, REM_T0, (int32_t)loop->count);
    rem_emit_alu_ri(emit, REM_ADD, 8, REM_T0, (int32_t)more);
    restore_count(emit);
    rem_emit_alu_rr(emit, REM_SUB, 8, REM_COUNT, REM_T0);
}

/* Behind the present instruction the loop is left for that offset. */
static void
emit_exit(RemTranslator *t, const RemLoop *loop, RemCondition cc, int32_t target)
{
    RemEmit *const hot = t->emit;

    rem_emit_bind_to(hot, rem_emit_jcc(hot, cc, 4), rem_emit_offset(t->cold));
    rem_emit_store_flags(t->cold);
    emit_count(t->cold, loop, t->index + 1);
    t->flags = REM_FLAGS_SAVED;
    t->emit = t->cold;
    t->counted = t->index; /* the sites have nothing to take back */
    rem_emit_goto(t, target);
    t->emit = hot;
    t->ended = false;
}

/* The turns are used up, the guest's flags lost but for CF. */
static void
emit_flags_again(RemTranslator *t, const RemLoop *loop)
{
    const RemInsn *writer = &t->insns[loop->writer];
    const RemRip rip = {0};
    unsigned reg;

    if (loop->flags == REM_LOOP_STORE)
        return;
    if (loop->flags == REM_LOOP_TEST) {
        reg = (unsigned)__builtin_ctz(writer->gpr_written);
        rem_emit_test_rr(t->emit, writer->opsize, reg, reg);
    } else {
        if (loop->flags == REM_LOOP_UNDO) {
            reg = (unsigned)__builtin_ctz(writer->gpr_written);
            rem_emit_lea(t->emit, writer->opsize, reg, rem_mem(reg, loop->undo));
        }
        if (!rem_rewrite(t->emit, writer, NULL, &rip))
            t->emit->overflow = true;
    }
    rem_emit_store_flags(t->emit);
}

static void
emit_end(RemTranslator *t, const RemLoop *loop, uint32_t top)
{
    const RemCondition cc = (RemCondition)(t->insn->op.code & 15);

    emit_exit(t, loop, cc ^ 1, (int32_t)rem_next_offset(t));
    if (loop->flags == REM_LOOP_STORE)
        rem_emit_store_flags(t->emit);
    rem_emit_op_rr(t->emit, (RemOpcode){.code = 0xff, .flags = REM_OP_W}, 1, REM_COUNT); /* DEC */
    rem_emit_bind_to(t->emit, rem_emit_jcc(t->emit, REM_CC_NZ, 4), top);
    emit_flags_again(t, loop);
    emit_count(t->emit, loop, 0);
    rem_emit_bind_to(t->emit, rem_emit_jmp(t->emit, 4), t->block->entry_saved);
}

static void
emit_body(RemTranslator *t, const RemLoop *loop)
{
    const Held held = hold_slots(t, loop);
    const uint32_t top = rem_emit_offset(t->emit);

    for (t->index = 0; t->index < loop->count; t->index++) {
        t->insn = &t->insns[t->index];
        if (t->index == loop->count - 1)
            emit_end(t, loop, top);
        else if (t->side_exit[t->index])
            emit_exit(t, loop, (RemCondition)(t->insn->op.code & 15),
                      (int32_t)rem_next_offset(t) + (int32_t)rem_insn_imm(t->insn));
        else
            emit_insn(t, loop, &held);
        t->offset += t->insn->length;
    }
}

void
rem_loop_emit(RemTranslator *t)
{
    const unsigned offset = t->offset;
    RemLoop loop;
    RemJump slow;

    if (!rem_loop_find(t, &loop))
        return;
    slow = emit_guard(t, &loop);
    emit_body(t, &loop);
    t->index = t->counted = 0;
    t->insn = NULL;
    t->offset = offset;
    t->flags = REM_FLAGS_SAVED;
    rem_emit_bind_to(t->cold, slow, rem_emit_offset(t->emit));
}
