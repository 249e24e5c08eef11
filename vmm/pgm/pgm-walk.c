/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Page walks: no paging, 32-bit with PSE and PSE-36, PAE, 4-level with 1-GiB pages; write
 * protection, user and supervisor, no-execute, SMEP, SMAP, reserved bits, accessed and dirty bits.
 * Intel SDM volume 3A chapter 4. Accessed bits are set, in all levels at once, only by walks
 * that allow the access. There are no protection keys, no PCID and no 5-level paging. */
#include "vmm/pgm/pgm-private.h"

#include <string.h>

#define PTE_P (1ull << 0)
#define PTE_W PGM_RIGHT_WRITE
#define PTE_U PGM_RIGHT_USER
#define PTE_A (1ull << 5)
#define PTE_D (1ull << 6)
#define PTE_PS (1ull << 7)
#define PTE_G (1ull << 8)
#define PTE_NX PGM_RIGHT_NO_EXEC
#define ADDRESS_MASK 0x000ffffffffff000ull
#define ABOVE_PHYS (0x000fffffffffffffull & ~((1ull << PGM_PHYS_BITS) - 1))
#define RIGHTS_ALL (PTE_W | PTE_U)

typedef enum { WALK_OK, WALK_NOT_PRESENT, WALK_RESERVED, WALK_AGAIN } WalkResult;

/* The entries that a walk went through, from the top. */
typedef struct {
    struct {
        uint64_t gpa, value;
    } step[4];
    unsigned count;
    unsigned size;  /* of an entry: 4 or 8 */
    uint64_t all;   /* AND of the entries */
    uint64_t table; /* of the leaf, when that is a 4-KiB page's table; else 1 */
} Trail;

/* --- entries in guest memory --- */

static uint64_t
read_entry(Vcpu *vcpu, uint64_t gpa, unsigned size)
{
    const PgmRange *range;
    uint64_t value;
    uint32_t value32;

    gpa &= pgm_a20_mask(vcpu);
    range = pgm_cpu_range(vcpu->pgm_vcpu, gpa);
    if (G_UNLIKELY(range->read.to != PGM_TO_MEM || range->end - gpa < size))
        return pgm_cpu_phys_read(vcpu, gpa, size);
    if (size == 8) {
        memcpy(&value, range->read.host + (gpa - range->start), sizeof value);
        return value;
    }
    memcpy(&value32, range->read.host + (gpa - range->start), sizeof value32);
    return value32;
}

/* Sets bits in an entry if it still has the value that was walked. */
static bool
update_entry(Vcpu *vcpu, uint64_t gpa, unsigned size, uint64_t old, uint64_t bits)
{
    const uint64_t at = gpa & pgm_a20_mask(vcpu);
    const PgmRange *range = pgm_cpu_range(vcpu->pgm_vcpu, at);
    const uint64_t inside = at - range->start;
    uint32_t old32 = (uint32_t)old;
    uint8_t *host = range->write.host + inside;
    bool same;

    /* Shadowed ROM may be read from one place and written to another: nothing to compare with. */
    if (range->write.to != PGM_TO_MEM || range->write.host != range->read.host ||
        range->end - at < size) {
        pgm_cpu_phys_write(vcpu, at, old | bits, size);
        return true;
    }
    if (size == 8)
        same = atomic_compare_exchange_strong((_Atomic uint64_t *)host, &old, old | bits);
    else
        same = atomic_compare_exchange_strong((_Atomic uint32_t *)host, &old32,
                                              old32 | (uint32_t)bits);
    if (same && pgm_is_tracked(range->write.mem, pgm_page(range->write.offset + inside)))
        pgm_written(vcpu->pgm, vcpu, range->write.mem, range->write.offset + inside, size, at);
    return same;
}

