/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * D9 E0..FF without the constants: sign, test, examine, roots, rounding, scaling, remainders and
 * the transcendental functions, each executed by the host. Intel SDM volume 1 section 8.3. */
#include "vmm/iem/iem-x87.h"

/* ST(0) in, ST(0) out. */
#define UNARY(name)                                                                                \
    static void op_##name(X87Frame *f)                                                             \
    {                                                                                              \
        static const uint16_t host = X87_HOST_FCW;                                                 \
        __asm__ volatile("fnclex\n\tfldcw %[fcw]\n\tfldt %[a]\n\t" #name "\n\tfnstsw %[fsw]\n\t"   \
                         "fnclex\n\tfstpt %[r]\n\tfldcw %[host]"                                   \
                         : [fsw] "=m"(f->fsw), [r] "=m"(f->result)                                 \
                         : [fcw] "m"(f->fcw), [a] "m"(f->a), [host] "m"(host));                    \
    }
/* ST(0) and ST(1) in; the result replaces ST(0), ST(1) stays. */
#define BINARY(name)                                                                               \
    static void op_##name(X87Frame *f)                                                             \
    {                                                                                              \
        static const uint16_t host = X87_HOST_FCW;                                                 \
        __asm__ volatile("fnclex\n\tfldcw %[fcw]\n\tfldt %[b]\n\tfldt %[a]\n\t" #name              \
                         "\n\tfnstsw %[fsw]\n\tfnclex\n\tfstpt %[r]\n\tfstp %%st(0)\n\t"           \
                         "fldcw %[host]"                                                           \
                         : [fsw] "=m"(f->fsw), [r] "=m"(f->result)                                 \
                         : [fcw] "m"(f->fcw), [a] "m"(f->a), [b] "m"(f->b), [host] "m"(host));     \
    }
/* ST(0) and ST(1) in; the host pops, the result is the new ST(0). The pop does not happen when an
 * unmasked exception keeps the operation from completing, so the host's stack is emptied by FNINIT.
 */
#define BINARY_POP(name)                                                                           \
    static void op_##name(X87Frame *f)                                                             \
    {                                                                                              \
        static const uint16_t host = X87_HOST_FCW;                                                 \
        __asm__ volatile("fnclex\n\tfldcw %[fcw]\n\tfldt %[b]\n\tfldt %[a]\n\t" #name              \
                         "\n\tfnstsw %[fsw]\n\tfnclex\n\tfstpt %[r]\n\tfninit\n\tfldcw %[host]"    \
                         : [fsw] "=m"(f->fsw), [r] "=m"(f->result)                                 \
                         : [fcw] "m"(f->fcw), [a] "m"(f->a), [b] "m"(f->b), [host] "m"(host));     \
    }
/* ST(0) in; `second` is what replaces ST(0), `result` what is pushed. With C2 set (operand out of
 * range) or an unmasked exception nothing is pushed: then `result` is ST(0). */
#define PUSHING(name)                                                                              \
    static void op_##name(X87Frame *f)                                                             \
    {                                                                                              \
        static const uint16_t host = X87_HOST_FCW;                                                 \
        __asm__ volatile("fnclex\n\tfldcw %[fcw]\n\tfldz\n\tfldt %[a]\n\t" #name                   \
                         "\n\tfnstsw %[fsw]\n\tfnclex\n\tfstpt %[r]\n\tfstpt %[s]\n\tfninit\n\t"   \
                         "fldcw %[host]"                                                           \
                         : [fsw] "=m"(f->fsw), [r] "=m"(f->result), [s] "=m"(f->second)            \
                         : [fcw] "m"(f->fcw), [a] "m"(f->a), [host] "m"(host));                    \
    }
UNARY(fchs)
UNARY(fabs)
UNARY(ftst)
UNARY(fxam)
UNARY(f2xm1)
UNARY(fsqrt)
UNARY(frndint)
UNARY(fsin)
UNARY(fcos)
BINARY(fprem)
BINARY(fprem1)
BINARY(fscale)
BINARY_POP(fyl2x)
BINARY_POP(fyl2xp1)
BINARY_POP(fpatan)
PUSHING(fptan)
PUSHING(fsincos)
PUSHING(fxtract)

static inline X87Op
operation(const IemInsn *insn)
{
    return (X87Op)(uintptr_t)insn->imm;
}

/* The answer of an instruction that found the stack empty, which is masked. */
static void
put_default_nan(Vcpu *vcpu, const IemInsn *insn)
{
    vcpu->fpu.fsw &= (uint16_t) ~(insn->imm2 & X87_C2); /* undefined; AMD's clear it */
    x87_set(vcpu, 0, &x87_default_nan);
}

/* insn->imm2: which condition codes the instruction defines. */
static void
unary(Vcpu *vcpu, const IemInsn *insn)
{
    X87Frame frame;

    x87_begin(vcpu, insn);
    if (x87_empty(vcpu, 0)) {
        if (x87_stack_fault(vcpu, false))
            put_default_nan(vcpu, insn);
        return;
    }
    frame.a = x87_get(vcpu, 0);
    x87_run(vcpu, operation(insn), &frame);
    if (x87_report(vcpu, frame.fsw, insn->imm2))
        x87_set(vcpu, 0, &frame.result);
}

