/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * INT n, INT3, INTO, INT1 and exceptions through interrupt and trap gates, 16- and 32-bit, every
 * check of the delivery, IRET to the same and outer levels, and what IRET and POPF may change.
 * Intel SDM volume 3A chapter 6; volume 2 INT n, IRET. */
#include "tests/guest/lib/guest32.h"

extern const uint8_t int_90[], int_91[], do_int3[], do_into[], do_int1[], handler[], undefined[];
extern const uint8_t do_iret[], do_iret16[], do_popf[], do_popf16[], int_f0[], do_cli[], do_sti[];

__asm__("int_90: int $0x90; nop\n"
        "int_91: int $0x91; nop\n"
        "int_f0: int $0xf0; nop\n"
        "do_int3: int3; nop\n"
        "do_into: into; int $0x80\n"
        "do_int1: .byte 0xf1; int $0x80\n"
        "undefined: ud2\n"
        "handler: int $0x80\n"
        "do_iret: iretl\n"
        "do_iret16: iretw\n"
        "do_popf: popfl; pushfl; pop %eax; int $0x80\n"
        "do_popf16: popfw; pushfl; pop %eax; int $0x80\n"
        "do_cli: cli; int $0x80\n"
        "do_sti: sti; int $0x80\n");

#define LOGGED_FLAGS                                                                               \
    (FL_TF | FL_IF | FL_DF | FL_IOPL | FL_NT | FL_VM | FL_AC | FL_VIF | FL_VIP | 0x200000)

static void
say(const char *key, const Event *e)
{
    log_text("%s: vec=%x err=%x cs=%x ss=%x esp=%x fl=%x\n", key, e->vector, e->error, e->at.cs,
             e->at.ss, e->at.esp, e->at.eflags & LOGGED_FLAGS);
}

static void
say_stack(const Event *e, unsigned words)
{
    const uint32_t *stack = (const uint32_t *)e->at.esp;

    for (unsigned i = 0; i < words; i++)
        log_text("  stack%u: %x\n", i, stack[i] & (i == 2 ? 0xffffff2a : ~0u));
}

static void
levels(void)
{
    static const uint16_t codes[] = {SEL_CODE0, SEL_CODE1, SEL_CODE2, SEL_CODE3, SEL_CONFORMING};
    static const uint8_t kinds[] = {0x8e, 0x8f};

    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = 0; i < 5; i++) {
            for (unsigned ring = 0; ring < 4; ring++) {
                Context c = context(int_90, ring);
                Event e;

                idt[0x90] = gate(codes[i], (uint32_t)handler, kinds[k] | 0x60, 0);
                c.eflags |= FL_IF | FL_NT;
                log_text("gate=%x to=%x ring=%u ", kinds[k], codes[i], ring);
                e = run(c);
                say("int", &e);
                if (ring == 3)
                    say_stack(&e, 5);
            }
        }
    }
}

static void
gate_dpl(void)
{
    for (unsigned dpl = 0; dpl < 4; dpl++) {
        for (unsigned ring = 0; ring < 4; ring++) {
            Event e;

            idt[0x90] = gate(SEL_CODE0, (uint32_t)handler, 0x8e | dpl << 5, 0);
            e = run(context(int_90, ring));
            log_text("gate dpl=%u ring=%u: vec=%x err=%x\n", dpl, ring, e.vector, e.error);
        }
    }
}

static void
gate_types(void)
{
    for (unsigned type = 0; type < 32; type++) {
        Event e;

        if (type == 6 || type == 7 || type == 5)
            continue;
        idt[0x90] = gate(SEL_CODE0, (uint32_t)handler, 0xe0 | type, 0);
        e = run(context(int_90, 3));
        log_text("gate type=%x: vec=%x err=%x\n", type, e.vector, e.error);
    }
    idt[0x90] = gate(SEL_CODE16, (uint32_t)handler - 0x10000, 0xe6, 0);
    Event e = run(context(int_90, 3));
    say("gate 16", &e);
    say_stack(&e, 3);
}

