/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Vectors for all forms of a family in one mode: host CPU and engine have to agree in registers,
 * flags that are defined, x87 and SSE state, memory, and the exception. `--mnemonic NAME` and
 * `--seed N` repeat a failure. */
#include "tests/insn/insn.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    InsnMode mode;
    unsigned families;
    const char *mnemonic;
    unsigned count; /* vectors of each form */
    unsigned seed;
} Options;

typedef struct {
    const Options *options;
    InsnGuest *guest;
    X86Decoder decoder;
    GRand *rand;
    unsigned run, failed, mnemonics;
} Bench;

static const struct {
    unsigned offset, size;
} compared[] = {{INSN_DATA, INSN_DATA_SIZE}, {INSN_STACK, INSN_STACK_SIZE}};

/* Before: the code and the operand's surroundings, on both sides. */
static void
place(Bench *bench, const InsnVector *vector)
{
    uint8_t *host = insn_host_window(), *guest = insn_guest_window(bench->guest);
    uint8_t code[32];
    unsigned at = vector->target - 32;
    unsigned end = INSN_DATA + INSN_DATA_SIZE;

    memset(code, 0xcc, sizeof code);
    memcpy(code, vector->code, vector->length);
    memcpy(host + INSN_START, code, sizeof code);
    insn_guest_write_code(bench->guest, INSN_START, code, sizeof code);
    if (vector->target < INSN_DATA + 32 || vector->target >= end)
        return;
    memcpy(host + at, vector->data, MIN(sizeof vector->data, end - at));
    memcpy(guest + at, vector->data, MIN(sizeof vector->data, end - at));
}

