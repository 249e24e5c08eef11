/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Random loops on the interpreter and on the recompiler: after the same number of instructions
 * registers, flags, XMM registers, memory, the exception and the count have to be the same. Loops
 * walk over pages with several pointers, run into a page that is absent or read-only, have
 * addresses that only memory tells, inner loops and branches, calls within the page and to another
 * one, returns, words on the stack, leave early, end by CMP, SUB, DEC or ADD. On the recompiler
 * every loop is hot from the start. Arguments: mode (32 or 64), how many, seed. */
#include "tests/insn/insn.h"
#include "vmm/rem/rem-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint8_t bytes[20];
    uint8_t size;
    uint8_t step; /* index of an immediate byte that is a step, 0 for none */
    bool wide;    /* REX.W in 64-bit code */
    bool only64;
    uint16_t far; /* CALL: offset of the function in `functions`, plus 1 */
} Piece;

/* In another page. */
static const uint8_t functions[] = {
    /* 0: add eax, edx; ret */
    0x01, 0xd0, 0xc3, 0xcc,
    /* 4: push ebx; mov ebx, [esi]; add eax, ebx; pop ebx; ret */
    0x53, 0x8b, 0x1e, 0x01, 0xd8, 0x5b, 0xc3, 0xcc,
    /* 12: push ebp; REX.W or dec eax; mov ebp, esp; add eax, [edi]; leave; ret */
    0x55, 0x48, 0x89, 0xe5, 0x03, 0x07, 0xc9, 0xc3,
    /* 20: test al, 1; jz over ret; sub eax, edx; ret */
    0xa8, 0x01, 0x74, 0x01, 0xc3, 0x29, 0xd0, 0xc3,
    /* 28: push r13; xor r13d, r13d; add r13d, [rsi]; add eax, r13d; pop r13; ret */
    0x41, 0x55, 0x45, 0x31, 0xed, 0x44, 0x03, 0x2e, 0x44, 0x01, 0xe8, 0x41, 0x5d, 0xc3, 0xcc, 0xcc,
    /* 44: jmp [rip+2]; to 0 */
    0xff, 0x25, 2, 0, 0, 0, 0xcc, 0xcc, 0x00, 0xa0, 0x00, 0x10, 0, 0, 0, 0};

/* From one page into the next one: add eax, [esi]; xor eax, 0x44332211; ret */
#define CROSSING 0xffdu
static const uint8_t crossing[] = {0x03, 0x06, 0x35, 0x11, 0x22, 0x33, 0x44, 0xc3};
_Static_assert(INSN_BASE + INSN_FAR == 0x1000a000, "a target above, one below");

