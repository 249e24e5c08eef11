/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MMX and SSE moves: between registers, memory and general registers; masks; non-temporal stores
 * (which are ordinary stores to a guest). Intel SDM volume 2. */
#include "vmm/iem/iem-avx.h"

#define CHOOSER(name)                                                                              \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn);                                 \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn)

static inline bool
in_memory(const IemInsn *insn)
{
    return insn->flags & IEM_INSN_MEM;
}

/* --- 16 bytes --- */
static void
move_registers(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    memmove(iem_xmm(vcpu, insn->reg), iem_xmm(vcpu, insn->rm), 16);
}

static void
move_registers_back(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    memmove(iem_xmm(vcpu, insn->rm), iem_xmm(vcpu, insn->reg), 16);
}

static void
load_aligned(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    iem_read_aligned16(vcpu, insn->seg, iem_ea(vcpu, insn), iem_xmm(vcpu, insn->reg));
}

static void
store_aligned(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    iem_write_aligned16(vcpu, insn->seg, iem_ea(vcpu, insn), iem_xmm(vcpu, insn->reg));
}

static void
load_unaligned(Vcpu *vcpu, const IemInsn *insn)
{
    _Alignas(16) uint8_t buffer[16];

    iem_check_sse(vcpu);
    iem_read_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), buffer, 16);
    memcpy(iem_xmm(vcpu, insn->reg), buffer, 16);
}

static void
store_unaligned(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    iem_write_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), iem_xmm(vcpu, insn->reg), 16);
}

/* Opcodes with the direction in their lowest bit (10/11, 28/29) or 6F/7F. */
static bool
stores(const IemInsn *insn)
{
    return insn->opcode == 0x7f || (insn->opcode != 0x6f && (insn->opcode & 1));
}

CHOOSER(move16_aligned)
{
    if (!in_memory(insn))
        return stores(insn) ? move_registers_back : move_registers;
    return stores(insn) ? store_aligned : load_aligned;
}

CHOOSER(move16_unaligned)
{
    if (!in_memory(insn))
        return stores(insn) ? move_registers_back : move_registers;
    return stores(insn) ? store_unaligned : load_unaligned;
}

CHOOSER(lddqu)
{
    return in_memory(insn) ? load_unaligned : NULL;
}

CHOOSER(movnt_store)
{
    return in_memory(insn) ? store_aligned : NULL;
}

CHOOSER(movntdqa)
{
    return in_memory(insn) ? load_aligned : NULL;
}

/* --- scalars: MOVSS, MOVSD --- */
static void
merge_low4(Vcpu *vcpu, const IemInsn *insn)
{
    bool back = insn->opcode & 1;

    iem_check_sse(vcpu);
    memmove(iem_xmm(vcpu, back ? insn->rm : insn->reg), iem_xmm(vcpu, back ? insn->reg : insn->rm),
            4);
}

static void
merge_low8(Vcpu *vcpu, const IemInsn *insn)
{
    bool back = insn->opcode & 1;

    iem_check_sse(vcpu);
    memmove(iem_xmm(vcpu, back ? insn->rm : insn->reg), iem_xmm(vcpu, back ? insn->reg : insn->rm),
            8);
}

static void
load_low4_zero(Vcpu *vcpu, const IemInsn *insn)
{
    uint32_t value;

    iem_check_sse(vcpu);
    value = iem_read_u32(vcpu, insn->seg, iem_ea(vcpu, insn));
    memset(iem_xmm(vcpu, insn->reg), 0, 16);
    memcpy(iem_xmm(vcpu, insn->reg), &value, 4);
}

static void
load_low8_zero(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value;

    iem_check_sse(vcpu);
    value = iem_read_u64(vcpu, insn->seg, iem_ea(vcpu, insn));
    memset(iem_xmm(vcpu, insn->reg), 0, 16);
    memcpy(iem_xmm(vcpu, insn->reg), &value, 8);
}

static void
store_low4(Vcpu *vcpu, const IemInsn *insn)
{
    uint32_t value;

    iem_check_sse(vcpu);
    memcpy(&value, iem_xmm(vcpu, insn->reg), 4);
    iem_write_u32(vcpu, insn->seg, iem_ea(vcpu, insn), value);
}

static void
store_low8(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value;

    iem_check_sse(vcpu);
    memcpy(&value, iem_xmm(vcpu, insn->reg), 8);
    iem_write_u64(vcpu, insn->seg, iem_ea(vcpu, insn), value);
}

CHOOSER(movss)
{
    if (!in_memory(insn))
        return merge_low4;
    return insn->opcode & 1 ? store_low4 : load_low4_zero;
}

/* The MOVSD that moves a double; the string instruction of that name is another opcode map. */
CHOOSER(movsd_vector)
{
    if (!in_memory(insn))
        return merge_low8;
    return insn->opcode & 1 ? store_low8 : load_low8_zero;
}

