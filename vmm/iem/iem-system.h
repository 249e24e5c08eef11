/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the interpreter's privileged files share: descriptors on their way into segment registers,
 * stack frames that are checked before they are written, the stacks and I/O map of a TSS, task
 * switches, debug conditions. Nothing outside the iem-segment, -far, -gate, -interrupt, -iret,
 * -task, -cr, -dr, -msr, -table, -verify, -syscall and -control files needs it, except the
 * helpers that iem-private.h lists as well. Intel SDM volume 3A chapters 3, 5, 6, 7. */
#pragma once

#include "vmm/iem/iem-private.h"

/* Error codes of selectors: index and TI, with the EXT bit of events that the program did not ask
 * for; of IDT entries: vector * 8 + IDT. SDM 3A 6.13. */
#define IEM_ERROR_EXT 1u
#define IEM_ERROR_IDT 2u

/* Debug registers. SDM 3B 17.2. */
#define IEM_DR6_BD (1u << 13)
#define IEM_DR6_BS (1u << 14)
#define IEM_DR6_BT (1u << 15)
#define IEM_DR6_FIXED 0xffff0ff0u /* bits that read as 1 */
#define IEM_DR7_GD (1u << 13)

static inline uint32_t
iem_selector_error(uint16_t selector, uint32_t ext)
{
    return (selector & 0xfffcu) | ext;
}

static inline bool
iem_selector_is_null(uint16_t selector)
{
    return (selector & 0xfffcu) == 0;
}

static inline bool
iem_long_mode_active(const Vcpu *vcpu)
{
    return (vcpu->efer & X86_EFER_LMA) != 0;
}

static inline bool
iem_in_v86(const Vcpu *vcpu)
{
    return vcpu->mode == CPUM_MODE_V86;
}

/* Raises #UD in real and virtual-8086 mode, where the protected-mode instructions do not exist. */
static inline void
iem_require_protected(Vcpu *vcpu)
{
    if (!iem_is_protected(vcpu))
        iem_raise_ud(vcpu);
}

/* Raises #GP(0) unless CPL is 0 (virtual-8086 mode runs at CPL 3). */
static inline void
iem_require_cpl0(Vcpu *vcpu)
{
    if (vcpu->cpl != 0)
        iem_raise_gp0(vcpu);
}

/* ---- descriptors (iem-segment.c) ---- */
static inline bool
iem_descriptor_is_code(const IemDescriptor *d)
{
    return (d->attr & (X86_SEG_S | X86_SEG_CODE)) == (X86_SEG_S | X86_SEG_CODE);
}

static inline bool
iem_descriptor_is_conforming(const IemDescriptor *d)
{
    return (d->attr & X86_SEG_CONFORMING) != 0;
}

static inline bool
iem_descriptor_is_writable_data(const IemDescriptor *d)
{
    return (d->attr & (X86_SEG_S | X86_SEG_CODE | X86_SEG_WRITABLE)) ==
           (X86_SEG_S | X86_SEG_WRITABLE);
}

/* X86_SYS_*, valid when the descriptor is not a code or data segment. */
static inline unsigned
iem_descriptor_type(const IemDescriptor *d)
{
    return X86_SEG_TYPE(d->attr);
}

static inline bool
iem_descriptor_is_system(const IemDescriptor *d)
{
    return !(d->attr & X86_SEG_S);
}

/* Gates keep their target in the same 8 (long mode: 16) bytes. */
static inline uint16_t
iem_gate_selector(const IemDescriptor *d)
{
    return (uint16_t)(d->raw >> 16);
}

static inline uint64_t
iem_gate_offset(const IemDescriptor *d, bool wide)
{
    uint64_t offset = (d->raw & 0xffff) | (wide ? (d->raw >> 32) & 0xffff0000u : 0);

    return offset | d->high << 32;
}

void iem_parse_descriptor(uint64_t raw, IemDescriptor *out);
/* Fetches, or raises `vector` with the selector as error code. */
void iem_fetch_or_raise(Vcpu *vcpu, uint16_t selector, uint8_t vector, uint32_t ext,
                        IemDescriptor *out);
/* Is the code that this descriptor names 64-bit code at present? */
bool iem_descriptor_is_code64(const Vcpu *vcpu, const IemDescriptor *d);
/* L and D both set in long mode: a reserved combination that no transfer may reach. */
bool iem_descriptor_has_bad_size(const Vcpu *vcpu, const IemDescriptor *d);
/* Raises #GP(error) when the offset is outside the segment, or not canonical for 64-bit code. */
void iem_check_code_offset(Vcpu *vcpu, const IemDescriptor *d, uint64_t offset, uint32_t error);
/* CS and SS after all checks: marks the descriptor accessed and loads the register with that CPL as
 * RPL. Neither calls cpum_update_mode(): do so when CS and SS fit together. */
void iem_load_cs(Vcpu *vcpu, uint16_t selector, IemDescriptor *d, unsigned cpl);
void iem_load_ss(Vcpu *vcpu, uint16_t selector, IemDescriptor *d);
/* ES, DS, FS, GS after all checks. */
void iem_load_data(Vcpu *vcpu, unsigned seg, uint16_t selector, IemDescriptor *d);
/* May code at that CPL load the segment into ES, DS, FS or GS (present or not)? */
bool iem_data_segment_allowed(uint16_t selector, const IemDescriptor *d, unsigned cpl);
/* The null SS of 64-bit code at CPL `cpl`. */
void iem_load_null_ss(Vcpu *vcpu, uint16_t selector, unsigned cpl);
/* Real and virtual-8086 mode: base from the selector. */
void iem_load_real_segment(Vcpu *vcpu, unsigned seg, uint16_t selector, bool v86);
/* ES, DS, FS, GS become null where the new, outer CPL may not use them. */
void iem_drop_inner_segments(Vcpu *vcpu, unsigned cpl);
/* A null selector in a data segment register. */
void iem_null_segment(Vcpu *vcpu, unsigned seg, uint16_t selector);

