/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a 64-bit guest program has: descriptor tables of its own, and run(), which executes code in
 * any context (ring 0 and 3, 64-bit and compatibility mode) until the next interrupt or exception.
 * The first 4 GiB are mapped one to one with user pages of 2 MiB. */
#pragma once

#include "tests/guest/lib/log.h"

#include <stddef.h>

enum {
    SEL_CODE0 = 0x08,
    SEL_DATA0 = 0x10,
    SEL_COMPAT3 = 0x1b, /* 32-bit code; the order of these three is SYSRET's */
    SEL_DATA3 = 0x23,
    SEL_CODE3 = 0x2b,
    SEL_TSS = 0x30,
    SEL_LDT = 0x40,
    SEL_CONFORMING = 0x50,
    SEL_COMPAT0 = 0x58,
    SEL_DATA32 = 0x60,
    SEL_FREE = 0x80, /* from here on a program makes its own */
};

/* Descriptor bits 40..55. */
enum {
    ATTR_DATA = 0xc093,
    ATTR_CODE64 = 0xa09b,
    ATTR_CODE32 = 0xc09b,
    ATTR_DPL3 = 0x60,
};

enum {
    FL_ZF = 0x40,
    FL_TF = 0x100,
    FL_IF = 0x200,
    FL_DF = 0x400,
    FL_IOPL = 0x3000,
    FL_NT = 0x4000,
    FL_RF = 0x10000,
    FL_AC = 0x40000,
};

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

/* The assembly in start64.S knows this layout. */
typedef struct {
    uint64_t gpr[16];
    uint64_t rip, rflags, cs, ss, ds, es;
} Context;

typedef struct {
    uint64_t vector, error, cr2;
    Context at;         /* what was interrupted */
    uint64_t frame_end; /* the address behind what the CPU pushed */
} Event;

typedef struct {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed)) Tss;

typedef struct {
    uint64_t low, high;
} Gate;

extern uint64_t gdt[64];
extern Gate idt[256];
extern uint64_t ldt[16];
extern Tss tss;
extern uint8_t stacks[4][4096];

/* The program. */
void guest_main(void);

/* Everything as at the start: tables, TSS, CR8. */
void guest_setup(void);
void gdt_set(unsigned selector, uint32_t base, uint32_t limit20, unsigned attr);
void gdt_set_system(unsigned selector, uint64_t base, uint32_t limit20, unsigned attr);
/* attr: 0x8c call gate, 0x8e interrupt gate, 0x8f trap gate. */
Gate gate(unsigned selector, uint64_t offset, unsigned attr, unsigned ist);
void gdt_set_gate(unsigned selector, Gate gate);

/* Ring 0 or 3, 64-bit. */
Context context(const void *code, unsigned ring);
/* Ring 3 or 0, 32-bit compatibility mode. */
Context context_compat(const void *code, unsigned ring);
Event run(Context in);
/* Logs "key: vec=… err=… cs=… ip=+… ss=… fl=…"; ip relative to base. */
void report(const char *key, const Event *event, const void *base);
Event try_code(const char *key, const void *code, unsigned ring);

uint64_t read_msr(uint32_t msr);
void write_msr(uint32_t msr, uint64_t value);
