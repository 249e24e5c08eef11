/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The virtual interrupt flag: CLI, STI, PUSHF and POPF with IOPL < 3 in virtual-8086 mode with
 * CR4.VME, and CLI and STI at CPL 3 with CR4.PVI. INT n is in iem-int.c, IRET in iem-iret.c.
 * Intel SDM volume 3A 20.3.3, 20.4. */
#include "vmm/iem/iem-system.h"

static bool
iopl_is_3(const Vcpu *vcpu)
{
    return (vcpu->rflags & X86_FL_IOPL) == X86_FL_IOPL;
}

bool
iem_has_virtual_if(const Vcpu *vcpu)
{
    if (iopl_is_3(vcpu))
        return false;
    if (iem_in_v86(vcpu))
        return (vcpu->cr4 & X86_CR4_VME) != 0;
    return iem_is_protected(vcpu) && vcpu->cpl == 3 && vcpu->cr4 & X86_CR4_PVI;
}

void
iem_set_virtual_if(Vcpu *vcpu, bool value)
{
    if (value && vcpu->rflags & X86_FL_VIP)
        iem_raise_gp0(vcpu);
    vcpu->rflags = (vcpu->rflags & ~(uint64_t)X86_FL_VIF) | (value ? X86_FL_VIF : 0);
}

bool
iem_has_virtual_flags(const Vcpu *vcpu, unsigned size)
{
    return size == 2 && iem_in_v86(vcpu) && iem_has_virtual_if(vcpu);
}

uint64_t
iem_virtual_flags(const Vcpu *vcpu)
{
    uint64_t image = (vcpu->rflags & ~(uint64_t)X86_FL_IF) | X86_FL_IOPL;

    return image | (vcpu->rflags & X86_FL_VIF ? X86_FL_IF : 0);
}

void
iem_load_virtual_flags(Vcpu *vcpu, uint64_t image)
{
    const uint64_t mask = X86_FL_STATUS | X86_FL_DF | X86_FL_NT;

    if (image & X86_FL_TF)
        iem_raise_gp0(vcpu);
    iem_set_virtual_if(vcpu, (image & X86_FL_IF) != 0);
    vcpu->rflags = (vcpu->rflags & ~(mask | X86_FL_TF)) | (image & mask);
}

/* The only ways to set VIF and VIP together are IRET and a task switch: looked at there, instead of
 * before each instruction. */
void
iem_check_virtual_interrupt(Vcpu *vcpu)
{
    const uint64_t both = X86_FL_VIF | X86_FL_VIP;
    IemVcpu *iem = vcpu->iem_vcpu;
    uint64_t mode = iem_in_v86(vcpu) ? X86_CR4_VME : X86_CR4_PVI;

    if ((vcpu->rflags & both) != both || vcpu->cpl != 3 || !(vcpu->cr4 & mode))
        return;
    iem->event_raised = true;
    iem->event_kind = IEM_EVENT_EXCEPTION;
    iem->event_vector = X86_XCPT_GP;
    iem->event_has_error = true;
    iem->event_error = 0;
    iem_state_changed(vcpu);
}
