/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Vectors of a form: random operand bytes, registers from corner values and random ones, then base
 * registers are set so that memory operands fall into the window: mostly inside, sometimes over
 * the border of two pages, into the absent page or into the read-only one. */
#include "tests/insn/insn.h"

#include <string.h>

static uint64_t
random64(GRand *rand)
{
    return (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
}

static uint64_t
random_value(GRand *rand)
{
    static const uint64_t corners[] = {
        0,
        1,
        2,
        7,
        8,
        9,
        0xf,
        0x10,
        0x1f,
        0x20,
        0x3f,
        0x40,
        0x7f,
        0x80,
        0x81,
        0x99,
        0x9a,
        0xff,
        0x100,
        0x7fff,
        0x8000,
        0xffff,
        0x10000,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        0x100000000,
        0x7fffffffffffffff,
        0x8000000000000000,
        0xffffffffffffffff,
        0xfffffffffffffffe,
        0xffffffffffffff80,
        0xffffffff80000000,
        0x00ff00ff00ff00ff,
        0x5555555555555555,
    };

    switch (g_rand_int_range(rand, 0, 4)) {
    case 0: return corners[g_rand_int_range(rand, 0, G_N_ELEMENTS(corners))];
    case 1: return (uint64_t)(int64_t)g_rand_int_range(rand, -256, 256);
    default: return random64(rand);
    }
}

/* ---- the state ---- */
static void
random_registers(GRand *rand, InsnMode mode, InsnState *state)
{
    static const uint64_t flags = X86_FL_STATUS;

    memset(state, 0, sizeof *state);
    for (unsigned i = 0; i < X86_GPR_COUNT; i++) {
        state->gpr[i] = random_value(rand);
        if (mode != INSN_CODE64)
            state->gpr[i] = (uint32_t)state->gpr[i];
    }
    state->rflags = X86_FL_1 | (random64(rand) & flags);
    if (g_rand_int_range(rand, 0, 4) == 0)
        state->rflags |= X86_FL_DF;
    state->gpr[X86_RSP] = (mode == INSN_CODE16 ? 0 : INSN_BASE) + INSN_STACK + 0x800 +
                          8 * (uint64_t)g_rand_int_range(rand, 0, 16);
}

static void
random_floats(GRand *rand, uint8_t *at, size_t size)
{
    static const uint32_t singles[] = {0,          0x80000000, 0x3f800000, 0x7f800000, 0xff800000,
                                       0x7fc00000, 0x7fa00000, 1,          0x807fffff, 0x00800000,
                                       0x7f7fffff, 0x4f000000, 0xcf000000};
    static const uint64_t doubles[] = {0,
                                       1ull << 63,
                                       0x3ff0000000000000,
                                       0x7ff0000000000000,
                                       0xfff0000000000000,
                                       0x7ff8000000000000,
                                       0x7ff4000000000000,
                                       1,
                                       0x000fffffffffffff,
                                       0x7fefffffffffffff,
                                       0x43e0000000000000,
                                       0x41dfffffffc00000};
    unsigned kind = (unsigned)g_rand_int_range(rand, 0, 4);

    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t value = random64(rand);

        if (kind == 1)
            value = doubles[g_rand_int_range(rand, 0, G_N_ELEMENTS(doubles))];
        if (kind == 2)
            value = singles[g_rand_int_range(rand, 0, G_N_ELEMENTS(singles))] |
                    (uint64_t)singles[g_rand_int_range(rand, 0, G_N_ELEMENTS(singles))] << 32;
        if (kind == 3) /* of moderate size, so that sums and products are interesting */
            value = (value & 0x800fffffffffffff) | (uint64_t)g_rand_int_range(rand, 1000, 1050)
                                                       << 52;
        memcpy(at + i, &value, 8);
    }
}

