/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Privileged instructions that kernels execute all the time: CLI, STI and SWAPGS at CPL 0. In other
 * rings and modes they are IEM's. Intel SDM volume 2, volume 3A section 6.8. */
#include "vmm/rem/rem-translate.h"

static bool
is_kernel(const RemTranslator *t)
{
    return t->mode & REM_MODE_CPL0;
}

bool
rem_translate_cli(RemTranslator *t)
{
    if (!is_kernel(t))
        return false;
    rem_save_flags(t);
    rem_emit_alu_mi(t->emit, REM_AND, 4, rem_mem_vcpu(offsetof(Vcpu, rflags)), ~(int32_t)X86_FL_IF);
    rem_flags_lost(t);
    return true;
}

/* The instruction behind an STI that enables interrupts is executed before any of them: that is so
 * by itself while the block goes on and none is waiting. */
static const uint8_t *
call_sti(Vcpu *vcpu, const RemSite *site, uint64_t argument)
{
    const uint32_t pending = cpum_pending(vcpu);

    if (!(vcpu->rflags & X86_FL_IF)) {
        vcpu->rflags |= X86_FL_IF;
        trpm_recheck(vcpu);
    }
    if (cpum_pending(vcpu) == 0)
        return rem_code(rem_of(vcpu), site->next);
    /* IEM does it again, and the rest. */
    vcpu->rflags &= ~(uint64_t)X86_FL_IF;
    cpum_unpend(vcpu, ~pending & CPUM_PEND_INTERRUPT);
    return rem_call_iem(vcpu, site, 0);
}

bool
rem_translate_sti(RemTranslator *t)
{
    RemJump done;

    if (!is_kernel(t) || t->index + 1 == t->count)
        return false;
    rem_begin_retry(t);
    rem_emit_test_mi(t->emit, 4, rem_mem_vcpu(offsetof(Vcpu, rflags)), X86_FL_IF);
    rem_flags_lost(t);
    done = rem_emit_jcc(t->emit, REM_CC_Z, 4);
    rem_emit_bind_to(t->emit, done, rem_emit_offset(t->cold));
    rem_emit_leave(t, t->cold, rem_retry_site(t, call_sti));
    return true;
}

bool
rem_translate_swapgs(RemTranslator *t)
{
    const RemMem base =
        rem_mem_vcpu(offsetof(Vcpu, seg) + X86_GS * sizeof(CpumSeg) + offsetof(CpumSeg, base));
    const RemMem other = rem_mem_vcpu(offsetof(Vcpu, kernel_gs_base));

    if (!is_kernel(t) || !rem_is_long64(t))
        return false;
    rem_emit_mov_rm(t->emit, 8, REM_T0, base);
    rem_emit_mov_rm(t->emit, 8, REM_T1, other);
    rem_emit_mov_mr(t->emit, 8, base, REM_T1);
    rem_emit_mov_mr(t->emit, 8, other, REM_T0);
    return true;
}

bool
rem_stays_in_block(const RemTranslator *t, const RemInsn *insn)
{
    switch (insn->row) {
    case ZYDIS_MNEMONIC_CLI:
    case ZYDIS_MNEMONIC_STI: return is_kernel(t);
    case ZYDIS_MNEMONIC_SWAPGS: return is_kernel(t) && rem_is_long64(t);
    case ZYDIS_MNEMONIC_RDTSC:
    case ZYDIS_MNEMONIC_RDTSCP:
    case ZYDIS_MNEMONIC_CPUID: return true;
    default: return false;
    }
}
