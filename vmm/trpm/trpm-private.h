/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of TRPM share. A local APIC belongs to the thread of its virtual CPU; what
 * messages change (IRR, TMR, NMI, INIT, SIPI, ExtINT, errors) is atomic, and what messages look at
 * (id, logical destination, enable bits) is read by other threads as it is at that moment. */
#pragma once

#include "vmm/trpm/trpm.h"

#define TRPM_APIC_DEFAULT_BASE 0xfee00000ull
#define TRPM_APIC_BASE_BSP (1u << 8)
#define TRPM_APIC_BASE_EXTD (1u << 10)
#define TRPM_APIC_BASE_EN (1u << 11)
#define TRPM_SVR_ENABLED (1u << 8)

/* Register numbers: the MMIO offset / 16, or the x2APIC MSR - 0x800. */
enum {
    APIC_ID = 0x02,
    APIC_VERSION = 0x03,
    APIC_TPR = 0x08,
    APIC_APR = 0x09,
    APIC_PPR = 0x0a,
    APIC_EOI = 0x0b,
    APIC_RRD = 0x0c,
    APIC_LDR = 0x0d,
    APIC_DFR = 0x0e,
    APIC_SVR = 0x0f,
    APIC_ISR = 0x10,
    APIC_TMR = 0x18,
    APIC_IRR = 0x20,
    APIC_ESR = 0x28,
    APIC_ICR = 0x30,
    APIC_ICR_HIGH = 0x31,
    APIC_LVT = 0x32,
    APIC_TIMER_INITIAL = 0x38,
    APIC_TIMER_CURRENT = 0x39,
    APIC_TIMER_DIVIDE = 0x3e,
    APIC_SELF_IPI = 0x3f,
};

typedef enum {
    LVT_TIMER,
    LVT_THERMAL,
    LVT_PERFORMANCE,
    LVT_LINT0,
    LVT_LINT1,
    LVT_ERROR,
    LVT_COUNT,
} TrpmLvt;

#define LVT_VECTOR 0xffu
#define LVT_DELIVERY(lvt) (((lvt) >> 8) & 7)
#define LVT_LEVEL (1u << 15)
#define LVT_MASKED (1u << 16)

typedef enum { TIMER_ONE_SHOT, TIMER_PERIODIC, TIMER_TSC_DEADLINE } TrpmTimerMode;
#define LVT_TIMER_MODE(lvt) (((lvt) >> 17) & 3)

/* Error status */
#define ESR_SEND_VECTOR (1u << 5)
#define ESR_RECEIVE_VECTOR (1u << 6)
#define ESR_REGISTER (1u << 7)

typedef struct TrpmVcpu {
    Vcpu *vcpu;
    Trpm *trpm;
    /* What trpm_recheck() looks at in the common case. */
    _Atomic uint32_t irr_summary; /* bit i: irr[i] may be other than 0 */
    _Atomic bool nmi, extint;
    _Atomic bool init;
    _Atomic uint32_t sipi; /* 0x100 | page, or 0 */

    _Atomic uint32_t irr[8], tmr[8];
    uint32_t isr[8];
    uint32_t id, ldr, dfr, svr, tpr, lvt[LVT_COUNT];
    uint64_t icr;
    uint32_t esr;
    _Atomic uint32_t esr_new; /* errors since ESR was last written */

    uint32_t timer_initial, timer_divide;
    uint64_t timer_start; /* virtual time at which the count was timer_initial */
    uint64_t tsc_deadline;
    TmTimer *timer;
    IomMmio *mmio;
    PgmRegion *region;  /* the APIC's page, which only this CPU sees */
    uint64_t apic_base; /* copy for the saved state */
} TrpmVcpu;

struct Trpm {
    Cpum *cpum;
    Pgm *pgm;
    Iom *iom;
    Tm *tm;
    bool has_apic;
    TrpmVcpu *vcpus;
    TrpmPicAck pic_ack;
    void *pic_user;
    GRecMutex *device_lock;
    _Atomic bool pic_level;
    void (*eoi)(void *user, uint8_t vector);
    void *eoi_user;
    TrpmFpuError ferr;
    void *ferr_user;
    GRecMutex *ferr_lock;
    _Atomic bool ignne;
    _Atomic bool ferr_quiet; /* FERR# is known to be low */
};

/* trpm-apic.c */
void trpm_apic_reset(TrpmVcpu *apic, bool init_only);
uint32_t trpm_apic_read(TrpmVcpu *apic, unsigned reg);
void trpm_apic_write(TrpmVcpu *apic, unsigned reg, uint32_t value);
/* A fixed interrupt arrives; any thread. */
void trpm_apic_accept(TrpmVcpu *apic, uint8_t vector, bool level);
void trpm_apic_error(TrpmVcpu *apic, uint32_t error);
/* The vector that may be delivered now as far as priorities go, or -1. */
int trpm_apic_deliverable(TrpmVcpu *apic);
void trpm_apic_acknowledge(TrpmVcpu *apic, uint8_t vector);
uint32_t trpm_apic_ppr(const TrpmVcpu *apic);
/* The local vector table raises its interrupt; any thread. */
void trpm_apic_local(TrpmVcpu *apic, TrpmLvt which);
/* Does the PIC's output reach this CPU as an external interrupt? */
bool trpm_apic_passes_extint(const TrpmVcpu *apic);
extern const IomMmioOps trpm_apic_mmio_ops;

/* trpm-bus.c */
void trpm_bus_send(TrpmVcpu *from, uint64_t icr);

/* trpm-timer.c */
void trpm_timer_init(TrpmVcpu *apic);
void trpm_timer_reset(TrpmVcpu *apic);
void trpm_timer_set_initial(TrpmVcpu *apic, uint32_t value);
void trpm_timer_set_divide(TrpmVcpu *apic, uint32_t value);
void trpm_timer_mode_changed(TrpmVcpu *apic, uint32_t old_lvt);
uint32_t trpm_timer_current(const TrpmVcpu *apic);
void trpm_timer_set_deadline(TrpmVcpu *apic, uint64_t tsc);

/* trpm-msr.c */
void trpm_msr_init(Trpm *trpm);
/* The APIC's page follows the base address and the mode. */
void trpm_map_apic(TrpmVcpu *apic);

static inline bool
trpm_is_enabled(const TrpmVcpu *apic)
{
    return (apic->vcpu->apic_base & TRPM_APIC_BASE_EN) != 0;
}

static inline bool
trpm_is_x2apic(const TrpmVcpu *apic)
{
    return (apic->vcpu->apic_base & TRPM_APIC_BASE_EXTD) != 0;
}
