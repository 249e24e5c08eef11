/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Host registers for a trace: those whose guest's register it does not touch are lent to guest r13
 * to r15 and to the homes of its groups, the most used first. They are in Vcpu.gpr meanwhile. What
 * changes in a turn does not live in RSP if another register of the guest's can. */
#include "vmm/rem/rem-trace.h"

#define HIGH_GUESTS ((uint16_t) ~((1u << REM_T0) - 1))

/* ---- what temporaries are needed for ---- */
/* The rewriter needs a temporary of its own for it, besides `high` guest registers. */
static bool
needs_temporary(const RemInsn *insn, uint32_t high)
{
    if (insn->row == ZYDIS_MNEMONIC_LEA)
        return high != 0 || insn->mem.rip_relative || insn->opsize == 2 || insn->addrsize == 2 ||
               (insn->mem.base == REM_NO_REG && insn->mem.index == REM_NO_REG);
    return high != 0 || (insn->form & (REM_FORM_REG_HIGH | REM_FORM_RM_HIGH));
}

/* Is the register a part of the operand when its home is known? */
static bool
is_in_address(RemTrace *trace, const RemTraceInsn *step, unsigned reg)
{
    const RemTraceGroup *group = rem_trace_group(trace, step);

    if (step->insn.mem.base != reg && step->insn.mem.index != reg)
        return false;
    return step->probes || group == NULL || !group->fixed;
}

static uint32_t
high_bit(const RemTrace *trace, bool used, unsigned reg)
{
    return used && reg >= REM_T0 && reg < X86_GPR_COUNT && !(reg == REM_T0 && trace->held != 0)
               ? 1u << (reg - REM_T0)
               : 0;
}

/* Guest registers above r12 that the code for the instruction wants, and that are not in a
 * register.
 */
static uint32_t
high_registers(RemTrace *trace, const RemTraceInsn *step)
{
    const RemInsn *insn = &step->insn;
    const RemOperand *mem = &insn->mem;

    return high_bit(trace, insn->form & REM_FORM_REG_GPR, insn->reg) |
           high_bit(trace, (insn->form & REM_FORM_RM_GPR) && !(insn->form & REM_FORM_MEM),
                    insn->rm) |
           high_bit(trace, insn->form & REM_FORM_VVVV_GPR, insn->op.vvvv) |
           high_bit(trace, is_in_address(trace, step, mem->base), mem->base) |
           high_bit(trace, is_in_address(trace, step, mem->index), mem->index);
}

static void
find_temporaries(RemTrace *trace, bool placed)
{
    trace->temporaries = trace->again == REM_AGAIN_STORE || (trace->x87 && trace->x87_each_turn) ||
                         (trace->again == REM_AGAIN_KEPT && trace->kept == REM_NO_REG);
    for (unsigned i = 0; i < trace->count; i++) {
        const RemTraceInsn *step = &trace->insns[i];

        trace->temporaries |=
            step->kind >= REM_TRACE_GOTO ||
            needs_temporary(&step->insn, placed ? high_registers(trace, step) : 0) ||
            step->probes || step->notes_pointer;
    }
    for (unsigned i = 0; i < trace->group_count; i++)
        trace->temporaries |= !trace->groups[i].hoisted;
}

/* ---- who wants a register ---- */
static unsigned
uses_of(RemTrace *trace, unsigned reg)
{
    unsigned uses = 0;

    for (unsigned i = 0; i < trace->count; i++) {
        const RemTraceInsn *step = &trace->insns[i];
        const RemInsn *insn = &step->insn;

        if (reg == X86_RSP && step->kind == REM_TRACE_MOVE_SP)
            continue;
        uses += (insn->form & REM_FORM_REG_GPR) && insn->reg == reg;
        uses += (insn->form & REM_FORM_RM_GPR) && !(insn->form & REM_FORM_MEM) && insn->rm == reg;
        uses += (insn->form & REM_FORM_VVVV_GPR) && insn->op.vvvv == reg;
        uses += is_in_address(trace, step, reg);
    }
    return uses;
}

/* RSP cannot be an index. */
static bool
is_index(const RemTrace *trace, unsigned reg)
{
    for (unsigned i = 0; i < trace->count; i++)
        if (trace->insns[i].insn.mem.index == reg)
            return true;
    return false;
}

static unsigned
take(uint16_t *free, bool no_rsp)
{
    const unsigned fit = no_rsp ? *free & ~(1u << X86_RSP) : *free;
    const unsigned above = fit & ~(1u << X86_RSP);

    if (fit == 0)
        return REM_NO_REG;
    *free &= (uint16_t) ~(1u << __builtin_ctz(above != 0 ? above : fit));
    return (unsigned)__builtin_ctz(above != 0 ? above : fit);
}

/* A single one that is left over may have a temporary if there is no other use for it. */
static void
hold(RemTrace *trace, unsigned left_over)
{
    if (left_over == REM_NO_REG || trace->temporaries)
        return;
    trace->held = 1;
    trace->at[left_over] = REM_T0;
}

