/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A case: a mode, descriptor tables, page tables, handlers that go on behind what faulted, code,
 * registers, and what happens while it runs. Intel SDM volume 3A chapters 3 to 6. */
#include "tests/fuzz/agree.h"

#include <string.h>

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_CODE 0x1b
#define USER_DATA 0x23
#define KERNEL_CODE64 0x28
#define USER_CODE64 0x33
#define USER_CODE16 0x3b
#define KERNEL_CODE16 0x40
#define DATA16 0x4b
#define TASK 0x50
#define LOCAL 0x60
#define GATES 0x70
#define OTHERS 0x80 /* random ones, to the end of the table */
#define GDT_SIZE 0x100

#define TABLE_PRESENT 0x67u /* present, writable, user, accessed, dirty */

typedef struct {
    AgreeCase *to;
    AgreeRandom random;
} Maker;

static unsigned
below(Maker *maker, unsigned end)
{
    return agree_below(&maker->random, end);
}

static bool
rarely(Maker *maker, unsigned n)
{
    return agree_rarely(&maker->random, n);
}

static void
put(Maker *maker, unsigned at, uint64_t value, unsigned size)
{
    memcpy(maker->to->ram + at, &value, size);
}

/* --- descriptors --- */

static uint64_t
descriptor(const CpumSeg *seg)
{
    const uint32_t limit = seg->attr & X86_SEG_G ? seg->limit >> 12 : seg->limit;

    return (limit & 0xffff) | (seg->base & 0xffffff) << 16 | (uint64_t)(seg->attr & 0xff) << 40 |
           (uint64_t)(limit >> 16) << 48 | (uint64_t)(seg->attr >> 12 & 0xf) << 52 |
           (seg->base >> 24 & 0xff) << 56;
}

/* Puts it into the table and returns it as a register that has it loaded. */
static CpumSeg
segment(Maker *maker, uint16_t selector, uint32_t base, uint32_t limit, uint32_t attr)
{
    const CpumSeg seg = {
        .base = base,
        .limit = limit,
        .attr = attr | X86_SEG_P | (uint32_t)(selector & 3) << 5,
        .sel = selector,
    };

    put(maker, AGREE_GDT + (selector & ~7u), descriptor(&seg), 8);
    return seg;
}

static void
make_descriptors(Maker *maker)
{
    const uint32_t code = X86_SEG_S | X86_SEG_CODE | X86_SEG_READABLE | X86_SEG_ACCESSED;
    const uint32_t data = X86_SEG_S | X86_SEG_WRITABLE | X86_SEG_ACCESSED;
    const uint32_t big = X86_SEG_G | X86_SEG_DB, wide = X86_SEG_G | X86_SEG_L;
    AgreeCase *to = maker->to;

    segment(maker, KERNEL_CODE, 0, UINT32_MAX, code | big);
    segment(maker, KERNEL_DATA, 0, UINT32_MAX, data | big);
    segment(maker, USER_CODE, 0, UINT32_MAX, code | big);
    segment(maker, USER_DATA, 0, UINT32_MAX, data | big);
    segment(maker, KERNEL_CODE64, 0, UINT32_MAX, code | wide);
    segment(maker, USER_CODE64, 0, UINT32_MAX, code | wide);
    segment(maker, USER_CODE16, AGREE_CODE, 0xffff, code);
    segment(maker, KERNEL_CODE16, AGREE_CODE, 0xffff, code);
    segment(maker, DATA16, AGREE_DATA, 0xffff, data);
    to->tr = segment(maker, TASK, AGREE_TSS, 0xfff, X86_SYS_TSS32_BUSY);
    to->ldtr = segment(maker, LOCAL, AGREE_LDT, 0xff, X86_SYS_LDT);
    /* A call gate; then descriptors of which some make sense. */
    put(maker, AGREE_GDT + GATES,
        (AGREE_CODE & 0xffff) | (uint64_t)KERNEL_CODE << 16 | 0xec02ull << 32 |
            (uint64_t)(AGREE_CODE >> 16) << 48,
        8);
    for (unsigned at = OTHERS; at < GDT_SIZE; at += 8) {
        const CpumSeg seg = {
            .base = AGREE_DATA - below(maker, 0x100),
            .limit = below(maker, 0x20000),
            .attr = below(maker, 0x100) | (rarely(maker, 2) ? X86_SEG_DB : 0),
        };

        put(maker, AGREE_GDT + at, descriptor(&seg), 8);
    }
    to->gdtr = (CpumTable){.base = AGREE_GDT, .limit = GDT_SIZE - 1};
}

