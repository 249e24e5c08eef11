/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Control registers and their forbidden combinations, LMSW and SMSW, UMIP, SYSENTER and SYSEXIT,
 * SYSCALL in protected mode, PAT and MTRR MSRs, descriptor-table instructions, NMI-free odds and
 * ends. Intel SDM volume 3A 2.5, 11.11, 11.12; volume 2. */
#include "tests/guest/lib/guest32.h"

extern const uint8_t s_cr0[], s_cr4[], s_lmsw[], s_smsw[], s_smsw16[], s_smsw_mem[], s_sgdt[];
extern const uint8_t s_sldt[], s_str[], s_sidt[], s_rdmsr[], s_wrmsr[], s_sysenter[], s_sysexit[];
extern const uint8_t s_target[], s_lldt[], s_ltr[], s_sldt32[];

__asm__("s_cr0: mov %ebx, %cr0; int $0x80\n"
        "s_cr4: mov %ebx, %cr4; int $0x80\n"
        "s_lmsw: lmsw %bx; smsw %eax; int $0x80\n"
        "s_smsw: mov $-1, %eax; smsw %eax; int $0x80\n"
        "s_smsw16: mov $-1, %eax; smsw %ax; int $0x80\n"
        "s_smsw_mem: movl $-1, (%ebx); smsw (%ebx); int $0x80\n"
        "s_sgdt: sgdt (%ebx); int $0x80\n"
        "s_sidt: sidt (%ebx); int $0x80\n"
        "s_sldt: mov $-1, %eax; sldt %ax; int $0x80\n"
        "s_sldt32: mov $-1, %eax; sldt %eax; int $0x80\n"
        "s_str: mov $-1, %eax; str %eax; int $0x80\n"
        "s_lldt: lldt %bx; int $0x80\n"
        "s_ltr: ltr %bx; int $0x80\n"
        "s_rdmsr: rdmsr; int $0x80\n"
        "s_wrmsr: wrmsr; int $0x80\n"
        "s_sysenter: sysenter\n"
        "s_sysexit: sysexit\n"
        "s_target: int $0x80\n");

static uint8_t memory[64] __attribute__((aligned(64)));

static Event
with_ebx(const uint8_t *code, unsigned ring, uint32_t ebx)
{
    Context c = context(code, ring);

    c.ebx = ebx;
    return run(c);
}

static void
control_registers(void)
{
    static const uint32_t cr0_values[] = {0x60000011, 0x40000011, 0x11 | 0x1ff8ffc0};
    uint32_t cr0 = read_cr0();

    log_text("cr0: %x\n", cr0 & 0x8005003f);
    for (unsigned i = 0; i < sizeof cr0_values / sizeof *cr0_values; i++) {
        Event e = with_ebx(s_cr0, 0, cr0_values[i]);

        log_text("cr0=%x: vec=%x err=%x now=%x\n", cr0_values[i], e.vector, e.error,
                 read_cr0() & 0xfff8ffff);
        write_cr0(cr0);
    }
}

static void
machine_status_word(void)
{
    uint32_t cr0 = read_cr0();
    Event e;

    for (unsigned value = 0; value < 16; value++) {
        e = with_ebx(s_lmsw, 0, 0xfff0 | value);
        log_text("lmsw %x: vec=%x cr0=%x\n", value, e.vector, e.at.eax & 0x3f);
        write_cr0(cr0);
    }
    e = with_ebx(s_smsw, 3, 0);
    log_text("smsw 32: %x\n", e.at.eax & 0x8005003f);
    e = with_ebx(s_smsw16, 3, 0);
    log_text("smsw 16: %x\n", e.at.eax & 0xffff003f);
    e = with_ebx(s_smsw_mem, 3, (uint32_t)memory);
    log_text("smsw memory: %x\n", *(uint32_t *)memory & 0xffff003f);
}

static void
table_registers(void)
{
    Event e = with_ebx(s_sgdt, 3, (uint32_t)memory);

    log_text("sgdt: vec=%x limit=%x base=%x\n", e.vector, *(uint16_t *)memory,
             *(uint32_t *)(memory + 2));
    e = with_ebx(s_sidt, 3, (uint32_t)memory);
    log_text("sidt: vec=%x limit=%x base=%x\n", e.vector, *(uint16_t *)memory,
             *(uint32_t *)(memory + 2));
    e = with_ebx(s_sldt, 3, 0);
    log_text("sldt 16: %x\n", e.at.eax);
    e = with_ebx(s_sldt32, 3, 0);
    log_text("sldt 32: %x\n", e.at.eax & 0xffff);
    e = with_ebx(s_str, 3, 0);
    log_text("str: %x\n", e.at.eax & 0xffff);
}

