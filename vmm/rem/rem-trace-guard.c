/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * In front of a trace's turns: a probe for each group whose operands are known from the registers
 * that a turn begins with, the turns for which they stay in their pages, and the registers that
 * are lent. REM_COUNT's register counts turns from here on.
 *
 * The probes are out of line. They write down which pages they found, and where; while no C code
 * has run since, addresses in the same pages need no probe. Loops of few turns are entered often.
 */
#include "vmm/rem/rem-trace.h"

#define INDEX_MASK ((CPUM_TLB_ENTRIES - 1) * (int32_t)sizeof(CpumTlbEntry))
#define INDEX_SHIFT (X86_PAGE_SHIFT - 5)
#define RECIPROCAL_BITS 25
_Static_assert(REM_QUANTUM <= 16384 && REM_TRACE_INSNS * 16384 < 1 << RECIPROCAL_BITS,
               "reciprocals are exact");

#define MISSES (10 * REM_TRACE_GROUPS + REM_TRACE_WINDOWS + 2 * REM_TRACE_PAGES)

typedef struct {
    RemTranslator *t;
    const RemTrace *trace;
    RemEmit *emit; /* in line: what was written down; out of line: the probes */
    RemJump miss[MISSES];
    unsigned misses;
} Guard;

static RemMem
loop_word(size_t offset)
{
    return rem_mem_hot(offsetof(RemHot, loop) + offset);
}

static RemMem
memo_word(const Guard *guard, size_t offset)
{
    const size_t memo = guard->trace->number % REM_TRACE_MEMOS;

    return loop_word(offsetof(RemLoopHot, memo) + memo * sizeof(RemMemoHot) + offset);
}

static RemMem
memo_page(const Guard *guard, unsigned group)
{
    return memo_word(guard, offsetof(RemMemoHot, page) + 8 * group);
}

static RemMem
memo_host(const Guard *guard, unsigned group)
{
    return memo_word(guard, offsetof(RemMemoHot, host) + 8 * group);
}

/* value / divisor for values up to 16384, and their product below 2^25. */
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

static void
miss_if(Guard *guard, RemCondition cc)
{
    guard->miss[guard->misses++] = rem_emit_jcc(guard->emit, cc, 4);
}

static RemMem
entry_field(const Guard *guard, size_t field)
{
    const unsigned kind = (guard->trace->mode & REM_MODE_TLB) >> 5;
    RemMem mem = rem_mem_vcpu(offsetof(Vcpu, tlb) + kind * sizeof(CpumTlb) + field);

    mem.base = REM_T1;
    return mem;
}

/* ---- addresses ---- */
/* A root's value as a register: its own where it has one, else `to`. */
static unsigned
emit_root(Guard *guard, unsigned root, unsigned to)
{
    if (root >= REM_ROOT_ZERO) {
        rem_emit_mov_rm(guard->emit, 8, to, rem_mem_hot(offsetof(RemHot, rip_base)));
        return to;
    }
    if (rem_in_register(root))
        return root;
    rem_rewrite_load(guard->emit, to, root);
    return to;
}

/* The linear address of the group's lowest byte, as `width` bytes. `to` may not be the other
 * temporary if there is an index. No flags. */
static void
emit_low(Guard *guard, const RemTraceGroup *group, unsigned to, unsigned width)
{
    RemMem mem = {REM_NO_REG, REM_NO_REG, group->scale, false, (int32_t)group->low};

    if (group->base == REM_ROOT_ZERO && group->index == REM_ROOT_ZERO) {
        rem_emit_mov_ri(guard->emit, to, width == 8 ? (uint64_t)group->low : (uint32_t)group->low);
        return;
    }
    if (group->base != REM_ROOT_ZERO)
        mem.base = (uint8_t)emit_root(guard, group->base, to);
    if (group->index != REM_ROOT_ZERO)
        mem.index = (uint8_t)emit_root(guard, group->index, mem.base == to ? REM_T1 : to);
    rem_emit_lea(guard->emit, width, to, mem);
}

/* Is no register that counts from the root ever below it? */
static bool
never_falls(const RemTrace *trace, unsigned root)
{
    for (unsigned i = 0; i < trace->count; i++) {
        const RemTraceInsn *step = &trace->insns[i];

        if ((step->base.root == root && step->base.offset < 0) ||
            (step->index.root == root && step->index.offset < 0))
            return false;
    }
    return rem_trace_step(trace, root) >= 0;
}

