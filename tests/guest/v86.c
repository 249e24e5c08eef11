/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Virtual-8086 mode: entry by IRET, exit by interrupts and exceptions with the long frame, what
 * IOPL lets through, the I/O map, protected-mode instructions that do not exist, VME with its
 * redirection map and virtual interrupt flag. Intel SDM volume 3A chapter 20. */
#include "tests/guest/lib/guest32.h"

extern const uint8_t v_int[], v_cli[], v_sti[], v_pushf[], v_popf[], v_iret[], v_pushfd[], v_hlt[];
extern const uint8_t v_in[], v_inw[], v_lar[], v_sgdt[], v_smsw[], v_movcr[], v_lmsw[], v_int3[];
extern const uint8_t v_ud[], v_limit[], v_segs[], v_far[], v_far_target[], v_popfd[], v_arpl[];
extern const uint8_t v_clts[], v_lldt[], v_verr[], v_into[], v_handler[], v_iret_target[], v_push[];

/* 16-bit code at 0x10000 + offset; every piece ends in INT3, which IOPL does not concern. */
__asm__(".code16\n"
        "v_int: int $0x90; int3\n"
        "v_int3: int3\n"
        "v_into: into; int3\n"
        "v_cli: cli; int3\n"
        "v_sti: sti; int3\n"
        "v_pushf: pushfw; pop %ax; int3\n"
        "v_pushfd: pushfl; pop %eax; int3\n"
        "v_popf: popfw; int3\n"
        "v_popfd: popfl; int3\n"
        "v_iret: iretw\n"
        "v_iret_target: int3\n"
        "v_hlt: hlt; int3\n"
        "v_in: inb %dx, %al; int3\n"
        "v_inw: inw %dx, %ax; int3\n"
        "v_lar: lar %ax, %bx; int3\n"
        "v_arpl: arpl %ax, %bx; int3\n"
        "v_verr: verr %ax; int3\n"
        "v_lldt: lldt %ax; int3\n"
        "v_sgdt: sgdt (%bx); int3\n"
        "v_smsw: smsw %cx; int3\n"
        "v_lmsw: lmsw %cx; int3\n"
        "v_movcr: mov %cr0, %ecx; int3\n"
        "v_clts: clts; int3\n"
        "v_ud: ud2\n"
        "v_limit: movw 0xffff, %cx; int3\n"
        "v_push: pushw %bx; int3\n"
        "v_segs: movw %bx, %ds; movw %bx, %fs; movw (0), %cx; int3\n"
        "v_far: ljmp *(%bx)\n"
        "v_far_target: int3\n"
        "v_handler: int3\n"
        ".code32\n");

enum { CODE_SEGMENT = 0x1000, STACK_SEGMENT = 0x3000, DATA_SEGMENT = 0x8000 };

static Context
context_v86(const void *code, unsigned iopl)
{
    Context c = {0};

    c.eip = (uint32_t)code - CODE_SEGMENT * 16;
    c.cs = CODE_SEGMENT;
    c.ss = STACK_SEGMENT;
    c.esp = 0x8000;
    c.ds = DATA_SEGMENT;
    c.es = 0x8001;
    c.fs = 0x8002;
    c.gs = 0x8003;
    c.eflags = FL_VM | 2 | iopl << 12;
    return c;
}

static uint16_t *
stack(unsigned offset)
{
    return (uint16_t *)(STACK_SEGMENT * 16 + offset);
}

static void
say(const char *key, unsigned iopl, const void *code, const Event *e)
{
    const uint32_t flags =
        FL_TF | FL_IF | FL_DF | FL_IOPL | FL_NT | FL_VM | FL_AC | FL_VIF | FL_VIP;

    log_text("%s iopl=%u: vec=%x err=%x ip=+%x cs=%x sp=%x fl=%x\n", key, iopl, e->vector, e->error,
             e->at.eip + CODE_SEGMENT * 16 - (uint32_t)code, e->at.cs, e->at.esp,
             e->at.eflags & flags);
}