/* Registers: ESI, EDI pointers, EBX index, ECX count or end, EAX and EDX values. */
static const Piece pieces[] = {
    {{0x8b, 0x04, 0x1e}, 3, 0, false},                   /* mov eax, [esi+ebx] */
    {{0x89, 0x04, 0x1f}, 3, 0, false},                   /* mov [edi+ebx], eax */
    {{0x03, 0x06}, 2, 0, false},                         /* add eax, [esi] */
    {{0x01, 0x47, 0x08}, 3, 0, false},                   /* add [edi+8], eax */
    {{0x11, 0xd0}, 2, 0, false},                         /* adc eax, edx */
    {{0x33, 0xc2}, 2, 0, false},                         /* xor eax, edx */
    {{0x0f, 0xb6, 0x16}, 3, 0, false},                   /* movzx edx, [esi] */
    {{0x88, 0x27}, 2, 0, false},                         /* mov [edi], ah */
    {{0x8a, 0x76, 0x03}, 3, 0, false},                   /* mov dh, [esi+3] */
    {{0xd3, 0xc0}, 2, 0, false},                         /* rol eax, cl */
    {{0x8d, 0x14, 0x82}, 3, 0, false},                   /* lea edx, [edx+eax*4] */
    {{0x0f, 0x28, 0x06}, 3, 0, false},                   /* movaps xmm0, [esi] */
    {{0x0f, 0x57, 0x04, 0x1e}, 4, 0, false},             /* xorps xmm0, [esi+ebx] */
    {{0x0f, 0x11, 0x04, 0x1f}, 4, 0, false},             /* movups [edi+ebx], xmm0 */
    {{0x8b, 0x86, 0x00, 0x0a, 0, 0}, 6, 0, false},       /* mov eax, [esi+0xa00] */
    {{0x0f, 0x29, 0x47, 0x10}, 4, 0, false},             /* movaps [edi+16], xmm0 */
    {{0x66, 0x0f, 0xfe, 0x47, 0x20}, 5, 0, false},       /* paddd xmm0, [edi+32] */
    {{0x3c, 0x55, 0x74, 0x40}, 4, 0, false},             /* cmp al, 0x55; jz out */
    {{0xa9, 0xff, 0x0f, 0, 0, 0x74, 0x39}, 7, 0, false}, /* test eax, 0xfff; jz out */
    {{0x83, 0xc6, 0}, 3, 2, true},                       /* add esi, step */
    {{0x83, 0xc3, 0}, 3, 2, true},                       /* add ebx, step */
    {{0x83, 0xc7, 0}, 3, 2, true},                       /* add edi, step */
    {{0x8d, 0x76, 0}, 3, 2, true},                       /* lea esi, [esi+step] */
    {{0x83, 0xef, 0}, 3, 2, true},                       /* sub edi, step */
    {{0xf7, 0xd8}, 2, 0, false},                         /* neg eax */
    {{0x19, 0xd0}, 2, 0, false},                         /* sbb eax, edx */
    {{0xff, 0xc0}, 2, 0, false},                         /* inc eax */
    {{0x33, 0xdb}, 2, 0, false},                         /* xor ebx, ebx */
    {{0xbb, 0x40, 0, 0, 0}, 5, 0, false},                /* mov ebx, 64 */
    {{0x8b, 0x05, 0, 0, 0, 0}, 6, 0, false, true},       /* mov eax, [rip+0] */
    {{0xa8, 0x04, 0x74, 0x02, 0x31, 0xd0}, 6, 0, false}, /* test al, 4; jz over xor eax, edx */
    {{0x8b, 0x16, 0x0f, 0xb6, 0xd2, 0x8b, 0x04, 0x17}, 8, 0, false}, /* by an index from memory */
    {{0x8b, 0xd7, 0x80, 0xe2, 0xf8, 0x8b, 0x42, 0x04, 0x01, 0x42, 0x08},
     11,
     0,
     false}, /* mov edx, edi; and dl, -8; mov eax, [edx+4]; add [edx+8], eax */
    {{0x89, 0x77, 0x10, 0x8b, 0x57, 0x10, 0x03, 0x02, 0x11, 0x42, 0x0c},
     11,
     0,
     false}, /* mov [edi+16], esi; mov edx, [edi+16]; add eax, [edx]; adc [edx+12], eax */
    {{0x33, 0xdb, 0x03, 0x04, 0x1e, 0x83, 0xc3, 0x08, 0x83, 0xfb, 0x18, 0x75, 0xf5},
     13,
     0,
     false}, /* xor ebx, ebx; add eax, [esi+ebx]; add ebx, 8; cmp ebx, 24; jnz back */
    {{0xdd, 0x06, 0xdc, 0x47, 0x08, 0xd9, 0xe1, 0xdd, 0x5f, 0x18},
     10,
     0,
     false}, /* fld qword [esi]; fadd qword [edi+8]; fabs; fstp qword [edi+24] */
    {{0xd9, 0xee, 0xdf, 0xe9, 0xd9, 0xe8, 0xdd, 0xd8}, 8, 0, false}, /* fldz; fucomip; fld1; fstp */
    {{0x41, 0x89, 0xc5, 0x41, 0xf7, 0xd5, 0x90, 0x44, 0x31, 0xe8},
     10,
     0,
     false,
     true}, /* mov r13d, eax; not r13d; xor eax, r13d */
    {{0x4c, 0x8b, 0x3e, 0x4d, 0x01, 0xfe, 0x4c, 0x89, 0x77, 0x10},
     10,
     0,
     false,
     true}, /* mov r15, [rsi]; add r14, r15; mov [rdi+16], r14 */
    {{0x4c, 0x8d, 0x2c, 0x46, 0x4d, 0x89, 0xec, 0x45, 0x88, 0xee},
     10,
     0,
     false,
     true}, /* lea r13, [rsi+rax*2]; mov r12, r13; mov r14b, r13b */
    {{0x49, 0x89, 0xf5, 0x49, 0x83, 0xc5, 0x08, 0x41, 0x8b, 0x45, 0x00, 0x4d, 0x8d, 0x34, 0x1c},
     15,
     0,
     false,
     true}, /* mov r13, rsi; add r13, 8; mov eax, [r13]; lea r14, [r12+rbx] */
    {{0x89, 0x77, 0x10, 0x8b, 0x57, 0x10, 0x03, 0x42, 0x04},
     9,
     0,
     false}, /* mov [edi+16], esi; mov edx, [edi+16]; add eax, [edx+4] */
    {{0x48, 0x89, 0x77, 0x10, 0x48, 0x8b, 0x57, 0x10, 0x01, 0x42, 0x0c},
     11,
     0,
     false,
     true}, /* mov [rdi+16], rsi; mov rdx, [rdi+16]; add [rdx+12], eax */
    {{0x89, 0x44, 0x24, 0x08, 0x03, 0x54, 0x24, 0x10},
     8,
     0,
     false}, /* mov [esp+8], eax; add edx, [esp+16] */
    {{0x89, 0x55, 0x10, 0x03, 0x45, 0x20, 0x31, 0x45, 0x24},
     9,
     0,
     false}, /* mov [ebp+16], edx; add eax, [ebp+32]; xor [ebp+36], eax */
    {{0x50, 0x03, 0x16, 0x5a}, 4, 0, false}, /* push eax; add edx, [esi]; pop edx */
    {{0x53, 0x31, 0xdb, 0x6a, 0xa5, 0x58, 0x5b}, 7, 0, false}, /* push ebx; ...; pop eax; pop ebx */
    {{0x41, 0x55, 0x44, 0x8b, 0x2e, 0x41, 0x56, 0x44, 0x89, 0xe8, 0x41, 0x5d, 0x41, 0x5e},
     14,
     0,
     false,
     true}, /* push r13; mov r13d, [rsi]; push r14; mov eax, r13d; pop r13; pop r14 */
    {{0xe8, 0x02, 0, 0, 0, 0xeb, 0x03, 0x01, 0xd0, 0xc3},
     10,
     0,
     false}, /* call; add eax, edx; ret */
    {{0xe8, 0x02, 0,    0,    0,    0xeb, 0x0d, 0x55, 0x48, 0x89,
      0xe5, 0x83, 0xec, 0x10, 0x89, 0x74, 0x24, 0x04, 0xc9, 0xc3},
     20,
     0,
     false,
     true}, /* call; push rbp; mov rbp, rsp; sub esp, 16; mov [rsp+4], esi; leave; ret */
    {{0xe8, 0x02, 0,    0,    0,    0xeb, 0x0d, 0x55, 0x89, 0xe5,
      0x90, 0x83, 0xec, 0x10, 0x89, 0x74, 0x24, 0x04, 0xc9, 0xc3},
     20,
     0,
     false},                                 /* the same with 32 bits */
    {{0xe8, 0, 0, 0, 0, 0x5a}, 6, 0, false}, /* call +0; pop edx */
    {{0xe8}, 5, 0, false, false, 0 + 1},
    {{0xe8}, 5, 0, false, false, 4 + 1},
    {{0xe8}, 5, 0, false, false, 12 + 1},
    {{0xe8}, 5, 0, false, false, 20 + 1},
    {{0xe8}, 5, 0, false, true, 28 + 1},
    {{0xe8}, 5, 0, false, true, 44 + 1},
    {{0xe8}, 5, 0, false, false, CROSSING + 1},
    {{0xba, 0x04, 0xa0, 0x00, 0x10, 0xff, 0xd2}, 7, 0, false}, /* mov edx, 4's; call edx */
    {{0x83, 0xec, 0x10, 0x72, 0x02, 0x31, 0xd0, 0x89, 0x44, 0x24, 0x04, 0x83, 0xc4, 0x10},
     14,
     0,
     false,
     false}, /* sub esp, 16; jb over xor; mov [esp+4], eax; add esp, 16 */
    {{0xe8, 0x02, 0, 0, 0, 0xeb, 0x08, 0x03, 0x06, 0xa8, 0x01, 0x75, 0x01, 0xc3, 0xc3},
     15,
     0,
     false}, /* call; add eax, [esi]; test al, 1; jnz over ret; ret */
    {{0x68, 0, 0, 0, 0, 0x8b, 0x14, 0x24, 0x01, 0x04, 0x24, 0x58}, 12, 0, false}, /* push 0; ... */
    {{0x55, 0x8b, 0x56, 0x04, 0x01, 0xd5, 0xff, 0x36, 0x58, 0x5d}, 10, 0, false}, /* push [esi] */
    /* Pointers in slots, which SLOTS fills. */
    {{0x8b, 0x55, 0x40, 0x03, 0x02, 0x8b, 0x55, 0x48, 0x83, 0x02, 0x40, 0x8b, 0x55, 0x40, 0x03,
      0x02},
     16,
     0,
     false}, /* mov edx, [ebp+64]; add eax, [edx]; by [ebp+72] add 64 to it; the same again */
    {{0x48, 0x8b, 0x55, 0x40, 0x03, 0x02, 0x48, 0x8b, 0x55, 0x48, 0x83, 0x02, 0x40, 0x48, 0x8b,
      0x55, 0x40, 0x03, 0x02},
     19,
     0,
     false,
     true}, /* the same with 64 bits */
    {{0x8b, 0x55, 0x40, 0x03, 0x02, 0x8b, 0x55, 0x40, 0x11, 0x42, 0x04, 0x33, 0x42, 0x0c},
     14,
     0,
     false}, /* mov edx, [ebp+64]; add eax, [edx]; the same; adc [edx+4], eax; xor eax, [edx+12] */
    {{0x48, 0x8b, 0x55, 0x40, 0x03, 0x02, 0x48, 0x8b, 0x55, 0x40, 0x11, 0x42, 0x04},
     13,
     0,
     false,
     true},                                              /* the same with 64 bits */
    {{0x83, 0x45, 0x40, 0}, 4, 3, true},                 /* add [ebp+64], step */
    {{0x8b, 0x55, 0x48, 0x83, 0x02, 0x04}, 6, 0, false}, /* mov edx, [ebp+72]; add [edx], 4 */
    {{0x48, 0x8b, 0x55, 0x48, 0x83, 0x02, 0x04}, 7, 0, false, true}, /* the same with 64 bits */
    {{0x89, 0x75, 0x40}, 3, 0, true},                                /* mov [ebp+64], esi */
    {{0x89, 0x7d, 0x50, 0x8b, 0x55, 0x50, 0x31, 0x02}, 8, 0, false}, /* a slot of EDI */
    {{0x8b, 0x55, 0x40, 0x88, 0xd0, 0x00, 0x02, 0x8b, 0x55, 0x40, 0x42 - 0x42 + 0x02, 0x02},
     12,
     0,
     false}, /* mov edx, [ebp+64]; mov al, dl; add [edx], al; the same; add al, [edx] */
};

