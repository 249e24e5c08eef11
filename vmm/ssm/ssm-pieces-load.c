/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pieces on their way in: the caller's thread reads them, several others check, decompress and take
 * them, in any order within a pass. */
#include "vmm/ssm/ssm-private.h"

#include <string.h>

typedef struct {
    SsmChunk chunk;
    bool busy;
} Slot;

typedef struct {
    SsmTake take;
    void *user;
    Slot *slots;
    unsigned slot_count, threads;
    GThread *thread[SSM_THREADS_MAX];

    GMutex lock;
    GCond changed;
    uint64_t filled, claimed; /* pieces that were read; that somebody works on */
    unsigned at_work;         /* slots that are busy */
    bool stop;
    GError *error; /* the first one */
} Pool;

static Slot *
claim(Pool *pool)
{
    Slot *slot = NULL;

    g_mutex_lock(&pool->lock);
    while (!pool->stop && pool->claimed == pool->filled)
        g_cond_wait(&pool->changed, &pool->lock);
    if (pool->claimed < pool->filled)
        slot = &pool->slots[pool->claimed++ % pool->slot_count];
    g_mutex_unlock(&pool->lock);
    return slot;
}

static void
give_back(Pool *pool, Slot *slot, GError *error)
{
    g_mutex_lock(&pool->lock);
    slot->busy = false;
    pool->at_work--;
    if (pool->error == NULL)
        pool->error = g_steal_pointer(&error);
    g_cond_broadcast(&pool->changed);
    g_mutex_unlock(&pool->lock);
    g_clear_error(&error);
}

static void *
work(void *data)
{
    Pool *pool = data;
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    Slot *slot;

    while ((slot = claim(pool)) != NULL) {
        GError *error = NULL;
        const uint8_t *raw = ssm_chunk_unpack(&slot->chunk, zstd, &error);

        if (raw != NULL)
            pool->take(pool->user, raw, slot->chunk.raw_size, &error);
        give_back(pool, slot, error);
    }
    ZSTD_freeDCtx(zstd);
    return NULL;
}

/* False: a thread has failed. */
static bool
wait_until_taken(Pool *pool)
{
    bool ok;

    g_mutex_lock(&pool->lock);
    while (pool->at_work > 0)
        g_cond_wait(&pool->changed, &pool->lock);
    ok = pool->error == NULL;
    g_mutex_unlock(&pool->lock);
    return ok;
}

/* The slot for the next piece once it is free; NULL: a thread has failed. */
static Slot *
wait_for_slot(Pool *pool)
{
    Slot *slot = &pool->slots[pool->filled % pool->slot_count];

    g_mutex_lock(&pool->lock);
    while (slot->busy && pool->error == NULL)
        g_cond_wait(&pool->changed, &pool->lock);
    if (pool->error != NULL)
        slot = NULL;
    g_mutex_unlock(&pool->lock);
    return slot;
}

static void
hand_over(Pool *pool, Slot *slot)
{
    g_mutex_lock(&pool->lock);
    slot->busy = true;
    pool->at_work++;
    pool->filled++;
    g_cond_broadcast(&pool->changed);
    g_mutex_unlock(&pool->lock);
}

/* The piece whose header is in the reader's chunk. True without an error: go on. */
static bool
read_piece(Pool *pool, SsmReader *reader, GError **error)
{
    const SsmChunk *header = &reader->chunk;
    Slot *slot;

    ssm_reader_count_header(reader, header);
    if (header->flags & SSM_CHUNK_PASS)
        return ssm_chunk_unpack(&reader->chunk, reader->zstd, error) != NULL &&
               wait_until_taken(pool);
    slot = wait_for_slot(pool);
    if (slot == NULL)
        return false;
    memcpy(slot->chunk.header, header->header, SSM_CHUNK_HEADER_SIZE);
    slot->chunk.raw_size = header->raw_size;
    slot->chunk.stored_size = header->stored_size;
    slot->chunk.flags = header->flags;
    if (!ssm_reader_bytes(reader, slot->chunk.stored, header->stored_size, error))
        return false;
    hand_over(pool, slot);
    return ssm_reader_step(reader, error);
}

static bool
read_all(Pool *pool, SsmReader *reader, GError **error)
{
    while (ssm_reader_header(reader, error)) {
        if (!(reader->chunk.flags & SSM_CHUNK_PIECE))
            return true;
        reader->has_header = false;
        if (!read_piece(pool, reader, error))
            return false;
    }
    return false;
}

static void
start(Pool *pool)
{
    g_mutex_init(&pool->lock);
    g_cond_init(&pool->changed);
    pool->threads = ssm_threads();
    pool->slot_count = 2 * pool->threads;
    pool->slots = g_new0(Slot, pool->slot_count);
    for (unsigned i = 0; i < pool->slot_count; i++)
        ssm_chunk_init(&pool->slots[i].chunk);
    for (unsigned i = 0; i < pool->threads; i++)
        pool->thread[i] = g_thread_new("load", work, pool);
}

/* What was handed over is taken first. */
static void
end(Pool *pool)
{
    wait_until_taken(pool);
    g_mutex_lock(&pool->lock);
    pool->stop = true;
    g_cond_broadcast(&pool->changed);
    g_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->threads; i++)
        g_thread_join(pool->thread[i]);
    for (unsigned i = 0; i < pool->slot_count; i++)
        ssm_chunk_clear(&pool->slots[i].chunk);
    g_free(pool->slots);
    g_cond_clear(&pool->changed);
    g_mutex_clear(&pool->lock);
}

bool
ssm_get_pieces(SsmReader *reader, SsmTake take, void *user, GError **error)
{
    Pool pool = {.take = take, .user = user};
    GError *reading = NULL;

    if (reader->at_end || reader->used != reader->chunk.raw_size)
        return ssm_damaged(error, "its parts are not where its version says");
    start(&pool);
    read_all(&pool, reader, &reading);
    end(&pool);
    /* A thread's error is of an earlier part than what the reading met. */
    if (pool.error != NULL) {
        g_clear_error(&reading);
        reading = pool.error;
    }
    if (reading == NULL)
        return true;
    g_propagate_error(error, reading);
    return false;
}
