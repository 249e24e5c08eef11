/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The local APIC's registers and priorities. Intel SDM volume 3A chapter 11. There are no
 * performance and thermal interrupts, no CMCI, and EOI broadcasts cannot be suppressed. */
#include "vmm/trpm/trpm-private.h"

#include <string.h>

#define VERSION (0x14u | (LVT_COUNT - 1) << 16)

/* --- bit vectors --- */

static int
highest(const uint32_t *words)
{
    for (int i = 7; i >= 0; i--) {
        if (words[i] != 0)
            return i * 32 + 31 - __builtin_clz(words[i]);
    }
    return -1;
}

/* Forgets words of the summary that turned out empty. */
static int
highest_irr(TrpmVcpu *apic)
{
    uint32_t summary = atomic_load_explicit(&apic->irr_summary, memory_order_acquire);

    while (summary != 0) {
        const unsigned i = 31 - (unsigned)__builtin_clz(summary);
        const uint32_t word = atomic_load(&apic->irr[i]);

        if (word != 0)
            return (int)(i * 32 + 31 - (unsigned)__builtin_clz(word));
        atomic_fetch_and(&apic->irr_summary, ~(1u << i));
        if (atomic_load(&apic->irr[i]) != 0) /* it came in between */
            atomic_fetch_or(&apic->irr_summary, 1u << i);
        else
            summary &= ~(1u << i);
    }
    return -1;
}

uint32_t
trpm_apic_ppr(const TrpmVcpu *apic)
{
    const int in_service = highest(apic->isr);
    const uint32_t isrv = in_service < 0 ? 0 : (uint32_t)in_service;

    return (apic->tpr >> 4) >= (isrv >> 4) ? apic->tpr : isrv & 0xf0;
}

int
trpm_apic_deliverable(TrpmVcpu *apic)
{
    const int vector = highest_irr(apic);

    if (vector < 0 || !trpm_is_enabled(apic))
        return -1;
    return ((uint32_t)vector >> 4) > (trpm_apic_ppr(apic) >> 4) ? vector : -1;
}

void
trpm_apic_acknowledge(TrpmVcpu *apic, uint8_t vector)
{
    atomic_fetch_and(&apic->irr[vector / 32], ~(1u << (vector & 31)));
    apic->isr[vector / 32] |= 1u << (vector & 31);
}

/* --- interrupts that arrive --- */

void
trpm_apic_accept(TrpmVcpu *apic, uint8_t vector, bool level)
{
    const uint32_t bit = 1u << (vector & 31);

    if (vector < 16) {
        trpm_apic_error(apic, ESR_RECEIVE_VECTOR);
        return;
    }
    if (level)
        atomic_fetch_or(&apic->tmr[vector / 32], bit);
    else
        atomic_fetch_and(&apic->tmr[vector / 32], ~bit);
    atomic_fetch_or(&apic->irr[vector / 32], bit);
    atomic_fetch_or(&apic->irr_summary, 1u << (vector / 32));
    atomic_store(&apic->vcpu->interrupt_waits, true);
    cpum_pend(apic->vcpu, CPUM_PEND_INTERRUPT);
}

void
trpm_apic_local(TrpmVcpu *apic, TrpmLvt which)
{
    const uint32_t lvt = apic->lvt[which];

    if (!trpm_is_enabled(apic) || (lvt & LVT_MASKED))
        return;
    switch (which == LVT_TIMER || which == LVT_ERROR ? TRPM_FIXED : LVT_DELIVERY(lvt)) {
    case TRPM_FIXED:
        trpm_apic_accept(apic, (uint8_t)lvt, which == LVT_LINT0 && (lvt & LVT_LEVEL));
        break;
    case TRPM_NMI: trpm_nmi(apic->vcpu); break;
    case TRPM_INIT:
        atomic_store(&apic->init, true);
        cpum_pend(apic->vcpu, CPUM_PEND_INIT);
        break;
    default: break; /* ExtINT follows the line; SMI has no effect */
    }
}

