/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PGM: guest physical and virtual memory. Regions (RAM, ROM, MMIO, ROMD, PAM) over one physical
 * address space, page walks in all paging modes, the softTLB, page tracking (code, dirty log).
 * Intel SDM volume 3A chapters 4 and 11; design section 5 "Memory". */
#pragma once

#include "vmm/cpum/cpum.h"
#include "vmm/iom/iom.h"

typedef struct Pgm Pgm;
typedef struct PgmMem PgmMem;       /* host memory behind RAM, ROM, video memory */
typedef struct PgmRegion PgmRegion; /* a place in guest-physical space */

#define PGM_PHYS_BITS 40

typedef enum {
    PGM_RAM,  /* read, write, execute */
    PGM_ROM,  /* read and execute; writes are ignored */
    PGM_MMIO, /* everything is dispatched */
    PGM_ROMD, /* read and executed from memory, writes dispatched to mmio */
} PgmKind;

/* PAM and shadow RAM: where reads and writes of a RAM region go at present. */
typedef enum {
    PGM_ACCESS_NORMAL,     /* as the kind says */
    PGM_ACCESS_READ_ONLY,  /* RAM reads as RAM, writes are ignored */
    PGM_ACCESS_WRITE_ONLY, /* writes go to the RAM, reads to the region below */
    PGM_ACCESS_NONE,       /* everything goes to the region below, as if it were absent */
} PgmAccess;

Pgm *pgm_new(Cpum *cpum, Iom *iom, GError **error);
void pgm_free(Pgm *pgm);

/* Anonymous zeroed host memory, page-aligned, with huge pages where that helps. size > 0. */
PgmMem *pgm_mem_new(Pgm *pgm, const char *name, uint64_t size, GError **error);
void pgm_mem_free(PgmMem *mem);
void *pgm_mem_host(const PgmMem *mem);
uint64_t pgm_mem_size(const PgmMem *mem);

typedef struct {
    const char *name; /* static */
    PgmKind kind;
    PgmMem *mem;         /* RAM, ROM, ROMD */
    uint64_t mem_offset; /* page-aligned */
    IomMmio *mmio;       /* MMIO, ROMD */
    /* MMIO of this virtual CPU only (its local APIC), above all that others see there; NULL: a
     * region that everybody sees. */
    const Vcpu *vcpu;
    uint64_t size;  /* bytes; MMIO need not be page-aligned */
    int priority;   /* the higher covers the lower; RAM 0, PAM 1, ROM 2, devices 3 */
    bool dirty_log; /* video memory: pgm_dirty_fetch() works on it */
} PgmRegionInfo;

/* Creates an unmapped region. Mapping, unmapping, moving and access changes take effect on every
 * virtual CPU before the next instruction that follows the caller's; any thread with the device
 * lock. */
PgmRegion *pgm_region_new(Pgm *pgm, const PgmRegionInfo *info);
void pgm_region_free(PgmRegion *region);
/* What it was created with, for aliases of it. */
const PgmRegionInfo *pgm_region_info(const PgmRegion *region);
void pgm_region_map(PgmRegion *region, uint64_t gpa);
void pgm_region_unmap(PgmRegion *region);
void pgm_region_set_access(PgmRegion *region, PgmAccess access);
/* A20 gate: masks address bit 20 when disabled. */
void pgm_set_a20(Pgm *pgm, bool enabled);
bool pgm_a20(const Pgm *pgm);

/* Dirty log: copies and clears one byte a page (1 = written since the last fetch). */
void pgm_dirty_fetch(PgmRegion *region, uint8_t *dirty, size_t pages);

/* Physical access for devices (bus-master DMA): RAM, ROM reads and linear video memory only; any
 * other address reads as all ones and ignores writes. Any thread. Reports writes to code pages. */
