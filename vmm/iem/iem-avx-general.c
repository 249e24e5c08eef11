/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The instructions of iem-avx-general.def, and those of AVX that have no vector operands: VZEROALL,
 * VZEROUPPER, VLDMXCSR, VSTMXCSR. Intel SDM volume 2. */
#include "vmm/iem/iem-avx.h"
#include "vmm/iem/iem-decode.h"

/* clang-format off */
#define OP(name, thunk, other, choice, direction, memory, memory_other, traits)                    \
    __asm__(".pushsection .text\n.balign 16\niem_avx_thunks_" #name ":\n"                          \
            IEM_AVX_THUNK_PAIR(thunk, other) ".popsection\n");                                     \
    extern const uint8_t iem_avx_thunks_##name[];
#include "vmm/iem/iem-avx-general.def"
#undef OP
/* clang-format on */

static void
to_general(Vcpu *vcpu, const IemInsn *insn)
{
    IemAvxFrame frame = {.gpr = 0};

    iem_check_avx(vcpu);
    iem_avx_load_rm(vcpu, insn, insn->width, &frame);
    iem_avx_execute(vcpu, insn, insn->imm2, &frame);
    vcpu->gpr[insn->reg] = frame.gpr;
}

static void
from_general(Vcpu *vcpu, const IemInsn *insn)
{
    IemAvxFrame frame;

    iem_check_avx(vcpu);
    frame.gpr = vcpu->gpr[insn->rm];
    if (insn->flags & IEM_INSN_MEM)
        iem_read_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), &frame.gpr, insn->width);
    iem_ymm_read(vcpu, insn->vvvv, frame.v[1]);
    iem_avx_execute(vcpu, insn, insn->imm2, &frame);
    iem_ymm_write(vcpu, insn->reg, frame.v[0]);
}

static void
compare(Vcpu *vcpu, const IemInsn *insn)
{
    IemAvxFrame frame;

    iem_check_avx(vcpu);
    iem_ymm_read(vcpu, insn->reg, frame.v[0]);
    iem_avx_load_rm(vcpu, insn, insn->width, &frame);
    iem_avx_execute(vcpu, insn, insn->imm2, &frame);
    vcpu->rflags = (vcpu->rflags & ~(uint64_t)X86_FL_STATUS) | (frame.flags & X86_FL_STATUS);
}

enum { CHOICE_L = IEM_INSN_VEX_L, CHOICE_W = IEM_INSN_REX_W };
enum { TO_GENERAL, FROM_GENERAL, COMPARE };

static IemHandler
choose(IemInsn *insn, const uint8_t *pair, bool other, unsigned direction, unsigned memory)
{
    static const IemHandler handlers[] = {to_general, from_general, compare};

    insn->imm = (uintptr_t)(pair + (other ? IEM_AVX_PAIR_SIZE / 2 : 0));
    insn->width = (uint8_t)memory;
    return handlers[direction];
}

#define OP(name, thunk, other, choice, direction, memory, memory_other, traits)                    \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn)                                  \
    {                                                                                              \
        const bool takes_other = insn->flags & CHOICE_##choice;                                    \
                                                                                                   \
        insn->imm2 = IEM_VECTOR_##traits;                                                          \
        return choose(insn, iem_avx_thunks_##name, takes_other, direction,                         \
                      takes_other ? memory_other : memory);                                        \
    }
#include "vmm/iem/iem-avx-general.def"
#undef OP

/* Outside of 64-bit code there are eight registers, and the others are left alone. */
static void
zero(Vcpu *vcpu, const IemInsn *insn)
{
    const size_t size = iem_is_long64(vcpu) ? 256 : 128;

    iem_check_avx(vcpu);
    memset(vcpu->fpu.ymm_high, 0, size);
    if (iem_avx_is_256(insn))
        memset(vcpu->fpu.xmm, 0, size);
}

IemHandler
iem_choose_avx_zero(const Vcpu *vcpu, IemInsn *insn)
{
    return zero;
}

static void
load_mxcsr(Vcpu *vcpu, const IemInsn *insn)
{
    uint32_t value;

    iem_check_avx(vcpu);
    value = iem_read_u32(vcpu, insn->seg, iem_ea(vcpu, insn));
    if (value & ~IEM_MXCSR_VALID)
        iem_raise_gp0(vcpu);
    iem_vector_set_mxcsr(vcpu, value);
}

static void
store_mxcsr(Vcpu *vcpu, const IemInsn *insn)
{
    iem_check_avx(vcpu);
    iem_write_u32(vcpu, insn->seg, iem_ea(vcpu, insn), iem_vector_mxcsr(vcpu));
}

IemHandler
iem_choose_avx_mxcsr(const Vcpu *vcpu, IemInsn *insn)
{
    if (!(insn->flags & IEM_INSN_MEM))
        return NULL;
    return insn->row == ZYDIS_MNEMONIC_VLDMXCSR ? load_mxcsr : store_mxcsr;
}
