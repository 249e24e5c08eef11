/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of PGM share. The physical map is a sorted array of ranges that nobody changes: a
 * change of regions makes a new one. Threads of virtual CPUs use their map without a lock until
 * they acknowledge the next one with a TLB flush; all others hold the reader's side of Pgm.lock. */
#pragma once

#include "vmm/pgm/pgm.h"

#define PGM_PAGE_MASK (~(uint64_t)X86_PAGE_OFFSET_MASK)
#define PGM_GRANULE_SHIFT 6 /* code is tracked by 64 bytes: one bit of a word for each page */
#define PGM_TLB_WORDS (CPUM_TLB_ENTRIES / 64)
_Static_assert(PGM_TLB_WORDS % 64 == 0, "PgmTlbUse.some");
#define PGM_WALK_CACHE 128

#define PGM_TRACK_MAX                                                                              \
    32 /* pages that a CPU is asked to track before it drops its whole TLB instead */
#define PGM_LISTENERS 64

#define PGM_DIRTY 1u   /* written since the last fetch; its TLB entries may be fast */
#define PGM_STALE 2u   /* fetched, but a CPU may still have a fast entry */
#define PGM_UNSAVED 4u /* written since a live save has taken it */

struct PgmMem {
    Pgm *pgm;
    char *name;
    uint8_t *host;
    uint64_t size;
    /* One word a page each: granules that hold decoded code; listeners that hold some of it;
     * virtual CPUs that may have a TLB entry by which they write unseen. */
    _Atomic uint64_t *code, *holders;
    _Atomic uint32_t *writers;
    _Atomic uint8_t watch;  /* what has to be noted of writes: PGM_DIRTY, PGM_UNSAVED */
    _Atomic uint8_t *dirty; /* one byte a page: PGM_DIRTY, PGM_STALE, PGM_UNSAVED */
    uint32_t stale_request; /* Pgm.flush_request that has to be seen before PGM_STALE goes */
    bool aliased;           /* the present map shows some of its pages twice */
};

struct PgmRegion {
    Pgm *pgm;
    PgmRegionInfo info;
    PgmAccess access;
    bool mapped;
    uint64_t gpa;
    uint64_t order; /* of mapping: among equal priorities the later covers the earlier */
};

typedef enum { PGM_TO_NOWHERE, PGM_TO_MEM, PGM_TO_MMIO } PgmTarget;

/* Where one direction of access to a range goes. */
typedef struct {
    PgmTarget to;
    uint8_t *host;   /* MEM: of the range's start */
    PgmMem *mem;     /* MEM */
    uint64_t offset; /* in mem or in the MMIO handler, of the range's start */
    IomMmio *mmio;   /* MMIO */
} PgmWay;

/* [start, end) of guest-physical space. */
typedef struct {
    uint64_t start, end;
    PgmWay read, write;
} PgmRange;

typedef struct {
    unsigned count;
    uint32_t retired_at; /* Pgm.flush_request that has to be seen before it may be freed */
    PgmRange range[];    /* without gaps from 0 to UINT64_MAX */
} PgmMap;

typedef struct {
    PgmCodeListener call; /* NULL: free */
    void *user;
} PgmListener;

/* A page that a CPU has to take out of its fast writes. */
typedef struct {
    PgmMem *mem;
    uint64_t page;
} PgmTrackPage;

struct Pgm {
    Cpum *cpum;
    Iom *iom;
    GRWLock lock; /* regions and map */
    GPtrArray *regions;
    GPtrArray *mems;
    GPtrArray *retired;       /* old maps that a CPU may still use */
    PgmMap *_Atomic map;      /* without what only one CPU sees; for devices */
    PgmMap *_Atomic *cpu_map; /* of each virtual CPU; map itself where there is no difference */
    uint64_t order;
    _Atomic uint32_t generation;
    _Atomic uint32_t flush_request; /* counts what every CPU has to acknowledge */
    _Atomic uint64_t a20_mask;
    GMutex code_lock; /* marks, holders and listeners; listeners are called under it */
    PgmListener listener[PGM_LISTENERS];
    _Atomic uint32_t track_request; /* counts what single CPUs have to acknowledge */
    PgmDirtySource dirty_source;
    void *dirty_user;
    uint64_t below_4g, above_4g;
    PgmMem *ram;
    PgmRegion *ram_low, *ram_high;
};

/* Which entries of a TLB hold something, so that a flush touches no others. */
typedef struct {
    uint64_t some[PGM_TLB_WORDS / 64]; /* bit i: used[i] may not be 0 */
    uint64_t used[PGM_TLB_WORDS];
    uint64_t global[PGM_TLB_WORDS];
    uint64_t large[PGM_TLB_WORDS];
} PgmTlbUse;

/* A page table that was reached before: linear address bits 47..21 and an epoch; what its
 * levels above allow. */
typedef struct {
    uint64_t tag;
    uint64_t table;
    uint64_t rights; /* PGM_RIGHT_* */
} PgmWalkMemo;

