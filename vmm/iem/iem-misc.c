/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What does nothing that an interpreter would notice (NOP, PAUSE, fences, prefetches, CLFLUSH),
 * CLI, STI, BOUND, and the opcodes that are there to be undefined. Intel SDM volume 2. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-operand.h"

static void
op_nop(Vcpu *vcpu, const IemInsn *insn)
{
}

/* Spinning for another CPU: others may need this one's place on the host. */
static void
op_pause(Vcpu *vcpu, const IemInsn *insn)
{
    IemVcpu *iem = vcpu->iem_vcpu;

    iem->pauses = vcpu->retired - iem->paused_at < EM_PAUSE_GAP ? iem->pauses + 1 : 0;
    iem->paused_at = vcpu->retired;
    if (iem->pauses < EM_PAUSES)
        return;
    iem->pauses = 0;
    iem_leave(vcpu, EM_EXIT_PAUSE);
}

/* Checked like the load of a byte. */
static void
op_clflush(Vcpu *vcpu, const IemInsn *insn)
{
    iem_mem_get(vcpu, insn, 1);
}

static void
op_fence(Vcpu *vcpu, const IemInsn *insn)
{
    __sync_synchronize();
}

IemHandler
iem_choose_hint(const Vcpu *vcpu, IemInsn *insn)
{
    switch (insn->row) {
    case ZYDIS_MNEMONIC_PAUSE:
        if (insn->reg == X86_RAX)
            return cpum_count(vcpu->cpum) > 1 ? op_pause : op_nop;
        insn->opsize = insn->flags & IEM_INSN_REX_W            ? 8
                       : insn->flags & IEM_INSN_OPERAND_PREFIX ? 2
                                                               : 4;
        return iem_choose_xchg_accumulator(vcpu, insn); /* REX.B: it is XCHG R8, rAX */
    case ZYDIS_MNEMONIC_CLFLUSH: return op_clflush;
    case ZYDIS_MNEMONIC_LFENCE:
    case ZYDIS_MNEMONIC_MFENCE:
    case ZYDIS_MNEMONIC_SFENCE: return op_fence;
    default: return op_nop;
    }
}

IemHandler
iem_choose_no_insn(const Vcpu *vcpu, IemInsn *insn)
{
    return NULL;
}

/* #GP(0) where IOPL does not let this code touch IF. */
static void
require_iopl(Vcpu *vcpu)
{
    unsigned iopl = (unsigned)(vcpu->rflags & X86_FL_IOPL) >> 12;

    if (vcpu->mode != CPUM_MODE_REAL && vcpu->cpl > iopl)
        iem_raise_gp0(vcpu);
}

static void
op_cli(Vcpu *vcpu, const IemInsn *insn)
{
    if (iem_has_virtual_if(vcpu)) {
        iem_set_virtual_if(vcpu, false);
        return;
    }
    require_iopl(vcpu);
    vcpu->rflags &= ~(uint64_t)X86_FL_IF;
}

static void
op_sti(Vcpu *vcpu, const IemInsn *insn)
{
    if (iem_has_virtual_if(vcpu)) {
        iem_set_virtual_if(vcpu, true);
        return;
    }
    require_iopl(vcpu);
    if (vcpu->rflags & X86_FL_IF)
        return;
    vcpu->rflags |= X86_FL_IF;
    vcpu->irq_shadow = 1;
    trpm_recheck(vcpu);
}

IemHandler
iem_choose_if(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    return insn->opcode == 0xfb ? op_sti : op_cli;
}

IEM_INLINE void
bound(Vcpu *vcpu, const IemInsn *insn, unsigned size)
{
    uint64_t offset = iem_ea(vcpu, insn);
    int64_t low = iem_sign_extend(iem_read_size(vcpu, insn->seg, offset, size), size);
    uint64_t second = iem_truncate(offset + size, insn->addrsize);
    int64_t high = iem_sign_extend(iem_read_size(vcpu, insn->seg, second, size), size);
    int64_t index = iem_sign_extend(iem_reg_get(vcpu, insn->reg, size), size);

    if (index < low || index > high)
        iem_raise(vcpu, X86_XCPT_BR);
}

static void
op_bound16(Vcpu *vcpu, const IemInsn *insn)
{
    bound(vcpu, insn, 2);
}

static void
op_bound32(Vcpu *vcpu, const IemInsn *insn)
{
    bound(vcpu, insn, 4);
}

IemHandler
iem_choose_bound(const Vcpu *vcpu, IemInsn *insn)
{
    if (!(insn->flags & IEM_INSN_MEM))
        return NULL;
    iem_use_offsets(insn, insn->opsize, insn->opsize);
    return insn->opsize == 2 ? op_bound16 : op_bound32;
}
