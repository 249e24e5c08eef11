/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Jumps, calls and returns between pages whose mapping changes, instructions that cross pages, and
 * operands in two pages, string and bit instructions that meet a missing page. Intel SDM volume 3A
 * 4.10.4 (INVLPG), volume 2 (REP, BTS), volume 1 section 6.2 (canonical targets). */
#include "tests/guest/lib/guest64.h"

enum { P = 1, RW = 2, US = 4 };

static uint64_t *const level[4] = {(uint64_t *)0x60000, (uint64_t *)0x201000, (uint64_t *)0x202000,
                                   (uint64_t *)0x203000};
/* Pages of the window, each of a frame of the same number at first. */
#define WINDOW (1ull << 39 | 2ull << 30 | 3ull << 21)
#define FRAMES 0x300000ull
#define PAGE 0x1000ull
#define TIMES 2000

static uint8_t *
frame(unsigned number)
{
    return (uint8_t *)(FRAMES + number * PAGE);
}

static uint64_t
window(unsigned page)
{
    return WINDOW + page * PAGE;
}

static void
map(unsigned page, uint64_t entry)
{
    level[3][page] = entry;
    __asm__ volatile("invlpg (%0)" : : "r"(window(page)) : "memory");
}

static uint64_t
present(unsigned number)
{
    return (uint64_t)frame(number) | P | RW | US;
}

static void
build(void)
{
    for (unsigned i = 0; i < 3; i++)
        level[i][i + 1] = (uint64_t)level[i + 1] | P | RW | US;
    for (unsigned i = 0; i < 16; i++)
        level[3][i] = present(i);
    __asm__ volatile("mov %0, %%cr3" : : "r"(0x60000ull) : "memory");
}

static void
put(unsigned number, unsigned offset, const void *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        frame(number)[offset + i] = ((const uint8_t *)bytes)[i];
}

/* Calls code at an address; what it leaves in RAX. */
static uint64_t
call(uint64_t address, uint64_t rbx, uint64_t rcx, uint64_t rdx)
{
    uint64_t rax = 0;

    __asm__ volatile("call *%[address]"
                     : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx)
                     : [address] "r"(address)
                     : "memory", "cc");
    return rax;
}

static uint64_t
many_calls(uint64_t address)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < TIMES; i++)
        sum += call(address, 0, 0, 0);
    return sum;
}

/* A call to the next page, which is one frame, then another. */
static void
called_page(void)
{
    static const uint8_t caller[] = {0xe8, 0xfb, 0x0f, 0, 0, 0x90, 0xc3}; /* call +1000; ret */
    static const uint8_t one[] = {0xb8, 1, 0, 0, 0, 0xc3}, two[] = {0xb8, 2, 0, 0, 0, 0xc3};

    put(0, 0, caller, sizeof caller);
    put(1, 0, one, sizeof one);
    put(2, 0, two, sizeof two);
    for (unsigned i = 0; i < 4; i++) {
        map(1, present(1 + i % 2));
        log_text("called page %u: %X\n", i, many_calls(window(0)));
    }
    put(1, 1, "\x05", 1); /* its code changes while another frame is there */
    map(1, present(1));
    log_text("called page written: %X\n", many_calls(window(0)));
    build();
}

/* MOV EAX, imm32 whose last three bytes are in the next page. */
static void
crossing(void)
{
    static const uint8_t head[] = {0xb8, 0x11}, one[] = {0x22, 0x33, 0x44, 0xc3},
                         two[] = {0x55, 0x66, 0x77, 0xc3};
    const uint64_t address = window(1) - sizeof head;
    Context c = context((const void *)address, 0);
    Event e;

    put(0, PAGE - sizeof head, head, sizeof head);
    put(1, 0, one, sizeof one);
    put(2, 0, two, sizeof two);
    for (unsigned i = 0; i < 4; i++) {
        map(1, present(1 + i % 2));
        log_text("crossing %u: %X\n", i, many_calls(address));
    }
    put(1, 2, "\x01", 1);
    map(1, present(1));
    log_text("crossing written: %X\n", many_calls(address));
    map(1, 0);
    e = run(c);
    log_text("crossing absent: vec=%x error=%x cr2=%X rip=%X\n", (uint32_t)e.vector,
             (uint32_t)e.error, e.cr2, e.at.rip);
    build();
}

/* The called code maps another frame where it returns to. */
static void
returned_page(void)
{
    /* call +1000; mov eax, 1 or 2; ret */
    static const uint8_t one[] = {0xe8, 0xfb, 0x0f, 0, 0, 0xb8, 1, 0, 0, 0, 0xc3};
    static const uint8_t two[] = {0xe8, 0xfb, 0x0f, 0, 0, 0xb8, 2, 0, 0, 0, 0xc3};
    static const uint8_t remap[] = {0x48, 0x89, 0x0b, 0x0f, 0x01, 0x3a, 0xc3}; /* [rbx] = rcx */
    uint64_t sums[2] = {0, 0};

    put(0, 0, one, sizeof one);
    put(2, 0, two, sizeof two);
    put(1, 0, remap, sizeof remap);
    for (unsigned i = 0; i < TIMES; i++)
        sums[i / 8 % 2] +=
            call(window(0), (uint64_t)&level[3][0], present(i / 8 % 2 * 2), window(0));
    log_text("returned page: %X %X\n", sums[0], sums[1]);
    build();
}

