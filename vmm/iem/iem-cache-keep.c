/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The memory of the code cache: where blocks are kept, how they are noted with their pages, and how
 * they are forgotten. */
#include "vmm/iem/iem-cache-private.h"

#include "vmm/base/memory.h"

#define BLOCK_MAX (sizeof(IemBlock) + IEM_BLOCK_INSNS * sizeof(IemInsn))
#define EXTRAS 256 /* what two calls of iem_cache_note() take */

/* iem_cache_make_room() saw to it that there is some. */
static void *
take(IemCache *cache, size_t size)
{
    void *memory = cache->arena + cache->used;

    cache->used += (size + 15) & ~(size_t)15;
    return memory;
}

static void *
take_zeroed(void *user, size_t size)
{
    return memset(take(user, size), 0, size);
}

void
iem_cache_kill(void *user, PgmCodeBlock *code)
{
    IemCache *cache = user;
    IemBlock *block = (IemBlock *)code;
    IemVcpu *iem = cache->vcpu->iem_vcpu;
    IemBlock **link = &cache->hash[iem_cache_hash(code->host)];

    if (code->host == NULL)
        return;
    cache->killed++;
    while (*link != block)
        link = &(*link)->hash_next;
    *link = block->hash_next;
    code->host = NULL;
    if (iem->insn >= block->insn && iem->insn < block->insn + block->count)
        iem->stop |= IEM_STOP_CODE;
}

static void
flush(void *user)
{
    iem_cache_flush(user);
}

IemCache *
iem_cache_new(Vcpu *vcpu)
{
    static const PgmCodeIndexCalls calls = {take_zeroed, iem_cache_kill, flush};
    IemCache *cache = g_new0(IemCache, 1);

    cache->vcpu = vcpu;
    cache->arena = base_memory_map(IEM_ARENA_SIZE, 0, NULL);
    if (cache->arena == NULL)
        g_error("There is no memory for the interpreter's cache.");
    cache->generation = pgm_generation(vcpu->pgm);
    cache->features = vcpu->features;
    iem_decoder_init(&cache->decoder, vcpu);
    pgm_code_index_init(&cache->index, vcpu, &calls, cache);
    return cache;
}

void
iem_cache_free(IemCache *cache)
{
    pgm_code_index_free(&cache->index);
    base_memory_unmap(cache->arena, IEM_ARENA_SIZE);
    g_free(cache);
}

void
iem_cache_flush(IemCache *cache)
{
    memset(cache->hash, 0, sizeof cache->hash);
    pgm_code_index_clear(&cache->index);
    cache->used = 0;
    cache->flushed++;
}

void
iem_cache_drop(IemCache *cache)
{
    iem_cache_flush(cache);
    base_memory_discard(cache->arena, IEM_ARENA_SIZE);
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
    IemBlock **bucket = &cache->hash[iem_cache_hash(block->code.host)];

    block->hash_next = *bucket;
    *bucket = block;
}

void
iem_cache_note(IemCache *cache, uint64_t gpa, const uint8_t *host, unsigned bytes, IemBlock *block)
{
    pgm_code_index_add(&cache->index, gpa, host, bytes, &block->code);
}

void
iem_cache_enter(Vcpu *vcpu)
{
    IemCache *cache = vcpu->iem_vcpu->cache;
    const uint32_t generation = pgm_generation(vcpu->pgm);

    if (cache->generation != generation) {
        cache->generation = generation;
        iem_cache_drop(cache);
    }
    if (cache->features != vcpu->features) { /* a saved state brought others */
        cache->features = vcpu->features;
        iem_decoder_init(&cache->decoder, vcpu);
        iem_cache_flush(cache);
    }
    pgm_code_index_enter(&cache->index);
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