void pgm_phys_read(Pgm *pgm, uint64_t gpa, void *data, size_t size);
void pgm_phys_write(Pgm *pgm, uint64_t gpa, const void *data, size_t size);
/* Direct access: NULL unless gpa is RAM; *size is cut to what is contiguous. Unmap reports. */
void *pgm_phys_map(Pgm *pgm, uint64_t gpa, size_t *size, bool write);
void pgm_phys_unmap(Pgm *pgm, uint64_t gpa, void *host, size_t size, bool written);
/* Physical access by a CPU, with MMIO (page-walk data, engines' slow path, uncached); size 1..8. */
uint64_t pgm_cpu_phys_read(Vcpu *vcpu, uint64_t gpa, unsigned size);
void pgm_cpu_phys_write(Vcpu *vcpu, uint64_t gpa, uint64_t value, unsigned size);

/* Virtual memory, for engines, on the virtual CPU's thread. */
typedef enum { PGM_READ, PGM_WRITE, PGM_EXEC } PgmAccessKind;

typedef struct {
    uint32_t error_code; /* X86_PF_*; the vector is always #PF */
} PgmFault;

/* Walks the guest's tables, sets A and D bits as the CPU does. false: *fault is filled. */
bool pgm_translate(Vcpu *vcpu, uint64_t linear, PgmAccessKind access, CpumTlbKind kind,
                   uint64_t *gpa, PgmFault *fault);
/* The same without side effects (debugger, probes). */
bool pgm_translate_quiet(Vcpu *vcpu, uint64_t linear, uint64_t *gpa);
/* Walks and fills the TLB entry of that page. false: page fault. */
bool pgm_tlb_fill(Vcpu *vcpu, uint64_t linear, PgmAccessKind access, CpumTlbKind kind,
                  PgmFault *fault);
/* An access within one page whose TLB entry has a flag set (after pgm_tlb_fill): MMIO is
 * dispatched, a tracked write is done and reported. size 1..8. */
uint64_t pgm_slow_read(Vcpu *vcpu, uint64_t linear, unsigned size, CpumTlbKind kind);
void pgm_slow_write(Vcpu *vcpu, uint64_t linear, uint64_t value, unsigned size, CpumTlbKind kind);

/* Read-modify-write where the entry for writes has a flag: the host address when [linear,
 * linear+size) lies in one page of memory that is read and written at the same place, else NULL.
 * After the change pgm_slow_written() reports it. */
void *pgm_slow_host(Vcpu *vcpu, uint64_t linear, unsigned size, CpumTlbKind kind);
void pgm_slow_written(Vcpu *vcpu, uint64_t linear, unsigned size, CpumTlbKind kind);

/* After the guest changed CR0, CR3, CR4 or EFER (values already in the Vcpu). false: the PAE
 * directory pointers have reserved bits set, raise #GP(0). */
bool pgm_paging_changed(Vcpu *vcpu, uint64_t old_cr0, uint64_t old_cr4, uint64_t old_efer);
bool pgm_cr3_changed(Vcpu *vcpu); /* MOV CR3: drops all but global entries */
void pgm_invlpg(Vcpu *vcpu, uint64_t linear);
void pgm_flush_tlb(Vcpu *vcpu, bool global_too);
/* For EM, where CPUM_PEND_TLB_FLUSH is set: does what other threads ask for. */
void pgm_act_on_flush(Vcpu *vcpu);
/* For EM, between runs: when this CPU's last instruction changed the map, waits until the others
 * have seen that. */
void pgm_settle(Vcpu *vcpu);

/* Code tracking, by granules of 64 bytes. An engine that keeps something decoded or translated from
 * [gpa, gpa+size) (inside one page) marks it; the next write to a marked granule by anyone calls
 * the listeners that hold something of its page before the writer goes on, and takes the marks of
 * the granules that were written away when all return true ("I hold nothing there any more"). A
 * listener whose own thread is not the writer's notes the write, asks its CPU to leave the engine
 * (cpum_pend), returns false, and calls pgm_code_release() when it has dropped what it held.
 * Listeners are called under a lock and must not call PGM back, except for pgm_code_page(). */
typedef bool (*PgmCodeListener)(void *user, Vcpu *writer, uint64_t gpa, uint64_t size);
unsigned pgm_code_listen(Pgm *pgm, PgmCodeListener listener, void *user);
/* Ends that; not from a listener. */
void pgm_code_unlisten(Pgm *pgm, unsigned listener);
/* On the virtual CPU's thread, inside an engine, without locks: returns when every other CPU
 * reports its writes to the page. What was read of it before may be old by then: compare, or read
 * it again. TLB entries of this CPU may have gone meanwhile. */
