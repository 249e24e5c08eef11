/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a 32-bit guest program has: descriptor tables of its own, and run(), which executes code in
 * any context (ring 0 to 3, virtual-8086, 16-bit) until the next interrupt or exception and tells
 * all about it. Paging is off at the start. Memory from 1 MiB to 16 MiB is free for the program. */
#pragma once

#include "tests/guest/lib/log.h"

#include <stddef.h>

/* Selectors that exist from the start. From SEL_FREE on, a program makes its own. */
enum {
    SEL_CODE0 = 0x08,
    SEL_DATA0 = 0x10,
    SEL_CODE3 = 0x1b,
    SEL_DATA3 = 0x23,
    SEL_TSS = 0x28,
    SEL_LDT = 0x30,
    SEL_TSS2 = 0x38,
    SEL_CODE1 = 0x41,
    SEL_DATA1 = 0x49,
    SEL_CODE2 = 0x52,
    SEL_DATA2 = 0x5a,
    SEL_CONFORMING = 0x60,
    SEL_CODE16 = 0x68,
    SEL_DATA16 = 0x70,
    SEL_FREE = 0x80,
};

/* Descriptor bits 40..55. */
enum {
    ATTR_DATA = 0x93,
    ATTR_CODE = 0x9b,
    ATTR_DPL3 = 0x60,
    ATTR_32 = 0x4000,
    ATTR_4K = 0x8000,
    ATTR_FLAT = ATTR_32 | ATTR_4K,
};

enum {
    FL_CF = 1,
    FL_ZF = 0x40,
    FL_TF = 0x100,
    FL_IF = 0x200,
    FL_DF = 0x400,
    FL_OF = 0x800,
    FL_IOPL = 0x3000,
    FL_NT = 0x4000,
    FL_RF = 0x10000,
    FL_VM = 0x20000,
    FL_AC = 0x40000,
    FL_VIF = 0x80000,
    FL_VIP = 0x100000,
};

/* The assembly in start32.S knows this layout. */
typedef struct {
    uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
    uint32_t eip, eflags, cs, esp, ss, ds, es, fs, gs;
} Context;

typedef struct {
    uint32_t vector, error;
    uint32_t cr2; /* after vector 14 */
    Context at;   /* what was interrupted */
} Event;

typedef struct {
    uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, io_map;
    uint8_t redirection[32];
    uint8_t io_bits[8192 + 1];
} __attribute__((packed)) Tss;

extern uint64_t gdt[64];
extern uint64_t idt[256];
extern uint64_t ldt[16];
extern Tss tss, tss2;
/* Stack tops, 4 KiB each, for code in rings 0 to 3. */
extern uint8_t stacks[4][4096];

/* The program. */
void guest_main(void);

/* Everything as at the start: GDT, IDT, LDT, TSS, control registers but CR0.PG and CR4. */
void guest_setup(void);
void gdt_set(unsigned selector, uint32_t base, uint32_t limit20, unsigned attr);
/* attr: 0x84 call gate 16, 0x85 task gate, 0x86/0x87 interrupt/trap 16, 0x8c, 0x8e, 0x8f for 32;
 * params for call gates. */
uint64_t gate(unsigned selector, uint32_t offset, unsigned attr, unsigned params);
uint64_t descriptor(uint32_t base, uint32_t limit20, unsigned attr);

/* A context at `code` with flat segments and a fresh stack in that ring. */
Context context(const void *code, unsigned ring);
Event run(Context in);
/* Logs "key: vec=… err=… cs=… ip=+… fl=…"; ip relative to base. */
void report(const char *key, const Event *event, const void *base);
/* Runs `code` in that ring and reports. Returns what happened. */
Event try_code(const char *key, const void *code, unsigned ring);

/* Called for every event while not NULL; true goes on with what was interrupted. */
typedef struct Frame {
    uint32_t gs, fs, es, ds;
    uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
    uint32_t vector, error;
    uint32_t eip, cs, eflags;
    uint32_t esp, ss; /* only from an outer ring */
    uint32_t v86_es, v86_ds, v86_fs, v86_gs;
} Frame;
extern bool (*volatile event_hook)(Frame *frame);

static inline uint32_t
read_cr0(void)
{
    uint32_t value;

    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static inline void
write_cr0(uint32_t value)
{
    __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline uint32_t
read_cr4(void)
{
    uint32_t value;

    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void
write_cr4(uint32_t value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static inline void
write_cr3(uint32_t value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}
