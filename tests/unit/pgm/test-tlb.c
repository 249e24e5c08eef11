/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The softTLB against the tables and the tracking: what stays, what goes, and what a write has to
 * report. Intel SDM volume 3A section 4.10. */
#include "tests/unit/pgm/pgm-bench.h"
#include "vmm/pgm/pgm-code-index.h"

#include <string.h>

#define P 1ull
#define W 2ull
#define U 4ull
#define PS 0x80ull
#define G 0x100ull

#define TOP 0x1000ull
#define LEVEL3 0x2000ull
#define LEVEL2 0x3000ull
#define LEVEL1 0x4000ull
#define TARGET 0x400000ull
#define KIND CPUM_TLB_SUPERVISOR

/* 512 pages from linear 0 to TARGET. */
static void
tlb_open(Bench *bench, uint64_t flags)
{
    bench_open(bench);
    bench_put64(bench, TOP, LEVEL3 | P | W | U);
    bench_put64(bench, LEVEL3, LEVEL2 | P | W | U);
    bench_put64(bench, LEVEL2, LEVEL1 | P | W | U);
    for (uint64_t i = 0; i < 512; i++) {
        bench_put64(bench, LEVEL1 + i * 8, (TARGET + i * PAGE) | P | W | flags);
        bench_put64(bench, TARGET + i * PAGE, 0x1000 + i);
    }
    bench_paging(bench, PAGING_LONG, TOP, 0, X86_CR4_PGE, 0);
}

static uint64_t
get(Bench *bench, uint64_t linear)
{
    uint64_t value;

    g_assert_true(bench_read(bench, linear, KIND, 8, &value));
    return value;
}

static bool
is_cached(Bench *bench, uint64_t linear)
{
    return cpum_tlb_entry(bench->vcpu, KIND, linear)->tag_read == (linear & ~0xfffull);
}

static void
test_flushes(void)
{
    Bench bench;

    tlb_open(&bench, 0);
    bench_put64(&bench, LEVEL1 + 8, (TARGET + PAGE) | P | W | G);
    g_assert_cmphex(get(&bench, 0), ==, 0x1000);
    g_assert_cmphex(get(&bench, PAGE), ==, 0x1001);
    /* Stale entries are used until they are flushed, as on a processor. */
    bench_put64(&bench, LEVEL1, (TARGET + 7 * PAGE) | P | W);
    bench_put64(&bench, LEVEL1 + 8, (TARGET + 8 * PAGE) | P | W | G);
    g_assert_cmphex(get(&bench, 0), ==, 0x1000);
    g_assert_true(pgm_cr3_changed(bench.vcpu));
    g_assert_false(is_cached(&bench, 0));
    g_assert_true(is_cached(&bench, PAGE));
    g_assert_cmphex(get(&bench, 0), ==, 0x1007);
    g_assert_cmphex(get(&bench, PAGE), ==, 0x1001);
    pgm_invlpg(bench.vcpu, PAGE + 5);
    g_assert_cmphex(get(&bench, PAGE), ==, 0x1008);
    bench_put64(&bench, LEVEL1 + 8, (TARGET + 9 * PAGE) | P | W | G);
    pgm_flush_tlb(bench.vcpu, true);
    g_assert_cmphex(get(&bench, PAGE), ==, 0x1009);
    bench_close(&bench);
}

/* Code that is executed by a stale entry is in the page that the entry knows. */
static void
test_stale_code(void)
{
    const CpumTlbEntry *entry;
    uint64_t gpa = 0;
    uint8_t local = 0;
    Bench bench;

    tlb_open(&bench, 0);
    g_assert_cmphex(get(&bench, 3 * PAGE), ==, 0x1003);
    bench_put64(&bench, LEVEL1 + 3 * 8, (TARGET + 7 * PAGE) | P | W);
    entry = cpum_tlb_entry(bench.vcpu, KIND, 3 * PAGE);
    g_assert_true(
        pgm_code_gpa(bench.vcpu, (const uint8_t *)(entry->addend + 3 * PAGE + 0x123), &gpa));
    g_assert_cmphex(gpa, ==, TARGET + 3 * PAGE + 0x123);
    g_assert_false(pgm_code_gpa(bench.vcpu, &local, &gpa));
    bench_close(&bench);
}

