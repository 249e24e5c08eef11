/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The recompiler's instruction half against the host CPU. Every form of every instruction runs as
 * it is, and again as rem_rewrite() emits it for 64-bit code with its memory operand behind
 * temporaries: registers, all flags (the same processor leaves undefined ones the same), x87 and
 * SSE state, memory and the exception have to be equal. The masks of RemInsn are tried by changing
 * what an instruction is said not to read. Arguments: family, mode, vectors of each form, mnemonic.
 */
#include "tests/insn/insn.h"
#include "vmm/rem/rem-emit.h"
#include "vmm/rem/rem-rewrite.h"

#include <asm/prctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct {
    uint8_t data[INSN_DATA_SIZE], stack[INSN_STACK_SIZE];
} Memory;

typedef struct {
    InsnMode mode;
    InsnGuest *guest; /* its CPU profile says which forms there are */
    X86Decoder decoder;
    GRand *rand;
    Vcpu *vcpu; /* what GS points to */
    Memory before, after;
    unsigned run, refused, masks, failed;
} Bench;

static void
save_memory(Memory *to)
{
    memcpy(to->data, insn_host_window() + INSN_DATA, INSN_DATA_SIZE);
    memcpy(to->stack, insn_host_window() + INSN_STACK, INSN_STACK_SIZE);
}

static void
restore_memory(const Memory *from)
{
    memcpy(insn_host_window() + INSN_DATA, from->data, INSN_DATA_SIZE);
    memcpy(insn_host_window() + INSN_STACK, from->stack, INSN_STACK_SIZE);
}

static void
place_data(const InsnVector *vector)
{
    unsigned at = vector->target - 32, end = INSN_DATA + INSN_DATA_SIZE;

    if (vector->target >= INSN_DATA + 32 && vector->target < end)
        memcpy(insn_host_window() + at, vector->data, MIN(sizeof vector->data, end - at));
}

static void
place_code(const uint8_t *bytes, size_t size)
{
    uint8_t *at = insn_host_window() + INSN_START;

    memset(at, 0xcc, 512);
    memcpy(at, bytes, size);
}

static void
run_original(Bench *bench, const InsnVector *vector, InsnState *state)
{
    place_code(vector->code, vector->length);
    insn_host_run(bench->mode, state);
}

/* ---- the rewritten form ---- */
/* A base in its own host register and a displacement. */
static bool
is_plain(const RemInsn *insn)
{
    return insn->addrsize == 8 && insn->mem.base != REM_NO_REG && rem_in_register(insn->mem.base) &&
           insn->mem.index == REM_NO_REG;
}

/* The operand's address in temporaries, in one of the shapes that translated code uses. */
static RemMem
emit_operand(Bench *bench, RemEmit *emit, const RemInsn *insn, const RemRip *rip)
{
    int32_t base = (int32_t)insn_segment_base(bench->mode);

    rem_rewrite_offset(emit, insn, REM_T0, REM_T1, rip);
    switch (g_rand_int_range(bench->rand, 0, 4)) {
    case 0: rem_emit_lea(emit, 8, REM_T0, rem_mem(REM_T0, base)); return rem_mem(REM_T0, 0);
    case 1: return rem_mem(REM_T0, base);
    case 2: /* beside a guest register */
        if (is_plain(insn)) {
            rem_emit_mov_ri(emit, REM_T1, (uint64_t)base);
            return rem_mem_index(insn->mem.base, REM_T1, 0, (int32_t)insn->mem.disp);
        }
        return rem_mem(REM_T0, base);
    default:
        rem_emit_mov_ri(emit, REM_T1, (uint64_t)(base - 24));
        return rem_mem_index(REM_T0, REM_T1, 0, 24);
    }
}

static bool
emit_rewritten(Bench *bench, const InsnVector *vector, const RemInsn *insn, RemEmit *emit)
{
    uint64_t end = vector->state.rip + insn->length;
    RemRip rip = {.value = end};
    RemMem mem;

    if (g_rand_boolean(bench->rand)) { /* known at run time only */
        rip = (RemRip){.value = insn->length, .field = offsetof(Vcpu, rip), .in_vcpu = true};
        bench->vcpu->rip = vector->state.rip;
    }
    if (!(insn->does & REM_DOES_MEMORY))
        return rem_rewrite(emit, insn, NULL, &rip);
    mem = emit_operand(bench, emit, insn, &rip);
    return rem_rewrite(emit, insn, &mem, &rip);
}

