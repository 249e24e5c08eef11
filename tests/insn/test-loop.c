/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The interpreter's loop and code cache: exact budgets, code that overwrites itself, code that a
 * device overwrites, fetches over a page's end, REP with the trap flag. */
#include "tests/insn/insn.h"

#include <string.h>

#include "vmm/iem/iem.h"

#define START (INSN_BASE + INSN_START)

typedef struct {
    InsnGuest *guest;
    InsnState state;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->guest = insn_guest_new("iem");
    fixture->state = (InsnState){.rip = START, .rflags = X86_FL_1, .fpu.fcw = 0x37f};
    fixture->state.fpu.mxcsr = 0x1f80;
    fixture->state.gpr[X86_RSP] = INSN_BASE + INSN_STACK + 0x800;
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    insn_guest_free(fixture->guest);
}

static void
put_code(Fixture *fixture, unsigned offset, const char *bytes, size_t size)
{
    insn_guest_write_code(fixture->guest, offset, (const uint8_t *)bytes, size);
}

/* Goes on from where the state stands. */
static void
run(Fixture *fixture, uint64_t budget)
{
    insn_guest_run_for(fixture->guest, INSN_CODE64, &fixture->state, budget);
}

static void
test_budget(Fixture *fixture, gconstpointer data)
{
    Vcpu *vcpu = insn_guest_vcpu(fixture->guest);
    uint64_t before = vcpu->retired;

    /* inc eax; six times; jmp back */
    put_code(fixture, INSN_START, "\xff\xc0\xff\xc0\xff\xc0\xff\xc0\xff\xc0\xff\xc0\xeb\xf2", 14);
    for (uint64_t budget = 1; budget < 40; budget++) {
        uint64_t left = budget;

        run(fixture, budget);
        g_assert_cmpuint(vcpu->retired - before, ==, left);
        before = vcpu->retired;
    }
    /* 780 instructions: 111 turns of 7 and 3. */
    g_assert_cmpuint(fixture->state.gpr[X86_RAX], ==, 111 * 6 + 3);
    g_assert_cmpuint(fixture->state.rip, ==, START + 6);
}

/* mov byte [rip], B3 makes "mov bl, 1" of the "mov al, 1" that follows it in the same block. */
static void
test_overwrites_next(Fixture *fixture, gconstpointer data)
{
    put_code(fixture, INSN_START, "\xc6\x05\x00\x00\x00\x00\xb3\xb0\x01\x90\x90\x90", 12);
    run(fixture, 2);
    g_assert_cmpuint(fixture->state.gpr[X86_RAX], ==, 0);
    g_assert_cmpuint(fixture->state.gpr[X86_RBX], ==, 1);
}

/* The same instructions, decoded before, then overwritten from the outside. */
static void
test_device_overwrites(Fixture *fixture, gconstpointer data)
{
    put_code(fixture, INSN_START, "\xff\xc0\xeb\xfc", 4); /* inc eax; jmp -4 */
    run(fixture, 100);
    g_assert_cmpuint(fixture->state.gpr[X86_RAX], ==, 50);
    put_code(fixture, INSN_START, "\xff\xc3", 2); /* inc ebx */
    run(fixture, 100);
    g_assert_cmpuint(fixture->state.gpr[X86_RAX], ==, 50);
    g_assert_cmpuint(fixture->state.gpr[X86_RBX], ==, 50);
}

/* A loop that rewrites an instruction of its own each turn: the operand of "mov al, n" counts. */
static void
test_overwrites_in_a_loop(Fixture *fixture, gconstpointer data)
{
    /* mov al, 0; inc byte [rip - 7]; jmp back */
    put_code(fixture, INSN_START, "\xb0\x00\xfe\x05\xf9\xff\xff\xff\xeb\xf6", 10);
    run(fixture, 3 * 100 + 1);
    g_assert_cmpuint(fixture->state.gpr[X86_RAX], ==, 100);
}

/* More decoded code than the cache has room for: it starts anew and goes on. */
static void
test_cache_is_bounded(Fixture *fixture, gconstpointer data)
{
    /* mov al, 0; inc byte [rip - 7]; jmp back: one new block a turn */
    put_code(fixture, INSN_START, "\xb0\x00\xfe\x05\xf9\xff\xff\xff\xeb\xf6", 10);
    run(fixture, 3 * 300000 + 1);
    g_assert_cmpuint(fixture->state.gpr[X86_RAX], ==, 300000 % 256);
}

/* The page behind the code is absent: an instruction of which only the beginning is there. */
static void
test_fetch_fault(Fixture *fixture, gconstpointer data)
{
    put_code(fixture, INSN_CODE + 0xffd, "\x90\x48\xb8", 3); /* nop; mov rax, imm64 */
    fixture->state.rip = INSN_BASE + INSN_CODE + 0xffd;
    run(fixture, 10);
    g_assert_cmpint(fixture->state.vector, ==, X86_XCPT_PF);
    g_assert_cmphex(fixture->state.cr2, ==, INSN_BASE + INSN_CODE + 0x1000);
    g_assert_cmphex(fixture->state.error, ==, X86_PF_US | X86_PF_ID);
    g_assert_cmphex(fixture->state.rip, ==, INSN_BASE + INSN_CODE + 0xffe);
}

/* With TF a REP instruction traps after each of its iterations, with RIP still at it. */
static void
test_rep_steps(Fixture *fixture, gconstpointer data)
{
    put_code(fixture, INSN_START, "\xf3\xaa", 2); /* rep stosb */
    fixture->state.gpr[X86_RCX] = 3;
    fixture->state.gpr[X86_RDI] = INSN_BASE + INSN_DATA;
    for (uint64_t left = 3; left-- > 0;) {
        fixture->state.rflags |= X86_FL_TF;
        run(fixture, 5);
        g_assert_cmpint(fixture->state.vector, ==, X86_XCPT_DB);
        g_assert_cmpuint(fixture->state.gpr[X86_RCX], ==, left);
        g_assert_cmphex(fixture->state.rip, ==, left > 0 ? START : START + 2);
    }
}

/* A fault in the middle leaves the count of what is done. */
static void
test_rep_faults(Fixture *fixture, gconstpointer data)
{
    put_code(fixture, INSN_START, "\xf3\xaa", 2);
    fixture->state.gpr[X86_RCX] = 100;
    fixture->state.gpr[X86_RDI] = INSN_BASE + INSN_DATA + INSN_DATA_SIZE - 30;
    run(fixture, 1);
    g_assert_cmpint(fixture->state.vector, ==, X86_XCPT_PF);
    g_assert_cmpuint(fixture->state.gpr[X86_RCX], ==, 70);
    g_assert_cmphex(fixture->state.cr2, ==, INSN_BASE + INSN_DATA + INSN_DATA_SIZE);
    g_assert_cmphex(fixture->state.rip, ==, START);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(Fixture *fixture, gconstpointer data);
    } tests[] = {
        {"/iem/budget", test_budget},
        {"/iem/code/overwrites-next", test_overwrites_next},
        {"/iem/code/device-overwrites", test_device_overwrites},
        {"/iem/code/overwrites-in-a-loop", test_overwrites_in_a_loop},
        {"/iem/code/cache-is-bounded", test_cache_is_bounded},
        {"/iem/fetch-fault", test_fetch_fault},
        {"/iem/rep/steps", test_rep_steps},
        {"/iem/rep/faults", test_rep_faults},
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
    return g_test_run();
}
