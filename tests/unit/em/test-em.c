/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * EM in deterministic time with a few bytes of guest code: exact budgets, interrupts at exact
 * times, halts, NMI, INIT and SIPI, shutdown; the choice of the engine. */
#include "tests/unit/em/em-bench.h"
#include "vmm/hm/hm.h"

#include <string.h>

static void
test_budget(gconstpointer engine)
{
    EmBench bench;

    em_bench_open(&bench, engine, true);
    em_bench_load(&bench, em_bench_count_loop, sizeof em_bench_count_loop);
    for (unsigned total = 0, part = 1; part < 2000; part += 37) {
        g_assert_cmpint(em_run_for(bench.vcpu, part), ==, EM_RESULT_BUDGET);
        total += part;
        g_assert_cmpuint(bench.vcpu->retired, ==, total);
        g_assert_cmphex(bench.vcpu->gpr[X86_RAX], ==, (total + 1) / 2);
        g_assert_cmpuint(tm_now(bench.rooms.tm), ==, total); /* at 1 GHz */
    }
    g_assert_cmpstr(em_engine_name(bench.vcpu), ==, engine);
    em_bench_close(&bench);
}

typedef struct {
    EmBench *bench;
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
    const uint32_t entry = EM_BENCH_HANDLER;
    EmBench bench;
    Alarm alarm = {.bench = &bench};
    TmTimer *timer;

    em_bench_open(&bench, engine, true);
    em_bench_load(&bench, undefined, sizeof undefined);
    memcpy(em_bench_ram(&bench, EM_BENCH_HANDLER), undefined, sizeof undefined);
    memcpy(em_bench_ram(&bench, X86_XCPT_UD * 4), &entry, 4);
    bench.vcpu->gpr[X86_RSP] = 0xfff0;
    timer = tm_timer_new(bench.rooms.tm, "alarm", on_alarm, &alarm);
    tm_timer_set(timer, 700);
    g_assert_cmpint(em_run_for(bench.vcpu, 1000), ==, EM_RESULT_BUDGET);
    g_assert_cmpuint(bench.vcpu->retired, ==, 1000);
    g_assert_cmphex(bench.vcpu->rip, ==, EM_BENCH_HANDLER);
    g_assert_cmpuint(alarm.now, ==, 700);
    em_bench_close(&bench);
}

/* A timer expires after exactly the instructions that its deadline is away. */
static void
test_exact_timer(gconstpointer engine)
{
    EmBench bench;
    Alarm alarm = {.bench = &bench};
    TmTimer *timer;

    em_bench_open(&bench, engine, true);
    em_bench_load(&bench, em_bench_count_loop, sizeof em_bench_count_loop);
    timer = tm_timer_new(bench.rooms.tm, "alarm", on_alarm, &alarm);
    for (unsigned i = 1; i < 50; i++) {
        const uint64_t deadline = tm_now(bench.rooms.tm) + i * 13;

        tm_timer_set(timer, deadline);
        em_run_for(bench.vcpu, 1000);
        g_assert_cmpuint(alarm.now, ==, deadline);
        g_assert_cmpuint(alarm.retired, ==, deadline);
    }
    em_bench_close(&bench);
}

/* The local APIC's timer wakes a halted CPU; time passes only as far as the next deadline. */
static void
test_halt(gconstpointer engine)
{
    EmBench bench;
    Vcpu *vcpu;

    em_bench_open(&bench, engine, true);
    vcpu = bench.vcpu;
    em_bench_load(&bench, em_bench_halt_loop, sizeof em_bench_halt_loop);
    em_bench_set_handler(&bench, 0x40);
    em_bench_write_apic(&bench, 0xf0, 0x1ff);
    em_bench_write_apic(&bench, 0x320, 0x40);
    em_bench_write_apic(&bench, 0x3e0, 0xb);
    em_bench_write_apic(&bench, 0x380, 5000000);
    /* sti, hlt; then inc, iret, jmp, sti, hlt */
    g_assert_cmpint(em_run_for(vcpu, 7), ==, EM_RESULT_BUDGET);
    g_assert_cmpuint(em_bench_counter(&bench), ==, 1);
    g_assert_cmpuint(vcpu->activity, ==, CPUM_HALTED);
    g_assert_cmpuint(tm_now(bench.rooms.tm), >=, 5000000);
    g_assert_cmpuint(tm_now(bench.rooms.tm), <, 5001000);
    /* Nothing can wake it any more: a bounded run ends. */
    g_assert_cmpint(em_run_for(vcpu, 100), ==, EM_RESULT_BUDGET);
    g_assert_cmpuint(vcpu->retired, ==, 7);
    /* An NMI wakes it also with IF = 0. */
    vcpu->rflags &= ~(uint64_t)X86_FL_IF;
    em_bench_set_handler(&bench, 2);
    trpm_nmi(vcpu);
    em_run_for(vcpu, 2);
    g_assert_cmpuint(em_bench_counter(&bench), ==, 2);
    g_assert_cmpuint(vcpu->nmi_blocked, ==, 0);
    em_bench_close(&bench);
}

/* STI holds an interrupt back for one instruction. */
static void
test_shadow(gconstpointer engine)
{
    static const uint8_t code[] = {0x90, 0xfb, 0x40, 0x40, 0xeb, 0xfe}; /* nop; sti; inc ax twice */
    EmBench bench;

    em_bench_open(&bench, engine, true);
    em_bench_load(&bench, code, sizeof code);
    em_bench_set_handler(&bench, 0x40);
    em_bench_write_apic(&bench, 0xf0, 0x1ff);
    trpm_apic_message(bench.rooms.trpm, 0, false, TRPM_FIXED, 0x40, false);
    em_run_for(bench.vcpu, 3);
    g_assert_cmphex(bench.vcpu->gpr[X86_RAX], ==, 1);
    g_assert_cmpuint(em_bench_counter(&bench), ==, 0);
    em_run_for(bench.vcpu, 2);
    g_assert_cmpuint(em_bench_counter(&bench), ==, 1);
    g_assert_cmphex(bench.vcpu->gpr[X86_RAX], ==, 1);
    em_bench_close(&bench);
}

