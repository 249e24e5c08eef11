/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is pending for a virtual CPU and what is delivered next: NMI, then the PIC's interrupt (by
 * LINT0's virtual wire, or on the INTR pin while the APIC is off), then the local APIC's. Intel SDM
 * volume 3A sections 6.9 and 11.8. */
#include "vmm/trpm/trpm-private.h"

static void
create_apics(Trpm *trpm)
{
    PgmRegionInfo info = {.name = "local-apic", .kind = PGM_MMIO, .size = X86_PAGE_SIZE};

    for (unsigned i = 0; i < cpum_count(trpm->cpum); i++) {
        TrpmVcpu *apic = &trpm->vcpus[i];

        apic->mmio = iom_mmio_new(trpm->iom, "local-apic", &trpm_apic_mmio_ops, apic, false);
        info.mmio = apic->mmio;
        info.vcpu = apic->vcpu;
        apic->region = pgm_region_new(trpm->pgm, &info);
    }
    trpm_msr_init(trpm);
}

Trpm *
trpm_new(Cpum *cpum, Pgm *pgm, Iom *iom, Tm *tm, bool apic, GError **error)
{
    Trpm *trpm = g_new0(Trpm, 1);

    trpm->cpum = cpum;
    trpm->pgm = pgm;
    trpm->iom = iom;
    trpm->tm = tm;
    trpm->has_apic = apic;
    trpm->vcpus = g_new0(TrpmVcpu, cpum_count(cpum));
    for (unsigned i = 0; i < cpum_count(cpum); i++) {
        Vcpu *vcpu = cpum_vcpu(cpum, i);

        trpm->vcpus[i].vcpu = vcpu;
        trpm->vcpus[i].trpm = trpm;
        vcpu->trpm = trpm;
        vcpu->trpm_vcpu = &trpm->vcpus[i];
        trpm_timer_init(&trpm->vcpus[i]);
    }
    if (apic)
        create_apics(trpm);
    trpm_reset(trpm);
    return trpm;
}

void
trpm_free(Trpm *trpm)
{
    if (trpm == NULL)
        return;
    for (unsigned i = 0; i < cpum_count(trpm->cpum); i++) {
        pgm_region_free(trpm->vcpus[i].region);
        if (trpm->has_apic)
            iom_mmio_free(trpm->vcpus[i].mmio);
        tm_timer_free(trpm->vcpus[i].timer);
        cpum_vcpu(trpm->cpum, i)->trpm_vcpu = NULL;
    }
    g_free(trpm->vcpus);
    g_free(trpm);
}

void
trpm_map_apic(TrpmVcpu *apic)
{
    if (trpm_is_enabled(apic) && !trpm_is_x2apic(apic))
        pgm_region_map(apic->region, apic->vcpu->apic_base & ~(uint64_t)X86_PAGE_OFFSET_MASK);
    else
        pgm_region_unmap(apic->region);
}

void
trpm_reset(Trpm *trpm)
{
    atomic_store(&trpm->pic_level, false);
    atomic_store(&trpm->ignne, false);
    atomic_store(&trpm->ferr_quiet, false);
    for (unsigned i = 0; i < cpum_count(trpm->cpum); i++) {
        TrpmVcpu *apic = &trpm->vcpus[i];

        apic->vcpu->apic_base = 0;
        if (trpm->has_apic) {
            apic->vcpu->apic_base =
                TRPM_APIC_DEFAULT_BASE | TRPM_APIC_BASE_EN | (i == 0 ? TRPM_APIC_BASE_BSP : 0);
            trpm_map_apic(apic);
        }
        atomic_store(&apic->nmi, false);
        atomic_store(&apic->init, false);
        atomic_store(&apic->sipi, 0);
        trpm_apic_reset(apic, false);
        cpum_unpend(apic->vcpu,
                    CPUM_PEND_INTERRUPT | CPUM_PEND_NMI | CPUM_PEND_INIT | CPUM_PEND_SIPI);
    }
}

/* --- the PIC and NMI --- */

void
trpm_set_pic(Trpm *trpm, TrpmPicAck ack, void *user, GRecMutex *device_lock)
{
    trpm->pic_ack = ack;
    trpm->pic_user = user;
    trpm->device_lock = device_lock;
}

void
trpm_pic_line(Trpm *trpm, bool level)
{
    TrpmVcpu *apic = &trpm->vcpus[0];

    if (atomic_exchange(&trpm->pic_level, level) == level || !level)
        return;
    atomic_store(&apic->vcpu->interrupt_waits, true);
    if (trpm_apic_passes_extint(apic))
        cpum_pend(apic->vcpu, CPUM_PEND_INTERRUPT);
    else
        trpm_apic_local(apic, LVT_LINT0);
}

void
trpm_nmi(Vcpu *vcpu)
{
    atomic_store(&vcpu->trpm_vcpu->nmi, true);
    atomic_store(&vcpu->interrupt_waits, true);
    cpum_pend(vcpu, CPUM_PEND_NMI);
}

/* --- what comes next --- */

