/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * EM with the host's clock and a CPU on a thread of its own: idle and busy guests, timers from
 * other threads, the heartbeat, the execution cap. */
#include "tests/unit/em/em-bench.h"
#include "vmm/base/clock.h"

#include <string.h>

#define MS 1000000ull

typedef struct {
    EmBench *bench;
    EmResult result;
    uint64_t cpu_ns;
    _Atomic unsigned fired;
} Runner;

static gpointer
run(gpointer user)
{
    Runner *runner = user;

    runner->result = em_run(runner->bench->vcpu);
    return NULL;
}

static void
on_nothing(void *user)
{
}

static void
on_fired(void *user)
{
    atomic_fetch_add(&((Runner *)user)->fired, 1);
}

static void
on_tick(void *user)
{
    EmBench *bench = user;

    trpm_apic_message(bench->rooms.trpm, 0, false, TRPM_FIXED, 0x40, false);
}

typedef struct {
    EmBench *bench;
    TmTimer *timer;
} Period;

static void
on_period(void *user)
{
    Period *period = user;
    EmBench *bench = period->bench;

    on_tick(bench);
    tm_timer_set(period->timer, tm_now(bench->rooms.tm) + 4 * MS);
}

/* A halted guest with 250 ticks a second: it ticks, and costs next to nothing. */
static void
test_idle(gconstpointer engine)
{
    static const uint8_t handler[] = {0xff,
                                      0x06,
                                      EM_BENCH_COUNTER & 0xff,
                                      EM_BENCH_COUNTER >> 8, /* inc word */
                                      0x66,
                                      0x67,
                                      0xc7,
                                      0x05,
                                      0xb0,
                                      0x00,
                                      0xe0,
                                      0xfe,
                                      0x00,
                                      0x00,
                                      0x00,
                                      0x00, /* mov dword [apic eoi], 0 */
                                      0xcf};
    EmBench bench;
    Runner runner = {.bench = &bench};
    Period period = {.bench = &bench};
    GThread *thread;
    uint64_t cpu;

    em_bench_open(&bench, engine, false);
    em_bench_load(&bench, em_bench_halt_loop, sizeof em_bench_halt_loop);
    em_bench_set_handler(&bench, 0x40);
    memcpy(em_bench_ram(&bench, EM_BENCH_HANDLER), handler, sizeof handler);
    bench.vcpu->seg[X86_DS].limit = UINT32_MAX; /* as after a visit to protected mode */
    em_bench_write_apic(&bench, 0xf0, 0x1ff);
    period.timer = tm_timer_new(bench.rooms.tm, "tick", on_period, &period);
    tm_timer_set(period.timer, 0);
    tm_resume(bench.rooms.tm);
    cpu = base_clock_cpu_ns();
    thread = g_thread_new("cpu", run, &runner);
    g_usleep(500000);
    cpum_pend(bench.vcpu, CPUM_PEND_REQUEST);
    g_thread_join(thread);
    cpu = base_clock_cpu_ns() - cpu;
    g_assert_cmpint(runner.result, ==, EM_RESULT_REQUEST);
    g_assert_cmpuint(em_bench_counter(&bench), >, 20);
    g_assert_cmpuint(em_bench_counter(&bench), <=, 130);
    g_assert_cmpuint(em_time_halted_ns(bench.vcpu), >, 100 * MS);
    g_test_message("%u ticks, %.2f %% of one core", em_bench_counter(&bench), (double)cpu / 5e6);
    g_assert_cmpuint(cpu, <, 50 * MS);
    em_bench_close(&bench);
}

/* A timer that another thread sets while the CPU sleeps, without a deadline of its own or with a
 * later one, is not late. */
static void
test_set_while_halted(gconstpointer engine)
{
    EmBench bench;
    Runner runner = {.bench = &bench};
    TmTimer *later, *timer;
    GThread *thread;

    em_bench_open(&bench, engine, false);
    em_bench_load(&bench, em_bench_halt_loop, sizeof em_bench_halt_loop);
    em_bench_set_handler(&bench, 0x40);
    em_bench_write_apic(&bench, 0xf0, 0x1ff);
    later = tm_timer_new(bench.rooms.tm, "later", on_nothing, NULL);
    timer = tm_timer_new(bench.rooms.tm, "tick", on_fired, &runner);
    tm_resume(bench.rooms.tm);
    thread = g_thread_new("cpu", run, &runner);
    for (unsigned i = 1; i <= 10; i++) {
        g_usleep(5000);
        if (i == 6)
            tm_timer_set(later, tm_now(bench.rooms.tm) + 3600000 * MS);
        g_usleep(5000);
        tm_timer_set(timer, tm_now(bench.rooms.tm) + (i % 2) * MS);
        for (unsigned wait = 0; wait < 5000 && atomic_load(&runner.fired) < i; wait++)
            g_usleep(1000);
        g_assert_cmpuint(atomic_load(&runner.fired), ==, i);
    }
    cpum_pend(bench.vcpu, CPUM_PEND_REQUEST);
    g_thread_join(thread);
    tm_timer_free(later);
    tm_timer_free(timer);
    em_bench_close(&bench);
}

