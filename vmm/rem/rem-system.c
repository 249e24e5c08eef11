/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Instructions that kernels execute all the time, as code of their own: the flags (CLI, STI, CLD,
 * STD, CLAC, STAC, PUSHF, POPF), MOV from CR2, PAUSE, time stamps. What would have to be checked or
 * told goes to IEM; so do other rings and modes. System calls are in rem-syscall.c, segments in
 * rem-segment.c. Intel SDM volume 2, volume 3A section 6.8. */
#include "vmm/rem/rem-translate.h"

#include "vmm/cpum/cpum.h"
#include "vmm/tm/tm.h"

static bool
is_kernel(const RemTranslator *t)
{
    return t->mode & REM_MODE_CPL0;
}

static RemMem
mem_rflags(void)
{
    return rem_mem_vcpu(offsetof(Vcpu, rflags));
}

void
rem_emit_leave_if(RemTranslator *t, RemCondition cc, const RemSite *site)
{
    const RemJump leaves = rem_emit_jcc(t->emit, cc, 4);

    rem_emit_bind_to(t->emit, leaves, rem_emit_offset(t->cold));
    rem_emit_leave(t, t->cold, site);
}

/* --- IF, DF --- */

static bool
change_flag(RemTranslator *t, RemAlu alu, int32_t value)
{
    rem_save_flags(t);
    rem_emit_alu_mi(t->emit, alu, 4, mem_rflags(), value);
    rem_flags_lost(t);
    return true;
}

bool
rem_translate_cli(RemTranslator *t)
{
    return is_kernel(t) && change_flag(t, REM_AND, ~(int32_t)X86_FL_IF);
}

bool
rem_translate_cld(RemTranslator *t)
{
    return change_flag(t, REM_AND, ~(int32_t)X86_FL_DF);
}

