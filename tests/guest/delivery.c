/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Page faults in the CPU's own accesses: IDT, GDT, LDT, TSS, I/O map, inner stacks, frames in the
 * middle, task switches; which pairs of faults become #DF when a page fault is one of them; SMAP
 * and implicit accesses. Intel SDM volume 3A 4.6.1, 6.15 (table 6-5), 7.3. */
#include "tests/guest/lib/guest32.h"

extern const uint8_t n_int90[], n_intf0[], n_ud[], n_gp[], n_load[], n_in[], n_call[];
extern const uint8_t n_jump[], n_read[], n_end[], n_verr[], n_load_ac[], n_iret[], n_retf[];

__asm__("n_int90: int $0x90; int $0x80\n"
        "n_intf0: int $0xf0; int $0x80\n"
        "n_ud: ud2\n"
        "n_gp: hlt\n"
        "n_load: mov %ax, %es; int $0x80\n"
        "n_load_ac: .byte 0x0f, 0x01, 0xcb; mov %ax, %es; int $0x80\n"
        "n_verr: verr %ax; int $0x80\n"
        "n_in: inb $0x80, %al; int $0x80\n"
        "n_call: lcall *(%ebx); int $0x80\n"
        "n_jump: ljmp *(%ebx); int $0x80\n"
        "n_read: movl (%ebx), %eax; int $0x80\n"
        "n_iret: iretl\n"
        "n_retf: lret\n"
        "n_end: int $0x80\n");

enum { P = 1, RW = 2, US = 4 };

static uint32_t *const dir = (uint32_t *)0x200000;
static uint32_t *const low = (uint32_t *)0x201000;
/* Pages for the structures under test. */
enum { AREA = 0x300000, AREA2 = AREA + 0x1000, PAGE = 0x1000 };

static struct {
    uint32_t offset;
    uint16_t selector;
} __attribute__((packed)) pointer;

static void
set_page(uint32_t address, uint32_t flags)
{
    low[address >> 12] = (address & ~0xfffu) | flags;
    write_cr3((uint32_t)dir);
}

static void
prepare(void)
{
    guest_setup();
    for (unsigned i = 0; i < 1024; i++)
        low[i] = i << 12 | P | RW | US;
    dir[0] = (uint32_t)low | P | RW | US;
    for (unsigned i = 1; i < 1024; i++)
        dir[i] = 0;
    write_cr3((uint32_t)dir);
    write_cr0(read_cr0() | 0x80010000u);
    for (uint32_t *p = (uint32_t *)AREA; p < (uint32_t *)(AREA + 4 * PAGE); p++)
        *p = 0;
}

static Event
go(const char *key, const uint8_t *code, unsigned ring, uint32_t eax, uint32_t ebx)
{
    Context c = context(code, ring);
    Event e;

    c.eax = eax;
    c.ebx = ebx;
    e = run(c);
    log_text("%s: vec=%x err=%x ip=+%x cs=%x es=%x", key, e.vector, e.error,
             e.at.eip - (uint32_t)code, e.at.cs, e.at.es);
    /* Which field of a structure is read first is the CPU's choice; its page is not. */
    if (e.vector == 14)
        log_text(" page=%x", e.cr2 >> 12);
    log_text("\n");
    return e;
}

/* A handler in ring 1 whose stack is on a page that is missing or read-only. */
static void
inner_stack(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
        unsigned vector;
    } cases[] = {{"int", n_int90, 0x90}, {"#UD", n_ud, 6}, {"#GP", n_gp, 13}, {"#PF", n_read, 14}};
    static const uint32_t pages[] = {0, P, P | US};

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned k = 0; k < 3; k++) {
            prepare();
            tss.esp1 = AREA2;
            idt[cases[i].vector] = gate(SEL_CODE1, (uint32_t)n_end, 0xee, 0);
            set_page(AREA, pages[k]);
            set_page(AREA2 + PAGE, 0);
            log_text("stack page=%x ", pages[k]);
            go(cases[i].name, cases[i].code, 3, 0, AREA2 + PAGE);
        }
        prepare();
        tss.esp1 = AREA2 + 8; /* the first two words fit */
        idt[cases[i].vector] = gate(SEL_CODE1, (uint32_t)n_end, 0xee, 0);
        set_page(AREA, 0);
        set_page(AREA2 + PAGE, 0);
        log_text("frame across pages ");
        go(cases[i].name, cases[i].code, 3, 0, AREA2 + PAGE);
    }
}

