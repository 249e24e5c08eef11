/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The cache of blocks: by the host address of the first byte (which is one for each guest-physical
 * address, however it is mapped) and the mode. Memory is bounded: when any of it is used up,
 * everything is forgotten. Nothing is freed before that. */
#include "vmm/rem/rem-trace.h"

#include "vmm/base/memory.h"
#include "vmm/iem/iem.h"

#define PAGE_MASK (~(uint64_t)X86_PAGE_OFFSET_MASK)
/* Room for the largest block, in each part of the code memory, and for all that goes with it. */
#define ROOM_CODE ((size_t)192 << 10)
#define ROOM_SITES (3 * REM_TRACE_INSNS)
#define ROOM_ARENA ((size_t)16 << 10)
/* A guest that executes so few instructions a second, for so long, only waits. If it has translated
 * more than that, or had to forget all of it meanwhile, most of the memory is that of what ran
 * once, and goes. */
#define REST_US (8 * G_USEC_PER_SEC)
#define REST_INSNS_PER_SECOND 8000000
#define REST_CODE ((size_t)12 << 20)

static void
start_code(RemVcpu *rem)
{
    const ptrdiff_t exec_offset = rem->memory.exec - rem->memory.write;

    /* Both count their offsets from the start of the memory, so that one can jump to the other. */
    rem_emit_init(&rem->hot, rem->memory.write, rem->memory.size / 2, exec_offset, rem->bmi2);
    rem_emit_init(&rem->cold, rem->memory.write, rem->memory.size, exec_offset, rem->bmi2);
    rem->cold.at += rem->memory.size / 2;
    rem_trampolines_emit(rem);
    rem->sites[REM_SITE_TARGET] = (RemSite){.call = rem_call_target};
    rem->sites[REM_SITE_INDIRECT] = (RemSite){.call = rem_call_indirect};
    rem->site_count = 2;
    rem->block_count = 0;
    rem->arena_used = 0;
    rem_returns_clear(rem);
}

bool
rem_cache_init(RemVcpu *rem, GError **error)
{
    const unsigned cpus = cpum_count(rem->vcpu->cpum);

    rem->arena_size = REM_ARENA_SIZE / cpus;
    rem->sites_most = REM_SITES / cpus;
    rem->blocks_most = REM_BLOCKS / cpus;
    if (!base_exec_memory_new(&rem->memory, REM_CODE_SIZE / cpus, error))
        return false;
    rem->sites = base_memory_map(rem->sites_most * sizeof *rem->sites, 0, error);
    rem->blocks = base_memory_map(rem->blocks_most * sizeof *rem->blocks, 0, error);
    rem->jumps = base_memory_map(REM_JUMPS * sizeof *rem->jumps, 0, error);
    rem->arena = base_memory_map(rem->arena_size, 0, error);
    if (rem->sites == NULL || rem->blocks == NULL || rem->jumps == NULL || rem->arena == NULL)
        return false;
    rem_hot(rem->vcpu)->jumps = (uint64_t)(uintptr_t)rem->jumps;
    start_code(rem);
    return true;
}

void
rem_cache_clear(RemVcpu *rem)
{
    pgm_code_index_free(&rem->index);
    base_exec_memory_free(&rem->memory);
    base_memory_unmap(rem->sites, rem->sites_most * sizeof *rem->sites);
    base_memory_unmap(rem->blocks, rem->blocks_most * sizeof *rem->blocks);
    base_memory_unmap(rem->jumps, REM_JUMPS * sizeof *rem->jumps);
    base_memory_unmap(rem->arena, rem->arena_size);
}

void
rem_cache_flush(RemVcpu *rem)
{
    memset(rem->hash, 0, sizeof rem->hash);
    memset(rem->heads, 0, sizeof rem->heads);
    rem_record_cancel(rem);
    pgm_code_index_clear(&rem->index);
    base_memory_discard(rem->jumps, REM_JUMPS * sizeof *rem->jumps);
    rem->flushes++;
    start_code(rem);
}

static size_t
page_up(size_t size)
{
    return (size + X86_PAGE_OFFSET_MASK) & (size_t)PAGE_MASK;
}

