/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Host memory behind RAM, ROM and video memory, with words for each page that tell which parts
 * hold decoded code and who has to know of writes. */
#include "vmm/pgm/pgm-private.h"

#include "vmm/base/memory.h"

static uint64_t
pages_of(const PgmMem *mem)
{
    return mem->size >> X86_PAGE_SHIFT;
}

static bool
map_words(PgmMem *mem, GError **error)
{
    const uint64_t pages = pages_of(mem);

    mem->code = base_memory_map(pages * sizeof *mem->code, 0, error);
    if (mem->code != NULL)
        mem->holders = base_memory_map(pages * sizeof *mem->holders, 0, error);
    if (mem->holders != NULL)
        mem->writers = base_memory_map(pages * sizeof *mem->writers, 0, error);
    if (mem->writers != NULL)
        mem->dirty = base_memory_map(pages, 0, error);
    return mem->dirty != NULL;
}

PgmMem *
pgm_mem_new(Pgm *pgm, const char *name, uint64_t size, GError **error)
{
    PgmMem *mem;

    if (size == 0 || size > (1ull << PGM_PHYS_BITS)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "\"%s\" cannot have %" G_GUINT64_FORMAT " bytes of memory.", name, size);
        return NULL;
    }
    mem = g_new0(PgmMem, 1);
    mem->pgm = pgm;
    mem->name = g_strdup(name);
    mem->size = (size + X86_PAGE_OFFSET_MASK) & PGM_PAGE_MASK;
    g_rw_lock_writer_lock(&pgm->lock);
    g_ptr_array_add(pgm->mems, mem);
    g_rw_lock_writer_unlock(&pgm->lock);
    mem->host = base_memory_map(mem->size, BASE_MEMORY_HUGE, error);
    if (mem->host == NULL || !map_words(mem, error)) {
        pgm_mem_free(mem);
        return NULL;
    }
    return mem;
}

void
pgm_mem_free(PgmMem *mem)
{
    if (mem == NULL)
        return;
    g_rw_lock_writer_lock(&mem->pgm->lock);
    g_ptr_array_remove(mem->pgm->mems, mem);
    g_rw_lock_writer_unlock(&mem->pgm->lock);
    base_memory_unmap(mem->host, mem->size);
    base_memory_unmap((void *)mem->code, pages_of(mem) * sizeof *mem->code);
    base_memory_unmap((void *)mem->holders, pages_of(mem) * sizeof *mem->holders);
    base_memory_unmap((void *)mem->writers, pages_of(mem) * sizeof *mem->writers);
    base_memory_unmap((void *)mem->dirty, pages_of(mem));
    g_free(mem->name);
    g_free(mem);
}

void *
pgm_mem_host(const PgmMem *mem)
{
    return mem->host;
}

uint64_t
pgm_mem_size(const PgmMem *mem)
{
    return mem->size;
}
