/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What translated code calls, and how a run goes from block to block: exact state for C, IEM for
 * single instructions, links between blocks, the count of instructions. Intel SDM volume 3A
 * section 6.9 (what is looked at between instructions). */
#include "vmm/rem/rem-private.h"

#include "vmm/tm/tm.h"

void
rem_sync(Vcpu *vcpu, const RemSite *site)
{
    const RemHot *hot = rem_hot(vcpu);

    vcpu->rip = hot->rip_base + site->offset;
    vcpu->rflags = rem_flags_unpack(vcpu->rflags, hot->flags);
    vcpu->retired = hot->limit - (uint64_t)(hot->left + site->undone);
    rem_of(vcpu)->mode = (uint16_t)(hot->mode_tag >> 48);
    if (hot->segments_stale) {
        rem_hot(vcpu)->segments_stale = 0;
        iem_segments_changed(vcpu);
    }
    iem_bases_changed(vcpu);
}

static bool
is_flat_data(const CpumSeg *seg)
{
    const uint32_t wrong = X86_SEG_UNUSABLE | X86_SEG_CODE | X86_SEG_EXPAND_DOWN;

    return seg->base == 0 && seg->limit == UINT32_MAX &&
           (seg->attr & (wrong | X86_SEG_WRITABLE)) == X86_SEG_WRITABLE;
}

static unsigned
segment_mode(const Vcpu *vcpu)
{
    unsigned mode = 0;

    if (vcpu->mode == CPUM_MODE_LONG64)
        return REM_MODE_FLAT | REM_MODE_FLAT_CODE;
    if (vcpu->mode < CPUM_MODE_PROT16 && (vcpu->seg[X86_CS].attr & X86_SEG_DB))
        mode |= REM_MODE_CS_D;
    if (vcpu->seg[X86_SS].attr & X86_SEG_DB)
        mode |= REM_MODE_SS_B;
    if (vcpu->mode == CPUM_MODE_PROT32 && vcpu->seg[X86_CS].base == 0 &&
        vcpu->seg[X86_CS].limit == UINT32_MAX)
        mode |= REM_MODE_FLAT_CODE;
    if (vcpu->mode >= CPUM_MODE_PROT16 && is_flat_data(&vcpu->seg[X86_ES]) &&
        is_flat_data(&vcpu->seg[X86_SS]) && is_flat_data(&vcpu->seg[X86_DS]))
        mode |= REM_MODE_FLAT;
    return mode;
}

static unsigned
vector_mode(const Vcpu *vcpu)
{
    const uint64_t both = 6; /* XCR0: SSE and AVX */
    unsigned mode = 0;

    if (vcpu->cr0 & (X86_CR0_EM | X86_CR0_TS))
        return 0;
    if (rem_vector_x87_is_masked(vcpu))
        mode |= REM_MODE_X87;
    if (!rem_vector_sse_is_masked(vcpu))
        return mode;
    if (vcpu->cr4 & X86_CR4_OSFXSR)
        mode |= REM_MODE_SSE;
    if ((vcpu->cr4 & X86_CR4_OSXSAVE) && (vcpu->xcr0 & both) == both)
        mode |= REM_MODE_AVX;
    return mode;
}

static void
update_windows(Vcpu *vcpu)
{
    const uint32_t changes = iem_segment_changes(vcpu);

    if (rem_of(vcpu)->segment_changes == changes)
        return;
    rem_of(vcpu)->segment_changes = changes;
    for (unsigned i = 0; i < X86_SEG_COUNT; i++)
        iem_segment_window(vcpu, i, &rem_hot(vcpu)->window[i].read_end,
                           &rem_hot(vcpu)->window[i].write_end);
}

void
rem_mode_changed(Vcpu *vcpu)
{
    RemVcpu *rem = rem_of(vcpu);
    unsigned mode = (unsigned)vcpu->mode | (unsigned)vcpu->tlb_kind << 5 | segment_mode(vcpu) |
                    vector_mode(vcpu);

    mode |= vcpu->cpl == 0 ? REM_MODE_CPL0 : 0;
    mode |= iem_checks_memory(vcpu) ? REM_MODE_SLOW_MEMORY : 0;
    if (vcpu->mode != CPUM_MODE_LONG64)
        update_windows(vcpu);
    rem->mode = (uint16_t)mode;
    rem_hot(vcpu)->mode_tag = (uint64_t)mode << 48;
    if (vcpu->tm != NULL)
        tm_tsc_offset(vcpu, &rem_hot(vcpu)->tsc_offset);
}

