/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Exceptions and what they leave behind: #DE, #BR, #OF, #UD, #NM, #AC, #GP from instructions' own
 * rules, privileged instructions outside of ring 0, double faults and which pairs make one. Intel
 * SDM volume 3A 6.15. */
#include "tests/guest/lib/guest32.h"

extern const uint8_t f_div0[], f_divover[], f_idivover[], f_bound[], f_lock[], f_ud0[];
extern const uint8_t f_fpu[], f_wait[], f_long[], f_lock_mem[], f_bad_cr[], f_bad_seg[];
extern const uint8_t f_load4[], f_load2[], f_load1[], f_store4[], f_xchg[], f_int90[];
extern const uint8_t f_pop_fault[], f_call_fault[], f_movs[], f_beyond[];

__asm__("f_div0: divl %ecx; int $0x80\n"
        "f_divover: divb %cl; int $0x80\n"
        "f_idivover: idivl %ecx; int $0x80\n"
        "f_bound: bound %eax, (%ebx); int $0x80\n"
        "f_lock: lock; mov %eax, %ecx; int $0x80\n"
        "f_lock_mem: lock; mov %eax, (%ebx); int $0x80\n"
        "f_ud0: .byte 0x0f, 0xff, 0xc0; int $0x80\n"
        "f_fpu: fld1; int $0x80\n"
        "f_wait: fwait; int $0x80\n"
        "f_long: .byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x90\n"
        " nop; int $0x80\n"
        "f_bad_cr: .byte 0x0f, 0x22, 0xc8; int $0x80\n" /* mov %eax, %cr1 */
        "f_bad_seg: .byte 0x8e, 0xc8; int $0x80\n"      /* mov %ax, %cs */
        "f_load4: movl (%ebx), %eax; int $0x80\n"
        "f_load2: movw (%ebx), %ax; int $0x80\n"
        "f_load1: movb (%ebx), %al; int $0x80\n"
        "f_store4: movl %eax, (%ebx); int $0x80\n"
        "f_xchg: lock; addl %eax, (%ebx); int $0x80\n"
        "f_int90: int $0x90; int $0x80\n"
        "f_pop_fault: popl %es:(%ebx); int $0x80\n"
        "f_call_fault: call *%ebx; int $0x80\n"
        "f_movs: rep movsl; int $0x80\n"
        ".balign 16; f_beyond: int $0x80\n");

extern const uint8_t p_hlt[], p_cli[], p_lgdt[], p_lidt[], p_lldt[], p_ltr[], p_lmsw[], p_clts[];
extern const uint8_t p_cr[], p_dr[], p_invlpg[], p_wbinvd[], p_invd[], p_rdmsr[], p_wrmsr[];
extern const uint8_t p_in[], p_out[], p_sgdt[], p_smsw[], p_sldt[], p_str[], p_rdtsc[], p_rdpmc[];
extern const uint8_t p_sti[], p_outs[], p_sysexit[];

__asm__("p_hlt: hlt; int $0x80\n p_cli: cli; int $0x80\n p_sti: sti; int $0x80\n"
        "p_lgdt: lgdt (%ebx); int $0x80\n p_lidt: lidt (%ebx); int $0x80\n"
        "p_lldt: lldt %ax; int $0x80\n p_ltr: ltr %ax; int $0x80\n"
        "p_lmsw: lmsw %ax; int $0x80\n p_clts: clts; int $0x80\n"
        "p_cr: mov %cr0, %eax; int $0x80\n p_dr: mov %dr7, %eax; int $0x80\n"
        "p_invlpg: invlpg (%ebx); int $0x80\n p_wbinvd: wbinvd; int $0x80\n"
        "p_invd: invd; int $0x80\n p_rdmsr: rdmsr; int $0x80\n p_wrmsr: wrmsr; int $0x80\n"
        "p_in: inb $0x80, %al; int $0x80\n p_out: outb %al, $0x80; int $0x80\n"
        "p_outs: outsb; int $0x80\n"
        "p_sgdt: sgdt (%ebx); int $0x80\n p_smsw: smsw %ax; int $0x80\n"
        "p_sldt: sldt %ax; int $0x80\n p_str: str %ax; int $0x80\n"
        "p_rdtsc: rdtsc; int $0x80\n p_rdpmc: rdpmc; int $0x80\n p_sysexit: sysexit; int $0x80\n");

static uint32_t memory[64] __attribute__((aligned(64)));