static void
load_system(void)
{
    static const struct {
        const char *name;
        uint32_t selector;
        unsigned attr;
    } cases[] = {{"null", 0, 0},
                 {"null rpl", 3, 0},
                 {"beyond", 0x200, 0},
                 {"in ldt", 0x84, 0x82},
                 {"data", SEL_FREE, 0x92},
                 {"ldt", SEL_FREE, 0x82},
                 {"ldt np", SEL_FREE, 0x02},
                 {"tss", SEL_FREE, 0x89},
                 {"tss busy", SEL_FREE, 0x8b},
                 {"tss np", SEL_FREE, 0x09},
                 {"tss16", SEL_FREE, 0x81},
                 {"gate", SEL_FREE, 0x8c}};

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        Event lldt, ltr;

        guest_setup();
        gdt_set(SEL_FREE, (uint32_t)&tss2, 0x67, cases[i].attr);
        lldt = with_ebx(s_lldt, 0, cases[i].selector);
        gdt_set(SEL_FREE, (uint32_t)&tss2, 0x67, cases[i].attr);
        ltr = with_ebx(s_ltr, 0, cases[i].selector);
        log_text("load %s: lldt %x/%x ltr %x/%x type=%x\n", cases[i].name, lldt.vector, lldt.error,
                 ltr.vector, ltr.error, (uint32_t)(gdt[SEL_FREE >> 3] >> 40) & 0xff);
    }
    guest_setup();
}

static Event
msr(const uint8_t *code, uint32_t number, uint32_t low, uint32_t high)
{
    Context c = context(code, 0);

    c.ecx = number;
    c.eax = low;
    c.edx = high;
    return run(c);
}

static void
pat(void)
{
    static const uint32_t types[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 0x80};
    Event e = msr(s_rdmsr, 0x277, 0, 0);

    log_text("pat at reset: %x %x\n", e.at.eax, e.at.edx);
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        e = msr(s_wrmsr, 0x277, 0x00070400 | types[i], 0x00070406);
        log_text("pat type %x: vec=%x err=%x\n", types[i], e.vector, e.error);
    }
    e = msr(s_wrmsr, 0x277, 0x01040506, 0x00070406);
    e = msr(s_rdmsr, 0x277, 0, 0);
    log_text("pat read back: %x %x\n", e.at.eax, e.at.edx);
    msr(s_wrmsr, 0x277, 0x00070406, 0x00070406);
}

static void
mtrr(void)
{
    static const uint32_t fixed[] = {0x250, 0x258, 0x259, 0x268, 0x26f};
    Event e = msr(s_rdmsr, 0xfe, 0, 0);

    log_text("mtrr cap: fixed=%u wc=%u many=%u\n", !!(e.at.eax & 0x100), !!(e.at.eax & 0x400),
             (e.at.eax & 0xff) >= 8);
    e = msr(s_wrmsr, 0xfe, 0, 0);
    log_text("mtrr cap write: vec=%x err=%x\n", e.vector, e.error);
    for (unsigned i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        Event bad, good;

        bad = msr(s_wrmsr, fixed[i], 0x02000000, 0);
        good = msr(s_wrmsr, fixed[i], 0x06050401, 0x00010406);
        e = msr(s_rdmsr, fixed[i], 0, 0);
        log_text("mtrr %x: bad %x good %x value=%x %x\n", fixed[i], bad.vector, good.vector,
                 e.at.eax, e.at.edx);
        msr(s_wrmsr, fixed[i], 0x06060606, 0x06060606);
    }
    e = msr(s_wrmsr, 0x200, 0x00100006, 0);
    log_text("mtrr base: vec=%x\n", e.vector);
    e = msr(s_wrmsr, 0x200, 0x00100002, 0);
    log_text("mtrr base bad type: vec=%x\n", e.vector);
    e = msr(s_wrmsr, 0x200, 0x00100106, 0);
    log_text("mtrr base reserved: vec=%x\n", e.vector);
    e = msr(s_wrmsr, 0x201, 0xfff00800, 0xff);
    log_text("mtrr mask: vec=%x\n", e.vector);
    e = msr(s_wrmsr, 0x201, 0xfff00c00, 0xff);
    log_text("mtrr mask reserved: vec=%x\n", e.vector);
    msr(s_wrmsr, 0x201, 0, 0);
    e = msr(s_wrmsr, 0x2ff, 0xc06, 0);
    log_text("mtrr default: vec=%x\n", e.vector);
    e = msr(s_wrmsr, 0x2ff, 0xc02, 0);
    log_text("mtrr default bad type: vec=%x\n", e.vector);
    e = msr(s_wrmsr, 0x2ff, 0x1c06, 0);
    log_text("mtrr default reserved: vec=%x\n", e.vector);
    e = msr(s_rdmsr, 0x2ff, 0, 0);
    log_text("mtrr default value: %x\n", e.at.eax);
    e = msr(s_rdmsr, 0x4000, 0, 0);
    log_text("no such msr: vec=%x err=%x\n", e.vector, e.error);
}

