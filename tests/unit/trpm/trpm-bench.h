/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The bench that TRPM's tests share: CPUs with local APICs, a PIC that is only a vector, and a
 * deterministic clock in which an instruction takes a nanosecond. */
#pragma once

#include "vmm/trpm/trpm.h"

/* Where registers are in the APIC's page. */
#define BASE 0xfee00000ull
#define LVT_TIMER 0x320
#define LVT_LINT0 0x350
#define LVT_ERROR 0x370
#define SVR 0xf0
#define EOI 0xb0
#define TPR 0x80
#define PPR 0xa0
#define LDR 0xd0
#define DFR 0xe0
#define ESR 0x280
#define ICR 0x300
#define ICR_HIGH 0x310
#define IRR 0x200
#define ISR 0x100
#define TMR 0x180
#define X2_ICR 0x830

typedef struct {
    Cpum *cpum;
    Iom *iom;
    Pgm *pgm;
    Tm *tm;
    Trpm *trpm;
    Vcpu *cpu[3];
    uint8_t pic_vector;
    unsigned pic_acks;
    GString *eois;
} Bench;

/* Interrupts are enabled (IF), nothing is pending. */
void bench_open_cpus(Bench *bench, unsigned cpus, bool apic);
/* One CPU whose APIC is on. */
void bench_open(Bench *bench);
/* Three, with one logical bit each. */
void bench_open_three(Bench *bench);
void bench_close(Bench *bench);

void bench_write(Bench *bench, unsigned cpu, uint32_t reg, uint32_t value);
uint32_t bench_read(Bench *bench, unsigned cpu, uint32_t reg);
/* What the CPU gets next; -1: nothing. */
int bench_take(Bench *bench, unsigned cpu);
/* A fixed interrupt for CPU 0. */
void bench_send(Bench *bench, uint8_t vector, bool level);
bool bench_is_pending(Bench *bench, uint32_t bit);
/* Virtual time goes on and timers expire. */
void bench_advance(Bench *bench, uint64_t ns);
