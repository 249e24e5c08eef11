/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What iem-cache.c (lookup, decoding) and iem-cache-keep.c (memory, forgetting) share. */
#pragma once

#include "vmm/iem/iem-cache.h"

#define IEM_HASH_SIZE 32768u
#define IEM_ARENA_SIZE (24u << 20)

struct IemCache {
    X86Decoder decoder;
    uint64_t features; /* that the decoder is for */
    Vcpu *vcpu;
    IemInsn single;
    uint32_t generation;
    uint8_t *arena;
    size_t used;
    IemBlock *hash[IEM_HASH_SIZE];
    PgmCodeIndex index;
    uint64_t decoded, killed, flushed;
};

static inline unsigned
iem_cache_hash(const uint8_t *host)
{
    uint64_t h = (uint64_t)(uintptr_t)host;

    return (unsigned)((h ^ (h >> 13)) & (IEM_HASH_SIZE - 1));
}

/* Room for the largest block and its bookkeeping; drops everything when the arena is full. */
void iem_cache_make_room(IemCache *cache);
/* Where the next block goes; commit keeps it, and nothing else may take memory between the two. */
IemBlock *iem_cache_block(IemCache *cache);
void iem_cache_commit(IemCache *cache, IemBlock *block);
void iem_cache_insert(IemCache *cache, IemBlock *block);

/* Notes that the block holds `bytes` bytes from gpa on (within a page), and has writes to them
 * reported. */
void iem_cache_note(IemCache *cache, uint64_t gpa, const uint8_t *host, unsigned bytes,
                    IemBlock *block);
/* Forgets the block: PgmCodeIndexCalls.kill, user is the cache. */
void iem_cache_kill(void *user, PgmCodeBlock *code);
