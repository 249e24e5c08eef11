/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Page walks in all modes with hand-built tables: every combination of the permission bits against
 * the rules of the Intel SDM, volume 3A sections 4.6 and 4.7; reserved bits, accessed and dirty
 * bits, PAE's directory pointers, large pages. */
#include "tests/unit/pgm/pgm-bench.h"

#define P 1ull
#define W 2ull
#define U 4ull
#define A 0x20ull
#define D 0x40ull
#define PS 0x80ull
#define NX (1ull << 63)

/* Where tables are, and what they map. */
#define TOP 0x1000ull
#define LEVEL3 0x2000ull
#define LEVEL2 0x3000ull
#define LEVEL1 0x4000ull
#define TARGET 0x800000ull
#define LINEAR 0x40401678ull /* 1 GiB + 4 MiB + 4 KiB and something */

typedef struct {
    const char *name;
    BenchPaging paging;
    unsigned entry_size;
    uint64_t upper, leaf; /* where the two entries are that a test changes */
    uint64_t upper_value, leaf_value;
    uint64_t page_mask; /* offset bits of the page */
    unsigned entries;   /* that a walk goes through in memory */
    bool is_large;      /* one entry is both when upper == leaf */
} Layout;

/* clang-format off */
static const Layout layouts[] = {
    {"32-bit 4K",  PAGING_32,   4, TOP + 0x101 * 4,    LEVEL1 + 1 * 4,      LEVEL1, TARGET,      0xfff,      2, false},
    {"32-bit 4M",  PAGING_32,   4, TOP + 0x101 * 4,    TOP + 0x101 * 4,     0,      TARGET | PS, 0x3fffff,   1, true},
    {"PAE 4K",     PAGING_PAE,  8, LEVEL2 + 2 * 8,     LEVEL1 + 1 * 8,      LEVEL1, TARGET,      0xfff,      2, false},
    {"PAE 2M",     PAGING_PAE,  8, LEVEL2 + 2 * 8,     LEVEL2 + 2 * 8,      0,      TARGET | PS, 0x1fffff,   1, true},
    {"4-level 4K", PAGING_LONG, 8, LEVEL2 + 2 * 8,     LEVEL1 + 1 * 8,      LEVEL1, TARGET,      0xfff,      4, false},
    {"4-level 2M", PAGING_LONG, 8, LEVEL3 + 1 * 8,     LEVEL2 + 2 * 8,      LEVEL2, TARGET | PS, 0x1fffff,   3, true},
    {"4-level 1G", PAGING_LONG, 8, TOP,                LEVEL3 + 1 * 8,      LEVEL3, PS,          0x3fffffff, 2, true},
};
/* clang-format on */

static void
put_entry(const Bench *bench, const Layout *layout, uint64_t gpa, uint64_t value)
{
    if (layout->entry_size == 4)
        bench_put32(bench, gpa, (uint32_t)value);
    else
        bench_put64(bench, gpa, value);
}

static uint64_t
get_entry(const Bench *bench, const Layout *layout, uint64_t gpa)
{
    return layout->entry_size == 4 ? bench_get32(bench, gpa) : bench_get64(bench, gpa);
}

/* The entries above the two that a test changes allow everything. */
static void
build(const Bench *bench, const Layout *layout)
{
    for (uint64_t gpa = TOP; gpa < LEVEL1 + PAGE; gpa += 8)
        bench_put64(bench, gpa, 0);
    if (layout->paging == PAGING_PAE)
        bench_put64(bench, TOP + 8, LEVEL2 | P);
    if (layout->paging == PAGING_LONG) {
        bench_put64(bench, TOP, LEVEL3 | P | W | U);
        bench_put64(bench, LEVEL3 + 8, LEVEL2 | P | W | U);
    }
    if (layout->upper != layout->leaf)
        put_entry(bench, layout, layout->upper, layout->upper_value | P | W | U);
    put_entry(bench, layout, layout->leaf, layout->leaf_value | P | W | U);
}

typedef struct {
    uint64_t upper, leaf; /* P, W, U, NX */
    bool wp, smep, smap, nxe;
    PgmAccessKind access;
    CpumTlbKind kind;
} Case;