/* Outside of 64-bit code: a register that neither has an upper half nor gets near a wrap. */
static void
check_register(Guard *guard, unsigned root)
{
    const int32_t margin = 2 * (int32_t)X86_PAGE_SIZE;
    const int32_t below = never_falls(guard->trace, root) ? 0 : margin;

    if (root >= REM_ROOT_ZERO)
        return;
    rem_emit_mov_rr(guard->emit, 4, REM_T1, root);
    rem_emit_alu_rr(guard->emit, REM_CMP, 8, REM_T1, root);
    miss_if(guard, REM_CC_NZ);
    if (below != 0)
        rem_emit_alu_ri(guard->emit, REM_SUB, 4, REM_T1, below);
    rem_emit_alu_ri(guard->emit, REM_CMP, 4, REM_T1, -2 * margin - below);
    miss_if(guard, REM_CC_NBE);
}

/* Outside of 64-bit code, all of the addition has to fit 32 bits. */
static void
check_low(Guard *guard, const RemTraceGroup *group)
{
    if (rem_trace_is_long64(guard->trace))
        return;
    check_register(guard, group->base);
    check_register(guard, group->index);
    rem_emit_mov_rr(guard->emit, 4, REM_T1, REM_T0);
    rem_emit_alu_rr(guard->emit, REM_CMP, 8, REM_T1, REM_T0);
    miss_if(guard, REM_CC_NZ);
}

/* `reg` has the address of the lowest byte; T0 and T1 may be lost if they are not it. */
static void
check_alignment(Guard *guard, const RemTraceGroup *group, unsigned reg)
{
    const int32_t mask = group->align - 1;
    const unsigned temp = reg == REM_T0 ? REM_T1 : REM_T0;

    if (group->align == 1)
        return;
    rem_emit_lea(guard->emit, 4, temp, rem_mem(reg, (int32_t)(group->phase - group->low) & mask));
    rem_emit_test_ri(guard->emit, 4, temp, mask);
    miss_if(guard, REM_CC_NZ);
}

/* T1: the address of a byte, becomes its entry's offset; T0: of one in the page to be looked for.
 */
static void
emit_compare(Guard *guard, const RemTraceGroup *group)
{
    const size_t tag =
        group->write ? offsetof(CpumTlbEntry, tag_write) : offsetof(CpumTlbEntry, tag_read);

    rem_emit_shift_ri(guard->emit, REM_SHR, 4, REM_T1, INDEX_SHIFT);
    rem_emit_alu_ri(guard->emit, REM_AND, 4, REM_T1, INDEX_MASK);
    rem_emit_alu_ri(guard->emit, REM_AND, 8, REM_T0, -(int32_t)X86_PAGE_SIZE);
    rem_emit_alu_rm(guard->emit, REM_CMP, 8, REM_T0, entry_field(guard, tag));
    miss_if(guard, REM_CC_NZ);
}

/* ---- groups ---- */
/* Homes that are registers only when the guard is over: the guard wants them for itself. */
static bool
is_late(const Guard *guard, unsigned home)
{
    return home == REM_T0 || (home < X86_GPR_COUNT && (guard->trace->frames >> home & 1));
}

/* Where what the home will have is made: in the home, or in a temporary. */
static unsigned
home_or(const Guard *guard, const RemTraceGroup *group, unsigned temporary)
{
    return group->home == REM_NO_REG || is_late(guard, group->home) ? temporary : group->home;
}

/* What the home will have is in `reg`. */
static void
set_home(Guard *guard, unsigned number, unsigned reg)
{
    const unsigned home = guard->trace->groups[number].home;

    if (home == REM_NO_REG || is_late(guard, home))
        rem_emit_mov_mr(guard->emit, 8, rem_trace_slot(number), reg);
    else if (home != reg)
        rem_emit_mov_rr(guard->emit, 8, home, reg);
}

/* The highest offset in a page that the lowest byte may have. */
static int32_t
last_offset(const RemTraceGroup *group)
{
    return (int32_t)(X86_PAGE_SIZE - (group->high - group->low));
}