static void
test(Vcpu *vcpu, const IemInsn *insn)
{
    X87Frame frame;

    x87_begin(vcpu, insn);
    if (x87_empty(vcpu, 0)) {
        x87_stack_fault(vcpu, false);
        vcpu->fpu.fsw |= X87_C0 | X87_C2 | X87_C3;
        return;
    }
    frame.a = x87_get(vcpu, 0);
    x87_run(vcpu, operation(insn), &frame);
    x87_report(vcpu, frame.fsw, X87_CONDITION);
}

static void
examine(Vcpu *vcpu, const IemInsn *insn)
{
    X87Frame frame;

    x87_begin(vcpu, insn);
    frame.a = x87_get(vcpu, 0);
    x87_run(vcpu, operation(insn), &frame);
    if (x87_empty(vcpu, 0)) /* class "empty", with the sign that the register has */
        frame.fsw = X87_C0 | X87_C3 | (frame.fsw & X87_C1);
    vcpu->fpu.fsw = (uint16_t)((vcpu->fpu.fsw & ~X87_CONDITION) | (frame.fsw & X87_CONDITION));
}

static bool
binary_operands(Vcpu *vcpu, const IemInsn *insn, X87Frame *frame)
{
    x87_begin(vcpu, insn);
    if (x87_empty(vcpu, 0) || x87_empty(vcpu, 1))
        return false;
    frame->a = x87_get(vcpu, 0);
    frame->b = x87_get(vcpu, 1);
    x87_run(vcpu, operation(insn), frame);
    return true;
}

/* A remainder that is not a number, or is not made because of an unmasked exception, has no
 * quotient: C0 and C3 stay as they were. */
static uint16_t
binary_conditions(const IemInsn *insn, const X87Frame *frame)
{
    bool not_finite = (frame->result.bytes[9] & 0x7f) == 0x7f && frame->result.bytes[8] == 0xff;

    bool blocked = frame->fsw & ~frame->fcw & (X87_IE | X87_DE);

    return not_finite || blocked ? insn->imm2 & (X87_C1 | X87_C2) : insn->imm2;
}

static void
binary(Vcpu *vcpu, const IemInsn *insn)
{
    X87Frame frame;

    if (!binary_operands(vcpu, insn, &frame)) {
        if (x87_stack_fault(vcpu, false))
            put_default_nan(vcpu, insn);
    } else if (x87_report(vcpu, frame.fsw, binary_conditions(insn, &frame))) {
        x87_set(vcpu, 0, &frame.result);
    }
}

static void
binary_pop(Vcpu *vcpu, const IemInsn *insn)
{
    X87Frame frame;
    bool done;

    if (binary_operands(vcpu, insn, &frame)) {
        done = x87_report(vcpu, frame.fsw, X87_C1);
    } else {
        done = x87_stack_fault(vcpu, false);
        frame.result = x87_default_nan;
    }
    if (!done)
        return;
    x87_set(vcpu, 1, &frame.result);
    x87_pop(vcpu);
}

static void
pushing(Vcpu *vcpu, const IemInsn *insn)
{
    X87Frame frame;
    bool overflow;

    x87_begin(vcpu, insn);
    overflow = !x87_empty(vcpu, 7);
    if (x87_empty(vcpu, 0) || overflow) {
        if (!x87_stack_fault(vcpu, overflow && !x87_empty(vcpu, 0)))
            return;
        put_default_nan(vcpu, insn);
        x87_push(vcpu, &x87_default_nan);
        return;
    }
    frame.a = x87_get(vcpu, 0);
    x87_run(vcpu, operation(insn), &frame);
    if (!x87_report(vcpu, frame.fsw, insn->imm2))
        return;
    if (frame.fsw & insn->imm2 & X87_C2) /* out of range: nothing happens */
        return;
    x87_set(vcpu, 0, &frame.second);
    x87_push(vcpu, &frame.result);
}

typedef struct {
    X87Op op;
    IemHandler handler;
    uint16_t conditions;
} UnaryRow;

/* D9 E0..FF by the low five bits of ModRM; E8..EE are the constants. */
/* clang-format off */
static const UnaryRow rows[32] = {
    [0x00] = {op_fchs, unary, X87_C1},      [0x01] = {op_fabs, unary, X87_C1},
    [0x04] = {op_ftst, test, 0},            [0x05] = {op_fxam, examine, 0},
    [0x10] = {op_f2xm1, unary, X87_C1},     [0x11] = {op_fyl2x, binary_pop, 0},
    [0x12] = {op_fptan, pushing, X87_C1 | X87_C2}, [0x13] = {op_fpatan, binary_pop, 0},
    [0x14] = {op_fxtract, pushing, X87_C1}, [0x15] = {op_fprem1, binary, X87_CONDITION},
    [0x18] = {op_fprem, binary, X87_CONDITION}, [0x19] = {op_fyl2xp1, binary_pop, 0},
    [0x1a] = {op_fsqrt, unary, X87_C1},     [0x1b] = {op_fsincos, pushing, X87_C1 | X87_C2},
    [0x1c] = {op_frndint, unary, X87_C1},   [0x1d] = {op_fscale, binary, X87_C1},
    [0x1e] = {op_fsin, unary, X87_C1 | X87_C2}, [0x1f] = {op_fcos, unary, X87_C1 | X87_C2},
};
/* clang-format on */

IemHandler
x87_choose_unary(IemInsn *insn)
{
    const UnaryRow *row = &rows[insn->modrm & 31];

    if (insn->opcode != 0xd9 || insn->modrm < 0xe0 || !row->handler)
        return NULL;
    insn->imm = (uintptr_t)row->op;
    insn->imm2 = row->conditions;
    return row->handler;
}