/* --- interrupts --- */

static bool
has_error_code(unsigned vector)
{
    return vector == X86_XCPT_DF || (vector >= X86_XCPT_TS && vector <= X86_XCPT_PF) ||
           vector == X86_XCPT_AC;
}

/* Adds a few bytes to the address that it returns to, so that what faulted is skipped. */
static void
make_handler(Maker *maker, unsigned vector)
{
    static const uint8_t real[] = {0x55, 0x89, 0xe5, 0x83, 0x46, 0x02, 0, 0x5d, 0xcf};
    static const uint8_t prot[] = {0x83, 0x44, 0x24, 0x00, 0, 0xcf};
    static const uint8_t prot_error[] = {0x83, 0x44, 0x24, 0x04, 0, 0x83, 0xc4, 0x04, 0xcf};
    static const uint8_t wide[] = {0x48, 0x83, 0x44, 0x24, 0x00, 0, 0x48, 0xcf};
    static const uint8_t wide_error[] = {0x48, 0x83, 0x44, 0x24, 0x08, 0,
                                         0x48, 0x83, 0xc4, 0x08, 0x48, 0xcf};
    uint8_t *at = maker->to->ram + AGREE_HANDLERS + 16 * vector;
    const bool error = has_error_code(vector);
    const uint8_t skip = vector < 32 ? (uint8_t)(1 + below(maker, 3)) : 0;

    if (maker->to->mode == AGREE_REAL) {
        memcpy(at, real, sizeof real);
        at[6] = skip;
    } else if (agree_is_long(maker->to->mode)) {
        memcpy(at, error ? wide_error : wide, error ? sizeof wide_error : sizeof wide);
        at[5] = skip;
    } else {
        memcpy(at, error ? prot_error : prot, error ? sizeof prot_error : sizeof prot);
        at[4] = skip;
    }
}

static void
make_gate(Maker *maker, unsigned vector)
{
    const unsigned offset = AGREE_HANDLERS + 16 * vector;
    const bool wide = agree_is_long(maker->to->mode);
    unsigned attr = 0x8e | below(maker, 2) | (rarely(maker, 2) ? 0x60 : 0);

    if (maker->to->mode == AGREE_REAL) {
        put(maker, vector * 4, offset, 4);
        return;
    }
    if (rarely(maker, 200))
        attr = below(maker, 256);
    put(maker, AGREE_IDT + vector * (wide ? 16 : 8),
        offset | (uint64_t)(wide ? KERNEL_CODE64 : KERNEL_CODE) << 16 | (uint64_t)attr << 40, 8);
}

static void
make_interrupts(Maker *maker)
{
    const bool wide = agree_is_long(maker->to->mode);
    const unsigned top = AGREE_KERNEL_STACK + 0x1000;

    for (unsigned i = 0; i < 256; i++) {
        make_handler(maker, i);
        make_gate(maker, i);
    }
    put(maker, AGREE_TSS + 4, top, wide ? 8 : 4);
    if (!wide)
        put(maker, AGREE_TSS + 8, KERNEL_DATA, 4);
    put(maker, AGREE_TSS + 0x66, rarely(maker, 2) ? 0x68 : 0xffff, 2);
    maker->to->idtr.base = maker->to->mode == AGREE_REAL ? 0 : AGREE_IDT;
    maker->to->idtr.limit = maker->to->mode == AGREE_REAL ? 0x3ff : wide ? 0xfff : 0x7ff;
}

/* --- paging --- */

