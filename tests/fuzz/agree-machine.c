/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A machine of one CPU with its local APIC, a little RAM, some ports and a page of MMIO whose
 * answers follow from how often they were asked, and pages around its RAM that nobody may touch.
 * Time is deterministic. */
#include "tests/fuzz/agree.h"

#include <string.h>
#include <sys/mman.h>

#define APIC_SPURIOUS 0xfee000f0u
#define GUARD_SIZE 4096u
/* No guest makes it by itself. */
static const uint8_t guard_bytes[8] = {0xc3, 0xa5, 0x96, 0xe1, 0x5b, 0x7d, 0xf0, 0x4d};
/* Of CpumFpu: what FXSAVE has. */
#define FPU_BYTES 416u

struct AgreeMachine {
    EmRooms rooms;
    Em *em;
    Vcpu *vcpu;
    const EmEngine *engine;
    IomPorts *ports;
    IomMmio *mmio;
    PgmRegion *region;
    uint64_t asked, told; /* by the guest: reads so far, and a digest of all writes */
    bool on_iem;
    uint8_t *guard[2];
};

/* --- devices --- */

static uint64_t
answer(AgreeMachine *machine, uint64_t offset)
{
    AgreeRandom random = {.state = offset << 32 | machine->asked++};

    return agree_next(&random);
}

static void
take(AgreeMachine *machine, uint64_t offset, uint64_t value, unsigned size)
{
    AgreeRandom random = {.state = machine->told ^ value ^ offset << 40 ^ (uint64_t)size << 60};

    machine->told = agree_next(&random);
}

static uint32_t
read_port(void *user, uint32_t offset, unsigned size)
{
    return (uint32_t)answer(user, offset);
}

static void
write_port(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    take(user, offset, value, size);
}

static uint64_t
read_mmio(void *user, uint64_t offset, unsigned size)
{
    return answer(user, 0x1000 + offset);
}

static void
write_mmio(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    take(user, 0x1000 + offset, value, size);
}

static void
add_devices(AgreeMachine *machine)
{
    static const IomPortOps port_ops = {.read = read_port, .write = write_port, .sizes = 7};
    static const IomMmioOps mmio_ops = {.read = read_mmio, .write = write_mmio};
    const EmRooms *rooms = &machine->rooms;
    PgmRegionInfo info = {.name = "device", .kind = PGM_MMIO, .size = X86_PAGE_SIZE, .priority = 3};

    machine->ports = iom_ports_new(rooms->iom, "device", AGREE_PORT_COUNT, &port_ops, machine);
    iom_ports_map(machine->ports, AGREE_PORTS);
    machine->mmio = iom_mmio_new(rooms->iom, "device", &mmio_ops, machine, false);
    info.mmio = machine->mmio;
    machine->region = pgm_region_new(rooms->pgm, &info);
    pgm_region_map(machine->region, AGREE_DEVICE);
}

/* --- what lies around the RAM --- */

/* Where the process has something else there already, that side has no guard. */
static uint8_t *
guard_at(uint8_t *where)
{
    uint8_t *guard = mmap(where, GUARD_SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (guard == MAP_FAILED)
        return NULL;
    for (unsigned i = 0; i < GUARD_SIZE; i++)
        guard[i] = guard_bytes[i % sizeof guard_bytes];
    return guard;
}

/* Eight bytes of a guard in the guest's hands, from any byte on. Sanitizers would look at each of a
 * million words and take a quarter of a case's time. */
__attribute__((no_sanitize("address", "undefined"))) static bool
has_guard_bytes(const void *memory, size_t size)
{
    const uint64_t *words = memory;
    uint64_t turned[8], found = 0;

    memcpy(&turned[0], guard_bytes, sizeof turned[0]);
    for (unsigned i = 1; i < 8; i++)
        turned[i] = turned[0] >> (8 * i) | turned[0] << (64 - 8 * i);
    /* Without a branch for each word, so that the compiler compares several at a time. */
    for (size_t i = 0; i < size / sizeof *words; i++) {
        for (unsigned j = 0; j < 8; j++)
            found |= words[i] == turned[j];
    }
    return found != 0;
}

bool
agree_machine_kept_within(const AgreeMachine *machine)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(machine->guard); i++) {
        const uint8_t *guard = machine->guard[i];

        if (guard != NULL && (memcmp(guard, guard_bytes, sizeof guard_bytes) != 0 ||
                              memcmp(guard, guard + 8, GUARD_SIZE - 8) != 0))
            return false;
    }
    return !has_guard_bytes(agree_machine_ram(machine), AGREE_RAM) &&
           !has_guard_bytes(machine->vcpu->gpr, sizeof machine->vcpu->gpr) &&
           !has_guard_bytes(machine->vcpu->fpu.xmm, sizeof machine->vcpu->fpu.xmm);
}

