/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Long mode: interrupt frames and their alignment, IST, gates and far transfers, IRETQ, canonical
 * addresses, segments without limits, FS and GS bases, SYSCALL and SYSRET, what 64-bit mode
 * took away, control registers, compatibility mode. Intel SDM volume 3A 5.8, 6.14, 9.8; AMD APM
 * volume 2. */
#include "tests/guest/lib/guest64.h"

extern const uint8_t l_int90[], l_end[], l_ud[], l_iretq[], l_iretd[], l_call[], l_jump[],
    l_callq[];
extern const uint8_t l_retf[], l_retfq[], l_read[], l_read_rbp[], l_jump_rax[], l_call_rax[],
    l_ret[];
extern const uint8_t l_load_ds[], l_load_ss[], l_load_fs[], l_read_fs[], l_read_gs[], l_swapgs[];
extern const uint8_t l_write_cs[], l_syscall[], l_sysretq[], l_sysretl[], l_sysenter[], l_push[];
extern const uint8_t l_cr0[], l_cr4[], l_cr3[], l_cr8[], l_rdcr8[], l_wrmsr[], l_lldt[], l_ltr[];
extern const uint8_t l_verify[], l_sgdt[], l_popss[], l_gate_target[], l_write[];

__asm__("l_int90: int $0x90; nop; int $0x80\n"
        "l_end: int $0x80\n"
        "l_ud: ud2\n"
        "l_iretq: iretq\n"
        "l_iretd: iretl\n"
        "l_call: lcall *(%rbx); nop; int $0x80\n"
        "l_callq: rex.w lcall *(%rbx); nop; int $0x80\n"
        "l_jump: ljmp *(%rbx); nop; int $0x80\n"
        "l_retf: lretl\n"
        "l_retfq: lretq\n"
        "l_read: mov (%rbx), %rax; int $0x80\n"
        "l_write: mov %rax, (%rbx); int $0x80\n"
        "l_read_rbp: mov (%rbp), %rax; int $0x80\n"
        "l_push: push %rax; int $0x80\n"
        "l_jump_rax: jmp *%rax\n"
        "l_call_rax: call *%rax\n"
        "l_ret: ret\n"
        "l_load_ds: mov %ax, %ds; int $0x80\n"
        "l_load_ss: mov %ax, %ss; nop; int $0x80\n"
        "l_load_fs: mov %ax, %fs; mov %fs:(%rbx), %rax; int $0x80\n"
        "l_read_fs: mov %fs:(%rbx), %rax; int $0x80\n"
        "l_read_gs: mov %gs:(%rbx), %rax; int $0x80\n"
        "l_swapgs: swapgs; int $0x80\n"
        "l_write_cs: mov %eax, %cs:(%rbx); int $0x80\n"
        "l_syscall: syscall; int $0x80\n"
        "l_sysretq: sysretq\n"
        "l_sysretl: sysretl\n"
        "l_sysenter: sysenter; int $0x80\n"
        "l_cr0: mov %rbx, %cr0; int $0x80\n"
        "l_cr3: mov %rbx, %cr3; int $0x80\n"
        "l_cr4: mov %rbx, %cr4; int $0x80\n"
        "l_cr8: mov %rbx, %cr8; int $0x80\n"
        "l_rdcr8: mov %cr8, %rax; int $0x80\n"
        "l_wrmsr: wrmsr; int $0x80\n"
        "l_lldt: lldt %bx; int $0x80\n"
        "l_ltr: ltr %bx; int $0x80\n"
        "l_verify: xor %ebx, %ebx; xor %ecx, %ecx; xor %edx, %edx\n"
        " lar %eax, %ecx; jnz 1f; or $1, %ebx\n"
        "1: lsl %eax, %edx; jnz 1f; or $2, %ebx\n"
        "1: int $0x80\n"
        "l_gate_target: int $0x80\n");

#define NON_CANONICAL 0x0000800000000000ull

static struct {
    uint64_t offset;
    uint16_t selector;
} __attribute__((packed)) pointer64;
static struct {
    uint32_t offset;
    uint16_t selector;
} __attribute__((packed)) pointer32;
static uint64_t memory[8] __attribute__((aligned(64))) = {0x1122334455667788, 0x99aabbccddeeff00};

