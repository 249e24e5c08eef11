/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * RDRAND and RDSEED: the host's own random numbers. Where the host has none at the moment the guest
 * sees that too: CF and the register are zero. Intel SDM volume 2B. */
#include "vmm/iem/iem-system.h"

#include <Zydis/Mnemonic.h>

typedef struct {
    uint64_t value;
    bool valid;
} RandomNumber;

static RandomNumber
rdrand(void)
{
    RandomNumber out;

    __asm__ volatile("rdrand %0" : "=r"(out.value), "=@ccc"(out.valid));
    return out;
}

static RandomNumber
rdseed(void)
{
    RandomNumber out;

    __asm__ volatile("rdseed %0" : "=r"(out.value), "=@ccc"(out.valid));
    return out;
}

static void
deliver(Vcpu *vcpu, const IemInsn *insn, RandomNumber number)
{
    iem_gpr_write(vcpu, insn->rm, insn->opsize, number.valid ? number.value : 0);
    vcpu->rflags &= ~(uint64_t)X86_FL_STATUS;
    if (number.valid)
        vcpu->rflags |= X86_FL_CF;
}

static void
op_rdrand(Vcpu *vcpu, const IemInsn *insn)
{
    deliver(vcpu, insn, rdrand());
}

static void
op_rdseed(Vcpu *vcpu, const IemInsn *insn)
{
    deliver(vcpu, insn, rdseed());
}

IemHandler
iem_choose_random(const Vcpu *vcpu, IemInsn *insn)
{
    if (insn->flags & IEM_INSN_MEM)
        return NULL;
    return insn->row == ZYDIS_MNEMONIC_RDRAND ? op_rdrand : op_rdseed;
}
