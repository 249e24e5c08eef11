/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Accesses across two pages: once an instruction has met one, it gets a second form out of line,
 * whose operand is RemHot.bounce; C code copies between that and the two pages. Pages that are not
 * plain memory, operands that have to be aligned or locked, and whatever is not a copy of the
 * guest's instruction are IEM's. Intel SDM volume 3A section 9.1.1: such accesses are not atomic.
 */
#include "vmm/rem/rem-translate.h"

#define NEVER UINT32_MAX /* RemSite.link: there is no second form */
#define PAGE_MASK (~(uint64_t)X86_PAGE_OFFSET_MASK)

/* Some of its bytes may have to be left alone. */
static bool
is_masked(const RemInsn *insn)
{
    return insn->op.map == 2 && (insn->form & REM_FORM_VEX) &&
           ((insn->op.code & 0xfc) == 0x2c || (insn->op.code & 0xfd) == 0x8c);
}

static bool
is_plain(const RemSite *site, const RemInsn *insn)
{
    const uint16_t special = REM_DOES_X87 | REM_DOES_MMX | REM_DOES_DIVIDE;

    return rem_is_copy(insn) && rem_can_rewrite(insn) && (insn->does & REM_DOES_MEMORY) &&
           !(insn->does & special) && !(insn->form & REM_FORM_LOCK) && insn->mem.align == 1 &&
           insn->mem.size == site->size && insn->mem.size <= sizeof((RemHot *)0)->bounce &&
           insn->row != ZYDIS_MNEMONIC_XCHG && insn->row != ZYDIS_MNEMONIC_LDMXCSR &&
           insn->row != ZYDIS_MNEMONIC_VLDMXCSR && !is_masked(insn);
}

static bool
decode(Vcpu *vcpu, const RemSite *site, RemInsn *insn)
{
    RemVcpu *rem = rem_of(vcpu);
    const RemBlock *block = &rem->blocks[site->block];
    const uint8_t *page;

    if (block->code.host == NULL || block->second != NULL)
        return false;
    page = (const uint8_t *)((uintptr_t)block->code.host & PAGE_MASK);
    return rem_insn_decode(&rem->decoder, rem_code_size(block->mode), vcpu, page + site->offset,
                           X86_PAGE_SIZE - site->offset, insn) == X86_DECODE_OK &&
           is_plain(site, insn);
}

/* Part of the operand in a page: where it is on the host. NULL: not plain memory, or absent. */
static uint8_t *
host_of(Vcpu *vcpu, uint64_t linear, bool write)
{
    const CpumTlbEntry *entry = cpum_tlb_entry(vcpu, vcpu->tlb_kind, linear);
    PgmFault fault;

    if ((write ? entry->tag_write : entry->tag_read) != (linear & PAGE_MASK) &&
        !pgm_tlb_fill(vcpu, linear, write ? PGM_WRITE : PGM_READ, vcpu->tlb_kind, &fault))
        return NULL;
    if ((write ? entry->tag_write : entry->tag_read) != (linear & PAGE_MASK))
        return NULL;
    return (uint8_t *)(uintptr_t)(entry->addend + linear);
}

/* Copies the operand at `linear` to the bounce, or back. False: a page is not plain memory. */
static bool
copy(Vcpu *vcpu, uint64_t linear, unsigned size, bool write, bool back)
{
    const unsigned unused = 64u - vcpu->linear_bits;
    const unsigned first = X86_PAGE_SIZE - (unsigned)(linear & X86_PAGE_OFFSET_MASK);
    const uint64_t second = linear + first;
    uint8_t *bounce = rem_hot(vcpu)->bounce, *low, *high;

    if (vcpu->mode == CPUM_MODE_LONG64
            ? (uint64_t)((int64_t)(linear << unused) >> unused) != linear ||
                  (uint64_t)((int64_t)(second << unused) >> unused) != second
            : second > UINT32_MAX)
        return false;
    /* Where the first page faults the walk of the second must not leave its marks. */
    low = host_of(vcpu, linear, write);
    high = low != NULL ? host_of(vcpu, second, write) : NULL;
    if (high == NULL)
        return false;
    if (back) {
        memcpy(low, bounce, first);
        memcpy(high, bounce + first, size - first);
    } else {
        memcpy(bounce, low, first);
        memcpy(bounce + first, high, size - first);
    }
    return true;
}

/* Behind the second form of an instruction that writes. */
static const uint8_t *
call_crossed(Vcpu *vcpu, const RemSite *site, uint64_t argument)
{
    copy(vcpu, rem_of(vcpu)->crossed, site->size, true, true);
    return rem_code(rem_of(vcpu), site->next);
}

/* Where the second form is; NEVER: there cannot be one. */
static uint32_t
make(Vcpu *vcpu, const RemSite *site)
{
    const RemMem bounce = rem_mem_hot(offsetof(RemHot, bounce));
    RemVcpu *rem = rem_of(vcpu);
    RemEmit *cold = &rem->cold;
    const uint32_t start = rem_emit_offset(cold);
    const RemRip rip = {0};
    RemInsn insn;

    if (!decode(vcpu, site, &insn))
        return NEVER;
    rem_emit_load_flags(cold);
    if (!rem_rewrite(cold, &insn, &bounce, &rip))
        return NEVER;
    rem_emit_store_flags(cold);
    if (insn.mem.written) {
        RemSite *crossed = &rem->sites[rem->site_count];

        *crossed = *site;
        crossed->call = call_crossed;
        rem_emit_mov_ri(cold, REM_T0, rem->site_count++);
        rem_emit_jmp_m(cold, rem_mem_hot(offsetof(RemHot, leave)));
    } else {
        rem_emit_jmp_to(cold, rem_code(rem, site->next));
    }
    return start;
}

const uint8_t *
rem_cross(Vcpu *vcpu, const RemSite *site, uint64_t linear)
{
    RemVcpu *rem = rem_of(vcpu);
    RemSite *own = &rem->sites[site - rem->sites];

    if (own->link == 0 && rem_cache_has_room(rem))
        own->link = make(vcpu, site);
    if (own->link == 0 || own->link == NEVER ||
        !copy(vcpu, linear, site->size, site->flags & REM_SITE_WRITE, false))
        return NULL;
    rem->crossed = linear;
    return rem_code(rem, own->link);
}