/* The entry of the page of RAM at that number, with one property changed in random tables. */
static uint64_t
page_entry(Maker *maker, unsigned page, bool wide)
{
    static const unsigned frames[] = {0x10, 0x11, 0x20, 0x21, 0x30, 0x50, 0x100, 0xfee00};
    const unsigned frame = page & 0x3f;
    uint64_t entry = (uint64_t)frame << 12 | 0x63 | (frame >= 0x10 ? 4 : 0);

    if (rarely(maker, 2))
        entry &= ~0x60ull; /* not accessed yet */
    if (maker->to->kind != AGREE_PAGES || !rarely(maker, frame >= 0x10 ? 4 : 200))
        return entry;
    switch (below(maker, 8)) {
    case 0: return entry & ~1ull;
    case 1: return entry & ~2ull;
    case 2: return entry ^ 4;
    case 3: return entry | 0x100;
    case 4: return entry | 0x18;
    case 5: return wide ? entry | 1ull << 63 : entry & ~2ull;
    case 6: return wide && rarely(maker, 4) ? entry | 1ull << 45 : entry | 0x80;
    default:
        /* No code in the device: how much is fetched ahead is each engine's affair. */
        return (entry & 0xfff) | (uint64_t)frames[below(maker, frame < 0x18 ? 5 : 8)] << 12;
    }
}

static void
make_pages(Maker *maker, unsigned table, bool wide)
{
    const unsigned size = wide ? 8 : 4;

    for (unsigned page = 0; page < 0x80; page++)
        put(maker, table + page * size, page_entry(maker, page, wide), size);
    put(maker, table + (AGREE_DEVICE >> 12) * size, AGREE_DEVICE | TABLE_PRESENT, size);
}

/* An entry that leads to a table, or something else in random tables. */
static void
put_table(Maker *maker, unsigned at, unsigned table, unsigned size)
{
    uint64_t entry = table | TABLE_PRESENT;

    if (maker->to->kind == AGREE_PAGES && rarely(maker, 24))
        entry ^= 1ull << below(maker, 9);
    put(maker, at, entry, size);
}

/* Large pages behind what the small ones map: all of RAM once more. */
static void
put_large(Maker *maker, unsigned directory, bool wide)
{
    const unsigned size = wide ? 8 : 4;
    const uint64_t flags[] = {0xe7, 0x87, 0x85, 0x83, 0x1e7, 0x20e7, 0};

    for (unsigned i = 1; i < 4 && maker->to->kind == AGREE_PAGES; i++)
        put(maker, directory + i * size, flags[below(maker, G_N_ELEMENTS(flags))], size);
}

static void
make_page_tables(Maker *maker)
{
    const unsigned first = AGREE_TABLES, second = first + 0x1000, third = first + 0x2000;
    AgreeCase *to = maker->to;

    to->cr3 = first;
    if (agree_is_long(to->mode)) {
        put_table(maker, first, second, 8);
        put_table(maker, first + 511 * 8, second, 8);
        put_table(maker, second, third, 8);
        put_table(maker, third, third + 0x1000, 8);
        put_large(maker, third, true);
        make_pages(maker, third + 0x1000, true);
    } else if (to->mode == AGREE_PAE32) {
        put(maker, first, second | 1, 8);
        put_table(maker, second, third, 8);
        put_large(maker, second, true);
        make_pages(maker, third, true);
    } else {
        put_table(maker, first, second, 4);
        put_large(maker, first, false);
        make_pages(maker, second, false);
    }
}

/* --- registers --- */

static void
load_segments(Maker *maker, const CpumSeg *code, const CpumSeg *data)
{
    AgreeCase *to = maker->to;

    for (unsigned i = 0; i < X86_SEG_COUNT; i++)
        to->seg[i] = *data;
    to->seg[X86_CS] = *code;
    if (agree_is_long(to->mode) && rarely(maker, 2))
        to->seg[X86_FS].base = AGREE_DATA;
}

