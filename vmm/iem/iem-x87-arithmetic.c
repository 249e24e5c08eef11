/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * x87 ADD, MUL, COM, COMP, SUB, SUBR, DIV, DIVR with all operand forms (D8, DA, DC, DE). The host
 * executes the very form, so that conversions of memory operands raise what they should. Intel SDM
 * volume 2. */
#include "vmm/iem/iem-x87.h"

/* The host's x87 is empty and has default control between calls. FNCLEX before FSTP keeps an
 * unmasked exception from trapping here. */
#define MEMORY_OP(name, form)                                                                      \
    static void name(X87Frame *f)                                                                  \
    {                                                                                              \
        static const uint16_t host = X87_HOST_FCW;                                                 \
                                                                                                   \
        for (unsigned turn = 0; x87_is_default(f); turn++) {                                       \
            __asm__ volatile("fldt %[a]\n\t" form " %[m]\n\tfnstsw %[fsw]\n\tfstpt %[r]"           \
                             : [fsw] "=m"(f->fsw), [r] "=m"(f->result)                             \
                             : [a] "m"(f->a), [m] "m"(f->memory));                                 \
            if (x87_settled(f, turn))                                                              \
                return;                                                                            \
        }                                                                                          \
        __asm__ volatile(                                                                          \
            "fnclex\n\tfldcw %[fcw]\n\tfldt %[a]\n\t" form " %[m]\n\tfnstsw %[fsw]\n\t"            \
            "fnclex\n\tfstpt %[r]\n\tfldcw %[host]"                                                \
            : [fsw] "=m"(f->fsw), [r] "=m"(f->result)                                              \
            : [fcw] "m"(f->fcw), [a] "m"(f->a), [m] "m"(f->memory), [host] "m"(host));             \
    }
#define REGISTER_OP(name, form)                                                                    \
    static void name(X87Frame *f)                                                                  \
    {                                                                                              \
        static const uint16_t host = X87_HOST_FCW;                                                 \
                                                                                                   \
        for (unsigned turn = 0; x87_is_default(f); turn++) {                                       \
            __asm__ volatile("fldt %[b]\n\tfldt %[a]\n\t" form                                     \
                             "\n\tfnstsw %[fsw]\n\tfstpt %[r]\n\tfstp %%st(0)"                     \
                             : [fsw] "=m"(f->fsw), [r] "=m"(f->result)                             \
                             : [a] "m"(f->a), [b] "m"(f->b));                                      \
            if (x87_settled(f, turn))                                                              \
                return;                                                                            \
        }                                                                                          \
        __asm__ volatile("fnclex\n\tfldcw %[fcw]\n\tfldt %[b]\n\tfldt %[a]\n\t" form               \
                         "\n\tfnstsw %[fsw]\n\tfnclex\n\tfstpt %[r]\n\tfstp %%st(0)\n\t"           \
                         "fldcw %[host]"                                                           \
                         : [fsw] "=m"(f->fsw), [r] "=m"(f->result)                                 \
                         : [fcw] "m"(f->fcw), [a] "m"(f->a), [b] "m"(f->b), [host] "m"(host));     \
    }
/* ST(0) op ST(1) into ST(0); the assembler's operand order is AT&T's: "fsub st(1), st" is st -
 * st(1). */
