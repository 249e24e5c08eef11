/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where blocks go: direct jumps are links that are patched once the target is known; those to
 * another page, and all others, are in rem-jump.c. Branches of code that is not flat, or whose RIP
 * has 16 bits, are IEM's. Intel SDM volume 2 (Jcc, JMP, CALL, RET). */
#include "vmm/rem/rem-translate.h"

static bool
is_in_page(int32_t target)
{
    return target >= 0 && target < (int32_t)X86_PAGE_SIZE;
}

/* --- going there --- */

/* The jump at `jump` (in the hot part) leads to the block at that offset in the page, as soon as it
 * is known. */
static void
emit_link(RemTranslator *t, RemJump jump, int32_t target)
{
    RemSite *site = rem_new_site(t, rem_call_link);

    site->undone = (uint8_t)(t->counted - t->index);
    site->target = target;
    site->link = jump.at;
    site->cell = 0;
    site->flags = t->flags == REM_FLAGS_HOST ? 0 : REM_SITE_FLAGS_SAVED;
    rem_emit_bind_to(t->emit, jump, rem_emit_offset(t->cold));
    if (t->flags == REM_FLAGS_HOST)
        rem_emit_store_flags(t->cold);
    rem_emit_leave(t, t->cold, site);
}

void
rem_emit_rip(RemTranslator *t, RemEmit *emit, unsigned to, int32_t target)
{
    rem_emit_mov_rm(emit, 8, to, rem_mem_hot(offsetof(RemHot, rip_base)));
    rem_emit_lea(emit, rem_is_long64(t) ? 8 : 4, to, rem_mem(to, target));
}

void
rem_emit_goto_in_mode(RemTranslator *t, unsigned mode)
{
    rem_emit_jmp_to(t->emit, t->rem->lookup[REM_LOOKUP_DIRECT][(mode & REM_MODE_TLB) >> 5]);
    t->ended = true;
}

void
rem_emit_goto(RemTranslator *t, int32_t target)
{
    if (!(t->mode & REM_MODE_FLAT_CODE)) {
        RemSite *site;

        rem_save_flags(t);
        site = rem_new_site(t, rem_call_jump);
        site->undone = (uint8_t)(t->counted - t->index);
        site->target = target;
        rem_emit_leave(t, t->emit, site);
    } else if (is_in_page(target)) {
        emit_link(t, rem_emit_jmp(t->emit, 4), target);
    } else {
        rem_save_flags(t);
        rem_jump_far(t, t->emit, target);
    }
    t->ended = true;
}

/* --- branches --- */

/* Near branches whose RIP has the code's full size, and whose distance from the page fits 32 bits.
 */
static bool
is_whole(const RemTranslator *t, const RemInsn *insn)
{
    return (t->mode & REM_MODE_FLAT_CODE) && insn->opsize == (rem_is_long64(t) ? 8 : 4) &&
           rem_insn_is_near(insn);
}

static bool
is_jcc(const RemInsn *insn)
{
    return (insn->op.map == 0 && insn->op.code >> 4 == 7) ||
           (insn->op.map == 1 && insn->op.code >> 4 == 8);
}

bool
rem_is_side_exit(const RemTranslator *t, const RemInsn *insn)
{
    return insn->length != 0 && is_jcc(insn) && is_whole(t, insn);
}

static int32_t
target_of(const RemTranslator *t)
{
    return (int32_t)rem_next_offset(t) + (int32_t)rem_insn_imm(t->insn);
}

bool
rem_translate_jcc(RemTranslator *t)
{
    const RemCondition cc = (RemCondition)(t->insn->op.code & 15);
    const int32_t target = target_of(t);
    RemJump jump;

    if (!t->side_exit[t->index])
        return false;
    rem_restore_flags(t);
    jump = rem_emit_jcc(t->emit, cc, 4);
    t->index++; /* it has retired where the jump goes */
    if (is_in_page(target)) {
        emit_link(t, jump, target);
    } else {
        rem_emit_bind_to(t->emit, jump, rem_emit_offset(t->cold));
        if (t->flags == REM_FLAGS_HOST)
            rem_emit_store_flags(t->cold);
        rem_jump_far(t, t->cold, target);
    }
    t->index--;
    return true;
}

bool
rem_translate_jmp(RemTranslator *t)
{
    const RemInsn *insn = t->insn;

    if (insn->op.map == 0 && insn->op.code == 0xff && (insn->reg & 7) == 4)
        return rem_translate_jmp_indirect(t);
    if (!is_whole(t, insn) || insn->op.map != 0 || (insn->op.code != 0xe9 && insn->op.code != 0xeb))
        return false;
    t->index++;
    rem_emit_goto(t, target_of(t));
    t->index--;
    return true;
}

/* --- branches on RCX --- */

/* Ends the block; flags are saved and the host's decide. */
static void
goto_if(RemTranslator *t, RemCondition cc)
{
    const RemJump other = rem_emit_jcc(t->emit, cc ^ 1, 4);

    t->index++;
    rem_emit_goto(t, target_of(t));
    rem_emit_bind(t->emit, other);
    rem_emit_goto(t, (int32_t)rem_next_offset(t));
    t->index--;
}

static bool
counts_whole(const RemTranslator *t)
{
    return is_whole(t, t->insn) && t->insn->addrsize == (rem_is_long64(t) ? 8 : 4);
}

bool
rem_translate_jcxz(RemTranslator *t)
{
    if (!counts_whole(t))
        return false;
    rem_save_flags(t);
    rem_emit_test_rr(t->emit, t->insn->addrsize, X86_RCX, X86_RCX);
    rem_flags_lost(t);
    goto_if(t, REM_CC_Z);
    return true;
}

bool
rem_translate_loop(RemTranslator *t)
{
    const unsigned size = t->insn->addrsize;

    if (!counts_whole(t))
        return false;
    rem_save_flags(t);
    rem_emit_lea(t->emit, size, X86_RCX, rem_mem(X86_RCX, -1));
    rem_emit_test_rr(t->emit, size, X86_RCX, X86_RCX);
    rem_flags_lost(t);
    goto_if(t, REM_CC_NZ);
    return true;
}
