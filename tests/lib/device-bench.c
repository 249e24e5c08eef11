/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Builds the rooms around devices and does what a guest and a host would do. */
#include "tests/lib/device-bench.h"

#include "devices/devices.h"
#include "vmm/base/clock.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAM_SIZE (16ull << 20)
#define WAIT_NS 10000000000ull
/* In deterministic time one instruction lasts one nanosecond. */
#define DETERMINISTIC_HZ 1000000000ull

static void
on_log(void *user, const char *line)
{
    DeviceBench *bench = user;

    g_mutex_lock(&bench->lock);
    g_string_append_printf(bench->log, "%s\n", line);
    g_mutex_unlock(&bench->lock);
}

static void
on_message(void *user, PdmSeverity severity, const char *id, const char *message)
{
    DeviceBench *bench = user;

    g_mutex_lock(&bench->lock);
    g_ptr_array_add(bench->messages, g_strdup_printf("%s: %s", id, message));
    g_mutex_unlock(&bench->lock);
}

static void
on_reset(void *user)
{
    ((DeviceBench *)user)->resets++;
}

static void
on_power_off(void *user)
{
    ((DeviceBench *)user)->power_offs++;
}

PdmRegistry *
device_bench_registry(void)
{
    g_autoptr(GError) error = NULL;
    PdmRegistry *registry = pdm_registry_new();

    devices_register(registry, &error);
    g_assert_no_error(error);
    bench_drivers_register(registry, &error);
    g_assert_no_error(error);
    return registry;
}

static bool
build_rooms(DeviceBench *bench, GError **error)
{
    const CpumConfig cpu = {.cpus = 1, .pae = true, .long_mode = true, .apic = true, .nx = true};
    const TmConfig time = {.deterministic = true, .deterministic_hz = DETERMINISTIC_HZ};
    PdmRooms *rooms = &bench->rooms;

    rooms->ssm = ssm_new();
    rooms->iom = iom_new();
    return (rooms->cpum = cpum_new(&cpu, error)) != NULL &&
           (rooms->pgm = pgm_new(rooms->cpum, rooms->iom, error)) != NULL &&
           pgm_ram_setup(rooms->pgm, RAM_SIZE, 0, error) &&
           (rooms->tm = tm_new(rooms->cpum, &time, error)) != NULL &&
           (rooms->trpm = trpm_new(rooms->cpum, rooms->pgm, rooms->iom, rooms->tm, true, error)) !=
               NULL;
}

static void
register_rooms(DeviceBench *bench)
{
    const PdmRooms *rooms = &bench->rooms;

    cpum_ssm_register(rooms->cpum, rooms->ssm);
    pgm_ssm_register(rooms->pgm, rooms->ssm);
    tm_ssm_register(rooms->tm, rooms->ssm);
    trpm_ssm_register(rooms->trpm, rooms->ssm);
}

static bool
build_devices(DeviceBench *bench, GError **error)
{
    const PdmHost host = {
        .user = bench,
        .request_reset = on_reset,
        .request_power_off = on_power_off,
        .runtime_message = on_message,
        .log = on_log,
    };

    bench->pdm = pdm_new(&bench->rooms, bench->registry, &host, error);
    if (bench->pdm == NULL || !pdm_construct(bench->pdm, bench->config, error))
        return false;
    register_rooms(bench);
    pdm_power_on(bench->pdm);
    tm_resume(bench->rooms.tm);
    device_bench_reset(bench);
    return true;
}

DeviceBench *
device_bench_try(CfgmNode *config, PdmRegistry *registry, GError **error)
{
    g_autoptr(DeviceBench) bench = g_new0(DeviceBench, 1);

    g_mutex_init(&bench->lock);
    bench->log = g_string_new(NULL);
    bench->messages = g_ptr_array_new_with_free_func(g_free);
    bench->config = config != NULL ? config : cfgm_new();
    bench->owns_registry = registry == NULL;
    bench->registry = registry != NULL ? registry : device_bench_registry();
    if (!build_rooms(bench, error) || !build_devices(bench, error))
        return NULL;
    return g_steal_pointer(&bench);
}

