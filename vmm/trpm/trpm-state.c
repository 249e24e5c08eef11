/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saved state of the local APICs. The deadlines of their timers are TM's. */
#include "vmm/trpm/trpm-private.h"

#define STATE_VERSION 1

/* clang-format off */
static const SsmField apic_fields[] = {
    SSM_UINT(TrpmVcpu, apic_base),
    SSM_UINT_BELOW(TrpmVcpu, nmi, 2),
    SSM_UINT_BELOW(TrpmVcpu, extint, 2),
    SSM_UINT_BELOW(TrpmVcpu, init, 2),
    SSM_UINT_BELOW(TrpmVcpu, sipi, 0x200),
    SSM_UINT_ARRAY(TrpmVcpu, irr),
    SSM_UINT_ARRAY(TrpmVcpu, tmr),
    SSM_UINT_ARRAY(TrpmVcpu, isr),
    SSM_UINT_BELOW(TrpmVcpu, id, 0x100),
    SSM_UINT(TrpmVcpu, ldr),
    SSM_UINT(TrpmVcpu, dfr),
    SSM_UINT_BELOW(TrpmVcpu, svr, 0x400),
    SSM_UINT_BELOW(TrpmVcpu, tpr, 0x100),
    SSM_UINT_ARRAY(TrpmVcpu, lvt),
    SSM_UINT(TrpmVcpu, icr),
    SSM_UINT(TrpmVcpu, esr),
    SSM_UINT(TrpmVcpu, esr_new),
    SSM_UINT(TrpmVcpu, timer_initial),
    SSM_UINT_BELOW(TrpmVcpu, timer_divide, 0x10),
    SSM_UINT(TrpmVcpu, timer_start),
    SSM_UINT(TrpmVcpu, tsc_deadline),
    SSM_END,
};
static const SsmField line_fields[] = {
    SSM_UINT_BELOW(Trpm, pic_level, 2),
    SSM_END,
};
/* clang-format on */

static void
pre_save(void *object)
{
    TrpmVcpu *apic = object;

    apic->apic_base = apic->vcpu->apic_base;
}

static bool
is_base_valid(const TrpmVcpu *apic)
{
    const uint64_t both = TRPM_APIC_BASE_EN | TRPM_APIC_BASE_EXTD;

    if (!apic->trpm->has_apic)
        return apic->apic_base == 0;
    return (apic->apic_base & both) != TRPM_APIC_BASE_EXTD &&
           apic->apic_base >> apic->vcpu->phys_bits == 0 && (apic->apic_base & 0x2ff) == 0;
}

static bool
post_load(void *object, uint32_t version, GError **error)
{
    TrpmVcpu *apic = object;

    if (!is_base_valid(apic)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The base address of a local APIC is not valid.");
        return false;
    }
    apic->vcpu->apic_base = apic->apic_base;
    if (apic->trpm->has_apic)
        trpm_map_apic(apic);
    atomic_store(&apic->irr_summary, 0xff);
    atomic_store(&apic->vcpu->interrupt_waits, true);
    /* Looked at, and cleared where there is nothing, before the first instruction. */
    cpum_pend(apic->vcpu, CPUM_PEND_INTERRUPT | CPUM_PEND_NMI | CPUM_PEND_INIT | CPUM_PEND_SIPI);
    return true;
}

static const SsmState apic_state = {
    .version = STATE_VERSION,
    .min_version = STATE_VERSION,
    .fields = apic_fields,
    .pre_save = pre_save,
    .post_load = post_load,
};

static const SsmState line_state = {
    .version = STATE_VERSION,
    .min_version = STATE_VERSION,
    .fields = line_fields,
};

void
trpm_ssm_register(Trpm *trpm, Ssm *ssm)
{
    ssm_register(ssm, "trpm", 0, &line_state, trpm);
    for (unsigned i = 0; i < cpum_count(trpm->cpum); i++)
        ssm_register(ssm, "local-apic", i, &apic_state, &trpm->vcpus[i]);
}