/* What [ebp+64] and [ebp+72] are when a loop begins: a pointer to data, and where that is. */
#define SLOTS (INSN_STACK + 0x900 + 64)

/* In front of the branch back. */
static const Piece ends[] = {
    {{0x39, 0x4d, 0x40}, 3, 0, true},                         /* cmp [ebp+64], ecx */
    {{0x3b, 0x4d, 0x58, 0x89, 0x45, 0x58}, 6, 0, true},       /* cmp ecx, [ebp+88]; mov it, eax */
    {{0x81, 0x7d, 0x40, 0, 0x50, 0, 0x10}, 7, 0, false},      /* cmp [ebp+64], immediate */
    {{0xff, 0xc9, 0xf7, 0x06, 0xff, 0xff, 0, 0}, 8, 0, true}, /* dec ecx; test [esi], 0xffff */
    {{0x83, 0xe9, 0x01}, 3, 0, true},                         /* sub ecx, 1 */
    {{0xff, 0xc9}, 2, 0, true},                               /* dec ecx */
    {{0x39, 0xce}, 2, 0, true},                               /* cmp esi, ecx */
    {{0x83, 0xe9, 0x01, 0x90}, 4, 0, true},                   /* with something behind it */
    {{0x83, 0xc1, 0xff}, 3, 0, true},                         /* add ecx, -1 */
    {{0x21, 0xc9}, 2, 0, true},                               /* and ecx, ecx */
};

