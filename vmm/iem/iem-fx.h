/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The legacy area that FXSAVE and XSAVE share. Intel SDM volume 1 section 10.5. */
#pragma once

#include "vmm/iem/iem-private.h"

#define IEM_FX_MXCSR 24u /* and its mask */
#define IEM_FX_ST 32u
#define IEM_FX_XMM 160u
#define IEM_FX_USED 416u /* the rest is the program's own */
#define IEM_FX_FCW_INITIAL 0x37fu

/* The area as an FXSAVE with this REX.W would write it. */
void iem_fx_image(Vcpu *vcpu, const IemInsn *insn, uint8_t image[IEM_FX_USED]);
/* Its x87 part into the registers; the registers' initial values. */
void iem_fx_load_x87(Vcpu *vcpu, const IemInsn *insn, const uint8_t image[IEM_FX_USED]);
void iem_fx_init_x87(Vcpu *vcpu);
