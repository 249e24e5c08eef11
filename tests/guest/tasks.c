/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Task switches by CALL, JMP, IRET, task gates in GDT and IDT, with 32- and 16-bit TSSs: busy bits,
 * NT, the back link, what is saved and loaded, LDT, CR0.TS, the debug trap bit, and each check.
 * Intel SDM volume 3A chapter 7. */
#include "tests/guest/lib/guest32.h"

extern const uint8_t call_task[], jump_task[], new_task[], task_returns[], int_90[], undefined[];

__asm__("call_task: lcall *(%ebx); int $0x80\n"
        "jump_task: ljmp *(%ebx); int $0x80\n"
        "new_task: int $0x80\n"
        "task_returns: iretl; int $0x81\n"
        "int_90: int $0x90; nop; int $0x80\n"
        "undefined: ud2\n");

typedef struct {
    uint16_t link, sp0, ss0, sp1, ss1, sp2, ss2, ip, flags, ax, cx, dx, bx, sp, bp, si, di;
    uint16_t es, cs, ss, ds, ldt;
} Tss16;

static Tss16 tss16;
static struct {
    uint32_t offset;
    uint16_t selector;
} __attribute__((packed)) pointer;

static unsigned
type_of(unsigned selector)
{
    return (unsigned)(gdt[selector >> 3] >> 40) & 0xff;
}

/* A new task in ring 0 on the stack of ring 1's area, with registers that show it. */
static void
prepare(const void *code)
{
    uint8_t *bytes = (uint8_t *)&tss2;

    guest_setup();
    for (unsigned i = 0; i < 0x68; i++)
        bytes[i] = 0;
    tss2.eip = (uint32_t)code;
    tss2.eflags = 2 | FL_DF;
    tss2.eax = 0xa1;
    tss2.ecx = 0xc1;
    tss2.edx = 0xd1;
    tss2.ebx = 0xb1;
    tss2.esp = (uint32_t)stacks[1] + 2048;
    tss2.ebp = 0xe1;
    tss2.esi = 0xf1;
    tss2.edi = 0xf2;
    tss2.cs = SEL_CODE0;
    tss2.ss = tss2.ds = tss2.es = tss2.fs = tss2.gs = SEL_DATA0;
    tss2.ldt = SEL_LDT;
    tss2.esp0 = (uint32_t)stacks[2] + 2048;
    tss2.ss0 = SEL_DATA0;
    pointer.selector = SEL_TSS2;
    pointer.offset = 0x1234;
}

static Event
start(const void *code, unsigned ring)
{
    Context c = context(code, ring);

    c.ebx = (uint32_t)&pointer;
    c.ecx = 0x3333;
    return run(c);
}

static uint32_t
task_register(void)
{
    uint32_t tr;

    __asm__ volatile("str %0" : "=r"(tr));
    return tr;
}

static void
say(const char *key, const Event *e)
{
    log_text("%s: vec=%x err=%x cs=%x ip=%x esp=%x nt=%x tr=%x ts=%x types=%x,%x link=%x\n", key,
             e->vector, e->error, e->at.cs, e->at.eip, e->at.esp, e->at.eflags & FL_NT,
             task_register(), read_cr0() & 8, type_of(SEL_TSS), type_of(SEL_TSS2), tss2.link);
}

static void
say_registers(const Event *e)
{
    log_text("  new regs: %x %x %x %x %x %x %x seg %x %x %x %x\n", e->at.eax, e->at.ecx, e->at.edx,
             e->at.ebx, e->at.ebp, e->at.esi, e->at.edi, e->at.ds, e->at.es, e->at.fs, e->at.gs);
    log_text("  old tss: eip=%x cs=%x ss=%x esp=%x ecx=%x nt=%x\n", tss.eip, tss.cs & 0xffff,
             tss.ss & 0xffff, tss.esp, tss.ecx, tss.eflags & FL_NT);
}

static void
plain_switches(void)
{
    Event e;

    prepare(new_task);
    e = start(call_task, 0);
    say("call", &e);
    say_registers(&e);
    prepare(new_task);
    e = start(jump_task, 0);
    say("jump", &e);
    say_registers(&e);
    prepare(task_returns);
    e = start(call_task, 0);
    say("call and iret", &e);
    say_registers(&e);
    log_text("call and iret, second task: eip=%x nt=%x\n", tss2.eip, tss2.eflags & FL_NT);
    prepare(new_task);
    tss2.cs = SEL_CODE3;
    tss2.ss = tss2.ds = tss2.es = SEL_DATA3;
    tss2.fs = tss2.gs = 0;
    e = start(jump_task, 0);
    say("jump to ring 3", &e);
    say_registers(&e);
    prepare(new_task);
    ldt[1] = descriptor(0, 0xfffff, ATTR_DATA | ATTR_FLAT);
    tss2.ds = 0x0c;
    e = start(call_task, 0);
    say("with ldt", &e);
    say_registers(&e);
}