static void
random_extended(GRand *rand, uint8_t *at)
{
    static const uint16_t exponents[] = {0, 1, 0x3fff, 0x7ffe, 0x7fff, 0x403e, 0x3fbf};
    static const uint64_t significands[] = {
        0, 1, 1ull << 63, 3ull << 62, ~0ull, 0x7fffffffffffffff, 0xa000000000000000};
    uint64_t significand = random64(rand) | 1ull << 63;
    uint16_t exponent = (uint16_t)(0x3fff + g_rand_int_range(rand, -70, 70));

    if (g_rand_int_range(rand, 0, 3) == 0)
        exponent = exponents[g_rand_int_range(rand, 0, G_N_ELEMENTS(exponents))];
    if (g_rand_int_range(rand, 0, 3) == 0)
        significand = significands[g_rand_int_range(rand, 0, G_N_ELEMENTS(significands))];
    if (g_rand_boolean(rand))
        exponent |= 0x8000;
    memcpy(at, &significand, 8);
    memcpy(at + 8, &exponent, 2);
}

static void
random_fpu(GRand *rand, CpumFpu *fpu)
{
    memset(fpu, 0, sizeof *fpu);
    fpu->fcw = 0x037f;
    fpu->mxcsr = 0x1f80;
    if (g_rand_boolean(rand)) { /* rounding, precision; sometimes exceptions unmasked */
        fpu->fcw = (uint16_t)(0x003f | 0x40 | (random64(rand) & 0x0f00));
        fpu->mxcsr = (uint32_t)(0x1f80 | (random64(rand) & 0xe040));
        if (g_rand_int_range(rand, 0, 4) == 0) {
            fpu->fcw &= (uint16_t)(random64(rand) | 0xffc0);
            fpu->mxcsr &= (uint32_t)(random64(rand) | 0xffffe07f);
        }
    }
    fpu->fsw = (uint16_t)(random64(rand) & 0x7f00);
    fpu->ftw = g_rand_int_range(rand, 0, 4) == 0 ? (uint8_t)random64(rand) : 0xff;
    for (unsigned i = 0; i < 8; i++)
        random_extended(rand, fpu->st[i]);
    random_floats(rand, fpu->xmm[0], sizeof fpu->xmm);
    random_floats(rand, fpu->ymm_high[0], sizeof fpu->ymm_high);
}

/* ---- the code ---- */
static void
append(InsnVector *vector, const void *bytes, size_t size)
{
    memcpy(vector->code + vector->length, bytes, size);
    vector->length += (unsigned)size;
}

/* The three-byte prefix of the form, or two bytes where these say the same; registers at random. */
static void
append_vex(GRand *rand, InsnMode mode, const InsnForm *form, InsnVector *vector)
{
    const bool has_vvvv = (form->bytes[2] & 0x78) != 0x78;
    uint8_t vex[4] = {0xc4, form->bytes[1], form->bytes[2], form->bytes[3]};
    uint8_t shorter[3] = {0xc5, 0, form->bytes[3]};

    if (mode == INSN_CODE64)
        vex[1] = (uint8_t)((vex[1] & 0x1f) | (random64(rand) & 0xe0));
    else if (g_rand_boolean(rand))
        vex[1] ^= 0x20; /* B is ignored */
    if (has_vvvv)
        vex[2] = (uint8_t)((vex[2] & 0x87) | (random64(rand) & 0x78));
    if (mode != INSN_CODE64 && g_rand_boolean(rand))
        vex[2] |= 0x40;
    if ((vex[1] & 0x7f) == 0x61 && !(vex[2] & 0x80) && g_rand_boolean(rand)) {
        shorter[1] = (uint8_t)((vex[1] & 0x80) | (vex[2] & 0x7f));
        if (mode == INSN_CODE64 || shorter[1] >= 0xc0) { /* else it is LDS */
            append(vector, shorter, sizeof shorter);
            return;
        }
    }
    append(vector, vex, sizeof vex);
}

