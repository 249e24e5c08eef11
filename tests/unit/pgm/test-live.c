/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saving memory in passes: what is written between them is found, by whoever it is written, and the
 * memory that is loaded is what it was at the copy, not before and not after. */
#include "tests/unit/pgm/pgm-bench.h"
#include "vmm/pgm/pgm-live.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST 0x100000ull /* three pages */
#define SECOND 0x203000ull
#define THIRD 0x345000ull

static void
put(const Bench *bench, uint64_t gpa, uint64_t value)
{
    pgm_phys_write(bench->pgm, gpa, &value, sizeof(value));
}

static Ssm *
ssm_of(const Bench *bench)
{
    Ssm *ssm = ssm_new();

    pgm_ssm_register(bench->pgm, ssm);
    return ssm;
}

static void
load_and_check(int fd)
{
    Bench bench;
    Ssm *ssm;
    g_autoptr(GError) error = NULL;

    bench_open(&bench);
    ssm = ssm_of(&bench);
    put(&bench, THIRD + PAGE, 99); /* is not in the state, so it goes */
    lseek(fd, 0, SEEK_SET);
    ssm_load(ssm, fd, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmphex(bench_get64(&bench, FIRST), ==, 1);
    g_assert_cmphex(bench_get64(&bench, SECOND), ==, 22);
    g_assert_cmphex(bench_get64(&bench, THIRD), ==, 33);
    g_assert_cmphex(bench_get64(&bench, FIRST + PAGE), ==, 0);
    g_assert_cmphex(bench_get64(&bench, THIRD + PAGE), ==, 0);
    ssm_free(ssm);
    bench_close(&bench);
}

static void
test_passes(void)
{
    const int fd = memfd_create("state", MFD_CLOEXEC);
    Bench bench;
    Ssm *ssm;
    SsmLive *file;
    PgmLive *live;
    g_autoptr(GError) error = NULL;

    bench_open(&bench);
    ssm = ssm_of(&bench);
    put(&bench, FIRST, 1);
    put(&bench, SECOND, 2);
    put(&bench, FIRST + PAGE, 7);
    file = ssm_live_new(ssm, PGM_RAM_UNIT, fd, NULL);
    live = pgm_live_new(bench.pgm, ssm_live_writer(file));
    g_assert_true(pgm_live_pass(live, ssm_live_writer(file), &error));
    g_assert_cmpuint(pgm_live_unsaved(live), ==, 0);
    put(&bench, SECOND, 21);
    pgm_cpu_phys_write(bench.vcpu, FIRST + PAGE, 0, 8); /* zeros take back what was said before */
    g_assert_cmpuint(pgm_live_unsaved(live), ==, 2);
    g_assert_true(pgm_live_pass(live, ssm_live_writer(file), &error));
    g_assert_cmpuint(pgm_live_unsaved(live), ==, 0);
    put(&bench, SECOND, 22);
    put(&bench, THIRD, 33);
    g_assert_true(pgm_live_reserve(live, 1, &error)); /* too little: it makes more room */
    g_assert_true(pgm_live_copy(live, &error));
    g_assert_true(ssm_live_stopped(file, &error));
    put(&bench, FIRST, 100);
    put(&bench, THIRD, 300);
    g_assert_true(pgm_live_put_copy(live, ssm_live_writer(file), &error));
    g_assert_true(ssm_live_finish(file, &error));
    pgm_live_free(live);
    ssm_live_free(file);
    ssm_free(ssm);
    bench_close(&bench);
    load_and_check(fd);
    close(fd);
}

/* A CPU whose TLB lets it write unseen loses that way before each pass. */
static void
test_fast_writes(void)
{
    const int fd = memfd_create("state", MFD_CLOEXEC);
    Bench bench;
    Ssm *ssm;
    SsmLive *file;
    PgmLive *live;
    const CpumTlbEntry *entry;
    PgmFault fault;

    bench_open(&bench);
    ssm = ssm_of(&bench);
    entry = cpum_tlb_entry(bench.vcpu, CPUM_TLB_SUPERVISOR, FIRST);
    g_assert_true(pgm_tlb_fill(bench.vcpu, FIRST, PGM_WRITE, CPUM_TLB_SUPERVISOR, &fault));
    g_assert_cmphex(entry->tag_write, ==, FIRST); /* fast */
    file = ssm_live_new(ssm, PGM_RAM_UNIT, fd, NULL);
    live = pgm_live_new(bench.pgm, ssm_live_writer(file));
    for (unsigned pass = 0; pass < 3; pass++) {
        g_assert_true(pgm_live_pass(live, ssm_live_writer(file), NULL));
        g_assert_cmphex(entry->tag_write & CPUM_TLB_TRACKED, !=, 0);
        g_assert_cmpuint(pgm_live_unsaved(live), ==, 0);
        pgm_slow_write(bench.vcpu, FIRST, pass, 8, CPUM_TLB_SUPERVISOR);
        g_assert_cmpuint(pgm_live_unsaved(live), ==, 1);
        g_assert_cmphex(entry->tag_write, ==, FIRST); /* until the next pass */
    }
    pgm_live_free(live);
    ssm_live_free(file);
    ssm_free(ssm);
    bench_close(&bench);
    close(fd);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pgm/live/passes", test_passes);
    g_test_add_func("/pgm/live/fast-writes", test_fast_writes);
    return g_test_run();
}