static Event
case_of(const char *key, const uint8_t *code, unsigned ring, Context change)
{
    Context c = context(code, ring);
    Event e;

    c.eax = change.eax;
    c.ecx = change.ecx;
    c.edx = change.edx;
    c.ebx = change.ebx ? change.ebx : (uint32_t)memory;
    c.esi = c.edi = (uint32_t)memory;
    c.eflags |= change.eflags;
    if (change.es)
        c.es = change.es;
    e = run(c);
    report(key, &e, code);
    return e;
}

static void
arithmetic(void)
{
    Event e;

    case_of("div by 0", f_div0, 3, (Context){.eax = 1});
    case_of("div overflow", f_div0, 3, (Context){.edx = 5, .ecx = 5});
    case_of("div byte overflow", f_divover, 3, (Context){.eax = 0xffff, .ecx = 1});
    case_of("idiv min by -1", f_idivover, 3,
            (Context){.eax = 0x80000000, .edx = 0xffffffff, .ecx = 0xffffffff});
    e = case_of("div keeps registers", f_div0, 3, (Context){.eax = 7, .edx = 9, .ecx = 2});
    log_text("  eax=%x edx=%x ecx=%x\n", e.at.eax, e.at.edx, e.at.ecx);
    memory[0] = 10;
    memory[1] = 20;
    case_of("bound below", f_bound, 3, (Context){.eax = 9});
    case_of("bound low", f_bound, 3, (Context){.eax = 10});
    case_of("bound high", f_bound, 3, (Context){.eax = 20});
    case_of("bound above", f_bound, 3, (Context){.eax = 21});
    case_of("bound signed", f_bound, 3, (Context){.eax = 0x80000000});
}

static void
undefined(void)
{
    case_of("lock mov", f_lock, 3, (Context){0});
    case_of("lock mov memory", f_lock_mem, 3, (Context){0});
    case_of("ud0", f_ud0, 3, (Context){0});
    case_of("mov cr1", f_bad_cr, 0, (Context){0});
    case_of("mov cr1 ring3", f_bad_cr, 3, (Context){0});
    case_of("mov cs", f_bad_seg, 3, (Context){0});
    case_of("over-long", f_long, 3, (Context){0});
}

static void
coprocessor(void)
{
    uint32_t cr0 = read_cr0();

    /* Until then the x87's stack is full and its exceptions are not masked. */
    write_cr0(cr0 & ~12u);
    __asm__ volatile("fninit");
    for (unsigned i = 0; i < 8; i++) {
        uint32_t bits = (i & 1 ? 2u : 0) | (i & 2 ? 4u : 0) | (i & 4 ? 8u : 0);

        write_cr0((cr0 & ~14u) | bits);
        log_text("mp=%u em=%u ts=%u ", i & 1, i >> 1 & 1, i >> 2);
        case_of("fld1", f_fpu, 3, (Context){0});
        log_text("mp=%u em=%u ts=%u ", i & 1, i >> 1 & 1, i >> 2);
        case_of("fwait", f_wait, 3, (Context){0});
    }
    write_cr0(cr0 & ~14u);
}

static void
alignment(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
    } cases[] = {{"load4", f_load4},
                 {"load2", f_load2},
                 {"load1", f_load1},
                 {"store4", f_store4},
                 {"locked", f_xchg}};

    write_cr0(read_cr0() | 0x40000);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned offset = 0; offset < 4; offset++) {
            uint32_t place = (uint32_t)memory + offset;

            log_text("ac offset=%u ", offset);
            case_of(cases[i].name, cases[i].code, 3, (Context){.ebx = place, .eflags = FL_AC});
        }
    }
    case_of("ac ring 0", f_load4, 0, (Context){.ebx = (uint32_t)memory + 1, .eflags = FL_AC});
    case_of("ac flag off", f_load4, 3, (Context){.ebx = (uint32_t)memory + 1});
    write_cr0(read_cr0() & ~0x40000u);
    case_of("am off", f_load4, 3, (Context){.ebx = (uint32_t)memory + 1, .eflags = FL_AC});
}

