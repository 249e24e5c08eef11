/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * FSGSBASE, PCID and INVPCID: who may execute them, what CR3 and CR4 take, that a change of address
 * space is seen at once whatever its PCID, and what INVPCID checks. Intel SDM volume 3A 4.10.1,
 * 4.10.4; volume 2A INVPCID, volume 2B RDFSBASE, WRFSBASE. */
#include "tests/guest/lib/guest64.h"

extern const uint8_t p_rdfs[], p_rdgs[], p_wrfs[], p_wrgs[], p_rdfs32[], p_wrfs32[], p_compat[];
extern const uint8_t p_cr3[], p_cr4[], p_cr0[], p_read_cr3[], p_invpcid[], p_read[];

__asm__("p_rdfs: mov $-1, %rax; rdfsbase %rax; int $0x80\n"
        "p_rdgs: mov $-1, %rax; rdgsbase %rax; int $0x80\n"
        "p_wrfs: wrfsbase %rbx; rdfsbase %rax; int $0x80\n"
        "p_wrgs: wrgsbase %rbx; rdgsbase %rax; int $0x80\n"
        "p_rdfs32: mov $-1, %rax; rdfsbase %eax; int $0x80\n"
        "p_wrfs32: wrfsbase %ebx; rdfsbase %rax; int $0x80\n"
        "p_cr3: mov %rbx, %cr3; int $0x80\n"
        "p_cr4: mov %rbx, %cr4; int $0x80\n"
        "p_cr0: mov %rbx, %cr0; int $0x80\n"
        "p_read_cr3: mov %cr3, %rax; int $0x80\n"
        "p_invpcid: invpcid (%rbx), %rax; int $0x80\n"
        "p_read: mov (%rbx), %rax; int $0x80\n"
        ".code32\n"
        "p_compat: .byte 0xf3, 0x0f, 0xae, 0xc0; int $0x80\n" /* rdfsbase %eax */
        ".code64\n");

enum { FSGSBASE = 1 << 16, PCIDE = 1 << 17, PGE = 1 << 7 };
enum { P = 1, RW = 2, US = 4, G = 0x100 };

#define NO_FLUSH (1ull << 63)
#define ADDRESS (1ull << 39)
#define FRAMES 0x300000ull

/* Two address spaces that differ in the page at ADDRESS. */
static uint64_t *const top[2] = {(uint64_t *)0x201000, (uint64_t *)0x205000};
static uint64_t *const leaf[2] = {(uint64_t *)0x204000, (uint64_t *)0x208000};
static uint64_t descriptor[2] __attribute__((aligned(16)));

