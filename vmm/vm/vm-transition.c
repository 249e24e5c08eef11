/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The state machine: created, running, paused, stuck, off; and saving and loading. */
#include "vmm/vm/vm-private.h"

/* Completions may make a device start the next part of what it was told to do; a device that never
 * comes to an end must not hang the host. */
#define DRAIN_ROUNDS 10000u

/* Drivers finish what is under way, and devices learn of it although their CPU stands still. */
static void
drain(Vmm *vmm)
{
    for (unsigned round = 0; round < DRAIN_ROUNDS; round++) {
        pdm_paused(vmm->pdm);
        if (!pdm_queues_pending(vmm->pdm))
            return;
        pdm_run_queues(vmm->pdm);
    }
    base_log(vmm->log, "vm", "a device goes on although the machine is paused");
}

void
vm_stand_still(Vmm *vmm)
{
    tm_pause(vmm->rooms.tm);
    drain(vmm);
}

void
vm_do_pause(Vmm *vmm)
{
    vm_stand_still(vmm);
    vm_set_state(vmm, VMM_PAUSED);
}

void
vm_go_on(Vmm *vmm)
{
    pdm_resumed(vmm->pdm);
    tm_resume(vmm->rooms.tm);
    vm_set_state(vmm, VMM_RUNNING);
    vm_cpus_continue(vmm);
}

void
vm_do_reset(Vmm *vmm)
{
    for (unsigned i = 0; i < cpum_count(vmm->rooms.cpum); i++) {
        Vcpu *vcpu = cpum_vcpu(vmm->rooms.cpum, i);

        cpum_reset(vcpu, false);
        pgm_flush_tlb(vcpu, true);
    }
    tm_reset(vmm->rooms.tm);
    trpm_reset(vmm->rooms.trpm);
    pdm_reset(vmm->pdm);
}

void
vm_do_power_off(Vmm *vmm)
{
    vm_cpus_end(vmm);
    tm_pause(vmm->rooms.tm);
    /* What the guest has handed over reaches the disks before the drivers flush them. */
    drain(vmm);
    pdm_power_off(vmm->pdm);
    vm_set_state(vmm, VMM_OFF);
}

/* Which one it was; the lowest of several. */
static unsigned
shut_down_cpu(const Vmm *vmm)
{
    unsigned i = 0;

    while (i + 1 < cpum_count(vmm->rooms.cpum) &&
           cpum_vcpu(vmm->rooms.cpum, i)->activity != CPUM_SHUTDOWN)
        i++;
    return i;
}

static void
triple_fault(Vmm *vmm)
{
    g_autofree char *registers = vmm_registers(vmm, shut_down_cpu(vmm));
    g_autoptr(GString) devices = g_string_new(NULL);

    pdm_info(vmm->pdm, devices);
    vm_log_guest(vmm, "triple fault:\n%s%s", registers, devices->str);
    if (vmm->reset_on_triple_fault) {
        vm_do_reset(vmm);
        vm_send(vmm, VM_EVENT_RESET, 0, NULL, NULL);
        return;
    }
    vm_stand_still(vmm);
    vm_set_state(vmm, VMM_STUCK);
    vm_send(vmm, VM_EVENT_TRIPLE_FAULT, 0, NULL, registers);
}

void
vm_do_requests(Vmm *vmm, uint32_t requests)
{
    if (vmm_state(vmm) == VMM_OFF)
        return;
    if ((requests & (VM_REQUEST_POWER_OFF | VM_REQUEST_STOP)) != 0) {
        base_log(vmm->log, "vm",
                 (requests & VM_REQUEST_STOP) != 0 ? "stopped: a device cannot go on"
                                                   : "the guest switched off");
        vm_do_power_off(vmm);
        if ((requests & VM_REQUEST_STOP) == 0)
            vm_send(vmm, VM_EVENT_POWER_OFF, 0, NULL, NULL);
        return;
    }
    if ((requests & VM_REQUEST_RESET) != 0) {
        vm_log_guest(vmm, "the guest reset the machine");
        vm_do_reset(vmm);
        vm_send(vmm, VM_EVENT_RESET, 0, NULL, NULL);
    } else if ((requests & VM_REQUEST_TRIPLE_FAULT) != 0) {
        triple_fault(vmm);
    }
    if ((requests & VM_REQUEST_PAUSE) != 0 && vmm_state(vmm) == VMM_RUNNING) {
        vm_log_guest(vmm, "paused by a device");
        vm_do_pause(vmm);
    }
}

