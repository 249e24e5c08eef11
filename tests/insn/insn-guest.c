/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A guest in long mode at CPL 3 with the oracle's window mapped at the same linear addresses.
 * Exceptions go through an IDT to HLTs in supervisor memory; the frame on the supervisor stack
 * tells the rest. */
#include "tests/insn/insn.h"
#include "vmm/em/em.h"
#include "vmm/iem/iem.h"

#include <string.h>

#define RAM_SIZE (4u << 20)
/* Guest-physical; the supervisor sees it KERNEL bytes higher. */
#define KERNEL 0x20000000u
#define PML4 0x1000u
#define PDPT 0x2000u
#define PD 0x3000u
#define PT 0x4000u
#define GDT 0x10000u
#define IDT 0x11000u
#define TSS 0x13000u
#define HANDLERS 0x14000u /* 16 bytes a vector, HLT in each */
#define STACK_TOP 0x20000u
#define WINDOW 0x100000u
#define KERNEL_CS 0x08
/* Instructions: more than any block that begins with a vector has. */
#define BLOCK_BUDGET 128

struct InsnGuest {
    const EmEngine *engine;
    void *engine_vm;
    void *iem_vm; /* of the interpreter, which other engines call; NULL: it is the engine */
    EmRooms rooms;
    Vcpu *vcpu;
    uint8_t *ram;
};

static void
put64(InsnGuest *guest, unsigned at, uint64_t value)
{
    memcpy(guest->ram + at, &value, 8);
}

static void
map_page(InsnGuest *guest, unsigned offset, uint64_t bits)
{
    put64(guest, PT + (offset >> 12) * 8, (WINDOW + offset) | bits);
}

static void
make_page_tables(InsnGuest *guest)
{
    const uint64_t table = 7, user_rw = 7 | 0x60, nx = 1ull << 63;

    put64(guest, PML4, PDPT | table);
    put64(guest, PDPT, PD | table);
    put64(guest, PD + (KERNEL >> 21) * 8, 0x83 | 0x60); /* the first 2 MiB, supervisor */
    put64(guest, PD + (INSN_BASE >> 21) * 8, PT | table);
    map_page(guest, INSN_CODE, user_rw);
    map_page(guest, INSN_READ_ONLY, 0x25 | nx);
    for (unsigned i = 0; i < INSN_DATA_SIZE; i += 0x1000)
        map_page(guest, INSN_DATA + i, user_rw | nx);
    map_page(guest, INSN_STACK, user_rw | nx);
    map_page(guest, INSN_FAR, user_rw);
    map_page(guest, INSN_FAR + 0x1000, user_rw);
}

static void
make_tables(InsnGuest *guest)
{
    put64(guest, GDT + KERNEL_CS, 0x00209b0000000000ull);
    for (unsigned i = 0; i < 32; i++) {
        uint64_t offset = KERNEL + HANDLERS + i * 16;

        /* A 64-bit interrupt gate with DPL 3. */
        put64(guest, IDT + i * 16,
              (offset & 0xffff) | KERNEL_CS << 16 | 0xeeull << 40 | (offset >> 16) << 48);
        put64(guest, IDT + i * 16 + 8, 0);
        guest->ram[HANDLERS + i * 16] = 0xf4;
    }
    put64(guest, TSS + 4, KERNEL + STACK_TOP); /* RSP0 */
    put64(guest, TSS + 0x60, 0xffffull << 48); /* no I/O map */
}

static void
set_system_registers(Vcpu *vcpu)
{
    vcpu->cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP | X86_CR0_NE | X86_CR0_ET | X86_CR0_MP;
    vcpu->cr3 = PML4;
    vcpu->cr4 = X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
    if (cpum_has(vcpu, CPUM_FEATURE_XSAVE))
        vcpu->cr4 |= X86_CR4_OSXSAVE;
    if (cpum_has(vcpu, CPUM_FEATURE_AVX))
        vcpu->xcr0 = X86_XCR0_X87 | X86_XCR0_SSE | X86_XCR0_AVX;
    vcpu->efer = X86_EFER_LME | X86_EFER_LMA | X86_EFER_NXE | X86_EFER_SCE;
    vcpu->gdtr = (CpumTable){.base = KERNEL + GDT, .limit = 0xfff};
    vcpu->idtr = (CpumTable){.base = KERNEL + IDT, .limit = 0x1ff};
    vcpu->tr = (CpumSeg){
        .base = KERNEL + TSS, .limit = 0x67, .attr = X86_SEG_P | X86_SYS_TSS32_BUSY, .sel = 0x40};
    vcpu->ldtr = (CpumSeg){.attr = X86_SEG_UNUSABLE};
}