#define FAMILY(name, suffix_form, st_form)                                                         \
    MEMORY_OP(name##_m32, "f" suffix_form "s")                                                     \
    MEMORY_OP(name##_m64, "f" suffix_form "l")                                                     \
    MEMORY_OP(name##_i32, "fi" suffix_form "l")                                                    \
    MEMORY_OP(name##_i16, "fi" suffix_form "s")                                                    \
    REGISTER_OP(name##_st, st_form)
FAMILY(add, "add", "fadd %%st(1), %%st")
FAMILY(mul, "mul", "fmul %%st(1), %%st")
FAMILY(com, "com", "fcom %%st(1)")
FAMILY(sub, "sub", "fsub %%st(1), %%st")
FAMILY(subr, "subr", "fsubr %%st(1), %%st")
FAMILY(div, "div", "fdiv %%st(1), %%st")
FAMILY(divr, "divr", "fdivr %%st(1), %%st")

enum { FORM_M32, FORM_I32, FORM_M64, FORM_I16, FORM_ST, FORM_COUNT };
#define ROW(name)                                                                                  \
    {                                                                                              \
        name##_m32, name##_i32, name##_m64, name##_i16, name##_st                                  \
    }
/* By ModRM.reg: 2 and 3 compare. */
static const X87Op operations[8][FORM_COUNT] = {ROW(add), ROW(mul),  ROW(com), ROW(com),
                                                ROW(sub), ROW(subr), ROW(div), ROW(divr)};

static inline X87Op
operation(const IemInsn *insn)
{
    return (X87Op)(uintptr_t)insn->imm;
}

static void
load_memory(Vcpu *vcpu, const IemInsn *insn, X87Frame *frame)
{
    uint64_t offset = iem_ea(vcpu, insn);

    switch (insn->width) {
    case 2: frame->memory = iem_read_u16(vcpu, insn->seg, offset); break;
    case 4: frame->memory = iem_read_u32(vcpu, insn->seg, offset); break;
    default: frame->memory = iem_read_u64(vcpu, insn->seg, offset); break;
    }
}

static void
memory_arithmetic(Vcpu *vcpu, const IemInsn *insn)
{
    X87Frame frame;

    iem_check_x87(vcpu);
    load_memory(vcpu, insn, &frame);
    x87_begin(vcpu, insn);
    if (x87_empty(vcpu, 0)) {
        if (x87_stack_fault(vcpu, false))
            x87_set(vcpu, 0, &x87_default_nan);
        return;
    }
    frame.a = x87_get(vcpu, 0);
    x87_run(vcpu, operation(insn), &frame);
    if (x87_report(vcpu, frame.fsw, X87_C1))
        x87_set(vcpu, 0, &frame.result);
}

/* An unordered result, as a comparison with an empty register gives it. */
static void
set_unordered(Vcpu *vcpu)
{
    vcpu->fpu.fsw |= X87_C0 | X87_C2 | X87_C3;
}

static void
memory_compare(Vcpu *vcpu, const IemInsn *insn)
{
    bool pop = (insn->reg & 7) == 3, done;
    X87Frame frame;

    iem_check_x87(vcpu);
    load_memory(vcpu, insn, &frame);
    x87_begin(vcpu, insn);
    if (x87_empty(vcpu, 0)) {
        done = x87_stack_fault(vcpu, false);
        set_unordered(vcpu);
    } else {
        frame.a = x87_get(vcpu, 0);
        x87_run(vcpu, operation(insn), &frame);
        done = x87_report(vcpu, frame.fsw, X87_CONDITION);
    }
    if (pop && done)
        x87_pop(vcpu);
}

/* D8 (into ST(0)), DC (into ST(i)), DE (into ST(i), then pop). */
static void
register_arithmetic(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned i = insn->rm & 7, to = insn->opcode == 0xd8 ? 0 : i;
    X87Frame frame;
    bool done;

    x87_begin(vcpu, insn);
    if (x87_empty(vcpu, 0) || x87_empty(vcpu, i)) {
        done = x87_stack_fault(vcpu, false);
        frame.result = x87_default_nan;
    } else {
        /* DC and DE name the operation from ST(i)'s side; operations[] works on a = destination. */
        frame.a = x87_get(vcpu, to);
        frame.b = x87_get(vcpu, to == 0 ? i : 0);
        x87_run(vcpu, operation(insn), &frame);
        done = x87_report(vcpu, frame.fsw, X87_C1);
    }
    if (!done)
        return;
    x87_set(vcpu, to, &frame.result);
    if (insn->opcode == 0xde)
        x87_pop(vcpu);
}

static void
register_compare(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned i = insn->rm & 7;
    bool pop = (insn->reg & 7) == 3, done;
    X87Frame frame;

    x87_begin(vcpu, insn);
    if (x87_empty(vcpu, 0) || x87_empty(vcpu, i)) {
        done = x87_stack_fault(vcpu, false);
        set_unordered(vcpu);
    } else {
        frame.a = x87_get(vcpu, 0);
        frame.b = x87_get(vcpu, i);
        x87_run(vcpu, operation(insn), &frame);
        done = x87_report(vcpu, frame.fsw, X87_CONDITION);
    }
    if (pop && done)
        x87_pop(vcpu);
}

static IemHandler
choose_register(IemInsn *insn)
{
    unsigned reg = insn->reg & 7;

    if (insn->opcode == 0xda)
        return NULL;
    if (reg == 2 || reg == 3) {
        if (insn->opcode == 0xde) /* DE D9 is FCOMPP; DE D0 is reserved, an alias of FCOMP */
            return NULL;
        insn->imm = (uintptr_t)operations[reg][FORM_ST];
        return register_compare;
    }
    /* In DC and DE, ModRM.reg 4 is FSUBR of ST(i) in the manual's naming: ST(i) := ST(0) - ST(i).
     */
    if (insn->opcode != 0xd8 && reg >= 4)
        reg ^= 1;
    insn->imm = (uintptr_t)operations[reg][FORM_ST];
    return register_arithmetic;
}

IemHandler
x87_choose_arithmetic(IemInsn *insn)
{
    static const uint8_t width[4] = {4, 4, 8, 2};
    unsigned form = (insn->opcode >> 1) & 3, reg = insn->reg & 7;

    if (insn->opcode & 1)
        return NULL; /* D9, DB, DD, DF */
    if (!(insn->flags & IEM_INSN_MEM))
        return choose_register(insn);
    insn->width = width[form];
    insn->imm = (uintptr_t)operations[reg][form];
    return reg == 2 || reg == 3 ? memory_compare : memory_arithmetic;
}
