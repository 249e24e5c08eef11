/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Traces: the path of a hot loop through its page, inner loops unrolled, as one piece of code that
 * goes round without looking at the count or the TLB where it need not. rem-record.c finds the
 * path, rem-trace.c says what a turn does, rem-trace-place.c gives out host registers, and
 * rem-trace-guard.c and rem-trace-emit.c make the code:
 *
 *   guard: one probe for each group of operands whose address is known from the registers at the
 *          start of a turn; turns = as many as stay in the pages, at most REM_COUNT / length
 *   turns: the instructions; an exit at each branch; DEC of the turns left
 *   exits: registers and REM_COUNT as they have to be, on to the block at that RIP
 *
 * Whatever a turn cannot do is an exit in front of that instruction, so a trace has no sites but
 * those of jumps, and all that it does not do is done by plain blocks. The TLB changes only when
 * C code runs on this thread, which it does not in a turn. */
#pragma once

#include "vmm/rem/rem-translate.h"

#define REM_TRACE_SPAN 2048 /* bytes that the operands of a group may cover */
#define REM_TRACE_STRIDE 4095

/* What a register's value counts from: its value when the turn begins (0 to 15), or one of these,
 * or a value that comes up in the turn. */
#define REM_ROOT_ZERO 16
#define REM_ROOT_RIP 17 /* RemHot.rip_base */
#define REM_ROOT_FIRST 18
#define REM_ROOT_UNKNOWN 0xff

typedef struct {
    uint8_t root;
    int64_t offset;
} RemValue;

#define REM_NO_GROUP 0xff
#define REM_NO_WRITER 0xffff
#define REM_NO_WINDOW 0xff

typedef struct {
    RemInsn insn; /* its registers may be others than the guest's: rem-trace-place.c */
    uint16_t at;  /* offset in the page */
    bool branch, taken;
    bool jump;           /* unconditional: nothing to do */
    uint8_t group;       /* of its memory operand */
    bool probes;         /* the operand has a probe of its own */
    uint8_t window;      /* or is looked for in this one */
    bool notes_pointer;  /* x87: FDP is noted here */
    uint16_t flags_of;   /* where control may leave in front of it: the instruction that can make
                            the flags again (REM_NO_WRITER: none, they have to be saved) */
    int64_t offset;      /* of the operand from the group's root */
    RemValue base;       /* of the operand, at this point */
    RemValue index;      /* root REM_ROOT_ZERO where there is none */
    uint16_t needed_out; /* status flags that have to be right behind it */
} RemTraceInsn;

/* Operands with the same roots. */
typedef struct {
    uint8_t base, index, scale; /* roots; index REM_ROOT_ZERO: none */
    bool hoisted;               /* probed by the guard, else by the first of them in the turn */
    bool fixed;                 /* its home has the host address of the root's value itself */
    bool write;
    uint8_t align;     /* 1, or what (offset - phase) is a multiple of for some of them */
    uint8_t phase;     /* modulo align */
    int64_t low, high; /* all of them are within [low, high) */
    int64_t stride;    /* bytes that they move in a turn */
    unsigned accesses;
    uint8_t home; /* host register, or REM_NO_REG: RemHot.loop.slot */
    bool probed;  /* while the turn is emitted */
} RemTraceGroup;

/* A page that a pointer in memory leads to, which the guard has looked up: operands by what was
 * loaded from there are likely to be in it. Whether they are is asked for each time. */
typedef struct {
    uint8_t group; /* the pointer's, fixed */
    int64_t at;    /* its offset */
    bool write;
    uint8_t home; /* of the page's addend, as of a group */
} RemTraceWindow;

/* What the flags are when a turn begins. */
typedef enum {
    REM_TOP_LOST,  /* nobody wants them before all are written */
    REM_TOP_SAVED, /* in RemHot.flags */
} RemTop;

/* How the flags behind an instruction come back when they are lost. */
typedef enum {
    REM_AGAIN_REPEAT, /* execute `writer` again, the registers are as they were */
    REM_AGAIN_UNDO,   /* the same after adding `undo` to its register */
    REM_AGAIN_TEST,   /* TEST of its register: AND, OR, XOR */
    REM_AGAIN_STORE,  /* not so simple: they are stored in each turn */
} RemAgain;