static void
test_shutdown(gconstpointer engine)
{
    static const uint8_t code[] = {0x0f, 0x01, 0x1e, 0x00, 0x06, 0xcc}; /* lidt [0x600]; int3 */
    EmBench bench;

    em_bench_open(&bench, engine, true);
    em_bench_load(&bench, code, sizeof code);
    g_assert_cmpint(em_run_for(bench.vcpu, 100), ==, EM_RESULT_SHUTDOWN);
    g_assert_cmpuint(bench.vcpu->activity, ==, CPUM_SHUTDOWN);
    g_assert_cmpint(em_run_for(bench.vcpu, 100), ==, EM_RESULT_SHUTDOWN);
    em_bench_close(&bench);
}

static void
test_init(gconstpointer engine)
{
    EmBench bench;
    Vcpu *vcpu;

    em_bench_open(&bench, engine, true);
    vcpu = bench.vcpu;
    em_bench_load(&bench, em_bench_count_loop, sizeof em_bench_count_loop);
    em_run_for(vcpu, 10);
    /* The boot CPU goes to the reset vector; there is nothing but ones, an undefined opcode … */
    trpm_apic_message(bench.rooms.trpm, 0, false, TRPM_INIT, 0, false);
    vcpu->activity = CPUM_HALTED;
    cpum_pend(vcpu, CPUM_PEND_REQUEST);
    g_assert_cmpint(em_run_for(vcpu, 1), ==, EM_RESULT_REQUEST);
    cpum_unpend(vcpu, CPUM_PEND_REQUEST);
    memcpy(em_bench_ram(&bench, 0x6 * 4), "\0\x20\0\0", 4); /* … whose handler is ours */
    em_bench_set_handler(&bench, 6);
    em_run_for(vcpu, 2); /* the fault counts */
    g_assert_cmphex(vcpu->gpr[X86_RAX], ==, 0);
    g_assert_cmpuint(em_bench_counter(&bench), ==, 1);
    /* SIPI starts only a CPU that waits for it. */
    memcpy(em_bench_ram(&bench, 0x3000), em_bench_count_loop, sizeof em_bench_count_loop);
    trpm_apic_message(bench.rooms.trpm, 0, false, TRPM_STARTUP, 3, false);
    em_run_for(vcpu, 1);
    g_assert_cmphex(vcpu->seg[X86_CS].base, !=, 0x3000);
    vcpu->activity = CPUM_WAIT_SIPI;
    trpm_apic_message(bench.rooms.trpm, 0, false, TRPM_STARTUP, 3, false);
    em_run_for(vcpu, 1);
    g_assert_cmphex(vcpu->seg[X86_CS].base, ==, 0x3000);
    g_assert_cmphex(vcpu->gpr[X86_RAX], ==, 1);
    em_bench_close(&bench);
}

static void
test_engines(void)
{
    const EmEngine *const *engines = em_engines();
    const EmConfig unknown = {.engine = "warp"}, hardware = {.engine = "hm"};
    EmBench bench;
    g_autoptr(GError) error = NULL;

    for (unsigned i = 1; engines[i] != NULL; i++)
        g_assert_cmpstr(engines[i - 1]->name, <, engines[i]->name);
    g_assert_nonnull(em_engine_by_name("iem"));
    g_assert_null(em_engine_by_name("warp"));
    em_bench_open(&bench, "iem", true);
    em_free(bench.em);
    g_assert_null(em_new(&bench.rooms, &unknown, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_clear_error(&error);
    /* Nothing that cannot count instructions in the deterministic mode. */
    g_assert_null(em_new(&bench.rooms, &hardware, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED);
    bench.em = NULL;
    em_bench_close(&bench);
}

/* Without hardware, or without leave to use it, the recompiler; never what the deterministic mode
 * cannot have. */
static void
test_auto(void)
{
    const EmConfig config = {.engine = "auto"}, unnamed = {.no_hardware = true};
    EmBench bench;

    em_bench_open(&bench, "auto", true);
    g_assert_cmpstr(em_engine_name(bench.vcpu), ==, "rem");
    em_free(bench.em);
    bench.em = em_new(&bench.rooms, &unnamed, NULL);
    g_assert_cmpstr(em_engine_name(bench.vcpu), ==, "rem");
    em_bench_close(&bench);
    em_bench_open(&bench, "iem", false);
    em_free(bench.em);
    bench.em = em_new(&bench.rooms, &config, NULL);
    g_assert_cmpstr(em_engine_name(bench.vcpu), ==,
                    hm_engine.probe(NULL) && hm_engine.rank() == EM_RANK_HARDWARE ? "hm" : "rem");
    em_bench_close(&bench);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    em_bench_add("budget", test_budget);
    em_bench_add("exact-timer", test_exact_timer);
    em_bench_add("faults", test_faults);
    em_bench_add("halt", test_halt);
    em_bench_add("shadow", test_shadow);
    em_bench_add("shutdown", test_shutdown);
    em_bench_add("init", test_init);
    g_test_add_func("/em/auto", test_auto);
    g_test_add_func("/em/engines", test_engines);
    return g_test_run();
}
