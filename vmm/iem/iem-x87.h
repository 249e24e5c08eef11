/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The x87 in the interpreter. The host's x87 executes each operation on 80-bit copies under the
 * guest's control word; the register stack, tags and empty-register faults are kept here. Intel SDM
 * volume 1 chapter 8. */
#pragma once

#include "vmm/iem/iem-private.h"

#define X87_IE 0x01u
#define X87_DE 0x02u
#define X87_ZE 0x04u
#define X87_OE 0x08u
#define X87_UE 0x10u
#define X87_PE 0x20u
#define X87_SF 0x40u
#define X87_ES 0x80u
#define X87_C0 0x0100u
#define X87_C1 0x0200u
#define X87_C2 0x0400u
#define X87_C3 0x4000u
#define X87_B 0x8000u
#define X87_CONDITION (X87_C0 | X87_C1 | X87_C2 | X87_C3)
#define X87_EXCEPTIONS 0x3fu
#define X87_HOST_FCW 0x037fu

typedef struct {
    uint8_t bytes[10];
} X87Value;

/* One host operation: a is ST(0) or the destination, b the other operand (80-bit, float, double or
 * integer by the operation). fsw has the exceptions and condition codes of it alone. */
typedef struct {
    X87Value a, b;
    X87Value result, second; /* second: FSINCOS, FPTAN, FXTRACT */
    uint64_t memory;         /* a memory operand's raw bytes */
    uint16_t fcw, fsw;
    uint16_t sticky; /* exception flags that the guest has set already */
} X87Frame;
typedef void (*X87Op)(X87Frame *frame);

static inline unsigned
x87_top(const Vcpu *vcpu)
{
    return vcpu->fpu.fsw >> 11 & 7;
}

static inline bool
x87_empty(const Vcpu *vcpu, unsigned i)
{
    return !(vcpu->fpu.ftw >> ((x87_top(vcpu) + i) & 7) & 1);
}

static inline X87Value
x87_get(const Vcpu *vcpu, unsigned i)
{
    X87Value value;

    memcpy(&value, vcpu->fpu.st[i], 10);
    return value;
}

/* The status word has changed: where no exception is pending any more, FERR# goes away. */
static inline void
x87_tell_chipset(Vcpu *vcpu)
{
    if (!(vcpu->fpu.fsw & X87_ES) && !(vcpu->cr0 & X86_CR0_NE))
        trpm_fpu_error_gone(vcpu);
}

static inline void
x87_set(Vcpu *vcpu, unsigned i, const X87Value *value)
{
    memcpy(vcpu->fpu.st[i], value, 10);
    vcpu->fpu.ftw |= 1u << ((x87_top(vcpu) + i) & 7);
}

void x87_push(Vcpu *vcpu, const X87Value *value); /* without a check for overflow */
void x87_pop(Vcpu *vcpu);
void x87_free(Vcpu *vcpu, unsigned i);

/* Merges a host operation's status (C1 and conditions replaced in `conditions`), sets ES and B.
 * True: no unmasked invalid, denormal or zero-divide exception, so the result may be stored and the
 * stack popped. */
bool x87_report(Vcpu *vcpu, uint16_t host_fsw, uint16_t conditions);
/* An access to an empty register (or a push onto a full one): IE, SF and C1. True when masked: the
 * result is the default NaN. */
bool x87_stack_fault(Vcpu *vcpu, bool overflow);
extern const X87Value x87_default_nan;

/* CR0.EM, TS, pending #MF; then FOP, FIP, FDP of this instruction. */
void x87_begin(Vcpu *vcpu, const IemInsn *insn);
/* Recomputes ES and B from flags and masks. */
void x87_update_summary(Vcpu *vcpu);
/* Tag word of FSAVE and FSTENV (two bits a physical register). */
uint16_t x87_full_tags(const Vcpu *vcpu);

static inline void
x87_run(Vcpu *vcpu, X87Op op, X87Frame *frame)
{
    frame->fcw = vcpu->fpu.fcw;
    frame->sticky = vcpu->fpu.fsw & X87_EXCEPTIONS;
    op(frame);
}

/* With the default control word an operation needs neither FLDCW nor FNCLEX, which are slow: the
 * host's flags may stay set as long as the guest's are. Is f->fsw right? If a flag is new in it, it
 * may also be an older one that the guest has cleared meanwhile; then the host's are cleared and
 * the answer is no, try again. */
static inline bool
x87_is_default(const X87Frame *f)
{
    return f->fcw == X87_HOST_FCW;
}

static inline bool
x87_settled(const X87Frame *f, unsigned turn)
{
    if (!(f->fsw & ~f->sticky & X87_EXCEPTIONS) || turn > 0)
        return true;
    __asm__ volatile("fnclex");
    return false;
}

/* Families of handlers by ModRM; NULL: #UD. */
IemHandler x87_choose_arithmetic(IemInsn *insn);
IemHandler x87_choose_unary(IemInsn *insn);   /* D9 E0..FF */
IemHandler x87_choose_move(IemInsn *insn);    /* loads, stores, FXCH, FCMOV, constants */
IemHandler x87_choose_compare(IemInsn *insn); /* FUCOM, FCOMI, FCOMPP … */
IemHandler x87_choose_control(IemInsn *insn); /* environment, control and status words */
