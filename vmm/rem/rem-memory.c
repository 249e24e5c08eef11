/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The softTLB inline: from a guest address to a host address expression in the temporaries, with
 * the page of the access's last byte compared to the entry of its first, so that what crosses pages
 * misses. Two temporaries are enough because the address is computed twice. Intel SDM volume 3A
 * section 4.10. */
#include "vmm/rem/rem-translate.h"

#define INDEX_MASK ((CPUM_TLB_ENTRIES - 1) * (int32_t)sizeof(CpumTlbEntry))
#define INDEX_SHIFT (X86_PAGE_SHIFT - 5)
_Static_assert(sizeof(CpumTlbEntry) == 32, "the shift of an index");

/* The address to probe: an expression of guest registers, or what rem_rewrite_offset() computes. */
typedef struct {
    bool plain;    /* `linear` is it, else the instruction's operand */
    bool computed; /* it is in RemHot.scratch[1] */
    RemMem linear; /* guest registers below r13 */
    bool has_base; /* of a segment */
    bool has_limit;
    unsigned seg;
    unsigned width; /* 8, or 4: linear addresses have 32 bits */
    unsigned size;
    unsigned align; /* 1, or a power of two that the address has to be a multiple of */
    bool write, two_temps;
    const RemShared *shared; /* NULL: it does not share its probe */
} Access;

static RemMem
entry_field(const RemTranslator *t, size_t field)
{
    const unsigned kind = (t->mode & REM_MODE_TLB) >> 5;
    RemMem mem = rem_mem_vcpu(offsetof(Vcpu, tlb) + kind * sizeof(CpumTlb) + field);

    mem.base = REM_T1;
    return mem;
}

/* The linear address into a temporary; the other one may be lost. No flags but where a segment's
 * base is added. */
static void
emit_linear(RemTranslator *t, RemEmit *emit, const Access *access, unsigned to, unsigned other)
{
    const RemRip rip = rem_rip(t);

    if (access->computed)
        rem_emit_mov_rm(emit, 8, to, rem_mem_hot(offsetof(RemHot, scratch) + 8));
    else if (access->plain)
        rem_emit_lea(emit, access->width, to, access->linear);
    else
        rem_rewrite_offset(emit, t->insn, to, other, &rip);
    if (access->has_base)
        rem_emit_alu_rm(emit, REM_ADD, access->width, to,
                        rem_mem_vcpu(offsetof(Vcpu, seg) + access->seg * sizeof(CpumSeg) +
                                     offsetof(CpumSeg, base)));
}

/* The offset's last byte lies below the segment's end, or IEM does it all. */
static void
emit_limit(RemTranslator *t, const Access *access)
{
    const size_t window = offsetof(RemHot, window) + access->seg * sizeof(RemWindow);
    const size_t end =
        access->write ? offsetof(RemWindow, write_end) : offsetof(RemWindow, read_end);
    const RemRip rip = rem_rip(t);
    RemJump outside;

    rem_rewrite_offset(t->emit, t->insn, REM_T1, REM_T0, &rip);
    rem_emit_lea(t->emit, 8, REM_T1, rem_mem(REM_T1, (int32_t)access->size - 1));
    rem_emit_alu_rm(t->emit, REM_CMP, 8, REM_T1, rem_mem_hot(window + end));
    outside = rem_emit_jcc(t->emit, REM_CC_NB, 4);
    rem_emit_bind_to(t->emit, outside, rem_emit_offset(t->cold));
    rem_emit_leave(t, t->cold, rem_retry_site(t, rem_call_iem));
}

/* T1 is the entry's offset and the comparison is made. */
static void
emit_compare(RemTranslator *t, const Access *access)
{
    RemEmit *emit = t->emit;
    const size_t tag =
        access->write ? offsetof(CpumTlbEntry, tag_write) : offsetof(CpumTlbEntry, tag_read);

    if (access->plain && !access->has_base) {
        RemMem last = access->linear;

        last.disp += (int32_t)access->size - 1;
        emit_linear(t, emit, access, REM_T1, REM_T0);
        if (access->size > 1 && access->align == 1)
            rem_emit_lea(emit, access->width, REM_T0, last);
        else
            rem_emit_mov_rr(emit, access->width, REM_T0, REM_T1);
    } else {
        emit_linear(t, emit, access, REM_T1, REM_T0);
        if (access->two_temps)
            rem_emit_mov_mr(emit, 8, rem_mem_hot(offsetof(RemHot, scratch)), REM_T1);
        rem_emit_lea(emit, access->width, REM_T0,
                     rem_mem(REM_T1, access->align == 1 ? (int32_t)access->size - 1 : 0));
    }
    rem_emit_shift_ri(emit, REM_SHR, 4, REM_T1, INDEX_SHIFT);
    rem_emit_alu_ri(emit, REM_AND, 4, REM_T1, INDEX_MASK);
    /* What has to be aligned does not cross pages; if it is not, its low bits miss. */
    rem_emit_alu_ri(emit, REM_AND, 8, REM_T0,
                    -(int32_t)X86_PAGE_SIZE | (int32_t)(access->align - 1));
    rem_emit_alu_rm(emit, REM_CMP, 8, REM_T0, entry_field(t, tag));
}