/* All of it stays in one page for ever: the home is the host address of its lowest byte. */
static void
guard_fixed(Guard *guard, unsigned number)
{
    const RemTraceGroup *group = &guard->trace->groups[number];
    const unsigned width = rem_trace_width(guard->trace);
    const unsigned home = home_or(guard, group, REM_T0);

    emit_low(guard, group, REM_T1, width);
    check_alignment(guard, group, REM_T1);
    rem_emit_lea(guard->emit, 8, REM_T0, rem_mem(REM_T1, (int32_t)(group->high - group->low) - 1));
    emit_compare(guard, group);
    rem_emit_mov_mr(guard->emit, 8, memo_page(guard, number), REM_T0);
    rem_emit_alu_rm(guard->emit, REM_ADD, 8, REM_T0,
                    entry_field(guard, offsetof(CpumTlbEntry, addend)));
    rem_emit_mov_mr(guard->emit, 8, memo_host(guard, number), REM_T0);
    emit_low(guard, group, home, width);
    rem_emit_alu_rm(guard->emit, REM_ADD, 8, home,
                    entry_field(guard, offsetof(CpumTlbEntry, addend)));
    set_home(guard, number, home);
}

/* The same in the page that it was in the last time. */
static void
repeat_fixed(Guard *guard, unsigned number)
{
    const RemTraceGroup *group = &guard->trace->groups[number];
    const unsigned home = home_or(guard, group, REM_T0);

    emit_low(guard, group, home, rem_trace_width(guard->trace));
    check_alignment(guard, group, home);
    rem_emit_alu_rm(guard->emit, REM_SUB, 8, home, memo_page(guard, number));
    rem_emit_alu_ri(guard->emit, REM_CMP, 8, home, last_offset(group));
    miss_if(guard, REM_CC_NBE);
    rem_emit_alu_rm(guard->emit, REM_ADD, 8, home, memo_host(guard, number));
    set_home(guard, number, home);
}

/* Turns that the operands stay in the page, from the offset of the lowest byte in T0. */
static void
emit_turns(Guard *guard, const RemTraceGroup *group)
{
    const int32_t last = last_offset(group);
    RemEmit *emit = guard->emit;

    rem_emit_alu_ri(emit, REM_CMP, 8, REM_T0, last);
    miss_if(guard, REM_CC_NBE);
    if (group->stride == 0)
        return;
    if (group->stride > 0) {
        rem_emit_neg_r(emit, 4, REM_T0);
        rem_emit_alu_ri(emit, REM_ADD, 4, REM_T0, last);
    }
    emit_divide(emit, REM_T0, (unsigned)ABS(group->stride));
    rem_emit_lea(emit, 4, REM_T0, rem_mem(REM_T0, 1));
    rem_emit_alu_rr(emit, REM_CMP, 8, REM_T0, REM_COUNT);
    rem_emit_cmov_rr(emit, REM_CC_B, 8, REM_COUNT, REM_T0);
}

/* The home is host minus guest address, with the base if that does not move. T0 is lost. */
static void
set_moving_home(Guard *guard, unsigned number, RemMem addend)
{
    const RemTraceGroup *group = &guard->trace->groups[number];
    const bool anchored = rem_trace_step(guard->trace, group->base) == 0;
    const unsigned home = home_or(guard, group, REM_T1);

    rem_emit_mov_rm(guard->emit, 8, home, addend);
    if (anchored && group->base != REM_ROOT_ZERO)
        rem_emit_alu_rr(guard->emit, REM_ADD, 8, home, emit_root(guard, group->base, REM_T0));
    set_home(guard, number, home);
}

static void
guard_moving(Guard *guard, unsigned number)
{
    const RemTraceGroup *group = &guard->trace->groups[number];
    RemEmit *emit = guard->emit;

    emit_low(guard, group, REM_T0, 8);
    check_low(guard, group);
    check_alignment(guard, group, REM_T0);
    rem_emit_mov_rr(emit, 4, REM_T1, REM_T0);
    emit_compare(guard, group);
    rem_emit_mov_mr(emit, 8, memo_page(guard, number), REM_T0);
    rem_emit_mov_rm(emit, 8, REM_T1, entry_field(guard, offsetof(CpumTlbEntry, addend)));
    rem_emit_mov_mr(emit, 8, memo_host(guard, number), REM_T1);
    set_moving_home(guard, number, memo_host(guard, number));
    emit_low(guard, group, REM_T0, 8);
    rem_emit_alu_ri(emit, REM_AND, 4, REM_T0, X86_PAGE_OFFSET_MASK);
    emit_turns(guard, group);
}