/* The same, and gives the memory back to the host. Not while anything of it is in use. */
static void
drop(RemVcpu *rem)
{
    const size_t half = rem->memory.size / 2;
    size_t kept;

    rem_cache_flush(rem);
    kept = page_up((size_t)(rem->hot.at - rem->hot.start));
    base_exec_memory_discard(&rem->memory, kept, half - kept);
    base_exec_memory_discard(&rem->memory, half, rem->memory.size - half);
    kept = page_up(rem->site_count * sizeof *rem->sites);
    base_memory_discard((uint8_t *)rem->sites + kept, rem->sites_most * sizeof *rem->sites - kept);
    base_memory_discard(rem->blocks, rem->blocks_most * sizeof *rem->blocks);
    base_memory_discard(rem->arena, rem->arena_size);
    rem->flushes_rested = rem->flushes;
}

size_t
rem_cache_code_bytes(const RemVcpu *rem)
{
    return (size_t)(rem->hot.at - rem->hot.start) + (size_t)(rem->cold.at - rem->cold.start) -
           rem->memory.size / 2;
}

/* Drops what an idle guest left behind. */
static void
rest(Vcpu *vcpu)
{
    RemVcpu *rem = rem_of(vcpu);
    const gint64 now = g_get_monotonic_time(), passed = now - rem->rest_look;
    const uint64_t most = (uint64_t)(passed / G_USEC_PER_SEC + 1) * REST_INSNS_PER_SECOND;

    if (passed < REST_US)
        return;
    if (rem->rest_look != 0 && vcpu->retired - rem->rest_retired < most &&
        (rem->flushes != rem->flushes_rested ||
         rem_cache_code_bytes(rem) > REST_CODE / cpum_count(vcpu->cpum))) {
        drop(rem);
        iem_engine.forget(vcpu);
    }
    rem->rest_look = now;
    rem->rest_retired = vcpu->retired;
}

void *
rem_cache_take(RemVcpu *rem, size_t size)
{
    void *memory = rem->arena + rem->arena_used;

    size = (size + 15) & ~(size_t)15;
    if (size > rem->arena_size - rem->arena_used)
        return NULL;
    rem->arena_used += size;
    return memset(memory, 0, size);
}

bool
rem_cache_has_room(const RemVcpu *rem)
{
    return (size_t)(rem->hot.end - rem->hot.at) >= ROOM_CODE &&
           (size_t)(rem->cold.end - rem->cold.at) >= ROOM_CODE &&
           rem->site_count + ROOM_SITES <= rem->sites_most && rem->block_count < rem->blocks_most &&
           rem->arena_used + ROOM_ARENA <= rem->arena_size;
}

static unsigned
hash_of(const uint8_t *host)
{
    uint64_t h = (uint64_t)(uintptr_t)host;

    return (unsigned)((h ^ (h >> 16)) & (REM_HASH_SIZE - 1));
}

static uint64_t
target_key(const RemBlock *block)
{
    return (uint64_t)(uintptr_t)block->code.host ^ (uint64_t)block->mode << 48;
}

static void
write_jump(RemVcpu *rem, uint32_t at, uint32_t to)
{
    const int32_t distance = (int32_t)(to - (at + 4));

    memcpy(rem->memory.write + at, &distance, 4);
}

static void
write_cell(RemVcpu *rem, uint32_t cell, uint64_t value)
{
    if (cell != 0)
        memcpy(rem->memory.write + cell, &value, 8);
}

void
rem_cache_link(RemVcpu *rem, RemBlock *block, const RemSite *site)
{
    const uint64_t page = (uint64_t)(uintptr_t)block->code.host & PAGE_MASK;
    const bool saved = site->flags & REM_SITE_FLAGS_SAVED;
    RemLink *link = rem_cache_take(rem, sizeof *link);
    int32_t before;

    if (link == NULL)
        return;
    memcpy(&before, rem->memory.write + site->link, 4);
    *link = (RemLink){
        block->links,
        site->link,
        site->link + 4 + (uint32_t)before,
        site->cell,
    };
    block->links = link;
    write_jump(rem, site->link, saved ? block->entry_saved : block->entry);
    write_cell(rem, site->cell, page);
    rem->linked++;
}

static void
unlink_all(RemVcpu *rem, RemBlock *block)
{
    for (const RemLink *link = block->links; link != NULL; link = link->next) {
        write_jump(rem, link->at, link->stub);
        write_cell(rem, link->cell, 0);
    }
    block->links = NULL;
}

