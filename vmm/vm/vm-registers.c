/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A virtual CPU's registers as text, for the log of a triple fault and for tests. */
#include "vmm/vm/vm-private.h"

static void
append_general(const Vcpu *vcpu, GString *out)
{
    static const char *const names[X86_GPR_COUNT] = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
        "r8 ", "r9 ", "r10", "r11", "r12", "r13", "r14", "r15",
    };

    for (unsigned i = 0; i < X86_GPR_COUNT; i++)
        g_string_append_printf(out, "%s=%016" G_GINT64_MODIFIER "x%c", names[i], vcpu->gpr[i],
                               i % 4 == 3 ? '\n' : ' ');
    g_string_append_printf(out,
                           "rip=%016" G_GINT64_MODIFIER "x rfl=%08" G_GINT64_MODIFIER "x cpl=%u\n",
                           vcpu->rip, vcpu->rflags, vcpu->cpl);
}

static void
append_segment(GString *out, const char *name, const CpumSeg *seg)
{
    g_string_append_printf(out, "%s=%04x base=%016" G_GINT64_MODIFIER "x limit=%08x attr=%08x\n",
                           name, seg->sel, seg->base, seg->limit, seg->attr);
}

static void
append_system(const Vcpu *vcpu, GString *out)
{
    static const char *const names[X86_SEG_COUNT] = {"es", "cs", "ss", "ds", "fs", "gs"};

    for (unsigned i = 0; i < X86_SEG_COUNT; i++)
        append_segment(out, names[i], &vcpu->seg[i]);
    append_segment(out, "ldt", &vcpu->ldtr);
    append_segment(out, "tr", &vcpu->tr);
    g_string_append_printf(
        out, "gdt=%016" G_GINT64_MODIFIER "x/%04x idt=%016" G_GINT64_MODIFIER "x/%04x\n",
        vcpu->gdtr.base, vcpu->gdtr.limit, vcpu->idtr.base, vcpu->idtr.limit);
    g_string_append_printf(out,
                           "cr0=%08" G_GINT64_MODIFIER "x cr2=%016" G_GINT64_MODIFIER
                           "x cr3=%016" G_GINT64_MODIFIER "x cr4=%08" G_GINT64_MODIFIER
                           "x efer=%04" G_GINT64_MODIFIER "x\n",
                           vcpu->cr0, vcpu->cr2, vcpu->cr3, vcpu->cr4, vcpu->efer);
    g_string_append_printf(out, "retired=%" G_GUINT64_FORMAT " mode=%u activity=%u pending=%x\n",
                           vcpu->retired, vcpu->mode, vcpu->activity, cpum_pending(vcpu));
}

char *
vmm_registers(const Vmm *vmm, unsigned cpu)
{
    GString *out = g_string_new(NULL);

    if (cpu < cpum_count(vmm->rooms.cpum)) {
        const Vcpu *vcpu = cpum_vcpu(vmm->rooms.cpum, cpu);

        append_general(vcpu, out);
        append_system(vcpu, out);
    }
    return g_string_free(out, FALSE);
}
