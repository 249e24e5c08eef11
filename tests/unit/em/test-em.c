/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * EM with a few bytes of guest code: exact budgets, interrupts at exact times, halts, NMI, INIT and
 * SIPI, shutdown, requests from other threads, what an idle guest costs. */
#include "vmm/base/clock.h"
#include "vmm/em/em.h"
#include "vmm/hm/hm.h"

#include <string.h>

#define CODE 0x1000u
#define HANDLER 0x2000u
#define COUNTER 0x500u
#define APIC 0xfee00000ull
#define MS 1000000ull

typedef struct {
    EmRooms rooms;
    Em *em;
    Vcpu *vcpu;
    TmTimer *periodic;
} Bench;

static uint8_t *
ram(const Bench *bench, uint32_t gpa)
{
    return (uint8_t *)pgm_mem_host(pgm_ram_mem(bench->rooms.pgm)) + gpa;
}

static void
bench_open(Bench *bench, const char *engine, bool deterministic)
{
    const CpumConfig cpu = {
        .cpus = 1, .pae = true, .long_mode = true, .apic = true, .x2apic = true, .nx = true};
    const TmConfig time = {.deterministic = deterministic, .deterministic_hz = 1000000000};
    const EmConfig config = {.engine = engine};
    EmRooms *rooms = &bench->rooms;
    g_autoptr(GError) error = NULL;

    rooms->cpum = cpum_new(&cpu, NULL);
    rooms->iom = iom_new();
    rooms->pgm = pgm_new(rooms->cpum, rooms->iom, NULL);
    g_assert_true(pgm_ram_setup(rooms->pgm, 1 << 20, 0, NULL));
    rooms->tm = tm_new(rooms->cpum, &time, NULL);
    rooms->trpm = trpm_new(rooms->cpum, rooms->pgm, rooms->iom, rooms->tm, true, NULL);
    bench->em = em_new(rooms, &config, &error);
    g_assert_no_error(error);
    bench->vcpu = cpum_vcpu(rooms->cpum, 0);
}

static void
bench_close(Bench *bench)
{
    em_free(bench->em);
    trpm_free(bench->rooms.trpm);
    tm_free(bench->rooms.tm);
    pgm_free(bench->rooms.pgm);
    iom_free(bench->rooms.iom);
    cpum_free(bench->rooms.cpum);
}

/* Real mode, 0:CODE, stack below it. */
static void
load(Bench *bench, const void *code, size_t size)
{
    Vcpu *vcpu = bench->vcpu;

    memcpy(ram(bench, CODE), code, size);
    vcpu->seg[X86_CS].sel = 0;
    vcpu->seg[X86_CS].base = 0;
    vcpu->rip = CODE;
    vcpu->gpr[X86_RSP] = CODE;
    cpum_update_mode(vcpu);
    pgm_flush_tlb(vcpu, true);
}

/* The handler of a vector: inc word [COUNTER]; iret */
static void
set_handler(Bench *bench, unsigned vector)
{
    static const uint8_t handler[] = {0xff, 0x06, COUNTER & 0xff, COUNTER >> 8, 0xcf};
    const uint32_t entry = HANDLER;

    memcpy(ram(bench, HANDLER), handler, sizeof handler);
    memcpy(ram(bench, vector * 4), &entry, 4);
}

static unsigned
counter(const Bench *bench)
{
    return ram(bench, COUNTER)[0] | ram(bench, COUNTER + 1)[0] << 8;
}

static void
write_apic(Bench *bench, uint32_t reg, uint32_t value)
{
    pgm_cpu_phys_write(bench->vcpu, APIC + reg, value, 4);
}

/* --- deterministic --- */

static const uint8_t count_loop[] = {0x40, 0xeb, 0xfd};      /* inc ax; jmp -3 */
static const uint8_t halt_loop[] = {0xfb, 0xf4, 0xeb, 0xfc}; /* sti; hlt; jmp -4 */

static void
test_budget(gconstpointer engine)
{
    Bench bench;

    bench_open(&bench, engine, true);
    load(&bench, count_loop, sizeof count_loop);
    for (unsigned total = 0, part = 1; part < 2000; part += 37) {
        g_assert_cmpint(em_run_for(bench.vcpu, part), ==, EM_RESULT_BUDGET);
        total += part;
        g_assert_cmpuint(bench.vcpu->retired, ==, total);
        g_assert_cmphex(bench.vcpu->gpr[X86_RAX], ==, (total + 1) / 2);
        g_assert_cmpuint(tm_now(bench.rooms.tm), ==, total); /* at 1 GHz */
    }
    g_assert_cmpstr(em_engine_name(bench.vcpu), ==, engine);
    bench_close(&bench);
}