static Event
with(const uint8_t *code, unsigned ring, unsigned reg, uint64_t value)
{
    Context c = context(code, ring);

    c.gpr[reg] = value;
    return run(c);
}

static void
say(const char *key, const Event *e)
{
    log_text("%s: vec=%x err=%x cs=%x ss=%x\n", key, (uint32_t)e->vector, (uint32_t)e->error,
             (uint32_t)e->at.cs, (uint32_t)e->at.ss);
}

static void
frames(void)
{
    for (unsigned ring = 0; ring < 4; ring += 3) {
        for (unsigned skew = 0; skew < 16; skew += 4) {
            for (unsigned ist = 0; ist < 3; ist++) {
                Context c = context(l_int90, ring);
                uint64_t top = ist ? tss.ist[ist - 1] : ring ? tss.rsp[0] : c.gpr[RSP] + skew;
                Event e;

                c.gpr[RSP] += skew;
                idt[0x90] = idt[0x80];
                idt[0x90].low |= (uint64_t)ist << 32;
                e = run(c);
                log_text("frame ring=%u skew=%u ist=%u: vec=%x below=%x rsp=+%x ss=%x cs=%x\n",
                         ring, skew, ist, (uint32_t)e.vector, (uint32_t)(top - e.frame_end),
                         (uint32_t)(e.at.gpr[RSP] - c.gpr[RSP]), (uint32_t)e.at.ss,
                         (uint32_t)e.at.cs);
            }
        }
    }
    tss.ist[0] = NON_CANONICAL;
    idt[0x90].low = (idt[0x80].low & ~(7ull << 32)) | 1ull << 32;
    idt[12].low = (idt[12].low & ~(7ull << 32)) | 2ull << 32;
    Event e = run(context(l_int90, 3));
    say("ist not canonical", &e);
    guest_setup();
}

static void
gate_checks(void)
{
    Event e;

    for (unsigned type = 0; type < 32; type++) {
        idt[0x90] = gate(SEL_CODE0, (uint64_t)l_end, 0xe0 | type, 0);
        e = run(context(l_int90, 3));
        log_text("idt type=%x: vec=%x err=%x\n", type, (uint32_t)e.vector, (uint32_t)e.error);
    }
    static const uint16_t selectors[] = {0,           3,         0x200,          SEL_DATA0,
                                         SEL_COMPAT0, SEL_CODE3, SEL_CONFORMING, SEL_CODE0 | 3};
    for (unsigned i = 0; i < sizeof selectors / sizeof *selectors; i++) {
        for (unsigned ring = 0; ring < 4; ring += 3) {
            idt[0x90] = gate(selectors[i], (uint64_t)l_end, 0xee, 0);
            e = run(context(l_int90, ring));
            log_text("idt to=%x ring=%u ", selectors[i], ring);
            say("int", &e);
        }
    }
    idt[0x90] = gate(SEL_CODE0, NON_CANONICAL, 0xee, 0);
    e = run(context(l_int90, 3));
    say("handler not canonical", &e);
    idt[0x90] = gate(SEL_CODE0, (uint64_t)l_end, 0x6e, 0);
    e = run(context(l_int90, 3));
    say("gate not present", &e);
    gdt_set(SEL_FREE, 0, 0xfffff, ATTR_CODE64 | 0x4000);
    idt[0x90] = gate(SEL_FREE, (uint64_t)l_end, 0xee, 0);
    e = run(context(l_int90, 3));
    say("handler with L and D", &e);
    gdt_set(SEL_FREE, 0, 0xfffff, ATTR_CODE64 & ~0x80);
    e = run(context(l_int90, 3));
    say("handler not present", &e);
    idt[6] = gate(SEL_FREE, (uint64_t)l_end, 0x8e, 0);
    e = run(context(l_ud, 3));
    say("#UD handler not present", &e);
    guest_setup();
}

static Event
iret_to(const uint8_t *code, unsigned ring, uint64_t rip, uint64_t cs, uint64_t flags, uint64_t ss)
{
    Context c = context(code, ring);
    uint64_t rsp = (uint64_t)stacks[cs & 3 ? 3 : 0] + 2048;

    if (code == l_iretd) {
        uint32_t *stack = (uint32_t *)c.gpr[RSP];

        stack[0] = (uint32_t)rip;
        stack[1] = (uint32_t)cs;
        stack[2] = (uint32_t)flags;
        stack[3] = (uint32_t)rsp;
        stack[4] = (uint32_t)ss;
    } else {
        uint64_t *stack = (uint64_t *)c.gpr[RSP];

        stack[0] = rip;
        stack[1] = cs;
        stack[2] = flags;
        stack[3] = rsp;
        stack[4] = ss;
    }
    return run(c);
}

