/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The blocks of a code cache by page and granule. Pages are found by their host address, so that
 * aliases in the physical map are one. */
#include "vmm/pgm/pgm-code-index.h"

#include "vmm/pgm/pgm-private.h"

#define GRANULE 64u

/* A block's bytes in one page. */
typedef struct PgmCodeRef PgmCodeRef;
struct PgmCodeRef {
    PgmCodeRef *next;
    PgmCodeBlock *block;
    uint16_t first, end; /* offsets in the page */
};

struct PgmCodePage {
    PgmCodePage *hash_next;
    const uint8_t *host;
    uint64_t granules; /* bit i: some block holds bytes of [64 i, 64 i + 64) */
    PgmCodeRef *refs;
};

static PgmCodePage **
slot_of(PgmCodeIndex *index, const uint8_t *host)
{
    const uint64_t number = (uint64_t)(uintptr_t)host >> X86_PAGE_SHIFT;
    PgmCodePage **slot = &index->pages[(number ^ (number >> 12)) % PGM_CODE_PAGES];

    while (*slot != NULL && (*slot)->host != host)
        slot = &(*slot)->hash_next;
    return slot;
}

/* The granules that [first, end) of a page touches. */
static uint64_t
granules(unsigned first, unsigned end)
{
    return (~0ull << (first / GRANULE)) & (~0ull >> (63 - (end - 1) / GRANULE));
}

bool
pgm_code_gpa(Vcpu *vcpu, const uint8_t *host, uint64_t *gpa)
{
    const PgmMap *map = vcpu->pgm_vcpu->map;

    for (unsigned i = 0; i < map->count; i++) {
        const PgmRange *range = &map->range[i];
        const uint64_t inside = (uint64_t)((uintptr_t)host - (uintptr_t)range->read.host);

        if (range->read.to != PGM_TO_MEM || inside >= range->end - range->start)
            continue;
        *gpa = range->start + inside;
        if (pgm_code_page(vcpu, *gpa) == host - (*gpa & X86_PAGE_OFFSET_MASK))
            return true;
    }
    return false;
}

bool
pgm_code_index_add(PgmCodeIndex *index, uint64_t gpa, const uint8_t *host, unsigned bytes,
                   PgmCodeBlock *block)
{
    const unsigned first = (unsigned)(gpa & X86_PAGE_OFFSET_MASK);
    PgmCodePage **slot = slot_of(index, host - first);
    PgmCodeRef *ref = index->calls->take(index->user, sizeof *ref);

    if (*slot == NULL)
        *slot = index->calls->take(index->user, sizeof **slot);
    if (ref == NULL || *slot == NULL)
        return false;
    (*slot)->host = host - first;
    *ref = (PgmCodeRef){(*slot)->refs, block, (uint16_t)first, (uint16_t)(first + bytes)};
    (*slot)->refs = ref;
    (*slot)->granules |= granules(ref->first, ref->end);
    pgm_code_mark(index->vcpu, index->listener, gpa, bytes);
    return true;
}

/* Kills the blocks with bytes in [first, end). */
static void
kill_range(PgmCodeIndex *index, PgmCodePage *page, unsigned first, unsigned end)
{
    PgmCodeRef **link = &page->refs;

    if (!(page->granules & granules(first, end)))
        return;
    page->granules = 0;
    while (*link != NULL) {
        PgmCodeRef *ref = *link;

        if (ref->block->host == NULL || (ref->first < end && first < ref->end)) {
            index->calls->kill(index->user, ref->block);
            *link = ref->next;
            continue;
        }
        page->granules |= granules(ref->first, ref->end);
        link = &ref->next;
    }
}

/* True when nothing is held of the granules that were written. Within one page. */
static bool
write_page(PgmCodeIndex *index, uint64_t gpa, uint64_t size)
{
    const unsigned first = (unsigned)(gpa & X86_PAGE_OFFSET_MASK);
    const uint8_t *host = pgm_code_page(index->vcpu, gpa - first);
    PgmCodePage *page = host != NULL ? *slot_of(index, host) : NULL;

    if (page == NULL)
        return true;
    kill_range(index, page, first, first + (unsigned)size);
    return !(page->granules & granules(first, first + (unsigned)size));
}

static bool
on_write(void *user, Vcpu *writer, uint64_t gpa, uint64_t size)
{
    PgmCodeIndex *index = user;
    bool clean = true;

    if (writer != index->vcpu) {
        pgm_remote_note(&index->remote, gpa, size);
        return false;
    }
    while (size > 0) {
        const uint64_t part = MIN(size, X86_PAGE_SIZE - (gpa & X86_PAGE_OFFSET_MASK));

        clean = write_page(index, gpa, part) && clean;
        gpa += part;
        size -= part;
    }
    return clean;
}

/* --- writes by others --- */

static void
act_on_page(PgmCodeIndex *index, const PgmRemoteWrite *write)
{
    const uint8_t *host = pgm_code_page(index->vcpu, write->gpa);
    PgmCodePage *page = host != NULL ? *slot_of(index, host) : NULL;

    for (uint64_t bits = write->granules; page != NULL && bits != 0; bits &= bits - 1) {
        const unsigned first = (unsigned)__builtin_ctzll(bits) * GRANULE;

        kill_range(index, page, first, first + GRANULE);
    }
    pgm_code_release(index->vcpu, index->listener, write->gpa, page != NULL ? page->granules : 0);
}

void
pgm_code_index_enter(PgmCodeIndex *index)
{
    PgmRemoteWrite writes[PGM_REMOTE_MAX];
    const unsigned count = pgm_remote_take(&index->remote, writes);

    if (count > PGM_REMOTE_MAX)
        index->calls->flush(index->user);
    for (unsigned i = 0; i < MIN(count, PGM_REMOTE_MAX); i++)
        act_on_page(index, &writes[i]);
}

/* --- life --- */

void
pgm_code_index_clear(PgmCodeIndex *index)
{
    memset(index->pages, 0, sizeof index->pages);
}

void
pgm_code_index_init(PgmCodeIndex *index, Vcpu *vcpu, const PgmCodeIndexCalls *calls, void *user)
{
    index->vcpu = vcpu;
    index->calls = calls;
    index->user = user;
    pgm_code_index_clear(index);
    pgm_remote_init(&index->remote, vcpu);
    index->listener = pgm_code_listen(vcpu->pgm, on_write, index);
}

void
pgm_code_index_free(PgmCodeIndex *index)
{
    if (index->vcpu == NULL)
        return;
    pgm_code_unlisten(index->vcpu->pgm, index->listener);
    pgm_remote_clear(&index->remote);
    index->vcpu = NULL;
}
