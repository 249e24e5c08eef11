/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the interpreter share. Rules that every handler keeps:
 *  - Vcpu.rip already points behind the instruction when a handler is called; a fault is reported at
 *    rip - insn->length, so a handler changes rip (and any other state) only after its last possible fault.
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

#define IEM_REG_NONE 0xff

/* Prefixes and properties of a decoded instruction. */
#define IEM_INSN_MEM (1u << 0)   /* ModRM names memory: base, index, scale, disp, seg are valid */
#define IEM_INSN_LOCK (1u << 1)
#define IEM_INSN_REP (1u << 2)   /* F3 as a prefix */
#define IEM_INSN_REPNE (1u << 3) /* F2 as a prefix */
#define IEM_INSN_REX (1u << 4)   /* SPL..DIL instead of AH..BH */
#define IEM_INSN_RIP_REL (1u << 5) /* base is the RIP of the next instruction */
#define IEM_INSN_REX_W (1u << 6)
#define IEM_INSN_BLOCK_END (1u << 7) /* control flow, mode or interrupt state changes: look at pending */

struct IemInsn {
    IemHandler handler;
    uint64_t imm;     /* immediate, sign-extended; branch displacement; far offset; moffs */
    int32_t disp;
    uint16_t imm2;    /* far selector; ENTER's level; second immediate */
    uint16_t row;     /* row of vmm/x86/instructions.def */
    uint16_t flags;   /* IEM_INSN_* */
    uint8_t length;   /* 1..15 */
    uint8_t opcode;   /* last opcode byte */
    uint8_t modrm;    /* raw, 0 without */
    uint8_t opsize;   /* operand size in bytes: 1, 2, 4, 8; 16 for vectors */
    uint8_t addrsize; /* 2, 4, 8 */
    uint8_t reg;      /* ModRM.reg with REX.R, or the register in the opcode with REX.B */
    uint8_t rm;       /* ModRM.rm with REX.B when not memory */
    uint8_t base, index, scale; /* IEM_REG_NONE; scale is a shift count */
    uint8_t seg;      /* X86_ES.. of the memory operand, with overrides and defaults applied */
    uint8_t width;    /* bytes of the memory operand */
};

/* One for each virtual CPU (Vcpu.iem_vcpu). Extended by its owner iem.c / iem-cache.c. */
typedef struct IemVcpu IemVcpu;

/* ---- iem-raise.c: leave the instruction. rip is set back to its start for faults. ---- */
G_NORETURN void iem_raise(Vcpu *vcpu, uint8_t vector);                      /* without an error code */
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
/* Ends `run` after this instruction has retired, with that exit (HLT, shutdown, mode change). */
void iem_leave(Vcpu *vcpu, EmExit exit);
/* What was decoded may be stale (CR0/CR4/CS/paging changed): re-enter through the cache's lookup. */
void iem_state_changed(Vcpu *vcpu);

/* ---- iem-mem.h (inline fast path) and iem-mem.c: data accesses with all segment, paging, alignment
 * checks. offset is within the segment. Accesses may cross pages. Faults do not return. ---- */
uint8_t iem_read_u8(Vcpu *vcpu, unsigned seg, uint64_t offset);
uint16_t iem_read_u16(Vcpu *vcpu, unsigned seg, uint64_t offset);
uint32_t iem_read_u32(Vcpu *vcpu, unsigned seg, uint64_t offset);
uint64_t iem_read_u64(Vcpu *vcpu, unsigned seg, uint64_t offset);
void iem_write_u8(Vcpu *vcpu, unsigned seg, uint64_t offset, uint8_t value);
void iem_write_u16(Vcpu *vcpu, unsigned seg, uint64_t offset, uint16_t value);
void iem_write_u32(Vcpu *vcpu, unsigned seg, uint64_t offset, uint32_t value);
void iem_write_u64(Vcpu *vcpu, unsigned seg, uint64_t offset, uint64_t value);
/* Up to 512 bytes; a write faults before its first byte is stored. */
void iem_read_bytes(Vcpu *vcpu, unsigned seg, uint64_t offset, void *data, unsigned size);
void iem_write_bytes(Vcpu *vcpu, unsigned seg, uint64_t offset, const void *data, unsigned size);
/* 16 bytes that have to be aligned (#GP(0) otherwise), MOVAPS and most SSE memory operands. */
void iem_read_aligned16(Vcpu *vcpu, unsigned seg, uint64_t offset, void *data);
void iem_write_aligned16(Vcpu *vcpu, unsigned seg, uint64_t offset, const void *data);
/* Checks that a write of that size would not fault, and does nothing else. */
void iem_probe_write(Vcpu *vcpu, unsigned seg, uint64_t offset, unsigned size);
/* Read-modify-write of 1, 2, 4, 8 or 16 bytes: *host is guest memory (or a bounce buffer for MMIO, page
 * crossings and tracked pages); commit stores and reports. A LOCKed operation is atomic on *host. */
