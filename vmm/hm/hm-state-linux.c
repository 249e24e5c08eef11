/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Registers from the Vcpu to KVM and back, and what KVM was delivering when it left. Linux
 * Documentation/virt/kvm/api.rst (KVM_GET_REGS, KVM_GET_SREGS2, KVM_GET_VCPU_EVENTS, KVM_GET_XCRS);
 * Intel SDM volume 3C section 27.3.1 for what hardware wants of segments. */
#include "vmm/hm/hm-kvm-linux.h"

#include <string.h>
#include <sys/ioctl.h>

/* --- general registers --- */

static bool
import_general(HmVcpu *own)
{
    const Vcpu *vcpu = own->vcpu;
    const uint64_t *gpr = vcpu->gpr;
    const struct kvm_regs regs = {
        .rax = gpr[X86_RAX],
        .rcx = gpr[X86_RCX],
        .rdx = gpr[X86_RDX],
        .rbx = gpr[X86_RBX],
        .rsp = gpr[X86_RSP],
        .rbp = gpr[X86_RBP],
        .rsi = gpr[X86_RSI],
        .rdi = gpr[X86_RDI],
        .r8 = gpr[X86_R8],
        .r9 = gpr[X86_R9],
        .r10 = gpr[X86_R10],
        .r11 = gpr[X86_R11],
        .r12 = gpr[X86_R12],
        .r13 = gpr[X86_R13],
        .r14 = gpr[X86_R14],
        .r15 = gpr[X86_R15],
        .rip = vcpu->rip,
        .rflags = vcpu->rflags,
    };

    return ioctl(own->fd, KVM_SET_REGS, &regs) == 0;
}

static void
export_general(HmVcpu *own)
{
    Vcpu *vcpu = own->vcpu;
    struct kvm_regs regs;

    if (ioctl(own->fd, KVM_GET_REGS, &regs) != 0)
        return;
    vcpu->gpr[X86_RAX] = regs.rax;
    vcpu->gpr[X86_RCX] = regs.rcx;
    vcpu->gpr[X86_RDX] = regs.rdx;
    vcpu->gpr[X86_RBX] = regs.rbx;
    vcpu->gpr[X86_RSP] = regs.rsp;
    vcpu->gpr[X86_RBP] = regs.rbp;
    vcpu->gpr[X86_RSI] = regs.rsi;
    vcpu->gpr[X86_RDI] = regs.rdi;
    vcpu->gpr[X86_R8] = regs.r8;
    vcpu->gpr[X86_R9] = regs.r9;
    vcpu->gpr[X86_R10] = regs.r10;
    vcpu->gpr[X86_R11] = regs.r11;
    vcpu->gpr[X86_R12] = regs.r12;
    vcpu->gpr[X86_R13] = regs.r13;
    vcpu->gpr[X86_R14] = regs.r14;
    vcpu->gpr[X86_R15] = regs.r15;
    vcpu->rip = regs.rip;
    vcpu->rflags = regs.rflags | X86_FL_1;
}

/* --- segments --- */

static struct kvm_segment
to_kvm(const CpumSeg *seg)
{
    const uint32_t attr = seg->attr;

    return (struct kvm_segment){
        .base = seg->base,
        .limit = seg->limit,
        .selector = seg->sel,
        .type = X86_SEG_TYPE(attr),
        .s = (attr & X86_SEG_S) != 0,
        .dpl = X86_SEG_DPL(attr),
        .present = (attr & X86_SEG_P) != 0,
        .avl = (attr & X86_SEG_AVL) != 0,
        .l = (attr & X86_SEG_L) != 0,
        .db = (attr & X86_SEG_DB) != 0,
        .g = (attr & X86_SEG_G) != 0,
        .unusable = (attr & X86_SEG_UNUSABLE) != 0,
    };
}

/* Of an unusable segment nothing counts but the base (FS and GS) and, of SS, the DPL. */
static CpumSeg
from_kvm(const struct kvm_segment *from)
{
    CpumSeg seg = {.base = from->base, .limit = from->limit, .sel = from->selector};

    if (from->unusable || !from->present) {
        seg.attr = X86_SEG_UNUSABLE | (uint32_t)from->dpl << 5;
        seg.limit = 0;
        return seg;
    }
    seg.attr = from->type | (from->s ? X86_SEG_S : 0) | (uint32_t)from->dpl << 5 | X86_SEG_P |
               (from->avl ? X86_SEG_AVL : 0) | (from->l ? X86_SEG_L : 0) |
               (from->db ? X86_SEG_DB : 0) | (from->g ? X86_SEG_G : 0);
    return seg;
}

