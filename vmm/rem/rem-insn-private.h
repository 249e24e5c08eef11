/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Between rem-insn.c and rem-insn-flags.c. */
#pragma once

#include "vmm/rem/rem-insn.h"

/* Fills flags_*; everything else of *insn is there already. */
void rem_insn_fill_flags(const ZydisDecodedInstruction *zydis, RemInsn *insn);
