/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The VM object with a guest of 26 bytes: states, events, requests of the guest, triple faults,
 * saved state, exact stepping. */
#include "vmm/base/clock.h"
#include "vmm/vmm.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROM_SIZE 0x10000u
#define WAIT_NS 20000000000ull

enum {
    COMMAND_NONE,
    COMMAND_RESET,
    COMMAND_OFF,
    COMMAND_MESSAGE,
    COMMAND_FAULT,
    COMMAND_HALT,
    COMMAND_FATAL
};

/* Port F0: "I am up". Port F1 reads as a command, which comes back at port F2; FAULT and HALT the
 * guest does itself. */
static const uint8_t guest_code[] = {
    0xb0, 0x01,                   /* 00: mov al, 1 */
    0xe6, 0xf0,                   /* 02: out f0, al */
    0xe4, 0xf1,                   /* 04: in al, f1 */
    0xe6, 0xf2,                   /* 06: out f2, al */
    0x3c, 0x04,                   /* 08: cmp al, 4 */
    0x74, 0x08,                   /* 0a: je 14 */
    0x3c, 0x05,                   /* 0c: cmp al, 5 */
    0x75, 0xf4,                   /* 0e: jne 04 */
    0xf4,                         /* 10: hlt */
    0xeb, 0xf1,                   /* 11: jmp 04 */
    0x90,                         /* 13: nop */
    0x0f, 0x01, 0x1e, 0x00, 0x05, /* 14: lidt [500], which is empty */
    0xcc,                         /* 19: int3 */
};
static const uint8_t reset_code[] = {0xe9, 0x0d, 0x00}; /* fff0: jmp 0000 */

typedef struct {
    PdmDevice *device;
    uint32_t loops;      /* saved */
    gint boots, command; /* shared with the test's thread */
} Guest;

static uint32_t
port_read(void *user, uint32_t offset, unsigned size)
{
    Guest *guest = user;

    guest->loops++;
    return offset == 1 ? (uint32_t)g_atomic_int_exchange(&guest->command, COMMAND_NONE) : 0xff;
}

static void
port_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Guest *guest = user;

    if (offset == 0)
        g_atomic_int_inc(&guest->boots);
    else if (value == COMMAND_RESET)
        pdm_request_reset(guest->device);
    else if (value == COMMAND_OFF)
        pdm_request_power_off(guest->device);
    else if (value == COMMAND_MESSAGE)
        pdm_runtime_message(guest->device, PDM_RUNTIME_PAUSE, "disk-full", "The disk is full.");
    else if (value == COMMAND_FATAL)
        pdm_runtime_message(guest->device, PDM_RUNTIME_FATAL, "broken", "It is broken.");
}

static bool
guest_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    static const IomPortOps ops = {.read = port_read, .write = port_write, .sizes = 1};
    g_autofree uint8_t *rom = g_malloc0(ROM_SIZE);
    Guest *guest = device->data;
    PgmRegion *region;

    guest->device = device;
    memcpy(rom, guest_code, sizeof(guest_code));
    memcpy(rom + 0xfff0, reset_code, sizeof(reset_code));
    region = pdm_rom_new(device, "rom", rom, ROM_SIZE, error);
    if (region == NULL)
        return false;
    pdm_region_map(device, region, 0xffff0000);
    pdm_ports_map(device, pdm_ports_new(device, "ports", 3, &ops, guest), 0xf0);
    return true;
}

static const SsmField guest_fields[] = {SSM_UINT(Guest, loops), SSM_END};
static const SsmState guest_state = {.version = 1, .min_version = 1, .fields = guest_fields};

static const PdmDeviceInfo guest_device = {
    .abi = PDM_ABI_VERSION,
    .name = "guest",
    .title = "Guest of the test",
    .kind = PDM_KIND_OTHER,
    .instance_size = sizeof(Guest),
    .max_instances = 1,
    .construct = guest_construct,
    .state = &guest_state,
};

typedef struct {
    PdmRegistry *registry;
    CfgmNode *config;
    Vmm *vmm;
    Guest *guest;
    GMutex lock;
    GCond changed;
    GString *told; /* what the events said, in order */
    char *registers;
    unsigned log_lines;
} Machine;

