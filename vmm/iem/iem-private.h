/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the interpreter share. Rules that every handler keeps:
 *  - Vcpu.rip already points behind the instruction when a handler is called; a fault is reported
 * at rip - insn->length, so a handler changes rip (and any other state) only after its last
 * possible fault.
 *  - Faults leave by iem_raise_*() which never return (a long jump to the loop in iem.c).
 *  - Handlers are chosen once, when the instruction is decoded, for their form and size, so a
 *    handler has no switch over sizes in its hot path.
 *  - Vcpu.rflags is complete after each handler. Undefined flags are what the host CPU gives.
 * Intel SDM volume 2; undefined flags per instruction are listed in tests/insn. */
#pragma once

#include "vmm/em/engine.h"
#include "vmm/iem/iem.h"

#include <setjmp.h>

typedef struct IemInsn IemInsn;
typedef void (*IemHandler)(Vcpu *vcpu, const IemInsn *insn);

/* base and index count in 64-bit words from the start of struct Vcpu: 0..15 are the general
 * registers, 16 is RIP (already behind the instruction), and IEM_REG_NONE a word that is always
 * zero. */
#define IEM_REG_RIP 16
#define IEM_REG_NONE 18
_Static_assert(offsetof(Vcpu, gpr) == 0 && offsetof(Vcpu, rip) == 8 * IEM_REG_RIP &&
                   offsetof(Vcpu, zero) == 8 * IEM_REG_NONE,
               "operands are addressed by word");

/* Prefixes and properties of a decoded instruction. */
#define IEM_INSN_MEM (1u << 0) /* ModRM names memory: base, index, scale, disp, seg are valid */
#define IEM_INSN_LOCK (1u << 1)
#define IEM_INSN_REP (1u << 2)     /* F3 as a prefix */
#define IEM_INSN_REPNE (1u << 3)   /* F2 as a prefix */
#define IEM_INSN_REX (1u << 4)     /* SPL..DIL instead of AH..BH */
#define IEM_INSN_RIP_REL (1u << 5) /* base is the RIP of the next instruction */
#define IEM_INSN_REX_W (1u << 6)
#define IEM_INSN_OPERAND_PREFIX (1u << 9) /* 66: the XMM form of what MMX has too */
#define IEM_INSN_VEX (1u << 10)           /* vvvv is valid; REX_W is VEX.W, of 64-bit code only */
#define IEM_INSN_VEX_L (1u << 11)         /* 256 bits */
#define IEM_INSN_BLOCK_END                                                                         \
    (1u << 7) /* control flow, mode or interrupt state changes: look at pending */
#define IEM_INSN_SYSTEM                                                                            \
    (1u << 8) /* of a system row: the loop refreshes what it derived from segments */

#define IEM_INSN_SEGMENT                                                                           \
    (1u << 12) /* of what IEM_INSN_SYSTEM stands for, only a segment register changes */

struct IemInsn {
    IemHandler handler;
    uint64_t imm; /* immediate, sign-extended; branch displacement; far offset; moffs */
    int32_t disp;
    uint16_t imm2;              /* far selector; ENTER's level; second immediate */
    uint16_t row;               /* row of vmm/x86/instructions.def */
    uint16_t flags;             /* IEM_INSN_* */
    uint8_t length;             /* 1..15 */
    uint8_t opcode;             /* last opcode byte */
    uint8_t modrm;              /* raw, 0 without */
    uint8_t opsize;             /* operand size in bytes: 1, 2, 4, 8; 16 for vectors */
    uint8_t addrsize;           /* 2, 4, 8 */
    uint8_t reg;                /* ModRM.reg with REX.R, or the register in the opcode with REX.B */
    uint8_t rm;                 /* ModRM.rm with REX.B when not memory */
    uint8_t base, index, scale; /* words of struct Vcpu, see IEM_REG_NONE; scale is a shift count */
    uint8_t seg;   /* X86_ES.. of the memory operand, with overrides and defaults applied */
    uint8_t width; /* for the chooser's own use; 0 before */
    uint8_t map;   /* opcode map: 0 one byte, 1 is 0F, 2 is 0F 38, 3 is 0F 3A, 15 is 0F 0F */
    uint8_t vvvv;  /* the register that VEX.vvvv names */
};

