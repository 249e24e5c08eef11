/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * x87, MMX and SSE instructions in blocks: they run as themselves on the guest's state in the
 * host's registers. The block's entry has it loaded; control words that unmask something go to IEM;
 * behind each x87 instruction its FIP, FDP and FOP are noted. Intel SDM volume 1 sections 8.1.8
 * and 8.1.9. */
#include "vmm/rem/rem-translate.h"

/* ---- which ones ---- */
/* Reserved encodings of older instructions: IEM reports the older one's opcode. */
static bool
is_x87_alias(const RemInsn *insn)
{
    if (insn->form & REM_FORM_MEM)
        return false;
    switch ((unsigned)insn->op.code << 8 | (insn->modrm & 0xf8)) {
    case 0xdcd0:
    case 0xdcd8:
    case 0xded0:
    case 0xddc8:
    case 0xdfc8:
    case 0xd9d8:
    case 0xdfd0:
    case 0xdfd8: return true;
    default: return false;
    }
}

RemVectorLive
rem_vector_need(unsigned mode, const RemInsn *insn)
{
    unsigned needed = 0;

    if (!(insn->does & REM_DOES_VECTOR) || !rem_can_rewrite(insn))
        return REM_VECTOR_NONE;
    if (insn->row == ZYDIS_MNEMONIC_FNINIT || is_x87_alias(insn))
        return REM_VECTOR_NONE;
    if (insn->does & (REM_DOES_X87 | REM_DOES_MMX))
        needed |= REM_MODE_X87;
    if (insn->does & REM_DOES_SSE)
        needed |= REM_MODE_SSE;
    if (insn->does & REM_DOES_AVX)
        needed |= REM_MODE_AVX;
    if ((mode & needed) != needed)
        return REM_VECTOR_NONE;
    return insn->does & REM_DOES_AVX ? REM_VECTOR_AVX : REM_VECTOR_SSE;
}

/* ---- the block's entry ---- */
/* site->flags: what to load. */
static const uint8_t *
call_load(Vcpu *vcpu, const RemSite *site, uint64_t argument)
{
    rem_vector_load(vcpu, site->flags);
    return rem_code(rem_of(vcpu), site->retry);
}

void
rem_vector_emit_check(RemTranslator *t)
{
    RemSite *site;
    RemJump absent;

    rem_emit_alu_mi(t->emit, REM_CMP, 4, rem_mem_hot(offsetof(RemHot, vector.live)),
                    t->block->vector);
    absent = rem_emit_jcc(t->emit, REM_CC_B, 4);
    rem_emit_bind_to(t->emit, absent, rem_emit_offset(t->cold));
    site = rem_new_site(t, call_load);
    site->retry = rem_emit_offset(t->emit);
    site->flags = t->block->vector;
    rem_emit_leave(t, t->cold, site);
}

/* ---- FIP, FDP, FOP ---- */
/* Control instructions leave them alone. */
static bool
changes_pointers(const RemInsn *insn)
{
    if (insn->op.map != 0 || insn->op.code == 0x9b)
        return false;
    switch (insn->row) {
    case ZYDIS_MNEMONIC_FNOP:
    case ZYDIS_MNEMONIC_FINCSTP:
    case ZYDIS_MNEMONIC_FDECSTP:
    case ZYDIS_MNEMONIC_FLDCW:
    case ZYDIS_MNEMONIC_FNSTCW:
    case ZYDIS_MNEMONIC_FNSTSW:
    case ZYDIS_MNEMONIC_FNCLEX:
    case ZYDIS_MNEMONIC_FDISI8087_NOP:
    case ZYDIS_MNEMONIC_FENI8087_NOP:
    case ZYDIS_MNEMONIC_FSETPM287_NOP: return false;
    default: return true;
    }
}

static RemMem
hot_vector(size_t offset)
{
    return rem_mem_hot(offsetof(RemHot, vector) + offset);
}

static void
copy_selector(RemEmit *emit, size_t to, unsigned seg)
{
    rem_emit_movzx_rm(
        emit, 2, REM_T0,
        rem_mem_vcpu(offsetof(Vcpu, seg) + seg * sizeof(CpumSeg) + offsetof(CpumSeg, sel)));
    rem_emit_mov_mr(emit, 2, hot_vector(to), REM_T0);
}

bool
rem_x87_changes_pointers(const RemInsn *insn)
{
    return (insn->does & REM_DOES_X87) && changes_pointers(insn);
}

/* What is the same for all instructions of a block. */
static void
note_code(RemEmit *emit)
{
    rem_emit_mov_rm(emit, 8, REM_T0, rem_mem_hot(offsetof(RemHot, rip_base)));
    rem_emit_mov_mr(emit, 8, hot_vector(offsetof(RemVectorHot, x87_base)), REM_T0);
    copy_selector(emit, offsetof(RemVectorHot, x87_cs), X86_CS);
}

