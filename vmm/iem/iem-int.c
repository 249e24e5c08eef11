/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * INT n, INT3, INTO, INT1, and the redirection of INT n to the program's own vector table in
 * virtual-8086 mode with CR4.VME. Intel SDM volume 2A INT n; volume 3A 20.3.3. */
#include "vmm/iem/iem-interrupt.h"

/* Is this INT n redirected to the 8086 program's own handler? The 32 bytes below the I/O map hold
 * one bit for each vector; 0 redirects. */
static bool
is_redirected(Vcpu *vcpu, uint8_t vector)
{
    uint32_t map;

    if (!(vcpu->cr4 & X86_CR4_VME))
        return false;
    if (!(X86_SEG_TYPE(vcpu->tr.attr) & 8) || vcpu->tr.limit < 0x67)
        return false;
    map = iem_sys_read_u16(vcpu, vcpu->tr.base + 0x66);
    if (map < 32 || map - 32 + vector / 8 > vcpu->tr.limit)
        return false;
    return !(iem_sys_read_u8(vcpu, vcpu->tr.base + map - 32 + vector / 8) >> (vector % 8) & 1);
}

/* As in real mode, through the table at linear address 0; with IOPL < 3 the program sees VIF as its
 * IF. */
static void
int_redirected(Vcpu *vcpu, uint8_t vector)
{
    bool has_iopl = (vcpu->rflags & X86_FL_IOPL) == X86_FL_IOPL;
    uint32_t entry = iem_sys_read_u32(vcpu, vector * 4u);
    uint64_t image = has_iopl ? vcpu->rflags : iem_virtual_flags(vcpu);
    IemFrame frame;

    iem_frame_current(vcpu, &frame, 0);
    iem_frame_check_push(vcpu, &frame, 3, 2);
    iem_frame_push(vcpu, &frame, image, 2);
    iem_frame_push(vcpu, &frame, vcpu->seg[X86_CS].sel, 2);
    iem_frame_push(vcpu, &frame, vcpu->rip, 2);
    iem_frame_commit(vcpu, &frame);
    iem_load_real_segment(vcpu, X86_CS, (uint16_t)(entry >> 16), true);
    vcpu->rip = entry & 0xffff;
    vcpu->rflags &= ~(uint64_t)(X86_FL_TF | X86_FL_RF | (has_iopl ? X86_FL_IF : X86_FL_VIF));
    iem_state_changed(vcpu);
}

/* The trap flag is cleared on the way into the handler: no step trap follows (SDM 3B 17.3.1.4). */
static void
software_interrupt(Vcpu *vcpu, IemEventKind kind, uint8_t vector)
{
    iem_interrupt(vcpu, kind, vector, false, 0);
    vcpu->iem_vcpu->suppress_step = true;
}

static void
op_int(Vcpu *vcpu, const IemInsn *insn)
{
    uint8_t vector = (uint8_t)insn->imm;

    if (iem_in_v86(vcpu)) {
        if (is_redirected(vcpu, vector)) {
            int_redirected(vcpu, vector);
            vcpu->iem_vcpu->suppress_step = true;
            return;
        }
        if ((vcpu->rflags & X86_FL_IOPL) != X86_FL_IOPL)
            iem_raise_gp0(vcpu);
    }
    software_interrupt(vcpu, IEM_EVENT_SOFTWARE, vector);
}

static void
op_int3(Vcpu *vcpu, const IemInsn *insn)
{
    software_interrupt(vcpu, IEM_EVENT_SOFTWARE, X86_XCPT_BP);
}

static void
op_into(Vcpu *vcpu, const IemInsn *insn)
{
    if (vcpu->rflags & X86_FL_OF)
        software_interrupt(vcpu, IEM_EVENT_SOFTWARE, X86_XCPT_OF);
}

/* Neither IOPL nor the gate's DPL matter, and DR6 does not change. */
static void
op_int1(Vcpu *vcpu, const IemInsn *insn)
{
    vcpu->dr[7] &= ~(uint64_t)IEM_DR7_GD;
    software_interrupt(vcpu, IEM_EVENT_ICEBP, X86_XCPT_DB);
}

IemHandler
iem_choose_int(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    switch (insn->opcode) {
    case 0xcc: return op_int3;
    case 0xcd: return op_int;
    case 0xce: return op_into;
    case 0xf1: return op_int1;
    default: return NULL;
    }
}
