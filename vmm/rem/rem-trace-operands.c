/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which operands of a trace share a probe, and which of the probes can be made before the turns. */
#include "vmm/rem/rem-trace.h"

/* The linear address as registers are at this turn's start. */
static uint64_t
address_now(const Vcpu *vcpu, const RemTrace *trace, const RemTraceInsn *step)
{
    uint64_t address = (uint64_t)step->offset;

    if (step->base.root < REM_ROOT_ZERO)
        address += vcpu->gpr[step->base.root];
    else if (step->base.root == REM_ROOT_RIP)
        address += vcpu->rip - trace->head;
    if (step->index.root < REM_ROOT_ZERO)
        address += vcpu->gpr[step->index.root] << step->insn.mem.scale;
    return rem_trace_is_long64(trace) ? address : (uint32_t)address;
}

static int64_t
stride_of(const RemTrace *trace, const RemTraceInsn *step)
{
    return rem_trace_step(trace, step->base.root) +
           rem_trace_step(trace, step->index.root) * (1 << step->insn.mem.scale);
}

/* Outside of 64-bit code a register that moves must not wrap: the guard allows for two pages. */
static bool
is_near(const RemTrace *trace, const RemValue *value)
{
    return rem_trace_is_long64(trace) || value->root >= REM_ROOT_ZERO ||
           ABS(value->offset) <= X86_PAGE_SIZE / 2;
}

static bool
can_hoist(const RemTrace *trace, const RemTraceInsn *step)
{
    const bool moves =
        rem_trace_step(trace, step->base.root) != 0 || rem_trace_step(trace, step->index.root) != 0;

    if (!rem_trace_is_steady(trace, step->base.root) ||
        !rem_trace_is_steady(trace, step->index.root) ||
        ABS(stride_of(trace, step)) > REM_TRACE_STRIDE || ABS(step->base.offset) > REM_REACH / 2 ||
        ABS(step->index.offset) > REM_REACH / 2)
        return false;
    if (!moves && step->index.root == REM_ROOT_ZERO)
        return true;
    if (!rem_trace_is_long64(trace) && rem_trace_step(trace, step->base.root) != 0 &&
        rem_trace_step(trace, step->index.root) != 0)
        return false; /* either may wrap while the sum stays in its page */
    return is_near(trace, &step->base) && is_near(trace, &step->index);
}

static bool
fits_group(const RemTraceGroup *group, const RemTraceInsn *step, bool hoisted)
{
    const RemOperand *mem = &step->insn.mem;

    if (group->base != step->base.root || group->index != step->index.root ||
        (group->index != REM_ROOT_ZERO && group->scale != mem->scale) || group->hoisted != hoisted)
        return false;
    if (MAX(group->high, step->offset + mem->size) - MIN(group->low, step->offset) > REM_TRACE_SPAN)
        return false;
    return mem->align == 1 || group->align == 1 ||
           (group->align == mem->align && group->phase == (step->offset & (mem->align - 1)));
}

/* Operands that stay where they are, and are in different pages now, are not one group. */
static bool
is_same_page(const Vcpu *vcpu, const RemTrace *trace, const RemTraceGroup *group,
             const RemTraceInsn *step)
{
    RemTraceInsn low = *step;

    if (!group->fixed)
        return true;
    low.offset = group->low;
    return address_now(vcpu, trace, &low) >> X86_PAGE_SHIFT ==
           address_now(vcpu, trace, step) >> X86_PAGE_SHIFT;
}

static unsigned
group_for(const Vcpu *vcpu, RemTrace *trace, const RemTraceInsn *step, bool hoisted)
{
    RemTraceGroup *group;

    for (unsigned i = 0; i < trace->group_count; i++)
        if (fits_group(&trace->groups[i], step, hoisted) &&
            is_same_page(vcpu, trace, &trace->groups[i], step))
            return i;
    if (trace->group_count == REM_TRACE_GROUPS)
        return REM_NO_GROUP;
    group = &trace->groups[trace->group_count];
    *group = (RemTraceGroup){
        .base = step->base.root,
        .index = step->index.root,
        .scale = step->insn.mem.scale,
        .hoisted = hoisted,
        .fixed = hoisted && rem_trace_step(trace, step->base.root) == 0 &&
                 step->index.root == REM_ROOT_ZERO,
        .align = 1,
        .low = step->offset,
        .high = step->offset,
        .stride = hoisted ? stride_of(trace, step) : 0,
        .home = REM_NO_REG,
    };
    return trace->group_count++;
}