/* CR0.WP, CR4.PGE and the others flush even global entries. */
static void
test_control_registers(void)
{
    static const struct {
        uint64_t cr0, cr4, efer;
    } rows[] = {{X86_CR0_WP, 0, 0},   {0, X86_CR4_PGE, 0},  {0, X86_CR4_PSE, 0},
                {0, X86_CR4_SMEP, 0}, {0, X86_CR4_SMAP, 0}, {0, 0, X86_EFER_NXE}};
    Bench bench;

    tlb_open(&bench, G);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        Vcpu *vcpu = bench.vcpu;
        const uint64_t cr0 = vcpu->cr0, cr4 = vcpu->cr4, efer = vcpu->efer;

        get(&bench, 0);
        g_assert_true(is_cached(&bench, 0));
        vcpu->cr0 ^= rows[i].cr0;
        vcpu->cr4 ^= rows[i].cr4;
        vcpu->efer ^= rows[i].efer;
        g_assert_true(pgm_paging_changed(vcpu, cr0, cr4, efer));
        g_assert_false(is_cached(&bench, 0));
    }
    bench_close(&bench);
}

static void
test_large_page(void)
{
    Bench bench;

    tlb_open(&bench, 0);
    bench_put64(&bench, LEVEL2 + 8, TARGET | PS | P | W);
    bench_paging(&bench, PAGING_LONG, TOP, 0, 0, 0);
    for (unsigned i = 0; i < 8; i++)
        g_assert_cmphex(get(&bench, 0x200000 + i * PAGE), ==, 0x1000 + i);
    g_assert_cmphex(get(&bench, 0x30 * PAGE), ==, 0x1030);
    bench_put64(&bench, LEVEL2 + 8, 0xa00000 | PS | P | W);
    pgm_invlpg(bench.vcpu, 0x3ff000); /* any address of the page */
    for (unsigned i = 0; i < 8; i++)
        g_assert_cmphex(get(&bench, 0x200000 + i * PAGE), ==, 0);
    g_assert_true(is_cached(&bench, 0x30 * PAGE));
    bench_close(&bench);
}

/* A read fills an entry that must not be written through before the dirty bit is set. */
static void
test_dirty_bit(void)
{
    Bench bench;

    tlb_open(&bench, 0);
    get(&bench, 0);
    g_assert_cmphex(bench_get64(&bench, LEVEL1) & 0x60, ==, 0x20);
    g_assert_true(bench_write(&bench, 8, KIND, 4, 1));
    g_assert_cmphex(bench_get64(&bench, LEVEL1) & 0x60, ==, 0x60);
    bench_close(&bench);
}

/* --- code --- */

typedef struct {
    unsigned id, calls;
    uint64_t gpa, size;
    Vcpu *writer;
    bool answer;
} Listener;

static bool
on_code(void *user, Vcpu *writer, uint64_t gpa, uint64_t size)
{
    Listener *listener = user;

    listener->calls++;
    listener->gpa = gpa;
    listener->size = size;
    listener->writer = writer;
    return listener->answer;
}

