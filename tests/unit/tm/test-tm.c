/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TM: the deterministic clock exactly, the host's clock as far as a busy machine allows; order of
 * timers, the thread, TSC and its MSRs, saved state. */
#include "vmm/base/clock.h"
#include "vmm/tm/tm.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MS 1000000ull
#define SECOND 1000000000ull

typedef struct {
    Cpum *cpum;
    Vcpu *vcpu;
    Tm *tm;
    GString *trace;
} Bench;

static void
bench_open(Bench *bench, bool deterministic)
{
    const CpumConfig cpu = {.cpus = 1, .long_mode = true};
    const TmConfig time = {.deterministic = deterministic, .deterministic_hz = 1000000};

    bench->cpum = cpum_new(&cpu, NULL);
    bench->vcpu = cpum_vcpu(bench->cpum, 0);
    bench->tm = tm_new(bench->cpum, &time, NULL);
    bench->trace = g_string_new(NULL);
    cpum_unpend(bench->vcpu, UINT32_MAX);
}

static void
bench_close(Bench *bench)
{
    tm_free(bench->tm);
    cpum_free(bench->cpum);
    g_string_free(bench->trace, TRUE);
}

typedef struct {
    Bench *bench;
    TmTimer *timer;
    char letter;
    uint64_t period;
    bool again; /* arms itself in the past */
} Ticker;

static void
tick(void *user)
{
    Ticker *ticker = user;

    g_string_append_c(ticker->bench->trace, ticker->letter);
    if (ticker->again)
        tm_timer_set(ticker->timer, 0);
    else if (ticker->period != 0)
        tm_timer_set(ticker->timer, tm_now(ticker->bench->tm) + ticker->period);
}

static void
ticker_new(Bench *bench, Ticker *ticker, char letter)
{
    const char name[] = {letter, '\0'};

    *ticker = (Ticker){.bench = bench, .letter = letter};
    ticker->timer = tm_timer_new(bench->tm, name, tick, ticker);
}

static void
test_counted(void)
{
    Bench bench;

    bench_open(&bench, true);
    g_assert_cmpuint(tm_now(bench.tm), ==, 0);
    tm_advance(bench.tm, 3); /* at 1 MHz */
    g_assert_cmpuint(tm_now(bench.tm), ==, 3000);
    g_assert_cmpuint(tm_instructions_until(bench.tm, 3000), ==, 0);
    g_assert_cmpuint(tm_instructions_until(bench.tm, 3001), ==, 1);
    g_assert_cmpuint(tm_instructions_until(bench.tm, 5000), ==, 2);
    /* Instructions of a run that is not over yet count as well. */
    bench.vcpu->retired += 2;
    g_assert_cmpuint(tm_now(bench.tm), ==, 5000);
    tm_advance(bench.tm, 2);
    g_assert_cmpuint(tm_now(bench.tm), ==, 5000);
    tm_skip_to(bench.tm, 10500);
    g_assert_cmpuint(tm_now(bench.tm), ==, 10500);
    tm_skip_to(bench.tm, 100); /* never backwards */
    g_assert_cmpuint(tm_now(bench.tm), ==, 10500);
    g_assert_cmpuint(tm_instructions_until(bench.tm, 10501), ==, 1);
    g_assert_cmpint(tm_wall_clock(bench.tm), ==, 1767225600ll * (int64_t)SECOND + 10500);
    bench_close(&bench);
}

static void
test_order(void)
{
    Bench bench;
    Ticker ticker[8];

    bench_open(&bench, true);
    for (unsigned i = 0; i < 8; i++)
        ticker_new(&bench, &ticker[i], (char)('a' + i));
    g_assert_cmpuint(tm_next_deadline(bench.vcpu), ==, UINT64_MAX);
    tm_timer_set(ticker[0].timer, 500);
    tm_timer_set(ticker[1].timer, 300);
    tm_timer_set(ticker[2].timer, 300); /* equal: the older first */
    tm_timer_set(ticker[3].timer, 900);
    tm_timer_set(ticker[4].timer, 100);
    tm_timer_set(ticker[5].timer, 200);
    tm_timer_set(ticker[5].timer, 700); /* moved */
    tm_timer_set(ticker[6].timer, 50);
    tm_timer_cancel(ticker[6].timer);
    g_assert_false(tm_timer_armed(ticker[6].timer));
    g_assert_cmpuint(tm_timer_deadline(ticker[6].timer), ==, UINT64_MAX);
    g_assert_cmpuint(tm_next_deadline(bench.vcpu), ==, 100);
    tm_skip_to(bench.tm, 99);
    tm_run_timers(bench.vcpu);
    g_assert_cmpstr(bench.trace->str, ==, "");
    tm_skip_to(bench.tm, 700);
    tm_run_timers(bench.vcpu);
    g_assert_cmpstr(bench.trace->str, ==, "ebcaf");
    g_assert_cmpuint(tm_next_deadline(bench.vcpu), ==, 900);
    tm_timer_free(ticker[3].timer);
    g_assert_cmpuint(tm_next_deadline(bench.vcpu), ==, UINT64_MAX);
    bench_close(&bench);
}