typedef struct {
    InsnMode mode;
    GRand *rand;
    InsnGuest *iem, *rem;
    uint8_t code[256];
    unsigned size;
} Bench;

static void
append(Bench *bench, const Piece *piece)
{
    static const int8_t steps[] = {1, 4, 8, 16, 16, 16, 32, 64, -16, -4, 24, 12};
    uint8_t *at = bench->code + bench->size;

    if (piece->wide && bench->mode == INSN_CODE64)
        *at++ = 0x48;
    memcpy(at, piece->bytes, piece->size);
    if (piece->step != 0)
        at[piece->step] = (uint8_t)steps[g_rand_int_range(bench->rand, 0, G_N_ELEMENTS(steps))];
    if (piece->far != 0) {
        const int32_t distance = (int32_t)(INSN_FAR + piece->far - 1) -
                                 (int32_t)(INSN_START + (unsigned)(at - bench->code) + 5);

        memcpy(at + 1, &distance, sizeof distance);
    }
    bench->size = (unsigned)(at - bench->code) + piece->size;
}

static void
make_loop(Bench *bench)
{
    int count = g_rand_int_range(bench->rand, 1, 12);

    memset(bench->code, 0xcc, sizeof bench->code);
    bench->size = 0;
    while (count-- > 0 && bench->size < 90) {
        const Piece *piece = &pieces[g_rand_int_range(bench->rand, 0, G_N_ELEMENTS(pieces))];

        if (!piece->only64 || bench->mode == INSN_CODE64)
            append(bench, piece);
    }
    append(bench, &ends[g_rand_int_range(bench->rand, 0, G_N_ELEMENTS(ends))]);
    bench->code[bench->size] = g_rand_boolean(bench->rand) ? 0x75 : 0x72; /* jnz, jb */
    bench->code[bench->size + 1] = (uint8_t) - (int8_t)(bench->size + 2);
    bench->size += 2;
}

