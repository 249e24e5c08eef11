/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a turn of a trace does: which values registers have relative to its start, which operands
 * can be probed for before it, where the flags matter. Only instructions that the host executes as
 * the guest does are taken. */
#include "vmm/rem/rem-trace.h"

/* ---- the path ---- */
static bool
is_jcc(const RemInsn *insn)
{
    return (insn->op.map == 0 && insn->op.code >> 4 == 7) ||
           (insn->op.map == 1 && insn->op.code >> 4 == 8);
}

static bool
is_jmp(const RemInsn *insn)
{
    return insn->op.map == 0 && (insn->op.code == 0xe9 || insn->op.code == 0xeb);
}

static bool
is_possible(const RemTrace *trace, const RemInsn *insn)
{
    if (!rem_is_copy(insn) || !rem_can_rewrite(insn) || (insn->form & REM_FORM_LOCK))
        return false;
    if (insn->does & (REM_DOES_MMX | REM_DOES_DIVIDE))
        return false;
    if ((insn->op.map == 1 && insn->op.code == 0xae) || insn->row == ZYDIS_MNEMONIC_FLDCW)
        return false; /* MXCSR and the like */
    return !(insn->does & REM_DOES_VECTOR) || rem_vector_need(trace->mode, insn) != REM_VECTOR_NONE;
}

/* Does the instruction at `at` lead to `next`? */
static bool
follow(const RemTrace *trace, RemTraceInsn *step, unsigned next)
{
    const RemInsn *insn = &step->insn;
    const unsigned behind = step->at + insn->length;
    const int64_t target = (int64_t)behind + rem_insn_imm(insn);

    if (insn->opsize == rem_trace_width(trace) && is_jmp(insn)) {
        step->jump = true;
        return target == next;
    }
    if (insn->opsize == rem_trace_width(trace) && is_jcc(insn)) {
        step->branch = true;
        step->taken = next != behind;
        return !step->taken || target == next;
    }
    return next == behind && is_possible(trace, insn);
}

bool
rem_trace_decode(RemVcpu *rem, RemTrace *trace, const uint8_t *bytes, const uint16_t *path,
                 unsigned count)
{
    const X86CodeSize code = rem_trace_is_long64(trace) ? X86_CODE_64 : X86_CODE_32;

    if (count > REM_TRACE_INSNS)
        return false;
    trace->head = path[0];
    trace->count = count;
    trace->first = X86_PAGE_SIZE;
    trace->end = trace->vector = 0;
    for (unsigned i = 0; i < count; i++) {
        RemTraceInsn *step = &trace->insns[i];
        const unsigned left = X86_PAGE_SIZE - path[i];

        *step = (RemTraceInsn){.at = path[i], .group = REM_NO_GROUP};
        if (rem_insn_decode(&rem->decoder, code, rem->vcpu, bytes + path[i],
                            MIN(left, X86_INSN_MAX), &step->insn) != X86_DECODE_OK ||
            !follow(trace, step, path[(i + 1) % count]))
            return false;
        trace->first = MIN(trace->first, path[i]);
        trace->end = MAX(trace->end, path[i] + (unsigned)step->insn.length);
        trace->vector = MAX(trace->vector, (uint8_t)rem_vector_need(trace->mode, &step->insn));
    }
    return true;
}

/* ---- values of registers ---- */
static void
set(RemTrace *trace, unsigned reg, unsigned root, int64_t offset)
{
    if (root == REM_ROOT_ZERO && !rem_trace_is_long64(trace))
        offset = (uint32_t)offset;
    trace->value[reg] = (RemValue){(uint8_t)root, offset};
}

static void
set_unknown(RemTrace *trace, unsigned reg, unsigned origin)
{
    trace->origin[trace->next_root] = (uint16_t)origin;
    set(trace, reg, trace->next_root, 0);
    if (trace->next_root < REM_ROOT_UNKNOWN)
        trace->next_root++;
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

/* ADD or SUB of an immediate, INC, DEC: what the register grows by. */
static bool
is_step(const RemInsn *insn, unsigned *reg, int64_t *by)
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
    if (is_step(insn, &reg, &by)) {
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

static void
track_registers(RemTrace *trace)
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
        if (track_known(trace, step))
            continue;
        for (unsigned bits = step->insn.gpr_written; bits != 0; bits &= bits - 1)
            set_unknown(trace, (unsigned)__builtin_ctz(bits), i);
    }
    for (unsigned reg = 0; reg < X86_GPR_COUNT; reg++) {
        if (trace->value[reg].root == reg)
            trace->steady |= (uint16_t)(1u << reg);
        trace->step[reg] = trace->value[reg].offset;
    }
}

