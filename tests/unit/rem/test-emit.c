/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The recompiler's assembler: what it emits is what Zydis reads, its labels meet, and a full buffer
 * is never left. Flag liveness on small blocks. */
#include "vmm/cpum/cpum.h"
#include "vmm/rem/rem-emit.h"
#include "vmm/rem/rem-flags.h"

typedef struct {
    uint8_t bytes[1024];
    RemEmit emit;
    GString *text;
} Bench;

static void
begin(Bench *bench)
{
    rem_emit_init(&bench->emit, bench->bytes, sizeof bench->bytes, 0, true);
}

/* Disassembles what came out, one line for each instruction. */
static const char *
end(Bench *bench)
{
    ZydisDisassembledInstruction insn;
    size_t size = rem_emit_offset(&bench->emit);

    g_string_truncate(bench->text, 0);
    for (size_t at = 0; at < size; at += insn.info.length) {
        g_assert_true(ZYAN_SUCCESS(ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LONG_64, 0x1000 + at,
                                                         bench->bytes + at, size - at, &insn)));
        g_string_append_printf(bench->text, "%s\n", insn.text);
    }
    return bench->text->str;
}

static void
check_moves(Bench *bench)
{
    RemEmit *emit = &bench->emit;

    begin(bench);
    rem_emit_mov_rr(emit, 8, X86_R13, X86_RAX);
    rem_emit_mov_rr(emit, 1, X86_RSI, X86_RAX);
    rem_emit_mov_rm(emit, 4, X86_RCX, rem_mem(X86_R13, 0));
    rem_emit_mov_mr(emit, 2, rem_mem(X86_R12, 8), X86_R9);
    rem_emit_mov_mr(emit, 1, rem_mem_index(X86_RBX, X86_R14, 3, -1000), X86_RDI);
    rem_emit_mov_mi(emit, 8, rem_mem_vcpu(0x88), -2);
    rem_emit_mov_ri(emit, X86_R8, 5);
    rem_emit_mov_ri(emit, X86_RAX, ~0ull);
    rem_emit_mov_ri(emit, X86_RAX, 0x123456789abcdef0);
    rem_emit_movzx_rr(emit, 1, X86_RAX, X86_RBP);
    rem_emit_movsx_rm(emit, 4, X86_R14, rem_mem(X86_RSP, 0));
    rem_emit_lea(emit, 4, X86_RAX, rem_mem_index(REM_NO_REG, X86_RCX, 2, 16));
    rem_emit_setcc_r(emit, REM_CC_LE, X86_RSI);
    rem_emit_cmov_rr(emit, REM_CC_B, 8, X86_RDX, X86_R15);
    g_assert_cmpstr(end(bench), ==,
                    "mov r13, rax\n"
                    "mov sil, al\n"
                    "mov ecx, [r13]\n"
                    "mov [r12+0x08], r9w\n"
                    "mov [rbx+r14*8-0x3E8], dil\n"
                    "mov qword ptr gs:[0x0000000000000088], 0xFFFFFFFFFFFFFFFE\n"
                    "mov r8d, 0x05\n"
                    "mov rax, 0xFFFFFFFFFFFFFFFF\n"
                    "mov rax, 0x123456789ABCDEF0\n"
                    "movzx eax, bpl\n"
                    "movsxd r14, dword ptr [rsp]\n"
                    "lea eax, [rcx*4+0x10]\n"
                    "setle sil\n"
                    "cmovb rdx, r15\n");
}

static void
check_arithmetic(Bench *bench)
{
    RemEmit *emit = &bench->emit;

    begin(bench);
    rem_emit_alu_rr(emit, REM_XOR, 4, X86_RAX, X86_R10);
    rem_emit_alu_rm(emit, REM_CMP, 8, X86_R13, rem_mem_vcpu(0x1000));
    rem_emit_alu_mi(emit, REM_AND, 4, rem_mem(X86_RBP, 0), -4096);
    rem_emit_alu_ri(emit, REM_ADD, 1, X86_RSP, 0xff);
    rem_emit_alu_ri(emit, REM_SUB, 2, X86_RCX, 0x1234);
    rem_emit_test_mi(emit, 4, rem_mem_vcpu(0x98), 0x80);
    rem_emit_test_rr(emit, 8, X86_R11, X86_R11);
    rem_emit_shift_ri(emit, REM_SHR, 8, X86_R14, 7);
    rem_emit_rorx(emit, 8, X86_R14, X86_R13, 12);
    rem_emit_shiftx(emit, REM_SHR, 8, X86_R13, X86_RAX, X86_R15);
    rem_emit_pext(emit, 8, X86_R14, X86_R13, X86_R15);
    rem_emit_imul_rri(emit, 8, X86_R14, X86_R14, 24);
    rem_emit_flags_to_ax(emit);
    rem_emit_flags_from_ax(emit);
    g_assert_cmpstr(end(bench), ==,
                    "xor eax, r10d\n"
                    "cmp r13, gs:[0x0000000000001000]\n"
                    "and dword ptr [rbp], 0xFFFFF000\n"
                    "add spl, 0xFF\n"
                    "sub cx, 0x1234\n"
                    "test dword ptr gs:[0x0000000000000098], 0x80\n"
                    "test r11, r11\n"
                    "shr r14, 0x07\n"
                    "rorx r14, r13, 0x0C\n"
                    "shrx r13, rax, r15\n"
                    "pext r14, r13, r15\n"
                    "imul r14, r14, 0x18\n"
                    "lahf\n"
                    "seto al\n"
                    "add al, 0x7F\n"
                    "sahf\n");
}