static void
after_page_fault(void)
{
    static const struct {
        const char *name;
        unsigned selector, attr;
    } second[] = {{"not present", SEL_CODE0, 0x0e}, {"null", 0, 0x8e}, {"data", SEL_DATA0, 0x8e}};

    for (unsigned i = 0; i < 3; i++) {
        prepare();
        idt[14] = gate(second[i].selector, 0, second[i].attr, 0);
        set_page(AREA, 0);
        log_text("#PF then ");
        go(second[i].name, n_read, 3, 0, AREA);
    }
}

static void
load_table(const char *which, uint32_t base, uint16_t limit)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) table = {limit, base};

    if (which[0] == 'g')
        __asm__ volatile("lgdt %0" : : "m"(table));
    else
        __asm__ volatile("lidt %0" : : "m"(table));
}

static void
copy(uint32_t to, const void *from, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
}

/* The first half of the IDT and of the GDT is there, the rest is on the next page. */
static void
tables(void)
{
    uint32_t place = AREA2 - 0x90 * 8;

    prepare();
    copy(place, idt, sizeof idt);
    load_table("idt", place, sizeof idt - 1);
    set_page(AREA2, 0);
    go("idt page missing", n_intf0, 3, 0, 0);
    go("idt page missing ring 0", n_intf0, 0, 0, 0);
    prepare();
    gdt_set(SEL_FREE, 0, 0xfffff, 0x92 | ATTR_FLAT | ATTR_DPL3);
    place = AREA2 - SEL_FREE;
    copy(place, gdt, sizeof gdt);
    load_table("gdt", place, sizeof gdt - 1);
    set_page(AREA2, 0);
    go("gdt page missing", n_load, 3, SEL_FREE | 3, 0);
    go("gdt page missing verr", n_verr, 3, SEL_FREE | 3, 0);
    pointer.selector = SEL_FREE;
    go("gdt page missing call", n_call, 3, 0, (uint32_t)&pointer);
    set_page(AREA2, P | US);
    go("gdt page read-only", n_load, 3, SEL_FREE | 3, 0);
    write_cr0(read_cr0() & ~0x10000u);
    go("gdt page read-only without WP", n_load, 3, SEL_FREE | 3, 0);
    set_page(AREA2, P);
    go("gdt page supervisor", n_load, 3, SEL_FREE | 3, 0);
    prepare();
    gdt_set(SEL_LDT, AREA, 0xff, 0x82);
    __asm__ volatile("lldt %w0" : : "r"(SEL_LDT));
    set_page(AREA, 0);
    go("ldt page missing", n_load, 3, 0xf, 0);
}

static void
task_state(void)
{
    uint32_t place = AREA2 - 12; /* ESP0 and SS0 are there, ESP1 is not */

    prepare();
    copy(place, &tss, 0x68);
    gdt_set(SEL_TSS, place, sizeof tss - 1, 0x89);
    __asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
    idt[0x90] = gate(SEL_CODE1, (uint32_t)n_end, 0xee, 0);
    set_page(AREA2, 0);
    go("tss page missing", n_int90, 3, 0, 0);
    go("io map offset missing", n_in, 3, 0, 0);
    prepare();
    place = AREA2 - offsetof(Tss, io_bits) - 8;
    copy(place, &tss, 0x68);
    gdt_set(SEL_TSS, place, sizeof tss - 1, 0x89);
    __asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
    set_page(AREA2, 0);
    go("io map page missing", n_in, 3, 0, 0);
}

