/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Deterministic stepping on the caller's thread: the same number of instructions leads to the same
 * state on every engine and every host. */
#include "vmm/vm/vm-private.h"

/* Runs until the target or until the machine does not run any more. */
static void
step_to(Vmm *vmm, Vcpu *vcpu, uint64_t target)
{
    while (vcpu->retired < target) {
        const uint64_t before = vcpu->retired;
        const EmResult result = em_run_for(vcpu, target - before);
        uint32_t requests;

        cpum_unpend(vcpu, CPUM_PEND_REQUEST);
        requests = vm_take_requests(vmm);
        if (result == EM_RESULT_SHUTDOWN)
            requests |= VM_REQUEST_TRIPLE_FAULT;
        vm_do_requests(vmm, requests);
        /* Halted for ever, or stopped. */
        if (vmm_state(vmm) != VMM_RUNNING || (vcpu->retired == before && requests == 0))
            return;
    }
}

bool
vmm_step(Vmm *vmm, uint64_t instructions, GError **error)
{
    Vcpu *vcpu = cpum_vcpu(vmm->rooms.cpum, 0);
    VmmState state;
    bool ok;

    g_mutex_lock(&vmm->transition);
    state = vmm_state(vmm);
    ok = (state == VMM_CREATED || state == VMM_PAUSED) && vmm->cpus == 0 &&
         tm_is_deterministic(vmm->rooms.tm);
    if (ok) {
        tm_resume(vmm->rooms.tm);
        pdm_resumed(vmm->pdm);
        vm_set_state(vmm, VMM_RUNNING);
        step_to(vmm, vcpu, vcpu->retired + instructions);
        if (vmm_state(vmm) == VMM_RUNNING)
            vm_do_pause(vmm);
    } else {
        g_set_error(error, BASE_ERROR, BASE_ERROR_STATE,
                    "Only a machine in deterministic mode that does not run can be stepped");
    }
    g_mutex_unlock(&vmm->transition);
    return ok;
}