static void
make_state(Bench *bench, InsnState *state)
{
    const uint32_t data = INSN_BASE + INSN_DATA;
    uint64_t flags = X86_FL_STATUS & g_rand_int(bench->rand);

    memset(state, 0, sizeof *state);
    for (unsigned i = 0; i < X86_GPR_COUNT; i++)
        state->gpr[i] = g_rand_int(bench->rand);
    state->gpr[X86_RSP] = INSN_BASE + INSN_STACK + 0x800;
    state->gpr[X86_RBP] = INSN_BASE + INSN_STACK + 0x900;
    state->gpr[X86_RSI] = data + 16 * (uint64_t)g_rand_int_range(bench->rand, 0, 400);
    state->gpr[X86_RDI] = data + 16 * (uint64_t)g_rand_int_range(bench->rand, 0, 400);
    if (g_rand_int_range(bench->rand, 0, 8) == 0)
        state->gpr[X86_RDI] = INSN_BASE + INSN_READ_ONLY + 0xf00;
    if (g_rand_int_range(bench->rand, 0, 8) == 0)
        state->gpr[X86_RSI] += g_rand_int(bench->rand) & 15;
    state->gpr[X86_RBX] = 16 * (uint64_t)g_rand_int_range(bench->rand, 0, 16);
    state->gpr[X86_RCX] = (uint64_t)g_rand_int_range(bench->rand, 1, 800);
    if (g_rand_boolean(bench->rand))
        state->gpr[X86_RCX] =
            state->gpr[X86_RSI] + 16 * (uint64_t)g_rand_int_range(bench->rand, 1, 300);
    state->fpu.fcw = 0x37f;
    state->fpu.mxcsr = 0x1f80;
    state->rflags = X86_FL_1 | flags;
    state->rip = INSN_BASE + INSN_START;
}

static void
fill_memory(Bench *bench, InsnGuest *guest, unsigned seed)
{
    uint8_t *window = insn_guest_window(guest);
    const uint64_t slots[2] = {INSN_BASE + INSN_DATA + seed % 0x1000, INSN_BASE + SLOTS};

    for (unsigned i = 0; i < INSN_DATA_SIZE; i++)
        window[INSN_DATA + i] = (uint8_t)((i * 2654435761u + seed) >> 13);
    memcpy(window + SLOTS, slots, sizeof slots);
    insn_guest_write_code(guest, INSN_START, bench->code, sizeof bench->code);
    insn_guest_write_code(guest, INSN_FAR, functions, sizeof functions);
    insn_guest_write_code(guest, INSN_FAR + CROSSING, crossing, sizeof crossing);
}

