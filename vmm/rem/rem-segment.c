/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Segment registers: SWAPGS and the bases of FS and GS, PUSH of and MOV from a segment register.
 * Loads of ES, DS, FS and GS in flat 32-bit code try a short cut of IEM's; others are IEM's
 * instructions. Intel SDM volume 2. */
#include "vmm/rem/rem-translate.h"

bool
rem_names_segment(const RemInsn *insn)
{
    if (insn->op.map == 0)
        return (insn->op.code & 0xe6) == 0x06;
    return insn->op.map == 1 && (insn->op.code & 0xf6) == 0xa0;
}

bool
rem_loads_segment(const RemInsn *insn)
{
    if (insn->row == ZYDIS_MNEMONIC_MOV)
        return insn->op.map == 0 && insn->op.code == 0x8e;
    return insn->row == ZYDIS_MNEMONIC_POP && rem_names_segment(insn);
}

static RemMem
mem_selector(unsigned seg)
{
    return rem_mem_vcpu(offsetof(Vcpu, seg) + seg * sizeof(CpumSeg) + offsetof(CpumSeg, sel));
}

/* Of PUSH and POP. */
static unsigned
pushed_segment(const RemInsn *insn)
{
    if (insn->op.map == 0)
        return (unsigned)insn->op.code >> 3;
    return insn->op.code & 8 ? X86_GS : X86_FS;
}

/* With a 32-bit operand only the low half of the word is written. */
bool
rem_push_segment(RemTranslator *t, unsigned size)
{
    const unsigned seg = pushed_segment(t->insn);
    const unsigned written = size == 8 ? 8 : 2;
    unsigned value;
    RemMem mem;

    rem_memory_stack(t, rem_mem(X86_RSP, -(int32_t)size), written, true, &mem);
    value = mem.base == REM_T0 ? REM_T1 : REM_T0;
    rem_emit_movzx_rm(t->emit, 2, value, mem_selector(seg));
    rem_emit_mov_mr(t->emit, written, mem, value);
    rem_emit_lea(t->emit, size, X86_RSP, rem_mem(X86_RSP, -(int32_t)size));
    return true;
}

/* Memory gets 16 bits; a register its operand size, zero-extended. */
bool
rem_mov_from_segment(RemTranslator *t)
{
    const RemInsn *insn = t->insn;
    const unsigned seg = insn->reg & 7;
    unsigned value;
    RemMem mem;

    if (seg >= X86_SEG_COUNT)
        return false;
    if (insn->form & REM_FORM_MEM) {
        if (!rem_memory_operand(t, &mem))
            return false;
        value = mem.base == REM_T0 ? REM_T1 : REM_T0;
        rem_emit_movzx_rm(t->emit, 2, value, mem_selector(seg));
        rem_emit_mov_mr(t->emit, 2, mem, value);
        return true;
    }
    rem_emit_movzx_rm(t->emit, 2, REM_T0, mem_selector(seg));
    if (insn->opsize != 2)
        rem_rewrite_store(t->emit, insn->rm, REM_T0);
    else if (rem_in_register(insn->rm))
        rem_emit_mov_rr(t->emit, 2, insn->rm, REM_T0);
    else
        rem_emit_mov_mr(t->emit, 2, rem_mem_gpr(insn->rm), REM_T0);
    return true;
}

/* site->flags has the segment register, site->target what a POP adds to ESP. */
static const uint8_t *
call_load(Vcpu *vcpu, const RemSite *site, uint64_t selector)
{
    RemVcpu *rem = rem_of(vcpu);
    RemHot *hot = rem_hot(vcpu);
    const unsigned seg = site->flags;

    if (hot->segments_stale || rem->segment_changes != iem_segment_changes(vcpu) ||
        !iem_load_data_quickly(vcpu, seg, (uint16_t)selector))
        return rem_call_iem(vcpu, site, 0);
    rem->segment_changes = iem_segment_changes(vcpu);
    iem_segment_window(vcpu, seg, &hot->window[seg].read_end, &hot->window[seg].write_end);
    vcpu->gpr[X86_RSP] = (uint32_t)(vcpu->gpr[X86_RSP] + (uint32_t)site->target);
    return rem_code(rem, site->next);
}

/* Flat code's ES and DS stay flat, the mode with them. */
static bool
loads_quickly(const RemTranslator *t, unsigned seg)
{
    const unsigned needed = REM_MODE_FLAT | REM_MODE_FLAT_CODE | REM_MODE_SS_B;

    return seg != X86_CS && seg != X86_SS && seg < X86_SEG_COUNT && t->index < t->count &&
           t->stays[t->index] && (t->mode & REM_MODE_CPU) == CPUM_MODE_PROT32 &&
           (t->mode & needed) == needed && !(t->mode & REM_MODE_SLOW_MEMORY);
}

