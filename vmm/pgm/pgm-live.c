/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saving memory while the guest runs. A page is taken in this order: its mark goes, every CPU drops
 * its way to write to it unseen, then it is copied; whoever writes during the copy or later leaves
 * a new mark. Memory beside RAM is also written by devices, which tell nobody, so it is copied when
 * the machine stands. Design, section 5 "Saved state". */
#include "vmm/pgm/pgm-live.h"

#include "vmm/base/memory.h"
#include "vmm/pgm/pgm-ram-state.h"

#include <string.h>

#define COPY_THREADS_MAX 8u

typedef struct {
    uint32_t mem, page;
} CopiedPage;

/* At most PGM_PIECE_PAGES copies of one memory. */
typedef struct {
    uint32_t first, count;
} CopiedPiece;

struct PgmLive {
    Pgm *pgm;
    PgmMem *ram;
    unsigned ram_number;
    bool begun;     /* the first pass is over */
    uint64_t *todo; /* a bit for each page of RAM: in this pass */
    uint8_t *copies;
    uint64_t room; /* pages in copies */
    GArray *pages; /* CopiedPage: what is in copies */
    GArray *pieces;
};

static bool
take_bit(const uint64_t *words, uint64_t index)
{
    return (words[index / 64] >> (index % 64)) & 1;
}

PgmLive *
pgm_live_new(Pgm *pgm, SsmWriter *writer)
{
    PgmLive *live = g_new0(PgmLive, 1);

    live->pgm = pgm;
    live->ram = pgm->ram;
    g_ptr_array_find(pgm->mems, live->ram, &live->ram_number);
    live->todo = g_new0(uint64_t, (pgm_page(live->ram->size) + 63) / 64);
    live->pages = g_array_new(FALSE, FALSE, sizeof(CopiedPage));
    live->pieces = g_array_new(FALSE, FALSE, sizeof(CopiedPiece));
    pgm_save_mems(pgm, writer);
    for (uint64_t page = 0; page < pgm_page(live->ram->size); page++)
        atomic_fetch_and(&live->ram->dirty[page], (uint8_t)~PGM_UNSAVED);
    atomic_fetch_or(&live->ram->watch, PGM_UNSAVED);
    /* Hardware that maps memory itself has to log, too. */
    if (pgm->dirty_source != NULL)
        atomic_fetch_add(&pgm->generation, 1);
    return live;
}

/* Takes the marks away; what had one is to do. */
static void
collect(PgmLive *live)
{
    PgmMem *ram = live->ram;

    memset(live->todo, 0, (pgm_page(ram->size) + 63) / 64 * sizeof *live->todo);
    pgm_ask_dirty_source(live->pgm, ram);
    for (uint64_t page = 0; page < pgm_page(ram->size); page++) {
        if (!live->begun ||
            (atomic_load_explicit(&ram->dirty[page], memory_order_relaxed) & PGM_UNSAVED)) {
            atomic_fetch_and(&ram->dirty[page], (uint8_t)~PGM_UNSAVED);
            live->todo[page / 64] |= 1ull << (page % 64);
        }
    }
}

static size_t
fill_from_ram(void *user, uint64_t index, uint8_t *data)
{
    const PgmLive *live = user;
    const uint64_t first = index * PGM_PIECE_PAGES;
    const uint64_t end = MIN(first + PGM_PIECE_PAGES, pgm_page(live->ram->size));
    PgmPiece piece;

    pgm_piece_begin(&piece, data);
    for (uint64_t page = first; page < end; page++) {
        if (take_bit(live->todo, page))
            pgm_piece_add(&piece, page, live->ram->host + page * X86_PAGE_SIZE, live->begun);
    }
    return pgm_piece_end(&piece, live->ram_number);
}

bool
pgm_live_pass(PgmLive *live, SsmWriter *writer, GError **error)
{
    collect(live);
    pgm_wait_for_track(live->pgm, live->ram->host, live->ram->host + live->ram->size);
    ssm_put_pieces(writer, pgm_mem_pieces(live->ram), fill_from_ram, live);
    live->begun = true;
    return ssm_put_ok(writer, error);
}

uint64_t
pgm_live_unsaved(PgmLive *live)
{
    const PgmMem *ram = live->ram;
    uint64_t pages = 0;

    pgm_ask_dirty_source(live->pgm, live->ram);
    for (uint64_t page = 0; page < pgm_page(ram->size); page++)
        pages += (atomic_load_explicit(&ram->dirty[page], memory_order_relaxed) & PGM_UNSAVED) != 0;
    return pages;
}

static void
release_room(PgmLive *live)
{
    if (live->copies != NULL)
        base_memory_unmap(live->copies, live->room * X86_PAGE_SIZE);
    live->copies = NULL;
    live->room = 0;
}

bool
pgm_live_reserve(PgmLive *live, uint64_t pages, GError **error)
{
    pages = MIN(pages, pgm_page(live->ram->size));
    for (guint i = 0; i < live->pgm->mems->len; i++) {
        const PgmMem *mem = g_ptr_array_index(live->pgm->mems, i);

        if (mem != live->ram)
            pages += pgm_page(mem->size);
    }
    release_room(live);
    live->copies = base_memory_map(pages * X86_PAGE_SIZE, BASE_MEMORY_HUGE, error);
    if (live->copies == NULL)
        return false;
    live->room = pages;
    for (uint64_t page = 0; page < pages; page++)
        live->copies[page * X86_PAGE_SIZE] = 1;
    return true;
}

