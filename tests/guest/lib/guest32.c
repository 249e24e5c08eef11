/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tables, run() and reports of a 32-bit guest program. */
#include "tests/guest/lib/guest32.h"

typedef struct {
    uint16_t limit;
    uint32_t base;
} __attribute__((packed)) TableRegister;

uint64_t gdt[64] __attribute__((aligned(16)));
uint64_t idt[256] __attribute__((aligned(16)));
uint64_t ldt[16] __attribute__((aligned(16)));
Tss tss __attribute__((aligned(16))), tss2 __attribute__((aligned(16)));
uint8_t stacks[4][4096] __attribute__((aligned(16)));
bool (*volatile event_hook)(Frame *frame);

static Event last_event;
static bool running;

extern const uint8_t event_entries[];
void run_context(const Context *context);
void run_resume(void) __attribute__((noreturn));
void event_from_guest(Frame *frame, uint32_t ss);

uint64_t
descriptor(uint32_t base, uint32_t limit20, unsigned attr)
{
    uint64_t d = limit20 & 0xffff;

    d |= (uint64_t)(base & 0xffffff) << 16;
    d |= (uint64_t)(attr & 0xf0ff) << 40;
    d |= (uint64_t)(limit20 >> 16 & 15) << 48;
    d |= (uint64_t)(base >> 24) << 56;
    return d;
}

uint64_t
gate(unsigned selector, uint32_t offset, unsigned attr, unsigned params)
{
    uint64_t d = offset & 0xffff;

    d |= (uint64_t)(selector & 0xffff) << 16;
    d |= (uint64_t)(params & 0x1f) << 32;
    d |= (uint64_t)(attr & 0xff) << 40;
    d |= (uint64_t)(offset >> 16) << 48;
    return d;
}

void
gdt_set(unsigned selector, uint32_t base, uint32_t limit20, unsigned attr)
{
    gdt[selector >> 3] = descriptor(base, limit20, attr);
}

static void
load_tables(void)
{
    TableRegister g = {sizeof gdt - 1, (uint32_t)gdt};
    TableRegister i = {sizeof idt - 1, (uint32_t)idt};

    __asm__ volatile("lgdt %0; lidt %1" : : "m"(g), "m"(i));
    __asm__ volatile("ljmp $0x08, $1f; 1:" : : : "memory");
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss; mov %0, %%fs; mov %0, %%gs"
                     :
                     : "r"(SEL_DATA0));
    __asm__ volatile("lldt %w0; ltr %w1" : : "r"(SEL_LDT), "r"(SEL_TSS));
}

static void
setup_gdt(void)
{
    for (unsigned i = 0; i < 64; i++)
        gdt[i] = 0;
    gdt_set(SEL_CODE0, 0, 0xfffff, ATTR_CODE | ATTR_FLAT);
    gdt_set(SEL_DATA0, 0, 0xfffff, ATTR_DATA | ATTR_FLAT);
    gdt_set(SEL_CODE1, 0, 0xfffff, ATTR_CODE | ATTR_FLAT | 0x20);
    gdt_set(SEL_DATA1, 0, 0xfffff, ATTR_DATA | ATTR_FLAT | 0x20);
    gdt_set(SEL_CODE2, 0, 0xfffff, ATTR_CODE | ATTR_FLAT | 0x40);
    gdt_set(SEL_DATA2, 0, 0xfffff, ATTR_DATA | ATTR_FLAT | 0x40);
    gdt_set(SEL_CODE3, 0, 0xfffff, ATTR_CODE | ATTR_FLAT | ATTR_DPL3);
    gdt_set(SEL_DATA3, 0, 0xfffff, ATTR_DATA | ATTR_FLAT | ATTR_DPL3);
    gdt_set(SEL_CONFORMING, 0, 0xfffff, ATTR_CODE | ATTR_FLAT | 0x04);
    gdt_set(SEL_CODE16, 0x10000, 0xffff, ATTR_CODE);
    gdt_set(SEL_DATA16, 0x10000, 0xffff, ATTR_DATA);
    gdt_set(SEL_TSS, (uint32_t)&tss, sizeof tss - 1, 0x89);
    gdt_set(SEL_TSS2, (uint32_t)&tss2, 0x67, 0x89);
    gdt_set(SEL_LDT, (uint32_t)ldt, sizeof ldt - 1, 0x82);
}

