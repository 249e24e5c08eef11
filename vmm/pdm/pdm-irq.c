/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Interrupt lines of a PC/AT with PCI. A line is up while anybody holds it up. ISA irq n drives the
 * PIC's input n and the I/O APIC's pin n, except that irq 0 drives pin 2 (MultiProcessor
 * Specification 1.4, 3.6.1 and the ACPI MADT's usual override) and irq 2 is the cascade. INTA..D of
 * PCI slots reach PIRQA..D, which the router of the chipset wires to ISA irqs; the I/O APIC sees
 * them there. */
#include "vmm/pdm/pdm-private.h"

#include <string.h>

#define COMMAND_INTX_DISABLE 0x400u
#define STATUS_INTERRUPT 0x08u
#define CASCADE_IRQ 2u
#define TIMER_IRQ 0u
#define TIMER_GSI 2u

static unsigned
gsi_of_isa(unsigned irq)
{
    return irq == TIMER_IRQ ? TIMER_GSI : irq;
}

static bool
isa_drives_gsi(const PdmIrqState *irq, unsigned gsi)
{
    if (gsi == TIMER_GSI)
        return (irq->isa_level >> TIMER_IRQ) & 1;
    return gsi != 0 && gsi < PDM_ISA_IRQS && ((irq->isa_level >> gsi) & 1);
}

static void
update_gsi(Pdm *pdm, unsigned gsi)
{
    PdmIrqState *irq = &pdm->irq;
    const bool level = irq->gsi_count[gsi] > 0 || isa_drives_gsi(irq, gsi);

    if (irq->quiet || level == ((irq->gsi_level >> gsi) & 1))
        return;
    irq->gsi_level ^= 1u << gsi;
    if (irq->ioapic.set_irq != NULL)
        irq->ioapic.set_irq(irq->ioapic.user, gsi, level);
}

static bool
isa_wanted(const PdmIrqState *irq, unsigned line)
{
    if (irq->claimed[line] != NULL)
        return (irq->claimed[line]->isa_levels >> line) & 1;
    return irq->isa_count[line] > 0 || ((irq->pci_level >> line) & 1);
}

static void
update_isa(Pdm *pdm, unsigned line)
{
    PdmIrqState *irq = &pdm->irq;
    const bool level = isa_wanted(irq, line);

    if (irq->quiet || level == ((irq->isa_level >> line) & 1))
        return;
    irq->isa_level ^= (uint16_t)(1u << line);
    irq->isa_edges[line] += level;
    if (irq->pic.set_irq != NULL)
        irq->pic.set_irq(irq->pic.user, line, level);
    if (line != CASCADE_IRQ)
        update_gsi(pdm, gsi_of_isa(line));
}

void
pdm_api_isa_irq(PdmDevice *device, unsigned irq, bool level)
{
    PdmInstance *instance = pdm_instance(device);
    Pdm *pdm = instance->owner.pdm;

    g_return_if_fail(irq < PDM_ISA_IRQS);
    pdm_enter(pdm);
    if (level != ((instance->isa_levels >> irq) & 1)) {
        instance->isa_levels ^= (uint16_t)(1u << irq);
        pdm->irq.isa_count[irq] += level ? 1u : -1u;
        update_isa(pdm, irq);
    }
    pdm_leave(pdm);
}

void
pdm_api_isa_irq_claim(PdmDevice *device, unsigned irq, bool claim)
{
    PdmInstance *instance = pdm_instance(device);
    Pdm *pdm = instance->owner.pdm;
    PdmInstance *now = claim ? instance : NULL;

    g_return_if_fail(irq < PDM_ISA_IRQS);
    pdm_enter(pdm);
    /* Only the one who claimed it gives it back. */
    if (pdm->irq.claimed[irq] != now && (claim || pdm->irq.claimed[irq] == instance)) {
        pdm->irq.claimed[irq] = now;
        update_isa(pdm, irq);
    }
    pdm_leave(pdm);
}

void
pdm_api_gsi_irq(PdmDevice *device, unsigned gsi, bool level)
{
    PdmInstance *instance = pdm_instance(device);
    Pdm *pdm = instance->owner.pdm;

    g_return_if_fail(gsi < PDM_GSIS);
    pdm_enter(pdm);
    if (level != ((instance->gsi_levels >> gsi) & 1)) {
        instance->gsi_levels ^= 1u << gsi;
        pdm->irq.gsi_count[gsi] += level ? 1u : -1u;
        update_gsi(pdm, gsi);
    }
    pdm_leave(pdm);
}

/* Where a function's pin goes. Without a router the usual swizzle of PCI-to-PCI Bridge
 * Specification 1.2 table 9-1 keeps the counts right until one is offered. */
static unsigned
pirq_of(const Pdm *pdm, const PdmPci *pci)
{
    const unsigned slot = pci->devfn >> 3, pin = pci->pin - 1;

    if (pdm->irq.router.pirq_of == NULL)
        return (slot + pin) % PDM_PIRQS;
    return pdm->irq.router.pirq_of(pdm->irq.router.user, slot, pin) % PDM_PIRQS;
}

static uint16_t
routed_lines(const Pdm *pdm)
{
    const PdmPciRouter *router = &pdm->irq.router;
    uint16_t lines = 0;

    for (unsigned pirq = 0; pirq < PDM_PIRQS && router->isa_irq != NULL; pirq++) {
        const int line = pdm->irq.pirq_count[pirq] > 0 ? router->isa_irq(router->user, pirq) : -1;

        if (line >= 0 && line < (int)PDM_ISA_IRQS)
            lines |= (uint16_t)(1u << line);
    }
    return lines;
}

static void
update_pci_lines(Pdm *pdm)
{
    const uint16_t changed = pdm->irq.pci_level ^ routed_lines(pdm);

    pdm->irq.pci_level ^= changed;
    for (unsigned line = 0; line < PDM_ISA_IRQS; line++) {
        if ((changed >> line) & 1)
            update_isa(pdm, line);
    }
}

void
pdm_irq_update_function(PdmPci *pci)
{
    Pdm *pdm = pci->instance->owner.pdm;
    const bool assert_now = pci->level && (pdm_pci_command(pci) & COMMAND_INTX_DISABLE) == 0;

    pci->config[6] =
        (uint8_t)((pci->config[6] & ~STATUS_INTERRUPT) | (pci->level ? STATUS_INTERRUPT : 0));
    if (assert_now == pci->asserted || pci->pin == 0)
        return;
    pci->asserted = assert_now;
    pdm->irq.pirq_count[pirq_of(pdm, pci)] += assert_now ? 1u : -1u;
    update_pci_lines(pdm);
}

void
pdm_api_pci_irq(PdmPci *pci, bool level)
{
    Pdm *pdm = pci->instance->owner.pdm;

    pdm_enter(pdm);
    if (pci->level != level) {
        pci->level = level;
        pdm_irq_update_function(pci);
    }
    pdm_leave(pdm);
}

/* The counts of PIRQs and of devices' lines, from what each holds up. */
static void
recount(Pdm *pdm)
{
    PdmIrqState *irq = &pdm->irq;

    memset(irq->isa_count, 0, sizeof(irq->isa_count));
    memset(irq->gsi_count, 0, sizeof(irq->gsi_count));
    memset(irq->pirq_count, 0, sizeof(irq->pirq_count));
    for (guint i = 0; i < pdm->instances->len; i++) {
        const PdmInstance *instance = pdm->instances->pdata[i];

        for (unsigned line = 0; line < PDM_ISA_IRQS; line++)
            irq->isa_count[line] += (instance->isa_levels >> line) & 1;
        for (unsigned gsi = 0; gsi < PDM_GSIS; gsi++)
            irq->gsi_count[gsi] += (instance->gsi_levels >> gsi) & 1;
    }
    for (unsigned devfn = 0; devfn < G_N_ELEMENTS(pdm->pci); devfn++) {
        const PdmPci *pci = pdm->pci[devfn];

        if (pci != NULL && pci->asserted)
            irq->pirq_count[pirq_of(pdm, pci)]++;
    }
}

void
pdm_irq_rebuild(Pdm *pdm)
{
    PdmIrqState *irq = &pdm->irq;

    irq->quiet = false;
    recount(pdm);
    irq->pci_level = routed_lines(pdm);
    irq->isa_level = 0;
    for (unsigned line = 0; line < PDM_ISA_IRQS; line++) {
        if (isa_wanted(irq, line))
            irq->isa_level |= (uint16_t)(1u << line);
    }
    irq->gsi_level = 0;
    for (unsigned gsi = 0; gsi < PDM_GSIS; gsi++) {
        if (irq->gsi_count[gsi] > 0 || isa_drives_gsi(irq, gsi))
            irq->gsi_level |= 1u << gsi;
    }
}

void
pdm_irq_reset(Pdm *pdm)
{
    for (guint i = 0; i < pdm->instances->len; i++) {
        PdmInstance *instance = pdm->instances->pdata[i];

        instance->isa_levels = 0;
        instance->gsi_levels = 0;
    }
    for (unsigned devfn = 0; devfn < G_N_ELEMENTS(pdm->pci); devfn++) {
        PdmPci *pci = pdm->pci[devfn];

        if (pci != NULL) {
            pci->level = pci->asserted = false;
            pdm_irq_update_function(pci);
        }
    }
    recount(pdm);
    memset(pdm->irq.claimed, 0, sizeof(pdm->irq.claimed));
    update_pci_lines(pdm);
    for (unsigned line = 0; line < PDM_ISA_IRQS; line++)
        update_isa(pdm, line);
    for (unsigned gsi = 0; gsi < PDM_GSIS; gsi++)
        update_gsi(pdm, gsi);
}

void
pdm_api_offer_pic(PdmDevice *device, const PdmPic *pic)
{
    Pdm *pdm = pdm_of(device);

    pdm->irq.pic = *pic;
    trpm_set_pic(pdm->rooms.trpm, pic->acknowledge, pic->user, &pdm->lock);
}

void
pdm_api_offer_ioapic(PdmDevice *device, const PdmIoApic *ioapic)
{
    Pdm *pdm = pdm_of(device);

    pdm->irq.ioapic = *ioapic;
    trpm_set_eoi_hook(pdm->rooms.trpm, ioapic->eoi, ioapic->user);
}

void
pdm_api_offer_fpu_error(PdmDevice *device, void (*ferr)(void *user, bool level), void *user)
{
    Pdm *pdm = pdm_of(device);

    trpm_set_fpu_error(pdm->rooms.trpm, ferr, user, &pdm->lock);
}

void
pdm_api_offer_pci_router(PdmDevice *device, const PdmPciRouter *router)
{
    Pdm *pdm = pdm_of(device);

    pdm->irq.router = *router;
    recount(pdm);
    update_pci_lines(pdm);
}

void
pdm_api_pci_router_changed(PdmDevice *device)
{
    Pdm *pdm = pdm_of(device);

    pdm_enter(pdm);
    update_pci_lines(pdm);
    pdm_leave(pdm);
}

bool
pdm_isa_level(Pdm *pdm, unsigned irq)
{
    return irq < PDM_ISA_IRQS && ((pdm->irq.isa_level >> irq) & 1);
}

uint64_t
pdm_isa_edges(Pdm *pdm, unsigned irq)
{
    return irq < PDM_ISA_IRQS ? pdm->irq.isa_edges[irq] : 0;
}

bool
pdm_gsi_level(Pdm *pdm, unsigned gsi)
{
    return gsi < PDM_GSIS && ((pdm->irq.gsi_level >> gsi) & 1);
}