/* The manual's rules: -1 when the access is allowed, else the error code. */
static int
expected(const Layout *layout, const Case *c)
{
    const bool single = layout->upper == layout->leaf;
    const uint64_t both = single ? c->leaf : c->upper & c->leaf;
    const uint64_t any = single ? c->leaf : c->upper | c->leaf;
    const bool wide = layout->entry_size == 8;
    const bool user = c->kind == CPUM_TLB_USER, user_page = both & U;
    const bool shows_fetch = (c->nxe && wide) || c->smep;
    int code = (c->access == PGM_WRITE ? 2 : 0) | (user ? 4 : 0) |
               (c->access == PGM_EXEC && shows_fetch ? 16 : 0);
    bool ok;

    if (!single && !(c->upper & P))
        return code;
    if (!single && wide && !c->nxe && (c->upper & NX))
        return code | 8 | 1;
    if (!(c->leaf & P))
        return code;
    if (wide && !c->nxe && (c->leaf & NX))
        return code | 8 | 1;
    switch (c->access) {
    case PGM_READ: ok = user ? user_page : !(user_page && c->smap); break;
    case PGM_WRITE:
        ok = user ? user_page && (both & W) : ((both & W) || !c->wp) && !(user_page && c->smap);
        break;
    default: ok = (user ? user_page : !(user_page && c->smep)) && !(wide && (any & NX)); break;
    }
    /* EFLAGS.AC lifts SMAP for data. */
    if (c->kind == CPUM_TLB_SUPERVISOR_AC && c->access != PGM_EXEC)
        ok = c->access == PGM_READ || (both & W) || !c->wp;
    return ok ? -1 : code | 1;
}

static void
check(Bench *bench, const Layout *layout, const Case *c)
{
    const uint64_t mask = layout->entry_size == 8 ? ~0ull : ~NX;
    const int wanted = expected(layout, c);
    uint64_t gpa = 0, upper, leaf;
    PgmFault fault = {0};
    bool ok;

    if (layout->upper != layout->leaf)
        put_entry(bench, layout, layout->upper, layout->upper_value | (c->upper & mask));
    put_entry(bench, layout, layout->leaf, layout->leaf_value | (c->leaf & mask));
    pgm_flush_tlb(bench->vcpu, true);
    ok = pgm_translate(bench->vcpu, LINEAR, c->access, c->kind, &gpa, &fault);
    upper = get_entry(bench, layout, layout->upper);
    leaf = get_entry(bench, layout, layout->leaf);
    if (wanted >= 0) {
        g_assert_false(ok);
        g_assert_cmphex(fault.error_code, ==, (uint32_t)wanted);
        g_assert_cmphex((upper | leaf) & (A | D), ==, 0);
        return;
    }
    g_assert_true(ok);
    g_assert_cmphex(gpa, ==,
                    (layout->leaf_value & ~PS & ~layout->page_mask) | (LINEAR & layout->page_mask));
    g_assert_cmphex(leaf & (A | D), ==, A | (c->access == PGM_WRITE ? D : 0));
    if (layout->upper != layout->leaf)
        g_assert_cmphex(upper & (A | D), ==, A);
}

static Case
nth_case(unsigned n)
{
    Case c = {.upper = n & 7, .leaf = n >> 3 & 7};

    c.upper |= n >> 6 & 1 ? NX : 0;
    c.leaf |= n >> 7 & 1 ? NX : 0;
    c.wp = n >> 8 & 1;
    c.smep = n >> 9 & 1;
    c.smap = n >> 10 & 1;
    c.nxe = n >> 11 & 1;
    return c;
}

static void
test_permissions(void)
{
    Bench bench;

    bench_open(&bench);
    for (unsigned l = 0; l < G_N_ELEMENTS(layouts); l++) {
        const Layout *layout = &layouts[l];

        for (unsigned n = 0; n < 4096; n++) {
            Case c = nth_case(n);

            build(&bench, layout);
            bench_paging(&bench, layout->paging, TOP, c.wp ? X86_CR0_WP : 0,
                         X86_CR4_PSE | (c.smep ? X86_CR4_SMEP : 0) | (c.smap ? X86_CR4_SMAP : 0),
                         c.nxe ? X86_EFER_NXE : 0);
            for (unsigned k = 0; k < 9; k++) {
                c.access = k % 3;
                c.kind = k / 3;
                check(&bench, layout, &c);
            }
        }
    }
    bench_close(&bench);
}