static void
test_code(void)
{
    Bench bench;
    Listener listener = {0};
    const uint64_t value = 7;

    tlb_open(&bench, 0);
    listener.id = pgm_code_listen(bench.pgm, on_code, &listener);
    /* A fast entry from before the mark is caught, too. */
    g_assert_true(bench_write(&bench, 0, KIND, 8, value));
    pgm_code_mark(bench.vcpu, listener.id, TARGET + 0x80, 0x40);
    g_assert_true(bench_write(&bench, 0x88, KIND, 4, value));
    g_assert_cmpuint(listener.calls, ==, 1);
    g_assert_cmphex(listener.gpa, ==, TARGET + 0x88);
    g_assert_cmpuint(listener.size, ==, 4);
    g_assert_true(listener.writer == bench.vcpu);
    /* Data beside it calls nobody, a write that ends in it does. */
    g_assert_true(bench_write(&bench, 0xc0, KIND, 8, value));
    g_assert_true(bench_write(&bench, 0x40, KIND, 8, value));
    g_assert_cmpuint(listener.calls, ==, 1);
    g_assert_true(bench_write(&bench, 0x7c, KIND, 8, value));
    g_assert_cmpuint(listener.calls, ==, 2);
    /* DMA and page walks are writers as well. */
    pgm_phys_write(bench.pgm, TARGET + 0xa0, &value, 4);
    g_assert_cmpuint(listener.calls, ==, 3);
    g_assert_null(listener.writer);
    pgm_phys_write(bench.pgm, TARGET + 0xc0, &value, 4);
    g_assert_cmpuint(listener.calls, ==, 3);
    /* "I hold nothing there any more": the last granule makes the page fast again. */
    pgm_code_mark(bench.vcpu, listener.id, TARGET + 0x800, 0x40);
    listener.answer = true;
    g_assert_true(bench_write(&bench, 0x810, KIND, 1, value));
    g_assert_cmphex(cpum_tlb_entry(bench.vcpu, KIND, 0)->tag_write, ==, CPUM_TLB_TRACKED);
    listener.calls = 3;
    g_assert_true(bench_write(&bench, 0x80, KIND, 1, value));
    g_assert_cmpuint(listener.calls, ==, 4);
    g_assert_cmphex(cpum_tlb_entry(bench.vcpu, KIND, 0)->tag_write, ==, 0);
    g_assert_true(bench_write(&bench, 0x80, KIND, 1, value));
    g_assert_cmpuint(listener.calls, ==, 4);
    bench_close(&bench);
}

static void
test_code_in_tables(void)
{
    Bench bench;
    Listener listener = {0};

    tlb_open(&bench, 0);
    listener.id = pgm_code_listen(bench.pgm, on_code, &listener);
    pgm_code_mark(bench.vcpu, listener.id, LEVEL1, 64);
    get(&bench, 0); /* sets an accessed bit in a page that holds code */
    g_assert_cmpuint(listener.calls, ==, 1);
    g_assert_cmphex(listener.gpa, ==, LEVEL1);
    bench_close(&bench);
}

static void
test_code_alias(void)
{
    Bench bench;
    Listener listener = {0};
    PgmRegionInfo info = {.name = "alias", .kind = PGM_RAM, .size = PAGE, .priority = 3};
    PgmRegion *alias;

    bench_open(&bench);
    info.mem = pgm_ram_mem(bench.pgm);
    info.mem_offset = 0x6000;
    alias = pgm_region_new(bench.pgm, &info);
    pgm_region_map(alias, 0xfff00000);
    listener.id = pgm_code_listen(bench.pgm, on_code, &listener);
    pgm_code_mark(bench.vcpu, listener.id, 0x6000, PAGE);
    g_assert_true(bench_write(&bench, 0xfff00010, KIND, 1, 1));
    /* Both names of the page are told. */
    g_assert_cmpuint(listener.calls, ==, 2);
    pgm_region_free(alias);
    bench_close(&bench);
}

/* --- dirty log --- */

static void
test_dirty_log(void)
{
    Bench bench;
    PgmMem *vram;
    PgmRegion *region;
    uint8_t dirty[4];
    PgmRegionInfo info = {
        .name = "vram", .kind = PGM_RAM, .size = 4 * PAGE, .priority = 3, .dirty_log = true};
    const uint64_t base = 0xe0000000;

    bench_open(&bench);
    vram = pgm_mem_new(bench.pgm, "vram", 4 * PAGE, NULL);
    info.mem = vram;
    region = pgm_region_new(bench.pgm, &info);
    pgm_region_map(region, base);
    for (unsigned round = 0; round < 3; round++) {
        g_assert_true(bench_write(&bench, base + PAGE + 4, KIND, 4, round + 1));
        /* Fast from the second write to the next fetch. */
        g_assert_cmphex(cpum_tlb_entry(bench.vcpu, KIND, base + PAGE)->tag_write, ==, base + PAGE);
        g_assert_true(bench_write(&bench, base + PAGE + 8, KIND, 4, 5));
        pgm_dirty_fetch(region, dirty, 4);
        g_assert_cmpmem(dirty, 4, "\0\1\0\0", 4);
        pgm_dirty_fetch(region, dirty, 4);
        g_assert_cmpmem(dirty, 4, "\0\0\0\0", 4);
    }
    pgm_phys_write(bench.pgm, base + 3 * PAGE - 1, "ab", 2);
    pgm_dirty_fetch(region, dirty, 4);
    g_assert_cmpmem(dirty, 4, "\0\0\1\1", 4);
    pgm_region_free(region);
    pgm_mem_free(vram);
    bench_close(&bench);
}

