/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Real mode: the vector table and its limit, frames, faults without error codes, 64 KiB limits,
 * stack wraps, instructions that do not exist, 32-bit operands, far transfers, "unreal" segments
 * that keep the limit of protected mode. Intel SDM volume 3A chapter 20.1. */
#include "tests/guest/lib/guest32.h"

typedef struct {
    uint32_t eax, ebx, ecx, edx, esp;
    uint16_t ds, es, ss, ip, cs, flags;
} __attribute__((packed)) Real;

typedef struct {
    Real at;
    uint32_t vector;
} RealEvent;

extern Real real_in, real_out;
extern uint32_t real_vector;
extern const uint8_t real_stubs[];
void real_switch(uint32_t data_selector);

/* real_switch: to real mode with what is in real_in, back with the next interrupt in real_out.
 * These variables lie beside the code, below 64 KiB from its segment's start. */
__asm__(".macro save16 reg, place\n addr32 mov \\reg, %cs:(\\place - 0x10000)\n .endm\n"
        ".macro load16 place, reg\n addr32 mov %cs:(\\place - 0x10000), \\reg\n .endm\n"
        ".balign 4\n"
        "real_in: .space 36\n"
        "real_out: .space 36\n"
        "real_vector: .long 0\n"
        "real_esp: .long 0\n"
        "real_idtr: .word 0x3ff\n .long 0\n"
        "real_back_idtr: .word 0x7ff\n .long idt\n"
        "real_eax: .long 0\n"
        "real_switch:\n"
        " mov 4(%esp), %edx\n"
        " pushal\n"
        " mov %esp, real_esp\n"
        " lidt real_idtr\n"
        " ljmp $0x68, $1f - 0x10000\n"
        ".code16\n"
        "1: mov %dx, %ds; mov %dx, %es; mov $0x70, %dx; mov %dx, %ss; mov %dx, %fs; mov %dx, %gs\n"
        " mov %cr0, %eax; and $0xfe, %al; mov %eax, %cr0\n"
        " ljmpl $0x1000, $1f - 0x10000\n"
        "1: load16 real_in+24, %ss\n"
        " load16 real_in+16, %esp\n"
        " load16 real_in+30, %ax\n push %ax\n" /* flags, cs, ip */
        " load16 real_in+28, %ax\n push %ax\n"
        " load16 real_in+26, %ax\n push %ax\n"
        " load16 real_in+20, %ds\n"
        " load16 real_in+22, %es\n"
        " load16 real_in, %eax\n load16 real_in+4, %ebx\n"
        " load16 real_in+8, %ecx\n load16 real_in+12, %edx\n"
        " iretw\n"
        ".balign 8\n"
        "real_stubs:\n"
        ".set v, 0\n"
        ".rept 256\n pushw $v\n jmp real_event\n .balign 8\n .set v, v + 1\n .endr\n"
        "real_event:\n"
        " save16 %eax, real_out\n save16 %ebx, real_out+4\n save16 %ecx, real_out+8\n"
        " save16 %edx, real_out+12\n save16 %ds, real_out+20\n save16 %es, real_out+22\n"
        " save16 %ss, real_out+24\n"
        " pop %ax\n save16 %ax, real_vector\n"
        " pop %ax\n save16 %ax, real_out+26\n"
        " pop %ax\n save16 %ax, real_out+28\n"
        " pop %ax\n save16 %ax, real_out+30\n"
        " save16 %esp, real_out+16\n"
        " mov %cr0, %eax; or $1, %al; mov %eax, %cr0\n"
        " ljmpl $0x08, $1f\n"
        ".code32\n"
        "1: mov $0x10, %ax; mov %ax, %ds; mov %ax, %es; mov %ax, %ss; mov %ax, %fs; mov %ax, %gs\n"
        " mov real_esp, %esp\n"
        " lidt real_back_idtr\n"
        " popal\n"
        " ret\n");

extern const uint8_t r_int[], r_int90[], r_div[], r_ud[], r_into[], r_bound[], r_load[],
    r_load_ss[];
extern const uint8_t r_store[], r_push[], r_popfl[], r_iretl[], r_jump32[];
extern const uint8_t r_lldt[], r_ltr[], r_lar[], r_arpl[], r_verr[], r_sldt[], r_str[], r_smsw[];
extern const uint8_t r_far[], r_back[], r_farl[], r_int3[];
extern const uint8_t r_load32[], r_reload[], r_sgdt[], r_clts[], r_lmsw[], r_pop[];

