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
} EmExit;

/* The rooms of one VM, as an engine sees them. */
typedef struct {
    Cpum *cpum;
    Pgm *pgm;
    Iom *iom;
    Tm *tm;
    Trpm *trpm;
} EmRooms;

typedef struct EmEngine {
    const char *name;  /* "iem", "rem", "hm", "raw" */
    const char *title; /* for people */
    /* Can this host run it at all? */
    bool (*probe)(GError **error);
    /* Per VM and per virtual CPU. */
    void *(*vm_create)(const EmRooms *rooms, GError **error);
    void (*vm_destroy)(void *engine_vm);
    bool (*vcpu_create)(void *engine_vm, Vcpu *vcpu, GError **error);
    void (*vcpu_destroy)(Vcpu *vcpu);
    bool (*can_run)(const Vcpu *vcpu);
    /* Runs until an exit, at most `budget` retired instructions (UINT64_MAX: no limit). In the
     * deterministic mode it stops after exactly `budget`. Vcpu.retired counts them. */
    EmExit (*run)(Vcpu *vcpu, uint64_t budget);
    /* From any thread, after pending was set: leave `run` soon. NULL where looking at pending is
     * enough. */
    void (*kick)(Vcpu *vcpu);
    /* Cached state back to the Vcpu, and from it. NULL where the Vcpu is always exact. */
    void (*sync_out)(Vcpu *vcpu);
    void (*sync_in)(Vcpu *vcpu);
    /* Statistics, one "name value" line each. */
    void (*info)(Vcpu *vcpu, GString *out);
} EmEngine;
