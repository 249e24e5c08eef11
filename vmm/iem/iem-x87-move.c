/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * x87 loads, stores, constants, FXCH, FCMOVcc. The host converts between formats. Intel SDM
 * volume 2. */
#include "vmm/iem/iem-x87.h"

/* Memory format to 80 bits. Loading is exact; SNaN and denormal operands raise flags. */
#define LOAD(name, form)                                                                           \
    static void load_##name(X87Frame *f)                                                           \
    {                                                                                              \
        for (unsigned turn = 0;; turn++) {                                                         \
            __asm__ volatile(form " %[m]\n\tfnstsw %[fsw]\n\tfstpt %[r]"                           \
                             : [fsw] "=m"(f->fsw), [r] "=m"(f->result)                             \
                             : [m] "m"(f->memory));                                                \
            if (x87_settled(f, turn))                                                              \
                return;                                                                            \
        }                                                                                          \
    }
LOAD(m32, "flds")
LOAD(m64, "fldl")
LOAD(i16, "filds")
LOAD(i32, "fildl")
LOAD(i64, "fildll")

/* 80 bits to a memory format. An unmasked exception keeps the host from storing and popping; FNINIT
 * empties its stack and sets default control. */
#define STORE(name, form)                                                                          \
    static void store_##name(X87Frame *f)                                                          \
    {                                                                                              \
        for (unsigned turn = 0; x87_is_default(f); turn++) {                                       \
            __asm__ volatile("fldt %[a]\n\t" form " %[m]\n\tfnstsw %[fsw]"                         \
                             : [fsw] "=m"(f->fsw), [m] "=m"(f->memory)                             \
                             : [a] "m"(f->a));                                                     \
            if (x87_settled(f, turn))                                                              \
                return;                                                                            \
        }                                                                                          \
        __asm__ volatile("fnclex\n\tfldcw %[fcw]\n\tfldt %[a]\n\t" form                            \
                         " %[m]\n\tfnstsw %[fsw]\n\tfninit"                                        \
                         : [fsw] "=m"(f->fsw), [m] "+m"(f->memory)                                 \
                         : [fcw] "m"(f->fcw), [a] "m"(f->a));                                      \
    }
STORE(m32, "fstps")
STORE(m64, "fstpl")
STORE(i16, "fistps")
STORE(i32, "fistpl")
STORE(i64, "fistpll")
STORE(t16, "fisttps")
STORE(t32, "fisttpl")
STORE(t64, "fisttpll")

static void
load_bcd(const uint8_t bytes[10], X87Frame *f)
{
    static const uint16_t host = X87_HOST_FCW;

    __asm__ volatile("fnclex\n\tfldcw %[host]\n\tfbld %[m]\n\tfnclex\n\tfstpt %[r]"
                     : [r] "=m"(f->result)
                     : [m] "m"(*(const X87Value *)bytes), [host] "m"(host));
    f->fsw = 0;
}

static void
store_bcd(X87Frame *f)
{
    __asm__ volatile("fnclex\n\tfldcw %[fcw]\n\tfldt %[a]\n\tfbstp %[r]\n\tfnstsw %[fsw]\n\tfninit"
                     : [fsw] "=m"(f->fsw), [r] "+m"(f->result)
                     : [fcw] "m"(f->fcw), [a] "m"(f->a));
}

static inline X87Op
operation(const IemInsn *insn)
{
    return (X87Op)(uintptr_t)insn->imm;
}

/* Pushes unless the stack is full; the conversion's flags were not reported before. */
static void
push_checked(Vcpu *vcpu, uint16_t fsw, const X87Value *value)
{
    if (!x87_empty(vcpu, 7)) {
        if (x87_stack_fault(vcpu, true))
            x87_push(vcpu, &x87_default_nan);
        return;
    }
    vcpu->fpu.fsw &= (uint16_t)~X87_C1;
    if (x87_report(vcpu, fsw, 0))
        x87_push(vcpu, value);
}

static void
load_memory(Vcpu *vcpu, const IemInsn *insn)
{
    X87Frame frame = {.memory = 0};

    iem_check_x87(vcpu);
    iem_read_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), &frame.memory, insn->width);
    x87_begin(vcpu, insn);
    x87_run(vcpu, operation(insn), &frame);
    push_checked(vcpu, frame.fsw, &frame.result);
}

static void
load_extended(Vcpu *vcpu, const IemInsn *insn)
{
    X87Value value;

    iem_check_x87(vcpu);
    iem_read_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), &value, 10);
    x87_begin(vcpu, insn);
    push_checked(vcpu, 0, &value);
}

static void
load_decimal(Vcpu *vcpu, const IemInsn *insn)
{
    uint8_t bytes[10];
    X87Frame frame;

    iem_check_x87(vcpu);
    iem_read_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), bytes, 10);
    x87_begin(vcpu, insn);
    load_bcd(bytes, &frame);
    push_checked(vcpu, frame.fsw, &frame.result);
}