static void
call_gate(void)
{
    Context c;
    Event e;

    prepare();
    gdt[SEL_FREE >> 3] = gate(SEL_CODE1, (uint32_t)n_end, 0xec, 4);
    pointer.selector = SEL_FREE;
    c = context(n_call, 3);
    c.ebx = (uint32_t)&pointer;
    c.esp = AREA2 - 8; /* two of four parameters */
    set_page(AREA2, 0);
    e = run(c);
    log_text("parameters on a missing page: vec=%x err=%x cr2=%x esp=%x\n", e.vector, e.error,
             e.cr2, e.at.esp);
    c.esp = AREA2 + PAGE;
    gdt[SEL_FREE >> 3] = gate(SEL_CONFORMING, (uint32_t)n_end, 0xec, 0);
    c.esp = AREA2;
    set_page(AREA, P | US);
    e = run(c);
    log_text("call on a read-only stack: vec=%x err=%x cr2=%x esp=%x cs=%x\n", e.vector, e.error,
             e.cr2, e.at.esp, e.at.cs);
    idt[0x90] = gate(SEL_CONFORMING, (uint32_t)n_end, 0xee, 0);
    c.eip = (uint32_t)n_int90;
    e = run(c);
    log_text("int on a read-only stack: vec=%x err=%x cr2=%x esp=%x cs=%x\n", e.vector, e.error,
             e.cr2, e.at.esp, e.at.cs);
    c = context(n_iret, 3);
    c.esp = AREA2 - 8;
    e = run(c);
    log_text("iret across pages: vec=%x err=%x cr2=%x esp=%x\n", e.vector, e.error, e.cr2,
             e.at.esp);
    c.eip = (uint32_t)n_retf;
    c.esp = AREA2 - 4;
    e = run(c);
    log_text("ret across pages: vec=%x err=%x cr2=%x esp=%x\n", e.vector, e.error, e.cr2, e.at.esp);
}

static uint32_t
task_register(void)
{
    uint32_t tr;

    __asm__ volatile("str %0" : "=r"(tr));
    return tr;
}

static void
tasks(void)
{
    Event e;

    prepare();
    gdt_set(SEL_TSS2, AREA, 0x67, 0x89);
    pointer.selector = SEL_TSS2;
    set_page(AREA, 0);
    e = go("new tss missing", n_jump, 0, 0, (uint32_t)&pointer);
    log_text("new tss missing state: tr=%x type=%x\n", task_register(),
             (uint32_t)(gdt[SEL_TSS2 >> 3] >> 40) & 0xff);
    gdt_set(SEL_TSS2, AREA2 - 0x30, 0x67, 0x89);
    set_page(AREA, P | RW | US);
    set_page(AREA2, 0);
    e = go("half of the new tss missing", n_jump, 0, 0, (uint32_t)&pointer);
    log_text("half missing state: tr=%x type=%x\n", task_register(),
             (uint32_t)(gdt[SEL_TSS2 >> 3] >> 40) & 0xff);
    (void)e;
}

/* Supervisor pages for all that ring 0 needs; the LDT is on a user page. Implicit accesses fault
 * whatever EFLAGS.AC says. */
static void
guards(void)
{
    prepare();
    for (unsigned i = 0; i < 1024; i++)
        low[i] &= ~(uint32_t)US;
    gdt_set(SEL_LDT, AREA, 0xff, 0x82);
    __asm__ volatile("lldt %w0" : : "r"(SEL_LDT));
    *(uint64_t *)(AREA + 8) = descriptor(0, 0xfffff, 0x93 | ATTR_FLAT);
    set_page(AREA, P | RW | US);
    go("ldt on a user page", n_load, 0, 0xc, 0);
    write_cr4(read_cr4() | 0x200000);
    go("ldt on a user page with SMAP", n_load, 0, 0xc, 0);
    go("ldt on a user page with SMAP and AC", n_load_ac, 0, 0xc, 0);
    write_cr4(read_cr4() & ~0x200000u);
}

void
guest_main(void)
{
    guest_setup();
    inner_stack();
    after_page_fault();
    tables();
    task_state();
    call_gate();
    tasks();
    guards();
    log_end();
}
