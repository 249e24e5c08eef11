/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A block from guest code: decoding, the entry with its count, one instruction after the other by
 * the table of translations, and where the block goes at its end. */
#include "vmm/rem/rem-trace.h"

static const RemTranslate translations[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
#define REM(mnemonic, function) [ZYDIS_MNEMONIC_##mnemonic] = function,
#include "vmm/rem/rem-translations.def"
#undef REM
};

/* --- sites --- */

RemSite *
rem_new_site(RemTranslator *t, RemCall call)
{
    RemVcpu *rem = t->rem;
    RemSite *site = &rem->sites[rem->site_count++];

    *site = (RemSite){
        .call = call,
        .block = (uint32_t)(t->block - rem->blocks),
        .offset = (uint16_t)t->offset,
        .align = 1,
        .vector = t->insn != NULL && rem_insn_uses_vector(t->insn),
        .undone = (uint8_t)(t->counted - t->index),
        .retry = t->retry,
        .stays = t->index < t->count && t->stays[t->index],
        .leaves = t->shares,
        .length = t->insn != NULL ? (uint8_t)t->insn->length : 0,
    };
    return site;
}

RemSite *
rem_retry_site(RemTranslator *t, RemCall call)
{
    rem_begin_retry(t);
    return rem_new_site(t, call);
}

void
rem_begin_retry(RemTranslator *t)
{
    if (t->retry != 0)
        return;
    rem_save_flags(t);
    t->retry = rem_emit_offset(t->emit);
}

void
rem_emit_leave(RemTranslator *t, RemEmit *emit, const RemSite *site)
{
    rem_emit_mov_ri(emit, REM_T0, (uint64_t)(site - t->rem->sites));
    rem_emit_jmp_m(emit, rem_mem_hot(offsetof(RemHot, leave)));
}

void
rem_translate_iem(RemTranslator *t)
{
    RemSite *site = rem_retry_site(t, rem_call_iem);

    site->leaves = false;
    rem_share_forget(t);
    rem_emit_leave(t, t->emit, site);
    t->flags = REM_FLAGS_SAVED;
}

/* --- one instruction --- */

/* Whether somebody wants the flags behind the present instruction. */
static bool
flags_matter(const RemTranslator *t)
{
    const RemFlags *flow = &t->flow[t->index];

    return (flow->live_out | flow->shown_out) != 0;
}

/* IEM executed the instruction and its flags are saved: the code that follows may want them in the
 * host's. */
static uint32_t
emit_landing(RemTranslator *t)
{
    const uint32_t next = rem_emit_offset(t->emit);
    uint32_t landing;

    if (t->flags == REM_FLAGS_SAVED || !flags_matter(t))
        return next;
    landing = rem_emit_offset(t->cold);
    rem_emit_load_flags(t->cold);
    rem_emit_bind_to(t->cold, rem_emit_jmp(t->cold, 4), next);
    return landing;
}

static void
finish_insn(RemTranslator *t, uint32_t first_site)
{
    RemVcpu *rem = t->rem;
    uint32_t next;

    if (t->retry == 0 || t->ended)
        return;
    next = emit_landing(t);
    for (uint32_t i = first_site; i < rem->site_count; i++)
        rem->sites[i].next = next;
}

/* Names that stand for two instructions, or forms that the host executes as they are. */
static RemTranslate
translation_of(const RemInsn *insn)
{
    switch (insn->row) {
    case ZYDIS_MNEMONIC_MOVSD:
    case ZYDIS_MNEMONIC_CMPSD: return insn->op.map == 0 ? translations[insn->row] : NULL;
    case ZYDIS_MNEMONIC_BT:
    case ZYDIS_MNEMONIC_BTC:
    case ZYDIS_MNEMONIC_BTR:
    case ZYDIS_MNEMONIC_BTS: return insn->does & REM_DOES_BITS ? translations[insn->row] : NULL;
    default: return translations[insn->row];
    }
}

bool
rem_is_copy(const RemInsn *insn)
{
    return translation_of(insn) == NULL;
}

/* Whatever the host executes as the guest does. */
static bool
translate_copy(RemTranslator *t)
{
    const RemInsn *insn = t->insn;
    const RemRip rip = rem_rip(t);
    const bool memory = (insn->does & REM_DOES_MEMORY) != 0;
    RemMem mem;

    if (insn->does & REM_DOES_VECTOR)
        return rem_translate_vector(t);
    if (insn->row == ZYDIS_MNEMONIC_MOV && insn->op.map == 0 && insn->op.code == 0x8c)
        return rem_mov_from_segment(t);
    if (rem_reads_cr2(insn))
        return rem_mov_from_cr2(t);
    if (rem_loads_segment(insn))
        return rem_mov_to_segment(t);
    if (!rem_can_rewrite(insn) || (insn->does & REM_DOES_DIVIDE))
        return false;
    if (memory && !rem_memory_operand(t, &mem))
        return false;
    rem_restore_flags_for_insn(t);
    if (!rem_rewrite(t->emit, insn, memory ? &mem : NULL, &rip))
        return false;
    rem_flags_written(t);
    return true;
}

