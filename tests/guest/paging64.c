/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 4-level paging: rights, NX and reserved bits at each level, 2 MiB and 1 GiB pages, accessed and
 * dirty bits of each level, non-canonical and high addresses, INVLPG of large pages and
 * between short loops, CLFLUSH beside another page. Intel SDM volume 3A 4.5, 4.6, 4.7, volume 2A
 * CLFLUSH. */
#include "tests/guest/lib/guest64.h"

extern const uint8_t q_read[], q_write[], q_jump[], q_flush[];

__asm__("q_read: mov (%rbx), %rax; int $0x80\n"
        "q_write: mov %rax, (%rbx); int $0x80\n"
        "q_jump: jmp *%rbx\n"
        "q_flush: clflush 8(%rbx); mov (%rbx), %rax; int $0x80\n");

enum { P = 1, RW = 2, US = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };
#define NX (1ull << 63)

/* One table for each level; the address under test takes entry 1, 2, 3, 4 of them. */
static uint64_t *const level[4] = {(uint64_t *)0x60000, (uint64_t *)0x201000, (uint64_t *)0x202000,
                                   (uint64_t *)0x203000};
static const unsigned entry_of[4] = {1, 2, 3, 4};
#define ADDRESS (1ull << 39 | 2ull << 30 | 3ull << 21 | 4ull << 12)
#define FRAME 0x300000ull

static void
flush(void)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(0x60000ull) : "memory");
}

static void
build(void)
{
    for (unsigned i = 1; i < 4; i++) {
        for (unsigned k = 0; k < 512; k++)
            level[i][k] = 0;
    }
    for (unsigned i = 0; i < 3; i++)
        level[i][entry_of[i]] = (uint64_t)level[i + 1] | P | RW | US;
    level[3][4] = FRAME | P | RW | US;
    flush();
}

static void
outcome(const char *key, const uint8_t *code, unsigned ring, uint64_t address)
{
    Context c = context(code, ring);
    Event e;

    c.gpr[RBX] = address;
    flush();
    e = run(c);
    if (e.vector == 14) {
        log_text("%s ring%u: fault %x cr2=%X\n", key, ring, (uint32_t)e.error, e.cr2);
        return;
    }
    log_text("%s ring%u: vec=%x ad=%x,%x,%x,%x\n", key, ring, (uint32_t)e.vector,
             (uint32_t)level[0][1] & (A | D), (uint32_t)level[1][2] & (A | D),
             (uint32_t)level[2][3] & (A | D), (uint32_t)level[3][4] & (A | D));
}

/* Each change at each level, seen by reads, writes and jumps of both rings. */
static void
matrix(void)
{
    static const struct {
        const char *name;
        uint64_t clear, set;
    } changes[] = {{"plain", 0, 0},
                   {"absent", P, 0},
                   {"read-only", RW, 0},
                   {"supervisor", US, 0},
                   {"nx", 0, NX},
                   {"bit 51", 0, 1ull << 51},
                   {"bit 52", 0, 1ull << 52},
                   {"absent, bit 51", P, 1ull << 51},
                   {"nx, supervisor", US, NX}};

    for (unsigned i = 0; i < 4; i++) {
        for (unsigned k = 0; k < sizeof changes / sizeof *changes; k++) {
            for (unsigned ring = 0; ring < 4; ring += 3) {
                static const char *const names[] = {"read", "write", "jump"};
                static const uint8_t *const codes[] = {q_read, q_write, q_jump};

                for (unsigned n = 0; n < 3; n++) {
                    build();
                    level[i][entry_of[i]] &= ~changes[k].clear;
                    level[i][entry_of[i]] |= changes[k].set;
                    log_text("level %u %s ", 4 - i, changes[k].name);
                    outcome(names[n], codes[n], ring, ADDRESS);
                }
            }
        }
    }
}

static void
large(void)
{
    build();
    level[2][3] = 0x200000ull | PS | P | RW | US;
    *(volatile uint32_t *)0x204000 = 0x80cd;
    outcome("2M read", q_read, 3, ADDRESS);
    outcome("2M write", q_write, 3, ADDRESS);
    *(volatile uint32_t *)0x204000 = 0x80cd;
    outcome("2M jump", q_jump, 3, ADDRESS);
    level[2][3] = 0x202000ull | PS | P | RW | US;
    outcome("2M reserved bit 13", q_read, 3, ADDRESS);
    level[2][3] = 0x200000ull | PS | P | RW | US | 0x1000;
    outcome("2M PAT bit", q_read, 3, ADDRESS);
    level[2][3] = 0x200000ull | PS | P | US | NX;
    outcome("2M read-only", q_write, 3, ADDRESS);
    outcome("2M nx", q_jump, 3, ADDRESS);
    build();
    level[0][1] |= PS;
    outcome("PS in the PML4", q_read, 3, ADDRESS);
    build();
    level[1][2] = PS | P | RW | US;
    *(volatile uint32_t *)0x604000 = 0x80cd;
    outcome("1G read", q_read, 3, ADDRESS);
    outcome("1G jump", q_jump, 3, ADDRESS);
    level[1][2] = 0x2000 | PS | P | RW | US;
    outcome("1G reserved bit 13", q_read, 3, ADDRESS);
    build();
}