/* Some processors execute only one instruction in a cycle that writes RSP or reads what was written
 * there. So it is for what stays as it is in a turn. */
static bool
names_only(const RemTrace *trace, unsigned reg)
{
    const uint32_t bit = 1u << reg;

    for (unsigned i = 0; i < trace->count; i++) {
        const RemInsn *insn = &trace->insns[i].insn;
        const bool named =
            ((insn->form & REM_FORM_REG_GPR) && insn->reg == reg) ||
            ((insn->form & REM_FORM_RM_GPR) && !(insn->form & REM_FORM_MEM) && insn->rm == reg) ||
            ((insn->form & REM_FORM_VVVV_GPR) && insn->op.vvvv == reg) || insn->mem.base == reg;

        if ((insn->gpr_read & bit) != 0 &&
            (!named || (insn->form & (REM_FORM_REG_HIGH | REM_FORM_RM_HIGH)) ||
             (insn->does & REM_DOES_IMPLICIT) || trace->insns[i].kind != REM_TRACE_PLAIN))
            return false;
    }
    return true;
}

/* A register that no turn writes, to live in RSP: REM_NO_REG if there is none. RBP may have
 * another use. */
static unsigned
find_constant(RemTrace *trace)
{
    unsigned best = REM_NO_REG, least = 0;

    for (unsigned reg = 0; reg < REM_T0; reg++) {
        if (reg == X86_RSP || reg == X86_RBP || !(trace->used >> reg & 1) ||
            (trace->written >> reg & 1) || is_index(trace, reg) || !names_only(trace, reg))
            continue;
        if (best == REM_NO_REG || uses_of(trace, reg) < least) {
            best = reg;
            least = uses_of(trace, reg);
        }
    }
    return best;
}

/* The guest's register got RSP, but its value changes: it changes places with one that doesn't. */
static void
leave_rsp(RemTrace *trace, unsigned guest)
{
    const unsigned constant = trace->written >> guest & 1 ? find_constant(trace) : REM_NO_REG;

    if (constant == REM_NO_REG)
        return;
    trace->at[constant] = X86_RSP;
    trace->at[guest] = (uint8_t)constant;
    trace->moved = (uint16_t)(1u << constant);
}

static void
place_guests(RemTrace *trace, uint16_t *free)
{
    unsigned uses[X86_GPR_COUNT] = {0}, left_over = REM_NO_REG, lost = 0;

    memset(trace->at, REM_NO_REG, sizeof trace->at);
    trace->held = trace->moved = 0;
    find_temporaries(trace, false);
    for (unsigned reg = REM_T0; reg < X86_GPR_COUNT; reg++)
        uses[reg] = uses_of(trace, reg);
    for (;;) {
        unsigned best = REM_T0;

        for (unsigned reg = REM_T0; reg < X86_GPR_COUNT; reg++)
            best = uses[reg] > uses[best] ? reg : best;
        if (uses[best] == 0)
            break;
        uses[best] = 0;
        trace->at[best] = (uint8_t)take(free, is_index(trace, best));
        if (trace->at[best] == REM_NO_REG) {
            left_over = best;
            lost++;
        } else if (trace->at[best] == X86_RSP) {
            leave_rsp(trace, best);
        }
    }
    hold(trace, lost == 1 ? left_over : REM_NO_REG);
}

/* RSP and RBP are no operands but where it can be seen. */
static bool
is_frame_only(RemTrace *trace, unsigned reg)
{
    for (unsigned i = 0; i < trace->count; i++) {
        const RemTraceInsn *step = &trace->insns[i];
        const bool moves = reg == X86_RSP && step->kind >= REM_TRACE_CALL;

        if ((!moves && (step->insn.gpr_written >> reg & 1)) ||
            (step->notes_pointer && step->insn.mem.base == reg))
            return false;
    }
    return uses_of(trace, reg) == 0;
}

/* A stack frame's home is the register that addresses it: processors forward what is stored there
 * and loaded again by the name of the register. */
static void
place_frame(RemTrace *trace, unsigned reg)
{
    RemTraceGroup *best = NULL;

    for (unsigned i = 0; i < trace->group_count; i++) {
        RemTraceGroup *group = &trace->groups[i];

        if (group->hoisted && group->fixed && group->base == reg &&
            (best == NULL || group->accesses > best->accesses))
            best = group;
    }
    if (best == NULL || !is_frame_only(trace, reg))
        return;
    best->home = (uint8_t)reg;
    trace->frames |= (uint16_t)(1u << reg);
}

