/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Random code that gets somewhere: instructions whose operands are mostly in memory that is there,
 * short branches, loops, strings, privileged instructions with values that matter, and plain random
 * bytes. Intel SDM volume 2, appendix A (opcode maps). */
#include "tests/fuzz/agree.h"

#include <string.h>

#define ITEM_MAX 96 /* the longest thing that one turn puts down */

typedef struct {
    AgreeRandom *random;
    uint8_t *at;
    unsigned bits;
    bool self;
    uint8_t modrm_reg; /* for the next modrm(); REG_ANY: at random */
} Coder;

#define REG_ANY 0xff

static void
put(Coder *coder, uint64_t value, unsigned size)
{
    memcpy(coder->at, &value, size);
    coder->at += size;
}

static void
put1(Coder *coder, unsigned value)
{
    *coder->at++ = (uint8_t)value;
}

static unsigned
below(Coder *coder, unsigned end)
{
    return agree_below(coder->random, end);
}

/* A register that nobody uses as a pointer, mostly. */
static unsigned
work_reg(Coder *coder)
{
    return below(coder, 6) == 0 ? below(coder, 8) : below(coder, 3);
}

static uint64_t
number(Coder *coder)
{
    static const uint64_t corners[] = {0,      1,          0x7f,       0x80,       0xff, 0x7fff,
                                       0x8000, 0x7fffffff, 0x80000000, 0xffffffff, ~0ull};

    switch (below(coder, 4)) {
    case 0: return corners[below(coder, G_N_ELEMENTS(corners))];
    case 1: return agree_next(coder->random);
    default: return below(coder, 64);
    }
}

/* --- operands --- */

static unsigned
place(Coder *coder)
{
    switch (below(coder, 24)) {
    case 0: return AGREE_DEVICE + below(coder, 0x100);
    case 1: return AGREE_TABLES + below(coder, 0x4000);
    case 2: return AGREE_RAM - below(coder, 32);
    case 3: return 0xfee00000u + 16 * below(coder, 64);
    case 4:
    case 5: return AGREE_CODE + below(coder, AGREE_CODE_SIZE);
    case 6: return AGREE_ALIAS + AGREE_CODE + below(coder, 0x1000);
    default:
        return coder->self && below(coder, 2) ? AGREE_CODE + below(coder, 0x1000)
                                              : AGREE_DATA + below(coder, AGREE_DATA_SIZE);
    }
}

static void
memory16(Coder *coder, unsigned reg)
{
    const unsigned mod = below(coder, 3), rm = below(coder, 8);

    put1(coder, mod << 6 | reg << 3 | rm);
    if (mod == 1)
        put1(coder, below(coder, 256));
    else if (mod == 2 || rm == 6)
        put(coder, below(coder, 0x4000), 2);
}

static void
memory32(Coder *coder, unsigned reg)
{
    static const uint8_t pointers[] = {X86_RBX, X86_RBX, X86_RBP, X86_RSI, X86_RDI, X86_RSP};
    const unsigned base =
        below(coder, 12) == 0 ? below(coder, 8) : pointers[below(coder, G_N_ELEMENTS(pointers))];
    const unsigned mod = below(coder, 3);
    const bool sib = base == X86_RSP || below(coder, 5) == 0;

    if (below(coder, 16) == 0) {
        put1(coder, reg << 3 | 5);
        put(coder, coder->bits == 64 ? below(coder, 256) - 128 : place(coder), 4);
        return;
    }
    put1(coder, mod << 6 | reg << 3 | (sib ? 4 : base));
    if (sib)
        put1(coder, below(coder, 4) << 6 | (below(coder, 3) ? 4 : below(coder, 3)) << 3 | base);
    if (mod == 1)
        put1(coder, below(coder, 4) ? 8 * below(coder, 16) : below(coder, 256));
    else if (mod == 2)
        put(coder, below(coder, 0x1000), 4);
    else if (base == X86_RBP)
        put(coder, place(coder), 4);
}

/* ModRM and what follows it. */
static void
modrm(Coder *coder, bool memory_only)
{
    const unsigned reg = coder->modrm_reg == REG_ANY ? work_reg(coder) : coder->modrm_reg;

    coder->modrm_reg = REG_ANY;
    if (!memory_only && below(coder, 2))
        put1(coder, 0xc0 | reg << 3 | work_reg(coder));
    else if (coder->bits == 16)
        memory16(coder, reg);
    else
        memory32(coder, reg);
}