/* Targets that are not canonical fault where they are jumped from. */
static void
targets(void)
{
    static const struct {
        const char *name;
        uint8_t code[4];
    } jumps[] = {{"ret", {0x53, 0xc3}}, {"jmp", {0xff, 0xe3}}, {"call", {0xff, 0xd3}}};

    for (unsigned i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        Context c = context((const void *)window(0), 0);
        Event e;

        put(0, 0, jumps[i].code, sizeof jumps[i].code);
        c.gpr[RBX] = 0x800000000000ull;
        e = run(c);
        log_text("%s: vec=%x rip=%X rsp=-%X\n", jumps[i].name, (uint32_t)e.vector, e.at.rip,
                 c.gpr[RSP] - e.at.gpr[RSP]);
    }
}

/* ---- strings ---- */

static uint32_t
hash_frames(unsigned first, unsigned count)
{
    uint32_t hash = 2166136261u;

    for (unsigned i = 0; i < count * PAGE; i++)
        hash = (hash ^ frame(first)[i]) * 16777619u;
    return hash;
}

static void
fill_frames(void)
{
    for (unsigned i = 0; i < 6 * PAGE; i++)
        frame(4)[i] = (uint8_t)(i * 7 + i / 251);
}

static void
show(const char *key, const char *when, const Event *e)
{
    log_text("%s %s: vec=%x cr2=%X rcx=%X rsi=%X rdi=%X fl=%x mem=%x\n", key, when,
             (uint32_t)e->vector, e->cr2, e->at.gpr[RCX], e->at.gpr[RSI], e->at.gpr[RDI],
             (uint32_t)e->at.rflags & 0xcd5, hash_frames(4, 6));
}

/* With the third page of the target missing, then there; RSI and RDI count from pages 4 and 7. */
static void
string(const char *key, const char *code, unsigned length, uint64_t rsi, uint64_t rdi, uint64_t rcx,
       uint64_t flags)
{
    Context c = context((const void *)window(0), 3);
    Event e;

    fill_frames();
    put(0, 0, code, length);
    put(0, length, "\xcd\x80", 2);
    c.gpr[RAX] = 0x0102030405060742ull;
    c.gpr[RCX] = rcx;
    c.gpr[RSI] = window(4) + rsi;
    c.gpr[RDI] = window(7) + rdi;
    c.rflags |= flags;
    map(9, 0);
    e = run(c);
    show(key, "first", &e);
    map(9, present(9));
    if (e.vector != 14)
        return;
    e = run(e.at);
    show(key, "again", &e);
}

/* Down over itself: a target some bytes above and below the source, then in a page that shows the
 * source's frame too. */
static void
strings_upon_themselves(void)
{
    for (unsigned shared = 0; shared < 2; shared++) {
        const uint64_t target = 0x1800 - (shared ? 0 : 0x3000ull);

        map(8, present(shared ? 5 : 8));
        for (unsigned i = 0; i <= 36; i++) {
            string("rep movsb down upon itself", "\xf3\xa4", 2, 0x1800, target - 18 + i, 100 + i,
                   FL_DF);
            string("rep movsd down upon itself", "\xf3\xa5", 2, 0x1800, target - 18 + i, 30 + i,
                   FL_DF);
        }
    }
    map(8, present(8));
}

static void
strings(void)
{
    string("rep movsb", "\xf3\xa4", 2, 5, 100, 0x2f80, 0);
    string("rep movsb apart", "\xf3\xa4", 2, 0xff0, 0xff8, 20, 0);
    string("rep movsd across", "\xf3\xa5", 2, 6, 1, 0xb00, 0);
    string("rep movsq", "\xf3\x48\xa5", 3, 8, 16, 0x480, 0);
    string("rep movsb upon itself", "\xf3\xa4", 2, 0x2ffe, 0, 300, 0);
    string("rep movsw down", "\x66\xf3\xa5", 3, 0x2800, 0x2800, 0x1200, FL_DF);
    string("rep movsq down across", "\xf3\x48\xa5", 3, 0x1ffc, 0x1ff4, 0x300, FL_DF);
    string("rep movsb of none", "\xf3\xa4", 2, 0, 0, 0, 0);
    string("rep stosb", "\xf3\xaa", 2, 0, 9, 0x2800, 0);
    string("rep stosd across", "\xf3\xab", 2, 0, 2, 0x900, 0);
    string("rep stosq down", "\xf3\x48\xab", 3, 0, 0x2008, 0x200, FL_DF);
    string("repne scasb", "\xf2\xae", 2, 0, 50, 0x1fff, 0);
    string("repe scasb", "\xf3\xae", 2, 0, 50, 0x1fff, 0);
    string("repe cmpsb", "\xf3\xa6", 2, 0, 0, 0x2fff, 0);
    string("repne cmpsw", "\x66\xf2\xa7", 3, 1, 0, 0x1800, 0);
    string("rep lodsb", "\xf3\xac", 2, 0, 0, 5, 0);
    string("movsb", "\xa4", 1, 3, 0x2000, 7, 0);
    string("movsd across", "\xa5", 1, 0xffe, 0x1ffe, 7, 0);
    string("stosq", "\x48\xab", 2, 0, 0xffc, 7, 0);
    string("scasd down", "\xaf", 1, 0, 0x100, 7, FL_DF);
    string("cmpsb", "\xa6", 1, 0x10, 0x2010, 7, 0);
    strings_upon_themselves();
}