static void
join(RemTraceGroup *group, const RemTraceInsn *step)
{
    const RemOperand *mem = &step->insn.mem;

    group->low = MIN(group->low, step->offset);
    group->high = MAX(group->high, step->offset + mem->size);
    group->write |= mem->written;
    group->accesses++;
    if (mem->align > 1) {
        group->align = mem->align;
        group->phase = (uint8_t)(step->offset & (mem->align - 1));
    }
}

static bool
crosses_page(const Vcpu *vcpu, const RemTrace *trace, const RemTraceInsn *step)
{
    return (address_now(vcpu, trace, step) & X86_PAGE_OFFSET_MASK) + step->insn.mem.size >
           X86_PAGE_SIZE;
}

static unsigned
choose_group(const Vcpu *vcpu, RemTrace *trace, const RemTraceInsn *step)
{
    const RemOperand *mem = &step->insn.mem;
    const bool hoisted = can_hoist(trace, step);
    const bool segment = mem->seg == X86_FS || mem->seg == X86_GS;

    if (segment || step->insn.addrsize != rem_trace_width(trace) ||
        step->offset != (int32_t)step->offset)
        return REM_NO_GROUP;
    if (!hoisted && (step->index.root != REM_ROOT_ZERO || mem->align > 1 ||
                     step->base.root == REM_ROOT_UNKNOWN))
        return REM_NO_GROUP;
    if (hoisted && mem->align > 1 && stride_of(trace, step) % mem->align != 0)
        return REM_NO_GROUP;
    if (hoisted && stride_of(trace, step) == 0 && crosses_page(vcpu, trace, step))
        return REM_NO_GROUP;
    return group_for(vcpu, trace, step, hoisted);
}

static bool
is_possible_operand(const RemTrace *trace, const RemInsn *insn)
{
    const RemOperand *mem = &insn->mem;
    const bool odd = mem->seg == X86_FS || mem->seg == X86_GS || mem->seg == X86_CS;

    return mem->present && !mem->vsib && mem->size > 0 && mem->size <= 64 &&
           rem_operand_is_near(mem) && (rem_trace_is_long64(trace) || !odd);
}

/* The stack has to be known before the turn, and its pointer is not in its register meanwhile. */
static bool
has_its_stack(RemTrace *trace, const RemTraceInsn *step)
{
    const RemTraceGroup *group = rem_trace_group(trace, step);

    if (rem_trace_is_stack(step))
        return group != NULL && group->hoisted && group->fixed;
    return !(trace->written >> X86_RSP & 1) || step->insn.mem.base != X86_RSP || group == NULL ||
           group->hoisted;
}

static void
give_groups(const Vcpu *vcpu, RemTrace *trace, bool hoisted)
{
    for (unsigned i = 0; i < trace->count; i++) {
        RemTraceInsn *step = &trace->insns[i];

        if (!(step->insn.does & REM_DOES_MEMORY) || can_hoist(trace, step) != hoisted)
            continue;
        step->group = (uint8_t)choose_group(vcpu, trace, step);
        if (step->group != REM_NO_GROUP)
            join(&trace->groups[step->group], step);
    }
}

bool
rem_trace_group_operands(const Vcpu *vcpu, RemTrace *trace)
{
    trace->group_count = 0;
    for (unsigned i = 0; i < trace->count; i++)
        if ((trace->insns[i].insn.does & REM_DOES_MEMORY) &&
            !is_possible_operand(trace, &trace->insns[i].insn))
            return false;
    give_groups(vcpu, trace, true); /* they gain most */
    give_groups(vcpu, trace, false);
    for (unsigned i = 0; i < trace->count; i++)
        if ((trace->insns[i].insn.does & REM_DOES_MEMORY) &&
            !has_its_stack(trace, &trace->insns[i]))
            return false;
    for (unsigned i = 0; i < trace->count; i++) {
        RemTraceInsn *step = &trace->insns[i];
        const RemTraceGroup *group = rem_trace_group(trace, step);

        if (step->insn.does & REM_DOES_MEMORY)
            step->probes = group == NULL || (!group->hoisted && group->accesses == 1);
    }
    return true;
}

