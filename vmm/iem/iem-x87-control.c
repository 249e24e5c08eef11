/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * x87 control: FNINIT, FNCLEX, control and status words, environments and full states of 14, 28, 94
 * and 108 bytes, FFREE, FINCSTP, FDECSTP. Intel SDM volume 1 section 8.1.10 (layouts). */
#include "vmm/iem/iem-x87.h"

/* Instructions that do not wait for pending exceptions look at CR0 only. */
static void
check_no_wait(Vcpu *vcpu)
{
    if (vcpu->cr0 & (X86_CR0_EM | X86_CR0_TS))
        iem_raise_nm(vcpu);
}

static void
initialize(Vcpu *vcpu)
{
    /* The registers keep their places: TOP becomes 0, so they are renumbered. */
    unsigned top = x87_top(vcpu);
    uint8_t saved[8][16];

    memcpy(saved, vcpu->fpu.st, sizeof(saved));
    for (unsigned i = 0; i < 8; i++)
        memcpy(vcpu->fpu.st[(i + top) & 7], saved[i], 16);
    vcpu->fpu.fcw = 0x037f;
    vcpu->fpu.fsw = 0;
    vcpu->fpu.ftw = 0;
    vcpu->fpu.fop = 0;
    vcpu->fpu.fip = vcpu->fpu.fdp = 0;
    vcpu->fpu_cs = vcpu->fpu_ds = 0;
    x87_tell_chipset(vcpu);
}

static void
fninit(Vcpu *vcpu, const IemInsn *insn)
{
    check_no_wait(vcpu);
    initialize(vcpu);
}

static void
fnclex(Vcpu *vcpu, const IemInsn *insn)
{
    check_no_wait(vcpu);
    vcpu->fpu.fsw &= (uint16_t) ~(X87_EXCEPTIONS | X87_SF | X87_ES | X87_B);
    x87_tell_chipset(vcpu);
}

static void
nothing(Vcpu *vcpu, const IemInsn *insn)
{
    check_no_wait(vcpu); /* FNENI, FNDISI, FNSETPM */
}

static void
fnop(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_x87(vcpu);
}

static void
fldcw(Vcpu *vcpu, const IemInsn *insn)
{
    uint16_t value;

    iem_check_x87(vcpu);
    value = iem_read_u16(vcpu, insn->seg, iem_ea(vcpu, insn));
    vcpu->fpu.fcw = (value & 0x1f3f) | 0x0040;
    x87_update_summary(vcpu);
}

static void
fnstcw(Vcpu *vcpu, const IemInsn *insn)
{
    check_no_wait(vcpu);
    iem_write_u16(vcpu, insn->seg, iem_ea(vcpu, insn), vcpu->fpu.fcw);
}

static void
fnstsw_memory(Vcpu *vcpu, const IemInsn *insn)
{
    check_no_wait(vcpu);
    iem_write_u16(vcpu, insn->seg, iem_ea(vcpu, insn), vcpu->fpu.fsw);
}

static void
fnstsw_ax(Vcpu *vcpu, const IemInsn *insn)
{
    check_no_wait(vcpu);
    iem_gpr_write(vcpu, X86_RAX, 2, vcpu->fpu.fsw);
}

static void
rotate(Vcpu *vcpu, unsigned by)
{
    uint8_t saved[8][16];

    iem_check_x87(vcpu);
    memcpy(saved, vcpu->fpu.st, sizeof(saved));
    for (unsigned i = 0; i < 8; i++)
        memcpy(vcpu->fpu.st[i], saved[(i + by) & 7], 16);
    vcpu->fpu.fsw =
        (uint16_t)((vcpu->fpu.fsw & ~(0x3800u | X87_C1)) | ((x87_top(vcpu) + by) & 7) << 11);
}

static void
fincstp(Vcpu *vcpu, const IemInsn *insn)
{
    rotate(vcpu, 1);
}

static void
fdecstp(Vcpu *vcpu, const IemInsn *insn)
{
    rotate(vcpu, 7);
}

