/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which paths become traces: a loop of which only the inner one has a trace is a new path,
 * whichever of the two was recorded first; what all has traces is not recorded into yet another.
 * A trace that no longer fits where its operands are is made anew, so that it does. */
#include "tests/insn/insn.h"
#include "vmm/rem/rem-private.h"

static const uint8_t code[] = {
    0xb9, 0x03, 0, 0, 0, /* outer: mov ecx, 3 */
    0x01, 0xd8,          /* inner: add eax, ebx */
    0x31, 0xc2,          /* xor edx, eax */
    0xff, 0xc9,          /* dec ecx */
    0x75, 0xf8,          /* jnz inner */
    0xff, 0xce,          /* dec esi */
    0x75, 0xef,          /* jnz outer */
    0xcc,
};
#define INNER 5
#define ROUNDS 4000

/* From that offset until INT3; the traces that the recompiler has made by then. */
static uint64_t
run(InsnGuest *guest, unsigned offset, uint64_t inner, uint64_t outer)
{
    InsnState state = {.rip = INSN_BASE + INSN_START + offset, .rflags = X86_FL_1};

    state.gpr[X86_RSP] = INSN_BASE + INSN_STACK + 0x800;
    state.gpr[X86_RBX] = 3;
    state.gpr[X86_RCX] = inner;
    state.gpr[X86_RSI] = outer;
    insn_guest_run_for(guest, INSN_CODE64, &state, 64 * ROUNDS);
    g_assert_cmpint(state.vector, ==, X86_XCPT_BP);
    g_assert_cmphex(state.gpr[X86_RAX], ==, 3 * (inner + 3 * (outer - (offset != 0))));
    return rem_of(insn_guest_vcpu(guest))->traces;
}

static InsnGuest *
new_guest(void)
{
    InsnGuest *guest = insn_guest_new("rem");

    insn_guest_write_code(guest, INSN_START, code, sizeof code);
    rem_of(insn_guest_vcpu(guest))->eager = true;
    return guest;
}

static void
test_inner_first(void)
{
    InsnGuest *guest = new_guest();

    g_assert_cmpuint(run(guest, INNER, ROUNDS, 1), ==, 1);
    g_assert_cmpuint(run(guest, 0, 0, ROUNDS), ==, 2);
    g_assert_cmpuint(run(guest, 0, 0, ROUNDS), ==, 2);
    insn_guest_free(guest);
}

static void
test_outer_first(void)
{
    InsnGuest *guest = new_guest();

    g_assert_cmpuint(run(guest, 0, 0, ROUNDS), ==, 1);
    g_assert_cmpuint(run(guest, 0, 0, ROUNDS), ==, 1);
    g_assert_cmpuint(run(guest, INNER, ROUNDS, 1), ==, 2);
    insn_guest_free(guest);
}

/* The only one that is in use. */
static const RemBlock *
only_trace(const RemVcpu *rem)
{
    const RemBlock *found = NULL;

    for (unsigned i = 0; i < rem->block_count; i++) {
        const RemBlock *block = &rem->blocks[i];

        if (!block->trace || block->code.host == NULL)
            continue;
        g_assert_null(found);
        found = block;
    }
    g_assert_nonnull(found);
    return found;
}

/* Its operands lie in one page, then in two, then in one again. */
static void
test_moved(void)
{
    static const uint8_t loop[] = {
        0x03, 0x03,       /* add eax, [rbx] */
        0x03, 0x53, 0x40, /* add edx, [rbx+64] */
        0xff, 0xce,       /* dec esi */
        0x75, 0xf7,       /* jnz to the start */
        0xcc,
    };
    static const unsigned at[] = {0x100, X86_PAGE_SIZE - 0x20, 0x100};
    static const unsigned traces[] = {1, 2, 2};
    InsnGuest *guest = insn_guest_new("rem");
    RemVcpu *rem = rem_of(insn_guest_vcpu(guest));

    insn_guest_write_code(guest, INSN_START, loop, sizeof loop);
    for (unsigned i = 0; i < 2 * X86_PAGE_SIZE; i++)
        insn_guest_window(guest)[INSN_DATA + i] = 1;
    rem->eager = true;
    for (unsigned i = 0; i < G_N_ELEMENTS(at); i++) {
        const uint64_t turns = 64 * REM_QUANTUM;
        InsnState state = {.rip = INSN_BASE + INSN_START, .rflags = X86_FL_1};

        state.gpr[X86_RSP] = INSN_BASE + INSN_STACK + 0x800;
        state.gpr[X86_RBX] = INSN_BASE + INSN_DATA + at[i];
        state.gpr[X86_RSI] = turns;
        insn_guest_run_for(guest, INSN_CODE64, &state, 8 * turns);
        g_assert_cmpint(state.vector, ==, X86_XCPT_BP);
        g_assert_cmphex(state.gpr[X86_RAX], ==, (uint32_t)(turns * 0x01010101));
        g_assert_cmphex(state.gpr[X86_RDX], ==, (uint32_t)(turns * 0x01010101));
        g_assert_cmpuint(rem->traces, ==, traces[i]);
        g_assert_cmpuint(only_trace(rem)->turned_away, <, 16);
    }
    insn_guest_free(guest);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rem/record/inner-first", test_inner_first);
    g_test_add_func("/rem/record/outer-first", test_outer_first);
    g_test_add_func("/rem/record/moved", test_moved);
    return g_test_run();
}