/* Nothing leads to the block any more but a search for it. */
static void
isolate(RemVcpu *rem, RemBlock *block)
{
    RemTarget *target = rem_jump_target(rem, block->code.host);

    if (target->key == target_key(block))
        target->key = 0;
    unlink_all(rem, block);
}

static void
forget_block(RemVcpu *rem, RemBlock *block)
{
    RemBlock **link = &rem->hash[hash_of(block->code.host)];

    rem->killed_blocks++;
    while (*link != block)
        link = &(*link)->hash_next;
    *link = block->hash_next;
    isolate(rem, block);
    block->code.host = NULL;
}

static void
kill_block(void *user, PgmCodeBlock *code)
{
    RemVcpu *rem = user;

    if (code->host == NULL)
        return;
    forget_block(rem, (RemBlock *)code);
    iem_stop(rem->vcpu);
}

/* The entry of a page that can be executed from memory; NULL: IEM has to see to it. */
static const CpumTlbEntry *
exec_entry(Vcpu *vcpu, uint64_t linear)
{
    const CpumTlbEntry *entry = cpum_tlb_entry(vcpu, vcpu->tlb_kind, linear);
    const unsigned shift = 64u - vcpu->linear_bits;
    PgmFault fault;

    if (G_LIKELY(entry->tag_exec == (linear & PAGE_MASK)))
        return entry;
    if (vcpu->mode == CPUM_MODE_LONG64 && (uint64_t)((int64_t)(linear << shift) >> shift) != linear)
        return NULL;
    if (!pgm_tlb_fill(vcpu, linear, PGM_EXEC, vcpu->tlb_kind, &fault))
        return NULL;
    return entry->tag_exec == (linear & PAGE_MASK) ? entry : NULL;
}

/* Where code is: guest-physical, host. */
typedef struct {
    uint64_t gpa;
    const uint8_t *host;
} Place;

static bool
find_place(Vcpu *vcpu, uint64_t linear, Place *place)
{
    const CpumTlbEntry *entry = exec_entry(vcpu, linear);

    if (entry == NULL)
        return false;
    place->host = (const uint8_t *)(uintptr_t)(entry->addend + linear);
    return pgm_code_gpa(vcpu, place->host, &place->gpa);
}

/* The page behind that of a linear address. */
static uint64_t
next_page(const Vcpu *vcpu, uint64_t linear)
{
    const uint64_t next = (linear & PAGE_MASK) + X86_PAGE_SIZE;

    return vcpu->mode == CPUM_MODE_LONG64 ? next : (uint32_t)next;
}

/* Has bytes of the block watched. False: no memory left, or they were written before that. */
static bool
watch(RemVcpu *rem, RemBlock *block, const Place *place, const uint8_t *bytes, unsigned count)
{
    return pgm_code_index_add(&rem->index, place->gpa, place->host, count, &block->code) &&
           memcmp(bytes, place->host, count) == 0;
}

static void
insert(RemVcpu *rem, RemBlock *block)
{
    RemBlock **head = &rem->hash[hash_of(block->code.host)];

    rem->block_count++;
    block->hash_next = *head;
    *head = block;
    rem->translated++;
    rem->translated_insns += block->count;
}

/* A block of the one instruction that begins at the end of a page. */
static bool
translate_crossing(Vcpu *vcpu, uint64_t linear, RemBlock *block, uint8_t *bytes, unsigned in_page,
                   Place *second)
{
    if (!(block->mode & REM_MODE_FLAT_CODE) || !find_place(vcpu, next_page(vcpu, linear), second))
        return false;
    block->second = second->host;
    memcpy(bytes + in_page, second->host, X86_INSN_MAX);
    return rem_translate(vcpu, block, bytes, in_page + X86_INSN_MAX);
}