/* Optional REX: registers above 7, SPL..DIL. */
static void
append_opcode(GRand *rand, InsnMode mode, const InsnForm *form, InsnVector *vector)
{
    unsigned escape = 0;
    uint8_t rex;

    if (form->vex) {
        append_vex(rand, mode, form, vector);
        return;
    }
    while (escape < form->count && (form->bytes[escape] == 0x66 || form->bytes[escape] >= 0xf0) &&
           escape + 1u < form->count)
        escape++;
    append(vector, form->bytes, escape);
    if (mode == INSN_CODE64 && g_rand_boolean(rand)) {
        rex = (uint8_t)(0x40 | (random64(rand) & 7));
        if (form->bytes[escape] >> 4 == 4) {
            rex |= form->bytes[escape] & 8;
            escape++;
        }
        append(vector, &rex, 1);
    }
    append(vector, form->bytes + escape, form->count - escape);
}

static void
append_modrm(GRand *rand, const InsnForm *form, InsnVector *vector)
{
    uint8_t mod = form->memory ? (uint8_t)g_rand_int_range(rand, 0, 3) : 3;
    uint8_t rm = form->rm != 0xff ? form->rm : (uint8_t)g_rand_int_range(rand, 0, 8);
    uint8_t modrm = (uint8_t)(mod << 6 | form->reg << 3 | rm);

    append(vector, &modrm, 1);
}

static bool
make_code(GRand *rand, InsnMode mode, const InsnForm *form, const X86Decoder *decoder,
          InsnVector *vector, ZydisDecodedInstruction *zydis)
{
    uint8_t tail[X86_INSN_MAX];

    vector->length = 0;
    memset(vector->code, 0, sizeof vector->code);
    append_opcode(rand, mode, form, vector);
    if (form->has_modrm)
        append_modrm(rand, form, vector);
    for (unsigned i = 0; i < sizeof tail; i++)
        tail[i] = (uint8_t)random_value(rand);
    append(vector, tail, sizeof vector->code - vector->length);
    if (x86_decode(decoder, (X86CodeSize)mode, vector->code, X86_INSN_MAX, zydis) != X86_DECODE_OK)
        return false;
    vector->length = zydis->length;
    return zydis->mnemonic == form->mnemonic;
}

/* ---- memory operands ---- */
static unsigned
random_target(GRand *rand)
{
    switch (g_rand_int_range(rand, 0, 24)) {
    case 0: return INSN_READ_ONLY + 0x800 + (unsigned)g_rand_int_range(rand, 0, 64);
    case 1: return INSN_DATA + 0x1000 - (unsigned)g_rand_int_range(rand, 0, 32);
    case 2: return INSN_DATA + INSN_DATA_SIZE - (unsigned)g_rand_int_range(rand, 0, 32);
    case 3: return INSN_DATA + 0x800 + (unsigned)g_rand_int_range(rand, 0, 64);
    default: return INSN_DATA + 0x800 + 16 * (unsigned)g_rand_int_range(rand, 0, 32);
    }
}

static int
gpr_number(ZydisRegister reg)
{
    ZydisRegister widest = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

    if (widest < ZYDIS_REGISTER_RAX || widest > ZYDIS_REGISTER_R15)
        return -1;
    return widest - ZYDIS_REGISTER_RAX;
}

static uint64_t
address_mask(const ZydisDecodedInstruction *zydis)
{
    return zydis->address_width == 64 ? ~0ull : (1ull << zydis->address_width) - 1;
}

/* Patches the displacement where there is no base register. */
static bool
place_by_displacement(const ZydisDecodedInstruction *zydis, InsnVector *vector, uint64_t offset)
{
    unsigned size = zydis->raw.disp.size / 8;
    int64_t value = (int64_t)offset;

    if (size == 0 || (size == 1 && value != (int8_t)value))
        return false;
    memcpy(vector->code + zydis->raw.disp.offset, &value, size);
    return true;
}

