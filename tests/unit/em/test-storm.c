/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Four CPUs under everything at once: two halt and wake for interrupts, one plays ping-pong with
 * one of them by IPIs and spins in between, one takes the whole machine for itself again and again
 * (LOCK on MMIO). Meanwhile other threads kick, cap, pause and resume. Each interrupt and each
 * timer has to arrive: one that does not within some seconds was lost. Built with ThreadSanitizer
 * this is its test of EM. */
#include "vmm/base/clock.h"
#include "vmm/em/em.h"

#include <string.h>

#define CPUS 4u
#define CODE 0x1000u
#define HANDLERS 0x2000u
#define DATA(cpu) (0x10000u + (cpu)*0x1000u)
#define PINGS 0x500u     /* vector 40's count, in each CPU's data */
#define PONGS 0x504u     /* vector 41's */
#define ROUNDS_AT 0x508u /* of ping-pong */
#define MMIO 0xd0000u
#define APIC 0xfee00000ull
#define MS 1000000ull
#define ROUNDS 300u
#define PATIENCE_NS (20000 * MS)

typedef struct {
    EmRooms rooms;
    Em *em;
    IomMmio *mmio;
    PgmRegion *region;
    TmTimer *timer[CPUS];
    _Atomic unsigned fired[CPUS];
    GThread *thread[CPUS];
    /* As the VM parks its CPUs. */
    GMutex lock;
    GCond changed;
    bool stop, quit;
    unsigned parked;
    _Atomic bool calm; /* noise ends */
} Storm;

typedef struct {
    Storm *storm;
    unsigned id;
} Cpu;

/* sti; hlt; jmp -4 */
static const uint8_t halts[] = {0xfb, 0xf4, 0xeb, 0xfc};
/* sti; again: lock inc word es:[di]; jmp again */
static const uint8_t locks[] = {0xfb, 0xf0, 0x26, 0xff, 0x05, 0xeb, 0xfa};
/* again: mov eax, fs:[CPU 1's pongs]; ICR = vector 41 to CPU 1; wait: pause; cmp eax, fs:[pongs];
 * je wait; inc dword [rounds]; jmp again */
static const uint8_t plays[] = {
    0x66, 0x64, 0x67, 0xa1, 0x04, 0x15, 0x01, 0x00,                               /* mov eax */
    0x66, 0x64, 0x67, 0xc7, 0x05, 0x10, 0x03, 0xe0, 0xfe, 0x00, 0x00, 0x00, 0x01, /* ICR high */
    0x66, 0x64, 0x67, 0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x41, 0x40, 0x00, 0x00, /* ICR low */
    0xf3, 0x90, 0x66, 0x64, 0x67, 0x3b, 0x05, 0x04, 0x15, 0x01, 0x00,             /* pause; cmp */
    0x74, 0xf3, 0x66, 0xff, 0x06, 0x08, 0x05, 0xeb, 0xca};
/* inc dword [count]; fs: EOI; iret */
static const uint8_t handler[] = {0x66, 0xff, 0x06, 0x00, 0x05, 0x66, 0x64, 0x67, 0xc7, 0x05,
                                  0xb0, 0x00, 0xe0, 0xfe, 0x00, 0x00, 0x00, 0x00, 0xcf};

/* --- the machine --- */

static uint8_t *
ram(const Storm *storm, uint32_t gpa)
{
    return (uint8_t *)pgm_mem_host(pgm_ram_mem(storm->rooms.pgm)) + gpa;
}

static uint32_t
count_of(const Storm *storm, unsigned cpu, uint32_t what)
{
    return __atomic_load_n((uint32_t *)(void *)ram(storm, DATA(cpu) + what), __ATOMIC_ACQUIRE);
}

static uint64_t
read_mmio(void *user, uint64_t offset, unsigned size)
{
    return 0;
}

static void
write_mmio(void *user, uint64_t offset, uint64_t value, unsigned size)
{
}

static void
on_timer(void *user)
{
    atomic_fetch_add((_Atomic unsigned *)user, 1);
}

static void
set_handler(const Storm *storm, unsigned vector, uint32_t counter)
{
    const uint32_t entry = HANDLERS + (vector - 0x40) * 0x40;
    uint8_t *code = ram(storm, entry);

    memcpy(code, handler, sizeof handler);
    code[3] = (uint8_t)counter;
    code[4] = (uint8_t)(counter >> 8);
    memcpy(ram(storm, vector * 4), &entry, sizeof entry);
}

