/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Traces: the path of a hot loop, inner loops unrolled and calls followed, as one piece of code
 * that goes round without looking at the count or the TLB where it need not. rem-record.c finds the
 * path, rem-trace-path.c decodes it, rem-trace-values.c, rem-trace-operands.c and rem-trace.c say
 * what a turn does, rem-trace-place.c gives out host registers, and rem-trace-guard.c,
 * rem-trace-stack.c and rem-trace-emit.c make the code:
 *
 *   guard: whether the path's other pages are where they were; one probe for each group of operands
 *          whose address is known from the registers at the start of a turn; turns = as many as
 *          stay in the pages, at most REM_COUNT / length; what the probes found is kept for the
 * next time (RemMemoHot), when only the addresses are looked at turns: the instructions; an exit at
 * each branch; DEC of the turns left exits: registers and REM_COUNT as they have to be, on to the
 * block at that RIP
 *
 * Whatever a turn cannot do is an exit in front of that instruction, so a trace has no sites but
 * those of jumps, and all that it does not do is done by plain blocks. The TLB changes only when
 * C code runs on this thread, which it does not in a turn. */
#pragma once

#include "vmm/rem/rem-translate.h"

#define REM_TRACE_SPAN 2048 /* bytes that the operands of a group may cover */
#define REM_TRACE_STRIDE 4095
/* Lines of the code cache and of the micro-op cache begin where turns do. */
#define REM_TURN_ALIGNMENT 64

/* What a register's value counts from: its value when the turn begins (0 to 15), or one of these,
 * or a value that comes up in the turn. */
#define REM_ROOT_ZERO 16
#define REM_ROOT_RIP 17 /* RemHot.rip_base */
#define REM_ROOT_FIRST 18
#define REM_ROOT_UNKNOWN 0xffff
#define REM_TRACE_ROOTS (REM_ROOT_FIRST + 2 * REM_TRACE_INSNS)

typedef struct {
    uint16_t root;
    int64_t offset;
} RemValue;

/* What the turn's code does for an instruction that is not simply emitted again. The stack pointer
 * counts from the turn's start: its register has that value, or is a group's home, all through the
 * turn, and gets its own at the exits. */
typedef enum {
    REM_TRACE_PLAIN,
    REM_TRACE_BRANCH, /* conditional */
    REM_TRACE_JUMP,   /* direct: nothing to do */
    REM_TRACE_GOTO,   /* to where a register or memory says */
    REM_TRACE_CALL,   /* `checks`: a register says where to */
    REM_TRACE_RET,
    REM_TRACE_PUSH,
    REM_TRACE_POP,     /* LEAVE, too */
    REM_TRACE_MOVE_SP, /* changes RSP by a constant, or to one from it */
    REM_TRACE_READ_SP, /* MOV from RSP */
} RemTraceKind;

#define REM_TRACE_PAGES 4
/* Other pages of the path are not further away than this. */
#define REM_TRACE_REACH (1 << 29)

/* A page that the path leads through. */
struct RemTracePage {
    int32_t base;   /* its distance from the head's page */
    uint16_t first; /* bytes [first, end) of it are in the path */
    uint16_t end;
    uint64_t gpa; /* of its first byte */
    const uint8_t *host;
    const uint8_t *bytes; /* what they were when the path was decoded */
};

#define REM_NO_GROUP 0xff
#define REM_NO_WRITER 0xffff
#define REM_NO_WINDOW 0xff

/* How it is known that an operand is in its window. */
typedef enum {
    REM_LOOK_EACH,  /* it is asked for this operand */
    REM_LOOK_FIRST, /* it is asked for all operands that the pointer leads to */
    REM_LOOK_SAME,  /* the pointer was loaded again: is it still the one that was asked for? */
    REM_LOOK_DONE,  /* nothing, the pointer has not been loaded since */
} RemLook;

typedef struct {
    RemInsn insn;        /* its registers may be others than the guest's: rem-trace-place.c */
    int32_t at;          /* offset from the head's page */
    int32_t next;        /* of the instruction that it leads to */
    uint8_t kind;        /* RemTraceKind */
    bool taken;          /* a branch */
    bool checks;         /* leaves in front of it unless it leads to `next` */
    int32_t sp;          /* RSP minus RSP at the turn's start, in front of it */
    uint8_t group;       /* of its memory operand */
    bool probes;         /* the operand has a probe of its own */
    uint8_t window;      /* or is looked for in this one */
    uint8_t look;        /* RemLook */
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
    uint16_t base, index; /* roots; index REM_ROOT_ZERO: none */
    uint8_t scale;
    bool hoisted; /* probed by the guard, else by the first of them in the turn */
    bool fixed;   /* its home has the host address of the root's value itself */
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
    uint8_t home;      /* of the page's addend, as of a group */
    uint8_t anchor;    /* host register of the pointer that was looked for, or REM_NO_REG */
    bool again;        /* some operand is REM_LOOK_SAME */
    uint16_t first;    /* the load of the one that is REM_LOOK_FIRST, or REM_NO_WRITER */
    int64_t low, high; /* operands of all but REM_LOOK_EACH are in [low, high) from the pointer */
} RemTraceWindow;