static void
irets(void)
{
    static const struct {
        const char *name;
        uint16_t cs, ss;
    } cases[] = {
        {"same", SEL_CODE0, SEL_DATA0},
        {"same null ss", SEL_CODE0, 0},
        {"outer", SEL_CODE3, SEL_DATA3},
        {"outer null ss", SEL_CODE3, 3},
        {"outer null ss 0", SEL_CODE3, 0},
        {"compat", SEL_COMPAT3, SEL_DATA3},
        {"compat null ss", SEL_COMPAT3, 3},
        {"compat 0", SEL_COMPAT0, SEL_DATA0},
        {"compat 0 null ss", SEL_COMPAT0, 0},
        {"null cs", 0, SEL_DATA0},
        {"data cs", SEL_DATA0, SEL_DATA0},
        {"beyond", 0x200, SEL_DATA0},
        {"ss rpl", SEL_CODE3, SEL_DATA0},
        {"ss code", SEL_CODE3, SEL_CODE3},
        {"rpl over dpl", SEL_CODE0 | 3, SEL_DATA3},
        {"tss", SEL_TSS, SEL_DATA0},
    };
    Event e;

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned k = 0; k < 2; k++) {
            e = iret_to(k ? l_iretd : l_iretq, 0, (uint64_t)l_end, cases[i].cs, 2, cases[i].ss);
            log_text("%s ", k ? "iretd" : "iretq");
            say(cases[i].name, &e);
        }
    }
    e = iret_to(l_iretq, 0, NON_CANONICAL, SEL_CODE3, 2, SEL_DATA3);
    say("iretq not canonical", &e);
    e = iret_to(l_iretq, 3, (uint64_t)l_end, SEL_CODE0, 2, SEL_DATA0);
    say("iretq inner", &e);
    gdt_set(SEL_FREE, 0, 0xfffff, ATTR_CODE64 | 0x4000);
    e = iret_to(l_iretq, 0, (uint64_t)l_end, SEL_FREE, 2, SEL_DATA0);
    say("iretq L and D", &e);
    Context c = context(l_iretq, 0);
    c.rflags |= FL_NT;
    e = run(c);
    say("iretq with NT", &e);
    e = iret_to(l_iretq, 0, (uint64_t)l_end, SEL_CODE3, 0x3fbed7 & ~0x6100, SEL_DATA3);
    report("iretq flags", &e, l_end);
    e = iret_to(l_iretq, 3, (uint64_t)l_end, SEL_CODE3, 0x203202, SEL_DATA3);
    report("iretq flags ring 3", &e, l_end);
}

static Event
far(const uint8_t *code, unsigned ring, uint16_t selector, uint64_t offset)
{
    Context c = context(code, ring);
    uint64_t *stack = (uint64_t *)c.gpr[RSP];

    pointer64.offset = offset;
    pointer64.selector = selector;
    pointer32.offset = (uint32_t)offset;
    pointer32.selector = selector;
    c.gpr[RBX] = code == l_callq ? (uint64_t)&pointer64 : (uint64_t)&pointer32;
    stack[0] = offset;
    stack[1] = selector;
    stack[2] = (uint64_t)stacks[selector & 3] + 2048;
    stack[3] = selector & 3 ? SEL_DATA3 : SEL_DATA0;
    return run(c);
}

static void
say_far(const char *key, const Event *e)
{
    log_text("%s: vec=%x err=%x cs=%x ss=%x rsp=%X at=%u\n", key, (uint32_t)e->vector,
             (uint32_t)e->error, (uint32_t)e->at.cs, (uint32_t)e->at.ss, e->at.gpr[RSP],
             e->at.rip == (uint64_t)l_end + 2);
}

