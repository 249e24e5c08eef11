/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * RDMSR, WRMSR, RDTSC, RDTSCP, RDPMC, CPUID. The registers and leaves themselves belong to CPUM and
 * to whoever registered them there; EFER is here because it decides the paging mode. There are
 * no performance counters: RDPMC names none that exists. Intel SDM volumes 2B and 4. */
#include "vmm/iem/iem-system.h"

static void
write_pair(Vcpu *vcpu, uint64_t value)
{
    vcpu->gpr[X86_RAX] = (uint32_t)value;
    vcpu->gpr[X86_RDX] = value >> 32;
}

static void
op_rdmsr(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value = 0;

    iem_require_cpl0(vcpu);
    iem_count_up_to_here(vcpu);
    if (!cpum_rdmsr(vcpu, (uint32_t)vcpu->gpr[X86_RCX], &value))
        iem_raise_gp0(vcpu);
    write_pair(vcpu, value);
}

static void
op_wrmsr(Vcpu *vcpu, const IemInsn *insn)
{
    uint32_t msr = (uint32_t)vcpu->gpr[X86_RCX];
    uint64_t value = vcpu->gpr[X86_RDX] << 32 | (uint32_t)vcpu->gpr[X86_RAX];

    iem_require_cpl0(vcpu);
    iem_count_up_to_here(vcpu);
    if (msr == X86_MSR_EFER && cpum_efer_valid(vcpu) != 0)
        iem_write_efer(vcpu, value);
    else if (!cpum_wrmsr(vcpu, msr, value))
        iem_raise_gp0(vcpu);
    iem_state_changed(vcpu);
    trpm_recheck(vcpu);
}

IemHandler
iem_choose_msr(const Vcpu *vcpu, IemInsn *insn)
{
    insn->flags |= IEM_INSN_BLOCK_END;
    return insn->opcode == 0x30 ? op_wrmsr : op_rdmsr;
}

static void
check_tsc(Vcpu *vcpu)
{
    if (vcpu->cr4 & X86_CR4_TSD && vcpu->cpl != 0)
        iem_raise_gp0(vcpu);
}

static void
op_rdtsc(Vcpu *vcpu, const IemInsn *insn)
{
    check_tsc(vcpu);
    iem_count_up_to_here(vcpu);
    write_pair(vcpu, tm_tsc(vcpu));
}

static void
op_rdtscp(Vcpu *vcpu, const IemInsn *insn)
{
    check_tsc(vcpu);
    iem_count_up_to_here(vcpu);
    write_pair(vcpu, tm_tsc(vcpu));
    vcpu->gpr[X86_RCX] = (uint32_t)vcpu->tsc_aux;
}

IemHandler
iem_choose_rdtsc(const Vcpu *vcpu, IemInsn *insn)
{
    return insn->opcode == 0x31 ? op_rdtsc : op_rdtscp;
}

static void
op_rdpmc(Vcpu *vcpu, const IemInsn *insn)
{
    iem_raise_gp0(vcpu);
}

IemHandler
iem_choose_rdpmc(const Vcpu *vcpu, IemInsn *insn)
{
    return op_rdpmc;
}

static void
op_cpuid(Vcpu *vcpu, const IemInsn *insn)
{
    CpumCpuid out;

    cpum_cpuid(vcpu, (uint32_t)vcpu->gpr[X86_RAX], (uint32_t)vcpu->gpr[X86_RCX], &out);
    vcpu->gpr[X86_RAX] = out.eax;
    vcpu->gpr[X86_RBX] = out.ebx;
    vcpu->gpr[X86_RCX] = out.ecx;
    vcpu->gpr[X86_RDX] = out.edx;
}

IemHandler
iem_choose_cpuid(const Vcpu *vcpu, IemInsn *insn)
{
    return op_cpuid;
}
