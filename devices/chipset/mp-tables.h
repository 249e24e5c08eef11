/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The machine's MP configuration table, for guests that start their processors without ACPI:
 * MultiProcessor Specification 1.4, chapter 4. */
#pragma once

#include "vmm/pdm/pdm.h"

typedef struct MpTables MpTables;

/* Offers the table's file and has the table loader put it into the BIOS area, below the firmware's
 * own: guests take the first that they find, and the firmware's lists one processor of a package.
 */
MpTables *mp_tables_new(PdmDevice *device, GByteArray *script);
/* Only when the file is not asked for any more. NULL is nothing. */
void mp_tables_free(MpTables *tables);