static void
tell(Machine *machine, const char *word)
{
    g_mutex_lock(&machine->lock);
    g_string_append_printf(machine->told, "%s ", word);
    g_cond_broadcast(&machine->changed);
    g_mutex_unlock(&machine->lock);
}

static void
on_state(void *user, VmmState state)
{
    static const char *const names[] = {"created", "running", "paused", "stuck", "off"};

    tell(user, names[state]);
}

static void
on_message(void *user, PdmSeverity severity, const char *id, const char *message)
{
    tell(user, id);
}

static void
on_power_off(void *user)
{
    tell(user, "guest-off");
}

static void
on_reset(void *user)
{
    tell(user, "guest-reset");
}

static void
on_triple_fault(void *user, const char *registers)
{
    ((Machine *)user)->registers = g_strdup(registers);
    tell(user, "triple-fault");
}

static void
expect_told(Machine *machine, const char *text)
{
    const gint64 deadline = g_get_monotonic_time() + (gint64)(WAIT_NS / 1000);

    g_mutex_lock(&machine->lock);
    while (strlen(machine->told->str) < strlen(text) &&
           g_cond_wait_until(&machine->changed, &machine->lock, deadline))
        ;
    g_assert_cmpstr(machine->told->str, ==, text);
    g_mutex_unlock(&machine->lock);
}

static void
on_log(void *user, const char *line)
{
    Machine *machine = user;

    g_mutex_lock(&machine->lock);
    machine->log_lines++;
    g_mutex_unlock(&machine->lock);
}

static Vmm *
create(Machine *machine, GError **error)
{
    const VmmConfig config = {
        .config = machine->config,
        .registry = machine->registry,
        .events = {machine, on_state, on_message, on_power_off, on_reset, on_triple_fault, on_log},
    };

    return vmm_create(&config, NULL, NULL, error);
}

static Machine *
machine_new(bool deterministic, bool fault_resets)
{
    Machine *machine = g_new0(Machine, 1);
    g_autoptr(GError) error = NULL;

    g_mutex_init(&machine->lock);
    g_cond_init(&machine->changed);
    machine->told = g_string_new(NULL);
    machine->registry = pdm_registry_new();
    pdm_registry_add_device(machine->registry, &guest_device, &error);
    g_assert_no_error(error);
    machine->config = cfgm_new();
    cfgm_set_uint(machine->config, "RamSize", 1 << 20);
    cfgm_set_uint(cfgm_make(machine->config, "TM"), "Deterministic", deterministic);
    cfgm_set_uint(cfgm_make(machine->config, "EM"), "TripleFaultReset", fault_resets);
    cfgm_make(machine->config, "Devices/guest/0/Config");
    machine->vmm = create(machine, &error);
    g_assert_no_error(error);
    machine->guest = pdm_find_device(vmm_pdm(machine->vmm), "guest", 0)->data;
    return machine;
}

static void
machine_free(Machine *machine)
{
    vmm_destroy(machine->vmm);
    pdm_registry_free(machine->registry);
    cfgm_free(machine->config);
    g_string_free(machine->told, TRUE);
    g_free(machine->registers);
    g_cond_clear(&machine->changed);
    g_mutex_clear(&machine->lock);
    g_free(machine);
}

static void
wait_for_boots(Machine *machine, int boots)
{
    const uint64_t deadline = base_clock_ns() + WAIT_NS;

    while (g_atomic_int_get(&machine->guest->boots) < boots) {
        g_assert_cmpuint(base_clock_ns(), <, deadline);
        g_usleep(500);
    }
    g_assert_cmpint(g_atomic_int_get(&machine->guest->boots), ==, boots);
}

static void
command(Machine *machine, int value)
{
    g_atomic_int_set(&machine->guest->command, value);
}

static uint64_t
instructions(Machine *machine)
{
    VmmStatistics statistics;

    vmm_statistics(machine->vmm, &statistics);
    return statistics.instructions;
}

