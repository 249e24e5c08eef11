/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A CPU with 1 MiB of memory and a few bytes of guest code, for the tests of EM. */
#pragma once

#include "vmm/em/em.h"

#define EM_BENCH_CODE 0x1000u
#define EM_BENCH_HANDLER 0x2000u
#define EM_BENCH_COUNTER 0x500u
#define EM_BENCH_APIC 0xfee00000ull

typedef struct {
    EmRooms rooms;
    Em *em;
    Vcpu *vcpu;
} EmBench;

/* inc ax; jmp -3 */
extern const uint8_t em_bench_count_loop[3];

/* sti; hlt; jmp -4 */
extern const uint8_t em_bench_halt_loop[4];

/* Makes the rooms. engine: a name. deterministic: one instruction is one nanosecond. */
void em_bench_open(EmBench *bench, const char *engine, bool deterministic);
void em_bench_close(EmBench *bench);

/* The byte of guest memory at that address. */
uint8_t *em_bench_ram(const EmBench *bench, uint32_t gpa);

/* Code at EM_BENCH_CODE, next to run in real mode, with the stack below it. size: bytes. */
void em_bench_load(EmBench *bench, const void *code, size_t size);

/* The handler of a vector: inc word [EM_BENCH_COUNTER]; iret */
void em_bench_set_handler(EmBench *bench, unsigned vector);

/* How often it was called. */
unsigned em_bench_counter(const EmBench *bench);

/* A register of the local APIC. */
void em_bench_write_apic(EmBench *bench, uint32_t reg, uint32_t value);

/* Adds the test for each engine that counts instructions; its data is the engine's name. */
void em_bench_add(const char *name, GTestDataFunc test);