static void
load_register(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned i = insn->rm & 7;
    X87Value value;

    x87_begin(vcpu, insn);
    if (!x87_empty(vcpu, i)) {
        value = x87_get(vcpu, i);
        push_checked(vcpu, 0, &value);
    } else if (x87_stack_fault(vcpu, false)) {
        x87_push(vcpu, &x87_default_nan);
    }
}

/* The integer and float "indefinite" of an empty register with a masked exception. */
static uint64_t
indefinite(const IemInsn *insn)
{
    bool integer = insn->opcode == 0xdb || insn->opcode == 0xdf || (insn->reg & 7) == 1;

    if (!integer)
        return insn->width == 4 ? 0xffc00000ull : 0xfff8000000000000ull;
    return insn->width == 2 ? 0x8000ull : insn->width == 4 ? 0x80000000ull : 0x8000000000000000ull;
}

/* Which unmasked exceptions keep a store to memory from happening: all but inexact. */
static bool
store_blocked(const Vcpu *vcpu, uint16_t fsw)
{
    return fsw & ~vcpu->fpu.fcw & X87_EXCEPTIONS & ~X87_PE;
}

/* insn->imm2: pops afterwards. */
static void
store_memory(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t offset;
    X87Frame frame;

    iem_check_x87(vcpu);
    offset = iem_ea(vcpu, insn);
    /* Memory faults come first, also when an unmasked exception will keep the value from it. */
    iem_probe_write(vcpu, insn->seg, offset, insn->width);
    if (x87_empty(vcpu, 0)) {
        frame.memory = indefinite(insn);
        if (vcpu->fpu.fcw & X87_IE)
            iem_write_bytes(vcpu, insn->seg, offset, &frame.memory, insn->width);
        x87_begin(vcpu, insn);
        if (x87_stack_fault(vcpu, false) && insn->imm2)
            x87_pop(vcpu);
        return;
    }
    frame.a = x87_get(vcpu, 0);
    x87_run(vcpu, operation(insn), &frame);
    if (store_blocked(vcpu, frame.fsw)) {
        x87_begin(vcpu, insn);
        x87_report(vcpu, frame.fsw, X87_C1);
        return;
    }
    iem_write_bytes(vcpu, insn->seg, offset, &frame.memory, insn->width);
    x87_begin(vcpu, insn);
    x87_report(vcpu, frame.fsw, X87_C1);
    if (insn->imm2)
        x87_pop(vcpu);
}

/* FSTP m80 and FBSTP */
static void
store_ten_bytes(Vcpu *vcpu, const IemInsn *insn)
{
    bool decimal = insn->opcode == 0xdf, empty;
    X87Frame frame = {.fsw = 0};

    iem_check_x87(vcpu);
    iem_probe_write(vcpu, insn->seg, iem_ea(vcpu, insn), 10);
    empty = x87_empty(vcpu, 0);
    frame.a = frame.result = empty ? x87_default_nan : x87_get(vcpu, 0);
    if (decimal)
        x87_run(vcpu, store_bcd, &frame);
    if (empty ? !(vcpu->fpu.fcw & X87_IE) : store_blocked(vcpu, frame.fsw)) {
        x87_begin(vcpu, insn);
        if (empty)
            x87_stack_fault(vcpu, false);
        else
            x87_report(vcpu, frame.fsw, X87_C1);
        return;
    }
    iem_write_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), &frame.result, 10);
    x87_begin(vcpu, insn);
    if (empty)
        x87_stack_fault(vcpu, false);
    else
        x87_report(vcpu, frame.fsw, X87_C1);
    x87_pop(vcpu);
}

/* FST ST(i), FSTP ST(i) */
static void
store_register(Vcpu *vcpu, const IemInsn *insn)
{
    X87Value value;

    x87_begin(vcpu, insn);
    if (x87_empty(vcpu, 0)) {
        if (!x87_stack_fault(vcpu, false))
            return;
        value = x87_default_nan;
    } else {
        vcpu->fpu.fsw &= (uint16_t)~X87_C1;
        value = x87_get(vcpu, 0);
    }
    x87_set(vcpu, insn->rm & 7, &value);
    if (insn->imm2)
        x87_pop(vcpu);
}

static void
exchange(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned i = insn->rm & 7;
    X87Value a, b;

    x87_begin(vcpu, insn);
    a = x87_get(vcpu, 0);
    b = x87_get(vcpu, i);
    if (x87_empty(vcpu, 0) || x87_empty(vcpu, i)) {
        bool empty_a = x87_empty(vcpu, 0), empty_b = x87_empty(vcpu, i);
        if (!x87_stack_fault(vcpu, false))
            return;
        a = empty_a ? x87_default_nan : a;
        b = empty_b ? x87_default_nan : b;
    } else {
        vcpu->fpu.fsw &= (uint16_t)~X87_C1;
    }
    x87_set(vcpu, 0, &b);
    x87_set(vcpu, i, &a);
}