typedef struct {
    Bench *bench;
    uint64_t retired, now;
} Alarm;

static void
on_alarm(void *user)
{
    Alarm *alarm = user;

    alarm->retired = alarm->bench->vcpu->retired;
    alarm->now = tm_now(alarm->bench->rooms.tm);
}

/* A guest that does nothing but fault retires nothing, and gets to the end all the same. */
static void
test_faults(gconstpointer engine)
{
    static const uint8_t undefined[] = {0x0f, 0x0b};
    const uint32_t entry = HANDLER;
    Bench bench;
    Alarm alarm = {.bench = &bench};
    TmTimer *timer;

    bench_open(&bench, engine, true);
    load(&bench, undefined, sizeof undefined);
    memcpy(ram(&bench, HANDLER), undefined, sizeof undefined);
    memcpy(ram(&bench, X86_XCPT_UD * 4), &entry, 4);
    bench.vcpu->gpr[X86_RSP] = 0xfff0;
    timer = tm_timer_new(bench.rooms.tm, "alarm", on_alarm, &alarm);
    tm_timer_set(timer, 700);
    g_assert_cmpint(em_run_for(bench.vcpu, 1000), ==, EM_RESULT_BUDGET);
    g_assert_cmpuint(bench.vcpu->retired, ==, 1000);
    g_assert_cmphex(bench.vcpu->rip, ==, HANDLER);
    g_assert_cmpuint(alarm.now, ==, 700);
    bench_close(&bench);
}

/* A timer expires after exactly the instructions that its deadline is away. */
static void
test_exact_timer(gconstpointer engine)
{
    Bench bench;
    Alarm alarm = {.bench = &bench};
    TmTimer *timer;

    bench_open(&bench, engine, true);
    load(&bench, count_loop, sizeof count_loop);
    timer = tm_timer_new(bench.rooms.tm, "alarm", on_alarm, &alarm);
    for (unsigned i = 1; i < 50; i++) {
        const uint64_t deadline = tm_now(bench.rooms.tm) + i * 13;

        tm_timer_set(timer, deadline);
        em_run_for(bench.vcpu, 1000);
        g_assert_cmpuint(alarm.now, ==, deadline);
        g_assert_cmpuint(alarm.retired, ==, deadline);
    }
    bench_close(&bench);
}

/* The local APIC's timer wakes a halted CPU; time passes only as far as the next deadline. */
static void
test_halt(gconstpointer engine)
{
    Bench bench;
    Vcpu *vcpu;

    bench_open(&bench, engine, true);
    vcpu = bench.vcpu;
    load(&bench, halt_loop, sizeof halt_loop);
    set_handler(&bench, 0x40);
    write_apic(&bench, 0xf0, 0x1ff);
    write_apic(&bench, 0x320, 0x40);
    write_apic(&bench, 0x3e0, 0xb);
    write_apic(&bench, 0x380, 5000000);
    /* sti, hlt; then inc, iret, jmp, sti, hlt */
    g_assert_cmpint(em_run_for(vcpu, 7), ==, EM_RESULT_BUDGET);
    g_assert_cmpuint(counter(&bench), ==, 1);
    g_assert_cmpuint(vcpu->activity, ==, CPUM_HALTED);
    g_assert_cmpuint(tm_now(bench.rooms.tm), >=, 5000000);
    g_assert_cmpuint(tm_now(bench.rooms.tm), <, 5001000);
    /* Nothing can wake it any more: a bounded run ends. */
    g_assert_cmpint(em_run_for(vcpu, 100), ==, EM_RESULT_BUDGET);
    g_assert_cmpuint(vcpu->retired, ==, 7);
    /* An NMI wakes it also with IF = 0. */
    vcpu->rflags &= ~(uint64_t)X86_FL_IF;
    set_handler(&bench, 2);
    trpm_nmi(vcpu);
    em_run_for(vcpu, 2);
    g_assert_cmpuint(counter(&bench), ==, 2);
    g_assert_cmpuint(vcpu->nmi_blocked, ==, 0);
    bench_close(&bench);
}