static void
expect_creation_failure(Machine *machine, BaseError code, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(create(machine, &error));
    g_assert_error(error, BASE_ERROR, (int)code);
    g_assert_nonnull(strstr(error->message, text));
}

static void
test_creation_failures(void)
{
    Machine *machine = machine_new(false, false);

    cfgm_set_uint(machine->config, "RamSize", 1);
    expect_creation_failure(machine, BASE_ERROR_INVALID, "RamSize");
    cfgm_set_uint(machine->config, "RamSize", 1 << 20);
    cfgm_set_uint(machine->config, "CpuCount", 9);
    expect_creation_failure(machine, BASE_ERROR_INVALID, "1 to 8");
    cfgm_set_uint(machine->config, "CpuCount", 2);
    cfgm_set_uint(cfgm_make(machine->config, "TM"), "Deterministic", true);
    expect_creation_failure(machine, BASE_ERROR_NOT_SUPPORTED, "one virtual CPU");
    cfgm_set_uint(cfgm_make(machine->config, "TM"), "Deterministic", false);
    cfgm_set_uint(machine->config, "CpuCount", 1);
    cfgm_make(machine->config, "Devices/absent/0");
    expect_creation_failure(machine, BASE_ERROR_NOT_FOUND, "absent");
    machine_free(machine);
}