/* ---- operands ---- */
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
        ABS(stride_of(trace, step)) > REM_TRACE_STRIDE || ABS(step->base.offset) > INT32_MAX / 2 ||
        ABS(step->index.offset) > INT32_MAX / 16)
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
           mem->disp == (int32_t)mem->disp && (rem_trace_is_long64(trace) || !odd);
}

static bool
group_operands(const Vcpu *vcpu, RemTrace *trace)
{
    trace->group_count = 0;
    for (unsigned i = 0; i < trace->count; i++) {
        RemTraceInsn *step = &trace->insns[i];

        if (!(step->insn.does & REM_DOES_MEMORY))
            continue;
        if (!is_possible_operand(trace, &step->insn))
            return false;
        step->group = (uint8_t)choose_group(vcpu, trace, step);
        if (step->group != REM_NO_GROUP)
            join(&trace->groups[step->group], step);
    }
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
    *window = (RemTraceWindow){.group = load->group, .at = load->offset, .home = REM_NO_REG};
    return trace->window_count++;
}

static void
find_windows(RemTrace *trace)
{
    trace->window_count = 0;
    for (unsigned i = 0; i < trace->count; i++) {
        RemTraceInsn *step = &trace->insns[i];
        const unsigned root = step->base.root;
        const RemTraceInsn *load;
        const RemTraceGroup *group;

        step->window = REM_NO_WINDOW;
        if (!step->probes || root < REM_ROOT_FIRST || root == REM_ROOT_UNKNOWN ||
            step->insn.mem.align != 1 || !rem_trace_is_direct(trace, step))
            continue;
        load = &trace->insns[trace->origin[root]];
        group = rem_trace_group(trace, load);
        if (is_load(trace, &load->insn) && group != NULL && group->fixed)
            step->window = (uint8_t)window_for(trace, load);
        if (step->window != REM_NO_WINDOW)
            trace->windows[step->window].write |= step->insn.mem.written;
    }
}

/* ---- flags ---- */
/* Can control leave in front of the instruction? */
static bool
may_leave(RemTrace *trace, const RemTraceInsn *step)
{
    RemTraceGroup *group = rem_trace_group(trace, step);

    if (step->branch || step->probes)
        return true;
    if (group == NULL || group->hoisted || group->probed)
        return false;
    group->probed = true;
    return true;
}

RemAgain
rem_trace_again(const RemTrace *trace, const RemInsn *writer, int32_t *undo)
{
    unsigned reg;
    int64_t by;

    if (writer->does & (REM_DOES_MEMORY | REM_DOES_VECTOR))
        return REM_AGAIN_STORE;
    if (writer->gpr_written == 0 && writer->flags_set == X86_FL_STATUS && writer->flags_read == 0)
        return REM_AGAIN_REPEAT; /* CMP, TEST */
    if (is_step(writer, &reg, &by) && writer->opsize == rem_trace_width(trace) &&
        -by == (int32_t)-by) {
        *undo = (int32_t)-by;
        return REM_AGAIN_UNDO;
    }
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

        if (step->branch || step->insn.flags_read != 0 ||
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

        if (leaves[i] && !step->branch && step->flags_of == REM_NO_WRITER &&
            writer != REM_NO_WRITER)
            mark_remade(trace, leaves, writer, i);
        if (rem_insn_flags_written(&step->insn) != 0)
            writer = i;
        else if (leaves[i] && step->flags_of == REM_NO_WRITER && !step->branch)
            writer = REM_NO_WRITER; /* they are saved from here on */
    }
    trace->top = needed == 0 ? REM_TOP_LOST : REM_TOP_SAVED;
}

static RemAgain
way_to_flags(RemTrace *trace)
{
    int32_t undo;

    if (trace->top == REM_TOP_SAVED || !is_undisturbed(trace, trace->writer, trace->count))
        return REM_AGAIN_STORE;
    return rem_trace_again(trace, &trace->insns[trace->writer].insn, &undo);
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
        const bool shown = step->branch || step->probes || (group != NULL && !group->hoisted);

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
    track_registers(trace);
    if (!group_operands(vcpu, trace))
        return false;
    for (unsigned i = 0; i < trace->group_count; i++)
        trace->groups[i].probed = false;
    find_windows(trace);
    analyse_flags(trace);
    trace->again = way_to_flags(trace);
    analyse_x87(trace);
    return true;
}