/* Begins the block at CS:RIP, whose state is exact. NULL: fewer instructions are left than it has,
 * IEM executes them. */
static const uint8_t *
begin(Vcpu *vcpu, const RemBlock *block)
{
    RemVcpu *rem = rem_of(vcpu);
    RemHot *hot = rem_hot(vcpu);
    const uint64_t left = rem->end - vcpu->retired;

    /* A trace that cannot run goes on to the plain block, which has to fit too. */
    if (block->trace && left < MAX(block->count, REM_BLOCK_INSNS))
        block = rem_cache_find_plain(vcpu);
    if (block == NULL || left < block->count) {
        /* Only the deterministic mode wants the rest of the budget, one by one. */
        rem->care = rem->exact || vcpu->retired == rem->start;
        rem->stops = !rem->care;
        return NULL;
    }
    hot->left = (int64_t)MIN(left, REM_QUANTUM);
    hot->limit = vcpu->retired + (uint64_t)hot->left;
    hot->flags = rem_flags_pack(vcpu->rflags);
    hot->rip_base = vcpu->rip - ((uintptr_t)block->code.host & X86_PAGE_OFFSET_MASK);
    return rem_code(rem, block->entry_saved);
}

/* Behind an instruction of IEM's; false: leave. */
static bool
settle(Vcpu *vcpu)
{
    RemVcpu *rem = rem_of(vcpu);

    if (!iem_settle(vcpu, &rem->exit)) {
        rem->leaves = true;
        return false;
    }
    rem_mode_changed(vcpu);
    return true;
}

/* What cannot be translated is executed one by one. */
static const uint8_t *
find_and_begin(Vcpu *vcpu)
{
    RemVcpu *rem = rem_of(vcpu);

    while (vcpu->retired < rem->end && !iem_wants_care(vcpu)) {
        RemBlock *block = rem_cache_find(vcpu);

        if (block != NULL && G_UNLIKELY(rem->eager) && rem_record_sample(vcpu, block))
            return NULL;
        if (block != NULL)
            return begin(vcpu, block);
        rem_vector_sync(vcpu);
        rem->untranslated++;
        iem_step_cached(vcpu);
        if (!settle(vcpu))
            break;
    }
    return NULL;
}

const uint8_t *
rem_go_on(Vcpu *vcpu)
{
    return settle(vcpu) ? find_and_begin(vcpu) : NULL;
}

/* Decodes the site's instruction from where its block has it. Its linear address may lead elsewhere
 * by now: the guest has changed the table, and the TLB has lost the entry. False: the block is
 * gone, it has been written. */
static bool
decode_again(Vcpu *vcpu, const RemSite *site, IemInsn *insn)
{
    const RemBlock *block = &rem_of(vcpu)->blocks[site->block];
    const unsigned left = MIN((unsigned)X86_PAGE_SIZE - site->offset, X86_INSN_MAX);
    uint8_t bytes[X86_INSN_MAX];

    if (block->code.host == NULL)
        return false;
    memcpy(bytes,
           block->code.host - ((uintptr_t)block->code.host & X86_PAGE_OFFSET_MASK) + site->offset,
           left);
    if (block->second != NULL)
        memcpy(bytes + left, block->second, X86_INSN_MAX - left);
    return iem_insn_decode(vcpu, bytes, block->second != NULL ? X86_INSN_MAX : left, insn);
}

/* The site's instruction for IEM. */
static const IemInsn *
insn_of(Vcpu *vcpu, const RemSite *site)
{
    RemVcpu *rem = rem_of(vcpu);
    IemInsn *insn = site->insn;

    if (insn != NULL)
        return insn;
    insn = rem_cache_take(rem, iem_insn_size());
    if (insn == NULL)
        insn = rem->spare_insn;
    if (!decode_again(vcpu, site, insn))
        iem_insn_fetch(vcpu, insn);
    if (insn != rem->spare_insn)
        rem->sites[site - rem->sites].insn = insn;
    return insn;
}

/* Does the site's page still hold the block's code? A port or MSR may have changed the memory map.
 */