static void
test_pause(void)
{
    Machine *machine = machine_new(false, false);
    g_autoptr(GError) error = NULL;
    uint64_t before;

    g_assert_false(vmm_pause(machine->vmm, VMM_PAUSE_USER, NULL)); /* does not run yet */
    g_assert_true(vmm_power_on(machine->vmm, &error));
    g_assert_false(vmm_power_on(machine->vmm, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_STATE);
    wait_for_boots(machine, 1);
    g_assert_true(vmm_pause(machine->vmm, VMM_PAUSE_USER, NULL));
    g_assert_true(vmm_pause(machine->vmm, VMM_PAUSE_USER, NULL));
    before = instructions(machine);
    g_usleep(20000);
    g_assert_cmpuint(instructions(machine), ==, before);
    g_assert_true(vmm_resume(machine->vmm, NULL));
    g_assert_true(vmm_resume(machine->vmm, NULL));
    while (instructions(machine) == before)
        g_usleep(500);
    vmm_power_off(machine->vmm);
    vmm_power_off(machine->vmm);
    g_assert_false(vmm_resume(machine->vmm, NULL));
    g_assert_false(vmm_reset(machine->vmm, NULL));
    expect_told(machine, "running paused running off ");
    machine_free(machine);
}

static void
test_reset(void)
{
    Machine *machine = machine_new(false, false);

    g_assert_true(vmm_power_on(machine->vmm, NULL));
    wait_for_boots(machine, 1);
    g_assert_true(vmm_reset(machine->vmm, NULL));
    wait_for_boots(machine, 2);
    command(machine, COMMAND_RESET);
    wait_for_boots(machine, 3);
    expect_told(machine, "running guest-reset ");
    /* A paused machine stays paused. */
    g_assert_true(vmm_pause(machine->vmm, VMM_PAUSE_USER, NULL));
    g_assert_true(vmm_reset(machine->vmm, NULL));
    g_assert_cmpint(vmm_state(machine->vmm), ==, VMM_PAUSED);
    g_usleep(5000);
    g_assert_cmpint(g_atomic_int_get(&machine->guest->boots), ==, 3);
    g_assert_true(vmm_resume(machine->vmm, NULL));
    wait_for_boots(machine, 4);
    machine_free(machine); /* while it runs */
}

static void
test_guest_power_off(void)
{
    Machine *machine = machine_new(false, false);

    g_assert_true(vmm_power_on(machine->vmm, NULL));
    command(machine, COMMAND_OFF);
    expect_told(machine, "running off guest-off ");
    g_assert_cmpint(vmm_state(machine->vmm), ==, VMM_OFF);
    machine_free(machine);
}

static void
test_runtime_messages(void)
{
    Machine *machine = machine_new(false, false);

    g_assert_true(vmm_power_on(machine->vmm, NULL));
    wait_for_boots(machine, 1);
    command(machine, COMMAND_MESSAGE);
    expect_told(machine, "running disk-full paused ");
    g_assert_true(vmm_resume(machine->vmm, NULL));
    command(machine, COMMAND_FATAL);
    expect_told(machine, "running disk-full paused running broken off ");
    machine_free(machine);
}

static void
test_triple_fault(void)
{
    Machine *machine = machine_new(false, false);

    g_assert_true(vmm_power_on(machine->vmm, NULL));
    wait_for_boots(machine, 1);
    command(machine, COMMAND_FAULT);
    expect_told(machine, "running stuck triple-fault ");
    g_assert_nonnull(strstr(machine->registers, "rip=0000000000000019"));
    g_assert_false(vmm_pause(machine->vmm, VMM_PAUSE_USER, NULL));
    g_assert_true(vmm_reset(machine->vmm, NULL));
    wait_for_boots(machine, 2);
    expect_told(machine, "running stuck triple-fault running ");
    machine_free(machine);
}

static void
test_triple_fault_resets(void)
{
    Machine *machine = machine_new(false, true);

    g_assert_true(vmm_power_on(machine->vmm, NULL));
    wait_for_boots(machine, 1);
    command(machine, COMMAND_FAULT);
    wait_for_boots(machine, 2);
    expect_told(machine, "running guest-reset ");
    machine_free(machine);
}

static void
test_halted(void)
{
    Machine *machine = machine_new(false, false);
    uint64_t before;

    g_assert_true(vmm_power_on(machine->vmm, NULL));
    wait_for_boots(machine, 1);
    command(machine, COMMAND_HALT);
    do {
        before = instructions(machine);
        g_usleep(10000);
    } while (instructions(machine) != before);
    g_assert_true(vmm_pause(machine->vmm, VMM_PAUSE_USER, NULL));
    g_assert_true(vmm_resume(machine->vmm, NULL));
    g_usleep(5000);
    g_assert_cmpuint(instructions(machine), ==, before); /* still halted */
    g_assert_true(vmm_reset(machine->vmm, NULL));
    wait_for_boots(machine, 2);
    machine_free(machine);
}

static int
save(Machine *machine)
{
    const int fd = memfd_create("state", MFD_CLOEXEC);
    g_autoptr(GError) error = NULL;

    vmm_save(machine->vmm, fd, NULL, &error);
    g_assert_no_error(error);
    return fd;
}

static GBytes *
contents(int fd)
{
    struct stat info;
    uint8_t *data;

    g_assert_cmpint(fstat(fd, &info), ==, 0);
    data = g_malloc((gsize)info.st_size);
    g_assert_cmpint(pread(fd, data, (size_t)info.st_size, 0), ==, info.st_size);
    return g_bytes_new_take(data, (gsize)info.st_size);
}

static void
test_step_and_state(void)
{
    Machine *first = machine_new(true, false), *second = machine_new(true, false);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) state = NULL, again = NULL;
    int fd, fd_again;

    g_assert_true(vmm_step(first->vmm, 3, &error));
    g_assert_cmpuint(instructions(first), ==, 3); /* jmp, mov, out */
    g_assert_cmpint(first->guest->boots, ==, 1);
    g_assert_true(vmm_step(first->vmm, 100000, &error));
    g_assert_cmpuint(instructions(first), ==, 100003);
    fd = save(first);
    lseek(fd, 0, SEEK_SET);
    g_assert_true(vmm_load(second->vmm, fd, NULL, &error));
    g_assert_no_error(error);
    close(fd);
    g_assert_cmpuint(second->guest->loops, ==, first->guest->loops);

    g_assert_true(vmm_step(first->vmm, 777, &error));
    g_assert_true(vmm_step(second->vmm, 777, &error));
    fd = save(first);
    fd_again = save(second);
    state = contents(fd);
    again = contents(fd_again);
    g_assert_true(g_bytes_equal(state, again));
    close(fd);
    close(fd_again);
    /* The guest's wishes count here too. */
    second->guest->command = COMMAND_OFF;
    g_assert_true(vmm_step(second->vmm, 100, &error));
    g_assert_cmpint(vmm_state(second->vmm), ==, VMM_OFF);
    first->guest->command = COMMAND_FAULT;
    g_assert_true(vmm_step(first->vmm, 100, &error));
    g_assert_cmpint(vmm_state(first->vmm), ==, VMM_STUCK);
    machine_free(first);
    machine_free(second);
}

