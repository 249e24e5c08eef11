/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which forms a family has: every opcode of the four maps with every mandatory prefix, REX.W,
 * opcode extension and kind of operand is decoded, and kept when its mnemonic has a row and it can
 * be run at CPL 3 on both sides. Nothing is listed by hand but what cannot be. */
#include "tests/insn/insn.h"

typedef struct {
    uint8_t family;
    uint8_t feature;
} Row;

/* clang-format off */
static const Row rows[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
#define INSN(mnemonic, chooser, rem, csam, feature) \
    [ZYDIS_MNEMONIC_##mnemonic] = {INSN_FAMILY_AVX, CPUM_FEATURE_##feature},
#include "vmm/x86/instructions-avx.def"
#undef INSN
#define INSN(mnemonic, chooser, rem, csam, feature) \
    [ZYDIS_MNEMONIC_##mnemonic] = {INSN_FAMILY_INTEGER, CPUM_FEATURE_##feature},
#include "vmm/x86/instructions-integer.def"
#undef INSN
#define INSN(mnemonic, chooser, rem, csam, feature) \
    [ZYDIS_MNEMONIC_##mnemonic] = {INSN_FAMILY_FPU, CPUM_FEATURE_##feature},
#include "vmm/x86/instructions-fpu.def"
#undef INSN
#define INSN(mnemonic, chooser, rem, csam, feature) \
    [ZYDIS_MNEMONIC_##mnemonic] = {INSN_FAMILY_SSE, CPUM_FEATURE_##feature},
#include "vmm/x86/instructions-sse.def"
#undef INSN
};

enum { CF = X86_FL_CF, PF = X86_FL_PF, AF = X86_FL_AF, ZF = X86_FL_ZF, SF = X86_FL_SF,
       OF = X86_FL_OF };
static const uint64_t undefined_flags[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
#define UNDEFINED(mnemonic, flags) [ZYDIS_MNEMONIC_##mnemonic] = flags,
#define UNDEFINED_FSW(mnemonic, bits)
#define UNDEFINED_FAULT(mnemonic, bits)
#include "tests/insn/undefined.def"
#undef UNDEFINED
#undef UNDEFINED_FSW
#undef UNDEFINED_FAULT
};
enum { C0 = 1 << 8, C1 = 1 << 9, C2 = 1 << 10, C3 = 1 << 14 };
static const uint16_t undefined_fsw[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
#define UNDEFINED(mnemonic, flags)
#define UNDEFINED_FSW(mnemonic, bits) [ZYDIS_MNEMONIC_##mnemonic] = bits,
#define UNDEFINED_FAULT(mnemonic, bits)
#include "tests/insn/undefined.def"
#undef UNDEFINED
#undef UNDEFINED_FSW
#undef UNDEFINED_FAULT
};
static const uint16_t undefined_fault[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
#define UNDEFINED(mnemonic, flags)
#define UNDEFINED_FSW(mnemonic, bits)
#define UNDEFINED_FAULT(mnemonic, bits) [ZYDIS_MNEMONIC_##mnemonic] = bits,
#include "tests/insn/undefined.def"
#undef UNDEFINED
#undef UNDEFINED_FSW
#undef UNDEFINED_FAULT
};
/* clang-format on */

uint64_t
insn_undefined_flags(unsigned mnemonic)
{
    return undefined_flags[mnemonic];
}

uint16_t
insn_undefined_fsw(unsigned mnemonic, uint16_t fsw)
{
    const uint16_t stack_fault = 0x40;

    return undefined_fsw[mnemonic] | (fsw & stack_fault ? undefined_fault[mnemonic] : 0);
}

static bool
has_prefix(const ZydisDecodedInstruction *zydis, uint8_t prefix)
{
    for (unsigned i = 0; i < zydis->raw.prefix_count; i++) {
        if (zydis->raw.prefixes[i].value == prefix)
            return true;
    }
    return false;
}

/* Where processors differ, or the host from the profile: F3 makes BSF and BSR of TZCNT and LZCNT
 * there, if the profile has not got these; AMD's look at 66 before a near branch or MOVSXD in
 * 64-bit code, at F2 and F3 before LOOPcc, do not know PREFETCHW of registers, leave the x87 alone
 * when CVTPI2PS reads memory, clear the upper half of the slot that a 32-bit push of a segment
 * register fills, and don't ignore VEX.W of VPEXTRD and VPINSRD in 32-bit code. */
static bool
depends_on_host(const ZydisDecodedInstruction *zydis)
{
    switch (zydis->mnemonic) {
    case ZYDIS_MNEMONIC_BSF:
    case ZYDIS_MNEMONIC_BSR: return has_prefix(zydis, 0xf3);
    case ZYDIS_MNEMONIC_LOOPE:
    case ZYDIS_MNEMONIC_LOOPNE:
        if (has_prefix(zydis, 0xf2) || has_prefix(zydis, 0xf3))
            return true;
        break;
    case ZYDIS_MNEMONIC_CVTPI2PS: return zydis->raw.modrm.mod != 3;
    case ZYDIS_MNEMONIC_MOVSXD: return has_prefix(zydis, 0x66);
    case ZYDIS_MNEMONIC_NOP: return zydis->opcode == 0x0d;
    case ZYDIS_MNEMONIC_VPEXTRD:
    case ZYDIS_MNEMONIC_VPINSRD: return zydis->raw.vex.W;
    case ZYDIS_MNEMONIC_PUSH:
        return zydis->operand_width == 32 &&
               (zydis->opcode_map != ZYDIS_OPCODE_MAP_DEFAULT || zydis->opcode < 0x20);
    default: break;
    }
    return zydis->machine_mode == ZYDIS_MACHINE_MODE_LONG_64 && has_prefix(zydis, 0x66) &&
           (zydis->meta.branch_type != ZYDIS_BRANCH_TYPE_NONE || zydis->raw.imm[0].is_relative);
}

/* Popped flags may set TF or NT and so end the harness; the others depend on the host's kernel. */
static bool
is_out_of_reach(const ZydisDecodedInstruction *zydis)
{
    switch (zydis->mnemonic) {
    case ZYDIS_MNEMONIC_POPF:
    case ZYDIS_MNEMONIC_POPFD:
    case ZYDIS_MNEMONIC_POPFQ:
    case ZYDIS_MNEMONIC_LDS:
    case ZYDIS_MNEMONIC_LES:
    case ZYDIS_MNEMONIC_LFS:
    case ZYDIS_MNEMONIC_LGS:
    case ZYDIS_MNEMONIC_LSS: return true;
    case ZYDIS_MNEMONIC_MOV:
        /* Segment registers, control and debug registers. */
        return zydis->opcode_map != ZYDIS_OPCODE_MAP_DEFAULT || zydis->opcode == 0x8e;
    case ZYDIS_MNEMONIC_POP:
        return zydis->opcode_map != ZYDIS_OPCODE_MAP_DEFAULT || zydis->opcode < 0x20;
    case ZYDIS_MNEMONIC_CALL:
        return zydis->opcode == 0x9a || (zydis->opcode == 0xff && zydis->raw.modrm.reg == 3);
    case ZYDIS_MNEMONIC_JMP:
        return zydis->opcode == 0xea || (zydis->opcode == 0xff && zydis->raw.modrm.reg == 5);
    case ZYDIS_MNEMONIC_RET: return zydis->opcode == 0xca || zydis->opcode == 0xcb;
    default: return false;
    }
}

/* EVEX and the like; VEX forms of extensions that no profile has. */
static bool
is_foreign(const ZydisDecodedInstruction *zydis, const Vcpu *profile)
{
    if (zydis->encoding != ZYDIS_INSTRUCTION_ENCODING_VEX)
        return zydis->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
               zydis->encoding != ZYDIS_INSTRUCTION_ENCODING_3DNOW;
    switch (zydis->meta.isa_set) {
    case ZYDIS_ISA_SET_AVX:
    case ZYDIS_ISA_SET_AVXAES:
    case ZYDIS_ISA_SET_BMI1:
    case ZYDIS_ISA_SET_BMI2:
    case ZYDIS_ISA_SET_F16C:
    case ZYDIS_ISA_SET_FMA: return false;
    case ZYDIS_ISA_SET_AVX2:
    case ZYDIS_ISA_SET_AVX2GATHER: return !cpum_has(profile, CPUM_FEATURE_AVX2);
    default: return true;
    }
}

bool
insn_is_comparable(const ZydisDecodedInstruction *zydis, unsigned families, const Vcpu *profile)
{
    const Row *row = &rows[zydis->mnemonic];

    return (row->family & families) && cpum_has(profile, row->feature) &&
           !is_foreign(zydis, profile) && !is_out_of_reach(zydis) && !depends_on_host(zydis);
}

void
insn_decoder_init(X86Decoder *decoder, const Vcpu *profile)
{
    unsigned options = 0;

    if (cpum_has(profile, CPUM_FEATURE_LZCNT))
        options |= X86_DECODE_LZCNT;
    if (cpum_has(profile, CPUM_FEATURE_BMI1))
        options |= X86_DECODE_TZCNT;
    x86_decoder_init(decoder, options);
}

typedef struct {
    const Vcpu *profile;
    X86Decoder decoder;
    X86CodeSize code;
    unsigned families;
    GArray *forms;
} Walk;

/* Decodes a form with this ModRM byte; keeps it. */
static bool
try_form(Walk *walk, const InsnForm *form, int modrm)
{
    uint8_t bytes[32] = {0};
    ZydisDecodedInstruction zydis;
    InsnForm kept = *form;

    memcpy(bytes, form->bytes, form->count);
    if (modrm >= 0)
        bytes[form->count] = (uint8_t)modrm;
    if (x86_decode(&walk->decoder, walk->code, bytes, X86_INSN_MAX, &zydis) != X86_DECODE_OK)
        return false;
    kept.has_modrm = (zydis.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0;
    if (!insn_is_comparable(&zydis, walk->families, walk->profile) ||
        (modrm >= 0) != kept.has_modrm)
        return false;
    kept.mnemonic = (uint16_t)zydis.mnemonic;
    g_array_append_val(walk->forms, kept);
    return true;
}

static void
try_opcode(Walk *walk, InsnForm *form)
{
    form->reg = form->rm = 0xff;
    form->memory = false;
    if (try_form(walk, form, -1))
        return;
    for (unsigned reg = 0; reg < 8; reg++) {
        form->reg = (uint8_t)reg;
        form->rm = 0xff;
        form->memory = true;
        /* [bx+di..] or [rbx]; gathers want an index */
        if (!try_form(walk, form, (int)(reg << 3 | 3)) && form->vex)
            try_form(walk, form, (int)(reg << 3 | 4));
        form->memory = false;
        /* x87 gives the rm field of register forms a meaning of its own. */
        if (!form->vex && form->bytes[form->count - 1] >= 0xd8 &&
            form->bytes[form->count - 1] <= 0xdf) {
            for (unsigned rm = 0; rm < 8; rm++) {
                form->rm = (uint8_t)rm;
                try_form(walk, form, (int)(0xc0 | reg << 3 | rm));
            }
        } else {
            try_form(walk, form, (int)(0xc3 | reg << 3));
        }
    }
}

/* prefix, REX.W, escape bytes, opcode. */
static void
walk_map(Walk *walk, uint8_t prefix, bool rex_w, const uint8_t *escape, unsigned escapes)
{
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        InsnForm form = {0};

        if (prefix != 0)
            form.bytes[form.count++] = prefix;
        if (rex_w)
            form.bytes[form.count++] = 0x48;
        for (unsigned i = 0; i < escapes; i++)
            form.bytes[form.count++] = escape[i];
        form.bytes[form.count++] = (uint8_t)opcode;
        if (escapes == 0 && (opcode == 0x0f || (walk->code == X86_CODE_64 && opcode >> 4 == 4)))
            continue;
        try_opcode(walk, &form);
    }
}

/* Every VEX prefix of a map, but for the registers: R, X and B clear, VEX.vvvv 1111 or another
 * register, which tells the forms that have that operand. */
static void
walk_vex(Walk *walk, unsigned map)
{
    for (unsigned bits = 0; bits < 32; bits++) {
        const unsigned pp = bits & 3, l = bits >> 2 & 1, w = bits >> 3 & 1, vvvv = bits & 16;

        for (unsigned opcode = 0; opcode < 256; opcode++) {
            InsnForm form = {.vex = true, .count = 4};

            form.bytes[0] = 0xc4;
            form.bytes[1] = (uint8_t)(0xe0 | map);
            form.bytes[2] = (uint8_t)(w << 7 | (vvvv ? 0x70 : 0x78) | l << 2 | pp);
            form.bytes[3] = (uint8_t)opcode;
            try_opcode(walk, &form);
        }
    }
}

static int
by_mnemonic(gconstpointer a, gconstpointer b)
{
    return ((const InsnForm *)a)->mnemonic - ((const InsnForm *)b)->mnemonic;
}

GArray *
insn_forms(InsnMode mode, unsigned families, const Vcpu *profile)
{
    static const uint8_t prefixes[] = {0, 0x66, 0xf2, 0xf3, 0xf0};
    static const uint8_t escapes[3][2] = {{0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};
    Walk walk = {.profile = profile, .code = (X86CodeSize)mode, .families = families};

    walk.forms = g_array_new(FALSE, FALSE, sizeof(InsnForm));
    insn_decoder_init(&walk.decoder, profile);
    for (unsigned i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        for (unsigned rex_w = 0; rex_w <= (mode == INSN_CODE64); rex_w++) {
            walk_map(&walk, prefixes[i], rex_w, NULL, 0);
            walk_map(&walk, prefixes[i], rex_w, escapes[0], 1);
            walk_map(&walk, prefixes[i], rex_w, escapes[1], 2);
            walk_map(&walk, prefixes[i], rex_w, escapes[2], 2);
        }
    }
    for (unsigned map = 1; map <= 3; map++)
        walk_vex(&walk, map);
    g_array_sort(walk.forms, by_mnemonic);
    return walk.forms;
}
