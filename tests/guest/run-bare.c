/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Runs a guest program on the VMM's rooms alone: a CPU with its local APIC and 32 MiB of RAM, no
 * firmware and no devices but two ports. Port 0xE9 goes to standard output, a write to 0xF4 ends
 * the run. The program is put at 0x10000 and entered in real mode, as lib/boot.S does on a PC. Time
 * is deterministic where one CPU's engine counts instructions; else it is the host's. Status 0: the
 * program ended; 2: arguments; 3: triple fault; 4: out of instructions.
 *
 *   run-bare ENGINE PROGRAM [PROFILE [CPUS]]     (RUN_BARE_STATISTICS=1: the engine's counters at
 *                                                the end)
 *   run-bare iem+rem PROGRAM    goes from one to another at random instructions
 *   run-bare --engines          names the engines of this build that the host can run */
#include "vmm/em/em.h"

#include <stdio.h>
#include <string.h>

#define RAM_BYTES (32ull << 20)
#define LOAD_ADDRESS 0x10000u
#define LOAD_MAX 0x40000u
#define INSTRUCTIONS_MAX 200000000ull
#define SLICE 100000ull
#define SECONDS_MAX 60ull
#define MIX_MAX 4
#define MIX_SLICE 2000
#define MIX_SEED 20260101u
#define CPUS_MAX 8u

typedef enum { STATUS_ENDED = 0, STATUS_USAGE = 2, STATUS_TRIPLE_FAULT, STATUS_ENDLESS } Status;

typedef struct {
    EmRooms rooms;
    Em *em;
    IomPorts *log_port, *end_port;
    TmTimer *limit;
    const EmEngine *mix[MIX_MAX]; /* that take turns */
    unsigned mixed;
    _Atomic bool ended, late, shut_down;
} Bare;

static void
interrupt_all(Bare *bare)
{
    for (unsigned i = 0; i < cpum_count(bare->rooms.cpum); i++)
        cpum_pend(cpum_vcpu(bare->rooms.cpum, i), CPUM_PEND_REQUEST);
}

static void
write_log(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    putchar((int)(value & 0xff));
}

static void
write_end(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Bare *bare = user;

    bare->ended = true;
    interrupt_all(bare);
}

/* "iem+rem" and the like; a name alone is not mixed. */
static bool
choose_mix(Bare *bare, const char *names, GError **error)
{
    g_auto(GStrv) all = g_strsplit(names, "+", MIX_MAX);

    for (unsigned i = 0; all[1] != NULL && all[i] != NULL; i++) {
        const EmEngine *engine = em_engine_by_name(all[i]);

        if (engine == NULL || !engine->counts) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "\"%s\" cannot take turns.", all[i]);
            return false;
        }
        bare->mix[bare->mixed++] = engine;
    }
    return true;
}

/* What keeps the engine from what a program may ask for. */
static void
print_host(const Bare *bare, uint64_t hidden)
{
    static const char *const names[CPUM_FEATURE_COUNT] = {
#define FEATURE(name, leaf, reg, bit, profile, host) [CPUM_FEATURE_##name] = #name,
#include "vmm/cpum/features.def"
#undef FEATURE
    };
    const EmEngine *engine = em_engine_by_name(em_engine_name(cpum_vcpu(bare->rooms.cpum, 0)));

    if (engine->is_partial != NULL && engine->is_partial())
        fputs("host: emulates\n", stderr);
    for (unsigned i = 0; i < CPUM_FEATURE_COUNT; i++) {
        if (((hidden >> i) & 1) && names[i] != NULL)
            fprintf(stderr, "hidden: %s\n", names[i]);
    }
}

static bool
make_rooms(Bare *bare, const char *engine, const char *profile, unsigned cpus, GError **error)
{
    const CpumConfig cpu = {.profile = profile,
                            .cpus = cpus,
                            .repeatable = true,
                            .pae = true,
                            .long_mode = true,
                            .apic = true,
                            .x2apic = true,
                            .nx = true};
    const EmEngine *known = em_engine_by_name(engine);
    const TmConfig time = {.deterministic = cpus == 1 && (known == NULL || known->counts),
                           .deterministic_hz = 100000000};
    const EmConfig config = {.engine = bare->mixed > 0 ? bare->mix[0]->name : engine};
    EmRooms *rooms = &bare->rooms;
    uint64_t before;

    rooms->iom = iom_new();
    rooms->cpum = cpum_new(&cpu, error);
    if (rooms->cpum == NULL)
        return false;
    rooms->pgm = pgm_new(rooms->cpum, rooms->iom, error);
    if (rooms->pgm == NULL || !pgm_ram_setup(rooms->pgm, RAM_BYTES, 0, error))
        return false;
    rooms->tm = tm_new(rooms->cpum, &time, error);
    if (rooms->tm == NULL)
        return false;
    rooms->trpm = trpm_new(rooms->cpum, rooms->pgm, rooms->iom, rooms->tm, true, error);
    if (rooms->trpm == NULL)
        return false;
    before = cpum_vcpu(rooms->cpum, 0)->features;
    bare->em = em_new(rooms, &config, error);
    if (bare->em == NULL)
        return false;
    print_host(bare, before & ~cpum_vcpu(rooms->cpum, 0)->features);
    return true;
}