static void
test_load_and_run(void)
{
    Machine *first = machine_new(false, false), *second = machine_new(false, false);
    g_autoptr(GError) error = NULL;
    uint32_t loops;
    int fd;

    g_assert_true(vmm_power_on(first->vmm, NULL));
    wait_for_boots(first, 1);
    g_usleep(2000);
    g_assert_false(vmm_save(first->vmm, -1, NULL, &error)); /* it runs */
    g_clear_error(&error);
    g_assert_true(vmm_pause(first->vmm, VMM_PAUSE_USER, NULL));
    loops = first->guest->loops;
    fd = save(first);
    lseek(fd, 0, SEEK_SET);
    vmm_load(second->vmm, fd, NULL, &error);
    g_assert_no_error(error);
    close(fd);
    g_assert_cmpuint(second->guest->loops, ==, loops);
    g_assert_true(vmm_power_on(second->vmm, NULL));
    command(second, COMMAND_OFF);
    expect_told(second, "running off guest-off ");
    /* It went on where it was: it did not start again. */
    g_assert_cmpint(second->guest->boots, ==, 0);
    g_assert_cmpuint(second->guest->loops, >, loops);
    machine_free(first);
    machine_free(second);
}

/* A guest that resets the machine without end does not fill the host's disk. */
static void
test_endless_resets(void)
{
    Machine *machine = machine_new(false, false);

    g_assert_true(vmm_power_on(machine->vmm, NULL));
    for (int i = 1; i <= 200; i++) {
        wait_for_boots(machine, i);
        command(machine, COMMAND_RESET);
    }
    wait_for_boots(machine, 201);
    g_assert_true(vmm_pause(machine->vmm, VMM_PAUSE_USER, NULL));
    g_assert_cmpuint(machine->log_lines, >, 5);
    g_assert_cmpuint(machine->log_lines, <, 100);
    machine_free(machine);
}

/* Everything at once, from two threads. */
static void *
hammer(void *data)
{
    Machine *machine = data;

    for (unsigned i = 0; i < 50; i++) {
        vmm_pause(machine->vmm, VMM_PAUSE_USER, NULL);
        vmm_resume(machine->vmm, NULL);
        command(machine, i % 2 == 0 ? COMMAND_RESET : COMMAND_MESSAGE);
        if (i % 5 == 0)
            vmm_reset(machine->vmm, NULL);
    }
    return NULL;
}

static void
test_races(void)
{
    Machine *machine = machine_new(false, false);
    GThread *other;

    g_assert_true(vmm_power_on(machine->vmm, NULL));
    other = g_thread_new("hammer", hammer, machine);
    hammer(machine);
    g_thread_join(other);
    g_assert_true(vmm_pause(machine->vmm, VMM_PAUSE_USER, NULL));
    g_assert_true(vmm_resume(machine->vmm, NULL));
    vmm_power_off(machine->vmm);
    g_assert_cmpint(vmm_state(machine->vmm), ==, VMM_OFF);
    machine_free(machine);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vm/creation-failures", test_creation_failures);
    g_test_add_func("/vm/pause", test_pause);
    g_test_add_func("/vm/reset", test_reset);
    g_test_add_func("/vm/guest-power-off", test_guest_power_off);
    g_test_add_func("/vm/runtime-messages", test_runtime_messages);
    g_test_add_func("/vm/triple-fault", test_triple_fault);
    g_test_add_func("/vm/triple-fault-resets", test_triple_fault_resets);
    g_test_add_func("/vm/halted", test_halted);
    g_test_add_func("/vm/step-and-state", test_step_and_state);
    g_test_add_func("/vm/load-and-run", test_load_and_run);
    g_test_add_func("/vm/endless-resets", test_endless_resets);
    g_test_add_func("/vm/races", test_races);
    return g_test_run();
}
