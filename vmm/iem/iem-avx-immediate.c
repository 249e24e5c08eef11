/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The instructions of iem-avx-immediate.def: one pair of thunks for each of the 256 values of the
 * immediate. VEXTRACTF128, VEXTRACTI128 and VCVTPS2PH are here as well; their destination is
 * ModRM.rm, which may be memory. Intel SDM volume 2. */
#include "vmm/iem/iem-avx.h"
#include "vmm/iem/iem-decode.h"

/* clang-format off */
#define THUNKS(name, asm_name, form)                                                               \
    __asm__(".pushsection .text\n.balign 16\niem_avx_immediate_thunks_" #name ":\n"                \
            ".set iem_i, 0\n.rept 256\n"                                                           \
            IEM_AVX_THUNK_PAIR(IEM_AVX_128_##form(asm_name, "$iem_i, "),                           \
                               IEM_AVX_256_##form(asm_name, "$iem_i, "))                           \
            ".set iem_i, iem_i + 1\n.endr\n.popsection\n");                                        \
    extern const uint8_t iem_avx_immediate_thunks_##name[];
#define OP(name, asm_name, form, memory128, memory256, traits, destination)                        \
    THUNKS(name, asm_name, form)
#define BOTH OP
#include "vmm/iem/iem-avx-immediate.def"
#undef OP
#undef BOTH
THUNKS(VCVTPS2PH, "vcvtps2ph", RMN)
THUNKS(VEXTRACTF128, "vextractf128", RMN_256)
THUNKS(VEXTRACTI128, "vextracti128", RMN_256)
/* clang-format on */

/* The destination is VEX.vvvv; the source is a register. */
static void
run_to_vvvv(Vcpu *vcpu, const IemInsn *insn)
{
    IemAvxFrame frame;

    iem_check_avx(vcpu);
    iem_avx_load_rm(vcpu, insn, 0, &frame);
    iem_avx_execute(vcpu, insn, IEM_VECTOR_NONE, &frame);
    iem_ymm_write(vcpu, insn->vvvv, frame.v[0]);
}

/* The destination is ModRM.rm, of insn->width bytes in memory; the source is ModRM.reg. */
static void
run_to_rm(Vcpu *vcpu, const IemInsn *insn)
{
    IemAvxFrame frame;

    iem_check_avx(vcpu);
    iem_ymm_read(vcpu, insn->reg, frame.v[2]);
    if (!(insn->flags & IEM_INSN_MEM)) {
        iem_avx_execute(vcpu, insn, iem_avx_traits(insn), &frame);
        iem_ymm_write(vcpu, insn->rm, frame.v[0]);
        return;
    }
    iem_probe_write(vcpu, insn->seg, iem_ea(vcpu, insn), insn->width);
    iem_avx_execute(vcpu, insn, iem_avx_traits(insn), &frame);
    iem_write_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), frame.v[0], insn->width);
}

enum { DESTINATION_REG, DESTINATION_VVVV, DESTINATION_RM };

static IemHandler
choose(IemInsn *insn, const uint8_t *pairs, const IemAvxTraits *traits, unsigned destination)
{
    unsigned imm = insn->imm & 0xff;

    if (insn->row == ZYDIS_MNEMONIC_VINSERTPS && insn->flags & IEM_INSN_MEM)
        imm &= 0x3f; /* memory has one element to choose from */
    iem_avx_prepare(insn, pairs + imm * IEM_AVX_PAIR_SIZE, traits);
    switch (destination) {
    case DESTINATION_VVVV: return run_to_vvvv;
    case DESTINATION_RM: return run_to_rm;
    default: return iem_avx_handler(insn);
    }
}

#define TRAITS(memory128, memory256, traits)                                                       \
    (&(const IemAvxTraits){{memory128, memory256}, IEM_VECTOR_##traits})
#define OP(name, asm_name, form, memory128, memory256, traits, destination)                        \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn);                                 \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn)                                  \
    {                                                                                              \
        return choose(insn, iem_avx_immediate_thunks_##name, TRAITS(memory128, memory256, traits), \
                      DESTINATION_##destination);                                                  \
    }
#define BOTH(name, asm_name, form, memory128, memory256, traits, destination)                      \
    IemHandler iem_avx_immediate_##name(IemInsn *insn)                                             \
    {                                                                                              \
        return choose(insn, iem_avx_immediate_thunks_##name, TRAITS(memory128, memory256, traits), \
                      DESTINATION_##destination);                                                  \
    }
#include "vmm/iem/iem-avx-immediate.def"
#undef OP
#undef BOTH

IemHandler iem_choose_avx_narrow(const Vcpu *vcpu, IemInsn *insn);
IemHandler
iem_choose_avx_narrow(const Vcpu *vcpu, IemInsn *insn)
{
    switch (insn->row) {
    case ZYDIS_MNEMONIC_VCVTPS2PH:
        return choose(insn, iem_avx_immediate_thunks_VCVTPS2PH, TRAITS(8, 16, PH), DESTINATION_RM);
    case ZYDIS_MNEMONIC_VEXTRACTF128:
        return choose(insn, iem_avx_immediate_thunks_VEXTRACTF128, TRAITS(0, 16, NONE),
                      DESTINATION_RM);
    default:
        return choose(insn, iem_avx_immediate_thunks_VEXTRACTI128, TRAITS(0, 16, NONE),
                      DESTINATION_RM);
    }
}
