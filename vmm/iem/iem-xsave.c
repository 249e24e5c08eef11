/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * XSAVE, XSAVEOPT, XSAVEC, XRSTOR, XGETBV, XSETBV. Components are x87, SSE and AVX; AVX is the only
 * one beyond the legacy area, so it has the same place in both formats. A component is in use when
 * its registers differ from their initial values; nothing is kept of what was restored last, so
 * XSAVEOPT leaves out initial components only. Intel SDM volume 1 chapter 13. Leaves out: XSAVES,
 * XRSTORS. */
#include "vmm/iem/iem-avx.h"
#include "vmm/iem/iem-fx.h"
#include "vmm/iem/iem-system.h"

#include <Zydis/Mnemonic.h>

#define COMPACT (1ull << 63)
#define LEGACY_SIZE 512u
#define HEADER LEGACY_SIZE /* XSTATE_BV, XCOMP_BV, six reserved words */
#define HEADER_SIZE 64u
#define AVX_AREA (LEGACY_SIZE + HEADER_SIZE)
#define MXCSR_INITIAL 0x1f80u

static unsigned
registers(const Vcpu *vcpu)
{
    return iem_is_long64(vcpu) ? 16 : 8;
}

static void
require_osxsave(Vcpu *vcpu)
{
    if (!(vcpu->cr4 & X86_CR4_OSXSAVE))
        iem_raise_ud(vcpu);
}

static uint64_t
area(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t offset = iem_ea(vcpu, insn);

    require_osxsave(vcpu);
    if (vcpu->cr0 & X86_CR0_TS)
        iem_raise_nm(vcpu);
    if ((vcpu->iem_vcpu->seg[insn->seg].base + offset) & 63)
        iem_raise_gp0(vcpu);
    return offset;
}

static uint64_t
requested(const Vcpu *vcpu)
{
    return (vcpu->gpr[X86_RDX] << 32 | (uint32_t)vcpu->gpr[X86_RAX]) & vcpu->xcr0;
}