/* What the flags are when a turn begins. */
typedef enum {
    REM_TOP_LOST,  /* nobody wants them before all are written */
    REM_TOP_SAVED, /* in RemHot.flags */
} RemTop;

/* How the flags behind an instruction come back when they are lost. */
typedef enum {
    REM_AGAIN_REPEAT,  /* execute `writer` again, the registers are as they were */
    REM_AGAIN_UNDO,    /* the same after adding `undo` to its register */
    REM_AGAIN_REVERSE, /* the same after the opposite: ADD and SUB of registers */
    REM_AGAIN_TEST,    /* TEST of its register: AND, OR, XOR */
    REM_AGAIN_KEPT,    /* CMP or TEST of memory: execute it again with what `kept` was loaded */
    REM_AGAIN_STORE,   /* not so simple: they are stored in each turn */
} RemAgain;

struct RemTrace {
    uint32_t number;                     /* another one for each trace of the CPU, not 0 */
    uint64_t head;                       /* RIP minus rip_base, in the page */
    RemTracePage pages[REM_TRACE_PAGES]; /* the head's first */
    unsigned page_count;
    uint16_t mode;
    unsigned count;
    RemTraceInsn insns[REM_TRACE_INSNS];
    RemTraceGroup groups[REM_TRACE_GROUPS];
    unsigned group_count;
    RemTraceWindow windows[REM_TRACE_WINDOWS];
    unsigned window_count;
    uint16_t origin[REM_TRACE_ROOTS]; /* of roots from REM_ROOT_FIRST on: the instruction */
    RemValue value[X86_GPR_COUNT];
    uint16_t next_root;
    int64_t step[X86_GPR_COUNT]; /* of registers that only move by constants */
    uint16_t steady;             /* these registers */
    uint16_t used, written;      /* guest registers */
    RemTop top;
    RemAgain again; /* what is done when the turns are used up, with */
    unsigned writer;
    uint8_t kept;       /* host register of REM_AGAIN_KEPT */
    bool temporaries;   /* T0 and T1 are used in turns */
    uint8_t at[16];     /* host register of guest r13 to r15, and of the one that lives in RSP, by
                           number; REM_NO_REG: its own, or memory */
    uint16_t moved;     /* guest register below r13 that lives in RSP, which no turn writes */
    uint8_t held;       /* RemEmit.held in a turn */
    uint16_t frames;    /* guest registers that are homes of groups that they address */
    uint16_t lent;      /* host registers that are not their guest's in a turn */
    uint8_t vector;     /* RemVectorLive */
    bool x87;           /* has instructions that change FIP */
    bool x87_each_turn; /* an exit may come before the first of them */
};

/* ---- rem-trace-path.c ---- */
/* Decodes the path of `count` offsets from the head's page, which returns to its start; the pages
 * are there. */
bool rem_trace_decode(RemVcpu *rem, RemTrace *trace, const int32_t *path, unsigned count);

/* ---- rem-trace-values.c ---- */
/* Follows the registers' values through a turn; false: the stack pointer's cannot be. */
bool rem_trace_track(RemTrace *trace);
/* ADD or SUB of an immediate, INC, DEC: what the register grows by. */
bool rem_trace_is_step(const RemInsn *insn, unsigned *reg, int64_t *by);

/* ---- rem-trace-operands.c ---- */
/* Puts operands in groups, for registers as they are now, at the turn's start. */
bool rem_trace_group_operands(const Vcpu *vcpu, RemTrace *trace);
void rem_trace_find_windows(RemTrace *trace);

/* ---- rem-trace.c ---- */
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
/* The trace as a block that is to be entered like any other. Where its turns begin. */
uint32_t rem_trace_emit(RemTranslator *t, RemTrace *trace);
/* Registers that were lent are the guest's again. No flags. */
void rem_trace_take_back(RemEmit *emit, const RemTrace *trace);
/* The operand of instruction i, probed for if need be; T0 and T1 may be a part of it. */
RemMem rem_trace_operand(RemTranslator *t, RemTrace *trace, unsigned i);
/* The host's flags, which are no more the guest's, tell to leave in front of the instruction. */
void rem_trace_leave_if(RemTranslator *t, const RemTrace *trace, unsigned i, RemCondition cc);

/* ---- rem-trace-stack.c ---- */
/* Instruction i, which is one of the kinds from REM_TRACE_GOTO on. */
void rem_trace_emit_stack(RemTranslator *t, RemTrace *trace, unsigned i);

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

/* Does it change or use the stack pointer as an instruction of its kind does? */
static inline bool
rem_trace_is_stack(const RemTraceInsn *step)
{
    return step->kind >= REM_TRACE_CALL && step->kind <= REM_TRACE_POP;
}

/* Does its operand's probe leave in front of it where it fails? */
static inline bool
rem_trace_asks(const RemTraceInsn *step)
{
    return step->probes && step->look != REM_LOOK_DONE;
}

static inline bool
rem_trace_names(const RemInsn *insn, unsigned reg)
{
    return ((insn->form & REM_FORM_REG_GPR) && insn->reg == reg) ||
           ((insn->form & REM_FORM_RM_GPR) && !(insn->form & REM_FORM_MEM) && insn->rm == reg) ||
           ((insn->form & REM_FORM_VVVV_GPR) && insn->op.vvvv == reg);
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
