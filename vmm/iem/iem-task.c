/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Task switches by far JMP and CALL, interrupts through task gates, and IRET with NT. All writes to
 * memory come before the first change of the CPU's state; what fails while the new task's segments
 * are loaded is reported in the new task. Loading of the segments is in iem-task-load.c.
 * Intel SDM volume 3A chapter 7. Long mode has no task switches. */
#include "vmm/iem/iem-task.h"

/* Offsets in the two forms of a TSS; selectors and registers follow in the encoding's order. */
typedef struct {
    uint8_t size; /* of a register's slot */
    uint8_t ip, flags, gpr, seg, seg_count, ldt;
    uint8_t min_limit;
} TssLayout;

static const TssLayout *
tss_layout(uint32_t attr)
{
    static const TssLayout tss16 = {2, 0x0e, 0x10, 0x12, 0x22, 4, 0x2a, 0x2b};
    static const TssLayout tss32 = {4, 0x20, 0x24, 0x28, 0x48, 6, 0x60, 0x67};

    return attr & 8 ? &tss32 : &tss16;
}

#define TSS32_CR3 0x1c
#define TSS32_TRAP 0x64

static uint32_t
read_slot(Vcpu *vcpu, const TssLayout *layout, uint64_t place)
{
    return layout->size == 4 ? iem_sys_read_u32(vcpu, place) : iem_sys_read_u16(vcpu, place);
}

static void
write_slot(Vcpu *vcpu, const TssLayout *layout, uint64_t place, uint64_t value)
{
    if (layout->size == 4)
        iem_sys_write_u32(vcpu, place, (uint32_t)value);
    else
        iem_sys_write_u16(vcpu, place, (uint16_t)value);
}

/* A 16-bit TSS leaves the upper halves of the registers undefined (here: set, as hardware has
 * them), and FS and GS null. */
static void
read_task(Vcpu *vcpu, const TssLayout *layout, uint64_t base, IemTaskState *task)
{
    bool wide = layout->size == 4;

    *task = (IemTaskState){.wide = wide};
    task->ip = read_slot(vcpu, layout, base + layout->ip);
    task->flags = read_slot(vcpu, layout, base + layout->flags);
    for (unsigned i = 0; i < 8; i++)
        task->gpr[i] = read_slot(vcpu, layout, base + layout->gpr + i * layout->size) |
                       (wide ? 0 : 0xffff0000u);
    for (unsigned i = 0; i < layout->seg_count; i++)
        task->seg[i] = iem_sys_read_u16(vcpu, base + layout->seg + i * layout->size);
    task->ldt = iem_sys_read_u16(vcpu, base + layout->ldt);
    if (wide) {
        task->cr3 = iem_sys_read_u32(vcpu, base + TSS32_CR3);
        task->trap = iem_sys_read_u16(vcpu, base + TSS32_TRAP) & 1;
    }
}

/* LDT selector and CR3 of the old TSS are not written. */
static void
save_task(Vcpu *vcpu, const TssLayout *layout, uint64_t flags, uint64_t rip)
{
    uint64_t base = vcpu->tr.base;

    write_slot(vcpu, layout, base + layout->ip, rip);
    write_slot(vcpu, layout, base + layout->flags, flags);
    for (unsigned i = 0; i < 8; i++)
        write_slot(vcpu, layout, base + layout->gpr + i * layout->size, vcpu->gpr[i]);
    for (unsigned i = 0; i < layout->seg_count; i++)
        iem_sys_write_u16(vcpu, base + layout->seg + i * layout->size, vcpu->seg[i].sel);
}

static void
set_busy(Vcpu *vcpu, uint16_t selector, bool busy)
{
    const uint64_t place = vcpu->gdtr.base + (selector & 0xfff8u) + 5;

    iem_sys_change_u8(vcpu, place, busy ? 2 : 0, busy ? 0 : 2);
}

static bool
is_nested(IemTaskWhy why)
{
    return why == IEM_TASK_CALL || why == IEM_TASK_INTERRUPT || why == IEM_TASK_SOFTWARE;
}

static void
check_limit(Vcpu *vcpu, const TssLayout *layout, uint16_t selector, const IemDescriptor *d,
            uint32_t ext)
{
    if (d->limit < layout->min_limit)
        iem_raise_error(vcpu, X86_XCPT_TS, iem_selector_error(selector, ext));
}