static bool
is_still_there(Vcpu *vcpu, const RemSite *site)
{
    const uint8_t *host = rem_of(vcpu)->blocks[site->block].code.host;
    const uint64_t base = vcpu->mode == CPUM_MODE_LONG64 ? 0 : vcpu->seg[X86_CS].base;
    const uint64_t rip = base + rem_hot(vcpu)->rip_base + site->offset;
    const uint64_t page =
        (vcpu->mode == CPUM_MODE_LONG64 ? rip : (uint32_t)rip) & ~(uint64_t)X86_PAGE_OFFSET_MASK;
    const CpumTlbEntry *entry = cpum_tlb_entry(vcpu, vcpu->tlb_kind, page);

    return entry->tag_exec == page && ((entry->addend + page) ^ (uintptr_t)host) < X86_PAGE_SIZE;
}

/* IEM has executed a vector or system instruction: it may have unmasked exceptions or changed
 * segments, and the block may go on with vector instructions. */
static const uint8_t *
resume_same_mode(Vcpu *vcpu, const RemSite *site, const IemInsn *insn)
{
    RemVcpu *rem = rem_of(vcpu);
    const uint16_t mode = rem->mode;

    if (iem_insn_loads_segment(insn) &&
        (vcpu->mode == CPUM_MODE_LONG64 || rem->segment_changes == iem_segment_changes(vcpu)))
        return rem_code(rem, site->next);
    rem_mode_changed(vcpu);
    if (rem->mode != mode || (site->stays && !is_still_there(vcpu, site)))
        return find_and_begin(vcpu);
    if (site->vector)
        rem_vector_load(vcpu, rem->blocks[site->block].vector);
    return rem_code(rem, site->next);
}

/* Is the CPU, behind the site's instruction, where the block goes on? It is not if another thread
 * has written another instruction there, or if the block ends with it. */
static bool
is_behind(Vcpu *vcpu, const RemSite *site)
{
    return site->next != 0 && vcpu->rip == rem_hot(vcpu)->rip_base + site->offset + site->length;
}

const uint8_t *
rem_call_iem(Vcpu *vcpu, const RemSite *site, uint64_t argument)
{
    RemVcpu *rem = rem_of(vcpu);
    const IemInsn *insn;

    rem_sync(vcpu, site);
    if (site->vector)
        rem_vector_sync(vcpu);
    insn = insn_of(vcpu, site);
    rem->fallbacks++;
    rem->fallback_rows[iem_insn_row(insn)]++;
    if (!iem_insn_execute(vcpu, insn))
        return rem_go_on(vcpu);
    if (!is_behind(vcpu, site) ||
        (site->stays ? iem_wants_care(vcpu) : site->leaves || iem_insn_ends_block(insn)))
        return iem_insn_is_system(insn) || site->vector ? rem_go_on(vcpu) : find_and_begin(vcpu);
    rem_hot(vcpu)->flags = rem_flags_pack(vcpu->rflags);
    return site->vector || site->stays ? resume_same_mode(vcpu, site, insn)
                                       : rem_code(rem, site->next);
}

/* Is the page there, as plain memory? Fills the TLB. */
static bool
fill(Vcpu *vcpu, uint64_t linear, bool write)
{
    const CpumTlbEntry *entry = cpum_tlb_entry(vcpu, vcpu->tlb_kind, linear);
    const uint64_t page = linear & ~(uint64_t)X86_PAGE_OFFSET_MASK;
    const unsigned shift = 64u - vcpu->linear_bits;
    PgmFault fault;

    if ((uint64_t)((int64_t)(linear << shift) >> shift) != linear)
        return false;
    if (((write ? entry->tag_write : entry->tag_read) & ~(uint64_t)X86_PAGE_OFFSET_MASK) != page &&
        !pgm_tlb_fill(vcpu, linear, write ? PGM_WRITE : PGM_READ, vcpu->tlb_kind, &fault))
        return false;
    return (write ? entry->tag_write : entry->tag_read) == page;
}

/* Did the same execution of the instruction miss before? Then two operands of it want the same
 * entry of the TLB, and would take it from each other for ever. */
static bool
misses_again(RemVcpu *rem, const RemSite *site)
{
    const int64_t left = rem_hot(rem->vcpu)->left;
    const uint64_t count = rem->vcpu->gpr[X86_RCX]; /* a repeated instruction has got further */
    const bool again =
        rem->missed_retry == site->retry && rem->missed_left == left && rem->missed_count == count;

    rem->missed_retry = site->retry;
    rem->missed_left = left;
    rem->missed_count = count;
    return again;
}

