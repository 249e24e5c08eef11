/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The registers' way to KVM and back: a guest that only halts, in each mode, leaves every register
 * as it was; and programs that go through the engines in turn end as on one of them. */
#include "tests/unit/hm/hm-bench.h"

#include <string.h>

#define DIRECTORY_32 0x10000u
#define TABLES_PAE 0x12000u /* pointers, then a directory */
#define TABLES_64 0x14000u  /* PML4, then two levels */

typedef enum { REAL, FLAT, PAGED, PAE, LONG, MODE_COUNT } Mode;

static const char *const mode_names[] = {"real", "flat", "paged", "pae", "long"};

/* Modes that an emulating host fails in, as its self-test found. */
static bool
can_run(Mode mode)
{
    const uint64_t *ns = hm_host()->ns;

    if (mode == PAGED || mode == PAE)
        return ns[HM_TEST_PAGED] != UINT64_MAX;
    return mode == LONG ? ns[HM_TEST_LONG] != UINT64_MAX : true;
}

static void
put64(const HmBench *bench, uint32_t gpa, uint64_t value)
{
    memcpy(hm_bench_ram(bench, gpa), &value, sizeof value);
}

/* The first MiBs one to one, in all forms; A and D are set, so that nobody writes there. */
static void
write_tables(const HmBench *bench)
{
    const uint32_t large = 0xe3;

    memcpy(hm_bench_ram(bench, DIRECTORY_32), &large, sizeof large);
    put64(bench, TABLES_PAE, (TABLES_PAE + 0x1000) | 1);
    put64(bench, TABLES_PAE + 0x1000, 0xe3);
    put64(bench, TABLES_64, (TABLES_64 + 0x1000) | 0x23);
    put64(bench, TABLES_64 + 0x1000, (TABLES_64 + 0x2000) | 0x23);
    put64(bench, TABLES_64 + 0x2000, 0xe3);
}

static void
set_segments(Vcpu *vcpu, bool long_mode)
{
    const uint32_t flat = X86_SEG_P | X86_SEG_S | X86_SEG_WRITABLE | X86_SEG_ACCESSED | X86_SEG_G;

    for (unsigned i = 0; i < X86_SEG_COUNT; i++)
        vcpu->seg[i] = (CpumSeg){
            .limit = UINT32_MAX, .attr = flat | X86_SEG_DB, .sel = (uint16_t)(0x10 + 8 * i)};
    vcpu->seg[X86_CS].attr = flat | X86_SEG_CODE | (long_mode ? X86_SEG_L : X86_SEG_DB);
    vcpu->seg[X86_FS].base = long_mode ? 0xffff800012345678ull : 0x1234;
    vcpu->seg[X86_GS].base = 0x5678;
    vcpu->ldtr = (CpumSeg){.attr = X86_SEG_UNUSABLE};
    vcpu->tr = (CpumSeg){
        .base = 0x3000, .limit = 0x67, .attr = X86_SEG_P | X86_SYS_TSS32_BUSY, .sel = 0x60};
    vcpu->gdtr = (CpumTable){.base = 0x2000, .limit = 0x7f};
    vcpu->idtr = (CpumTable){.base = 0x2800, .limit = 0x3ff};
}

static void
set_mode(Vcpu *vcpu, Mode mode)
{
    vcpu->cr0 = X86_CR0_ET | X86_CR0_NE | X86_CR0_MP;
    vcpu->cr4 = X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_PSE;
    if (mode == REAL)
        return;
    set_segments(vcpu, mode == LONG);
    vcpu->cr0 |= X86_CR0_PE | X86_CR0_WP;
    if (mode == FLAT)
        return;
    vcpu->cr0 |= X86_CR0_PG;
    vcpu->cr3 = mode == PAGED ? DIRECTORY_32 : mode == PAE ? TABLES_PAE : TABLES_64;
    if (mode != PAGED)
        vcpu->cr4 |= X86_CR4_PAE;
    if (mode == PAE)
        vcpu->pae_pdpte[0] = (TABLES_PAE + 0x1000) | 1;
    if (mode == LONG)
        vcpu->efer |= X86_EFER_LME | X86_EFER_LMA | X86_EFER_SCE | X86_EFER_NXE;
}

