/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * struct Vcpu: the whole state of one virtual CPU at fixed offsets, so that generated code can
 * reach every field. The thread of the virtual CPU owns it; other threads touch only `pending`
 * (atomically) and what a room documents otherwise. Intel SDM volume 1 chapter 3 and volume 3A. */
#pragma once

#include "vmm/x86/x86.h"

#include <stdatomic.h>
#include <stddef.h>

typedef struct Cpum Cpum;
typedef struct Vcpu Vcpu;

/* What is pending for a virtual CPU. A block head looks at Vcpu.pending and at nothing else: any
 * bit set means "leave the engine". Bits are set with cpum_pend() from any thread and cleared
 * only by the owner of the bit on the virtual CPU's own thread. */
typedef enum {
    CPUM_PEND_INTERRUPT = 1u << 0, /* TRPM: PIC line or local APIC may have something deliverable */
    CPUM_PEND_NMI = 1u << 1,       /* TRPM */
    CPUM_PEND_INIT = 1u << 2,      /* TRPM: INIT, then wait for SIPI */
    CPUM_PEND_SIPI = 1u << 3,      /* TRPM */
    CPUM_PEND_TIMER = 1u << 4,     /* TM: a timer expired, EM runs them (on virtual CPU 0) */
    CPUM_PEND_TLB_FLUSH = 1u << 5, /* PGM: mapping or page state changed, drop the whole TLB */
    CPUM_PEND_REQUEST = 1u << 6, /* VM: the virtual CPU has a request (pause, reset, stop, call) */
    CPUM_PEND_QUEUE = 1u << 7,   /* PDM: queue items wait (on virtual CPU 0) */
    CPUM_PEND_KICK = 1u << 8,    /* EM: just leave the engine once */
    CPUM_PEND_DEBUG = 1u << 9,   /* DBGF */
} CpumPend;

/* A loaded segment register with its hidden part. attr is in the layout of X86_SEG_*. limit is
 * the byte-granular limit (already scaled by G). */
typedef struct {
    uint64_t base;
    uint32_t limit;
    uint32_t attr;
    uint16_t sel;
} CpumSeg;

typedef struct {
    uint64_t base;
    uint16_t limit;
} CpumTable; /* GDTR, IDTR */

/* x87, SSE and AVX state in the host's own XSAVE standard layout, so that FXRSTOR can load it as it
 * is. st[i] is ST(i), relative to TOP, as FXSAVE has it. Aligned as FXRSTOR and MOVAPS want it, and
 * no more: compilers count on a type's alignment, which must not be above that of g_malloc(). */
typedef struct {
    uint16_t fcw, fsw;
    uint8_t ftw; /* abridged: bit i = physical register i is not empty */
    uint8_t reserved0;
    uint16_t fop;
    uint64_t fip, fdp; /* 64-bit form; fcs/fds below for the 32-bit form of FSAVE */
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16];
    uint8_t xmm[16][16];
    uint8_t reserved1[96];
    uint64_t xstate_bv, xcomp_bv;
    uint8_t reserved2[48];
    uint8_t ymm_high[16][16]; /* offset 576: component 2 */
} __attribute__((aligned(16))) CpumFpu;
_Static_assert(offsetof(CpumFpu, xmm) == 160, "FXSAVE layout");
_Static_assert(offsetof(CpumFpu, ymm_high) == 576, "XSAVE layout");

/* The softTLB, filled by PGM, probed inline by every engine that walks in software. A tag is the
 * page's linear address (canonical, low 12 bits zero) | CPUM_TLB_* flags; an invalid entry's tag is
 * CPUM_TLB_INVALID. Equal to the page address: access memory at addend + linear address. Any
 * flag: take PGM's slow path. Direct-mapped by linear page number. */
#define CPUM_TLB_BITS 13
#define CPUM_TLB_ENTRIES (1u << CPUM_TLB_BITS)
/* Above what a probe may leave of a misaligned address, which must never look like a flag. */
#define CPUM_TLB_MMIO (1u << 10)    /* dispatch to IOM */
#define CPUM_TLB_TRACKED (1u << 11) /* RAM whose writes are reported: code, dirty log, ROM */
#define CPUM_TLB_INVALID (~0ull)

typedef struct {
    uint64_t tag_read, tag_write, tag_exec;
    uint64_t addend; /* host address minus linear address */
} CpumTlbEntry;

typedef enum {
    CPUM_TLB_USER,       /* CPL 3 */
    CPUM_TLB_SUPERVISOR, /* CPL 0..2 and implicit accesses; SMAP as CR4 says with EFLAGS.AC = 0 */
    CPUM_TLB_SUPERVISOR_AC, /* CPL 0..2 with EFLAGS.AC = 1 */
    CPUM_TLB_COUNT,
} CpumTlbKind;

