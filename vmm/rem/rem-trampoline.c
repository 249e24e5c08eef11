/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The ways into translated code, out of it, and to C and back: generated once, at the start of a
 * virtual CPU's executable memory. System V AMD64 ABI, section 3.2. */
#include "vmm/rem/rem-private.h"

/* Pushed in this order; with the return address an even number of words minus one, so that eight
 * more bytes align the stack for calls. */
static const uint8_t callee_saved[] = {X86_RBX, X86_RBP, X86_R12, X86_R13, X86_R14, X86_R15};

static void
emit_load_guest(RemEmit *emit)
{
    rem_emit_mov_rm(emit, 8, REM_COUNT, rem_mem_hot(offsetof(RemHot, left)));
    for (unsigned reg = X86_RAX; reg <= X86_R12; reg++)
        rem_emit_mov_rm(emit, 8, reg, rem_mem_gpr(reg));
}

static void
emit_store_guest(RemEmit *emit)
{
    for (unsigned reg = X86_RAX; reg <= X86_R12; reg++)
        rem_emit_mov_mr(emit, 8, rem_mem_gpr(reg), reg);
    rem_emit_mov_mr(emit, 8, rem_mem_hot(offsetof(RemHot, left)), REM_COUNT);
}

/* The argument is the code to run. */
static const uint8_t *
emit_enter(RemVcpu *rem, RemEmit *emit)
{
    const uint8_t *start = emit->at + emit->exec_offset;

    for (unsigned i = 0; i < G_N_ELEMENTS(callee_saved); i++)
        rem_emit_push_r(emit, callee_saved[i]);
    rem_emit_lea(emit, 8, X86_RSP, rem_mem(X86_RSP, -8));
    rem_emit_mov_mr(emit, 8, rem_mem_hot(offsetof(RemHot, host_rsp)), X86_RSP);
    rem_emit_mov_rr(emit, 8, REM_T0, X86_RDI);
    rem_vector_emit_load(emit);
    emit_load_guest(emit);
    rem_emit_jmp_r(emit, REM_T0);
    return start;
}

/* From a site: its number in T0, an argument in T1. */
static const uint8_t *
emit_leave(RemVcpu *rem, RemEmit *emit)
{
    const uint8_t *start = emit->at + emit->exec_offset;
    RemJump exit;

    emit_store_guest(emit);
    rem_vector_emit_store(emit);
    rem_emit_mov_rm(emit, 8, X86_RSP, rem_mem_hot(offsetof(RemHot, host_rsp)));
    rem_emit_mov_rm(emit, 8, X86_RDI, rem_mem_hot(offsetof(RemHot, self)));
    rem_emit_mov_rr(emit, 4, X86_RSI, REM_T0);
    rem_emit_mov_rr(emit, 8, X86_RDX, REM_T1);
    rem_emit_call_m(emit, rem_mem_hot(offsetof(RemHot, on_site)));
    rem_emit_test_rr(emit, 8, X86_RAX, X86_RAX);
    exit = rem_emit_jcc(emit, REM_CC_Z, 4);
    rem_emit_mov_rr(emit, 8, REM_T0, X86_RAX);
    rem_vector_emit_load(emit);
    emit_load_guest(emit);
    rem_emit_jmp_r(emit, REM_T0);
    rem_emit_bind(emit, exit);
    rem_emit_lea(emit, 8, X86_RSP, rem_mem(X86_RSP, 8));
    for (unsigned i = G_N_ELEMENTS(callee_saved); i-- > 0;)
        rem_emit_pop_r(emit, callee_saved[i]);
    rem_emit_ret(emit);
    return start;
}

/* RIP is in T0; flat code, guest flags saved. Page in the TLB of that kind and block in the hash:
 * goes there. Else that site looks. */
static const uint8_t *
emit_lookup(RemEmit *emit, unsigned kind, uint32_t site)
{
    const size_t tlb = offsetof(Vcpu, tlb) + kind * sizeof(CpumTlb);
    const uint8_t *start = emit->at + emit->exec_offset;
    RemJump no_page, no_block;
    RemMem entry = rem_mem_vcpu(tlb);

    entry.base = REM_T1;
    rem_emit_mov_mr(emit, 8, rem_mem_hot(offsetof(RemHot, target)), REM_T0);
    rem_emit_mov_rr(emit, 4, REM_T1, REM_T0);
    rem_emit_shift_ri(emit, REM_SHR, 4, REM_T1, X86_PAGE_SHIFT - 5);
    rem_emit_alu_ri(emit, REM_AND, 4, REM_T1, (CPUM_TLB_ENTRIES - 1) << 5);
    rem_emit_alu_ri(emit, REM_AND, 8, REM_T0, -(int32_t)X86_PAGE_SIZE);
    entry.disp = (int32_t)(tlb + offsetof(CpumTlbEntry, tag_exec));
    rem_emit_alu_rm(emit, REM_CMP, 8, REM_T0, entry);
    no_page = rem_emit_jcc(emit, REM_CC_NZ, 4);
    rem_emit_mov_mr(emit, 8, rem_mem_hot(offsetof(RemHot, rip_base)), REM_T0);
    rem_emit_mov_rm(emit, 8, REM_T0, rem_mem_hot(offsetof(RemHot, target)));
    entry.disp = (int32_t)(tlb + offsetof(CpumTlbEntry, addend));
    rem_emit_alu_rm(emit, REM_ADD, 8, REM_T0, entry);
    rem_emit_movzx_rr(emit, 2, REM_T1, REM_T0);
    rem_emit_shift_ri(emit, REM_SHL, 4, REM_T1, 4);
    rem_emit_alu_rm(emit, REM_ADD, 8, REM_T1, rem_mem_hot(offsetof(RemHot, jumps)));
    rem_emit_alu_rm(emit, REM_XOR, 8, REM_T0, rem_mem_hot(offsetof(RemHot, mode_tag)));
    rem_emit_alu_rm(emit, REM_CMP, 8, REM_T0, rem_mem(REM_T1, offsetof(RemTarget, key)));
    no_block = rem_emit_jcc(emit, REM_CC_NZ, 4);
    rem_emit_jmp_m(emit, rem_mem(REM_T1, offsetof(RemTarget, code)));
    rem_emit_bind(emit, no_page);
    rem_emit_bind(emit, no_block);
    rem_emit_mov_ri(emit, REM_T0, site);
    rem_emit_jmp_m(emit, rem_mem_hot(offsetof(RemHot, leave)));
    return start;
}

void
rem_trampolines_emit(RemVcpu *rem)
{
    RemEmit *emit = &rem->hot;

    rem->enter = emit_enter(rem, emit);
    rem_hot(rem->vcpu)->leave = (uint64_t)(uintptr_t)emit_leave(rem, emit);
    for (unsigned kind = 0; kind < CPUM_TLB_COUNT; kind++) {
        rem_emit_align(emit, 32);
        rem->lookup[REM_LOOKUP_DIRECT][kind] = emit_lookup(emit, kind, REM_SITE_TARGET);
        rem_emit_align(emit, 32);
        rem->lookup[REM_LOOKUP_INDIRECT][kind] = emit_lookup(emit, kind, REM_SITE_INDIRECT);
    }
    rem_emit_align(emit, 32);
}

void
rem_trampoline_enter(RemVcpu *rem, const uint8_t *code)
{
    ((void (*)(const uint8_t *))(uintptr_t)rem->enter)(code);
}
