/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MOVS, STOS, LODS, SCAS, CMPS. With REP, runs within a page are copied, filled or compared in
 * place; registers are right after every element, so a fault or an interrupt in the middle restarts
 * where it was. A REP instruction retires when it is complete. Intel SDM volume 2. */
#include "vmm/iem/iem-string.h"
#include "vmm/iem/iem-decode.h"

/* Something wants to look at the machine between two iterations. Overwritten code does not: an
 * instruction that has begun goes on as it was, whatever it writes over itself, and which code a
 * cache holds is nothing that a guest may see. */
static bool
interrupted(const Vcpu *vcpu)
{
    return cpum_pending(vcpu) != 0 || (vcpu->iem_vcpu->stop & ~(uint32_t)IEM_STOP_CODE) != 0 ||
           (vcpu->rflags & X86_FL_TF);
}

static bool
compare_ended(const Vcpu *vcpu, const IemInsn *insn, IemStringKind kind)
{
    bool equal = vcpu->rflags & X86_FL_ZF;

    if (kind == IEM_STRING_MOVE)
        return false;
    return insn->flags & IEM_INSN_REP ? !equal : equal;
}

void
iem_string_repeat(Vcpu *vcpu, const IemInsn *insn, IemStringStep step, unsigned size,
                  IemStringKind kind)
{
    uint64_t count, done;

    if (!(insn->flags & (IEM_INSN_REP | IEM_INSN_REPNE))) {
        step(vcpu, insn, size, 1);
        return;
    }
    count = iem_truncate(vcpu->gpr[X86_RCX], insn->addrsize);
    while (count > 0) {
        done = step(vcpu, insn, size, vcpu->rflags & X86_FL_TF ? 1 : count);
        count -= done;
        iem_gpr_write(vcpu, X86_RCX, insn->addrsize, count);
        if (count == 0 || compare_ended(vcpu, insn, kind))
            return;
        if (interrupted(vcpu)) {
            vcpu->rip -= insn->length;
            vcpu->iem_vcpu->stop |= IEM_STOP_RESTART;
            return;
        }
    }
}

/* ---- MOVS ---- */
/* Forward, element by element where the destination overlaps what is still to be read. */
IEM_INLINE void
copy_elements(uint8_t *to, const uint8_t *from, uint64_t count, unsigned size)
{
    if ((uintptr_t)to - (uintptr_t)from >= count * size) {
        memmove(to, from, count * size);
        return;
    }
    for (uint64_t i = 0; i < count; i++)
        iem_host_set(to + i * size, size, iem_host_get(from + i * size, size));
}

/* iem_string_run() with DF set: from `offset` downwards; *host is the first, the highest. */
IEM_INLINE uint64_t
run_down(Vcpu *vcpu, const IemInsn *insn, unsigned seg, uint64_t offset, unsigned size, bool write,
         uint64_t max, uint8_t **host)
{
    const IemVcpu *iem = vcpu->iem_vcpu;
    uint64_t linear = (iem->seg[seg].base + offset) & iem->linear_mask;
    uint64_t inside = linear & X86_PAGE_OFFSET_MASK;

    if (inside + size > X86_PAGE_SIZE)
        return 0;
    *host = iem_mem_host(vcpu, seg, offset, size, write);
    return *host != NULL ? MIN(max, MIN(inside, offset) / size + 1) : 0;
}

/* `count` elements downwards from there: as a whole where that is the same. */
IEM_INLINE void
copy_down(uint8_t *to, const uint8_t *from, uint64_t count, unsigned size)
{
    uint64_t below = (count - 1) * size;

    if ((uintptr_t)from - (uintptr_t)to >= count * size) {
        memmove(to - below, from - below, count * size);
        return;
    }
    for (uint64_t i = 0; i < count; i++)
        iem_host_set(to - i * size, size, iem_host_get(from - i * size, size));
}

/* How many elements were copied; 0 sends the caller to the element-wise path. */
IEM_INLINE uint64_t
movs_up(Vcpu *vcpu, const IemInsn *insn, uint64_t from, uint64_t to, unsigned size, uint64_t max)
{
    void *source, *target;
    uint64_t count = iem_string_run(vcpu, insn, insn->seg, from, size, false, max, &source);

    if (count > 0)
        count = iem_string_run(vcpu, insn, X86_ES, to, size, true, count, &target);
    if (count > 0)
        copy_elements(target, source, count, size);
    return count;
}