static void
note_insn(RemEmit *emit, const RemInsn *insn, unsigned offset)
{
    const uint32_t fop = (uint32_t)(insn->op.code & 7) << 8 | insn->modrm;

    rem_emit_mov_mi(emit, 4, hot_vector(offsetof(RemVectorHot, x87_insn)),
                    (int32_t)(REM_X87_VALID | fop << REM_X87_FOP_SHIFT | offset));
}

void
rem_x87_note(RemEmit *emit, const RemInsn *insn, unsigned offset, const RemInsn *memory)
{
    note_code(emit);
    note_insn(emit, insn, offset);
    if (memory != NULL)
        copy_selector(emit, offsetof(RemVectorHot, x87_ds), memory->mem.seg);
}

static void
note_x87(RemTranslator *t)
{
    const RemInsn *insn = t->insn;
    const RemRip rip = rem_rip(t);

    if (!changes_pointers(insn))
        return;
    if (!t->x87_noted)
        note_code(t->emit);
    t->x87_noted = true;
    note_insn(t->emit, insn, t->offset);
    if (!(insn->form & REM_FORM_MEM))
        return;
    copy_selector(t->emit, offsetof(RemVectorHot, x87_ds), insn->mem.seg);
    rem_rewrite_offset(t->emit, insn, REM_T0, REM_T1, &rip);
    rem_emit_mov_mr(t->emit, 8, hot_vector(offsetof(RemVectorHot, x87_dp)), REM_T0);
}

/* ---- control words ---- */
/* The value in T0 has to have all of `masks` and nothing of `reserved`, else IEM executes the
 * instruction. T1 and the flags (which are saved) are lost. */
static void
emit_mask_check(RemTranslator *t, uint32_t masks, uint32_t reserved)
{
    RemSite *site = rem_retry_site(t, rem_call_iem);
    RemJump unmasked;

    rem_emit_mov_rr(t->emit, 4, REM_T1, REM_T0);
    rem_emit_alu_ri(t->emit, REM_AND, 4, REM_T1, (int32_t)(masks | reserved));
    rem_emit_alu_ri(t->emit, REM_CMP, 4, REM_T1, (int32_t)masks);
    unmasked = rem_emit_jcc(t->emit, REM_CC_NZ, 4);
    rem_emit_bind_to(t->emit, unmasked, rem_emit_offset(t->cold));
    rem_emit_leave(t, t->cold, site);
}

static bool
translate_ldmxcsr(RemTranslator *t)
{
    const RemMem mxcsr = rem_mem_vcpu(offsetof(Vcpu, fpu.mxcsr));
    RemMem mem;

    if (!rem_memory_operand(t, &mem))
        return false;
    rem_emit_mov_rm(t->emit, 4, REM_T0, mem);
    emit_mask_check(t, 0x1f80, 0xffff0000);
    rem_emit_mov_mr(t->emit, 4, mxcsr, REM_T0);
    rem_emit_op_rm(t->emit, (RemOpcode){.map = 1, .code = 0xae}, 2, mxcsr);
    return true;
}

static bool
translate_fldcw(RemTranslator *t)
{
    const RemMem scratch = rem_mem_hot(offsetof(RemHot, scratch));
    RemMem mem;

    if (!rem_memory_operand(t, &mem))
        return false;
    rem_emit_movzx_rm(t->emit, 2, REM_T0, mem);
    emit_mask_check(t, 0x3f, 0);
    rem_emit_mov_mr(t->emit, 4, scratch, REM_T0);
    rem_emit_op_rm(t->emit, (RemOpcode){.code = 0xd9}, 5, scratch);
    return true;
}

/* ---- all others ---- */
bool
rem_translate_vector(RemTranslator *t)
{
    const RemInsn *insn = t->insn;
    const bool memory = (insn->does & REM_DOES_MEMORY) != 0;
    const RemRip rip = rem_rip(t);
    RemMem mem;

    if (rem_vector_need(t->mode, insn) == REM_VECTOR_NONE)
        return false;
    if (insn->row == ZYDIS_MNEMONIC_LDMXCSR || insn->row == ZYDIS_MNEMONIC_VLDMXCSR)
        return translate_ldmxcsr(t);
    if (insn->row == ZYDIS_MNEMONIC_FLDCW)
        return translate_fldcw(t);
    if (memory && !rem_memory_operand(t, &mem))
        return false;
    rem_restore_flags_for_insn(t);
    if (!rem_rewrite(t->emit, insn, memory ? &mem : NULL, &rip))
        return false;
    rem_flags_written(t);
    if (insn->does & REM_DOES_X87)
        note_x87(t);
    return true;
}