static uint64_t
read_cr4(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static void
write_cr4(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static uint64_t
read_cr3(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static void
write_cr3(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static Event
with(const uint8_t *code, unsigned ring, uint64_t rax, uint64_t rbx)
{
    Context c = context(code, ring);

    c.gpr[RAX] = rax;
    c.gpr[RBX] = rbx;
    return run(c);
}

static void
say(const char *key, Event e)
{
    log_text("%s: vec=%x err=%x rax=%X\n", key, (uint32_t)e.vector, (uint32_t)e.error,
             e.at.gpr[RAX]);
}

static void
bases(void)
{
    const uint64_t cr4 = read_cr4();

    write_msr(0xc0000100, 0x1122334455ull);
    write_msr(0xc0000101, 0x6677889900ull);
    write_cr4(cr4 & ~(uint64_t)FSGSBASE);
    say("off rdfsbase", with(p_rdfs, 3, 0, 0));
    say("off wrgsbase", with(p_wrgs, 0, 0, 0));
    write_cr4(cr4 | FSGSBASE);
    say("rdfsbase", with(p_rdfs, 3, 0, 0));
    say("rdgsbase", with(p_rdgs, 3, 0, 0));
    say("rdfsbase 32", with(p_rdfs32, 3, 0, 0));
    say("wrfsbase", with(p_wrfs, 3, 0, 0xffff900000000000ull));
    say("wrfsbase 32", with(p_wrfs32, 3, 0, 0xffff900012345678ull));
    say("wrgsbase", with(p_wrgs, 3, 0, 0x00007fffffffffffull));
    say("wrgsbase not canonical", with(p_wrgs, 0, 0, 0x0000800000000000ull));
    log_text("gs after: %X\n", read_msr(0xc0000101));
    log_text("fs after: %X\n", read_msr(0xc0000100));
    say("rdfsbase in compatibility mode", run(context_compat(p_compat, 3)));
    write_cr4(cr4);
}

static void
make_spaces(void)
{
    const uint64_t *now = (const uint64_t *)(read_cr3() & ~0xfffull);

    for (unsigned space = 0; space < 2; space++) {
        uint64_t *tables[4];

        for (unsigned i = 0; i < 4; i++) {
            tables[i] = top[space] + i * 512;
            for (unsigned k = 0; k < 512; k++)
                tables[i][k] = i == 0 ? now[k] : 0;
        }
        tables[0][1] = (uint64_t)tables[1] | P | RW | US;
        tables[1][0] = (uint64_t)tables[2] | P | RW | US;
        tables[2][0] = (uint64_t)tables[3] | P | RW | US;
        tables[3][0] = (FRAMES + 0x1000 * space) | P | RW | US;
        *(uint64_t *)(FRAMES + 0x1000 * space) = 0xa0 + space;
    }
}

static uint64_t
seen(void)
{
    Event e = with(p_read, 0, 0, ADDRESS);

    return e.vector == 0x80 ? e.at.gpr[RAX] : e.vector;
}

static void
enabling(uint64_t plain)
{
    const uint64_t cr4 = read_cr4();
    uint64_t cr0;

    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    say("bit 63 of cr3 without pcide", with(p_cr3, 0, 0, plain | NO_FLUSH));
    write_cr3(plain | 8);
    say("pcide with pcid in cr3", with(p_cr4, 0, 0, cr4 | PCIDE));
    write_cr3(plain);
    say("pcide", with(p_cr4, 0, 0, cr4 | PCIDE));
    log_text("cr4: %x\n", (uint32_t)read_cr4() & PCIDE);
    say("no paging with pcide", with(p_cr0, 0, 0, cr0 & ~(1ull << 31)));
    say("cr3 with pcid", with(p_cr3, 0, 0, plain | 0xabc));
    log_text("cr3: %x\n", (uint32_t)read_cr3() & 0xfff);
    say("cr3 with bit 63", with(p_cr3, 0, 0, plain | 0xabc | NO_FLUSH));
    log_text("cr3 reads: %x\n", (uint32_t)(read_cr3() >> 63));
    say("cr3 with bit 62", with(p_cr3, 0, 0, plain | 1ull << 62));
    write_cr3(plain);
}

static void
switching(void)
{
    const uint64_t first = (uint64_t)top[0] | 1, second = (uint64_t)top[1] | 2;

    write_cr3(first);
    log_text("first: %X\n", seen());
    write_cr3(second);
    log_text("second: %X\n", seen());
    write_cr3(first | NO_FLUSH);
    log_text("first kept: %X\n", seen());
    write_cr3(second | NO_FLUSH);
    log_text("second kept: %X\n", seen());
    /* A page that changes while the other space is current, flushed by each of the ways. */
    leaf[0][0] = (FRAMES + 0x2000) | P | RW | US;
    *(uint64_t *)(FRAMES + 0x2000) = 0xb0;
    write_cr3(first);
    log_text("first reloaded: %X\n", seen());
    leaf[0][0] = (FRAMES + 0x1000) | P | RW | US;
    descriptor[0] = 1;
    descriptor[1] = ADDRESS;
    with(p_invpcid, 0, 0, (uint64_t)descriptor);
    log_text("first by address: %X\n", seen());
    leaf[0][0] = (FRAMES + 0x2000) | P | RW | US;
    with(p_invpcid, 0, 1, (uint64_t)descriptor);
    log_text("first by context: %X\n", seen());
    leaf[0][0] = (FRAMES + 0x1000) | P | RW | US;
    with(p_invpcid, 0, 3, (uint64_t)descriptor);
    log_text("first by all but global: %X\n", seen());
    leaf[0][0] = (FRAMES + 0x2000) | P | RW | US | G;
    with(p_invpcid, 0, 2, (uint64_t)descriptor);
    log_text("first by all: %X\n", seen());
    leaf[0][0] = (FRAMES + 0x1000) | P | RW | US;
    with(p_invpcid, 0, 2, (uint64_t)descriptor);
    log_text("first, was global: %X\n", seen());
}

static void
invalid(void)
{
    static const struct {
        const char *name;
        uint64_t type, pcid, address;
    } cases[] = {{"type 4", 4, 0, 0},
                 {"type high", 1ull << 32, 0, 0},
                 {"pcid too large", 0, 0x1000, 0},
                 {"pcid too large, all", 2, 0x1000, 0},
                 {"not canonical", 0, 1, 0x0000800000000000ull},
                 {"not canonical, context", 1, 1, 0x0000800000000000ull},
                 {"pcid 5", 0, 5, 0}};
    const uint64_t plain = read_cr3() & ~0xfffull;

    for (unsigned pcide = 0; pcide < 2; pcide++) {
        write_cr3(plain);
        write_cr4(pcide ? read_cr4() | PCIDE : read_cr4() & ~(uint64_t)PCIDE);
        for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
            descriptor[0] = cases[i].pcid;
            descriptor[1] = cases[i].address;
            log_text("invpcid %s, pcide=%u: vec=%x\n", cases[i].name, pcide,
                     (uint32_t)with(p_invpcid, 0, cases[i].type, (uint64_t)descriptor).vector);
        }
    }
    log_text("invpcid ring 3: vec=%x\n",
             (uint32_t)with(p_invpcid, 3, 0, (uint64_t)descriptor).vector);
    log_text("invpcid absent: vec=%x\n", (uint32_t)with(p_invpcid, 0, 0, 2ull << 39).vector);
}

void
guest_main(void)
{
    uint64_t plain;

    guest_setup();
    bases();
    make_spaces();
    plain = read_cr3() & ~0xfffull;
    write_cr4(read_cr4() | PGE);
    enabling(plain);
    switching();
    invalid();
    log_end();
}