static void
through_gates(void)
{
    Event e;

    prepare(new_task);
    gdt[SEL_FREE >> 3] = gate(SEL_TSS2, 0, 0x85 | 0x60, 0);
    pointer.selector = SEL_FREE;
    e = start(call_task, 3);
    say("gate call ring3", &e);
    prepare(task_returns);
    gdt[SEL_FREE >> 3] = gate(SEL_TSS2, 0, 0x85 | 0x60, 0);
    pointer.selector = SEL_FREE;
    e = start(call_task, 3);
    say("gate call and iret ring3", &e);
    prepare(new_task);
    idt[0x90] = gate(SEL_TSS2, 0, 0x85 | 0x60, 0);
    e = start(int_90, 3);
    say("int", &e);
    say_registers(&e);
    prepare(task_returns);
    idt[0x90] = gate(SEL_TSS2, 0, 0x85 | 0x60, 0);
    e = start(int_90, 3);
    say("int and iret", &e);
    prepare(new_task);
    idt[6] = gate(SEL_TSS2, 0, 0x85, 0);
    e = start(undefined, 3);
    say("exception", &e);
    prepare(new_task);
    idt[13] = gate(SEL_TSS2, 0, 0x85, 0);
    e = start(int_90, 3);
    say("exception with error", &e);
    log_text("  error on the new stack: %x\n", *(uint32_t *)e.at.esp);
}

/* Checks before the switch: nothing has changed. */
static void
refusals(void)
{
    Event e;

    prepare(new_task);
    e = start(jump_task, 3);
    say("dpl", &e);
    gdt_set(SEL_TSS2, (uint32_t)&tss2, 0x67, 0x8b);
    e = start(jump_task, 0);
    say("busy", &e);
    gdt_set(SEL_TSS2, (uint32_t)&tss2, 0x67, 0x09);
    e = start(call_task, 0);
    say("not present", &e);
    gdt_set(SEL_TSS2, (uint32_t)&tss2, 0x66, 0x89);
    e = start(call_task, 0);
    say("too short", &e);
    prepare(new_task);
    pointer.selector = 0x3c;
    ldt[7] = gdt[SEL_TSS2 >> 3];
    e = start(call_task, 0);
    say("in ldt", &e);
    gdt[SEL_FREE >> 3] = gate(SEL_DATA0, 0, 0x85, 0);
    pointer.selector = SEL_FREE;
    e = start(call_task, 0);
    say("gate to data", &e);
    gdt[SEL_FREE >> 3] = gate(SEL_TSS, 0, 0x85, 0);
    e = start(call_task, 0);
    say("gate to busy", &e);
    gdt[SEL_FREE >> 3] = gate(SEL_TSS2, 0, 0x05, 0);
    e = start(call_task, 0);
    say("gate not present", &e);
    idt[0x90] = gate(SEL_TSS, 0, 0x85, 0);
    e = start(int_90, 0);
    say("int gate to busy", &e);
    idt[6] = gate(SEL_DATA0, 0, 0x85, 0);
    e = start(undefined, 0);
    say("exception gate to data", &e);
}

/* IRET with NT and a bad link. */
static void
bad_links(void)
{
    static const uint16_t links[] = {0, SEL_TSS2, SEL_DATA0, 0x200, 0x3c, SEL_CODE0};

    for (unsigned i = 0; i < sizeof links / sizeof *links; i++) {
        Context c;
        Event e;

        prepare(new_task);
        tss.link = links[i];
        c = context(task_returns, 0);
        c.eflags |= FL_NT;
        e = run(c);
        log_text("link=%x ", links[i]);
        say("iret", &e);
    }
}