static void
gate_checks(void)
{
    Event e;

    idt[0x90] = gate(SEL_CODE0, (uint32_t)handler, 0x6e, 0);
    e = run(context(int_90, 3));
    say("gate not present", &e);
    idt[0x90] = gate(0, (uint32_t)handler, 0xee, 0);
    e = run(context(int_90, 3));
    say("gate null", &e);
    idt[0x90] = gate(0x200, (uint32_t)handler, 0xee, 0);
    e = run(context(int_90, 3));
    say("gate beyond", &e);
    idt[0x90] = gate(SEL_DATA0, (uint32_t)handler, 0xee, 0);
    e = run(context(int_90, 3));
    say("gate data", &e);
    gdt_set(SEL_FREE, 0, 0xfffff, 0x1b | ATTR_FLAT);
    idt[0x90] = gate(SEL_FREE, (uint32_t)handler, 0xee, 0);
    e = run(context(int_90, 3));
    say("gate code not present", &e);
    gdt_set(SEL_FREE, 0, 0xfff, 0x9b | ATTR_32);
    e = run(context(int_90, 3));
    say("gate code limit", &e);
    idt[0x90] = gate(SEL_CODE0 | 3, (uint32_t)handler, 0xee, 0);
    e = run(context(int_90, 3));
    say("gate rpl ignored", &e);
    guest_setup();
}

static void
idt_limit(void)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) table = {0xf0 * 8 + 6, (uint32_t)idt};
    Event e;

    __asm__ volatile("lidt %0" : : "m"(table));
    e = run(context(int_f0, 0));
    say("idt limit", &e);
    e = run(context(int_f0, 3));
    say("idt limit ring3", &e);
    guest_setup();
}

/* Handlers in ring 1 whose stack in the TSS is bad, for INT n (no EXT) and for #UD (EXT). */
static void
inner_stacks(void)
{
    static const uint16_t selectors[] = {0,
                                         1,
                                         SEL_DATA1 & ~3u,
                                         SEL_DATA2,
                                         0x201,
                                         SEL_CODE1,
                                         SEL_FREE | 1,
                                         (SEL_FREE + 8) | 1,
                                         (SEL_FREE + 16) | 1};
    uint32_t top = (uint32_t)stacks[1] + sizeof stacks[1];

    gdt_set(SEL_FREE, 0, 0xfffff, 0x33 | ATTR_FLAT);
    gdt_set(SEL_FREE + 8, 0, 0xfffff, 0xb1 | ATTR_FLAT);
    gdt_set(SEL_FREE + 16, 0, top - 18, 0xb3 | ATTR_32);
    idt[0x90] = gate(SEL_CODE1, (uint32_t)handler, 0xee, 0);
    idt[6] = gate(SEL_CODE1, (uint32_t)handler, 0x8e, 0);
    for (unsigned i = 0; i < sizeof selectors / sizeof *selectors; i++) {
        Event e;

        tss.ss1 = selectors[i];
        tss.esp1 = top;
        e = run(context(int_90, 3));
        log_text("inner ss=%x: int %x/%x ", selectors[i], e.vector, e.error);
        e = run(context(undefined, 3));
        log_text("#UD %x/%x\n", e.vector, e.error);
    }
    guest_setup();
}

static void
software(void)
{
    Context c;
    Event e = run(context(do_int3, 3));

    report("int3 ring3", &e, do_int3);
    idt[3] = gate(SEL_CODE0, (uint32_t)handler, 0x8e, 0);
    e = run(context(do_int3, 3));
    report("int3 dpl0", &e, do_int3);
    c = context(do_into, 3);
    e = run(c);
    report("into no overflow", &e, do_into);
    c.eflags |= FL_OF;
    e = run(c);
    report("into", &e, do_into);
    e = run(context(do_int1, 3));
    report("int1 ring3", &e, do_int1);
    idt[1] = gate(0, 0, 0x0e, 0);
    e = run(context(do_int1, 3));
    report("int1 not present", &e, do_int1);
    e = run(context(undefined, 3));
    log_text("RF in a fault's image: %x\n", e.at.eflags & FL_RF);
    e = run(context(int_90, 3));
    log_text("RF in the image of a faulting int n: %x\n", e.at.eflags & FL_RF);
    e = run(context(handler, 3));
    log_text("RF in the image of int n: %x\n", e.at.eflags & FL_RF);
    guest_setup();
}

static Event
return_with(const void *code, unsigned ring, uint32_t iopl, uint32_t cs, uint32_t flags,
            uint32_t ss)
{
    Context c = context(code, ring);

    c.eflags |= iopl << 12;
    if (code == do_iret16) {
        uint16_t *stack = (uint16_t *)c.esp;

        stack[0] = (uint16_t)((uint32_t)handler - 0x10000);
        stack[1] = (uint16_t)cs;
        stack[2] = (uint16_t)flags;
    } else {
        uint32_t *stack = (uint32_t *)c.esp;

        stack[0] = (uint32_t)handler;
        stack[1] = cs;
        stack[2] = flags;
        stack[3] = (uint32_t)stacks[3] + 2048;
        stack[4] = ss;
    }
    return run(c);
}

