/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pieces on their way out: several threads make and compress them, and the caller's writes them in
 * order. So the bytes do not depend on how many threads there are. */
#include "vmm/ssm/ssm-private.h"

typedef struct {
    SsmChunk chunk;
    const uint8_t *data; /* what is to be written, once done */
    bool done;
} Slot;

typedef struct {
    SsmFill fill;
    void *user;
    uint64_t count;
    Slot *slots;
    unsigned slot_count;

    GMutex lock;
    GCond changed;
    uint64_t next;    /* piece that nobody makes yet */
    uint64_t written; /* pieces whose slot is free again */
    bool stop;
} Pool;

/* The next piece that has a slot; false: there is no more to do. */
static bool
claim(Pool *pool, uint64_t *index)
{
    bool any;

    g_mutex_lock(&pool->lock);
    while (!pool->stop && pool->next < pool->count &&
           pool->next >= pool->written + pool->slot_count)
        g_cond_wait(&pool->changed, &pool->lock);
    any = !pool->stop && pool->next < pool->count;
    if (any)
        *index = pool->next++;
    g_mutex_unlock(&pool->lock);
    return any;
}

static void *
work(void *data)
{
    Pool *pool = data;
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    uint64_t index;

    ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, SSM_ZSTD_LEVEL);
    while (claim(pool, &index)) {
        Slot *slot = &pool->slots[index % pool->slot_count];
        SsmChunk *chunk = &slot->chunk;

        chunk->raw_size = pool->fill(pool->user, index, chunk->raw);
        if (chunk->raw_size > 0)
            slot->data = ssm_chunk_pack(chunk, chunk->flags, zstd);
        g_mutex_lock(&pool->lock);
        slot->done = true;
        g_cond_broadcast(&pool->changed);
        g_mutex_unlock(&pool->lock);
    }
    ZSTD_freeCCtx(zstd);
    return NULL;
}

static void
wait_for(Pool *pool, const Slot *slot)
{
    g_mutex_lock(&pool->lock);
    while (!slot->done)
        g_cond_wait(&pool->changed, &pool->lock);
    g_mutex_unlock(&pool->lock);
}

static void
give_back(Pool *pool, Slot *slot, bool go_on)
{
    g_mutex_lock(&pool->lock);
    slot->done = false;
    slot->chunk.flags = SSM_CHUNK_PIECE;
    pool->written++;
    pool->stop = !go_on;
    g_cond_broadcast(&pool->changed);
    g_mutex_unlock(&pool->lock);
}

static void
write_all(Pool *pool, SsmWriter *writer)
{
    bool go_on = true;

    for (uint64_t i = 0; i < pool->count && go_on; i++) {
        Slot *slot = &pool->slots[i % pool->slot_count];

        wait_for(pool, slot);
        if (slot->chunk.raw_size > 0)
            ssm_writer_chunk(writer, &slot->chunk, slot->data);
        go_on = ssm_writer_step(writer, (double)(i + 1) / (double)pool->count);
        give_back(pool, slot, go_on);
    }
}

static void
begin_pass(SsmWriter *writer)
{
    SsmChunk pass = {0};

    ssm_writer_flush(writer);
    ssm_writer_chunk(writer, &pass, ssm_chunk_pack(&pass, SSM_CHUNK_PIECE | SSM_CHUNK_PASS, NULL));
}

void
ssm_put_pieces(SsmWriter *writer, uint64_t count, SsmFill fill, void *user)
{
    const unsigned threads = (unsigned)MIN(ssm_threads(), count);
    GThread *thread[SSM_THREADS_MAX];
    Pool pool = {.fill = fill, .user = user, .count = count, .slot_count = 2 * threads + 1};

    if (count == 0 || writer->error != 0 || writer->cancelled)
        return;
    begin_pass(writer);
    g_mutex_init(&pool.lock);
    g_cond_init(&pool.changed);
    pool.slots = g_new0(Slot, pool.slot_count);
    for (unsigned i = 0; i < pool.slot_count; i++) {
        ssm_chunk_init(&pool.slots[i].chunk);
        pool.slots[i].chunk.flags = SSM_CHUNK_PIECE;
    }
    for (unsigned i = 0; i < threads; i++)
        thread[i] = g_thread_new("save", work, &pool);
    write_all(&pool, writer);
    for (unsigned i = 0; i < threads; i++)
        g_thread_join(thread[i]);
    for (unsigned i = 0; i < pool.slot_count; i++)
        ssm_chunk_clear(&pool.slots[i].chunk);
    g_free(pool.slots);
    g_cond_clear(&pool.changed);
    g_mutex_clear(&pool.lock);
}