static void
map_ports(Bare *bare)
{
    static const IomPortOps log_ops = {.write = write_log, .sizes = 1};
    static const IomPortOps end_ops = {.write = write_end, .sizes = 1};

    bare->log_port = iom_ports_new(bare->rooms.iom, "log", 1, &log_ops, bare);
    bare->end_port = iom_ports_new(bare->rooms.iom, "end", 1, &end_ops, bare);
    iom_ports_map(bare->log_port, 0xe9);
    iom_ports_map(bare->end_port, 0xf4);
}

static bool
load_program(Bare *bare, const char *path, GError **error)
{
    Vcpu *vcpu = cpum_vcpu(bare->rooms.cpum, 0);
    g_autofree char *data = NULL;
    gsize size;

    if (!g_file_get_contents(path, &data, &size, error))
        return false;
    pgm_phys_write(bare->rooms.pgm, LOAD_ADDRESS, data, MIN(size, LOAD_MAX));
    pgm_set_a20(bare->rooms.pgm, true);
    vcpu->seg[X86_CS].sel = LOAD_ADDRESS >> 4;
    vcpu->seg[X86_CS].base = LOAD_ADDRESS;
    vcpu->rip = 0;
    cpum_update_mode(vcpu);
    return true;
}

static void
on_limit(void *user)
{
    Bare *bare = user;

    bare->late = true;
    interrupt_all(bare);
}

typedef struct {
    Bare *bare;
    Vcpu *vcpu;
    GThread *thread;
} BareCpu;

static void *
run_cpu(void *user)
{
    const BareCpu *cpu = user;
    Bare *bare = cpu->bare;

    while (!bare->ended && !bare->late && !bare->shut_down) {
        if (em_run(cpu->vcpu) == EM_RESULT_SHUTDOWN) {
            bare->shut_down = true;
            interrupt_all(bare);
        }
        cpum_unpend(cpu->vcpu, CPUM_PEND_REQUEST);
    }
    return NULL;
}

/* By the clock, for engines that do not count and for several CPUs. */
static Status
run_freely(Bare *bare)
{
    const unsigned count = cpum_count(bare->rooms.cpum);
    BareCpu cpu[CPUS_MAX];

    bare->limit = tm_timer_new(bare->rooms.tm, "limit", on_limit, bare);
    tm_timer_set(bare->limit, SECONDS_MAX * 1000000000ull);
    tm_resume(bare->rooms.tm);
    for (unsigned i = 0; i < count; i++) {
        cpu[i] = (BareCpu){.bare = bare, .vcpu = cpum_vcpu(bare->rooms.cpum, i)};
        pgm_bind_later(cpu[i].vcpu);
    }
    for (unsigned i = 1; i < count; i++)
        cpu[i].thread = g_thread_new("vcpu", run_cpu, &cpu[i]);
    run_cpu(&cpu[0]);
    for (unsigned i = 1; i < count; i++)
        g_thread_join(cpu[i].thread);
    tm_timer_free(bare->limit);
    if (bare->ended)
        return STATUS_ENDED;
    return bare->late ? STATUS_ENDLESS : STATUS_TRIPLE_FAULT;
}

/* How far to run next, and in which engine. */
static uint64_t
next_slice(Bare *bare, GRand *random)
{
    if (bare->mixed == 0)
        return SLICE;
    em_set_engine(cpum_vcpu(bare->rooms.cpum, 0),
                  bare->mix[g_rand_int_range(random, 0, (gint32)bare->mixed)], NULL);
    return (uint64_t)g_rand_int_range(random, 1, MIX_SLICE);
}

static Status
run(Bare *bare)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(MIX_SEED);
    Vcpu *vcpu = cpum_vcpu(bare->rooms.cpum, 0);

    tm_resume(bare->rooms.tm);
    while (!bare->ended && vcpu->retired < INSTRUCTIONS_MAX) {
        uint64_t before = vcpu->retired;

        if (em_run_for(vcpu, next_slice(bare, random)) == EM_RESULT_SHUTDOWN)
            return STATUS_TRIPLE_FAULT;
        cpum_unpend(vcpu, CPUM_PEND_REQUEST);
        if (vcpu->retired == before) /* halted for ever */
            break;
    }
    return bare->ended ? STATUS_ENDED : STATUS_ENDLESS;
}

