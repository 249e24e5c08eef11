/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The instructions of a trace: what they lead to, and which of them the host executes as the guest
 * does. Calls, returns and indirect jumps lead to where the recording went; the trace asks whether
 * they still do. Intel SDM volume 1 chapter 6, volume 2. */
#include "vmm/rem/rem-trace.h"

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

/* ---- the stack and indirect jumps ---- */
static void
set_stack_operand(RemInsn *insn, unsigned base, int64_t disp, unsigned size, bool written)
{
    insn->mem = (RemOperand){
        .disp = disp,
        .seg = X86_SS,
        .base = (uint8_t)base,
        .index = REM_NO_REG,
        .present = true,
        .read = !written,
        .written = written,
        .align = 1,
        .size = (uint16_t)size,
    };
    insn->addrsize = (uint8_t)size;
    insn->does |= REM_DOES_MEMORY;
}

/* FF /2, FF /4. */
static bool
follow_indirect(const RemTrace *trace, RemTraceInsn *step)
{
    RemInsn *insn = &step->insn;

    step->checks = true;
    if (!(insn->form & REM_FORM_MEM) && insn->rm == X86_RSP)
        return false;
    if ((insn->reg & 7) == 4) {
        step->kind = REM_TRACE_GOTO;
        return !(insn->form & REM_FORM_MEM) || (insn->does & REM_DOES_MEMORY);
    }
    step->kind = REM_TRACE_CALL;
    if ((insn->reg & 7) != 2 || (insn->form & REM_FORM_MEM))
        return false;
    set_stack_operand(insn, X86_RSP, -(int64_t)rem_trace_width(trace), rem_trace_width(trace),
                      true);
    return true;
}

/* PUSH and POP of registers and immediates, LEAVE. */
static bool
follow_stack(const RemTrace *trace, RemTraceInsn *step, int32_t behind)
{
    RemInsn *insn = &step->insn;
    const unsigned code = insn->op.code, width = rem_trace_width(trace);

    if (step->next != behind)
        return false;
    if (code == 0xc9) {
        step->kind = REM_TRACE_POP;
        set_stack_operand(insn, X86_RBP, 0, width, false);
        return true;
    }
    step->kind = (code & 0xf8) == 0x58 ? REM_TRACE_POP : REM_TRACE_PUSH;
    set_stack_operand(insn, X86_RSP, step->kind == REM_TRACE_PUSH ? -(int64_t)width : 0, width,
                      step->kind == REM_TRACE_PUSH);
    return code == 0x68 || code == 0x6a || insn->rm != X86_RSP;
}

static bool
is_stack(const RemInsn *insn)
{
    const unsigned code = insn->op.code;

    return (code & 0xf0) == 0x50 || code == 0x68 || code == 0x6a || code == 0xc9;
}

/* Those of the code's own width, on a flat stack. */
static bool
follow_flow(const RemTrace *trace, RemTraceInsn *step, int32_t behind)
{
    RemInsn *insn = &step->insn;
    const unsigned width = rem_trace_width(trace);

    if (insn->op.map != 0 || insn->opsize != width || !(insn->form & REM_FORM_LEGACY) ||
        !(rem_trace_is_long64(trace) || (trace->mode & REM_MODE_SS_B)))
        return false;
    if (is_stack(insn))
        return follow_stack(trace, step, behind);
    switch (insn->op.code) {
    case 0xe8:
        step->kind = REM_TRACE_CALL;
        set_stack_operand(insn, X86_RSP, -(int64_t)width, width, true);
        return behind + rem_insn_imm(insn) == step->next;
    case 0xc2:
    case 0xc3:
        step->kind = REM_TRACE_RET;
        step->checks = true;
        set_stack_operand(insn, X86_RSP, 0, width, false);
        return true;
    case 0xff: return follow_indirect(trace, step);
    default: return false;
    }
}

/* ---- one after the other ---- */
static bool
is_flow(const RemInsn *insn)
{
    const unsigned code = insn->op.code;

    return insn->op.map == 0 && (is_stack(insn) || code == 0xe8 || code == 0xc2 || code == 0xc3 ||
                                 (code == 0xff && ((insn->reg & 7) == 2 || (insn->reg & 7) == 4)));
}