static bool
run_rewritten(Bench *bench, const InsnVector *vector, const RemInsn *insn, InsnState *state)
{
    uint8_t code[256];
    uint64_t kept;
    RemEmit emit;

    rem_emit_init(&emit, code, sizeof code, 0,
                  g_rand_boolean(bench->rand) && __builtin_cpu_supports("bmi2"));
    memcpy(bench->vcpu->gpr, state->gpr, sizeof state->gpr);
    if (!emit_rewritten(bench, vector, insn, &emit))
        return false;
    g_assert_false(emit.overflow);
    for (unsigned i = REM_T0; i < X86_GPR_COUNT; i++)
        state->gpr[i] = g_rand_int(bench->rand);
    kept = state->gpr[X86_R15];
    state->rip = INSN_BASE + INSN_START;
    place_code(code, rem_emit_offset(&emit));
    insn_host_run(INSN_CODE64, state);
    g_assert_cmphex(state->gpr[X86_R15], ==, kept); /* the core's */
    for (unsigned i = REM_T0; i < X86_GPR_COUNT; i++)
        state->gpr[i] = bench->vcpu->gpr[i];
    return true;
}

/* ---- comparing ---- */
static bool
same_value(const char *name, unsigned index, uint64_t original, uint64_t rewritten)
{
    if (original == rewritten)
        return true;
    printf("  %s%u: original %" G_GINT64_MODIFIER "x, rewritten %" G_GINT64_MODIFIER "x\n", name,
           index, original, rewritten);
    return false;
}

static bool
same_fpu(const CpumFpu *a, const CpumFpu *b)
{
    bool same = same_value("fcw", 0, a->fcw, b->fcw) & same_value("fsw", 0, a->fsw, b->fsw) &
                same_value("ftw", 0, a->ftw, b->ftw) & same_value("mxcsr", 0, a->mxcsr, b->mxcsr);

    for (unsigned i = 0; i < sizeof a->st; i++)
        same &= same_value("st byte ", i, a->st[i / 16][i % 16], b->st[i / 16][i % 16]);
    for (unsigned i = 0; i < sizeof a->xmm; i++)
        same &= same_value("xmm byte ", i, a->xmm[i / 16][i % 16], b->xmm[i / 16][i % 16]);
    return same;
}

static bool
same_memory(const Memory *a, const Memory *b)
{
    bool same = memcmp(a, b, sizeof *a) == 0;

    if (!same)
        printf("  memory differs\n");
    return same;
}

static bool
same_state(const Bench *bench, const RemInsn *insn, const InsnState *a, const InsnState *b)
{
    uint64_t mask = bench->mode == INSN_CODE64 ? ~0ull : 0xffffffff;
    bool same = same_value("vector", 0, (uint64_t)a->vector, (uint64_t)b->vector);
    bool swapped = a->vector != INSN_VECTOR_NONE && (insn->form & REM_FORM_REG_HIGH);

    if (a->vector == X86_XCPT_PF)
        same &= same_value("cr2", 0, a->cr2, b->cr2) & same_value("error", 0, a->error, b->error);
    for (unsigned i = 0; i < X86_GPR_COUNT && !swapped; i++)
        same &= same_value("r", i, a->gpr[i] & mask, b->gpr[i] & mask);
    same &= same_value("rflags", 0, a->rflags & X86_FL_STATUS, b->rflags & X86_FL_STATUS);
    return same & same_fpu(&a->fpu, &b->fpu);
}

static void
report(Bench *bench, const InsnVector *vector, const char *what)
{
    bench->failed++;
    printf("%s:", what);
    for (unsigned i = 0; i < vector->length; i++)
        printf(" %02x", vector->code[i]);
    printf("\n");
}

static void
try_rewriting(Bench *bench, const InsnVector *vector, const RemInsn *insn,
              const InsnState *expected)
{
    InsnState state = vector->state;
    Memory memory;

    restore_memory(&bench->before);
    if (!run_rewritten(bench, vector, insn, &state)) {
        bench->refused++;
        return;
    }
    bench->run++;
    save_memory(&memory);
    if (!same_state(bench, insn, expected, &state) | !same_memory(&bench->after, &memory))
        report(bench, vector, "rewritten");
}

/* ---- the masks ---- */
static void
change_unread(Bench *bench, const RemInsn *insn, InsnState *state)
{
    uint64_t flags = g_rand_int(bench->rand) & X86_FL_STATUS & ~insn->flags_read;

    for (unsigned i = 0; i < X86_GPR_COUNT; i++)
        if (!(insn->gpr_read & (1u << i)))
            state->gpr[i] = bench->mode == INSN_CODE64 ? ~state->gpr[i] : (uint32_t)~state->gpr[i];
    state->rflags = (state->rflags & ~(X86_FL_STATUS & ~(uint64_t)insn->flags_read)) | flags;
}