static bool
place_operand(const ZydisDecodedInstruction *zydis, const ZydisDecodedOperand *operand,
              InsnMode mode, unsigned target, InsnVector *vector)
{
    uint64_t *gpr = vector->state.gpr;
    uint64_t offset = target + (mode == INSN_CODE16 ? 0 : INSN_BASE);
    int base = gpr_number(operand->mem.base), index = gpr_number(operand->mem.index);
    uint64_t mask = address_mask(zydis);
    uint64_t rest;

    if (operand->mem.base == ZYDIS_REGISTER_RIP || operand->mem.base == ZYDIS_REGISTER_EIP)
        return place_by_displacement(zydis, vector, offset - (vector->state.rip + zydis->length));
    if (base < 0 && index < 0)
        return place_by_displacement(zydis, vector, offset);
    if (base < 0 || base == index)
        return false;
    if (index >= 0 && mask != ~0ull)
        gpr[index] &= mask;
    rest = (index >= 0 ? gpr[index] * operand->mem.scale : 0) + (uint64_t)operand->mem.disp.value;
    if (zydis->mnemonic == ZYDIS_MNEMONIC_XLAT)
        rest = (uint8_t)gpr[X86_RAX];
    gpr[base] = mode == INSN_CODE64 && mask == ~0ull ? offset - rest : (offset - rest) & mask;
    return true;
}

/* Of a gather: small, so that its elements are around the target. */
static void
set_indices(GRand *rand, const ZydisDecodedInstruction *zydis, InsnMode mode, InsnVector *vector)
{
    const bool quads = zydis->opcode & 1;
    const unsigned high = mode == INSN_CODE64 && !zydis->raw.vex.X ? 8 : 0;
    const unsigned reg = zydis->raw.sib.index | high;

    for (unsigned i = 0; i < 8; i++) {
        uint8_t *half = i < 4 ? vector->state.fpu.xmm[reg] : vector->state.fpu.ymm_high[reg];
        const int64_t index = g_rand_int_range(rand, -8, 9);

        if (!quads)
            memcpy(half + 4 * (i & 3), &index, 4);
        else if (!(i & 1))
            memcpy(half + 4 * (i & 3), &index, 8);
    }
}

/* Is the base a register that has to keep its value: the stack pointer of a CALL, a bit's number?
 */
static bool
is_bound(const ZydisDecodedInstruction *zydis, const ZydisDecodedOperand *operand)
{
    int base = gpr_number(operand->mem.base);

    if (zydis->mnemonic == ZYDIS_MNEMONIC_CALL || zydis->mnemonic == ZYDIS_MNEMONIC_PUSH)
        return base == X86_RSP;
    return zydis->mnemonic >= ZYDIS_MNEMONIC_BT && zydis->mnemonic <= ZYDIS_MNEMONIC_BTS &&
           base == (zydis->raw.modrm.reg | zydis->raw.rex.R << 3);
}

/* Explicit operands win over implicit ones; the stack pointer stays where it is for pushes and
 * pops. */
static bool
place_operands(GRand *rand, const X86Decoder *decoder, InsnMode mode,
               const ZydisDecodedInstruction *zydis, InsnVector *vector)
{
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecodedInstruction again;

    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder->zydis[mode], vector->code, X86_INSN_MAX,
                                             &again, operands)))
        return false;
    for (unsigned i = 0; i < again.operand_count; i++) {
        const ZydisDecodedOperand *operand = &operands[i];
        unsigned target = random_target(rand);

        if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY)
            continue;
        if (operand->mem.segment == ZYDIS_REGISTER_FS || operand->mem.segment == ZYDIS_REGISTER_GS)
            return false;
        if (operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
            gpr_number(operand->mem.base) == X86_RSP)
            continue;
        if (operand->mem.type == ZYDIS_MEMOP_TYPE_AGEN)
            continue;
        if (is_bound(zydis, operand))
            return false;
        if (operand->mem.type == ZYDIS_MEMOP_TYPE_VSIB)
            set_indices(rand, zydis, mode, vector);
        if (!place_operand(zydis, operand, mode, target, vector))
            return false;
        vector->target = target;
    }
    return true;
}