static bool
same(const char *name, const void *a, const void *b, size_t size)
{
    if (memcmp(a, b, size) == 0)
        return true;
    printf("  %s differs\n", name);
    return false;
}

static void
print_loop(const Bench *bench, const InsnState *start, const InsnState *a, const InsnState *b)
{
    for (unsigned i = 0; i < bench->size; i++)
        printf(" %02x", bench->code[i]);
    printf("\n");
    for (unsigned i = 0; i < 8; i++)
        printf("  r%u: %" G_GINT64_MODIFIER "x -> iem %" G_GINT64_MODIFIER
               "x, rem %" G_GINT64_MODIFIER "x\n",
               i, start->gpr[i], a->gpr[i], b->gpr[i]);
    printf("  rflags %x %x, rip %x %x, vector %d %d\n", (unsigned)a->rflags, (unsigned)b->rflags,
           (unsigned)a->rip, (unsigned)b->rip, a->vector, b->vector);
}

static bool
try_loop(Bench *bench)
{
    const unsigned seed = g_rand_int(bench->rand);
    const uint64_t budget = (uint64_t)g_rand_int_range(bench->rand, 64, 20000);
    InsnState start, a, b;
    uint64_t retired[2];
    bool ok;

    make_loop(bench);
    make_state(bench, &start);
    a = b = start;
    fill_memory(bench, bench->iem, seed);
    fill_memory(bench, bench->rem, seed);
    retired[0] = insn_guest_vcpu(bench->iem)->retired;
    retired[1] = insn_guest_vcpu(bench->rem)->retired;
    insn_guest_run_for(bench->iem, bench->mode, &a, budget);
    insn_guest_run_for(bench->rem, bench->mode, &b, budget);
    retired[0] = insn_guest_vcpu(bench->iem)->retired - retired[0];
    retired[1] = insn_guest_vcpu(bench->rem)->retired - retired[1];
    ok = same("registers", a.gpr, b.gpr, sizeof a.gpr) & same("rip", &a.rip, &b.rip, 8) &
         same("rflags", &a.rflags, &b.rflags, 8) &
         same("xmm", a.fpu.xmm, b.fpu.xmm, sizeof a.fpu.xmm) &
         same("x87 registers", a.fpu.st, b.fpu.st, sizeof a.fpu.st) &
         same("x87 status", &a.fpu.fsw, &b.fpu.fsw, sizeof a.fpu.fsw) &
         same("fip", &a.fpu.fip, &b.fpu.fip, sizeof a.fpu.fip) &
         same("fdp", &a.fpu.fdp, &b.fpu.fdp, sizeof a.fpu.fdp) &
         same("fop", &a.fpu.fop, &b.fpu.fop, sizeof a.fpu.fop) &
         same("vector", &a.vector, &b.vector, sizeof a.vector) &
         same("retired", &retired[0], &retired[1], 8) &
         same("memory", insn_guest_window(bench->iem) + INSN_DATA,
              insn_guest_window(bench->rem) + INSN_DATA, INSN_DATA_SIZE) &
         same("stack", insn_guest_window(bench->iem) + INSN_STACK,
              insn_guest_window(bench->rem) + INSN_STACK, INSN_STACK_SIZE);
    if (!ok)
        print_loop(bench, &start, &a, &b);
    return ok;
}

int
main(int argc, char **argv)
{
    const unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 3000;
    Bench bench = {.mode = argc > 1 && atoi(argv[1]) == 32 ? INSN_CODE32 : INSN_CODE64};
    unsigned failed = 0;

    bench.rand = g_rand_new_with_seed(argc > 3 ? (guint32)atoi(argv[3]) : 1);
    bench.iem = insn_guest_new("iem");
    bench.rem = insn_guest_new("rem");
    rem_of(insn_guest_vcpu(bench.rem))->eager = true;
    for (unsigned i = 0; i < count && failed < 5; i++)
        failed += !try_loop(&bench);
    printf("%u loops, %" G_GUINT64_FORMAT " traces, %u failed\n", count,
           rem_of(insn_guest_vcpu(bench.rem))->traces, failed);
    insn_guest_free(bench.iem);
    insn_guest_free(bench.rem);
    g_rand_free(bench.rand);
    return failed != 0;
}
