/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Small conversions: CBW, CWDE, CDQE, CWD, CDQ, CQO, BSWAP, XLAT, LAHF, SAHF, SALC, CLC, STC, CMC,
 * CLD, STD. Intel SDM volume 2. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-operand.h"

#define RAX_OFFSET (8 * X86_RAX)
#define RDX_OFFSET (8 * X86_RDX)

IEM_INLINE void
widen_accumulator(Vcpu *vcpu, unsigned size)
{
    uint64_t value = iem_reg_get(vcpu, RAX_OFFSET, size / 2);

    iem_reg_set(vcpu, RAX_OFFSET, size, (uint64_t)iem_sign_extend(value, size / 2));
}

IEM_INLINE void
fill_rdx(Vcpu *vcpu, unsigned size)
{
    int64_t value = iem_sign_extend(iem_reg_get(vcpu, RAX_OFFSET, size), size);

    iem_reg_set(vcpu, RDX_OFFSET, size, (uint64_t)(value >> 63));
}

static void
op_cbw(Vcpu *vcpu, const IemInsn *insn)
{
    widen_accumulator(vcpu, 2);
}

static void
op_cwde(Vcpu *vcpu, const IemInsn *insn)
{
    widen_accumulator(vcpu, 4);
}

static void
op_cdqe(Vcpu *vcpu, const IemInsn *insn)
{
    widen_accumulator(vcpu, 8);
}

static void
op_cwd(Vcpu *vcpu, const IemInsn *insn)
{
    fill_rdx(vcpu, 2);
}

static void
op_cdq(Vcpu *vcpu, const IemInsn *insn)
{
    fill_rdx(vcpu, 4);
}

static void
op_cqo(Vcpu *vcpu, const IemInsn *insn)
{
    fill_rdx(vcpu, 8);
}

IemHandler
iem_choose_widen(const Vcpu *vcpu, IemInsn *insn)
{
    static const IemHandler widen[4] = {NULL, op_cbw, op_cwde, op_cdqe};
    static const IemHandler fill[4] = {NULL, op_cwd, op_cdq, op_cqo};

    return (insn->opcode == 0x98 ? widen : fill)[iem_size_index(insn->opsize)];
}

/* With a 16-bit operand the result is zero on every known processor (documented as undefined). */
static void
op_bswap16(Vcpu *vcpu, const IemInsn *insn)
{
    iem_reg_set(vcpu, insn->rm, 2, 0);
}

static void
op_bswap32(Vcpu *vcpu, const IemInsn *insn)
{
    iem_reg_set(vcpu, insn->rm, 4, GUINT32_SWAP_LE_BE((uint32_t)iem_reg_get(vcpu, insn->rm, 4)));
}

static void
op_bswap64(Vcpu *vcpu, const IemInsn *insn)
{
    iem_reg_set(vcpu, insn->rm, 8, GUINT64_SWAP_LE_BE(iem_reg_get(vcpu, insn->rm, 8)));
}

IemHandler
iem_choose_bswap(const Vcpu *vcpu, IemInsn *insn)
{
    static const IemHandler bswap[4] = {NULL, op_bswap16, op_bswap32, op_bswap64};

    insn->rm = 8 * (insn->rm & 15);
    return bswap[iem_size_index(insn->opsize)];
}

static void
op_xlat(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t offset =
        iem_truncate(vcpu->gpr[X86_RBX] + (uint8_t)vcpu->gpr[X86_RAX], insn->addrsize);

    iem_reg_set(vcpu, RAX_OFFSET, 1, iem_read_u8(vcpu, insn->seg, offset));
}

static void
op_lahf(Vcpu *vcpu, const IemInsn *insn)
{
    iem_reg_set(vcpu, RAX_OFFSET + 1, 1, vcpu->rflags);
}

static void
op_sahf(Vcpu *vcpu, const IemInsn *insn)
{
    const uint64_t mask = X86_FL_STATUS & ~(uint64_t)X86_FL_OF;

    vcpu->rflags = (vcpu->rflags & ~mask) | (iem_reg_get(vcpu, RAX_OFFSET + 1, 1) & mask);
}

static void
op_salc(Vcpu *vcpu, const IemInsn *insn)
{
    iem_reg_set(vcpu, RAX_OFFSET, 1, vcpu->rflags & X86_FL_CF ? 0xff : 0);
}

static void
op_clc(Vcpu *vcpu, const IemInsn *insn)
{
    vcpu->rflags &= ~(uint64_t)X86_FL_CF;
}

static void
op_stc(Vcpu *vcpu, const IemInsn *insn)
{
    vcpu->rflags |= X86_FL_CF;
}

static void
op_cmc(Vcpu *vcpu, const IemInsn *insn)
{
    vcpu->rflags ^= X86_FL_CF;
}

static void
op_cld(Vcpu *vcpu, const IemInsn *insn)
{
    vcpu->rflags &= ~(uint64_t)X86_FL_DF;
}

static void
op_std(Vcpu *vcpu, const IemInsn *insn)
{
    vcpu->rflags |= X86_FL_DF;
}

IemHandler
iem_choose_small(const Vcpu *vcpu, IemInsn *insn)
{
    switch (insn->row) {
    case ZYDIS_MNEMONIC_XLAT: return op_xlat;
    case ZYDIS_MNEMONIC_SALC: return op_salc;
    case ZYDIS_MNEMONIC_CLC: return op_clc;
    case ZYDIS_MNEMONIC_STC: return op_stc;
    case ZYDIS_MNEMONIC_CMC: return op_cmc;
    case ZYDIS_MNEMONIC_CLD: return op_cld;
    case ZYDIS_MNEMONIC_STD: return op_std;
    default: return NULL;
    }
}

/* In 64-bit mode these two have a feature bit of their own. */
IemHandler
iem_choose_flags_ah(const Vcpu *vcpu, IemInsn *insn)
{
    if (iem_is_long64(vcpu) && !cpum_has(vcpu, CPUM_FEATURE_LAHF64))
        return NULL;
    return insn->row == ZYDIS_MNEMONIC_LAHF ? op_lahf : op_sahf;
}
