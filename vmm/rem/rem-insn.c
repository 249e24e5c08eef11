/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From Zydis's decoding to a RemInsn. Intel SDM volume 2A chapter 2 for the encodings; flags and
 * exception classes are Zydis's tables, corrected where a count of zero or a processor that keeps
 * an undefined flag matters (rem-insn-flags.c). */
#include "vmm/rem/rem-insn-private.h"

#include "vmm/cpum/cpum.h"
#include "vmm/iem/iem-fallback.h"
#include "vmm/rem/rem-rewrite.h"

typedef struct {
    uint8_t treatment, feature;
    bool known;
} RemRow;

/* clang-format off */
static const RemRow rows[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
#define INSN(mnemonic, chooser, rem, csam, feature) \
    [ZYDIS_MNEMONIC_##mnemonic] = {REM_TREAT_##rem, CPUM_FEATURE_##feature, true},
#include "vmm/x86/instructions.def"
#undef INSN
};
/* clang-format on */

/* ---- registers ---- */
typedef struct {
    uint8_t number; /* REM_NO_REG: no general register */
    uint8_t size;   /* bytes */
    bool high;      /* AH..BH */
} Gpr;

static Gpr
gpr_of(ZydisRegister reg)
{
    if (reg >= ZYDIS_REGISTER_RAX && reg <= ZYDIS_REGISTER_R15)
        return (Gpr){(uint8_t)(reg - ZYDIS_REGISTER_RAX), 8, false};
    if (reg >= ZYDIS_REGISTER_EAX && reg <= ZYDIS_REGISTER_R15D)
        return (Gpr){(uint8_t)(reg - ZYDIS_REGISTER_EAX), 4, false};
    if (reg >= ZYDIS_REGISTER_AX && reg <= ZYDIS_REGISTER_R15W)
        return (Gpr){(uint8_t)(reg - ZYDIS_REGISTER_AX), 2, false};
    if (reg >= ZYDIS_REGISTER_AL && reg <= ZYDIS_REGISTER_BL)
        return (Gpr){(uint8_t)(reg - ZYDIS_REGISTER_AL), 1, false};
    if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
        return (Gpr){(uint8_t)(reg - ZYDIS_REGISTER_AH), 1, true};
    if (reg >= ZYDIS_REGISTER_SPL && reg <= ZYDIS_REGISTER_R15B)
        return (Gpr){(uint8_t)(reg - ZYDIS_REGISTER_SPL + X86_RSP), 1, false};
    return (Gpr){REM_NO_REG, 0, false};
}

static void
note_encoding(const ZydisDecodedOperand *operand, const Gpr *gpr, RemInsn *insn)
{
    switch (operand->encoding) {
    case ZYDIS_OPERAND_ENCODING_MODRM_REG:
        insn->form |= REM_FORM_REG_GPR | (gpr->high ? REM_FORM_REG_HIGH : 0);
        break;
    case ZYDIS_OPERAND_ENCODING_MODRM_RM:
        insn->form |= REM_FORM_RM_GPR | (gpr->high ? REM_FORM_RM_HIGH : 0);
        break;
    case ZYDIS_OPERAND_ENCODING_OPCODE:
        insn->form |= REM_FORM_OPREG | REM_FORM_RM_GPR | (gpr->high ? REM_FORM_RM_HIGH : 0);
        break;
    case ZYDIS_OPERAND_ENCODING_NDSNDD: insn->form |= REM_FORM_VVVV_GPR; break;
    default: break;
    }
}

static void
note_vector(ZydisRegister reg, RemInsn *insn)
{
    if (reg >= ZYDIS_REGISTER_ST0 && reg <= ZYDIS_REGISTER_ST7)
        insn->does |= REM_DOES_X87;
    else if (reg >= ZYDIS_REGISTER_MM0 && reg <= ZYDIS_REGISTER_MM7)
        insn->does |= REM_DOES_MMX;
    else if (reg >= ZYDIS_REGISTER_XMM0 && reg <= ZYDIS_REGISTER_YMM31)
        insn->does |= insn->form & REM_FORM_VEX ? REM_DOES_AVX : REM_DOES_SSE;
}

static void
note_register(const ZydisDecodedOperand *operand, RemInsn *insn)
{
    Gpr gpr = gpr_of(operand->reg.value);
    bool conditional = operand->actions & ZYDIS_OPERAND_ACTION_CONDWRITE;
    uint16_t bit;

    if (gpr.number == REM_NO_REG) {
        note_vector(operand->reg.value, insn);
        return;
    }
    bit = (uint16_t)(1u << gpr.number);
    if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
        insn->gpr_read |= bit;
    if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) {
        insn->gpr_written |= bit;
        if (gpr.size < 4 || conditional)
            insn->gpr_read |= bit;
    }
    note_encoding(operand, &gpr, insn);
}

