/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The memory of the code cache and its pages: which blocks hold which bytes, and what happens when
 * these are written. A write by this CPU kills blocks before it is done and stops the block that
 * executes after its present instruction; a write by another thread (DMA) is noted and handled when
 * the CPU next enters the loop, which is before it can see that the DMA completed. */
#include "vmm/iem/iem-cache-private.h"

#define BLOCK_MAX (sizeof(IemBlock) + IEM_BLOCK_INSNS * sizeof(IemInsn))
#define EXTRAS (2 * (sizeof(IemBlockRef) + sizeof(IemCodePage)) + 64)

IemCache *
iem_cache_new(Vcpu *vcpu)
{
    IemCache *cache = g_new0(IemCache, 1);

    cache->vcpu = vcpu;
    cache->arena = g_malloc(IEM_ARENA_SIZE);
    cache->generation = pgm_generation(vcpu->pgm);
    pgm_remote_init(&cache->remote, vcpu);
    cache->features = vcpu->features;
    iem_decoder_init(&cache->decoder, vcpu);
    cache->listener = pgm_code_listen(vcpu->pgm, iem_code_written, cache);
    return cache;
}

void
iem_cache_free(IemCache *cache)
{
    pgm_code_unlisten(cache->vcpu->pgm, cache->listener);
    pgm_remote_clear(&cache->remote);
    g_free(cache->arena);
    g_free(cache);
}

void
iem_cache_flush(IemCache *cache)
{
    memset(cache->hash, 0, sizeof cache->hash);
    memset(cache->pages, 0, sizeof cache->pages);
    cache->used = 0;
    cache->flushed++;
}

static void *
take(IemCache *cache, size_t size)
{
    void *memory = cache->arena + cache->used;

    cache->used += (size + 15) & ~(size_t)15;
    return memory;
}

void
iem_cache_make_room(IemCache *cache)
{
    if (cache->used + BLOCK_MAX + EXTRAS > IEM_ARENA_SIZE)
        iem_cache_flush(cache);
}

IemBlock *
iem_cache_block(IemCache *cache)
{
    return (IemBlock *)(cache->arena + cache->used);
}

void
iem_cache_commit(IemCache *cache, IemBlock *block)
{
    take(cache, sizeof *block + block->count * sizeof(IemInsn));
    cache->decoded += block->count;
}

void
iem_cache_insert(IemCache *cache, IemBlock *block)
{
    IemBlock **bucket = &cache->hash[iem_cache_hash(block->host)];

    block->hash_next = *bucket;
    *bucket = block;
}

static IemCodePage **
page_slot(IemCache *cache, const uint8_t *host)
{
    uint64_t number = (uint64_t)(uintptr_t)host >> X86_PAGE_SHIFT;
    IemCodePage **slot = &cache->pages[(number ^ (number >> 12)) & (IEM_PAGE_HASH_SIZE - 1)];

    while (*slot != NULL && (*slot)->host != host)
        slot = &(*slot)->hash_next;
    return slot;
}

/* The granules of 64 bytes that [first, end) of a page touches. */
static uint64_t
granules(unsigned first, unsigned end)
{
    return (~0ull << (first / 64)) & (~0ull >> (63 - (end - 1) / 64));
}

void
iem_code_page_add(IemCache *cache, uint64_t gpa, const uint8_t *host, unsigned bytes,
                  IemBlock *block)
{
    unsigned first = (unsigned)(gpa & X86_PAGE_OFFSET_MASK);
    IemCodePage **slot = page_slot(cache, host - first);
    IemBlockRef *ref = take(cache, sizeof *ref);

    if (*slot == NULL) {
        *slot = take(cache, sizeof **slot);
        **slot = (IemCodePage){.host = host - first};
    }
    ref->block = block;
    ref->first = (uint16_t)first;
    ref->end = (uint16_t)(first + bytes);
    ref->next = (*slot)->refs;
    (*slot)->refs = ref;
    (*slot)->granules |= granules(ref->first, ref->end);
    pgm_code_mark(cache->vcpu, cache->listener, gpa, bytes);
}

void
iem_cache_kill(IemCache *cache, IemBlock *block)
{
    IemVcpu *iem = cache->vcpu->iem_vcpu;
    IemBlock **link = &cache->hash[iem_cache_hash(block->host)];

    if (block->host == NULL)
        return;
    cache->killed++;
    while (*link != block)
        link = &(*link)->hash_next;
    *link = block->hash_next;
    block->host = NULL;
    if (iem->insn >= block->insn && iem->insn < block->insn + block->count)
        iem->stop |= IEM_STOP_CODE;
}