/* Outside of 64-bit code: no upper half. In the same page as the last time, the register is still
 * far from a wrap. */
static void
check_upper_half(Guard *guard, unsigned root)
{
    if (root >= REM_ROOT_ZERO || rem_trace_is_long64(guard->trace))
        return;
    rem_emit_mov_rr(guard->emit, 4, REM_T1, root);
    rem_emit_alu_rr(guard->emit, REM_CMP, 8, REM_T1, root);
    miss_if(guard, REM_CC_NZ);
}

static void
repeat_moving(Guard *guard, unsigned number)
{
    const RemTraceGroup *group = &guard->trace->groups[number];

    emit_low(guard, group, REM_T0, 8);
    if (group->index != REM_ROOT_ZERO && group->base != REM_ROOT_ZERO)
        check_low(guard, group); /* two of them may have come near one together */
    check_upper_half(guard, group->base);
    check_upper_half(guard, group->index);
    check_alignment(guard, group, REM_T0);
    rem_emit_alu_rm(guard->emit, REM_SUB, 8, REM_T0, memo_page(guard, number));
    emit_turns(guard, group);
    set_moving_home(guard, number, memo_host(guard, number));
}

/* ---- pages that pointers in memory lead to ---- */
static void
guard_window(Guard *guard, unsigned number)
{
    const RemTraceWindow *window = &guard->trace->windows[number];
    const RemTraceGroup *group = &guard->trace->groups[window->group];
    const RemTraceGroup page = {.write = window->write};
    RemEmit *emit = guard->emit;
    unsigned home = group->home;

    if (home == REM_NO_REG || is_late(guard, home)) {
        home = REM_T0;
        rem_emit_mov_rm(emit, 8, REM_T0, rem_trace_slot(window->group));
    }
    rem_emit_mov_rm(emit, rem_trace_width(guard->trace), REM_T0,
                    rem_mem(home, (int32_t)(window->at - group->low)));
    rem_emit_mov_rr(emit, 4, REM_T1, REM_T0);
    emit_compare(guard, &page);
    rem_emit_mov_mr(emit, 8, rem_trace_page(number), REM_T0);
    if (window->home != REM_NO_REG) {
        rem_emit_mov_rm(emit, 8, window->home, entry_field(guard, offsetof(CpumTlbEntry, addend)));
    } else {
        rem_emit_mov_rm(emit, 8, REM_T1, entry_field(guard, offsetof(CpumTlbEntry, addend)));
        rem_emit_mov_mr(emit, 8, rem_trace_addend(number), REM_T1);
    }
}

/* ---- registers that are lent ---- */
static void
emit_lend(Guard *guard)
{
    const RemTrace *trace = guard->trace;

    for (unsigned bits = trace->lent; bits != 0; bits &= bits - 1)
        rem_rewrite_spill(guard->emit, (unsigned)__builtin_ctz(bits));
}

/* The guests that live in them, and homes that temporaries are. */
static void
emit_fill(Guard *guard)
{
    const RemTrace *trace = guard->trace;

    for (unsigned reg = 0; reg < X86_GPR_COUNT; reg++)
        if (trace->at[reg] != REM_NO_REG)
            rem_rewrite_load(guard->emit, trace->at[reg], reg);
    for (unsigned i = 0; i < trace->group_count; i++)
        if (trace->groups[i].hoisted && is_late(guard, trace->groups[i].home))
            rem_emit_mov_rm(guard->emit, 8, trace->groups[i].home, rem_trace_slot(i));
}