/* All flags set but VM, NT and TF, and all clear, from each ring and IOPL. */
static void
iret_flags(void)
{
    const uint32_t all = 0x3fbed7 & ~(FL_VM | FL_NT | FL_TF);

    for (unsigned ring = 0; ring < 4; ring += 3) {
        for (unsigned iopl = 0; iopl < 4; iopl += 3) {
            uint32_t cs = ring ? SEL_CODE3 : SEL_CODE0;
            Event e = return_with(do_iret, ring, iopl, cs, all, 0);

            log_text("iret ring=%u iopl=%u: fl=%x\n", ring, iopl, e.at.eflags & LOGGED_FLAGS);
            e = return_with(do_iret, ring, iopl, cs, 0, 0);
            log_text("iret ring=%u iopl=%u zero: fl=%x\n", ring, iopl, e.at.eflags & LOGGED_FLAGS);
        }
    }
    Event e = return_with(do_iret, 0, 0, SEL_CODE3, all, SEL_DATA3);
    log_text("iret outer: fl=%x\n", e.at.eflags & LOGGED_FLAGS);
    e = return_with(do_iret16, 0, 0, SEL_CODE16, 0xbed7 & ~FL_TF, 0);
    log_text("iret 16: vec=%x cs=%x fl=%x\n", e.vector, e.at.cs, e.at.eflags & LOGGED_FLAGS);
}

static void
popf_flags(void)
{
    static const uint32_t images[] = {0x3fbed7 & ~(FL_TF | FL_NT), 0};

    for (unsigned ring = 0; ring < 4; ring += 3) {
        for (unsigned iopl = 0; iopl < 4; iopl += 3) {
            for (unsigned i = 0; i < 4; i++) {
                const uint8_t *code = i & 1 ? do_popf16 : do_popf;
                Context c = context(code, ring);
                Event e;

                c.eflags |= iopl << 12 | FL_IF;
                *(uint32_t *)c.esp = images[i / 2];
                e = run(c);
                log_text("popf%u ring=%u iopl=%u image=%x: vec=%x fl=%x\n", i & 1 ? 16 : 32, ring,
                         iopl, images[i / 2], e.vector, e.at.eax & LOGGED_FLAGS);
            }
        }
    }
}

static void
interrupt_flag(void)
{
    for (unsigned ring = 0; ring < 4; ring++) {
        for (unsigned iopl = 0; iopl < 4; iopl++) {
            Context c = context(do_sti, ring);
            Event sti, cli;

            c.eflags |= iopl << 12;
            sti = run(c);
            c.eip = (uint32_t)do_cli;
            c.eflags |= FL_IF;
            cli = run(c);
            log_text("sti cli ring=%u iopl=%u: %x/%x fl=%x %x/%x fl=%x\n", ring, iopl, sti.vector,
                     sti.error, sti.at.eflags & FL_IF, cli.vector, cli.error,
                     cli.at.eflags & FL_IF);
        }
    }
}

static void
iret_checks(void)
{
    static const uint32_t selectors[] = {0,
                                         3,
                                         0x200,
                                         SEL_DATA0,
                                         SEL_TSS,
                                         SEL_CODE0,
                                         SEL_CODE3 & ~3u,
                                         SEL_CODE0 | 3,
                                         SEL_CONFORMING | 3,
                                         SEL_CODE3};
    Event e;

    for (unsigned i = 0; i < sizeof selectors / sizeof *selectors; i++) {
        log_text("iret cs=%x ", selectors[i]);
        e = return_with(do_iret, 0, 0, selectors[i], 2, SEL_DATA3);
        say("ring0", &e);
        log_text("iret cs=%x ", selectors[i]);
        e = return_with(do_iret, 3, 0, selectors[i], 2, SEL_DATA3);
        say("ring3", &e);
    }
    static const uint32_t stacks_[] = {0, 3, SEL_DATA0, SEL_DATA0 | 3, SEL_CODE3, 0x203, SEL_DATA3};
    for (unsigned i = 0; i < sizeof stacks_ / sizeof *stacks_; i++) {
        log_text("iret ss=%x ", stacks_[i]);
        e = return_with(do_iret, 0, 0, SEL_CODE3, 2, stacks_[i]);
        say("outer", &e);
    }
}

void
guest_main(void)
{
    guest_setup();
    levels();
    gate_dpl();
    gate_types();
    gate_checks();
    idt_limit();
    inner_stacks();
    software();
    iret_flags();
    popf_flags();
    interrupt_flag();
    iret_checks();
    log_end();
}