static unsigned
prefixes(Coder *coder)
{
    static const uint8_t segments[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
    unsigned wide = 0;

    if (below(coder, 24) == 0)
        put1(coder, segments[below(coder, G_N_ELEMENTS(segments))]);
    if (below(coder, 6) == 0) {
        put1(coder, 0x66);
        wide |= 1;
    }
    if (below(coder, 40) == 0)
        put1(coder, 0x67);
    if (below(coder, 24) == 0)
        put1(coder, below(coder, 2) ? 0xf0 : 0xf2 + below(coder, 2));
    if (coder->bits == 64 && below(coder, 2)) {
        const unsigned rex = (below(coder, 2) ? 8 : 0) | (below(coder, 4) ? 0 : below(coder, 8));

        put1(coder, 0x40 | rex);
        wide |= rex & 8;
    }
    return wide;
}

/* Bytes of an immediate of the operand's size. */
static unsigned
immediate_size(const Coder *coder, unsigned wide)
{
    const bool is16 = (coder->bits == 16) != ((wide & 1) != 0);

    return is16 && !(wide & 8) ? 2 : 4;
}

/* --- one instruction of a group --- */

static void
arithmetic(Coder *coder)
{
    const unsigned wide = prefixes(coder), size = immediate_size(coder, wide);

    switch (below(coder, 8)) {
    case 0:
    case 1:
    case 2:
        put1(coder, below(coder, 8) << 3 | below(coder, 4));
        modrm(coder, false);
        break;
    case 3:
        put1(coder, 0x83);
        coder->modrm_reg = (uint8_t)below(coder, 8);
        modrm(coder, false);
        put1(coder, (unsigned)number(coder));
        break;
    case 4:
        put1(coder, 0x81);
        coder->modrm_reg = (uint8_t)below(coder, 8);
        modrm(coder, false);
        put(coder, number(coder), size);
        break;
    case 5:
        put1(coder, 0xc0 + below(coder, 2));
        coder->modrm_reg = (uint8_t)below(coder, 8);
        modrm(coder, false);
        put1(coder, below(coder, 40));
        break;
    case 6:
        put1(coder, 0xd0 + below(coder, 4));
        coder->modrm_reg = (uint8_t)below(coder, 8);
        modrm(coder, false);
        break;
    default:
        put1(coder, 0xf7);
        coder->modrm_reg = (uint8_t)(2 + below(coder, 6));
        modrm(coder, false);
        break;
    }
}

static void
move(Coder *coder)
{
    static const uint8_t plain[] = {0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8b, 0x89};
    static const uint8_t extended[] = {0xa3, 0xab, 0xb3, 0xbb, 0xaf, 0xb6, 0xb7, 0xbe, 0xbf,
                                       0xc0, 0xc1, 0xb0, 0xb1, 0xbc, 0xbd, 0x40, 0x44, 0x4c,
                                       0x90, 0x94, 0x9f, 0xa5, 0xad, 0x1f, 0xc3, 0xb8, 0x18};
    const unsigned wide = prefixes(coder), size = immediate_size(coder, wide);

    switch (below(coder, 6)) {
    case 0:
    case 1:
        put1(coder, plain[below(coder, G_N_ELEMENTS(plain))]);
        modrm(coder, false);
        break;
    case 2:
        put1(coder, 0xc7);
        coder->modrm_reg = 0;
        modrm(coder, false);
        put(coder, number(coder), size);
        break;
    case 3:
        put1(coder, 0x8d);
        modrm(coder, true);
        break;
    case 4:
        put1(coder, 0xb8 | work_reg(coder));
        put(coder, number(coder), wide & 8 ? 8 : size);
        break;
    default:
        put1(coder, 0x0f);
        put1(coder, extended[below(coder, G_N_ELEMENTS(extended))]);
        modrm(coder, false);
        break;
    }
}

static void
stack(Coder *coder)
{
    switch (below(coder, 10)) {
    case 0:
    case 1:
    case 2: put1(coder, 0x50 | below(coder, 8)); break;
    case 3:
    case 4: put1(coder, 0x58 | work_reg(coder)); break;
    case 5:
        put1(coder, 0x6a);
        put1(coder, below(coder, 256));
        break;
    case 6: put1(coder, 0x9c); break;
    case 7:
        put1(coder, 0xff);
        coder->modrm_reg = 6;
        modrm(coder, true);
        break;
    case 8: put1(coder, below(coder, 4) ? 0x9c : 0x9d); break;
    default: put1(coder, below(coder, 3) ? 0xc9 : 0xc3); break;
    }
}

static void
branch(Coder *coder)
{
    const unsigned reach = 24;

    switch (below(coder, 8)) {
    case 0:
        put1(coder, 0xeb);
        put1(coder, below(coder, reach));
        break;
    case 1:
        put1(coder, 0xe8);
        put(coder, below(coder, reach), coder->bits == 16 ? 2 : 4);
        break;
    case 2:
        put1(coder, 0xe0 + below(coder, 4));
        put1(coder, 256 - below(coder, reach));
        break;
    case 3:
        put1(coder, 0x0f);
        put1(coder, 0x80 | below(coder, 16));
        put(coder, below(coder, reach), coder->bits == 16 ? 2 : 4);
        break;
    default:
        put1(coder, 0x70 | below(coder, 16));
        put1(coder, below(coder, 8) ? below(coder, reach) : 256 - below(coder, reach));
        break;
    }
}

static void
string(Coder *coder)
{
    static const uint8_t opcodes[] = {0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};

    put1(coder, 0xb8 | X86_RCX);
    put(coder, below(coder, 40), coder->bits == 16 ? 2 : 4);
    if (below(coder, 3))
        put1(coder, 0xf2 + below(coder, 2));
    if (coder->bits == 64 && below(coder, 3) == 0)
        put1(coder, 0x48);
    put1(coder, opcodes[below(coder, G_N_ELEMENTS(opcodes))]);
}

static void
vex(Coder *coder)
{
    const unsigned map = 1 + below(coder, 3);

    if (map == 1 && below(coder, 2)) {
        put1(coder, 0xc5);
        put1(coder, 0xc0 | below(coder, 64));
    } else {
        put1(coder, 0xc4);
        put1(coder, 0xe0 | map);
        put1(coder, (below(coder, 4) ? 0x40 : 0) | below(coder, 256));
    }
    put1(coder, below(coder, 256));
    modrm(coder, false);
    if (map == 3)
        put1(coder, below(coder, 256));
}

static void
vector(Coder *coder)
{
    static const uint8_t before[] = {0, 0, 0x66, 0xf2, 0xf3};
    const unsigned prefix = before[below(coder, G_N_ELEMENTS(before))];
    unsigned opcode;

    switch (below(coder, 4)) {
    case 0:
        put1(coder, 0xd8 | below(coder, 8));
        coder->modrm_reg = (uint8_t)below(coder, 8);
        modrm(coder, below(coder, 2));
        return;
    case 1: vex(coder); return;
    default: break;
    }
    if (prefix != 0)
        put1(coder, prefix);
    opcode = below(coder, 2) ? 0x50 + below(coder, 0x30) : 0xd0 + below(coder, 0x30);
    put1(coder, 0x0f);
    if (below(coder, 8) == 0)
        opcode = 0x10 + below(coder, 8);
    if (below(coder, 12) == 0)
        put1(coder, 0x38);
    put1(coder, opcode);
    coder->modrm_reg = (uint8_t)below(coder, 8);
    modrm(coder, false);
    if (opcode >= 0x70 && opcode <= 0x73)
        put1(coder, below(coder, 64));
}

/* --- privileged and sensitive instructions --- */

/* A value for the register that the next instruction takes. */
static void
load(Coder *coder, unsigned reg, uint64_t value)
{
    if (coder->bits == 16)
        put1(coder, 0x66);
    put1(coder, 0xb8 | reg);
    put(coder, value, 4);
}

static void
control_register(Coder *coder)
{
    static const uint32_t cr0_bits[] = {0x2, 0x4, 0x8, 0x20, 0x10000, 0x40000, 0x20000000};
    static const uint32_t cr4_bits[] = {0x1, 0x4, 0x8, 0x10, 0x80, 0x200, 0x400, 0x40000, 0x100000};
    const unsigned which = below(coder, 5) ? 4 * below(coder, 2) : below(coder, 5);

    put1(coder, 0x0f); /* mov eax, CRn */
    put1(coder, 0x20);
    put1(coder, 0xc0 | which << 3);
    if (which == 0 || which == 4) { /* xor eax, one bit */
        if (coder->bits == 16)
            put1(coder, 0x66);
        put1(coder, 0x35);
        put(coder,
            which == 0 ? cr0_bits[below(coder, G_N_ELEMENTS(cr0_bits))]
                       : cr4_bits[below(coder, G_N_ELEMENTS(cr4_bits))],
            4);
    }
    put1(coder, 0x0f);
    put1(coder, 0x22);
    put1(coder, 0xc0 | which << 3);
}

static void
msr(Coder *coder)
{
    static const uint32_t numbers[] = {0x10,       0x1b,       0x174,      0x175,      0x176,
                                       0x1a0,      0x277,      0x2ff,      0x6e0,      0x808,
                                       0xc0000080, 0xc0000081, 0xc0000082, 0xc0000084, 0xc0000100,
                                       0xc0000101, 0xc0000102, 0xc0000103};

    load(coder, X86_RCX, numbers[below(coder, G_N_ELEMENTS(numbers))]);
    put1(coder, 0x0f);
    put1(coder, 0x32);
    if (below(coder, 3) == 0) {
        put1(coder, 0x0f);
        put1(coder, 0x30);
    }
}

static void
port(Coder *coder)
{
    const unsigned number = AGREE_PORTS + below(coder, AGREE_PORT_COUNT);

    if (below(coder, 2)) {
        put1(coder, 0xe4 + below(coder, 4));
        put1(coder, number);
        return;
    }
    load(coder, X86_RDX, number);
    if (below(coder, 2)) {
        put1(coder, 0xec + below(coder, 4));
        return;
    }
    load(coder, X86_RCX, below(coder, 8));
    put1(coder, 0xf3);
    put1(coder, 0x6c + below(coder, 4));
}

static void
tables(Coder *coder)
{
    const bool group7 = below(coder, 2);

    put1(coder, 0x0f);
    put1(coder, group7 ? 0x01 : 0x00);
    coder->modrm_reg = (uint8_t)below(coder, 8);
    /* LGDT and LIDT of garbage end everything too soon. */
    if (group7 && (coder->modrm_reg & 6) == 2 && below(coder, 8))
        coder->modrm_reg = 7;
    modrm(coder, group7 && below(coder, 4));
}

static void
segments(Coder *coder)
{
    static const uint8_t selectors[] = {0,    0x08, 0x10, 0x1b, 0x23, 0x2b, 0x33, 0x3b,
                                        0x4b, 0x50, 0x70, 0x78, 0x80, 0x88, 0x90, 0x04};
    const unsigned selector = selectors[below(coder, G_N_ELEMENTS(selectors))];

    switch (below(coder, 5)) {
    case 0:
        put1(coder, 0x9a + 0x50 * below(coder, 2)); /* far CALL and JMP; undefined in 64-bit code */
        put(coder, AGREE_CODE + below(coder, 0x200), coder->bits == 16 ? 2 : 4);
        put(coder, selector, 2);
        break;
    case 1:
        load(coder, X86_RAX, selector);
        put1(coder, 0x8e);
        put1(coder, 0xc0 | below(coder, 6) << 3);
        break;
    case 2:
        load(coder, X86_RAX, selector);
        put1(coder, 0x0f);
        put1(coder, 0x02 + below(coder, 2)); /* LAR, LSL */
        put1(coder, 0xc8);
        break;
    case 3:
        put1(coder, 0x8c);
        coder->modrm_reg = (uint8_t)below(coder, 6);
        modrm(coder, false);
        break;
    default:
        put1(coder, 0x0f);
        put1(coder, 0xa0 + 8 * below(coder, 2) + below(coder, 2)); /* PUSH, POP of FS and GS */
        break;
    }
}

static void
sensitive(Coder *coder)
{
    static const uint16_t two[] = {0x0fa2, 0x0f31, 0x0f06, 0x0f05, 0x0f07, 0x0f34, 0x0f35, 0x0f09,
                                   0x0f0b, 0x0f33, 0x0f77, 0xcd21, 0xcd80, 0xcd03, 0x0faa};
    static const uint8_t one[] = {0xfa, 0xfb, 0xfa, 0xfb, 0xcc, 0xce, 0xcf, 0xcb, 0xf4, 0xf1,
                                  0x9b, 0xf5, 0xf8, 0xfc, 0xfc, 0xfd, 0x9e, 0x9f, 0x98, 0x99};
    static const uint8_t group7[] = {0xc8, 0xc9, 0xca, 0xcb, 0xd0, 0xd1, 0xf8, 0xf9};
    unsigned word;

    switch (below(coder, 10)) {
    case 0: control_register(coder); break;
    case 1: msr(coder); break;
    case 2: port(coder); break;
    case 3: tables(coder); break;
    case 4: segments(coder); break;
    case 5:
        word = two[below(coder, G_N_ELEMENTS(two))];
        put1(coder, word >> 8);
        put1(coder, word);
        break;
    case 6:
        put1(coder, 0x0f);
        put1(coder, 0x01);
        put1(coder, group7[below(coder, G_N_ELEMENTS(group7))]);
        break;
    case 7: /* FXSAVE … CLFLUSH, fences */
        if (coder->bits == 64 && below(coder, 3) == 0)
            put1(coder, 0x48);
        put1(coder, 0x0f);
        put1(coder, 0xae);
        coder->modrm_reg = (uint8_t)below(coder, 8);
        modrm(coder, below(coder, 2));
        break;
    case 8: /* debug registers */
        put1(coder, 0x0f);
        put1(coder, 0x21 + 2 * below(coder, 2));
        put1(coder, 0xc0 | below(coder, 8) << 3 | below(coder, 3));
        break;
    default: put1(coder, one[below(coder, G_N_ELEMENTS(one))]); break;
    }
}

/* --- what is longer than an instruction --- */

/* A counted loop, whose pointers may move by a constant. */
static void
loop(Coder *coder)
{
    const unsigned body = 1 + below(coder, 4);
    const uint8_t *start;

    load(coder, X86_RCX, 2 + below(coder, 60));
    start = coder->at;
    for (unsigned i = 0; i < body; i++) {
        if (below(coder, 2))
            arithmetic(coder);
        else
            move(coder);
    }
    if (below(coder, 2)) { /* add rsi or rdi, a few bytes */
        if (coder->bits == 64)
            put1(coder, 0x48);
        put1(coder, 0x83);
        put1(coder, 0xc0 | (X86_RSI + below(coder, 2)));
        put1(coder, 1 << below(coder, 5));
    }
    if (below(coder, 2)) { /* dec ecx; jnz */
        put1(coder, 0xff);
        put1(coder, 0xc9);
        put1(coder, 0x75);
    } else {
        put1(coder, 0xe2);
    }
    put1(coder, (unsigned)(start - coder->at) - 1);
}

/* A store of a byte into what follows, or came before. */
static void
store_into_code(Coder *coder)
{
    const unsigned distance = below(coder, 64) - 16;

    switch (coder->bits) {
    case 64: /* mov byte [rip + distance], imm8 */
        put1(coder, 0xc6);
        put1(coder, 0x05);
        put(coder, (uint64_t)(int64_t)(int)distance, 4);
        break;
    case 32:
        put1(coder, 0xc6);
        put1(coder, 0x05);
        put(coder, place(coder), 4);
        break;
    default: /* mov byte cs:[bx + disp8], which faults in protected mode */
        put1(coder, 0x2e);
        put1(coder, 0xc6);
        put1(coder, 0x47);
        put1(coder, distance);
        break;
    }
    put1(coder, below(coder, 3) ? 0x40 | below(coder, 32) : below(coder, 256));
}

static void
noise(Coder *coder)
{
    const unsigned size = 1 + below(coder, 8);

    if (below(coder, 3) == 0)
        put1(coder, 0x0f);
    for (unsigned i = 0; i < size; i++)
        put1(coder, below(coder, 256));
}

static void
one(Coder *coder)
{
    const unsigned choice = below(coder, 100);

    if (coder->self && below(coder, 8) == 0)
        store_into_code(coder);
    else if (choice < 28)
        arithmetic(coder);
    else if (choice < 50)
        move(coder);
    else if (choice < 60)
        stack(coder);
    else if (choice < 68)
        branch(coder);
    else if (choice < 73)
        loop(coder);
    else if (choice < 77)
        string(coder);
    else if (choice < 88)
        vector(coder);
    else if (choice < 95)
        sensitive(coder);
    else
        noise(coder);
}

uint8_t *
agree_code_fill(AgreeRandom *random, unsigned bits, bool self, uint8_t *at, uint8_t *end)
{
    Coder coder = {.random = random, .at = at, .bits = bits, .self = self, .modrm_reg = REG_ANY};

    while (end - coder.at > ITEM_MAX)
        one(&coder);
    return coder.at;
}
