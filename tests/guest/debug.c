/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Debug registers and single steps: which bits exist, general detect, code, data and I/O
 * breakpoints, lengths, RF, TF and what suspends it. Intel SDM volume 3B chapter 17. */
#include "tests/guest/lib/guest32.h"

extern const uint8_t d_step[], d_step_sti[], d_movss[], d_popf_tf[], d_int[], d_write4[], d_read4[];
extern const uint8_t d_code[], d_code2[], d_movdr[], d_movdr4[], d_rep[], d_io[], d_iret_tf[];
extern const uint8_t d_moves[], d_write1[], d_push[], d_handler[], d_rmw[], d_movss_int[],
    d_read_then_ud[];

__asm__("d_step: nop; nop; int $0x80\n"
        "d_step_sti: sti; nop; nop; int $0x80\n"
        "d_movss: mov %ax, %ss; nop; nop; int $0x80\n"
        "d_popf_tf: popfl; nop; nop; int $0x80\n"
        "d_int: int $0x90; nop; int $0x80\n"
        "d_handler: nop; int $0x80\n"
        "d_moves: mov %ax, %es; nop; int $0x80\n"
        "d_write4: movl %eax, (%ebx); nop; int $0x80\n"
        "d_write1: movb %al, (%ebx); nop; int $0x80\n"
        "d_read4: movl (%ebx), %eax; nop; int $0x80\n"
        "d_rmw: addl %eax, (%ebx); nop; int $0x80\n"
        "d_push: pushl %eax; nop; int $0x80\n"
        "d_code: nop\n d_code2: nop; int $0x80\n"
        "d_movdr: mov %dr0, %eax; nop; int $0x80\n"
        "d_movdr4: mov %dr4, %eax; nop; int $0x80\n"
        "d_rep: rep stosl; nop; int $0x80\n"
        "d_io: inb %dx, %al; nop; int $0x80\n");

static uint32_t data[16] __attribute__((aligned(64)));

static void
set_dr(unsigned i, uint32_t value)
{
    switch (i) {
    case 0: __asm__ volatile("mov %0, %%dr0" : : "r"(value)); break;
    case 1: __asm__ volatile("mov %0, %%dr1" : : "r"(value)); break;
    case 2: __asm__ volatile("mov %0, %%dr2" : : "r"(value)); break;
    case 3: __asm__ volatile("mov %0, %%dr3" : : "r"(value)); break;
    case 6: __asm__ volatile("mov %0, %%dr6" : : "r"(value)); break;
    default: __asm__ volatile("mov %0, %%dr7" : : "r"(value)); break;
    }
}

static uint32_t
dr6(void)
{
    uint32_t value;

    __asm__ volatile("mov %%dr6, %0" : "=r"(value));
    return value;
}

static uint32_t
dr7(void)
{
    uint32_t value;

    __asm__ volatile("mov %%dr7, %0" : "=r"(value));
    return value;
}

/* General detect may still be on when the results are read: its fault turns it off. */
static bool
pass_detect(Frame *frame)
{
    return frame->vector == 1;
}

static Event
go(const char *key, const uint8_t *code, unsigned ring, Context change)
{
    Context c = context(code, ring);
    Event e;

    c.eflags |= change.eflags;
    c.eax = change.eax;
    c.ecx = change.ecx;
    c.edx = change.edx;
    c.ebx = change.ebx ? change.ebx : (uint32_t)data;
    c.edi = (uint32_t)data;
    if (change.esp)
        *(uint32_t *)c.esp = change.esp;
    e = run(c);
    event_hook = pass_detect;
    log_text("%s: vec=%x err=%x ip=+%x dr6=%x tf=%x\n", key, e.vector, e.error,
             e.at.eip - (uint32_t)code, dr6() & ~0x2000u, e.at.eflags & FL_TF);
    set_dr(7, 0);
    set_dr(6, 0xffff0ff0);
    event_hook = NULL;
    return e;
}

static void
registers(void)
{
    set_dr(7, 0);
    log_text("dr7 zero: %x\n", dr7());
    set_dr(7, 0xffffdfff);
    log_text("dr7 ones: %x\n", dr7() & ~0x800u); /* RTM */
    set_dr(7, 0);
    set_dr(6, 0);
    log_text("dr6 zero: %x\n", dr6());
    set_dr(6, 0xffffffff & ~0x10800u);
    log_text("dr6 ones: %x\n", dr6());
}

static void
detect(void)
{
    Event e;

    set_dr(6, 0xffff0ff0);
    set_dr(7, 0x2400);
    e = run(context(d_movdr, 0));
    log_text("general detect: vec=%x ip=+%x\n", e.vector, e.at.eip - (uint32_t)d_movdr);
    log_text("general detect dr6=%x dr7=%x\n", dr6(), dr7());
    set_dr(6, 0xffff0ff0);
    set_dr(7, 0x2400);
    go("general detect ring 3", d_movdr, 3, (Context){0});
    set_dr(7, 0);
    go("dr4 alias", d_movdr4, 0, (Context){0});
    write_cr4(read_cr4() | 8);
    go("dr4 with DE", d_movdr4, 0, (Context){0});
    write_cr4(read_cr4() & ~8u);
}

static void
steps(void)
{
    idt[0x90] = gate(SEL_CODE0, (uint32_t)d_handler, 0xee, 0);
    go("step", d_step, 3, (Context){.eflags = FL_TF});
    go("step sti", d_step_sti, 0, (Context){.eflags = FL_TF});
    go("step mov ss", d_movss, 0, (Context){.eflags = FL_TF, .eax = SEL_DATA0});
    go("popf sets tf", d_popf_tf, 3, (Context){.esp = 0x102});
    go("popf clears tf", d_popf_tf, 3, (Context){.eflags = FL_TF, .esp = 0x2});
    go("step int", d_int, 3, (Context){.eflags = FL_TF});
    go("step rep", d_rep, 3, (Context){.eflags = FL_TF, .ecx = 3});
    guest_setup();
}

