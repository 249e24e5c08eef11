/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What an x87 instruction leaves in FOP, FIP, FDP and their selectors, on the interpreter and on
 * the recompiler, whose host x87 knows other addresses: every form, in 16-, 32- and 64-bit code.
 * Argument: vectors of each form. */
#include "tests/insn/insn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    InsnMode mode;
    InsnGuest *guests[2]; /* interpreter, recompiler */
    X86Decoder decoder;
    GRand *rand;
    unsigned run, failed;
} Bench;

typedef struct {
    uint64_t fip, fdp;
    uint16_t fop, fcw, fsw, cs, ds;
    uint8_t ftw;
} Pointers;

static Pointers
run(const Bench *bench, InsnGuest *guest, const InsnVector *vector)
{
    const Vcpu *vcpu = insn_guest_vcpu(guest);
    uint8_t code[32];
    InsnState state = vector->state;

    memset(code, 0xcc, sizeof code);
    memcpy(code, vector->code, vector->length);
    insn_guest_write_code(guest, INSN_START, code, sizeof code);
    insn_guest_run(guest, bench->mode, &state);
    return (Pointers){.fip = vcpu->fpu.fip,
                      .fdp = vcpu->fpu.fdp,
                      .fop = vcpu->fpu.fop,
                      .fcw = vcpu->fpu.fcw,
                      .fsw = vcpu->fpu.fsw & 0xbcff, /* C0, C1, C3 are compared elsewhere */
                      .cs = vcpu->fpu_cs,
                      .ds = vcpu->fpu_ds,
                      .ftw = vcpu->fpu.ftw};
}

static void
print(const char *name, const Pointers *p)
{
    printf("  %s: fip %" G_GINT64_MODIFIER "x, fdp %" G_GINT64_MODIFIER
           "x, fop %x, cs %x, ds %x, fcw %x, fsw %x, ftw %x\n",
           name, p->fip, p->fdp, p->fop, p->cs, p->ds, p->fcw, p->fsw, p->ftw);
}

static void
try_vector(Bench *bench, const InsnVector *vector)
{
    const Pointers a = run(bench, bench->guests[0], vector);
    const Pointers b = run(bench, bench->guests[1], vector);

    bench->run++;
    if (a.fip == b.fip && a.fdp == b.fdp && a.fop == b.fop && a.cs == b.cs && a.ds == b.ds &&
        a.fcw == b.fcw && a.fsw == b.fsw && a.ftw == b.ftw)
        return;
    bench->failed++;
    for (unsigned i = 0; i < vector->length; i++)
        printf(" %02x", vector->code[i]);
    printf("\n");
    print("iem", &a);
    print("rem", &b);
}

static void
try_mode(Bench *bench, unsigned count)
{
    g_autoptr(GArray) forms =
        insn_forms(bench->mode, INSN_FAMILY_FPU, insn_guest_vcpu(bench->guests[0]));
    InsnVector vector;

    for (unsigned i = 0; i < forms->len && bench->failed < 8; i++) {
        for (unsigned n = 0; n < count; n++) {
            if (!insn_vector_make(bench->rand, bench->mode, &g_array_index(forms, InsnForm, i),
                                  INSN_FAMILY_FPU, &bench->decoder, &vector))
                continue;
            vector.state.fpu.fip = 0x1234;
            vector.state.fpu.fdp = 0x5678;
            vector.state.fpu.fop = 0x123;
            try_vector(bench, &vector);
        }
    }
}

int
main(int argc, char **argv)
{
    static const InsnMode modes[] = {INSN_CODE16, INSN_CODE32, INSN_CODE64};
    Bench bench = {.rand = g_rand_new_with_seed(1)};

    bench.guests[0] = insn_guest_new("iem");
    bench.guests[1] = insn_guest_new("rem");
    x86_decoder_init(&bench.decoder, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        bench.mode = modes[i];
        try_mode(&bench, argc > 1 ? (unsigned)atoi(argv[1]) : 3);
    }
    printf("%u vectors, %u failed\n", bench.run, bench.failed);
    insn_guest_free(bench.guests[0]);
    insn_guest_free(bench.guests[1]);
    g_rand_free(bench.rand);
    return bench.failed != 0 || bench.run == 0;
}