/* ---- operands in two pages ---- */

static void
operands(void)
{
    static const char *const names[] = {"read", "write",       "add",          "adc read", "shift",
                                        "xchg", "movdqu read", "movdqu write", "push"};
    static const uint8_t codes[][10] = {
        {0x48, 0x8b, 0x03, 0xcd, 0x80},       /* mov rax, [rbx] */
        {0x48, 0x89, 0x03, 0xcd, 0x80},       /* mov [rbx], rax */
        {0x48, 0x01, 0x03, 0xcd, 0x80},       /* add [rbx], rax */
        {0x48, 0x13, 0x03, 0xcd, 0x80},       /* adc rax, [rbx] */
        {0x48, 0xc1, 0x23, 0x03, 0xcd, 0x80}, /* shl qword [rbx], 3 */
        {0x48, 0x87, 0x03, 0xcd, 0x80},       /* xchg [rbx], rax */
        {0xf3, 0x0f, 0x6f, 0x03, 0xcd, 0x80}, /* movdqu xmm0, [rbx] */
        {0xf3, 0x0f, 0x7f, 0x03, 0xcd, 0x80}, /* movdqu [rbx], xmm0 */
        {0x48, 0x89, 0xdc, 0x50, 0x48, 0x89, 0xe0, 0xcd,
         0x80}, /* mov rsp, rbx; push; mov rax, rsp */
    };

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        Context c = context((const void *)window(0), 3);
        Event e;

        fill_frames();
        put(0, 0, codes[i], sizeof codes[i]);
        c.gpr[RAX] = 0xfedcba9876543210ull;
        c.gpr[RBX] = window(5) - 3;
        c.rflags |= 1; /* CF */
        for (unsigned k = 0; k < 8; k++) {
            map(5, k % 4 == 3 ? 0 : present(5 + k % 2));
            e = run(c);
            log_text("%s %u: vec=%x cr2=%X rax=%X fl=%x mem=%x\n", names[i], k, (uint32_t)e.vector,
                     e.cr2, e.at.gpr[RAX], (uint32_t)e.at.rflags & 0xc5, hash_frames(4, 6));
        }
        map(5, present(5));
    }
}

/* ---- bits ---- */

static void
bits(void)
{
    static const char *const names[] = {"bt", "bts", "btr", "btc", "lock bts", "bts of 32"};
    static const uint8_t codes[][6] = {{0x48, 0x0f, 0xa3, 0x03},       {0x48, 0x0f, 0xab, 0x03},
                                       {0x48, 0x0f, 0xb3, 0x03},       {0x48, 0x0f, 0xbb, 0x03},
                                       {0xf0, 0x48, 0x0f, 0xab, 0x03}, {0x0f, 0xab, 0x03, 0x90}};
    static const int64_t numbers[] = {0, 63, 64, -1, -32769, 8 * 4096 + 5, 3 * 8 * 4096 + 9};

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        for (unsigned k = 0; k < sizeof numbers / sizeof *numbers; k++) {
            Context c = context((const void *)window(0), 3);
            Event e;

            fill_frames();
            put(0, 0, codes[i], 6);
            put(0, codes[i][0] == 0xf0 ? 5 : 4, "\xcd\x80", 2);
            map(9, 0);
            c.gpr[RBX] = window(6) + 0x80;
            c.gpr[RAX] = (uint64_t)numbers[k];
            c.rflags |= FL_ZF;
            e = run(c);
            log_text("%s %X: vec=%x cf=%x zf=%x mem=%x\n", names[i], c.gpr[RAX], (uint32_t)e.vector,
                     (uint32_t)e.at.rflags & 1, (uint32_t)e.at.rflags & FL_ZF, hash_frames(4, 6));
            map(9, present(9));
        }
    }
}

void
guest_main(void)
{
    guest_setup();
    build();
    called_page();
    crossing();
    returned_page();
    targets();
    strings();
    operands();
    bits();
    log_end();
}
