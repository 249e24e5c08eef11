/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Displacements next to the ends of their 32 bits: what lies 4 GiB from an operand is another page,
 * whatever an engine adds to the displacement to look a page up. Intel SDM volume 1 3.7.5.1. */
#include "tests/guest/lib/guest64.h"

extern const uint8_t q_once[], q_bytes[], q_shared[], q_turns[], q_steps[], q_pointer[], q_behind[],
    q_end[];

/* RSI: the page that is not meant, so that the TLB knows it; RDI points to RBX. */
__asm__("q_once: mov (%rsi), %rdx; mov 0x7ffffffd(%rbx), %eax; int $0x80\n"
        "q_bytes: mov (%rsi), %rdx; movups 0x7ffffff8(%rbx), %xmm0; movq %xmm0, %rax; int $0x80\n"
        "q_shared: mov (%rsi), %rdx; mov -0x80000000(%rbx), %rax; lea -0x40(%rbx), %rbx\n"
        "    mov -0x80000000(%rbx), %r8; add %r8, %rax; int $0x80\n"
        "q_turns: mov (%rsi), %rdx; mov (%rdi), %rbx; add 0x7ffffffd(%rbx), %rax\n"
        "    dec %rcx; jnz q_turns; int $0x80\n"
        "q_pointer: mov (%rdi), %rbx; add 0x7ffffffd(%rbx), %rax; add 0x7ffffff0(%rbx), %rax\n"
        "    dec %rcx; jnz q_pointer; int $0x80\n"
        "q_steps: mov (%rsi), %rdx; add $0x3ff00000, %rbx; sub $0x7fe0000, %r9\n"
        "    add 0x7fff0000(%rbx,%r9,8), %rax; sub $0x3ff00000, %rbx; add $0x7fe0000, %r9\n"
        "    dec %rcx; jnz q_steps; int $0x80\n"
        "q_behind: mov (%rsi), %rdx; .byte 0x48, 0x8b, 0x05, 0xf8, 0xff, 0xff, 0x7f; int $0x80\n"
        "q_end:\n"); /* mov 0x7ffffff8(%rip), %rax */

enum { P = 1, RW = 2, US = 4, PS = 0x80 };
#define GIB (1ull << 30)
/* Two pages of 2 MiB that are 4 GiB apart; the second is 2 GiB behind the first as well. */
#define LOW (1ull << 39 | 2 * GIB | 3ull << 21)
#define HIGH (LOW + 4 * GIB)
#define TURNS 20000

static void
build(void)
{
    uint64_t *const top = (uint64_t *)0x60000, *const next = (uint64_t *)0x201000,
                    *const low = (uint64_t *)0x202000, *const high = (uint64_t *)0x203000;

    for (unsigned i = 0; i < 512; i++)
        next[i] = low[i] = high[i] = 0;
    top[1] = (uint64_t)next | P | RW | US;
    next[2] = (uint64_t)low | P | RW | US;
    next[4] = next[6] = (uint64_t)high | P | RW | US;
    low[3] = 0x400000 | PS | P | RW | US;
    high[3] = 0x600000 | PS | P | RW | US;
    __asm__ volatile("mov %0, %%cr3" : : "r"((uint64_t)top) : "memory");
    for (unsigned i = 0; i < 4096; i++) {
        ((volatile uint64_t *)LOW)[i] = 0x1111000011110000 + i;
        ((volatile uint64_t *)HIGH)[i] = 0x2222000022220000 + i;
    }
}

/* Code of the low page reads from 2 GiB behind itself. */
static const uint8_t *
behind(uint64_t at)
{
    for (size_t i = 0; i < (size_t)(q_end - q_behind); i++)
        ((volatile uint8_t *)(LOW + at))[i] = q_behind[i];
    return (const uint8_t *)(LOW + at);
}

static void
outcome(const char *key, const uint8_t *code, uint64_t target, int64_t displacement)
{
    const uint64_t other = target < HIGH ? target + 4 * GIB : target - 4 * GIB;
    volatile uint64_t pointer = target - (uint64_t)displacement;
    Context c = context(code, 0);
    Event e;

    c.gpr[RBX] = pointer;
    c.gpr[RDI] = (uint64_t)&pointer;
    c.gpr[RSI] = other & ~0xfffull;
    c.gpr[RAX] = c.gpr[R9] = 0;
    c.gpr[RCX] = TURNS;
    e = run(c);
    log_text("%s: vec=%x rax=%X rdx=%X cr2=%X\n", key, (uint32_t)e.vector, e.at.gpr[RAX],
             e.at.gpr[RDX], e.vector == 14 ? e.cr2 : 0);
}

void
guest_main(void)
{
    guest_setup();
    build();
    for (unsigned i = 0; i < 3; i++) {
        const uint64_t at = 0x1100 + i * 0x1000;

        outcome("once", q_once, HIGH + at, 0x7ffffffd);
        outcome("bytes", q_bytes, HIGH + at, 0x7ffffff8);
        outcome("shared", q_shared, LOW + at, -0x80000000ll);
        outcome("turns", q_turns, HIGH + at, 0x7ffffffd);
        outcome("pointer", q_pointer, HIGH + at, 0x7ffffffd);
        outcome("steps", q_steps, HIGH + at, 0x7fff0000);
        outcome("behind", behind(at), HIGH + at, 0);
    }
    log_end();
}