static void
exits(void)
{
    Event e = run(context_v86(v_int3, 3));

    say("int3", 3, v_int3, &e);
    log_text("segments: ss=%x ds=%x es=%x fs=%x gs=%x\n", e.at.ss, e.at.ds, e.at.es, e.at.fs,
             e.at.gs);
    e = run(context_v86(v_ud, 0));
    say("ud", 0, v_ud, &e);
    e = run(context_v86(v_limit, 3));
    say("word at limit", 3, v_limit, &e);
    Context c = context_v86(v_push, 3);
    c.esp = 1;
    e = run(c);
    say("push at sp 1", 3, v_push, &e);
    c.esp = 0;
    e = run(c);
    say("push at sp 0", 3, v_push, &e);
    c = context_v86(v_segs, 3);
    c.ebx = 0x4000;
    *(uint16_t *)0x40000 = 0x5a5a;
    e = run(c);
    log_text("load segments: ds=%x fs=%x cx=%x\n", e.at.ds, e.at.fs, e.at.ecx & 0xffff);
    c = context_v86(v_far, 3);
    c.ebx = 0x10;
    *(uint16_t *)(DATA_SEGMENT * 16 + 0x10) = (uint16_t)((uint32_t)v_far_target - 0x10100);
    *(uint16_t *)(DATA_SEGMENT * 16 + 0x12) = 0x1010;
    e = run(c);
    log_text("far jump: vec=%x cs=%x match=%u\n", e.vector, e.at.cs,
             e.at.eip + 0x10100 == (uint32_t)v_far_target + 1);
}

static void
sensitive(unsigned iopl)
{
    static const struct {
        const char *name;
        const uint8_t *code;
    } cases[] = {
        {"int", v_int},     {"into", v_into},     {"cli", v_cli},     {"sti", v_sti},
        {"pushf", v_pushf}, {"pushfd", v_pushfd}, {"popf", v_popf},   {"popfd", v_popfd},
        {"iret", v_iret},   {"hlt", v_hlt},       {"in", v_in},       {"lar", v_lar},
        {"arpl", v_arpl},   {"verr", v_verr},     {"lldt", v_lldt},   {"sgdt", v_sgdt},
        {"smsw", v_smsw},   {"lmsw", v_lmsw},     {"movcr", v_movcr}, {"clts", v_clts},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        Context c = context_v86(cases[i].code, iopl);
        Event e;

        guest_setup();
        idt[0x90] = idt[0x80];
        c.edx = 0x80;
        c.eflags |= FL_IF | FL_OF;
        stack(0x8000)[0] = (uint16_t)((uint32_t)v_iret_target - 0x10000);
        stack(0x8000)[1] = CODE_SEGMENT;
        stack(0x8000)[2] = 0x7202 & ~FL_NT;
        if (cases[i].code == v_popf || cases[i].code == v_popfd)
            stack(0x8000)[0] = 0x3402, stack(0x8000)[1] = 4;
        e = run(c);
        say(cases[i].name, iopl, cases[i].code, &e);
        if (cases[i].code == v_pushf || cases[i].code == v_pushfd)
            log_text("  image of %s iopl=%u: %x\n", cases[i].name, iopl, e.at.eax);
    }
}

/* The gate has to lead to ring 0. */
static void
gates(void)
{
    static const uint16_t codes[] = {SEL_CODE0, SEL_CODE1, SEL_CODE3, SEL_CONFORMING};

    for (unsigned i = 0; i < 4; i++) {
        Event e;

        guest_setup();
        idt[0x90] = gate(
            codes[i], (uint32_t)(idt[0x80] & 0xffff) | (uint32_t)(idt[0x80] >> 48) << 16, 0xee, 0);
        e = run(context_v86(v_int, 3));
        log_text("gate to %x: vec=%x err=%x\n", codes[i], e.vector, e.error);
    }
    guest_setup();
    idt[0x90] = gate(SEL_CODE0, 0, 0x8e, 0);
    Event e = run(context_v86(v_int, 3));
    log_text("gate dpl 0: vec=%x err=%x\n", e.vector, e.error);
    guest_setup();
}

static void
io_map(void)
{
    static const struct {
        uint16_t port;
        const uint8_t *code;
    } cases[] = {{0x80, v_in},  {0x81, v_in},  {0x80, v_inw},  {0x81, v_inw},
                 {0x87, v_inw}, {0x8f, v_inw}, {0xffff, v_in}, {0xffff, v_inw}};

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        Context c = context_v86(cases[i].code, 3);
        Event e;

        guest_setup();
        tss.io_bits[0x80 / 8] = 0x7c; /* 0x80, 0x81 and 0x87 are open */
        tss.io_bits[0x88 / 8] = 0xfe;
        tss.io_bits[0x1fff] = 0x7f;
        c.edx = cases[i].port;
        e = run(c);
        log_text("in %x size %u: vec=%x err=%x\n", cases[i].port, cases[i].code == v_in ? 1 : 2,
                 e.vector, e.error);
    }
    Context c = context_v86(v_in, 3);
    c.edx = 0x80;
    guest_setup();
    tss.io_map = sizeof tss;
    Event e = run(c);
    log_text("io map beyond tss: vec=%x err=%x\n", e.vector, e.error);
    guest_setup();
}