static RemBlock *
translate(Vcpu *vcpu, uint64_t linear)
{
    RemVcpu *rem = rem_of(vcpu);
    const unsigned in_page = X86_PAGE_SIZE - (unsigned)(linear & X86_PAGE_OFFSET_MASK);
    const unsigned available = MIN(in_page, REM_BLOCK_INSNS * X86_INSN_MAX);
    uint8_t bytes[(REM_BLOCK_INSNS + 1) * X86_INSN_MAX];
    Place first, second;
    RemBlock *block;
    unsigned count;

    if (!find_place(vcpu, linear, &first))
        return NULL;
    if (!rem_cache_has_room(rem))
        rem_cache_flush(rem);
    block = &rem->blocks[rem->block_count];
    *block = (RemBlock){.code.host = first.host, .mode = rem->mode};
    memcpy(bytes, first.host, available);
    if (!rem_translate(vcpu, block, bytes, available) &&
        !translate_crossing(vcpu, linear, block, bytes, available, &second))
        return NULL;
    insert(rem, block);
    count = MIN(block->bytes, in_page);
    if (!watch(rem, block, &first, bytes, count) ||
        (block->second != NULL &&
         !watch(rem, block, &second, bytes + count, block->bytes - count))) {
        kill_block(rem, &block->code);
        return NULL;
    }
    return block;
}

/* Where the block's instruction ends in another page: is it that one? */
static bool
has_second(Vcpu *vcpu, uint64_t linear, const RemBlock *block)
{
    const CpumTlbEntry *entry;

    if (block->second == NULL)
        return true;
    linear = next_page(vcpu, linear);
    entry = exec_entry(vcpu, linear);
    return entry != NULL && entry->addend + linear == (uint64_t)(uintptr_t)block->second;
}

/* --- traces --- */

static RemBlock *
find(const RemVcpu *rem, const uint8_t *host, unsigned mode, bool trace)
{
    RemBlock *block = rem->hash[hash_of(host)];

    while (block != NULL &&
           (block->code.host != host || block->mode != mode || block->trace != trace))
        block = block->hash_next;
    return block;
}

static unsigned
head_bit(const uint8_t *host)
{
    const uintptr_t h = (uintptr_t)host;

    return (h ^ h >> 12) & (REM_HEADS - 1);
}

static bool
may_have_trace(const RemVcpu *rem, const uint8_t *host)
{
    return rem->heads[head_bit(host) / 64] >> (head_bit(host) % 64) & 1;
}

RemBlock *
rem_cache_find_trace(const RemVcpu *rem, const uint8_t *host, unsigned mode)
{
    return may_have_trace(rem, host) ? find(rem, host, mode & ~(unsigned)REM_MODE_NO_SHARE, true)
                                     : NULL;
}

/* Blocks that run across the trace's start would pass it by: they are made anew, and end there. */
static void
make_way(RemVcpu *rem, const uint8_t *head, const uint8_t *page, unsigned mode)
{
    const size_t most = REM_BLOCK_INSNS * X86_INSN_MAX;
    RemBlock *block;

    for (const uint8_t *host = (size_t)(head - page) > most ? head - most : page; host < head;
         host++) {
        block = find(rem, host, mode, false);
        if (block != NULL && host + block->bytes > head)
            forget_block(rem, block);
        block = find(rem, host, mode | REM_MODE_NO_SHARE, false);
        if (block != NULL && host + block->bytes > head)
            forget_block(rem, block);
    }
    block = find(rem, head, mode, false);
    if (block != NULL)
        isolate(rem, block);
}

bool
rem_cache_trace_page(Vcpu *vcpu, uint64_t linear, RemTracePage *page)
{
    if (vcpu->mode != CPUM_MODE_LONG64)
        linear = (uint32_t)linear;
    if (!pgm_translate_quiet(vcpu, linear & PAGE_MASK, &page->gpa))
        return false;
    page->host = pgm_code_page(vcpu, page->gpa);
    return page->host != NULL;
}

/* Are the trace's pages where they were when it was decoded? */
static bool
has_pages(Vcpu *vcpu, const RemTrace *trace)
{
    for (unsigned i = 0; i < trace->page_count; i++) {
        const RemTracePage *before = &trace->pages[i];
        RemTracePage now;

        if (!rem_cache_trace_page(vcpu, vcpu->rip + (uint64_t)(int64_t)before->base, &now) ||
            now.gpa != before->gpa || now.host != before->host)
            return false;
    }
    return true;
}

