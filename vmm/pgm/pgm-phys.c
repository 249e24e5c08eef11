/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Physical accesses: by devices (memory only, past the A20 gate) and by CPUs (everything, through
 * it). What nobody answers reads as all ones. */
#include "vmm/pgm/pgm-private.h"

#include <string.h>

/* Nobody answers beyond the longest address that x86 can form; below it sums do not overflow. */
#define PHYS_END (1ull << 52)

/* --- devices; under the reader's lock --- */

/* How much of [gpa, gpa + size) lies in the range. A guest may name any address for DMA. */
static size_t
part_of(const PgmRange *range, uint64_t gpa, size_t size)
{
    return gpa >= PHYS_END ? size : (size_t)MIN(size, range->end - gpa);
}

void
pgm_phys_read(Pgm *pgm, uint64_t gpa, void *data, size_t size)
{
    uint8_t *to = data;

    g_rw_lock_reader_lock(&pgm->lock);
    while (size > 0) {
        const PgmRange *range = pgm_map_find(atomic_load(&pgm->map), gpa);
        const size_t part = part_of(range, gpa, size);

        if (range->read.to == PGM_TO_MEM && gpa < PHYS_END)
            memcpy(to, range->read.host + (gpa - range->start), part);
        else
            memset(to, 0xff, part);
        to += part;
        gpa += part;
        size -= part;
    }
    g_rw_lock_reader_unlock(&pgm->lock);
}

void
pgm_phys_write(Pgm *pgm, uint64_t gpa, const void *data, size_t size)
{
    const uint8_t *from = data;

    g_rw_lock_reader_lock(&pgm->lock);
    while (size > 0) {
        const PgmRange *range = pgm_map_find(atomic_load(&pgm->map), gpa);
        const size_t part = part_of(range, gpa, size);
        const uint64_t inside = gpa - range->start;

        if (range->write.to == PGM_TO_MEM && gpa < PHYS_END) {
            memcpy(range->write.host + inside, from, part);
            pgm_written(pgm, NULL, range->write.mem, range->write.offset + inside, part,
                        pgm_seen_at(range, gpa));
        }
        from += part;
        gpa += part;
        size -= part;
    }
    g_rw_lock_reader_unlock(&pgm->lock);
}

void *
pgm_phys_map(Pgm *pgm, uint64_t gpa, size_t *size, bool write)
{
    const PgmRange *range;
    const PgmWay *way;
    void *host = NULL;

    g_rw_lock_reader_lock(&pgm->lock);
    range = pgm_map_find(atomic_load(&pgm->map), gpa);
    way = write ? &range->write : &range->read;
    if (way->to == PGM_TO_MEM && gpa < PHYS_END) {
        host = way->host + (gpa - range->start);
        *size = (size_t)MIN(*size, range->end - gpa);
    }
    g_rw_lock_reader_unlock(&pgm->lock);
    return host;
}

static PgmMem *
mem_of_host(const Pgm *pgm, const uint8_t *host)
{
    for (guint i = 0; i < pgm->mems->len; i++) {
        PgmMem *mem = g_ptr_array_index(pgm->mems, i);

        if (host >= mem->host && host < mem->host + mem->size)
            return mem;
    }
    return NULL;
}

/* The map may have changed since; the memory has not. */
void
pgm_phys_unmap(Pgm *pgm, uint64_t gpa, void *host, size_t size, bool written)
{
    PgmMem *mem;

    if (!written || size == 0)
        return;
    g_rw_lock_reader_lock(&pgm->lock);
    mem = mem_of_host(pgm, host);
    if (mem != NULL)
        pgm_written(pgm, NULL, mem, (uint64_t)((uint8_t *)host - mem->host), size, PGM_ELSEWHERE);
    g_rw_lock_reader_unlock(&pgm->lock);
}

/* --- CPUs --- */

static uint64_t
all_ones(unsigned size)
{
    return UINT64_MAX >> (64 - 8 * size);
}

/* Whole where the size is a power of two: another CPU must not see half of a store. */
static uint64_t
load(const uint8_t *host, unsigned size)
{
    uint64_t value = 0;

    switch (size) {
    case 1: return *host;
    case 2: memcpy(&value, host, 2); break;
    case 4: memcpy(&value, host, 4); break;
    case 8: memcpy(&value, host, 8); break;
    default: memcpy(&value, host, size); break;
    }
    return value;
}

static void
store(uint8_t *host, uint64_t value, unsigned size)
{
    switch (size) {
    case 1: *host = (uint8_t)value; break;
    case 2: memcpy(host, &value, 2); break;
    case 4: memcpy(host, &value, 4); break;
    case 8: memcpy(host, &value, 8); break;
    default: memcpy(host, &value, size); break;
    }
}

static uint64_t
cpu_read(Vcpu *vcpu, const PgmRange *range, uint64_t gpa, unsigned size)
{
    const PgmWay *way = &range->read;
    const uint64_t inside = gpa - range->start;

    switch (way->to) {
    case PGM_TO_MEM: return load(way->host + inside, size);
    case PGM_TO_MMIO: return iom_mmio_read(way->mmio, way->offset + inside, size) & all_ones(size);
    case PGM_TO_NOWHERE: break;
    }
    return all_ones(size);
}

static void
cpu_write(Vcpu *vcpu, const PgmRange *range, uint64_t gpa, uint64_t value, unsigned size)
{
    const PgmWay *way = &range->write;
    const uint64_t inside = gpa - range->start;

    switch (way->to) {
    case PGM_TO_MEM:
        store(way->host + inside, value, size);
        pgm_written(vcpu->pgm, vcpu, way->mem, way->offset + inside, size, pgm_seen_at(range, gpa));
        break;
    case PGM_TO_MMIO:
        iom_mmio_write(way->mmio, way->offset + inside, value & all_ones(size), size);
        break;
    case PGM_TO_NOWHERE: break;
    }
}

uint64_t
pgm_cpu_phys_read(Vcpu *vcpu, uint64_t gpa, unsigned size)
{
    const PgmRange *range;
    uint64_t value = 0;

    gpa &= pgm_a20_mask(vcpu) & (PHYS_END - 1);
    range = pgm_cpu_range(vcpu->pgm_vcpu, gpa);
    if (G_LIKELY(range->end - gpa >= size))
        return cpu_read(vcpu, range, gpa, size);
    for (unsigned i = 0; i < size; i++)
        value |= pgm_cpu_phys_read(vcpu, gpa + i, 1) << (8 * i);
    return value;
}

void
pgm_cpu_phys_write(Vcpu *vcpu, uint64_t gpa, uint64_t value, unsigned size)
{
    const PgmRange *range;

    gpa &= pgm_a20_mask(vcpu) & (PHYS_END - 1);
    range = pgm_cpu_range(vcpu->pgm_vcpu, gpa);
    if (G_LIKELY(range->end - gpa >= size)) {
        cpu_write(vcpu, range, gpa, value, size);
        return;
    }
    for (unsigned i = 0; i < size; i++)
        pgm_cpu_phys_write(vcpu, gpa + i, (value >> (8 * i)) & 0xff, 1);
}