struct RemTrace {
    uint64_t head; /* RIP minus rip_base, in the page */
    uint16_t mode;
    unsigned count;
    RemTraceInsn insns[REM_TRACE_INSNS];
    RemTraceGroup groups[REM_TRACE_GROUPS];
    unsigned group_count;
    RemTraceWindow windows[REM_TRACE_WINDOWS];
    unsigned window_count;
    uint16_t origin[UINT8_MAX + 1]; /* of roots from REM_ROOT_FIRST on: the instruction */
    unsigned first, end;            /* bytes of the page */
    RemValue value[X86_GPR_COUNT];
    uint8_t next_root;
    int64_t step[X86_GPR_COUNT]; /* of registers that only move by constants */
    uint16_t steady;             /* these registers */
    uint16_t used, written;      /* guest registers */
    RemTop top;
    RemAgain again; /* what is done when the turns are used up, with */
    unsigned writer;
    bool temporaries;   /* T0 and T1 are used in turns */
    uint8_t at[16];     /* host register of guest r13 to r15, by number; REM_NO_REG: memory */
    uint8_t held;       /* RemEmit.held in a turn */
    uint16_t frames;    /* guest registers that are homes of groups that they address */
    uint16_t lent;      /* host registers that are not their guest's in a turn */
    uint8_t vector;     /* RemVectorLive */
    bool x87;           /* has instructions that change FIP */
    bool x87_each_turn; /* an exit may come before the first of them */
};

/* ---- rem-trace.c ---- */
/* Decodes the path of `count` offsets in the page at `bytes`, which returns to its start. */
bool rem_trace_decode(RemVcpu *rem, RemTrace *trace, const uint8_t *bytes, const uint16_t *path,
                      unsigned count);
/* What a turn does, for registers as they are now, at its start. */
bool rem_trace_analyse(Vcpu *vcpu, RemTrace *trace);

/* How flags that the instruction wrote can be had again while its registers are as they were
 * behind it; undo: what to add to its register first. */
RemAgain rem_trace_again(const RemTrace *trace, const RemInsn *writer, int32_t *undo);

/* ---- rem-trace-place.c ---- */
/* Gives host registers to guest r13 to r15 and to groups, and rewrites the instructions for it. */
bool rem_trace_place(RemTrace *trace);

/* ---- rem-trace-guard.c ---- */
/* Emits it; the jump is where it goes (in the cold part) if it cannot be. */
RemJump rem_trace_guard(RemTranslator *t, RemTrace *trace);

/* ---- rem-trace-emit.c ---- */
/* The trace as a block that is to be entered like any other. */
void rem_trace_emit(RemTranslator *t, RemTrace *trace);
/* Registers that were lent are the guest's again. No flags. */
void rem_trace_take_back(RemEmit *emit, const RemTrace *trace);

static inline bool
rem_trace_is_long64(const RemTrace *trace)
{
    return (trace->mode & REM_MODE_CPU) == CPUM_MODE_LONG64;
}

/* Bytes of a register. */
static inline unsigned
rem_trace_width(const RemTrace *trace)
{
    return rem_trace_is_long64(trace) ? 8 : 4;
}

static inline RemMem
rem_trace_slot(unsigned group)
{
    return rem_mem_hot(offsetof(RemHot, loop.slot) + 8 * group);
}

/* Can the access itself add the base? What wraps outside of 64-bit code is another page then, and
 * leaves. */
static inline bool
rem_trace_is_direct(const RemTrace *trace, const RemTraceInsn *step)
{
    const RemOperand *operand = &step->insn.mem;

    return operand->base != REM_NO_REG && operand->index == REM_NO_REG && operand->seg != X86_FS &&
           operand->seg != X86_GS && step->insn.addrsize == rem_trace_width(trace) &&
           (rem_trace_is_long64(trace) || ABS(operand->disp) < 1 << 20);
}

static inline RemMem
rem_trace_page(unsigned window)
{
    return rem_mem_hot(offsetof(RemHot, loop.page) + 8 * window);
}

static inline RemMem
rem_trace_addend(unsigned window)
{
    return rem_mem_hot(offsetof(RemHot, loop.addend) + 8 * window);
}

static inline bool
rem_trace_is_steady(const RemTrace *trace, unsigned root)
{
    return root >= REM_ROOT_ZERO ? root < REM_ROOT_FIRST : (trace->steady >> root) & 1;
}

/* What the root grows by in a turn. */
static inline int64_t
rem_trace_step(const RemTrace *trace, unsigned root)
{
    return root < REM_ROOT_ZERO ? trace->step[root] : 0;
}

/* The group of its operand; NULL: it has none. */
static inline RemTraceGroup *
rem_trace_group(RemTrace *trace, const RemTraceInsn *step)
{
    return step->group == REM_NO_GROUP ? NULL : &trace->groups[step->group];
}
