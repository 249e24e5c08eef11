/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A CPU with a few bytes of guest code. */
#include "tests/unit/em/em-bench.h"

#include <string.h>

const uint8_t em_bench_count_loop[3] = {0x40, 0xeb, 0xfd};
const uint8_t em_bench_halt_loop[4] = {0xfb, 0xf4, 0xeb, 0xfc};

uint8_t *
em_bench_ram(const EmBench *bench, uint32_t gpa)
{
    return (uint8_t *)pgm_mem_host(pgm_ram_mem(bench->rooms.pgm)) + gpa;
}

void
em_bench_open(EmBench *bench, const char *engine, bool deterministic)
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

void
em_bench_close(EmBench *bench)
{
    em_free(bench->em);
    trpm_free(bench->rooms.trpm);
    tm_free(bench->rooms.tm);
    pgm_free(bench->rooms.pgm);
    iom_free(bench->rooms.iom);
    cpum_free(bench->rooms.cpum);
}

void
em_bench_load(EmBench *bench, const void *code, size_t size)
{
    Vcpu *vcpu = bench->vcpu;

    memcpy(em_bench_ram(bench, EM_BENCH_CODE), code, size);
    vcpu->seg[X86_CS].sel = 0;
    vcpu->seg[X86_CS].base = 0;
    vcpu->rip = EM_BENCH_CODE;
    vcpu->gpr[X86_RSP] = EM_BENCH_CODE;
    cpum_update_mode(vcpu);
    pgm_flush_tlb(vcpu, true);
}

void
em_bench_set_handler(EmBench *bench, unsigned vector)
{
    static const uint8_t handler[] = {0xff, 0x06, EM_BENCH_COUNTER & 0xff, EM_BENCH_COUNTER >> 8,
                                      0xcf};
    const uint32_t entry = EM_BENCH_HANDLER;

    memcpy(em_bench_ram(bench, EM_BENCH_HANDLER), handler, sizeof handler);
    memcpy(em_bench_ram(bench, vector * 4), &entry, 4);
}

unsigned
em_bench_counter(const EmBench *bench)
{
    return em_bench_ram(bench, EM_BENCH_COUNTER)[0] | em_bench_ram(bench, EM_BENCH_COUNTER + 1)[0]
                                                          << 8;
}

void
em_bench_write_apic(EmBench *bench, uint32_t reg, uint32_t value)
{
    pgm_cpu_phys_write(bench->vcpu, EM_BENCH_APIC + reg, value, 4);
}

void
em_bench_add(const char *name, GTestDataFunc test)
{
    for (const EmEngine *const *engine = em_engines(); *engine != NULL; engine++) {
        g_autofree char *path = g_strdup_printf("/em/%s/%s", (*engine)->name, name);

        if ((*engine)->counts)
            g_test_add_data_func(path, (*engine)->name, test);
    }
}
