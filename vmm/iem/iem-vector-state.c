/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * LDMXCSR, STMXCSR, FXSAVE, FXRSTOR, EMMS. Intel SDM volume 1 section 10.5 (layout of the FXSAVE
 * area). */
#include "vmm/iem/iem-fx.h"
#include "vmm/iem/iem-vector.h"
#include "vmm/iem/iem-x87.h"

#define CHOOSER(name)                                                                              \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn);                                 \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn)

static void
ldmxcsr(Vcpu *vcpu, const IemInsn *insn)
{
    uint32_t value;

    iem_check_sse(vcpu);
    value = iem_read_u32(vcpu, insn->seg, iem_ea(vcpu, insn));
    if (value & ~IEM_MXCSR_VALID)
        iem_raise_gp0(vcpu);
    iem_vector_set_mxcsr(vcpu, value);
}

static void
stmxcsr(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_sse(vcpu);
    iem_write_u32(vcpu, insn->seg, iem_ea(vcpu, insn), iem_vector_mxcsr(vcpu));
}

static uint64_t
area(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t offset = iem_ea(vcpu, insn);

    if (vcpu->cr0 & (X86_CR0_EM | X86_CR0_TS))
        iem_raise_nm(vcpu);
    if ((offset + vcpu->seg[insn->seg].base) & 15)
        iem_raise_gp0(vcpu);
    return offset;
}

/* Where the XMM registers that this mode can reach end in the area. */
static unsigned
used_size(const Vcpu *vcpu)
{
    if (!(vcpu->cr4 & X86_CR4_OSFXSR))
        return IEM_FX_XMM;
    return iem_is_long64(vcpu) ? IEM_FX_USED : IEM_FX_XMM + 8 * 16;
}

void
iem_fx_image(Vcpu *vcpu, const IemInsn *insn, uint8_t image[IEM_FX_USED])
{
    iem_vector_mxcsr(vcpu);
    memcpy(image, &vcpu->fpu, IEM_FX_USED);
    image[5] = 0;
    if (!(insn->flags & IEM_INSN_REX_W)) { /* selectors instead of the upper halves */
        uint32_t cs = vcpu->fpu_cs, ds = vcpu->fpu_ds;
        memcpy(image + 12, &cs, 4);
        memcpy(image + 20, &ds, 4);
    }
    memcpy(image + IEM_FX_MXCSR + 4, &(uint32_t){IEM_MXCSR_VALID}, 4);
    for (unsigned i = 0; i < 8; i++)
        memset(image + IEM_FX_ST + i * 16 + 10, 0, 6);
}

void
iem_fx_load_x87(Vcpu *vcpu, const IemInsn *insn, const uint8_t image[IEM_FX_USED])
{
    memcpy(&vcpu->fpu, image, IEM_FX_MXCSR);
    for (unsigned i = 0; i < 8; i++) /* the other six bytes are not loaded: processors have none */
        memcpy(vcpu->fpu.st[i], image + IEM_FX_ST + i * 16, 10);
    vcpu->fpu.fcw = (vcpu->fpu.fcw & 0x1f3f) | 0x0040;
    if (!(insn->flags & IEM_INSN_REX_W)) {
        memcpy(&vcpu->fpu_cs, image + 12, 2);
        memcpy(&vcpu->fpu_ds, image + 20, 2);
        vcpu->fpu.fip &= 0xffffffffu;
        vcpu->fpu.fdp &= 0xffffffffu;
    }
    x87_update_summary(vcpu);
}

void
iem_fx_init_x87(Vcpu *vcpu)
{
    memset(&vcpu->fpu, 0, IEM_FX_MXCSR);
    memset(vcpu->fpu.st, 0, sizeof vcpu->fpu.st);
    vcpu->fpu.fcw = IEM_FX_FCW_INITIAL;
    vcpu->fpu_cs = vcpu->fpu_ds = 0;
    x87_tell_chipset(vcpu);
}

static void
fxsave(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t offset = area(vcpu, insn);
    uint8_t image[IEM_FX_USED];

    iem_fx_image(vcpu, insn, image);
    iem_write_bytes(vcpu, insn->seg, offset, image, used_size(vcpu));
}

static void
fxrstor(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t offset = area(vcpu, insn);
    unsigned size = used_size(vcpu);
    uint8_t image[IEM_FX_USED];
    uint32_t mxcsr;

    iem_read_bytes(vcpu, insn->seg, offset, image, size);
    memcpy(&mxcsr, image + IEM_FX_MXCSR, 4);
    if (mxcsr & ~IEM_MXCSR_VALID)
        iem_raise_gp0(vcpu);
    iem_fx_load_x87(vcpu, insn, image);
    memcpy(vcpu->fpu.xmm, image + IEM_FX_XMM, size - IEM_FX_XMM);
    vcpu->fpu.mxcsr_mask = IEM_MXCSR_VALID;
    iem_vector_set_mxcsr(vcpu, mxcsr);
}

static void
emms(Vcpu *vcpu, const IemInsn *insn)
{
    iem_mmx_begin(vcpu); /* TOP becomes 0 here too */
    vcpu->fpu.ftw = 0;
}

static IemHandler
memory_only(const IemInsn *insn, IemHandler handler)
{
    return insn->flags & IEM_INSN_MEM ? handler : NULL;
}

CHOOSER(ldmxcsr)
{
    return memory_only(insn, ldmxcsr);
}
CHOOSER(stmxcsr)
{
    return memory_only(insn, stmxcsr);
}
CHOOSER(fxsave)
{
    return memory_only(insn, fxsave);
}
CHOOSER(fxrstor)
{
    return memory_only(insn, fxrstor);
}
CHOOSER(emms)
{
    return emms;
}
