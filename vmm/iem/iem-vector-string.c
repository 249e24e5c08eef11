/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM and their VEX forms: the host compares; one small host
 * function for each immediate. Intel SDM volume 1 section 12.10 and volume 2. */
#include "vmm/iem/iem-avx.h"

#define THUNK_SIZE 16

typedef struct {
    uint8_t a[16], b[16];
    uint64_t length_a, length_b; /* RAX, RDX for the explicit forms */
    uint64_t index, flags;
    uint8_t mask[16];
} Operands;

/* Called with xmm1 = a, xmm2 = b, rax, rdx = lengths; leaves rcx, xmm0 and the flags. */
#define THUNKS(name)                                                                               \
    __asm__(".pushsection .text\n.balign 16\niem_thunks_" #name ":\n.set iem_i, 0\n.rept 256\n"    \
            ".balign 16\n" #name                                                                   \
            " $iem_i, %xmm2, %xmm1\nret\n.set iem_i, iem_i + 1\n.endr\n.popsection\n");            \
    extern const uint8_t iem_thunks_##name[];
THUNKS(pcmpestri)
THUNKS(pcmpestrm)
THUNKS(pcmpistri)
THUNKS(pcmpistrm)
/* With REX.W the lengths are 64 bits wide. */
__asm__(".pushsection .text\n.balign 16\niem_thunks_pcmpestri64:\n.set iem_i, 0\n.rept "
        "256\n.balign 16\n"
        "pcmpestriq $iem_i, %xmm2, %xmm1\nret\n.set iem_i, iem_i + 1\n.endr\n"
        ".balign 16\niem_thunks_pcmpestrm64:\n.set iem_i, 0\n.rept 256\n.balign 16\n"
        "pcmpestrmq $iem_i, %xmm2, %xmm1\nret\n.set iem_i, iem_i + 1\n.endr\n.popsection\n");
extern const uint8_t iem_thunks_pcmpestri64[], iem_thunks_pcmpestrm64[];

static void
run(Operands *operands, const void *thunk)
{
    __m128i a = _mm_loadu_si128((const __m128i *)operands->a);
    __m128i b = _mm_loadu_si128((const __m128i *)operands->b), mask;
    register __m128i xmm1 __asm__("xmm1") = a;
    register __m128i xmm2 __asm__("xmm2") = b;
    register __m128i xmm0 __asm__("xmm0") = _mm_setzero_si128();
    uint64_t rax = operands->length_a, rdx = operands->length_b, rcx = 0, flags;

    __asm__ volatile(
        "subq $128, %%rsp\n\tcall *%[thunk]\n\tpushfq\n\tpopq %[flags]\n\taddq $128, %%rsp"
        : "+x"(xmm0), "+c"(rcx), [flags] "=&r"(flags)
        : "x"(xmm1), "x"(xmm2), "a"(rax), "d"(rdx), [thunk] "r"(thunk)
        : "cc", "memory");
    mask = xmm0;
    operands->index = rcx;
    operands->flags = flags;
    _mm_storeu_si128((__m128i *)operands->mask, mask);
}

static void
compare(Vcpu *vcpu, const IemInsn *insn, Operands *operands)
{
    if (insn->flags & IEM_INSN_VEX)
        iem_check_avx(vcpu);
    else
        iem_check_sse(vcpu);
    memcpy(operands->a, iem_xmm(vcpu, insn->reg), 16);
    if (insn->flags & IEM_INSN_MEM) /* no alignment is asked for */
        iem_read_bytes(vcpu, insn->seg, iem_ea(vcpu, insn), operands->b, 16);
    else
        memcpy(operands->b, iem_xmm(vcpu, insn->rm), 16);
    operands->length_a = vcpu->gpr[X86_RAX];
    operands->length_b = vcpu->gpr[X86_RDX];
    run(operands, (const void *)(uintptr_t)insn->imm);
    vcpu->rflags = (vcpu->rflags & ~(uint64_t)X86_FL_STATUS) | (operands->flags & X86_FL_STATUS);
}

static void
to_index(Vcpu *vcpu, const IemInsn *insn)
{
    Operands operands;

    compare(vcpu, insn, &operands);
    vcpu->gpr[X86_RCX] = operands.index;
}

static void
to_mask(Vcpu *vcpu, const IemInsn *insn)
{
    Operands operands;

    compare(vcpu, insn, &operands);
    memcpy(iem_xmm(vcpu, 0), operands.mask, 16);
    if (insn->flags & IEM_INSN_VEX)
        iem_ymm_zero_high(vcpu, 0);
}

static IemHandler
choose(IemInsn *insn, const uint8_t *thunks, IemHandler handler)
{
    insn->imm = (uintptr_t)(thunks + (insn->imm & 0xff) * THUNK_SIZE);
    return handler;
}

#define CHOOSER(name, thunks, handler)                                                             \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn);                                 \
    IemHandler iem_choose_##name(const Vcpu *vcpu, IemInsn *insn)                                  \
    {                                                                                              \
        return choose(insn, thunks, handler);                                                      \
    }
#define BOTH_CHOOSERS(name, thunks, handler)                                                       \
    CHOOSER(name, thunks, handler)                                                                 \
    CHOOSER(v##name, thunks, handler)
BOTH_CHOOSERS(pcmpestri,
              insn->flags &IEM_INSN_REX_W ? iem_thunks_pcmpestri64 : iem_thunks_pcmpestri, to_index)
BOTH_CHOOSERS(pcmpestrm,
              insn->flags &IEM_INSN_REX_W ? iem_thunks_pcmpestrm64 : iem_thunks_pcmpestrm, to_mask)
BOTH_CHOOSERS(pcmpistri, iem_thunks_pcmpistri, to_index)
BOTH_CHOOSERS(pcmpistrm, iem_thunks_pcmpistrm, to_mask)