/* The selector is in T1. */
static void
emit_load(RemTranslator *t, unsigned seg, unsigned popped)
{
    RemSite *site = rem_retry_site(t, call_load);

    site->flags = (uint8_t)seg;
    site->target = (int32_t)popped;
    rem_emit_leave(t, t->emit, site);
    t->flags = REM_FLAGS_SAVED;
}

bool
rem_mov_to_segment(RemTranslator *t)
{
    const RemInsn *insn = t->insn;
    const unsigned seg = insn->reg & 7;
    RemMem mem;

    if (!loads_quickly(t, seg))
        return false;
    if (!(insn->form & REM_FORM_MEM)) {
        rem_begin_retry(t);
        rem_rewrite_load(t->emit, REM_T1, insn->rm);
    } else if (insn->mem.size == 2 && rem_memory_operand(t, &mem)) {
        rem_emit_movzx_rm(t->emit, 2, REM_T1, mem);
        t->temps_busy = false;
    } else {
        return false;
    }
    emit_load(t, seg, 0);
    return true;
}

bool
rem_pop_segment(RemTranslator *t, unsigned size)
{
    const unsigned seg = pushed_segment(t->insn);
    RemMem mem;

    if (!loads_quickly(t, seg))
        return false;
    rem_memory_stack(t, rem_mem(X86_RSP, 0), size, false, &mem);
    rem_emit_movzx_rm(t->emit, 2, REM_T1, mem);
    t->temps_busy = false;
    emit_load(t, seg, size);
    return true;
}

bool
rem_translate_swapgs(RemTranslator *t)
{
    const RemMem base =
        rem_mem_vcpu(offsetof(Vcpu, seg) + X86_GS * sizeof(CpumSeg) + offsetof(CpumSeg, base));
    const RemMem other = rem_mem_vcpu(offsetof(Vcpu, kernel_gs_base));

    if (!(t->mode & REM_MODE_CPL0) || !rem_is_long64(t))
        return false;
    rem_emit_mov_rm(t->emit, 8, REM_T0, base);
    rem_emit_mov_rm(t->emit, 8, REM_T1, other);
    rem_emit_mov_mr(t->emit, 8, base, REM_T1);
    rem_emit_mov_mr(t->emit, 8, other, REM_T0);
    return true;
}

/* A 64-bit value that is not canonical leaves. Flags are lost. */
static void
leave_unless_canonical(RemTranslator *t, unsigned reg, unsigned other)
{
    const unsigned unused = 64u - t->vcpu->linear_bits;

    rem_emit_mov_rr(t->emit, 8, other, reg);
    rem_emit_shift_ri(t->emit, REM_SHL, 8, other, unused);
    rem_emit_shift_ri(t->emit, REM_SAR, 8, other, unused);
    rem_emit_alu_rr(t->emit, REM_CMP, 8, other, reg);
    rem_flags_lost(t);
    rem_emit_leave_if(t, REM_CC_NZ, rem_retry_site(t, rem_call_iem));
}

/* RDFSBASE, WRFSBASE and so on. */
bool
rem_translate_fsgsbase(RemTranslator *t)
{
    const RemInsn *insn = t->insn;
    const bool reads = insn->row == ZYDIS_MNEMONIC_RDFSBASE || insn->row == ZYDIS_MNEMONIC_RDGSBASE;
    const unsigned size = insn->op.flags & REM_OP_W ? 8 : 4;
    const unsigned seg = insn->reg & 1 ? X86_GS : X86_FS;
    const RemMem base =
        rem_mem_vcpu(offsetof(Vcpu, seg) + seg * sizeof(CpumSeg) + offsetof(CpumSeg, base));

    if (!rem_is_long64(t) || insn->treatment == REM_TREAT_IEM || (insn->form & REM_FORM_MEM))
        return false;
    rem_begin_retry(t);
    rem_emit_test_mi(t->emit, 4, rem_mem_vcpu(offsetof(Vcpu, cr4)), X86_CR4_FSGSBASE);
    rem_flags_lost(t);
    rem_emit_leave_if(t, REM_CC_Z, rem_retry_site(t, rem_call_iem));
    if (reads) {
        rem_emit_mov_rm(t->emit, size, REM_T0, base);
        rem_rewrite_store(t->emit, insn->rm, REM_T0);
        return true;
    }
    rem_rewrite_load(t->emit, REM_T0, insn->rm);
    if (size == 8)
        leave_unless_canonical(t, REM_T0, REM_T1);
    else
        rem_emit_mov_rr(t->emit, 4, REM_T0, REM_T0);
    rem_emit_mov_mr(t->emit, 8, base, REM_T0);
    return true;
}