/* --- halves: MOVLPS, MOVHPS, MOVLPD, MOVHPD, MOVHLPS, MOVLHPS --- */
static void
load_low8(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value;

    iem_check_sse(vcpu);
    value = iem_read_u64(vcpu, insn->seg, iem_ea(vcpu, insn));
    memcpy(iem_xmm(vcpu, insn->reg), &value, 8);
}

static void
load_high8(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value;

    iem_check_sse(vcpu);
    value = iem_read_u64(vcpu, insn->seg, iem_ea(vcpu, insn));
    memcpy(iem_xmm(vcpu, insn->reg) + 8, &value, 8);
}

static void
store_high8(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value;

    iem_check_sse(vcpu);
    memcpy(&value, iem_xmm(vcpu, insn->reg) + 8, 8);
    iem_write_u64(vcpu, insn->seg, iem_ea(vcpu, insn), value);
}

static void
high_to_low(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    memmove(iem_xmm(vcpu, insn->reg), iem_xmm(vcpu, insn->rm) + 8, 8);
}

static void
low_to_high(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    memmove(iem_xmm(vcpu, insn->reg) + 8, iem_xmm(vcpu, insn->rm), 8);
}

CHOOSER(move_low)
{
    if (!in_memory(insn))
        return high_to_low;
    return insn->opcode & 1 ? store_low8 : load_low8;
}

CHOOSER(move_high)
{
    if (!in_memory(insn))
        return low_to_high;
    return insn->opcode & 1 ? store_high8 : load_high8;
}

/* --- MOVD, MOVQ --- */
static uint64_t
general_source(Vcpu *vcpu, const IemInsn *insn)
{
    bool wide = insn->flags & IEM_INSN_REX_W;

    if (!in_memory(insn))
        return wide ? vcpu->gpr[insn->rm] : (uint32_t)vcpu->gpr[insn->rm];
    return wide ? iem_read_u64(vcpu, insn->seg, iem_ea(vcpu, insn))
                : iem_read_u32(vcpu, insn->seg, iem_ea(vcpu, insn));
}

static void
general_store(Vcpu *vcpu, const IemInsn *insn, uint64_t value)
{
    bool wide = insn->flags & IEM_INSN_REX_W;

    if (!in_memory(insn))
        vcpu->gpr[insn->rm] = wide ? value : (uint32_t)value;
    else if (wide)
        iem_write_u64(vcpu, insn->seg, iem_ea(vcpu, insn), value);
    else
        iem_write_u32(vcpu, insn->seg, iem_ea(vcpu, insn), (uint32_t)value);
}

static void
general_to_xmm(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value;

    iem_check_sse(vcpu);
    value = general_source(vcpu, insn);
    memset(iem_xmm(vcpu, insn->reg), 0, 16);
    memcpy(iem_xmm(vcpu, insn->reg), &value, 8);
}

static void
xmm_to_general(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value;

    iem_check_sse(vcpu);
    memcpy(&value, iem_xmm(vcpu, insn->reg), 8);
    general_store(vcpu, insn, value);
}

static void
general_to_mmx(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value;

    iem_check_mmx(vcpu);
    value = general_source(vcpu, insn);
    iem_mmx_begin(vcpu);
    iem_mm_write(vcpu, insn->reg, value);
}

static void
mmx_to_general(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_mmx(vcpu);
    if (in_memory(insn))
        iem_probe_write(vcpu, insn->seg, iem_ea(vcpu, insn), insn->flags & IEM_INSN_REX_W ? 8 : 4);
    iem_mmx_begin(vcpu);
    general_store(vcpu, insn, iem_mm_read(vcpu, insn->reg));
}

static void
mmx_load(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value;

    iem_check_mmx(vcpu);
    value = iem_mmx_source(vcpu, insn, 8);
    iem_mmx_begin(vcpu);
    if (!in_memory(insn))
        value = iem_mm_read(vcpu, insn->rm);
    iem_mm_write(vcpu, insn->reg, value);
}

static void
mmx_store(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_mmx(vcpu);
    if (in_memory(insn))
        iem_probe_write(vcpu, insn->seg, iem_ea(vcpu, insn), 8);
    iem_mmx_begin(vcpu);
    if (in_memory(insn))
        iem_write_u64(vcpu, insn->seg, iem_ea(vcpu, insn), iem_mm_read(vcpu, insn->reg));
    else
        iem_mm_write(vcpu, insn->rm, iem_mm_read(vcpu, insn->reg));
}

static void
low8_to_register_zero(Vcpu *vcpu, const IemInsn *insn)
{
    bool back = insn->opcode == 0xd6;
    uint8_t *to = iem_xmm(vcpu, back ? insn->rm : insn->reg);
    uint64_t value;

    iem_check_sse(vcpu);
    memcpy(&value, iem_xmm(vcpu, back ? insn->reg : insn->rm), 8);
    memset(to, 0, 16);
    memcpy(to, &value, 8);
}