static void
place_groups(RemTrace *trace, uint16_t *free)
{
    for (;;) {
        RemTraceGroup *best = NULL;

        for (unsigned i = 0; i < trace->group_count; i++) {
            RemTraceGroup *group = &trace->groups[i];

            if (group->home == REM_NO_REG && (group->hoisted || group->accesses > 1) &&
                (best == NULL || group->accesses > best->accesses))
                best = group;
        }
        if (best == NULL)
            return;
        best->home = (uint8_t)take(free, false);
        if (best->home == REM_NO_REG)
            return;
    }
}

static void
place_windows(RemTrace *trace, uint16_t *free)
{
    for (unsigned i = 0; i < trace->window_count; i++)
        trace->windows[i].home = (uint8_t)take(free, false);
    for (unsigned i = 0; i < trace->window_count; i++)
        if (trace->windows[i].again)
            trace->windows[i].anchor = (uint8_t)take(free, false);
}

/* ---- the instructions, in the registers that they have now ---- */
static void
replace(const RemTrace *trace, uint8_t *reg)
{
    if (*reg < X86_GPR_COUNT && trace->at[*reg] != REM_NO_REG)
        *reg = trace->at[*reg];
}

static uint16_t
replace_mask(const RemTrace *trace, uint16_t mask)
{
    uint16_t replaced = 0;

    for (unsigned reg = 0; reg < X86_GPR_COUNT; reg++)
        if (mask >> reg & 1)
            replaced |= (uint16_t)(1u << (trace->at[reg] != REM_NO_REG ? trace->at[reg] : reg));
    return replaced;
}

static void
replace_registers(const RemTrace *trace, RemInsn *insn)
{
    if (((insn->gpr_read | insn->gpr_written) & (trace->moved | HIGH_GUESTS)) == 0)
        return;
    if (insn->form & REM_FORM_REG_GPR)
        replace(trace, &insn->reg);
    if ((insn->form & REM_FORM_RM_GPR) && !(insn->form & REM_FORM_MEM))
        replace(trace, &insn->rm);
    if (insn->form & REM_FORM_VVVV_GPR)
        replace(trace, &insn->op.vvvv);
    replace(trace, &insn->mem.base);
    replace(trace, &insn->mem.index);
    insn->gpr_read = replace_mask(trace, insn->gpr_read);
    insn->gpr_written = replace_mask(trace, insn->gpr_written);
    if (insn->form & REM_FORM_LEGACY) /* SPL to DIL */
        insn->op.flags |= REM_OP_REX;
}

static bool
is_in_register(const RemTrace *trace, unsigned reg)
{
    return reg < REM_T0 || (reg == REM_T0 && (trace->held & 1));
}

/* All groups whose address is made of registers find these in registers. */
static bool
is_addressable(RemTrace *trace)
{
    for (unsigned i = 0; i < trace->count; i++) {
        const RemTraceInsn *step = &trace->insns[i];
        const RemOperand *mem = &step->insn.mem;
        const bool base = mem->base != REM_NO_REG && !is_in_register(trace, mem->base);
        const bool index = mem->index != REM_NO_REG && !is_in_register(trace, mem->index);

        if ((step->insn.does & REM_DOES_MEMORY) && (base || index) &&
            (step->probes ? base && index : !rem_trace_group(trace, step)->fixed))
            return false;
    }
    return true;
}

/* Flags are made again in registers only. */
static void
drop_writers(RemTrace *trace)
{
    for (unsigned i = 0; i < trace->count; i++) {
        RemTraceInsn *step = &trace->insns[i];

        if (step->flags_of != REM_NO_WRITER &&
            high_registers(trace, &trace->insns[step->flags_of]) != 0)
            step->flags_of = REM_NO_WRITER;
    }
    if (high_registers(trace, &trace->insns[trace->writer]) != 0)
        trace->again = REM_AGAIN_STORE;
}

bool
rem_trace_place(RemTrace *trace)
{
    const uint16_t all = (1u << REM_T0) - 1;
    const uint16_t free = (uint16_t)~trace->used & all;
    uint16_t left = free;
    bool everything;

    trace->kept = REM_NO_REG;
    place_guests(trace, &left);
    for (unsigned i = 0; i < trace->count; i++)
        replace_registers(trace, &trace->insns[i].insn);
    drop_writers(trace);
    trace->frames = 0;
    place_frame(trace, X86_RSP);
    place_frame(trace, X86_RBP);
    place_groups(trace, &left);
    place_windows(trace, &left);
    if (trace->again == REM_AGAIN_KEPT && (trace->kept = (uint8_t)take(&left, false)) == REM_NO_REG)
        trace->again = REM_AGAIN_STORE;
    find_temporaries(trace, true);
    trace->lent = (free & (uint16_t)~left) | trace->frames | trace->moved;
    everything = true;
    for (unsigned i = 0; i < trace->group_count; i++)
        everything &= trace->groups[i].home != REM_NO_REG;
    if (!trace->temporaries && trace->held == 0 && !everything) {
        uint16_t more = 1u << REM_T0;

        place_groups(trace, &more);
    }
    return is_addressable(trace) && !(trace->held != 0 && trace->temporaries);
}