/* ---- memory ---- */
static uint8_t
segment_of(const ZydisDecodedInstruction *zydis, const RemOperand *mem, bool code64)
{
    uint8_t seg = mem->base == X86_RSP || mem->base == X86_RBP ? X86_SS : X86_DS;

    for (unsigned i = 0; i < zydis->raw.prefix_count; i++) {
        switch (zydis->raw.prefixes[i].value) {
        case 0x26: seg = code64 ? seg : X86_ES; break;
        case 0x2e: seg = code64 ? seg : X86_CS; break;
        case 0x36: seg = code64 ? seg : X86_SS; break;
        case 0x3e: seg = code64 ? seg : X86_DS; break;
        case 0x64: seg = X86_FS; break;
        case 0x65: seg = X86_GS; break;
        default: break;
        }
    }
    return seg;
}

/* Legacy SSE with 16 bytes in memory wants them aligned, but for the moves that say so. */
static uint8_t
alignment_of(const ZydisDecodedInstruction *zydis, unsigned size)
{
    switch (zydis->mnemonic) {
    case ZYDIS_MNEMONIC_MOVUPS:
    case ZYDIS_MNEMONIC_MOVUPD:
    case ZYDIS_MNEMONIC_MOVDQU:
    case ZYDIS_MNEMONIC_LDDQU:
    case ZYDIS_MNEMONIC_PCMPESTRI:
    case ZYDIS_MNEMONIC_PCMPESTRM:
    case ZYDIS_MNEMONIC_PCMPISTRI:
    case ZYDIS_MNEMONIC_PCMPISTRM: return 1;
    case ZYDIS_MNEMONIC_CMPXCHG16B:
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64: return 16;
    default: break;
    }
    if (zydis->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX)
        return zydis->meta.exception_class == ZYDIS_EXCEPTION_CLASS_AVX1 ? (uint8_t)size : 1;
    return size == 16 ? 16 : 1;
}

/* Of a cache line only the byte that is named is translated, wherever in the line it is: the line
 * of an address that is not aligned has no byte in the next page. */
static uint16_t
size_of(const RemInsn *insn, const ZydisDecodedOperand *operand)
{
    return insn->row == ZYDIS_MNEMONIC_CLFLUSH ? 1 : operand->size / 8;
}

static bool
is_address_only(const RemInsn *insn, const ZydisDecodedOperand *operand)
{
    return operand->mem.type == ZYDIS_MEMOP_TYPE_AGEN || insn->row == ZYDIS_MNEMONIC_NOP ||
           (insn->op.map == 1 && (insn->op.code == 0x18 || insn->op.code == 0x0d));
}

static void
note_address(const ZydisDecodedOperand *operand, RemInsn *insn)
{
    Gpr base = gpr_of(operand->mem.base), index = gpr_of(operand->mem.index);

    insn->gpr_read |= base.number != REM_NO_REG ? 1u << base.number : 0;
    insn->gpr_read |= index.number != REM_NO_REG ? 1u << index.number : 0;
}

