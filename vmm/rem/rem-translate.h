/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The contract for those who translate instructions: the block that is being made, and what the
 * functions that emit code for one instruction may use. See vmm/rem/README.md. */
#pragma once

#include "vmm/rem/rem-flags.h"
#include "vmm/rem/rem-private.h"
#include "vmm/rem/rem-rewrite.h"

/* Where the guest's arithmetic flags are at this point of the block. */
typedef enum {
    REM_FLAGS_HOST,  /* in the host's flags only */
    REM_FLAGS_SAVED, /* in RemHot.flags only: the host's are lost */
    REM_FLAGS_BOTH,
} RemFlagsPlace;

/* Accesses that share a probe: the range of them all, relative to one value of their base. */
#define REM_SHARES 12
#define REM_NOT_SHARED 0xff

typedef enum { REM_SHARE_NONE, REM_SHARE_READ, REM_SHARE_WRITE } RemShareState;

typedef struct {
    int64_t first;
    uint16_t size; /* 0: not in use */
    uint8_t value; /* rem-share.c's own */
    uint8_t state; /* RemShareState: what was probed for already */
} RemShare;

typedef struct {
    uint8_t group; /* index of the RemShare, or REM_NOT_SHARED */
    int64_t at;    /* of this access, as RemShare.first */
} RemShared;

struct RemTranslator {
    Vcpu *vcpu;
    RemVcpu *rem;
    RemEmit *emit; /* the likely path */
    RemEmit *cold; /* out of line; both count offsets from the same start */
    RemBlock *block;
    const uint8_t *bytes; /* the block's guest code */
    uint16_t mode;        /* RemMode */
    RemInsn insns[REM_BLOCK_INSNS];
    RemFlags flow[REM_BLOCK_INSNS];
    bool iem_ends[REM_BLOCK_INSNS];  /* the block ends behind it if IEM executes it */
    bool stays[REM_BLOCK_INSNS];     /* rem_stays_in_block() */
    bool side_exit[REM_BLOCK_INSNS]; /* a branch behind which the block goes on */
    unsigned count, index;           /* instructions in the block; the present one */
    unsigned counted;                /* instructions that REM_COUNT tells of at this point */
    RemShare share[REM_SHARES];
    RemShared shared_operand[REM_BLOCK_INSNS], shared_stack[REM_BLOCK_INSNS];
    bool shares;         /* some accesses do */
    const RemInsn *insn; /* the present one */
    unsigned offset;     /* of the present one in its page */
    RemFlagsPlace flags;
    uint32_t retry;  /* where the present instruction begins again; 0: not asked for yet */
    bool temps_busy; /* T0 and T1 are a part of the present instruction's memory operand */
    bool x87_noted;  /* what the block's x87 instructions have in common */
    /* The present instruction asks for no site behind its first access: one that shares a probe
     * need not save the flags. */
    bool keeps_flags;
    bool failed; /* a trace: there were not enough temporaries */
    bool ended;  /* the code does not go on behind the present instruction */
};

/* Emits the present instruction (t->insn). False: nothing was emitted (and no state of *t changed),
 * the instruction becomes a call of IEM. */
typedef bool (*RemTranslate)(RemTranslator *t);

/* ---- what such a function may use ---- */

static inline bool
rem_is_long64(const RemTranslator *t)
{
    return (t->mode & REM_MODE_CPU) == CPUM_MODE_LONG64;
}

/* Offset in the page of the instruction behind the present one. */
static inline unsigned
rem_next_offset(const RemTranslator *t)
{
    return t->offset + t->insn->length;
}

/* For rem_rewrite(). */
static inline RemRip
rem_rip(const RemTranslator *t)
{
    return (RemRip){rem_next_offset(t),
                    (uint32_t)(offsetof(Vcpu, rem_words) + offsetof(RemHot, rip_base)), true};
}

/* ---- flags (rem-guest-flags.c) ---- */
/* Before code that destroys the host's flags: the guest's are in RemHot.flags behind this. Uses T0;
 * not while the temporaries are busy. */
void rem_save_flags(RemTranslator *t);
/* Before code that reads the guest's flags, or changes a part of them: they are in the host's
 * behind this. Uses T0 unless the temporaries are busy. */
void rem_restore_flags(RemTranslator *t);
/* The same if the present instruction needs the old flags at all. */
void rem_restore_flags_for_insn(RemTranslator *t);
/* The host's flags are lost from here on; they were saved. */
void rem_flags_lost(RemTranslator *t);
/* Behind an instruction of the guest's: if t->insn writes flags, the host's are the guest's. */
void rem_flags_written(RemTranslator *t);
/* The bare code: RAX is kept in T0. */
void rem_emit_store_flags(RemEmit *emit);
void rem_emit_load_flags(RemEmit *emit);

/* ---- sites (rem-translate.c) ---- */
/* Saves the flags and marks the start of the present instruction, once for each instruction: a miss
 * comes back to this point. Until the instruction's last probe nothing of the guest's state may
 * change. */
void rem_begin_retry(RemTranslator *t);
/* A site of the present instruction, behind rem_begin_retry(). There is room for 4 for each. */
RemSite *rem_retry_site(RemTranslator *t, RemCall call);
/* One without that. */
RemSite *rem_new_site(RemTranslator *t, RemCall call);
/* Emits a jump to C (into `emit`, hot or cold); the argument is in T1. Flags have to be saved. */
void rem_emit_leave(RemTranslator *t, RemEmit *emit, const RemSite *site);
/* The present instruction as a call of IEM. */
void rem_translate_iem(RemTranslator *t);