static bool
same_by_masks(const Bench *bench, const RemInsn *insn, const InsnState *before,
              const InsnState *expected, const InsnState *after)
{
    uint64_t mask = bench->mode == INSN_CODE64 ? ~0ull : 0xffffffff;
    uint16_t kept = X86_FL_STATUS & ~rem_insn_flags_written(insn);
    bool same = same_value("vector", 0, (uint64_t)expected->vector, (uint64_t)after->vector);

    if (after->vector != INSN_VECTOR_NONE)
        return same;
    for (unsigned i = 0; i < X86_GPR_COUNT; i++)
        same &=
            same_value("r", i, (insn->gpr_written & (1u << i) ? expected : before)->gpr[i] & mask,
                       after->gpr[i] & mask);
    same &= same_value("set flags ", 0, expected->rflags & insn->flags_set,
                       after->rflags & insn->flags_set);
    return same & same_value("kept flags ", 0, before->rflags & kept, after->rflags & kept);
}

static void
try_masks(Bench *bench, const InsnVector *vector, const RemInsn *insn, const InsnState *expected)
{
    InsnState before = vector->state, after;

    change_unread(bench, insn, &before);
    after = before;
    restore_memory(&bench->before);
    run_original(bench, vector, &after);
    bench->masks++;
    if (!same_by_masks(bench, insn, &before, expected, &after))
        report(bench, vector, "masks");
}

/* ---- all forms ---- */
static void
try_vector(Bench *bench, const InsnVector *vector)
{
    InsnState expected = vector->state;
    RemInsn insn;

    g_assert_cmpint(rem_insn_decode(&bench->decoder, (X86CodeSize)bench->mode,
                                    insn_guest_vcpu(bench->guest), vector->code, X86_INSN_MAX,
                                    &insn),
                    ==, X86_DECODE_OK);
    g_assert_cmpint(insn.length, ==, vector->length);
    if (insn.mem.seg == X86_CS && insn.mem.written && bench->mode != INSN_CODE64)
        return; /* the segment's own fault, which no address has */
    place_data(vector);
    save_memory(&bench->before);
    run_original(bench, vector, &expected);
    save_memory(&bench->after);
    try_rewriting(bench, vector, &insn, &expected);
    try_masks(bench, vector, &insn, &expected);
}

static void
try_form(Bench *bench, const InsnForm *form, unsigned families, unsigned count)
{
    unsigned failed = bench->failed;
    InsnVector vector;

    for (unsigned i = 0, tries = 0; i < count && tries < 20 * count; tries++) {
        if (!insn_vector_make(bench->rand, bench->mode, form, families, &bench->decoder, &vector))
            continue;
        try_vector(bench, &vector);
        i++;
        if (bench->failed > failed + 2)
            return; /* enough of this form */
    }
}

static void
open_bench(Bench *bench)
{
    insn_host_open();
    bench->guest = insn_guest_new("iem");
    bench->rand = g_rand_new_with_seed(1);
    bench->vcpu = g_aligned_alloc0(1, sizeof(Vcpu), 64);
    g_assert_cmpint(syscall(SYS_arch_prctl, ARCH_SET_GS, bench->vcpu), ==, 0);
    x86_decoder_init(&bench->decoder, 0);
}

static void
close_bench(Bench *bench)
{
    syscall(SYS_arch_prctl, ARCH_SET_GS, NULL);
    insn_guest_free(bench->guest);
    g_rand_free(bench->rand);
    g_aligned_free(bench->vcpu);
}

int
main(int argc, char **argv)
{
    unsigned families = argc > 1 && g_str_equal(argv[1], "fpu")   ? INSN_FAMILY_FPU
                        : argc > 1 && g_str_equal(argv[1], "sse") ? INSN_FAMILY_SSE
                                                                  : INSN_FAMILY_INTEGER;
    unsigned bits = argc > 2 ? (unsigned)atoi(argv[2]) : 64;
    unsigned count = argc > 3 ? (unsigned)atoi(argv[3]) : 20;
    Bench bench = {.mode = bits == 64 ? INSN_CODE64 : bits == 32 ? INSN_CODE32 : INSN_CODE16};
    g_autoptr(GArray) forms = NULL;

    open_bench(&bench);
    forms = insn_forms(bench.mode, families, insn_guest_vcpu(bench.guest));
    for (unsigned i = 0; i < forms->len; i++) {
        const InsnForm *form = &g_array_index(forms, InsnForm, i);

        if (argc <= 4 || g_ascii_strcasecmp(argv[4], x86_mnemonic_name(form->mnemonic)) == 0)
            try_form(&bench, form, families, count);
    }
    printf("%u forms: %u rewritten, %u refused, %u masks, %u failed\n", forms->len, bench.run,
           bench.refused, bench.masks, bench.failed);
    close_bench(&bench);
    return bench.failed != 0 || bench.masks == 0 || bench.run < bench.refused;
}
