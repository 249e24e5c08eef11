/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PUSH, POP, LEAVE, near CALL and RET, JMP through a register or memory, on flat stacks of the
 * code's own width. 16-bit operands and stacks are IEM's. Nothing changes before the last possible
 * fault. Intel SDM volume 1 chapter 6, volume 2. */
#include "vmm/rem/rem-translate.h"

unsigned
rem_stack_word(const RemTranslator *t)
{
    const unsigned needed = REM_MODE_FLAT | REM_MODE_FLAT_CODE | REM_MODE_SS_B;

    if (t->mode & REM_MODE_SLOW_MEMORY)
        return 0;
    if (rem_is_long64(t))
        return t->insn->opsize == 8 ? 8 : 0;
    return (t->mode & needed) == needed && t->insn->opsize == 4 ? 4 : 0;
}

/* The temporary that a memory operand leaves free. */
static unsigned
free_temporary(const RemMem *mem)
{
    return mem->base == REM_T0 ? REM_T1 : REM_T0;
}

static void
add_to_stack(RemTranslator *t, unsigned size, int32_t bytes)
{
    rem_emit_lea(t->emit, size, X86_RSP, rem_mem(X86_RSP, bytes));
}

static void
probe_push(RemTranslator *t, unsigned size, RemMem *mem)
{
    rem_memory_stack(t, rem_mem(X86_RSP, -(int32_t)size), size, true, mem);
}

/* --- PUSH, POP, LEAVE --- */

/* FF /6: the operand is read, and kept while the stack is probed. */
static bool
push_memory(RemTranslator *t, unsigned size)
{
    const RemMem kept = rem_mem_hot(offsetof(RemHot, scratch) + 8);
    unsigned value;
    RemMem mem;

    if (!rem_memory_operand(t, &mem))
        return false;
    rem_emit_mov_rm(t->emit, size, REM_T0, mem);
    rem_emit_mov_mr(t->emit, size, kept, REM_T0);
    t->temps_busy = false;
    probe_push(t, size, &mem);
    value = free_temporary(&mem);
    rem_emit_mov_rm(t->emit, size, value, kept);
    rem_emit_mov_mr(t->emit, size, mem, value);
    add_to_stack(t, size, -(int32_t)size);
    return true;
}

static void
push_register(RemTranslator *t, unsigned size, unsigned reg)
{
    RemMem mem;

    probe_push(t, size, &mem);
    if (!rem_in_register(reg)) {
        const unsigned temp = free_temporary(&mem);

        rem_rewrite_load(t->emit, temp, reg);
        reg = temp;
    }
    rem_emit_mov_mr(t->emit, size, mem, reg);
    add_to_stack(t, size, -(int32_t)size);
}

bool
rem_translate_push(RemTranslator *t)
{
    const RemInsn *insn = t->insn;
    const unsigned size = rem_stack_word(t);
    RemMem mem;

    if (size == 0)
        return false;
    if (rem_names_segment(insn))
        return rem_push_segment(t, size);
    if (insn->op.map != 0)
        return false;
    if (insn->op.code == 0xff && (insn->form & REM_FORM_MEM))
        return push_memory(t, size);
    t->keeps_flags = true;
    if (insn->op.code == 0x68 || insn->op.code == 0x6a) {
        probe_push(t, size, &mem);
        rem_emit_mov_mi(t->emit, size, mem, (int32_t)rem_insn_imm(insn));
        add_to_stack(t, size, -(int32_t)size);
        return true;
    }
    if ((insn->op.code & 0xf8) != 0x50 && insn->op.code != 0xff)
        return false;
    push_register(t, size, insn->rm);
    return true;
}

bool
rem_translate_pop(RemTranslator *t)
{
    const RemInsn *insn = t->insn;
    const unsigned size = rem_stack_word(t);
    RemMem mem;

    if (size != 0 && rem_names_segment(insn))
        return rem_pop_segment(t, size);
    if (size == 0 || insn->op.map != 0 ||
        !((insn->op.code & 0xf8) == 0x58 ||
          (insn->op.code == 0x8f && !(insn->form & REM_FORM_MEM))))
        return false;
    t->keeps_flags = true;
    rem_memory_stack(t, rem_mem(X86_RSP, 0), size, false, &mem);
    if (rem_in_register(insn->rm)) {
        rem_emit_mov_rm(t->emit, size, insn->rm, mem);
    } else {
        rem_emit_mov_rm(t->emit, size, REM_T0, mem);
        rem_rewrite_store(t->emit, insn->rm, REM_T0);
    }
    if (insn->rm != X86_RSP)
        add_to_stack(t, size, (int32_t)size);
    return true;
}

bool
rem_translate_leave(RemTranslator *t)
{
    const unsigned size = rem_stack_word(t);
    unsigned value;
    RemMem mem;

    if (size == 0)
        return false;
    rem_memory_stack(t, rem_mem(X86_RBP, 0), size, false, &mem);
    value = free_temporary(&mem);
    rem_emit_mov_rm(t->emit, size, value, mem);
    rem_emit_lea(t->emit, size, X86_RSP, rem_mem(X86_RBP, (int32_t)size));
    rem_emit_mov_rr(t->emit, size, X86_RBP, value);
    return true;
}

