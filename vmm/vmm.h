/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The VMM: create, power on, pause, resume, reset, save, load, destroy, events. The only header
 * that an embedder (app/console, tests) needs beside pdm.h. Manual, chapter "Technical background".
 */
#pragma once

#include "vmm/base/error.h"
#include "vmm/cfgm/cfgm.h"
#include "vmm/em/engine.h"
#include "vmm/pdm/pdm-vm.h"

typedef struct Vmm Vmm;

typedef enum {
    VMM_CREATED,
    VMM_RUNNING,
    VMM_PAUSED,
    VMM_STUCK, /* triple fault with the guest kept for a look */
    VMM_OFF,
} VmmState;

typedef enum {
    VMM_PAUSE_USER,
    VMM_PAUSE_RUNTIME_ERROR, /* a device asked for it: host disk full … */
} VmmPauseReason;

/* Events, from the VM's threads, without locks held. The embedder must not call vmm_* that wait
 * (pause, power_off, destroy) from a handler: hand them to its own loop. */
typedef struct {
    void *user;
    void (*state_changed)(void *user, VmmState state);
    void (*runtime_message)(void *user, PdmSeverity severity, const char *id, const char *message);
    void (*guest_power_off)(void *user); /* ACPI S5: the VM is already off */
    void (*guest_reset)(void *user);
    void (*triple_fault)(void *user, const char *registers); /* state is VMM_STUCK */
    void (*log)(void *user, const char *line); /* one line, no newline, no time; any thread */
} VmmEvents;

/* Configuration, CFGM root:
 *   RamSize (bytes), CpuCount (1 to 8), CpuExecutionCap (percent, 100), CpuProfile ("x86-64-v2"),
 *   PAE, LongMode, APIC, X2APIC (bool),
 *   EM/Engine ("auto" …), EM/HardwareVirtualization ("auto" may take it), EM/LargePages (hardware
 * may map RAM by large pages), EM/TripleFaultReset, TM/Deterministic, TM/DeterministicHz,
 * TM/UtcOffsetNs, RTC/UseUtc, Devices/<name>/<instance>/Config/…,
 * Devices/<name>/<instance>/LUN<n>/Driver and …/LUN<n>/Config. The tree is borrowed until
 * vmm_destroy(), as is the registry. */
typedef struct {
    const CfgmNode *config;
    PdmRegistry *registry;
    VmmEvents events;
} VmmConfig;

/* Builds rooms and devices; no guest instruction runs. prepare (may be NULL) is called before
 * devices are constructed, to hand driver hosts over. */
Vmm *vmm_create(const VmmConfig *config, void (*prepare)(Pdm *pdm, void *user), void *user,
                GError **error);
bool vmm_power_on(Vmm *vmm, GError **error);
/* Wait until every virtual CPU has stopped or goes on. Idempotent. */
bool vmm_pause(Vmm *vmm, VmmPauseReason reason, GError **error);
bool vmm_resume(Vmm *vmm, GError **error);
bool vmm_reset(Vmm *vmm, GError **error);
/* Stops the CPUs, flushes disks. Afterwards only vmm_destroy() is useful. */
void vmm_power_off(Vmm *vmm);
void vmm_destroy(Vmm *vmm);
VmmState vmm_state(const Vmm *vmm);

/* Percent of a host CPU that each virtual CPU may take, 1 to 100; at any time, one thread at a
 * time.
 */
void vmm_set_execution_cap(Vmm *vmm, unsigned percent);

/* Saved state, paused only (save) or before power-on (load). */
bool vmm_save(Vmm *vmm, int fd, const SsmProgress *progress, GError **error);
bool vmm_load(Vmm *vmm, int fd, const SsmProgress *progress, GError **error);

/* Saves the state of a machine that runs, or is paused, and goes on with that. */
typedef struct {
    const SsmProgress *progress; /* may be NULL; asked until the moment that is saved */
    /* Called in that moment: CPUs and devices stand still, nothing is under way to the disks.
     * False: the save has failed. Called once, or not at all. May be NULL. */
    bool (*stopped)(void *user, GError **error);
    void *user;
} VmmLiveSave;
/* On any thread but the machine's own; one at a time, and not while the machine is destroyed.
 * *pause_ns: how long it stood. */
bool vmm_save_live(Vmm *vmm, int fd, const VmmLiveSave *hooks, uint64_t *pause_ns, GError **error);

Pdm *vmm_pdm(Vmm *vmm);
/* "iem", … of virtual CPU 0 at present. */
const char *vmm_engine_name(const Vmm *vmm);

typedef struct {
    uint64_t instructions; /* retired by software engines, all CPUs */
    uint64_t engine_ns, halted_ns;
    uint64_t virtual_ns;
    uint64_t resident_bytes; /* physical memory that the process has; 0: not known */
} VmmStatistics;
void vmm_statistics(const Vmm *vmm, VmmStatistics *out);
/* What the engines count: a line "cpu0.name: value" for each number of each virtual CPU. Any
 * thread. */
void vmm_engine_info(const Vmm *vmm, GString *out);
/* For tests and the debugger: the CPU's registers as text; the VM is paused or created. g_free().
 */
char *vmm_registers(const Vmm *vmm, unsigned cpu);
EmRooms vmm_rooms(Vmm *vmm);
/* Deterministic mode, on the caller's thread, instead of power_on: exactly that many instructions.
 */
bool vmm_step(Vmm *vmm, uint64_t instructions, GError **error);