/* Hardware takes no task register but a busy one. */
static struct kvm_segment
task_to_kvm(const CpumSeg *tr)
{
    struct kvm_segment task = to_kvm(tr);

    task.type = task.type == X86_SYS_TSS16_AVAIL || task.type == X86_SYS_TSS16_BUSY
                    ? X86_SYS_TSS16_BUSY
                    : X86_SYS_TSS32_BUSY;
    task.s = 0;
    task.present = 1;
    task.unusable = 0;
    return task;
}

static struct kvm_dtable
table_to_kvm(const CpumTable *table)
{
    return (struct kvm_dtable){.base = table->base, .limit = table->limit};
}

/* --- system registers --- */

static bool
import_system(HmVcpu *own)
{
    const Vcpu *vcpu = own->vcpu;
    struct kvm_sregs2 sregs = {
        .cs = to_kvm(&vcpu->seg[X86_CS]),
        .ds = to_kvm(&vcpu->seg[X86_DS]),
        .es = to_kvm(&vcpu->seg[X86_ES]),
        .fs = to_kvm(&vcpu->seg[X86_FS]),
        .gs = to_kvm(&vcpu->seg[X86_GS]),
        .ss = to_kvm(&vcpu->seg[X86_SS]),
        .tr = task_to_kvm(&vcpu->tr),
        .ldt = to_kvm(&vcpu->ldtr),
        .gdt = table_to_kvm(&vcpu->gdtr),
        .idt = table_to_kvm(&vcpu->idtr),
        .cr0 = vcpu->cr0,
        .cr2 = vcpu->cr2,
        .cr3 = vcpu->cr3,
        .cr4 = vcpu->cr4,
        .cr8 = trpm_tpr(vcpu),
        .efer = vcpu->efer,
        .apic_base = vcpu->apic_base,
    };

    if ((vcpu->cr0 & X86_CR0_PG) && (vcpu->cr4 & X86_CR4_PAE) && !(vcpu->efer & X86_EFER_LMA)) {
        sregs.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
        memcpy(sregs.pdptrs, vcpu->pae_pdpte, sizeof sregs.pdptrs);
    }
    return ioctl(own->fd, KVM_SET_SREGS2, &sregs) == 0;
}

static void
export_system(HmVcpu *own)
{
    Vcpu *vcpu = own->vcpu;
    struct kvm_sregs2 sregs;

    if (ioctl(own->fd, KVM_GET_SREGS2, &sregs) != 0)
        return;
    vcpu->seg[X86_CS] = from_kvm(&sregs.cs);
    vcpu->seg[X86_DS] = from_kvm(&sregs.ds);
    vcpu->seg[X86_ES] = from_kvm(&sregs.es);
    vcpu->seg[X86_FS] = from_kvm(&sregs.fs);
    vcpu->seg[X86_GS] = from_kvm(&sregs.gs);
    vcpu->seg[X86_SS] = from_kvm(&sregs.ss);
    vcpu->tr = from_kvm(&sregs.tr);
    vcpu->ldtr = from_kvm(&sregs.ldt);
    vcpu->gdtr = (CpumTable){sregs.gdt.base, sregs.gdt.limit};
    vcpu->idtr = (CpumTable){sregs.idt.base, sregs.idt.limit};
    vcpu->cr0 = sregs.cr0;
    vcpu->cr2 = sregs.cr2;
    vcpu->cr3 = sregs.cr3;
    vcpu->cr4 = sregs.cr4;
    vcpu->efer = sregs.efer;
    if (sregs.flags & KVM_SREGS2_FLAGS_PDPTRS_VALID)
        memcpy(vcpu->pae_pdpte, sregs.pdptrs, sizeof sregs.pdptrs);
}

static bool
import_xcr0(HmVcpu *own)
{
    const struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = own->vcpu->xcr0}}};

    return !cpum_has(own->vcpu, CPUM_FEATURE_XSAVE) || ioctl(own->fd, KVM_SET_XCRS, &xcrs) == 0;
}

static void
export_xcr0(HmVcpu *own)
{
    struct kvm_xcrs xcrs;

    if (!cpum_has(own->vcpu, CPUM_FEATURE_XSAVE) || ioctl(own->fd, KVM_GET_XCRS, &xcrs) != 0)
        return;
    for (unsigned i = 0; i < MIN(xcrs.nr_xcrs, G_N_ELEMENTS(xcrs.xcrs)); i++) {
        if (xcrs.xcrs[i].xcr == 0)
            own->vcpu->xcr0 = xcrs.xcrs[i].value;
    }
}

/* --- events --- */

