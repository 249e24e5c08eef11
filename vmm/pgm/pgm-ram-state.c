/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saved state: the contents of all memory, the unit "ram". Pieces of up to 1 MiB are made and taken
 * by several threads; a page of zeros is not there, or, where an earlier pass may have said
 * something else, only named. Regions are mapped again by the devices that own them. */
#include "vmm/pgm/pgm-ram-state.h"

#include "vmm/base/memory.h"

#include <string.h>

#define STATE_VERSION 1
#define NAME_MAX_BYTES 63
#define ZERO_PAGE (1u << 31) /* of a page's number: it has no data */
/* A piece: which memory, how many pages, their numbers, their data. */
#define NUMBERS_AT 8u
#define DATA_AT (NUMBERS_AT + 4 * PGM_PIECE_PAGES)

G_STATIC_ASSERT(DATA_AT + PGM_PIECE_PAGES * X86_PAGE_SIZE <= SSM_PIECE_MAX);

bool
pgm_is_zero_page(const uint8_t *page)
{
    uint64_t first;

    memcpy(&first, page, sizeof(first));
    return first == 0 && memcmp(page, page + 8, X86_PAGE_SIZE - 8) == 0;
}

/* --- pieces --- */

static void
store32(uint8_t *at, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    memcpy(at, &value, 4);
}

static uint32_t
load32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, 4);
    return GUINT32_FROM_LE(value);
}

void
pgm_piece_begin(PgmPiece *piece, uint8_t *data)
{
    *piece = (PgmPiece){.data = data, .size = DATA_AT};
}

/* Copied first: a guest that runs may change it any time. */
void
pgm_piece_add(PgmPiece *piece, uint64_t page, const uint8_t *host, bool zeros_too)
{
    uint8_t *copy = piece->data + piece->size;
    uint32_t number = (uint32_t)page;

    if (pgm_is_zero_page(host)) {
        if (!zeros_too)
            return;
        number |= ZERO_PAGE;
    } else {
        memcpy(copy, host, X86_PAGE_SIZE);
        piece->size += X86_PAGE_SIZE;
    }
    store32(piece->data + NUMBERS_AT + 4 * piece->count++, number);
}

size_t
pgm_piece_end(PgmPiece *piece, unsigned mem)
{
    if (piece->count == 0)
        return 0;
    store32(piece->data, mem);
    store32(piece->data + 4, piece->count);
    memset(piece->data + NUMBERS_AT + 4 * piece->count, 0, 4 * (PGM_PIECE_PAGES - piece->count));
    return piece->size;
}

static bool
damaged(GError **error, const char *why)
{
    g_set_error_literal(error, BASE_ERROR, BASE_ERROR_CORRUPT, why);
    return false;
}

static bool
take_piece(void *user, const uint8_t *data, size_t size, GError **error)
{
    const Pgm *pgm = user;
    const uint8_t *from = data + DATA_AT, *end = data + size;
    const PgmMem *mem;
    uint32_t count;

    if (size < DATA_AT || load32(data) >= pgm->mems->len || load32(data + 4) > PGM_PIECE_PAGES)
        return damaged(error, "A piece of memory has an impossible head.");
    mem = g_ptr_array_index(pgm->mems, load32(data));
    count = load32(data + 4);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t number = load32(data + NUMBERS_AT + 4 * i);
        const uint64_t page = number & ~ZERO_PAGE;
        uint8_t *host = mem->host + page * X86_PAGE_SIZE;

        if (page >= pgm_page(mem->size) || (!(number & ZERO_PAGE) && end - from < X86_PAGE_SIZE))
            return damaged(error, "A saved page lies outside of its memory.");
        if (number & ZERO_PAGE) {
            memset(host, 0, X86_PAGE_SIZE);
            continue;
        }
        memcpy(host, from, X86_PAGE_SIZE);
        from += X86_PAGE_SIZE;
    }
    return from == end || damaged(error, "A piece of memory is too long.");
}

/* --- which memories there are --- */

