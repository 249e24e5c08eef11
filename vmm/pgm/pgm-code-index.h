/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which blocks of an engine's code cache hold which bytes of guest memory, and what happens when
 * these are written: the listener of pgm_code_listen() that every engine with such a cache needs. A
 * write by its own CPU kills blocks before the write is done; a write by another thread (DMA,
 * another CPU) is noted and acted on when the CPU next enters its engine, which is before it can
 * see that the DMA completed. Intel SDM volume 3A section 11.6: exact here. */
#pragma once

#include "vmm/pgm/pgm.h"

#define PGM_CODE_PAGES 4096u /* buckets */

/* The head of an engine's block. */
typedef struct {
    const uint8_t *host; /* address of its first guest byte; NULL once its bytes were overwritten */
} PgmCodeBlock;

typedef struct {
    /* Zeroed memory that lives until pgm_code_index_clear(); NULL: there is none left. */
    void *(*take)(void *user, size_t size);
    /* Forgets the block, whose `host` is NULL afterwards (and may be already). */
    void (*kill)(void *user, PgmCodeBlock *block);
    /* Forgets all of them, and calls pgm_code_index_clear(). */
    void (*flush)(void *user);
} PgmCodeIndexCalls;

typedef struct PgmCodePage PgmCodePage;

/* Of one virtual CPU and engine; used on its thread, but for what PGM reports. */
typedef struct {
    Vcpu *vcpu;
    const PgmCodeIndexCalls *calls;
    void *user;
    unsigned listener;
    PgmRemote remote;
    PgmCodePage *pages[PGM_CODE_PAGES];
} PgmCodeIndex;

/* Begins to listen; user is the first argument of the calls. */
void pgm_code_index_init(PgmCodeIndex *index, Vcpu *vcpu, const PgmCodeIndexCalls *calls,
                         void *user);
/* Ends that. An index of zeroes that was never begun is left alone. */
void pgm_code_index_free(PgmCodeIndex *index);
/* Forgets all pages. */
void pgm_code_index_clear(PgmCodeIndex *index);
/* Where `host`, which the TLB led to, is in guest-physical space. The guest's tables cannot say it:
 * they may have changed while the TLB still knows the page. False: in no page that can be cached.
 */
bool pgm_code_gpa(Vcpu *vcpu, const uint8_t *host, uint64_t *gpa);
/* Notes that the block holds `bytes` bytes from gpa on, which are at `host` (within a page; once
 * for each page), and has writes to them reported. Compare them again afterwards, as for
 * pgm_code_mark(). False: no memory was left, the block may not be used. */
bool pgm_code_index_add(PgmCodeIndex *index, uint64_t gpa, const uint8_t *host, unsigned bytes,
                        PgmCodeBlock *block);
/* Acts on what other threads wrote: at each beginning of the engine's run. */
void pgm_code_index_enter(PgmCodeIndex *index);