static void
write_protect(void)
{
    uint64_t cr0;

    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0 & ~0x10000ull));
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned ring = 0; ring < 4; ring += 3) {
            build();
            level[i][entry_of[i]] &= ~(uint64_t)RW;
            log_text("wp off level %u ", 4 - i);
            outcome("write", q_write, ring, ADDRESS);
        }
    }
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0));
}

static void
addresses(void)
{
    build();
    outcome("above the map", q_read, 3, 0x10000000000ull);
    outcome("highest low", q_read, 3, 0x7ffffffffff8ull);
    outcome("lowest high", q_read, 3, 0xffff800000000000ull);
    outcome("highest", q_read, 3, 0xfffffffffffffff8ull);
    outcome("write above the map", q_write, 0, 0x10000000000ull);
    level[3][5] = 0;
    outcome("write across", q_write, 3, ADDRESS + 0xffc);
    outcome("read across", q_read, 3, ADDRESS + 0xffc);
    level[0][511] = (uint64_t)level[1] | P | RW | US;
    outcome("high alias", q_read, 3, 0xffffff8000000000ull | (ADDRESS & 0x7fffffffffull));
    level[0][511] = 0;
}

/* CLFLUSH touches the line that an address lies in, however near the next page that is: the next
 * page's entry says so. */
static void
lines(void)
{
    static const uint16_t offsets[] = {0xfb0, 0xfb9, 0xff0, 0xff7};

    for (unsigned i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        for (unsigned ring = 0; ring < 4; ring += 3) {
            build();
            level[3][5] = (FRAME + 0x1000) | P | RW | US;
            log_text("clflush %x ", offsets[i] + 8);
            outcome("flush", q_flush, ring, ADDRESS + offsets[i]);
            log_text("clflush %x ring%u next page: ad=%x\n", offsets[i] + 8, ring,
                     (uint32_t)level[3][5] & (A | D));
        }
    }
    build();
}

/* INVLPG of any address in a large page drops all of it. */
static void
invalidate(void)
{
    volatile uint64_t *const first = (uint64_t *)(ADDRESS), *const other = first + 0x10000;
    uint64_t a, b;

    build();
    level[2][3] = 0x200000ull | PS | P | RW | US;
    flush();
    *(volatile uint64_t *)0x204000 = 1;
    *(volatile uint64_t *)0x284000 = 2;
    *(volatile uint64_t *)0x604000 = 3;
    *(volatile uint64_t *)0x684000 = 4;
    a = *first;
    b = *other;
    level[2][3] = 0x600000ull | PS | P | RW | US;
    __asm__ volatile("invlpg (%0)" : : "r"(first) : "memory");
    log_text("invlpg 2M: %X %X then %X %X\n", a, b, *first, *other);
    build();
}

/* A loop of few turns that is entered often, in two pages, of which the first goes to another frame
 * in between: what was found out about it the last time is true until INVLPG only. */
static void
short_loops(void)
{
    volatile uint32_t *const page = (uint32_t *)ADDRESS;
    uint32_t sum = 1;

    build();
    level[3][5] = (FRAME + 0x1000) | P | RW | US;
    for (unsigned i = 0; i < 0x3000 / 4; i++)
        ((volatile uint32_t *)FRAME)[i] = i * i;
    for (unsigned round = 0; round < 60; round++) {
        level[3][4] = (FRAME + (round & 1) * 0x2000) | P | RW | US;
        __asm__ volatile("invlpg (%0)" : : "r"(page) : "memory");
        for (unsigned i = 0; i < 2000; i++) {
            const unsigned k = (i + 500) % 2000; /* a round begins where the last one ended */
            volatile uint32_t *at = page + k;
            unsigned turns = 3 + (k * k >> 2) % 5;

            __asm__ volatile("1: add (%1), %0; rol $3, %0; xor (%3), %0; add $4, %1; dec %2; jnz 1b"
                             : "+r"(sum), "+r"(at), "+r"(turns)
                             : "r"(page)
                             : "cc", "memory");
            page[k] = sum + round;
        }
    }
    log_text("short loops: %x\n", sum);
    build();
}

void
guest_main(void)
{
    guest_setup();
    *(volatile uint64_t *)FRAME = 0x80cd;
    for (unsigned i = 0; i < 512; i++)
        ((volatile uint64_t *)FRAME)[i] = 0x80cd80cd80cd80cdull;
    matrix();
    write_protect();
    large();
    addresses();
    lines();
    invalidate();
    short_loops();
    log_end();
}