/* A guest that never halts still gets its timers, by TM's thread. */
static void
test_busy(gconstpointer engine)
{
    EmBench bench;
    Runner runner = {.bench = &bench};
    TmTimer *timer;
    GThread *thread;

    em_bench_open(&bench, engine, false);
    em_bench_load(&bench, em_bench_count_loop, sizeof em_bench_count_loop);
    bench.vcpu->rflags |= X86_FL_IF;
    em_bench_set_handler(&bench, 0x40);
    em_bench_write_apic(&bench, 0xf0, 0x1ff);
    timer = tm_timer_new(bench.rooms.tm, "tick", on_tick, &bench);
    tm_timer_set(timer, 5 * MS);
    tm_resume(bench.rooms.tm);
    thread = g_thread_new("cpu", run, &runner);
    for (unsigned i = 0;
         i < 5000 && *(volatile uint8_t *)em_bench_ram(&bench, EM_BENCH_COUNTER) == 0; i++)
        g_usleep(1000);
    cpum_pend(bench.vcpu, CPUM_PEND_REQUEST);
    g_thread_join(thread);
    g_assert_cmpint(runner.result, ==, EM_RESULT_REQUEST);
    g_assert_cmpuint(em_bench_counter(&bench), ==, 1);
    g_assert_cmpuint(em_time_in_engine_ns(bench.vcpu), >, 0);
    em_bench_close(&bench);
}

/* A port whose device does not answer for a while, and what the heartbeat says meanwhile. */
typedef struct {
    EmBench *bench;
    _Atomic bool answers, asked;
    _Atomic unsigned reports;
    GMutex lock;
    GString *said;
} Sulk;

static uint32_t
read_sulking(void *user, uint32_t offset, unsigned size)
{
    Sulk *sulk = user;

    atomic_store(&sulk->asked, true);
    while (!atomic_load(&sulk->answers))
        g_usleep(1000);
    return 0;
}

static void
on_report(void *user, const char *text)
{
    Sulk *sulk = user;

    g_mutex_lock(&sulk->lock);
    g_string_append_printf(sulk->said, "%s\n", text);
    g_mutex_unlock(&sulk->lock);
    atomic_fetch_add(&sulk->reports, 1);
}

static void
wait_for_reports(const Sulk *sulk, unsigned count)
{
    for (unsigned i = 0; i < 5000 && atomic_load(&((Sulk *)sulk)->reports) < count; i++)
        g_usleep(1000);
    g_assert_cmpuint(atomic_load(&((Sulk *)sulk)->reports), ==, count);
}

/* A CPU that does not come back although it is wanted is reported, once, and once more when it
 * does; a busy one is not. */