/* What would otherwise leave the window or take too long. */
static void
tame(GRand *rand, const ZydisDecodedInstruction *zydis, InsnVector *vector)
{
    uint64_t *gpr = vector->state.gpr;
    bool repeated =
        zydis->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
    bool bit_string = zydis->mnemonic >= ZYDIS_MNEMONIC_BT && zydis->mnemonic <= ZYDIS_MNEMONIC_BTS;

    if (repeated)
        gpr[X86_RCX] = (uint64_t)g_rand_int_range(rand, 0, 40);
    if (bit_string)
        gpr[zydis->raw.modrm.reg | zydis->raw.rex.R << 3] =
            (uint64_t)(int64_t)g_rand_int_range(rand, -256, 256);
    if (zydis->raw.imm[0].is_relative) {
        int32_t reach = zydis->raw.imm[0].size == 8 ? 0x80 : 0x400;
        int32_t near = g_rand_int_range(rand, -reach, reach);

        if (near < 0 && near >= -X86_INSN_MAX) /* into itself */
            near = 0;

        memcpy(vector->code + zydis->raw.imm[0].offset, &near, zydis->raw.imm[0].size / 8);
    }
    if (zydis->mnemonic == ZYDIS_MNEMONIC_ENTER) {
        vector->code[zydis->raw.imm[0].offset + 1] = 0;
        gpr[X86_RBP] = gpr[X86_RSP] + 64;
    }
}

/* Comparisons that succeed now and then; quotients that fit. */
static void
suggest(GRand *rand, InsnVector *vector)
{
    uint64_t *gpr = vector->state.gpr;

    switch (g_rand_int_range(rand, 0, 6)) {
    case 0:
        memcpy(&gpr[X86_RAX], vector->data + 32, 8);
        memcpy(&gpr[X86_RDX], vector->data + 40, 8);
        break;
    case 1: memcpy(&gpr[X86_RAX], vector->data + 32, 4); break;
    case 2: gpr[X86_RDX] = 0; break;
    case 3: gpr[X86_RDX] = (uint64_t)((int64_t)gpr[X86_RAX] >> 63); break;
    default: break;
    }
}

/* The flags of their stages mix in a way of their own when an exception is unmasked. */
static void
mask_dot_product(unsigned mnemonic, InsnState *state)
{
    if (mnemonic == ZYDIS_MNEMONIC_DPPD || mnemonic == ZYDIS_MNEMONIC_DPPS ||
        mnemonic == ZYDIS_MNEMONIC_VDPPD || mnemonic == ZYDIS_MNEMONIC_VDPPS)
        state->fpu.mxcsr |= 0x1f80;
}

bool
insn_vector_make(GRand *rand, InsnMode mode, const InsnForm *form, unsigned families,
                 const X86Decoder *decoder, InsnVector *vector)
{
    ZydisDecodedInstruction zydis;

    vector->target = 0;
    random_registers(rand, mode, &vector->state);
    random_fpu(rand, &vector->state.fpu);
    if (families & INSN_FAMILY_INTEGER)
        for (unsigned i = 0; i + 8 <= sizeof vector->data; i += 8)
            memcpy(vector->data + i, &(uint64_t){random_value(rand)}, 8);
    else
        random_floats(rand, vector->data, sizeof vector->data);
    if (!make_code(rand, mode, form, decoder, vector, &zydis))
        return false;
    vector->state.rip = INSN_START + (mode == INSN_CODE16 ? 0 : INSN_BASE);
    suggest(rand, vector);
    if (form->mnemonic == ZYDIS_MNEMONIC_FLD)
        vector->state.fpu.fcw |= 2; /* AMD's processors push a denormal even with DE unmasked */
    mask_dot_product(form->mnemonic, &vector->state);
    if (mode != INSN_CODE64)
        for (unsigned i = 0; i < X86_GPR_COUNT; i++)
            vector->state.gpr[i] = (uint32_t)vector->state.gpr[i];
    tame(rand, &zydis, vector);
    if (!place_operands(rand, decoder, mode, &zydis, vector))
        return false;
    /* AMD's processors do not ask for alignment here. */
    return zydis.meta.isa_set != ZYDIS_ISA_SET_SHA || !(vector->target & 15);
}

