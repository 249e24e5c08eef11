/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A saved state taken apart into its units' contents, and put together again with right checksums:
 * for tests that change what is inside. */
#pragma once

#include "vmm/ssm/ssm.h"

typedef struct {
    char *name;
    uint32_t instance;
    SsmState state;      /* of the stand-in that takes the unit's place; with the version saved */
    GByteArray *content; /* all of it, but for pieces */
    GPtrArray *pieces;   /* GByteArray; the memory's, in no certain order */
    GMutex lock;         /* of pieces */
} StateUnit;

/* StateUnit, in the order of the file. The test ends when the state is damaged. */
GPtrArray *state_units_take_apart(GBytes *state);
GBytes *state_units_put_together(GPtrArray *units);
StateUnit *state_unit_new(const char *name, uint32_t instance, uint32_t version);
StateUnit *state_units_find(GPtrArray *units, const char *name, uint32_t instance);
