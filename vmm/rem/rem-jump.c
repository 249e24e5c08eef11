/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Jumps that leave the page, as code in translated code:
 *  - Indirect ones look their target up inline: the TLB tells the host address, a hash the block.
 *    Each site has a copy of its own, so that the host predicts each on its own.
 *  - Direct ones ask the TLB whether the target's page is still where the block is that they are
 *    linked to, and jump there.
 *  - CALL notes where its RET comes back to, in a ring; RET goes there if it is the same address.
 * What is noted holds while no entry of the TLB is dropped (rem_returns_check()). Intel SDM volume
 * 3A section 4.10: until then a CPU may use what it has cached. */
#include "vmm/rem/rem-translate.h"

#define INDEX_SHIFT (X86_PAGE_SHIFT - 5)
_Static_assert(sizeof(CpumTlbEntry) == 32, "the shift of an index");
#define HASH_SHIFT 10

static RemMem
exec_field(unsigned kind, size_t field)
{
    RemMem mem = rem_mem_vcpu(offsetof(Vcpu, tlb) + kind * sizeof(CpumTlb) + field);

    mem.base = REM_T1;
    return mem;
}

static unsigned
kind_of(const RemTranslator *t)
{
    return (t->mode & REM_MODE_TLB) >> 5;
}

/* T0 is cut to its page and compared to the page that the entry at T1 is of. */
static RemJump
emit_page_probe(RemEmit *emit, unsigned kind)
{
    rem_emit_mov_rr(emit, 4, REM_T1, REM_T0);
    rem_emit_shift_ri(emit, REM_SHR, 4, REM_T1, INDEX_SHIFT);
    rem_emit_alu_ri(emit, REM_AND, 4, REM_T1, (CPUM_TLB_ENTRIES - 1) << 5);
    rem_emit_alu_ri(emit, REM_AND, 8, REM_T0, -(int32_t)X86_PAGE_SIZE);
    rem_emit_alu_rm(emit, REM_CMP, 8, REM_T0, exec_field(kind, offsetof(CpumTlbEntry, tag_exec)));
    return rem_emit_jcc(emit, REM_CC_NZ, 4);
}

void
rem_jump_second_page(RemTranslator *t, const RemSite *missing)
{
    RemEmit *emit = t->emit;
    RemJump absent, other;

    rem_emit_rip(t, emit, REM_T0, X86_PAGE_SIZE);
    absent = emit_page_probe(emit, kind_of(t));
    rem_emit_alu_rm(emit, REM_ADD, 8, REM_T0,
                    exec_field(kind_of(t), offsetof(CpumTlbEntry, addend)));
    rem_emit_mov_ri(emit, REM_T1, (uint64_t)(uintptr_t)t->block->second);
    rem_emit_alu_rr(emit, REM_CMP, 8, REM_T0, REM_T1);
    other = rem_emit_jcc(emit, REM_CC_NZ, 4);
    rem_emit_bind_to(emit, absent, rem_emit_offset(t->cold));
    rem_emit_bind_to(emit, other, rem_emit_offset(t->cold));
    rem_emit_leave(t, t->cold, missing);
}

/* ---- indirect ---- */

/* The hash of the host address in T0 into T1: what RemTarget is found by. */
static void
emit_hash(RemEmit *emit)
{
    rem_emit_mov_rr(emit, 4, REM_T1, REM_T0);
    rem_emit_shift_ri(emit, REM_SHR, 4, REM_T1, HASH_SHIFT);
    rem_emit_alu_rr(emit, REM_XOR, 4, REM_T1, REM_T0);
    rem_emit_movzx_rr(emit, 2, REM_T1, REM_T1);
    rem_emit_shift_ri(emit, REM_SHL, 4, REM_T1, 4);
}

RemTarget *
rem_jump_target(const RemVcpu *rem, const uint8_t *host)
{
    const uint32_t low = (uint32_t)(uintptr_t)host;

    return &rem->jumps[(uint16_t)(low ^ low >> HASH_SHIFT)];
}