/* ---- pages of code ---- */
/* Is the path's other page still where it was? */
static void
guard_page(Guard *guard, const RemTracePage *page)
{
    RemEmit *emit = guard->emit;

    rem_emit_mov_rm(emit, 8, REM_T0, rem_mem_hot(offsetof(RemHot, rip_base)));
    rem_emit_lea(emit, rem_trace_width(guard->trace), REM_T0, rem_mem(REM_T0, page->base));
    rem_emit_mov_rr(emit, 4, REM_T1, REM_T0);
    rem_emit_shift_ri(emit, REM_SHR, 4, REM_T1, INDEX_SHIFT);
    rem_emit_alu_ri(emit, REM_AND, 4, REM_T1, INDEX_MASK);
    rem_emit_alu_rm(emit, REM_CMP, 8, REM_T0, entry_field(guard, offsetof(CpumTlbEntry, tag_exec)));
    miss_if(guard, REM_CC_NZ);
    rem_emit_alu_rm(emit, REM_ADD, 8, REM_T0, entry_field(guard, offsetof(CpumTlbEntry, addend)));
    rem_emit_mov_ri(emit, REM_T1, (uint64_t)(uintptr_t)page->host);
    rem_emit_alu_rr(emit, REM_CMP, 8, REM_T0, REM_T1);
    miss_if(guard, REM_CC_NZ);
}

/* ---- all of it ---- */
static void
bind_misses(const Guard *guard, uint32_t to)
{
    for (unsigned i = 0; i < guard->misses; i++)
        rem_emit_bind_to(guard->emit, guard->miss[i], to);
}

/* Back to a state that a plain block can begin with. */
static RemJump
emit_way_out(RemTranslator *t, const RemTrace *trace)
{
    rem_trace_take_back(t->cold, trace);
    rem_emit_mov_ri(t->cold, REM_T1, (uint64_t)(uintptr_t)&t->block->turned_away);
    rem_emit_inc_m(t->cold, 4, rem_mem(REM_T1, 0));
    rem_emit_mov_rm(t->cold, 8, REM_COUNT, loop_word(offsetof(RemLoopHot, count)));
    return rem_emit_jmp(t->cold, 4);
}

/* What is remembered is another trace's until all of this one's is. */
static void
emit_probes(Guard *guard)
{
    const RemTrace *trace = guard->trace;
    const RemMem owner = memo_word(guard, offsetof(RemMemoHot, trace));

    rem_emit_mov_mi(guard->emit, 8, owner, 0);
    for (unsigned i = 1; i < trace->page_count; i++)
        guard_page(guard, &trace->pages[i]);
    for (unsigned i = 0; i < trace->group_count; i++) {
        if (trace->groups[i].hoisted && trace->groups[i].fixed)
            guard_fixed(guard, i);
        else if (trace->groups[i].hoisted)
            guard_moving(guard, i);
    }
    rem_emit_mov_mi(guard->emit, 8, owner, (int32_t)trace->number);
}

static void
emit_repeats(Guard *guard)
{
    const RemTrace *trace = guard->trace;

    rem_emit_alu_mi(guard->emit, REM_CMP, 8, memo_word(guard, offsetof(RemMemoHot, trace)),
                    (int32_t)trace->number);
    miss_if(guard, REM_CC_NZ);
    for (unsigned i = 0; i < trace->group_count; i++) {
        if (trace->groups[i].hoisted && trace->groups[i].fixed)
            repeat_fixed(guard, i);
        else if (trace->groups[i].hoisted)
            repeat_moving(guard, i);
    }
}

RemJump
rem_trace_guard(RemTranslator *t, RemTrace *trace)
{
    Guard repeats = {.t = t, .trace = trace, .emit = t->emit};
    Guard probes = {.t = t, .trace = trace, .emit = t->cold};
    Guard windows = {.t = t, .trace = trace, .emit = t->emit};
    uint32_t out;

    emit_lend(&repeats);
    rem_emit_mov_mr(t->emit, 8, loop_word(offsetof(RemLoopHot, count)), REM_COUNT);
    emit_divide(t->emit, REM_COUNT, trace->count);
    emit_repeats(&repeats);
    bind_misses(&repeats, rem_emit_offset(t->cold));
    emit_probes(&probes);
    rem_emit_bind_to(t->cold, rem_emit_jmp(t->cold, 4), rem_emit_offset(t->emit));
    for (unsigned i = 0; i < trace->window_count; i++)
        guard_window(&windows, i);
    rem_emit_mov_mr(t->emit, 8, loop_word(offsetof(RemLoopHot, turns)), REM_COUNT);
    emit_fill(&windows);
    out = rem_emit_offset(t->cold);
    bind_misses(&probes, out);
    bind_misses(&windows, out);
    return emit_way_out(t, trace);
}
