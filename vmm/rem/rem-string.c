/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MOVS, STOS, LODS, SCAS, CMPS as themselves on host addresses. With REP, as many elements at once
 * as lie in the operands' pages: behind each such run the registers are right, so that a miss or
 * somebody who waits begins the instruction again where it was. Runs upwards, MOVS downwards too.
 * Left to IEM: other segments than the flat ones, addresses of another width than the code's,
 * elements that cross pages, REP LODS. Intel SDM volume 2 (REP; its section on fast strings). */
#include "vmm/rem/rem-translate.h"

#define INDEX_SHIFT (X86_PAGE_SHIFT - 5)
#define ZF_IN_AH 0x40
#define QUADWORD 8
#define DOWN_BLOCK 32 /* bytes that are moved down in one turn */

/* What differs between them. */
typedef struct {
    bool source, target;    /* operands at RSI, at RDI */
    bool writes;            /* to the target */
    bool compares;          /* sets flags; REPE and REPNE look at ZF */
    bool repeats, equals;   /* with REP; while equal */
    unsigned size;          /* of an element */
    unsigned width;         /* of addresses and the count: 8 or 4 */
    RemSite *iem, *miss[2]; /* for the whole instruction; misses of source and target */
} String;

/* A segment that is not flat, or a repetition that the instruction does not have. */
static bool
has_other_prefix(const RemTranslator *t, const String *string)
{
    const unsigned start = (unsigned)((uintptr_t)t->block->code.host & X86_PAGE_OFFSET_MASK);
    const uint8_t *bytes = t->bytes + (t->offset - start);

    for (unsigned i = 0; i < t->insn->length; i++) {
        switch (bytes[i]) {
        case 0x2e: /* CS */
        case 0x64: /* FS */
        case 0x65: return true;
        case 0xf2:
            if (!string->compares || string->equals)
                return true;
            break;
        default: break;
        }
    }
    return false;
}

static bool
describe(const RemTranslator *t, String *string)
{
    const RemInsn *insn = t->insn;
    const unsigned code = insn->op.code & ~1u;
    const bool rep = insn->form & REM_FORM_REP, repne = insn->form & REM_FORM_REPNE;

    *string = (String){
        .source = code == 0xa4 || code == 0xa6 || code == 0xac,
        .target = code != 0xac,
        .writes = code == 0xa4 || code == 0xaa,
        .compares = code == 0xa6 || code == 0xae,
        .repeats = rep || repne,
        .equals = rep,
        .size = insn->op.code & 1 ? insn->opsize : 1,
        .width = rem_is_long64(t) ? 8 : 4,
    };
    return (t->mode & REM_MODE_FLAT) && !(t->mode & REM_MODE_SLOW_MEMORY) &&
           (rem_is_long64(t) || (t->mode & REM_MODE_CPU) == CPUM_MODE_PROT32) &&
           insn->addrsize == string->width && !has_other_prefix(t, string) &&
           !(string->repeats && code == 0xac);
}

/* ---- probes ---- */

static RemMem
tlb_field(const RemTranslator *t, size_t field)
{
    const unsigned kind = (t->mode & REM_MODE_TLB) >> 5;
    RemMem mem = rem_mem_vcpu(offsetof(Vcpu, tlb) + kind * sizeof(CpumTlb) + field);

    mem.base = REM_T1;
    return mem;
}

/* Host minus guest address of an operand. */
static RemMem
delta_of(unsigned reg)
{
    return rem_mem_hot(offsetof(RemHot, scratch) + (reg == X86_RSI ? 0 : 8));
}

static void
emit_offset(RemEmit *emit, unsigned to, unsigned reg)
{
    rem_emit_mov_rr(emit, 4, to, reg);
    rem_emit_alu_ri(emit, REM_AND, 4, to, X86_PAGE_OFFSET_MASK);
}

/* The target's page is missing. Where the source's element crosses pages, its second page comes
 * first: if that faults, the walk of the target must not leave its marks. */
static void
emit_miss(RemTranslator *t, const String *string, unsigned reg)
{
    RemEmit *cold = t->cold;
    RemJump whole;

    if (reg == X86_RDI && string->source && string->size > 1) {
        emit_offset(cold, REM_T0, X86_RSI);
        rem_emit_alu_ri(cold, REM_CMP, 4, REM_T0, (int32_t)(X86_PAGE_SIZE - string->size));
        whole = rem_emit_jcc(cold, REM_CC_BE, 4);
        rem_emit_leave(t, cold, string->iem);
        rem_emit_bind(cold, whole);
    }
    rem_emit_mov_rr(cold, string->width, REM_T1, reg);
    rem_emit_leave(t, cold, string->miss[reg == X86_RDI]);
}