bool
vm_wrong_state(const char *what, GError **error)
{
    g_set_error(error, BASE_ERROR, BASE_ERROR_STATE, "The machine cannot be %s at present", what);
    return false;
}

bool
vmm_power_on(Vmm *vmm, GError **error)
{
    bool ok;

    g_mutex_lock(&vmm->transition);
    ok = vmm_state(vmm) == VMM_CREATED;
    if (ok) {
        pdm_resumed(vmm->pdm);
        tm_resume(vmm->rooms.tm);
        vm_set_state(vmm, VMM_RUNNING);
        vm_cpus_start(vmm);
    }
    g_mutex_unlock(&vmm->transition);
    return ok || vm_wrong_state("started", error);
}

bool
vmm_pause(Vmm *vmm, VmmPauseReason reason, GError **error)
{
    VmmState state;

    g_mutex_lock(&vmm->transition);
    state = vmm_state(vmm);
    if (state == VMM_RUNNING) {
        vm_cpus_park(vmm);
        base_log(vmm->log, "vm",
                 reason == VMM_PAUSE_USER ? "paused" : "paused because of an error");
        vm_do_pause(vmm);
    }
    g_mutex_unlock(&vmm->transition);
    return state == VMM_RUNNING || state == VMM_PAUSED || vm_wrong_state("paused", error);
}

bool
vmm_resume(Vmm *vmm, GError **error)
{
    VmmState state;

    g_mutex_lock(&vmm->transition);
    state = vmm_state(vmm);
    if (state == VMM_PAUSED) {
        base_log(vmm->log, "vm", "resumed");
        /* A machine that was loaded, or only stepped, has no threads yet. */
        if (vmm->cpus == 0)
            vm_cpus_start(vmm);
        vm_go_on(vmm);
    }
    g_mutex_unlock(&vmm->transition);
    return state == VMM_RUNNING || state == VMM_PAUSED || vm_wrong_state("resumed", error);
}

bool
vmm_reset(Vmm *vmm, GError **error)
{
    VmmState state;

    g_mutex_lock(&vmm->transition);
    state = vmm_state(vmm);
    if (state != VMM_OFF) {
        vm_cpus_park(vmm);
        base_log(vmm->log, "vm", "reset");
        vm_do_reset(vmm);
        if (state == VMM_STUCK)
            vm_go_on(vmm);
        else if (state == VMM_RUNNING)
            vm_cpus_continue(vmm);
    }
    g_mutex_unlock(&vmm->transition);
    return state != VMM_OFF || vm_wrong_state("reset", error);
}

void
vmm_power_off(Vmm *vmm)
{
    g_mutex_lock(&vmm->transition);
    if (vmm_state(vmm) != VMM_OFF) {
        base_log(vmm->log, "vm", "off");
        vm_do_power_off(vmm);
    }
    g_mutex_unlock(&vmm->transition);
}

bool
vmm_save(Vmm *vmm, int fd, const SsmProgress *progress, GError **error)
{
    bool ok;

    g_mutex_lock(&vmm->transition);
    ok = vmm_state(vmm) == VMM_PAUSED || vmm_state(vmm) == VMM_CREATED;
    ok = ok ? ssm_save(vmm->ssm, fd, progress, error) : vm_wrong_state("saved", error);
    g_mutex_unlock(&vmm->transition);
    return ok;
}

bool
vmm_load(Vmm *vmm, int fd, const SsmProgress *progress, GError **error)
{
    bool ok;

    g_mutex_lock(&vmm->transition);
    ok = vmm_state(vmm) == VMM_CREATED;
    ok = ok ? ssm_load(vmm->ssm, fd, progress, error) : vm_wrong_state("loaded", error);
    if (ok) {
        pdm_loaded(vmm->pdm);
        for (unsigned i = 0; i < cpum_count(vmm->rooms.cpum); i++)
            pgm_flush_tlb(cpum_vcpu(vmm->rooms.cpum, i), true);
    }
    g_mutex_unlock(&vmm->transition);
    return ok;
}
