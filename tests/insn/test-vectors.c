/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Vectors for all forms of a family in one mode: host CPU and engine have to agree in registers,
 * flags that are defined, x87 and SSE state, memory, and the exception. `--mnemonic NAME` and
 * `--seed N` repeat a failure. */
#include "tests/insn/insn.h"

#include <stdio.h>

typedef struct {
    InsnMode mode;
    unsigned families;
    char *mnemonic, *engine; /* its own; mnemonic may be NULL */
    unsigned count;          /* vectors of each form */
    unsigned seed;
} Options;

typedef struct {
    const Options *options;
    InsnGuest *guest;
    X86Decoder decoder;
    GRand *rand;
    unsigned run, failed, mnemonics;
} Bench;

static void
run_vector(Bench *bench, const InsnForm *form, const InsnVector *vector)
{
    bench->run++;
    if (!insn_compare(bench->guest, bench->options->mode, form->mnemonic, vector))
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
    g_autofree char *family = NULL, *mnemonic = NULL, *engine = NULL;
    const GOptionEntry entries[] = {
        {"engine", 0, 0, G_OPTION_ARG_STRING, &engine, "iem or rem", "NAME"},
        {"mode", 0, 0, G_OPTION_ARG_INT, &mode, "16, 32 or 64", "BITS"},
        {"family", 0, 0, G_OPTION_ARG_STRING, &family, "integer, fpu, sse or avx", "NAME"},
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
    if (family == NULL)
        family = g_strdup("integer");
    options->mode = mode == 64 ? INSN_CODE64 : mode == 32 ? INSN_CODE32 : INSN_CODE16;
    options->families = g_str_equal(family, "fpu")   ? INSN_FAMILY_FPU
                        : g_str_equal(family, "sse") ? INSN_FAMILY_SSE
                        : g_str_equal(family, "avx") ? INSN_FAMILY_AVX
                                                     : INSN_FAMILY_INTEGER;
    options->engine = engine != NULL ? g_steal_pointer(&engine) : g_strdup("iem");
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
    bench.guest = insn_guest_new(options.engine);
    bench.rand = g_rand_new_with_seed(options.seed);
    insn_decoder_init(&bench.decoder, insn_guest_vcpu(bench.guest));
    run_all(&bench);
    insn_guest_free(bench.guest);
    g_rand_free(bench.rand);
    g_free(options.mnemonic);
    g_free(options.engine);
    return bench.failed != 0 || bench.run == 0;
}