/* The page of the element at that register, for all of a run. */
static void
probe_page(RemTranslator *t, const String *string, unsigned reg)
{
    const bool write = reg == X86_RDI && string->writes;
    const size_t tag = write ? offsetof(CpumTlbEntry, tag_write) : offsetof(CpumTlbEntry, tag_read);
    RemEmit *emit = t->emit;
    RemJump miss;

    rem_emit_mov_rr(emit, string->width, REM_T0, reg);
    rem_emit_mov_rr(emit, 4, REM_T1, REM_T0);
    rem_emit_shift_ri(emit, REM_SHR, 4, REM_T1, INDEX_SHIFT);
    rem_emit_alu_ri(emit, REM_AND, 4, REM_T1, (CPUM_TLB_ENTRIES - 1) << 5);
    rem_emit_alu_ri(emit, REM_AND, 8, REM_T0, -(int32_t)X86_PAGE_SIZE);
    rem_emit_alu_rm(emit, REM_CMP, 8, REM_T0, tlb_field(t, tag));
    miss = rem_emit_jcc(emit, REM_CC_NZ, 4);
    rem_emit_mov_rm(emit, 8, REM_T0, tlb_field(t, offsetof(CpumTlbEntry, addend)));
    rem_emit_mov_mr(emit, 8, delta_of(reg), REM_T0);
    rem_emit_bind_to(emit, miss, rem_emit_offset(t->cold));
    emit_miss(t, string, reg);
}

static void
leave_if(RemTranslator *t, RemCondition cc, const RemSite *site)
{
    const RemJump leaves = rem_emit_jcc(t->emit, cc, 4);

    rem_emit_bind_to(t->emit, leaves, rem_emit_offset(t->cold));
    rem_emit_leave(t, t->cold, site);
}

/* ---- runs ---- */

/* The higher (or lower) of the operands' offsets in their pages into T0. */
static void
emit_outer_offset(RemEmit *emit, const String *string, bool higher)
{
    emit_offset(emit, REM_T0, string->target ? X86_RDI : X86_RSI);
    if (!string->source || !string->target)
        return;
    emit_offset(emit, REM_T1, X86_RSI);
    rem_emit_alu_rr(emit, REM_CMP, 4, REM_T0, REM_T1);
    rem_emit_cmov_rr(emit, higher ? REM_CC_B : REM_CC_NBE, 4, REM_T0, REM_T1);
}

/* Elements of a run into T0: within the pages, at most RCX. An element that crosses
 * pages is IEM's, with all the rest. */
static void
emit_run_length(RemTranslator *t, const String *string, bool down)
{
    const int32_t last = (int32_t)(X86_PAGE_SIZE - string->size);
    const unsigned shift = (unsigned)__builtin_ctz(string->size);
    RemEmit *emit = t->emit;

    emit_outer_offset(emit, string, true);
    if (string->size > 1) {
        rem_emit_alu_ri(emit, REM_CMP, 4, REM_T0, last);
        leave_if(t, REM_CC_NBE, string->iem);
    }
    if (down) {
        emit_outer_offset(emit, string, false);
    } else {
        rem_emit_neg_r(emit, 4, REM_T0);
        rem_emit_alu_ri(emit, REM_ADD, 4, REM_T0, last);
    }
    if (shift != 0)
        rem_emit_shift_ri(emit, REM_SHR, 4, REM_T0, shift);
    rem_emit_lea(emit, 4, REM_T0, rem_mem(REM_T0, 1));
    rem_emit_mov_rr(emit, string->width, REM_T1, X86_RCX);
    rem_emit_alu_rr(emit, REM_CMP, 8, REM_T0, REM_T1);
    rem_emit_cmov_rr(emit, REM_CC_NBE, 8, REM_T0, REM_T1);
}

static void
to_host(RemEmit *emit, const String *string, unsigned reg)
{
    if (string->width == 4)
        rem_emit_mov_rr(emit, 4, reg, reg);
    rem_emit_alu_rm(emit, REM_ADD, 8, reg, delta_of(reg));
}

static void
to_guest(RemEmit *emit, const String *string, unsigned reg)
{
    rem_emit_alu_rm(emit, REM_SUB, 8, reg, delta_of(reg));
    if (string->width == 4)
        rem_emit_mov_rr(emit, 4, reg, reg);
}

