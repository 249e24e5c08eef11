/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Debug registers: MOV DRn with general detect and the fixed bits, I/O breakpoints. Data and code
 * breakpoints are looked for where memory is accessed (iem-mem.c) and code is fetched (iem.c).
 * Intel SDM volume 3B 17.2. */
#include "vmm/iem/iem-system.h"

#define DR6_WRITABLE 0xe00fu
#define DR7_WRITABLE 0xffff23ffu
#define DR7_FIXED 0x400u

/* DR4 and DR5 are other names of DR6 and DR7 unless CR4.DE says that they do not exist. */
static unsigned
debug_register(Vcpu *vcpu, unsigned number)
{
    if (number != 4 && number != 5)
        return number;
    if (vcpu->cr4 & X86_CR4_DE)
        iem_raise_ud(vcpu);
    return number + 2;
}

/* General detect is a fault: DR6.BD is set, and GD cleared for the handler. */
static void
check_detect(Vcpu *vcpu)
{
    if (!(vcpu->dr[7] & IEM_DR7_GD))
        return;
    vcpu->dr[6] |= IEM_DR6_BD;
    vcpu->dr[7] &= ~(uint64_t)IEM_DR7_GD;
    iem_raise(vcpu, X86_XCPT_DB);
}

static void
op_mov_to_dr(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned number = debug_register(vcpu, insn->reg);
    uint64_t value = vcpu->gpr[insn->rm];

    iem_require_cpl0(vcpu);
    check_detect(vcpu);
    if (!iem_is_long64(vcpu))
        value = (uint32_t)value;
    if (number >= 6) {
        if (value >> 32)
            iem_raise_gp0(vcpu);
        value = number == 6 ? (value & DR6_WRITABLE) | IEM_DR6_FIXED
                            : (value & DR7_WRITABLE) | DR7_FIXED;
    }
    vcpu->dr[number] = value;
    iem_state_changed(vcpu);
}

static void
op_mov_from_dr(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned number = debug_register(vcpu, insn->reg);

    iem_require_cpl0(vcpu);
    check_detect(vcpu);
    iem_gpr_write(vcpu, insn->rm, iem_is_long64(vcpu) ? 8 : 4, vcpu->dr[number]);
}

IemHandler
iem_choose_mov_dr(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    if (insn->reg > 7)
        return NULL;
    return insn->opcode == 0x23 ? op_mov_to_dr : op_mov_from_dr;
}

IemHandler
iem_choose_mov_cr_dr(const Vcpu *vcpu, IemInsn *insn)
{
    return insn->opcode & 1 ? iem_choose_mov_dr(vcpu, insn) : iem_choose_mov_cr(vcpu, insn);
}

/* R/W 10 with CR4.DE. Ports are compared with the breakpoint's length as its granule. */
void
iem_debug_io(Vcpu *vcpu, uint16_t port, unsigned size)
{
    static const uint8_t lengths[4] = {1, 2, 8, 4};

    if (!(vcpu->cr4 & X86_CR4_DE) || !(vcpu->dr[7] & 0xff))
        return;
    for (unsigned i = 0; i < 4; i++) {
        unsigned control = (unsigned)(vcpu->dr[7] >> (16 + 4 * i)) & 15;
        uint64_t length = lengths[control >> 2];
        uint64_t first = vcpu->dr[i] & ~(length - 1);

        if (!(vcpu->dr[7] >> (2 * i) & 3) || (control & 3) != 2)
            continue;
        if (port < first + length && first < (uint64_t)port + size)
            iem_debug_trap(vcpu, 1u << i);
    }
}
