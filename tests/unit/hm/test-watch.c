/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The watch over KVM_RUN, with a KVM that can be made to fail: a guest that it does not get past an
 * instruction of is taken past it, one that computes is left alone, and a kernel that emulates has
 * to share with the recompiler. Run twice: see fake-kvm.c. */
#include "tests/unit/hm/hm-bench.h"

#include "vmm/base/clock.h"

#include <string.h>

#define MS 1000000ull

static bool
emulates(void)
{
    return g_strcmp0(g_getenv("FAKE_KVM"), "emulates") == 0;
}

/* 0 too where there is no such line: of an engine that was not created. */
static uint64_t
statistic(const HmBench *bench, const char *name)
{
    g_autoptr(GString) info = g_string_new("\n");
    g_autofree char *key = g_strdup_printf("\n%s ", name);
    const char *line;

    em_info(bench->vcpu, info);
    line = strstr(info->str, key);
    return line != NULL ? g_ascii_strtoull(line + strlen(key), NULL, 10) : 0;
}

static void
test_host(void)
{
    g_assert_cmpint(hm_host()->kind, ==, emulates() ? HM_HOST_EMULATED : HM_HOST_HARDWARE);
    g_assert_cmpint(hm_engine.rank(), ==, emulates() ? EM_RANK_NEVER : EM_RANK_HARDWARE);
}

/* inc ax; inc ax; cli; hlt: KVM never gets past the first. */
static void
test_stuck(void)
{
    static const uint8_t code[] = {0x40, 0x40, 0xfa, 0xf4};
    HmBench bench;
    uint64_t began = base_clock_ns();

    g_assert_true(hm_bench_open(&bench));
    hm_bench_load(&bench, code, sizeof code);
    g_assert_cmpint(hm_bench_run(&bench), ==, EM_RESULT_REQUEST);
    began = base_clock_ns() - began;
    g_test_message("%u ms", (unsigned)(began / MS));
    g_assert_cmpuint(bench.vcpu->gpr[X86_RAX], ==, 2);
    g_assert_cmpuint(bench.vcpu->rip, ==, HM_BENCH_CODE + sizeof code);
    g_assert_cmpuint(statistic(&bench, "em-stuck"), ==, !emulates());
    g_assert_cmpuint(statistic(&bench, "hm-stuck"), ==, !emulates());
    g_assert_cmpuint(statistic(&bench, "em-reliefs"), ==, emulates());
    g_assert_cmpuint(statistic(&bench, "rem-time-ns") > 0, ==, emulates());
    hm_bench_close(&bench);
}

static gpointer
run(gpointer user)
{
    return GINT_TO_POINTER(em_run(((HmBench *)user)->vcpu));
}

/* A loop that gets on: whatever the time, hardware goes on with it, and an emulator gets its
 * slices. */
static void
test_busy(void)
{
    static const uint8_t code[] = {0xeb, 0xfe};
    HmBench bench;
    GThread *thread;

    g_assert_true(hm_bench_open(&bench));
    hm_bench_load(&bench, code, sizeof code);
    tm_resume(bench.rooms.tm);
    thread = g_thread_new("cpu", run, &bench);
    g_usleep(1300000);
    cpum_pend(bench.vcpu, CPUM_PEND_REQUEST);
    g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(thread)), ==, EM_RESULT_REQUEST);
    g_assert_cmpuint(statistic(&bench, "hm-stuck"), ==, 0);
    g_assert_cmpuint(statistic(&bench, "em-stuck"), ==, 0);
    if (emulates()) {
        g_assert_cmpuint(statistic(&bench, "em-reliefs"), >, 1);
        g_assert_cmpuint(statistic(&bench, "hm-slices"), >, 1);
        g_assert_cmpuint(statistic(&bench, "rem-time-ns"), >, statistic(&bench, "hm-time-ns"));
    } else {
        g_assert_cmpuint(statistic(&bench, "em-reliefs"), ==, 0);
        g_assert_cmpuint(bench.vcpu->gpr[X86_RCX], >=, 3); /* looked at, and left alone */
    }
    hm_bench_close(&bench);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hm/watch/host", test_host);
    g_test_add_func("/hm/watch/stuck", test_stuck);
    g_test_add_func("/hm/watch/busy", test_busy);
    return g_test_run();
}