/* STI holds an interrupt back for one instruction. */
static void
test_shadow(gconstpointer engine)
{
    static const uint8_t code[] = {0x90, 0xfb, 0x40, 0x40, 0xeb, 0xfe}; /* nop; sti; inc ax twice */
    Bench bench;

    bench_open(&bench, engine, true);
    load(&bench, code, sizeof code);
    set_handler(&bench, 0x40);
    write_apic(&bench, 0xf0, 0x1ff);
    trpm_apic_message(bench.rooms.trpm, 0, false, TRPM_FIXED, 0x40, false);
    em_run_for(bench.vcpu, 3);
    g_assert_cmphex(bench.vcpu->gpr[X86_RAX], ==, 1);
    g_assert_cmpuint(counter(&bench), ==, 0);
    em_run_for(bench.vcpu, 2);
    g_assert_cmpuint(counter(&bench), ==, 1);
    g_assert_cmphex(bench.vcpu->gpr[X86_RAX], ==, 1);
    bench_close(&bench);
}

static void
test_shutdown(gconstpointer engine)
{
    static const uint8_t code[] = {0x0f, 0x01, 0x1e, 0x00, 0x06, 0xcc}; /* lidt [0x600]; int3 */
    Bench bench;

    bench_open(&bench, engine, true);
    load(&bench, code, sizeof code);
    g_assert_cmpint(em_run_for(bench.vcpu, 100), ==, EM_RESULT_SHUTDOWN);
    g_assert_cmpuint(bench.vcpu->activity, ==, CPUM_SHUTDOWN);
    g_assert_cmpint(em_run_for(bench.vcpu, 100), ==, EM_RESULT_SHUTDOWN);
    bench_close(&bench);
}

static void
test_init(gconstpointer engine)
{
    Bench bench;
    Vcpu *vcpu;

    bench_open(&bench, engine, true);
    vcpu = bench.vcpu;
    load(&bench, count_loop, sizeof count_loop);
    em_run_for(vcpu, 10);
    /* The boot CPU goes to the reset vector; there is nothing but ones, an undefined opcode … */
    trpm_apic_message(bench.rooms.trpm, 0, false, TRPM_INIT, 0, false);
    vcpu->activity = CPUM_HALTED;
    cpum_pend(vcpu, CPUM_PEND_REQUEST);
    g_assert_cmpint(em_run_for(vcpu, 1), ==, EM_RESULT_REQUEST);
    cpum_unpend(vcpu, CPUM_PEND_REQUEST);
    memcpy(ram(&bench, 0x6 * 4), "\0\x20\0\0", 4); /* … whose handler is ours */
    set_handler(&bench, 6);
    em_run_for(vcpu, 2); /* the fault counts */
    g_assert_cmphex(vcpu->gpr[X86_RAX], ==, 0);
    g_assert_cmpuint(counter(&bench), ==, 1);
    /* SIPI starts only a CPU that waits for it. */
    memcpy(ram(&bench, 0x3000), count_loop, sizeof count_loop);
    trpm_apic_message(bench.rooms.trpm, 0, false, TRPM_STARTUP, 3, false);
    em_run_for(vcpu, 1);
    g_assert_cmphex(vcpu->seg[X86_CS].base, !=, 0x3000);
    vcpu->activity = CPUM_WAIT_SIPI;
    trpm_apic_message(bench.rooms.trpm, 0, false, TRPM_STARTUP, 3, false);
    em_run_for(vcpu, 1);
    g_assert_cmphex(vcpu->seg[X86_CS].base, ==, 0x3000);
    g_assert_cmphex(vcpu->gpr[X86_RAX], ==, 1);
    bench_close(&bench);
}

/* --- with the host's clock --- */

typedef struct {
    Bench *bench;
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
    Bench *bench = user;

    trpm_apic_message(bench->rooms.trpm, 0, false, TRPM_FIXED, 0x40, false);
}

static void
on_period(void *user)
{
    Bench *bench = user;

    on_tick(user);
    tm_timer_set(bench->periodic, tm_now(bench->rooms.tm) + 4 * MS);
}

