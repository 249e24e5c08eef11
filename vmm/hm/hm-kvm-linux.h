/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of HM on KVM share. A virtual CPU's registers live in the Vcpu, in KVM or in both;
 * `held` tells. The thread of the virtual CPU owns everything in HmVcpu but what is atomic. */
#pragma once

#include "vmm/hm/hm.h"

#include <linux/kvm.h>
#include <time.h>

typedef enum {
    HM_IN_VCPU, /* KVM's copy is old */
    HM_IN_KVM,  /* the Vcpu's copy is old */
    HM_IN_BOTH,
} HmHeld;

/* What is counted, one row for each line of info(). */
typedef enum {
    HM_COUNT_RUNS,
    HM_COUNT_PORT,
    HM_COUNT_MMIO,
    HM_COUNT_MSR,
    HM_COUNT_HALT,
    HM_COUNT_WINDOW,
    HM_COUNT_KICK,
    HM_COUNT_FAILED,
    HM_COUNT_OTHER,
    HM_COUNT_SLICE,
    HM_COUNT_STUCK,
    HM_COUNT_INTERRUPT,
    HM_COUNT_NMI,
    HM_COUNT_IMPORT,
    HM_COUNT_EXPORT,
    HM_COUNT_SLOTS,
    HM_COUNT_COUNT,
} HmCount;

typedef struct HmVm HmVm;

/* hm-watch-linux.c's; on the thread of the virtual CPU alone. */
typedef struct {
    timer_t timer;
    bool made, ticks;
    int thread;    /* whom the timer signals */
    bool emulates; /* the host's KVM: it gets slices */
    uint64_t since;
    uint64_t exits; /* that the guest left for something, so far */
    /* As of the last look. */
    bool looked;
    uint64_t exits_then;
    struct kvm_regs regs;
} HmWatch;

typedef struct {
    HmVm *vm;
    Vcpu *vcpu;
    int fd;
    struct kvm_run *run; /* shared with the kernel */
    size_t run_size;
    struct kvm_xsave *xsave;
    size_t xsave_size;
    HmHeld held;
    bool profiled;   /* CPUID and the like are set */
    bool unfinished; /* KVM_RUN has to be called again before registers are right */
    uint64_t tsc_offset;
    bool tsc_set;
    HmWatch watch;
    struct kvm_vcpu_events events; /* as of the last export: what was being delivered */
    _Atomic int thread;            /* in run(): its Linux id; else 0 */
    _Atomic uint64_t count[HM_COUNT_COUNT];
} HmVcpu;

typedef struct {
    bool used;
    PgmSpan span;
} HmSlot;

struct HmVm {
    EmRooms rooms;
    int kvm, fd;
    bool emulates; /* the host's KVM */
    unsigned slots_max;
    /* Held for reading by each CPU inside KVM_RUN, for writing while memory slots change. */
    GRWLock gate;
    GMutex lock;   /* of slots */
    GArray *slots; /* HmSlot; the index is KVM's number */
    _Atomic uint32_t generation;
    _Atomic bool mapped; /* generation is valid */
    HmVcpu **vcpus;      /* by Vcpu.id; NULL before creation */
};

static inline void
hm_count(HmVcpu *own, HmCount what)
{
    const uint64_t value = atomic_load_explicit(&own->count[what], memory_order_relaxed);

    atomic_store_explicit(&own->count[what], value + 1, memory_order_relaxed);
}

/* hm-run-linux.c */
EmExit hm_run(Vcpu *vcpu, uint64_t budget);
void hm_kick(Vcpu *vcpu);

/* Ends the instruction that left for an access, so that the registers can be read. */
void hm_finish(HmVcpu *own);
/* The signal that ends KVM_RUN; false: it cannot be had. */
bool hm_prepare_signal(GError **error);
int hm_kick_signal(void);

/* hm-watch-linux.c: does the guest get on? */
/* Before the guest is entered; Linux's id of this thread. */
void hm_watch_begin(HmWatch *watch, int thread, bool emulates);
/* The CPU halts; the watch is on again with the next hm_watch_begin(). */
void hm_watch_rest(HmWatch *watch);
void hm_watch_end(HmWatch *watch);
/* KVM has got registers that another engine left: it begins anew. */
void hm_watch_reset(HmWatch *watch);
/* After KVM_RUN was interrupted, and where KVM emulates after each exit too. True: KVM has to be
 * left with that exit. */
bool hm_watch_is_over(HmVcpu *own, EmExit *exit);

/* hm-exit-linux.c: does what the guest left for. False: *exit is EM's turn. */
bool hm_act_on_exit(HmVcpu *own, EmExit *exit);

/* hm-memory-linux.c */
void hm_memory_init(HmVm *vm);
void hm_memory_end(HmVm *vm);
/* Follows PGM's map where it has changed; false: KVM refuses. */
bool hm_memory_update(HmVcpu *own);
static inline bool
hm_memory_is_current(const HmVm *vm)
{
    return atomic_load_explicit(&vm->mapped, memory_order_acquire) &&
           atomic_load_explicit(&vm->generation, memory_order_acquire) ==
               pgm_generation(vm->rooms.pgm);
}

/* hm-state-linux.c: registers from the Vcpu to KVM and back. False: KVM refuses them. */
bool hm_import(HmVcpu *own);
/* After it: did KVM take paging as the virtual CPU has it? */
bool hm_has_paging(HmVcpu *own);
void hm_export(HmVcpu *own);
void hm_sync_out(Vcpu *vcpu);
void hm_sync_in(Vcpu *vcpu);
bool hm_take_event(Vcpu *vcpu, EmEvent *event);

/* hm-fpu-linux.c: x87, SSE, AVX and debug registers, as parts of these. */
bool hm_import_fpu(HmVcpu *own);
void hm_export_fpu(HmVcpu *own);
bool hm_import_debug(HmVcpu *own);
void hm_export_debug(HmVcpu *own);

/* hm-msr-linux.c */
/* Which MSRs KVM may answer by itself; the others come to CPUM. */
bool hm_msr_filter(HmVm *vm, GError **error);
bool hm_msr_is_kvms(uint32_t msr);
bool hm_import_msrs(HmVcpu *own);
void hm_export_msrs(HmVcpu *own);

/* hm-cpuid-linux.c: gives CPUM's CPUID to KVM; once, before the first run. */
bool hm_set_profile(HmVcpu *own, GError **error);
/* Hides from the guest what KVM cannot virtualize. */
void hm_limit_profile(HmVm *vm);

/* hm-probe-linux.c */
int hm_open(GError **error); /* /dev/kvm with all that is needed here; -1: error is set */
