/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 16-bit protected mode and 16-bit stacks: which half of ESP moves, frames of 16-bit gates, returns
 * between 16- and 32-bit segments, wraps and limits of small and expand-down stacks, address size
 * of string and loop instructions. Intel SDM volume 1 chapter 6; volume 3A 5.8, 6.12, chapter 21
 * (mixing). */
#include "tests/guest/lib/guest32.h"

extern const uint8_t x_push[], x_pushl[], x_pop[], x_call[], x_ret[], x_pusha[], x_popa[],
    x_enter[];
extern const uint8_t x_leave[], x_int[], x_int32[], x_retf[], x_iret[], x_end[], x_gate[];
extern const uint8_t x_loop[], x_movs[], x_retn[], x_pushf[], x_end32[], x_popsp[];
extern const uint8_t x_retf32[], x_iret32[], x_lea[];

__asm__(".code16\n"
        "x_push: push %ax; int $0x80\n"
        "x_pushl: pushl %eax; int $0x80\n"
        "x_pop: pop %ax; int $0x80\n"
        "x_popsp: pop %sp; int $0x80\n"
        "x_call: call x_end\n"
        "x_ret: ret\n"
        "x_retn: ret $0x10\n"
        "x_pusha: pusha; int $0x80\n"
        "x_popa: popa; int $0x80\n"
        "x_enter: enter $8, $2; int $0x80\n"
        "x_leave: leave; int $0x80\n"
        "x_pushf: pushf; int $0x80\n"
        "x_int: int $0x90; int $0x80\n"
        "x_gate: lcallw *(%bx)\n"
        "x_retf: lretw\n"
        "x_iret: iretw\n"
        "x_retf32: lretl\n"
        "x_iret32: iretl\n"
        "x_loop: loop x_loop; int $0x80\n"
        "x_movs: rep movsb; int $0x80\n"
        "x_lea: lea (%bx,%si), %eax; int $0x80\n"
        "x_end: int $0x80\n"
        ".code32\n"
        "x_int32: int $0x90; int $0x80\n"
        "x_end32: int $0x80\n");

enum {
    STACK16 = SEL_FREE,
    STACK16_3 = SEL_FREE + 8,
    DOWN16 = SEL_FREE + 16,
    DOWN32 = SEL_FREE + 24,
    CODE16_3 = SEL_FREE + 32,
    DATA_SMALL = SEL_FREE + 40,
    GATE = SEL_FREE + 48
};

static uint16_t *const low = (uint16_t *)0x8000; /* where the small stacks are */

static void
prepare(void)
{
    guest_setup();
    gdt_set(STACK16, 0, 0xffff, ATTR_DATA);
    gdt_set(STACK16_3, 0, 0xffff, ATTR_DATA | ATTR_DPL3);
    gdt_set(DOWN16, 0, 0x7fff, 0x97 | ATTR_DPL3);
    gdt_set(DOWN32, 0, 0x7fff, 0x97 | ATTR_DPL3 | ATTR_32);
    gdt_set(CODE16_3, 0x10000, 0xffff, ATTR_CODE | ATTR_DPL3);
    gdt_set(DATA_SMALL, 0x100000, 0xffff, ATTR_DATA | ATTR_DPL3);
    for (unsigned i = 0; i < 0x800; i++)
        low[i] = (uint16_t)(0x4000 + i);
}

/* 16-bit code in ring 0 or 3, on a 16-bit stack at 0x8800 with rubbish above. */
static Context
small(const uint8_t *code, unsigned ring)
{
    Context c = context(code, ring);

    c.cs = ring ? CODE16_3 | 3 : SEL_CODE16;
    c.eip = (uint32_t)code - 0x10000;
    c.ss = ring ? STACK16_3 | 3 : STACK16;
    c.esp = 0x8800;
    return c;
}

static Event
go(const char *key, Context c)
{
    Event e = run(c);

    log_text("%s: vec=%x err=%x cs=%x ss=%x esp=%x ebp=%x eax=%x ecx=%x\n", key, e.vector, e.error,
             e.at.cs, e.at.ss, e.at.esp, e.at.ebp, e.at.eax, e.at.ecx);
    return e;
}

/* IRET to ring 3 sets SP only: the upper half of ESP is what ring 0 had. */
static void
stacks16(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
    } cases[] = {{"push", x_push}, {"pushl", x_pushl}, {"pop", x_pop},     {"popsp", x_popsp},
                 {"call", x_call}, {"ret", x_ret},     {"ret n", x_retn},  {"pusha", x_pusha},
                 {"popa", x_popa}, {"enter", x_enter}, {"leave", x_leave}, {"pushf", x_pushf}};

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned ring = 0; ring < 4; ring += 3) {
            Context c;

            prepare();
            c = small(cases[i].code, ring);
            c.ebp = 0xabcd8900;
            c.eax = 0x11112222;
            low[0x400] = (uint16_t)((uint32_t)x_end - 0x10000); /* at 0x8800 */
            log_text("ring=%u ", ring);
            go(cases[i].name, c);
        }
    }
}

static void
wraps(void)
{
    Context c;

    prepare();
    c = small(x_push, 3);
    c.esp = 0;
    go("push at 0", c);
    c.esp = 1;
    go("push at 1", c);
    c = small(x_pop, 3);
    c.esp = 0xffff;
    go("pop at ffff", c);
    c = small(x_push, 3);
    c.ss = DOWN16 | 3;
    c.esp = 0x8800;
    go("expand-down", c);
    c.esp = 0x8001;
    go("expand-down lower end", c);
    c.esp = 0x8002;
    go("expand-down last", c);
    c.esp = 0;
    go("expand-down wrap", c);
    c.ss = DOWN32 | 3;
    c.esp = 0x20000;
    go("expand-down 32", c);
    c.esp = 0x8001;
    go("expand-down 32 lower end", c);
    c = small(x_pusha, 3);
    c.esp = 7;
    go("pusha at 7", c);
}

