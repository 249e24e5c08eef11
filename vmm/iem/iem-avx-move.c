/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * AVX moves: whole registers, scalars, halves, to and from general registers. Non-temporal hints
 * mean nothing to a guest. Intel SDM volume 2. */
#include "vmm/iem/iem-avx.h"
#include "vmm/iem/iem-decode.h"

static inline bool
in_memory(const IemInsn *insn)
{
    return insn->flags & IEM_INSN_MEM;
}

static unsigned
length(const IemInsn *insn)
{
    return iem_avx_is_256(insn) ? 32 : 16;
}

/* ---- whole registers ---- */
static void
write_length(Vcpu *vcpu, unsigned reg, const uint8_t *value, unsigned size)
{
    uint8_t whole[32] = {0};

    memcpy(whole, value, size);
    iem_ymm_write(vcpu, reg, whole);
}

static void
move_registers(Vcpu *vcpu, const IemInsn *insn)
{
    const bool back = insn->width;
    uint8_t value[32];

    iem_check_avx(vcpu);
    iem_ymm_read(vcpu, back ? insn->reg : insn->rm, value);
    write_length(vcpu, back ? insn->rm : insn->reg, value, length(insn));
}

static void
load(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t offset = iem_ea(vcpu, insn);
    unsigned size = length(insn);
    const void *host;
    uint8_t value[32];

    iem_check_avx(vcpu);
    host = iem_mem_host(vcpu, insn->seg, offset, size, false);
    if (host != NULL)
        memcpy(value, host, size);
    else
        iem_read_bytes(vcpu, insn->seg, offset, value, size);
    write_length(vcpu, insn->reg, value, size);
}

static void
store(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t offset = iem_ea(vcpu, insn);
    unsigned size = length(insn);
    uint8_t value[32];
    void *host;

    iem_check_avx(vcpu);
    iem_ymm_read(vcpu, insn->reg, value);
    host = iem_mem_host(vcpu, insn->seg, offset, size, true);
    if (host != NULL)
        memcpy(host, value, size);
    else
        iem_write_bytes(vcpu, insn->seg, offset, value, size);
}

static void
load_aligned(Vcpu *vcpu, const IemInsn *insn)
{
    uint8_t value[32];

    iem_check_avx(vcpu);
    iem_read_aligned(vcpu, insn->seg, iem_ea(vcpu, insn), value, length(insn));
    write_length(vcpu, insn->reg, value, length(insn));
}

static void
store_aligned(Vcpu *vcpu, const IemInsn *insn)
{
    uint8_t value[32];

    iem_check_avx(vcpu);
    iem_ymm_read(vcpu, insn->reg, value);
    iem_write_aligned(vcpu, insn->seg, iem_ea(vcpu, insn), value, length(insn));
}

static bool
is_unaligned(const IemInsn *insn)
{
    switch (insn->row) {
    case ZYDIS_MNEMONIC_VLDDQU:
    case ZYDIS_MNEMONIC_VMOVDQU:
    case ZYDIS_MNEMONIC_VMOVUPD:
    case ZYDIS_MNEMONIC_VMOVUPS: return true;
    default: return false;
    }
}

/* Opcodes with the direction in their lowest bit, or 6F and 7F. */
IemHandler
iem_choose_avx_move(const Vcpu *vcpu, IemInsn *insn)
{
    const bool stores = insn->opcode == 0x7f || (insn->opcode != 0x6f && (insn->opcode & 1));

    if (!in_memory(insn)) {
        insn->width = stores;
        return move_registers;
    }
    if (is_unaligned(insn))
        return stores ? store : load;
    return stores ? store_aligned : load_aligned;
}

/* ---- parts: insn->width bytes ---- */
static void
load_part(Vcpu *vcpu, const IemInsn *insn)
{
    uint8_t value[32] = {0};

    iem_check_avx(vcpu);
    iem_read_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), value, insn->width);
    iem_ymm_write(vcpu, insn->reg, value);
}

static void
store_part(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_avx(vcpu);
    iem_write_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), iem_xmm(vcpu, insn->reg), insn->width);
}

/* The low part of one register, the rest of the other, into a third. */
static void
merge_part(Vcpu *vcpu, const IemInsn *insn)
{
    const bool back = insn->opcode & 1;
    uint8_t value[16];

    iem_check_avx(vcpu);
    memcpy(value, iem_xmm(vcpu, insn->vvvv), 16);
    memcpy(value, iem_xmm(vcpu, back ? insn->reg : insn->rm), insn->width);
    write_length(vcpu, back ? insn->rm : insn->reg, value, 16);
}

IemHandler
iem_choose_avx_move_scalar(const Vcpu *vcpu, IemInsn *insn)
{
    insn->width = insn->row == ZYDIS_MNEMONIC_VMOVSS ? 4 : 8;
    if (!in_memory(insn))
        return merge_part;
    return insn->opcode & 1 ? store_part : load_part;
}

/* ---- halves: VMOVLPx is 12 and 13, VMOVHPx 16 and 17; 12 and 16 with registers are VMOVHLPS and
 * VMOVLHPS ---- */
static void
load_half(Vcpu *vcpu, const IemInsn *insn)
{
    const bool high = insn->opcode == 0x16;
    uint8_t value[16];
    uint64_t half;

    iem_check_avx(vcpu);
    if (in_memory(insn))
        half = iem_read_u64(vcpu, insn->seg, iem_ea(vcpu, insn));
    else
        memcpy(&half, iem_xmm(vcpu, insn->rm) + (high ? 0 : 8), 8);
    memcpy(value, iem_xmm(vcpu, insn->vvvv), 16);
    memcpy(value + (high ? 8 : 0), &half, 8);
    write_length(vcpu, insn->reg, value, 16);
}

static void
store_half(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t half;

    iem_check_avx(vcpu);
    memcpy(&half, iem_xmm(vcpu, insn->reg) + (insn->opcode == 0x17 ? 8 : 0), 8);
    iem_write_u64(vcpu, insn->seg, iem_ea(vcpu, insn), half);
}

IemHandler
iem_choose_avx_move_half(const Vcpu *vcpu, IemInsn *insn)
{
    return insn->opcode & 1 ? store_half : load_half;
}

/* ---- VMOVD, VMOVQ ---- */
static void
from_general(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_avx(vcpu);
    write_length(vcpu, insn->reg, (const uint8_t *)&vcpu->gpr[insn->rm], insn->width);
}

static void
to_general(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value = 0;

    iem_check_avx(vcpu);
    memcpy(&value, iem_xmm(vcpu, insn->reg), insn->width);
    vcpu->gpr[insn->rm] = value;
}

static void
low_half(Vcpu *vcpu, const IemInsn *insn)
{
    const bool back = insn->opcode == 0xd6;
    uint8_t value[8];

    iem_check_avx(vcpu);
    memcpy(value, iem_xmm(vcpu, back ? insn->reg : insn->rm), 8);
    write_length(vcpu, back ? insn->rm : insn->reg, value, 8);
}

IemHandler
iem_choose_avx_move_general(const Vcpu *vcpu, IemInsn *insn)
{
    const bool quad = insn->opcode == 0xd6 || (insn->flags & IEM_INSN_REP);

    insn->width = quad || (insn->flags & IEM_INSN_REX_W) ? 8 : 4;
    if (in_memory(insn)) {
        const bool stores = insn->opcode == 0xd6 || (insn->opcode == 0x7e && !quad);

        return stores ? store_part : load_part;
    }
    if (quad)
        return low_half;
    return insn->opcode == 0x6e ? from_general : to_general;
}