static void
ffree(Vcpu *vcpu, const IemInsn *insn)
{
    x87_begin(vcpu, insn);
    vcpu->fpu.fsw &= (uint16_t)~X87_C1; /* undefined; AMD's clear it */
    x87_free(vcpu, insn->rm & 7);
}

static void
ffreep(Vcpu *vcpu, const IemInsn *insn)
{
    ffree(vcpu, insn);
    x87_pop(vcpu);
}

/* The environment in its four layouts; returns its size. */
static unsigned
pack_environment(const Vcpu *vcpu, bool wide, uint8_t out[28])
{
    bool real = vcpu->mode == CPUM_MODE_REAL || vcpu->mode == CPUM_MODE_V86;
    uint32_t ip = (uint32_t)vcpu->fpu.fip, dp = (uint32_t)vcpu->fpu.fdp;
    uint32_t words[7] = {vcpu->fpu.fcw, vcpu->fpu.fsw, x87_full_tags(vcpu)};

    if (real) { /* linear addresses, split */
        ip += (uint32_t)vcpu->fpu_cs << 4;
        dp += (uint32_t)vcpu->fpu_ds << 4;
    }
    if (!real) {
        words[3] = ip;
        words[4] = wide ? vcpu->fpu_cs | (vcpu->fpu.fop & 0x7ffu) << 16 : vcpu->fpu_cs;
        words[5] = dp;
        words[6] = vcpu->fpu_ds;
    } else if (wide) {
        words[3] = ip & 0xffff;
        words[4] = (ip >> 16) << 12 | (vcpu->fpu.fop & 0x7ff);
        words[5] = dp & 0xffff;
        words[6] = (dp >> 16) << 12;
    } else {
        words[3] = ip & 0xffff;
        words[4] = (ip >> 16 & 15) << 12 | (vcpu->fpu.fop & 0x7ff);
        words[5] = dp & 0xffff;
        words[6] = (dp >> 16 & 15) << 12;
    }
    for (unsigned i = 0; i < 7; i++) {
        if (wide) {
            uint32_t word =
                i == 0 || i == 1 || i == 2 || i == 6 ? words[i] | 0xffff0000u : words[i];
            if (i == 6 && real)
                word = words[i];
            memcpy(out + i * 4, &word, 4);
        } else {
            uint16_t word = (uint16_t)words[i];
            memcpy(out + i * 2, &word, 2);
        }
    }
    return wide ? 28 : 14;
}

static uint32_t
unpack_word(const uint8_t *in, bool wide, unsigned i)
{
    uint32_t value = 0;

    memcpy(&value, in + i * (wide ? 4 : 2), wide ? 4 : 2);
    return value;
}

static void
unpack_environment(Vcpu *vcpu, bool wide, const uint8_t *in)
{
    bool real = vcpu->mode == CPUM_MODE_REAL || vcpu->mode == CPUM_MODE_V86;
    uint16_t tags = (uint16_t)unpack_word(in, wide, 2);
    uint32_t ip = unpack_word(in, wide, 3), selector = unpack_word(in, wide, 4);
    uint32_t dp = unpack_word(in, wide, 5), data = unpack_word(in, wide, 6);

    vcpu->fpu.fcw = (unpack_word(in, wide, 0) & 0x1f3f) | 0x0040;
    vcpu->fpu.fsw = (uint16_t)unpack_word(in, wide, 1);
    vcpu->fpu.ftw = 0;
    for (unsigned i = 0; i < 8; i++) {
        if ((tags >> (2 * i) & 3) != 3)
            vcpu->fpu.ftw |= (uint8_t)(1u << i);
    }
    if (real) {
        vcpu->fpu.fip = (ip & 0xffff) | (selector >> 12 & (wide ? 0xffffu : 15u)) << 16;
        vcpu->fpu.fdp = (dp & 0xffff) | (data >> 12 & (wide ? 0xffffu : 15u)) << 16;
        vcpu->fpu.fop = selector & 0x7ff;
        vcpu->fpu_cs = vcpu->fpu_ds = 0;
    } else {
        vcpu->fpu.fip = ip;
        vcpu->fpu.fdp = dp;
        vcpu->fpu_cs = (uint16_t)selector;
        vcpu->fpu_ds = (uint16_t)data;
        if (wide)
            vcpu->fpu.fop = selector >> 16 & 0x7ff;
    }
    x87_update_summary(vcpu);
}