/* Registers that cannot fault. */
static void
enter_task(Vcpu *vcpu, const IemTaskState *task)
{
    const uint32_t flags = X86_FL_STATUS | X86_FL_TF | X86_FL_IF | X86_FL_DF | X86_FL_IOPL |
                           X86_FL_NT | X86_FL_RF | X86_FL_VM | X86_FL_AC | X86_FL_VIF | X86_FL_VIP |
                           X86_FL_ID;

    vcpu->cr0 |= X86_CR0_TS;
    vcpu->dr[7] &= ~0x155ull; /* L0..L3, LE */
    vcpu->rflags = (task->flags & flags) | X86_FL_1;
    for (unsigned i = 0; i < 8; i++)
        vcpu->gpr[i] = task->gpr[i];
}

static void
load_tr(Vcpu *vcpu, uint16_t selector, const IemDescriptor *d)
{
    vcpu->tr.sel = selector;
    vcpu->tr.base = d->base;
    vcpu->tr.limit = d->limit;
    vcpu->tr.attr = d->attr | 2;
}

static void
push_error(Vcpu *vcpu, unsigned size, uint32_t error, uint32_t ext)
{
    IemFrame frame;

    iem_frame_current(vcpu, &frame, ext);
    iem_frame_check_push(vcpu, &frame, 1, size);
    iem_frame_push(vcpu, &frame, error, size);
    iem_frame_commit(vcpu, &frame);
}

void
iem_task_switch(Vcpu *vcpu, uint16_t selector, unsigned why, bool has_error, uint32_t error,
                uint64_t return_rip)
{
    uint32_t ext = why == IEM_TASK_INTERRUPT ? IEM_ERROR_EXT : 0;
    const TssLayout *old = tss_layout(vcpu->tr.attr);
    const TssLayout *layout;
    uint64_t flags = vcpu->rflags;
    IemTaskState task;
    IemDescriptor d;

    iem_fetch_or_raise(vcpu, selector, X86_XCPT_TS, ext, &d);
    layout = tss_layout(d.attr);
    check_limit(vcpu, layout, selector, &d, ext);
    read_task(vcpu, layout, d.base, &task);
    if (why == IEM_TASK_IRET)
        flags &= ~(uint64_t)X86_FL_NT;
    save_task(vcpu, old, flags, return_rip);
    if (is_nested(why)) {
        iem_sys_write_u16(vcpu, d.base, vcpu->tr.sel);
        task.flags |= X86_FL_NT;
    } else {
        set_busy(vcpu, vcpu->tr.sel, false);
    }
    if (why != IEM_TASK_IRET)
        set_busy(vcpu, selector, true);

    /* From here on the new task runs, and faults are its own: at its first instruction, from which
     * iem_raise_*() takes the length of the one that executes now. */
    load_tr(vcpu, selector, &d);
    enter_task(vcpu, &task);
    vcpu->rip = task.ip + vcpu->iem_vcpu->insn->length;
    iem_task_load(vcpu, &task, ext);
    if (has_error)
        push_error(vcpu, layout->size, error, ext);
    vcpu->rip = task.ip;
    if (task.trap)
        iem_debug_trap(vcpu, IEM_DR6_BT);
    iem_state_changed(vcpu);
    iem_check_virtual_interrupt(vcpu);
    trpm_recheck(vcpu);
}

static bool
is_available_tss(const IemDescriptor *d)
{
    unsigned type = iem_descriptor_type(d);

    return iem_descriptor_is_system(d) &&
           (type == X86_SYS_TSS16_AVAIL || type == X86_SYS_TSS32_AVAIL);
}

void
iem_task_gate_check(Vcpu *vcpu, uint16_t tss, uint32_t ext)
{
    uint32_t error = iem_selector_error(tss, ext);
    IemDescriptor d;

    if (tss & 4)
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    iem_fetch_or_raise(vcpu, tss, X86_XCPT_GP, ext, &d);
    if (!is_available_tss(&d))
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (!(d.attr & X86_SEG_P))
        iem_raise_error(vcpu, X86_XCPT_NP, error);
}

void
iem_task_transfer(Vcpu *vcpu, uint16_t selector, const IemDescriptor *d, bool call)
{
    uint32_t error = iem_selector_error(selector, 0);
    uint16_t tss = selector;

    if (iem_long_mode_active(vcpu))
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (iem_descriptor_type(d) == X86_SYS_TASK_GATE) {
        iem_check_system_target(vcpu, selector, d);
        tss = iem_gate_selector(d);
        iem_task_gate_check(vcpu, tss, 0);
    } else {
        if (!is_available_tss(d) || selector & 4)
            iem_raise_error(vcpu, X86_XCPT_GP, error);
        iem_check_system_target(vcpu, selector, d);
    }
    iem_task_switch(vcpu, tss, call ? IEM_TASK_CALL : IEM_TASK_JMP, false, 0, vcpu->rip);
}