static void
test_random_heap(void)
{
    Bench bench;
    Ticker ticker[20];
    GRand *random = g_rand_new_with_seed(7);

    bench_open(&bench, true);
    for (unsigned i = 0; i < 20; i++)
        ticker_new(&bench, &ticker[i], 'x');
    for (unsigned round = 0; round < 20000; round++) {
        TmTimer *timer = ticker[g_rand_int_range(random, 0, 20)].timer;
        uint64_t earliest = UINT64_MAX;

        if (g_rand_int_range(random, 0, 3) == 0)
            tm_timer_cancel(timer);
        else
            tm_timer_set(timer, (uint64_t)g_rand_int_range(random, 1, 50));
        for (unsigned i = 0; i < 20; i++)
            earliest = MIN(earliest, tm_timer_deadline(ticker[i].timer));
        g_assert_cmpuint(tm_next_deadline(bench.vcpu), ==, earliest);
    }
    g_rand_free(random);
    bench_close(&bench);
}

/* A timer that always arms itself in the past must not keep the CPU for ever. */
static void
test_runaway(void)
{
    Bench bench;
    Ticker ticker;

    bench_open(&bench, true);
    ticker_new(&bench, &ticker, 'r');
    ticker.again = true;
    tm_timer_set(ticker.timer, 0);
    cpum_unpend(bench.vcpu, UINT32_MAX);
    tm_run_timers(bench.vcpu);
    g_assert_cmpuint(bench.trace->len, >, 1);
    g_assert_cmpuint(bench.trace->len, <=, 1000);
    g_assert_cmphex(cpum_pending(bench.vcpu) & CPUM_PEND_TIMER, !=, 0);
    bench_close(&bench);
}

/* A deadline before the end of the present budget ends the run. */
static void
test_earlier_deadline(void)
{
    Bench bench;
    Ticker a, b;

    bench_open(&bench, true);
    ticker_new(&bench, &a, 'a');
    ticker_new(&bench, &b, 'b');
    tm_timer_set(a.timer, 1000);
    cpum_unpend(bench.vcpu, UINT32_MAX);
    tm_timer_set(b.timer, 2000);
    g_assert_cmphex(cpum_pending(bench.vcpu), ==, 0);
    tm_timer_set(b.timer, 500);
    g_assert_cmphex(cpum_pending(bench.vcpu), ==, CPUM_PEND_KICK);
    bench_close(&bench);
}

static void
test_tsc(void)
{
    Bench bench;
    uint64_t value;

    bench_open(&bench, true);
    g_assert_cmpuint(tm_tsc_hz(bench.tm), ==, SECOND);
    tm_skip_to(bench.tm, 1000);
    g_assert_cmpuint(tm_tsc(bench.vcpu), ==, 1000);
    g_assert_true(cpum_wrmsr(bench.vcpu, X86_MSR_TSC, 50000));
    g_assert_true(cpum_rdmsr(bench.vcpu, X86_MSR_TSC, &value));
    g_assert_cmpuint(value, ==, 50000);
    g_assert_true(cpum_rdmsr(bench.vcpu, X86_MSR_TSC_ADJUST, &value));
    g_assert_cmpuint(value, ==, 49000);
    g_assert_true(cpum_wrmsr(bench.vcpu, X86_MSR_TSC_ADJUST, 9000));
    g_assert_cmpuint(tm_tsc(bench.vcpu), ==, 10000);
    g_assert_cmpuint(tm_tsc_to_ns(bench.vcpu, 10600), ==, 1600);
    g_assert_cmpuint(tm_tsc_to_ns(bench.vcpu, 10), ==, 1000);
    g_assert_cmpuint(tm_tsc_to_ns(bench.vcpu, UINT64_MAX), <, UINT64_MAX);
    tm_reset(bench.tm);
    tm_skip_to(bench.tm, 1005);
    g_assert_cmpuint(tm_tsc(bench.vcpu), ==, 5);
    g_assert_true(cpum_rdmsr(bench.vcpu, X86_MSR_TSC_ADJUST, &value));
    g_assert_cmpuint(value, ==, 0);
    bench_close(&bench);
}