static void
vme_case(const char *key, const uint8_t *code, unsigned iopl, uint32_t flags, uint16_t image)
{
    Context c = context_v86(code, iopl);
    uint16_t *top = stack(0x8000);
    Event e;

    c.eflags |= flags;
    top[0] = (uint16_t)((uint32_t)v_iret_target - 0x10000);
    top[1] = CODE_SEGMENT;
    top[2] = image;
    if (code == v_popf)
        top[0] = image;
    log_text("vme vif=%u vip=%u image=%x ", !!(flags & FL_VIF), !!(flags & FL_VIP), image);
    e = run(c);
    say(key, iopl, code, &e);
    if (code == v_pushf)
        log_text("  vme image vif=%u iopl=%u: %x\n", !!(flags & FL_VIF), iopl, e.at.eax & 0xffff);
    if (code == v_int && e.vector == 3) {
        top = stack(e.at.esp);
        log_text("  vme frame iopl=%u vif=%u: fl=%x cs=%x\n", iopl, !!(flags & FL_VIF), top[2],
                 top[1]);
    }
}

static void
vme(void)
{
    static const uint8_t *const codes[] = {v_cli, v_sti, v_pushf, v_popf, v_iret, v_int};
    static const char *const names[] = {"cli", "sti", "pushf", "popf", "iret", "int"};

    write_cr4(read_cr4() | 1);
    guest_setup();
    for (unsigned redirect = 0; redirect < 2; redirect++) {
        tss.redirection[0x90 / 8] = redirect ? 0xfe : 0xff;
        log_text("vme redirect=%u\n", redirect);
        *(uint16_t *)(0x90 * 4) = (uint16_t)((uint32_t)v_handler - 0x10000);
        *(uint16_t *)(0x90 * 4 + 2) = CODE_SEGMENT;
        idt[0x90] = idt[0x80];
        for (unsigned iopl = 0; iopl < 4; iopl += 3) {
            for (unsigned i = redirect ? 5 : 0; i < 6; i++) {
                log_text("r%u ", redirect);
                vme_case(names[i], codes[i], iopl, 0, 0x0202);
                log_text("r%u ", redirect);
                vme_case(names[i], codes[i], iopl, FL_VIF, 0x0002);
                log_text("r%u ", redirect);
                vme_case(names[i], codes[i], iopl, FL_VIP, 0x0202);
                log_text("r%u ", redirect);
                vme_case(names[i], codes[i], iopl, FL_VIP, 0x0102);
                log_text("r%u ", redirect);
                vme_case(names[i], codes[i], iopl, FL_VIF | FL_VIP, 0x0002);
            }
        }
    }
    write_cr4(read_cr4() & ~1u);
}

extern const uint8_t p_cli[], p_sti[], p_pushf[];

__asm__("p_cli: cli; int $0x80\n"
        "p_sti: sti; int $0x80\n"
        "p_pushf: pushfl; pop %eax; int $0x80\n");

/* The same flag for CLI and STI at CPL 3 of protected mode, with CR4.PVI. */
static void
pvi(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
    } cases[] = {{"cli", p_cli}, {"sti", p_sti}, {"pushf", p_pushf}};
    static const uint32_t flags[] = {0, FL_VIF, FL_VIP, FL_VIF | FL_VIP};

    write_cr4(read_cr4() | 2);
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned k = 0; k < 4; k++) {
            for (unsigned ring = 2; ring < 4; ring++) {
                Context c = context(cases[i].code, ring);
                Event e;

                c.eflags |= flags[k];
                e = run(c);
                log_text("pvi %s ring=%u vif=%u vip=%u: vec=%x err=%x fl=%x eax=%x\n",
                         cases[i].name, ring, k & 1, k >> 1, e.vector, e.error,
                         e.at.eflags & (FL_IF | FL_VIF | FL_VIP), e.at.eax & 0x3200);
            }
        }
    }
    write_cr4(read_cr4() & ~2u);
}

void
guest_main(void)
{
    guest_setup();
    exits();
    for (unsigned iopl = 0; iopl < 4; iopl++)
        sensitive(iopl);
    gates();
    io_map();
    vme();
    pvi();
    log_end();
}
