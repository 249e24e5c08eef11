/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which accesses of a block share one probe of the softTLB: those of flat code with the same base
 * register, unchanged or changed by constants in between (a stack frame, an object). The first of
 * them probes for the whole range and keeps the difference of host and linear addresses, or in
 * 32-bit code, where the others' registers may wrap, the host address; the others only add it.
 * Where the range crosses pages, the block has a twin without sharing (REM_MODE_NO_SHARE). */
#include "vmm/rem/rem-translate.h"

#define RANGE_MAX 1024

/* A value that registers had at some point, and how far each is from it now. */
typedef struct {
    uint8_t value[X86_GPR_COUNT];
    int64_t offset[X86_GPR_COUNT];
    unsigned values;
    unsigned width; /* of a register */
    struct {
        int64_t first, end;
        unsigned count;
    } range[UINT8_MAX];
} Tracker;

static void
forget(Tracker *tracker, unsigned reg)
{
    tracker->value[reg] =
        (uint8_t)(tracker->values < UINT8_MAX - 1 ? tracker->values++ : UINT8_MAX - 1);
    tracker->offset[reg] = 0;
}

static void
copy(Tracker *tracker, unsigned to, unsigned from, int64_t offset)
{
    tracker->value[to] = tracker->value[from];
    tracker->offset[to] = tracker->offset[from] + offset;
}

/* --- what an instruction does to the registers --- */

static bool
is_group1(const RemInsn *insn, unsigned digit)
{
    return insn->op.map == 0 && (insn->op.code == 0x81 || insn->op.code == 0x83) &&
           (insn->reg & 7) == digit && !(insn->form & REM_FORM_MEM);
}

/* A change by a constant, or a copy; false: it is neither. */
static bool
track_simple(Tracker *tracker, const RemInsn *insn)
{
    if (insn->opsize != tracker->width)
        return false;
    if (is_group1(insn, 0) || is_group1(insn, 5)) {
        const int64_t value = rem_insn_imm(insn);

        copy(tracker, insn->rm, insn->rm, (insn->reg & 7) == 0 ? value : -value);
        return true;
    }
    if (insn->row == ZYDIS_MNEMONIC_LEA && insn->addrsize == tracker->width &&
        !insn->mem.rip_relative && insn->mem.base != REM_NO_REG && insn->mem.index == REM_NO_REG) {
        copy(tracker, insn->reg, insn->mem.base, insn->mem.disp);
        return true;
    }
    if (insn->op.map == 0 && !(insn->form & REM_FORM_MEM) &&
        (insn->op.code == 0x89 || insn->op.code == 0x8b)) {
        if (insn->op.code == 0x89)
            copy(tracker, insn->rm, insn->reg, 0);
        else
            copy(tracker, insn->reg, insn->rm, 0);
        return true;
    }
    return false;
}

static void
track(Tracker *tracker, const RemInsn *insn)
{
    const bool word = insn->opsize == tracker->width;
    const int64_t size = tracker->width;
    const uint16_t rsp = 1u << X86_RSP;
    uint16_t written = insn->gpr_written;

    if (track_simple(tracker, insn))
        return;
    if (insn->row == ZYDIS_MNEMONIC_LEAVE && word) {
        copy(tracker, X86_RSP, X86_RBP, size);
        forget(tracker, X86_RBP);
        return;
    }
    if ((insn->row == ZYDIS_MNEMONIC_PUSH || insn->row == ZYDIS_MNEMONIC_POP) && word) {
        const bool to_rsp =
            insn->row == ZYDIS_MNEMONIC_POP && !(insn->form & REM_FORM_MEM) && insn->rm == X86_RSP;

        copy(tracker, X86_RSP, X86_RSP, insn->row == ZYDIS_MNEMONIC_PUSH ? -size : size);
        if (!to_rsp)
            written &= (uint16_t)~rsp;
    }
    for (; written != 0; written &= written - 1)
        forget(tracker, (unsigned)__builtin_ctz(written));
}

/* --- accesses --- */