static void
translate_insn(RemTranslator *t)
{
    const RemTranslate translate = translation_of(t->insn);
    const RemFlagsPlace flags = t->flags;
    uint8_t *const hot = t->emit->at, *const cold = t->cold->at;
    const uint32_t first_site = t->rem->site_count;

    t->retry = 0;
    t->temps_busy = false;
    t->keeps_flags = translate == NULL && !(t->insn->does & REM_DOES_VECTOR);
    if (translate != NULL ? !translate(t) : !translate_copy(t)) {
        t->emit->at = hot;
        t->cold->at = cold;
        t->rem->site_count = first_site;
        t->flags = flags;
        t->retry = 0;
        t->temps_busy = false;
        rem_translate_iem(t);
        t->ended = t->iem_ends[t->index];
    }
    finish_insn(t, first_site);
}

/* --- the block --- */

X86CodeSize
rem_code_size(unsigned mode)
{
    switch (mode & REM_MODE_CPU) {
    case CPUM_MODE_LONG64: return X86_CODE_64;
    case CPUM_MODE_PROT32: return X86_CODE_32;
    case CPUM_MODE_PROT16: return X86_CODE_16;
    default: return mode & REM_MODE_CS_D ? X86_CODE_32 : X86_CODE_16;
    }
}

/* What the present mode leaves to IEM: real and virtual-8086 mode have no VEX, and vector
 * instructions may be off. */
static void
refuse_for_mode(const RemTranslator *t, RemInsn *insn)
{
    const bool vex = (insn->form & REM_FORM_VEX) && (t->mode & REM_MODE_CPU) < CPUM_MODE_PROT16;
    const bool vector =
        (insn->does & REM_DOES_VECTOR) != 0 && rem_vector_need(t->mode, insn) == REM_VECTOR_NONE;

    if (vex)
        insn->treatment = REM_TREAT_IEM;
    if (vex || vector)
        insn->does |= REM_DOES_LEAVE;
}

/* Decodes one more instruction; false: it is the last one, or none (count is unchanged). */
static bool
decode(RemTranslator *t, unsigned available)
{
    RemInsn *insn = &t->insns[t->count];
    const uint8_t *bytes = t->bytes + t->block->bytes;
    const unsigned left = MIN(available - t->block->bytes, X86_INSN_MAX);

    if (left == 0 || rem_insn_decode(&t->rem->decoder, rem_code_size(t->mode), t->vcpu, bytes, left,
                                     insn) == X86_DECODE_MORE)
        return false;
    refuse_for_mode(t, insn);
    if (!rem_can_rewrite(insn)) {
        if (!iem_insn_decode(t->vcpu, bytes, left, t->rem->spare_insn))
            return false;
        t->stays[t->count] = rem_stays_in_block(t, insn);
        t->iem_ends[t->count] = iem_insn_ends_block(t->rem->spare_insn) && !t->stays[t->count];
    }
    t->side_exit[t->count] = rem_is_side_exit(t, insn);
    t->count++;
    /* Up to 15 bytes decided that an undefined instruction is undefined. */
    t->block->bytes += insn->length != 0 ? insn->length : (uint16_t)left;
    return insn->length != 0 && t->count < REM_BLOCK_INSNS &&
           t->offset + t->block->bytes < X86_PAGE_SIZE &&
           (t->side_exit[t->count - 1] || !t->iem_ends[t->count - 1]) &&
           rem_cache_find_trace(t->rem, t->block->code.host + t->block->bytes, t->mode) == NULL;
}

/* Counts the instructions from t->counted up to the next side exit. */
static void
count_segment(RemTranslator *t)
{
    unsigned end = t->counted;

    while (end < t->count && !t->side_exit[end])
        end++;
    end = MIN(end + 1, t->count);
    rem_emit_lea(t->emit, 8, REM_COUNT, rem_mem(REM_COUNT, -(int32_t)(end - t->counted)));
    t->counted = end;
}

