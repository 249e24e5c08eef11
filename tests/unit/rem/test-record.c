/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which paths become traces: a loop of which only the inner one has a trace is a new path,
 * whichever of the two was recorded first; what all has traces is not recorded into yet another. */
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rem/record/inner-first", test_inner_first);
    g_test_add_func("/rem/record/outer-first", test_outer_first);
    return g_test_run();
}
