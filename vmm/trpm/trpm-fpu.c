/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * FERR# and IGNNE#: with CR0.NE clear the x87 reports its exceptions through the chipset, which
 * makes IRQ 13 of them, and which may tell the CPU to go on regardless. The pins of all virtual
 * CPUs are one wire. Intel SDM volume 1 section 8.7.2 and appendix D. */
#include "vmm/trpm/trpm-private.h"

void
trpm_set_fpu_error(Trpm *trpm, TrpmFpuError ferr, void *user, GRecMutex *device_lock)
{
    trpm->ferr = ferr;
    trpm->ferr_user = user;
    trpm->ferr_lock = device_lock;
}

static void
drive(Trpm *trpm, bool level)
{
    if (trpm->ferr == NULL)
        return;
    if (trpm->ferr_lock != NULL)
        g_rec_mutex_lock(trpm->ferr_lock);
    trpm->ferr(trpm->ferr_user, level);
    if (trpm->ferr_lock != NULL)
        g_rec_mutex_unlock(trpm->ferr_lock);
}

bool
trpm_fpu_error(Vcpu *vcpu)
{
    Trpm *trpm = vcpu->trpm;

    atomic_store(&trpm->ferr_quiet, false);
    drive(trpm, true);
    return atomic_load(&trpm->ignne);
}

void
trpm_fpu_error_gone(Vcpu *vcpu)
{
    if (!atomic_load_explicit(&vcpu->trpm->ferr_quiet, memory_order_relaxed) &&
        !atomic_exchange(&vcpu->trpm->ferr_quiet, true))
        drive(vcpu->trpm, false);
}

void
trpm_ignne(Trpm *trpm, bool level)
{
    atomic_store(&trpm->ignne, level);
}
