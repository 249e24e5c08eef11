/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The interpreter as a helper of engines that translate, and what its own loop shares with that.
 * Intel SDM volume 3A section 6.9 (priorities) and chapter 17 (debug exceptions). */
#include "vmm/iem/iem-fallback.h"

#include "vmm/iem/iem-loop-private.h"
#include "vmm/iem/iem-vector.h"

const IemInsn iem_no_insn;

unsigned
iem_code_breakpoints(const Vcpu *vcpu)
{
    uint64_t linear =
        iem_is_long64(vcpu) ? vcpu->rip : (uint32_t)(vcpu->seg[X86_CS].base + vcpu->rip);
    unsigned hits = 0;

    for (unsigned i = 0; i < 4; i++) {
        bool enabled = (vcpu->dr[7] >> (2 * i)) & 3;
        unsigned rw = (unsigned)(vcpu->dr[7] >> (16 + 4 * i)) & 3;

        if (enabled && rw == 0 && vcpu->dr[i] == linear)
            hits |= 1u << i;
    }
    return hits;
}

/* The trap comes after the next instruction. */
static void
debug_waits(Vcpu *vcpu)
{
    IemVcpu *iem = vcpu->iem_vcpu;

    vcpu->debug_waits |= iem->debug_hits;
    iem->debug_hits = 0;
    iem->stop &= ~(uint32_t)IEM_STOP_DEBUG;
}

bool
iem_act_on_stop(Vcpu *vcpu)
{
    IemVcpu *iem = vcpu->iem_vcpu;
    uint32_t stop = iem->stop;

    iem->stop = 0;
    if (stop & IEM_STOP_RESTART) {
        vcpu->retired--;
        vcpu->rflags |= X86_FL_RF; /* in the image of what interrupts a REP (SDM 3B 17.3.1.1) */
    }
    if (stop & IEM_STOP_STATE)
        iem_segments_changed(vcpu);
    if ((stop & IEM_STOP_DEBUG) && !iem_holds_debug(vcpu)) {
        vcpu->dr[6] |= iem->debug_hits | iem_code_breakpoints(vcpu);
        iem->debug_hits = 0;
        iem->event_raised = true;
        iem->event_kind = IEM_EVENT_EXCEPTION;
        iem->event_vector = X86_XCPT_DB;
        iem->event_has_error = false;
        iem->event_error = 0;
    } else if (stop & IEM_STOP_DEBUG) {
        debug_waits(vcpu); /* MOV SS */
    }
    return !(stop & IEM_STOP_EXIT);
}

void
iem_after_raise(Vcpu *vcpu)
{
    IemVcpu *iem = vcpu->iem_vcpu;

    iem_alone_end(vcpu);
    if (iem->insn != &iem_no_insn && iem->first != NULL)
        iem_account(vcpu, iem->insn);
    iem->first = NULL;
    iem->stop = 0;
    iem->debug_hits = 0;
}

void
iem_begin(Vcpu *vcpu)
{
    IemVcpu *iem = vcpu->iem_vcpu;

    iem->stop = 0;
    iem->debug_hits = 0;
    iem->event_raised = false;
    iem->event_counts = false;
    iem->delivering = IEM_DELIVERING_NONE;
    iem_cache_enter(vcpu);
    iem_segments_changed(vcpu);
    iem_vector_enter(vcpu);
}

void
iem_end(Vcpu *vcpu)
{
    iem_vector_leave(vcpu);
}

void
iem_bases_changed(Vcpu *vcpu)
{
    if (!iem_is_long64(vcpu))
        return;
    vcpu->iem_vcpu->seg[X86_FS].base = vcpu->seg[X86_FS].base;
    vcpu->iem_vcpu->seg[X86_GS].base = vcpu->seg[X86_GS].base;
}

bool
iem_guard(Vcpu *vcpu, void (*body)(Vcpu *vcpu))
{
    IemVcpu *iem = vcpu->iem_vcpu;

    iem->insn = &iem_no_insn;
    iem->first = NULL;
    if (setjmp(iem->env) == 0) {
        body(vcpu);
        return true;
    }
    iem_after_raise(vcpu);
    return iem_deliver_all(vcpu);
}