static inline uint64_t
follow(Vcpu *vcpu, Trail *trail, uint64_t gpa)
{
    const uint64_t value = read_entry(vcpu, gpa, trail->size);

    trail->step[trail->count].gpa = gpa;
    trail->step[trail->count++].value = value;
    trail->all &= value;
    return value;
}

/* --- the modes --- */

static uint64_t
reserved_bits(const Vcpu *vcpu)
{
    return ABOVE_PHYS | (vcpu->efer & X86_EFER_NXE ? 0 : PTE_NX);
}

static void
finish(Vcpu *vcpu, uint64_t linear, uint64_t base, unsigned shift, uint64_t leaf, PgmWalk *walk)
{
    const uint64_t inside = (1ull << shift) - 1;

    walk->gpa = ((base & ~inside) | (linear & inside)) & pgm_a20_mask(vcpu);
    walk->shift = shift;
    walk->global = (leaf & PTE_G) && (vcpu->cr4 & X86_CR4_PGE);
    walk->dirty = (leaf & PTE_D) != 0;
}

/* From the table at `table` of the given level down, for entries of 64 bits. */
static WalkResult
walk_64(Vcpu *vcpu, uint64_t linear, uint64_t table, unsigned level, uint64_t reserved,
        uint64_t rights, Trail *trail, PgmWalk *walk)
{
    for (;; level--) {
        const unsigned shift = 3 + 9 * level;
        const uint64_t entry = follow(vcpu, trail, table + ((linear >> shift) & 0x1ff) * 8);
        const bool large = (entry & PTE_PS) && (level == 2 || level == 3);
        uint64_t bad = reserved;

        if (!(entry & PTE_P))
            return WALK_NOT_PRESENT;
        if (level == 4 || (level == 3 && !cpum_has(vcpu, CPUM_FEATURE_PAGE1GB)))
            bad |= PTE_PS;
        else if (large)
            bad |= ((1ull << shift) - 1) & ~0x1fffull; /* bit 12 is PAT */
        if (entry & bad)
            return WALK_RESERVED;
        rights = (rights & (entry | ~(uint64_t)RIGHTS_ALL)) | (entry & PTE_NX);
        if (level == 1 || large) {
            trail->table = large ? 1 : table;
            walk->rights = rights;
            finish(vcpu, linear, entry & ADDRESS_MASK, shift, entry, walk);
            return WALK_OK;
        }
        table = entry & ADDRESS_MASK;
    }
}

static WalkResult
walk_pae(Vcpu *vcpu, uint64_t linear, Trail *trail, PgmWalk *walk)
{
    const uint64_t pointer = vcpu->pae_pdpte[(linear >> 30) & 3];

    if (!(pointer & PTE_P))
        return WALK_NOT_PRESENT;
    /* Bits 62..52 are reserved here, in contrast to 4-level paging. */
    return walk_64(vcpu, linear, pointer & ADDRESS_MASK, 2,
                   reserved_bits(vcpu) | 0x7ff0000000000000ull, RIGHTS_ALL, trail, walk);
}

static WalkResult
walk_32(Vcpu *vcpu, uint64_t linear, Trail *trail, PgmWalk *walk)
{
    const uint64_t directory = vcpu->cr3 & 0xfffff000u;
    const uint64_t pde = follow(vcpu, trail, directory + ((linear >> 22) & 0x3ff) * 4);
    uint64_t pte;

    if (!(pde & PTE_P))
        return WALK_NOT_PRESENT;
    if ((pde & PTE_PS) && (vcpu->cr4 & X86_CR4_PSE)) {
        /* PSE-36: bits 20..13 are address bits 39..32. */
        const uint64_t bad = cpum_has(vcpu, CPUM_FEATURE_PSE36) ? 1u << 21 : 0x3fe000u;

        if (pde & bad)
            return WALK_RESERVED;
        walk->rights = pde & RIGHTS_ALL;
        finish(vcpu, linear, (pde & 0xffc00000u) | (pde & 0x1fe000u) << 19, 22, pde, walk);
        return WALK_OK;
    }
    pte = follow(vcpu, trail, (pde & 0xfffff000u) + ((linear >> 12) & 0x3ff) * 4);
    if (!(pte & PTE_P))
        return WALK_NOT_PRESENT;
    walk->rights = pde & pte & RIGHTS_ALL;
    finish(vcpu, linear, pte & 0xfffff000u, 12, pte, walk);
    return WALK_OK;
}