/* A walk by way of the memo must not see less than a full one: the same checks without a flush. */
static void
test_memo_keeps_rights(void)
{
    Bench bench;
    PgmFault fault;
    uint64_t gpa;

    bench_open(&bench);
    build(&bench, &layouts[4]);
    bench_put64(&bench, LEVEL2 + 2 * 8, LEVEL1 | P | W);
    bench_put64(&bench, LEVEL1 + 2 * 8, (TARGET + PAGE) | P | W | U);
    bench_paging(&bench, PAGING_LONG, TOP, 0, 0, X86_EFER_NXE);
    g_assert_true(pgm_translate(bench.vcpu, LINEAR, PGM_READ, CPUM_TLB_SUPERVISOR, &gpa, &fault));
    /* The table is known now, and that it is the supervisor's. */
    g_assert_false(pgm_translate(bench.vcpu, LINEAR + PAGE, PGM_READ, CPUM_TLB_USER, &gpa, &fault));
    g_assert_cmphex(fault.error_code, ==, X86_PF_P | X86_PF_US);
    g_assert_true(
        pgm_translate(bench.vcpu, LINEAR + PAGE, PGM_WRITE, CPUM_TLB_SUPERVISOR, &gpa, &fault));
    g_assert_cmphex(gpa, ==, TARGET + PAGE + (LINEAR & 0xfff));
    g_assert_cmphex(bench_get64(&bench, LEVEL1 + 2 * 8) & (A | D), ==, A | D);
    /* INVLPG for any address forgets it. */
    bench_put64(&bench, LEVEL2 + 2 * 8, 0);
    g_assert_true(pgm_translate(bench.vcpu, LINEAR, PGM_READ, CPUM_TLB_SUPERVISOR, &gpa, &fault));
    pgm_invlpg(bench.vcpu, 0);
    g_assert_false(pgm_translate(bench.vcpu, LINEAR, PGM_READ, CPUM_TLB_SUPERVISOR, &gpa, &fault));
    g_assert_cmphex(fault.error_code, ==, 0);
    bench_close(&bench);
}

typedef struct {
    unsigned layout;
    bool upper;
    uint64_t bits;
    bool reserved;
} Reserved;

static void
test_reserved(void)
{
    /* clang-format off */
    static const Reserved rows[] = {
        {1, false, 1ull << 21, true},  {1, false, 1ull << 13, false}, {1, false, 1ull << 12, false},
        {2, true, 1ull << 40, true},   {2, false, 1ull << 51, true},  {2, false, 1ull << 52, true},
        {2, false, 1ull << 62, true},  {2, false, 1ull << 39, false}, {2, false, 1ull << 7, false},
        {3, false, 1ull << 13, true},  {3, false, 1ull << 20, true},  {3, false, 1ull << 12, false},
        {4, true, 1ull << 40, true},   {4, false, 1ull << 51, true},  {4, false, 1ull << 52, false},
        {4, false, 1ull << 62, false}, {4, false, 1ull << 7, false},  {4, false, 0xe00, false},
        {5, false, 1ull << 13, true},  {5, false, 1ull << 20, true},  {5, false, 1ull << 12, false},
        {6, false, 1ull << 13, true},  {6, false, 1ull << 29, true},  {6, false, 1ull << 12, false},
        {6, true, 1ull << 7, true},    {6, true, 1ull << 8, false},
    };
    /* clang-format on */
    Bench bench;

    bench_open(&bench);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Layout *layout = &layouts[rows[i].layout];
        const uint64_t at = rows[i].upper ? layout->upper : layout->leaf;
        uint64_t gpa;
        PgmFault fault;
        bool ok;

        build(&bench, layout);
        put_entry(&bench, layout, at, get_entry(&bench, layout, at) | rows[i].bits);
        bench_paging(&bench, layout->paging, TOP, 0, X86_CR4_PSE, X86_EFER_NXE);
        ok = pgm_translate(bench.vcpu, LINEAR, PGM_READ, CPUM_TLB_USER, &gpa, &fault);
        if (ok == rows[i].reserved)
            g_error("row %u: %s, bits 0x%" G_GINT64_MODIFIER "x", i, layout->name, rows[i].bits);
        if (!ok)
            g_assert_cmphex(fault.error_code, ==, X86_PF_P | X86_PF_US | X86_PF_RSVD);
    }
    bench_close(&bench);
}