static bool
has_extint(TrpmVcpu *apic)
{
    if (atomic_load_explicit(&apic->extint, memory_order_relaxed))
        return true;
    return apic->vcpu->id == 0 &&
           atomic_load_explicit(&apic->trpm->pic_level, memory_order_relaxed) &&
           trpm_apic_passes_extint(apic);
}

static bool
has_interrupt(TrpmVcpu *apic)
{
    return has_extint(apic) || trpm_apic_deliverable(apic) >= 0;
}

static bool
has_nmi(const Vcpu *vcpu)
{
    return atomic_load_explicit(&vcpu->trpm_vcpu->nmi, memory_order_relaxed) && !vcpu->nmi_blocked;
}

/* Whatever masks and priorities say. Who makes something wait sets the word behind it. */
static void
note_what_waits(TrpmVcpu *apic)
{
    if (!atomic_load_explicit(&apic->vcpu->interrupt_waits, memory_order_relaxed))
        return;
    atomic_store(&apic->vcpu->interrupt_waits, false);
    if (atomic_load(&apic->irr_summary) != 0 || atomic_load(&apic->extint) ||
        atomic_load(&apic->nmi) || (apic->vcpu->id == 0 && atomic_load(&apic->trpm->pic_level)))
        atomic_store(&apic->vcpu->interrupt_waits, true);
}

static int
acknowledge_pic(TrpmVcpu *apic)
{
    Trpm *trpm = apic->trpm;
    int vector;

    atomic_store(&apic->extint, false);
    if (trpm->pic_ack == NULL)
        return -1;
    if (trpm->device_lock != NULL)
        g_rec_mutex_lock(trpm->device_lock);
    vector = trpm->pic_ack(trpm->pic_user);
    if (trpm->device_lock != NULL)
        g_rec_mutex_unlock(trpm->device_lock);
    return vector;
}

static int
take_interrupt(Vcpu *vcpu, bool *nmi)
{
    TrpmVcpu *apic = vcpu->trpm_vcpu;
    int vector;

    *nmi = false;
    if (vcpu->irq_shadow)
        return -1;
    if (has_nmi(vcpu)) {
        atomic_store(&apic->nmi, false);
        vcpu->nmi_blocked = 1;
        *nmi = true;
        return X86_XCPT_NMI;
    }
    if (!(vcpu->rflags & X86_FL_IF))
        return -1;
    if (has_extint(apic)) {
        vector = acknowledge_pic(apic);
        if (vector >= 0)
            return vector;
    }
    vector = trpm_apic_deliverable(apic);
    if (vector >= 0)
        trpm_apic_acknowledge(apic, (uint8_t)vector);
    return vector;
}

int
trpm_take_interrupt(Vcpu *vcpu, bool *nmi)
{
    int vector;

    /* First the bits, then a look: what arrives later sets them again. */
    cpum_unpend(vcpu, CPUM_PEND_INTERRUPT | CPUM_PEND_NMI);
    vector = take_interrupt(vcpu, nmi);
    note_what_waits(vcpu->trpm_vcpu);
    return vector;
}

void
trpm_recheck(Vcpu *vcpu)
{
    TrpmVcpu *apic = vcpu->trpm_vcpu;

    if (G_UNLIKELY(has_nmi(vcpu)))
        atomic_fetch_or(&vcpu->pending, CPUM_PEND_NMI);
    if (!(vcpu->rflags & X86_FL_IF) ||
        !atomic_load_explicit(&vcpu->interrupt_waits, memory_order_relaxed))
        return;
    if (has_interrupt(apic))
        atomic_fetch_or(&vcpu->pending, CPUM_PEND_INTERRUPT);
    note_what_waits(apic);
}

bool
trpm_should_wake(Vcpu *vcpu)
{
    TrpmVcpu *apic = vcpu->trpm_vcpu;

    return has_nmi(vcpu) || atomic_load(&apic->init) || atomic_load(&apic->sipi) != 0 ||
           ((vcpu->rflags & X86_FL_IF) && has_interrupt(apic));
}

bool
trpm_take_init(Vcpu *vcpu)
{
    TrpmVcpu *apic = vcpu->trpm_vcpu;

    cpum_unpend(vcpu, CPUM_PEND_INIT);
    if (!atomic_exchange(&apic->init, false))
        return false;
    trpm_apic_reset(apic, true);
    return true;
}

bool
trpm_take_sipi(Vcpu *vcpu, uint8_t *page)
{
    uint32_t sipi;

    cpum_unpend(vcpu, CPUM_PEND_SIPI);
    sipi = atomic_exchange(&vcpu->trpm_vcpu->sipi, 0);
    *page = (uint8_t)sipi;
    return sipi != 0;
}

/* --- CR8 --- */

uint8_t
trpm_tpr(const Vcpu *vcpu)
{
    return (uint8_t)(vcpu->trpm_vcpu->tpr >> 4);
}

void
trpm_set_tpr(Vcpu *vcpu, uint8_t cr8)
{
    vcpu->trpm_vcpu->tpr = (uint32_t)(cr8 & 0xf) << 4;
    trpm_recheck(vcpu);
}
