/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * XCHG, XADD, CMPXCHG, CMPXCHG8B, CMPXCHG16B. On memory the exchange is the host's own LOCKed
 * instruction (XCHG always, the others with LOCK or not: one that is atomic without being asked to
 * harms nobody). Intel SDM volume 2. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-operand.h"

typedef uint64_t (*Exchange)(void *host, uint64_t value, uint64_t compare, IemRawFlags *raw);

IEM_INLINE void
xchg_reg(Vcpu *vcpu, const IemInsn *insn, unsigned size)
{
    uint64_t a = iem_reg_get(vcpu, insn->rm, size), b = iem_reg_get(vcpu, insn->reg, size);

    iem_reg_set(vcpu, insn->rm, size, b);
    iem_reg_set(vcpu, insn->reg, size, a);
}

IEM_INLINE void
xchg_mem(Vcpu *vcpu, const IemInsn *insn, Exchange fn, unsigned size)
{
    IemRmw rmw;
    uint64_t old;

    iem_mem_rmw(vcpu, insn, size, &rmw);
    old = fn(rmw.host, iem_reg_get(vcpu, insn->reg, size), 0, NULL);
    iem_rmw_commit(vcpu, &rmw);
    iem_reg_set(vcpu, insn->reg, size, old);
}

/* XADD of registers: when both are the same one, it gets the sum. */
IEM_INLINE void
xadd_reg(Vcpu *vcpu, const IemInsn *insn, Exchange fn, unsigned size)
{
    uint64_t sum = iem_reg_get(vcpu, insn->rm, size);
    IemRawFlags raw;
    uint64_t old = fn(&sum, iem_reg_get(vcpu, insn->reg, size), 0, &raw);

    iem_reg_set(vcpu, insn->reg, size, old);
    iem_reg_set(vcpu, insn->rm, size, sum);
    iem_set_status(vcpu, raw);
}

IEM_INLINE void
xadd_mem(Vcpu *vcpu, const IemInsn *insn, Exchange fn, unsigned size)
{
    IemRawFlags raw;
    IemRmw rmw;
    uint64_t old;

    iem_mem_rmw(vcpu, insn, size, &rmw);
    old = fn(rmw.host, iem_reg_get(vcpu, insn->reg, size), 0, &raw);
    iem_rmw_commit(vcpu, &rmw);
    iem_reg_set(vcpu, insn->reg, size, old);
    iem_set_status(vcpu, raw);
}

/* The accumulator gets the old value only when the comparison fails. */
IEM_INLINE void
finish_cmpxchg(Vcpu *vcpu, uint64_t old, IemRawFlags raw, unsigned size)
{
    if (!(iem_status_from_raw(raw) & X86_FL_ZF))
        iem_reg_set(vcpu, 8 * X86_RAX, size, old);
    iem_set_status(vcpu, raw);
}

IEM_INLINE void
cmpxchg_reg(Vcpu *vcpu, const IemInsn *insn, Exchange fn, unsigned size)
{
    uint64_t value = iem_reg_get(vcpu, insn->rm, size);
    IemRawFlags raw;
    uint64_t old = fn(&value, iem_reg_get(vcpu, insn->reg, size), vcpu->gpr[X86_RAX], &raw);

    if (size != 4 || (iem_status_from_raw(raw) & X86_FL_ZF))
        iem_reg_set(vcpu, insn->rm, size, value);
    finish_cmpxchg(vcpu, old, raw, size);
}

IEM_INLINE void
cmpxchg_mem(Vcpu *vcpu, const IemInsn *insn, Exchange fn, unsigned size)
{
    IemRawFlags raw;
    IemRmw rmw;
    uint64_t old;

    iem_mem_rmw(vcpu, insn, size, &rmw);
    old = fn(rmw.host, iem_reg_get(vcpu, insn->reg, size), vcpu->gpr[X86_RAX], &raw);
    iem_rmw_commit(vcpu, &rmw);
    finish_cmpxchg(vcpu, old, raw, size);
}

