/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What an execution engine is. Engines are const structs listed in engines.def; EM chooses one for
 * each virtual CPU and mode and acts on the reason for which `run` returned. Every engine passes
 * the same guest programs with the same results. Design section 5 "Engine". */
#pragma once

#include "vmm/cpum/cpum.h"
#include "vmm/iom/iom.h"
#include "vmm/pgm/pgm.h"
#include "vmm/tm/tm.h"
#include "vmm/trpm/trpm.h"

typedef enum {
    EM_EXIT_BUDGET,   /* the budget of instructions is used up */
    EM_EXIT_PENDING,  /* Vcpu.pending is not zero */
    EM_EXIT_HALT,     /* HLT retired; Vcpu.activity is CPUM_HALTED */
    EM_EXIT_SHUTDOWN, /* triple fault; Vcpu.activity is CPUM_SHUTDOWN */
    EM_EXIT_MODE,     /* the guest changed to a mode that this engine does not run */
    EM_EXIT_FALLBACK, /* the next instruction has to be executed by another engine */
    EM_EXIT_DEBUG,    /* a debugger's condition */
    EM_EXIT_PAUSE,    /* the guest spins (EM_PAUSES times PAUSE); others may run now */
    EM_EXIT_STUCK,    /* the engine does not get on: another one shall take it past that place */
    EM_EXIT_SLOW,     /* the engine gets on badly: another one had better go on for a while */
} EmExit;

/* With several virtual CPUs `run` returns EM_EXIT_PAUSE after that many PAUSEs with less than
 * EM_PAUSE_GAP instructions between each two. */
#define EM_PAUSES 32u
#define EM_PAUSE_GAP 64u

/* The rooms of one VM, as an engine sees them. */
typedef struct {
    Cpum *cpum;
    Pgm *pgm;
    Iom *iom;
    Tm *tm;
    Trpm *trpm;
    bool small_pages; /* EM's: hardware shall not map guest memory by large pages */
} EmRooms;

/* An event whose delivery an engine had begun when it left: EM delivers it at the state that
 * sync_out() wrote. */
typedef struct {
    bool nmi, exception; /* neither: an external interrupt, which is acknowledged already */
    uint8_t vector;
    uint32_t error_code;
    uint64_t fault_address; /* #PF */
} EmEvent;

/* What EmEngine.rank() says. */
enum {
    EM_RANK_NEVER = 0, /* only where a setting names it */
    EM_RANK_INTERPRETER = 10,
    EM_RANK_RECOMPILER = 20,
    EM_RANK_HARDWARE = 30,
};

typedef struct EmEngine {
    const char *name;  /* "iem", "rem", "hm", "raw" */
    const char *title; /* for people */
    /* Can this host run it at all? */
    bool (*probe)(GError **error);
    /* How good a choice it is on this host, where probe() said yes: "auto" tries the highest first
     * and the next one where that cannot be created. NULL: EM_RANK_NEVER. */
    unsigned (*rank)(void);
    /* `run` stops after exactly `budget` retired instructions: what the deterministic mode needs.
     * Without it a budget means nothing, and Vcpu.retired stands still. */
    bool counts;
    /* can_run() has exceptions on this host, or EM_EXIT_SLOW comes: EM has a fast engine ready
     * beside this one. NULL: never. */
    bool (*is_partial)(void);
    /* `run` delivers interrupts and NMIs by itself (trpm_take_interrupt()). EM leaves
     * CPUM_PEND_INTERRUPT and CPUM_PEND_NMI to it while the virtual CPU is active. */
    bool delivers;
    /* Per VM and per virtual CPU. */
    void *(*vm_create)(const EmRooms *rooms, GError **error);
    void (*vm_destroy)(void *engine_vm);
    bool (*vcpu_create)(void *engine_vm, Vcpu *vcpu, GError **error);
    void (*vcpu_destroy)(Vcpu *vcpu);
    bool (*can_run)(const Vcpu *vcpu);
    /* Runs until an exit, at most `budget` retired instructions (UINT64_MAX: no limit). In the
     * deterministic mode it stops after exactly `budget`. Vcpu.retired counts them, and counts an
     * instruction whose exception is delivered (iem_deliver() does that), so that a guest that
     * does nothing but fault gets to the end of its budget and on in time. */
    EmExit (*run)(Vcpu *vcpu, uint64_t budget);
    /* From any thread, after pending was set: leave `run` soon. NULL where looking at pending is
     * enough. */
    void (*kick)(Vcpu *vcpu);
    /* NULL where the Vcpu is always exact. sync_out() makes it so: between it and the next `run`
     * the registers are right, to be looked at by anyone. sync_in() tells that they were changed
     * since. EM calls both on the virtual CPU's thread, and for each em_run(). */
    void (*sync_out)(Vcpu *vcpu);
    void (*sync_in)(Vcpu *vcpu);
    /* After sync_out(): hands over the event that was being delivered; false: there is none. NULL:
     * never any. */
    bool (*take_event)(Vcpu *vcpu, EmEvent *event);
    /* Drops all that is decoded or translated: another engine wrote memory behind PGM's back. NULL:
     * nothing is kept. */
    void (*forget)(Vcpu *vcpu);
    /* Statistics, one "name value" line each. Any thread, also while the CPU runs. */
    void (*info)(Vcpu *vcpu, GString *out);
} EmEngine;