/* A halted guest with 250 ticks a second: it ticks, and costs next to nothing. */
static void
test_idle(gconstpointer engine)
{
    static const uint8_t handler[] = {
        0xff, 0x06, COUNTER & 0xff, COUNTER >> 8, /* inc word */
        0x66, 0x67, 0xc7,           0x05,         0xb0, 0x00,
        0xe0, 0xfe, 0x00,           0x00,         0x00, 0x00, /* mov dword [apic eoi], 0 */
        0xcf};
    Bench bench;
    Runner runner = {.bench = &bench};
    GThread *thread;
    uint64_t cpu;

    bench_open(&bench, engine, false);
    load(&bench, halt_loop, sizeof halt_loop);
    set_handler(&bench, 0x40);
    memcpy(ram(&bench, HANDLER), handler, sizeof handler);
    bench.vcpu->seg[X86_DS].limit = UINT32_MAX; /* as after a visit to protected mode */
    write_apic(&bench, 0xf0, 0x1ff);
    bench.periodic = tm_timer_new(bench.rooms.tm, "tick", on_period, &bench);
    tm_timer_set(bench.periodic, 0);
    tm_resume(bench.rooms.tm);
    cpu = base_clock_cpu_ns();
    thread = g_thread_new("cpu", run, &runner);
    g_usleep(500000);
    cpum_pend(bench.vcpu, CPUM_PEND_REQUEST);
    g_thread_join(thread);
    cpu = base_clock_cpu_ns() - cpu;
    g_assert_cmpint(runner.result, ==, EM_RESULT_REQUEST);
    g_assert_cmpuint(counter(&bench), >, 20);
    g_assert_cmpuint(counter(&bench), <=, 130);
    g_assert_cmpuint(em_time_halted_ns(bench.vcpu), >, 100 * MS);
    g_test_message("%u ticks, %.2f %% of one core", counter(&bench), (double)cpu / 5e6);
    g_assert_cmpuint(cpu, <, 50 * MS);
    bench_close(&bench);
}

/* A timer that another thread sets while the CPU sleeps, without a deadline of its own or with a
 * later one, is not late. */
static void
test_set_while_halted(gconstpointer engine)
{
    Bench bench;
    Runner runner = {.bench = &bench};
    TmTimer *later, *timer;
    GThread *thread;

    bench_open(&bench, engine, false);
    load(&bench, halt_loop, sizeof halt_loop);
    set_handler(&bench, 0x40);
    write_apic(&bench, 0xf0, 0x1ff);
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
    bench_close(&bench);
}

/* A guest that never halts still gets its timers, by TM's thread. */
static void
test_busy(gconstpointer engine)
{
    Bench bench;
    Runner runner = {.bench = &bench};
    TmTimer *timer;
    GThread *thread;

    bench_open(&bench, engine, false);
    load(&bench, count_loop, sizeof count_loop);
    bench.vcpu->rflags |= X86_FL_IF;
    set_handler(&bench, 0x40);
    write_apic(&bench, 0xf0, 0x1ff);
    timer = tm_timer_new(bench.rooms.tm, "tick", on_tick, &bench);
    tm_timer_set(timer, 5 * MS);
    tm_resume(bench.rooms.tm);
    thread = g_thread_new("cpu", run, &runner);
    for (unsigned i = 0; i < 5000 && *(volatile uint8_t *)ram(&bench, COUNTER) == 0; i++)
        g_usleep(1000);
    cpum_pend(bench.vcpu, CPUM_PEND_REQUEST);
    g_thread_join(thread);
    g_assert_cmpint(runner.result, ==, EM_RESULT_REQUEST);
    g_assert_cmpuint(counter(&bench), ==, 1);
    g_assert_cmpuint(em_time_in_engine_ns(bench.vcpu), >, 0);
    bench_close(&bench);
}

/* A port whose device does not answer for a while, and what the heartbeat says meanwhile. */
typedef struct {
    Bench *bench;
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
    Bench bench;
    Sulk sulk = {.bench = &bench, .said = g_string_new(NULL)};
    Runner runner = {.bench = &bench};
    g_autofree char *place = g_strdup_printf("place %s,", (const char *)engine);
    IomPorts *ports;
    GThread *thread;

    bench_open(&bench, engine, false);
    ports = iom_ports_new(bench.rooms.iom, "sulk", 1, &ops, &sulk);
    iom_ports_map(ports, 0x300);
    load(&bench, code, sizeof code);
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
    bench_close(&bench);
    g_string_free(sulk.said, TRUE);
}

/* One that sleeps while only something is pending that can wait is well. */
static void
test_heartbeat_asleep(gconstpointer engine)
{
    static const uint8_t code[] = {0xfa, 0xf4}; /* cli; hlt */
    Bench bench;
    Sulk sulk = {.bench = &bench, .said = g_string_new(NULL)};
    Runner runner = {.bench = &bench};
    GThread *thread;

    bench_open(&bench, engine, false);
    load(&bench, code, sizeof code);
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
    bench_close(&bench);
    g_string_free(sulk.said, TRUE);
}