/* ---- frames (iem-frame.c): a stack on its way into SS:RSP, or the present one ---- */
typedef struct {
    CpumSeg ss;
    uint64_t sp;
    uint64_t mask;  /* of the stack's address size */
    uint32_t error; /* of #SS when the frame does not fit */
    bool current;   /* accesses through SS as it is loaded; else with `kind` */
    CpumTlbKind kind;
    bool flat; /* 64-bit stack: canonical form instead of limits */
} IemFrame;

void iem_frame_current(Vcpu *vcpu, IemFrame *frame, uint32_t error);
/* A legacy stack segment that was checked but is not loaded yet. */
void iem_frame_inner(IemFrame *frame, uint16_t selector, const IemDescriptor *ss, uint64_t sp,
                     uint32_t error);
/* A 64-bit stack at that address, for code at `cpl`. */
void iem_frame_inner64(Vcpu *vcpu, IemFrame *frame, uint64_t sp, unsigned cpl, uint32_t error);
/* Raises #SS unless `count` pushes of `size` bytes fit below the pointer. */
void iem_frame_check_push(Vcpu *vcpu, const IemFrame *frame, unsigned count, unsigned size);
/* Raises #SS unless `bytes` bytes at `offset` above the pointer are inside the segment. */
void iem_frame_check_pop(Vcpu *vcpu, const IemFrame *frame, unsigned offset, unsigned bytes);
void iem_frame_push(Vcpu *vcpu, IemFrame *frame, uint64_t value, unsigned size);
uint64_t iem_frame_peek(Vcpu *vcpu, const IemFrame *frame, unsigned offset, unsigned size);
/* Writes SP, ESP or RSP. */
void iem_frame_commit(Vcpu *vcpu, const IemFrame *frame);

/* ---- stacks in the TSS (iem-frame.c) ---- */
/* SS:ESP for an inner level of a legacy TSS; #TS(TR) where the TSS is too short. */
void iem_tss_stack(Vcpu *vcpu, unsigned cpl, uint32_t ext, uint16_t *ss, uint32_t *sp);
/* RSP0..2 (ist = 0) or IST1..7 of a 64-bit TSS. */
uint64_t iem_tss_stack64(Vcpu *vcpu, unsigned cpl, unsigned ist, uint32_t ext);
/* The checks of an inner stack segment: #TS(ss), #SS(ss) when not present. */
void iem_check_inner_ss(Vcpu *vcpu, uint16_t ss, unsigned cpl, uint32_t ext, IemDescriptor *out);

/* ---- task switches (iem-task.c) ---- */
typedef enum {
    IEM_TASK_JMP,
    IEM_TASK_CALL,
    IEM_TASK_INTERRUPT, /* an event from outside of the program: error codes get the EXT bit */
    IEM_TASK_SOFTWARE,  /* INT n, INT3, INTO */
    IEM_TASK_IRET,
} IemTaskWhy;

/* A far CALL or JMP to a TSS or through a task gate: checks privilege, then switches. */
void iem_task_transfer(Vcpu *vcpu, uint16_t selector, const IemDescriptor *d, bool call);
/* The TSS descriptor that a task gate names, with the checks of the switch; raises otherwise. */
void iem_task_gate_check(Vcpu *vcpu, uint16_t tss, uint32_t ext);

/* ---- far transfers through call gates (iem-gate.c) ---- */
void iem_gate_jump(Vcpu *vcpu, uint16_t selector, const IemDescriptor *gate);
void iem_gate_call(Vcpu *vcpu, uint16_t selector, const IemDescriptor *gate);
/* Checks of gates and task descriptors that far transfers share: #GP unless DPL admits CPL and RPL,
 * #NP when not present. */
void iem_check_system_target(Vcpu *vcpu, uint16_t selector, const IemDescriptor *d);

/* ---- returns to an outer level (iem-far.c), RET and IRET alike ---- */
/* The code segment on the stack. */
void iem_check_return_code(Vcpu *vcpu, uint16_t selector, IemDescriptor *d);
/* Checks the SS on the stack for code of privilege `rpl`; a null one is fine for 64-bit code. */
void iem_check_return_ss(Vcpu *vcpu, uint16_t selector, unsigned rpl, bool to_code64,
                         IemDescriptor *d);
/* Loads SS, derives the mode from CS and SS, and sets the stack pointer by the new stack's width.
 */
void iem_return_ss(Vcpu *vcpu, uint16_t selector, IemDescriptor *d, unsigned rpl, uint64_t sp);

/* ---- control registers, debug registers, ports, UMIP ---- */
/* WRMSR to EFER: #GP for reserved bits and for LME while paging is on. */
void iem_write_efer(Vcpu *vcpu, uint64_t value);
/* SGDT, SIDT, SLDT, STR, SMSW outside of CPL 0 with CR4.UMIP: #GP(0). */
void iem_require_umip(Vcpu *vcpu);

/* After IRET and task switches: VIF and VIP both set raise #GP(0) at the next instruction, with VME
 * or PVI (iem-vme.c). */
void iem_check_virtual_interrupt(Vcpu *vcpu);

/* ---- choosers ---- */
IemHandler iem_choose_mov_cr(const Vcpu *vcpu, IemInsn *insn);
IemHandler iem_choose_mov_dr(const Vcpu *vcpu, IemInsn *insn);
#define INSN(mnemonic, chooser, rem, csam, feature)                                                \
    IemHandler chooser(const Vcpu *vcpu, IemInsn *insn);
#include "vmm/x86/instructions-system.def"
#undef INSN