/* Real and virtual-8086 mode: code, data and stack each in their paragraph. */
static void
set_small_segments(Maker *maker)
{
    const uint32_t attr = maker->to->mode == AGREE_V86 ? 0xf3 : 0x93;
    CpumSeg code = {.base = AGREE_CODE, .limit = 0xffff, .attr = attr, .sel = AGREE_CODE >> 4};
    CpumSeg data = {.base = AGREE_DATA, .limit = 0xffff, .attr = attr, .sel = AGREE_DATA >> 4};

    if (maker->to->mode == AGREE_REAL)
        code.attr |= X86_SEG_CODE;
    load_segments(maker, &code, &data);
    if (maker->to->kind == AGREE_SELF)
        maker->to->seg[X86_ES] = code;
    maker->to->seg[X86_SS].base = AGREE_STACK;
    maker->to->seg[X86_SS].sel = AGREE_STACK >> 4;
}

static CpumSeg
loaded(const Maker *maker, unsigned selector)
{
    uint64_t raw;
    CpumSeg seg = {.sel = (uint16_t)selector};

    memcpy(&raw, maker->to->ram + AGREE_GDT + (selector & ~7u), 8);
    seg.base = (raw >> 16 & 0xffffff) | (raw >> 56) << 24;
    seg.attr = (uint32_t)(raw >> 40 & 0xff) | (uint32_t)(raw >> 52 & 0xf) << 12;
    seg.limit = (uint32_t)(raw & 0xffff) | (uint32_t)(raw >> 48 & 0xf) << 16;
    if (seg.attr & X86_SEG_G)
        seg.limit = seg.limit << 12 | 0xfff;
    return seg;
}

static void
set_segments(Maker *maker)
{
    const bool user = maker->to->user;
    CpumSeg code, data;

    switch (maker->to->mode) {
    case AGREE_REAL:
    case AGREE_V86: set_small_segments(maker); return;
    case AGREE_PROT16:
        code = loaded(maker, user ? USER_CODE16 : KERNEL_CODE16);
        data = loaded(maker, user ? DATA16 : KERNEL_DATA);
        break;
    case AGREE_LONG64:
        code = loaded(maker, user ? USER_CODE64 : KERNEL_CODE64);
        data = loaded(maker, user ? USER_DATA : KERNEL_DATA);
        break;
    default:
        code = loaded(maker, user ? USER_CODE : KERNEL_CODE);
        data = loaded(maker, user ? USER_DATA : KERNEL_DATA);
        break;
    }
    load_segments(maker, &code, &data);
    /* Now and then one that is not flat. */
    if (maker->to->mode == AGREE_PROT32 && rarely(maker, 4))
        maker->to->seg[X86_DS] = loaded(maker, DATA16);
}

static uint64_t
pointer(Maker *maker)
{
    const AgreeCase *to = maker->to;
    const bool small = agree_code_bits(to->mode) == 16;
    const bool at_code = to->kind == AGREE_SELF && rarely(maker, 2);
    uint64_t value = below(maker, small ? 0x8000 : AGREE_DATA_SIZE);

    if (at_code)
        value = (to->rip & 0xffff) + below(maker, 0x200);
    if (!small)
        value += at_code ? (to->rip & ~0xffffull) : AGREE_DATA;
    if (!small && to->paging && rarely(maker, 8))
        value += AGREE_ALIAS;
    if (rarely(maker, 2))
        value &= ~15ull;
    return value;
}