DeviceBench *
device_bench_new(CfgmNode *config)
{
    g_autoptr(GError) error = NULL;
    DeviceBench *bench = device_bench_try(config, NULL, &error);

    g_assert_no_error(error);
    return bench;
}

void
device_bench_free(DeviceBench *bench)
{
    PdmRooms *rooms = &bench->rooms;

    pdm_free(bench->pdm);
    g_clear_pointer(&rooms->trpm, trpm_free);
    g_clear_pointer(&rooms->tm, tm_free);
    g_clear_pointer(&rooms->pgm, pgm_free);
    g_clear_pointer(&rooms->cpum, cpum_free);
    iom_free(rooms->iom);
    ssm_free(rooms->ssm);
    if (bench->owns_registry)
        pdm_registry_free(bench->registry);
    cfgm_free(bench->config);
    g_string_free(bench->log, TRUE);
    g_ptr_array_free(bench->messages, TRUE);
    g_mutex_clear(&bench->lock);
    g_free(bench);
}

CfgmNode *
device_bench_add(CfgmNode *config, const char *name, unsigned instance)
{
    return cfgm_makef(config, "Devices/%s/%u/Config", name, instance);
}

CfgmNode *
device_bench_add_driver(CfgmNode *config, const char *name, unsigned instance, unsigned lun,
                        const char *driver)
{
    CfgmNode *node = cfgm_makef(config, "Devices/%s/%u/LUN%u", name, instance, lun);

    cfgm_set_string(node, "Driver", driver);
    return cfgm_make(node, "Config");
}

void *
device_bench_data(DeviceBench *bench, const char *name, unsigned instance)
{
    PdmDevice *device = pdm_find_device(bench->pdm, name, instance);

    g_assert_nonnull(device);
    return device->data;
}

uint8_t
device_bench_in8(DeviceBench *bench, uint16_t port)
{
    return (uint8_t)iom_port_read(bench->rooms.iom, port, 1);
}

uint16_t
device_bench_in16(DeviceBench *bench, uint16_t port)
{
    return (uint16_t)iom_port_read(bench->rooms.iom, port, 2);
}

uint32_t
device_bench_in32(DeviceBench *bench, uint16_t port)
{
    return iom_port_read(bench->rooms.iom, port, 4);
}

void
device_bench_out8(DeviceBench *bench, uint16_t port, uint8_t value)
{
    iom_port_write(bench->rooms.iom, port, value, 1);
}

void
device_bench_out16(DeviceBench *bench, uint16_t port, uint16_t value)
{
    iom_port_write(bench->rooms.iom, port, value, 2);
}

void
device_bench_out32(DeviceBench *bench, uint16_t port, uint32_t value)
{
    iom_port_write(bench->rooms.iom, port, value, 4);
}

uint64_t
device_bench_read(DeviceBench *bench, uint64_t gpa, unsigned size)
{
    return pgm_cpu_phys_read(cpum_vcpu(bench->rooms.cpum, 0), gpa, size);
}

void
device_bench_write(DeviceBench *bench, uint64_t gpa, uint64_t value, unsigned size)
{
    pgm_cpu_phys_write(cpum_vcpu(bench->rooms.cpum, 0), gpa, value, size);
}

uint32_t
device_bench_pci_read(DeviceBench *bench, unsigned slot, unsigned function, uint32_t offset,
                      unsigned size)
{
    uint32_t value;

    g_rec_mutex_lock(pdm_device_lock(bench->pdm));
    value = pdm_pci_config_read(bench->pdm, slot << 3 | function, offset, size);
    g_rec_mutex_unlock(pdm_device_lock(bench->pdm));
    return value;
}

void
device_bench_pci_write(DeviceBench *bench, unsigned slot, unsigned function, uint32_t offset,
                       uint32_t value, unsigned size)
{
    g_rec_mutex_lock(pdm_device_lock(bench->pdm));
    pdm_pci_config_write(bench->pdm, slot << 3 | function, offset, value, size);
    g_rec_mutex_unlock(pdm_device_lock(bench->pdm));
}

