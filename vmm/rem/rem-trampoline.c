/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The ways into translated code, out of it, and to C and back: generated once, at the start of a
 * virtual CPU's executable memory. System V AMD64 ABI, section 3.2. */
#include "vmm/rem/rem-private.h"

/* Pushed in this order; with the return address an even number of words minus one, so that eight
 * more bytes align the stack for calls. */
static const uint8_t callee_saved[] = {X86_RBX, X86_RBP, X86_R12, X86_R13, X86_R14, X86_R15};

/* C code may have changed the TLB. */
static void
emit_forget(RemEmit *emit)
{
    for (unsigned i = 0; i < REM_TRACE_MEMOS; i++)
        rem_emit_mov_mi(
            emit, 8, rem_mem_hot(offsetof(RemHot, loop.memo[0].trace) + i * sizeof(RemMemoHot)), 0);
}

static void
emit_load_guest(RemEmit *emit)
{
    emit_forget(emit);
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

static const uint8_t *
emit_lookup(RemEmit *emit, unsigned kind, uint32_t site)
{
    const uint8_t *start;

    rem_emit_align(emit, 32);
    start = emit->at + emit->exec_offset;
    rem_jump_emit_lookup(emit, emit, kind, site);
    return start;
}

void
rem_trampolines_emit(RemVcpu *rem)
{
    RemEmit *emit = &rem->hot;

    rem->enter = emit_enter(rem, emit);
    rem_hot(rem->vcpu)->leave = (uint64_t)(uintptr_t)emit_leave(rem, emit);
    for (unsigned kind = 0; kind < CPUM_TLB_COUNT; kind++) {
        rem->lookup[REM_LOOKUP_DIRECT][kind] = emit_lookup(emit, kind, REM_SITE_TARGET);
        rem->lookup[REM_LOOKUP_INDIRECT][kind] = emit_lookup(emit, kind, REM_SITE_INDIRECT);
    }
    rem_emit_align(emit, 32);
}

void
rem_trampoline_enter(RemVcpu *rem, const uint8_t *code)
{
    ((void (*)(const uint8_t *))(uintptr_t)rem->enter)(code);
}
