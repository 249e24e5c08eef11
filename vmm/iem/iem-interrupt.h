/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of interrupt delivery share: iem-interrupt.c, iem-interrupt-long.c, iem-int.c. */
#pragma once

#include "vmm/iem/iem-system.h"

typedef struct {
    IemEventKind kind;
    uint8_t vector;
    bool has_error;
    uint32_t error;
    uint64_t flags; /* the image to push */
    uint32_t ext;   /* IEM_ERROR_EXT, or 0 for INT n, INT3, INTO */
} IemEvent;

/* The code segment of an interrupt or trap gate. */
void iem_check_handler_code(Vcpu *vcpu, uint16_t selector, uint32_t ext, IemDescriptor *cs);
/* TF, NT, RF, VM off, and IF for an interrupt gate. */
void iem_enter_handler_flags(Vcpu *vcpu, bool interrupt_gate);
void iem_deliver_long(Vcpu *vcpu, const IemEvent *event);