static void
set_up_cpu(Storm *storm, unsigned id)
{
    static const struct {
        const uint8_t *code;
        size_t size;
    } programs[CPUS] = {
        {halts, sizeof halts}, {halts, sizeof halts}, {plays, sizeof plays}, {locks, sizeof locks}};
    Vcpu *vcpu = cpum_vcpu(storm->rooms.cpum, id);
    const uint32_t code = CODE + id * 0x100;

    memcpy(ram(storm, code), programs[id].code, programs[id].size);
    vcpu->activity = CPUM_ACTIVE;
    vcpu->seg[X86_CS].sel = 0;
    vcpu->seg[X86_CS].base = 0;
    vcpu->rip = code;
    vcpu->gpr[X86_RSP] = 0x8000 + id * 0x400;
    vcpu->seg[X86_DS].base = DATA(id);
    vcpu->seg[X86_ES].base = MMIO;
    vcpu->seg[X86_FS].base = 0;
    vcpu->seg[X86_FS].limit = UINT32_MAX;
    vcpu->idtr = (CpumTable){0, 0x3ff};
    cpum_update_mode(vcpu);
    pgm_bind_later(vcpu);
    storm->timer[id] = tm_timer_new_local(vcpu, "storm", on_timer, &storm->fired[id]);
}

static void
storm_open(Storm *storm, const char *engine)
{
    static const IomMmioOps ops = {.read = read_mmio, .write = write_mmio};
    const CpumConfig cpu = {
        .cpus = CPUS, .pae = true, .long_mode = true, .apic = true, .x2apic = true, .nx = true};
    const TmConfig time = {.deterministic = false};
    const EmConfig config = {.engine = engine};
    EmRooms *rooms = &storm->rooms;
    g_autoptr(GError) error = NULL;

    rooms->cpum = cpum_new(&cpu, NULL);
    rooms->iom = iom_new();
    rooms->pgm = pgm_new(rooms->cpum, rooms->iom, NULL);
    g_assert_true(pgm_ram_setup(rooms->pgm, 1 << 20, 0, NULL));
    rooms->tm = tm_new(rooms->cpum, &time, NULL);
    rooms->trpm = trpm_new(rooms->cpum, rooms->pgm, rooms->iom, rooms->tm, true, NULL);
    storm->em = em_new(rooms, &config, &error);
    g_assert_no_error(error);
    storm->mmio = iom_mmio_new(rooms->iom, "storm", &ops, storm, true);
    storm->region = pgm_region_new(
        rooms->pgm,
        &(PgmRegionInfo){
            .name = "storm", .kind = PGM_MMIO, .size = 0x1000, .priority = 3, .mmio = storm->mmio});
    pgm_region_map(storm->region, MMIO);
    set_handler(storm, 0x40, PINGS);
    set_handler(storm, 0x41, PONGS);
    for (unsigned i = 0; i < CPUS; i++) {
        set_up_cpu(storm, i);
        pgm_cpu_phys_write(cpum_vcpu(rooms->cpum, i), APIC + 0xf0, 0x1ff, 4);
    }
}

static void
storm_close(Storm *storm)
{
    for (unsigned i = 0; i < CPUS; i++)
        tm_timer_free(storm->timer[i]);
    em_free(storm->em);
    pgm_region_free(storm->region);
    iom_mmio_free(storm->mmio);
    trpm_free(storm->rooms.trpm);
    tm_free(storm->rooms.tm);
    pgm_free(storm->rooms.pgm);
    iom_free(storm->rooms.iom);
    cpum_free(storm->rooms.cpum);
    g_mutex_clear(&storm->lock);
    g_cond_clear(&storm->changed);
}

/* --- its threads --- */

/* As vm-cpu.c has it. */
static void *
run_cpu(void *user)
{
    const Cpu *cpu = user;
    Storm *storm = cpu->storm;
    Vcpu *vcpu = cpum_vcpu(storm->rooms.cpum, cpu->id);

    g_mutex_lock(&storm->lock);
    while (!storm->quit) {
        if (storm->stop) {
            storm->parked++;
            g_cond_broadcast(&storm->changed);
            while (storm->stop)
                g_cond_wait(&storm->changed, &storm->lock);
            storm->parked--;
            g_cond_broadcast(&storm->changed);
            continue;
        }
        g_mutex_unlock(&storm->lock);
        g_assert_cmpint(em_run(vcpu), ==, EM_RESULT_REQUEST);
        cpum_unpend(vcpu, CPUM_PEND_REQUEST);
        g_mutex_lock(&storm->lock);
    }
    g_mutex_unlock(&storm->lock);
    return NULL;
}

static void
park(Storm *storm)
{
    g_mutex_lock(&storm->lock);
    storm->stop = true;
    g_mutex_unlock(&storm->lock);
    for (unsigned i = 0; i < CPUS; i++)
        cpum_pend(cpum_vcpu(storm->rooms.cpum, i), CPUM_PEND_REQUEST);
    g_mutex_lock(&storm->lock);
    while (storm->parked < CPUS)
        g_cond_wait(&storm->changed, &storm->lock);
    g_mutex_unlock(&storm->lock);
    tm_pause(storm->rooms.tm);
}