static void
free_rooms(Bare *bare)
{
    g_clear_pointer(&bare->em, em_free);
    g_clear_pointer(&bare->rooms.trpm, trpm_free);
    g_clear_pointer(&bare->rooms.tm, tm_free);
    g_clear_pointer(&bare->rooms.pgm, pgm_free);
    g_clear_pointer(&bare->log_port, iom_ports_free);
    g_clear_pointer(&bare->end_port, iom_ports_free);
    g_clear_pointer(&bare->rooms.cpum, cpum_free);
    iom_free(bare->rooms.iom);
}

static void
list_engines(void)
{
    const char *first = NULL;

    for (const EmEngine *const *engine = em_engines(); *engine != NULL; engine++) {
        /* Where KVM emulates, the guest meets the emulator's faults and not ours. */
        const bool exact = (*engine)->counts || (*engine)->rank() != EM_RANK_NEVER;

        if (!(*engine)->probe(NULL) || !exact)
            continue;
        puts((*engine)->name);
        if ((*engine)->counts && first != NULL)
            printf("%s+%s\n", first, (*engine)->name);
        else if ((*engine)->counts)
            first = (*engine)->name;
    }
}

static void
print_statistics(Bare *bare)
{
    g_autoptr(GString) out = g_string_new(NULL);

    em_info(cpum_vcpu(bare->rooms.cpum, 0), out);
    fputs(out->str, stderr);
}

/* Registers and memory at the end, in a few characters: the same on every engine that counts. */
static void
print_state(Bare *bare)
{
    const Vcpu *vcpu = cpum_vcpu(bare->rooms.cpum, 0);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    const struct {
        const void *data;
        size_t size;
    } parts[] = {
        {vcpu->gpr, sizeof vcpu->gpr},
        {&vcpu->rip, sizeof vcpu->rip},
        {&vcpu->rflags, sizeof vcpu->rflags},
        {&vcpu->retired, sizeof vcpu->retired},
        {&vcpu->cr0, offsetof(Vcpu, fpu) - offsetof(Vcpu, cr0)},
        {vcpu->fpu.st, sizeof vcpu->fpu.st},
        {vcpu->fpu.xmm, sizeof vcpu->fpu.xmm},
        {vcpu->fpu.ymm_high, sizeof vcpu->fpu.ymm_high},
        {pgm_mem_host(pgm_ram_mem(bare->rooms.pgm)), RAM_BYTES},
    };

    for (unsigned i = 0; i < X86_SEG_COUNT; i++)
        g_checksum_update(sum, (const guchar *)&vcpu->seg[i], offsetof(CpumSeg, sel) + 2);
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        g_checksum_update(sum, parts[i].data, (gssize)parts[i].size);
    fprintf(stderr, "state: %s\n", g_checksum_get_string(sum));
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    Bare bare = {0};
    const unsigned cpus = argc == 5 ? (unsigned)g_ascii_strtoull(argv[4], NULL, 10) : 1;
    Status status;

    if (argc == 2 && strcmp(argv[1], "--engines") == 0) {
        list_engines();
        return STATUS_ENDED;
    }
    if (argc < 3 || argc > 5 || cpus < 1 || cpus > CPUS_MAX) {
        fprintf(stderr, "usage: run-bare ENGINE PROGRAM [CPU PROFILE [CPUS]] | --engines\n");
        return STATUS_USAGE;
    }
    if (!choose_mix(&bare, argv[1], &error) ||
        !make_rooms(&bare, argv[1], argc > 3 ? argv[3] : "x86-64-v2", cpus, &error) ||
        !load_program(&bare, argv[2], &error)) {
        fprintf(stderr, "run-bare: %s\n", error->message);
        free_rooms(&bare);
        return STATUS_USAGE;
    }
    map_ports(&bare);
    status = tm_is_deterministic(bare.rooms.tm) ? run(&bare) : run_freely(&bare);
    fflush(stdout);
    if (g_getenv("RUN_BARE_STATISTICS") != NULL)
        print_statistics(&bare);
    if (tm_is_deterministic(bare.rooms.tm))
        print_state(&bare);
    if (status != STATUS_ENDED)
        fprintf(stderr, "run-bare: %s\n",
                status == STATUS_TRIPLE_FAULT ? "triple fault" : "the program does not end");
    free_rooms(&bare);
    return (int)status;
}