void
trpm_apic_error(TrpmVcpu *apic, uint32_t error)
{
    const uint32_t vector = apic->lvt[LVT_ERROR] & LVT_VECTOR;

    atomic_fetch_or(&apic->esr_new, error);
    if (vector >= 16) /* else the error interrupt would be an error itself */
        trpm_apic_local(apic, LVT_ERROR);
}

bool
trpm_apic_passes_extint(const TrpmVcpu *apic)
{
    const uint32_t lvt = apic->lvt[LVT_LINT0];

    if (!trpm_is_enabled(apic))
        return true; /* the pins are INTR and NMI again */
    return !(lvt & LVT_MASKED) && LVT_DELIVERY(lvt) == TRPM_EXTINT;
}

/* --- registers --- */

static void
end_of_interrupt(TrpmVcpu *apic)
{
    const int vector = highest(apic->isr);
    Trpm *trpm = apic->trpm;
    uint32_t bit;

    if (vector < 0)
        return;
    bit = 1u << (vector & 31);
    apic->isr[vector / 32] &= ~bit;
    if (atomic_load(&apic->tmr[vector / 32]) & bit) {
        if (trpm->eoi != NULL)
            trpm->eoi(trpm->eoi_user, (uint8_t)vector);
        /* LINT0 as a level-triggered fixed interrupt: still high? */
        if ((apic->lvt[LVT_LINT0] & LVT_LEVEL) && apic->vcpu->id == 0 &&
            atomic_load(&trpm->pic_level))
            trpm_apic_local(apic, LVT_LINT0);
    }
    trpm_recheck(apic->vcpu);
}

static uint32_t
lvt_writable(TrpmLvt which)
{
    switch (which) {
    case LVT_TIMER: return LVT_VECTOR | LVT_MASKED | 3u << 17;
    case LVT_ERROR: return LVT_VECTOR | LVT_MASKED;
    case LVT_LINT0:
    case LVT_LINT1: return LVT_VECTOR | 7u << 8 | 1u << 13 | LVT_LEVEL | LVT_MASKED;
    default: return LVT_VECTOR | 7u << 8 | LVT_MASKED;
    }
}

static void
write_lvt(TrpmVcpu *apic, TrpmLvt which, uint32_t value)
{
    const uint32_t old = apic->lvt[which];

    apic->lvt[which] = value & lvt_writable(which);
    if (!(apic->svr & TRPM_SVR_ENABLED))
        apic->lvt[which] |= LVT_MASKED;
    if (which == LVT_TIMER)
        trpm_timer_mode_changed(apic, old);
    if (which == LVT_LINT0)
        trpm_recheck(apic->vcpu);
}

static void
write_svr(TrpmVcpu *apic, uint32_t value)
{
    apic->svr = value & 0x3ff;
    if (apic->svr & TRPM_SVR_ENABLED)
        return;
    for (unsigned i = 0; i < LVT_COUNT; i++)
        apic->lvt[i] |= LVT_MASKED;
}

static bool
is_lvt(unsigned reg)
{
    return reg >= APIC_LVT && reg < APIC_LVT + LVT_COUNT;
}

uint32_t
trpm_apic_read(TrpmVcpu *apic, unsigned reg)
{
    if (reg >= APIC_ISR && reg < APIC_ISR + 8)
        return apic->isr[reg - APIC_ISR];
    if (reg >= APIC_TMR && reg < APIC_TMR + 8)
        return atomic_load(&apic->tmr[reg - APIC_TMR]);
    if (reg >= APIC_IRR && reg < APIC_IRR + 8)
        return atomic_load(&apic->irr[reg - APIC_IRR]);
    if (is_lvt(reg))
        return apic->lvt[reg - APIC_LVT];
    switch (reg) {
    case APIC_ID: return trpm_is_x2apic(apic) ? apic->vcpu->id : apic->id << 24;
    case APIC_VERSION: return VERSION;
    case APIC_TPR: return apic->tpr;
    case APIC_APR: return trpm_apic_ppr(apic); /* without arbitration the two are the same */
    case APIC_PPR: return trpm_apic_ppr(apic);
    case APIC_LDR: return apic->ldr;
    case APIC_DFR: return apic->dfr;
    case APIC_SVR: return apic->svr;
    case APIC_ESR: return apic->esr;
    case APIC_ICR: return (uint32_t)apic->icr;
    case APIC_ICR_HIGH: return (uint32_t)(apic->icr >> 32);
    case APIC_TIMER_INITIAL: return apic->timer_initial;
    case APIC_TIMER_CURRENT: return trpm_timer_current(apic);
    case APIC_TIMER_DIVIDE: return apic->timer_divide;
    case APIC_EOI:
    case APIC_RRD: return 0;
    default: trpm_apic_error(apic, ESR_REGISTER); return 0;
    }
}