static void
set_segments(Vcpu *vcpu, InsnMode mode)
{
    const uint32_t user = X86_SEG_P | X86_SEG_S | 3u << 5 | X86_SEG_ACCESSED | X86_SEG_WRITABLE;
    CpumSeg code = {.limit = UINT32_MAX, .attr = user | X86_SEG_CODE | X86_SEG_G};
    CpumSeg data = {.limit = UINT32_MAX, .attr = user | X86_SEG_G | X86_SEG_DB, .sel = INSN_SS};

    switch (mode) {
    case INSN_CODE64:
        code.attr |= X86_SEG_L;
        code.sel = INSN_CS64;
        break;
    case INSN_CODE32:
        code.attr |= X86_SEG_DB;
        code.sel = INSN_CS32;
        break;
    case INSN_CODE16:
        code = (CpumSeg){
            .base = INSN_BASE, .limit = 0xffff, .attr = user | X86_SEG_CODE, .sel = INSN_CS16};
        data = (CpumSeg){.base = INSN_BASE, .limit = 0xffff, .attr = user, .sel = INSN_DS16};
        break;
    }
    vcpu->seg[X86_CS] = code;
    vcpu->seg[X86_SS] = vcpu->seg[X86_DS] = vcpu->seg[X86_ES] = data;
    vcpu->seg[X86_FS] = vcpu->seg[X86_GS] = (CpumSeg){.attr = X86_SEG_UNUSABLE};
}

InsnGuest *
insn_guest_new(const char *engine)
{
    InsnGuest *guest = g_new0(InsnGuest, 1);
    const CpumConfig cpu = {.cpus = 1, .long_mode = true, .pae = true, .nx = true};
    const TmConfig time = {.deterministic = true, .deterministic_hz = 100000000};
    g_autoptr(GError) error = NULL;

    guest->engine = em_engine_by_name(engine);
    g_assert_nonnull(guest->engine);
    guest->rooms.iom = iom_new();
    guest->rooms.cpum = cpum_new(&cpu, &error);
    g_assert_no_error(error);
    guest->rooms.pgm = pgm_new(guest->rooms.cpum, guest->rooms.iom, &error);
    g_assert_no_error(error);
    guest->rooms.tm = tm_new(guest->rooms.cpum, &time, &error);
    g_assert_no_error(error);
    guest->rooms.trpm = trpm_new(guest->rooms.cpum, guest->rooms.pgm, guest->rooms.iom,
                                 guest->rooms.tm, false, &error);
    g_assert_no_error(error);
    pgm_ram_setup(guest->rooms.pgm, RAM_SIZE, 0, &error);
    g_assert_no_error(error);
    guest->ram = pgm_mem_host(pgm_ram_mem(guest->rooms.pgm));
    guest->vcpu = cpum_vcpu(guest->rooms.cpum, 0);
    if (guest->engine != &iem_engine) {
        guest->iem_vm = iem_engine.vm_create(&guest->rooms, &error);
        g_assert_true(iem_engine.vcpu_create(guest->iem_vm, guest->vcpu, &error));
    }
    guest->engine_vm = guest->engine->vm_create(&guest->rooms, &error);
    g_assert_true(guest->engine->vcpu_create(guest->engine_vm, guest->vcpu, &error));
    pgm_bind_thread(guest->vcpu);
    make_page_tables(guest);
    make_tables(guest);
    set_system_registers(guest->vcpu);
    pgm_paging_changed(guest->vcpu, 0, 0, 0);
    memset(insn_guest_window(guest) + INSN_CODE, 0xcc, 0x1000);
    memset(insn_guest_window(guest) + INSN_FAR, 0xcc, 0x2000); /* where a jump may lead, too */
    return guest;
}

void
insn_guest_free(InsnGuest *guest)
{
    guest->engine->vcpu_destroy(guest->vcpu);
    guest->engine->vm_destroy(guest->engine_vm);
    if (guest->iem_vm != NULL) {
        iem_engine.vcpu_destroy(guest->vcpu);
        iem_engine.vm_destroy(guest->iem_vm);
    }
    trpm_free(guest->rooms.trpm);
    tm_free(guest->rooms.tm);
    pgm_free(guest->rooms.pgm);
    cpum_free(guest->rooms.cpum);
    iom_free(guest->rooms.iom);
    g_free(guest);
}