static gpointer
fetch_elsewhere(gpointer user)
{
    void **arguments = user;

    pgm_dirty_fetch(arguments[0], arguments[1], 1);
    return NULL;
}

/* From another thread nothing is lost: a page stays suspect until the CPU has flushed. */
static void
test_dirty_log_thread(void)
{
    Bench bench;
    PgmMem *vram;
    PgmRegion *region;
    uint8_t dirty[1];
    PgmRegionInfo info = {
        .name = "vram", .kind = PGM_RAM, .size = PAGE, .priority = 3, .dirty_log = true};
    void *arguments[2];

    bench_open(&bench);
    pgm_bind_thread(bench.vcpu);
    vram = pgm_mem_new(bench.pgm, "vram", PAGE, NULL);
    info.mem = vram;
    region = pgm_region_new(bench.pgm, &info);
    pgm_region_map(region, 0xe0000000);
    pgm_flush_tlb(bench.vcpu, true);
    arguments[0] = region;
    arguments[1] = dirty;
    g_assert_true(bench_write(&bench, 0xe0000000, KIND, 1, 1));
    g_thread_join(g_thread_new("fetch", fetch_elsewhere, arguments));
    g_assert_cmpuint(dirty[0], ==, 1);
    g_assert_true(cpum_pending(bench.vcpu) & CPUM_PEND_TLB_FLUSH);
    g_assert_true(bench_write(&bench, 0xe0000000, KIND, 1, 2)); /* fast, unseen */
    pgm_flush_tlb(bench.vcpu, true);
    g_thread_join(g_thread_new("fetch", fetch_elsewhere, arguments));
    g_assert_cmpuint(dirty[0], ==, 1);
    g_thread_join(g_thread_new("fetch", fetch_elsewhere, arguments));
    g_assert_cmpuint(dirty[0], ==, 0);
    g_assert_true(bench_write(&bench, 0xe0000000, KIND, 1, 3));
    g_thread_join(g_thread_new("fetch", fetch_elsewhere, arguments));
    g_assert_cmpuint(dirty[0], ==, 1);
    pgm_region_free(region);
    pgm_mem_free(vram);
    bench_close(&bench);
}

/* --- many CPUs' worth of entries: random mappings against the tables --- */

static void
test_random(void)
{
    Bench bench;
    GRand *random = g_rand_new_with_seed(1);

    tlb_open(&bench, 0);
    for (unsigned i = 0; i < 100000; i++) {
        const uint64_t page = g_rand_int_range(random, 0, 512);
        const uint64_t other = g_rand_int_range(random, 0, 512);

        switch (g_rand_int_range(random, 0, 8)) {
        case 0:
            bench_put64(&bench, LEVEL1 + page * 8,
                        (TARGET + other * PAGE) | P | W | (other & 1 ? G : 0));
            pgm_invlpg(bench.vcpu, page * PAGE);
            break;
        case 1: g_assert_true(pgm_cr3_changed(bench.vcpu)); break;
        default:
            g_assert_cmphex(get(&bench, page * PAGE) - 0x1000, ==,
                            ((bench_get64(&bench, LEVEL1 + page * 8) & 0xfffff000) - TARGET) /
                                PAGE);
        }
    }
    g_rand_free(random);
    bench_close(&bench);
}

/* --- hostile tables --- */

static uint64_t
random64(GRand *random)
{
    return (uint64_t)g_rand_int(random) << 32 | g_rand_int(random);
}

