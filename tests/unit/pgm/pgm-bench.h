/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The bench that PGM's tests share: one CPU, 16 MiB of RAM below 4 GiB and 4 MiB above. */
#pragma once

#include "vmm/pgm/pgm.h"

#define BENCH_LOW (16ull << 20)
#define BENCH_HIGH (4ull << 20)
#define PAGE 4096ull

typedef struct {
    Cpum *cpum;
    Iom *iom;
    Pgm *pgm;
    Vcpu *vcpu;
} Bench;

void bench_open(Bench *bench);
void bench_close(Bench *bench);

/* Guest memory, past everything. */
void bench_put64(const Bench *bench, uint64_t gpa, uint64_t value);
void bench_put32(const Bench *bench, uint64_t gpa, uint32_t value);
uint64_t bench_get64(const Bench *bench, uint64_t gpa);
uint32_t bench_get32(const Bench *bench, uint64_t gpa);

typedef enum { PAGING_32, PAGING_PAE, PAGING_LONG } BenchPaging;
/* Switches paging on with CR3 as given; extra bits are OR'd. */
void bench_paging(Bench *bench, BenchPaging paging, uint64_t cr3, uint64_t cr0, uint64_t cr4,
                  uint64_t efer);

/* As an engine does it: probe, fill, fast or slow access. False: page fault. */
bool bench_read(Bench *bench, uint64_t linear, CpumTlbKind kind, unsigned size, uint64_t *value);
bool bench_write(Bench *bench, uint64_t linear, CpumTlbKind kind, unsigned size, uint64_t value);