/* Does it lead to step->next? */
static bool
follow(const RemTrace *trace, RemTraceInsn *step)
{
    const RemInsn *insn = &step->insn;
    const int32_t behind = step->at + insn->length;
    const int64_t target = behind + rem_insn_imm(insn);

    if (insn->opsize == rem_trace_width(trace) && is_jmp(insn)) {
        step->kind = REM_TRACE_JUMP;
        return target == step->next;
    }
    if (insn->opsize == rem_trace_width(trace) && is_jcc(insn)) {
        step->kind = REM_TRACE_BRANCH;
        step->taken = step->next != behind;
        return !step->taken || target == step->next;
    }
    if (is_flow(insn))
        return follow_flow(trace, step, behind);
    return step->next == behind && is_possible(trace, insn);
}

static RemTracePage *
page_of(RemTrace *trace, int32_t at)
{
    for (unsigned i = 0; i < trace->page_count; i++)
        if (trace->pages[i].base == (at & -(int32_t)X86_PAGE_SIZE))
            return &trace->pages[i];
    return NULL;
}

/* The bytes at that offset, as many as are known of an instruction; `behind` is the page in which
 * it may end. */
static unsigned
fetch(const RemTracePage *page, const RemTracePage *behind, unsigned offset,
      uint8_t bytes[X86_INSN_MAX])
{
    const unsigned left = MIN(X86_PAGE_SIZE - offset, X86_INSN_MAX);

    memcpy(bytes, page->bytes + offset, left);
    if (behind == NULL)
        return left;
    memcpy(bytes + left, behind->bytes, X86_INSN_MAX - left);
    return X86_INSN_MAX;
}

static void
note_bytes(RemTracePage *page, unsigned first, unsigned end)
{
    page->first = (uint16_t)MIN(page->first, first);
    page->end = (uint16_t)MAX(page->end, end);
}

static bool
decode_insn(RemVcpu *rem, RemTrace *trace, RemTraceInsn *step)
{
    const X86CodeSize code = rem_trace_is_long64(trace) ? X86_CODE_64 : X86_CODE_32;
    const unsigned offset = (unsigned)step->at & X86_PAGE_OFFSET_MASK;
    RemTracePage *page = page_of(trace, step->at);
    RemTracePage *behind = page_of(trace, step->at + (int32_t)X86_PAGE_SIZE);
    uint8_t bytes[X86_INSN_MAX];
    unsigned end;

    if (page == NULL ||
        rem_insn_decode(&rem->decoder, code, rem->vcpu, bytes, fetch(page, behind, offset, bytes),
                        &step->insn) != X86_DECODE_OK)
        return false;
    end = offset + step->insn.length;
    note_bytes(page, offset, MIN(end, X86_PAGE_SIZE));
    if (end > X86_PAGE_SIZE)
        note_bytes(behind, 0, end - (unsigned)X86_PAGE_SIZE);
    /* What is noted for them is an offset in the head's page. */
    return !rem_x87_changes_pointers(&step->insn) || page->base == 0;
}

bool
rem_trace_decode(RemVcpu *rem, RemTrace *trace, const int32_t *path, unsigned count)
{
    if (count > REM_TRACE_INSNS)
        return false;
    trace->head = (uint64_t)path[0];
    trace->count = count;
    trace->vector = 0;
    for (unsigned i = 0; i < trace->page_count; i++) {
        trace->pages[i].first = X86_PAGE_SIZE;
        trace->pages[i].end = 0;
    }
    for (unsigned i = 0; i < count; i++) {
        RemTraceInsn *step = &trace->insns[i];

        *step = (RemTraceInsn){
            .at = path[i],
            .next = path[(i + 1) % count],
            .group = REM_NO_GROUP,
        };
        if (!decode_insn(rem, trace, step) || !follow(trace, step))
            return false;
        trace->vector = MAX(trace->vector, (uint8_t)rem_vector_need(trace->mode, &step->insn));
    }
    return true;
}