/* Entries, and the look at the count: the whole block has to fit. */
static void
emit_entry(RemTranslator *t)
{
    RemJump exhausted;

    t->block->entry = rem_emit_offset(t->emit);
    rem_emit_store_flags(t->emit);
    t->block->entry_saved = rem_emit_offset(t->emit);
    t->flags = REM_FLAGS_SAVED;
    if (t->block->second != NULL)
        rem_jump_second_page(t, rem_new_site(t, rem_call_exhausted));
    if (t->block->vector != REM_VECTOR_NONE)
        rem_vector_emit_check(t);
    rem_emit_alu_ri(t->emit, REM_CMP, 8, REM_COUNT, (int32_t)t->count);
    exhausted = rem_emit_jcc(t->emit, REM_CC_L, 4);
    rem_emit_bind_to(t->emit, exhausted, rem_emit_offset(t->cold));
    rem_emit_leave(t, t->cold, rem_new_site(t, rem_call_exhausted));
    count_segment(t);
}

static void
analyse(RemTranslator *t)
{
    bool loses[REM_BLOCK_INSNS];

    for (unsigned i = 0; i < t->count; i++)
        loses[i] = rem_insn_can_fault(&t->insns[i]);
    rem_flags_analyse(t->insns, loses, t->count, X86_FL_STATUS, t->flow);
}

static void
emit_block(RemTranslator *t)
{
    emit_entry(t);
    for (t->index = 0; t->index < t->count && !t->ended; t->index++) {
        t->insn = &t->insns[t->index];
        if (t->index == t->counted)
            count_segment(t);
        translate_insn(t);
        t->offset += t->insn->length;
    }
    t->index = t->count;
    if (!t->ended)
        rem_emit_goto(t, (int32_t)t->offset);
}

bool
rem_translate(Vcpu *vcpu, RemBlock *block, const uint8_t *bytes, unsigned available)
{
    RemVcpu *rem = rem_of(vcpu);
    RemTranslator *t = rem->translator;

    *t = (RemTranslator){
        .vcpu = vcpu,
        .rem = rem,
        .emit = &rem->hot,
        .cold = &rem->cold,
        .block = block,
        .bytes = bytes,
        .mode = block->mode,
        .offset = (unsigned)((uintptr_t)block->code.host & X86_PAGE_OFFSET_MASK),
    };
    while (decode(t, available))
        continue;
    if (t->count == 0)
        return false;
    block->count = (uint16_t)t->count;
    for (unsigned i = 0; i < t->count; i++)
        block->vector = MAX(block->vector, (uint8_t)rem_vector_need(t->mode, &t->insns[i]));
    analyse(t);
    rem_share_analyse(t);
    emit_block(t);
    if (rem->hot.overflow || rem->cold.overflow)
        g_error("The room for a block of translated code was too small.");
    return true;
}

/* Where the turns begin. */
static uint32_t
emit_trace(Vcpu *vcpu, RemBlock *block, RemTrace *trace)
{
    RemVcpu *rem = rem_of(vcpu);
    RemTranslator *t = rem->translator;

    *t = (RemTranslator){
        .vcpu = vcpu,
        .rem = rem,
        .emit = &rem->hot,
        .cold = &rem->cold,
        .block = block,
        .mode = block->mode,
        .offset = (unsigned)trace->head,
    };
    return rem_trace_emit(t, trace);
}

bool
rem_translate_trace(Vcpu *vcpu, RemBlock *block, RemTrace *trace)
{
    RemVcpu *rem = rem_of(vcpu);
    uint8_t *const hot = rem->hot.at, *const cold = rem->cold.at;
    const uint32_t sites = rem->site_count;
    uint32_t top;

    block->count = (uint16_t)trace->count;
    block->bytes = (uint16_t)(trace->pages[0].end - trace->pages[0].first);
    block->vector = trace->vector;
    block->trace = true;
    top = emit_trace(vcpu, block, trace);
    rem->hot.at = hot;
    rem->cold.at = cold;
    rem->site_count = sites;
    if (rem->translator->failed)
        return false;
    /* Now it is known how far in front of them it has to begin. */
    rem->hot.at += -top & (REM_TURN_ALIGNMENT - 1);
    emit_trace(vcpu, block, trace);
    if (rem->hot.overflow || rem->cold.overflow)
        g_error("The room for a trace was too small.");
    return true;
}

void
rem_translator_init(RemVcpu *rem)
{
    const bool lzcnt = cpum_has(rem->vcpu, CPUM_FEATURE_LZCNT);
    const bool tzcnt = cpum_has(rem->vcpu, CPUM_FEATURE_BMI1);

    x86_decoder_init(&rem->decoder,
                     (lzcnt ? X86_DECODE_LZCNT : 0) | (tzcnt ? X86_DECODE_TZCNT : 0));
    rem->translator = g_new0(RemTranslator, 1);
}