/* Out of line: the linear address goes to C. */
static void
emit_miss(RemTranslator *t, const Access *access)
{
    RemSite *site = rem_retry_site(t, rem_call_miss);
    const RemJump miss = rem_emit_jcc(t->emit, REM_CC_NZ, 4);

    site->align = (uint8_t)access->align;
    site->size = (uint16_t)access->size;
    site->flags = access->write ? REM_SITE_WRITE : 0;
    rem_emit_bind_to(t->emit, miss, rem_emit_offset(t->cold));
    emit_linear(t, t->cold, access, REM_T1, REM_T0);
    rem_emit_leave(t, t->cold, site);
}

/* Out of line, for accesses that share a probe: if they lie in two pages, the block's twin without
 * sharing goes on from this instruction. */
static void
emit_shared_miss(RemTranslator *t, const Access *access)
{
    RemSite *site = rem_retry_site(t, rem_call_miss), *twin = rem_retry_site(t, rem_call_unshared);
    const RemJump miss = rem_emit_jcc(t->emit, REM_CC_NZ, 4);
    RemEmit *cold = t->cold;
    RemJump within, link;

    site->size = (uint16_t)access->size;
    site->flags = access->write ? REM_SITE_WRITE : 0;
    rem_emit_bind_to(t->emit, miss, rem_emit_offset(cold));
    emit_linear(t, cold, access, REM_T1, REM_T0);
    rem_emit_mov_rr(cold, 4, REM_T0, REM_T1);
    rem_emit_alu_ri(cold, REM_AND, 4, REM_T0, X86_PAGE_OFFSET_MASK);
    rem_emit_alu_ri(cold, REM_CMP, 4, REM_T0, (int32_t)(X86_PAGE_SIZE - access->size));
    within = rem_emit_jcc(cold, REM_CC_BE, 4);
    rem_emit_lea(cold, 8, REM_COUNT, rem_mem(REM_COUNT, twin->undone));
    link = rem_emit_jmp(cold, 4);
    rem_emit_bind(cold, link);
    twin->undone = 0;
    twin->link = link.at;
    twin->cell = 0;
    twin->flags = REM_SITE_FLAGS_SAVED;
    rem_emit_leave(t, cold, twin);
    rem_emit_bind(cold, within);
    rem_emit_leave(t, cold, site);
}

/* Only a base and a displacement, and no cut to 32 bits: the access can add the rest itself. */
static bool
is_direct(const Access *access)
{
    return access->plain && access->width == 8 && !access->has_base &&
           access->linear.index == REM_NO_REG && access->linear.base != REM_NO_REG;
}

/* --- one probe for several accesses (rem-share.c) --- */

static RemMem
share_slot(unsigned group)
{
    return rem_mem_hot(offsetof(RemHot, loop.slot) + group * sizeof(uint64_t));
}
_Static_assert(REM_SHARES <= REM_TRACE_GROUPS, "traces are not under way meanwhile");

/* A base and a displacement, in flat memory. */
static bool
can_share(const Access *access)
{
    return access->plain && !access->has_base && access->linear.index == REM_NO_REG &&
           access->linear.base != REM_NO_REG;
}

/* Probes for all that the group accesses, and keeps the difference of the addresses; outside of
 * 64-bit code the host address of the first byte. */
static void
emit_shared_probe(RemTranslator *t, const Access *access, RemShare *share)
{
    Access whole = *access;

    whole.linear.disp -= (int32_t)(access->shared->at - share->first);
    whole.size = share->size;
    rem_begin_retry(t);
    emit_compare(t, &whole);
    rem_flags_lost(t);
    emit_shared_miss(t, &whole);
    rem_emit_mov_rm(t->emit, 8, REM_T1, entry_field(t, offsetof(CpumTlbEntry, addend)));
    if (access->width == 4) {
        rem_emit_lea(t->emit, 4, REM_T0, whole.linear);
        rem_emit_alu_rr(t->emit, REM_ADD, 8, REM_T1, REM_T0);
    }
    rem_emit_mov_mr(t->emit, 8, share_slot(access->shared->group), REM_T1);
    share->state = access->write ? REM_SHARE_WRITE : REM_SHARE_READ;
}