/* Hardware knows which instruction made the shadow and wants no STI's while IF is 0. */
static uint8_t
shadow_of(const Vcpu *vcpu)
{
    if (!vcpu->irq_shadow)
        return 0;
    return vcpu->rflags & X86_FL_IF ? KVM_X86_SHADOW_INT_STI : KVM_X86_SHADOW_INT_MOV_SS;
}

static bool
import_events(HmVcpu *own)
{
    const Vcpu *vcpu = own->vcpu;
    const struct kvm_vcpu_events events = {
        .interrupt.shadow = shadow_of(vcpu),
        .nmi.masked = vcpu->nmi_blocked != 0,
        .flags = KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_NMI_PENDING,
    };

    memset(&own->events, 0, sizeof own->events);
    return ioctl(own->fd, KVM_SET_VCPU_EVENTS, &events) == 0;
}

static void
export_events(HmVcpu *own)
{
    Vcpu *vcpu = own->vcpu;

    if (ioctl(own->fd, KVM_GET_VCPU_EVENTS, &own->events) != 0) {
        memset(&own->events, 0, sizeof own->events);
        return;
    }
    vcpu->irq_shadow = own->events.interrupt.shadow != 0;
    vcpu->nmi_blocked = own->events.nmi.masked != 0;
    if (own->events.nmi.pending) {
        trpm_nmi(vcpu);
        own->held = HM_IN_VCPU; /* KVM must not deliver it as well */
    }
}

static bool
is_software(const struct kvm_vcpu_events *events)
{
    return events->exception.nr == X86_XCPT_BP || events->exception.nr == X86_XCPT_OF;
}

/* INT n, INT3 and INTO are executed again: RIP is still at them. What KVM could not emulate left a
 * #UD behind on kernels that cannot be told otherwise: the interpreter decides whether it is one.
 */
bool
hm_take_event(Vcpu *vcpu, EmEvent *event)
{
    HmVcpu *own = vcpu->hm_vcpu;
    const struct kvm_vcpu_events events = own->events;
    const bool failed = own->run->exit_reason == KVM_EXIT_INTERNAL_ERROR &&
                        own->run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION;

    memset(&own->events, 0, sizeof own->events);
    *event = (EmEvent){0};
    if (events.nmi.injected) {
        event->nmi = true;
        event->vector = X86_XCPT_NMI;
        return true;
    }
    if (events.interrupt.injected && !events.interrupt.soft) {
        event->vector = events.interrupt.nr;
        return true;
    }
    if (!events.exception.injected || is_software(&events) ||
        (failed && events.exception.nr == X86_XCPT_UD))
        return false;
    event->exception = true;
    event->vector = events.exception.nr;
    event->error_code = events.exception.has_error_code ? events.exception.error_code : 0;
    event->fault_address = vcpu->cr2;
    return true;
}

/* --- all of it --- */

bool
hm_import(HmVcpu *own)
{
    const Vcpu *vcpu = own->vcpu;

    hm_count(own, HM_COUNT_IMPORT);
    if (!import_system(own) || !import_general(own) || !import_xcr0(own) || !hm_import_fpu(own) ||
        !hm_import_msrs(own) || !hm_import_debug(own) || !import_events(own))
        return false;
    own->held = HM_IN_BOTH;
    hm_watch_reset(&own->watch);
    own->run->if_flag = (vcpu->rflags & X86_FL_IF) != 0;
    own->run->ready_for_interrupt_injection = own->run->if_flag && !vcpu->irq_shadow;
    return true;
}

bool
hm_has_paging(HmVcpu *own)
{
    struct kvm_sregs2 sregs;

    return ioctl(own->fd, KVM_GET_SREGS2, &sregs) == 0 &&
           ((sregs.cr0 ^ own->vcpu->cr0) & X86_CR0_PG) == 0;
}

void
hm_export(HmVcpu *own)
{
    Vcpu *vcpu = own->vcpu;

    hm_watch_rest(&own->watch);
    hm_finish(own);
    hm_count(own, HM_COUNT_EXPORT);
    own->held = HM_IN_BOTH;
    export_general(own);
    export_system(own);
    export_xcr0(own);
    hm_export_fpu(own);
    hm_export_msrs(own);
    hm_export_debug(own);
    export_events(own);
    cpum_update_mode(vcpu);
    trpm_recheck(vcpu);
}

void
hm_sync_out(Vcpu *vcpu)
{
    HmVcpu *own = vcpu->hm_vcpu;

    if (own->held == HM_IN_KVM)
        hm_export(own);
}

void
hm_sync_in(Vcpu *vcpu)
{
    HmVcpu *own = vcpu->hm_vcpu;

    own->held = HM_IN_VCPU;
}
