/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the VM object share.
 *
 * Locks: `transition` is held for the whole of a change of state (power on, pause, reset …), so
 * there is one at a time. `lock` guards the words below it and is never held while anything else is
 * called. Guest requests may come with the device lock held: they take only `lock`. Order:
 * transition, device lock, lock. */
#pragma once

#include "vmm/base/log.h"
#include "vmm/em/em.h"
#include "vmm/vmm.h"

/* What the guest or a device wants of the VM; bits of Vmm.requests. */
enum {
    VM_REQUEST_RESET = 1u << 0,
    VM_REQUEST_POWER_OFF = 1u << 1,
    VM_REQUEST_PAUSE = 1u << 2, /* a device met an error that the user has to solve */
    VM_REQUEST_STOP = 1u << 3,  /* a device cannot go on */
    VM_REQUEST_TRIPLE_FAULT = 1u << 4,
};

typedef enum {
    VM_EVENT_STATE,
    VM_EVENT_MESSAGE,
    VM_EVENT_POWER_OFF,
    VM_EVENT_RESET,
    VM_EVENT_TRIPLE_FAULT,
} VmEventType;

typedef struct {
    VmEventType type;
    VmmState state;
    PdmSeverity severity;
    char *id, *text;
} VmEvent;

typedef struct {
    Vmm *vmm;
    Vcpu *vcpu;
    GThread *thread;
    bool parked;
} VmCpu;

struct Vmm {
    VmmEvents events;
    BaseLog *log;
    BaseLogLimit guest_limit; /* of lines that the guest can cause again and again */
    EmRooms rooms;
    Ssm *ssm;
    Em *em;
    Pdm *pdm;
    bool reset_on_triple_fault;

    GMutex transition;

    GMutex lock;
    GCond changed; /* anything below changed */
    VmmState state;
    bool stop_wanted; /* virtual CPUs have to park */
    bool quit;        /* … and their threads to end */
    unsigned cpus;    /* threads that run */
    unsigned parked;  /* of them */
    uint32_t requests;
    GQueue event_queue; /* VmEvent */
    bool control_quit;

    VmCpu *cpu;
    GThread *control; /* sends events, does what the guest asked for */
};

/* vm-cpu.c: the threads. The caller holds `transition`. */
void vm_cpus_start(Vmm *vmm);
/* Returns when every virtual CPU is parked. */
void vm_cpus_park(Vmm *vmm);
/* Lets them go on, unless a guest request waits. */
void vm_cpus_continue(Vmm *vmm);
/* Parks them for ever and joins the threads. */
void vm_cpus_end(Vmm *vmm);

/* vm-control.c */
void vm_control_start(Vmm *vmm);
void vm_control_end(Vmm *vmm);
/* Any thread, also with the device lock: the virtual CPUs stop as soon as they can. */
void vm_request(Vmm *vmm, uint32_t requests);
uint32_t vm_take_requests(Vmm *vmm);
void vm_send(Vmm *vmm, VmEventType type, PdmSeverity severity, const char *id, const char *text);
/* A line that the guest causes: it cannot fill the host's disk. */
void vm_log_guest(Vmm *vmm, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Sets the state and tells it. */
void vm_set_state(Vmm *vmm, VmmState state);

/* vm-transition.c: what happens between states, CPUs parked, `transition` held. */
void vm_do_pause(Vmm *vmm);
/* Time and what is under way end; and go on. */
void vm_stand_still(Vmm *vmm);
void vm_go_on(Vmm *vmm);
/* Sets the error; always false. */
bool vm_wrong_state(const char *what, GError **error);
void vm_do_reset(Vmm *vmm);
void vm_do_power_off(Vmm *vmm);
/* Does what the guest asked for. */
void vm_do_requests(Vmm *vmm, uint32_t requests);