/* Has their bytes watched; false: no memory is left, or they were written before that. */
static bool
watch_pages(RemVcpu *rem, RemBlock *block, const RemTrace *trace)
{
    bool same = true;

    for (unsigned i = 0; i < trace->page_count && same; i++) {
        const RemTracePage *page = &trace->pages[i];
        const Place place = {page->gpa + page->first, page->host + page->first};

        same = page->end == 0 ||
               watch(rem, block, &place, page->bytes + page->first, page->end - page->first);
    }
    return same;
}

void
rem_cache_add_trace(Vcpu *vcpu, RemTrace *trace)
{
    RemVcpu *rem = rem_of(vcpu);
    const uint8_t *page = trace->pages[0].host, *head = page + trace->head;
    RemBlock *block, *before = find(rem, head, trace->mode, true);

    if (!has_pages(vcpu, trace) || !rem_cache_has_room(rem) || (before != NULL && !before->stale))
        return;
    block = &rem->blocks[rem->block_count];
    *block = (RemBlock){.code.host = head, .mode = trace->mode};
    if (!rem_translate_trace(vcpu, block, trace))
        return;
    if (before != NULL) {
        block->tries = before->tries;
        forget_block(rem, before);
    }
    rem->block_count++;
    make_way(rem, head, page, trace->mode);
    block->hash_next = rem->hash[hash_of(head)];
    rem->hash[hash_of(head)] = block;
    rem->heads[head_bit(head) / 64] |= 1ull << (head_bit(head) % 64);
    rem->traces++;
    if (!watch_pages(rem, block, trace))
        forget_block(rem, block);
}

/* --- blocks by RIP --- */

static RemBlock *
find_ordinary(Vcpu *vcpu, uint64_t linear, const uint8_t *host)
{
    RemVcpu *rem = rem_of(vcpu);
    RemBlock *block = find(rem, host, rem->mode, false);

    while (block != NULL && (block->code.host != host || block->mode != rem->mode || block->trace ||
                             !has_second(vcpu, linear, block)))
        block = block->hash_next;
    return block;
}

static RemBlock *
find_block(Vcpu *vcpu, bool trace)
{
    RemVcpu *rem = rem_of(vcpu);
    const bool long64 = vcpu->mode == CPUM_MODE_LONG64;
    const uint64_t linear = long64 ? vcpu->rip : (uint32_t)(vcpu->seg[X86_CS].base + vcpu->rip);
    const CpumTlbEntry *entry;
    const uint8_t *host;
    RemBlock *block;

    rem->lookups++;
    if (!iem_code_fits(vcpu, 1)) /* nothing is fetched then */
        return NULL;
    entry = exec_entry(vcpu, linear);
    if (entry == NULL)
        return NULL;
    host = (const uint8_t *)(uintptr_t)(entry->addend + linear);
    block = trace && may_have_trace(rem, host) ? find(rem, host, rem->mode, true) : NULL;
    if (block == NULL)
        block = find_ordinary(vcpu, linear, host);
    if (block == NULL)
        block = translate(vcpu, linear);
    if (block == NULL || !iem_code_fits(vcpu, block->bytes))
        return NULL;
    if ((block->mode & REM_MODE_NO_SHARE) || !trace)
        return block;
    *rem_jump_target(rem, host) = (RemTarget){
        .key = target_key(block),
        .code = (uint64_t)(uintptr_t)rem_code(rem, block->entry_saved),
    };
    return block;
}

RemBlock *
rem_cache_find(Vcpu *vcpu)
{
    return find_block(vcpu, true);
}

RemBlock *
rem_cache_find_plain(Vcpu *vcpu)
{
    return find_block(vcpu, false);
}

void
rem_cache_enter(Vcpu *vcpu)
{
    RemVcpu *rem = rem_of(vcpu);
    const uint32_t generation = pgm_generation(vcpu->pgm);

    if (rem->generation != generation) {
        rem->generation = generation;
        drop(rem);
    }
    if (!rem->exact) /* else the host's time has no say */
        rest(vcpu);
    pgm_code_index_enter(&rem->index);
}

/* --- the index of pages --- */

static void *
take_zeroed(void *user, size_t size)
{
    return rem_cache_take(user, size);
}

static void
flush_all(void *user)
{
    rem_cache_flush(user);
}

void
rem_cache_watch(RemVcpu *rem)
{
    static const PgmCodeIndexCalls calls = {take_zeroed, kill_block, flush_all};

    pgm_code_index_init(&rem->index, rem->vcpu, &calls, rem);
}
