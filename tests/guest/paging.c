/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Paging in 32-bit and PAE form: error codes, accessed and dirty bits, U/S and R/W with and without
 * CR0.WP, large and global pages, reserved bits, NX, SMEP, SMAP, PAE's directory pointers, TLB
 * entries that outlive their tables. Intel SDM volume 3A chapter 4. */
#include "tests/guest/lib/guest32.h"

extern const uint8_t g_read[], g_write[], g_rmw[], g_jump[], g_stac_read[];
extern const uint8_t g_clac_read[], g_push[];

__asm__("g_read: movl (%ebx), %eax; int $0x80\n"
        "g_write: movl %eax, (%ebx); int $0x80\n"
        "g_rmw: addl $0, (%ebx); int $0x80\n"
        "g_jump: jmp *%ebx\n"
        "g_stac_read: .byte 0x0f, 0x01, 0xcb; movl (%ebx), %eax; int $0x80\n"
        "g_clac_read: .byte 0x0f, 0x01, 0xca; movl (%ebx), %eax; int $0x80\n"
        "g_push: movl %ebx, %esp; pushl %eax; int $0x80\n");

enum { P = 1, RW = 2, US = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };

/* Tables from 2 MiB on; the page under test is at 4 MiB + 0x5000 and backed at 3 MiB. */
static uint32_t *const dir = (uint32_t *)0x200000;
static uint32_t *const low = (uint32_t *)0x201000;  /* first 4 MiB, one to one */
static uint32_t *const test = (uint32_t *)0x202000; /* second 4 MiB */
enum { PAGE = 0x405000, FRAME = 0x300000, INDEX = 5 };

static void
flush(void)
{
    write_cr3((uint32_t)dir);
}

/* Everything that the program itself uses is a user page, so that any ring runs; with SMEP and SMAP
 * ring 0 needs supervisor pages, see `shared`. */
static void
map_low(uint32_t flags)
{
    for (unsigned i = 0; i < 1024; i++)
        low[i] = i << 12 | flags;
}

static void
set_page(uint32_t pde, uint32_t pte)
{
    dir[1] = (uint32_t)test | pde;
    for (unsigned i = 0; i < 1024; i++)
        test[i] = 0;
    test[INDEX] = FRAME | pte;
    test[INDEX + 1] = 0;
    flush();
}

static void
paging_on(void)
{
    for (unsigned i = 0; i < 1024; i++)
        dir[i] = 0;
    map_low(P | RW | US);
    dir[0] = (uint32_t)low | P | RW | US;
    for (uint32_t *p = (uint32_t *)FRAME; p < (uint32_t *)(FRAME + 0x1000); p++)
        *p = 0x000080cd; /* int $0x80 */
    flush();
    write_cr0(read_cr0() | 0x80000000);
}

static Event
touch(const uint8_t *code, unsigned ring, uint32_t address)
{
    Context c = context(code, ring);

    c.ebx = address;
    return run(c);
}

/* Whether a walk that ends in a fault marks the upper entry accessed is the CPU's choice: it is not
 * logged then. */
static void
outcome(const char *key, const uint8_t *code, unsigned ring, uint32_t address)
{
    Event e = touch(code, ring, address);

    log_text("%s ring%u", key, ring);
    if (e.vector == 14)
        log_text(": fault %x cr2=%x dirty=%x\n", e.error, e.cr2, test[INDEX] & D);
    else
        log_text(": vec=%x err=%x ad=%x,%x\n", e.vector, e.error, dir[1] & (A | D),
                 test[INDEX] & (A | D));
}

static void
protection(bool wp)
{
    write_cr0((read_cr0() & ~0x10000u) | (wp ? 0x10000 : 0));
    for (uint32_t pde = 0; pde < 8; pde++) {
        for (uint32_t pte = 0; pte < 8; pte++) {
            for (unsigned ring = 0; ring < 4; ring += 3) {
                log_text("wp=%u pde=%x pte=%x ", wp, pde, pte);
                set_page(pde, pte);
                outcome("read", g_read, ring, PAGE);
                log_text("wp=%u pde=%x pte=%x ", wp, pde, pte);
                set_page(pde, pte);
                outcome("write", g_write, ring, PAGE);
            }
        }
    }
}

static void
accessed_dirty(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
    } cases[] = {{"read", g_read}, {"write", g_write}, {"rmw", g_rmw}, {"jump", g_jump}};

    write_cr0(read_cr0() & ~0x10000u);
    for (unsigned i = 0; i < 4; i++) {
        set_page(P | RW | US, P | RW | US);
        log_text("a/d ");
        outcome(cases[i].name, cases[i].code, 3, PAGE);
    }
    set_page(P | RW | US, P | US);
    log_text("a/d refused ");
    outcome("rmw", g_rmw, 3, PAGE);
    set_page(P | RW | US, P | RW | US);
    log_text("crossing ");
    outcome("write", g_write, 3, PAGE + 0xffe);
    log_text("crossing ");
    outcome("read", g_read, 3, PAGE + 0xffd);
    set_page(P | RW | US, P | RW | US);
    log_text("push on missing page ");
    outcome("push", g_push, 3, PAGE + 0x1004);
    set_page(P | RW | US, P | RW | US);
    log_text("read then write ");
    outcome("read", g_read, 3, PAGE);
    log_text("read then write ");
    outcome("write", g_write, 3, PAGE);
}

