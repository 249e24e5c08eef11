/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * AVX, element by element: VPINSRx, VPEXTRx, VEXTRACTPS, masked loads and stores, gathers. Only
 * elements that a mask selects are accessed, from the lowest on. Intel SDM volume 2; section 2.4,
 * exception class 12 (VSIB). */
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

/* ---- insert and extract: insn->width is the element's size ---- */
static unsigned
element_offset(const IemInsn *insn)
{
    return (insn->imm & (16 / insn->width - 1)) * insn->width;
}

static void
insert(Vcpu *vcpu, const IemInsn *insn)
{
    uint8_t value[32] = {0};
    uint64_t element = 0;

    iem_check_avx(vcpu);
    if (in_memory(insn))
        iem_read_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), &element, insn->width);
    else
        element = vcpu->gpr[insn->rm];
    memcpy(value, iem_xmm(vcpu, insn->vvvv), 16);
    memcpy(value + element_offset(insn), &element, insn->width);
    iem_ymm_write(vcpu, insn->reg, value);
}

/* 0F C5 has the general register in ModRM.reg, the others in ModRM.rm. */
static void
extract(Vcpu *vcpu, const IemInsn *insn)
{
    const bool to_reg = insn->map == 1;
    uint64_t element = 0;

    iem_check_avx(vcpu);
    memcpy(&element, iem_xmm(vcpu, to_reg ? insn->rm : insn->reg) + element_offset(insn),
           insn->width);
    if (in_memory(insn))
        iem_write_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), &element, insn->width);
    else
        vcpu->gpr[to_reg ? insn->reg : insn->rm] = element;
}

static unsigned
element_size(const IemInsn *insn)
{
    switch (insn->row) {
    case ZYDIS_MNEMONIC_VPINSRB:
    case ZYDIS_MNEMONIC_VPEXTRB: return 1;
    case ZYDIS_MNEMONIC_VPINSRW:
    case ZYDIS_MNEMONIC_VPEXTRW: return 2;
    case ZYDIS_MNEMONIC_VEXTRACTPS: return 4;
    default: return insn->flags & IEM_INSN_REX_W ? 8 : 4;
    }
}

IemHandler
iem_choose_avx_insert(const Vcpu *vcpu, IemInsn *insn)
{
    insn->width = (uint8_t)element_size(insn);
    return insert;
}

IemHandler
iem_choose_avx_extract(const Vcpu *vcpu, IemInsn *insn)
{
    insn->width = (uint8_t)element_size(insn);
    return extract;
}

/* ---- VMASKMOVPx, VPMASKMOVx: the top bit of each element of VEX.vvvv selects ---- */
static bool
is_selected(const uint8_t *mask, unsigned offset, unsigned size)
{
    return mask[offset + size - 1] & 0x80;
}

static uint64_t
element_address(Vcpu *vcpu, const IemInsn *insn, uint64_t distance)
{
    const uint64_t mask = insn->addrsize == 8 ? UINT64_MAX : (1ull << (8 * insn->addrsize)) - 1;

    return (iem_ea(vcpu, insn) + distance) & mask;
}

static void
masked_load(Vcpu *vcpu, const IemInsn *insn)
{
    uint8_t mask[32], value[32] = {0};

    iem_check_avx(vcpu);
    iem_ymm_read(vcpu, insn->vvvv, mask);
    for (unsigned at = 0; at < length(insn); at += insn->width) {
        if (is_selected(mask, at, insn->width))
            iem_read_bytes(vcpu, insn->seg, element_address(vcpu, insn, at), value + at,
                           insn->width);
    }
    iem_ymm_write(vcpu, insn->reg, value);
}

static void
masked_store(Vcpu *vcpu, const IemInsn *insn)
{
    uint8_t mask[32], value[32];

    iem_check_avx(vcpu);
    iem_ymm_read(vcpu, insn->vvvv, mask);
    iem_ymm_read(vcpu, insn->reg, value);
    for (unsigned at = 0; at < length(insn); at += insn->width) {
        if (is_selected(mask, at, insn->width))
            iem_probe_write(vcpu, insn->seg, element_address(vcpu, insn, at), insn->width);
    }
    for (unsigned at = 0; at < length(insn); at += insn->width) {
        if (is_selected(mask, at, insn->width))
            iem_write_bytes(vcpu, insn->seg, element_address(vcpu, insn, at), value + at,
                            insn->width);
    }
}

/* 2C, 2D, 8C load; 2E, 2F, 8E store. */
IemHandler
iem_choose_avx_mask_move(const Vcpu *vcpu, IemInsn *insn)
{
    const bool quad =
        insn->row == ZYDIS_MNEMONIC_VMASKMOVPD || insn->row == ZYDIS_MNEMONIC_VPMASKMOVQ;

    insn->width = quad ? 8 : 4;
    return insn->opcode & 2 ? masked_store : masked_load;
}

/* ---- gathers ---- */
/* insn->imm: the size of an index; width: of an element; imm2: the register of indices. */
static uint64_t
gather_distance(const uint8_t *indices, const IemInsn *insn, unsigned i)
{
    int64_t index = 0;

    if (insn->imm == 8) {
        memcpy(&index, indices + 8 * i, 8);
    } else {
        int32_t narrow;

        memcpy(&narrow, indices + 4 * i, 4);
        index = narrow;
    }
    return (uint64_t)index << insn->scale;
}

/* Each element that has been loaded is in its place, and its mask is clear, before the next one is
 * looked at: a fault leaves the rest to do. */
static void
gather(Vcpu *vcpu, const IemInsn *insn)
{
    const unsigned size = insn->width, count = length(insn) / MAX(size, (unsigned)insn->imm);
    uint8_t indices[32], mask[32], value[32];

    iem_check_avx(vcpu);
    iem_ymm_read(vcpu, insn->imm2, indices);
    iem_ymm_read(vcpu, insn->vvvv, mask);
    iem_ymm_read(vcpu, insn->reg, value);
    for (unsigned i = 0; i < count; i++) {
        if (!is_selected(mask, i * size, size))
            continue;
        iem_read_bytes(vcpu, insn->seg,
                       element_address(vcpu, insn, gather_distance(indices, insn, i)),
                       value + i * size, size);
        memset(mask + i * size, 0, size);
        iem_ymm_write(vcpu, insn->reg, value);
        iem_ymm_write(vcpu, insn->vvvv, mask);
    }
    memset(value + count * size, 0, sizeof value - count * size);
    memset(mask, 0, sizeof mask);
    iem_ymm_write(vcpu, insn->reg, value);
    iem_ymm_write(vcpu, insn->vvvv, mask);
}

/* 90 and 92 have 32-bit indices, 91 and 93 64-bit ones; VEX.W is the element's size in every mode.
 */
IemHandler
iem_choose_avx_gather(const Vcpu *vcpu, IemInsn *insn)
{
    switch (insn->row) {
    case ZYDIS_MNEMONIC_VGATHERDPD:
    case ZYDIS_MNEMONIC_VGATHERQPD:
    case ZYDIS_MNEMONIC_VPGATHERDQ:
    case ZYDIS_MNEMONIC_VPGATHERQQ: insn->width = 8; break;
    default: insn->width = 4; break;
    }
    insn->imm = insn->opcode & 1 ? 8 : 4;
    return gather;
}