/* --- life --- */

AgreeMachine *
agree_machine_new(const EmEngine *engine)
{
    const CpumConfig cpu = {.cpus = 1,
                            .repeatable = true,
                            .pae = true,
                            .long_mode = true,
                            .apic = true,
                            .x2apic = true,
                            .nx = true};
    const TmConfig time = {.deterministic = true, .deterministic_hz = 100000000};
    const EmConfig config = {.engine = engine->name};
    AgreeMachine *machine = g_new0(AgreeMachine, 1);
    EmRooms *rooms = &machine->rooms;
    uint8_t *ram;

    machine->engine = engine;
    rooms->iom = iom_new();
    rooms->cpum = cpum_new(&cpu, NULL);
    rooms->pgm = pgm_new(rooms->cpum, rooms->iom, NULL);
    g_assert_true(pgm_ram_setup(rooms->pgm, AGREE_RAM, 0, NULL));
    rooms->tm = tm_new(rooms->cpum, &time, NULL);
    rooms->trpm = trpm_new(rooms->cpum, rooms->pgm, rooms->iom, rooms->tm, true, NULL);
    machine->em = em_new(rooms, &config, NULL);
    g_assert_nonnull(machine->em);
    machine->vcpu = cpum_vcpu(rooms->cpum, 0);
    add_devices(machine);
    pgm_bind_thread(machine->vcpu);
    pgm_set_a20(rooms->pgm, true);
    ram = pgm_mem_host(pgm_ram_mem(rooms->pgm));
    machine->guard[0] = guard_at(ram - GUARD_SIZE);
    machine->guard[1] = guard_at(ram + AGREE_RAM);
    return machine;
}

void
agree_machine_free(AgreeMachine *machine)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(machine->guard); i++) {
        if (machine->guard[i] != NULL)
            munmap(machine->guard[i], GUARD_SIZE);
    }
    em_free(machine->em);
    iom_ports_free(machine->ports);
    pgm_region_free(machine->region);
    iom_mmio_free(machine->mmio);
    trpm_free(machine->rooms.trpm);
    tm_free(machine->rooms.tm);
    pgm_free(machine->rooms.pgm);
    iom_free(machine->rooms.iom);
    cpum_free(machine->rooms.cpum);
    g_free(machine);
}

Vcpu *
agree_machine_vcpu(AgreeMachine *machine)
{
    return machine->vcpu;
}

const uint8_t *
agree_machine_ram(const AgreeMachine *machine)
{
    return pgm_mem_host(pgm_ram_mem(machine->rooms.pgm));
}

/* --- a case --- */

static void
load_fpu(Vcpu *vcpu, const AgreeCase *from)
{
    const uint32_t mask = vcpu->fpu.mxcsr_mask;

    memcpy(&vcpu->fpu, &from->fpu, FPU_BYTES);
    memcpy(vcpu->fpu.ymm_high, from->fpu.ymm_high, sizeof vcpu->fpu.ymm_high);
    vcpu->fpu.mxcsr_mask = mask;
    vcpu->fpu_cs = vcpu->fpu_ds = 0;
}