/* Something else in each register. */
static void
fill(Vcpu *vcpu, Mode mode)
{
    const uint64_t mask = mode == LONG ? UINT64_MAX : UINT32_MAX;

    for (unsigned i = 0; i < X86_GPR_COUNT; i++)
        vcpu->gpr[i] = i == X86_RSP || (mode != LONG && i >= 8)
                           ? vcpu->gpr[i]
                           : (0x1111222233334444ull * (i + 1)) & mask;
    vcpu->rflags = X86_FL_1 | X86_FL_CF | X86_FL_ZF | X86_FL_DF | X86_FL_OF;
    vcpu->cr2 = 0x87654321;
    vcpu->dr[0] = 0x100000;
    vcpu->dr[3] = 0x300000;
    vcpu->star = 0x0023001000000000ull;
    vcpu->lstar = 0xffffffff81000000ull;
    vcpu->cstar = 0xffffffff82000000ull;
    vcpu->sfmask = 0x47700;
    vcpu->kernel_gs_base = 0xffff888000001000ull;
    vcpu->sysenter_cs = 8;
    vcpu->sysenter_esp = 0x7000;
    vcpu->sysenter_eip = 0x9000;
    vcpu->tsc_aux = 3;
    vcpu->pat = 0x0007040600070406ull;
    vcpu->fpu.fcw = 0x27f;
    vcpu->fpu.fsw = 0x3800;
    vcpu->fpu.ftw = 0x80;
    vcpu->fpu.mxcsr = 0x1fa0;
    for (unsigned i = 0; i < 16; i++)
        memset(vcpu->fpu.xmm[i], 0x10 + (int)i, sizeof vcpu->fpu.xmm[i]);
    for (unsigned i = 0; i < 8; i++)
        memset(vcpu->fpu.st[i], 0x40 + (int)i, 10);
}

#define SAME(field)                                                                                \
    g_assert_cmpmem(&before->field, sizeof before->field, &after->field, sizeof after->field)

static void
check_segment(const CpumSeg *before, const CpumSeg *after, const char *mode, unsigned index)
{
    g_test_message("%s: segment %u: %x/%x %x/%x", mode, index, before->attr, after->attr,
                   before->sel, after->sel);
    g_assert_cmphex(before->attr, ==, after->attr);
    g_assert_cmphex(before->sel, ==, after->sel);
    g_assert_cmphex(before->base, ==, after->base);
    g_assert_cmphex(before->limit, ==, after->limit);
}

static void
check_fpu(const CpumFpu *before, const CpumFpu *after)
{
    const uint8_t *a = (const uint8_t *)before, *b = (const uint8_t *)after;

    for (unsigned i = 0; i < sizeof *before; i++) {
        if (a[i] != b[i])
            g_error("x87 and vector state: offset %u was %02x and is %02x", i, a[i], b[i]);
    }
}

static void
check_same(const Vcpu *before, const Vcpu *after, Mode mode)
{
    SAME(gpr);
    g_assert_cmphex(after->rip, ==, before->rip + 1);
    g_assert_cmphex(after->rflags, ==, before->rflags);
    for (unsigned i = 0; i < X86_SEG_COUNT; i++)
        check_segment(&before->seg[i], &after->seg[i], mode_names[mode], i);
    if (mode != REAL) {
        check_segment(&before->tr, &after->tr, mode_names[mode], 10);
        g_assert_true(after->ldtr.attr & X86_SEG_UNUSABLE);
    }
    SAME(gdtr.base);
    SAME(gdtr.limit);
    SAME(idtr.base);
    SAME(idtr.limit);
    g_assert_cmphex(after->cr0, ==, before->cr0);
    SAME(cr2);
    SAME(cr3);
    g_assert_cmphex(after->cr4, ==, before->cr4);
    g_assert_cmphex(after->efer, ==, before->efer);
    SAME(dr);
    if (mode == PAE)
        SAME(pae_pdpte);
    SAME(star);
    SAME(lstar);
    SAME(cstar);
    SAME(sfmask);
    SAME(kernel_gs_base);
    SAME(sysenter_cs);
    SAME(sysenter_esp);
    SAME(sysenter_eip);
    SAME(tsc_aux);
    SAME(pat);
    check_fpu(&before->fpu, &after->fpu);
    g_assert_cmpuint(after->mode, ==, before->mode);
    g_assert_cmpuint(after->cpl, ==, before->cpl);
}

static void
test_round_trip(void)
{
    static const uint8_t halt[] = {0xf4};
    g_autofree Vcpu *before = NULL;
    HmBench bench;

    if (!hm_bench_open(&bench))
        return;
    write_tables(&bench);
    for (Mode mode = REAL; mode < MODE_COUNT; mode++) {
        if (!can_run(mode)) {
            g_test_message("skipped: %s: %s", mode_names[mode], hm_host()->reason);
            continue;
        }
        hm_bench_load(&bench, halt, sizeof halt);
        set_mode(bench.vcpu, mode);
        fill(bench.vcpu, mode);
        cpum_update_mode(bench.vcpu);
        before = g_memdup2(bench.vcpu, sizeof *before);
        g_assert_cmpint(hm_bench_run(&bench), ==, EM_RESULT_REQUEST);
        g_assert_cmpuint(bench.vcpu->activity, ==, CPUM_HALTED);
        /* Nothing else ran it. */
        g_assert_cmpuint(bench.vcpu->retired, ==, before->retired);
        check_same(before, bench.vcpu, mode);
        g_clear_pointer(&before, g_free);
    }
    hm_bench_close(&bench);
}

/* --- one engine after the other --- */

/* mov ecx, ROUNDS; again: imul eax, eax, 0x41c64e6d; add eax, 0x3039; xor ebx, eax; push eax;
 * pop edx; adc esi, edx; dec ecx; jnz again; cli; hlt. The flags go through as well. */