static void
say_frame(const Event *e, unsigned words)
{
    const uint16_t *stack = (const uint16_t *)(e->at.esp & (e->at.ss == STACK16 ? 0xffff : ~0u));

    for (unsigned i = 0; i < words; i++)
        log_text("  frame %u: %x\n", i, stack[i]);
}

static void
gates(void)
{
    static struct {
        uint16_t offset, selector;
    } __attribute__((packed)) *const pointer = (void *)0x100010;
    Context c;
    Event e;

    prepare();
    idt[0x90] = gate(SEL_CODE16, (uint32_t)x_end - 0x10000, 0xe6, 0);
    e = go("int by gate 16 from 16", small(x_int, 3));
    say_frame(&e, 5);
    c = context(x_int32, 3);
    c.esp = (c.esp & 0xffff) | 0x10000;
    e = go("int by gate 16 from 32", c);
    say_frame(&e, 5);
    e = go("int by gate 16 in ring 0", small(x_int, 0));
    say_frame(&e, 3);
    idt[0x90] = gate(SEL_CODE0, (uint32_t)x_end32, 0xee, 0);
    e = go("int by gate 32 from 16", small(x_int, 3));
    e = go("int by gate 32 on a 16-bit stack", small(x_int, 0));
    tss.ss0 = STACK16;
    tss.esp0 = 0x12348ff0;
    e = go("inner 16-bit stack", small(x_int, 3));
    prepare();
    gdt[GATE >> 3] = gate(SEL_CODE16, (uint32_t)x_end - 0x10000, 0xe4, 3);
    pointer->offset = 0;
    pointer->selector = GATE;
    c = small(x_gate, 3);
    c.ds = DATA_SMALL | 3;
    c.ebx = 0x10;
    e = go("call gate 16", c);
    say_frame(&e, 7);
    gdt[GATE >> 3] = gate(SEL_CODE0, (uint32_t)x_end32, 0xec, 2);
    e = go("call gate 32 from 16", c);
    say_frame(&e, 8);
    pointer->selector = CODE16_3 | 3;
    pointer->offset = (uint16_t)((uint32_t)x_end - 0x10000);
    e = go("far call 16", c);
    log_text("  far call 16 frame: %x\n", low[0x3ff]);
}

static Event
back(const char *key, const uint8_t *code, uint32_t ip, uint16_t cs, uint32_t sp, uint16_t ss)
{
    bool wide = code == x_retf32 || code == x_iret32;
    bool flags = code == x_iret || code == x_iret32;
    uint32_t words[5];
    unsigned n = 0;
    Context c = small(code, 0);

    words[n++] = ip;
    words[n++] = cs;
    if (flags)
        words[n++] = 2;
    words[n++] = sp;
    words[n++] = ss;
    for (unsigned i = 0; i < n; i++) {
        if (wide)
            ((uint32_t *)0x8800)[i] = words[i];
        else
            low[0x400 + i] = (uint16_t)words[i];
    }
    return go(key, c);
}

static void
returns(void)
{
    uint32_t ip16 = (uint32_t)x_end - 0x10000, ip32 = (uint32_t)x_end32;
    uint32_t top = (uint32_t)stacks[3] + 2048;

    prepare();
    back("retf 16 to 16", x_retf, ip16, CODE16_3 | 3, 0x8c00, STACK16_3 | 3);
    back("iret 16 to 16", x_iret, ip16, CODE16_3 | 3, 0x8c00, STACK16_3 | 3);
    back("retf 32 to 16", x_retf32, ip16, CODE16_3 | 3, 0x12348c00, STACK16_3 | 3);
    back("iret 32 to 16", x_iret32, ip16, CODE16_3 | 3, 0x12348c00, STACK16_3 | 3);
    back("retf 32 to 32", x_retf32, ip32, SEL_CODE3, top, SEL_DATA3);
    back("iret 32 to 32", x_iret32, ip32, SEL_CODE3, top, SEL_DATA3);
    back("iret 16 to 32-bit stack", x_iret, ip16, CODE16_3 | 3, 0x8c00, SEL_DATA3);
    back("iret 32 beyond the limit", x_iret32, 0x10000, CODE16_3 | 3, 0x8c00, STACK16_3 | 3);
    back("retf 16 same", x_retf, ip16, SEL_CODE16, 0, 0);
    back("iret 16 same", x_iret, ip16, SEL_CODE16, 0, 0);
}

static void
addresses(void)
{
    Context c;

    prepare();
    c = small(x_loop, 3);
    c.ecx = 0x50003;
    go("loop uses CX", c);
    c = small(x_movs, 3);
    c.ds = c.es = DATA_SMALL | 3;
    c.ecx = 0x10002;
    c.esi = 0x7fff0000;
    c.edi = 0x7fff0100;
    go("rep movsb uses CX, SI, DI", c);
    c = small(x_movs, 3);
    c.ds = c.es = DATA_SMALL | 3;
    c.ecx = 4;
    c.esi = 0xfffe;
    c.edi = 0x100;
    go("rep movsb wraps SI", c);
    c = small(x_lea, 3);
    c.ebx = 0xffff;
    c.esi = 2;
    go("lea wraps", c);
}

void
guest_main(void)
{
    prepare();
    stacks16();
    wraps();
    gates();
    returns();
    addresses();
    log_end();
}