IEM_INLINE uint64_t
movs_down(Vcpu *vcpu, const IemInsn *insn, uint64_t from, uint64_t to, unsigned size, uint64_t max)
{
    uint8_t *source, *target;
    uint64_t count = run_down(vcpu, insn, insn->seg, from, size, false, max, &source);

    if (count > 0)
        count = run_down(vcpu, insn, X86_ES, to, size, true, count, &target);
    if (count > 0)
        copy_down(target, source, count, size);
    return count;
}

IEM_INLINE uint64_t
movs(Vcpu *vcpu, const IemInsn *insn, unsigned size, uint64_t max)
{
    uint64_t from = iem_string_index(vcpu, X86_RSI, insn);
    uint64_t to = iem_string_index(vcpu, X86_RDI, insn);
    uint64_t count = 0;

    if (max > 1 && (vcpu->rflags & X86_FL_DF))
        count = movs_down(vcpu, insn, from, to, size, max);
    else if (max > 1)
        count = movs_up(vcpu, insn, from, to, size, max);
    if (count == 0) {
        iem_write_size(vcpu, X86_ES, to, iem_read_size(vcpu, insn->seg, from, size), size);
        count = 1;
    }
    iem_string_advance(vcpu, X86_RSI, insn, size, count);
    iem_string_advance(vcpu, X86_RDI, insn, size, count);
    return count;
}

/* ---- STOS ---- */
IEM_INLINE void
fill_elements(uint8_t *to, uint64_t value, uint64_t count, unsigned size)
{
    if (size == 1) {
        memset(to, (int)value, count);
        return;
    }
    for (uint64_t i = 0; i < count; i++)
        iem_host_set(to + i * size, size, value);
}

IEM_INLINE uint64_t
stos(Vcpu *vcpu, const IemInsn *insn, unsigned size, uint64_t max)
{
    uint64_t to = iem_string_index(vcpu, X86_RDI, insn);
    uint64_t count = 0;
    void *target;

    if (max > 1)
        count = iem_string_run(vcpu, insn, X86_ES, to, size, true, max, &target);
    if (count > 0) {
        fill_elements(target, vcpu->gpr[X86_RAX], count, size);
    } else {
        iem_write_size(vcpu, X86_ES, to, vcpu->gpr[X86_RAX], size);
        count = 1;
    }
    iem_string_advance(vcpu, X86_RDI, insn, size, count);
    return count;
}

/* ---- LODS ---- */
IEM_INLINE uint64_t
lods(Vcpu *vcpu, const IemInsn *insn, unsigned size, uint64_t max)
{
    uint64_t from = iem_string_index(vcpu, X86_RSI, insn);

    iem_reg_set(vcpu, 8 * X86_RAX, size, iem_read_size(vcpu, insn->seg, from, size));
    iem_string_advance(vcpu, X86_RSI, insn, size, 1);
    return 1;
}

/* ---- SCAS, CMPS ---- */
IEM_INLINE void
compare(Vcpu *vcpu, uint64_t a, uint64_t b, unsigned size)
{
    unsigned shift = 64 - 8 * size;
    IemRawFlags raw;

    /* At the top of 64 bits every flag but AF and PF is that of the smaller comparison. */
    __asm__("cmpq %[b], %[a]\n\tlahf\n\tseto %%al"
            : "=&a"(raw)
            : [a] "r"(a << shift), [b] "r"(b << shift)
            : "cc");
    iem_set_status(vcpu, raw);
    if (size == 8)
        return;
    vcpu->rflags &= ~(uint64_t)(X86_FL_AF | X86_FL_PF);
    vcpu->rflags |= (a ^ b ^ (a - b)) & X86_FL_AF;
    vcpu->rflags |= __builtin_parity((uint8_t)(a - b)) ? 0 : X86_FL_PF;
}

IEM_INLINE bool
goes_on(const IemInsn *insn, uint64_t a, uint64_t b)
{
    return insn->flags & IEM_INSN_REP ? a == b : a != b;
}

