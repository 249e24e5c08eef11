/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From code bytes to an IemInsn with its handler. Every family's choosers are declared here, from
 * vmm/x86/instructions.def. */
#pragma once

#include "vmm/iem/iem-private.h"
#include "vmm/x86/x86-decode.h"

#define INSN(mnemonic, chooser, rem, csam, feature)                                                \
    IemHandler chooser(const Vcpu *vcpu, IemInsn *insn);
#include "vmm/x86/instructions.def"
#undef INSN

/* The decoder for this CPU's profile. */
void iem_decoder_init(X86Decoder *decoder, const Vcpu *vcpu);
/* Decodes for the present mode. OK also stands for an undefined or over-long instruction: its
 * handler raises the fault. MORE: `available` bytes were not enough. */
X86DecodeResult iem_decode(const X86Decoder *decoder, const Vcpu *vcpu, const uint8_t *bytes,
                           size_t available, IemInsn *insn);
