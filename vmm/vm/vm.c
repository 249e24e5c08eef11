/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The VM object: makes the rooms in the order in which they need each other, then the devices.
 * Manual, chapter "Technical background". */
#include "vmm/vm/vm-private.h"

#include "vmm/base/memory.h"
#include "vmm/hm/hm.h"

#include <string.h>

#define MIB (1ull << 20)
#define RAM_MIN MIB
#define CPUS_MAX 8u
#define RAM_MAX (512ull << 30)
/* Below 4 GiB there has to be room for PCI: RAM that would reach into it goes above 4 GiB from 3
 * GiB on, as the i440FX's firmware expects. */
#define RAM_LOW_MAX 0xe0000000ull
#define RAM_LOW_SPLIT 0xc0000000ull
#define GUEST_LOG_BURST 20
/* A guest's CPU that stands still for so long is told in the log. */
#define HEARTBEAT_NS 10000000000ull
#define GUEST_LOG_INTERVAL_NS 10000000000ull

static void
on_log(void *user, const char *line)
{
    const Vmm *vmm = user;

    if (vmm->events.log != NULL)
        vmm->events.log(vmm->events.user, line);
}

static void
on_request_reset(void *user)
{
    vm_request(user, VM_REQUEST_RESET);
}

static void
on_request_power_off(void *user)
{
    vm_request(user, VM_REQUEST_POWER_OFF);
}

static void
on_runtime_message(void *user, PdmSeverity severity, const char *id, const char *message)
{
    vm_send(user, VM_EVENT_MESSAGE, severity, id, message);
    if (severity == PDM_RUNTIME_PAUSE)
        vm_request(user, VM_REQUEST_PAUSE);
    else if (severity == PDM_RUNTIME_FATAL)
        vm_request(user, VM_REQUEST_STOP);
}

static void
run_queues(void *user)
{
    pdm_run_queues(user);
}

static bool
make_cpus(Vmm *vmm, const CfgmNode *config, GError **error)
{
    CpumConfig cpu = {
        .profile = cfgm_string(config, "CpuProfile", NULL),
        .pae = cfgm_bool(config, "PAE", true),
        .long_mode = cfgm_bool(config, "LongMode", true),
        .apic = cfgm_bool(config, "APIC", true),
        .x2apic = cfgm_bool(config, "X2APIC", true),
        .nx = cfgm_bool(config, "PAE", true),
        .repeatable = cfgm_bool(cfgm_child(config, "TM"), "Deterministic", false),
        .log = vmm->log,
    };
    const uint64_t cpus = cfgm_uint(config, "CpuCount", 1);

    if (cpus < 1 || cpus > CPUS_MAX) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "A machine has 1 to %u virtual CPUs; %" G_GUINT64_FORMAT " were asked for",
                    CPUS_MAX, cpus);
        return false;
    }
    if (cpus > 1 && cfgm_bool(cfgm_child(config, "TM"), "Deterministic", false)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                    "A machine in deterministic mode has one virtual CPU");
        return false;
    }
    if (cpus > 1 && !cpu.apic) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                    "Several virtual CPUs need local APICs");
        return false;
    }
    cpu.cpus = (unsigned)cpus;
    vmm->rooms.cpum = cpum_new(&cpu, error);
    return vmm->rooms.cpum != NULL;
}

static bool
make_memory(Vmm *vmm, const CfgmNode *config, GError **error)
{
    uint64_t ram, low;

    if (!cfgm_query_uint(config, "RamSize", RAM_MIN, RAM_MAX, &ram, error))
        return false;
    ram &= ~(MIB - 1);
    low = ram < RAM_LOW_MAX ? ram : RAM_LOW_SPLIT;
    vmm->rooms.pgm = pgm_new(vmm->rooms.cpum, vmm->rooms.iom, error);
    return vmm->rooms.pgm != NULL && pgm_ram_setup(vmm->rooms.pgm, low, ram - low, error);
}

