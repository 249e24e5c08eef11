/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saving memory while the guest runs: the unit PGM_RAM_UNIT of a state, in passes. RAM is written
 * while its writers are watched; what they change goes into the next pass, and the rest is copied
 * in the moment in which the machine stands, with all other memory. One save at a time. */
#pragma once

#include "vmm/pgm/pgm.h"

typedef struct PgmLive PgmLive;

/* Begins to watch, and writes the beginning of the unit. Any thread but a virtual CPU's, without
 * locks; like everything here. */
PgmLive *pgm_live_new(Pgm *pgm, SsmWriter *writer);
/* All RAM, then what was written since the pass before. Waits until no CPU writes unseen. False:
 * the writer has failed. */
bool pgm_live_pass(PgmLive *live, SsmWriter *writer, GError **error);
/* Pages of RAM that were written since. */
uint64_t pgm_live_unsaved(PgmLive *live);
/* Room for that many pages, so that the copy below takes no time for it. */
bool pgm_live_reserve(PgmLive *live, uint64_t pages, GError **error);
/* The machine stands: copies what is not saved. */
bool pgm_live_copy(PgmLive *live, GError **error);
/* The machine may run again: writes the copy. */
bool pgm_live_put_copy(PgmLive *live, SsmWriter *writer, GError **error);
/* Watches no longer. */
void pgm_live_free(PgmLive *live);
