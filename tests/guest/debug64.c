/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Debug registers and single steps in 64-bit mode: upper halves, breakpoints of eight bytes, steps
 * into and out of SYSCALL, IRETQ and interrupts. Intel SDM volume 3B 17.2, 17.3; AMD APM volume 2
 * chapter 13. */
#include "tests/guest/lib/guest64.h"

extern const uint8_t b_dr0[], b_dr6[], b_dr7[], b_write8[], b_write4[], b_read1[], b_syscall[],
    b_end[];
extern const uint8_t b_step[], b_int[], b_code[], b_code2[], b_lret[], b_sysret[];

__asm__("b_dr0: mov %rbx, %dr0; mov %dr0, %rax; int $0x80\n"
        "b_dr6: mov %rbx, %dr6; mov %dr6, %rax; int $0x80\n"
        "b_dr7: mov %rbx, %dr7; mov %dr7, %rax; int $0x80\n"
        "b_write8: mov %rax, (%rbx); nop; int $0x80\n"
        "b_write4: movl %eax, (%rbx); nop; int $0x80\n"
        "b_read1: movb (%rbx), %al; nop; int $0x80\n"
        "b_syscall: syscall; nop; int $0x80\n"
        "b_end: nop; nop; int $0x80\n"
        "b_step: nop; nop; int $0x80\n"
        "b_int: int $0x90; nop; int $0x80\n"
        "b_lret: lretq\n"
        "b_sysret: sysretq\n"
        "b_code: nop\n b_code2: nop; int $0x80\n");

static uint64_t data[4] __attribute__((aligned(64)));

static void
set_dr7(uint64_t value)
{
    __asm__ volatile("mov %0, %%dr7" : : "r"(value));
}

static void
set_dr0(uint64_t value)
{
    __asm__ volatile("mov %0, %%dr0" : : "r"(value));
}

static Event
go(const char *key, const uint8_t *code, Context c)
{
    uint64_t dr6 = 0xffff0ff0;
    Event e;

    __asm__ volatile("mov %0, %%dr6" : : "r"(dr6));
    e = run(c);
    set_dr7(0);
    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    log_text("%s: vec=%x err=%x cs=%x ip=+%x dr6=%X tf=%x rax=%X\n", key, (uint32_t)e.vector,
             (uint32_t)e.error, (uint32_t)e.at.cs, (uint32_t)(e.at.rip - (uint64_t)code), dr6,
             (uint32_t)e.at.rflags & FL_TF, e.at.gpr[RAX]);
    return e;
}

static Context
with(const uint8_t *code, unsigned ring, uint64_t rbx)
{
    Context c = context(code, ring);

    c.gpr[RBX] = rbx;
    return c;
}

static void
registers(void)
{
    go("dr0 64 bits", b_dr0, with(b_dr0, 0, 0x123456789abcdef0));
    go("dr6 high", b_dr6, with(b_dr6, 0, 0x1ffff0ff0));
    go("dr7 high", b_dr7, with(b_dr7, 0, 0x100000400));
    go("dr7 low", b_dr7, with(b_dr7, 0, 0x400));
}

static void
breakpoints(void)
{
    for (unsigned offset = 0; offset < 24; offset += 4) {
        uint64_t place = (uint64_t)data + offset;

        set_dr0((uint64_t)data + 8);
        set_dr7(0x90001); /* eight bytes, writes */
        log_text("eight bytes at=%u ", offset);
        go("write8", b_write8, with(b_write8, 3, place));
        set_dr7(0x90001);
        log_text("eight bytes at=%u ", offset);
        go("write4", b_write4, with(b_write4, 3, place));
        set_dr7(0xb0001);
        log_text("eight bytes at=%u ", offset);
        go("read1", b_read1, with(b_read1, 3, place));
    }
    set_dr0((uint64_t)b_code2);
    set_dr7(1);
    go("code", b_code, context(b_code, 3));
    set_dr7(1);
    go("code ring 0", b_code, context(b_code, 0));
}

static void
steps(void)
{
    Context c = context(b_step, 3);

    c.rflags |= FL_TF;
    go("step", b_step, c);
    c.rip = (uint64_t)b_int;
    idt[0x90] = gate(SEL_CODE0, (uint64_t)b_end, 0xee, 0);
    go("step int", b_end, c);
    write_msr(0xc0000080, read_msr(0xc0000080) | 1);
    write_msr(0xc0000081, (uint64_t)(SEL_COMPAT3 & ~3) << 48 | (uint64_t)SEL_CODE0 << 32);
    write_msr(0xc0000082, (uint64_t)b_end);
    write_msr(0xc0000084, FL_TF);
    c.rip = (uint64_t)b_syscall;
    go("step syscall, TF masked", b_end, c);
    write_msr(0xc0000084, 0);
    go("step syscall", b_end, c);
    c = context(b_sysret, 0);
    c.gpr[RCX] = (uint64_t)b_end;
    c.gpr[R11] = 2 | FL_TF;
    go("sysret sets TF", b_end, c);
    c = context(b_lret, 0);
    c.rflags |= FL_TF;
    ((uint64_t *)c.gpr[RSP])[0] = (uint64_t)b_end;
    ((uint64_t *)c.gpr[RSP])[1] = SEL_CODE0;
    go("step far return", b_end, c);
}

void
guest_main(void)
{
    guest_setup();
    registers();
    breakpoints();
    steps();
    log_end();
}