static bool
make_time(Vmm *vmm, const CfgmNode *config, GError **error)
{
    const CfgmNode *node = cfgm_child(config, "TM");
    const TmConfig time = {
        .deterministic = cfgm_bool(node, "Deterministic", false),
        .deterministic_hz = cfgm_uint(node, "DeterministicHz", 100000000),
        .wall_offset_ns = (int64_t)cfgm_uint(node, "UtcOffsetNs", 0),
    };

    vmm->rooms.tm = tm_new(vmm->rooms.cpum, &time, error);
    return vmm->rooms.tm != NULL;
}

static bool
make_rooms(Vmm *vmm, const CfgmNode *config, GError **error)
{
    EmRooms *rooms = &vmm->rooms;
    const CfgmNode *em = cfgm_child(config, "EM");
    const EmConfig engine = {
        .engine = cfgm_string(em, "Engine", "auto"),
        .no_hardware = !cfgm_bool(em, "HardwareVirtualization", true),
        .small_pages = !cfgm_bool(em, "LargePages", true),
    };

    rooms->iom = iom_new();
    if (!make_cpus(vmm, config, error) || !make_memory(vmm, config, error) ||
        !make_time(vmm, config, error))
        return false;
    rooms->trpm = trpm_new(rooms->cpum, rooms->pgm, rooms->iom, rooms->tm,
                           cfgm_bool(config, "APIC", true), error);
    if (rooms->trpm == NULL)
        return false;
    pgm_ssm_register(rooms->pgm, vmm->ssm);
    cpum_ssm_register(rooms->cpum, vmm->ssm);
    trpm_ssm_register(rooms->trpm, vmm->ssm);
    vmm->em = em_new(rooms, &engine, error);
    if (vmm->em == NULL)
        return false;
    vmm_set_execution_cap(vmm, (unsigned)MIN(cfgm_uint(config, "CpuExecutionCap", 100), 100));
    return true;
}

static bool
make_devices(Vmm *vmm, const VmmConfig *config, void (*prepare)(Pdm *pdm, void *user), void *user,
             GError **error)
{
    const EmRooms *rooms = &vmm->rooms;
    const PdmRooms pdm_rooms = {
        .cpum = rooms->cpum,
        .pgm = rooms->pgm,
        .iom = rooms->iom,
        .tm = rooms->tm,
        .trpm = rooms->trpm,
        .ssm = vmm->ssm,
    };
    const PdmHost host = {
        .user = vmm,
        .request_reset = on_request_reset,
        .request_power_off = on_request_power_off,
        .runtime_message = on_runtime_message,
        .log = on_log,
    };

    vmm->pdm = pdm_new(&pdm_rooms, config->registry, &host, error);
    if (vmm->pdm == NULL)
        return false;
    em_set_queue_hook(vmm->em, run_queues, vmm->pdm);
    if (prepare != NULL)
        prepare(vmm->pdm, user);
    if (!pdm_construct(vmm->pdm, config->config, error))
        return false;
    /* After the devices: their timers are saved with TM. */
    tm_ssm_register(rooms->tm, vmm->ssm);
    pdm_power_on(vmm->pdm);
    return true;
}

static void
on_heartbeat(void *user, const char *text)
{
    base_log(((Vmm *)user)->log, "em", "%s", text);
}

/* Where a machine may have hardware virtualization and does not get it, its log says why. */
static void
log_engine(const Vmm *vmm, const CfgmNode *em)
{
    const bool asked = strcmp(cfgm_string(em, "Engine", "auto"), "auto") == 0 &&
                       cfgm_bool(em, "HardwareVirtualization", true);

    base_log(vmm->log, "vm", "created, engine %s", vmm_engine_name(vmm));
    if (asked && hm_host()->kind != HM_HOST_HARDWARE)
        base_log(vmm->log, "vm", "no hardware virtualization: %s", hm_host()->reason);
}