static void
far_transfers(void)
{
    static const struct {
        const char *name;
        uint16_t selector;
    } cases[] = {{"code64", SEL_CODE0},
                 {"compat", SEL_COMPAT0},
                 {"code64 r3", SEL_CODE3},
                 {"compat r3", SEL_COMPAT3},
                 {"conforming", SEL_CONFORMING},
                 {"null", 0},
                 {"data", SEL_DATA0},
                 {"tss", SEL_TSS},
                 {"ldt", SEL_LDT},
                 {"L and D", SEL_FREE}};

    gdt_set(SEL_FREE, 0, 0xfffff, ATTR_CODE64 | 0x4000);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned ring = 0; ring < 4; ring += 3) {
            Event e = far(l_call, ring, cases[i].selector, (uint64_t)l_end);

            log_text("call ring=%u ", ring);
            say_far(cases[i].name, &e);
            e = far(l_jump, ring, cases[i].selector, (uint64_t)l_end);
            log_text("jump ring=%u ", ring);
            say_far(cases[i].name, &e);
            e = far(l_retfq, ring, cases[i].selector, (uint64_t)l_end);
            log_text("retq ring=%u ", ring);
            say_far(cases[i].name, &e);
        }
    }
}

static void
call_gates(void)
{
    Event e;

    gdt_set_gate(SEL_FREE, gate(SEL_CODE0, (uint64_t)l_end, 0xec, 0));
    e = far(l_call, 3, SEL_FREE, 0);
    say_far("gate ring 3", &e);
    for (unsigned i = 0; i < 4; i++)
        log_text("  gate stack %u: %X\n", i, ((uint64_t *)e.at.gpr[RSP])[i]);
    e = far(l_call, 0, SEL_FREE, 0);
    say_far("gate ring 0", &e);
    e = far(l_jump, 3, SEL_FREE, 0);
    say_far("gate jump ring 3", &e);
    e = far(l_jump, 0, SEL_FREE, 0);
    say_far("gate jump ring 0", &e);
    Context c = context_compat(l_call, 3);
    pointer32.selector = SEL_FREE;
    c.gpr[RBX] = (uint64_t)&pointer32;
    e = run(c);
    say_far("gate from compat", &e);
    gdt_set_gate(SEL_FREE, gate(SEL_CONFORMING, (uint64_t)l_end, 0xec, 0));
    e = far(l_call, 3, SEL_FREE, 0);
    say_far("gate conforming", &e);
    gdt_set_gate(SEL_FREE, gate(SEL_COMPAT0, (uint64_t)l_end, 0xec, 0));
    e = far(l_call, 3, SEL_FREE, 0);
    say_far("gate to compat", &e);
    gdt_set_gate(SEL_FREE, gate(SEL_CODE0, NON_CANONICAL, 0xec, 0));
    e = far(l_call, 3, SEL_FREE, 0);
    say_far("gate not canonical", &e);
    gdt_set_gate(SEL_FREE, gate(SEL_CODE0, (uint64_t)l_end, 0xe4, 0));
    e = far(l_call, 3, SEL_FREE, 0);
    say_far("gate 16", &e);
    gdt_set_gate(SEL_FREE, gate(SEL_TSS, 0, 0xe5, 0));
    e = far(l_call, 3, SEL_FREE, 0);
    say_far("task gate", &e);
    gdt_set_gate(SEL_FREE, gate(SEL_CODE0, (uint64_t)l_end, 0xec, 0));
    gdt[(SEL_FREE >> 3) + 1] |= 0x0c00ull << 32;
    e = far(l_call, 3, SEL_FREE, 0);
    say_far("gate upper type", &e);
    gdt_set_gate(SEL_FREE, gate(SEL_CODE0, (uint64_t)l_end, 0x8c, 0));
    e = far(l_call, 3, SEL_FREE, 0);
    say_far("gate dpl", &e);
    gdt_set_gate(0x1f8, gate(SEL_CODE0, (uint64_t)l_end, 0xec, 0));
    e = far(l_call, 3, 0x1f8, 0);
    say_far("gate half beyond gdt", &e);
    guest_setup();
}