void
rem_jump_emit_lookup(RemEmit *emit, RemEmit *cold, unsigned kind, uint32_t site)
{
    RemJump no_page, no_block;

    rem_emit_mov_mr(emit, 8, rem_mem_hot(offsetof(RemHot, target)), REM_T0);
    no_page = emit_page_probe(emit, kind);
    rem_emit_mov_mr(emit, 8, rem_mem_hot(offsetof(RemHot, rip_base)), REM_T0);
    rem_emit_mov_rm(emit, 8, REM_T0, rem_mem_hot(offsetof(RemHot, target)));
    rem_emit_alu_rm(emit, REM_ADD, 8, REM_T0, exec_field(kind, offsetof(CpumTlbEntry, addend)));
    emit_hash(emit);
    rem_emit_alu_rm(emit, REM_ADD, 8, REM_T1, rem_mem_hot(offsetof(RemHot, jumps)));
    rem_emit_alu_rm(emit, REM_XOR, 8, REM_T0, rem_mem_hot(offsetof(RemHot, mode_tag)));
    rem_emit_alu_rm(emit, REM_CMP, 8, REM_T0, rem_mem(REM_T1, offsetof(RemTarget, key)));
    no_block = rem_emit_jcc(emit, REM_CC_NZ, 4);
    rem_emit_jmp_m(emit, rem_mem(REM_T1, offsetof(RemTarget, code)));
    rem_emit_bind_to(emit, no_page, rem_emit_offset(cold));
    rem_emit_bind_to(emit, no_block, rem_emit_offset(cold));
    rem_emit_mov_ri(cold, REM_T0, site);
    rem_emit_jmp_m(cold, rem_mem_hot(offsetof(RemHot, leave)));
}

void
rem_emit_goto_register(RemTranslator *t)
{
    rem_jump_emit_lookup(t->emit, t->cold, kind_of(t), REM_SITE_INDIRECT);
    t->ended = true;
}

/* ---- direct ---- */

/* 8 bytes of zero, out of line. */
static uint32_t
emit_cell(RemTranslator *t)
{
    uint32_t cell;

    rem_emit_align(t->cold, 8);
    cell = rem_emit_offset(t->cold);
    rem_emit_imm(t->cold, 0, 8);
    return cell;
}

/* The target's page is not the one that the jump was linked to, or was not yet: C looks. One that
 * is linked stays so, and looks its target up. */
static void
emit_unlinked(RemTranslator *t, uint32_t cell, RemSite *site)
{
    RemJump first;

    rem_emit_bind_to(t->cold, rem_emit_lea_here(t->cold, REM_T1), cell);
    rem_emit_alu_mi(t->cold, REM_CMP, 8, rem_mem(REM_T1, 0), 0);
    first = rem_emit_jcc(t->cold, REM_CC_Z, 4);
    rem_emit_mov_rm(t->cold, 8, REM_T0, rem_mem_hot(offsetof(RemHot, rip_base)));
    rem_emit_lea(t->cold, 8, REM_T0, rem_mem(REM_T0, site->target));
    rem_emit_jmp_to(t->cold, t->rem->lookup[REM_LOOKUP_DIRECT][kind_of(t)]);
    rem_emit_bind(t->cold, first);
    rem_emit_leave(t, t->cold, site);
}

void
rem_jump_far(RemTranslator *t, RemEmit *emit, int32_t target)
{
    const int32_t page = target & -(int32_t)X86_PAGE_SIZE;
    RemSite *site = rem_new_site(t, rem_call_link);
    RemJump absent, operand, other, link;
    uint32_t cell;

    rem_emit_rip(t, emit, REM_T0, page);
    absent = emit_page_probe(emit, kind_of(t));
    rem_emit_mov_mr(emit, 8, rem_mem_hot(offsetof(RemHot, rip_base)), REM_T0);
    rem_emit_alu_rm(emit, REM_ADD, 8, REM_T0,
                    exec_field(kind_of(t), offsetof(CpumTlbEntry, addend)));
    operand = rem_emit_cmp_here(emit, REM_T0);
    other = rem_emit_jcc(emit, REM_CC_NZ, 4);
    link = rem_emit_jmp(emit, 4);
    cell = emit_cell(t);
    rem_emit_bind_to(emit, operand, cell);
    site->undone = (uint8_t)(t->counted - t->index);
    site->target = target - page;
    site->link = link.at;
    site->cell = cell;
    site->flags = REM_SITE_FLAGS_SAVED;
    rem_emit_bind_to(emit, absent, rem_emit_offset(t->cold));
    rem_emit_mov_mr(t->cold, 8, rem_mem_hot(offsetof(RemHot, rip_base)), REM_T0);
    rem_emit_bind_to(emit, other, rem_emit_offset(t->cold));
    rem_emit_bind_to(emit, link, rem_emit_offset(t->cold));
    emit_unlinked(t, cell, site);
}

/* ---- CALL and RET ---- */
/* Rings are of the user's and of the supervisor's code; SMAP does not matter to fetches, so that
 * both kinds of TLB of the supervisor's tell the same of code. */