/* ---- vector instructions (rem-translate-vector.c) ---- */
/* What translated code of that mode needs to execute it: REM_VECTOR_NONE, it is IEM's or none. */
RemVectorLive rem_vector_need(unsigned mode, const RemInsn *insn);
/* At the entry of a block with such instructions, flags saved. */
void rem_vector_emit_check(RemTranslator *t);
bool rem_translate_vector(RemTranslator *t);
/* Is FIP the instruction's own behind it? */
bool rem_x87_changes_pointers(const RemInsn *insn);
/* FIP, FOP and selectors of `insn` at that offset in the page, but for FDP itself; memory: the last
 * one with a memory operand, NULL if there was none meanwhile. T0 is lost. */
void rem_x87_note(RemEmit *emit, const RemInsn *insn, unsigned offset, const RemInsn *memory);

/* Does the host execute it as the guest does: is it left to rem_rewrite()? */
bool rem_is_copy(const RemInsn *insn);

/* ---- division (rem-translate-divide.c) ---- */
bool rem_translate_div(RemTranslator *t);
bool rem_translate_idiv(RemTranslator *t);

/* ---- memory (rem-memory.c) ---- */
/* Makes the explicit memory operand accessible: *mem is what to give to rem_rewrite(). Uses T0 and
 * T1, which may be a part of *mem (temps_busy). A miss begins the instruction again, or IEM
 * executes it. The host's flags are lost. False: leave it to IEM. */
bool rem_memory_operand(RemTranslator *t, RemMem *mem);
/* The same for the stack access of the present instruction: guest registers below r13 and a
 * displacement, cut to 32 bits outside of 64-bit code. write: for writing. */
void rem_memory_stack(RemTranslator *t, RemMem linear, unsigned size, bool write, RemMem *mem);
/* The same for a linear address in T0, within the instruction's retry; *mem is [T0], T1 is free. */
void rem_memory_computed(RemTranslator *t, unsigned size, bool write, RemMem *mem);

/* ---- rem-share.c ---- */
void rem_share_analyse(RemTranslator *t);
/* What was probed does not hold any more. */
void rem_share_forget(RemTranslator *t);

/* ---- where to go on (rem-branch.c) ---- */
/* Is it a conditional branch that rem-branch.c translates? */
bool rem_is_side_exit(const RemTranslator *t, const RemInsn *insn);
/* Ends the block: on to RIP rip_base + target. */
void rem_emit_goto(RemTranslator *t, int32_t target);
/* RIP rip_base + target, into a host register; the emitter may be the hot or the cold part. */
void rem_emit_rip(RemTranslator *t, RemEmit *emit, unsigned to, int32_t target);
/* JMP through a register or memory (rem-stack.c). */
bool rem_translate_jmp_indirect(RemTranslator *t);

/* ---- jumps out of the page (rem-jump.c) ---- */
/* Ends the block: on to the RIP in T0; flat code only, flags saved. It is canonical, or
 * RemHot.jump_site is the site of the RET or JMP that it is the fault of. */
void rem_emit_goto_register(RemTranslator *t);
/* The same in another mode of 64-bit code, whatever the RIP is. */
void rem_emit_goto_in_mode(RemTranslator *t, unsigned mode);
/* On to RIP rip_base + target in another page, from the hot or the cold part; flags saved, flat
 * code. */
void rem_jump_far(RemTranslator *t, RemEmit *emit, int32_t target);
/* The present CALL's return address is in the temporary `rip`, flags are saved: notes it. Both
 * temporaries are lost. */
void rem_jump_note_return(RemTranslator *t, unsigned rip);
/* rem_emit_goto_register() for RET. */
void rem_jump_return(RemTranslator *t);
/* Leaves unless the next page is the block's second one; flags saved. */
void rem_jump_second_page(RemTranslator *t, const RemSite *missing);

/* ---- rem-stack.c ---- */
/* Bytes that the present instruction pushes or pops as one word; 0: leave it to IEM. */
unsigned rem_stack_word(const RemTranslator *t);

/* ---- rem-segment.c ---- */
/* A PUSH or POP whose operand is a segment register? */
bool rem_names_segment(const RemInsn *insn);
/* MOV or POP to a segment register? The block goes on behind it. */
bool rem_loads_segment(const RemInsn *insn);
bool rem_push_segment(RemTranslator *t, unsigned size);
bool rem_pop_segment(RemTranslator *t, unsigned size);
bool rem_mov_from_segment(RemTranslator *t);
bool rem_mov_to_segment(RemTranslator *t);

/* ---- rem-system.c ---- */
/* A conditional jump to C; flags have to be saved. */
void rem_emit_leave_if(RemTranslator *t, RemCondition cc, const RemSite *site);
/* Leaves if an interrupt may come as soon as IF is set. Flags as before. */
void rem_emit_leave_if_waiting(RemTranslator *t, const RemSite *site);
/* The Vcpu runs in another RemMode (CPL 0 or 3) from here on. */
void rem_emit_mode(RemTranslator *t, unsigned mode);
/* RFLAGS into `to`, flags being saved; the host's are lost, and `other` is. */
void rem_emit_flags_image(RemTranslator *t, unsigned to, unsigned other);
/* The status flags of an image become the guest's (RemHot.flags); both registers are lost. */
void rem_emit_set_status(RemTranslator *t, unsigned image, unsigned other);
/* MOV from CR2? */
bool rem_reads_cr2(const RemInsn *insn);
bool rem_mov_from_cr2(RemTranslator *t);
/* Does the block go on behind this instruction, although IEM's would not? */
bool rem_stays_in_block(const RemTranslator *t, const RemInsn *insn);

/* ---- the table ---- */
#define REM(mnemonic, function) bool function(RemTranslator *t);
#include "vmm/rem/rem-translations.def"
#undef REM
