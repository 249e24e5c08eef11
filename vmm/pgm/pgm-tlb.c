/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The softTLB: fills, flushes, the slow path. A flush costs what was used, because bitmaps tell
 * which entries hold something. Intel SDM volume 3A section 4.10. */
#include "vmm/pgm/pgm-private.h"

#include <string.h>

#define EMPTY_RANGE UINT64_MAX

static inline unsigned
index_of(uint64_t linear)
{
    return (unsigned)(linear >> X86_PAGE_SHIFT) & (CPUM_TLB_ENTRIES - 1);
}

static inline void
set_bit(uint64_t *words, unsigned index, bool value)
{
    const uint64_t bit = 1ull << (index & 63);

    if (value)
        words[index >> 6] |= bit;
    else
        words[index >> 6] &= ~bit;
}

static inline void
clear_entry(CpumTlbEntry *entry)
{
    entry->tag_read = entry->tag_write = entry->tag_exec = CPUM_TLB_INVALID;
}

/* --- fills --- */

/* Says that this CPU writes to the page unseen from now on, before it looks whether it may: who
 * begins to track the page does it the other way round. */
static void
note_writer(const Vcpu *vcpu, PgmMem *mem, uint64_t page)
{
    const uint32_t bit = 1u << vcpu->id;

    if (!(atomic_load_explicit(&mem->writers[page], memory_order_relaxed) & bit))
        atomic_fetch_or(&mem->writers[page], bit);
}

/* How a writable page is tagged: a write may have to be reported, dispatched or dropped. */
static uint64_t
write_tag(const Vcpu *vcpu, const PgmRange *range, uint64_t gpa, uint64_t page)
{
    const PgmWay *way = &range->write;
    uint64_t in_mem;

    if (way->to == PGM_TO_MMIO)
        return page | CPUM_TLB_MMIO;
    /* One addend serves reads and writes, so what is written elsewhere takes the slow path too. */
    if (way->to != PGM_TO_MEM || way->host != range->read.host)
        return page | CPUM_TLB_TRACKED;
    in_mem = pgm_page(way->offset + (gpa - range->start));
    if (pgm_is_tracked(way->mem, in_mem))
        return page | CPUM_TLB_TRACKED;
    note_writer(vcpu, way->mem, in_mem);
    return pgm_is_tracked(way->mem, in_mem) ? page | CPUM_TLB_TRACKED : page;
}

static void
install(Vcpu *vcpu, uint64_t linear, CpumTlbKind kind, const PgmWalk *walk)
{
    PgmVcpu *own = vcpu->pgm_vcpu;
    const uint64_t page = linear & PGM_PAGE_MASK, gpa = walk->gpa & PGM_PAGE_MASK;
    const PgmRange *range = pgm_cpu_range(own, gpa);
    const bool whole = range->end - gpa >= X86_PAGE_SIZE && range->start <= gpa;
    const unsigned index = index_of(linear);
    CpumTlbEntry *entry = &vcpu->tlb[kind].entry[index];
    uint64_t read = page | CPUM_TLB_MMIO, write = page | CPUM_TLB_MMIO;

    if (whole && range->read.to == PGM_TO_MEM) {
        read = page;
        write = write_tag(vcpu, range, gpa, page);
        entry->addend = (uint64_t)(uintptr_t)(range->read.host + (gpa - range->start)) - page;
    }
    entry->tag_read =
        pgm_rights_allow(vcpu, walk->rights, PGM_READ, kind) ? read : CPUM_TLB_INVALID;
    entry->tag_exec =
        pgm_rights_allow(vcpu, walk->rights, PGM_EXEC, kind) ? read : CPUM_TLB_INVALID;
    /* The first write has to walk again, to set the dirty bit. */
    entry->tag_write = walk->dirty && pgm_rights_allow(vcpu, walk->rights, PGM_WRITE, kind)
                           ? write
                           : CPUM_TLB_INVALID;
    own->gpa[kind][index] = gpa;
    set_bit(own->use[kind].some, index / 64, true);
    set_bit(own->use[kind].used, index, true);
    set_bit(own->use[kind].global, index, walk->global);
    set_bit(own->use[kind].large, index, walk->shift > X86_PAGE_SHIFT);
}

static void
note_large(PgmVcpu *own, uint64_t linear, unsigned shift)
{
    const uint64_t inside = (1ull << shift) - 1;

    own->large_low = MIN(own->large_low, linear & ~inside);
    own->large_high = MAX(own->large_high, linear | inside);
    own->large_shift = MAX(own->large_shift, shift);
}

bool
pgm_tlb_fill(Vcpu *vcpu, uint64_t linear, PgmAccessKind access, CpumTlbKind kind, PgmFault *fault)
{
    PgmWalk walk;

    if (!pgm_walk(vcpu, linear, access, kind, &walk, fault))
        return false;
    install(vcpu, linear, kind, &walk);
    if (walk.shift > X86_PAGE_SHIFT)
        note_large(vcpu->pgm_vcpu, linear, walk.shift);
    return true;
}

/* --- flushes --- */