static void
large_pages(void)
{
    write_cr4(read_cr4() | 0x10);
    dir[1] = 0x400000 | PS | P | RW | US;
    flush();
    *(volatile uint32_t *)(0x400000 + 0x5000) = 0x80cd;
    log_text("4M ");
    outcome("read", g_read, 3, PAGE);
    log_text("4M ");
    outcome("write", g_write, 3, PAGE);
    dir[1] = 0x400000 | PS | P | RW | US | 0x200000;
    flush();
    log_text("4M reserved ");
    outcome("read", g_read, 3, PAGE);
    dir[1] = 0x400000 | PS | P | US;
    flush();
    log_text("4M read-only ");
    outcome("write", g_write, 3, PAGE);
    write_cr4(read_cr4() & ~0x10u);
    dir[1] = (uint32_t)test | PS | P | RW | US;
    flush();
    test[INDEX] = FRAME | P | RW | US;
    log_text("PS without PSE ");
    outcome("read", g_read, 3, PAGE);
}

/* A changed entry is seen after INVLPG, MOV CR3 (unless global), and toggling PGE. */
static void
tlb(void)
{
    *(volatile uint32_t *)(FRAME + 0x1000) = 2;
    for (unsigned global = 0; global < 2; global++) {
        uint32_t first, after_cr3, after_invlpg;

        write_cr4(read_cr4() | 0x80);
        *(volatile uint32_t *)FRAME = 1;
        set_page(P | RW | US, P | RW | US | (global ? G : 0));
        first = *(volatile uint32_t *)PAGE;
        test[INDEX] = (FRAME + 0x1000) | P | RW | US | (global ? G : 0);
        flush();
        after_cr3 = *(volatile uint32_t *)PAGE;
        __asm__ volatile("invlpg (%0)" : : "r"(PAGE) : "memory");
        after_invlpg = *(volatile uint32_t *)PAGE;
        log_text("global=%u: %u %u %u\n", global, first, after_cr3, after_invlpg);
        test[INDEX] = FRAME | P | RW | US | (global ? G : 0);
        write_cr4(read_cr4() & ~0x80u);
        log_text("global=%u after PGE off: %u\n", global, *(volatile uint32_t *)PAGE);
    }
    *(volatile uint32_t *)FRAME = 0x80cd;
}

/* A loop of few turns that is entered often, in two pages, of which the first goes to another frame
 * in between: what was found out about it the last time is true until INVLPG only. */
