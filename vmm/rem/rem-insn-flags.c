/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which status flags an instruction reads, overwrites for certain, perhaps changes, or leaves
 * undefined. Zydis's tables say what the manual says (Intel SDM volume 1 appendix A); what depends
 * on a count is worked out here. */
#include "vmm/rem/rem-insn-private.h"

#define ARITHMETIC (X86_FL_SF | X86_FL_ZF | X86_FL_PF)

static void
set_all_maybe(RemInsn *insn)
{
    insn->flags_maybe = rem_insn_flags_written(insn);
    insn->flags_set = insn->flags_undefined = 0;
}

/* The count as the processor masks it, or -1: in CL. */
static int
shift_count(const RemInsn *insn)
{
    unsigned mask = insn->opsize == 8 ? 63 : 31;

    if (insn->imm_size != 0)
        return (int)(insn->imm & mask);
    return insn->op.map == 0 && insn->op.code <= 0xd1 ? 1 : -1;
}

/* Shifts: nothing happens to flags when the count is zero; OF has a meaning for 1 only. */
static void
fix_shift(RemInsn *insn)
{
    int count = shift_count(insn);
    unsigned bits = insn->opsize * 8u;

    if (count < 0) {
        set_all_maybe(insn);
    } else if (count == 0) {
        insn->flags_set = insn->flags_maybe = insn->flags_undefined = 0;
        insn->flags_read = 0;
    } else {
        uint16_t certain = ARITHMETIC | ((unsigned)count < bits ? X86_FL_CF : 0);

        certain |= count == 1 ? X86_FL_OF : 0;
        insn->flags_set = certain;
        insn->flags_undefined = X86_FL_STATUS & ~certain;
    }
}

/* SHLD and SHRD with a count beyond 16 bits leave everything undefined. */
static void
fix_double_shift(RemInsn *insn)
{
    if (insn->opsize == 2)
        set_all_maybe(insn);
    else
        fix_shift(insn);
}

static void
fix_rotate(RemInsn *insn)
{
    int count = shift_count(insn);

    if (count == 0) {
        insn->flags_set = insn->flags_maybe = insn->flags_undefined = 0;
    } else if (count == 1) {
        insn->flags_set = X86_FL_CF | X86_FL_OF;
        insn->flags_maybe = insn->flags_undefined = 0;
    } else {
        insn->flags_set = insn->flags_undefined = 0;
        insn->flags_maybe = X86_FL_CF | X86_FL_OF;
    }
}

void
rem_insn_fill_flags(const ZydisDecodedInstruction *zydis, RemInsn *insn)
{
    const ZydisAccessedFlags *flags = zydis->cpu_flags;

    if (flags == NULL)
        return;
    insn->flags_read = flags->tested & X86_FL_STATUS;
    insn->flags_set = (flags->modified | flags->set_0 | flags->set_1) & X86_FL_STATUS;
    insn->flags_undefined = flags->undefined & X86_FL_STATUS;
    insn->flags_set &= ~insn->flags_undefined;
    switch (insn->row) {
    case ZYDIS_MNEMONIC_SHL:
    case ZYDIS_MNEMONIC_SHR:
    case ZYDIS_MNEMONIC_SAR: fix_shift(insn); break;
    case ZYDIS_MNEMONIC_SHLD:
    case ZYDIS_MNEMONIC_SHRD: fix_double_shift(insn); break;
    case ZYDIS_MNEMONIC_ROL:
    case ZYDIS_MNEMONIC_ROR:
    case ZYDIS_MNEMONIC_RCL:
    case ZYDIS_MNEMONIC_RCR: fix_rotate(insn); break;
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_OR:
    case ZYDIS_MNEMONIC_XOR:
    case ZYDIS_MNEMONIC_TEST:
        /* All processors clear AF, whatever the manual leaves open. */
        insn->flags_set |= insn->flags_undefined;
        insn->flags_undefined = 0;
        break;
    default:
        if (insn->form & (REM_FORM_REP | REM_FORM_REPNE))
            set_all_maybe(insn); /* a repeated string instruction with a count of zero */
        break;
    }
}
