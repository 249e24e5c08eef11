/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * IEM: the interpreter. All instructions, all modes; the reference, and what every other engine
 * falls back to. For other engines: execute one instruction at the present state. */
#pragma once

#include "vmm/em/engine.h"

extern const EmEngine iem_engine;

/* Executes one instruction (with delivery of the exception that it raises) without caching what was
 * decoded. Returns like EmEngine.run with a budget of 1. */
EmExit iem_step(Vcpu *vcpu);
/* Delivers an interrupt or exception at the present state, as another engine asks for: vector,
 * kind. A fault in the delivery becomes #DF and then shutdown as the SDM says. */
typedef enum {
    IEM_EVENT_EXTERNAL,
    IEM_EVENT_NMI,
    IEM_EVENT_EXCEPTION,
    IEM_EVENT_SOFTWARE,
    IEM_EVENT_ICEBP
} IemEventKind;
EmExit iem_deliver(Vcpu *vcpu, IemEventKind kind, uint8_t vector, uint32_t error_code,
                   uint64_t fault_address);