static void
fast_calls(void)
{
    Context c = context(s_sysenter, 3);
    Event e;

    msr(s_wrmsr, 0x174, 0, 0);
    e = run(c);
    log_text("sysenter without cs: vec=%x err=%x\n", e.vector, e.error);
    msr(s_wrmsr, 0x174, SEL_CODE0, 0);
    msr(s_wrmsr, 0x175, (uint32_t)stacks[0] + 2048, 0);
    msr(s_wrmsr, 0x176, (uint32_t)s_target, 0);
    c.eflags |= FL_IF;
    e = run(c);
    log_text("sysenter: vec=%x cs=%x ss=%x esp=%x if=%x target=%u\n", e.vector, e.at.cs, e.at.ss,
             e.at.esp - (uint32_t)stacks[0], e.at.eflags & FL_IF,
             e.at.eip == (uint32_t)s_target + 2);
    c = context(s_sysexit, 0);
    c.ecx = (uint32_t)stacks[3] + 2048;
    c.edx = (uint32_t)s_target;
    e = run(c);
    log_text("sysexit: vec=%x cs=%x ss=%x esp=%x target=%u\n", e.vector, e.at.cs, e.at.ss,
             e.at.esp - (uint32_t)stacks[3], e.at.eip == (uint32_t)s_target + 2);
    msr(s_wrmsr, 0x174, 3, 0);
    e = run(c);
    log_text("sysexit without cs: vec=%x err=%x\n", e.vector, e.error);
}

/* Instructions that UMIP keeps from user mode. */
static void
user_mode_prevention(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
    } cases[] = {
        {"sgdt", s_sgdt}, {"sidt", s_sidt}, {"sldt", s_sldt}, {"str", s_str}, {"smsw", s_smsw}};

    write_cr4(read_cr4() | 0x800);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned ring = 0; ring < 4; ring += 3) {
            Event e = with_ebx(cases[i].code, ring, (uint32_t)memory);

            log_text("umip %s ring %u: vec=%x err=%x\n", cases[i].name, ring, e.vector, e.error);
        }
    }
    write_cr4(read_cr4() & ~0x800u);
}

/* Reserved bits of CR4, PG without PE, NW without CD. Last, because QEMU lets them pass and is lost
 * afterwards. */
static void
forbidden(void)
{
    static const uint32_t values[] = {0x20000011, 0xa0000011, 0x80000010, 0xe0000010};

    uint32_t cr4 = read_cr4();

    for (unsigned bit = 11; bit < 32; bit++) {
        Event e;

        /* Bits that some of the CPUs have: LA57, VMXE, FSGSBASE, PCIDE, OSXSAVE, PKE, CET, PKS. */
        if (bit == 11 || (bit >= 12 && bit <= 14) || (bit >= 16 && bit <= 18) ||
            (bit >= 20 && bit <= 24))
            continue;
        e = with_ebx(s_cr4, 0, cr4 | 1u << bit);
        log_text("cr4 bit %u: vec=%x err=%x\n", bit, e.vector, e.error);
        write_cr4(cr4);
    }
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
        Event e = with_ebx(s_cr0, 0, values[i]);

        log_text("forbidden cr0=%x: vec=%x err=%x\n", values[i], e.vector, e.error);
    }
}

void
guest_main(void)
{
    guest_setup();
    control_registers();
    machine_status_word();
    table_registers();
    load_system();
    pat();
    mtrr();
    fast_calls();
    user_mode_prevention();
    forbidden();
    log_end();
}
