/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One vector on the host CPU and on an engine: what has to be the same afterwards. When the
 * instruction raised an exception nothing may have changed, so undefined flags count as well. */
#include "tests/insn/insn.h"

#include <stdio.h>
#include <string.h>

static const struct {
    unsigned offset, size;
} compared[] = {{INSN_DATA, INSN_DATA_SIZE}, {INSN_STACK, INSN_STACK_SIZE}};

/* Before: the code and the operand's surroundings, on both sides. */
static void
place(InsnGuest *to, const InsnVector *vector)
{
    uint8_t *host = insn_host_window(), *guest = insn_guest_window(to);
    uint8_t code[32];
    unsigned at = vector->target - 32;
    unsigned end = INSN_DATA + INSN_DATA_SIZE;

    memset(code, 0xcc, sizeof code);
    memcpy(code, vector->code, vector->length);
    memcpy(host + INSN_START, code, sizeof code);
    insn_guest_write_code(to, INSN_START, code, sizeof code);
    if (vector->target < INSN_DATA + 32 || vector->target >= end)
        return;
    memcpy(host + at, vector->data, MIN(sizeof vector->data, end - at));
    memcpy(guest + at, vector->data, MIN(sizeof vector->data, end - at));
}

static bool
same_memory(InsnGuest *with)
{
    bool same = true;

    for (unsigned i = 0; i < G_N_ELEMENTS(compared); i++) {
        uint8_t *host = insn_host_window() + compared[i].offset;
        uint8_t *guest = insn_guest_window(with) + compared[i].offset;

        if (memcmp(host, guest, compared[i].size) == 0)
            continue;
        same = false;
        for (unsigned j = 0; j < compared[i].size; j++) {
            if (host[j] != guest[j])
                printf("  memory %x: host %02x, engine %02x\n", compared[i].offset + j, host[j],
                       guest[j]);
        }
    }
    return same;
}

/* The engine's memory becomes the host's. */
static void
even_out(InsnGuest *guest)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(compared); i++)
        memcpy(insn_guest_window(guest) + compared[i].offset,
               insn_host_window() + compared[i].offset, compared[i].size);
}

static bool
same_value(const char *name, unsigned index, uint64_t host, uint64_t engine)
{
    if (host == engine)
        return true;
    printf("  %s%.0u: host %" G_GINT64_MODIFIER "x, engine %" G_GINT64_MODIFIER "x\n", name, index,
           host, engine);
    return false;
}

/* With an unmasked overflow or underflow the interpreter's inexact flag is that of the masked
 * result: see README.md. */
static uint32_t
inexact_mask(uint32_t mxcsr)
{
    const uint32_t overflow_underflow = 0x18, inexact = 0x20;

    return mxcsr & ~(mxcsr >> 7) & overflow_underflow ? inexact : 0;
}

static bool
same_fpu(unsigned mnemonic, const CpumFpu *host, const CpumFpu *engine)
{
    uint16_t fsw_mask = (uint16_t)~insn_undefined_fsw(mnemonic, host->fsw);
    bool same = same_value("fcw", 0, host->fcw, engine->fcw);

    same &= same_value("fsw", 0, host->fsw & fsw_mask, engine->fsw & fsw_mask);
    same &= same_value("ftw", 0, host->ftw, engine->ftw);
    same &= same_value("mxcsr", 0, host->mxcsr & ~inexact_mask(host->mxcsr),
                       engine->mxcsr & ~inexact_mask(host->mxcsr));
    for (unsigned i = 0; i < 8; i++) {
        same &= same_value("st.significand", i, *(const uint64_t *)host->st[i],
                           *(const uint64_t *)engine->st[i]);
        same &= same_value("st.exponent", i, *(const uint16_t *)(host->st[i] + 8),
                           *(const uint16_t *)(engine->st[i] + 8));
    }
    for (unsigned i = 0; i < 32; i++) {
        same &= same_value("xmm.quad", i, ((const uint64_t *)host->xmm)[i],
                           ((const uint64_t *)engine->xmm)[i]);
        same &= same_value("ymm-high.quad", i, ((const uint64_t *)host->ymm_high)[i],
                           ((const uint64_t *)engine->ymm_high)[i]);
    }
    return same;
}

/* The bits of a page fault's error code that count: outside of the window the host's kernel may
 * have something mapped. */
static uint32_t
error_bits(const InsnState *host)
{
    return host->cr2 - INSN_BASE < INSN_SIZE ? UINT32_MAX : ~(uint32_t)X86_PF_P;
}

/* Which byte of these operands faults first is the processor's affair. */
static bool
is_long_operand(unsigned mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_FLDENV:
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FNSTENV:
    case ZYDIS_MNEMONIC_FRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_MASKMOVDQU:
    case ZYDIS_MNEMONIC_MASKMOVQ:
    case ZYDIS_MNEMONIC_VMASKMOVDQU: return true;
    default: return false;
    }
}

static bool
is_gather(unsigned mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_VGATHERDPD:
    case ZYDIS_MNEMONIC_VGATHERDPS:
    case ZYDIS_MNEMONIC_VGATHERQPD:
    case ZYDIS_MNEMONIC_VGATHERQPS:
    case ZYDIS_MNEMONIC_VPGATHERDD:
    case ZYDIS_MNEMONIC_VPGATHERDQ:
    case ZYDIS_MNEMONIC_VPGATHERQD:
    case ZYDIS_MNEMONIC_VPGATHERQQ: return true;
    default: return false;
    }
}

