/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What one instruction costs in the interpreter, by kind: small loops at CPL 3 in 64-bit code,
 * timed by the thread's CPU time. For comparing two builds; figures against Bochs are
 * test_engine.py's. */
#include "tests/insn/insn.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define INSTRUCTIONS 30000000ull

/* Loops end with a jump back; RSI points to data, RSP to a stack. */
typedef struct {
    const char *name;
    const char *code;
    unsigned size;
} Kernel;

static const Kernel kernels[] = {
    {"add reg, reg", "\x48\x01\xd8\x48\x01\xc3\x48\x01\xd8\x48\x01\xc3\xeb\xf2", 14},
    {"mov reg, reg", "\x48\x89\xd8\x48\x89\xc1\x48\x89\xd8\x48\x89\xc1\xeb\xf2", 14},
    {"load", "\x48\x8b\x06\x48\x8b\x5e\x08\x48\x8b\x4e\x10\x48\x8b\x56\x18\xeb\xef", 17},
    {"store", "\x48\x89\x06\x48\x89\x5e\x08\x48\x89\x4e\x10\x48\x89\x56\x18\xeb\xef", 17},
    {"add mem, reg", "\x48\x01\x06\x48\x01\x5e\x08\x48\x01\x4e\x10\x48\x01\x56\x18\xeb\xef", 17},
    {"cmp, jnz taken", "\x48\xff\xc0\x48\x39\xd8\x75\xf8", 8},
    {"push, pop", "\x50\x53\x5b\x58\xeb\xfa", 6},
    {"call, ret", "\xe8\x02\x00\x00\x00\xeb\xf9\xc3", 8},
    {"shift, imul", "\x48\xc1\xe0\x05\x48\xd1\xe8\x48\x0f\xaf\xc3\xeb\xf3", 13},
    {"jmp", "\xeb\xfe", 2},
};

static double
cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
measure(InsnGuest *guest, const Kernel *kernel)
{
    InsnState state = {.rip = INSN_BASE + INSN_START, .rflags = X86_FL_1, .fpu.fcw = 0x37f};
    double start, seconds;

    state.fpu.mxcsr = 0x1f80;
    state.gpr[X86_RBX] = 1;
    state.gpr[X86_RSI] = INSN_BASE + INSN_DATA;
    state.gpr[X86_RSP] = INSN_BASE + INSN_STACK + 0x800;
    insn_guest_write_code(guest, INSN_START, (const uint8_t *)kernel->code, kernel->size);
    start = cpu_seconds();
    insn_guest_run_for(guest, INSN_CODE64, &state, INSTRUCTIONS);
    seconds = cpu_seconds() - start;
    printf("%-16s %6.2f ns  %7.1f million a second\n", kernel->name, seconds * 1e9 / INSTRUCTIONS,
           INSTRUCTIONS / seconds / 1e6);
}

int
main(void)
{
    InsnGuest *guest = insn_guest_new("iem");

    for (unsigned i = 0; i < G_N_ELEMENTS(kernels); i++)
        measure(guest, &kernels[i]);
    insn_guest_free(guest);
    return 0;
}