/* The instruction itself: REP, operand size, opcode. */
static void
emit_string(RemEmit *emit, const RemInsn *insn, const String *string)
{
    const RemOpcode op = {.code = insn->op.code,
                          .prefix = string->equals || !string->compares ? 0xf3 : 0xf2,
                          .flags = string->size == 8   ? REM_OP_W
                                   : string->size == 2 ? REM_OP_66
                                                       : 0};

    rem_emit_op(emit, op, 0);
}

/* Downwards, from host to host; RCX counts elements. Processors have a fast path for strings that
 * go up only, and C libraries move overlapping blocks down: as many blocks of quadwords as there
 * are, if that is the same as element by element. It is where no quadword is written that is yet to
 * be read, in these pages or in others that show the same memory: the distance within a page tells.
 */
static void
emit_move_down(RemEmit *emit, const RemInsn *insn, const String *string)
{
    const unsigned shift = (unsigned)__builtin_ctz(string->size);
    RemJump near, few, none;
    uint32_t top;

    rem_emit_mov_rr(emit, 4, REM_T0, X86_RSI);
    rem_emit_alu_rr(emit, REM_SUB, 4, REM_T0, X86_RDI);
    rem_emit_alu_ri(emit, REM_AND, 4, REM_T0, X86_PAGE_OFFSET_MASK);
    rem_emit_alu_ri(emit, REM_CMP, 4, REM_T0, QUADWORD);
    near = rem_emit_jcc(emit, REM_CC_B, 4);
    if (shift != 0)
        rem_emit_shift_ri(emit, REM_SHL, 4, X86_RCX, shift);
    rem_emit_alu_ri(emit, REM_SUB, 4, X86_RCX, DOWN_BLOCK);
    few = rem_emit_jcc(emit, REM_CC_B, 4);
    top = rem_emit_offset(emit);
    for (int32_t at = QUADWORD; at <= DOWN_BLOCK; at += QUADWORD) {
        rem_emit_mov_rm(emit, 8, REM_T0, rem_mem(X86_RSI, (int32_t)string->size - at));
        rem_emit_mov_mr(emit, 8, rem_mem(X86_RDI, (int32_t)string->size - at), REM_T0);
    }
    rem_emit_alu_ri(emit, REM_SUB, 8, X86_RSI, DOWN_BLOCK);
    rem_emit_alu_ri(emit, REM_SUB, 8, X86_RDI, DOWN_BLOCK);
    rem_emit_alu_ri(emit, REM_SUB, 4, X86_RCX, DOWN_BLOCK);
    rem_emit_bind_to(emit, rem_emit_jcc(emit, REM_CC_NB, 4), top);
    rem_emit_bind(emit, few);
    rem_emit_alu_ri(emit, REM_ADD, 4, X86_RCX, DOWN_BLOCK);
    if (shift != 0)
        rem_emit_shift_ri(emit, REM_SHR, 4, X86_RCX, shift);
    rem_emit_test_rr(emit, 4, X86_RCX, X86_RCX);
    none = rem_emit_jcc(emit, REM_CC_Z, 4);
    rem_emit_bind(emit, near);
    rem_emit_bytes(emit, (const uint8_t[]){0xfd}, 1); /* STD */
    emit_string(emit, insn, string);
    rem_emit_bytes(emit, (const uint8_t[]){0xfc}, 1); /* CLD */
    rem_emit_bind(emit, none);
}

/* T0 elements; RCX is what remains then. */
static void
emit_run(RemTranslator *t, const String *string, bool down)
{
    RemEmit *emit = t->emit;

    rem_emit_alu_rr(emit, REM_SUB, 8, REM_T1, REM_T0);
    rem_emit_mov_rr(emit, 8, X86_RCX, REM_T0);
    if (string->source)
        to_host(emit, string, X86_RSI);
    if (string->target)
        to_host(emit, string, X86_RDI);
    if (down)
        emit_move_down(emit, t->insn, string);
    else
        emit_string(emit, t->insn, string);
    if (string->compares)
        rem_emit_store_flags(emit);
    rem_emit_lea(emit, 8, X86_RCX, rem_mem_index(X86_RCX, REM_T1, 0, 0));
    if (string->source)
        to_guest(emit, string, X86_RSI);
    if (string->target)
        to_guest(emit, string, X86_RDI);
}