typedef struct PgmVcpu {
    Vcpu *vcpu;
    const PgmMap *map;
    const PgmRange *last; /* of map: the range of the last lookup that was memory */
    GThread *_Atomic thread;
    _Atomic uint32_t flush_seen;
    /* What others ask for; the lock is of the list. */
    GMutex track_lock;
    PgmTrackPage track[PGM_TRACK_MAX];
    unsigned track_count; /* above PGM_TRACK_MAX: everything */
    uint32_t track_wanted;
    _Atomic uint32_t track_seen; /* Pgm.track_request up to which it was done */
    uint32_t settle; /* Pgm.flush_request of this CPU's own doing that others have to see */
    bool settling;
    PgmTlbUse use[CPUM_TLB_COUNT];
    /* Beside each TLB entry: the page that it maps. */
    uint64_t gpa[CPUM_TLB_COUNT][CPUM_TLB_ENTRIES];
    /* Linear addresses that large pages were filled for, and the largest size. */
    uint64_t large_low, large_high;
    unsigned large_shift;
    PgmWalkMemo memo[PGM_WALK_CACHE];
} PgmVcpu;

/* pgm-map.c */
void pgm_map_rebuild(Pgm *pgm); /* the writer's lock is held */
const PgmRange *pgm_map_find(const PgmMap *map, uint64_t gpa);
void pgm_map_free_all(Pgm *pgm);

/* pgm-host.c */
void pgm_ask_dirty_source(Pgm *pgm, PgmMem *mem);

/* The bits of the 64-byte granules that [offset, offset + size) touches; within one page. */
static inline uint64_t
pgm_granules(uint64_t offset, uint64_t size)
{
    const unsigned first = (unsigned)(offset & X86_PAGE_OFFSET_MASK) >> PGM_GRANULE_SHIFT;
    const unsigned last =
        (unsigned)((offset & X86_PAGE_OFFSET_MASK) + size - 1) >> PGM_GRANULE_SHIFT;

    return (~0ull << first) & (~0ull >> (63 - last));
}

/* pgm-track.c */
/* Memory was written behind the CPUs' tracked entries. Returns with listeners told. gpa is where it
 * was written, or PGM_ELSEWHERE when it is not read there. */
#define PGM_ELSEWHERE UINT64_MAX
void pgm_written(Pgm *pgm, Vcpu *writer, PgmMem *mem, uint64_t offset, uint64_t size, uint64_t gpa);
static inline uint64_t
pgm_seen_at(const PgmRange *range, uint64_t gpa)
{
    return range->read.host == range->write.host ? gpa : PGM_ELSEWHERE;
}
/* Must a write to that page take the slow path? */
static inline bool
pgm_is_tracked(const PgmMem *mem, uint64_t page)
{
    const uint8_t watch = atomic_load_explicit(&mem->watch, memory_order_relaxed);

    return atomic_load_explicit(&mem->code[page], memory_order_relaxed) != 0 ||
           (watch & ~atomic_load_explicit(&mem->dirty[page], memory_order_relaxed)) != 0;
}

/* pgm-tlb.c */
/* Drops all entries of this thread's CPU. */
void pgm_tlb_drop(Vcpu *vcpu, bool global_too);
/* Takes fast writes to host memory [start, start + size) away, on the CPU's own thread. */
void pgm_tlb_track(Vcpu *vcpu, const uint8_t *start, uint64_t size);
void pgm_tlb_init(Pgm *pgm, Vcpu *vcpu);
void pgm_tlb_clear(Vcpu *vcpu);

/* pgm-shootdown.c */
/* Something that TLBs hold has changed: flushes this thread's at once and asks the others. */
void pgm_request_flush(Pgm *pgm);
/* Takes fast writes to host memory [start, end) away: at once on this thread, by a flush on others.
 * False: there are others. */
bool pgm_request_track(Pgm *pgm, const uint8_t *start, const uint8_t *end);
/* Takes fast writes to the page away, wherever there are some; returns when there are none. */
void pgm_track_page(Vcpu *vcpu, PgmMem *mem, uint64_t page);
/* The same by a thread that is no virtual CPU's and holds no locks; returns when it is so. */
void pgm_wait_for_track(Pgm *pgm, const uint8_t *start, const uint8_t *end);
bool pgm_everyone_has_seen(const Pgm *pgm, uint32_t request);

/* pgm-walk.c */
#define PGM_RIGHT_WRITE (1ull << 1) /* as in a page-table entry */
#define PGM_RIGHT_USER (1ull << 2)
#define PGM_RIGHT_NO_EXEC (1ull << 63)
typedef struct {
    uint64_t gpa;    /* of linear itself, through the A20 gate */
    uint64_t rights; /* PGM_RIGHT_* */
    unsigned shift;  /* of the page's size */
    bool global, dirty;
} PgmWalk;
bool pgm_walk(Vcpu *vcpu, uint64_t linear, PgmAccessKind access, CpumTlbKind kind, PgmWalk *walk,
              PgmFault *fault);
/* Loads Vcpu.pae_pdpte where PAE paging is on; false (and nothing loaded): reserved bits. */
bool pgm_load_pdptes(Vcpu *vcpu);
bool pgm_rights_allow(const Vcpu *vcpu, uint64_t rights, PgmAccessKind access, CpumTlbKind kind);

/* pgm-phys.c: on a virtual CPU's thread, through its map and the A20 gate. */
static inline const PgmRange *
pgm_cpu_range(PgmVcpu *own, uint64_t gpa)
{
    const PgmRange *range = own->last;

    if (G_LIKELY(gpa - range->start < range->end - range->start))
        return range;
    range = pgm_map_find(own->map, gpa);
    if (range->read.to == PGM_TO_MEM)
        own->last = range;
    return range;
}

static inline uint64_t
pgm_a20_mask(const Vcpu *vcpu)
{
    return atomic_load_explicit(&vcpu->pgm->a20_mask, memory_order_relaxed);
}

static inline uint64_t
pgm_page(uint64_t offset)
{
    return offset >> X86_PAGE_SHIFT;
}
