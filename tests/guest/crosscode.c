/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What one CPU changes under another one's feet: code, with the synchronisation that the manual
 * asks for; page tables, with an IPI for the TLB; accessed and dirty bits set by all at once. Intel
 * SDM volume 3A sections 4.8, 4.10.5 and 9.1.3. */
#include "tests/guest/lib/smp64.h"

#define ROUNDS 1500u
#define WINDOW 0x1000000ull /* mapped by pages of 4 KiB */
#define TABLE 0x58000ull
#define FRAMES 0x1200000ull
#define PAGES 64u

static uint64_t *const table = (uint64_t *)TABLE;
static unsigned cpus, faults;

static inline void
serialise(void)
{
    unsigned a = 0;

    __asm__ volatile("cpuid" : "+a"(a) : : "rbx", "rcx", "rdx", "memory");
}

/* --- code --- */

/* mov eax, imm32; ret */
static uint8_t code[4096] __attribute__((aligned(4096)));
static volatile unsigned version, agreed;

static unsigned
call(const void *at)
{
    return ((unsigned (*)(void))(uint64_t)at)();
}

static void
put_code(uint8_t *at, unsigned value)
{
    at[0] = 0xb8;
    __builtin_memcpy(at + 1, &value, 4);
    at[5] = 0xc3;
}

/* The first one writes a version and says so; the others read that, serialise and call it. */
static void
change_code(unsigned cpu)
{
    for (unsigned i = 1; i <= ROUNDS; i++) {
        if (cpu == 0) {
            put_code(code, i);
            __atomic_store_n(&version, i, __ATOMIC_RELEASE);
        } else {
            while (version != i)
                smp_pause();
            serialise();
            if (call(code) == i)
                __atomic_fetch_add(&agreed, 1, __ATOMIC_SEQ_CST);
        }
        smp_barrier();
    }
}

/* Each CPU's code in one page is changed by its neighbour all the time: it runs an old version or
 * the new one, and in the end the last one. */
static volatile unsigned torn;

static void
change_neighbours(unsigned cpu)
{
    const uint8_t *own = code + 64 * cpu;
    uint8_t *other = code + 64 * ((cpu + 1) % cpus);
    volatile unsigned *word = (volatile unsigned *)(other + 4);

    for (unsigned i = 1; i <= ROUNDS; i++) {
        unsigned got;

        *word = i; /* aligned: whole or not at all */
        serialise();
        got = call(own + 3);
        if (got > ROUNDS)
            __atomic_fetch_add(&torn, 1, __ATOMIC_SEQ_CST);
    }
    smp_barrier();
    serialise();
    if (call(own + 3) == ROUNDS)
        __atomic_fetch_add(&agreed, 1, __ATOMIC_SEQ_CST);
}

static void
report_code(void)
{
    smp_run(change_code);
    log_text("code, told: %u of %u right\n", agreed, (cpus - 1) * ROUNDS);
    agreed = 0;
    for (unsigned i = 0; i < cpus; i++)
        put_code(code + 64 * i + 3, 0);
    smp_run(change_neighbours);
    log_text("code, neighbours: %u torn, %u of %u right in the end\n", torn, agreed, cpus);
}

/* --- page tables --- */

static void
map_window(void)
{
    uint64_t *directory = (uint64_t *)0x62000;

    for (unsigned i = 0; i < 512; i++)
        table[i] = (FRAMES + i * 4096ull) | 7;
    directory[WINDOW >> 21] = TABLE | 7;
}

static void
flush_all(unsigned cpu)
{
    (void)cpu;
    __asm__ volatile("movq %%cr3, %%rax; movq %%rax, %%cr3" : : : "rax", "memory");
}

static void
drop(unsigned cpu)
{
    (void)cpu;
    __asm__ volatile("invlpg (%0)" : : "r"(WINDOW) : "memory");
}

static volatile unsigned stop, answers;

static void
note_answer(unsigned cpu)
{
    drop(cpu);
    __atomic_fetch_add(&answers, 1, __ATOMIC_SEQ_CST);
}

/* The first one moves a page to and fro between two frames and tells the others; the old frame must
 * not be written after their answers. */
static void
shoot_down(unsigned cpu)
{
    volatile unsigned *window = (volatile unsigned *)WINDOW;

    if (cpu != 0) {
        for (unsigned i = 1; !stop; i++)
            window[cpu] = i;
        return;
    }
    for (unsigned i = 0; i < ROUNDS / 5; i++) {
        volatile unsigned *old = (volatile unsigned *)(FRAMES + (i & 1 ? 8192 : 0));
        unsigned before[SMP_MAX];

        table[0] = (FRAMES + (i & 1 ? 0 : 8192)) | 7;
        drop(0);
        answers = 0;
        smp_send(ICR_ASSERT | ICR_OTHERS | (SMP_VECTOR + 2), 0);
        while (answers != cpus - 1)
            smp_pause();
        for (unsigned other = 1; other < cpus; other++)
            before[other] = old[other];
        for (volatile unsigned j = 0; j < 300; j++)
            ;
        for (unsigned other = 1; other < cpus; other++)
            faults += old[other] != before[other];
    }
    stop = 1;
}

/* All touch all pages at once while the first one clears the bits: none is lost. */
static void
touch_pages(unsigned cpu)
{
    for (unsigned i = 0; i < PAGES; i++) {
        volatile uint8_t *page = (volatile uint8_t *)(WINDOW + (64 + i) * 4096ull);

        if ((i + cpu) & 1)
            page[cpu] = 1;
        else
            (void)page[cpu];
    }
}

static void
report_tables(void)
{
    unsigned accessed = 0, dirty = 0, changed = 0;

    map_window();
    smp_run(flush_all);
    smp_hook[2] = note_answer;
    smp_run(shoot_down);
    log_text("shootdown: %u writes after the answer\n", faults);
    for (unsigned i = 0; i < PAGES; i++)
        table[64 + i] = (FRAMES + (64 + i) * 4096ull) | 7 | 1ull << 9;
    smp_run(flush_all);
    smp_run(touch_pages);
    for (unsigned i = 0; i < PAGES; i++) {
        const uint64_t entry = table[64 + i];

        accessed += entry >> 5 & 1;
        dirty += entry >> 6 & 1;
        changed += (entry & ~0x60ull) != ((FRAMES + (64 + i) * 4096ull) | 7 | 1ull << 9);
    }
    log_text("touched: %u accessed, %u dirty, %u changed\n", accessed, dirty, changed);
}

void
guest_main(void)
{
    cpus = smp_start();
    report_code();
    report_tables();
    log_end();
}