/* Run after run; the jumps out are bound behind the instruction. */
static void
emit_runs(RemTranslator *t, const String *string, bool down)
{
    const RemMem zf = rem_mem_hot(offsetof(RemHot, flags) + 1);
    const uint32_t top = rem_emit_offset(t->emit);
    RemJump none, decided = {0}, over;

    rem_emit_test_rr(t->emit, string->width, X86_RCX, X86_RCX);
    none = rem_emit_jcc(t->emit, REM_CC_Z, 4);
    if (string->source)
        probe_page(t, string, X86_RSI);
    if (string->target)
        probe_page(t, string, X86_RDI);
    emit_run_length(t, string, down);
    emit_run(t, string, down);
    if (string->compares) {
        rem_emit_test_mi(t->emit, 1, zf, ZF_IN_AH);
        decided = rem_emit_jcc(t->emit, string->equals ? REM_CC_Z : REM_CC_NZ, 4);
    }
    rem_emit_test_rr(t->emit, 8, X86_RCX, X86_RCX);
    over = rem_emit_jcc(t->emit, REM_CC_Z, 4);
    rem_emit_alu_mi(t->emit, REM_CMP, 4, rem_mem_vcpu(offsetof(Vcpu, pending)), 0);
    rem_emit_bind_to(t->emit, rem_emit_jcc(t->emit, REM_CC_Z, 4), top);
    rem_emit_leave(t, t->emit, string->iem);
    rem_emit_bind(t->emit, none);
    if (string->compares)
        rem_emit_bind(t->emit, decided);
    rem_emit_bind(t->emit, over);
}

static bool
goes_down_too(const RemInsn *insn)
{
    return (insn->op.code & ~1u) == 0xa4;
}

static void
make_sites(RemTranslator *t, String *string)
{
    string->iem = rem_retry_site(t, rem_call_iem);
    for (unsigned i = 0; i < G_N_ELEMENTS(string->miss); i++) {
        string->miss[i] = rem_retry_site(t, rem_call_miss);
        string->miss[i]->size = (uint16_t)string->size;
        string->miss[i]->flags = i == 1 && string->writes ? REM_SITE_WRITE : 0;
    }
}

static void
translate_repeated(RemTranslator *t, String *string)
{
    RemEmit *const hot = t->emit;
    RemJump down;

    make_sites(t, string);
    rem_emit_test_mi(hot, 4, rem_mem_vcpu(offsetof(Vcpu, rflags)), X86_FL_DF);
    rem_flags_lost(t);
    down = rem_emit_jcc(hot, REM_CC_NZ, 4);
    emit_runs(t, string, false);
    if (goes_down_too(t->insn)) {
        const RemJump done = rem_emit_jmp(hot, 4);

        rem_emit_bind(hot, down);
        emit_runs(t, string, true);
        rem_emit_bind(hot, done);
    } else {
        rem_emit_bind_to(hot, down, rem_emit_offset(t->cold));
        rem_emit_leave(t, t->cold, string->iem);
    }
}

/* ---- one element ---- */

static void
advance(RemTranslator *t, const String *string, unsigned reg)
{
    rem_emit_lea(t->emit, string->width, reg, rem_mem(reg, (int32_t)string->size));
}

static unsigned
free_temporary(const RemMem *mem)
{
    return mem->base == REM_T0 ? REM_T1 : REM_T0;
}

static void
translate_single(RemTranslator *t, const String *string)
{
    const RemMem kept = rem_mem_hot(offsetof(RemHot, scratch) + 8);
    const unsigned size = string->size;
    unsigned value = X86_RAX;
    RemMem mem;

    rem_begin_retry(t);
    rem_emit_test_mi(t->emit, 4, rem_mem_vcpu(offsetof(Vcpu, rflags)), X86_FL_DF);
    rem_flags_lost(t);
    leave_if(t, REM_CC_NZ, rem_retry_site(t, rem_call_iem));
    if (string->source) {
        rem_memory_stack(t, rem_mem(X86_RSI, 0), size, false, &mem);
        value = string->target ? free_temporary(&mem) : X86_RAX;
        rem_emit_mov_rm(t->emit, size, value, mem);
        t->temps_busy = false;
    }
    if (string->source && string->target)
        rem_emit_mov_mr(t->emit, 8, kept, value);
    if (string->target) {
        rem_memory_stack(t, rem_mem(X86_RDI, 0), size, string->writes, &mem);
        if (string->source) {
            value = free_temporary(&mem);
            rem_emit_mov_rm(t->emit, 8, value, kept);
        }
        if (string->writes)
            rem_emit_mov_mr(t->emit, size, mem, value);
        else
            rem_emit_alu_rm(t->emit, REM_CMP, size, value, mem);
        t->temps_busy = false;
        advance(t, string, X86_RDI);
    }
    if (string->source)
        advance(t, string, X86_RSI);
    if (string->compares)
        rem_flags_written(t);
}

bool
rem_translate_string(RemTranslator *t)
{
    String string;

    if (!describe(t, &string))
        return false;
    if (string.repeats)
        translate_repeated(t, &string);
    else
        translate_single(t, &string);
    return true;
}
