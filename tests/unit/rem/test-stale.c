/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A block whose page the guest's tables no longer show, and whose entry the TLB loses while the
 * block runs: what follows in it is executed as the block has it, by the interpreter too, which the
 * recompiler asks to decode single instructions. Intel SDM volume 3A section 4.10.2.3: until the
 * guest flushes, either page may be used, but an instruction of one is not one of the other. */
#include "tests/insn/insn.h"

#include <string.h>

#define OTHER INSN_FAR /* the page that the tables show later */
#define ALIAS (INSN_BASE + (uint64_t)CPUM_TLB_ENTRIES * X86_PAGE_SIZE)
_Static_assert(CPUM_TLB_ENTRIES *X86_PAGE_SIZE % (2u << 20) == 0, "what an alias has to be");

static const char *const engines[] = {"iem", "rem"};

static void
put(InsnGuest *guest, unsigned page, const uint8_t *code, size_t size)
{
    insn_guest_write_code(guest, page + (INSN_START & X86_PAGE_OFFSET_MASK), code, size);
}

/* Executes `code` by an entry of the TLB that it loses meanwhile; the tables show `other`. */
static void
run(const char *engine, const uint8_t *code, const uint8_t *other, size_t size, InsnState *state,
    uint64_t *word)
{
    InsnGuest *guest = insn_guest_new(engine);
    InsnState first = {.rip = INSN_BASE + INSN_CODE, .rflags = X86_FL_1};
    const unsigned crossing = INSN_DATA + X86_PAGE_SIZE - 4;

    insn_guest_alias(guest, ALIAS);
    put(guest, INSN_CODE, code, size);
    put(guest, OTHER, other, size);
    memset(insn_guest_window(guest) + crossing, 0x77, 8);
    first.gpr[X86_RSP] = INSN_BASE + INSN_STACK + 0x800;
    insn_guest_run_for(guest, INSN_CODE64, &first, 16); /* INT3, in that page */
    insn_guest_remap(guest, INSN_CODE, OTHER);
    *state = (InsnState){.rip = INSN_BASE + INSN_START, .rflags = X86_FL_1};
    state->gpr[X86_RSP] = INSN_BASE + INSN_STACK + 0x800;
    state->gpr[X86_RSI] = ALIAS + INSN_CODE;
    state->gpr[X86_RDI] = INSN_BASE + crossing;
    state->gpr[X86_RDX] = 0x1122334455667788;
    insn_guest_run_for(guest, INSN_CODE64, state, 64);
    memcpy(word, insn_guest_window(guest) + crossing, sizeof *word);
    insn_guest_free(guest);
}

/* INT3 ends the block; NOP would not. */
static void
test_last(const void *engine)
{
    static const uint8_t code[] = {0x8b, 0x06, 0xcc, 0xcc};  /* mov eax, [rsi]; int3 */
    static const uint8_t other[] = {0x8b, 0x06, 0x90, 0xcc}; /* mov eax, [rsi]; nop; int3 */
    InsnState state;
    uint64_t word;

    run(engine, code, other, sizeof code, &state, &word);
    g_assert_cmpint(state.vector, ==, X86_XCPT_BP);
    g_assert_cmphex(state.rip, ==, INSN_BASE + INSN_START + 3);
    g_assert_cmphex(state.gpr[X86_RAX], ==, 0xcccccccc);
}

/* An operand in two pages, which the interpreter exchanges. */
static void
test_between(const void *engine)
{
    static const uint8_t code[] = {0x8b, 0x06,       /* mov eax, [rsi] */
                                   0x48, 0x87, 0x17, /* xchg rdx, [rdi] */
                                   0xff, 0xc3,       /* inc ebx */
                                   0xcc};
    static const uint8_t other[] = {0x8b, 0x06, 0x90, 0x90, 0xff, 0xc3, 0xff, 0xc3};
    InsnState state;
    uint64_t word;

    run(engine, code, other, sizeof code, &state, &word);
    g_assert_cmpint(state.vector, ==, X86_XCPT_BP);
    g_assert_cmphex(state.rip, ==, INSN_BASE + INSN_START + sizeof code);
    g_assert_cmphex(state.gpr[X86_RBX], ==, 1);
    g_assert_cmphex(state.gpr[X86_RDX], ==, 0x7777777777777777);
    g_assert_cmphex(word, ==, 0x1122334455667788);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(engines); i++) {
        g_autofree char *last = g_strdup_printf("/rem/stale/%s/last", engines[i]);
        g_autofree char *between = g_strdup_printf("/rem/stale/%s/between", engines[i]);

        g_test_add_data_func(last, engines[i], test_last);
        g_test_add_data_func(between, engines[i], test_between);
    }
    return g_test_run();
}