static void
short_loops(void)
{
    volatile uint32_t *const page = (uint32_t *)PAGE;
    uint32_t sum = 1;

    set_page(P | RW | US, P | RW | US);
    test[INDEX + 1] = (FRAME + 0x1000) | P | RW | US;
    for (unsigned i = 0; i < 0x3000 / 4; i++)
        ((volatile uint32_t *)FRAME)[i] = i * i;
    for (unsigned round = 0; round < 160; round++) {
        test[INDEX] = (FRAME + (round & 1) * 0x2000) | P | RW | US;
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
    set_page(P | RW | US, P | RW | US);
    *(volatile uint32_t *)FRAME = 0x80cd;
}

static void
supervisor_guards(void)
{
    /* Ring 0 runs from supervisor pages; the test page is a user page. */
    for (unsigned i = 0; i < 1024; i++)
        low[i] &= ~(uint32_t)US;
    flush();
    set_page(P | RW | US, P | RW | US);
    log_text("no smep ");
    outcome("jump", g_jump, 0, PAGE);
    write_cr4(read_cr4() | 0x100000);
    log_text("smep ");
    outcome("jump", g_jump, 0, PAGE);
    log_text("smep ");
    outcome("read", g_read, 0, PAGE);
    write_cr4((read_cr4() & ~0x100000u) | 0x200000);
    log_text("smap ");
    outcome("read", g_read, 0, PAGE);
    log_text("smap ");
    outcome("write", g_write, 0, PAGE);
    log_text("smap ");
    outcome("jump", g_jump, 0, PAGE);
    log_text("smap stac ");
    outcome("read", g_stac_read, 0, PAGE);
    log_text("smap clac ");
    outcome("read", g_clac_read, 0, PAGE);
    write_cr4(read_cr4() & ~0x200000u);
    map_low(P | RW | US);
    flush();
    log_text("stac ring 3 ");
    outcome("read", g_stac_read, 3, PAGE);
}

/* ---- PAE ---- */
static uint64_t *const pdpt = (uint64_t *)0x203000;
static uint64_t *const pae_dir = (uint64_t *)0x204000;
static uint64_t *const pae_test = (uint64_t *)0x205000;
extern const uint8_t g_mov_cr3[], g_mov_cr4[];

__asm__("g_mov_cr3: mov %ebx, %cr3; int $0x80\n"
        "g_mov_cr4: mov %ebx, %cr4; int $0x80\n");

static void
pae_page(uint64_t pde, uint64_t pte)
{
    pae_dir[2] = (uint32_t)pae_test | pde;
    for (unsigned i = 0; i < 512; i++)
        pae_test[i] = 0;
    pae_test[INDEX] = FRAME | pte;
    write_cr3((uint32_t)pdpt);
}

static void
pae_outcome(const char *key, const uint8_t *code, unsigned ring)
{
    Event e = touch(code, ring, PAGE);

    log_text("pae %s ring%u", key, ring);
    if (e.vector == 14)
        log_text(": fault %x cr2=%x dirty=%x\n", e.error, e.cr2, (uint32_t)pae_test[INDEX] & D);
    else
        log_text(": vec=%x err=%x ad=%x,%x\n", e.vector, e.error, (uint32_t)pae_dir[2] & (A | D),
                 (uint32_t)pae_test[INDEX] & (A | D));
}

static void
write_efer(uint32_t value)
{
    __asm__ volatile("wrmsr" : : "c"(0xc0000080), "a"(value), "d"(0));
}

static void
pae(void)
{
    static const uint64_t nx = 1ull << 63;
    Event e;

    write_cr0(read_cr0() & ~0x80000000u);
    for (unsigned i = 0; i < 512; i++)
        pae_dir[i] = 0;
    for (unsigned i = 0; i < 4; i++)
        pdpt[i] = 0;
    pdpt[0] = (uint32_t)pae_dir | P;
    pae_dir[0] = PS | P | RW | US;
    pae_dir[1] = 0x200000 | PS | P | RW | US;
    write_cr4(read_cr4() | 0x20);
    write_cr3((uint32_t)pdpt);
    write_cr0(read_cr0() | 0x80010000u);
    pae_page(P | RW | US, P | RW | US);
    pae_outcome("read", g_read, 3);
    pae_outcome("write", g_write, 3);
    pae_page(P | RW | US, P | RW | US | nx);
    pae_outcome("nx off read", g_read, 3);
    write_efer(0x800);
    pae_page(P | RW | US, P | RW | US | nx);
    pae_outcome("nx read", g_read, 3);
    pae_outcome("nx jump", g_jump, 3);
    pae_outcome("nx jump", g_jump, 0);
    pae_page(P | RW | US | nx, P | RW | US);
    pae_outcome("nx pde jump", g_jump, 3);
    pae_page(P | RW | US, 0);
    pae_outcome("nx jump missing", g_jump, 3);
    pae_page(P | RW | US, P | US);
    pae_outcome("write read-only", g_write, 0);
    pae_page(P | RW | US, P | RW | US | 1ull << 52);
    pae_outcome("reserved pte", g_read, 3);
    pae_page(P | RW | US | 1ull << 62, P | RW | US);
    pae_outcome("reserved pde", g_write, 0);
    pae_dir[2] = 0x400000 | PS | P | RW | US | 0x2000;
    write_cr3((uint32_t)pdpt);
    pae_outcome("reserved 2M", g_read, 3);
    write_efer(0);
    pae_page(P | RW | US, P | RW | US);
    pdpt[2] = 0x1e6 | P;
    e = touch(g_mov_cr3, 0, (uint32_t)pdpt);
    log_text("pdpte reserved bits: vec=%x err=%x\n", e.vector, e.error);
    pdpt[2] = 0x1e6;
    e = touch(g_mov_cr3, 0, (uint32_t)pdpt);
    log_text("pdpte reserved, not present: vec=%x err=%x\n", e.vector, e.error);
    pdpt[2] = 0;
    /* The pointers are read with MOV CR3 only. */
    pdpt[0] = 0;
    log_text("pdpte cached: %x\n", *(volatile uint32_t *)PAGE);
    pdpt[0] = (uint32_t)pae_dir | P;
    e = touch(g_mov_cr4, 0, read_cr4() | 1u << 31);
    log_text("cr4 reserved: vec=%x err=%x\n", e.vector, e.error);
    write_cr0(read_cr0() & ~0x80000000u);
    write_cr4(read_cr4() & ~0x20u);
}

void
guest_main(void)
{
    guest_setup();
    paging_on();
    protection(false);
    protection(true);
    accessed_dirty();
    large_pages();
    tlb();
    short_loops();
    supervisor_guards();
    pae();
    log_end();
}