static void
setup_tss(void)
{
    uint8_t *bytes = (uint8_t *)&tss;

    for (unsigned i = 0; i < sizeof tss; i++)
        bytes[i] = 0;
    tss.esp0 = (uint32_t)stacks[0] + sizeof stacks[0];
    tss.ss0 = SEL_DATA0;
    tss.esp1 = (uint32_t)stacks[1] + sizeof stacks[1];
    tss.ss1 = SEL_DATA1;
    tss.esp2 = (uint32_t)stacks[2] + sizeof stacks[2];
    tss.ss2 = SEL_DATA2;
    tss.io_map = offsetof(Tss, io_bits);
    for (unsigned i = 0; i < sizeof tss.io_bits; i++)
        tss.io_bits[i] = 0xff;
    for (unsigned i = 0; i < sizeof tss.redirection; i++)
        tss.redirection[i] = 0xff;
}

/* Vectors 3, 4 and 0x80 may be called from ring 3. */
static void
setup_idt(void)
{
    for (unsigned i = 0; i < 256; i++) {
        bool open = i == 3 || i == 4 || i == 0x80;

        idt[i] = gate(SEL_CODE0, (uint32_t)event_entries + 16 * i, open ? 0xee : 0x8e, 0);
    }
}

void
guest_setup(void)
{
    for (unsigned i = 0; i < 16; i++)
        ldt[i] = 0;
    setup_gdt();
    setup_tss();
    setup_idt();
    load_tables();
    write_cr0(read_cr0() & ~0x4000eu); /* AM, TS, EM, MP */
    event_hook = NULL;
}

Context
context(const void *code, unsigned ring)
{
    static const uint16_t cs[4] = {SEL_CODE0, SEL_CODE1, SEL_CODE2, SEL_CODE3};
    static const uint16_t ds[4] = {SEL_DATA0, SEL_DATA1, SEL_DATA2, SEL_DATA3};
    Context c = {0};

    c.eip = (uint32_t)code;
    c.eflags = 2;
    c.cs = cs[ring];
    c.ss = c.ds = c.es = c.fs = c.gs = ds[ring];
    /* Ring 0 runs below the top: an event from there pushes on the same stack. */
    c.esp = (uint32_t)stacks[ring] + sizeof stacks[0] - 256;
    return c;
}

void
event_from_guest(Frame *frame, uint32_t ss)
{
    bool v86 = (frame->eflags & FL_VM) != 0;
    bool outer = v86 || (frame->cs & 3) != 0;
    Context *at = &last_event.at;

    if (event_hook != NULL && event_hook(frame))
        return;
    last_event.vector = frame->vector;
    last_event.error = frame->error;
    __asm__ volatile("mov %%cr2, %0" : "=r"(last_event.cr2));
    *at = (Context){.edi = frame->edi,
                    .esi = frame->esi,
                    .ebp = frame->ebp,
                    .ebx = frame->ebx,
                    .edx = frame->edx,
                    .ecx = frame->ecx,
                    .eax = frame->eax,
                    .eip = frame->eip,
                    .eflags = frame->eflags,
                    .cs = frame->cs & 0xffff,
                    .esp = outer ? frame->esp : (uint32_t)&frame->esp,
                    .ss = (outer ? frame->ss : ss) & 0xffff,
                    .ds = v86 ? frame->v86_ds : frame->ds,
                    .es = v86 ? frame->v86_es : frame->es,
                    .fs = v86 ? frame->v86_fs : frame->fs,
                    .gs = v86 ? frame->v86_gs : frame->gs};
    at->ds &= 0xffff;
    at->es &= 0xffff;
    at->fs &= 0xffff;
    at->gs &= 0xffff;
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
    const uint32_t flags =
        FL_TF | FL_IF | FL_DF | FL_IOPL | FL_NT | FL_VM | FL_AC | FL_VIF | FL_VIP;

    log_text("%s: vec=%x err=%x cs=%x ip=+%x fl=%x ss=%x", key, event->vector, event->error,
             event->at.cs, event->at.eip - (uint32_t)base, event->at.eflags & flags, event->at.ss);
    if (event->vector == 14)
        log_text(" cr2=%x", event->cr2);
    log_text("\n");
}

Event
try_code(const char *key, const void *code, unsigned ring)
{
    Event event = run(context(code, ring));

    report(key, &event, code);
    return event;
}