Vmm *
vmm_create(const VmmConfig *config, void (*prepare)(Pdm *pdm, void *user), void *user,
           GError **error)
{
    Vmm *vmm = g_new0(Vmm, 1);
    bool ok;

    vmm->events = config->events;
    vmm->log = base_log_new(on_log, vmm);
    vmm->guest_limit =
        (BaseLogLimit){.burst = GUEST_LOG_BURST, .interval_ns = GUEST_LOG_INTERVAL_NS};
    g_mutex_init(&vmm->guest_limit.lock);
    vmm->reset_on_triple_fault =
        cfgm_bool(cfgm_child(config->config, "EM"), "TripleFaultReset", false);
    g_mutex_init(&vmm->transition);
    g_mutex_init(&vmm->lock);
    g_cond_init(&vmm->changed);
    g_queue_init(&vmm->event_queue);
    vmm->ssm = ssm_new();
    vm_control_start(vmm);
    g_mutex_lock(&vmm->transition);
    ok = make_rooms(vmm, config->config, error) && make_devices(vmm, config, prepare, user, error);
    if (ok) {
        vmm->cpu = g_new0(VmCpu, cpum_count(vmm->rooms.cpum));
        vm_do_reset(vmm);
    }
    g_mutex_unlock(&vmm->transition);
    if (!ok) {
        vmm_destroy(vmm);
        return NULL;
    }
    log_engine(vmm, cfgm_child(config->config, "EM"));
    em_watch(vmm->em, HEARTBEAT_NS, on_heartbeat, vmm);
    return vmm;
}

void
vmm_destroy(Vmm *vmm)
{
    EmRooms *rooms;

    if (vmm == NULL)
        return;
    rooms = &vmm->rooms;
    if (vmm->pdm != NULL)
        vmm_power_off(vmm);
    vm_control_end(vmm);
    g_clear_pointer(&vmm->em, em_free);
    pdm_free(vmm->pdm);
    g_clear_pointer(&rooms->trpm, trpm_free);
    g_clear_pointer(&rooms->tm, tm_free);
    g_clear_pointer(&rooms->pgm, pgm_free);
    g_clear_pointer(&rooms->cpum, cpum_free);
    iom_free(rooms->iom);
    ssm_free(vmm->ssm);
    g_cond_clear(&vmm->changed);
    g_mutex_clear(&vmm->lock);
    g_mutex_clear(&vmm->transition);
    base_log_free(vmm->log);
    g_mutex_clear(&vmm->guest_limit.lock);
    g_free(vmm->cpu);
    g_free(vmm);
}

Pdm *
vmm_pdm(Vmm *vmm)
{
    return vmm->pdm;
}

EmRooms
vmm_rooms(Vmm *vmm)
{
    return vmm->rooms;
}

void
vmm_set_execution_cap(Vmm *vmm, unsigned percent)
{
    if (percent != em_execution_cap(vmm->em))
        base_log(vmm->log, "vm", "execution cap %u %%", percent);
    em_set_execution_cap(vmm->em, percent);
}

const char *
vmm_engine_name(const Vmm *vmm)
{
    return em_engine_name(cpum_vcpu(vmm->rooms.cpum, 0));
}

void
vmm_statistics(const Vmm *vmm, VmmStatistics *out)
{
    *out = (VmmStatistics){
        .virtual_ns = tm_now(vmm->rooms.tm),
        .resident_bytes = base_memory_resident(),
    };
    for (unsigned i = 0; i < cpum_count(vmm->rooms.cpum); i++) {
        const Vcpu *vcpu = cpum_vcpu(vmm->rooms.cpum, i);

        out->instructions += vcpu->retired;
        out->engine_ns += em_time_in_engine_ns(vcpu);
        out->halted_ns += em_time_halted_ns(vcpu);
    }
}

/* "name value" lines of one CPU. */
static void
append_info(GString *out, unsigned cpu, const char *lines)
{
    g_auto(GStrv) all = g_strsplit(lines, "\n", -1);

    for (unsigned i = 0; all[i] != NULL; i++) {
        const char *space = strchr(all[i], ' ');

        if (space != NULL)
            g_string_append_printf(out, "cpu%u.%.*s: %s\n", cpu, (int)(space - all[i]), all[i],
                                   space + 1);
    }
}

void
vmm_engine_info(const Vmm *vmm, GString *out)
{
    for (unsigned i = 0; i < cpum_count(vmm->rooms.cpum); i++) {
        g_autoptr(GString) lines = g_string_new(NULL);

        em_info(cpum_vcpu(vmm->rooms.cpum, i), lines);
        append_info(out, i, lines->str);
    }
}
