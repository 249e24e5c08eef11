/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The backward pass over a block's flags. An instruction that can fault shows all flags as they are
 * before it; what an instruction surely overwrites is dead before it unless it reads it. */
#include "vmm/rem/rem-flags.h"

static void
step_back(const RemInsn *insn, RemFlags *flags)
{
    uint16_t dead = insn->flags_set;

    /* Conditionally written or undefined flags may be kept, so their old values go on. */
    flags->live_in = (flags->live_out & ~dead) | insn->flags_read;
    flags->shown_in = flags->shown_out & ~dead;
    if (rem_insn_can_fault(insn))
        flags->shown_in = X86_FL_STATUS;
}

bool
rem_flags_analyse(const RemInsn *insns, const bool *loses, unsigned count, uint16_t live_end,
                  RemFlags *out)
{
    uint16_t live = live_end, shown = X86_FL_STATUS;
    bool wanted = false; /* by an instruction further on that loses the flags */

    for (unsigned i = count; i-- > 0;) {
        bool writes = rem_insn_flags_written(&insns[i]) != 0;

        out[i] = (RemFlags){.live_out = live, .shown_out = shown, .save = wanted && writes};
        step_back(&insns[i], &out[i]);
        live = out[i].live_in;
        shown = out[i].shown_in;
        if (writes)
            wanted = false;
        if (loses[i] && rem_insn_can_fault(&insns[i]))
            wanted = true;
    }
    return wanted;
}
