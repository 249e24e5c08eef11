/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tables, run() and reports of a 64-bit guest program. */
#include "tests/guest/lib/guest64.h"

typedef struct {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed)) TableRegister;

typedef struct {
    uint64_t gpr[16];
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
} Frame;

uint64_t gdt[64] __attribute__((aligned(16)));
Gate idt[256] __attribute__((aligned(16)));
uint64_t ldt[16] __attribute__((aligned(16)));
Tss tss __attribute__((aligned(16)));
uint8_t stacks[4][4096] __attribute__((aligned(16)));

static Event last_event;
static bool running;

extern const uint8_t event_entries[];
void run_context(const Context *context);
void run_resume(void) __attribute__((noreturn));
void event_from_guest(const Frame *frame) __attribute__((noreturn));

void
gdt_set(unsigned selector, uint32_t base, uint32_t limit20, unsigned attr)
{
    uint64_t d = limit20 & 0xffff;

    d |= (uint64_t)(base & 0xffffff) << 16;
    d |= (uint64_t)(attr & 0xf0ff) << 40;
    d |= (uint64_t)(limit20 >> 16 & 15) << 48;
    d |= (uint64_t)(base >> 24) << 56;
    gdt[selector >> 3] = d;
}

void
gdt_set_system(unsigned selector, uint64_t base, uint32_t limit20, unsigned attr)
{
    gdt_set(selector, (uint32_t)base, limit20, attr);
    gdt[(selector >> 3) + 1] = base >> 32;
}

Gate
gate(unsigned selector, uint64_t offset, unsigned attr, unsigned ist)
{
    Gate g;

    g.low = (offset & 0xffff) | (uint64_t)(selector & 0xffff) << 16 | (uint64_t)ist << 32 |
            (uint64_t)(attr & 0xff) << 40 | (offset >> 16 & 0xffff) << 48;
    g.high = offset >> 32;
    return g;
}

void
gdt_set_gate(unsigned selector, Gate g)
{
    gdt[selector >> 3] = g.low;
    gdt[(selector >> 3) + 1] = g.high;
}

static void
setup_gdt(void)
{
    for (unsigned i = 0; i < 64; i++)
        gdt[i] = 0;
    gdt_set(SEL_CODE0, 0, 0xfffff, ATTR_CODE64);
    gdt_set(SEL_DATA0, 0, 0xfffff, ATTR_DATA);
    gdt_set(SEL_COMPAT3, 0, 0xfffff, ATTR_CODE32 | ATTR_DPL3);
    gdt_set(SEL_DATA3, 0, 0xfffff, ATTR_DATA | ATTR_DPL3);
    gdt_set(SEL_CODE3, 0, 0xfffff, ATTR_CODE64 | ATTR_DPL3);
    gdt_set_system(SEL_TSS, (uint64_t)&tss, sizeof tss - 1, 0x89);
    gdt_set_system(SEL_LDT, (uint64_t)ldt, sizeof ldt - 1, 0x82);
    gdt_set(SEL_CONFORMING, 0, 0xfffff, ATTR_CODE64 | 4);
    gdt_set(SEL_COMPAT0, 0, 0xfffff, ATTR_CODE32);
    gdt_set(SEL_DATA32, 0, 0xfffff, ATTR_DATA);
}

static void
setup_tss(void)
{
    tss = (Tss){.io_map = sizeof tss};
    for (unsigned i = 0; i < 3; i++)
        tss.rsp[i] = (uint64_t)stacks[0] + 4096;
    for (unsigned i = 0; i < 7; i++)
        tss.ist[i] = (uint64_t)stacks[2] + 1024;
}

/* #DF, #SS and #TS have a stack of their own. */
static void
setup_idt(void)
{
    for (unsigned i = 0; i < 256; i++) {
        bool open = i == 3 || i == 4 || i == 0x80;
        bool apart = i == 8 || i == 10 || i == 12;

        idt[i] = gate(SEL_CODE0, (uint64_t)event_entries + 16 * i, open ? 0xee : 0x8e, apart);
    }
}

void
guest_setup(void)
{
    TableRegister g = {sizeof gdt - 1, (uint64_t)gdt};
    TableRegister i = {sizeof idt - 1, (uint64_t)idt};

    for (unsigned k = 0; k < 16; k++)
        ldt[k] = 0;
    setup_gdt();
    setup_tss();
    setup_idt();
    __asm__ volatile("lgdt %0; lidt %1" : : "m"(g), "m"(i));
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss" : : "r"(SEL_DATA0));
    __asm__ volatile("mov %0, %%fs; mov %0, %%gs" : : "r"(0));
    __asm__ volatile("lldt %w0; ltr %w1" : : "r"(SEL_LDT), "r"(SEL_TSS));
}

Context
context(const void *code, unsigned ring)
{
    Context c = {0};

    c.rip = (uint64_t)code;
    c.rflags = 2;
    c.cs = ring ? SEL_CODE3 : SEL_CODE0;
    c.ss = c.ds = c.es = ring ? SEL_DATA3 : SEL_DATA0;
    c.gpr[RSP] = (uint64_t)stacks[ring] + 4096 - 256;
    return c;
}

Context
context_compat(const void *code, unsigned ring)
{
    Context c = context(code, ring);

    c.cs = ring ? SEL_COMPAT3 : SEL_COMPAT0;
    return c;
}

void
event_from_guest(const Frame *frame)
{
    uint16_t ds, es;

    __asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%cr2, %2"
                     : "=r"(ds), "=r"(es), "=r"(last_event.cr2));
    last_event.vector = frame->vector;
    last_event.error = frame->error;
    last_event.frame_end = (uint64_t)(frame + 1);
    for (unsigned i = 0; i < 16; i++)
        last_event.at.gpr[i] = frame->gpr[i];
    last_event.at.gpr[RSP] = frame->rsp;
    last_event.at.rip = frame->rip;
    last_event.at.rflags = frame->rflags;
    last_event.at.cs = frame->cs;
    last_event.at.ss = frame->ss;
    last_event.at.ds = ds;
    last_event.at.es = es;
    if (!running) {
        report("UNEXPECTED", &last_event, NULL);
        log_end();
    }
    running = false;
    run_resume();
}

Event
run(Context in)
{
    running = true;
    run_context(&in);
    return last_event;
}

void
report(const char *key, const Event *event, const void *base)
{
    const uint32_t flags = FL_TF | FL_IF | FL_DF | FL_IOPL | FL_NT | FL_AC;

    log_text("%s: vec=%x err=%x cs=%x ip=+%X ss=%x fl=%x", key, (uint32_t)event->vector,
             (uint32_t)event->error, (uint32_t)event->at.cs, event->at.rip - (uint64_t)base,
             (uint32_t)event->at.ss, (uint32_t)event->at.rflags & flags);
    if (event->vector == 14)
        log_text(" cr2=%X", event->cr2);
    log_text("\n");
}

Event
try_code(const char *key, const void *code, unsigned ring)
{
    Event event = run(context(code, ring));

    report(key, &event, code);
    return event;
}

uint64_t
read_msr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

void
write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}
