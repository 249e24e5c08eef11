/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * BT, BTS, BTR, BTC, BSF, BSR, POPCNT, CRC32. A bit number in a register addresses memory beyond
 * the operand: the operand's address moves by whole operands, signed. Intel SDM volume 2, volume 1
 * section 3.1.1.9. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-operand.h"

typedef enum { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT } BitOp;

IEM_INLINE uint64_t
changed(uint64_t value, uint64_t bit, BitOp op)
{
    switch (op) {
    case BIT_SET: return value | bit;
    case BIT_RESET: return value & ~bit;
    case BIT_COMPLEMENT: return value ^ bit;
    default: return value;
    }
}

IEM_INLINE void
set_carry(Vcpu *vcpu, bool carry)
{
    vcpu->rflags = (vcpu->rflags & ~(uint64_t)X86_FL_CF) | carry;
}

IEM_INLINE void
bit_reg(Vcpu *vcpu, const IemInsn *insn, uint64_t number, unsigned size, BitOp op)
{
    uint64_t value = iem_reg_get(vcpu, insn->rm, size);
    uint64_t bit = 1ull << (number & (8 * size - 1));

    set_carry(vcpu, value & bit);
    if (op != BIT_TEST)
        iem_reg_set(vcpu, insn->rm, size, changed(value, bit, op));
}

