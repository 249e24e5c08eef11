/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pieces of memory in a saved state, as pgm-ram-state.c writes them while the machine stands and
 * pgm-live.c while it runs. */
#pragma once

#include "vmm/pgm/pgm-private.h"

#define PGM_PIECE_PAGES 256u

/* One that is being made: at most PGM_PIECE_PAGES pages of one memory. */
typedef struct {
    uint8_t *data;
    size_t size;
    uint32_t count;
} PgmPiece;

void pgm_piece_begin(PgmPiece *piece, uint8_t *data);
/* host: what is in the page. Zeros are left out, or (zeros_too) named. */
void pgm_piece_add(PgmPiece *piece, uint64_t page, const uint8_t *host, bool zeros_too);
/* Its size, 0 where there is nothing in it. mem: number of the memory. */
size_t pgm_piece_end(PgmPiece *piece, unsigned mem);

bool pgm_is_zero_page(const uint8_t *page);
uint64_t pgm_mem_pieces(const PgmMem *mem);
/* The beginning of the unit: names and sizes of the memories. */
void pgm_save_mems(const Pgm *pgm, SsmWriter *writer);

extern const SsmState pgm_ram_state;