/* PS means nothing with CR4.PSE = 0, and with PSE-36 bits 20..13 are address bits 39..32. */
static void
test_pse(void)
{
    Bench bench;
    PgmFault fault;
    uint64_t gpa;

    bench_open(&bench);
    build(&bench, &layouts[0]);
    bench_put32(&bench, layouts[0].upper, (uint32_t)(LEVEL1 | PS | P | W | U));
    bench_paging(&bench, PAGING_32, TOP, 0, 0, 0);
    g_assert_true(pgm_translate(bench.vcpu, LINEAR, PGM_READ, CPUM_TLB_USER, &gpa, &fault));
    g_assert_cmphex(gpa, ==, TARGET + (LINEAR & 0xfff));
    bench_put32(&bench, layouts[0].upper, (uint32_t)(0x00400000 | 0x15u << 13 | PS | P | W | U));
    bench_paging(&bench, PAGING_32, TOP, 0, X86_CR4_PSE, 0);
    g_assert_true(pgm_translate(bench.vcpu, LINEAR, PGM_READ, CPUM_TLB_USER, &gpa, &fault));
    g_assert_cmphex(gpa, ==, 0x1500400000ull + (LINEAR & 0x3fffff));
    bench_close(&bench);
}

static void
test_pdptes(void)
{
    Bench bench;
    Vcpu *vcpu;
    PgmFault fault;
    uint64_t gpa;

    bench_open(&bench);
    vcpu = bench.vcpu;
    build(&bench, &layouts[2]);
    bench_paging(&bench, PAGING_PAE, TOP, 0, 0, 0);
    /* They are registers: a change in memory has no effect until CR3 is loaded. */
    bench_put64(&bench, TOP + 8, 0);
    g_assert_true(pgm_translate(vcpu, LINEAR, PGM_READ, CPUM_TLB_USER, &gpa, &fault));
    g_assert_true(pgm_cr3_changed(vcpu));
    g_assert_false(pgm_translate(vcpu, LINEAR, PGM_READ, CPUM_TLB_USER, &gpa, &fault));
    g_assert_cmphex(fault.error_code, ==, X86_PF_US);
    /* Reserved bits: #GP, and the old ones stay. */
    bench_put64(&bench, TOP + 8, LEVEL2 | P);
    g_assert_true(pgm_cr3_changed(vcpu));
    bench_put64(&bench, TOP + 16, LEVEL2 | P | W);
    g_assert_false(pgm_cr3_changed(vcpu));
    g_assert_cmphex(vcpu->pae_pdpte[1], ==, LEVEL2 | P);
    g_assert_cmphex(vcpu->pae_pdpte[2], ==, 0);
    bench_put64(&bench, TOP + 16, W | U); /* not present: everything else is ignored */
    g_assert_true(pgm_cr3_changed(vcpu));
    bench_close(&bench);
}

static void
test_quiet(void)
{
    Bench bench;
    uint64_t gpa;

    bench_open(&bench);
    g_assert_true(pgm_translate_quiet(bench.vcpu, 0x12345, &gpa));
    g_assert_cmphex(gpa, ==, 0x12345);
    build(&bench, &layouts[4]);
    bench_put64(&bench, layouts[4].leaf, TARGET | P);
    bench_paging(&bench, PAGING_LONG, TOP, 0, 0, 0);
    g_assert_true(pgm_translate_quiet(bench.vcpu, LINEAR, &gpa));
    g_assert_cmphex(gpa, ==, TARGET + (LINEAR & 0xfff));
    g_assert_cmphex(bench_get64(&bench, layouts[4].leaf) & (A | D), ==, 0);
    g_assert_false(pgm_translate_quiet(bench.vcpu, LINEAR + 8 * PAGE, &gpa));
    bench_close(&bench);
}

/* Tables that nobody answers for read as all ones: present, with reserved bits. */
static void
test_tables_nowhere(void)
{
    Bench bench;
    PgmFault fault;
    uint64_t gpa;

    bench_open(&bench);
    bench_paging(&bench, PAGING_LONG, 0xd0000000, 0, 0, 0);
    g_assert_false(pgm_translate(bench.vcpu, LINEAR, PGM_WRITE, CPUM_TLB_SUPERVISOR, &gpa, &fault));
    g_assert_cmphex(fault.error_code, ==, X86_PF_P | X86_PF_RSVD | X86_PF_RW);
    bench_close(&bench);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pgm/walk/permissions", test_permissions);
    g_test_add_func("/pgm/walk/memo", test_memo_keeps_rights);
    g_test_add_func("/pgm/walk/reserved", test_reserved);
    g_test_add_func("/pgm/walk/pse", test_pse);
    g_test_add_func("/pgm/walk/pdptes", test_pdptes);
    g_test_add_func("/pgm/walk/quiet", test_quiet);
    g_test_add_func("/pgm/walk/nowhere", test_tables_nowhere);
    return g_test_run();
}
