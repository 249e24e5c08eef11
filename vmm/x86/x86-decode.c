/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Decoding of one instruction: Zydis with the modes that the guest's profile wants. Intel SDM
 * volume 2A chapter 2 for the limit of 15 bytes; AMD-specific branch decoding is left out. */
#include "vmm/x86/x86-decode.h"

static void
set_modes(ZydisDecoder *zydis, unsigned options)
{
    static const struct {
        ZydisDecoderMode mode;
        unsigned option;
    } modes[] = {
        {ZYDIS_DECODER_MODE_LZCNT, X86_DECODE_LZCNT},
        {ZYDIS_DECODER_MODE_TZCNT, X86_DECODE_TZCNT},
        {ZYDIS_DECODER_MODE_CET, X86_DECODE_CET},
        {ZYDIS_DECODER_MODE_MPX, X86_DECODE_MPX},
        {ZYDIS_DECODER_MODE_CLDEMOTE, X86_DECODE_CLDEMOTE},
        {ZYDIS_DECODER_MODE_WBNOINVD, X86_DECODE_WBNOINVD},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++)
        ZydisDecoderEnableMode(zydis, modes[i].mode, (options & modes[i].option) != 0);
}

void
x86_decoder_init(X86Decoder *decoder, unsigned options)
{
    ZydisDecoderInit(&decoder->zydis[X86_CODE_16], ZYDIS_MACHINE_MODE_LEGACY_16,
                     ZYDIS_STACK_WIDTH_16);
    ZydisDecoderInit(&decoder->zydis[X86_CODE_32], ZYDIS_MACHINE_MODE_LEGACY_32,
                     ZYDIS_STACK_WIDTH_32);
    ZydisDecoderInit(&decoder->zydis[X86_CODE_64], ZYDIS_MACHINE_MODE_LONG_64,
                     ZYDIS_STACK_WIDTH_64);
    for (unsigned i = 0; i < X86_CODE_COUNT; i++)
        set_modes(&decoder->zydis[i], options);
}

static X86DecodeResult
result_of(ZyanStatus status, size_t available)
{
    if (ZYAN_SUCCESS(status))
        return X86_DECODE_OK;
    if (status == ZYDIS_STATUS_NO_MORE_DATA)
        return available >= X86_INSN_MAX ? X86_DECODE_TOO_LONG : X86_DECODE_MORE;
    if (status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG)
        return X86_DECODE_TOO_LONG;
    return X86_DECODE_UNDEFINED;
}

X86DecodeResult
x86_decode(const X86Decoder *decoder, X86CodeSize code, const uint8_t *bytes, size_t available,
           ZydisDecodedInstruction *out)
{
    if (available == 0)
        return X86_DECODE_MORE;
    return result_of(
        ZydisDecoderDecodeInstruction(&decoder->zydis[code], NULL, bytes, available, out),
        available);
}

X86DecodeResult
x86_decode_operands(const X86Decoder *decoder, X86CodeSize code, const uint8_t *bytes,
                    size_t available, X86Decoded *out)
{
    const ZydisDecoder *zydis = &decoder->zydis[code];
    ZyanStatus status;

    if (available == 0)
        return X86_DECODE_MORE;
    status = ZydisDecoderDecodeInstruction(zydis, &out->context, bytes, available, &out->insn);
    if (ZYAN_SUCCESS(status))
        status = ZydisDecoderDecodeOperands(zydis, &out->context, &out->insn, out->operands,
                                            out->insn.operand_count);
    return result_of(status, available);
}

const char *
x86_mnemonic_name(unsigned mnemonic)
{
    const char *name = ZydisMnemonicGetString((ZydisMnemonic)mnemonic);

    return name != NULL ? name : "?";
}
