/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The XSAVE family: CR4.OSXSAVE, XCR0 and what it takes to execute a VEX instruction, the areas
 * that XSAVE, XSAVEOPT and XSAVEC write, what XRSTOR refuses, eight registers in compatibility
 * mode. Intel SDM volume 1 chapter 13; volume 2 section 2.4. */
#include "tests/guest/lib/guest64.h"

extern const uint8_t x_xgetbv[], x_xsetbv[], x_xsave[], x_xsaveopt[], x_xsavec[], x_xrstor[];
extern const uint8_t x_vpxor[], x_andn[], x_sse[], x_lock[], x_rex[], x_operand[], x_vvvv[];
extern const uint8_t x_zeroall32[], x_xsave32[], x_zeroupper[], x_vmovss[], x_addps[];

__asm__("x_xgetbv: xgetbv; int $0x80\n"
        "x_xsetbv: xsetbv; int $0x80\n"
        "x_xsave: xsave (%rbx); int $0x80\n"
        "x_xsaveopt: xsaveopt (%rbx); int $0x80\n"
        "x_xsavec: xsavec (%rbx); int $0x80\n"
        "x_xrstor: xrstor (%rbx); int $0x80\n"
        "x_vpxor: vpxor %xmm1, %xmm1, %xmm1; int $0x80\n"
        "x_andn: andn %rax, %rbx, %rcx; int $0x80\n"
        "x_sse: xorps %xmm1, %xmm1; int $0x80\n"
        "x_lock: .byte 0xf0, 0xc5, 0xf1, 0xef, 0xc9; int $0x80\n"
        "x_rex: .byte 0x48, 0xc5, 0xf1, 0xef, 0xc9; int $0x80\n"
        "x_operand: .byte 0x66, 0xc5, 0xf1, 0xef, 0xc9; int $0x80\n"
        "x_vvvv: .byte 0xc5, 0xf0, 0x28, 0xc9; int $0x80\n" /* vmovaps with VEX.vvvv */
        "x_zeroupper: vzeroupper; int $0x80\n"
        "x_vmovss: vmovss %xmm2, %xmm1, %xmm3; int $0x80\n"
        "x_addps: addps %xmm2, %xmm3; int $0x80\n"
        ".code32\n"
        "x_zeroall32: vzeroall; int $0x80\n"
        "x_xsave32: xsave (%ebx); int $0x80\n"
        ".code64\n");

enum { OSFXSR = 1 << 9, OSXSAVE = 1 << 18, CR0_TS = 8, CR0_EM = 4 };

static uint8_t area[1024] __attribute__((aligned(64)));
static uint64_t fill[4 * 16 + 16];

static void
set_osxsave(bool on)
{
    uint64_t cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    cr4 = on ? cr4 | OSXSAVE : cr4 & ~(uint64_t)OSXSAVE;
    cr4 |= OSFXSR;
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
}

static void
set_cr0_bits(uint64_t clear, uint64_t set)
{
    uint64_t cr0;

    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %0, %%cr0" : : "r"((cr0 & ~clear) | set));
}

static void
set_xcr0(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "a"((uint32_t)value), "d"(value >> 32), "c"(0));
}

/* EDX:EAX, ECX and RBX for the instruction. */
static Event
with(const uint8_t *code, unsigned ring, uint64_t value, uint64_t rcx, uint64_t rbx)
{
    Context c = context(code, ring);

    c.gpr[RAX] = (uint32_t)value;
    c.gpr[RDX] = value >> 32;
    c.gpr[RCX] = rcx;
    c.gpr[RBX] = rbx;
    return run(c);
}

static uint32_t
cpuid(uint32_t leaf, uint32_t subleaf, unsigned word)
{
    uint32_t words[4];

    __asm__ volatile("cpuid"
                     : "=a"(words[0]), "=b"(words[1]), "=c"(words[2]), "=d"(words[3])
                     : "a"(leaf), "c"(subleaf));
    return words[word];
}

static void
without_osxsave(void)
{
    set_osxsave(false);
    log_text("off: cpuid=%u\n", cpuid(1, 0, 2) >> 27 & 1);
    log_text("off xgetbv: vec=%x\n", with(x_xgetbv, 0, 0, 0, 0).vector);
    log_text("off xsetbv: vec=%x\n", with(x_xsetbv, 0, 1, 0, 0).vector);
    log_text("off xsave: vec=%x\n", with(x_xsave, 0, 7, 0, (uint64_t)area).vector);
    log_text("off xrstor: vec=%x\n", with(x_xrstor, 0, 7, 0, (uint64_t)area).vector);
    log_text("off vex: vec=%x\n", with(x_vpxor, 0, 0, 0, 0).vector);
    log_text("off vex integer: vec=%x\n", with(x_andn, 0, 0, 0, 0).vector);
    log_text("off sse: vec=%x\n", with(x_sse, 0, 0, 0, 0).vector);
    set_osxsave(true);
    log_text("on: cpuid=%u\n", cpuid(1, 0, 2) >> 27 & 1);
}