static void
set_registers(Maker *maker)
{
    static const uint8_t pointers[] = {X86_RBX, X86_RBP, X86_RSI, X86_RDI, X86_R12, X86_R13};
    AgreeCase *to = maker->to;
    const bool small = agree_code_bits(to->mode) == 16;
    const unsigned stack = AGREE_STACK_SIZE - 0x100 - 8 * below(maker, 16);

    for (unsigned i = 0; i < X86_GPR_COUNT; i++)
        to->gpr[i] = agree_next(&maker->random) >> below(maker, 64);
    for (unsigned i = 0; i < G_N_ELEMENTS(pointers); i++)
        to->gpr[pointers[i]] = pointer(maker);
    to->gpr[X86_RSP] = small && to->mode != AGREE_PROT16 ? stack : AGREE_STACK + stack;
    if (to->mode == AGREE_PROT16 && to->user)
        to->gpr[X86_RSP] = 0xf000;
    for (unsigned i = 0; to->mode != AGREE_LONG64 && i < X86_GPR_COUNT; i++)
        to->gpr[i] = (uint32_t)to->gpr[i];
    to->rflags = X86_FL_1 | (agree_next(&maker->random) & X86_FL_STATUS);
    to->rflags |= rarely(maker, 4) ? 0 : X86_FL_IF;
    to->rflags |= rarely(maker, 8) ? X86_FL_DF : 0;
    to->rflags |= rarely(maker, 16) ? X86_FL_AC : 0;
    to->rflags |= rarely(maker, 100) ? X86_FL_TF : 0;
    to->rflags |= rarely(maker, 3) ? X86_FL_IOPL : 0;
    to->rflags |= to->mode == AGREE_V86 ? X86_FL_VM : 0;
}

static void
set_control(Maker *maker)
{
    AgreeCase *to = maker->to;

    to->cr0 = X86_CR0_ET | X86_CR0_MP | (rarely(maker, 8) ? 0 : X86_CR0_NE);
    to->cr0 |= to->mode == AGREE_REAL ? 0 : X86_CR0_PE;
    to->cr0 |= to->paging ? X86_CR0_PG : 0;
    to->cr0 |= rarely(maker, 2) ? X86_CR0_WP : 0;
    to->cr0 |= rarely(maker, 8) ? X86_CR0_AM : 0;
    to->cr0 |= rarely(maker, 12) ? X86_CR0_TS : 0;
    to->cr0 |= rarely(maker, 40) ? X86_CR0_EM : 0;
    to->cr4 = X86_CR4_OSXMMEXCPT | (rarely(maker, 12) ? 0 : X86_CR4_OSFXSR | X86_CR4_OSXSAVE);
    to->cr4 |= rarely(maker, 2) ? X86_CR4_PSE | X86_CR4_PGE : 0;
    to->cr4 |= rarely(maker, 4) ? X86_CR4_FSGSBASE : 0;
    to->cr4 |= rarely(maker, 8) ? X86_CR4_VME : 0;
    to->cr4 |= rarely(maker, 12) ? X86_CR4_DE | X86_CR4_TSD | X86_CR4_UMIP : 0;
    if (to->kind == AGREE_PAGES && rarely(maker, 8))
        to->cr4 |= X86_CR4_SMEP | X86_CR4_SMAP;
    to->cr4 |= to->mode >= AGREE_PAE32 ? X86_CR4_PAE : 0;
    to->efer = rarely(maker, 3) ? 0 : X86_EFER_NXE | X86_EFER_SCE;
    to->efer |= agree_is_long(to->mode) ? X86_EFER_LME | X86_EFER_LMA : 0;
    to->xcr0 = rarely(maker, 8) ? 1 + 2 * below(maker, 2) : 7;
}

static void
set_vectors(Maker *maker)
{
    CpumFpu *fpu = &maker->to->fpu;
    uint64_t *words = (uint64_t *)fpu->st;

    memset(fpu, 0, sizeof *fpu);
    fpu->fcw = rarely(maker, 4) ? (uint16_t)(0x40 | (below(maker, 0x1000) & ~0x80u)) : 0x37f;
    fpu->mxcsr = rarely(maker, 4) ? below(maker, 0x10000) : 0x1f80;
    fpu->ftw = (uint8_t)(rarely(maker, 3) ? below(maker, 256) : 0xff);
    fpu->fsw = (uint16_t)(below(maker, 8) << 11);
    for (unsigned i = 0; i < 48; i++) {
        words[i] = agree_next(&maker->random);
        if (rarely(maker, 2)) /* of moderate size */
            words[i] = (words[i] & 0x800fffffffffffff) | (1000ull + below(maker, 50)) << 52;
        if (i < 16 && (i & 1)) /* exponents of the x87's registers */
            words[i] = 0x3fc0 + below(maker, 0x80);
    }
    memcpy(fpu->ymm_high, fpu->xmm, sizeof fpu->ymm_high);
}