static void
unpark(Storm *storm, bool quit)
{
    tm_resume(storm->rooms.tm);
    g_mutex_lock(&storm->lock);
    storm->stop = false;
    storm->quit = quit;
    g_cond_broadcast(&storm->changed);
    while (!quit && storm->parked > 0)
        g_cond_wait(&storm->changed, &storm->lock);
    g_mutex_unlock(&storm->lock);
}

static void *
make_noise(void *user)
{
    Storm *storm = user;
    g_autoptr(GRand) dice = g_rand_new_with_seed(20260101);

    while (!atomic_load(&storm->calm)) {
        Vcpu *vcpu = cpum_vcpu(storm->rooms.cpum, (unsigned)g_rand_int_range(dice, 0, CPUS));

        if (g_rand_boolean(dice))
            cpum_pend(vcpu, CPUM_PEND_KICK);
        else
            cpum_pend_inside(vcpu, CPUM_PEND_KICK);
        g_usleep((gulong)g_rand_int_range(dice, 0, 300));
    }
    return NULL;
}

/* Pauses, and an execution cap that comes and goes. */
static void *
interfere(void *user)
{
    Storm *storm = user;
    g_autoptr(GRand) dice = g_rand_new_with_seed(20260102);

    while (!atomic_load(&storm->calm)) {
        em_set_execution_cap(storm->em, g_rand_boolean(dice) ? 100 : 60);
        g_usleep((gulong)g_rand_int_range(dice, 0, 3000));
        park(storm);
        g_usleep((gulong)g_rand_int_range(dice, 0, 500));
        unpark(storm, false);
        g_usleep((gulong)g_rand_int_range(dice, 0, 3000));
    }
    em_set_execution_cap(storm->em, 100);
    return NULL;
}

/* --- the test --- */

static void
give_up(Storm *storm, const char *what, unsigned cpu)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < CPUS; i++) {
        g_string_append_printf(text, "--- CPU %u\n", i);
        em_info(cpum_vcpu(storm->rooms.cpum, i), text);
    }
    g_printerr("%s", text->str);
    g_error("%s of CPU %u was lost", what, cpu);
}

static void
ping(Storm *storm, unsigned cpu)
{
    const uint64_t end = base_clock_ns() + PATIENCE_NS;
    const uint32_t before = count_of(storm, cpu, PINGS);

    trpm_apic_message(storm->rooms.trpm, cpu, false, TRPM_FIXED, 0x40, false);
    while (count_of(storm, cpu, PINGS) == before) {
        if (base_clock_ns() > end)
            give_up(storm, "an interrupt", cpu);
        g_thread_yield();
    }
}

static void
tick(Storm *storm, unsigned cpu)
{
    const uint64_t end = base_clock_ns() + PATIENCE_NS;
    const unsigned before = atomic_load(&storm->fired[cpu]);

    tm_timer_set(storm->timer[cpu], tm_now(storm->rooms.tm) + (before % 3) * MS / 4);
    while (atomic_load(&storm->fired[cpu]) == before) {
        if (base_clock_ns() > end)
            give_up(storm, "a timer", cpu);
        g_thread_yield();
    }
}

static void
test_storm(gconstpointer engine)
{
    static const unsigned pinged[] = {0, 1, 3};
    Storm storm = {0};
    Cpu cpus[CPUS];
    GThread *noise, *interference;

    storm_open(&storm, engine);
    tm_resume(storm.rooms.tm);
    for (unsigned i = 0; i < CPUS; i++) {
        cpus[i] = (Cpu){&storm, i};
        storm.thread[i] = g_thread_new("cpu", run_cpu, &cpus[i]);
    }
    noise = g_thread_new("noise", make_noise, &storm);
    interference = g_thread_new("interference", interfere, &storm);
    for (unsigned round = 0; round < ROUNDS; round++) {
        ping(&storm, pinged[round % G_N_ELEMENTS(pinged)]);
        tick(&storm, round % CPUS);
    }
    for (uint64_t end = base_clock_ns() + PATIENCE_NS; count_of(&storm, 2, ROUNDS_AT) < 100;) {
        if (base_clock_ns() > end)
            give_up(&storm, "a guest's IPI", 1);
        g_usleep(1000);
    }
    atomic_store(&storm.calm, true);
    g_thread_join(noise);
    g_thread_join(interference);
    park(&storm);
    unpark(&storm, true);
    for (unsigned i = 0; i < CPUS; i++)
        g_thread_join(storm.thread[i]);
    g_test_message("%u rounds of ping-pong", count_of(&storm, 2, ROUNDS_AT));
    storm_close(&storm);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (const EmEngine *const *engine = em_engines(); *engine != NULL; engine++) {
        g_autofree char *path = g_strdup_printf("/em/storm/%s", (*engine)->name);

        /* KVM that emulates has no segments beyond 64 KiB in real mode. */
        if ((*engine)->counts || ((*engine)->probe(NULL) && (*engine)->rank() != EM_RANK_NEVER))
            g_test_add_data_func(path, (*engine)->name, test_storm);
    }
    return g_test_run();
}