void pgm_code_mark(Vcpu *vcpu, unsigned listener, uint64_t gpa, uint32_t size);
/* The listener holds only these granules of the page any more (bit i: [64 i, 64 i + 64)). */
void pgm_code_release(Vcpu *vcpu, unsigned listener, uint64_t gpa, uint64_t held);
/* For listeners: what others wrote, until their own CPU's thread takes it at the next beginning of
 * its engine's run. */
#define PGM_REMOTE_MAX 64
typedef struct {
    uint64_t gpa;      /* of the page */
    uint64_t granules; /* of it that were written */
} PgmRemoteWrite;
typedef struct {
    Vcpu *vcpu;
    GMutex lock; /* of the rest */
    PgmRemoteWrite write[PGM_REMOTE_MAX];
    unsigned count; /* above PGM_REMOTE_MAX: of anything */
} PgmRemote;
void pgm_remote_init(PgmRemote *remote, Vcpu *vcpu);
void pgm_remote_clear(PgmRemote *remote);
/* Any thread; within one page. The CPU leaves its engine soon. */
void pgm_remote_note(PgmRemote *remote, uint64_t gpa, uint64_t size);
/* How many there were; above PGM_REMOTE_MAX: everything may have been written. */
unsigned pgm_remote_take(PgmRemote *remote, PgmRemoteWrite write[PGM_REMOTE_MAX]);
/* A host address for pages that can be cached: NULL for MMIO. */
const uint8_t *pgm_code_page(Vcpu *vcpu, uint64_t gpa);

/* Rises with every change of the physical map (regions, A20). */
uint32_t pgm_generation(const Pgm *pgm);

/* --- for engines whose guest memory is mapped by the host's MMU (hardware) --- */
/* Whole pages [gpa, gpa + size) that are read and executed from memory at `host`. */
typedef struct {
    uint64_t gpa, size;
    uint8_t *host;
    PgmMem *mem;
    uint64_t offset; /* of host in mem */
    bool writable;   /* written there as well; else writes are dispatched or ignored */
    bool dirty_log;  /* what is written has to be told when PGM asks */
} PgmSpan;
/* Appends the present map, as the A20 gate shows it, in ascending order without overlaps. What is
 * not in a span goes through pgm_cpu_phys_read() and _write(), which take any address. Returns the
 * generation that this is of. Any thread. */
uint32_t pgm_spans(Pgm *pgm, GArray *spans);
/* Asked before a dirty log is fetched: pages of mem that were written unseen are told by
 * pgm_dirty_report(). Called on any thread; must not change the map. NULL: nobody. */
typedef void (*PgmDirtySource)(void *user, PgmMem *mem);
void pgm_set_dirty_source(Pgm *pgm, PgmDirtySource source, void *user);
void pgm_dirty_report(PgmMem *mem, uint64_t offset, uint64_t size);

/* Makes guest RAM: one PgmMem of both sizes together, mapped (priority 0) at 0 and at 4 GiB;
 * above_4g may be 0. Once, before any device. PGM frees it. */
bool pgm_ram_setup(Pgm *pgm, uint64_t below_4g, uint64_t above_4g, GError **error);
/* The memory behind RAM, for aliases of it (PAM): address gpa < below_4g is at offset gpa. */
PgmMem *pgm_ram_mem(const Pgm *pgm);
/* How much there is, for firmware tables. */
uint64_t pgm_ram_below_4g(const Pgm *pgm);
uint64_t pgm_ram_above_4g(const Pgm *pgm);

/* The calling thread runs this virtual CPU from now on (EM says so): map changes that it makes
 * itself reach its TLB at once, those of other threads through CPUM_PEND_TLB_FLUSH. */
void pgm_bind_thread(Vcpu *vcpu);
/* A thread that is about to start will. */
void pgm_bind_later(Vcpu *vcpu);

/* RAM and all other PgmMem: the unit PGM_RAM_UNIT; A20. */
#define PGM_RAM_UNIT "ram"
void pgm_ssm_register(Pgm *pgm, Ssm *ssm);