static void
add_copy(PgmLive *live, uint32_t mem, uint64_t page)
{
    const CopiedPage copy = {mem, (uint32_t)page};
    CopiedPiece *last = live->pieces->len > 0
                            ? &g_array_index(live->pieces, CopiedPiece, live->pieces->len - 1)
                            : NULL;

    if (last == NULL || last->count == PGM_PIECE_PAGES ||
        g_array_index(live->pages, CopiedPage, last->first).mem != mem) {
        const CopiedPiece piece = {live->pages->len, 0};

        g_array_append_val(live->pieces, piece);
        last = &g_array_index(live->pieces, CopiedPiece, live->pieces->len - 1);
    }
    last->count++;
    g_array_append_val(live->pages, copy);
}

static void
list_mem(PgmLive *live, unsigned number)
{
    const PgmMem *mem = g_ptr_array_index(live->pgm->mems, number);

    for (uint64_t page = 0; page < pgm_page(mem->size); page++) {
        const uint8_t *host = mem->host + page * X86_PAGE_SIZE;
        const bool wanted =
            mem == live->ram
                ? (atomic_load_explicit(&mem->dirty[page], memory_order_relaxed) & PGM_UNSAVED) != 0
                : !pgm_is_zero_page(host);

        if (wanted)
            add_copy(live, number, page);
    }
}

/* Every thread takes a part of the list. */
typedef struct {
    const PgmLive *live;
    guint first, end;
} CopyPart;

static void *
copy_part(void *data)
{
    const CopyPart *part = data;
    const PgmLive *live = part->live;

    for (guint i = part->first; i < part->end; i++) {
        const CopiedPage *page = &g_array_index(live->pages, CopiedPage, i);
        const PgmMem *mem = g_ptr_array_index(live->pgm->mems, page->mem);

        memcpy(live->copies + (uint64_t)i * X86_PAGE_SIZE,
               mem->host + (uint64_t)page->page * X86_PAGE_SIZE, X86_PAGE_SIZE);
    }
    return NULL;
}

/* The virtual CPUs stand still, so the host's are free for this. */
static void
copy_listed(const PgmLive *live)
{
    const unsigned parts = CLAMP(g_get_num_processors(), 1u, COPY_THREADS_MAX);
    const guint each = live->pages->len / parts + 1;
    GThread *thread[COPY_THREADS_MAX];
    CopyPart part[COPY_THREADS_MAX];

    for (unsigned i = 0; i < parts; i++) {
        part[i] = (CopyPart){live, MIN(i * each, live->pages->len),
                             MIN((i + 1) * each, live->pages->len)};
        if (i > 0)
            thread[i] = g_thread_new("copy", copy_part, &part[i]);
    }
    copy_part(&part[0]);
    for (unsigned i = 1; i < parts; i++)
        g_thread_join(thread[i]);
}

bool
pgm_live_copy(PgmLive *live, GError **error)
{
    const uint64_t unsaved = pgm_live_unsaved(live);
    uint64_t others = 0;

    for (guint i = 0; i < live->pgm->mems->len; i++)
        others += pgm_page(((PgmMem *)g_ptr_array_index(live->pgm->mems, i))->size);
    others -= pgm_page(live->ram->size);
    if (unsaved + others > live->room && !pgm_live_reserve(live, unsaved, error))
        return false;
    for (guint i = 0; i < live->pgm->mems->len; i++)
        list_mem(live, i);
    copy_listed(live);
    return true;
}

static size_t
fill_from_copies(void *user, uint64_t index, uint8_t *data)
{
    const PgmLive *live = user;
    const CopiedPiece *from = &g_array_index(live->pieces, CopiedPiece, index);
    unsigned mem = 0;
    PgmPiece piece;

    pgm_piece_begin(&piece, data);
    for (uint32_t i = from->first; i < from->first + from->count; i++) {
        const CopiedPage *page = &g_array_index(live->pages, CopiedPage, i);

        mem = page->mem;
        pgm_piece_add(&piece, page->page, live->copies + (uint64_t)i * X86_PAGE_SIZE, true);
    }
    return pgm_piece_end(&piece, mem);
}

bool
pgm_live_put_copy(PgmLive *live, SsmWriter *writer, GError **error)
{
    ssm_put_pieces(writer, live->pieces->len, fill_from_copies, live);
    return ssm_put_ok(writer, error);
}

void
pgm_live_free(PgmLive *live)
{
    if (live == NULL)
        return;
    atomic_fetch_and(&live->ram->watch, (uint8_t)~PGM_UNSAVED);
    if (live->pgm->dirty_source != NULL)
        atomic_fetch_add(&live->pgm->generation, 1);
    release_room(live);
    g_array_unref(live->pages);
    g_array_unref(live->pieces);
    g_free(live->todo);
    g_free(live);
}
