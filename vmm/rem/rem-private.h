/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the recompiler share: the state of a virtual CPU under REM, blocks, sites, and
 * the rules that translated code keeps.
 *
 * While translated code runs:
 *  - Guest registers RAX..R12 (RSP too) are in the host's registers of the same name; guest R13,
 * R14 and R15 are in Vcpu.gpr. Host R13 and R14 (REM_T0, REM_T1) are free for every instruction's
 *    translation; host R15 (REM_COUNT) counts down the instructions that may still be retired.
 *  - GS addresses the Vcpu. There is no stack: RSP is the guest's.
 *  - The arithmetic flags are where the translator's `flags` says: in the host's, or in
 *    RemHot.flags, or both. All other bits of RFLAGS are in Vcpu.rflags, whose arithmetic bits are
 *    stale. The host's DF is 0.
 *  - RIP is RemHot.rip_base + the offset in the code page; Vcpu.rip is stale.
 *  - Vcpu.retired is stale: it is RemHot.limit - REM_COUNT, corrected by the site (a block counts
 *    all its instructions when it is entered).
 * C code that is called from a block (a site's function) calls rem_sync() first and finds the Vcpu
 * exact then. */
#pragma once

#include "vmm/base/exec-memory.h"
#include "vmm/iem/iem-fallback.h"
#include "vmm/pgm/pgm-code-index.h"
#include "vmm/rem/rem-emit.h"
#include "vmm/rem/rem-rewrite.h"
#include "vmm/rem/rem-vector.h"
#include "vmm/rem/rem.h"

#define REM_COUNT X86_R15

#define REM_BLOCK_INSNS 64
/* Of all virtual CPUs of a machine together, in equal parts: below 128 MiB with all that is not
 * shared out. */
#define REM_CODE_SIZE ((size_t)32 << 20) /* host code, both parts */
#define REM_ARENA_SIZE ((size_t)32 << 20)
#define REM_SITES 524288u
#define REM_BLOCKS 131072u
#define REM_HASH_SIZE 65536u
#define REM_JUMPS 65536u
/* Instructions between two looks at Vcpu.pending. */
#define REM_QUANTUM 16384

/* What translation depends on besides the bytes. 16 bits, so that it fits above a host address. */
typedef enum {
    REM_MODE_CPU = 7u << 0,  /* CpumMode */
    REM_MODE_CS_D = 1u << 3, /* real and V86 mode: 32-bit code */
    REM_MODE_SS_B = 1u << 4,
    REM_MODE_TLB = 3u << 5, /* CpumTlbKind */
    REM_MODE_CPL0 = 1u << 7,
    REM_MODE_FLAT = 1u << 8,      /* ES, SS, DS: base 0, 4 GiB, writable; always in 64-bit mode */
    REM_MODE_FLAT_CODE = 1u << 9, /* CS: base 0, 4 GiB; always in 64-bit mode */
    REM_MODE_SLOW_MEMORY = 1u << 10, /* every access is IEM's */
    REM_MODE_X87 = 1u << 11,         /* CR0.EM and TS are clear */
    REM_MODE_SSE = 1u << 12,         /* and CR4.OSFXSR is set */
    REM_MODE_AVX = 1u << 13,         /* and CR4.OSXSAVE, XCR0 has SSE and AVX */
    REM_MODE_NO_SHARE = 1u << 14,    /* every access has a probe of its own */
} RemMode;

typedef enum { REM_LOOKUP_DIRECT, REM_LOOKUP_INDIRECT, REM_LOOKUP_COUNT } RemLookup;

typedef struct RemVcpu RemVcpu;
typedef struct RemBlock RemBlock;
typedef struct RemSite RemSite;
typedef struct RemLink RemLink;

/* What iem_segment_window() says. */
typedef struct {
    uint64_t read_end, write_end;
} RemWindow;

#define REM_TRACE_INSNS 512
#define REM_TRACE_GROUPS 12
#define REM_TRACE_WINDOWS 4
#define REM_TRACE_MEMOS 4

/* What a trace's guard found in the TLB, which has not changed since: C code forgets it. */
typedef struct {
    uint64_t trace; /* RemTrace.number; 0: nothing */
    uint64_t page[REM_TRACE_GROUPS];
    uint64_t host[REM_TRACE_GROUPS]; /* of the page if the group is fixed, else its addend */
} RemMemoHot;

/* While a trace runs (rem-trace.h). */
typedef struct {
    RemMemoHot memo[REM_TRACE_MEMOS]; /* by RemTrace.number */
    uint64_t count;                   /* REM_COUNT before it */
    uint64_t turns;                   /* to run */
    uint64_t slot[REM_TRACE_GROUPS];
    uint64_t page[REM_TRACE_WINDOWS], addend[REM_TRACE_WINDOWS];
} RemLoopHot;

#define REM_RETURNS 32

/* Where the latest CALLs come back to: a ring. */
typedef struct {
    uint64_t top; /* 8 times the index of the latest; a byte */
    uint64_t rip[REM_RETURNS];
    uint64_t code[REM_RETURNS]; /* with RIP in T0, flags saved */
} RemReturns;

/* The words of REM that translated code reaches: Vcpu.rem_words. */
typedef struct {
    uint64_t flags;    /* bits 15..8 as LAHF has them, bit 0 is OF; the rest is 0 */
    uint64_t rip_base; /* RIP minus the offset in the code page */
    uint64_t limit;    /* Vcpu.retired at which REM_COUNT is 0 */
    int64_t left;      /* REM_COUNT while it is not in its register */
    uint64_t host_rsp;
    uint64_t self;      /* the Vcpu's address */
    uint64_t leave;     /* rem_trampoline: site in T0 (32 bits), argument in T1 */
    uint64_t on_site;   /* the C function behind it */
    uint64_t jumps;     /* RemTarget[REM_JUMPS] */
    uint64_t mode_tag;  /* RemMode << 48, at present */
    uint64_t target;    /* RIP that an indirect jump goes to */
    uint64_t jump_site; /* of the last RET in 64-bit code */
    uint64_t scratch[2];
    uint8_t bounce[64];      /* an operand that lies in two pages */
    uint64_t segments_stale; /* IEM does not know yet what translated code loaded */
    uint64_t tsc_offset;     /* of the guest's TSC to the host's, where it is the same clock */
    RemWindow window[X86_SEG_COUNT]; /* outside of 64-bit code */
    RemVectorHot vector;
    RemLoopHot loop;
    RemReturns returns[2]; /* of user's and supervisor's code */
} RemHot;
_Static_assert(sizeof(RemHot) <= sizeof((Vcpu *)0)->rem_words, "RemHot's place in the Vcpu");

static inline RemHot *
rem_hot(Vcpu *vcpu)
{
    return (RemHot *)vcpu->rem_words;
}

/* The first sites are those of the lookups. */
#define REM_SITE_TARGET 0u   /* direct jumps */
#define REM_SITE_INDIRECT 1u /* RET, and jumps whose target is known to be canonical */

/* The inline hash of indirect jumps, by the host address of the target's first byte. key is that
 * address ^ mode << 48; 0: empty. */
typedef struct {
    uint64_t key;
    uint64_t code; /* entry_saved of the block */
} RemTarget;

/* A place in a block from which C code is called. `call` returns where to go on in host code, or
 * NULL to leave `run` (with RemVcpu.exit). It may raise (a long jump). */
typedef const uint8_t *(*RemCall)(Vcpu *vcpu, const RemSite *site, uint64_t argument);

struct RemSite {
    RemCall call;
    IemInsn *insn;  /* the instruction for IEM, decoded when first needed; NULL before */
    uint32_t block; /* index of the block */
    union {
        uint32_t retry; /* offset in host code: the instruction from its start, flags saved */
        uint32_t cell;  /* link sites: offset of the cell of a jump to another page, or 0 */
    };
    uint32_t next;  /* offset: behind the instruction, flags saved; 0: the block ends with it */
    uint32_t link;  /* offset of the displacement that a link site patches; misses: rem-cross.c's */
    int32_t target; /* link sites: offset of the target relative to rip_base */
    uint16_t size;  /* misses: bytes that are accessed */
    uint16_t offset; /* of the guest instruction in its page */
    uint8_t align;   /* misses: of the operand, 1 where it need not be aligned */
    bool vector;     /* IEM needs Vcpu.fpu for the instruction */
    bool leaves;     /* once IEM has executed the instruction, what was probed may not hold */
    bool stays;      /* the block goes on behind it, unless somebody has to look */
    uint8_t undone;  /* instructions of the block from this one on: counted, not retired */
    uint8_t flags;   /* for the call's own use */
    uint8_t length;  /* of the guest instruction; 0: undefined */
};

/* A direct jump into a block that was patched. */
struct RemLink {
    RemLink *next;
    uint32_t at;   /* offset of the displacement */
    uint32_t stub; /* offset that it went to before */
    uint32_t cell; /* as in RemSite */
};

struct RemBlock {
    PgmCodeBlock code;
    /* The page in which its only instruction ends, if that is another one than it begins in. */
    const uint8_t *second;
    RemBlock *hash_next;
    RemLink *links;         /* that lead here */
    uint16_t mode;          /* RemMode */
    uint16_t bytes;         /* of guest code */
    uint16_t count;         /* instructions; of a trace: of one turn */
    uint8_t vector;         /* RemVectorLive that its instructions need */
    bool trace;             /* rem-trace.h: there is a plain block beside it */
    uint8_t samples, tries; /* rem-record.h */
    /* Of a trace: how often its guard has turned the guest away since Vcpu.retired was that; it
     * is so often that a new one shall take its place. */
    bool stale;
    uint32_t turned_away;
    uint64_t counted_from;
    uint32_t entry;       /* offset in host code; the guest's flags are the host's */
    uint32_t entry_saved; /* the guest's flags are in RemHot.flags, the host's are lost */
};

typedef struct RemTranslator RemTranslator;
typedef struct RemTrace RemTrace;
typedef struct RemTracePage RemTracePage;
typedef struct RemRecorder RemRecorder;

#define REM_HEADS 4096u

struct RemVcpu {
    Vcpu *vcpu;
    BaseExecMemory memory;
    size_t arena_size;                /* of `arena` */
    uint32_t sites_most, blocks_most; /* of `sites` and `blocks` */
    RemEmit hot, cold; /* where the next block's code goes: the likely part and the rest */
    uint32_t first_hot, first_cold;
    const uint8_t *enter;                                    /* void (*)(const uint8_t *code) */
    const uint8_t *lookup[REM_LOOKUP_COUNT][CPUM_TLB_COUNT]; /* go to RIP in T0, flags saved */
    RemBlock *blocks;
    RemSite *sites;
    uint32_t block_count, site_count;
    RemBlock *hash[REM_HASH_SIZE];
    PgmCodeIndex index;
    RemTarget *jumps;
    X86Decoder decoder;
    RemTranslator *translator; /* where blocks are made */
    RemRecorder *recorder;
    bool eager;                     /* for tests: every block is hot */
    uint64_t heads[REM_HEADS / 64]; /* a bit is set: some trace may begin at such an address */
    uint8_t *arena;                 /* links, pages, IEM's instructions */
    size_t arena_used;
    uint32_t generation;      /* of the physical map */
    gint64 rest_look;         /* when it was looked at last whether the guest only waits, */
    uint64_t rest_retired;    /* and Vcpu.retired then */
    uint64_t returns_epoch;   /* Vcpu.tlb_epoch that RemHot.returns are of */
    uint16_t mode;            /* RemMode at present */
    uint32_t segment_changes; /* iem_segment_changes() of RemHot.window */
    bool bmi2;
    EmExit exit;
    bool exact;            /* the budget has to be used up to the last instruction */
    bool stops;            /* too little of it is left for the next block */
    uint64_t start;        /* Vcpu.retired at which the run began */
    bool leaves;           /* rem_go_on() said: leave with `exit` */
    uint64_t end;          /* Vcpu.retired at which the run ends */
    IemInsn *spare_insn;   /* where the arena has no room for an IemInsn */
    uint32_t missed_retry; /* RemSite.retry of the last access that missed, */
    int64_t missed_left;   /* and RemHot.left then, */
    uint64_t missed_count; /* and RCX */
    uint64_t crossed;      /* linear address of the operand in RemHot.bounce */
    bool care;             /* IEM has to execute the next instruction */
    /* Statistics. */
    uint64_t translated, translated_insns, translated_bytes, killed_blocks, flushes, flushes_rested,
        lookups, recordings, traces, jump_misses, fallbacks, memory_misses, linked, untranslated;
    uint64_t *fallback_rows; /* by mnemonic */
};

static inline RemVcpu *
rem_of(Vcpu *vcpu)
{
    return vcpu->rem_vcpu;
}

/* Where a byte of host code at that offset executes. */
static inline const uint8_t *
rem_code(const RemVcpu *rem, uint32_t offset)
{
    return rem->memory.exec + offset;
}

static inline RemMem
rem_mem_hot(size_t offset)
{
    return rem_mem_vcpu(offsetof(Vcpu, rem_words) + offset);
}

static inline uint64_t
rem_flags_pack(uint64_t rflags)
{
    return ((rflags & 0xd5) | 2) << 8 | ((rflags >> 11) & 1);
}

static inline uint64_t
rem_flags_unpack(uint64_t rflags, uint64_t packed)
{
    return (rflags & ~(uint64_t)X86_FL_STATUS) | ((packed >> 8) & 0xd5) | (packed & 1) << 11;
}

/* ---- rem-trampoline.c ---- */
void rem_trampolines_emit(RemVcpu *rem);
/* Runs translated code from there until a site's function returns NULL. */
void rem_trampoline_enter(RemVcpu *rem, const uint8_t *code);

/* ---- rem-run.c ---- */
/* Makes the Vcpu exact at the start of the site's instruction. */
void rem_sync(Vcpu *vcpu, const RemSite *site);
/* The Vcpu is exact and may have changed in any way: where to go on, or NULL. */
const uint8_t *rem_go_on(Vcpu *vcpu);
/* Executes the site's instruction in IEM. */
const uint8_t *rem_call_iem(Vcpu *vcpu, const RemSite *site, uint64_t argument);
/* An access missed: fills the TLB for linear address `argument` and tries again, or lets IEM
 * execute the instruction. site->flags: REM_SITE_*. */
#define REM_SITE_WRITE 0x80
/* Link sites: the jump is made with the flags saved. */
#define REM_SITE_FLAGS_SAVED 1
/* And it leads to the plain block where there is a trace. */
#define REM_SITE_PLAIN 2
const uint8_t *rem_call_miss(Vcpu *vcpu, const RemSite *site, uint64_t argument);
/* The count is below what the block needs; RIP is the block's start. */
const uint8_t *rem_call_exhausted(Vcpu *vcpu, const RemSite *site, uint64_t argument);
/* A direct jump to RIP rip_base + site->target, which is in that page: finds the block and patches
 * the jump. */
const uint8_t *rem_call_link(Vcpu *vcpu, const RemSite *site, uint64_t argument);
/* Goes on from the site's instruction in a block without sharing, and patches the site's jump. */
const uint8_t *rem_call_unshared(Vcpu *vcpu, const RemSite *site, uint64_t argument);
/* Goes to RIP rip_base + site->target (cut to the code's size) without patching. */
const uint8_t *rem_call_jump(Vcpu *vcpu, const RemSite *site, uint64_t argument);
/* RIP is RemHot.target. */
/* The same behind a RET, whose site is RemHot.jump_site: a target that is not canonical is its
 * fault. */
const uint8_t *rem_call_indirect(Vcpu *vcpu, const RemSite *site, uint64_t argument);
const uint8_t *rem_call_target(Vcpu *vcpu, const RemSite *site, uint64_t argument);
/* The mode at present, for keys; sets RemVcpu.mode and what depends on it. */
void rem_mode_changed(Vcpu *vcpu);

/* ---- rem-cache.c ---- */
bool rem_cache_init(RemVcpu *rem, GError **error);
void rem_cache_clear(RemVcpu *rem);
/* The block at CS:RIP, translated if need be. NULL: its code cannot be translated (MMIO, an
 * instruction that goes on in a page that is missing, CS's limit): IEM has to execute one
 * instruction. May raise. */
RemBlock *rem_cache_find(Vcpu *vcpu);
/* The same, but never a trace. */
RemBlock *rem_cache_find_plain(Vcpu *vcpu);
/* The trace of that mode that begins at the byte at `host`; NULL: there is none. */
RemBlock *rem_cache_find_trace(const RemVcpu *rem, const uint8_t *host, unsigned mode);
/* Where the page of that linear address is, without side effects; false: it is no plain memory. */
bool rem_cache_trace_page(Vcpu *vcpu, uint64_t linear, RemTracePage *page);
/* RIP is the start of an analysed trace: makes a block of it, in place of a stale one. */
void rem_cache_add_trace(Vcpu *vcpu, RemTrace *trace);
/* Begins to watch writes to the blocks' bytes; rem_cache_clear() ends that. */
void rem_cache_watch(RemVcpu *rem);
/* At each entry of run: writes that other threads did, changes of the physical map. */
void rem_cache_enter(Vcpu *vcpu);
/* For one more block and what goes with it. */
bool rem_cache_has_room(const RemVcpu *rem);
/* Bytes of host code, both parts. */
size_t rem_cache_code_bytes(const RemVcpu *rem);
/* Forgets everything. Not while a block that is to be gone back to is under way. */
void rem_cache_flush(RemVcpu *rem);
void rem_cache_insert(RemVcpu *rem, RemBlock *block);
/* Memory that lives until the next flush; NULL: there is none left. */
void *rem_cache_take(RemVcpu *rem, size_t size);
/* Remembers that the site's jump leads to the block, and lets it. */
void rem_cache_link(RemVcpu *rem, RemBlock *block, const RemSite *site);

/* ---- rem-jump.c ---- */
/* The lookup of the block at RIP, which is in T0; flat code, flags saved. What it does not find is
 * left to that site, in `cold` (which may be the same). */
void rem_jump_emit_lookup(RemEmit *emit, RemEmit *cold, unsigned kind, uint32_t site);
/* The entry that it looks at for a host address. */
RemTarget *rem_jump_target(const RemVcpu *rem, const uint8_t *host);
/* RETs are looked up, until CALLs have noted new places. */
void rem_returns_clear(RemVcpu *rem);

/* Before translated code goes on after C code. */
static inline void
rem_returns_check(RemVcpu *rem)
{
    if (G_UNLIKELY(rem->returns_epoch != rem->vcpu->tlb_epoch))
        rem_returns_clear(rem);
}

/* ---- rem-record.c ---- */
void rem_record_init(RemVcpu *rem);
/* RIP is the block's start, which is executed often. True: rem_record_step() wants to be called
 * before each instruction that IEM executes from now on. */
bool rem_record_sample(Vcpu *vcpu, RemBlock *block);
/* Between instructions, the Vcpu being exact; false: it is over. */
bool rem_record_step(Vcpu *vcpu);
void rem_record_cancel(RemVcpu *rem);

/* ---- rem-cross.c ---- */
/* A miss of an operand that lies in two pages: where to go on with it in RemHot.bounce. NULL: IEM
 * has to execute the instruction. */
const uint8_t *rem_cross(Vcpu *vcpu, const RemSite *site, uint64_t linear);

/* ---- rem-info.c ---- */
void rem_info(Vcpu *vcpu, GString *out);

/* ---- rem-translate.c ---- */
X86CodeSize rem_code_size(unsigned mode);
/* The trace as code of `block`; false: it cannot be, and nothing was emitted. */
bool rem_translate_trace(Vcpu *vcpu, RemBlock *block, RemTrace *trace);
void rem_translator_init(RemVcpu *rem);
/* Translates `bytes` (RIP is there; there may be more than its page has) into `block`; false: they
 * are less than one instruction. */
bool rem_translate(Vcpu *vcpu, RemBlock *block, const uint8_t *bytes, unsigned available);