static bool
condition(const Vcpu *vcpu, const IemInsn *insn)
{
    static const uint32_t bits[4] = {X86_FL_CF, X86_FL_ZF, X86_FL_CF | X86_FL_ZF, X86_FL_PF};
    bool set = vcpu->rflags & bits[insn->reg & 3];

    return insn->opcode == 0xda ? set : !set;
}

static void
move_conditional(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned i = insn->rm & 7;
    X87Value value;

    x87_begin(vcpu, insn);
    if (x87_empty(vcpu, 0) || x87_empty(vcpu, i)) {
        if (x87_stack_fault(vcpu, false))
            x87_set(vcpu, 0, &x87_default_nan);
        return;
    }
    if (condition(vcpu, insn)) { /* C1 stays as it is, as on AMD's */
        value = x87_get(vcpu, i);
        x87_set(vcpu, 0, &value);
    }
}

/* Constants depend on the rounding mode, so the host loads them. */
#define CONSTANT(name)                                                                             \
    static void load_##name(X87Frame *f)                                                           \
    {                                                                                              \
        static const uint16_t host = X87_HOST_FCW;                                                 \
                                                                                                   \
        if (x87_is_default(f)) {                                                                   \
            __asm__ volatile(#name "\n\tfstpt %[r]" : [r] "=m"(f->result));                        \
            return;                                                                                \
        }                                                                                          \
        __asm__ volatile("fnclex\n\tfldcw %[fcw]\n\t" #name "\n\tfstpt %[r]\n\tfldcw %[host]"      \
                         : [r] "=m"(f->result)                                                     \
                         : [fcw] "m"(f->fcw), [host] "m"(host));                                   \
    }
CONSTANT(fld1)
CONSTANT(fldl2t)
CONSTANT(fldl2e)
CONSTANT(fldpi)
CONSTANT(fldlg2)
CONSTANT(fldln2)
CONSTANT(fldz)

static void
load_constant(Vcpu *vcpu, const IemInsn *insn)
{
    static const X87Op constants[7] = {load_fld1,   load_fldl2t, load_fldl2e, load_fldpi,
                                       load_fldlg2, load_fldln2, load_fldz};
    X87Frame frame;

    x87_begin(vcpu, insn);
    x87_run(vcpu, constants[insn->modrm & 7], &frame);
    push_checked(vcpu, 0, &frame.result);
}

typedef struct {
    X87Op op;
    IemHandler handler;
    uint8_t width;
    bool pop;
} MemoryRow;

/* By opcode D9, DB, DD, DF and ModRM.reg. */
/* clang-format off */
static const MemoryRow memory_rows[4][8] = {
    {{load_m32, load_memory, 4, false}, {NULL, NULL, 0, false},
     {store_m32, store_memory, 4, false}, {store_m32, store_memory, 4, true}},
    {{load_i32, load_memory, 4, false}, {store_t32, store_memory, 4, true},
     {store_i32, store_memory, 4, false}, {store_i32, store_memory, 4, true},
     {NULL, NULL, 0, false}, {NULL, load_extended, 10, false}, {NULL, NULL, 0, false},
     {NULL, store_ten_bytes, 10, true}},
    {{load_m64, load_memory, 8, false}, {store_t64, store_memory, 8, true},
     {store_m64, store_memory, 8, false}, {store_m64, store_memory, 8, true}},
    {{load_i16, load_memory, 2, false}, {store_t16, store_memory, 2, true},
     {store_i16, store_memory, 2, false}, {store_i16, store_memory, 2, true},
     {NULL, load_decimal, 10, false}, {load_i64, load_memory, 8, false},
     {NULL, store_ten_bytes, 10, true}, {store_i64, store_memory, 8, true}},
};
/* clang-format on */

static IemHandler
choose_register(IemInsn *insn)
{
    unsigned group = insn->modrm >> 3 & 7;

    switch (insn->opcode) {
    case 0xd9:
        if (group == 0)
            return load_register;
        if (group == 1)
            return exchange;
        return insn->modrm >= 0xe8 && insn->modrm <= 0xee ? load_constant : NULL;
    case 0xda: return group < 4 ? move_conditional : NULL;
    case 0xdb: return group < 4 ? move_conditional : NULL;
    case 0xdd: insn->imm2 = group == 3; return group == 2 || group == 3 ? store_register : NULL;
    default: return NULL;
    }
}

IemHandler
x87_choose_move(IemInsn *insn)
{
    const MemoryRow *row = &memory_rows[insn->opcode >> 1 & 3][insn->reg & 7];

    if (!(insn->flags & IEM_INSN_MEM))
        return choose_register(insn);
    if (!(insn->opcode & 1) || !row->handler)
        return NULL;
    insn->imm = (uintptr_t)row->op;
    insn->width = row->width;
    insn->imm2 = row->pop;
    return row->handler;
}
