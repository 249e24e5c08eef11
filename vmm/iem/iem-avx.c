/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The instructions of iem-avx-ops.def, and how all AVX handlers run a thunk. Intel SDM volume 2. */
#include "vmm/iem/iem-avx.h"

/* Halves are loaded as they were stored, so that stores forward. The 256-bit call leaves the upper
 * halves of the host's registers clean; the 128-bit one never makes them dirty. */
__asm__(".pushsection .text\n"
        ".balign 16\n"
        "iem_avx_call_128:\n"
        ".type iem_avx_call_128, @function\n"
        "pushq %rbx\n"
        "movq %rdi, %rbx\n"
        "vmovdqa (%rbx), %xmm0\n"
        "vmovdqa 32(%rbx), %xmm1\n"
        "vmovdqa 64(%rbx), %xmm2\n"
        "vmovdqa 96(%rbx), %xmm3\n"
        "movq 128(%rbx), %rax\n"
        "call *%rsi\n"
        "vmovdqa %xmm0, (%rbx)\n"
        "movq %rax, 128(%rbx)\n"
        "pushfq\n"
        "popq 136(%rbx)\n"
        "vpxor %xmm0, %xmm0, %xmm0\n"
        "vmovdqa %xmm0, 16(%rbx)\n"
        "popq %rbx\n"
        "ret\n"
        ".size iem_avx_call_128, . - iem_avx_call_128\n"
        ".balign 16\n"
        "iem_avx_call_256:\n"
        ".type iem_avx_call_256, @function\n"
        "pushq %rbx\n"
        "movq %rdi, %rbx\n"
        "vmovdqa (%rbx), %xmm0\n"
        "vmovdqa 32(%rbx), %xmm1\n"
        "vmovdqa 64(%rbx), %xmm2\n"
        "vmovdqa 96(%rbx), %xmm3\n"
        "vinsertf128 $1, 16(%rbx), %ymm0, %ymm0\n"
        "vinsertf128 $1, 48(%rbx), %ymm1, %ymm1\n"
        "vinsertf128 $1, 80(%rbx), %ymm2, %ymm2\n"
        "vinsertf128 $1, 112(%rbx), %ymm3, %ymm3\n"
        "movq 128(%rbx), %rax\n"
        "call *%rsi\n"
        "vmovdqa %xmm0, (%rbx)\n"
        "vextractf128 $1, %ymm0, 16(%rbx)\n"
        "movq %rax, 128(%rbx)\n"
        "pushfq\n"
        "popq 136(%rbx)\n"
        "vzeroupper\n"
        "popq %rbx\n"
        "ret\n"
        ".size iem_avx_call_256, . - iem_avx_call_256\n"
        ".popsection\n");
_Static_assert(offsetof(IemAvxFrame, gpr) == 128 && offsetof(IemAvxFrame, flags) == 136,
               "as the calls have it");

void
iem_avx_load_rm(Vcpu *vcpu, const IemInsn *insn, unsigned width, IemAvxFrame *frame)
{
    if (!(insn->flags & IEM_INSN_MEM)) {
        iem_ymm_read(vcpu, insn->rm, frame->v[2]);
        return;
    }
    memset(frame->v[2], 0, 32);
    iem_read_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), frame->v[2], width);
}

void
iem_avx_execute(Vcpu *vcpu, const IemInsn *insn, unsigned traits, IemAvxFrame *frame)
{
    const void *thunk = (const void *)(uintptr_t)insn->imm;
    void (*call)(IemAvxFrame * frame, const void *thunk) =
        iem_avx_is_256(insn) ? iem_avx_call_256 : iem_avx_call_128;
    uint32_t before;

    if (traits == IEM_VECTOR_NONE || iem_vector_all_masked(vcpu)) {
        call(frame, thunk);
        return;
    }
    before = iem_vector_fp_begin(vcpu);
    call(frame, thunk);
    iem_vector_fp_end(vcpu, before, iem_vector_is_tiny(frame->v[0], iem_avx_is_256(insn), traits));
}

void
iem_avx_prepare(IemInsn *insn, const uint8_t *pair, const IemAvxTraits *traits)
{
    const bool wide = iem_avx_is_256(insn);

    insn->imm2 = (uint16_t)(traits->traits | (insn->imm >> 4 & 15) << 8);
    insn->imm = (uintptr_t)(pair + (wide ? IEM_AVX_PAIR_SIZE / 2 : 0));
    insn->width = traits->memory[wide];
}

/* imm2 is traits, and above them the register in an immediate. */
static void
run(Vcpu *vcpu, const IemInsn *insn)
{
    IemAvxFrame frame;

    iem_check_avx(vcpu);
    iem_ymm_read(vcpu, insn->reg, frame.v[0]);
    iem_ymm_read(vcpu, insn->vvvv, frame.v[1]);
    iem_avx_load_rm(vcpu, insn, insn->width, &frame);
    iem_ymm_read(vcpu, insn->imm2 >> 8, frame.v[3]);
    iem_avx_execute(vcpu, insn, iem_avx_traits(insn), &frame);
    iem_ymm_write(vcpu, insn->reg, frame.v[0]);
}

IemHandler
iem_avx_handler(const IemInsn *insn)
{
    return run;
}

/* clang-format off */
#define THUNKS(name, asm_name, form)                                                               \
    __asm__(".pushsection .text\n.balign 16\niem_avx_thunks_" #name ":\n"                          \
            IEM_AVX_THUNK_PAIR(IEM_AVX_128_##form(asm_name, ""), IEM_AVX_256_##form(asm_name, "")) \
            ".popsection\n");                                                                      \
    extern const uint8_t iem_avx_thunks_##name[];
#define OP(name, asm_name, form, memory128, memory256, traits)   THUNKS(name, asm_name, form)
#define BOTH(name, asm_name, form, memory128, memory256, traits) THUNKS(name, asm_name, form)
#include "vmm/iem/iem-avx-ops.def"
#undef OP
#undef BOTH
/* clang-format on */

static IemHandler
choose(const Vcpu *vcpu, IemInsn *insn, const uint8_t *pair, const IemAvxTraits *traits)
{
    iem_avx_prepare(insn, pair, traits);
    if (!iem_is_long64(vcpu))
        insn->imm2 &= 0x7ff; /* eight registers; the immediate's top bit is ignored */
    return run;
}

/* 0F 71..73 and the map 0F 3A have immediates. */
static bool
has_immediate(const IemInsn *insn)
{
    return insn->map == 3 || (insn->map == 1 && insn->opcode >= 0x71 && insn->opcode <= 0x73);
}

#define CHOOSER(name)                                                                              \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn);                                 \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn)
#define TRAITS(memory128, memory256, traits)                                                       \
    (&(const IemAvxTraits){{memory128, memory256}, IEM_VECTOR_##traits})
#define OP(name, asm_name, form, memory128, memory256, traits)                                     \
    CHOOSER(name)                                                                                  \
    {                                                                                              \
        return choose(vcpu, insn, iem_avx_thunks_##name, TRAITS(memory128, memory256, traits));    \
    }
#define BOTH(name, asm_name, form, memory128, memory256, traits)                                   \
    CHOOSER(name)                                                                                  \
    {                                                                                              \
        if (has_immediate(insn))                                                                   \
            return iem_avx_immediate_##name(insn);                                                 \
        return choose(vcpu, insn, iem_avx_thunks_##name, TRAITS(memory128, memory256, traits));    \
    }
#include "vmm/iem/iem-avx-ops.def"