__asm__(".code16\n"
        "r_int: int $0x80\n"
        "r_int90: int $0x90\n"
        "r_int3: int3\n"
        "r_div: div %cl; int $0x80\n"
        "r_ud: ud2\n"
        "r_into: into; int $0x80\n"
        "r_bound: bound %ax, (%bx); int $0x80\n"
        "r_load: mov (%bx), %ax; int $0x80\n"
        "r_load_ss: mov %ss:(%bx), %ax; int $0x80\n"
        "r_store: mov %ax, (%bx); int $0x80\n"
        "r_load32: addr32 mov (%ebx), %ax; int $0x80\n"
        "r_reload: mov %cx, %ds; addr32 mov (%ebx), %ax; int $0x80\n"
        "r_push: push %ax; int $0x80\n"
        "r_pop: pop %ax; int $0x80\n"
        "r_popfl: pushl %eax; popfl; pushfl; popl %ebx; int $0x80\n"
        "r_iretl: pushl %eax; pushl $0x1000; pushl $r_back - 0x10000; iretl\n"
        "r_back: pushfl; popl %ebx; int $0x80\n"
        "r_jump32: jmpl *%eax\n"
        "r_lldt: lldt %ax; int $0x80\n r_ltr: ltr %ax; int $0x80\n r_lar: lar %ax, %bx; int $0x80\n"
        "r_arpl: arpl %ax, %bx; int $0x80\n r_verr: verr %ax; int $0x80\n"
        "r_sldt: sldt %ax; int $0x80\n r_str: str %ax; int $0x80\n"
        "r_smsw: smsw %ax; int $0x80\n r_sgdt: sgdt (%bx); int $0x80\n"
        "r_clts: clts; int $0x80\n"
        "r_lmsw: lmsw %ax; smsw %bx; int $0x80\n"
        "r_far: lcallw *(%bx)\n"
        "r_farl: lcalll *(%bx)\n"
        ".code32\n");

enum { CODE = 0x1000, STACK = 0x4000, DATA = 0x5000 };

static Real
real(const uint8_t *code)
{
    Real r = {0};

    r.cs = CODE;
    r.ip = (uint16_t)((uint32_t)code - 0x10000);
    r.ss = STACK;
    r.esp = 0x8000;
    r.ds = r.es = DATA;
    r.flags = 2;
    return r;
}

static void
fill_vectors(void)
{
    uint16_t *table = (uint16_t *)0;

    __asm__("" : "+r"(table)); /* address 0 is memory here */
    for (unsigned i = 0; i < 256; i++) {
        table[2 * i] = (uint16_t)((uint32_t)real_stubs + 8 * i - 0x10000);
        table[2 * i + 1] = CODE;
    }
}

static RealEvent
go_with(Real in, uint32_t data_selector)
{
    RealEvent e;

    real_in = in;
    real_switch(data_selector);
    e.at = real_out;
    e.vector = real_vector & 0xffff;
    return e;
}

static RealEvent
go(const char *key, const uint8_t *code, Real in)
{
    RealEvent e = go_with(in, SEL_DATA16);

    log_text("%s: vec=%x ip=+%x cs=%x fl=%x sp=%x eax=%x ebx=%x\n", key, e.vector,
             (uint16_t)(e.at.ip - ((uint32_t)code - 0x10000)), e.at.cs, e.at.flags & 0x7700,
             e.at.esp, e.at.eax, e.at.ebx);
    return e;
}

static void
interrupts(void)
{
    Real r = real(r_int);

    go("int", r_int, r);
    r.flags = 0x7602;
    go("int with flags", r_int, r);
    go("int3", r_int3, real(r_int3));
    r = real(r_div);
    r.eax = 0x1234;
    go("div by 0", r_div, r);
    go("ud", r_ud, real(r_ud));
    r = real(r_into);
    r.flags |= 0x800;
    go("into", r_into, r);
    r = real(r_bound);
    *(uint32_t *)(DATA * 16) = 0x00050001;
    r.eax = 7;
    go("bound", r_bound, r);
    r = real(r_iretl);
    r.eax = 0x3f7ed7 & ~0x30100;
    go("iretd", r_iretl, r);
    r = real(r_popfl);
    r.eax = 0x3f7ed7 & ~0x30100;
    go("popfd", r_popfl, r);
}