/* ---- random bytes ---- */
static void
append_random_opcode(GRand *rand, InsnMode mode, InsnVector *vector)
{
    static const uint8_t prefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x3e, 0x26};
    static const uint8_t escapes[3] = {0x0f, 0x38, 0x3a};
    int map = g_rand_int_range(rand, 0, 6);
    uint8_t rex = (uint8_t)(0x40 | (random64(rand) & 15));

    for (int i = g_rand_int_range(rand, 0, 4); i > 1; i--)
        append(vector, &prefixes[g_rand_int_range(rand, 0, G_N_ELEMENTS(prefixes))], 1);
    if (mode == INSN_CODE64 && g_rand_int_range(rand, 0, 3) == 0)
        append(vector, &rex, 1);
    if (map >= 3)
        append(vector, &escapes[0], 1);
    if (map >= 4)
        append(vector, &escapes[map - 3], 1);
}

/* Maps 1 to 3, seldom another; every bit of the prefix at random but for VEX.vvvv, which is 1111 in
 * half of them. */
static void
append_random_vex(GRand *rand, InsnMode mode, InsnVector *vector)
{
    static const uint8_t bad[] = {0x66, 0xf2, 0xf3, 0xf0, 0x40, 0x48, 0x67, 0x3e};
    const bool any_map = g_rand_int_range(rand, 0, 16) == 0;
    const uint8_t map =
        (uint8_t)(any_map ? g_rand_int_range(rand, 0, 32) : g_rand_int_range(rand, 1, 4));
    uint8_t high =
        (uint8_t)(mode == INSN_CODE64 ? random64(rand) & 0xe0 : 0xc0 | (random64(rand) & 0x20));
    uint8_t last = (uint8_t)random64(rand);

    if (g_rand_int_range(rand, 0, 6) == 0)
        append(vector, &bad[g_rand_int_range(rand, 0, mode == INSN_CODE64 ? 8 : 4)], 1);
    if (g_rand_boolean(rand))
        last |= 0x78;
    if (g_rand_int_range(rand, 0, 3) == 0) {
        if (mode != INSN_CODE64)
            last |= 0xc0;
        append(vector, (uint8_t[]){0xc5, last}, 2);
    } else {
        append(vector, (uint8_t[]){0xc4, high | map, last}, 3);
    }
}

X86DecodeResult
insn_vector_random(GRand *rand, InsnMode mode, const X86Decoder *decoder, bool vex,
                   InsnVector *vector, ZydisDecodedInstruction *zydis)
{
    X86DecodeResult result;

    vector->target = vector->length = 0;
    random_registers(rand, mode, &vector->state);
    random_fpu(rand, &vector->state.fpu);
    random_floats(rand, vector->data, sizeof vector->data);
    vector->state.rip = INSN_START + (mode == INSN_CODE16 ? 0 : INSN_BASE);
    if (vex)
        append_random_vex(rand, mode, vector);
    else
        append_random_opcode(rand, mode, vector);
    while (vector->length < X86_INSN_MAX)
        append(vector, &(uint8_t){(uint8_t)random64(rand)}, 1);
    result = x86_decode(decoder, (X86CodeSize)mode, vector->code, X86_INSN_MAX, zydis);
    if (result != X86_DECODE_OK)
        return result;
    vector->length = zydis->length;
    tame(rand, zydis, vector);
    mask_dot_product(zydis->mnemonic, &vector->state);
    place_operands(rand, decoder, mode, zydis, vector);
    return result;
}
