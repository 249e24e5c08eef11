/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Near branches: Jcc, JCXZ, LOOP, JMP, CALL, RET. A target outside CS's limit or not canonical
 * faults before anything changes. The far forms are the system files'. Intel SDM volume 2. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-operand.h"
#include "vmm/iem/iem-stack.h"

/* Faults unless the offset may become RIP. */
IEM_INLINE void
check_target(Vcpu *vcpu, uint64_t target)
{
    const IemVcpu *iem = vcpu->iem_vcpu;

    if (G_UNLIKELY(target - iem->branch_low > iem->branch_span))
        iem_raise_gp0(vcpu);
}

IEM_INLINE void
branch(Vcpu *vcpu, uint64_t target)
{
    check_target(vcpu, target);
    vcpu->rip = target;
}

IEM_INLINE uint64_t
relative_target(const Vcpu *vcpu, const IemInsn *insn)
{
    static const uint64_t mask[9] = {[2] = 0xffff, [4] = 0xffffffff, [8] = ~0ull};

    return (vcpu->rip + insn->imm) & mask[insn->opsize];
}

void
iem_branch_near(Vcpu *vcpu, uint64_t target, unsigned opsize)
{
    branch(vcpu, iem_truncate(target, opsize));
}

IEM_INLINE void
jump_if(Vcpu *vcpu, const IemInsn *insn, bool taken)
{
    if (taken)
        branch(vcpu, relative_target(vcpu, insn));
}

/* clang-format off */
#define CC(number, suffix)                                                                         \
static void op_jcc##number(Vcpu *vcpu, const IemInsn *insn)                                        \
{ jump_if(vcpu, insn, iem_condition(vcpu->rflags, number)); }
#include "vmm/iem/iem-condition.def"
#undef CC
#define CC(number, suffix) op_jcc##number,
static const IemHandler jcc[16] = {
#include "vmm/iem/iem-condition.def"
};
#undef CC
/* clang-format on */

IEM_INLINE uint64_t
counter(const Vcpu *vcpu, const IemInsn *insn)
{
    return iem_truncate(vcpu->gpr[X86_RCX], insn->addrsize);
}

static void
op_jcxz(Vcpu *vcpu, const IemInsn *insn)
{
    jump_if(vcpu, insn, counter(vcpu, insn) == 0);
}

/* The counter changes only when the branch does not fault. */
IEM_INLINE void
loop_if(Vcpu *vcpu, const IemInsn *insn, bool condition)
{
    uint64_t count = iem_truncate(counter(vcpu, insn) - 1, insn->addrsize);

    jump_if(vcpu, insn, count != 0 && condition);
    iem_gpr_write(vcpu, X86_RCX, insn->addrsize, count);
}

static void
op_loop(Vcpu *vcpu, const IemInsn *insn)
{
    loop_if(vcpu, insn, true);
}

static void
op_loope(Vcpu *vcpu, const IemInsn *insn)
{
    loop_if(vcpu, insn, vcpu->rflags & X86_FL_ZF);
}

static void
op_loopne(Vcpu *vcpu, const IemInsn *insn)
{
    loop_if(vcpu, insn, !(vcpu->rflags & X86_FL_ZF));
}

static void
op_jmp_relative(Vcpu *vcpu, const IemInsn *insn)
{
    branch(vcpu, relative_target(vcpu, insn));
}

IEM_INLINE uint64_t
indirect_target(Vcpu *vcpu, const IemInsn *insn)
{
    unsigned size = insn->opsize;

    if (insn->flags & IEM_INSN_MEM)
        return size == 8   ? iem_mem_get(vcpu, insn, 8)
               : size == 4 ? iem_mem_get(vcpu, insn, 4)
                           : iem_mem_get(vcpu, insn, 2);
    return iem_truncate(vcpu->gpr[insn->rm], size);
}

static void
op_jmp_indirect(Vcpu *vcpu, const IemInsn *insn)
{
    branch(vcpu, indirect_target(vcpu, insn));
}

IEM_INLINE void
call(Vcpu *vcpu, uint64_t target, unsigned size)
{
    check_target(vcpu, target);
    iem_push(vcpu, vcpu->rip, size);
    vcpu->rip = target;
}

static void
op_call_relative(Vcpu *vcpu, const IemInsn *insn)
{
    call(vcpu, relative_target(vcpu, insn), insn->opsize);
}

static void
op_call_relative64(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t target = vcpu->rip + insn->imm;

    check_target(vcpu, target);
    iem_push_fixed(vcpu, vcpu->rip, 8, 8);
    vcpu->rip = target;
}

static void
op_call_indirect(Vcpu *vcpu, const IemInsn *insn)
{
    call(vcpu, indirect_target(vcpu, insn), insn->opsize);
}

static void
op_ret(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t target = iem_stack_peek(vcpu, 0, insn->opsize);

    branch(vcpu, target);
    iem_stack_add(vcpu, insn->opsize + (int64_t)(uint16_t)insn->imm);
}

static void
op_ret64(Vcpu *vcpu, const IemInsn *insn)
{
    branch(vcpu, iem_read_u64(vcpu, X86_SS, vcpu->gpr[X86_RSP]));
    vcpu->gpr[X86_RSP] += 8 + (uint16_t)insn->imm;
}

IemHandler
iem_choose_jcc(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    return jcc[insn->opcode & 15];
}

IemHandler
iem_choose_loop(const Vcpu *vcpu, IemInsn *insn)
{
    static const IemHandler loops[4] = {op_loopne, op_loope, op_loop, op_jcxz};

    insn->flags |= IEM_INSN_BLOCK_END;
    return loops[insn->opcode & 3];
}

static void
mark_far(IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END | IEM_INSN_SYSTEM;
}

IemHandler
iem_choose_jmp(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    if (insn->opcode == 0xe9 || insn->opcode == 0xeb)
        return op_jmp_relative;
    if (insn->opcode == 0xff && (insn->modrm >> 3 & 7) == 4)
        return op_jmp_indirect;
    mark_far(insn);
    return iem_choose_jmp_far(vcpu, insn);
}

IemHandler
iem_choose_call(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    if (insn->opcode == 0xe8)
        return insn->opsize == 8 ? op_call_relative64 : op_call_relative;
    if (insn->opcode == 0xff && (insn->modrm >> 3 & 7) == 2)
        return op_call_indirect;
    mark_far(insn);
    return iem_choose_call_far(vcpu, insn);
}

IemHandler
iem_choose_ret(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    if (insn->opcode == 0xc2 || insn->opcode == 0xc3)
        return insn->opsize == 8 ? op_ret64 : op_ret;
    mark_far(insn);
    return iem_choose_ret_far(vcpu, insn);
}