static void
clear_used(CpumTlb *tlb, PgmTlbUse *use, unsigned word, uint64_t bits)
{
    use->used[word] &= ~bits;
    if (use->used[word] == 0)
        set_bit(use->some, word, false);
    while (bits != 0) {
        clear_entry(&tlb->entry[word * 64 + (unsigned)__builtin_ctzll(bits)]);
        bits &= bits - 1;
    }
}

static void
drop_kind(CpumTlb *tlb, PgmTlbUse *use, bool global_too)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(use->some); i++) {
        for (uint64_t words = use->some[i]; words != 0; words &= words - 1) {
            const unsigned word = i * 64 + (unsigned)__builtin_ctzll(words);

            clear_used(tlb, use, word,
                       use->used[word] & (global_too ? UINT64_MAX : ~use->global[word]));
        }
    }
}

void
pgm_tlb_drop(Vcpu *vcpu, bool global_too)
{
    PgmVcpu *own = vcpu->pgm_vcpu;

    for (unsigned kind = 0; kind < CPUM_TLB_COUNT; kind++)
        drop_kind(&vcpu->tlb[kind], &own->use[kind], global_too);
    vcpu->tlb_epoch++;
    if (global_too) {
        own->large_low = EMPTY_RANGE;
        own->large_high = 0;
        own->large_shift = 0;
    }
}

static void
drop_page(Vcpu *vcpu, unsigned kind, uint64_t page)
{
    const unsigned index = index_of(page);
    CpumTlbEntry *entry = &vcpu->tlb[kind].entry[index];

    if ((entry->tag_read & PGM_PAGE_MASK) == page || (entry->tag_write & PGM_PAGE_MASK) == page ||
        (entry->tag_exec & PGM_PAGE_MASK) == page) {
        clear_entry(entry);
        set_bit(vcpu->pgm_vcpu->use[kind].used, index, false);
    }
}

/* A large page may sit in many entries, and INVLPG for any address in it drops them all. */
static void
drop_large(Vcpu *vcpu, unsigned kind, uint64_t linear, unsigned shift)
{
    PgmTlbUse *use = &vcpu->pgm_vcpu->use[kind];
    const uint64_t pages = 1ull << (shift - X86_PAGE_SHIFT);
    const unsigned first = pages < CPUM_TLB_ENTRIES ? index_of(linear >> shift << shift) : 0;
    const unsigned end = first + (unsigned)MIN(pages, CPUM_TLB_ENTRIES);

    for (unsigned word = first / 64; word < end / 64; word++) {
        uint64_t bits = use->used[word] & use->large[word];

        for (; bits != 0; bits &= bits - 1) {
            const unsigned index = word * 64 + (unsigned)__builtin_ctzll(bits);
            CpumTlbEntry *entry = &vcpu->tlb[kind].entry[index];
            const uint64_t tag =
                entry->tag_read != CPUM_TLB_INVALID ? entry->tag_read : entry->tag_exec;

            if (tag >> shift == linear >> shift || tag == CPUM_TLB_INVALID) {
                clear_entry(entry);
                set_bit(use->used, index, false);
            }
        }
    }
}

void
pgm_invlpg(Vcpu *vcpu, uint64_t linear)
{
    PgmVcpu *own = vcpu->pgm_vcpu;
    const bool in_large = linear >= own->large_low && linear <= own->large_high;

    for (unsigned kind = 0; kind < CPUM_TLB_COUNT; kind++) {
        drop_page(vcpu, kind, linear & PGM_PAGE_MASK);
        if (in_large)
            drop_large(vcpu, kind, linear, own->large_shift);
    }
    vcpu->tlb_epoch++;
}

bool
pgm_cr3_changed(Vcpu *vcpu)
{
    if (!pgm_load_pdptes(vcpu))
        return false;
    pgm_tlb_drop(vcpu, false);
    return true;
}

bool
pgm_paging_changed(Vcpu *vcpu, uint64_t old_cr0, uint64_t old_cr4, uint64_t old_efer)
{
    const uint64_t cr0 = old_cr0 ^ vcpu->cr0, cr4 = old_cr4 ^ vcpu->cr4;
    const uint64_t efer = old_efer ^ vcpu->efer;
    const bool reload = (cr0 & (X86_CR0_PG | X86_CR0_CD | X86_CR0_NW)) ||
                        (cr4 & (X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PSE | X86_CR4_SMEP));

    if (reload && !pgm_load_pdptes(vcpu))
        return false;
    if ((cr0 & (X86_CR0_PG | X86_CR0_WP | X86_CR0_PE)) ||
        (cr4 &
         (X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PCIDE)) ||
        (efer & (X86_EFER_NXE | X86_EFER_LMA)))
        pgm_tlb_drop(vcpu, true);
    cpum_update_mode(vcpu);
    return true;
}

/* --- tracking --- */

