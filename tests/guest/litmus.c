/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Memory between CPUs: LOCKed and plain read-modify-writes, also across cache lines and pages, on
 * pages that hold code, on pages that lie apart; the order of loads and stores with and without
 * fences. Only what must never happen is counted. Intel SDM volume 3A sections 9.1 and 9.2. */
#include "tests/guest/lib/smp64.h"

#define ROUNDS 2000u
#define TRIALS 1000u
#define APART 0x1000000ull /* two pages of it are mapped to places that lie apart */
#define TABLE 0x58000ull   /* a page table for it, below the others */

static unsigned cpus;

/* --- counting --- */

static uint8_t pool[3 * 4096] __attribute__((aligned(4096)));
static void *target;
static volatile unsigned lock_word, plain;

static void
count_add(unsigned cpu)
{
    (void)cpu;
    for (unsigned i = 0; i < ROUNDS; i++)
        __asm__ volatile("lock addl $1, (%0)" : : "r"(target) : "memory", "cc");
}

static void
count_xadd(unsigned cpu)
{
    (void)cpu;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t one = 1;

        __asm__ volatile("lock xaddq %0, (%1)" : "+r"(one) : "r"(target) : "memory", "cc");
    }
}

static void
count_inc(unsigned cpu)
{
    (void)cpu;
    for (unsigned i = 0; i < ROUNDS; i++)
        __asm__ volatile("lock incw (%0)" : : "r"(target) : "memory", "cc");
}

static void
count_cmpxchg8b(unsigned cpu)
{
    volatile uint64_t *word = target;

    (void)cpu;
    for (unsigned i = 0; i < ROUNDS;) {
        uint32_t low = (uint32_t)*word, high = (uint32_t)(*word >> 32);
        const uint64_t next = ((uint64_t)high << 32 | low) + 0x100000001ull;
        bool done;

        __asm__ volatile("lock cmpxchg8b (%3)\n\tsetz %2"
                         : "+a"(low), "+d"(high), "=q"(done)
                         : "r"(word), "b"((uint32_t)next), "c"((uint32_t)(next >> 32))
                         : "memory", "cc");
        i += done;
    }
}

/* A lock made of plain XCHG guards a plain increment. */
static void
count_under_lock(unsigned cpu)
{
    (void)cpu;
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned taken = 1;

        for (;;) {
            taken = 1;
            __asm__ volatile("xchgl %0, (%1)" : "+r"(taken) : "r"(target) : "memory");
            if (!taken)
                break;
            smp_pause();
        }
        plain++;
        __atomic_store_n((unsigned *)target, 0, __ATOMIC_RELEASE);
    }
}

static void
clear(void *at)
{
    target = at;
    for (unsigned i = 0; i < 8; i++)
        ((volatile uint8_t *)at)[i] = 0;
}

static void
report_counts(const char *place, void *at)
{
    unsigned lost = 0;

    clear(at);
    smp_run(count_add);
    lost += *(volatile uint32_t *)at != cpus * ROUNDS;
    clear(at);
    smp_run(count_xadd);
    lost += *(volatile uint64_t *)at != cpus * ROUNDS;
    clear(at);
    smp_run(count_inc);
    lost += *(volatile uint16_t *)at != cpus * ROUNDS;
    clear(at);
    smp_run(count_cmpxchg8b);
    lost += *(volatile uint64_t *)at != cpus * ROUNDS * 0x100000001ull;
    clear(at);
    plain = 0;
    smp_run(count_under_lock);
    lost += plain != cpus * ROUNDS;
    log_text("%s: %u of 5 lost something\n", place, lost);
}

/* Two pages that are neighbours for the program and far apart in memory. */
static void *
map_apart(void)
{
    uint64_t *table = (uint64_t *)TABLE, *directory = (uint64_t *)0x62000;

    for (unsigned i = 0; i < 512; i++)
        table[i] = (APART + i * 4096) | 7;
    table[0] = 0x1200000 | 7;
    table[1] = 0x1400000 | 7;
    directory[APART >> 21] = TABLE | 7;
    return (void *)APART;
}