static void
emit_shared(RemTranslator *t, const Access *access, RemMem *mem)
{
    RemShare *share = &t->share[access->shared->group];

    if (!t->keeps_flags)
        rem_begin_retry(t);
    if (share->state < (access->write ? REM_SHARE_WRITE : REM_SHARE_READ))
        emit_shared_probe(t, access, share);
    else
        rem_emit_mov_rm(t->emit, 8, REM_T1, share_slot(access->shared->group));
    t->temps_busy = true;
    *mem = access->width == 4 ? rem_mem(REM_T1, (int32_t)(access->shared->at - share->first))
                              : rem_mem_index(access->linear.base, REM_T1, 0, access->linear.disp);
}

static void
emit_access(RemTranslator *t, const Access *access, RemMem *mem)
{
    RemEmit *emit = t->emit;

    if (access->shared != NULL && access->shared->group != REM_NOT_SHARED && can_share(access)) {
        emit_shared(t, access, mem);
        return;
    }
    rem_begin_retry(t);
    if (access->has_limit)
        emit_limit(t, access);
    emit_compare(t, access);
    rem_flags_lost(t);
    emit_miss(t, access);
    t->temps_busy = true;
    if (is_direct(access)) {
        rem_emit_mov_rm(emit, 8, REM_T1, entry_field(t, offsetof(CpumTlbEntry, addend)));
        *mem = rem_mem_index(access->linear.base, REM_T1, 0, access->linear.disp);
        return;
    }
    if (access->two_temps)
        rem_emit_mov_rm(emit, 8, REM_T0, rem_mem_hot(offsetof(RemHot, scratch)));
    else
        emit_linear(t, emit, access, REM_T0, REM_T1);
    rem_emit_alu_rm(emit, REM_ADD, 8, REM_T0, entry_field(t, offsetof(CpumTlbEntry, addend)));
    *mem = rem_mem(REM_T0, 0);
}

void
rem_memory_stack(RemTranslator *t, RemMem linear, unsigned size, bool write, RemMem *mem)
{
    const Access access = {
        .plain = true,
        .linear = linear,
        .width = rem_is_long64(t) ? 8 : 4,
        .size = size,
        .align = 1,
        .write = write,
        .shared = &t->shared_stack[t->index],
    };

    emit_access(t, &access, mem);
}

void
rem_memory_computed(RemTranslator *t, unsigned size, bool write, RemMem *mem)
{
    const Access access = {
        .computed = true,
        .width = rem_is_long64(t) ? 8 : 4,
        .size = size,
        .align = 1,
        .write = write,
    };

    rem_emit_mov_mr(t->emit, 8, rem_mem_hot(offsetof(RemHot, scratch) + 8), REM_T0);
    emit_access(t, &access, mem);
}

/* What has to be done for the operand's segment. */
static void
choose_segment(const RemTranslator *t, const RemOperand *operand, Access *access)
{
    if (rem_is_long64(t)) {
        access->has_base = operand->seg == X86_FS || operand->seg == X86_GS;
        return;
    }
    access->has_base = access->has_limit =
        !(t->mode & REM_MODE_FLAT) ||
        (operand->seg != X86_ES && operand->seg != X86_SS && operand->seg != X86_DS);
}

static bool
in_register(unsigned reg)
{
    return reg == REM_NO_REG || rem_in_register(reg);
}

bool
rem_memory_operand(RemTranslator *t, RemMem *mem)
{
    const RemInsn *insn = t->insn;
    const RemOperand *operand = &insn->mem;
    Access access = {
        .linear = {operand->base, operand->index, operand->scale, false, (int32_t)operand->disp},
        .width = rem_is_long64(t) ? 8 : 4,
        .size = operand->size,
        .align = operand->align,
        .write = operand->written,
        .seg = operand->seg,
        .shared = &t->shared_operand[t->index],
    };

    if ((t->mode & REM_MODE_SLOW_MEMORY) || !operand->present || operand->vsib ||
        operand->size == 0 || operand->size > 64)
        return false;
    choose_segment(t, operand, &access);
    access.plain = !operand->rip_relative && insn->addrsize == access.width &&
                   in_register(operand->base) && in_register(operand->index) &&
                   rem_operand_is_near(operand) &&
                   (operand->base != REM_NO_REG || operand->index != REM_NO_REG);
    access.two_temps = !access.plain && operand->base != REM_NO_REG &&
                       operand->index != REM_NO_REG && !rem_in_register(operand->base) &&
                       !rem_in_register(operand->index);
    emit_access(t, &access, mem);
    return true;
}