static void
load_registers(Vcpu *vcpu, const AgreeCase *from)
{
    memcpy(vcpu->gpr, from->gpr, sizeof vcpu->gpr);
    memcpy(vcpu->seg, from->seg, sizeof vcpu->seg);
    vcpu->rip = from->rip;
    vcpu->rflags = from->rflags;
    vcpu->ldtr = from->ldtr;
    vcpu->tr = from->tr;
    vcpu->gdtr = from->gdtr;
    vcpu->idtr = from->idtr;
    vcpu->cr0 = from->cr0;
    vcpu->cr3 = from->cr3;
    vcpu->cr4 = from->cr4 & cpum_cr4_valid(vcpu);
    vcpu->efer = from->efer;
    vcpu->xcr0 = vcpu->cr4 & X86_CR4_OSXSAVE ? from->xcr0 : 1;
    vcpu->star = 0x0023000800000000;
    vcpu->lstar = vcpu->cstar = AGREE_CODE + 0x100;
    vcpu->sfmask = X86_FL_TF;
    vcpu->sysenter_cs = 8;
    vcpu->sysenter_esp = AGREE_KERNEL_STACK + 0x800;
    vcpu->sysenter_eip = AGREE_CODE + 0x100;
    vcpu->retired = 0;
    for (unsigned i = 0; i < 4; i++)
        vcpu->dr[i] = from->gpr[X86_RSI] + 8 * i;
    load_fpu(vcpu, from);
}

void
agree_machine_load(AgreeMachine *machine, const AgreeCase *from)
{
    Vcpu *vcpu = machine->vcpu;

    trpm_reset(machine->rooms.trpm);
    cpum_reset(vcpu, false);
    cpum_unpend(vcpu, UINT32_MAX);
    machine->asked = machine->told = 0;
    machine->on_iem = false;
    em_set_engine(vcpu, machine->engine, NULL);
    pgm_phys_write(machine->rooms.pgm, 0, from->ram, AGREE_RAM);
    load_registers(vcpu, from);
    /* The clock counts from here, and the TSC from 0: a case may have run once more on one machine.
     */
    tm_advance(machine->rooms.tm, 0);
    tm_reset(machine->rooms.tm);
    cpum_update_mode(vcpu);
    pgm_paging_changed(vcpu, 0, 0, 0);
    pgm_flush_tlb(vcpu, true);
    pgm_cpu_phys_write(vcpu, APIC_SPURIOUS, 0x1ff, 4);
}

static void
happen(AgreeMachine *machine, const AgreeCase *from, const AgreePiece *piece)
{
    switch (piece->event) {
    case AGREE_EVENT_NONE: break;
    case AGREE_EVENT_INTERRUPT:
        trpm_apic_message(machine->rooms.trpm, 0, false, TRPM_FIXED, piece->vector, false);
        break;
    case AGREE_EVENT_NMI: trpm_nmi(machine->vcpu); break;
    case AGREE_EVENT_DMA:
        pgm_phys_write(machine->rooms.pgm, piece->at, from->ram + AGREE_DATA, piece->size);
        break;
    case AGREE_EVENT_SWITCH:
        machine->on_iem = !machine->on_iem;
        em_set_engine(machine->vcpu, machine->on_iem ? em_engine_by_name("iem") : machine->engine,
                      NULL);
        break;
    }
}

/* Differ the tables from what they were, but for the walk's A and D bits? */
static bool
tables_differ(const AgreeMachine *machine, const AgreeCase *from)
{
    const unsigned accessed_dirty = 0x60;
    const uint8_t *ram = agree_machine_ram(machine);
    const unsigned size = from->mode >= AGREE_PAE32 ? 8 : 4;

    /* An INS that overwrites the I/O map is checked against it again where it is interrupted. */
    if (machine->vcpu->cr3 != from->cr3 ||
        memcmp(ram + AGREE_TSS + 0x66, from->ram + AGREE_TSS + 0x66, 0x1000 - 0x66) != 0)
        return true;
    for (unsigned at = AGREE_TABLES; at < AGREE_TABLES_END; at++) {
        const unsigned mask = at % size == 0 ? ~accessed_dirty & 0xff : 0xff;

        if ((ram[at] & mask) != (from->ram[at] & mask))
            return true;
    }
    return false;
}

/* Runs the case one instruction at a time until the guest has changed its tables; false: it never
 * does. They may be as before at the end. */
