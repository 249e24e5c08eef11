/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Random bytes as code: host CPU and engine have to agree on where the instruction ends, on what it
 * does, and on what is undefined. Instructions that the profile lacks or that leave CPL 3's reach
 * are passed over; so are undefined opcodes where processors differ in which extensions fill them.
 */
#include "tests/insn/insn.h"

#include <stdio.h>

typedef struct {
    InsnGuest *guest;
    X86Decoder decoder;
    GRand *rand;
    InsnMode mode;
    bool vex;
    unsigned known, undefined, failed;
} Bytes;

/* VEX, EVEX and XOP introduce what newer processors have, and other maps than the first may hold it
 * too. With many prefixes an undefined instruction may be too long as well: which fault wins is not
 * defined. */
static bool
may_be_new(InsnMode mode, const InsnVector *vector)
{
    if (mode == INSN_CODE64 && vector->code[2] >> 4 == 4 && vector->code[3] >> 4 == 4)
        return true;
    for (unsigned i = 0; i < 8; i++) {
        uint8_t byte = vector->code[i];

        if (byte == 0x0f || byte == 0xc4 || byte == 0xc5 || byte == 0x62 || byte == 0x8f)
            return true;
    }
    return false;
}

/* AMD's processors execute VPERMQ and VPERMPD also with VEX.W clear, and where they have AVX-512
 * its operations on mask registers also with numbers of registers that there are not. Another
 * prefix may precede VEX. */
static bool
is_tolerated(const InsnVector *vector)
{
    const uint8_t *vex = vector->code + (vector->code[0] != 0xc4 && vector->code[0] != 0xc5);
    unsigned map = vex[0] == 0xc4 ? vex[1] & 0x1f : vex[0] == 0xc5;
    uint8_t opcode = vex[0] == 0xc4 ? vex[3] : vex[2];

    if (map == 1)
        return (opcode >= 0x41 && opcode <= 0x4b) || (opcode >= 0x90 && opcode <= 0x93) ||
               opcode == 0x98 || opcode == 0x99;
    return map == 3 && (opcode <= 1 ? !(vex[2] & 0x80) : opcode >= 0x30 && opcode <= 0x33);
}

/* FS and GS hold the host's thread pointer. */
static bool
has_thread_segment(const ZydisDecodedInstruction *zydis)
{
    for (unsigned i = 0; i < zydis->raw.prefix_count; i++) {
        if (zydis->raw.prefixes[i].value == 0x64 || zydis->raw.prefixes[i].value == 0x65)
            return true;
    }
    return false;
}

static void
run_one(Bytes *bytes)
{
    const unsigned families = INSN_FAMILY_INTEGER | (bytes->vex ? INSN_FAMILY_AVX : 0);
    ZydisDecodedInstruction zydis;
    InsnVector vector;
    X86DecodeResult result =
        insn_vector_random(bytes->rand, bytes->mode, &bytes->decoder, bytes->vex, &vector, &zydis);

    if (result == X86_DECODE_UNDEFINED) {
        if (bytes->vex ? is_tolerated(&vector) : may_be_new(bytes->mode, &vector))
            return;
        zydis.mnemonic = ZYDIS_MNEMONIC_UD2;
        bytes->undefined++;
    } else if (result != X86_DECODE_OK || has_thread_segment(&zydis) ||
               !insn_is_comparable(&zydis, families, insn_guest_vcpu(bytes->guest))) {
        return;
    } else {
        bytes->known++;
    }
    if (!insn_compare(bytes->guest, bytes->mode, zydis.mnemonic, &vector))
        bytes->failed++;
}

int
main(int argc, char **argv)
{
    unsigned count = 100000;
    Bytes bytes = {0};

    if (argc < 2) {
        fprintf(stderr, "usage: %s 16|32|64 [--vex] [--long]\n", argv[0]);
        return 2;
    }
    bytes.mode = g_str_equal(argv[1], "64")   ? INSN_CODE64
                 : g_str_equal(argv[1], "32") ? INSN_CODE32
                                              : INSN_CODE16;
    for (int i = 2; i < argc; i++) {
        bytes.vex |= g_str_equal(argv[i], "--vex");
        count = g_str_equal(argv[i], "--long") ? 3000000 : count;
    }
    insn_host_open();
    bytes.guest = insn_guest_new("iem");
    if (bytes.vex && !cpum_has(insn_guest_vcpu(bytes.guest), CPUM_FEATURE_AVX2)) {
        puts("skipped: this host has no AVX2");
        insn_guest_free(bytes.guest);
        return 77;
    }
    bytes.rand = g_rand_new_with_seed(7);
    insn_decoder_init(&bytes.decoder, insn_guest_vcpu(bytes.guest));
    for (unsigned i = 0; i < count && bytes.failed < 20; i++)
        run_one(&bytes);
    printf("%u instructions, %u undefined ones: %u differ\n", bytes.known, bytes.undefined,
           bytes.failed);
    insn_guest_free(bytes.guest);
    g_rand_free(bytes.rand);
    return bytes.failed != 0 || bytes.known == 0 || bytes.undefined == 0;
}
