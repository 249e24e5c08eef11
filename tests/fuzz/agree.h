/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Random cases that IEM and REM have to agree on to the bit: code, code that writes to itself, page
 * tables, interrupts. A number makes a case and repeats it. What a case is: agree-case.c; how its
 * code comes about: agree-code.c; where it runs: agree-machine.c. */
#pragma once

#include "vmm/em/em.h"

/* --- random numbers: splitmix64, one word of state --- */
typedef struct {
    uint64_t state;
} AgreeRandom;

static inline uint64_t
agree_next(AgreeRandom *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static inline unsigned
agree_below(AgreeRandom *random, unsigned end)
{
    return (unsigned)((agree_next(random) >> 32) * end >> 32);
}

/* Once in `n` times. */
static inline bool
agree_rarely(AgreeRandom *random, unsigned n)
{
    return agree_below(random, n) == 0;
}

/* --- guest-physical layout --- */
#define AGREE_RAM 0x40000u
#define AGREE_GDT 0x1000u
#define AGREE_IDT 0x2000u
#define AGREE_TSS 0x3000u
#define AGREE_LDT 0x4000u
#define AGREE_TABLES 0x5000u /* four pages of page tables */
#define AGREE_TABLES_END 0x9000u
#define AGREE_HANDLERS 0xc000u /* 16 bytes a vector */
#define AGREE_KERNEL_STACK 0xd000u
#define AGREE_CODE 0x10000u
#define AGREE_CODE_SIZE 0x8000u
#define AGREE_DATA 0x20000u
#define AGREE_DATA_SIZE 0x10000u
#define AGREE_STACK 0x30000u
#define AGREE_STACK_SIZE 0x4000u
#define AGREE_ALIAS 0x40000u   /* with paging: the same RAM again from this linear address on */
#define AGREE_DEVICE 0x100000u /* one page of MMIO */
#define AGREE_PORTS 0x40u
#define AGREE_PORT_COUNT 0x20u

typedef enum { AGREE_BYTES, AGREE_SELF, AGREE_PAGES, AGREE_EVENTS, AGREE_KINDS } AgreeKind;

typedef enum {
    AGREE_REAL,
    AGREE_V86,
    AGREE_PROT16,
    AGREE_PROT32, /* without paging or with 4-byte entries */
    AGREE_PAE32,
    AGREE_COMPAT32,
    AGREE_LONG64,
} AgreeMode;

static inline bool
agree_is_long(AgreeMode mode)
{
    return mode >= AGREE_COMPAT32;
}

static inline unsigned
agree_code_bits(AgreeMode mode)
{
    return mode == AGREE_LONG64 ? 64 : mode >= AGREE_PROT32 ? 32 : 16;
}

typedef enum {
    AGREE_EVENT_NONE,
    AGREE_EVENT_INTERRUPT,
    AGREE_EVENT_NMI,
    AGREE_EVENT_DMA,
    AGREE_EVENT_SWITCH, /* the machine that is on REM goes to IEM, or back */
} AgreeEventKind;

/* Runs so many instructions, then lets that happen. */
typedef struct {
    unsigned instructions;
    AgreeEventKind event;
    uint8_t vector;
    unsigned at, size; /* DMA: from the first bytes of the data */
} AgreePiece;

#define AGREE_PIECES 16

typedef struct {
    uint64_t seed;
    AgreeKind kind;
    AgreeMode mode;
    bool paging, user;
    uint8_t ram[AGREE_RAM];
    uint64_t gpr[X86_GPR_COUNT], rip, rflags;
    CpumSeg seg[X86_SEG_COUNT], ldtr, tr;
    CpumTable gdtr, idtr;
    uint64_t cr0, cr3, cr4, efer, xcr0;
    CpumFpu fpu;
    AgreePiece piece[AGREE_PIECES];
    unsigned pieces;
} AgreeCase;

/* Makes the case of that number; the same on every host and at any time. */
void agree_case_make(AgreeCase *made, uint64_t seed);
/* Fills [at, end) with instructions for code of 16, 32 or 64 bits. `self`: many of them write to
 * code. Returns where it stopped. */
uint8_t *agree_code_fill(AgreeRandom *random, unsigned bits, bool self, uint8_t *at, uint8_t *end);

/* --- machines --- */
typedef struct AgreeMachine AgreeMachine;
AgreeMachine *agree_machine_new(const EmEngine *engine);
void agree_machine_free(AgreeMachine *machine);
/* The state of a case into the machine; all that went before is forgotten. */
void agree_machine_load(AgreeMachine *machine, const AgreeCase *from);
/* Runs the case, at most `most` instructions of it. False: it was stopped. */
bool agree_machine_run(AgreeMachine *machine, const AgreeCase *from, unsigned most);
/* From another thread: the run ends soon, wherever it is. A repeated string instruction may go on
 * for ever. */
void agree_machine_stop(AgreeMachine *machine);
Vcpu *agree_machine_vcpu(AgreeMachine *machine);
const uint8_t *agree_machine_ram(const AgreeMachine *machine);
/* Everything that a guest or a device can see is the same; else `out` says what is not. */
bool agree_machines_equal(AgreeMachine *one, AgreeMachine *other, GString *out);
/* Did the guest, which has run the case, change its page tables by other means than the walk's A
 * and D bits, take others, or change its I/O map? Then what a TLB still knows, and when the map is
 * read, is each processor's own affair. Where they are as before, the case is run again to see
 * whether they were others meanwhile; the machine's state is lost. */
bool agree_machine_changed_tables(AgreeMachine *machine, const AgreeCase *from);
/* The pages of the process around the guest's RAM are as they were, and nothing of them got into
 * the guest. */
bool agree_machine_kept_within(const AgreeMachine *machine);