static void
test_heartbeat(gconstpointer engine)
{
    static const uint8_t code[] = {0xba, 0x00, 0x03, 0xec, 0x40, 0xeb, 0xfd}; /* in; inc ax; jmp */
    static const IomPortOps ops = {.read = read_sulking, .sizes = 1};
    EmBench bench;
    Sulk sulk = {.bench = &bench, .said = g_string_new(NULL)};
    Runner runner = {.bench = &bench};
    g_autofree char *place = g_strdup_printf("place %s,", (const char *)engine);
    IomPorts *ports;
    GThread *thread;

    em_bench_open(&bench, engine, false);
    ports = iom_ports_new(bench.rooms.iom, "sulk", 1, &ops, &sulk);
    iom_ports_map(ports, 0x300);
    em_bench_load(&bench, code, sizeof code);
    em_watch(bench.em, 20 * MS, on_report, &sulk);
    tm_resume(bench.rooms.tm);
    thread = g_thread_new("cpu", run, &runner);
    while (!atomic_load(&sulk.asked))
        g_usleep(1000);
    g_usleep(100000);
    g_assert_cmpuint(atomic_load(&sulk.reports), ==, 0); /* nobody wants it */
    cpum_pend(bench.vcpu, CPUM_PEND_KICK);
    wait_for_reports(&sulk, 1);
    g_usleep(100000);
    atomic_store(&sulk.answers, true);
    wait_for_reports(&sulk, 2);
    g_usleep(100000);
    g_assert_cmpuint(atomic_load(&sulk.reports), ==, 2); /* from here on the host may be slow */
    cpum_pend(bench.vcpu, CPUM_PEND_REQUEST);
    g_thread_join(thread);
    g_test_message("%s", sulk.said->str);
    g_assert_nonnull(strstr(sulk.said->str, "CPU 0 does not get on: activity active,rip "));
    g_assert_nonnull(strstr(sulk.said->str, "pending kick,"));
    g_assert_nonnull(strstr(sulk.said->str, place));
    g_assert_nonnull(strstr(sulk.said->str, "CPU 0 gets on again:"));
    iom_ports_free(ports);
    em_bench_close(&bench);
    g_string_free(sulk.said, TRUE);
}

/* One that sleeps while only something is pending that can wait is well. */
static void
test_heartbeat_asleep(gconstpointer engine)
{
    static const uint8_t code[] = {0xfa, 0xf4}; /* cli; hlt */
    EmBench bench;
    Sulk sulk = {.bench = &bench, .said = g_string_new(NULL)};
    Runner runner = {.bench = &bench};
    GThread *thread;

    em_bench_open(&bench, engine, false);
    em_bench_load(&bench, code, sizeof code);
    em_watch(bench.em, 10 * MS, on_report, &sulk);
    tm_resume(bench.rooms.tm);
    thread = g_thread_new("cpu", run, &runner);
    for (unsigned i = 0; i < 5000 && em_time_halted_ns(bench.vcpu) == 0; i++)
        g_usleep(1000);
    g_usleep(20000);
    cpum_pend_inside(bench.vcpu, CPUM_PEND_KICK | CPUM_PEND_TLB_FLUSH);
    g_usleep(200000);
    cpum_pend(bench.vcpu, CPUM_PEND_REQUEST);
    g_thread_join(thread);
    g_assert_cmpstr(sulk.said->str, ==, "");
    em_bench_close(&bench);
    g_string_free(sulk.said, TRUE);
}

static uint64_t
in_engine_for_300_ms(EmBench *bench, unsigned cap)
{
    uint64_t began;

    em_set_execution_cap(bench->em, cap);
    g_assert_cmpuint(em_execution_cap(bench->em), ==, cap);
    g_usleep(20000);
    began = em_time_in_engine_ns(bench->vcpu);
    g_usleep(300000);
    return em_time_in_engine_ns(bench->vcpu) - began;
}

/* A busy guest gets no more of the time than its cap says, and all of it again without one. The
 * time counts while the host has something else to do, so that one try of several is enough. */
static void
test_cap(gconstpointer engine)
{
    EmBench bench;
    Runner runner = {.bench = &bench};
    uint64_t capped = 0, freely = 0;
    GThread *thread;

    em_bench_open(&bench, engine, false);
    em_bench_load(&bench, em_bench_count_loop, sizeof em_bench_count_loop);
    tm_resume(bench.rooms.tm);
    thread = g_thread_new("cpu", run, &runner);
    for (unsigned i = 0; i < 10 && freely <= capped * 2; i++) {
        capped = in_engine_for_300_ms(&bench, 20);
        freely = in_engine_for_300_ms(&bench, 100);
        g_test_message("%u ms with a cap of 20 %%, %u ms without", (unsigned)(capped / MS),
                       (unsigned)(freely / MS));
    }
    cpum_pend(bench.vcpu, CPUM_PEND_REQUEST);
    g_thread_join(thread);
    g_assert_cmpuint(capped, >, 0);
    g_assert_cmpuint(freely, >, capped * 2);
    em_bench_close(&bench);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    em_bench_add("idle", test_idle);
    em_bench_add("set-while-halted", test_set_while_halted);
    em_bench_add("busy", test_busy);
    em_bench_add("heartbeat", test_heartbeat);
    em_bench_add("heartbeat-asleep", test_heartbeat_asleep);
    em_bench_add("cap", test_cap);
    return g_test_run();
}