bool
iem_wants_care(const Vcpu *vcpu)
{
    return iem_needs_care(vcpu);
}

bool
iem_checks_memory(const Vcpu *vcpu)
{
    return vcpu->iem_vcpu->check_align || vcpu->iem_vcpu->check_data;
}

void
iem_segment_window(const Vcpu *vcpu, unsigned seg, uint64_t *read_end, uint64_t *write_end)
{
    *read_end = vcpu->iem_vcpu->seg[seg].read_end;
    *write_end = vcpu->iem_vcpu->seg[seg].write_end;
}

uint32_t
iem_segment_changes(const Vcpu *vcpu)
{
    return vcpu->iem_vcpu->seen_changes;
}

bool
iem_code_fits(const Vcpu *vcpu, unsigned bytes)
{
    return vcpu->rip + bytes <= vcpu->iem_vcpu->code_end;
}

size_t
iem_insn_size(void)
{
    return sizeof(IemInsn);
}

bool
iem_insn_decode(const Vcpu *vcpu, const uint8_t *bytes, size_t available, IemInsn *room)
{
    return iem_decode(iem_cache_decoder(vcpu), vcpu, bytes, available, room) == X86_DECODE_OK;
}

void
iem_insn_fetch(Vcpu *vcpu, IemInsn *room)
{
    *room = *iem_cache_uncached(vcpu);
}

unsigned
iem_insn_length(const IemInsn *insn)
{
    return insn->length;
}

unsigned
iem_insn_row(const IemInsn *insn)
{
    return insn->row;
}

bool
iem_insn_ends_block(const IemInsn *insn)
{
    return insn->flags & IEM_INSN_BLOCK_END;
}

bool
iem_insn_is_system(const IemInsn *insn)
{
    return insn->flags & IEM_INSN_SYSTEM;
}

bool
iem_insn_loads_segment(const IemInsn *insn)
{
    return insn->flags & IEM_INSN_SEGMENT;
}

bool
iem_insn_execute(Vcpu *vcpu, const IemInsn *insn)
{
    IemVcpu *iem = vcpu->iem_vcpu;

    vcpu->rip += insn->length;
    iem->insn = iem->first = insn;
    insn->handler(vcpu, insn);
    iem_account(vcpu, insn + 1);
    iem->insn = &iem_no_insn;
    if ((insn->flags & (IEM_INSN_SYSTEM | IEM_INSN_SEGMENT)) == IEM_INSN_SYSTEM)
        iem_after_system(vcpu);
    return iem->stop == 0;
}

bool
iem_step_cached(Vcpu *vcpu)
{
    const IemBlock *block = iem_cache_find(vcpu);

    return iem_insn_execute(vcpu, block != NULL ? block->insn : iem_cache_uncached(vcpu));
}

bool
iem_settle(Vcpu *vcpu, EmExit *exit)
{
    const unsigned deliveries = 4;
    IemVcpu *iem = vcpu->iem_vcpu;

    for (unsigned i = 0; i < deliveries && iem->stop; i++) {
        if (!iem_act_on_stop(vcpu)) {
            *exit = (EmExit)iem->exit;
            return false;
        }
        if (iem->event_raised && !iem_deliver_raised(vcpu)) {
            *exit = EM_EXIT_SHUTDOWN;
            return false;
        }
    }
    /* The delivery of an event may hit a breakpoint. One that the delivery of its own exception
     * hits would go on for ever: it waits until an instruction has been executed. */
    if (iem->stop & IEM_STOP_DEBUG)
        debug_waits(vcpu);
    if (iem->stop)
        iem_act_on_stop(vcpu);
    return true;
}

bool
iem_deliver_all(Vcpu *vcpu)
{
    EmExit exit;

    return iem_deliver_raised(vcpu) && iem_settle(vcpu, &exit);
}

void
iem_stop(Vcpu *vcpu)
{
    vcpu->iem_vcpu->stop |= IEM_STOP_CODE;
}