/* --- the whole --- */

static void
choose_mode(Maker *maker)
{
    static const AgreeMode modes[] = {AGREE_REAL,   AGREE_V86,    AGREE_PROT16, AGREE_PROT32,
                                      AGREE_PROT32, AGREE_PROT32, AGREE_PAE32,  AGREE_COMPAT32,
                                      AGREE_LONG64, AGREE_LONG64, AGREE_LONG64, AGREE_LONG64};
    AgreeCase *to = maker->to;

    to->mode = modes[below(maker, G_N_ELEMENTS(modes))];
    if (to->kind == AGREE_PAGES && to->mode < AGREE_PROT32)
        to->mode = AGREE_PROT32;
    to->paging = to->mode >= AGREE_PAE32 || to->kind == AGREE_PAGES ||
                 (to->mode != AGREE_REAL && rarely(maker, 2));
    to->user = to->mode == AGREE_V86 || (to->mode != AGREE_REAL && rarely(maker, 2));
}

/* Code from the entry on; noise elsewhere. */
static void
make_code(Maker *maker)
{
    AgreeCase *to = maker->to;
    const unsigned start = below(maker, 4) ? below(maker, 0x800) : 0xe00 + below(maker, 0x200);
    const unsigned size = 200 + below(maker, 500), bits = agree_code_bits(to->mode);
    const bool flat = bits != 16;
    uint8_t *code = to->ram + AGREE_CODE;
    uint8_t *end;

    for (unsigned i = 0; i < AGREE_CODE_SIZE; i += 8) {
        const uint64_t word = agree_next(&maker->random);

        memcpy(code + i, &word, 8);
    }
    end = agree_code_fill(&maker->random, bits, to->kind == AGREE_SELF, code + start,
                          code + start + size);
    /* And round again, as often as the run is long. */
    *end++ = 0xe9;
    put(maker, (unsigned)(end - to->ram), (uint64_t)(code + start - end) - (flat ? 4 : 2),
        flat ? 4 : 2);
    to->rip = start + (flat ? AGREE_CODE : 0);
    memcpy(to->ram + AGREE_DATA, code, AGREE_DATA_SIZE / 2);
}

static void
make_pieces(Maker *maker)
{
    static const AgreeEventKind self[] = {AGREE_EVENT_NONE, AGREE_EVENT_DMA, AGREE_EVENT_SWITCH};
    static const AgreeEventKind all[] = {AGREE_EVENT_INTERRUPT, AGREE_EVENT_INTERRUPT,
                                         AGREE_EVENT_NMI, AGREE_EVENT_DMA, AGREE_EVENT_SWITCH};
    AgreeCase *to = maker->to;

    to->pieces =
        to->kind == AGREE_EVENTS ? 2 + below(maker, AGREE_PIECES - 2) : 1 + below(maker, 3);
    for (unsigned i = 0; i < to->pieces; i++) {
        AgreePiece *piece = &to->piece[i];

        piece->instructions = 1 + below(maker, to->kind == AGREE_EVENTS ? 200 : 600);
        piece->event = to->kind == AGREE_EVENTS ? all[below(maker, G_N_ELEMENTS(all))]
                                                : self[below(maker, G_N_ELEMENTS(self))];
        piece->vector = (uint8_t)(0x20 + below(maker, 0xe0));
        piece->at = AGREE_CODE + (unsigned)(to->rip & 0x7fff) + below(maker, 256);
        piece->size = 1 + below(maker, 32);
    }
}

void
agree_case_make(AgreeCase *made, uint64_t seed)
{
    Maker maker = {.to = made, .random = {.state = seed}};

    memset(made, 0, sizeof *made);
    made->seed = seed;
    made->kind = (AgreeKind)(seed % AGREE_KINDS);
    choose_mode(&maker);
    make_descriptors(&maker);
    make_interrupts(&maker);
    if (made->paging)
        make_page_tables(&maker);
    make_code(&maker);
    set_segments(&maker);
    set_registers(&maker);
    set_control(&maker);
    set_vectors(&maker);
    make_pieces(&maker);
}
