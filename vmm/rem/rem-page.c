/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which blocks hold which bytes of a page, and what happens when these are written. A write by
 * this CPU kills blocks before it is done and stops the block that executes after its present
 * instruction; a write by another thread (DMA, another CPU) is noted and acted on when the CPU next
 * enters. Intel SDM volume 3A section 11.6: exact here. */
#include "vmm/rem/rem-private.h"

typedef struct RemPageRef RemPageRef;
struct RemPageRef {
    RemPageRef *next;
    RemBlock *block;
    uint16_t first, end; /* offsets in the page */
};

/* Found by the page's host address, so that aliases in the physical map are one. */
struct RemPage {
    RemPage *hash_next;
    const uint8_t *host;
    uint64_t granules; /* bit i: some block holds bytes of [64 i, 64 i + 64) */
    RemPageRef *refs;
};

static RemPage **
slot_of(RemVcpu *rem, const uint8_t *host)
{
    uint64_t number = (uint64_t)(uintptr_t)host >> X86_PAGE_SHIFT;
    RemPage **slot = &rem->pages[(number ^ (number >> 12)) & (REM_PAGE_HASH_SIZE - 1)];

    while (*slot != NULL && (*slot)->host != host)
        slot = &(*slot)->hash_next;
    return slot;
}

/* The granules that [first, end) of a page touches. */
static uint64_t
granules(unsigned first, unsigned end)
{
    return (~0ull << (first / 64)) & (~0ull >> (63 - (end - 1) / 64));
}

bool
rem_page_add(RemVcpu *rem, uint64_t gpa, RemBlock *block, unsigned bytes)
{
    unsigned first = (unsigned)(gpa & X86_PAGE_OFFSET_MASK);
    RemPage **slot = slot_of(rem, block->host - first);
    RemPageRef *ref = rem_cache_take(rem, sizeof *ref);

    if (*slot == NULL)
        *slot = rem_cache_take(rem, sizeof **slot);
    if (ref == NULL || *slot == NULL)
        return false;
    (*slot)->host = block->host - first;
    *ref = (RemPageRef){(*slot)->refs, block, (uint16_t)first, (uint16_t)(first + bytes)};
    (*slot)->refs = ref;
    (*slot)->granules |= granules(ref->first, ref->end);
    pgm_code_mark(rem->vcpu, rem->listener, gpa, bytes);
    return true;
}

/* Kills the blocks with bytes in [first, end). */
static void
kill_range(RemVcpu *rem, RemPage *page, unsigned first, unsigned end)
{
    RemPageRef **link = &page->refs;

    if (!(page->granules & granules(first, end)))
        return;
    page->granules = 0;
    while (*link != NULL) {
        RemPageRef *ref = *link;

        if (ref->block->host == NULL || (ref->first < end && first < ref->end)) {
            rem_cache_kill(rem, ref->block);
            *link = ref->next;
            continue;
        }
        page->granules |= granules(ref->first, ref->end);
        link = &ref->next;
    }
}

/* True when nothing is held of the granules that were written. Within one page. */
static bool
write_page(RemVcpu *rem, uint64_t gpa, uint64_t size)
{
    unsigned first = (unsigned)(gpa & X86_PAGE_OFFSET_MASK);
    const uint8_t *host = pgm_code_page(rem->vcpu, gpa - first);
    RemPage *page = host != NULL ? *slot_of(rem, host) : NULL;

    if (page == NULL)
        return true;
    kill_range(rem, page, first, first + (unsigned)size);
    return !(page->granules & granules(first, first + (unsigned)size));
}

static bool
write_range(RemVcpu *rem, uint64_t gpa, uint64_t size)
{
    bool clean = true;

    while (size > 0) {
        uint64_t part = MIN(size, X86_PAGE_SIZE - (gpa & X86_PAGE_OFFSET_MASK));

        clean = write_page(rem, gpa, part) && clean;
        gpa += part;
        size -= part;
    }
    return clean;
}

bool
rem_page_written(void *user, Vcpu *writer, uint64_t gpa, uint64_t size)
{
    RemVcpu *rem = user;

    if (writer == rem->vcpu)
        return write_range(rem, gpa, size);
    pgm_remote_note(&rem->remote, gpa, size);
    return false;
}

static void
act_on_page(RemVcpu *rem, const PgmRemoteWrite *write)
{
    const uint8_t *host = pgm_code_page(rem->vcpu, write->gpa);
    RemPage *page = host != NULL ? *slot_of(rem, host) : NULL;

    for (uint64_t bits = write->granules; page != NULL && bits != 0; bits &= bits - 1) {
        const unsigned first = (unsigned)__builtin_ctzll(bits) * 64;

        kill_range(rem, page, first, first + 64);
    }
    pgm_code_release(rem->vcpu, rem->listener, write->gpa, page != NULL ? page->granules : 0);
}

void
rem_page_act_on_remote(RemVcpu *rem)
{
    PgmRemoteWrite writes[PGM_REMOTE_MAX];
    const unsigned count = pgm_remote_take(&rem->remote, writes);

    if (count > PGM_REMOTE_MAX)
        rem_cache_flush(rem);
    for (unsigned i = 0; i < MIN(count, PGM_REMOTE_MAX); i++)
        act_on_page(rem, &writes[i]);
}

void
rem_page_clear(RemVcpu *rem)
{
    memset(rem->pages, 0, sizeof rem->pages);
}
