/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SYSCALL and SYSRET in protected mode, as AMD has them, from every ring, and SYSENTER from rings
 * and modes. AMD APM volume 3 SYSCALL, SYSRET; Intel SDM volume 2B SYSENTER. */
#include "tests/guest/lib/guest32.h"

extern const uint8_t f_syscall[], f_sysret[], f_target[], f_sysenter[], f_sysexit[];

__asm__("f_syscall: syscall; int $0x80\n"
        "f_sysret: sysret\n"
        "f_sysenter: sysenter\n"
        "f_sysexit: sysexit\n"
        "f_target: int $0x80\n");

static void
write_msr(uint32_t msr, uint32_t low, uint32_t high)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"(low), "d"(high));
}

static Event
go(const char *key, const uint8_t *code, unsigned ring, uint32_t flags)
{
    Context c = context(code, ring);
    Event e;

    c.eflags |= flags;
    c.ecx = (uint32_t)f_target;
    e = run(c);
    log_text("%s ring %u: vec=%x err=%x cs=%x ss=%x if=%x target=%u ecx=+%x\n", key, ring, e.vector,
             e.error, e.at.cs, e.at.ss, e.at.eflags & FL_IF, e.at.eip == (uint32_t)f_target + 2,
             e.at.ecx - (uint32_t)code);
    return e;
}

static void
from_v86(const char *key, const uint8_t *code)
{
    Context c = context(code, 3);
    Event e;

    c.eflags |= FL_VM;
    c.eip = (uint32_t)code - 0x10000;
    c.cs = 0x1000;
    c.ss = 0x3000;
    c.esp = 0x8000;
    e = run(c);
    log_text("%s from v86: vec=%x err=%x cs=%x vm=%x\n", key, e.vector, e.error, e.at.cs,
             e.at.eflags & FL_VM);
}

void
guest_main(void)
{
    guest_setup();
    for (unsigned ring = 0; ring < 4; ring += 3) {
        go("syscall without SCE", f_syscall, ring, FL_IF);
        go("sysret without SCE", f_sysret, ring, 0);
    }
    write_msr(0xc0000080, 1, 0);
    write_msr(0xc0000081, (uint32_t)f_target, (uint32_t)(SEL_CODE3 & ~3) << 16 | SEL_CODE0);
    for (unsigned ring = 0; ring < 4; ring++) {
        go("syscall", f_syscall, ring, FL_IF);
        go("sysret", f_sysret, ring, 0);
    }
    write_msr(0x174, SEL_CODE0, 0);
    write_msr(0x175, (uint32_t)stacks[1] + 2048, 0);
    write_msr(0x176, (uint32_t)f_target, 0);
    for (unsigned ring = 0; ring < 4; ring++)
        go("sysenter", f_sysenter, ring, FL_IF);
    from_v86("sysenter", f_sysenter);
    from_v86("sysexit", f_sysexit);
    from_v86("sysret", f_sysret);
    write_msr(0xc0000080, 0, 0);
    from_v86("syscall", f_syscall);
    log_end();
}