/* What IEM keeps for a virtual CPU (Vcpu.iem_vcpu); the code cache is behind `cache`. */
typedef enum {
    IEM_STOP_EXIT = 1u << 0,    /* leave run with IemVcpu.exit */
    IEM_STOP_RESTART = 1u << 1, /* not retired: rip is back at the instruction (REP, interrupted) */
    IEM_STOP_STATE = 1u << 2,   /* mode, segments or paging changed */
    IEM_STOP_CODE = 1u << 3,    /* code in the executing block was overwritten */
    IEM_STOP_PENDING = 1u << 4, /* something may have set Vcpu.pending in the middle of a block */
    IEM_STOP_DEBUG = 1u << 5,   /* debug_hits is not zero */
} IemStop;

/* The part of a segment check that the inline path does: an access of n bytes at `offset` is
 * allowed when offset + n - 1 < end. 0: always take the slow path (null, expand-down, checks for
 * #AC or DR7). */
typedef struct {
    uint64_t base;
    uint64_t read_end, write_end;
} IemSegFast;

typedef struct IemCache IemCache;

typedef struct IemVcpu {
    const IemInsn *insn;  /* what executes now; its length goes off rip when it faults */
    const IemInsn *first; /* first instruction that is not yet counted in Vcpu.retired */
    uint32_t stop;        /* IemStop; the loop looks at it after each instruction */
    uint32_t exit;        /* EmExit, with IEM_STOP_EXIT */
    uint64_t linear_mask; /* 64 bits in long mode, else 32 */
    uint64_t branch_low, branch_span; /* a near target t is valid when t - low <= span */
    uint64_t code_base, code_end; /* CS's base; a fetch ends at or before code_end (limit + 1) */
    uint32_t mode_key; /* all that decoding depends on besides the bytes: CpumMode, CS.D, SS.B */
    IemSegFast seg[X86_SEG_COUNT];
    /* What seg[] was made from, by which rules (iem-state.c), and how often it changed. */
    CpumSeg seen[X86_SEG_COUNT];
    uint32_t seen_rules, seen_changes;
    bool check_align;    /* CR0.AM, EFLAGS.AC, CPL 3 */
    bool check_code;     /* DR7 has a breakpoint on: look at each instruction */
    bool check_data;     /* DR7 has a data breakpoint on */
    bool suppress_step;  /* INT n and the like: no single-step trap after this one */
    bool after_mov_ss;   /* the shadow in Vcpu.irq_shadow is of MOV SS or POP SS */
    bool waits;          /* halt in front of this instruction */
    bool wide_open;      /* seg[] and the branch range are those of 64-bit code */
    bool one_step;       /* iem_step: nothing is cached */
    bool alone;          /* no other CPU runs until the present access is over */
    uint64_t debug_hits; /* DR6 bits of the trap that follows this instruction */
    unsigned pauses;     /* PAUSE in a row, and Vcpu.retired at the last one */
    uint64_t paused_at;

    /* The event that is being delivered, for #DF. */
    bool event_raised, event_has_error;
    bool event_counts; /* of an instruction that did not retire: it takes time all the same */
    uint8_t event_kind, event_vector;
    uint32_t event_error;
    uint64_t event_cr2;
    int delivering; /* vector of the exception whose delivery is under way, or IEM_DELIVERING_* */

    uint32_t generation; /* of the physical map, as the loop knows it */
    IemCache *cache;
    jmp_buf env;
} IemVcpu;

#define IEM_DELIVERING_NONE (-1)
#define IEM_DELIVERING_BENIGN (-2) /* an interrupt: a fault in its delivery is just that fault */

/* Stands for "no instruction": of length 0, so that a fault in a fetch or delivery leaves rip
 * alone. */
extern const IemInsn iem_no_insn;

/* ---- iem-raise.c: leave the instruction. rip is set back to its start for faults. ---- */
G_NORETURN void iem_raise(Vcpu *vcpu, uint8_t vector); /* without an error code */
G_NORETURN void iem_raise_error(Vcpu *vcpu, uint8_t vector, uint32_t error); /* with one */
G_NORETURN void iem_raise_page_fault(Vcpu *vcpu, uint64_t linear, uint32_t error);
static inline G_NORETURN void
iem_raise_ud(Vcpu *vcpu)
{
    iem_raise(vcpu, X86_XCPT_UD);
}
static inline G_NORETURN void
iem_raise_gp0(Vcpu *vcpu)
{
    iem_raise_error(vcpu, X86_XCPT_GP, 0);
}
static inline G_NORETURN void
iem_raise_nm(Vcpu *vcpu)
{
    iem_raise(vcpu, X86_XCPT_NM);
}
/* The instruction does not execute: the CPU halts in front of it until an interrupt. */
G_NORETURN void iem_wait_before(Vcpu *vcpu);
/* A debug trap after the present instruction has retired, with these bits of DR6 (BS, BT, B0..B3).
 */