static void
check_jumps(Bench *bench)
{
    RemEmit *emit = &bench->emit;
    RemJump forward, far;

    begin(bench);
    forward = rem_emit_jcc(emit, REM_CC_NZ, 1);
    far = rem_emit_jmp(emit, 4);
    rem_emit_bind(emit, forward);
    rem_emit_jmp_m(emit, rem_mem_vcpu(0x10));
    rem_emit_bind(emit, far);
    rem_emit_bind_to(emit, rem_emit_jcc(emit, REM_CC_O, 4), 0);
    rem_emit_call_r(emit, X86_R14);
    rem_emit_ret(emit);
    g_assert_false(emit->overflow);
    g_assert_cmpstr(end(bench), ==,
                    "jnz 0x0000000000001007\n"
                    "jmp 0x000000000000100F\n"
                    "jmp gs:[0x0000000000000010]\n"
                    "jo 0x0000000000001000\n"
                    "call r14\n"
                    "ret\n");
    rem_emit_bind_to(emit, rem_emit_jcc(emit, REM_CC_O, 1), 1000);
    g_assert_true(emit->overflow); /* a short jump that does not reach */
}

static void
test_instructions(void)
{
    Bench bench = {.text = g_string_new(NULL)};

    check_moves(&bench);
    check_arithmetic(&bench);
    check_jumps(&bench);
    g_string_free(bench.text, TRUE);
}

static void
test_overflow(void)
{
    uint8_t bytes[256];
    RemEmit emit;

    memset(bytes, 0xa5, sizeof bytes);
    rem_emit_init(&emit, bytes, 100, 0, false);
    for (unsigned i = 0; i < 1000; i++) {
        RemJump jump = rem_emit_jcc(&emit, REM_CC_Z, 4);

        rem_emit_mov_ri(&emit, X86_RAX, ~(uint64_t)i << 32);
        rem_emit_align(&emit, 32);
        rem_emit_bind(&emit, jump);
    }
    g_assert_true(emit.overflow);
    for (unsigned i = 100; i < sizeof bytes; i++)
        g_assert_cmpint(bytes[i], ==, 0xa5);
}

/* ---- flags ---- */
static unsigned
decode_block(const uint8_t *bytes, size_t size, RemInsn *insns)
{
    Vcpu *profile = g_aligned_alloc0(1, sizeof(Vcpu), _Alignof(Vcpu));
    X86Decoder decoder;
    unsigned count = 0;

    profile->features = ~0ull;
    x86_decoder_init(&decoder, 0);
    for (size_t at = 0; at < size; at += insns[count++].length)
        g_assert_cmpint(
            rem_insn_decode(&decoder, X86_CODE_64, profile, bytes + at, size - at, &insns[count]),
            ==, X86_DECODE_OK);
    g_aligned_free(profile);
    return count;
}

static void
test_liveness(void)
{
    static const uint8_t code[] = {
        0x48, 0x01, 0xd8,       /* add rax, rbx */
        0x48, 0x89, 0x07,       /* mov [rdi], rax */
        0x48, 0x31, 0xc9,       /* xor rcx, rcx */
        0x48, 0x83, 0xd1, 0x00, /* adc rcx, 0 */
        0x48, 0xff, 0xc2,       /* inc rdx */
    };
    const bool loses[] = {false, true, false, false, false};
    RemFlags flags[8];
    RemInsn insns[8];

    g_assert_cmpuint(decode_block(code, sizeof code, insns), ==, 5);
    g_assert_false(rem_flags_analyse(insns, loses, 5, X86_FL_STATUS, flags));
    g_assert_cmphex(flags[4].live_in, ==, X86_FL_CF); /* INC keeps it */
    g_assert_cmphex(flags[2].live_out, ==, X86_FL_CF);
    g_assert_cmphex(flags[2].live_in, ==, 0);
    g_assert_cmphex(flags[1].shown_in, ==, X86_FL_STATUS); /* a fault of the store */
    g_assert_cmphex(flags[1].shown_out, ==, 0);
    g_assert_cmphex(flags[0].live_out, ==, 0);
    g_assert_true(flags[0].save); /* the store's probe loses what its fault shows */
    g_assert_false(flags[2].save);
}

/* A shift by CL keeps flags when CL is zero; the entry's flags are shown by the load. */
static void
test_conditional(void)
{
    static const uint8_t code[] = {
        0x8b, 0x07,       /* mov eax, [rdi] */
        0xd3, 0xe0,       /* shl eax, cl */
        0xc1, 0xe0, 0x20, /* shl eax, 32: nothing */
    };
    const bool loses[] = {true, false, false};
    RemFlags flags[4];
    RemInsn insns[4];

    g_assert_cmpuint(decode_block(code, sizeof code, insns), ==, 3);
    g_assert_true(rem_flags_analyse(insns, loses, 3, X86_FL_OF, flags));
    g_assert_cmphex(flags[0].live_in, ==, X86_FL_OF);
    g_assert_cmphex(insns[2].flags_set | insns[2].flags_maybe, ==, 0);
    g_assert_cmphex(insns[1].flags_set, ==, 0);
    g_assert_false(flags[1].save);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rem/emit/instructions", test_instructions);
    g_test_add_func("/rem/emit/overflow", test_overflow);
    g_test_add_func("/rem/flags/liveness", test_liveness);
    g_test_add_func("/rem/flags/conditional", test_conditional);
    return g_test_run();
}