static void
fill_memory(const ZydisDecodedInstruction *zydis, const ZydisDecodedOperand *operand, RemInsn *insn)
{
    RemOperand *mem = &insn->mem;

    mem->present = true;
    mem->base = gpr_of(operand->mem.base).number;
    mem->index = gpr_of(operand->mem.index).number;
    mem->scale = operand->mem.scale == 8 ? 3 : operand->mem.scale >> 1;
    mem->disp = operand->mem.disp.value;
    mem->rip_relative =
        operand->mem.base == ZYDIS_REGISTER_RIP || operand->mem.base == ZYDIS_REGISTER_EIP;
    mem->vsib = operand->mem.type == ZYDIS_MEMOP_TYPE_VSIB;
    mem->seg = segment_of(zydis, mem, insn->code == X86_CODE_64);
    mem->size = size_of(insn, operand);
    mem->align = alignment_of(zydis, mem->size);
    if (is_address_only(insn, operand))
        return;
    mem->read = (operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0;
    mem->written = (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
    insn->does |= REM_DOES_MEMORY;
}

static void
note_memory(const ZydisDecodedInstruction *zydis, const ZydisDecodedOperand *operand, RemInsn *insn)
{
    note_address(operand, insn);
    if (operand->encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM ||
        (insn->form & REM_FORM_MOFFS && operand->visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN))
        fill_memory(zydis, operand, insn);
    else
        insn->does |= REM_DOES_IMPLICIT;
}

/* ---- encoding ---- */
static uint8_t
map_of(const ZydisDecodedInstruction *zydis)
{
    switch (zydis->opcode_map) {
    case ZYDIS_OPCODE_MAP_DEFAULT: return 0;
    case ZYDIS_OPCODE_MAP_0F: return 1;
    case ZYDIS_OPCODE_MAP_0F38: return 2;
    case ZYDIS_OPCODE_MAP_0F3A: return 3;
    default: return 0xff;
    }
}

/* Does 66 mean operands of 16 bits here, and nothing else? */
static bool
has_operand_size(const RemOpcode *op)
{
    if (op->map == 0)
        return (op->code & 0xf8) != 0xd8;
    if (op->map == 1)
        return op->code >> 4 == 4 || (op->code >= 0xa3 && op->code <= 0xc1 && op->code != 0xae) ||
               (op->code & 0xf8) == 0xc8;
    return op->map == 2 && (op->code == 0xf0 || op->code == 0xf1);
}

static void
fill_prefixes(const ZydisDecodedInstruction *zydis, RemInsn *insn)
{
    if (zydis->attributes & ZYDIS_ATTRIB_HAS_LOCK)
        insn->form |= REM_FORM_LOCK;
    if (zydis->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE))
        insn->form |= REM_FORM_REP;
    if (zydis->attributes & ZYDIS_ATTRIB_HAS_REPNE)
        insn->form |= REM_FORM_REPNE;
    for (unsigned i = 0; i < zydis->raw.prefix_count; i++)
        if (zydis->raw.prefixes[i].type == ZYDIS_PREFIX_TYPE_MANDATORY)
            insn->op.prefix = zydis->raw.prefixes[i].value;
}

static void
fill_vex(const X86Decoded *decoded, RemInsn *insn)
{
    static const uint8_t prefix[4] = {0, 0x66, 0xf3, 0xf2};

    insn->form |= REM_FORM_VEX;
    insn->op.flags |= REM_OP_VEX | (decoded->context.vector_unified.L ? REM_OP_L : 0);
    insn->op.prefix = prefix[decoded->insn.raw.vex.pp & 3];
    insn->op.vvvv = decoded->context.vector_unified.vvvv & 15;
    if (insn->code != X86_CODE_64)
        insn->op.vvvv &= 7;
}

/* W: in 16- and 32-bit code it is a part of VEX opcodes, unless it would give an operand 64 bits.
 */
static bool
has_wide(const X86Decoded *decoded, const RemInsn *insn)
{
    const RemOpcode *op = &insn->op;
    bool one = op->map == 1 && (op->code == 0x6e || op->code == 0x7e || op->code == 0x2a ||
                                op->code == 0x2c || op->code == 0x2d);
    bool three = op->map == 3 && (op->code == 0x16 || op->code == 0x22 || op->code >> 2 == 0x18);
    bool bits = (op->map == 2 || op->map == 3) && op->code >= 0xf0;

    if (!decoded->context.vector_unified.W)
        return false;
    return insn->code == X86_CODE_64 ||
           (decoded->insn.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX && !one && !three && !bits);
}

static void
fill_encoding(const X86Decoded *decoded, RemInsn *insn)
{
    const ZydisDecodedInstruction *zydis = &decoded->insn;
    bool code64 = insn->code == X86_CODE_64;

    insn->op.map = map_of(zydis);
    insn->op.code = zydis->opcode;
    if (has_wide(decoded, insn))
        insn->op.flags |= REM_OP_W;
    if (zydis->attributes & ZYDIS_ATTRIB_HAS_REX)
        insn->op.flags |= REM_OP_REX;
    if (zydis->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY) {
        insn->form |= REM_FORM_LEGACY;
        fill_prefixes(zydis, insn);
        if (insn->opsize == 2 && has_operand_size(&insn->op))
            insn->op.flags |= REM_OP_66;
    } else if (zydis->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX) {
        fill_vex(decoded, insn);
    }
    insn->rm = (uint8_t)(code64 ? decoded->context.vector_unified.B << 3 : 0);
    if (zydis->attributes & ZYDIS_ATTRIB_HAS_MODRM) {
        insn->form |= REM_FORM_MODRM | (zydis->raw.modrm.mod != 3 ? REM_FORM_MEM : 0);
        insn->modrm =
            (uint8_t)(zydis->raw.modrm.mod << 6 | zydis->raw.modrm.reg << 3 | zydis->raw.modrm.rm);
        insn->reg =
            (uint8_t)(zydis->raw.modrm.reg | (code64 ? decoded->context.vector_unified.R << 3 : 0));
        insn->rm |= zydis->raw.modrm.rm;
    } else {
        insn->rm |= zydis->opcode & 7;
        if (insn->op.map == 0 && zydis->opcode >= 0xa0 && zydis->opcode <= 0xa3)
            insn->form |= REM_FORM_MOFFS;
    }
}

static void
fill_immediate(const ZydisDecodedInstruction *zydis, const uint8_t *bytes, RemInsn *insn)
{
    unsigned size = (zydis->raw.imm[0].size + zydis->raw.imm[1].size) / 8;

    if (size == 0 || size > 8)
        return;
    insn->imm_size = (uint8_t)size;
    memcpy(&insn->imm, bytes + zydis->length - size, size);
    /* VBLENDV's fourth register: its highest bit counts in 64-bit code only. */
    if (insn->code != X86_CODE_64 && (insn->form & REM_FORM_VEX) && insn->op.map == 3 &&
        insn->op.code >= 0x4a && insn->op.code <= 0x4c)
        insn->imm &= 0x7f;
}

/* ---- the rest ---- */
/* x87, MMX and SSE instructions whose operands are no such registers. */
static void
note_family(const ZydisDecodedInstruction *zydis, RemInsn *insn)
{
    ZydisExceptionClass class = zydis->meta.exception_class;

    if (insn->op.map == 0 && ((insn->op.code & 0xf8) == 0xd8 || insn->op.code == 0x9b))
        insn->does |= REM_DOES_X87;
    if (insn->op.map == 1 && insn->op.code == 0x77)
        insn->does |= insn->form & REM_FORM_VEX ? REM_DOES_AVX : REM_DOES_MMX;
    if (insn->op.map == 1 && insn->op.code == 0xae && (insn->form & REM_FORM_MEM) &&
        (insn->reg & 7) <= 3)
        insn->does |= insn->form & REM_FORM_VEX ? REM_DOES_AVX : REM_DOES_SSE;
    if (class == ZYDIS_EXCEPTION_CLASS_SSE2 || class == ZYDIS_EXCEPTION_CLASS_SSE3 ||
        class == ZYDIS_EXCEPTION_CLASS_AVX2 || class == ZYDIS_EXCEPTION_CLASS_AVX3 ||
        class == ZYDIS_EXCEPTION_CLASS_AVX11)
        insn->does |= REM_DOES_SIMD_FP | (insn->form & REM_FORM_VEX ? REM_DOES_AVX : REM_DOES_SSE);
    /* From MMX or memory to XMM registers and back, whatever operands there are. */
    if (insn->op.map == 1 && !(insn->form & REM_FORM_VEX) &&
        (insn->op.code == 0x2a || insn->op.code == 0x2c || insn->op.code == 0x2d))
        insn->does |= REM_DOES_SSE | REM_DOES_SIMD_FP;
    if ((insn->does & REM_DOES_MMX) && (insn->does & REM_DOES_SSE))
        insn->does |= REM_DOES_SIMD_FP; /* CVTPS2PI and the like */
}

/* To a segment register, from and to control and debug registers. */
static bool
is_system_move(const RemOpcode *op)
{
    return op->map == 0 ? op->code == 0x8e : op->map == 1 && (op->code & 0xfc) == 0x20;
}

static void
note_behaviour(const ZydisDecodedInstruction *zydis, RemInsn *insn)
{
    note_family(zydis, insn);
    switch (insn->row) {
    case ZYDIS_MNEMONIC_DIV:
    case ZYDIS_MNEMONIC_IDIV:
    case ZYDIS_MNEMONIC_AAM: insn->does |= REM_DOES_DIVIDE; break;
    case ZYDIS_MNEMONIC_CMPSB:
    case ZYDIS_MNEMONIC_CMPSW:
    case ZYDIS_MNEMONIC_CMPSD:
    case ZYDIS_MNEMONIC_CMPSQ:
        if (insn->op.map == 0)
            insn->gpr_written |= 1u << X86_RSI | 1u << X86_RDI;
        break;
    case ZYDIS_MNEMONIC_SCASB:
    case ZYDIS_MNEMONIC_SCASW:
    case ZYDIS_MNEMONIC_SCASD:
    case ZYDIS_MNEMONIC_SCASQ: insn->gpr_written |= 1u << X86_RDI; break;
    case ZYDIS_MNEMONIC_PAUSE:
        if (insn->rm == X86_R8) { /* it is XCHG R8, rAX, whatever Zydis calls it */
            insn->treatment = REM_TREAT_IEM;
            insn->gpr_read = insn->gpr_written = 1u << X86_RAX | 1u << X86_R8;
        }
        break;
    case ZYDIS_MNEMONIC_CVTPI2PS: /* of memory: processors differ in what becomes of the x87 */
        insn->treatment = insn->form & REM_FORM_MEM ? REM_TREAT_IEM : insn->treatment;
        break;
    case ZYDIS_MNEMONIC_BSF:
    case ZYDIS_MNEMONIC_BSR: insn->gpr_read |= insn->gpr_written; break; /* kept for zero */
    case ZYDIS_MNEMONIC_BT:
    case ZYDIS_MNEMONIC_BTC:
    case ZYDIS_MNEMONIC_BTR:
    case ZYDIS_MNEMONIC_BTS:
        if ((insn->form & REM_FORM_MEM) && insn->imm_size == 0)
            insn->does |= REM_DOES_BITS;
        break;
    case ZYDIS_MNEMONIC_MOV:
        if (is_system_move(&insn->op))
            insn->does |= REM_DOES_LEAVE;
        break;
    default: break;
    }
    if (zydis->meta.branch_type != ZYDIS_BRANCH_TYPE_NONE ||
        (insn->treatment != REM_TREAT_COPY && insn->treatment != REM_TREAT_REWRITE))
        insn->does |= REM_DOES_LEAVE;
}

/* A SIB byte without base has none with REX.B either, whatever Zydis says. */
static void
correct_base(const ZydisDecodedInstruction *zydis, ZydisDecodedOperand *operand)
{
    if (operand->encoding != ZYDIS_OPERAND_ENCODING_MODRM_RM || zydis->raw.modrm.mod != 0 ||
        zydis->raw.modrm.rm != 4 || zydis->raw.sib.base != 5 || zydis->address_width == 16)
        return;
    operand->mem.base = ZYDIS_REGISTER_NONE;
    operand->mem.disp.value = zydis->raw.disp.value;
}

static void
note_operands(const X86Decoded *decoded, RemInsn *insn)
{
    for (unsigned i = 0; i < decoded->insn.operand_count; i++) {
        ZydisDecodedOperand operand = decoded->operands[i];

        if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER) {
            note_register(&operand, insn);
        } else if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY) {
            correct_base(&decoded->insn, &operand);
            note_memory(&decoded->insn, &operand, insn);
        }
    }
}