/* clang-format off */
/* The host's own LOCKed instruction; returns the old bit. */
#define LOCKED_BIT(name, bits, suffix)                                                             \
static inline bool                                                                                 \
name##bits##_locked(void *host, uint64_t number)                                                   \
{                                                                                                  \
    bool old;                                                                                      \
    __asm__ volatile("lock " #name suffix " %[number], %[at]"                                      \
                     : [at] "+m"(*(uint##bits##_t *)host), "=@ccc"(old)                            \
                     : [number] "r"((uint##bits##_t)number) : "memory");                           \
    return old;                                                                                    \
}
#define LOCKED_BITS(name) \
    LOCKED_BIT(name, 16, "w") LOCKED_BIT(name, 32, "l") LOCKED_BIT(name, 64, "q")
LOCKED_BITS(btc)
LOCKED_BITS(btr)
LOCKED_BITS(bts)
#undef LOCKED_BITS
#undef LOCKED_BIT
/* clang-format on */

IEM_INLINE bool
change_locked(void *host, uint64_t number, unsigned size, BitOp op)
{
    switch (op) {
    case BIT_SET:
        return size == 2   ? bts16_locked(host, number)
               : size == 4 ? bts32_locked(host, number)
                           : bts64_locked(host, number);
    case BIT_RESET:
        return size == 2   ? btr16_locked(host, number)
               : size == 4 ? btr32_locked(host, number)
                           : btr64_locked(host, number);
    default:
        return size == 2   ? btc16_locked(host, number)
               : size == 4 ? btc32_locked(host, number)
                           : btc64_locked(host, number);
    }
}

/* Returns the old bit. */
IEM_INLINE bool
change_host(void *host, uint64_t number, unsigned size, BitOp op, bool lock)
{
    uint64_t bit = 1ull << number, old;

    if (lock)
        return change_locked(host, number, size, op);
    old = iem_host_get(host, size);
    iem_host_set(host, size, changed(old, bit, op));
    return old & bit;
}

IEM_INLINE void
bit_mem(Vcpu *vcpu, const IemInsn *insn, uint64_t offset, uint64_t number, unsigned size, BitOp op)
{
    IemRmw rmw;
    bool carry;

    number &= 8 * size - 1;
    if (op == BIT_TEST) {
        set_carry(vcpu, iem_read_size(vcpu, insn->seg, offset, size) >> number & 1);
        return;
    }
    iem_rmw_begin(vcpu, insn->seg, offset, size, &rmw);
    carry = change_host(rmw.host, number, size, op, insn->flags & IEM_INSN_LOCK);
    iem_rmw_commit(vcpu, &rmw);
    set_carry(vcpu, carry);
}

/* Where the operand is that holds the bit of a register's number. */
IEM_INLINE uint64_t
bit_address(Vcpu *vcpu, const IemInsn *insn, uint64_t number, unsigned size)
{
    int64_t operand = iem_sign_extend(number, size) >> (size == 8 ? 6 : size == 4 ? 5 : 4);

    return iem_truncate(iem_ea(vcpu, insn) + (uint64_t)(operand * (int64_t)size), insn->addrsize);
}

/* clang-format off */
#define BIT_SIZE(name, op, bits)                                                                   \
static void op_##name##bits##_rr(Vcpu *vcpu, const IemInsn *insn)                                  \
{ bit_reg(vcpu, insn, iem_reg_get(vcpu, insn->reg, bits / 8), bits / 8, op); }                     \
static void op_##name##bits##_ri(Vcpu *vcpu, const IemInsn *insn)                                  \
{ bit_reg(vcpu, insn, insn->imm, bits / 8, op); }                                                  \
static void op_##name##bits##_mr(Vcpu *vcpu, const IemInsn *insn)                                  \
{ uint64_t number = iem_reg_get(vcpu, insn->reg, bits / 8);                                        \
  bit_mem(vcpu, insn, bit_address(vcpu, insn, number, bits / 8), number, bits / 8, op); }          \
static void op_##name##bits##_mi(Vcpu *vcpu, const IemInsn *insn)                                  \
{ bit_mem(vcpu, insn, iem_ea(vcpu, insn), insn->imm, bits / 8, op); }
#define BIT_OP(name, op) BIT_SIZE(name, op, 16) BIT_SIZE(name, op, 32) BIT_SIZE(name, op, 64)
BIT_OP(bt, BIT_TEST)
BIT_OP(btc, BIT_COMPLEMENT)
BIT_OP(btr, BIT_RESET)
BIT_OP(bts, BIT_SET)
#define FORMS(name, bits) {op_##name##bits##_rr, op_##name##bits##_ri, \
                           op_##name##bits##_mr, op_##name##bits##_mi}
#define SIZES(name) {FORMS(name, 16), FORMS(name, 32), FORMS(name, 64)}
/* As the opcodes order them: BT, BTS, BTR, BTC. */
static const IemHandler bit_ops[4][3][4] = {SIZES(bt), SIZES(bts), SIZES(btr), SIZES(btc)};
#undef SIZES
#undef FORMS
#undef BIT_OP
#undef BIT_SIZE
/* clang-format on */

IemHandler
iem_choose_bit(const Vcpu *vcpu, IemInsn *insn)
{
    bool imm = insn->opcode == 0xba, mem = insn->flags & IEM_INSN_MEM;
    unsigned op = (imm ? insn->modrm : insn->opcode) >> 3 & 3;

    iem_use_offsets(insn, insn->opsize, insn->opsize);
    return bit_ops[op][iem_size_index(insn->opsize) - 1][2 * mem + imm];
}

/* ---- BSF, BSR: a source of zero leaves the destination alone ---- */
typedef uint64_t (*Scan)(uint64_t source, uint64_t old, IemRawFlags *raw);

IEM_INLINE void
scan(Vcpu *vcpu, const IemInsn *insn, Scan fn, unsigned size)
{
    uint64_t source = insn->flags & IEM_INSN_MEM ? iem_mem_get(vcpu, insn, size)
                                                 : iem_reg_get(vcpu, insn->rm, size);
    IemRawFlags raw;
    uint64_t result = fn(source, vcpu->gpr[insn->reg / 8], &raw);

    vcpu->gpr[insn->reg / 8] = result;
    iem_set_status(vcpu, raw);
}

/* clang-format off */
#define SCAN_SIZE(name, bits, modifier)                                                            \
static inline uint64_t                                                                             \
name##bits(uint64_t source, uint64_t old, IemRawFlags *raw)                                        \
{                                                                                                  \
    __asm__(#name " %" modifier "[source], %" modifier "[old]\n\tlahf\n\tseto %%al"                \
            : [old] "+&r"(old), "=&a"(*raw) : [source] "r"(source) : "cc");                        \
    return old;                                                                                    \
}                                                                                                  \
static void op_##name##bits(Vcpu *vcpu, const IemInsn *insn)                                       \
{ scan(vcpu, insn, name##bits, bits / 8); }
SCAN_SIZE(bsf, 16, "w")
SCAN_SIZE(bsf, 32, "k")
SCAN_SIZE(bsf, 64, "q")
SCAN_SIZE(bsr, 16, "w")
SCAN_SIZE(bsr, 32, "k")
SCAN_SIZE(bsr, 64, "q")
#undef SCAN_SIZE
/* clang-format on */

IemHandler
iem_choose_scan(const Vcpu *vcpu, IemInsn *insn)
{
    static const IemHandler bsf[3] = {op_bsf16, op_bsf32, op_bsf64};
    static const IemHandler bsr[3] = {op_bsr16, op_bsr32, op_bsr64};

    iem_use_offsets(insn, insn->opsize, insn->opsize);
    return (insn->row == ZYDIS_MNEMONIC_BSF ? bsf : bsr)[iem_size_index(insn->opsize) - 1];
}

/* ---- POPCNT ---- */
IEM_INLINE void
popcnt(Vcpu *vcpu, const IemInsn *insn, unsigned size)
{
    uint64_t source = insn->flags & IEM_INSN_MEM ? iem_mem_get(vcpu, insn, size)
                                                 : iem_reg_get(vcpu, insn->rm, size);

    iem_reg_set(vcpu, insn->reg, size, (uint64_t)__builtin_popcountll(source));
    vcpu->rflags &= ~(uint64_t)X86_FL_STATUS;
    if (source == 0)
        vcpu->rflags |= X86_FL_ZF;
}

static void
op_popcnt16(Vcpu *vcpu, const IemInsn *insn)
{
    popcnt(vcpu, insn, 2);
}

static void
op_popcnt32(Vcpu *vcpu, const IemInsn *insn)
{
    popcnt(vcpu, insn, 4);
}

static void
op_popcnt64(Vcpu *vcpu, const IemInsn *insn)
{
    popcnt(vcpu, insn, 8);
}

IemHandler
iem_choose_popcnt(const Vcpu *vcpu, IemInsn *insn)
{
    static const IemHandler popcnts[4] = {NULL, op_popcnt16, op_popcnt32, op_popcnt64};

    iem_use_offsets(insn, insn->opsize, insn->opsize);
    return popcnts[iem_size_index(insn->opsize)];
}

/* ---- CRC32: polynomial 11EDC6F41, bits reflected, one byte after the other ---- */
static uint32_t
crc32c(uint32_t crc, uint64_t data, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        crc ^= (uint8_t)(data >> (8 * i));
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return crc;
}

IEM_INLINE void
crc32(Vcpu *vcpu, const IemInsn *insn, unsigned size)
{
    uint64_t data = insn->flags & IEM_INSN_MEM ? iem_mem_get(vcpu, insn, size)
                                               : iem_reg_get(vcpu, insn->rm, size);

    iem_reg_set(vcpu, insn->reg, 4, crc32c((uint32_t)iem_reg_get(vcpu, insn->reg, 4), data, size));
}

static void
op_crc32_8(Vcpu *vcpu, const IemInsn *insn)
{
    crc32(vcpu, insn, 1);
}

static void
op_crc32_16(Vcpu *vcpu, const IemInsn *insn)
{
    crc32(vcpu, insn, 2);
}

static void
op_crc32_32(Vcpu *vcpu, const IemInsn *insn)
{
    crc32(vcpu, insn, 4);
}

static void
op_crc32_64(Vcpu *vcpu, const IemInsn *insn)
{
    crc32(vcpu, insn, 8);
}

IemHandler
iem_choose_crc32(const Vcpu *vcpu, IemInsn *insn)
{
    static const IemHandler crcs[4] = {op_crc32_8, op_crc32_16, op_crc32_32, op_crc32_64};
    unsigned size = insn->opcode == 0xf0 ? 1 : insn->opsize;

    iem_use_offsets(insn, 4, size);
    return crcs[iem_size_index(size)];
}
