/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One thread for each virtual CPU: runs EM, or is parked. */
#include "vmm/vm/vm-private.h"

#include "vmm/base/thread-turns.h"

/* Waits while the CPU has to stand still. False: the thread ends. Called with the lock held. */
static bool
wait_for_turn(VmCpu *cpu)
{
    Vmm *vmm = cpu->vmm;

    while (vmm->stop_wanted && !vmm->quit) {
        if (!cpu->parked) {
            cpu->parked = true;
            vmm->parked++;
            g_cond_broadcast(&vmm->changed);
        }
        g_cond_wait(&vmm->changed, &vmm->lock);
    }
    if (cpu->parked) {
        cpu->parked = false;
        vmm->parked--;
    }
    return !vmm->quit;
}

static void *
cpu_main(void *data)
{
    VmCpu *cpu = data;
    Vmm *vmm = cpu->vmm;

    /* Guests' timers and interrupts, such as those of sound, are late by what this thread is. */
    base_thread_take_short_turns();
    g_mutex_lock(&vmm->lock);
    while (wait_for_turn(cpu)) {
        EmResult result;

        g_mutex_unlock(&vmm->lock);
        result = em_run(cpu->vcpu);
        if (result == EM_RESULT_SHUTDOWN)
            vm_request(vmm, VM_REQUEST_TRIPLE_FAULT);
        /* Before looking at stop_wanted, which is set before the bit: nothing is lost. */
        cpum_unpend(cpu->vcpu, CPUM_PEND_REQUEST);
        g_mutex_lock(&vmm->lock);
    }
    g_mutex_unlock(&vmm->lock);
    return NULL;
}

void
vm_cpus_start(Vmm *vmm)
{
    g_mutex_lock(&vmm->lock);
    vmm->stop_wanted = vmm->requests != 0;
    vmm->cpus = cpum_count(vmm->rooms.cpum);
    g_mutex_unlock(&vmm->lock);
    /* The first one may change the memory map before the last one has begun. */
    for (unsigned i = 0; i < vmm->cpus; i++)
        pgm_bind_later(cpum_vcpu(vmm->rooms.cpum, i));
    for (unsigned i = 0; i < vmm->cpus; i++) {
        g_autofree char *name = g_strdup_printf("vcpu%u", i);
        VmCpu *cpu = &vmm->cpu[i];

        cpu->vmm = vmm;
        cpu->vcpu = cpum_vcpu(vmm->rooms.cpum, i);
        cpu->vcpu->vm_vcpu = cpu;
        cpu->thread = g_thread_new(name, cpu_main, cpu);
    }
}

static void
interrupt_all(Vmm *vmm)
{
    for (unsigned i = 0; i < cpum_count(vmm->rooms.cpum); i++)
        cpum_pend(cpum_vcpu(vmm->rooms.cpum, i), CPUM_PEND_REQUEST);
}

void
vm_request(Vmm *vmm, uint32_t requests)
{
    g_mutex_lock(&vmm->lock);
    vmm->requests |= requests;
    vmm->stop_wanted = true;
    g_cond_broadcast(&vmm->changed);
    g_mutex_unlock(&vmm->lock);
    interrupt_all(vmm);
}

void
vm_cpus_park(Vmm *vmm)
{
    g_mutex_lock(&vmm->lock);
    vmm->stop_wanted = true;
    g_mutex_unlock(&vmm->lock);
    interrupt_all(vmm);
    g_mutex_lock(&vmm->lock);
    while (vmm->parked < vmm->cpus)
        g_cond_wait(&vmm->changed, &vmm->lock);
    g_mutex_unlock(&vmm->lock);
}

void
vm_cpus_continue(Vmm *vmm)
{
    g_mutex_lock(&vmm->lock);
    vmm->stop_wanted = vmm->requests != 0;
    g_cond_broadcast(&vmm->changed);
    g_mutex_unlock(&vmm->lock);
}

void
vm_cpus_end(Vmm *vmm)
{
    unsigned cpus;

    vm_cpus_park(vmm);
    g_mutex_lock(&vmm->lock);
    vmm->quit = true;
    cpus = vmm->cpus;
    vmm->cpus = 0;
    g_cond_broadcast(&vmm->changed);
    g_mutex_unlock(&vmm->lock);
    for (unsigned i = 0; i < cpus; i++)
        g_thread_join(vmm->cpu[i].thread);
}