/* ---- pages that pointers in memory lead to ---- */
static bool
is_load(const RemTrace *trace, const RemInsn *insn)
{
    return insn->op.map == 0 && insn->op.code == 0x8b && (insn->form & REM_FORM_MEM) &&
           insn->opsize == rem_trace_width(trace);
}

static unsigned
window_for(RemTrace *trace, const RemTraceInsn *load)
{
    RemTraceWindow *window;

    for (unsigned i = 0; i < trace->window_count; i++)
        if (trace->windows[i].group == load->group && trace->windows[i].at == load->offset)
            return i;
    if (trace->window_count == REM_TRACE_WINDOWS)
        return REM_NO_WINDOW;
    window = &trace->windows[trace->window_count];
    *window = (RemTraceWindow){
        .group = load->group,
        .at = load->offset,
        .home = REM_NO_REG,
        .anchor = REM_NO_REG,
        .first = REM_NO_WRITER,
    };
    return trace->window_count++;
}

/* Does an instruction of [from, to) write what `load` loads, as far as is known here? What is not
 * known comes out when the pointers are compared. */
static bool
is_written(const RemTrace *trace, const RemTraceInsn *load, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        const RemTraceInsn *step = &trace->insns[i];

        if ((step->insn.does & REM_DOES_MEMORY) && step->insn.mem.written &&
            step->base.root == load->base.root && step->index.root == REM_ROOT_ZERO &&
            step->offset < load->offset + load->insn.mem.size &&
            load->offset < step->offset + step->insn.mem.size)
            return true;
    }
    return false;
}

/* Has an operand of the same loaded pointer been looked for in front of instruction i? */
static bool
is_looked_for(const RemTrace *trace, unsigned i)
{
    for (unsigned k = 0; k < i; k++)
        if (trace->insns[k].window == trace->insns[i].window &&
            trace->insns[k].look != REM_LOOK_EACH &&
            trace->insns[k].base.root == trace->insns[i].base.root)
            return true;
    return false;
}

/* Operands by the pointer itself, in one of the registers that are the host's too, share one look
 * as long as the same pointer is loaded. */
static RemLook
look_for(RemTrace *trace, unsigned i)
{
    const RemTraceInsn *step = &trace->insns[i];
    const RemOperand *mem = &step->insn.mem;
    RemTraceWindow *window = &trace->windows[step->window];
    const unsigned loaded = trace->origin[step->base.root];
    const int64_t low = MIN(window->low, mem->disp),
                  high = MAX(window->high, mem->disp + mem->size);

    if (step->base.offset != 0 || mem->base >= REM_T0 ||
        (window->first != REM_NO_WRITER && high - low > REM_TRACE_SPAN))
        return REM_LOOK_EACH;
    if (window->first == REM_NO_WRITER) {
        window->first = (uint16_t)loaded;
        window->low = mem->disp;
        window->high = mem->disp + mem->size;
        return REM_LOOK_FIRST;
    }
    if (is_written(trace, &trace->insns[loaded], window->first, loaded))
        return REM_LOOK_EACH;
    window->low = low;
    window->high = high;
    if (is_looked_for(trace, i))
        return REM_LOOK_DONE;
    window->again = true;
    return REM_LOOK_SAME;
}

void
rem_trace_find_windows(RemTrace *trace)
{
    trace->window_count = 0;
    for (unsigned i = 0; i < trace->count; i++) {
        RemTraceInsn *step = &trace->insns[i];
        const unsigned root = step->base.root;
        const RemTraceInsn *load;
        const RemTraceGroup *group;

        step->window = REM_NO_WINDOW;
        step->look = REM_LOOK_EACH;
        if (!step->probes || root < REM_ROOT_FIRST || root == REM_ROOT_UNKNOWN ||
            step->insn.mem.align != 1 || !rem_trace_is_direct(trace, step))
            continue;
        load = &trace->insns[trace->origin[root]];
        group = rem_trace_group(trace, load);
        if (is_load(trace, &load->insn) && group != NULL && group->fixed)
            step->window = (uint8_t)window_for(trace, load);
        if (step->window == REM_NO_WINDOW)
            continue;
        trace->windows[step->window].write |= step->insn.mem.written;
        step->look = (uint8_t)look_for(trace, i);
    }
}