static bool
is_compare_of_strings(unsigned mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_CMPSB:
    case ZYDIS_MNEMONIC_CMPSW:
    case ZYDIS_MNEMONIC_CMPSD:
    case ZYDIS_MNEMONIC_CMPSQ: return true;
    default: return false;
    }
}

static bool
same_state(InsnMode mode, unsigned mnemonic, const InsnState *host, const InsnState *engine)
{
    uint64_t flags = (X86_FL_STATUS | X86_FL_DF) & ~insn_undefined_flags(mnemonic);
    uint64_t mask = mode == INSN_CODE64 ? UINT64_MAX : UINT32_MAX;
    unsigned gprs = mode == INSN_CODE64 ? 16 : 8;
    bool same = same_value("exception ", 0, (uint64_t)(int64_t)host->vector,
                           (uint64_t)(int64_t)engine->vector);

    if (host->vector != INSN_VECTOR_NONE) /* then nothing may have changed */
        flags = X86_FL_STATUS | X86_FL_DF;
    if (same && host->vector == X86_XCPT_PF && !is_long_operand(mnemonic)) {
        same &= same_value("error code", 0, host->error & error_bits(host),
                           engine->error & error_bits(host));
        same &= same_value("cr2", 0, host->cr2, engine->cr2);
    }
    same &= same_value("rip", 0, host->rip, engine->rip);
    same &= same_value("rflags", 0, host->rflags & flags, engine->rflags & flags);
    for (unsigned i = 0; i < gprs; i++)
        same &= same_value("gpr ", i, host->gpr[i] & mask, engine->gpr[i] & mask);
    return same_fpu(mnemonic, &host->fpu, &engine->fpu) && same;
}

static void
report(unsigned mnemonic, const InsnVector *vector)
{
    printf("%s:", x86_mnemonic_name(mnemonic));
    for (unsigned i = 0; i < vector->length; i++)
        printf(" %02x", vector->code[i]);
    printf("; rflags %" G_GINT64_MODIFIER "x, registers", vector->state.rflags);
    for (unsigned i = 0; i < X86_GPR_COUNT; i++)
        printf(" %" G_GINT64_MODIFIER "x", vector->state.gpr[i]);
    printf(", operand at %x\n", vector->target);
}

/* A branch into its own bytes: the host would go on there, perhaps for ever. */
static bool
landed_inside(InsnMode mode, const InsnVector *vector, const InsnState *state)
{
    uint64_t inside = insn_segment_base(mode) + state->rip - (INSN_BASE + INSN_START);

    return state->vector == INSN_VECTOR_NONE && inside < vector->length;
}

/* Does that linear address lie at an operand of a string instruction, or in its first bytes? */
static bool
is_index_register(const InsnVector *vector, uint64_t linear)
{
    static const uint64_t widths[] = {0xffff, 0xffffffff, UINT64_MAX};
    static const uint64_t bases[] = {0, INSN_BASE};

    for (unsigned i = 0; i < 6; i++) {
        uint64_t mask = widths[i % 3], base = bases[i / 3];

        if (linear - base - (vector->state.gpr[X86_RSI] & mask) < 8 ||
            linear - base - (vector->state.gpr[X86_RDI] & mask) < 8)
            return true;
    }
    return false;
}

/* What FXSAVE says of the host's MXCSR; a MASKMOV that stores nothing may fault or not, and one
 * that faults may have stored something. */
static void
hide_host_traits(InsnGuest *guest, unsigned mnemonic, const InsnVector *vector, InsnState *host,
                 InsnState *engine)
{
    const uint32_t mask = 0xffff;

    if ((mnemonic == ZYDIS_MNEMONIC_FXSAVE || mnemonic == ZYDIS_MNEMONIC_FXSAVE64) &&
        host->vector == INSN_VECTOR_NONE)
        memcpy(insn_host_window() + vector->target + 28, &mask, 4);
    if ((mnemonic == ZYDIS_MNEMONIC_MASKMOVDQU || mnemonic == ZYDIS_MNEMONIC_MASKMOVQ ||
         mnemonic == ZYDIS_MNEMONIC_VMASKMOVDQU) &&
        host->vector == X86_XCPT_PF) {
        *host = *engine;
        even_out(guest);
    }
    /* How many elements are done when one faults is the processor's affair. */
    if (is_gather(mnemonic) && host->vector == X86_XCPT_PF && engine->vector == X86_XCPT_PF) {
        host->fpu = engine->fpu;
        host->cr2 = engine->cr2;
        host->error = engine->error;
    }
    /* Where both operands fault, which of them does so first is its affair, too. */
    if (is_compare_of_strings(mnemonic) && host->vector == X86_XCPT_PF &&
        engine->vector == X86_XCPT_PF && is_index_register(vector, host->cr2) &&
        is_index_register(vector, engine->cr2)) {
        host->cr2 = engine->cr2;
        host->error = engine->error;
    }
}

bool
insn_compare(InsnGuest *guest, InsnMode mode, unsigned mnemonic, const InsnVector *vector)
{
    InsnState host = vector->state, engine = vector->state;
    bool same;

    place(guest, vector);
    insn_guest_run(guest, mode, &engine);
    if (landed_inside(mode, vector, &engine)) {
        even_out(guest);
        return true;
    }
    insn_host_run(mode, &host);
    hide_host_traits(guest, mnemonic, vector, &host, &engine);
    same = same_state(mode, mnemonic, &host, &engine);
    same &= same_memory(guest);
    if (!same) {
        report(mnemonic, vector);
        even_out(guest);
    }
    return same;
}