Vcpu *
insn_guest_vcpu(InsnGuest *guest)
{
    return guest->vcpu;
}

uint8_t *
insn_guest_window(InsnGuest *guest)
{
    return guest->ram + WINDOW;
}

void
insn_guest_write_code(InsnGuest *guest, unsigned offset, const uint8_t *bytes, size_t size)
{
    pgm_phys_write(guest->rooms.pgm, WINDOW + offset, bytes, size);
}

void
insn_guest_remap(InsnGuest *guest, unsigned offset, unsigned shown)
{
    put64(guest, PT + (offset >> 12) * 8, (WINDOW + shown) | 7 | 0x60);
}

void
insn_guest_alias(InsnGuest *guest, uint64_t linear)
{
    put64(guest, PD + (unsigned)(linear >> 21 & 511) * 8, PT | 7);
}

static bool
has_error_code(int vector)
{
    return vector == X86_XCPT_DF || (vector >= X86_XCPT_TS && vector <= X86_XCPT_PF) ||
           vector == X86_XCPT_AC;
}

/* The registers are those of the handler; the frame has what the instruction left. */
static void
read_frame(InsnGuest *guest, InsnState *state)
{
    const Vcpu *vcpu = guest->vcpu;
    const uint64_t *frame = (const uint64_t *)(guest->ram + vcpu->gpr[X86_RSP] - KERNEL);

    state->vector = (int)((vcpu->rip - 1 - KERNEL - HANDLERS) / 16);
    if (has_error_code(state->vector))
        state->error = (uint32_t)*frame++;
    state->rip = frame[0];
    state->rflags = frame[2] & ~(uint64_t)X86_FL_RF;
    state->gpr[X86_RSP] = frame[3];
    state->cr2 = vcpu->cr2;
}

void
insn_guest_run(InsnGuest *guest, InsnMode mode, InsnState *state)
{
    if (guest->engine == &iem_engine) {
        insn_guest_run_for(guest, mode, state, 1);
        return;
    }
    /* A block with what follows, an INT3 or no code: it ends in a HLT in any case. */
    insn_guest_run_for(guest, mode, state, BLOCK_BUDGET);
    if (state->vector == X86_XCPT_BP) {
        state->rip--;
        state->vector = INSN_VECTOR_NONE;
    } else if (state->vector == X86_XCPT_PF && state->cr2 == insn_segment_base(mode) + state->rip) {
        state->vector = INSN_VECTOR_NONE;
    }
}

static void
copy_fpu(CpumFpu *to, const CpumFpu *from)
{
    memcpy(to, from, 416);
    memcpy(to->ymm_high, from->ymm_high, sizeof to->ymm_high);
}

void
insn_guest_run_for(InsnGuest *guest, InsnMode mode, InsnState *state, uint64_t budget)
{
    Vcpu *vcpu = guest->vcpu;
    EmExit exit;

    memcpy(vcpu->gpr, state->gpr, sizeof vcpu->gpr);
    vcpu->rip = state->rip;
    vcpu->rflags = state->rflags | X86_FL_IF | X86_FL_1;
    copy_fpu(&vcpu->fpu, &state->fpu);
    vcpu->fpu_cs = vcpu->fpu_ds = 0;
    vcpu->activity = CPUM_ACTIVE;
    vcpu->irq_shadow = 0;
    set_segments(vcpu, mode);
    cpum_update_mode(vcpu);
    if (cpum_pending(vcpu) & CPUM_PEND_TLB_FLUSH)
        pgm_flush_tlb(vcpu, true);
    cpum_unpend(vcpu, UINT32_MAX);
    exit = guest->engine->run(vcpu, budget);
    /* An exception takes an instruction's part of the budget; the HLT of its handler is to come. */
    if (exit == EM_EXIT_BUDGET && vcpu->rip - (KERNEL + HANDLERS) < 256 * 16)
        exit = guest->engine->run(vcpu, 1);
    memcpy(state->gpr, vcpu->gpr, sizeof vcpu->gpr);
    copy_fpu(&state->fpu, &vcpu->fpu);
    state->rip = vcpu->rip;
    state->rflags = vcpu->rflags;
    state->vector = INSN_VECTOR_NONE;
    state->error = 0;
    if (exit == EM_EXIT_HALT)
        read_frame(guest, state);
    else
        g_assert_cmpint(exit, ==, EM_EXIT_BUDGET);
}