bool
rem_translate_std(RemTranslator *t)
{
    return change_flag(t, REM_OR, X86_FL_DF);
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

void
rem_emit_leave_if_waiting(RemTranslator *t, const RemSite *site)
{
    rem_emit_alu_mi(t->emit, REM_CMP, 4, rem_mem_vcpu(offsetof(Vcpu, pending)), 0);
    rem_emit_leave_if(t, REM_CC_NZ, site);
    rem_emit_alu_mi(t->emit, REM_CMP, 1, rem_mem_vcpu(offsetof(Vcpu, interrupt_waits)), 0);
    rem_emit_leave_if(t, REM_CC_NZ, site);
}

bool
rem_translate_sti(RemTranslator *t)
{
    RemJump done;

    if (!is_kernel(t) || t->index + 1 == t->count)
        return false;
    rem_begin_retry(t);
    rem_emit_test_mi(t->emit, 4, mem_rflags(), X86_FL_IF);
    rem_flags_lost(t);
    done = rem_emit_jcc(t->emit, REM_CC_NZ, 4);
    rem_emit_leave_if_waiting(t, rem_retry_site(t, call_sti));
    rem_emit_alu_mi(t->emit, REM_OR, 4, mem_rflags(), X86_FL_IF);
    rem_emit_bind(t->emit, done);
    return true;
}

/* --- AC: accesses of the kernel to user pages --- */

void
rem_emit_mode(RemTranslator *t, unsigned mode)
{
    mode &= ~(unsigned)REM_MODE_NO_SHARE;
    rem_emit_mov_mi(t->emit, 1, rem_mem_vcpu(offsetof(Vcpu, cpl)), mode & REM_MODE_CPL0 ? 0 : 3);
    rem_emit_mov_mi(t->emit, 1, rem_mem_vcpu(offsetof(Vcpu, tlb_kind)),
                    (int32_t)((mode & REM_MODE_TLB) >> 5));
    rem_emit_mov_mi(t->emit, 2, rem_mem_hot(offsetof(RemHot, mode_tag) + 6), (int32_t)mode);
}

static unsigned
mode_with_kind(const RemTranslator *t, CpumTlbKind kind)
{
    return (t->mode & ~(unsigned)REM_MODE_TLB) | (unsigned)kind << 5;
}

/* The rest of the code is of another mode: a block of its own. */
static void
go_on_with_kind(RemTranslator *t, CpumTlbKind kind)
{
    const uint16_t mode = t->mode;

    t->mode = (uint16_t)mode_with_kind(t, kind);
    rem_emit_mode(t, t->mode);
    t->index++;
    rem_emit_goto(t, (int32_t)rem_next_offset(t));
    t->index--;
    t->mode = mode;
}

static bool
has_user_access(const RemTranslator *t)
{
    return (t->mode & REM_MODE_TLB) >> 5 == CPUM_TLB_SUPERVISOR_AC;
}

bool
rem_translate_clac(RemTranslator *t)
{
    if (!is_kernel(t) || t->insn->treatment == REM_TREAT_IEM)
        return false;
    change_flag(t, REM_AND, ~(int32_t)X86_FL_AC);
    if (has_user_access(t))
        go_on_with_kind(t, CPUM_TLB_SUPERVISOR);
    return true;
}

bool
rem_translate_stac(RemTranslator *t)
{
    if (!is_kernel(t) || t->insn->treatment == REM_TREAT_IEM)
        return false;
    if (has_user_access(t))
        return true;
    rem_begin_retry(t);
    rem_emit_test_mi(t->emit, 4, rem_mem_vcpu(offsetof(Vcpu, cr4)), X86_CR4_SMAP);
    rem_emit_leave_if(t, REM_CC_Z, rem_retry_site(t, rem_call_iem));
    change_flag(t, REM_OR, X86_FL_AC);
    go_on_with_kind(t, CPUM_TLB_SUPERVISOR_AC);
    return true;
}

/* --- PUSHF, POPF --- */

void
rem_emit_flags_image(RemTranslator *t, unsigned to, unsigned other)
{
    RemEmit *emit = t->emit;

    rem_emit_movzx_rm(emit, 2, to, rem_mem_hot(offsetof(RemHot, flags)));
    rem_emit_mov_rr(emit, 4, other, to);
    rem_emit_shift_ri(emit, REM_SHR, 4, to, 8);
    rem_emit_alu_ri(emit, REM_AND, 4, to, 0xd5);
    rem_emit_alu_ri(emit, REM_AND, 4, other, 1);
    rem_emit_shift_ri(emit, REM_SHL, 4, other, 11);
    rem_emit_alu_rr(emit, REM_OR, 4, to, other);
    rem_emit_mov_rm(emit, 4, other, mem_rflags());
    rem_emit_alu_ri(emit, REM_AND, 4, other, ~(int32_t)X86_FL_STATUS);
    rem_emit_alu_rr(emit, REM_OR, 4, to, other);
    rem_flags_lost(t);
}

void
rem_emit_set_status(RemTranslator *t, unsigned image, unsigned other)
{
    RemEmit *emit = t->emit;

    rem_emit_mov_rr(emit, 4, other, image);
    rem_emit_alu_ri(emit, REM_AND, 4, image, 0xd5);
    rem_emit_alu_ri(emit, REM_OR, 4, image, 2);
    rem_emit_shift_ri(emit, REM_SHL, 4, image, 8);
    rem_emit_shift_ri(emit, REM_SHR, 4, other, 11);
    rem_emit_alu_ri(emit, REM_AND, 4, other, 1);
    rem_emit_alu_rr(emit, REM_OR, 4, image, other);
    rem_emit_mov_mr(emit, 2, rem_mem_hot(offsetof(RemHot, flags)), image);
    rem_flags_lost(t);
}

bool
rem_translate_pushf(RemTranslator *t)
{
    const RemMem kept = rem_mem_hot(offsetof(RemHot, scratch) + 8);
    const unsigned size = rem_stack_word(t);
    unsigned value;
    RemMem mem;

    if (size == 0)
        return false;
    rem_begin_retry(t);
    rem_emit_flags_image(t, REM_T0, REM_T1);
    rem_emit_mov_mr(t->emit, 8, kept, REM_T0);
    rem_memory_stack(t, rem_mem(X86_RSP, -(int32_t)size), size, true, &mem);
    value = mem.base == REM_T0 ? REM_T1 : REM_T0;
    rem_emit_mov_rm(t->emit, size, value, kept);
    rem_emit_mov_mr(t->emit, size, mem, value);
    rem_emit_lea(t->emit, size, X86_RSP, rem_mem(X86_RSP, -(int32_t)size));
    return true;
}

/* What changes nothing but the arithmetic flags, DF, and IF where the CPL and what waits let it. */
bool
rem_translate_popf(RemTranslator *t)
{
    const unsigned size = rem_stack_word(t);
    const int32_t changes = (int32_t)(is_kernel(t) ? X86_FL_IF | X86_FL_DF : X86_FL_DF);
    const int32_t fixed =
        (int32_t)(X86_FL_TF | X86_FL_NT | X86_FL_AC | X86_FL_ID | (is_kernel(t) ? X86_FL_IOPL : 0));
    const RemMem kept = rem_mem_hot(offsetof(RemHot, scratch) + 8);
    RemEmit *emit = t->emit;
    RemSite *site;
    RemMem mem;

    if (size == 0)
        return false;
    rem_memory_stack(t, rem_mem(X86_RSP, 0), size, false, &mem);
    rem_emit_mov_rm(emit, 4, REM_T0, mem);
    t->temps_busy = false;
    site = rem_retry_site(t, rem_call_iem);
    rem_emit_mov_mr(emit, 8, kept, REM_T0);
    rem_emit_mov_rr(emit, 4, REM_T1, REM_T0);
    rem_emit_alu_rm(emit, REM_XOR, 4, REM_T1, mem_rflags());
    rem_flags_lost(t);
    rem_emit_test_ri(emit, 4, REM_T1, fixed);
    rem_emit_leave_if(t, REM_CC_NZ, site);
    if (is_kernel(t)) {
        RemJump closed;

        rem_emit_test_ri(emit, 4, REM_T0, X86_FL_IF);
        closed = rem_emit_jcc(emit, REM_CC_Z, 4);
        rem_emit_leave_if_waiting(t, site);
        rem_emit_bind(emit, closed);
    } else {
        rem_emit_test_mi(emit, 4, mem_rflags(), X86_FL_IOPL);
        rem_emit_leave_if(t, REM_CC_NZ, site);
    }
    rem_emit_alu_ri(emit, REM_AND, 4, REM_T1, changes);
    rem_emit_alu_mr(emit, REM_XOR, 4, mem_rflags(), REM_T1);
    rem_emit_set_status(t, REM_T0, REM_T1);
    rem_emit_lea(emit, size, X86_RSP, rem_mem(X86_RSP, (int32_t)size));
    return true;
}

/* --- CR2 --- */

bool
rem_reads_cr2(const RemInsn *insn)
{
    return insn->row == ZYDIS_MNEMONIC_MOV && insn->op.map == 1 && insn->op.code == 0x20 &&
           insn->reg == 2 && insn->length != 0 && !(insn->form & REM_FORM_LOCK);
}

bool
rem_mov_from_cr2(RemTranslator *t)
{
    if (!is_kernel(t))
        return false;
    rem_emit_mov_rm(t->emit, rem_is_long64(t) ? 8 : 4, REM_T0, rem_mem_vcpu(offsetof(Vcpu, cr2)));
    rem_rewrite_store(t->emit, t->insn->rm, REM_T0);
    return true;
}

/* --- time, hints --- */

/* The host's counter plus a word that is the same between two instructions of IEM. */
bool
rem_translate_rdtsc(RemTranslator *t)
{
    RemEmit *emit = t->emit;
    uint64_t offset;

    if (t->vcpu->tm == NULL || !tm_tsc_offset(t->vcpu, &offset) ||
        t->insn->treatment == REM_TREAT_IEM)
        return false;
    rem_begin_retry(t);
    if (!is_kernel(t)) {
        rem_emit_test_mi(emit, 4, rem_mem_vcpu(offsetof(Vcpu, cr4)), X86_CR4_TSD);
        rem_emit_leave_if(t, REM_CC_NZ, rem_retry_site(t, rem_call_iem));
    }
    if (t->insn->row == ZYDIS_MNEMONIC_RDTSCP)
        rem_emit_mov_rm(emit, 4, X86_RCX, rem_mem_vcpu(offsetof(Vcpu, tsc_aux)));
    rem_emit_bytes(emit, (const uint8_t[]){0x0f, 0x31}, 2);
    rem_emit_shift_ri(emit, REM_SHL, 8, X86_RDX, 32);
    rem_emit_alu_rr(emit, REM_OR, 8, X86_RDX, X86_RAX);
    rem_emit_alu_rm(emit, REM_ADD, 8, X86_RDX, rem_mem_hot(offsetof(RemHot, tsc_offset)));
    rem_emit_mov_rr(emit, 4, X86_RAX, X86_RDX);
    rem_emit_shift_ri(emit, REM_SHR, 8, X86_RDX, 32);
    rem_flags_lost(t);
    return true;
}

/* With one CPU there is nobody to wait for; with more, IEM counts them. With REX.B it is XCHG. */
bool
rem_translate_pause(RemTranslator *t)
{
    return t->insn->rm != X86_R8 && cpum_count(t->vcpu->cpum) == 1;
}

/* --- blocks --- */

bool
rem_stays_in_block(const RemTranslator *t, const RemInsn *insn)
{
    const bool user_access = has_user_access(t);

    switch (insn->row) {
    case ZYDIS_MNEMONIC_MOV:
    case ZYDIS_MNEMONIC_POP: return rem_loads_segment(insn);
    case ZYDIS_MNEMONIC_CLI:
    case ZYDIS_MNEMONIC_STI: return is_kernel(t);
    case ZYDIS_MNEMONIC_SWAPGS: return is_kernel(t) && rem_is_long64(t);
    case ZYDIS_MNEMONIC_CLAC: return is_kernel(t) && !user_access;
    case ZYDIS_MNEMONIC_STAC: return is_kernel(t) && user_access;
    case ZYDIS_MNEMONIC_PUSHF:
    case ZYDIS_MNEMONIC_PUSHFD:
    case ZYDIS_MNEMONIC_PUSHFQ:
    case ZYDIS_MNEMONIC_POPF:
    case ZYDIS_MNEMONIC_POPFD:
    case ZYDIS_MNEMONIC_POPFQ:
    case ZYDIS_MNEMONIC_RDTSC:
    case ZYDIS_MNEMONIC_RDTSCP:
    case ZYDIS_MNEMONIC_CPUID:
    case ZYDIS_MNEMONIC_CLTS:
    case ZYDIS_MNEMONIC_IN:
    case ZYDIS_MNEMONIC_OUT:
    case ZYDIS_MNEMONIC_RDMSR:
    case ZYDIS_MNEMONIC_LAR:
    case ZYDIS_MNEMONIC_LSL:
    case ZYDIS_MNEMONIC_VERR:
    case ZYDIS_MNEMONIC_VERW:
    case ZYDIS_MNEMONIC_SGDT:
    case ZYDIS_MNEMONIC_SIDT:
    case ZYDIS_MNEMONIC_SLDT:
    case ZYDIS_MNEMONIC_STR:
    case ZYDIS_MNEMONIC_SMSW:
    case ZYDIS_MNEMONIC_WBINVD:
    case ZYDIS_MNEMONIC_XGETBV:
    case ZYDIS_MNEMONIC_RDFSBASE:
    case ZYDIS_MNEMONIC_RDGSBASE:
    case ZYDIS_MNEMONIC_WRFSBASE:
    case ZYDIS_MNEMONIC_WRGSBASE: return true;
    default: return false;
    }
}