typedef struct {
    CpumTlbEntry entry[CPUM_TLB_ENTRIES];
} CpumTlb;

/* Execution mode, derived from CR0, EFER, CS, EFLAGS.VM by cpum_update_mode(). */
typedef enum {
    CPUM_MODE_REAL,
    CPUM_MODE_V86,
    CPUM_MODE_PROT16, /* protected or compatibility mode, CS.D = 0 */
    CPUM_MODE_PROT32, /* protected or compatibility mode, CS.D = 1 */
    CPUM_MODE_LONG64,
} CpumMode;

typedef enum {
    CPUM_ACTIVE,
    CPUM_HALTED,    /* HLT: an interrupt, NMI, INIT continues */
    CPUM_WAIT_SIPI, /* after INIT, on an application processor */
    CPUM_SHUTDOWN,  /* triple fault */
} CpumActivity;

struct Vcpu {
    /* What engines touch most; the first 128 bytes are the registers. */
    uint64_t gpr[X86_GPR_COUNT];
    uint64_t rip;
    uint64_t rflags; /* complete and exact between instructions; bit 1 always set */
    uint64_t zero;   /* always 0: stands for the base or index that an address does not have */
    _Atomic uint32_t pending; /* CpumPend */
    uint8_t mode;             /* CpumMode */
    uint8_t cpl;
    uint8_t tlb_kind;   /* CpumTlbKind of explicit data accesses at present */
    uint8_t irq_shadow; /* 1 while STI or MOV SS/POP SS blocks interrupts for one instruction */
    uint64_t retired;   /* instructions that software engines retired, and faults, since power-on */

    CpumSeg seg[X86_SEG_COUNT];
    CpumSeg ldtr, tr;
    CpumTable gdtr, idtr;
    uint64_t cr0, cr2, cr3, cr4, efer, xcr0;
    uint64_t dr[8]; /* 4 and 5 unused */
    /* DR6 bits of a debug trap that comes after the next instruction; a saved state is without. */
    uint64_t debug_waits;

    uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t tsc_aux, pat, misc_enable, apic_base;
    uint64_t mtrr_def_type, mtrr_fix[11], mtrr_var[16];
    uint64_t pae_pdpte[4]; /* loaded with CR3 in PAE paging */

    _Alignas(64) CpumFpu fpu;
    uint16_t fpu_cs, fpu_ds;

    uint8_t activity; /* CpumActivity */
    /* TRPM: something may wait for IF, or for priorities to change. 0: nothing does, so that
     * setting IF has no more consequences. Set by any thread. */
    _Atomic bool interrupt_waits;
    uint8_t nmi_blocked;
    bool smm; /* always false: there is no SMM yet */

    /* CPUM's memo of the guest's features, from the profile; engines test bits, not CPUID. */
    uint64_t features; /* bit CpumFeature */
    uint8_t phys_bits, linear_bits;

    _Atomic bool inside; /* it may use its TLB, map and translations (cpum_enter) */

    unsigned id; /* 0 is the boot processor; also the initial APIC id */

    /* One slot for each room, created by the room; opaque to the others. */
    Cpum *cpum;
    struct Pgm *pgm;
    struct Iom *iom;
    struct Trpm *trpm;
    struct Tm *tm;
    struct PgmVcpu *pgm_vcpu;
    struct TrpmVcpu *trpm_vcpu; /* local APIC */
    struct TmVcpu *tm_vcpu;     /* TSC offset */
    struct EmVcpu *em_vcpu;
    struct IemVcpu *iem_vcpu;
    void *rem_vcpu, *hm_vcpu, *dbgf_vcpu, *gim_vcpu;
    void *vm_vcpu;           /* the thread, owned by vmm/vm */
    uint64_t tlb_epoch;      /* PGM: rises when entries of the TLB are dropped */
    uint64_t rem_words[304]; /* what REM's translated code reaches besides the above: its RemHot */

    CpumTlb tlb[CPUM_TLB_COUNT];
} __attribute__((aligned(64)));

static inline uint32_t
cpum_pending(const Vcpu *vcpu)
{
    return atomic_load_explicit(&((Vcpu *)vcpu)->pending, memory_order_relaxed);
}

static inline CpumTlbEntry *
cpum_tlb_entry(Vcpu *vcpu, unsigned kind, uint64_t linear)
{
    return &vcpu->tlb[kind].entry[(linear >> X86_PAGE_SHIFT) & (CPUM_TLB_ENTRIES - 1)];
}