static bool
is_zero(const void *data, size_t size)
{
    const uint8_t *bytes = data;

    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static bool
x87_in_use(const Vcpu *vcpu)
{
    const CpumFpu *fpu = &vcpu->fpu;

    return fpu->fcw != IEM_FX_FCW_INITIAL || fpu->fsw != 0 || fpu->ftw != 0 || fpu->fop != 0 ||
           fpu->fip != 0 || fpu->fdp != 0 || vcpu->fpu_cs != 0 || vcpu->fpu_ds != 0 ||
           !is_zero(fpu->st, sizeof fpu->st);
}

static uint64_t
in_use(const Vcpu *vcpu)
{
    uint64_t bits = 0;

    if (x87_in_use(vcpu))
        bits |= X86_XCR0_X87;
    if (!is_zero(vcpu->fpu.xmm, sizeof vcpu->fpu.xmm))
        bits |= X86_XCR0_SSE;
    if (!is_zero(vcpu->fpu.ymm_high, sizeof vcpu->fpu.ymm_high))
        bits |= X86_XCR0_AVX;
    return bits;
}

/* ---- save ---- */
typedef struct {
    uint64_t components; /* whose registers are written */
    bool mxcsr;
    uint64_t bv, comp;
    bool compact; /* XCOMP_BV is written too */
} Save;

static Save
plan_xsave(Vcpu *vcpu, const IemInsn *insn, uint64_t offset, bool optimized)
{
    const uint64_t wanted = requested(vcpu), used = wanted & in_use(vcpu);
    const uint64_t old = iem_read_u64(vcpu, insn->seg, offset + HEADER);

    return (Save){.components = optimized ? used : wanted,
                  .mxcsr = (wanted & (X86_XCR0_SSE | X86_XCR0_AVX)) != 0,
                  .bv = (old & ~wanted) | used};
}

/* MXCSR counts as a part of SSE here. */
static Save
plan_xsavec(Vcpu *vcpu)
{
    const uint64_t wanted = requested(vcpu);
    uint64_t used = wanted & in_use(vcpu);

    if (iem_vector_mxcsr(vcpu) != MXCSR_INITIAL)
        used |= wanted & X86_XCR0_SSE;
    return (Save){.components = used,
                  .mxcsr = (used & X86_XCR0_SSE) != 0,
                  .bv = used,
                  .comp = wanted | COMPACT,
                  .compact = true};
}

static void
write_save(Vcpu *vcpu, const IemInsn *insn, uint64_t offset, const Save *save)
{
    uint8_t image[IEM_FX_USED];

    iem_fx_image(vcpu, insn, image);
    if (save->components & X86_XCR0_X87) {
        iem_write_bytes(vcpu, insn->seg, offset, image, IEM_FX_MXCSR);
        iem_write_bytes(vcpu, insn->seg, offset + IEM_FX_ST, image + IEM_FX_ST,
                        IEM_FX_XMM - IEM_FX_ST);
    }
    if (save->mxcsr)
        iem_write_bytes(vcpu, insn->seg, offset + IEM_FX_MXCSR, image + IEM_FX_MXCSR, 8);
    if (save->components & X86_XCR0_SSE)
        iem_write_bytes(vcpu, insn->seg, offset + IEM_FX_XMM, image + IEM_FX_XMM,
                        16 * registers(vcpu));
    if (save->components & X86_XCR0_AVX)
        iem_write_bytes(vcpu, insn->seg, offset + AVX_AREA, vcpu->fpu.ymm_high,
                        16 * registers(vcpu));
    iem_write_u64(vcpu, insn->seg, offset + HEADER, save->bv);
    if (save->compact)
        iem_write_u64(vcpu, insn->seg, offset + HEADER + 8, save->comp);
}

static unsigned
area_size(uint64_t components)
{
    return AVX_AREA + (components & X86_XCR0_AVX ? (unsigned)sizeof((CpumFpu *)0)->ymm_high : 0);
}

static void
xsave(Vcpu *vcpu, const IemInsn *insn)
{
    const bool optimized =
        insn->row == ZYDIS_MNEMONIC_XSAVEOPT || insn->row == ZYDIS_MNEMONIC_XSAVEOPT64;
    const bool compact = insn->row == ZYDIS_MNEMONIC_XSAVEC || insn->row == ZYDIS_MNEMONIC_XSAVEC64;
    uint64_t offset = area(vcpu, insn);
    Save save;

    iem_probe_write(vcpu, insn->seg, offset, area_size(requested(vcpu)));
    save = compact ? plan_xsavec(vcpu) : plan_xsave(vcpu, insn, offset, optimized);
    write_save(vcpu, insn, offset, &save);
}

IemHandler
iem_choose_xsave(const Vcpu *vcpu, IemInsn *insn)
{
    return insn->flags & IEM_INSN_MEM ? xsave : NULL;
}

/* ---- restore ---- */
typedef struct {
    uint8_t image[IEM_FX_USED];
    uint64_t header[HEADER_SIZE / 8];
    uint8_t ymm_high[16][16];
} Restore;

static void
check_header(Vcpu *vcpu, const uint64_t header[8])
{
    const uint64_t bv = header[0], comp = header[1];
    bool bad;

    if (comp & COMPACT)
        bad = (comp & ~COMPACT & ~vcpu->xcr0) != 0 || (bv & ~comp) != 0 ||
              !is_zero(header + 2, HEADER_SIZE - 16);
    else
        bad = (bv & ~vcpu->xcr0) != 0 || comp != 0 || header[2] != 0;
    if (bad)
        iem_raise_gp0(vcpu);
}

/* In the standard format MXCSR comes from memory whenever SSE or AVX is asked for; in the compact
 * one it is a part of SSE. */
static uint32_t
restored_mxcsr(Vcpu *vcpu, const Restore *restore, uint64_t wanted)
{
    const bool compact = (restore->header[1] & COMPACT) != 0;
    const uint64_t from = compact ? wanted & restore->header[0] & X86_XCR0_SSE
                                  : wanted & (X86_XCR0_SSE | X86_XCR0_AVX);
    uint32_t mxcsr;

    if (from == 0)
        return wanted & X86_XCR0_SSE ? MXCSR_INITIAL : iem_vector_mxcsr(vcpu);
    memcpy(&mxcsr, restore->image + IEM_FX_MXCSR, 4);
    if (mxcsr & ~IEM_MXCSR_VALID)
        iem_raise_gp0(vcpu);
    return mxcsr;
}

static void
read_restore(Vcpu *vcpu, const IemInsn *insn, uint64_t offset, uint64_t wanted, Restore *restore)
{
    iem_read_bytes(vcpu, insn->seg, offset + HEADER, restore->header, HEADER_SIZE);
    check_header(vcpu, restore->header);
    iem_read_bytes(vcpu, insn->seg, offset, restore->image, IEM_FX_USED);
    memset(restore->ymm_high, 0, sizeof restore->ymm_high);
    if (wanted & restore->header[0] & X86_XCR0_AVX)
        iem_read_bytes(vcpu, insn->seg, offset + AVX_AREA, restore->ymm_high, 16 * registers(vcpu));
    if (!(restore->header[0] & X86_XCR0_SSE))
        memset(restore->image + IEM_FX_XMM, 0, IEM_FX_USED - IEM_FX_XMM);
}

static void
xrstor(Vcpu *vcpu, const IemInsn *insn)
{
    const uint64_t offset = area(vcpu, insn), wanted = requested(vcpu);
    Restore restore;
    uint32_t mxcsr;

    read_restore(vcpu, insn, offset, wanted, &restore);
    mxcsr = restored_mxcsr(vcpu, &restore, wanted);
    if (wanted & X86_XCR0_X87) {
        if (restore.header[0] & X86_XCR0_X87)
            iem_fx_load_x87(vcpu, insn, restore.image);
        else
            iem_fx_init_x87(vcpu);
    }
    if (wanted & X86_XCR0_SSE)
        memcpy(vcpu->fpu.xmm, restore.image + IEM_FX_XMM, 16 * registers(vcpu));
    if (wanted & X86_XCR0_AVX)
        memcpy(vcpu->fpu.ymm_high, restore.ymm_high, 16 * registers(vcpu));
    iem_vector_set_mxcsr(vcpu, mxcsr);
}

IemHandler
iem_choose_xrstor(const Vcpu *vcpu, IemInsn *insn)
{
    return insn->flags & IEM_INSN_MEM ? xrstor : NULL;
}

/* ---- XCR0 ---- */
static void
xgetbv(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value = vcpu->xcr0;

    require_osxsave(vcpu);
    if ((uint32_t)vcpu->gpr[X86_RCX] > 1)
        iem_raise_gp0(vcpu);
    if ((uint32_t)vcpu->gpr[X86_RCX] == 1)
        value &= in_use(vcpu);
    vcpu->gpr[X86_RAX] = (uint32_t)value;
    vcpu->gpr[X86_RDX] = value >> 32;
}

static void
xsetbv(Vcpu *vcpu, const IemInsn *insn)
{
    const uint64_t value = vcpu->gpr[X86_RDX] << 32 | (uint32_t)vcpu->gpr[X86_RAX];

    require_osxsave(vcpu);
    iem_require_cpl0(vcpu);
    if ((uint32_t)vcpu->gpr[X86_RCX] != 0 || !cpum_xcr0_is_valid(vcpu, value))
        iem_raise_gp0(vcpu);
    vcpu->xcr0 = value;
}

IemHandler
iem_choose_xcr(const Vcpu *vcpu, IemInsn *insn)
{
    return insn->row == ZYDIS_MNEMONIC_XGETBV ? xgetbv : xsetbv;
}