/* --- the memo of page tables --- */

static inline uint64_t
memo_tag(const PgmVcpu *own, uint64_t linear)
{
    return ((linear >> 21) & 0x7ffffff) | own->vcpu->tlb_epoch << 27;
}

static inline PgmWalkMemo *
memo_slot(PgmVcpu *own, uint64_t linear)
{
    return &own->memo[(linear >> 21) & (PGM_WALK_CACHE - 1)];
}

static void
remember(PgmVcpu *own, uint64_t linear, const Trail *trail, uint64_t rights)
{
    PgmWalkMemo *memo = memo_slot(own, linear);

    if (trail->table != 1)
        *memo = (PgmWalkMemo){memo_tag(own, linear), trail->table, rights};
}

/* --- rights --- */

bool
pgm_rights_allow(const Vcpu *vcpu, uint64_t rights, PgmAccessKind access, CpumTlbKind kind)
{
    const bool user_page = rights & PTE_U;

    if (kind == CPUM_TLB_USER) {
        if (!user_page)
            return false;
        return access == PGM_READ || (access == PGM_WRITE ? (rights & PTE_W) : !(rights & PTE_NX));
    }
    if (access == PGM_EXEC)
        return !(rights & PTE_NX) && !(user_page && (vcpu->cr4 & X86_CR4_SMEP));
    if (user_page && kind == CPUM_TLB_SUPERVISOR && (vcpu->cr4 & X86_CR4_SMAP))
        return false;
    return access == PGM_READ || (rights & PTE_W) || !(vcpu->cr0 & X86_CR0_WP);
}

static bool
fail(const Vcpu *vcpu, WalkResult result, PgmAccessKind access, CpumTlbKind kind, PgmFault *fault)
{
    uint32_t code = result == WALK_NOT_PRESENT ? 0 : X86_PF_P;
    const bool tells_fetch =
        (vcpu->cr4 & X86_CR4_SMEP) || ((vcpu->efer & X86_EFER_NXE) && (vcpu->cr4 & X86_CR4_PAE));

    if (result == WALK_RESERVED)
        code |= X86_PF_RSVD;
    if (access == PGM_WRITE)
        code |= X86_PF_RW;
    if (kind == CPUM_TLB_USER)
        code |= X86_PF_US;
    if (access == PGM_EXEC && tells_fetch)
        code |= X86_PF_ID;
    fault->error_code = code;
    return false;
}

/* --- the walk --- */

static WalkResult
walk_tables(Vcpu *vcpu, uint64_t linear, bool use_memo, Trail *trail, PgmWalk *walk)
{
    *trail = (Trail){.size = 8, .all = UINT64_MAX, .table = 1};
    if (!(vcpu->cr4 & X86_CR4_PAE)) {
        trail->size = 4;
        return walk_32(vcpu, linear, trail, walk);
    }
    if (use_memo) {
        const PgmWalkMemo *memo = memo_slot(vcpu->pgm_vcpu, linear);

        if (memo->tag == memo_tag(vcpu->pgm_vcpu, linear))
            return walk_64(vcpu, linear, memo->table, 1,
                           reserved_bits(vcpu) | (vcpu->efer & X86_EFER_LMA ? 0 : 0x7ffull << 52),
                           memo->rights, trail, walk);
    }
    if (!(vcpu->efer & X86_EFER_LMA))
        return walk_pae(vcpu, linear, trail, walk);
    return walk_64(vcpu, linear, vcpu->cr3 & ADDRESS_MASK, 4, reserved_bits(vcpu), RIGHTS_ALL,
                   trail, walk);
}