/* A busy guest gets no more of the time than its cap says, and all of it again without one. */
static void
test_cap(gconstpointer engine)
{
    Bench bench;
    Runner runner = {.bench = &bench};
    uint64_t began, capped, freely;
    GThread *thread;

    bench_open(&bench, engine, false);
    load(&bench, count_loop, sizeof count_loop);
    em_set_execution_cap(bench.em, 20);
    g_assert_cmpuint(em_execution_cap(bench.em), ==, 20);
    tm_resume(bench.rooms.tm);
    thread = g_thread_new("cpu", run, &runner);
    g_usleep(20000);
    began = em_time_in_engine_ns(bench.vcpu);
    g_usleep(300000);
    capped = em_time_in_engine_ns(bench.vcpu) - began;
    em_set_execution_cap(bench.em, 100);
    g_usleep(20000);
    began = em_time_in_engine_ns(bench.vcpu);
    g_usleep(300000);
    freely = em_time_in_engine_ns(bench.vcpu) - began;
    cpum_pend(bench.vcpu, CPUM_PEND_REQUEST);
    g_thread_join(thread);
    g_test_message("%u ms with a cap of 20 %%, %u ms without", (unsigned)(capped / MS),
                   (unsigned)(freely / MS));
    g_assert_cmpuint(capped, >, 0);
    g_assert_cmpuint(freely, >, capped * 2);
    bench_close(&bench);
}

static void
test_engines(void)
{
    const EmEngine *const *engines = em_engines();
    const EmConfig unknown = {.engine = "warp"}, hardware = {.engine = "hm"};
    Bench bench;
    g_autoptr(GError) error = NULL;

    for (unsigned i = 1; engines[i] != NULL; i++)
        g_assert_cmpstr(engines[i - 1]->name, <, engines[i]->name);
    g_assert_nonnull(em_engine_by_name("iem"));
    g_assert_null(em_engine_by_name("warp"));
    bench_open(&bench, "iem", true);
    em_free(bench.em);
    g_assert_null(em_new(&bench.rooms, &unknown, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_clear_error(&error);
    /* Nothing that cannot count instructions in the deterministic mode. */
    g_assert_null(em_new(&bench.rooms, &hardware, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED);
    bench.em = NULL;
    bench_close(&bench);
}

/* Without hardware, or without leave to use it, the recompiler; never what the deterministic mode
 * cannot have. */
static void
test_auto(void)
{
    const EmConfig config = {.engine = "auto"}, unnamed = {.no_hardware = true};
    Bench bench;

    bench_open(&bench, "auto", true);
    g_assert_cmpstr(em_engine_name(bench.vcpu), ==, "rem");
    em_free(bench.em);
    bench.em = em_new(&bench.rooms, &unnamed, NULL);
    g_assert_cmpstr(em_engine_name(bench.vcpu), ==, "rem");
    bench_close(&bench);
    bench_open(&bench, "iem", false);
    em_free(bench.em);
    bench.em = em_new(&bench.rooms, &config, NULL);
    g_assert_cmpstr(em_engine_name(bench.vcpu), ==,
                    hm_engine.probe(NULL) && hm_engine.rank() == EM_RANK_HARDWARE ? "hm" : "rem");
    bench_close(&bench);
}

/* Every test but those of the choice is one of each engine that counts. */
static void
add_for_engines(const char *name, GTestDataFunc test)
{
    for (const EmEngine *const *engine = em_engines(); *engine != NULL; engine++) {
        g_autofree char *path = g_strdup_printf("/em/%s/%s", (*engine)->name, name);

        if ((*engine)->counts)
            g_test_add_data_func(path, (*engine)->name, test);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_for_engines("budget", test_budget);
    add_for_engines("exact-timer", test_exact_timer);
    add_for_engines("faults", test_faults);
    add_for_engines("halt", test_halt);
    add_for_engines("shadow", test_shadow);
    add_for_engines("shutdown", test_shutdown);
    add_for_engines("init", test_init);
    add_for_engines("idle", test_idle);
    add_for_engines("set-while-halted", test_set_while_halted);
    add_for_engines("busy", test_busy);
    add_for_engines("heartbeat", test_heartbeat);
    add_for_engines("heartbeat-asleep", test_heartbeat_asleep);
    add_for_engines("cap", test_cap);
    g_test_add_func("/em/auto", test_auto);
    g_test_add_func("/em/engines", test_engines);
    return g_test_run();
}
