/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saved state: the A20 gate and the contents of all memory, without pages of zeros. Regions are
 * mapped again by the devices that own them. */
#include "vmm/pgm/pgm-private.h"

#include "vmm/base/memory.h"

#include <string.h>

#define STATE_VERSION 1
#define NAME_MAX_BYTES 63
#define END_OF_PAGES UINT32_MAX

static bool
is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, X86_PAGE_SIZE - 1) == 0;
}

static void
save_mem(const PgmMem *mem, SsmWriter *writer)
{
    const size_t length = MIN(strlen(mem->name), NAME_MAX_BYTES);

    ssm_put_uint(writer, length, 1);
    ssm_put_bytes(writer, mem->name, length);
    ssm_put_uint(writer, mem->size, 8);
    for (uint64_t page = 0; page < pgm_page(mem->size); page++) {
        const uint8_t *host = mem->host + page * X86_PAGE_SIZE;

        if (is_zero(host))
            continue;
        ssm_put_uint(writer, page, 4);
        ssm_put_bytes(writer, host, X86_PAGE_SIZE);
    }
    ssm_put_uint(writer, END_OF_PAGES, 4);
}

static bool
save(void *object, SsmWriter *writer, GError **error)
{
    const Pgm *pgm = object;

    ssm_put_uint(writer, pgm_a20(pgm), 1);
    ssm_put_uint(writer, pgm->mems->len, 4);
    for (guint i = 0; i < pgm->mems->len; i++)
        save_mem(g_ptr_array_index(pgm->mems, i), writer);
    return true;
}

static bool
is_next_mem(const PgmMem *mem, SsmReader *reader, GError **error)
{
    char name[NAME_MAX_BYTES + 1] = "";
    uint64_t length, size;

    if (!ssm_get_uint(reader, &length, 1, error))
        return false;
    if (length <= NAME_MAX_BYTES &&
        (!ssm_get_bytes(reader, name, length, error) || !ssm_get_uint(reader, &size, 8, error)))
        return false;
    if (length > NAME_MAX_BYTES || size != mem->size ||
        strncmp(name, mem->name, NAME_MAX_BYTES) != 0) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The state was saved with other memory than \"%s\" of %" G_GUINT64_FORMAT
                    " bytes.",
                    mem->name, mem->size);
        return false;
    }
    return true;
}

static bool
load_mem(PgmMem *mem, SsmReader *reader, GError **error)
{
    uint64_t page;

    if (!is_next_mem(mem, reader, error))
        return false;
    base_memory_discard(mem->host, mem->size);
    for (;;) {
        if (!ssm_get_uint(reader, &page, 4, error))
            return false;
        if (page == END_OF_PAGES)
            break;
        if (page >= pgm_page(mem->size)) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                        "A saved page lies outside of \"%s\".", mem->name);
            return false;
        }
        if (!ssm_get_bytes(reader, mem->host + page * X86_PAGE_SIZE, X86_PAGE_SIZE, error))
            return false;
    }
    if (mem->dirty != NULL)
        memset((void *)mem->dirty, PGM_DIRTY, pgm_page(mem->size));
    return true;
}

static bool
load(void *object, SsmReader *reader, uint32_t version, GError **error)
{
    Pgm *pgm = object;
    uint64_t a20, count;

    if (!ssm_get_uint(reader, &a20, 1, error) || !ssm_get_uint(reader, &count, 4, error))
        return false;
    if (a20 > 1 || count != pgm->mems->len) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The state was saved with other memories than this machine has.");
        return false;
    }
    for (guint i = 0; i < pgm->mems->len; i++) {
        if (!load_mem(g_ptr_array_index(pgm->mems, i), reader, error))
            return false;
    }
    pgm_set_a20(pgm, a20 != 0);
    /* Whatever engines decoded is stale. */
    atomic_fetch_add(&pgm->generation, 1);
    pgm_request_flush(pgm);
    return true;
}

static const SsmState pgm_state = {
    .version = STATE_VERSION,
    .min_version = STATE_VERSION,
    .save = save,
    .load = load,
};

void
pgm_ssm_register(Pgm *pgm, Ssm *ssm)
{
    ssm_register(ssm, "pgm", 0, &pgm_state, pgm);
}
