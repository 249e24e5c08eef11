/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From code bytes to an IemInsn: operands from ModRM, SIB and prefixes, and the handler that the
 * family's chooser picks for that form. Intel SDM volume 2A chapter 2 (formats, tables 2-1 to 2-3).
 * EVEX and later encodings are undefined, also where their mnemonics have rows. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-fallback.h"

typedef struct {
    IemChoose choose;
    uint8_t feature;
    bool sensitive; /* not harmless: ends a block */
    bool system;    /* may change segments or mode behind IEM's back */
} IemRow;

/* clang-format off */
static const IemRow rows[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
#define HARMLESS false
#define SENSITIVE true
#define PRIVILEGED true
#define INSN(mnemonic, chooser, rem, csam, feature) \
    [ZYDIS_MNEMONIC_##mnemonic] = {chooser, CPUM_FEATURE_##feature, csam, false},
#include "vmm/x86/instructions-avx.def"
#include "vmm/x86/instructions-fpu.def"
#include "vmm/x86/instructions-integer.def"
#include "vmm/x86/instructions-sse.def"
#undef INSN
#define INSN(mnemonic, chooser, rem, csam, feature) \
    [ZYDIS_MNEMONIC_##mnemonic] = {chooser, CPUM_FEATURE_##feature, csam, true},
#include "vmm/x86/instructions-system.def"
#undef INSN
#undef HARMLESS
#undef SENSITIVE
#undef PRIVILEGED
};
/* clang-format on */

static void
op_undefined(Vcpu *vcpu, const IemInsn *insn)
{
    iem_raise_ud(vcpu);
}

static void
op_too_long(Vcpu *vcpu, const IemInsn *insn)
{
    iem_raise_gp0(vcpu);
}

void
iem_decoder_init(X86Decoder *decoder, const Vcpu *vcpu)
{
    unsigned options = 0;

    if (cpum_has(vcpu, CPUM_FEATURE_LZCNT))
        options |= X86_DECODE_LZCNT;
    if (cpum_has(vcpu, CPUM_FEATURE_BMI1))
        options |= X86_DECODE_TZCNT;
    x86_decoder_init(decoder, options);
}

static X86CodeSize
code_size(const Vcpu *vcpu)
{
    switch (vcpu->mode) {
    case CPUM_MODE_LONG64: return X86_CODE_64;
    case CPUM_MODE_PROT32: return X86_CODE_32;
    case CPUM_MODE_PROT16: return X86_CODE_16;
    default: return (vcpu->seg[X86_CS].attr & X86_SEG_DB) ? X86_CODE_32 : X86_CODE_16;
    }
}

static bool
is_vex(const ZydisDecodedInstruction *zydis)
{
    return zydis->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
}

bool
iem_offers_vex(const Vcpu *vcpu, const ZydisDecodedInstruction *zydis)
{
    switch (zydis->meta.isa_set) {
    case ZYDIS_ISA_SET_AVX:
    case ZYDIS_ISA_SET_AVXAES: return cpum_has(vcpu, CPUM_FEATURE_AVX);
    case ZYDIS_ISA_SET_AVX2:
    case ZYDIS_ISA_SET_AVX2GATHER: return cpum_has(vcpu, CPUM_FEATURE_AVX2);
    case ZYDIS_ISA_SET_FMA: return cpum_has(vcpu, CPUM_FEATURE_FMA);
    case ZYDIS_ISA_SET_F16C: return cpum_has(vcpu, CPUM_FEATURE_F16C);
    case ZYDIS_ISA_SET_BMI1: return cpum_has(vcpu, CPUM_FEATURE_BMI1);
    case ZYDIS_ISA_SET_BMI2: return cpum_has(vcpu, CPUM_FEATURE_BMI2);
    default: return false;
    }
}

static bool
is_offered(const Vcpu *vcpu, const ZydisDecodedInstruction *zydis)
{
    const IemRow *row = &rows[zydis->mnemonic];

    if (row->choose == NULL || !cpum_has(vcpu, row->feature))
        return false;
    if (is_vex(zydis))
        return iem_is_protected(vcpu) && iem_offers_vex(vcpu, zydis);
    return zydis->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY ||
           zydis->encoding == ZYDIS_INSTRUCTION_ENCODING_3DNOW;
}

/* Segment overrides and repeat prefixes; of each kind the last one counts. */
static int
scan_prefixes(const ZydisDecodedInstruction *zydis, bool long64, IemInsn *insn)
{
    int seg = -1;

    for (unsigned i = 0; i < zydis->raw.prefix_count; i++) {
        switch (zydis->raw.prefixes[i].value) {
        case 0x26: seg = long64 ? seg : X86_ES; break;
        case 0x2e: seg = long64 ? seg : X86_CS; break;
        case 0x36: seg = long64 ? seg : X86_SS; break;
        case 0x3e: seg = long64 ? seg : X86_DS; break;
        case 0x64: seg = X86_FS; break;
        case 0x65: seg = X86_GS; break;
        case 0x66: insn->flags |= IEM_INSN_OPERAND_PREFIX; break;
        case 0xf0: insn->flags |= IEM_INSN_LOCK; break;
        case 0xf2: insn->flags = (insn->flags & ~IEM_INSN_REP) | IEM_INSN_REPNE; break;
        case 0xf3: insn->flags = (insn->flags & ~IEM_INSN_REPNE) | IEM_INSN_REP; break;
        default: break;
        }
    }
    return seg;
}

static void
fill_memory16(const ZydisDecodedInstruction *zydis, IemInsn *insn)
{
    static const uint8_t base[8] = {X86_RBX, X86_RBX, X86_RBP, X86_RBP,
                                    X86_RSI, X86_RDI, X86_RBP, X86_RBX};
    static const uint8_t index[4] = {X86_RSI, X86_RDI, X86_RSI, X86_RDI};
    unsigned rm = zydis->raw.modrm.rm;

    if (rm == 6 && zydis->raw.modrm.mod == 0)
        return;
    insn->base = base[rm];
    if (rm < 4)
        insn->index = index[rm];
}

/* Bit 3 of the register numbers, from REX or VEX. */
typedef struct {
    uint8_t r, x, b;
} Extension;

static Extension
extension_of(const ZydisDecodedInstruction *zydis, bool long64)
{
    const Extension rex = {(uint8_t)(zydis->raw.rex.R << 3), (uint8_t)(zydis->raw.rex.X << 3),
                           (uint8_t)(zydis->raw.rex.B << 3)};
    const Extension vex = {zydis->raw.vex.R ? 0 : 8, zydis->raw.vex.X ? 0 : 8,
                           zydis->raw.vex.B ? 0 : 8};

    if (!is_vex(zydis))
        return rex;
    return long64 ? vex : (Extension){0, 0, 0};
}

/* The index of a gather is a vector register: its number goes into imm2. */
static void
fill_sib(const ZydisDecodedInstruction *zydis, Extension extension, IemInsn *insn)
{
    unsigned index = zydis->raw.sib.index | extension.x;

    if (zydis->raw.sib.base != 5 || zydis->raw.modrm.mod != 0)
        insn->base = (uint8_t)(zydis->raw.sib.base | extension.b);
    if (zydis->meta.isa_set == ZYDIS_ISA_SET_AVX2GATHER) {
        insn->imm2 = (uint16_t)index;
        insn->scale = zydis->raw.sib.scale;
    } else if (index != 4) {
        insn->index = (uint8_t)index;
        insn->scale = zydis->raw.sib.scale;
    }
}

static void
fill_memory(const ZydisDecodedInstruction *zydis, bool long64, Extension extension, IemInsn *insn)
{
    insn->flags |= IEM_INSN_MEM;
    insn->disp = (int32_t)zydis->raw.disp.value;
    if (insn->addrsize == 2) {
        fill_memory16(zydis, insn);
    } else if (zydis->raw.modrm.rm == 4) {
        fill_sib(zydis, extension, insn);
    } else if (zydis->raw.modrm.rm == 5 && zydis->raw.modrm.mod == 0) {
        if (long64) {
            insn->base = IEM_REG_RIP;
            insn->flags |= IEM_INSN_RIP_REL;
        }
    } else {
        insn->base = (uint8_t)(zydis->raw.modrm.rm | extension.b);
    }
    if (insn->base == X86_RBP || insn->base == X86_RSP)
        insn->seg = X86_SS;
}

static void
fill_operands(const ZydisDecodedInstruction *zydis, bool long64, IemInsn *insn)
{
    const Extension extension = extension_of(zydis, long64);
    int override = scan_prefixes(zydis, long64, insn);

    insn->base = insn->index = IEM_REG_NONE;
    insn->seg = X86_DS;
    if (zydis->attributes & ZYDIS_ATTRIB_HAS_MODRM) {
        insn->modrm =
            (uint8_t)(zydis->raw.modrm.mod << 6 | zydis->raw.modrm.reg << 3 | zydis->raw.modrm.rm);
        insn->reg = (uint8_t)(zydis->raw.modrm.reg | extension.r);
        insn->rm = (uint8_t)(zydis->raw.modrm.rm | extension.b);
        if (zydis->raw.modrm.mod != 3)
            fill_memory(zydis, long64, extension, insn);
    } else {
        insn->reg = (uint8_t)((zydis->opcode & 7) | extension.b);
        insn->rm = insn->reg;
    }
    if (override >= 0)
        insn->seg = (uint8_t) override;
}

/* VEX.pp stands for the prefix that the legacy form would have. */
static void
fill_vex(const ZydisDecodedInstruction *zydis, bool long64, IemInsn *insn)
{
    static const uint16_t prefixes[4] = {0, IEM_INSN_OPERAND_PREFIX, IEM_INSN_REP, IEM_INSN_REPNE};

    insn->flags |= IEM_INSN_VEX | prefixes[zydis->raw.vex.pp & 3];
    if (zydis->raw.vex.L)
        insn->flags |= IEM_INSN_VEX_L;
    if (zydis->raw.vex.W && long64)
        insn->flags |= IEM_INSN_REX_W;
    insn->vvvv = ~zydis->raw.vex.vvvv & (long64 ? 15 : 7);
}

static uint64_t
sign_extend(uint64_t value, unsigned bits)
{
    if (bits == 0 || bits >= 64)
        return value;
    return (uint64_t)((int64_t)(value << (64 - bits)) >> (64 - bits));
}

static void
fill_insn(const ZydisDecodedInstruction *zydis, bool long64, IemInsn *insn)
{
    insn->row = (uint16_t)zydis->mnemonic;
    insn->opcode = zydis->opcode;
    insn->map = zydis->opcode_map == ZYDIS_OPCODE_MAP_0F0F ? 15 : (uint8_t)zydis->opcode_map;
    insn->opsize = (uint8_t)(zydis->operand_width / 8);
    insn->addrsize = (uint8_t)(zydis->address_width / 8);
    insn->imm = sign_extend(zydis->raw.imm[0].value.u, zydis->raw.imm[0].size);
    insn->imm2 = (uint16_t)zydis->raw.imm[1].value.u;
    if (zydis->attributes & ZYDIS_ATTRIB_HAS_REX)
        insn->flags |= IEM_INSN_REX;
    if ((zydis->attributes & ZYDIS_ATTRIB_HAS_REX) && zydis->raw.rex.W)
        insn->flags |= IEM_INSN_REX_W;
    if (is_vex(zydis))
        fill_vex(zydis, long64, insn);
    fill_operands(zydis, long64, insn);
    if (!(zydis->attributes & ZYDIS_ATTRIB_HAS_MODRM) && zydis->raw.disp.size != 0)
        insn->imm = insn->addrsize == 8   ? (uint64_t)zydis->raw.disp.value
                    : insn->addrsize == 4 ? (uint32_t)zydis->raw.disp.value
                                          : (uint16_t)zydis->raw.disp.value; /* moffs */
}

X86DecodeResult
iem_decode(const X86Decoder *decoder, const Vcpu *vcpu, const uint8_t *bytes, size_t available,
           IemInsn *insn)
{
    ZydisDecodedInstruction zydis;
    X86DecodeResult result = x86_decode(decoder, code_size(vcpu), bytes, available, &zydis);
    const IemRow *row;

    if (result == X86_DECODE_MORE)
        return result;
    memset(insn, 0, sizeof *insn);
    if (result != X86_DECODE_OK) {
        insn->handler = result == X86_DECODE_TOO_LONG ? op_too_long : op_undefined;
        insn->flags = IEM_INSN_BLOCK_END;
        insn->addrsize = 8;
        return X86_DECODE_OK;
    }
    row = &rows[zydis.mnemonic];
    insn->length = zydis.length;
    fill_insn(&zydis, iem_is_long64(vcpu), insn);
    if (row->sensitive || row->system)
        insn->flags |= IEM_INSN_BLOCK_END;
    if (row->system)
        insn->flags |= IEM_INSN_SYSTEM;
    if (is_offered(vcpu, &zydis))
        insn->handler = row->choose(vcpu, insn);
    if (insn->handler == NULL) {
        insn->handler = op_undefined;
        insn->flags |= IEM_INSN_BLOCK_END;
    }
    return X86_DECODE_OK;
}