/* --- CALL, JMP, RET --- */

/* The target of FF /2 and FF /4 into T0. */
static bool
load_target(RemTranslator *t, unsigned size)
{
    const RemInsn *insn = t->insn;
    RemMem mem;

    if (insn->form & REM_FORM_MEM) {
        if (!rem_memory_operand(t, &mem))
            return false;
        rem_emit_mov_rm(t->emit, size, REM_T0, mem);
        t->temps_busy = false;
    } else {
        rem_begin_retry(t);
        if (size == 8)
            rem_rewrite_load(t->emit, REM_T0, insn->rm);
        else
            rem_emit_mov_rr(t->emit, 4, REM_T0, insn->rm);
    }
    return true;
}

/* Keeps the target of a CALL; one that is not canonical is IEM's. */
static void
keep_target(RemTranslator *t, unsigned size)
{
    const unsigned unused = 64u - t->vcpu->linear_bits;
    RemSite *site;
    RemJump wrong;

    rem_emit_mov_mr(t->emit, 8, rem_mem_hot(offsetof(RemHot, target)), REM_T0);
    if (size == 4)
        return;
    site = rem_retry_site(t, rem_call_iem);
    rem_emit_mov_rr(t->emit, 8, REM_T1, REM_T0);
    rem_emit_shift_ri(t->emit, REM_SHL, 8, REM_T1, unused);
    rem_emit_shift_ri(t->emit, REM_SAR, 8, REM_T1, unused);
    rem_emit_alu_rr(t->emit, REM_CMP, 8, REM_T1, REM_T0);
    rem_flags_lost(t);
    wrong = rem_emit_jcc(t->emit, REM_CC_NZ, 4);
    rem_emit_bind_to(t->emit, wrong, rem_emit_offset(t->cold));
    rem_emit_leave(t, t->cold, site);
}

/* The present RET or JMP: should its target not be canonical, `bytes` are taken back from RSP, and
 * IEM executes it. */
static void
set_jump_site(RemTranslator *t, int32_t bytes)
{
    RemSite *site = rem_retry_site(t, rem_call_iem);

    site->target = bytes;
    rem_emit_mov_mi(t->emit, 4, rem_mem_hot(offsetof(RemHot, jump_site)),
                    (int32_t)(site - t->rem->sites));
}

bool
rem_translate_jmp_indirect(RemTranslator *t)
{
    const unsigned size = rem_is_long64(t) ? 8 : 4;

    if (!(t->mode & REM_MODE_FLAT_CODE) || (t->mode & REM_MODE_SLOW_MEMORY) ||
        t->insn->opsize != size || !load_target(t, size))
        return false;
    if (size == 8)
        set_jump_site(t, 0);
    rem_emit_goto_register(t);
    return true;
}

static void
push_next(RemTranslator *t, unsigned size)
{
    unsigned value;
    RemMem mem;

    probe_push(t, size, &mem);
    value = free_temporary(&mem);
    rem_emit_rip(t, t->emit, value, (int32_t)rem_next_offset(t));
    rem_emit_mov_mr(t->emit, size, mem, value);
    add_to_stack(t, size, -(int32_t)size);
    rem_flags_lost(t);
    rem_jump_note_return(t, value);
    t->temps_busy = false;
}

bool
rem_translate_call(RemTranslator *t)
{
    const RemInsn *insn = t->insn;
    const unsigned size = rem_stack_word(t);

    if (size == 0 || insn->op.map != 0)
        return false;
    if (insn->op.code == 0xff && (insn->reg & 7) == 2) {
        if (!load_target(t, size))
            return false;
        keep_target(t, size);
        push_next(t, size);
        rem_emit_mov_rm(t->emit, 8, REM_T0, rem_mem_hot(offsetof(RemHot, target)));
        rem_emit_goto_register(t);
        return true;
    }
    if (insn->op.code != 0xe8 || !rem_insn_is_near(insn))
        return false;
    push_next(t, size);
    t->index++; /* it has retired where the jump goes */
    rem_emit_goto(t, (int32_t)rem_next_offset(t) + (int32_t)rem_insn_imm(insn));
    t->index--;
    return true;
}

bool
rem_translate_ret(RemTranslator *t)
{
    const RemInsn *insn = t->insn;
    const unsigned size = rem_stack_word(t);
    int32_t bytes;
    RemMem mem;

    if (size == 0 || (insn->op.code != 0xc3 && insn->op.code != 0xc2))
        return false;
    bytes = (int32_t)size + (insn->imm_size != 0 ? (uint16_t)insn->imm : 0);
    rem_memory_stack(t, rem_mem(X86_RSP, 0), size, false, &mem);
    rem_emit_mov_rm(t->emit, size, REM_T0, mem);
    add_to_stack(t, size, bytes);
    if (size == 8)
        set_jump_site(t, bytes);
    rem_jump_return(t);
    return true;
}