uint64_t
device_bench_now(DeviceBench *bench)
{
    return tm_now(bench->rooms.tm);
}

void
device_bench_advance(DeviceBench *bench, uint64_t ns)
{
    Tm *tm = bench->rooms.tm;
    Vcpu *boot = cpum_vcpu(bench->rooms.cpum, 0);
    const uint64_t target = tm_now(tm) + ns;

    while (tm_next_deadline(boot) <= target) {
        tm_skip_to(tm, tm_next_deadline(boot));
        tm_run_timers(boot);
    }
    tm_skip_to(tm, target);
}

void
device_bench_oversleep(DeviceBench *bench, uint64_t ns)
{
    tm_skip_to(bench->rooms.tm, tm_now(bench->rooms.tm) + ns);
    tm_run_timers(cpum_vcpu(bench->rooms.cpum, 0));
}

void
device_bench_run_queues(DeviceBench *bench)
{
    while (pdm_queues_pending(bench->pdm))
        pdm_run_queues(bench->pdm);
}

void
device_bench_wait_queues(DeviceBench *bench)
{
    const uint64_t deadline = base_clock_ns() + WAIT_NS;

    while (!pdm_queues_pending(bench->pdm)) {
        g_assert_cmpuint(base_clock_ns(), <, deadline);
        g_usleep(200);
    }
    device_bench_run_queues(bench);
}

bool
device_bench_irq(DeviceBench *bench, unsigned irq)
{
    return pdm_isa_level(bench->pdm, irq);
}

uint64_t
device_bench_irq_edges(DeviceBench *bench, unsigned irq)
{
    return pdm_isa_edges(bench->pdm, irq);
}

bool
device_bench_gsi(DeviceBench *bench, unsigned gsi)
{
    return pdm_gsi_level(bench->pdm, gsi);
}

int
device_bench_take_interrupt(DeviceBench *bench)
{
    Vcpu *vcpu = cpum_vcpu(bench->rooms.cpum, 0);
    const uint64_t flags = vcpu->rflags;
    bool nmi = false;
    int vector;

    vcpu->rflags |= X86_FL_IF;
    vector = trpm_take_interrupt(vcpu, &nmi);
    vcpu->rflags = flags;
    return vector;
}

void
device_bench_reset(DeviceBench *bench)
{
    cpum_reset(cpum_vcpu(bench->rooms.cpum, 0), false);
    trpm_reset(bench->rooms.trpm);
    pdm_reset(bench->pdm);
    /* As firmware leaves the local APIC: on, with the PIC on LINT0 (virtual wire). */
    device_bench_write(bench, 0xfee000f0, 0x1ff, 4);
    device_bench_write(bench, 0xfee00350, 0x700, 4);
}

GBytes *
device_bench_save(DeviceBench *bench, GError **error)
{
    const int fd = memfd_create("state", MFD_CLOEXEC);
    GBytes *state = NULL;
    struct stat info;

    g_assert_cmpint(fd, >=, 0);
    if (ssm_save(bench->rooms.ssm, fd, NULL, error)) {
        char *data;

        g_assert_cmpint(fstat(fd, &info), ==, 0);
        data = g_malloc((gsize)info.st_size);
        g_assert_cmpint(pread(fd, data, (size_t)info.st_size, 0), ==, info.st_size);
        state = g_bytes_new_take(data, (gsize)info.st_size);
    }
    close(fd);
    return state;
}

bool
device_bench_load(DeviceBench *bench, GBytes *state, GError **error)
{
    const int fd = memfd_create("state", MFD_CLOEXEC);
    gsize size;
    const void *data = g_bytes_get_data(state, &size);
    bool ok;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(pwrite(fd, data, size, 0), ==, (gssize)size);
    ok = ssm_load(bench->rooms.ssm, fd, NULL, error);
    if (ok)
        pdm_loaded(bench->pdm);
    close(fd);
    return ok;
}

bool
device_bench_logged(DeviceBench *bench, const char *text)
{
    bool found;

    g_mutex_lock(&bench->lock);
    found = strstr(bench->log->str, text) != NULL;
    g_mutex_unlock(&bench->lock);
    return found;
}