static WalkResult
mark_accessed(Vcpu *vcpu, const Trail *trail, bool write, PgmWalk *walk)
{
    const unsigned leaf = trail->count - 1;

    if (G_LIKELY((trail->all & PTE_A) && (!write || walk->dirty)))
        return WALK_OK;
    for (unsigned i = 0; i < trail->count; i++) {
        const uint64_t value = trail->step[i].value;
        const uint64_t wanted = PTE_A | (write && i == leaf ? PTE_D : 0);

        if ((value & wanted) != wanted &&
            !update_entry(vcpu, trail->step[i].gpa, trail->size, value, wanted))
            return WALK_AGAIN;
    }
    walk->dirty |= write;
    return WALK_OK;
}

/* The rights that a page table's levels above allow: without its own entry. */
static uint64_t
rights_above(const Trail *trail)
{
    uint64_t above = RIGHTS_ALL;

    for (unsigned i = 0; i + 1 < trail->count; i++) {
        above &= trail->step[i].value | ~(uint64_t)RIGHTS_ALL;
        above |= trail->step[i].value & PTE_NX;
    }
    return above;
}

bool
pgm_walk(Vcpu *vcpu, uint64_t linear, PgmAccessKind access, CpumTlbKind kind, PgmWalk *walk,
         PgmFault *fault)
{
    Trail trail;
    WalkResult result;

    if (!(vcpu->cr0 & X86_CR0_PG)) {
        *walk = (PgmWalk){.gpa = linear & pgm_a20_mask(vcpu),
                          .rights = RIGHTS_ALL,
                          .shift = X86_PAGE_SHIFT,
                          .dirty = true};
        return true;
    }
    do {
        result = walk_tables(vcpu, linear, true, &trail, walk);
        if (result != WALK_OK || !pgm_rights_allow(vcpu, walk->rights, access, kind))
            return fail(vcpu, result, access, kind, fault);
        result = mark_accessed(vcpu, &trail, access == PGM_WRITE, walk);
    } while (result == WALK_AGAIN);
    if (trail.count > 1)
        remember(vcpu->pgm_vcpu, linear, &trail, rights_above(&trail));
    return true;
}

bool
pgm_translate(Vcpu *vcpu, uint64_t linear, PgmAccessKind access, CpumTlbKind kind, uint64_t *gpa,
              PgmFault *fault)
{
    PgmWalk walk;

    if (!pgm_walk(vcpu, linear, access, kind, &walk, fault))
        return false;
    *gpa = walk.gpa;
    return true;
}

bool
pgm_translate_quiet(Vcpu *vcpu, uint64_t linear, uint64_t *gpa)
{
    Trail trail;
    PgmWalk walk;

    if (!(vcpu->cr0 & X86_CR0_PG)) {
        *gpa = linear & pgm_a20_mask(vcpu);
        return true;
    }
    if (walk_tables(vcpu, linear, false, &trail, &walk) != WALK_OK)
        return false;
    *gpa = walk.gpa;
    return true;
}

/* --- the four pointers of PAE paging --- */

bool
pgm_load_pdptes(Vcpu *vcpu)
{
    uint64_t pointers[4];
    const uint64_t table = vcpu->cr3 & 0xffffffe0u;

    if (!(vcpu->cr0 & X86_CR0_PG) || !(vcpu->cr4 & X86_CR4_PAE) || (vcpu->efer & X86_EFER_LMA))
        return true;
    for (unsigned i = 0; i < 4; i++) {
        pointers[i] = read_entry(vcpu, table + i * 8, 8);
        if ((pointers[i] & PTE_P) && (pointers[i] & (ABOVE_PHYS | 0xfff00000000001e6ull)))
            return false;
    }
    memcpy(vcpu->pae_pdpte, pointers, sizeof pointers);
    return true;
}