static void
idt_limit(void)
{
    extern uint16_t real_idtr;
    RealEvent e;

    real_idtr = 0x90 * 4 + 2;
    e = go_with(real(r_int90), SEL_DATA16);
    log_text("vector beyond idt: vec=%x ip=+%x\n", e.vector,
             (uint16_t)(e.at.ip - ((uint32_t)r_int90 - 0x10000)));
    real_idtr = 0x90 * 4 + 3;
    e = go_with(real(r_int90), SEL_DATA16);
    log_text("vector at idt's end: vec=%x\n", e.vector);
    real_idtr = 0x3ff;
}

static void
limits(void)
{
    Real r = real(r_load);

    *(uint16_t *)(DATA * 16 + 0xfffe) = 0x1234;
    r.ebx = 0xfffe;
    go("load at fffe", r_load, r);
    r.ebx = 0xffff;
    go("load at ffff", r_load, r);
    go("store at ffff", r_store, (r.ip = real(r_store).ip, r));
    r = real(r_load_ss);
    r.ebx = 0xffff;
    go("load ss at ffff", r_load_ss, r);
    r = real(r_load32);
    r.ebx = 0x10000;
    go("load at 10000", r_load32, r);
    r = real(r_jump32);
    r.eax = 0x10000;
    go("jump to 10000", r_jump32, r);
    r = real(r_push);
    r.esp = 0;
    go("push at sp 0", r_push, r);
    r = real(r_pop);
    r.esp = 0xfffe;
    go("pop to the end", r_pop, r);
}

static void
no_such_instruction(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
    } cases[] = {{"lldt", r_lldt}, {"ltr", r_ltr},   {"lar", r_lar},  {"arpl", r_arpl},
                 {"verr", r_verr}, {"sldt", r_sldt}, {"str", r_str},  {"smsw", r_smsw},
                 {"sgdt", r_sgdt}, {"clts", r_clts}, {"lmsw", r_lmsw}};

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        Real r = real(cases[i].code);
        RealEvent e;

        r.eax = 0x6;
        e = go_with(r, SEL_DATA16);
        log_text("real %s: vec=%x\n", cases[i].name, e.vector);
        write_cr0(read_cr0() & ~0xeu);
    }
}

static void
far_calls(void)
{
    uint16_t *pointer = (uint16_t *)(DATA * 16);
    Real r = real(r_far);
    const uint16_t *stack;
    RealEvent e;

    pointer[0] = (uint16_t)((uint32_t)r_int - 0x10100);
    pointer[1] = 0x1010;
    e = go("far call", r_int, r);
    stack = (const uint16_t *)(STACK * 16 + (e.at.esp & 0xffff));
    log_text("far call frame: ip=+%x cs=%x\n", (uint16_t)(stack[0] - ((uint32_t)r_far - 0x10000)),
             stack[1]);
    pointer[1] = 0;
    pointer[2] = 0x1010;
    e = go("far call 32", r_int, real(r_farl));
    stack = (const uint16_t *)(STACK * 16 + (e.at.esp & 0xffff));
    log_text("far call 32 frame: ip=+%x cs=%x\n",
             (uint16_t)(stack[0] - ((uint32_t)r_farl - 0x10000)), stack[2]);
}

/* A data segment of 4 GiB from protected mode keeps its limit in real mode, also when reloaded. */
static void
unreal(void)
{
    Real r = real(r_reload);
    RealEvent e;

    *(uint16_t *)0x300010 = 0xbeef;
    r.ecx = 0x1000;
    r.ebx = 0x300010 - 0x10000;
    e = go_with(r, SEL_DATA0);
    log_text("unreal: vec=%x ax=%x ds=%x\n", e.vector, e.at.eax & 0xffff, e.at.ds);
    e = go_with(r, SEL_DATA16);
    log_text("real again: vec=%x\n", e.vector);
    *(uint16_t *)0x100000 = 0x5aa5;
    r = real(r_reload);
    r.ecx = 0xffff;
    r.ebx = 0x10;
    e = go_with(r, SEL_DATA16);
    log_text("above 1 MiB: vec=%x ax=%x\n", e.vector, e.at.eax & 0xffff);
}

void
guest_main(void)
{
    guest_setup();
    fill_vectors();
    interrupts();
    idt_limit();
    limits();
    no_such_instruction();
    far_calls();
    unreal();
    log_end();
}
