/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * FCOMPP, FUCOM, FUCOMP, FUCOMPP, FCOMI, FUCOMI and their popping forms. Intel SDM volume 2. */
#include "vmm/iem/iem-x87.h"

#define COMPARE(name, form)                                                                        \
    static void op_##name(X87Frame *f)                                                             \
    {                                                                                              \
        static const uint16_t host = X87_HOST_FCW;                                                 \
        __asm__ volatile("fnclex\n\tfldcw %[fcw]\n\tfldt %[b]\n\tfldt %[a]\n\t" form               \
                         "\n\tfnstsw %[fsw]\n\tfnclex\n\tfstp %%st(0)\n\tfstp %%st(0)\n\t"         \
                         "fldcw %[host]"                                                           \
                         : [fsw] "=m"(f->fsw)                                                      \
                         : [fcw] "m"(f->fcw), [a] "m"(f->a), [b] "m"(f->b), [host] "m"(host)       \
                         : "cc");                                                                  \
    }
COMPARE(com, "fcom %%st(1)")
COMPARE(ucom, "fucom %%st(1)")

/* insn->imm: the operation; insn->imm2: how many to pop. */
static inline X87Op
operation(const IemInsn *insn)
{
    return (X87Op)(uintptr_t)insn->imm;
}

/* Leaves the condition codes in *conditions; false: an unmasked exception. c1: X87_C1 where it is
 * cleared. */
static bool
run_compare(Vcpu *vcpu, const IemInsn *insn, unsigned i, uint16_t c1, uint16_t *conditions)
{
    X87Frame frame;

    x87_begin(vcpu, insn);
    if (x87_empty(vcpu, 0) || x87_empty(vcpu, i)) {
        *conditions = X87_C0 | X87_C2 | X87_C3;
        return x87_stack_fault(vcpu, false);
    }
    frame.a = x87_get(vcpu, 0);
    frame.b = x87_get(vcpu, i);
    x87_run(vcpu, operation(insn), &frame);
    *conditions = frame.fsw & (X87_C0 | X87_C2 | X87_C3);
    return x87_report(vcpu, frame.fsw & X87_EXCEPTIONS, c1);
}

static void
pop_times(Vcpu *vcpu, unsigned times)
{
    while (times--)
        x87_pop(vcpu);
}

static void
compare_to_status(Vcpu *vcpu, const IemInsn *insn)
{
    uint16_t conditions;
    bool done = run_compare(vcpu, insn, insn->rm & 7, X87_C1, &conditions);

    vcpu->fpu.fsw = (uint16_t)((vcpu->fpu.fsw & ~(X87_C0 | X87_C2 | X87_C3)) | conditions);
    if (done)
        pop_times(vcpu, insn->imm2);
}

/* AMD's keep C1. */
static void
compare_to_flags(Vcpu *vcpu, const IemInsn *insn)
{
    uint16_t conditions;
    bool done = run_compare(vcpu, insn, insn->rm & 7, 0, &conditions);
    uint64_t flags = (conditions & X87_C0 ? X86_FL_CF : 0) | (conditions & X87_C2 ? X86_FL_PF : 0) |
                     (conditions & X87_C3 ? X86_FL_ZF : 0);

    vcpu->rflags = (vcpu->rflags & ~(uint64_t)X86_FL_STATUS) | flags;
    if (done)
        pop_times(vcpu, insn->imm2);
}

static IemHandler
chosen(IemInsn *insn, X87Op op, unsigned pops, IemHandler handler)
{
    insn->imm = (uintptr_t)op;
    insn->imm2 = (uint16_t)pops;
    return handler;
}

IemHandler
x87_choose_compare(IemInsn *insn)
{
    unsigned group = insn->modrm >> 3 & 7;

    if (insn->flags & IEM_INSN_MEM)
        return NULL;
    if (insn->opcode == 0xda && insn->modrm == 0xe9)
        return chosen(insn, op_ucom, 2, compare_to_status);
    if (insn->opcode == 0xde && insn->modrm == 0xd9)
        return chosen(insn, op_com, 2, compare_to_status);
    if (insn->opcode == 0xdd && (group == 4 || group == 5))
        return chosen(insn, op_ucom, group - 4, compare_to_status);
    if ((insn->opcode == 0xdb || insn->opcode == 0xdf) && (group == 5 || group == 6))
        return chosen(insn, group == 5 ? op_ucom : op_com, insn->opcode == 0xdf, compare_to_flags);
    return NULL;
}
