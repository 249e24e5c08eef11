/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loops that are one block: a conditional branch of the block goes back to its start. Where all
 * memory operands are at addresses that are fixed or move by a constant in each turn, one probe for
 * each says for how many turns they stay in their pages; so many turns then run without probes, and
 * without a look at the count. Between rem-loop.c (what a loop does) and rem-loop-emit.c. */
#pragma once

#include "vmm/rem/rem-translate.h"

/* Operands with the same registers: their offsets from what the registers are when a turn begins.
 */
typedef struct {
    uint8_t base, index, scale; /* as in RemOperand */
    bool bare;                  /* neither: relative to RIP, or absolute; one operand */
    bool fixed;                 /* the base does not move */
    bool rip_relative, write;
    uint8_t align;     /* 1, or what (offset - phase) is a multiple of for some of them */
    uint8_t phase;     /* modulo align */
    int64_t low, high; /* all of them are within [low, high) */
    int64_t stride;    /* bytes that they move in a turn */
} RemLoopGroup;

/* How the flags behind the last instruction come back when the turns are used up. */
typedef enum {
    REM_LOOP_REPEAT, /* execute `writer` again, the registers are as they were */
    REM_LOOP_UNDO,   /* the same after adding `undo` to its register */
    REM_LOOP_TEST,   /* TEST of its register: AND, OR, XOR */
    REM_LOOP_STORE,  /* not so simple: they are stored in each turn */
} RemLoopFlags;

typedef struct {
    unsigned count;    /* instructions, with the branch */
    unsigned accesses; /* memory operands */
    RemLoopGroup groups[REM_LOOP_GROUPS];
    unsigned group_count;
    uint8_t group_of[REM_BLOCK_INSNS];
    bool needs_temporaries; /* the instructions themselves do */
    RemLoopFlags flags;
    unsigned writer;
    int32_t undo;
} RemLoop;

/* The highest offset in a page that the lowest byte may have. */
static inline int32_t
rem_loop_last(const RemLoopGroup *group)
{
    return (int32_t)(X86_PAGE_SIZE - (group->high - group->low));
}

/* Is the block such a loop? Its instructions are decoded. */
bool rem_loop_find(const RemTranslator *t, RemLoop *loop);