IEM_INLINE uint64_t
scas(Vcpu *vcpu, const IemInsn *insn, unsigned size, uint64_t max)
{
    uint64_t at = iem_string_index(vcpu, X86_RDI, insn);
    uint64_t a = iem_truncate(vcpu->gpr[X86_RAX], size), b;
    uint64_t count = 0, i = 0;
    void *host;

    if (max > 1)
        count = iem_string_run(vcpu, insn, X86_ES, at, size, false, max, &host);
    if (count > 0) {
        do
            b = iem_host_get((uint8_t *)host + i * size, size);
        while (++i < count && goes_on(insn, a, b));
    } else {
        b = iem_read_size(vcpu, X86_ES, at, size);
        i = 1;
    }
    compare(vcpu, a, b, size);
    iem_string_advance(vcpu, X86_RDI, insn, size, i);
    return i;
}

IEM_INLINE uint64_t
cmps(Vcpu *vcpu, const IemInsn *insn, unsigned size, uint64_t max)
{
    uint64_t from = iem_string_index(vcpu, X86_RSI, insn);
    uint64_t at = iem_string_index(vcpu, X86_RDI, insn);
    uint64_t count = 0, i = 0, a, b;
    void *left, *right;

    if (max > 1)
        count = iem_string_run(vcpu, insn, insn->seg, from, size, false, max, &left);
    if (count > 0)
        count = iem_string_run(vcpu, insn, X86_ES, at, size, false, count, &right);
    if (count > 0) {
        do {
            a = iem_host_get((uint8_t *)left + i * size, size);
            b = iem_host_get((uint8_t *)right + i * size, size);
        } while (++i < count && goes_on(insn, a, b));
    } else {
        a = iem_read_size(vcpu, insn->seg, from, size);
        b = iem_read_size(vcpu, X86_ES, at, size);
        i = 1;
    }
    compare(vcpu, a, b, size);
    iem_string_advance(vcpu, X86_RSI, insn, size, i);
    iem_string_advance(vcpu, X86_RDI, insn, size, i);
    return i;
}

/* clang-format off */
#define STRING_SIZE(name, kind, bits)                                                              \
static uint64_t                                                                                    \
name##bits(Vcpu *vcpu, const IemInsn *insn, unsigned size, uint64_t max)                           \
{ return name(vcpu, insn, bits / 8, max); }                                                        \
static void op_##name##bits(Vcpu *vcpu, const IemInsn *insn)                                       \
{ iem_string_repeat(vcpu, insn, name##bits, bits / 8, kind); }
#define STRING(name, kind)                                                                         \
STRING_SIZE(name, kind, 8) STRING_SIZE(name, kind, 16)                                             \
STRING_SIZE(name, kind, 32) STRING_SIZE(name, kind, 64)                                            \
static const IemHandler name##_handlers[4] = {op_##name##8, op_##name##16, op_##name##32,          \
                                              op_##name##64};
STRING(movs, IEM_STRING_MOVE)
STRING(stos, IEM_STRING_MOVE)
STRING(lods, IEM_STRING_MOVE)
STRING(scas, IEM_STRING_COMPARE)
STRING(cmps, IEM_STRING_COMPARE)
#undef STRING
#undef STRING_SIZE
/* clang-format on */

IemHandler
iem_choose_string(const Vcpu *vcpu, IemInsn *insn)
{
    unsigned size = insn->opcode & 1 ? iem_size_index(insn->opsize) : 0;

    switch (insn->opcode & ~1u) {
    case 0xa4: return movs_handlers[size];
    case 0xa6: return cmps_handlers[size];
    case 0xaa: return stos_handlers[size];
    case 0xac: return lods_handlers[size];
    default: return scas_handlers[size];
    }
}

/* MOVSD and CMPSD are names of two instructions each: in the 0F map, of SSE2. */
IemHandler
iem_choose_string_or_sse(const Vcpu *vcpu, IemInsn *insn)
{
    if (insn->map == 0)
        return iem_choose_string(vcpu, insn);
    if (!cpum_has(vcpu, CPUM_FEATURE_SSE2))
        return NULL;
    return insn->row == ZYDIS_MNEMONIC_MOVSD ? iem_choose_movsd_vector(vcpu, insn)
                                             : iem_choose_CMPSDX(vcpu, insn);
}
