/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Liveness of the status flags in a block: a backward pass over its instructions. Flags are masks
 * of X86_FL_STATUS. */
#pragma once

#include "vmm/rem/rem-insn.h"

/* What is known before an instruction (`*_in`) and behind it (`*_out`).
 *  - live: the normal path needs these flags: something reads them before they are overwritten, or
 *    the block ends with them.
 *  - shown: a fault or exit at or behind this point can show them before they are overwritten.
 * live is a part of shown only where something faults: a flag may be live without being shown in
 * between, and then no copy of it is needed.
 *  - save: the flags behind this instruction have to be copied to the virtual CPU, once: an
 *    instruction further on, before any other writes flags, loses them (`loses`) and can show them.
 */
typedef struct {
    uint16_t live_in, live_out;
    uint16_t shown_in, shown_out;
    bool save;
} RemFlags;

/* loses[i]: the code that will be emitted for instruction i destroys the flags before the
 * instruction itself (a TLB probe). out[0..count-1] is filled. live_end: flags that are live behind
 * the last instruction (X86_FL_STATUS unless its successor is known). Returns whether the flags at
 * the block's entry have to be saved. */
bool rem_flags_analyse(const RemInsn *insns, const bool *loses, unsigned count, uint16_t live_end,
                       RemFlags *out);