static void
privileged(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
    } cases[] = {
        {"hlt", p_hlt},       {"cli", p_cli},         {"sti", p_sti},     {"lgdt", p_lgdt},
        {"lidt", p_lidt},     {"lldt", p_lldt},       {"ltr", p_ltr},     {"lmsw", p_lmsw},
        {"clts", p_clts},     {"mov cr", p_cr},       {"mov dr", p_dr},   {"invlpg", p_invlpg},
        {"wbinvd", p_wbinvd}, {"invd", p_invd},       {"rdmsr", p_rdmsr}, {"wrmsr", p_wrmsr},
        {"in", p_in},         {"out", p_out},         {"outs", p_outs},   {"sgdt", p_sgdt},
        {"smsw", p_smsw},     {"sldt", p_sldt},       {"str", p_str},     {"rdtsc", p_rdtsc},
        {"rdpmc", p_rdpmc},   {"sysexit", p_sysexit},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned ring = 1; ring < 4; ring += 2) {
            log_text("ring %u ", ring);
            case_of(cases[i].name, cases[i].code, ring, (Context){.ecx = 0x277, .edx = 0x80});
        }
    }
    write_cr4(read_cr4() | 4);
    case_of("rdtsc with TSD ring 3", p_rdtsc, 3, (Context){0});
    case_of("rdtsc with TSD ring 0", p_rdtsc, 0, (Context){0});
    write_cr4(read_cr4() & ~4u);
}

/* A fault in the middle of an instruction: what has changed? ES is a small segment. */
static void
restart(void)
{
    Context c;
    Event e;

    gdt_set(SEL_FREE, 0, 0xff, ATTR_DATA | ATTR_32 | ATTR_DPL3);
    e = case_of("pop to bad place", f_pop_fault, 3, (Context){.ebx = 0x1000, .es = SEL_FREE | 3});
    log_text("  esp=%x\n", e.at.esp);
    c = context(f_movs, 3);
    gdt_set(SEL_FREE, (uint32_t)memory, 15, ATTR_DATA | ATTR_32 | ATTR_DPL3);
    c.es = SEL_FREE | 3;
    c.esi = (uint32_t)memory + 128;
    c.edi = 0;
    c.ecx = 10;
    e = run(c);
    report("rep movs over limit", &e, f_movs);
    log_text("  ecx=%x edi=%x esi=+%x\n", e.at.ecx, e.at.edi, e.at.esi - (uint32_t)memory);
    gdt_set(SEL_FREE, 0, 0xfffff, ATTR_CODE | ATTR_FLAT | ATTR_DPL3);
    c = context(f_call_fault, 3);
    gdt_set(SEL_FREE, 0, (uint32_t)f_beyond - 1, ATTR_CODE | ATTR_32 | ATTR_DPL3);
    c.cs = SEL_FREE | 3;
    c.ebx = (uint32_t)f_beyond;
    e = run(c);
    report("call over limit", &e, f_call_fault);
    log_text("  esp unchanged: %u\n", e.at.esp == c.esp);
}

/* Which second fault makes a double fault: first from the program, second from a broken gate. */
static void
double_faults(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
        unsigned vector;
    } first[] = {{"#DE", f_div0, 0},
                 {"#UD", f_ud0, 6},
                 {"#BR", f_bound, 5},
                 {"#GP", p_hlt, 13},
                 {"int 90", f_int90, 0x90}};
    static const struct {
        const char *name;
        unsigned selector, attr;
    } second[] = {{"not present", SEL_CODE0, 0x0e},
                  {"null", 0, 0x8e},
                  {"data", SEL_DATA0, 0x8e},
                  {"type", SEL_CODE0, 0x80}};

    for (unsigned i = 0; i < sizeof first / sizeof *first; i++) {
        for (unsigned k = 0; k < sizeof second / sizeof *second; k++) {
            guest_setup();
            memory[0] = 10;
            memory[1] = 20;
            idt[first[i].vector] = gate(second[k].selector, 0, second[k].attr | 0x60, 0);
            log_text("%s then ", first[i].name);
            case_of(second[k].name, first[i].code, 3, (Context){0});
        }
    }
    /* #UD, whose handler's gate is not present (#NP), whose own gate is bad (#GP): #DF. */
    guest_setup();
    idt[6] = gate(SEL_CODE0, 0, 0x0e, 0);
    idt[11] = gate(SEL_CODE0, 0, 0x80, 0);
    case_of("#UD then #NP then #GP", f_ud0, 3, (Context){0});
    guest_setup();
}

void
guest_main(void)
{
    guest_setup();
    arithmetic();
    undefined();
    coprocessor();
    alignment();
    privileged();
    restart();
    double_faults();
    log_end();
}
