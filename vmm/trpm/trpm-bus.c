/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The APIC bus: who a message is for, and its delivery. Intel SDM volume 3A sections 11.6 (IPIs,
 * destinations) and 11.11 (MSI). Arbitration for lowest priority takes the CPU with the lowest
 * processor priority. */
#include "vmm/trpm/trpm-private.h"

#define BROADCAST_XAPIC 0xffu
#define BROADCAST_X2APIC UINT32_MAX

static bool
matches_logical(const TrpmVcpu *apic, uint32_t destination)
{
    uint32_t ldr;

    if (trpm_is_x2apic(apic))
        return destination == BROADCAST_X2APIC ||
               ((apic->ldr >> 16) == (destination >> 16) && (apic->ldr & destination & 0xffff));
    ldr = apic->ldr >> 24;
    if (destination == BROADCAST_X2APIC)
        return true;
    if ((apic->dfr >> 28) == 0xf)
        return (ldr & destination) != 0; /* flat */
    return ((destination >> 4) == 0xf || (destination >> 4) == (ldr >> 4)) &&
           (ldr & destination & 0xf);
}

static bool
matches(const TrpmVcpu *apic, uint32_t destination, bool logical)
{
    if (!trpm_is_enabled(apic))
        return false;
    if (logical)
        return matches_logical(apic, destination);
    if (destination == BROADCAST_XAPIC || destination == BROADCAST_X2APIC)
        return true;
    return destination == (trpm_is_x2apic(apic) ? apic->vcpu->id : apic->id);
}

static void
deliver(TrpmVcpu *apic, TrpmDelivery delivery, uint8_t vector, bool level)
{
    switch (delivery) {
    case TRPM_FIXED:
    case TRPM_LOWEST:
        if (apic->svr & TRPM_SVR_ENABLED)
            trpm_apic_accept(apic, vector, level);
        break;
    case TRPM_NMI: trpm_nmi(apic->vcpu); break;
    case TRPM_INIT:
        atomic_store(&apic->sipi, 0); /* one that came before went to a CPU that did not wait */
        atomic_store(&apic->init, true);
        cpum_pend(apic->vcpu, CPUM_PEND_INIT);
        break;
    case TRPM_STARTUP:
        atomic_store(&apic->sipi, 0x100u | vector);
        cpum_pend(apic->vcpu, CPUM_PEND_SIPI);
        break;
    case TRPM_EXTINT:
        atomic_store(&apic->extint, true);
        atomic_store(&apic->vcpu->interrupt_waits, true);
        cpum_pend(apic->vcpu, CPUM_PEND_INTERRUPT);
        break;
    case TRPM_SMI: break; /* there is no SMM */
    }
}

static void
deliver_lowest(Trpm *trpm, uint32_t destination, bool logical, uint8_t vector, bool level)
{
    TrpmVcpu *best = NULL;

    for (unsigned i = 0; i < cpum_count(trpm->cpum); i++) {
        TrpmVcpu *apic = &trpm->vcpus[i];

        if (matches(apic, destination, logical) && (apic->svr & TRPM_SVR_ENABLED) &&
            (best == NULL || trpm_apic_ppr(apic) < trpm_apic_ppr(best)))
            best = apic;
    }
    if (best != NULL)
        deliver(best, TRPM_LOWEST, vector, level);
}

void
trpm_apic_message(Trpm *trpm, uint32_t destination, bool logical, TrpmDelivery delivery,
                  uint8_t vector, bool level_triggered)
{
    if (!trpm->has_apic)
        return;
    if (delivery == TRPM_LOWEST) {
        deliver_lowest(trpm, destination, logical, vector, level_triggered);
        return;
    }
    for (unsigned i = 0; i < cpum_count(trpm->cpum); i++) {
        if (matches(&trpm->vcpus[i], destination, logical))
            deliver(&trpm->vcpus[i], delivery, vector, level_triggered);
    }
}

void
trpm_msi(Trpm *trpm, uint64_t address, uint32_t data)
{
    trpm_apic_message(trpm, (uint32_t)(address >> 12) & 0xff, (address >> 2) & 1, (data >> 8) & 7,
                      (uint8_t)data, (data >> 15) & 1);
}

void
trpm_set_eoi_hook(Trpm *trpm, void (*eoi)(void *user, uint8_t vector), void *user)
{
    trpm->eoi = eoi;
    trpm->eoi_user = user;
}

/* --- the interrupt command register --- */

enum { SHORTHAND_NONE, SHORTHAND_SELF, SHORTHAND_ALL, SHORTHAND_OTHERS };

static void
send_shorthand(TrpmVcpu *from, unsigned shorthand, TrpmDelivery delivery, uint8_t vector)
{
    Trpm *trpm = from->trpm;

    for (unsigned i = 0; i < cpum_count(trpm->cpum); i++) {
        TrpmVcpu *apic = &trpm->vcpus[i];
        const bool self = apic == from;

        if (self ? shorthand != SHORTHAND_OTHERS : shorthand != SHORTHAND_SELF)
            if (trpm_is_enabled(apic))
                deliver(apic, delivery, vector, false);
    }
}

void
trpm_bus_send(TrpmVcpu *from, uint64_t icr)
{
    const uint8_t vector = (uint8_t)icr;
    const TrpmDelivery delivery = (icr >> 8) & 7;
    const unsigned shorthand = (icr >> 18) & 3;
    const bool asserted = (icr >> 14) & 1, level = (icr >> 15) & 1;
    const uint32_t destination =
        trpm_is_x2apic(from) ? (uint32_t)(icr >> 32) : (uint32_t)(icr >> 56);

    if ((delivery == TRPM_FIXED || delivery == TRPM_LOWEST) && vector < 16) {
        trpm_apic_error(from, ESR_SEND_VECTOR);
        return;
    }
    if (delivery == TRPM_INIT && level && !asserted)
        return; /* INIT level de-assert only synchronised arbitration ids, long ago */
    if (shorthand != SHORTHAND_NONE)
        send_shorthand(from, shorthand, delivery, vector);
    else
        trpm_apic_message(from->trpm, destination, (icr >> 11) & 1, delivery, vector, false);
}
