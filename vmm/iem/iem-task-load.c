/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The second half of a task switch: CR3, LDTR and the segment registers of the new task. All
 * selectors are in place before the first descriptor is looked at, so that a handler of #TS, #NP or
 * #SS finds them. Intel SDM volume 3A 7.3, table 7-1. */
#include "vmm/iem/iem-task.h"

static void
require(Vcpu *vcpu, bool ok, uint8_t vector, uint16_t selector, uint32_t ext)
{
    if (!ok)
        iem_raise_error(vcpu, vector, iem_selector_error(selector, ext));
}

static void
load_cr3(Vcpu *vcpu, const IemTaskState *task)
{
    if (!task->wide || !(vcpu->cr0 & X86_CR0_PG))
        return;
    vcpu->cr3 = task->cr3;
    if (!pgm_cr3_changed(vcpu))
        iem_raise_gp0(vcpu);
}

static void
load_ldtr(Vcpu *vcpu, uint16_t selector, uint32_t ext)
{
    IemDescriptor d;

    if (iem_selector_is_null(selector))
        return;
    require(vcpu, !(selector & 4), X86_XCPT_TS, selector, ext);
    iem_fetch_or_raise(vcpu, selector, X86_XCPT_TS, ext, &d);
    require(vcpu,
            iem_descriptor_is_system(&d) && iem_descriptor_type(&d) == X86_SYS_LDT &&
                d.attr & X86_SEG_P,
            X86_XCPT_TS, selector, ext);
    vcpu->ldtr = (CpumSeg){.sel = selector, .base = d.base, .limit = d.limit, .attr = d.attr};
}

static void
load_code(Vcpu *vcpu, uint16_t selector, uint32_t ext)
{
    unsigned rpl = selector & 3u;
    IemDescriptor d;
    unsigned dpl;

    require(vcpu, !iem_selector_is_null(selector), X86_XCPT_TS, selector, ext);
    iem_fetch_or_raise(vcpu, selector, X86_XCPT_TS, ext, &d);
    dpl = X86_SEG_DPL(d.attr);
    require(vcpu,
            iem_descriptor_is_code(&d) &&
                (iem_descriptor_is_conforming(&d) ? dpl <= rpl : dpl == rpl),
            X86_XCPT_TS, selector, ext);
    require(vcpu, (d.attr & X86_SEG_P) != 0, X86_XCPT_NP, selector, ext);
    iem_load_cs(vcpu, selector, &d, rpl);
}

static void
load_stack(Vcpu *vcpu, uint16_t selector, unsigned cpl, uint32_t ext)
{
    IemDescriptor d;

    iem_check_inner_ss(vcpu, selector, cpl, ext, &d);
    iem_load_ss(vcpu, selector, &d);
}

static void
load_data(Vcpu *vcpu, unsigned seg, uint16_t selector, unsigned cpl, uint32_t ext)
{
    IemDescriptor d;

    if (iem_selector_is_null(selector))
        return;
    iem_fetch_or_raise(vcpu, selector, X86_XCPT_TS, ext, &d);
    require(vcpu, iem_data_segment_allowed(selector, &d, cpl), X86_XCPT_TS, selector, ext);
    require(vcpu, (d.attr & X86_SEG_P) != 0, X86_XCPT_NP, selector, ext);
    iem_load_data(vcpu, seg, selector, &d);
}

/* CPL counts as 3 until there is an SS, so that the handler of a fault gets a stack from the TSS.
 */
static void
place_selectors(Vcpu *vcpu, const IemTaskState *task)
{
    for (unsigned i = 0; i < X86_SEG_COUNT; i++)
        iem_null_segment(vcpu, i, task->seg[i]);
    iem_load_null_ss(vcpu, task->seg[X86_SS], 3);
    vcpu->ldtr = (CpumSeg){.sel = task->ldt, .attr = X86_SEG_UNUSABLE};
    cpum_update_mode(vcpu);
    iem_segments_changed(vcpu);
}

static void
load_protected(Vcpu *vcpu, const IemTaskState *task, uint32_t ext)
{
    static const uint8_t data[] = {X86_DS, X86_ES, X86_FS, X86_GS};
    unsigned cpl = task->seg[X86_CS] & 3;

    load_stack(vcpu, task->seg[X86_SS], cpl, ext);
    cpum_update_mode(vcpu);
    iem_segments_changed(vcpu);
    load_code(vcpu, task->seg[X86_CS], ext);
    cpum_update_mode(vcpu);
    for (unsigned i = 0; i < G_N_ELEMENTS(data); i++)
        load_data(vcpu, data[i], task->seg[data[i]], cpl, ext);
}

void
iem_task_load(Vcpu *vcpu, const IemTaskState *task, uint32_t ext)
{
    place_selectors(vcpu, task);
    load_cr3(vcpu, task);
    load_ldtr(vcpu, task->ldt, ext);
    if (task->flags & X86_FL_VM) {
        for (unsigned i = 0; i < X86_SEG_COUNT; i++)
            iem_load_real_segment(vcpu, i, task->seg[i], true);
        cpum_update_mode(vcpu);
    } else {
        load_protected(vcpu, task, ext);
    }
    iem_segments_changed(vcpu);
    if (task->ip > vcpu->seg[X86_CS].limit)
        iem_raise_error(vcpu, X86_XCPT_GP, ext);
}