/* The new task's segments are bad: the fault is in the new task, at its first instruction. */
static void
bad_segments(void)
{
    static const struct {
        const char *name;
        unsigned offset;
        uint16_t value;
    } cases[] = {
        {"ldt data", offsetof(Tss, ldt), SEL_DATA0}, {"ldt beyond", offsetof(Tss, ldt), 0x200},
        {"ldt in ldt", offsetof(Tss, ldt), 0x34},    {"cs null", offsetof(Tss, cs), 0},
        {"cs data", offsetof(Tss, cs), SEL_DATA0},   {"cs dpl", offsetof(Tss, cs), SEL_CODE0 | 3},
        {"cs np", offsetof(Tss, cs), SEL_FREE},      {"ss null", offsetof(Tss, ss), 0},
        {"ss rpl", offsetof(Tss, ss), SEL_DATA3},    {"ss code", offsetof(Tss, ss), SEL_CODE0},
        {"ss np", offsetof(Tss, ss), SEL_FREE + 8},  {"ds system", offsetof(Tss, ds), SEL_TSS},
        {"ds np", offsetof(Tss, ds), SEL_FREE + 8},  {"es beyond", offsetof(Tss, es), 0x200},
        {"gs beyond", offsetof(Tss, gs), 0x204},     {"fs np", offsetof(Tss, fs), SEL_FREE + 8},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        Event e;

        prepare(new_task);
        gdt_set(SEL_FREE, 0, 0xfffff, 0x1b | ATTR_FLAT);
        gdt_set(SEL_FREE + 8, 0, 0xfffff, 0x13 | ATTR_FLAT);
        *(uint32_t *)((uint8_t *)&tss2 + cases[i].offset) = cases[i].value;
        e = start(jump_task, 0);
        log_text("new %s ", cases[i].name);
        say("jump", &e);
    }
}

/* A task whose EFLAGS has VM runs in virtual-8086 mode, whatever its selectors mean otherwise. */
static void
v86_task(void)
{
    Event e;

    prepare(new_task);
    tss2.eip = (uint32_t)new_task - 0x10000;
    tss2.eflags = 2 | FL_VM | FL_IOPL;
    tss2.cs = 0x1000;
    tss2.ss = 0x3000;
    tss2.ds = tss2.es = tss2.fs = tss2.gs = 0x1234;
    tss2.esp = 0x8000;
    e = start(jump_task, 0);
    log_text("v86 task: vec=%x cs=%x ip=+%x ss=%x sp=%x ds=%x vm=%x tr=%x\n", e.vector, e.at.cs,
             e.at.eip - tss2.eip, e.at.ss, e.at.esp, e.at.ds, e.at.eflags & FL_VM, task_register());
}

/* A double fault through a task gate: the stack of the program does not matter. */
static void
double_fault_task(void)
{
    Event e;

    prepare(new_task);
    idt[8] = gate(SEL_TSS2, 0, 0x85, 0);
    idt[13] = gate(SEL_CODE0, 0, 0x0e, 0);
    idt[11] = gate(SEL_CODE0, 0, 0x0e, 0);
    e = start(int_90, 3);
    say("#DF task", &e);
    log_text("  #DF task error: %x\n", *(uint32_t *)e.at.esp);
    log_text("  #DF task old eip: +%x\n", tss.eip - (uint32_t)int_90);
}

static void
short_tss(void)
{
    Event e;

    prepare(new_task);
    /* The upper half of ESP is undefined: a 16-bit stack does not look at it. */
    gdt_set(SEL_FREE, 0, 0xffff, ATTR_DATA);
    gdt_set(SEL_TSS2, (uint32_t)&tss16, 0x2b, 0x81);
    tss16 = (Tss16){.ip = (uint16_t)((uint32_t)new_task - 0x10000),
                    .flags = 2,
                    .ax = 0xa1,
                    .cx = 0xc1,
                    .dx = 0xd1,
                    .bx = 0xb1,
                    .bp = 0xe1,
                    .si = 0xf1,
                    .di = 0xf2,
                    .sp = 0x9000,
                    .cs = SEL_CODE16,
                    .ss = SEL_FREE,
                    .ds = SEL_DATA0,
                    .es = SEL_DATA0,
                    .ldt = SEL_LDT,
                    .sp0 = 0x7000,
                    .ss0 = SEL_DATA0};
    e = start(call_task, 0);
    log_text("tss16: vec=%x err=%x cs=%x ip=%x nt=%x ax=%x bx=%x link=%x type=%x\n", e.vector,
             e.error, e.at.cs, e.at.eip, e.at.eflags & FL_NT, e.at.eax & 0xffff, e.at.ebx & 0xffff,
             tss16.link, type_of(SEL_TSS2));
    prepare(new_task);
    gdt_set(SEL_TSS2, (uint32_t)&tss16, 0x2a, 0x81);
    e = start(call_task, 0);
    say("tss16 too short", &e);
}

static void
debug_trap(void)
{
    Event e;
    uint32_t dr6;

    prepare(new_task);
    tss2.trap = 1;
    __asm__ volatile("mov %0, %%dr6" : : "r"(0xffff0ff0));
    e = start(jump_task, 0);
    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    say("debug trap", &e);
    log_text("debug trap dr6: %x\n", dr6);
}

void
guest_main(void)
{
    guest_setup();
    plain_switches();
    through_gates();
    refusals();
    bad_links();
    bad_segments();
    v86_task();
    double_fault_task();
    short_tss();
    debug_trap();
    log_end();
}
