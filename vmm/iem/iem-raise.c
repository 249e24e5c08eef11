/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How a handler leaves its instruction: exceptions, exits, changes of state; and how an exception
 * becomes a delivery, a double fault or a shutdown. Intel SDM volume 3A sections 6.5, 6.15 (table
 * 6-5). */
#include "vmm/iem/iem-private.h"

static G_NORETURN void
leave_with(Vcpu *vcpu, uint8_t vector, bool has_error, uint32_t error)
{
    IemVcpu *iem = vcpu->iem_vcpu;

    iem->event_raised = true;
    iem->event_kind = IEM_EVENT_EXCEPTION;
    iem->event_vector = vector;
    iem->event_has_error = has_error;
    iem->event_error = error;
    iem->event_counts |= iem->delivering == IEM_DELIVERING_NONE;
    vcpu->rip -= iem->insn->length;
    longjmp(iem->env, 1);
}

void
iem_raise(Vcpu *vcpu, uint8_t vector)
{
    leave_with(vcpu, vector, false, 0);
}

void
iem_raise_error(Vcpu *vcpu, uint8_t vector, uint32_t error)
{
    leave_with(vcpu, vector, true, error);
}

void
iem_raise_page_fault(Vcpu *vcpu, uint64_t linear, uint32_t error)
{
    vcpu->iem_vcpu->event_cr2 = linear;
    leave_with(vcpu, X86_XCPT_PF, true, error);
}

void
iem_wait_before(Vcpu *vcpu)
{
    vcpu->rip -= vcpu->iem_vcpu->insn->length;
    vcpu->iem_vcpu->event_raised = vcpu->iem_vcpu->waits = true;
    longjmp(vcpu->iem_vcpu->env, 1);
}

void
iem_debug_trap(Vcpu *vcpu, uint64_t dr6_bits)
{
    vcpu->iem_vcpu->debug_hits |= dr6_bits;
    vcpu->iem_vcpu->stop |= IEM_STOP_DEBUG;
}

void
iem_leave(Vcpu *vcpu, EmExit exit)
{
    vcpu->iem_vcpu->exit = exit;
    vcpu->iem_vcpu->stop |= IEM_STOP_EXIT;
}

void
iem_state_changed(Vcpu *vcpu)
{
    iem_segments_changed(vcpu);
    vcpu->iem_vcpu->stop |= IEM_STOP_STATE;
}

/* Classes of table 6-5: exceptions that make a double fault of a second one. */
static bool
is_contributory(int vector)
{
    return vector == X86_XCPT_DE || (vector >= X86_XCPT_TS && vector <= X86_XCPT_GP);
}

static bool
becomes_double_fault(int first, int second)
{
    if (first == X86_XCPT_PF)
        return second == X86_XCPT_PF || is_contributory(second);
    return is_contributory(first) && is_contributory(second);
}

/* What has to be true in the registers before the handler of an exception starts. */
static void
prepare_exception(Vcpu *vcpu, const IemVcpu *iem)
{
    if (iem->event_vector == X86_XCPT_PF)
        vcpu->cr2 = iem->event_cr2;
    if (iem->event_vector == X86_XCPT_DB)
        vcpu->dr[7] &= ~(uint64_t)(1u << 13); /* GD */
}

bool
iem_deliver_raised(Vcpu *vcpu)
{
    IemVcpu *iem = vcpu->iem_vcpu;

    iem->event_raised = false;
    iem->insn = &iem_no_insn;
    if (iem->waits) {
        iem->waits = false;
        vcpu->activity = CPUM_HALTED;
        return true;
    }
    /* A budget ends and time passes for a guest that only faults, too. */
    vcpu->retired += iem->event_counts;
    iem->event_counts = false;
    if (iem->event_kind == IEM_EVENT_EXCEPTION && iem->delivering >= 0) {
        if (iem->delivering == X86_XCPT_DF) {
            iem->delivering = IEM_DELIVERING_NONE;
            vcpu->activity = CPUM_SHUTDOWN;
            return false;
        }
        if (becomes_double_fault(iem->delivering, iem->event_vector)) {
            iem->event_vector = X86_XCPT_DF;
            iem->event_has_error = true;
            iem->event_error = 0;
        }
    }
    iem->delivering =
        iem->event_kind == IEM_EVENT_EXCEPTION ? iem->event_vector : IEM_DELIVERING_BENIGN;
    if (iem->event_kind == IEM_EVENT_EXCEPTION)
        prepare_exception(vcpu, iem);
    iem_interrupt(vcpu, iem->event_kind, iem->event_vector, iem->event_has_error, iem->event_error);
    iem->delivering = IEM_DELIVERING_NONE;
    return true;
}