static void
test_pause(void)
{
    Bench bench;
    uint64_t now, tsc;

    bench_open(&bench, false);
    g_assert_cmpuint(tm_now(bench.tm), ==, 0);
    g_assert_cmpuint(tm_tsc(bench.vcpu), ==, 0);
    tm_resume(bench.tm);
    g_usleep(5000);
    g_assert_cmpuint(tm_now(bench.tm), >=, 4 * MS);
    tm_pause(bench.tm);
    now = tm_now(bench.tm);
    tsc = tm_tsc(bench.vcpu);
    g_usleep(5000);
    g_assert_cmpuint(tm_now(bench.tm), ==, now);
    g_assert_cmpuint(tm_tsc(bench.vcpu), ==, tsc);
    /* The TSC runs at the rate that it tells, 2 % here. */
    g_assert_cmpfloat_with_epsilon((double)tsc / (double)now * 1e9 / (double)tm_tsc_hz(bench.tm),
                                   1.0, 0.02);
    tm_resume(bench.tm);
    g_assert_cmpuint(tm_now(bench.tm), <, now + SECOND);
    g_assert_cmpuint(tm_now(bench.tm), >=, now);
    bench_close(&bench);
}

static bool
wait_for_timer(Bench *bench, uint64_t limit_ns)
{
    const uint64_t end = base_clock_ns() + limit_ns;

    while (base_clock_ns() < end) {
        if (cpum_pending(bench->vcpu) & CPUM_PEND_TIMER)
            return true;
        g_usleep(200);
    }
    return false;
}

static void
test_thread(void)
{
    Bench bench;
    Ticker a, b;

    bench_open(&bench, false);
    ticker_new(&bench, &a, 'a');
    ticker_new(&bench, &b, 'b');
    tm_resume(bench.tm);
    tm_timer_set(a.timer, 10 * SECOND);
    tm_timer_set(b.timer, tm_now(bench.tm) + 2 * MS); /* earlier than what it sleeps for */
    g_assert_true(wait_for_timer(&bench, 5 * SECOND));
    g_assert_cmpuint(tm_now(bench.tm), >=, tm_timer_deadline(b.timer));
    tm_run_timers(bench.vcpu);
    g_assert_cmpstr(bench.trace->str, ==, "b");
    g_assert_false(cpum_pending(bench.vcpu) & CPUM_PEND_TIMER);
    /* And again, so that the thread went back to wait. */
    tm_timer_set(b.timer, tm_now(bench.tm) + 2 * MS);
    g_assert_true(wait_for_timer(&bench, 5 * SECOND));
    tm_run_timers(bench.vcpu);
    /* While somebody polls, it sleeps; afterwards it finds what is due. */
    tm_set_polled(bench.vcpu, true);
    tm_timer_set(b.timer, tm_now(bench.tm) + MS);
    g_assert_false(wait_for_timer(&bench, 30 * MS));
    tm_set_polled(bench.vcpu, false);
    g_assert_true(wait_for_timer(&bench, 5 * SECOND));
    tm_run_timers(bench.vcpu);
    g_assert_cmpstr(bench.trace->str, ==, "bbb");
    bench_close(&bench);
}

static void
test_state(void)
{
    Bench bench;
    Ticker a, b;
    Ssm *ssm = ssm_new();
    const int fd = memfd_create("state", 0);
    g_autoptr(GError) error = NULL;

    bench_open(&bench, true);
    ticker_new(&bench, &a, 'a');
    ticker_new(&bench, &b, 'b');
    tm_ssm_register(bench.tm, ssm);
    tm_skip_to(bench.tm, 12345);
    tm_tsc_set(bench.vcpu, 99);
    tm_timer_set(a.timer, 20000);
    g_assert_true(ssm_save(ssm, fd, NULL, &error));
    tm_skip_to(bench.tm, 50000);
    tm_tsc_set(bench.vcpu, 0);
    tm_timer_cancel(a.timer);
    tm_timer_set(b.timer, 60000);
    lseek(fd, 0, SEEK_SET);
    g_assert_true(ssm_load(ssm, fd, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(tm_now(bench.tm), ==, 12345);
    g_assert_cmpuint(tm_tsc(bench.vcpu), ==, 99);
    g_assert_cmpuint(tm_timer_deadline(a.timer), ==, 20000);
    g_assert_false(tm_timer_armed(b.timer));
    ssm_free(ssm);
    close(fd);
    bench_close(&bench);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tm/counted", test_counted);
    g_test_add_func("/tm/order", test_order);
    g_test_add_func("/tm/heap", test_random_heap);
    g_test_add_func("/tm/runaway", test_runaway);
    g_test_add_func("/tm/earlier-deadline", test_earlier_deadline);
    g_test_add_func("/tm/tsc", test_tsc);
    g_test_add_func("/tm/pause", test_pause);
    g_test_add_func("/tm/thread", test_thread);
    g_test_add_func("/tm/state", test_state);
    return g_test_run();
}