static void
code_breakpoints(void)
{
    set_dr(0, (uint32_t)d_code2);
    set_dr(7, 0x1);
    go("code local", d_code, 3, (Context){0});
    set_dr(7, 0x2);
    go("code global", d_code, 3, (Context){0});
    set_dr(7, 0x1);
    go("code with RF elsewhere", d_code, 3, (Context){.eflags = FL_RF});
    set_dr(0, (uint32_t)d_code);
    set_dr(7, 0x1);
    go("code at first", d_code, 3, (Context){0});
    set_dr(7, 0x1);
    go("code with RF", d_code, 3, (Context){.eflags = FL_RF});
    set_dr(0, (uint32_t)d_code2);
    set_dr(7, 0x1);
    go("code and step", d_code, 3, (Context){.eflags = FL_TF});
    set_dr(0, (uint32_t)d_movss + 2);
    set_dr(7, 0x1);
    go("code after mov ss", d_movss, 0, (Context){.eax = SEL_DATA0});
}

/* Every length and kind against every offset of a 4-byte and a 1-byte access. */
static void
data_breakpoints(void)
{
    static const uint8_t lengths[] = {0, 1, 3};
    static const uint8_t kinds[] = {1, 3};

    for (unsigned l = 0; l < 3; l++) {
        for (unsigned k = 0; k < 2; k++) {
            for (unsigned offset = 0; offset < 12; offset += offset < 4 ? 1 : 2) {
                uint32_t control = 1u | (uint32_t)(lengths[l] << 2 | kinds[k]) << 16;
                uint32_t place = (uint32_t)data + offset;

                set_dr(0, (uint32_t)data + 4);
                set_dr(7, control);
                log_text("data len=%u rw=%u at=%u ", lengths[l], kinds[k], offset);
                go("write4", d_write4, 3, (Context){.ebx = place});
                set_dr(7, control);
                log_text("data len=%u rw=%u at=%u ", lengths[l], kinds[k], offset);
                go("write1", d_write1, 3, (Context){.ebx = place});
                set_dr(7, control);
                log_text("data len=%u rw=%u at=%u ", lengths[l], kinds[k], offset);
                go("read4", d_read4, 3, (Context){.ebx = place});
            }
        }
    }
    set_dr(0, (uint32_t)data);
    set_dr(7, 0xd0001);
    go("rmw", d_rmw, 3, (Context){0});
    set_dr(1, (uint32_t)data);
    set_dr(7, 0xdd0005);
    go("two at once", d_write4, 3, (Context){0});
    set_dr(7, 0xdd0004);
    go("second only", d_write4, 3, (Context){0});
    set_dr(0, (uint32_t)stacks[3] + 4096 - 260);
    set_dr(7, 0xd0001);
    go("push", d_push, 3, (Context){0});
    set_dr(0, (uint32_t)data + 4);
    set_dr(7, 0xd0001);
    Event e = go("rep stos", d_rep, 3, (Context){.ecx = 4});
    log_text("  rep stos left: %u\n", e.at.ecx);
    set_dr(0, (uint32_t)data);
    set_dr(7, 0xd0001);
    go("data and step", d_write4, 3, (Context){.eflags = FL_TF});
}

/* What the CPU reads and writes by itself. */
static void
implicit_accesses(void)
{
    idt[0x90] = gate(SEL_CODE0, (uint32_t)d_handler, 0xee, 0);
    gdt_set(SEL_FREE, 0, 0xfffff, 0xc092);
    set_dr(0, (uint32_t)&gdt[SEL_FREE / 8]);
    set_dr(7, 0xf0001);
    go("gdt read", d_moves, 0, (Context){.eax = SEL_FREE});
    gdt_set(SEL_FREE, 0, 0xfffff, 0xc092);
    set_dr(0, (uint32_t)&gdt[SEL_FREE / 8] + 4);
    set_dr(7, 0xd0001);
    go("gdt accessed bit", d_moves, 0, (Context){.eax = SEL_FREE});
    set_dr(7, 0xd0001);
    go("gdt accessed already", d_moves, 0, (Context){.eax = SEL_FREE});
    set_dr(0, (uint32_t)&idt[0x90]);
    set_dr(7, 0xf0001);
    go("idt read", d_int, 0, (Context){0});
    set_dr(0, (uint32_t)&tss.esp0);
    set_dr(7, 0xf0001);
    go("tss read", d_int, 3, (Context){0});
    set_dr(0, (uint32_t)&tss.esp0);
    set_dr(7, 0xf0001);
    go("tss not read", d_int, 0, (Context){0});
    set_dr(0, tss.esp0 - 4);
    set_dr(7, 0xd0001);
    go("frame pushed", d_int, 3, (Context){0});
    guest_setup();
}

static void
io_breakpoints(void)
{
    set_dr(0, 0x80);
    set_dr(7, 0x20001);
    go("io without DE", d_io, 0, (Context){.edx = 0x80});
    write_cr4(read_cr4() | 8);
    set_dr(7, 0x20001);
    go("io", d_io, 0, (Context){.edx = 0x80});
    set_dr(7, 0x20001);
    go("io elsewhere", d_io, 0, (Context){.edx = 0x81});
    set_dr(7, 0xe0001);
    go("io long", d_io, 0, (Context){.edx = 0x83});
    write_cr4(read_cr4() & ~8u);
}

void
guest_main(void)
{
    guest_setup();
    registers();
    detect();
    steps();
    code_breakpoints();
    data_breakpoints();
    io_breakpoints();
    implicit_accesses();
    log_end();
}