_Static_assert(REM_RETURNS * 8 == 256, "a byte wraps where the ring does");

static size_t
ring_of(const RemTranslator *t)
{
    return offsetof(RemHot, returns) + (kind_of(t) == CPUM_TLB_USER ? 0 : sizeof(RemReturns));
}

static RemMem
ring_entry(const RemTranslator *t, size_t field, unsigned index)
{
    RemMem mem = rem_mem_hot(ring_of(t) + field);

    mem.base = (uint8_t)index;
    return mem;
}

/* Where the RET comes back to, with its RIP in T0 and the flags saved. */
static void
emit_landing(RemTranslator *t)
{
    const int32_t offset = (int32_t)rem_next_offset(t);
    RemEmit *const hot = t->emit, *const cold = t->cold;
    const RemFlagsPlace flags = t->flags;
    const bool ended = t->ended;
    const uint32_t mode = t->mode & ~(uint32_t)REM_MODE_NO_SHARE;
    RemJump other;

    rem_emit_alu_mi(cold, REM_CMP, 4, rem_mem_hot(offsetof(RemHot, mode_tag) + 4),
                    (int32_t)(mode << 16));
    other = rem_emit_jcc(cold, REM_CC_NZ, 4);
    if (offset < (int32_t)X86_PAGE_SIZE) {
        rem_emit_lea(cold, rem_is_long64(t) ? 8 : 4, REM_T0, rem_mem(REM_T0, -offset));
        rem_emit_mov_mr(cold, 8, rem_mem_hot(offsetof(RemHot, rip_base)), REM_T0);
        t->emit = cold;
        t->flags = REM_FLAGS_SAVED;
        t->index++; /* the CALL has retired */
        rem_emit_goto(t, offset);
        t->index--;
        t->emit = hot;
        t->flags = flags;
        t->ended = ended;
    }
    rem_emit_bind(cold, other);
    rem_emit_jmp_to(cold, t->rem->lookup[REM_LOOKUP_DIRECT][kind_of(t)]);
}

void
rem_jump_note_return(RemTranslator *t, unsigned rip)
{
    const unsigned index = rip == REM_T0 ? REM_T1 : REM_T0;
    const RemMem top = rem_mem_hot(ring_of(t) + offsetof(RemReturns, top));
    const uint32_t landing = rem_emit_offset(t->cold);

    emit_landing(t);
    rem_emit_movzx_rm(t->emit, 1, index, top);
    rem_emit_lea(t->emit, 4, index, rem_mem(index, 8));
    rem_emit_movzx_rr(t->emit, 1, index, index);
    rem_emit_mov_mr(t->emit, 1, top, index);
    rem_emit_mov_mr(t->emit, 8, ring_entry(t, offsetof(RemReturns, rip), index), rip);
    rem_emit_bind_to(t->emit, rem_emit_lea_here(t->emit, rip), landing);
    rem_emit_mov_mr(t->emit, 8, ring_entry(t, offsetof(RemReturns, code), index), rip);
}

void
rem_jump_return(RemTranslator *t)
{
    const RemMem top = rem_mem_hot(ring_of(t) + offsetof(RemReturns, top));
    RemJump other;

    rem_emit_movzx_rm(t->emit, 1, REM_T1, top);
    rem_emit_alu_mi(t->emit, REM_SUB, 1, top, 8);
    rem_emit_alu_rm(t->emit, REM_CMP, 8, REM_T0, ring_entry(t, offsetof(RemReturns, rip), REM_T1));
    other = rem_emit_jcc(t->emit, REM_CC_NZ, 4);
    rem_emit_jmp_m(t->emit, ring_entry(t, offsetof(RemReturns, code), REM_T1));
    rem_emit_bind_to(t->emit, other, rem_emit_offset(t->cold));
    rem_emit_jmp_to(t->cold, t->rem->lookup[REM_LOOKUP_INDIRECT][kind_of(t)]);
    t->ended = true;
}

void
rem_returns_clear(RemVcpu *rem)
{
    RemHot *hot = rem_hot(rem->vcpu);

    for (unsigned ring = 0; ring < G_N_ELEMENTS(hot->returns); ring++) {
        const unsigned kind = ring == 0 ? CPUM_TLB_USER : CPUM_TLB_SUPERVISOR;
        const uint64_t code = (uint64_t)(uintptr_t)rem->lookup[REM_LOOKUP_INDIRECT][kind];

        for (unsigned i = 0; i < REM_RETURNS; i++)
            hot->returns[ring].code[i] = code;
    }
    rem->returns_epoch = rem->vcpu->tlb_epoch;
}