/* clang-format off */
#define ATOMIC_SIZE(bits)                                                                          \
static inline uint64_t                                                                             \
host_xchg##bits(void *host, uint64_t value, uint64_t compare, IemRawFlags *raw)                    \
{                                                                                                  \
    uint##bits##_t *at = host, b = (uint##bits##_t)value;                                          \
    __asm__ volatile("xchg %[b], %[at]" : [at] "+m"(*at), [b] "+r"(b) : : "memory");               \
    return b;                                                                                      \
}                                                                                                  \
static inline uint64_t                                                                             \
host_xadd##bits(void *host, uint64_t value, uint64_t compare, IemRawFlags *raw)                    \
{                                                                                                  \
    uint##bits##_t *at = host, b = (uint##bits##_t)value;                                          \
    __asm__ volatile("lock xadd %[b], %[at]\n\tlahf\n\tseto %%al"                                  \
                     : [at] "+m"(*at), [b] "+&r"(b), "=&a"(*raw) : : "cc", "memory");              \
    return b;                                                                                      \
}                                                                                                  \
static inline uint64_t                                                                             \
host_cmpxchg##bits(void *host, uint64_t value, uint64_t compare, IemRawFlags *raw)                 \
{                                                                                                  \
    uint##bits##_t *at = host;                                                                     \
    uint64_t old;                                                                                  \
    __asm__ volatile("lock cmpxchg %[b], %[at]\n\tmovq %%rax, %[old]\n\tlahf\n\tseto %%al"         \
                     : [at] "+m"(*at), [old] "=&r"(old), "+a"(compare)                             \
                     : [b] "r"((uint##bits##_t)value) : "cc", "memory");                           \
    *raw = (IemRawFlags)compare;                                                                   \
    return old;                                                                                    \
}                                                                                                  \
static void op_xchg##bits##_r(Vcpu *vcpu, const IemInsn *insn)                                     \
{ xchg_reg(vcpu, insn, bits / 8); }                                                                \
static void op_xchg##bits##_m(Vcpu *vcpu, const IemInsn *insn)                                     \
{ xchg_mem(vcpu, insn, host_xchg##bits, bits / 8); }                                               \
static void op_xadd##bits##_r(Vcpu *vcpu, const IemInsn *insn)                                     \
{ xadd_reg(vcpu, insn, host_xadd##bits, bits / 8); }                                               \
static void op_xadd##bits##_m(Vcpu *vcpu, const IemInsn *insn)                                     \
{ xadd_mem(vcpu, insn, host_xadd##bits, bits / 8); }                                               \
static void op_cmpxchg##bits##_r(Vcpu *vcpu, const IemInsn *insn)                                  \
{ cmpxchg_reg(vcpu, insn, host_cmpxchg##bits, bits / 8); }                                         \
static void op_cmpxchg##bits##_m(Vcpu *vcpu, const IemInsn *insn)                                  \
{ cmpxchg_mem(vcpu, insn, host_cmpxchg##bits, bits / 8); }
ATOMIC_SIZE(8)
ATOMIC_SIZE(16)
ATOMIC_SIZE(32)
ATOMIC_SIZE(64)
#undef ATOMIC_SIZE
#define TABLE(name) {{name##8_r, name##16_r, name##32_r, name##64_r}, \
                     {name##8_m, name##16_m, name##32_m, name##64_m}}
static const IemHandler xchg[2][4] = TABLE(op_xchg);
static const IemHandler xadd[2][4] = TABLE(op_xadd);
static const IemHandler cmpxchg[2][4] = TABLE(op_cmpxchg);
#undef TABLE
/* clang-format on */

IemHandler
iem_choose_xchg_accumulator(const Vcpu *vcpu, IemInsn *insn)
{
    insn->rm = X86_RAX;
    iem_use_offsets(insn, insn->opsize, insn->opsize);
    return xchg[0][iem_size_index(insn->opsize)];
}

IemHandler
iem_choose_exchange(const Vcpu *vcpu, IemInsn *insn)
{
    bool mem = insn->flags & IEM_INSN_MEM;
    unsigned size = iem_size_index(insn->opsize);

    if (insn->row == ZYDIS_MNEMONIC_XCHG && insn->opcode >= 0x90)
        return iem_choose_xchg_accumulator(vcpu, insn);
    iem_use_offsets(insn, insn->opsize, insn->opsize);
    switch (insn->row) {
    case ZYDIS_MNEMONIC_XCHG: return xchg[mem][size];
    case ZYDIS_MNEMONIC_XADD: return xadd[mem][size];
    default: return cmpxchg[mem][size];
    }
}

static void
set_zf(Vcpu *vcpu, bool zf)
{
    vcpu->rflags = (vcpu->rflags & ~(uint64_t)X86_FL_ZF) | (zf ? X86_FL_ZF : 0);
}

static void
op_cmpxchg8b(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t *gpr = vcpu->gpr;
    uint64_t expected = gpr[X86_RDX] << 32 | (uint32_t)gpr[X86_RAX];
    uint64_t want = gpr[X86_RCX] << 32 | (uint32_t)gpr[X86_RBX];
    uint64_t old;
    IemRmw rmw;

    iem_mem_rmw(vcpu, insn, 8, &rmw);
    old = __sync_val_compare_and_swap((uint64_t *)rmw.host, expected, want);
    iem_rmw_commit(vcpu, &rmw);
    set_zf(vcpu, old == expected);
    if (old != expected) {
        gpr[X86_RAX] = (uint32_t)old;
        gpr[X86_RDX] = old >> 32;
    }
}

static bool
host_cmpxchg16b(void *host, uint64_t *low, uint64_t *high, uint64_t want_low, uint64_t want_high)
{
    bool equal;

    __asm__ volatile("lock cmpxchg16b %[at]\n\tsetz %[equal]"
                     : [at] "+m"(*(unsigned __int128 *)host), [equal] "=q"(equal), "+a"(*low),
                       "+d"(*high)
                     : "b"(want_low), "c"(want_high)
                     : "cc", "memory");
    return equal;
}

static void
op_cmpxchg16b(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t *gpr = vcpu->gpr;
    uint64_t offset = iem_ea(vcpu, insn);
    uint64_t low = gpr[X86_RAX], high = gpr[X86_RDX];
    bool equal;
    IemRmw rmw;

    if ((vcpu->iem_vcpu->seg[insn->seg].base + offset) & 15)
        iem_raise_gp0(vcpu);
    iem_rmw_begin(vcpu, insn->seg, offset, 16, &rmw);
    equal = host_cmpxchg16b(rmw.host, &low, &high, gpr[X86_RBX], gpr[X86_RCX]);
    iem_rmw_commit(vcpu, &rmw);
    set_zf(vcpu, equal);
    if (!equal) {
        gpr[X86_RAX] = low;
        gpr[X86_RDX] = high;
    }
}

IemHandler
iem_choose_cmpxchg_pair(const Vcpu *vcpu, IemInsn *insn)
{
    if (!(insn->flags & IEM_INSN_MEM))
        return NULL;
    return insn->row == ZYDIS_MNEMONIC_CMPXCHG16B ? op_cmpxchg16b : op_cmpxchg8b;
}