static void
write_xcr0(void)
{
    static const uint64_t values[] = {0, 1, 2, 3, 4, 5, 6, 7, 1ull << 63 | 7, 1ull << 62 | 1};
    Event e;

    for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
        e = with(x_xsetbv, 0, values[i], 0, 0);
        log_text("xsetbv %X: vec=%x now=%x\n", values[i], (uint32_t)e.vector,
                 (uint32_t)with(x_xgetbv, 3, 0, 0, 0).at.gpr[RAX]);
        if (e.vector == 0x80)
            log_text("  size: %u\n", cpuid(0xd, 0, 1));
        set_xcr0(1);
    }
    log_text("xsetbv ring 3: vec=%x\n", (uint32_t)with(x_xsetbv, 3, 1, 0, 0).vector);
    log_text("xsetbv 1: vec=%x\n", (uint32_t)with(x_xsetbv, 0, 1, 1, 0).vector);
    log_text("xgetbv 2: vec=%x\n", (uint32_t)with(x_xgetbv, 0, 0, 2, 0).vector);
    e = with(x_xgetbv, 0, 0, 0xffffffff00000000ull, 0);
    log_text("xgetbv wide rcx: vec=%x\n", (uint32_t)e.vector);
}

static void
vex_conditions(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
    } cases[] = {{"vpxor", x_vpxor},   {"andn", x_andn},   {"sse", x_sse},
                 {"lock vex", x_lock}, {"rex vex", x_rex}, {"66 vex", x_operand},
                 {"with vvvv", x_vvvv}};

    for (unsigned xcr0 = 1; xcr0 <= 7; xcr0 = xcr0 * 2 + 1) {
        for (unsigned bits = 0; bits <= CR0_TS + CR0_EM; bits += CR0_EM) {
            set_xcr0(xcr0);
            for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
                Context c = context(cases[i].code, 3);
                Event e;

                set_cr0_bits(CR0_TS | CR0_EM, bits);
                e = run(c);
                set_cr0_bits(CR0_TS | CR0_EM, 0);
                log_text("%s xcr0=%x cr0=%x: vec=%x\n", cases[i].name, xcr0, bits,
                         (uint32_t)e.vector);
            }
        }
    }
    set_xcr0(7);
}

/* Registers that differ in every half, and an x87 that is in use. */
static void
load_registers(void)
{
    for (unsigned i = 0; i < sizeof fill / sizeof *fill; i++)
        fill[i] = 0x0101010101010101ull * (i + 1);
    __asm__ volatile("fninit; fld1; fldpi\n"
                     "vmovdqu (%0), %%ymm0; vmovdqu 8(%0), %%ymm1; vmovdqu 16(%0), %%ymm2\n"
                     "vmovdqu 24(%0), %%ymm3; vmovdqu 32(%0), %%ymm4; vmovdqu 40(%0), %%ymm5\n"
                     "vmovdqu 48(%0), %%ymm6; vmovdqu 56(%0), %%ymm7; vmovdqu 64(%0), %%ymm8\n"
                     "vmovdqu 72(%0), %%ymm9; vmovdqu 80(%0), %%ymm10; vmovdqu 88(%0), %%ymm11\n"
                     "vmovdqu 96(%0), %%ymm12; vmovdqu 104(%0), %%ymm13; vmovdqu 112(%0), %%ymm14\n"
                     "vmovdqu 120(%0), %%ymm15\n"
                     :
                     : "r"(fill));
}

static void
fill_area(uint8_t value)
{
    for (unsigned i = 0; i < sizeof area; i++)
        area[i] = value;
}

static uint64_t
word(unsigned offset)
{
    return *(uint64_t *)(area + offset);
}

/* Which of the area's parts were written, and the header. */
static void
describe(const char *key, const Event *e)
{
    log_text("%s: vec=%x fcw=%x st=%X mxcsr=%x xmm0=%X xmm7=%X xmm8=%X\n", key, (uint32_t)e->vector,
             (uint32_t)word(0) & 0xffff, word(32), (uint32_t)word(24), word(160),
             word(160 + 7 * 16), word(160 + 8 * 16));
    log_text("  ymm0: %X\n", word(576));
    log_text("  ymm7: %X\n", word(576 + 7 * 16));
    log_text("  ymm8: %X\n", word(576 + 8 * 16));
    log_text("  free: %X\n", word(464));
    log_text("  bv: %X\n", word(512));
    log_text("  comp: %X\n", word(520));
    log_text("  rest: %X\n", word(528));
    log_text("  beyond: %X\n", word(832));
}