static bool
same_memory(Bench *bench)
{
    bool same = true;

    for (unsigned i = 0; i < G_N_ELEMENTS(compared); i++) {
        uint8_t *host = insn_host_window() + compared[i].offset;
        uint8_t *guest = insn_guest_window(bench->guest) + compared[i].offset;

        if (memcmp(host, guest, compared[i].size) == 0)
            continue;
        same = false;
        for (unsigned j = 0; j < compared[i].size; j++) {
            if (host[j] != guest[j])
                printf("  memory %x: host %02x, engine %02x\n", compared[i].offset + j, host[j],
                       guest[j]);
        }
        memcpy(guest, host, compared[i].size);
    }
    return same;
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

static bool
same_fpu(const InsnForm *form, const CpumFpu *host, const CpumFpu *engine)
{
    uint16_t fsw_mask = (uint16_t)~insn_undefined_fsw(form->mnemonic);
    bool same = same_value("fcw", 0, host->fcw, engine->fcw);

    same &= same_value("fsw", 0, host->fsw & fsw_mask, engine->fsw & fsw_mask);
    same &= same_value("ftw", 0, host->ftw, engine->ftw);
    same &= same_value("mxcsr", 0, host->mxcsr, engine->mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        same &= same_value("st.significand", i, *(const uint64_t *)host->st[i],
                           *(const uint64_t *)engine->st[i]);
        same &= same_value("st.exponent", i, *(const uint16_t *)(host->st[i] + 8),
                           *(const uint16_t *)(engine->st[i] + 8));
    }
    for (unsigned i = 0; i < 32; i++)
        same &= same_value("xmm.quad", i, ((const uint64_t *)host->xmm)[i],
                           ((const uint64_t *)engine->xmm)[i]);
    return same;
}

static bool
same_state(const Bench *bench, const InsnForm *form, const InsnState *host, const InsnState *engine)
{
    uint64_t flags = (X86_FL_STATUS | X86_FL_DF) & ~insn_undefined_flags(form->mnemonic);
    uint64_t mask = bench->options->mode == INSN_CODE64 ? UINT64_MAX : UINT32_MAX;
    unsigned gprs = bench->options->mode == INSN_CODE64 ? 16 : 8;
    bool same = same_value("exception ", 0, (uint64_t)(int64_t)host->vector,
                           (uint64_t)(int64_t)engine->vector);

    if (host->vector != INSN_VECTOR_NONE) /* then nothing may have changed */
        flags = X86_FL_STATUS | X86_FL_DF;
    if (same && host->vector == X86_XCPT_PF) {
        same &= same_value("error code", 0, host->error, engine->error);
        same &= same_value("cr2", 0, host->cr2, engine->cr2);
    }
    same &= same_value("rip", 0, host->rip, engine->rip);
    same &= same_value("rflags", 0, host->rflags & flags, engine->rflags & flags);
    for (unsigned i = 0; i < gprs; i++)
        same &= same_value("gpr ", i, host->gpr[i] & mask, engine->gpr[i] & mask);
    return same_fpu(form, &host->fpu, &engine->fpu) && same;
}

static void
report(const InsnForm *form, const InsnVector *vector)
{
    printf("%s:", x86_mnemonic_name(form->mnemonic));
    for (unsigned i = 0; i < vector->length; i++)
        printf(" %02x", vector->code[i]);
    printf("; rflags %" G_GINT64_MODIFIER "x, registers", vector->state.rflags);
    for (unsigned i = 0; i < X86_GPR_COUNT; i++)
        printf(" %" G_GINT64_MODIFIER "x", vector->state.gpr[i]);
    printf(", operand at %x\n", vector->target);
}

static void
run_vector(Bench *bench, const InsnForm *form, const InsnVector *vector)
{
    InsnState host = vector->state, engine = vector->state;
    bool same;

    place(bench, vector);
    insn_host_run(bench->options->mode, &host);
    insn_guest_run(bench->guest, bench->options->mode, &engine);
    same = same_state(bench, form, &host, &engine);
    same &= same_memory(bench);
    bench->run++;
    if (same)
        return;
    report(form, vector);
    bench->failed++;
}

static void
run_form(Bench *bench, const InsnForm *form)
{
    unsigned failed = bench->failed;
    InsnVector vector;

    for (unsigned i = 0, tries = 0; i < bench->options->count && tries < 20 * bench->options->count;
         tries++) {
        if (!insn_vector_make(bench->rand, bench->options->mode, form, bench->options->families,
                              &bench->decoder, &vector))
            continue;
        run_vector(bench, form, &vector);
        i++;
        if (bench->failed > failed + 2)
            return; /* enough of this form */
    }
}

static void
run_all(Bench *bench)
{
    const Options *options = bench->options;
    g_autoptr(GArray) forms =
        insn_forms(options->mode, options->families, insn_guest_vcpu(bench->guest));
    unsigned last = 0;

    for (unsigned i = 0; i < forms->len; i++) {
        const InsnForm *form = &g_array_index(forms, InsnForm, i);

        if (options->mnemonic != NULL &&
            g_ascii_strcasecmp(options->mnemonic, x86_mnemonic_name(form->mnemonic)) != 0)
            continue;
        bench->mnemonics += form->mnemonic != last;
        last = form->mnemonic;
        run_form(bench, form);
    }
    printf("%u vectors of %u mnemonics, %u forms: %u differ\n", bench->run, bench->mnemonics,
           forms->len, bench->failed);
}

static bool
parse(int argc, char **argv, Options *options)
{
    int mode = 64, count = 20, seed = 1;
    gboolean is_long = FALSE;
    g_autofree char *family = g_strdup("integer"), *mnemonic = NULL;
    const GOptionEntry entries[] = {
        {"mode", 0, 0, G_OPTION_ARG_INT, &mode, "16, 32 or 64", "BITS"},
        {"family", 0, 0, G_OPTION_ARG_STRING, &family, "integer, fpu or sse", "NAME"},
        {"mnemonic", 0, 0, G_OPTION_ARG_STRING, &mnemonic, "only this instruction", "NAME"},
        {"count", 0, 0, G_OPTION_ARG_INT, &count, "vectors of each form", "N"},
        {"seed", 0, 0, G_OPTION_ARG_INT, &seed, "of the random numbers", "N"},
        {"long", 0, 0, G_OPTION_ARG_NONE, &is_long, "fifty times as many", NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return false;
    }
    options->mode = mode == 64 ? INSN_CODE64 : mode == 32 ? INSN_CODE32 : INSN_CODE16;
    options->families = g_str_equal(family, "fpu")   ? INSN_FAMILY_FPU
                        : g_str_equal(family, "sse") ? INSN_FAMILY_SSE
                                                     : INSN_FAMILY_INTEGER;
    options->mnemonic = g_steal_pointer(&mnemonic);
    options->count = (unsigned)count * (is_long ? 50 : 1);
    options->seed = (unsigned)seed;
    return true;
}

int
main(int argc, char **argv)
{
    Options options = {0};
    Bench bench = {.options = &options};

    if (!parse(argc, argv, &options))
        return 2;
    insn_host_open();
    bench.guest = insn_guest_new("iem");
    bench.rand = g_rand_new_with_seed(options.seed);
    x86_decoder_init(&bench.decoder, 0);
    run_all(&bench);
    insn_guest_free(bench.guest);
    g_rand_free(bench.rand);
    return bench.failed != 0 || bench.run == 0;
}