typedef struct {
    void *host;
    uint64_t linear;
    unsigned size;
    bool bounced;
    uint8_t kind; /* CpumTlbKind */
    _Alignas(16) uint8_t bounce[16];
} IemRmw;
void iem_rmw_begin(Vcpu *vcpu, unsigned seg, uint64_t offset, unsigned size, IemRmw *rmw);
void iem_rmw_commit(Vcpu *vcpu, IemRmw *rmw);
/* Implicit supervisor accesses at linear addresses (descriptor tables, TSS, stacks of gates). */
uint16_t iem_sys_read_u16(Vcpu *vcpu, uint64_t linear);
uint32_t iem_sys_read_u32(Vcpu *vcpu, uint64_t linear);
uint64_t iem_sys_read_u64(Vcpu *vcpu, uint64_t linear);
void iem_sys_write_u16(Vcpu *vcpu, uint64_t linear, uint16_t value);
void iem_sys_write_u32(Vcpu *vcpu, uint64_t linear, uint32_t value);
void iem_sys_write_u64(Vcpu *vcpu, uint64_t linear, uint64_t value);
void iem_sys_write_u8(Vcpu *vcpu, uint64_t linear, uint8_t value);
uint8_t iem_sys_read_u8(Vcpu *vcpu, uint64_t linear);
/* The offset that ModRM/SIB name, truncated to the address size. */
uint64_t iem_ea(const Vcpu *vcpu, const IemInsn *insn);

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
    uint64_t raw; /* the 8 bytes */
    uint64_t high; /* bytes 8..15 of a 16-byte system descriptor in long mode */
    uint64_t base;
    uint32_t limit, attr; /* as CpumSeg */
} IemDescriptor;
/* Fetches a descriptor; false when the selector is outside its table (no fault raised). */
bool iem_fetch_descriptor(Vcpu *vcpu, uint16_t selector, IemDescriptor *out);
void iem_set_descriptor_accessed(Vcpu *vcpu, uint16_t selector, IemDescriptor *descriptor);
/* MOV Sreg, POP Sreg, LDS …: with every check; real and V86 mode too. */
void iem_load_segment(Vcpu *vcpu, unsigned seg, uint16_t selector);

/* ---- control transfers (iem-far.c, iem-interrupt.c, iem-task.c) ---- */
/* Interrupt and exception delivery through IDT/IVT with gates, stack switches, task gates. Nested
 * faults leave by iem_raise_*; the caller (iem.c) turns them into #DF and shutdown. */
void iem_interrupt(Vcpu *vcpu, IemEventKind kind, uint8_t vector, bool has_error, uint32_t error);
void iem_task_switch(Vcpu *vcpu, uint16_t selector, unsigned why, bool has_error, uint32_t error,
                     uint64_t return_rip);

/* ---- feature gates used by FPU and SSE handlers (iem-fpu.c) ---- */
void iem_check_x87(Vcpu *vcpu);  /* CR0.EM/TS -> #NM, pending #MF; not for FNINIT and friends */
void iem_check_mmx(Vcpu *vcpu);
void iem_check_sse(Vcpu *vcpu);  /* CR0.EM, CR4.OSFXSR -> #UD, CR0.TS -> #NM */

/* Choosing a handler: each family offers one function that returns the handler for a decoded form,
 * or NULL for #UD. instructions.def names it. */
typedef IemHandler (*IemChoose)(const Vcpu *vcpu, IemInsn *insn);

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
iem_is_protected(const Vcpu *vcpu)
{
    return vcpu->mode >= CPUM_MODE_PROT16;
}
