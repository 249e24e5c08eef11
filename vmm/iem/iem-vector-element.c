/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Single elements of MMX and SSE registers: PINSRx, PEXTRx, INSERTPS, EXTRACTPS; and the blends
 * whose mask is XMM0; SHA256RNDS2, whose third operand is XMM0. Intel SDM volume 2. */
#include "vmm/iem/iem-vector.h"

#define CHOOSER(name)                                                                              \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn);                                 \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn)

static inline bool
in_memory(const IemInsn *insn)
{
    return insn->flags & IEM_INSN_MEM;
}

/* insn->width is the element's size in bytes. */
static uint64_t
element_source(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value = 0;

    if (!in_memory(insn))
        return vcpu->gpr[insn->rm];
    iem_read_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), &value, insn->width);
    return value;
}

static void
insert(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned index = insn->imm & (16 / insn->width - 1);
    uint64_t value;

    iem_check_sse(vcpu);
    value = element_source(vcpu, insn);
    memcpy(iem_xmm(vcpu, insn->reg) + index * insn->width, &value, insn->width);
}

static void
insert_word_mmx(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned shift = (insn->imm & 3) * 16;
    uint64_t value, word;

    iem_check_mmx(vcpu);
    word = element_source(vcpu, insn) & 0xffff;
    iem_mmx_begin(vcpu);
    value = iem_mm_read(vcpu, insn->reg);
    iem_mm_write(vcpu, insn->reg, (value & ~(0xffffull << shift)) | word << shift);
}

static uint64_t
element_of(const uint8_t *xmm, const IemInsn *insn)
{
    unsigned index = insn->imm & (16 / insn->width - 1);
    uint64_t value = 0;

    memcpy(&value, xmm + index * insn->width, insn->width);
    return value;
}

/* 0F 3A 14..17: to a general register (zero-extended) or memory. */
static void
extract(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value;

    iem_check_sse(vcpu);
    value = element_of(iem_xmm(vcpu, insn->reg), insn);
    if (in_memory(insn))
        iem_write_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), &value, insn->width);
    else
        vcpu->gpr[insn->rm] = value;
}

/* 0F C5: ModRM.reg is the general register. */
static void
extract_word(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    vcpu->gpr[insn->reg] = element_of(iem_xmm(vcpu, insn->rm), insn);
}

static void
extract_word_mmx(Vcpu *vcpu, const IemInsn *insn)
{
    iem_mmx_begin(vcpu);
    vcpu->gpr[insn->reg] = iem_mm_read(vcpu, insn->rm) >> ((insn->imm & 3) * 16) & 0xffff;
}

static IemHandler
sized(IemInsn *insn, unsigned width, IemHandler handler)
{
    insn->width = (uint8_t)width;
    return handler;
}

static unsigned
wide_or_not(const IemInsn *insn)
{
    return insn->flags & IEM_INSN_REX_W ? 8 : 4;
}

CHOOSER(pinsrb)
{
    return sized(insn, 1, insert);
}
CHOOSER(pinsrw)
{
    return sized(insn, 2, iem_is_xmm_form(insn) ? insert : insert_word_mmx);
}
CHOOSER(pinsrd)
{
    return sized(insn, wide_or_not(insn), insert);
}
CHOOSER(pextrb)
{
    return sized(insn, 1, extract);
}
CHOOSER(pextrw)
{
    if (insn->opcode == 0xc5)
        return sized(insn, 2, iem_is_xmm_form(insn) ? extract_word : extract_word_mmx);
    return sized(insn, 2, extract);
}
CHOOSER(pextrd)
{
    return sized(insn, wide_or_not(insn), extract);
}
CHOOSER(extractps)
{
    return sized(insn, 4, extract);
}

static void
insert_single(Vcpu *vcpu, const IemInsn *insn)
{
    uint8_t *xmm = iem_xmm(vcpu, insn->reg);
    uint32_t value;

    iem_check_sse(vcpu);
    if (in_memory(insn))
        value = iem_read_u32(vcpu, insn->seg, iem_ea(vcpu, insn));
    else
        memcpy(&value, iem_xmm(vcpu, insn->rm) + (insn->imm >> 6 & 3) * 4, 4);
    memcpy(xmm + (insn->imm >> 4 & 3) * 4, &value, 4);
    for (unsigned i = 0; i < 4; i++) {
        if (insn->imm >> i & 1)
            memset(xmm + i * 4, 0, 4);
    }
}

CHOOSER(insertps)
{
    return insert_single;
}

/* Blends by the top bit of each element of XMM0. insn->width is the element's size. */
static void
blend_by_xmm0(Vcpu *vcpu, const IemInsn *insn)
{
    _Alignas(16) uint8_t buffer[16], mask[16];
    const uint8_t *source;
    uint8_t *xmm = iem_xmm(vcpu, insn->reg);

    iem_check_sse(vcpu);
    source = iem_vector_source(vcpu, insn, 16, buffer);
    memcpy(mask, iem_xmm(vcpu, 0), 16);
    for (unsigned at = 0; at < 16; at += insn->width) {
        if (mask[at + insn->width - 1] & 0x80)
            memmove(xmm + at, source + at, insn->width);
    }
}

CHOOSER(blendvps)
{
    return sized(insn, 4, blend_by_xmm0);
}
CHOOSER(blendvpd)
{
    return sized(insn, 8, blend_by_xmm0);
}
CHOOSER(pblendvb)
{
    return sized(insn, 1, blend_by_xmm0);
}

/* The host's instruction has XMM0 in the same role. */
static void
sha256_rounds(Vcpu *vcpu, const IemInsn *insn)
{
    _Alignas(16) uint8_t buffer[16];
    register __m128i keys __asm__("xmm0");
    __m128i d, s;

    iem_check_sse(vcpu);
    s = _mm_loadu_si128((const __m128i *)iem_vector_source(vcpu, insn, 16, buffer));
    d = _mm_loadu_si128((const __m128i *)iem_xmm(vcpu, insn->reg));
    keys = _mm_loadu_si128((const __m128i *)iem_xmm(vcpu, 0));
    __asm__("sha256rnds2 %%xmm0, %1, %0" : "+x"(d) : "x"(s), "x"(keys));
    _mm_storeu_si128((__m128i *)iem_xmm(vcpu, insn->reg), d);
}

CHOOSER(sha256rnds2)
{
    return sha256_rounds;
}
