/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the interpreter's loop (iem.c) and the way in for other engines (iem-fallback.c) share: what
 * is looked at between two instructions. */
#pragma once

#include "vmm/iem/iem-cache.h"

/* Counts the instructions from IemVcpu.first up to `end` as retired. */
static inline void
iem_account(Vcpu *vcpu, const IemInsn *end)
{
    IemVcpu *iem = vcpu->iem_vcpu;

    vcpu->retired += (uint64_t)(end - iem->first);
    iem->first = end;
}

/* Anything that a loop over blocks does not do itself: one look at the words in question. */
static inline bool
iem_needs_care(const Vcpu *vcpu)
{
    return (cpum_pending(vcpu) | vcpu->irq_shadow | vcpu->iem_vcpu->check_code |
            (vcpu->debug_waits != 0) | (vcpu->rflags & (X86_FL_TF | X86_FL_RF))) != 0;
}

/* MOV SS and POP SS, unlike STI, put off debug exceptions as well (SDM 3A 6.8.3). */
static inline bool
iem_holds_debug(const Vcpu *vcpu)
{
    return vcpu->irq_shadow && vcpu->iem_vcpu->after_mov_ss;
}

/* Which enabled instruction breakpoints are at CS:RIP, as DR6 bits. */
unsigned iem_code_breakpoints(const Vcpu *vcpu);
/* Acts on `stop`; an exception may be waiting in event_raised then. False: leave run with
 * IemVcpu.exit. */
bool iem_act_on_stop(Vcpu *vcpu);
/* iem_deliver_raised(), and then what breakpoints that delivery has hit. */
bool iem_deliver_all(Vcpu *vcpu);
/* What a raise leaves behind: instructions of the block that did retire, half-set state. */
void iem_after_raise(Vcpu *vcpu);