static void
canonical(void)
{
    static const uint64_t addresses[] = {0x7ffffffffffe, 0x7ffffffffff8, 0x800000000000,
                                         0xffff7ffffffffff8, 0x123456789abcdef0};
    Event e;

    for (unsigned i = 1; i < sizeof addresses / sizeof *addresses; i++) {
        e = with(l_read, 3, RBX, addresses[i]);
        log_text("read %X: vec=%x err=%x\n", addresses[i], (uint32_t)e.vector, (uint32_t)e.error);
        e = with(l_read_rbp, 3, RBP, addresses[i]);
        log_text("read rbp %X: vec=%x err=%x\n", addresses[i], (uint32_t)e.vector,
                 (uint32_t)e.error);
    }
    e = with(l_push, 3, RSP, NON_CANONICAL + 4);
    report("push not canonical", &e, l_push);
    e = with(l_jump_rax, 3, RAX, NON_CANONICAL);
    report("jump not canonical", &e, l_jump_rax);
    e = with(l_call_rax, 3, RAX, NON_CANONICAL);
    report("call not canonical", &e, l_call_rax);
    log_text("call not canonical rsp: %x\n", (uint32_t)(e.at.gpr[RSP] - context(NULL, 3).gpr[RSP]));
    Context c = context(l_ret, 3);
    *(uint64_t *)c.gpr[RSP] = NON_CANONICAL;
    e = run(c);
    report("ret not canonical", &e, l_ret);
    log_text("ret not canonical rsp: %x\n", (uint32_t)(e.at.gpr[RSP] - c.gpr[RSP]));
}

static void
segments(void)
{
    Event e;

    for (unsigned rpl = 0; rpl < 4; rpl++) {
        e = with(l_load_ss, 0, RAX, rpl);
        log_text("null ss %u ring 0: vec=%x err=%x\n", rpl, (uint32_t)e.vector, (uint32_t)e.error);
        e = with(l_load_ss, 3, RAX, rpl);
        log_text("null ss %u ring 3: vec=%x err=%x\n", rpl, (uint32_t)e.vector, (uint32_t)e.error);
    }
    e = with(l_load_ds, 3, RAX, 0);
    log_text("null ds: vec=%x ds=%x\n", (uint32_t)e.vector, (uint32_t)e.at.ds);
    Context c = context(l_read, 3);
    c.ds = 0;
    c.gpr[RBX] = (uint64_t)memory;
    e = run(c);
    log_text("read through null ds: vec=%x rax=%X\n", (uint32_t)e.vector, e.at.gpr[RAX]);
    e = with(l_write_cs, 3, RBX, (uint64_t)&memory[4]);
    log_text("write through cs: vec=%x\n", (uint32_t)e.vector);
    gdt_set(SEL_FREE, (uint32_t)(uint64_t)memory, 0, 0x93 | ATTR_DPL3);
    c = context(l_load_fs, 3);
    c.gpr[RAX] = SEL_FREE | 3;
    c.gpr[RBX] = 8;
    e = run(c);
    log_text("fs base from descriptor, no limit: vec=%x rax=%X base=%u\n", (uint32_t)e.vector,
             e.at.gpr[RAX], read_msr(0xc0000100) == (uint64_t)memory);
    write_msr(0xc0000101, (uint64_t)memory + 8);
    e = with(l_read_gs, 3, RBX, (uint64_t)-8);
    log_text("gs base from msr: rax=%X\n", e.at.gpr[RAX]);
    write_msr(0xc0000102, 0x1234);
    e = with(l_swapgs, 3, RAX, 0);
    log_text("swapgs ring 3: vec=%x err=%x\n", (uint32_t)e.vector, (uint32_t)e.error);
    e = with(l_swapgs, 0, RAX, 0);
    log_text("swapgs: gs=%X kernel=%u\n", read_msr(0xc0000101),
             read_msr(0xc0000102) == (uint64_t)memory + 8);
    write_msr(0xc0000101, 0xffff800000000000);
    e = with(l_read_gs, 3, RBX, 0x10);
    report("gs high", &e, l_read_gs);
    guest_setup();
}

static void
removed(void)
{
    static const uint8_t opcodes[] = {0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37,
                                      0x3f, 0x60, 0x61, 0x82, 0x9a, 0xce, 0xd4, 0xd5, 0xd6, 0xea};
    static uint8_t code[16];

    for (unsigned i = 0; i < sizeof opcodes; i++) {
        Event e;

        for (unsigned k = 0; k < sizeof code; k++)
            code[k] = 0x90;
        code[0] = opcodes[i];
        code[14] = 0xcd;
        code[15] = 0x80;
        e = run(context(code, 3));
        log_text("opcode %x: vec=%x\n", opcodes[i], (uint32_t)e.vector);
    }
}