void iem_debug_trap(Vcpu *vcpu, uint64_t dr6_bits);
/* Ends `run` after this instruction has retired, with that exit (HLT, shutdown, mode change). */
void iem_leave(Vcpu *vcpu, EmExit exit);
/* What was decoded may be stale (CR0/CR4/CS/paging changed): re-enter through the cache's lookup.
 */
void iem_state_changed(Vcpu *vcpu);
/* Vcpu.seg[], mode, cpl, RFLAGS.AC, CR0.AM or DR7 changed: call it before the next access to memory
 * through a segment in the same instruction. After the instruction of a system row the loop does it
 * by itself. */
void iem_segments_changed(Vcpu *vcpu);
/* One of Vcpu.seg[] changed, the CPL, mode and flags did not. */
void iem_segment_loaded(Vcpu *vcpu, unsigned seg);

/* Delivers event_*, or halts for iem_wait_before(): look at Vcpu.activity; false: shutdown. Leaves
 * through env when the delivery faults (with event_* set). */
bool iem_deliver_raised(Vcpu *vcpu);

/* ---- stack (iem-stack.c): by the stack's address size (SS.B or long mode) ---- */
void iem_push(Vcpu *vcpu, uint64_t value, unsigned size); /* updates RSP last */
uint64_t iem_pop(Vcpu *vcpu, unsigned size);
/* Peeks at byte offset from the top without moving it; then iem_stack_add moves RSP/ESP/SP. */
uint64_t iem_stack_peek(Vcpu *vcpu, uint64_t byte_offset, unsigned size);
void iem_stack_add(Vcpu *vcpu, int64_t bytes);

/* ---- branches (iem-branch.c): near; checks limit or canonical form, then sets rip ---- */
void iem_branch_near(Vcpu *vcpu, uint64_t target, unsigned opsize);

/* ---- segments and descriptors (iem-segment.c) ---- */
typedef struct {
    uint64_t raw;  /* the 8 bytes */
    uint64_t high; /* bytes 8..15 of a 16-byte system descriptor in long mode */
    uint64_t base;
    uint32_t limit, attr; /* as CpumSeg */
} IemDescriptor;
/* Fetches a descriptor; false when the selector is outside its table (no fault raised). */
bool iem_fetch_descriptor(Vcpu *vcpu, uint16_t selector, IemDescriptor *out);
void iem_set_descriptor_accessed(Vcpu *vcpu, uint16_t selector, IemDescriptor *descriptor);
/* MOV Sreg, POP Sreg, LDS …: with every check; real and V86 mode too. */
void iem_load_segment(Vcpu *vcpu, unsigned seg, uint16_t selector);

/* ---- for choosers of rows that have far and system forms as well ---- */
/* CALL 9A, FF /3; JMP EA, FF /5; RET CA, CB. */
IemHandler iem_choose_call_far(const Vcpu *vcpu, IemInsn *insn);
IemHandler iem_choose_jmp_far(const Vcpu *vcpu, IemInsn *insn);
IemHandler iem_choose_ret_far(const Vcpu *vcpu, IemInsn *insn);
/* MOV 0F 20..23: control and debug registers. */
IemHandler iem_choose_mov_cr_dr(const Vcpu *vcpu, IemInsn *insn);

/* ---- the virtual interrupt flag (iem-vme.c) ---- */
/* Do CLI and STI act on VIF instead of faulting? */
bool iem_has_virtual_if(const Vcpu *vcpu);
/* Setting it while VIP is set raises #GP(0). */
void iem_set_virtual_if(Vcpu *vcpu, bool value);
/* Does a PUSHF, POPF or IRET of that size see VIF as its IF? */
bool iem_has_virtual_flags(const Vcpu *vcpu, unsigned size);
/* What PUSHF pushes: IF is VIF and IOPL reads as 3. */
uint64_t iem_virtual_flags(const Vcpu *vcpu);
/* What POPF and IRET do with the image; #GP(0) for TF, and for IF while VIP is set. */
void iem_load_virtual_flags(Vcpu *vcpu, uint64_t image);

/* ---- ports (iem-io.c, iem-dr.c) ---- */
/* #GP(0) unless IOPL or the TSS's map lets the program touch the port. Before IN, OUT, INS, OUTS.
 */
void iem_check_io(Vcpu *vcpu, uint16_t port, unsigned size);
/* After the access: I/O breakpoints become a trap. */
void iem_debug_io(Vcpu *vcpu, uint16_t port, unsigned size);

