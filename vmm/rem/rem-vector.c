/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loading and storing the guest's vector state around translated code. Only FXSAVE's 64-bit form
 * and moves are used; see rem-vector.h for who owns what when. */
#include "vmm/rem/rem-vector.h"

#include "vmm/rem/rem-private.h"

#include <immintrin.h>

#define X87_MASKS 0x3fu
#define MXCSR_MASKS 0x1f80u
#define LOW_XMM "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7"
#define ALL_XMM LOW_XMM, "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

/* FXSAVE's image, 64-bit form. */
typedef struct {
    _Alignas(16) uint8_t bytes[512];
} Image;

bool
rem_vector_x87_is_masked(const Vcpu *vcpu)
{
    return (vcpu->fpu.fcw & X87_MASKS) == X87_MASKS;
}

bool
rem_vector_sse_is_masked(const Vcpu *vcpu)
{
    return (vcpu->fpu.mxcsr & MXCSR_MASKS) == MXCSR_MASKS;
}

void
rem_vector_load(Vcpu *vcpu, unsigned need)
{
    RemVectorHot *hot = &rem_hot(vcpu)->vector;
    const uint32_t mxcsr = _mm_getcsr();
    Image image = {{0}};

    if (hot->live != REM_VECTOR_NONE || need == REM_VECTOR_NONE) {
        hot->live = MAX(hot->live, need);
        return;
    }
    memcpy(image.bytes, &vcpu->fpu.fcw, 2);
    memcpy(image.bytes + 2, &vcpu->fpu.fsw, 2);
    image.bytes[4] = vcpu->fpu.ftw;
    memcpy(image.bytes + 24, &mxcsr, 4);
    memcpy(image.bytes + 32, vcpu->fpu.st, sizeof vcpu->fpu.st);
    __asm__ volatile("fxrstor64 %0" : : "m"(image) : ALL_XMM, "memory");
    /* A block that goes on behind this has noted its base and CS already. */
    *hot = (RemVectorHot){
        .live = need,
        .x87_base = rem_hot(vcpu)->rip_base,
        .x87_dp = vcpu->fpu.fdp,
        .x87_cs = vcpu->seg[X86_CS].sel,
        .x87_ds = vcpu->fpu_ds,
    };
}

static void
store_pointers(Vcpu *vcpu, const RemVectorHot *hot)
{
    if (hot->x87_insn == 0)
        return;
    vcpu->fpu.fip = hot->x87_base + (hot->x87_insn & X86_PAGE_OFFSET_MASK);
    vcpu->fpu.fop = (hot->x87_insn & ~REM_X87_VALID) >> REM_X87_FOP_SHIFT;
    vcpu->fpu.fdp = hot->x87_dp;
    vcpu->fpu_cs = hot->x87_cs;
    vcpu->fpu_ds = hot->x87_ds;
}

void
rem_vector_sync(Vcpu *vcpu)
{
    RemVectorHot *hot = &rem_hot(vcpu)->vector;
    Image image;

    if (hot->live == REM_VECTOR_NONE)
        return;
    __asm__ volatile("fxsave64 %0\n\tfninit" : "=m"(image));
    memcpy(&vcpu->fpu.fcw, image.bytes, 2);
    memcpy(&vcpu->fpu.fsw, image.bytes + 2, 2);
    vcpu->fpu.ftw = image.bytes[4];
    for (unsigned i = 0; i < G_N_ELEMENTS(vcpu->fpu.st); i++)
        memcpy(vcpu->fpu.st[i], image.bytes + 32 + 16 * i, 10);
    store_pointers(vcpu, hot);
    hot->live = REM_VECTOR_NONE;
}

#define REGISTERS G_N_ELEMENTS(((CpumFpu *)0)->xmm)

static RemMem
xmm_home(unsigned i)
{
    return rem_mem_vcpu(offsetof(Vcpu, fpu.xmm) + 16 * i);
}

static RemMem
high_home(unsigned i)
{
    return rem_mem_vcpu(offsetof(Vcpu, fpu.ymm_high) + 16 * i);
}

/* VEXTRACTF128 to the upper half's home; the upper halves are clean behind it, as C code expects.
 */
static void
emit_store_high(RemEmit *emit)
{
    const RemOpcode extract = {0x66, 3, 0x19, REM_OP_VEX | REM_OP_L, 0};

    for (unsigned i = 0; i < REGISTERS; i++) {
        rem_emit_op_rm(emit, extract, i, high_home(i));
        rem_emit_imm(emit, 1, 1);
    }
    rem_emit_bytes(emit, (const uint8_t[]){0xc5, 0xf8, 0x77}, 3); /* VZEROUPPER */
}

/* VINSERTF128, the lower half being there. */
static void
emit_load_high(RemEmit *emit)
{
    for (unsigned i = 0; i < REGISTERS; i++) {
        const RemOpcode insert = {0x66, 3, 0x18, REM_OP_VEX | REM_OP_L, (uint8_t)i};

        rem_emit_op_rm(emit, insert, i, high_home(i));
        rem_emit_imm(emit, 1, 1);
    }
}

/* MOVAPS of all XMM registers if live, and what else belongs to YMM registers. */
static void
emit_moves(RemEmit *emit, unsigned opcode, void (*emit_high)(RemEmit *emit))
{
    RemJump skip, skip_high;

    rem_emit_alu_mi(emit, REM_CMP, 4, rem_mem_hot(offsetof(RemHot, vector.live)), REM_VECTOR_SSE);
    skip = rem_emit_jcc(emit, REM_CC_B, 4);
    for (unsigned i = 0; i < REGISTERS; i++)
        rem_emit_op_rm(emit, (RemOpcode){.map = 1, .code = (uint8_t)opcode}, i, xmm_home(i));
    skip_high = rem_emit_jcc(emit, REM_CC_Z, 4);
    emit_high(emit);
    rem_emit_bind(emit, skip_high);
    rem_emit_bind(emit, skip);
}

void
rem_vector_emit_store(RemEmit *emit)
{
    emit_moves(emit, 0x29, emit_store_high);
}

void
rem_vector_emit_load(RemEmit *emit)
{
    emit_moves(emit, 0x28, emit_load_high);
}