static const uint8_t mixer[] = {0x66, 0xb9, 0,    0,    0,    0,    0x66, 0x69, 0xc0,
                                0x6d, 0x4e, 0xc6, 0x41, 0x66, 0x05, 0x39, 0x30, 0x00,
                                0x00, 0x66, 0x31, 0xc3, 0x66, 0x50, 0x66, 0x5a, 0x66,
                                0x11, 0xd6, 0x66, 0x49, 0x75, 0xe5, 0xfa, 0xf4};
#define MIXER_ROUNDS 40000u

static void
load_mixer(HmBench *bench)
{
    const uint32_t rounds = MIXER_ROUNDS;

    hm_bench_load(bench, mixer, sizeof mixer);
    memcpy(hm_bench_ram(bench, HM_BENCH_CODE + 2), &rounds, sizeof rounds);
}

typedef struct {
    HmBench *bench;
    gint stop;
} Disturber;

static void *
disturb(void *data)
{
    Disturber *disturber = data;

    while (!g_atomic_int_get(&disturber->stop)) {
        g_usleep(500 + (gulong)g_random_int_range(0, 3000));
        cpum_pend(disturber->bench->vcpu, CPUM_PEND_REQUEST);
    }
    return NULL;
}

static bool
is_done(const Vcpu *vcpu)
{
    return vcpu->activity == CPUM_HALTED && !(vcpu->rflags & X86_FL_IF);
}

static void
run_in_turn(HmBench *bench, const EmEngine *const *turn, unsigned count)
{
    Disturber disturber = {.bench = bench};
    GThread *thread = g_thread_new("disturb", disturb, &disturber);
    g_autoptr(GError) error = NULL;

    tm_resume(bench->rooms.tm);
    for (unsigned i = 0; !is_done(bench->vcpu) && i < 100000; i++) {
        em_set_engine(bench->vcpu, turn[i % count], &error);
        g_assert_no_error(error);
        em_run(bench->vcpu);
        cpum_unpend(bench->vcpu, CPUM_PEND_REQUEST);
    }
    tm_pause(bench->rooms.tm);
    g_atomic_int_set(&disturber.stop, 1);
    g_thread_join(thread);
    cpum_unpend(bench->vcpu, CPUM_PEND_REQUEST);
    g_assert_true(is_done(bench->vcpu));
}

static void
test_in_turn(void)
{
    const EmEngine *turn[] = {em_engine_by_name("hm"), em_engine_by_name("iem")};
    uint64_t expected[X86_GPR_COUNT];
    HmBench bench;

    if (!hm_bench_open(&bench))
        return;
    load_mixer(&bench);
    run_in_turn(&bench, turn + 1, 1);
    memcpy(expected, bench.vcpu->gpr, sizeof expected);
    load_mixer(&bench);
    run_in_turn(&bench, turn, 2);
    g_assert_cmpmem(expected, sizeof expected, bench.vcpu->gpr, sizeof bench.vcpu->gpr);
    hm_bench_close(&bench);
}

/* What hardware overwrites is not executed from the interpreter's cache afterwards:
 * again: inc bx; nop; jmp again, where hardware makes the nop an inc cx. */
static void
test_unseen_code(void)
{
    static const uint8_t counts[] = {0x43, 0x90, 0xfa, 0xf4}; /* inc bx; nop; cli; hlt */
    static const uint8_t changes[] = {0xc6, 0x06, 0x01, 0x20,
                                      0x41, 0xfa, 0xf4}; /* [2001] = inc cx */
    HmBench bench;
    Vcpu *vcpu;

    if (!hm_bench_open(&bench))
        return;
    vcpu = bench.vcpu;
    for (unsigned i = 0; i < 3; i++) {
        pgm_phys_write(bench.rooms.pgm, 0x2000, counts, sizeof counts);
        hm_bench_load(&bench, changes, sizeof changes);
        em_set_engine(vcpu, em_engine_by_name("iem"), NULL);
        vcpu->rip = 0x2000;
        hm_bench_run(&bench);
        g_assert_cmpuint(vcpu->gpr[X86_RCX], ==, 0);
        hm_bench_load(&bench, changes, sizeof changes);
        em_set_engine(vcpu, em_engine_by_name("hm"), NULL);
        hm_bench_run(&bench);
        hm_bench_load(&bench, changes, sizeof changes);
        em_set_engine(vcpu, em_engine_by_name("iem"), NULL);
        vcpu->rip = 0x2000;
        hm_bench_run(&bench);
        g_assert_cmpuint(vcpu->gpr[X86_RCX], ==, 1);
        g_assert_cmpuint(vcpu->gpr[X86_RBX], ==, 1);
    }
    hm_bench_close(&bench);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hm/round-trip", test_round_trip);
    g_test_add_func("/hm/in-turn", test_in_turn);
    g_test_add_func("/hm/unseen-code", test_unseen_code);
    return g_test_run();
}