static void
system_calls(void)
{
    Context c = context(l_syscall, 3);
    Event e;

    e = run(c);
    report("syscall without SCE", &e, l_syscall);
    write_msr(0xc0000080, read_msr(0xc0000080) | 1);
    write_msr(0xc0000081, (uint64_t)(SEL_COMPAT3 & ~3) << 48 | (uint64_t)SEL_CODE0 << 32);
    write_msr(0xc0000082, (uint64_t)l_end);
    write_msr(0xc0000083, (uint64_t)l_end);
    write_msr(0xc0000084, FL_IF | FL_DF);
    c.rflags |= FL_IF | FL_DF | FL_AC;
    e = run(c);
    report("syscall", &e, l_end);
    log_text("syscall rcx=+%x: r11=%X same rsp=%u\n",
             (uint32_t)(e.at.gpr[RCX] - (uint64_t)l_syscall), e.at.gpr[R11],
             e.at.gpr[RSP] == c.gpr[RSP]);
    c = context_compat(l_syscall, 3);
    e = run(c);
    report("syscall from compat", &e, l_end);
    c = context(l_sysretq, 0);
    c.gpr[RCX] = (uint64_t)l_end;
    c.gpr[R11] = 0x203202 | FL_AC;
    e = run(c);
    report("sysretq", &e, l_end);
    c.rip = (uint64_t)l_sysretl;
    e = run(c);
    report("sysretl", &e, l_end);
    c.rip = (uint64_t)l_sysretq;
    c.gpr[RCX] = NON_CANONICAL;
    e = run(c);
    report("sysretq not canonical", &e, NULL);
    c.gpr[RCX] = (uint64_t)l_end;
    c.rip = (uint64_t)l_sysretq;
    c.cs = SEL_CODE3;
    c.ss = c.ds = c.es = SEL_DATA3;
    e = run(c);
    report("sysretq ring 3", &e, l_sysretq);
    e = run(context(l_sysenter, 3));
    report("sysenter", &e, l_sysenter);
    write_msr(0xc0000080, read_msr(0xc0000080) & ~1ull);
    c = context(l_sysretq, 0);
    e = run(c);
    report("sysretq without SCE", &e, l_sysretq);
}

static void
control(void)
{
    uint64_t efer = read_msr(0xc0000080);
    Event e;

    log_text("efer: %X\n", efer);
    for (unsigned i = 0; i < 20; i += 5) {
        Context c = context(l_cr8, 0);

        c.gpr[RBX] = i;
        e = run(c);
        log_text("cr8 %u: vec=%x err=%x", i, (uint32_t)e.vector, (uint32_t)e.error);
        e = with(l_rdcr8, 0, RAX, 0);
        log_text(" now=%x\n", (uint32_t)e.at.gpr[RAX]);
    }
    with(l_cr8, 0, RBX, 0);
    e = with(l_rdcr8, 3, RAX, 0);
    log_text("cr8 ring 3: vec=%x err=%x\n", (uint32_t)e.vector, (uint32_t)e.error);
    static const uint64_t values[] = {0x100, 0x1000000, 0x400};
    for (unsigned i = 0; i < 3; i++) {
        Context c = context(l_wrmsr, 0);
        uint64_t value = i == 0 ? efer & ~0x100ull : efer ^ values[i];

        c.gpr[RCX] = 0xc0000080;
        c.gpr[RAX] = (uint32_t)value;
        c.gpr[RDX] = value >> 32;
        e = run(c);
        log_text("efer change %X: vec=%x err=%x now=%X\n", values[i], (uint32_t)e.vector,
                 (uint32_t)e.error, read_msr(0xc0000080));
    }
    static const uint32_t bases[] = {0xc0000082, 0xc0000083, 0xc0000100, 0xc0000101,
                                     0xc0000102, 0x175,      0x176};
    for (unsigned i = 0; i < sizeof bases / sizeof *bases; i++) {
        Context c = context(l_wrmsr, 0);

        c.gpr[RCX] = bases[i];
        c.gpr[RDX] = 0x8000;
        e = run(c);
        log_text("msr %x not canonical: vec=%x err=%x\n", bases[i], (uint32_t)e.vector,
                 (uint32_t)e.error);
    }
}

