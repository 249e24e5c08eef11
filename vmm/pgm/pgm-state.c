/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saved state: the units of PGM. "ram" comes first in a file, because it is written while the
 * machine still runs; "pgm" is what else there is: the A20 gate. */
#include "vmm/pgm/pgm-ram-state.h"

#define STATE_VERSION 2
#define STATE_MIN_VERSION 2 /* 1 had all memory in it and was never in a file that a person has */

static bool
save(void *object, SsmWriter *writer, GError **error)
{
    ssm_put_uint(writer, pgm_a20(object), 1);
    return true;
}

static bool
load(void *object, SsmReader *reader, uint32_t version, GError **error)
{
    uint64_t a20;

    if (!ssm_get_uint(reader, &a20, 1, error))
        return false;
    if (a20 > 1) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT, "The A20 gate has no such position.");
        return false;
    }
    pgm_set_a20(object, a20 != 0);
    return true;
}

static const SsmState pgm_state = {
    .version = STATE_VERSION,
    .min_version = STATE_MIN_VERSION,
    .save = save,
    .load = load,
};

void
pgm_ssm_register(Pgm *pgm, Ssm *ssm)
{
    ssm_register(ssm, PGM_RAM_UNIT, 0, &pgm_ram_state, pgm);
    ssm_register(ssm, "pgm", 0, &pgm_state, pgm);
}