static void
save(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
    } kinds[] = {{"xsave", x_xsave}, {"xsaveopt", x_xsaveopt}, {"xsavec", x_xsavec}};
    char key[] = "xsaveopt 0";
    Event e;

    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (unsigned mask = 0; mask < 8; mask++) {
            unsigned length = 0;

            while (kinds[i].name[length]) {
                key[length] = kinds[i].name[length];
                length++;
            }
            key[length] = ' ';
            key[length + 1] = (char)('0' + mask);
            key[length + 2] = 0;
            fill_area(0xee);
            for (unsigned k = 512; k < 576; k++)
                area[k] = 0;
            load_registers();
            e = with(kinds[i].code, 3, mask, 0, (uint64_t)area);
            describe(key, &e);
        }
    }
    fill_area(0xee);
    load_registers();
    {
        Context c = context_compat(x_xsave32, 3);

        c.gpr[RAX] = 7;
        c.gpr[RDX] = 0;
        c.gpr[RBX] = (uint64_t)area;
        for (unsigned k = 512; k < 576; k++)
            area[k] = 0;
        e = run(c);
    }
    describe("xsave in compatibility mode", &e);
    log_text("xsave unaligned: vec=%x\n",
             (uint32_t)with(x_xsave, 0, 7, 0, (uint64_t)area + 8).vector);
}

static void
prepare(uint64_t bv, uint64_t comp)
{
    fill_area(0);
    load_registers();
    with(x_xsave, 0, 7, 0, (uint64_t)area);
    *(uint64_t *)(area + 512) = bv;
    *(uint64_t *)(area + 520) = comp;
}

static void
refused(const char *key, unsigned offset, uint64_t value, uint64_t bv, uint64_t comp)
{
    Event e;

    prepare(bv, comp);
    if (offset != 0)
        *(uint64_t *)(area + offset) = value;
    e = with(x_xrstor, 0, 7, 0, (uint64_t)area);
    log_text("xrstor %s: vec=%x\n", key, (uint32_t)e.vector);
}

static void
restore(void)
{
    const uint64_t compact = 1ull << 63;

    refused("plain", 0, 0, 7, 0);
    refused("unknown component", 0, 0, 1ull << 62 | 7, 0);
    refused("reserved word 1", 528, 1, 7, 0);
    refused("reserved word 2", 536, 1, 7, 0);
    refused("comp without compact", 0, 0, 7, 1);
    refused("compact", 0, 0, 7, compact | 7);
    refused("compact, unknown", 0, 0, 7, compact | 1ull << 62 | 7);
    refused("compact, bv not in comp", 0, 0, 7, compact | 3);
    refused("compact, reserved word 2", 536, 1, 7, compact | 7);
    refused("mxcsr", 24, 0xffff0000ffffffffull, 7, 0);
    refused("mxcsr, sse absent", 24, 0xffff0000ffffffffull, 5, 0);
    refused("compact mxcsr, sse absent", 24, 0xffff0000ffffffffull, 5, compact | 7);
    for (unsigned bv = 0; bv < 8; bv++) {
        char key[] = "restored 0";
        Event e;

        key[9] = (char)('0' + bv);
        prepare(bv, 0);
        e = with(x_xrstor, 3, 7, 0, (uint64_t)area);
        fill_area(0xee);
        for (unsigned k = 512; k < 576; k++)
            area[k] = 0;
        with(x_xsave, 0, 7, 0, (uint64_t)area);
        describe(key, &e);
    }
}

/* What the legacy and the VEX form of an instruction make of the upper half. */
static void
upper_halves(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
    } cases[] = {{"vex-128", x_vmovss}, {"legacy", x_addps}, {"vzeroupper", x_zeroupper}};
    Event e;

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        load_registers();
        with(cases[i].code, 3, 0, 0, 0);
        fill_area(0xee);
        with(x_xsave, 0, 7, 0, (uint64_t)area);
        log_text("upper %s: ymm3=%X ymm12=%X\n", cases[i].name, word(576 + 3 * 16),
                 word(576 + 12 * 16));
    }
    load_registers();
    e = run(context_compat(x_zeroall32, 3));
    fill_area(0xee);
    with(x_xsave, 0, 7, 0, (uint64_t)area);
    log_text("vzeroall in compatibility mode: vec=%x ymm7=%X,%X ymm8=%X,%X\n", (uint32_t)e.vector,
             word(160 + 7 * 16), word(576 + 7 * 16), word(160 + 8 * 16), word(576 + 8 * 16));
}

void
guest_main(void)
{
    guest_setup();
    set_cr0_bits(CR0_TS | CR0_EM, 2);
    without_osxsave();
    write_xcr0();
    vex_conditions();
    save();
    restore();
    upper_halves();
    log_end();
}
