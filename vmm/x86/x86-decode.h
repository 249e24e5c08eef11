/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Decoding of one instruction with Zydis, as the guest's CPU profile has it: opcodes that newer
 * extensions took from NOP, BSR or BSF decode as these unless the profile has the extension.
 * Intel SDM volume 2; operands beyond ModRM, SIB, displacement and immediates are not looked at. */
#pragma once

#include "vmm/x86/x86.h"

#include <Zydis/Zydis.h>

#define X86_INSN_MAX 15 /* bytes */

typedef enum { X86_CODE_16, X86_CODE_32, X86_CODE_64, X86_CODE_COUNT } X86CodeSize;

/* Extensions that reuse older opcodes. */
typedef enum {
    X86_DECODE_LZCNT = 1u << 0,
    X86_DECODE_TZCNT = 1u << 1,
    X86_DECODE_CET = 1u << 2,
    X86_DECODE_MPX = 1u << 3,
    X86_DECODE_CLDEMOTE = 1u << 4,
    X86_DECODE_WBNOINVD = 1u << 5,
} X86DecodeOptions;

typedef struct {
    ZydisDecoder zydis[X86_CODE_COUNT];
} X86Decoder;

typedef enum {
    X86_DECODE_OK,
    X86_DECODE_UNDEFINED, /* #UD */
    X86_DECODE_TOO_LONG,  /* more than 15 bytes: #GP(0) */
    X86_DECODE_MORE,      /* the bytes end before the instruction does */
} X86DecodeResult;

/* An instruction with its operands; the context has the register numbers of all encodings. */
typedef struct {
    ZydisDecodedInstruction insn;
    ZydisDecoderContext context;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT]; /* insn.operand_count are valid */
} X86Decoded;

/* options is a sum of X86DecodeOptions. */
void x86_decoder_init(X86Decoder *decoder, unsigned options);
/* Decodes what starts at bytes[0]; at most `available` bytes are looked at. */
X86DecodeResult x86_decode(const X86Decoder *decoder, X86CodeSize code, const uint8_t *bytes,
                           size_t available, ZydisDecodedInstruction *out);
/* The same with all operands, explicit and implicit. Takes about twice the time. */
X86DecodeResult x86_decode_operands(const X86Decoder *decoder, X86CodeSize code,
                                    const uint8_t *bytes, size_t available, X86Decoded *out);
/* The name in lower case, for logs and tests; static. */
const char *x86_mnemonic_name(unsigned mnemonic);