/* Entries that mostly point into RAM, with all flags at random. */
static void
scramble_tables(Bench *bench, GRand *random)
{
    for (uint64_t gpa = 0; gpa < 16 * PAGE; gpa += 8) {
        uint64_t entry = random64(random) & (0xfff | 1ull << 63);

        entry |= ((uint64_t)g_rand_int(random) << 12) & (BENCH_LOW - 1) & ~0xfffull;
        if (g_rand_int_range(random, 0, 3) != 0)
            entry = (entry & ~0xf000ull & 0xffff) | P; /* a table among these */
        if (g_rand_int_range(random, 0, 50) == 0)
            entry = random64(random);
        bench_put64(bench, gpa, entry);
    }
}

static void
scramble_registers(Bench *bench, GRand *random)
{
    Vcpu *vcpu = bench->vcpu;
    const uint64_t old_cr0 = vcpu->cr0, old_cr4 = vcpu->cr4, old_efer = vcpu->efer;

    vcpu->cr0 = X86_CR0_PE | (g_rand_boolean(random) ? X86_CR0_WP : 0) |
                (g_rand_int_range(random, 0, 8) != 0 ? X86_CR0_PG : 0);
    vcpu->cr3 = random64(random) & 0xffff;
    vcpu->cr4 = g_rand_int(random) & cpum_cr4_valid(vcpu);
    vcpu->efer = g_rand_int(random) & (X86_EFER_NXE | X86_EFER_LMA);
    if (vcpu->efer & X86_EFER_LMA)
        vcpu->cr4 |= X86_CR4_PAE;
    if (!pgm_paging_changed(vcpu, old_cr0, old_cr4, old_efer) || !pgm_cr3_changed(vcpu))
        vcpu->cr0 &= ~(uint64_t)X86_CR0_PG;
    pgm_flush_tlb(vcpu, true);
}

/* Whatever the tables hold: a walk ends, and TLB and walk agree on what is read. */
static void
test_hostile_tables(void)
{
    Bench bench;
    GRand *random = g_rand_new_with_seed(20);
    unsigned mapped = 0;

    bench_open(&bench);
    for (unsigned round = 0; round < 400; round++) {
        scramble_tables(&bench, random);
        scramble_registers(&bench, random);
        pgm_set_a20(bench.pgm, round & 1);
        for (unsigned i = 0; i < 300; i++) {
            const CpumTlbKind kind = g_rand_int_range(random, 0, CPUM_TLB_COUNT);
            const uint64_t linear =
                random64(random) & (bench.vcpu->efer ? 0x7fffffffffff : 0xffffffff);
            uint64_t gpa, value;
            PgmFault fault;

            if (g_rand_int_range(random, 0, 4) == 0)
                bench_write(&bench, linear & ~7ull, kind, 8, random64(random));
            if (!pgm_translate(bench.vcpu, linear, PGM_READ, kind, &gpa, &fault))
                continue;
            mapped++;
            pgm_invlpg(bench.vcpu, linear);
            g_assert_true(bench_read(&bench, linear, kind, 1, &value));
            g_assert_cmphex(value, ==, pgm_cpu_phys_read(bench.vcpu, gpa, 1));
        }
    }
    g_assert_cmpuint(mapped, >, 5000);
    g_rand_free(random);
    bench_close(&bench);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pgm/tlb/flushes", test_flushes);
    g_test_add_func("/pgm/tlb/control-registers", test_control_registers);
    g_test_add_func("/pgm/tlb/large-page", test_large_page);
    g_test_add_func("/pgm/tlb/dirty-bit", test_dirty_bit);
    g_test_add_func("/pgm/tlb/random", test_random);
    g_test_add_func("/pgm/tlb/hostile-tables", test_hostile_tables);
    g_test_add_func("/pgm/code/granules", test_code);
    g_test_add_func("/pgm/code/tables", test_code_in_tables);
    g_test_add_func("/pgm/code/alias", test_code_alias);
    g_test_add_func("/pgm/code/stale", test_stale_code);
    g_test_add_func("/pgm/dirty/fetch", test_dirty_log);
    g_test_add_func("/pgm/dirty/thread", test_dirty_log_thread);
    return g_test_run();
}