/* ---- control transfers (iem-far.c, iem-interrupt.c, iem-task.c) ---- */
/* Interrupt and exception delivery through IDT/IVT with gates, stack switches, task gates. Nested
 * faults leave by iem_raise_*; the caller (iem.c) turns them into #DF and shutdown. */
void iem_interrupt(Vcpu *vcpu, IemEventKind kind, uint8_t vector, bool has_error, uint32_t error);
void iem_task_switch(Vcpu *vcpu, uint16_t selector, unsigned why, bool has_error, uint32_t error,
                     uint64_t return_rip);

/* ---- feature gates used by FPU and SSE handlers (iem-fpu.c) ---- */
void iem_check_x87(Vcpu *vcpu); /* CR0.EM/TS -> #NM, pending #MF; not for FNINIT and friends */
void iem_check_mmx(Vcpu *vcpu);
void iem_check_sse(Vcpu *vcpu); /* CR0.EM, CR4.OSFXSR -> #UD, CR0.TS -> #NM */

/* Choosing a handler: each family offers one function that returns the handler for a decoded form,
 * or NULL for #UD. instructions.def names it. */
typedef IemHandler (*IemChoose)(const Vcpu *vcpu, IemInsn *insn);

/* Mnemonics of which both integer and system files have forms. The rows are in
 * instructions-integer.def; its choosers set IEM_INSN_SYSTEM and IEM_INSN_BLOCK_END and ask these
 * for the system forms. MOV, PUSH and POP of segment registers are integer forms that call
 * iem_load_segment(). */
IemHandler iem_choose_mov_cr_dr(const Vcpu *vcpu, IemInsn *insn); /* MOV, 0F 20..23 */
IemHandler iem_choose_call_far(const Vcpu *vcpu, IemInsn *insn);  /* CALL, 9A and FF /3 */
IemHandler iem_choose_jmp_far(const Vcpu *vcpu, IemInsn *insn);   /* JMP, EA and FF /5 */
IemHandler iem_choose_ret_far(const Vcpu *vcpu, IemInsn *insn);   /* RET, CA and CB */
/* And of MOVSD and CMPSD with the vector files. */
IemHandler iem_choose_movsd_vector(const Vcpu *vcpu, IemInsn *insn);
IemHandler iem_choose_CMPSDX(const Vcpu *vcpu, IemInsn *insn);

/* Counts the instructions before the present one: before anything that reads the time, which is
 * derived from the count in deterministic runs and must not depend on where blocks begin. */
static inline void
iem_count_up_to_here(Vcpu *vcpu)
{
    IemVcpu *iem = vcpu->iem_vcpu;

    if (iem->first != NULL && iem->insn != &iem_no_insn) {
        vcpu->retired += (uint64_t)(iem->insn - iem->first);
        iem->first = iem->insn;
    }
}

/* ---- register access ---- */
static inline uint8_t *
iem_gpr8(Vcpu *vcpu, unsigned reg, unsigned flags)
{
    if (reg >= 4 && reg < 8 && !(flags & IEM_INSN_REX))
        return (uint8_t *)&vcpu->gpr[reg - 4] + 1;
    return (uint8_t *)&vcpu->gpr[reg];
}

static inline void
iem_gpr_write(Vcpu *vcpu, unsigned reg, unsigned size, uint64_t value)
{
    if (size == 8)
        vcpu->gpr[reg] = value;
    else if (size == 4)
        vcpu->gpr[reg] = (uint32_t)value;
    else
        *(uint16_t *)&vcpu->gpr[reg] = (uint16_t)value;
}

static inline bool
iem_is_long64(const Vcpu *vcpu)
{
    return vcpu->mode == CPUM_MODE_LONG64;
}

static inline bool
iem_is_canonical(const Vcpu *vcpu, uint64_t linear)
{
    unsigned shift = 64u - vcpu->linear_bits;

    return (uint64_t)((int64_t)(linear << shift) >> shift) == linear;
}

static inline bool
iem_is_protected(const Vcpu *vcpu)
{
    return vcpu->mode >= CPUM_MODE_PROT16;
}

/* After an instruction of a system row. Most of them serialise: for the other CPUs that is a full
 * fence (SDM 3A 9.3). */
static inline void
iem_after_system(Vcpu *vcpu)
{
    iem_segments_changed(vcpu);
    if (cpum_count(vcpu->cpum) > 1)
        atomic_thread_fence(memory_order_seq_cst);
}

#include "vmm/iem/iem-mem.h"