/* TOP changes with the status word: the physical registers have to stay where they are. */
static void
physical_registers(const Vcpu *vcpu, uint8_t out[8][16])
{
    for (unsigned i = 0; i < 8; i++)
        memcpy(out[(x87_top(vcpu) + i) & 7], vcpu->fpu.st[i], 16);
}

static void
from_physical(Vcpu *vcpu, uint8_t in[8][16])
{
    for (unsigned i = 0; i < 8; i++)
        memcpy(vcpu->fpu.st[i], in[(x87_top(vcpu) + i) & 7], 16);
}

static bool
is_wide(const IemInsn *insn)
{
    return insn->opsize != 2;
}

static void
fnstenv(Vcpu *vcpu, const IemInsn *insn)
{
    uint8_t image[28];
    unsigned size;

    check_no_wait(vcpu);
    size = pack_environment(vcpu, is_wide(insn), image);
    iem_write_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), image, size);
    vcpu->fpu.fcw |= X87_EXCEPTIONS;
    x87_update_summary(vcpu);
}

static void
fldenv(Vcpu *vcpu, const IemInsn *insn)
{
    uint8_t image[28], physical[8][16];

    iem_check_x87(vcpu);
    iem_read_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), image, is_wide(insn) ? 28 : 14);
    physical_registers(vcpu, physical);
    unpack_environment(vcpu, is_wide(insn), image);
    from_physical(vcpu, physical);
}

static void
fnsave(Vcpu *vcpu, const IemInsn *insn)
{
    uint8_t image[108];
    unsigned size;

    check_no_wait(vcpu);
    size = pack_environment(vcpu, is_wide(insn), image);
    for (unsigned i = 0; i < 8; i++)
        memcpy(image + size + i * 10, vcpu->fpu.st[i], 10);
    iem_write_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), image, size + 80);
    initialize(vcpu);
}

static void
frstor(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned size = is_wide(insn) ? 28 : 14;
    uint8_t image[108];

    iem_check_x87(vcpu);
    iem_read_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), image, size + 80);
    unpack_environment(vcpu, is_wide(insn), image);
    for (unsigned i = 0; i < 8; i++)
        memcpy(vcpu->fpu.st[i], image + size + i * 10, 10);
}

static IemHandler
choose_memory(const IemInsn *insn)
{
    unsigned reg = insn->reg & 7;

    if (insn->opcode == 0xd9) {
        static const IemHandler rows[8] = {NULL, NULL, NULL, NULL, fldenv, fldcw, fnstenv, fnstcw};
        return rows[reg];
    }
    if (insn->opcode == 0xdd) {
        static const IemHandler rows[8] = {NULL,   NULL, NULL,   NULL,
                                           frstor, NULL, fnsave, fnstsw_memory};
        return rows[reg];
    }
    return NULL;
}

IemHandler
x87_choose_control(IemInsn *insn)
{
    unsigned group = insn->modrm >> 3 & 7;

    if (insn->flags & IEM_INSN_MEM)
        return choose_memory(insn);
    switch (insn->opcode << 8 | insn->modrm) {
    case 0xd9d0: return fnop;
    case 0xd9f6: return fdecstp;
    case 0xd9f7: return fincstp;
    case 0xdbe0:
    case 0xdbe1:
    case 0xdbe4: return nothing;
    case 0xdbe2: return fnclex;
    case 0xdbe3: return fninit;
    case 0xdfe0: return fnstsw_ax;
    default: break;
    }
    if (insn->opcode == 0xdd && group == 0)
        return ffree;
    return insn->opcode == 0xdf && group == 0 ? ffreep : NULL;
}
