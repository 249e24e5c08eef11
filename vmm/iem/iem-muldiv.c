/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MUL, IMUL in its three forms, DIV, IDIV. Products are made with the guest's flags loaded, so that
 * those which the manual leaves undefined are what the host's processor makes of them, as in
 * translated code. Quotients that do not fit raise #DE before the host's instruction could.
 * Division leaves the flags as they are. Intel SDM volume 2. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-operand.h"

IEM_INLINE uint64_t
operand(Vcpu *vcpu, const IemInsn *insn, unsigned size)
{
    return insn->flags & IEM_INSN_MEM ? iem_mem_get(vcpu, insn, size)
                                      : iem_reg_get(vcpu, insn->rm, size);
}

/* clang-format off */
/* The product of the accumulator: in AX for bytes, else in rDX:rAX. AL is OF and AH the other flags:
 * adding 7Fh makes OF of AL. */
#define ACCUMULATOR_PRODUCT(name, bits, suffix, modifier)                                          \
static inline uint64_t                                                                             \
name##bits(uint64_t a, uint64_t b, uint64_t *high, IemRawFlags *raw)                               \
{                                                                                                  \
    uint64_t low, flags = *raw;                                                                    \
    __asm__("addb $0x7f, %%al\n\tsahf\n\tmovq %[a], %%rax\n\t"                                     \
            #name suffix " %" modifier "[b]\n\tmovq %%rax, %[low]\n\tlahf\n\tseto %%al"          \
            : "+a"(flags), [low] "=&r"(low), "+d"(*high) : [a] "r"(a), [b] "r"(b) : "cc");         \
    *raw = (IemRawFlags)flags;                                                                     \
    return low;                                                                                    \
}                                                                                                  \
static void op_##name##bits(Vcpu *vcpu, const IemInsn *insn)                                       \
{ accumulator_product(vcpu, operand(vcpu, insn, bits / 8), name##bits, bits / 8); }

/* The two- and three-operand forms of IMUL. */
#define TRUNCATED_PRODUCT(bits)                                                                    \
static inline uint64_t                                                                             \
imul_truncated##bits(uint64_t a, uint64_t b, IemRawFlags *raw)                                     \
{                                                                                                  \
    uint##bits##_t result = (uint##bits##_t)a;                                                     \
    __asm__("addb $0x7f, %%al\n\tsahf\n\timul %[b], %[result]\n\tlahf\n\tseto %%al"              \
            : [result] "+&r"(result), "+&a"(*raw) : [b] "r"((uint##bits##_t)b) : "cc");            \
    return result;                                                                                 \
}                                                                                                  \
static void op_imul##bits##_two(Vcpu *vcpu, const IemInsn *insn)                                   \
{ truncated_product(vcpu, insn, iem_reg_get(vcpu, insn->reg, bits / 8),                            \
                    operand(vcpu, insn, bits / 8), imul_truncated##bits, bits / 8); }              \
static void op_imul##bits##_three(Vcpu *vcpu, const IemInsn *insn)                                 \
{ truncated_product(vcpu, insn, operand(vcpu, insn, bits / 8), insn->imm,                          \
                    imul_truncated##bits, bits / 8); }
/* clang-format on */

typedef uint64_t (*Product)(uint64_t a, uint64_t b, uint64_t *high, IemRawFlags *raw);
typedef uint64_t (*Truncated)(uint64_t a, uint64_t b, IemRawFlags *raw);

IEM_INLINE void
accumulator_product(Vcpu *vcpu, uint64_t b, Product fn, unsigned size)
{
    uint64_t high = 0;
    IemRawFlags raw = iem_raw_from_status(vcpu);
    uint64_t low = fn(vcpu->gpr[X86_RAX], b, &high, &raw);

    if (size == 1) {
        iem_reg_set(vcpu, 8 * X86_RAX, 2, low);
    } else {
        iem_reg_set(vcpu, 8 * X86_RAX, size, low);
        iem_reg_set(vcpu, 8 * X86_RDX, size, high);
    }
    iem_set_status(vcpu, raw);
}

IEM_INLINE void
truncated_product(Vcpu *vcpu, const IemInsn *insn, uint64_t a, uint64_t b, Truncated fn,
                  unsigned size)
{
    IemRawFlags raw = iem_raw_from_status(vcpu);

    iem_reg_set(vcpu, insn->reg, size, fn(a, b, &raw));
    iem_set_status(vcpu, raw);
}

ACCUMULATOR_PRODUCT(mul, 8, "b", "b")
ACCUMULATOR_PRODUCT(mul, 16, "w", "w")
ACCUMULATOR_PRODUCT(mul, 32, "l", "k")
ACCUMULATOR_PRODUCT(mul, 64, "q", "q")
ACCUMULATOR_PRODUCT(imul, 8, "b", "b")
ACCUMULATOR_PRODUCT(imul, 16, "w", "w")
ACCUMULATOR_PRODUCT(imul, 32, "l", "k")
ACCUMULATOR_PRODUCT(imul, 64, "q", "q")
TRUNCATED_PRODUCT(16)
TRUNCATED_PRODUCT(32)
TRUNCATED_PRODUCT(64)

/* The dividend of up to 64 bits: AX, or rDX:rAX. */
IEM_INLINE uint64_t
dividend(const Vcpu *vcpu, unsigned size)
{
    if (size == 1)
        return (uint16_t)vcpu->gpr[X86_RAX];
    return iem_truncate(vcpu->gpr[X86_RDX], size) << (8 * size) |
           iem_truncate(vcpu->gpr[X86_RAX], size);
}

IEM_INLINE void
set_quotient(Vcpu *vcpu, unsigned size, uint64_t quotient, uint64_t remainder)
{
    if (size == 1) {
        iem_reg_set(vcpu, 8 * X86_RAX, 2, (quotient & 0xff) | remainder << 8);
    } else {
        iem_reg_set(vcpu, 8 * X86_RAX, size, quotient);
        iem_reg_set(vcpu, 8 * X86_RDX, size, remainder);
    }
}

IEM_INLINE void
divide(Vcpu *vcpu, uint64_t divisor, unsigned size)
{
    uint64_t n = dividend(vcpu, size);

    if (divisor == 0 || n / divisor > iem_truncate(UINT64_MAX, size))
        iem_raise(vcpu, X86_XCPT_DE);
    set_quotient(vcpu, size, n / divisor, n % divisor);
}

IEM_INLINE void
divide_signed(Vcpu *vcpu, uint64_t source, unsigned size)
{
    int64_t divisor = iem_sign_extend(source, size);
    int64_t n = iem_sign_extend(dividend(vcpu, size), 2 * size);
    int64_t quotient;

    if (divisor == 0 || (n == INT64_MIN && divisor == -1))
        iem_raise(vcpu, X86_XCPT_DE);
    quotient = n / divisor;
    if (quotient != iem_sign_extend((uint64_t)quotient, size))
        iem_raise(vcpu, X86_XCPT_DE);
    set_quotient(vcpu, size, (uint64_t)quotient, (uint64_t)(n % divisor));
}

static void
divide64(uint64_t high, uint64_t low, uint64_t divisor, uint64_t *quotient, uint64_t *remainder)
{
    __asm__("divq %[divisor]"
            : "=a"(*quotient), "=d"(*remainder)
            : "a"(low), "d"(high), [divisor] "r"(divisor)
            : "cc");
}

static void
op_div64(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t divisor = operand(vcpu, insn, 8);

    if (vcpu->gpr[X86_RDX] >= divisor)
        iem_raise(vcpu, X86_XCPT_DE);
    divide64(vcpu->gpr[X86_RDX], vcpu->gpr[X86_RAX], divisor, &vcpu->gpr[X86_RAX],
             &vcpu->gpr[X86_RDX]);
}

/* By magnitudes: the quotient has to fit 63 bits, or be exactly -2^63. */
static void
op_idiv64(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t divisor = operand(vcpu, insn, 8);
    uint64_t low = vcpu->gpr[X86_RAX], high = vcpu->gpr[X86_RDX];
    bool n_negative = (int64_t)high < 0, d_negative = (int64_t)divisor < 0;
    uint64_t quotient, remainder;

    if (n_negative) {
        high = ~high + (low == 0);
        low = -low;
    }
    if (d_negative)
        divisor = -divisor;
    if (high >= divisor)
        iem_raise(vcpu, X86_XCPT_DE);
    divide64(high, low, divisor, &quotient, &remainder);
    if (quotient > (uint64_t)INT64_MAX + (n_negative != d_negative))
        iem_raise(vcpu, X86_XCPT_DE);
    vcpu->gpr[X86_RAX] = n_negative != d_negative ? -quotient : quotient;
    vcpu->gpr[X86_RDX] = n_negative ? -remainder : remainder;
}

static void
op_div8(Vcpu *vcpu, const IemInsn *insn)
{
    divide(vcpu, operand(vcpu, insn, 1), 1);
}

static void
op_div16(Vcpu *vcpu, const IemInsn *insn)
{
    divide(vcpu, operand(vcpu, insn, 2), 2);
}

static void
op_div32(Vcpu *vcpu, const IemInsn *insn)
{
    divide(vcpu, operand(vcpu, insn, 4), 4);
}

static void
op_idiv8(Vcpu *vcpu, const IemInsn *insn)
{
    divide_signed(vcpu, operand(vcpu, insn, 1), 1);
}

static void
op_idiv16(Vcpu *vcpu, const IemInsn *insn)
{
    divide_signed(vcpu, operand(vcpu, insn, 2), 2);
}

static void
op_idiv32(Vcpu *vcpu, const IemInsn *insn)
{
    divide_signed(vcpu, operand(vcpu, insn, 4), 4);
}

IemHandler
iem_choose_mul(const Vcpu *vcpu, IemInsn *insn)
{
    static const IemHandler mul[4] = {op_mul8, op_mul16, op_mul32, op_mul64};

    iem_use_offsets(insn, insn->opsize, insn->opsize);
    return mul[iem_size_index(insn->opsize)];
}

IemHandler
iem_choose_imul(const Vcpu *vcpu, IemInsn *insn)
{
    static const IemHandler one[4] = {op_imul8, op_imul16, op_imul32, op_imul64};
    static const IemHandler two[4] = {NULL, op_imul16_two, op_imul32_two, op_imul64_two};
    static const IemHandler three[4] = {NULL, op_imul16_three, op_imul32_three, op_imul64_three};
    unsigned size = iem_size_index(insn->opsize);

    iem_use_offsets(insn, insn->opsize, insn->opsize);
    if (insn->map == 1)
        return two[size];
    return insn->opcode >= 0xf6 ? one[size] : three[size];
}

IemHandler
iem_choose_div(const Vcpu *vcpu, IemInsn *insn)
{
    static const IemHandler div[4] = {op_div8, op_div16, op_div32, op_div64};
    static const IemHandler idiv[4] = {op_idiv8, op_idiv16, op_idiv32, op_idiv64};

    iem_use_offsets(insn, insn->opsize, insn->opsize);
    return (insn->row == ZYDIS_MNEMONIC_IDIV ? idiv : div)[iem_size_index(insn->opsize)];
}