CHOOSER(movd)
{
    if (iem_is_xmm_form(insn))
        return insn->opcode == 0x6e ? general_to_xmm : xmm_to_general;
    return insn->opcode == 0x6e ? general_to_mmx : mmx_to_general;
}

CHOOSER(movq)
{
    switch (insn->opcode) {
    case 0x6f: return mmx_load;
    case 0x7f: return mmx_store;
    case 0xd6: return in_memory(insn) ? store_low8 : low8_to_register_zero;
    case 0x7e:
        if (insn->flags & IEM_INSN_REP)
            return in_memory(insn) ? load_low8_zero : low8_to_register_zero;
        return iem_choose_movd(vcpu, insn);
    default: return iem_choose_movd(vcpu, insn);
    }
}

static void
mmx_to_xmm(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value;

    iem_check_sse(vcpu);
    iem_mmx_begin(vcpu);
    value = iem_mm_read(vcpu, insn->rm);
    memset(iem_xmm(vcpu, insn->reg), 0, 16);
    memcpy(iem_xmm(vcpu, insn->reg), &value, 8);
}

CHOOSER(movq2dq)
{
    return mmx_to_xmm;
}

static void
xmm_to_mmx(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value;

    iem_check_sse(vcpu);
    iem_mmx_begin(vcpu);
    memcpy(&value, iem_xmm(vcpu, insn->rm), 8);
    iem_mm_write(vcpu, insn->reg, value);
}

CHOOSER(movdq2q)
{
    return xmm_to_mmx;
}

static void
store_mmx_nontemporal(Vcpu *vcpu, const IemInsn *insn)
{
    mmx_store(vcpu, insn);
}

CHOOSER(movntq)
{
    return in_memory(insn) ? store_mmx_nontemporal : NULL;
}

/* --- sign masks --- */
static void
mask_ps(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    vcpu->gpr[insn->reg] =
        (unsigned)_mm_movemask_ps(_mm_loadu_ps((const float *)iem_xmm(vcpu, insn->rm)));
}

static void
mask_pd(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    vcpu->gpr[insn->reg] =
        (unsigned)_mm_movemask_pd(_mm_loadu_pd((const double *)iem_xmm(vcpu, insn->rm)));
}

static void
mask_bytes(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    vcpu->gpr[insn->reg] =
        (unsigned)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)iem_xmm(vcpu, insn->rm)));
}

static void
mask_bytes_mmx(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value;
    unsigned mask = 0;

    iem_mmx_begin(vcpu);
    value = iem_mm_read(vcpu, insn->rm);
    for (unsigned i = 0; i < 8; i++)
        mask |= (value >> (8 * i + 7) & 1) << i;
    vcpu->gpr[insn->reg] = mask;
}

CHOOSER(movmskps)
{
    return in_memory(insn) ? NULL : mask_ps;
}

CHOOSER(movmskpd)
{
    return in_memory(insn) ? NULL : mask_pd;
}

CHOOSER(pmovmskb)
{
    if (in_memory(insn))
        return NULL;
    return iem_is_xmm_form(insn) ? mask_bytes : mask_bytes_mmx;
}

/* --- MASKMOVQ, MASKMOVDQU, VMASKMOVDQU: to DS:rDI, bytes whose mask has its top bit set --- */
static void
masked_store(Vcpu *vcpu, const IemInsn *insn, const uint8_t *data, const uint8_t *mask,
             unsigned size)
{
    uint64_t address_mask = insn->addrsize == 8 ? ~0ull : (1ull << (8 * insn->addrsize)) - 1;
    uint64_t base = vcpu->gpr[X86_RDI] & address_mask;

    for (unsigned i = 0; i < size; i++) { /* faults before the first byte is stored */
        if (mask[i] & 0x80)
            iem_probe_write(vcpu, insn->seg, (base + i) & address_mask, 1);
    }
    for (unsigned i = 0; i < size; i++) {
        if (mask[i] & 0x80)
            iem_write_u8(vcpu, insn->seg, (base + i) & address_mask, data[i]);
    }
}

static void
masked_store_xmm(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    masked_store(vcpu, insn, iem_xmm(vcpu, insn->reg), iem_xmm(vcpu, insn->rm), 16);
}

static void
masked_store_mmx(Vcpu *vcpu, const IemInsn *insn)
{
    iem_mmx_begin(vcpu);
    masked_store(vcpu, insn, iem_mm(vcpu, insn->reg), iem_mm(vcpu, insn->rm), 8);
}

CHOOSER(maskmovdqu)
{
    return in_memory(insn) ? NULL : masked_store_xmm;
}

static void
masked_store_avx(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_avx(vcpu);
    masked_store(vcpu, insn, iem_xmm(vcpu, insn->reg), iem_xmm(vcpu, insn->rm), 16);
}

CHOOSER(avx_maskmovdqu)
{
    return masked_store_avx;
}

CHOOSER(maskmovq)
{
    return in_memory(insn) ? NULL : masked_store_mmx;
}