static void
track_entries(Vcpu *vcpu, unsigned kind, uint64_t start, uint64_t size)
{
    const PgmTlbUse *use = &vcpu->pgm_vcpu->use[kind];

    for (unsigned word = 0; word < PGM_TLB_WORDS; word++) {
        for (uint64_t bits = use->used[word]; bits != 0; bits &= bits - 1) {
            CpumTlbEntry *entry =
                &vcpu->tlb[kind].entry[word * 64 + (unsigned)__builtin_ctzll(bits)];

            if (!(entry->tag_write & X86_PAGE_OFFSET_MASK) &&
                entry->addend + entry->tag_write - start < size)
                entry->tag_write |= CPUM_TLB_TRACKED;
        }
    }
}

void
pgm_tlb_track(Vcpu *vcpu, const uint8_t *start, uint64_t size)
{
    for (unsigned kind = 0; kind < CPUM_TLB_COUNT; kind++)
        track_entries(vcpu, kind, (uint64_t)(uintptr_t)start, size);
}

void
pgm_tlb_init(Pgm *pgm, Vcpu *vcpu)
{
    PgmVcpu *own = g_new0(PgmVcpu, 1);

    own->vcpu = vcpu;
    own->map = atomic_load(&pgm->cpu_map[vcpu->id]);
    own->last = &own->map->range[0];
    vcpu->tlb_epoch = 1;
    own->large_low = EMPTY_RANGE;
    g_mutex_init(&own->track_lock);
    vcpu->pgm = pgm;
    vcpu->pgm_vcpu = own;
}

void
pgm_tlb_clear(Vcpu *vcpu)
{
    g_mutex_clear(&vcpu->pgm_vcpu->track_lock);
    g_clear_pointer(&vcpu->pgm_vcpu, g_free);
}

/* --- the slow path --- */

/* The guest-physical address behind an entry. A handler that ran a moment ago may have dropped it.
 */
static bool
slow_gpa(Vcpu *vcpu, uint64_t linear, PgmAccessKind access, CpumTlbKind kind, uint64_t *gpa)
{
    const CpumTlbEntry *entry = cpum_tlb_entry(vcpu, kind, linear);
    const uint64_t tag = access == PGM_WRITE ? entry->tag_write : entry->tag_read;
    PgmFault fault;

    if (G_UNLIKELY((tag & PGM_PAGE_MASK) != (linear & PGM_PAGE_MASK) || tag == CPUM_TLB_INVALID) &&
        !pgm_tlb_fill(vcpu, linear, access, kind, &fault))
        return false;
    *gpa = vcpu->pgm_vcpu->gpa[kind][index_of(linear)] | (linear & X86_PAGE_OFFSET_MASK);
    return true;
}

uint64_t
pgm_slow_read(Vcpu *vcpu, uint64_t linear, unsigned size, CpumTlbKind kind)
{
    uint64_t gpa;

    if (!slow_gpa(vcpu, linear, PGM_READ, kind, &gpa))
        return UINT64_MAX >> (64 - 8 * size);
    return pgm_cpu_phys_read(vcpu, gpa, size);
}

/* A page that is no longer tracked, since its code is gone or it is dirty now, is written fast. */
static void
speed_up(Vcpu *vcpu, uint64_t linear, CpumTlbKind kind, uint64_t gpa)
{
    CpumTlbEntry *entry = cpum_tlb_entry(vcpu, kind, linear);
    const uint64_t page = linear & PGM_PAGE_MASK;
    const uint64_t at = gpa & PGM_PAGE_MASK;

    if (entry->tag_write == (page | CPUM_TLB_TRACKED))
        entry->tag_write = write_tag(vcpu, pgm_cpu_range(vcpu->pgm_vcpu, at), at, page);
}

void
pgm_slow_write(Vcpu *vcpu, uint64_t linear, uint64_t value, unsigned size, CpumTlbKind kind)
{
    uint64_t gpa;

    if (!slow_gpa(vcpu, linear, PGM_WRITE, kind, &gpa))
        return;
    pgm_cpu_phys_write(vcpu, gpa, value, size);
    speed_up(vcpu, linear, kind, gpa);
}

/* --- read-modify-write in the slow path --- */

void *
pgm_slow_host(Vcpu *vcpu, uint64_t linear, unsigned size, CpumTlbKind kind)
{
    const PgmRange *range;
    uint64_t gpa;

    if ((linear & X86_PAGE_OFFSET_MASK) + size > X86_PAGE_SIZE ||
        !slow_gpa(vcpu, linear, PGM_WRITE, kind, &gpa))
        return NULL;
    range = pgm_cpu_range(vcpu->pgm_vcpu, gpa);
    if (range->write.to != PGM_TO_MEM || range->write.host != range->read.host ||
        range->end - gpa < size)
        return NULL;
    return range->write.host + (gpa - range->start);
}

void
pgm_slow_written(Vcpu *vcpu, uint64_t linear, unsigned size, CpumTlbKind kind)
{
    const PgmRange *range;
    uint64_t gpa;

    if (!slow_gpa(vcpu, linear, PGM_WRITE, kind, &gpa))
        return;
    range = pgm_cpu_range(vcpu->pgm_vcpu, gpa);
    if (range->write.to != PGM_TO_MEM)
        return;
    pgm_written(vcpu->pgm, vcpu, range->write.mem, range->write.offset + (gpa - range->start), size,
                pgm_seen_at(range, gpa));
    speed_up(vcpu, linear, kind, gpa);
}