static bool
offered(const Vcpu *profile, const RemRow *row, const ZydisDecodedInstruction *zydis)
{
    return row->known && cpum_has(profile, row->feature) &&
           (zydis->encoding != ZYDIS_INSTRUCTION_ENCODING_VEX || iem_offers_vex(profile, zydis));
}

X86DecodeResult
rem_insn_decode(const X86Decoder *decoder, X86CodeSize code, const Vcpu *profile,
                const uint8_t *bytes, size_t available, RemInsn *insn)
{
    X86Decoded decoded;
    X86DecodeResult result = x86_decode_operands(decoder, code, bytes, available, &decoded);
    const RemRow *row;

    if (result == X86_DECODE_MORE)
        return result;
    memset(insn, 0, sizeof *insn);
    insn->code = code;
    insn->mem.base = insn->mem.index = REM_NO_REG;
    insn->mem.align = 1;
    if (result != X86_DECODE_OK) {
        insn->row = ZYDIS_MNEMONIC_INVALID;
        insn->does = REM_DOES_LEAVE;
        return result;
    }
    row = &rows[decoded.insn.mnemonic];
    insn->row = (uint16_t)decoded.insn.mnemonic;
    insn->treatment = offered(profile, row, &decoded.insn) ? row->treatment : REM_TREAT_IEM;
    insn->length = decoded.insn.length;
    insn->opsize = decoded.insn.operand_width / 8;
    insn->addrsize = decoded.insn.address_width / 8;
    fill_encoding(&decoded, insn);
    fill_immediate(&decoded.insn, bytes, insn);
    note_operands(&decoded, insn);
    note_behaviour(&decoded.insn, insn);
    rem_insn_fill_flags(&decoded.insn, insn);
    if (!rem_can_rewrite(insn)) /* such forms of COPY, too, may go to IEM */
        insn->does |= REM_DOES_LEAVE;
    return X86_DECODE_OK;
}