void
trpm_apic_write(TrpmVcpu *apic, unsigned reg, uint32_t value)
{
    if (is_lvt(reg)) {
        write_lvt(apic, reg - APIC_LVT, value);
        return;
    }
    switch (reg) {
    case APIC_ID: apic->id = value >> 24; break;
    case APIC_TPR:
        apic->tpr = value & 0xff;
        trpm_recheck(apic->vcpu);
        break;
    case APIC_EOI: end_of_interrupt(apic); break;
    case APIC_LDR: apic->ldr = value & 0xff000000u; break;
    case APIC_DFR: apic->dfr = value | 0x0fffffffu; break;
    case APIC_SVR: write_svr(apic, value); break;
    case APIC_ESR: apic->esr = atomic_exchange(&apic->esr_new, 0); break;
    case APIC_ICR:
        apic->icr = (apic->icr & ~(uint64_t)UINT32_MAX) | (value & 0xccfffu);
        trpm_bus_send(apic, apic->icr);
        break;
    case APIC_ICR_HIGH: apic->icr = (uint32_t)apic->icr | (uint64_t)value << 32; break;
    case APIC_TIMER_INITIAL: trpm_timer_set_initial(apic, value); break;
    case APIC_TIMER_DIVIDE: trpm_timer_set_divide(apic, value); break;
    default: trpm_apic_error(apic, ESR_REGISTER); break;
    }
}

/* --- reset --- */

void
trpm_apic_reset(TrpmVcpu *apic, bool init_only)
{
    for (unsigned i = 0; i < 8; i++) {
        atomic_store(&apic->irr[i], 0);
        atomic_store(&apic->tmr[i], 0);
    }
    atomic_store(&apic->irr_summary, 0);
    atomic_store(&apic->extint, false);
    atomic_store(&apic->esr_new, 0);
    memset(apic->isr, 0, sizeof apic->isr);
    for (unsigned i = 0; i < LVT_COUNT; i++)
        apic->lvt[i] = LVT_MASKED;
    apic->dfr = UINT32_MAX;
    apic->svr = 0xff;
    apic->tpr = apic->esr = 0;
    apic->icr = 0;
    trpm_timer_reset(apic);
    if (!init_only) {
        apic->id = apic->vcpu->id;
        apic->ldr = 0;
    } else if (!trpm_is_x2apic(apic)) {
        apic->ldr = 0;
    }
}

/* --- the page at the APIC's base --- */

static uint64_t
read_page(void *user, uint64_t offset, unsigned size)
{
    TrpmVcpu *apic = user;

    if (!trpm_is_enabled(apic) || trpm_is_x2apic(apic))
        return UINT32_MAX;
    /* Registers are the first 4 of each 16 bytes. */
    return offset & 0xc ? 0 : trpm_apic_read(apic, (unsigned)offset >> 4);
}

static void
write_page(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    TrpmVcpu *apic = user;

    if (trpm_is_enabled(apic) && !trpm_is_x2apic(apic) && !(offset & 0xc))
        trpm_apic_write(apic, (unsigned)offset >> 4, (uint32_t)value);
}

const IomMmioOps trpm_apic_mmio_ops = {
    .read = read_page,
    .write = write_page,
    .min_size = 4,
    .max_size = 4,
};
