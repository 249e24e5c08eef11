/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TRPM: which interrupt is pending and which is delivered next, the same for every engine. Owns the
 * local APIC (MMIO, x2APIC MSRs, timer, IPIs); PIC and I/O APIC are devices that talk to it.
 * Intel SDM volume 3A chapters 6 and 11 (APIC). */
#pragma once

#include "vmm/cpum/cpum.h"
#include "vmm/iom/iom.h"
#include "vmm/pgm/pgm.h"
#include "vmm/tm/tm.h"

typedef struct Trpm Trpm;

Trpm *trpm_new(Cpum *cpum, Pgm *pgm, Iom *iom, Tm *tm, bool apic, GError **error);
void trpm_free(Trpm *trpm);
void trpm_reset(Trpm *trpm);

/* --- for the interrupt controllers (through PDM). Any thread. --- */
/* The PIC's INTR output; `ack` is the INTA cycle: it returns the vector and is called on virtual
 * CPU 0's thread under the device lock (TRPM takes it). */
typedef uint8_t (*TrpmPicAck)(void *user);
void trpm_set_pic(Trpm *trpm, TrpmPicAck ack, void *user, GRecMutex *device_lock);
void trpm_pic_line(Trpm *trpm, bool level);

/* The x87's error pins, for CR0.NE = 0: FERR# goes out (the same level may be told again), IGNNE#
 * comes in. The callback runs on a virtual CPU's thread under the device lock. */
typedef void (*TrpmFpuError)(void *user, bool level);
void trpm_set_fpu_error(Trpm *trpm, TrpmFpuError ferr, void *user, GRecMutex *device_lock);
void trpm_ignne(Trpm *trpm, bool level);

typedef enum {
    TRPM_FIXED = 0,
    TRPM_LOWEST = 1,
    TRPM_SMI = 2,
    TRPM_NMI = 4,
    TRPM_INIT = 5,
    TRPM_STARTUP = 6,
    TRPM_EXTINT = 7,
} TrpmDelivery;

/* A message on the APIC bus: from the I/O APIC, an MSI, or an ICR. */
void trpm_apic_message(Trpm *trpm, uint32_t destination, bool logical, TrpmDelivery delivery,
                       uint8_t vector, bool level_triggered);
/* An MSI write (address 0xFEExxxxx). */
void trpm_msi(Trpm *trpm, uint64_t address, uint32_t data);
/* Called when a level-triggered vector gets its EOI; the I/O APIC's hook, without the device lock.
 */
void trpm_set_eoi_hook(Trpm *trpm, void (*eoi)(void *user, uint8_t vector), void *user);
void trpm_nmi(Vcpu *vcpu);

/* --- for EM and engines, on the virtual CPU's thread --- */
/* Looks at what is pending (CPUM_PEND_INTERRUPT, NMI) and at IF, the shadow, TPR. Returns the
 * vector that has to be delivered now, already acknowledged, or -1. Recomputes the pending bits:
 * afterwards CPUM_PEND_INTERRUPT is set only when something is deliverable as soon as IF or the
 * shadow allows … so engines re-check after STI, POPF, IRET, MOV CR8 by trpm_recheck(). *nmi tells
 * an NMI (vector 2). */
int trpm_take_interrupt(Vcpu *vcpu, bool *nmi);
/* IF, TPR or the shadow changed in a way that may make something deliverable: sets the pending
 * bit when so. Cheap: two loads in the common case. */
void trpm_recheck(Vcpu *vcpu);
/* True when a halted CPU has to wake (deliverable interrupt with IF = 1, NMI, INIT). */
bool trpm_should_wake(Vcpu *vcpu);
/* A waiting x87 instruction meets an unmasked exception with CR0.NE = 0: asserts FERR#. True:
 * IGNNE# is asserted, go on; else the CPU waits for an interrupt in front of the instruction. */
bool trpm_fpu_error(Vcpu *vcpu);
/* The exception has been cleared: FERR# goes away. */
void trpm_fpu_error_gone(Vcpu *vcpu);
/* INIT and SIPI that EM acts on. */
bool trpm_take_init(Vcpu *vcpu);
bool trpm_take_sipi(Vcpu *vcpu, uint8_t *page);

/* CR8 */
uint8_t trpm_tpr(const Vcpu *vcpu); /* bits 3..0 of CR8 */
void trpm_set_tpr(Vcpu *vcpu, uint8_t cr8);

void trpm_ssm_register(Trpm *trpm, Ssm *ssm);