static void
system_segments(void)
{
    Event e;

    gdt_set_system(SEL_FREE, NON_CANONICAL, 0x67, 0x82);
    e = with(l_lldt, 0, RBX, SEL_FREE);
    log_text("lldt not canonical: vec=%x err=%x\n", (uint32_t)e.vector, (uint32_t)e.error);
    gdt_set_system(SEL_FREE, (uint64_t)&tss, 0x67, 0x81);
    e = with(l_ltr, 0, RBX, SEL_FREE);
    log_text("ltr 16-bit: vec=%x err=%x\n", (uint32_t)e.vector, (uint32_t)e.error);
    gdt_set_system(SEL_FREE, (uint64_t)&tss, 0x67, 0x89);
    gdt[(SEL_FREE >> 3) + 1] |= 1ull << 40;
    e = with(l_ltr, 0, RBX, SEL_FREE);
    log_text("ltr upper type: vec=%x err=%x\n", (uint32_t)e.vector, (uint32_t)e.error);
    gdt_set(0x1f8, (uint32_t)(uint64_t)&tss, 0x67, 0x89);
    e = with(l_ltr, 0, RBX, 0x1f8);
    log_text("ltr half beyond gdt: vec=%x err=%x\n", (uint32_t)e.vector, (uint32_t)e.error);
    for (unsigned type = 0; type < 16; type++) {
        gdt_set_system(SEL_FREE, 0x1000, 0x123, 0x80 | type);
        e = with(l_verify, 0, RAX, SEL_FREE);
        log_text("verify type=%x: zf=%x lar=%x lsl=%x\n", type, (uint32_t)e.at.gpr[RBX],
                 (uint32_t)e.at.gpr[RCX] & 0xf0ff00, (uint32_t)e.at.gpr[RDX]);
    }
    guest_setup();
}

/* 32-bit code under long mode: segments have limits again, addresses wrap at 4 GiB, events push
 * 64-bit frames. */
static void
compatibility(void)
{
    Context c = context_compat(l_end, 3);
    Event e = run(c);

    report("compat int", &e, l_end);
    c = context_compat(l_end, 0);
    e = run(c);
    report("compat ring 0 int", &e, l_end);
    c = context_compat(l_write, 3);
    gdt_set(SEL_FREE, 0, 0xff, 0x4093 | ATTR_DPL3);
    c.ds = SEL_FREE | 3;
    c.gpr[RBX] = 0x100;
    /* In 32-bit code the REX prefix of this instruction is DEC EAX. */
    e = run(c);
    report("compat limit", &e, l_write);
    log_text("compat limit eax: %X\n", e.at.gpr[RAX]);
    c = context_compat(l_jump_rax, 3);
    c.gpr[RAX] = 0xabcdef0100000000ull | (uint32_t)(uint64_t)l_end;
    e = run(c);
    report("compat jump", &e, l_end);
    c = context_compat(l_int90, 3);
    idt[0x90] = gate(SEL_CODE0, (uint64_t)l_end, 0x8e, 0);
    e = run(c);
    report("compat int dpl", &e, l_int90);
    guest_setup();
}

/* Last, because QEMU lets some of these pass and is lost afterwards. */
static void
forbidden(void)
{
    uint64_t cr0, cr3, cr4;
    Event e;

    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    e = with(l_cr0, 0, RBX, cr0 | 1ull << 32);
    log_text("cr0 bit 32: vec=%x err=%x\n", (uint32_t)e.vector, (uint32_t)e.error);
    e = with(l_cr0, 0, RBX, cr0 & ~0x80000000ull);
    log_text("PG off: vec=%x err=%x\n", (uint32_t)e.vector, (uint32_t)e.error);
    e = with(l_cr4, 0, RBX, cr4 & ~0x20ull);
    log_text("PAE off: vec=%x err=%x\n", (uint32_t)e.vector, (uint32_t)e.error);
    e = with(l_cr3, 0, RBX, cr3 | 1ull << 60);
    log_text("cr3 bit 60: vec=%x err=%x\n", (uint32_t)e.vector, (uint32_t)e.error);
    e = iret_to(l_iretq, 0, 0x100000000ull, SEL_COMPAT3, 2, SEL_DATA3);
    say("iretq compat beyond limit", &e);
}

void
guest_main(void)
{
    guest_setup();
    frames();
    gate_checks();
    irets();
    far_transfers();
    call_gates();
    canonical();
    segments();
    removed();
    system_calls();
    control();
    system_segments();
    compatibility();
    forbidden();
    log_end();
}