/* The operand can be had now: where the code goes on. NULL: IEM has to execute the instruction. */
static const uint8_t *
look_again(Vcpu *vcpu, const RemSite *site, uint64_t linear)
{
    const bool crosses = (linear & X86_PAGE_OFFSET_MASK) + site->size > X86_PAGE_SIZE;
    const uint8_t *code = NULL;

    if (crosses && site->align == 1)
        code = rem_cross(vcpu, site, linear);
    if (code != NULL)
        return code;
    if (!misses_again(rem_of(vcpu), site) && !crosses && (linear & (site->align - 1u)) == 0 &&
        fill(vcpu, linear, site->flags & REM_SITE_WRITE))
        return rem_code(rem_of(vcpu), site->retry);
    return NULL;
}

const uint8_t *
rem_call_miss(Vcpu *vcpu, const RemSite *site, uint64_t linear)
{
    RemVcpu *rem = rem_of(vcpu);
    const uint8_t *code;

    rem->memory_misses++;
    code = look_again(vcpu, site, linear);
    if (code == NULL)
        return rem_call_iem(vcpu, site, 0);
    if (rem->blocks[site->block].code.host != NULL)
        return code;
    /* A or D was set in the block's own bytes: it executes a page table. */
    rem_sync(vcpu, site);
    return find_and_begin(vcpu);
}

const uint8_t *
rem_call_exhausted(Vcpu *vcpu, const RemSite *site, uint64_t argument)
{
    rem_sync(vcpu, site);
    if (rem_record_sample(vcpu, &rem_of(vcpu)->blocks[site->block]))
        return NULL;
    return find_and_begin(vcpu);
}

static void
jump(Vcpu *vcpu, const RemSite *site)
{
    rem_sync(vcpu, site);
    vcpu->rip = rem_hot(vcpu)->rip_base + (uint64_t)(int64_t)site->target;
    if (vcpu->mode != CPUM_MODE_LONG64)
        vcpu->rip = (uint32_t)vcpu->rip;
}

const uint8_t *
rem_call_jump(Vcpu *vcpu, const RemSite *site, uint64_t argument)
{
    jump(vcpu, site);
    return find_and_begin(vcpu);
}

/* Begins the block at RIP, and lets the site's jump lead to it. */
static const uint8_t *
link_and_begin(Vcpu *vcpu, const RemSite *site)
{
    RemVcpu *rem = rem_of(vcpu);
    const uint64_t flushes = rem->flushes;
    RemBlock *block;

    if (vcpu->retired >= rem->end || iem_wants_care(vcpu))
        return NULL;
    block = site->flags & REM_SITE_PLAIN ? rem_cache_find_plain(vcpu) : rem_cache_find(vcpu);
    if (block == NULL)
        return find_and_begin(vcpu);
    if (rem->flushes == flushes && rem->blocks[site->block].code.host != NULL)
        rem_cache_link(rem, block, site);
    return begin(vcpu, block);
}

const uint8_t *
rem_call_link(Vcpu *vcpu, const RemSite *site, uint64_t argument)
{
    jump(vcpu, site);
    return link_and_begin(vcpu, site);
}

const uint8_t *
rem_call_unshared(Vcpu *vcpu, const RemSite *site, uint64_t argument)
{
    RemVcpu *rem = rem_of(vcpu);
    const uint8_t *code;

    rem_sync(vcpu, site);
    rem->mode |= REM_MODE_NO_SHARE;
    code = link_and_begin(vcpu, site);
    rem->mode &= (uint16_t)~REM_MODE_NO_SHARE;
    return code;
}

const uint8_t *
rem_call_target(Vcpu *vcpu, const RemSite *site, uint64_t argument)
{
    const RemHot *hot = rem_hot(vcpu);

    rem_of(vcpu)->jump_misses++;
    rem_sync(vcpu, site);
    vcpu->rip = hot->target;
    return find_and_begin(vcpu);
}

const uint8_t *
rem_call_indirect(Vcpu *vcpu, const RemSite *site, uint64_t argument)
{
    const RemHot *hot = rem_hot(vcpu);
    const unsigned unused = 64u - vcpu->linear_bits;
    const RemSite *ret = &rem_of(vcpu)->sites[hot->jump_site];

    if (vcpu->mode != CPUM_MODE_LONG64 ||
        (uint64_t)((int64_t)(hot->target << unused) >> unused) == hot->target)
        return rem_call_target(vcpu, site, argument);
    vcpu->gpr[X86_RSP] -= (uint64_t)ret->target;
    return rem_call_iem(vcpu, ret, 0);
}