static void
flush(unsigned cpu)
{
    (void)cpu;
    __asm__ volatile("movq %%cr3, %%rax; movq %%rax, %%cr3" : : : "rax", "memory");
}

/* --- order --- */

static volatile unsigned x __attribute__((aligned(64))), y __attribute__((aligned(64)));
static unsigned seen[2][TRIALS];

typedef enum { BY_MFENCE, BY_XCHG, BY_LOCK, BY_CPUID, BARRIERS } Barrier;
static volatile Barrier barrier;

static void
fence(void)
{
    unsigned word = 0, a = 0;

    switch (barrier) {
    case BY_MFENCE: __asm__ volatile("mfence" : : : "memory"); break;
    case BY_XCHG: __asm__ volatile("xchgl %0, %1" : "+r"(a), "+m"(word) : : "memory"); break;
    case BY_LOCK: __asm__ volatile("lock orl $0, %0" : "+m"(word) : : "memory", "cc"); break;
    default: __asm__ volatile("cpuid" : "+a"(a) : : "rbx", "rcx", "rdx", "memory"); break;
    }
}

/* Each stores its own word and reads the other's: with a fence between one of them sees it. */
static void
store_buffering(unsigned cpu)
{
    for (unsigned i = 0; i < TRIALS; i++) {
        if (cpu == 0)
            x = y = 0;
        smp_barrier();
        if (cpu == 0) {
            x = 1;
            fence();
            seen[0][i] = y;
        } else if (cpu == 1) {
            y = 1;
            fence();
            seen[1][i] = x;
        }
        smp_barrier();
    }
}

/* Whoever sees the flag sees the message. */
static void
message_passing(unsigned cpu)
{
    for (unsigned i = 0; i < TRIALS; i++) {
        if (cpu == 0)
            x = y = 0;
        smp_barrier();
        if (cpu == 0) {
            x = i + 1;
            y = 1;
        } else if (cpu == 1) {
            seen[0][i] = y;
            seen[1][i] = x;
        }
        smp_barrier();
        if (cpu == 0 && seen[0][i] && seen[1][i] != i + 1)
            plain++;
    }
}

/* One reads the other's word and then stores its own: not both see the other's store. */
static void
load_buffering(unsigned cpu)
{
    for (unsigned i = 0; i < TRIALS; i++) {
        if (cpu == 0)
            x = y = 0;
        smp_barrier();
        if (cpu == 0) {
            seen[0][i] = y;
            x = 1;
        } else if (cpu == 1) {
            seen[1][i] = x;
            y = 1;
        }
        smp_barrier();
    }
}

static unsigned
both(unsigned value)
{
    unsigned found = 0;

    for (unsigned i = 0; i < TRIALS; i++)
        found += seen[0][i] == value && seen[1][i] == value;
    return found;
}

static void
report_order(void)
{
    static const char *const names[] = {"mfence", "xchg", "lock", "cpuid"};

    for (barrier = 0; barrier < BARRIERS; barrier++) {
        smp_run(store_buffering);
        log_text("store buffering, %s: %u forbidden\n", names[barrier], both(0));
    }
    plain = 0;
    smp_run(message_passing);
    log_text("message passing: %u forbidden\n", plain);
    smp_run(load_buffering);
    log_text("load buffering: %u forbidden\n", both(1));
}

void
guest_main(void)
{
    uint8_t *apart;

    cpus = smp_start();
    report_counts("in a line", pool);
    report_counts("across lines", pool + 62);
    report_counts("across pages", pool + 4096 - 2);
    /* A page with code that has been executed: writes to it are watched. */
    pool[8192 + 128] = 0xc3;
    ((void (*)(void))(uint64_t)(pool + 8192 + 128))();
    report_counts("beside code", pool + 8192);
    report_counts("into code", pool + 8192 + 124);
    apart = map_apart();
    smp_run(flush);
    report_counts("pages apart", apart + 4096 - 2);
    report_order();
    log_end();
}