static bool
step_to_change(AgreeMachine *machine, const AgreeCase *from)
{
    for (unsigned i = 0; i < from->pieces; i++) {
        for (unsigned n = 0; n < from->piece[i].instructions; n++) {
            if (em_run_for(machine->vcpu, 1) != EM_RESULT_BUDGET)
                return false;
            if (tables_differ(machine, from))
                return true;
        }
        happen(machine, from, &from->piece[i]);
    }
    return false;
}

bool
agree_machine_changed_tables(AgreeMachine *machine, const AgreeCase *from)
{
    if (tables_differ(machine, from))
        return true;
    agree_machine_load(machine, from);
    return step_to_change(machine, from);
}

bool
agree_machine_run(AgreeMachine *machine, const AgreeCase *from, unsigned most)
{
    for (unsigned i = 0; i < from->pieces && most > 0; i++) {
        const unsigned part = MIN(from->piece[i].instructions, most);

        switch (em_run_for(machine->vcpu, part)) {
        case EM_RESULT_SHUTDOWN: return true;
        case EM_RESULT_REQUEST: return false;
        case EM_RESULT_BUDGET: break;
        }
        most -= part;
        if (most > 0)
            happen(machine, from, &from->piece[i]);
    }
    return true;
}

void
agree_machine_stop(AgreeMachine *machine)
{
    cpum_pend(machine->vcpu, CPUM_PEND_REQUEST);
}

/* --- comparison --- */

static bool
same(GString *out, const char *what, const void *one, const void *other, size_t size)
{
    const uint8_t *a = one, *b = other;

    if (memcmp(a, b, size) == 0)
        return true;
    for (size_t i = 0, shown = 0; i < size && shown < 8; i++) {
        if (a[i] == b[i])
            continue;
        g_string_append_printf(out, "  %s+%" G_GSIZE_MODIFIER "x: %02x, %02x\n", what, i, a[i],
                               b[i]);
        shown++;
    }
    return false;
}

/* What of the Vcpu is compared; struct padding is not. */
/* clang-format off */
#define FIELD(field) {#field, offsetof(Vcpu, field), sizeof((Vcpu *)0)->field}
#define SEGMENT(field) {#field, offsetof(Vcpu, field), offsetof(CpumSeg, sel) + 2}
#define TABLE(field) {#field, offsetof(Vcpu, field), offsetof(CpumTable, limit) + 2}
static const struct {
    const char *name;
    size_t offset, size;
} compared[] = {
    FIELD(gpr), FIELD(rip), FIELD(rflags), FIELD(retired), FIELD(irq_shadow), FIELD(activity),
    FIELD(nmi_blocked), FIELD(mode), FIELD(cpl), FIELD(fpu.st), FIELD(fpu.xmm),
    FIELD(fpu.ymm_high), FIELD(fpu_cs), FIELD(fpu_ds),
    {"fpu", offsetof(Vcpu, fpu), offsetof(CpumFpu, st)},
    {"control", offsetof(Vcpu, cr0), offsetof(Vcpu, fpu) - offsetof(Vcpu, cr0)},
    SEGMENT(seg[0]), SEGMENT(seg[1]), SEGMENT(seg[2]), SEGMENT(seg[3]), SEGMENT(seg[4]),
    SEGMENT(seg[5]), SEGMENT(ldtr), SEGMENT(tr), TABLE(gdtr), TABLE(idtr),
};
#undef FIELD
#undef SEGMENT
#undef TABLE
/* clang-format on */

bool
agree_machines_equal(AgreeMachine *one, AgreeMachine *other, GString *out)
{
    const uint8_t *a = (const uint8_t *)one->vcpu, *b = (const uint8_t *)other->vcpu;
    bool equal = true;

    for (unsigned i = 0; i < G_N_ELEMENTS(compared); i++)
        equal &= same(out, compared[i].name, a + compared[i].offset, b + compared[i].offset,
                      compared[i].size);
    equal &= same(out, "reads", &one->asked, &other->asked, sizeof one->asked);
    equal &= same(out, "writes", &one->told, &other->told, sizeof one->told);
    equal &= same(out, "ram", agree_machine_ram(one), agree_machine_ram(other), AGREE_RAM);
    return equal;
}