void
pgm_save_mems(const Pgm *pgm, SsmWriter *writer)
{
    ssm_put_uint(writer, pgm->mems->len, 4);
    for (guint i = 0; i < pgm->mems->len; i++) {
        const PgmMem *mem = g_ptr_array_index(pgm->mems, i);
        const size_t length = MIN(strlen(mem->name), NAME_MAX_BYTES);

        ssm_put_uint(writer, length, 1);
        ssm_put_bytes(writer, mem->name, length);
        ssm_put_uint(writer, mem->size, 8);
    }
}

static bool
check_mem(const PgmMem *mem, SsmReader *reader, GError **error)
{
    char name[NAME_MAX_BYTES + 1] = "";
    uint64_t length, size = 0;

    if (!ssm_get_uint(reader, &length, 1, error))
        return false;
    if (length <= NAME_MAX_BYTES &&
        (!ssm_get_bytes(reader, name, length, error) || !ssm_get_uint(reader, &size, 8, error)))
        return false;
    if (length <= NAME_MAX_BYTES && size == mem->size &&
        strncmp(name, mem->name, NAME_MAX_BYTES) == 0)
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "The state was saved with other memory than \"%s\" of %" G_GUINT64_FORMAT " bytes.",
                mem->name, mem->size);
    return false;
}

static bool
check_mems(const Pgm *pgm, SsmReader *reader, GError **error)
{
    uint64_t count;

    if (!ssm_get_uint(reader, &count, 4, error))
        return false;
    if (count != pgm->mems->len) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "The state was saved with other memories than this machine has.");
        return false;
    }
    for (guint i = 0; i < pgm->mems->len; i++) {
        if (!check_mem(g_ptr_array_index(pgm->mems, i), reader, error))
            return false;
    }
    return true;
}

/* --- the unit, while the machine stands --- */

uint64_t
pgm_mem_pieces(const PgmMem *mem)
{
    return (pgm_page(mem->size) + PGM_PIECE_PAGES - 1) / PGM_PIECE_PAGES;
}

/* All memories, one behind the other. */
static size_t
fill_piece(void *user, uint64_t index, uint8_t *data)
{
    const Pgm *pgm = user;
    const PgmMem *mem;
    unsigned number = 0;
    PgmPiece piece;
    uint64_t first, end;

    for (mem = g_ptr_array_index(pgm->mems, 0); index >= pgm_mem_pieces(mem);
         mem = g_ptr_array_index(pgm->mems, ++number))
        index -= pgm_mem_pieces(mem);
    first = index * PGM_PIECE_PAGES;
    end = MIN(first + PGM_PIECE_PAGES, pgm_page(mem->size));
    pgm_piece_begin(&piece, data);
    for (uint64_t page = first; page < end; page++)
        pgm_piece_add(&piece, page, mem->host + page * X86_PAGE_SIZE, false);
    return pgm_piece_end(&piece, number);
}

static bool
save(void *object, SsmWriter *writer, GError **error)
{
    Pgm *pgm = object;
    uint64_t pieces = 0;

    pgm_save_mems(pgm, writer);
    for (guint i = 0; i < pgm->mems->len; i++)
        pieces += pgm_mem_pieces(g_ptr_array_index(pgm->mems, i));
    ssm_put_pieces(writer, pieces, fill_piece, pgm);
    return ssm_put_ok(writer, error);
}

static bool
load(void *object, SsmReader *reader, uint32_t version, GError **error)
{
    Pgm *pgm = object;

    if (!check_mems(pgm, reader, error))
        return false;
    for (guint i = 0; i < pgm->mems->len; i++) {
        PgmMem *mem = g_ptr_array_index(pgm->mems, i);

        base_memory_discard(mem->host, mem->size);
    }
    if (!ssm_get_pieces(reader, take_piece, pgm, error))
        return false;
    for (guint i = 0; i < pgm->mems->len; i++) {
        PgmMem *mem = g_ptr_array_index(pgm->mems, i);

        if (atomic_load(&mem->watch) != 0)
            memset((void *)mem->dirty, PGM_DIRTY, pgm_page(mem->size));
    }
    /* Whatever engines decoded is stale. */
    atomic_fetch_add(&pgm->generation, 1);
    pgm_request_flush(pgm);
    return true;
}

const SsmState pgm_ram_state = {
    .version = STATE_VERSION,
    .min_version = STATE_VERSION,
    .save = save,
    .load = load,
};