static void
note(Tracker *tracker, unsigned base, int64_t disp, unsigned size, RemShared *shared)
{
    const uint8_t value = tracker->value[base];
    const int64_t first = tracker->offset[base] + disp;

    *shared = (RemShared){.group = value, .at = first};
    if (tracker->range[value].count++ == 0)
        tracker->range[value].first = tracker->range[value].end = first;
    tracker->range[value].first = MIN(tracker->range[value].first, first);
    tracker->range[value].end = MAX(tracker->range[value].end, first + (int64_t)size);
}

static void
note_stack(Tracker *tracker, const RemInsn *insn, RemShared *shared)
{
    const unsigned size = tracker->width;

    if (insn->opsize != size || insn->op.map != 0)
        return;
    switch (insn->row) {
    case ZYDIS_MNEMONIC_PUSH:
    case ZYDIS_MNEMONIC_CALL: note(tracker, X86_RSP, -(int64_t)size, size, shared); break;
    case ZYDIS_MNEMONIC_POP:
    case ZYDIS_MNEMONIC_RET: note(tracker, X86_RSP, 0, size, shared); break;
    case ZYDIS_MNEMONIC_LEAVE: note(tracker, X86_RBP, 0, size, shared); break;
    default: break;
    }
}

static void
note_operand(Tracker *tracker, const RemInsn *insn, RemShared *shared)
{
    const RemOperand *mem = &insn->mem;

    if ((insn->does & REM_DOES_MEMORY) && !mem->rip_relative && !mem->vsib &&
        mem->index == REM_NO_REG && mem->base != REM_NO_REG && rem_in_register(mem->base) &&
        insn->addrsize == tracker->width && (tracker->width == 8 || mem->seg != X86_CS) &&
        mem->seg != X86_FS && mem->seg != X86_GS && mem->align == 1 && mem->size > 0 &&
        mem->size <= 64)
        note(tracker, mem->base, mem->disp, mem->size, shared);
}

/* Values that more than one access has, within a range that is likely to lie in a page, get a
 * group. */
static void
keep(RemTranslator *t, const Tracker *tracker, RemShared *shared)
{
    const unsigned value = shared->group;

    if (value == REM_NOT_SHARED)
        return;
    shared->group = REM_NOT_SHARED;
    if (value == UINT8_MAX - 1 || tracker->range[value].count < 2 ||
        tracker->range[value].end - tracker->range[value].first > RANGE_MAX)
        return;
    for (unsigned i = 0; i < REM_SHARES; i++) {
        RemShare *share = &t->share[i];

        if (share->value == value || share->size == 0) {
            *share = (RemShare){tracker->range[value].first,
                                (uint16_t)(tracker->range[value].end - tracker->range[value].first),
                                (uint8_t)value, REM_SHARE_NONE};
            shared->group = (uint8_t)i;
            t->shares = true;
            return;
        }
    }
}

void
rem_share_analyse(RemTranslator *t)
{
    const unsigned flat = REM_MODE_FLAT | REM_MODE_FLAT_CODE | REM_MODE_SS_B;
    Tracker tracker = {.values = X86_GPR_COUNT, .width = rem_is_long64(t) ? 8 : 4};

    for (unsigned i = 0; i < t->count; i++)
        t->shared_operand[i].group = t->shared_stack[i].group = REM_NOT_SHARED;
    if (t->mode & (REM_MODE_NO_SHARE | REM_MODE_SLOW_MEMORY))
        return;
    if (!rem_is_long64(t) &&
        ((t->mode & flat) != flat || (t->mode & REM_MODE_CPU) != CPUM_MODE_PROT32))
        return;
    for (unsigned reg = 0; reg < X86_GPR_COUNT; reg++)
        tracker.value[reg] = (uint8_t)reg;
    for (unsigned i = 0; i < t->count; i++) {
        note_operand(&tracker, &t->insns[i], &t->shared_operand[i]);
        note_stack(&tracker, &t->insns[i], &t->shared_stack[i]);
        track(&tracker, &t->insns[i]);
    }
    for (unsigned i = 0; i < t->count; i++) {
        keep(t, &tracker, &t->shared_operand[i]);
        keep(t, &tracker, &t->shared_stack[i]);
    }
}

void
rem_share_forget(RemTranslator *t)
{
    for (unsigned i = 0; i < REM_SHARES; i++)
        t->share[i].state = REM_SHARE_NONE;
}