/* Kills the blocks with bytes in [first, end). */
static void
kill_range(IemCache *cache, IemCodePage *page, unsigned first, unsigned end)
{
    IemBlockRef **link = &page->refs;

    if (!(page->granules & granules(first, end)))
        return;
    page->granules = 0;
    while (*link != NULL) {
        IemBlockRef *ref = *link;

        if (ref->block->host == NULL || (ref->first < end && first < ref->end)) {
            iem_cache_kill(cache, ref->block);
            *link = ref->next;
            continue;
        }
        page->granules |= granules(ref->first, ref->end);
        link = &ref->next;
    }
}

/* True when nothing is held of the granules that were written. The range lies within one page. */
static bool
write_page(IemCache *cache, uint64_t gpa, uint64_t size)
{
    unsigned first = (unsigned)(gpa & X86_PAGE_OFFSET_MASK);
    const uint8_t *host = pgm_code_page(cache->vcpu, gpa - first);
    IemCodePage *page = host != NULL ? *page_slot(cache, host) : NULL;

    if (page == NULL)
        return true;
    kill_range(cache, page, first, first + (unsigned)size);
    return !(page->granules & granules(first, first + (unsigned)size));
}

static bool
write_range(IemCache *cache, uint64_t gpa, uint64_t size)
{
    bool clean = true;

    while (size > 0) {
        uint64_t part = MIN(size, X86_PAGE_SIZE - (gpa & X86_PAGE_OFFSET_MASK));

        clean = write_page(cache, gpa, part) && clean;
        gpa += part;
        size -= part;
    }
    return clean;
}

/* --- writes by others --- */

bool
iem_code_written(void *user, Vcpu *writer, uint64_t gpa, uint64_t size)
{
    IemCache *cache = user;

    if (writer == cache->vcpu)
        return write_range(cache, gpa, size);
    pgm_remote_note(&cache->remote, gpa, size);
    return false;
}

static void
act_on_page(IemCache *cache, const PgmRemoteWrite *write)
{
    const uint8_t *host = pgm_code_page(cache->vcpu, write->gpa);
    IemCodePage *page = host != NULL ? *page_slot(cache, host) : NULL;

    for (uint64_t bits = write->granules; page != NULL && bits != 0; bits &= bits - 1) {
        const unsigned first = (unsigned)__builtin_ctzll(bits) * 64;

        kill_range(cache, page, first, first + 64);
    }
    pgm_code_release(cache->vcpu, cache->listener, write->gpa, page != NULL ? page->granules : 0);
}

static void
act_on_remote(IemCache *cache)
{
    PgmRemoteWrite writes[PGM_REMOTE_MAX];
    const unsigned count = pgm_remote_take(&cache->remote, writes);

    if (count > PGM_REMOTE_MAX)
        iem_cache_flush(cache);
    for (unsigned i = 0; i < MIN(count, PGM_REMOTE_MAX); i++)
        act_on_page(cache, &writes[i]);
}

void
iem_cache_enter(Vcpu *vcpu)
{
    IemCache *cache = vcpu->iem_vcpu->cache;
    const uint32_t generation = pgm_generation(vcpu->pgm);

    if (cache->generation != generation) {
        cache->generation = generation;
        iem_cache_flush(cache);
    }
    if (cache->features != vcpu->features) { /* a saved state brought others */
        cache->features = vcpu->features;
        iem_decoder_init(&cache->decoder, vcpu);
        iem_cache_flush(cache);
    }
    act_on_remote(cache);
}

void
iem_cache_info(Vcpu *vcpu, GString *out)
{
    const IemCache *cache = vcpu->iem_vcpu->cache;

    g_string_append_printf(out, "iem-decoded %" G_GUINT64_FORMAT "\n", cache->decoded);
    g_string_append_printf(out, "iem-killed-blocks %" G_GUINT64_FORMAT "\n", cache->killed);
    g_string_append_printf(out, "iem-cache-flushes %" G_GUINT64_FORMAT "\n", cache->flushed);
    g_string_append_printf(out, "iem-cache-bytes %" G_GSIZE_FORMAT "\n", cache->used);
}
