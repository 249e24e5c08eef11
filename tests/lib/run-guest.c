/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * run-guest: runs a standard PC without window and service, for those who work on devices and
 * engines.
 *
 *   run-guest --cdrom memtest.iso --ram 64 --print-text --timeout 60
 *   run-guest --disk root.vdi --serial stdio --keys "{text:login:}root{enter}" --until "root@"
 *
 * SIGUSR2 makes it print the engine's counters. Exit status: 0 when the guest switched off, --until
 * was seen or the time without --until is over; 1: bad arguments or the machine cannot be made; 2:
 * --until was not seen in time; 3: triple fault.
 */
#include "devices/devices.h"
#include "devices/machine.h"
#include "tests/lib/run-guest-drivers.h"
#include "tests/lib/run-guest-keys.h"
#include "tests/lib/run-guest-mix.h"
#include "tests/lib/run-guest-network.h"
#include "tests/lib/run-guest-usb.h"
#include "vmm/base/clock.h"
#include "vmm/em/em.h"
#include "vmm/vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_NS 20000000ull
#define TEXT_INTERVAL_NS 500000000ull
#define STEP_INSTRUCTIONS 2000000ull
#define MEDIA_MAX 12
#define USB_DRIVE "storage:"

enum { EXIT_OK, EXIT_FAULT, EXIT_TIMEOUT, EXIT_TRIPLE_FAULT };

typedef struct {
    int ram, cpus;
    char *bus, *cdrom, *disk, *disk2, *floppy, *engine, *profile, *boot, *firmware, *serial, *debug;
    char **nics, **usb_hosts, **usb_remotes, **settings;
    char *usb, *usb_devices, *usb_trace;
    char *screenshot, *keys, *until, *save, *save_live, *load, *sound;
    double screenshot_every, timeout;
    gint64 instructions;
    gboolean deterministic, print_text, log, hpet, no_ioapic, statistics, digest;
} Options;

typedef struct {
    Options options;
    CfgmNode *config;
    PdmRegistry *registry;
    Vmm *vmm;
    RunDisplay display;
    RunChar serial, debug;
    RunKeys *keys;
    RunMix mix;
    RunNetwork network;
    RunUsb usb;
    MachineMedium media[MEDIA_MAX];
    char **sound; /* card, back end */
    char **usb_words;
    char *screen; /* the text at the last look */
    uint64_t start_ns, next_text_ns, next_shot_ns;
    gint off, stuck; /* set by events */
} Run;

static void
on_guest_power_off(void *user)
{
    g_atomic_int_set(&((Run *)user)->off, 1);
}

static void
on_triple_fault(void *user, const char *registers)
{
    fprintf(stderr, "run-guest: triple fault\n%s", registers);
    g_atomic_int_set(&((Run *)user)->stuck, 1);
}

static void
on_message(void *user, PdmSeverity severity, const char *id, const char *message)
{
    fprintf(stderr, "run-guest: %s: %s\n", id, message);
}

static void
on_log(void *user, const char *line)
{
    const Run *run = user;

    if (run->options.log)
        fprintf(stderr, "%10.6f %s\n", (double)(base_clock_ns() - run->start_ns) / 1e9, line);
}

static bool
open_stream(RunChar *stream, const char *where, GError **error)
{
    stream->text = g_string_new(NULL);
    stream->in = stream->out = -1;
    if (where == NULL)
        return true;
    if (strcmp(where, "stdio") == 0) {
        stream->in = STDIN_FILENO;
        stream->out = STDOUT_FILENO;
        return true;
    }
    stream->out = open(where, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (stream->out >= 0)
        return true;
    base_error_set_errno(error, errno, "%s", where);
    return false;
}

/* The kinds of controllers that --bus names. */
typedef struct {
    const char *name;
    MachineBus bus;
    bool optical; /* takes the CD drive too */
} BusName;

static const BusName bus_names[] = {
    {"ide", MACHINE_BUS_IDE, true},
    {"sata", MACHINE_BUS_SATA, true},
    {"nvme", MACHINE_BUS_NVME, false},
    {"sas", MACHINE_BUS_SAS, true},
    {"scsi", MACHINE_BUS_SCSI, true},
    {"virtio-blk", MACHINE_BUS_VIRTIO_BLK, false},
    {"virtio-scsi", MACHINE_BUS_VIRTIO_SCSI, true},
    {"usb", MACHINE_BUS_USB, true},
};

static const BusName *
find_bus(const char *name, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bus_names); i++) {
        if (name == NULL || strcmp(bus_names[i].name, name) == 0)
            return &bus_names[i];
    }
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "There is no bus \"%s\"", name);
    return NULL;
}

/* Where the drives are: primary master and slave, secondary master; or ports 0, 1 and 2. */
static MachineMedium
at_bus(const BusName *bus, unsigned index, PdmMediaType type, const char *path)
{
    const bool ide = bus->bus == MACHINE_BUS_IDE;

    return (MachineMedium){
        .bus = bus->bus,
        .port = ide ? index / 2 : index,
        .device = ide ? index % 2 : 0,
        .type = type,
        .path = path,
        .discard = type == PDM_MEDIA_DISK,
    };
}

static bool
describe_media(Run *run, size_t *count, GError **error)
{
    const Options *options = &run->options;
    const BusName *bus = find_bus(options->bus, error);
    MachineMedium *media = run->media;

    if (bus == NULL)
        return false;
    if (options->disk != NULL)
        *media++ = at_bus(bus, 0, PDM_MEDIA_DISK, options->disk);
    if (options->disk2 != NULL)
        *media++ = at_bus(bus, 1, PDM_MEDIA_DISK, options->disk2);
    if (options->cdrom != NULL)
        *media++ = at_bus(bus->optical ? bus : &bus_names[0], 2, PDM_MEDIA_OPTICAL, options->cdrom);
    if (options->floppy != NULL)
        *media++ = (MachineMedium){
            .bus = MACHINE_BUS_FLOPPY, .type = PDM_MEDIA_FLOPPY, .path = options->floppy};
    *count = (size_t)(media - run->media);
    return true;
}

/* CARD[,BACKEND[:FILE]]; what the guest plays is heard, and it hears what is said. */
static void
describe_sound(Run *run, MachineSound *sound)
{
    g_auto(GStrv) words = NULL;

    if (run->options.sound == NULL)
        return;
    run->sound = g_strsplit(run->options.sound, ",", 2);
    *sound = (MachineSound){.card = run->sound[0], .output = true, .input = true};
    if (run->sound[1] == NULL)
        return;
    words = g_strsplit(run->sound[1], ":", 2);
    g_free(run->sound[1]);
    run->sound[1] = g_strdup(words[0]);
    sound->backend = run->sound[1];
    sound->file = words[1] ? strstr(run->options.sound, ":") + 1 : NULL;
}

/* Sets what a list with commas names. */
static bool
choose(const char *list, const char *const *names, bool *const *flags, GError **error)
{
    g_auto(GStrv) words = g_strsplit(list != NULL ? list : "", ",", -1);

    for (char **word = words; *word != NULL; word++) {
        unsigned i = 0;

        while (names[i] != NULL && strcmp(names[i], *word) != 0)
            i++;
        if (names[i] == NULL) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "There is no USB \"%s\"", *word);
            return false;
        }
        *flags[i] = true;
    }
    return true;
}

/* Takes the drives out of the list of devices: "storage:FILE". Returns the others. */
static char *
take_usb_drives(Run *run, size_t *count)
{
    const char *list = run->options.usb_devices;
    g_autoptr(GPtrArray) others = g_ptr_array_new();
    unsigned port = 0;

    run->usb_words = g_strsplit(list != NULL ? list : "", ",", -1);
    for (char **word = run->usb_words; *word != NULL; word++) {
        if (!g_str_has_prefix(*word, USB_DRIVE) || *count == MEDIA_MAX) {
            g_ptr_array_add(others, *word);
            continue;
        }
        run->media[(*count)++] = (MachineMedium){
            .bus = MACHINE_BUS_USB,
            .port = port++,
            .type = PDM_MEDIA_DISK,
            .path = *word + strlen(USB_DRIVE),
        };
    }
    g_ptr_array_add(others, NULL);
    return g_strjoinv(",", (char **)others->pdata);
}

static bool
describe_usb(Run *run, MachineSpec *spec, GError **error)
{
    MachineUsb *usb = &spec->usb;
    g_autofree char *others = take_usb_drives(run, &spec->media_count);
    static const char *const controllers[] = {"ohci", "ehci", "xhci", NULL};
    static const char *const devices[] = {"tablet", "mouse", "keyboard", "hub", NULL};
    bool *const controller_flags[] = {&usb->ohci, &usb->ehci, &usb->xhci};
    bool *const device_flags[] = {&usb->tablet, &usb->mouse, &usb->keyboard, &usb->hub};

    return choose(run->options.usb, controllers, controller_flags, error) &&
           choose(others, devices, device_flags, error);
}

/* "Devices/virtio-net/0/Config/Interface=legacy", as extra data has such keys. */
static bool
apply_settings(char **settings, CfgmNode *root, GError **error)
{
    for (; settings != NULL && *settings != NULL; settings++) {
        g_auto(GStrv) halves = g_strsplit(*settings, "=", 2);
        g_autofree char *node = g_path_get_dirname(halves[0]);
        g_autofree char *key = g_path_get_basename(halves[0]);

        if (halves[1] == NULL) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "\"%s\" is no PATH=VALUE",
                        *settings);
            return false;
        }
        cfgm_set_string(cfgm_make(root, node), key, halves[1]);
    }
    return true;
}

static bool
describe(Run *run, GError **error)
{
    const Options *options = &run->options;
    MachineSpec spec;

    machine_spec_init(&spec);
    spec.ram_size = (uint64_t)MAX(options->ram, 1) << 20;
    spec.cpus = (unsigned)MAX(options->cpus, 1);
    spec.engine = run_mix_first(&run->mix, options->engine);
    spec.cpu_profile = options->profile;
    spec.boot_order = options->boot;
    spec.firmware = options->firmware;
    spec.deterministic = options->deterministic;
    spec.hpet = options->hpet;
    spec.ioapic = !options->no_ioapic;
    spec.boot_menu = false; /* nobody is there to press a key */
    spec.display_driver = RUN_DISPLAY_DRIVER;
    if (options->debug != NULL)
        spec.debug_driver = RUN_CHAR_DRIVER;
    if (options->serial != NULL)
        spec.serial[0] = (MachinePort){.enabled = true, .driver = RUN_CHAR_DRIVER};
    describe_sound(run, &spec.sound);
    spec.media = run->media;
    if (!run_network_init(&run->network, options->nics, error))
        return false;
    memcpy(spec.adapters, run->network.adapters, sizeof(spec.adapters));
    if (!describe_media(run, &spec.media_count, error) || !describe_usb(run, &spec, error))
        return false;
    return machine_build_config(&spec, run->config, error) &&
           apply_settings(options->settings, run->config, error);
}

static void
hand_over(Pdm *pdm, void *user)
{
    Run *run = user;
    const MachinePlace serial = machine_serial_place(0);

    pdm_set_driver_host(pdm, MACHINE_DISPLAY.device, 0, 0, &run->display);
    pdm_set_driver_host(pdm, serial.device, serial.instance, serial.lun, &run->serial);
    pdm_set_driver_host(pdm, "debugcon", 0, 0, &run->debug);
}

static bool
transfer_state(Run *run, const char *path, bool save, GError **error)
{
    const int flags = save ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY;
    const int fd = open(path, flags | O_CLOEXEC, 0666);
    bool ok;

    if (fd < 0) {
        base_error_set_errno(error, errno, "%s", path);
        return false;
    }
    ok = save ? vmm_save(run->vmm, fd, NULL, error) : vmm_load(run->vmm, fd, NULL, error);
    close(fd);
    return ok;
}

/* In the middle of the run, which goes on until the text is seen once more. */
static bool
save_live(Run *run, GError **error)
{
    const VmmLiveSave hooks = {0};
    const uint64_t begin = base_clock_ns();
    const int fd = open(run->options.save_live, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    uint64_t pause_ns;
    bool ok;

    if (fd < 0) {
        base_error_set_errno(error, errno, "%s", run->options.save_live);
        return false;
    }
    ok = vmm_save_live(run->vmm, fd, &hooks, &pause_ns, error);
    close(fd);
    if (ok)
        printf("saved live: pause %.1f ms of %.2f s\n", (double)pause_ns / 1e6,
               (double)(base_clock_ns() - begin) / 1e9);
    g_clear_pointer(&run->options.save_live, g_free);
    g_rec_mutex_lock(pdm_device_lock(vmm_pdm(run->vmm)));
    g_string_truncate(run->serial.text, 0);
    g_rec_mutex_unlock(pdm_device_lock(vmm_pdm(run->vmm)));
    return ok;
}

static bool
set_up(Run *run, GError **error)
{
    const VmmEvents events = {
        .user = run,
        .runtime_message = on_message,
        .guest_power_off = on_guest_power_off,
        .triple_fault = on_triple_fault,
        .log = on_log,
    };
    VmmConfig config = {.events = events};

    run->registry = pdm_registry_new();
    run->config = cfgm_new();
    config.config = run->config;
    config.registry = run->registry;
    if (!devices_register(run->registry, error) || !run_drivers_register(run->registry, error) ||
        !open_stream(&run->serial, run->options.serial, error) ||
        !open_stream(&run->debug, run->options.debug, error) || !describe(run, error))
        return false;
    if (run->options.keys != NULL) {
        run->keys = run_keys_new(run->options.keys, error);
        if (run->keys == NULL)
            return false;
    }
    if (run->options.log) {
        g_autofree char *dump = cfgm_dump(run->config);

        fputs(dump, stderr);
    }
    run->vmm = vmm_create(&config, hand_over, run, error);
    if (run->vmm == NULL ||
        !run_usb_init(&run->usb, run->options.usb_hosts, run->options.usb_remotes,
                      run->options.usb_trace, vmm_pdm(run->vmm), error))
        return false;
    return run->options.load == NULL || transfer_state(run, run->options.load, false, error);
}

/* Prints the screen's lines that are not empty. */
static void
print_screen(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    puts("---- screen ----");
    for (char **line = lines; *line != NULL; line++) {
        g_strchomp(*line);
        if (**line != '\0')
            puts(*line);
    }
    fflush(stdout);
}

static void
look_at_screen(Run *run, uint64_t now_ns)
{
    char *text;

    if (now_ns < run->next_text_ns)
        return;
    run->next_text_ns = now_ns + TEXT_INTERVAL_NS;
    run_display_update(&run->display);
    text = run_display_text(&run->display);
    if (run->options.print_text && text != NULL && g_strcmp0(text, run->screen) != 0)
        print_screen(text);
    g_free(run->screen);
    run->screen = text;
}

static void
take_picture(Run *run, uint64_t now_ns)
{
    const Options *options = &run->options;
    g_autoptr(GError) error = NULL;

    if (options->screenshot == NULL || options->screenshot_every <= 0 || now_ns < run->next_shot_ns)
        return;
    run->next_shot_ns = now_ns + (uint64_t)(options->screenshot_every * 1e9);
    if (!run_display_write(&run->display, options->screenshot, &error))
        fprintf(stderr, "run-guest: %s\n", error->message);
}

static bool
seen(const Run *run)
{
    const char *until = run->options.until;

    return until != NULL && ((run->screen != NULL && strstr(run->screen, until) != NULL) ||
                             strstr(run->serial.text->str, until) != NULL);
}

static bool
out_of_time(const Run *run, uint64_t now_ns)
{
    VmmStatistics statistics;

    vmm_statistics(run->vmm, &statistics);
    return (run->options.timeout > 0 &&
            (double)(now_ns - run->start_ns) > run->options.timeout * 1e9) ||
           (run->options.instructions > 0 &&
            statistics.instructions >= (uint64_t)run->options.instructions);
}

/* What CPU 0 did with its time, and its engines' own counters, a line each. */
static void
print_counters(const Run *run)
{
    g_autoptr(GString) text = g_string_new(NULL);

    em_info(cpum_vcpu(vmm_rooms(run->vmm).cpum, 0), text);
    fprintf(stderr, "%srun-guest: end of counters\n", text->str);
}

static sigset_t
asking_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    return signals;
}

/* Somebody outside wants to know, by SIGUSR2, or pulls at a cable, by SIGUSR1; every thread has
 * them blocked. */
static void
answer_signal(Run *run)
{
    const sigset_t signals = asking_signals();
    const struct timespec at_once = {0};
    const int signal = sigtimedwait(&signals, NULL, &at_once);

    if (signal == SIGUSR1)
        run_network_change_cable(&run->network, vmm_pdm(run->vmm));
    else if (signal == SIGUSR2)
        print_counters(run);
}

/* One look at the machine: -1: go on, else the exit status. */
static int
tick(Run *run)
{
    const uint64_t now_ns = base_clock_ns();

    answer_signal(run);
    look_at_screen(run, now_ns);
    take_picture(run, now_ns);
    run_char_poll(&run->serial);
    g_rec_mutex_lock(pdm_device_lock(vmm_pdm(run->vmm)));
    const bool done = seen(run);

    run_usb_poll(&run->usb, vmm_pdm(run->vmm));
    if (run->keys != NULL)
        run_keys_step(run->keys, vmm_pdm(run->vmm), now_ns, run->screen, run->serial.text->str);
    g_rec_mutex_unlock(pdm_device_lock(vmm_pdm(run->vmm)));
    if (g_atomic_int_get(&run->stuck))
        return EXIT_TRIPLE_FAULT;
    if (done || g_atomic_int_get(&run->off))
        return done || run->options.until == NULL ? EXIT_OK : EXIT_TIMEOUT;
    if (out_of_time(run, now_ns))
        return run->options.until != NULL ? EXIT_TIMEOUT : EXIT_OK;
    return -1;
}

/* How far the next step of the deterministic mode goes. */
static uint64_t
next_step(Run *run)
{
    VmmStatistics statistics;
    uint64_t left = STEP_INSTRUCTIONS;

    vmm_statistics(run->vmm, &statistics);
    if (run->options.instructions > 0)
        left = (uint64_t)run->options.instructions - statistics.instructions;
    return run_mix_next(&run->mix, run->vmm, MIN(left, STEP_INSTRUCTIONS));
}

static void
print_digest(const Run *run)
{
    g_autofree char *digest = run_mix_digest(run->vmm);

    printf("state: %s\n", digest);
}

static int
run_machine(Run *run, GError **error)
{
    int status = -1;

    run->start_ns = base_clock_ns();
    if (!run->options.deterministic && !vmm_power_on(run->vmm, error))
        return EXIT_FAULT;
    while (status < 0) {
        if (!run->options.deterministic)
            base_clock_sleep_until(base_clock_ns() + TICK_NS);
        else if (vmm_state(run->vmm) != VMM_OFF && vmm_state(run->vmm) != VMM_STUCK &&
                 !vmm_step(run->vmm, next_step(run), error))
            return EXIT_FAULT;
        status = tick(run);
        if (status == EXIT_OK && run->options.save_live != NULL && !g_atomic_int_get(&run->off)) {
            if (!save_live(run, error))
                return EXIT_FAULT;
            status = -1;
        }
    }
    return status;
}

static void
print_statistics(const Run *run)
{
    VmmStatistics statistics;
    const double seconds = (double)(base_clock_ns() - run->start_ns) / 1e9;
    g_autoptr(GString) info = g_string_new(NULL);

    vmm_statistics(run->vmm, &statistics);
    fprintf(stderr,
            "run-guest: engine %s, %.1f s, %.1f million instructions, %.1f million a second in the "
            "engine, halted %.1f s, virtual %.1f s, CPU %.1f s\n",
            vmm_engine_name(run->vmm), seconds, (double)statistics.instructions / 1e6,
            statistics.engine_ns > 0
                ? (double)statistics.instructions * 1e3 / (double)statistics.engine_ns
                : 0,
            (double)statistics.halted_ns / 1e9, (double)statistics.virtual_ns / 1e9,
            (double)base_clock_cpu_ns() / 1e9);
    em_info(cpum_vcpu(vmm_rooms(run->vmm).cpum, 0), info);
    fputs(info->str, stderr);
}

static bool
finish(Run *run, GError **error)
{
    const Options *options = &run->options;
    bool ok = true;

    run->next_text_ns = 0;
    look_at_screen(run, base_clock_ns());
    if (options->statistics) {
        /* Times are complete when the CPU stands still. */
        vmm_pause(run->vmm, VMM_PAUSE_USER, NULL);
        print_statistics(run);
        print_counters(run);
    }
    if (options->screenshot != NULL)
        ok = run_display_write(&run->display, options->screenshot, error);
    if (ok && options->save != NULL)
        ok = vmm_pause(run->vmm, VMM_PAUSE_USER, error) &&
             transfer_state(run, options->save, true, error);
    return ok;
}

static void
free_options(Options *options)
{
    char *texts[] = {options->cdrom,  options->disk,    options->disk2,       options->floppy,
                     options->engine, options->profile, options->boot,        options->firmware,
                     options->serial, options->debug,   options->screenshot,  options->keys,
                     options->until,  options->save,    options->save_live,   options->load,
                     options->sound,  options->usb,     options->usb_devices, options->usb_trace};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
}

static void
tear_down(Run *run)
{
    if (run->vmm != NULL) {
        vmm_pause(run->vmm, VMM_PAUSE_USER, NULL);
        run_usb_clear(&run->usb, vmm_pdm(run->vmm));
    }
    vmm_destroy(run->vmm);
    pdm_registry_free(run->registry);
    cfgm_free(run->config);
    run_keys_free(run->keys);
    run_mix_clear(&run->mix);
    run_network_clear(&run->network);
    g_strfreev(run->options.nics);
    g_strfreev(run->options.usb_hosts);
    g_strfreev(run->options.settings);
    g_strfreev(run->options.usb_remotes);
    g_strfreev(run->sound);
    g_strfreev(run->usb_words);
    g_free(run->screen);
    if (run->serial.text != NULL)
        g_string_free(run->serial.text, TRUE);
    if (run->debug.text != NULL)
        g_string_free(run->debug.text, TRUE);
    free_options(&run->options);
}

static bool
parse(Options *options, int *argc, char ***argv, GError **error)
{
    /* clang-format off */
    const GOptionEntry entries[] = {
        { "ram", 0, 0, G_OPTION_ARG_INT, &options->ram, "Memory in MiB (128)", "MIB" },
        { "cpus", 0, 0, G_OPTION_ARG_INT, &options->cpus, "Virtual CPUs (1)", "N" },
        { "cdrom", 0, 0, G_OPTION_ARG_FILENAME, &options->cdrom, "Optical image, secondary master", "ISO" },
        { "bus", 0, 0, G_OPTION_ARG_STRING, &options->bus, "What disks and CD are attached to: ide, sata, sas, scsi, nvme, virtio-blk, virtio-scsi", "BUS" },
        { "disk", 0, 0, G_OPTION_ARG_FILENAME, &options->disk, "Disk image, primary master", "FILE" },
        { "disk2", 0, 0, G_OPTION_ARG_FILENAME, &options->disk2, "Disk image, primary slave", "FILE" },
        { "floppy", 0, 0, G_OPTION_ARG_FILENAME, &options->floppy, "Floppy image, drive A", "FILE" },
        { "nic", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->nics, "Network card: MODEL[,nat[,forward=tcp:HOST:GUEST][,tftp=DIR][,boot=FILE]|,fd=N|,tap=N][,mac=…][,trace=FILE]", "CARD" },
        { "config", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->settings, "A value in the configuration tree: Devices/DEVICE/N/Config/KEY=VALUE", "PATH=VALUE" },
        { "usb", 0, 0, G_OPTION_ARG_STRING, &options->usb, "USB controllers: ohci, ehci, xhci", "LIST" },
        { "usb-device", 0, 0, G_OPTION_ARG_STRING, &options->usb_devices, "USB devices: tablet, mouse, keyboard, hub (with all the others at it), storage:FILE", "LIST" },
        { "usb-host", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->usb_hosts, "A USB device of the host; with @hub at the emulated hub", "BUS.ADDRESS" },
        { "usb-remote", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->usb_remotes, "A USB device of a usbredir peer: HOST:PORT or a path, with listen: before it for a server", "ADDRESS" },
        { "usb-trace", 0, 0, G_OPTION_ARG_FILENAME, &options->usb_trace, "Record the traffic of the first such device (pcapng)", "FILE" },
        { "boot", 0, 0, G_OPTION_ARG_STRING, &options->boot, "Boot order (dvd,disk,floppy,network)", "LIST" },
        { "firmware", 0, 0, G_OPTION_ARG_FILENAME, &options->firmware, "BIOS image", "FILE" },
        { "engine", 0, 0, G_OPTION_ARG_STRING, &options->engine, "Execution engine (auto); iem+rem: in turns", "NAME" },
        { "profile", 0, 0, G_OPTION_ARG_STRING, &options->profile, "CPU profile", "NAME" },
        { "hpet", 0, 0, G_OPTION_ARG_NONE, &options->hpet, "With an HPET", NULL },
        { "no-ioapic", 0, 0, G_OPTION_ARG_NONE, &options->no_ioapic, "Without an I/O APIC", NULL },
        { "serial", 0, 0, G_OPTION_ARG_STRING, &options->serial, "COM1", "stdio|FILE" },
        { "sound", 0, 0, G_OPTION_ARG_STRING, &options->sound, "A sound card: ac97,pulse or ac97,wav:FILE", "CARD,BACKEND" },
        { "debug-port", 0, 0, G_OPTION_ARG_STRING, &options->debug, "The firmware's debug port 0x402", "stdio|FILE" },
        { "deterministic", 0, 0, G_OPTION_ARG_NONE, &options->deterministic, "Time from instructions", NULL },
        { "instructions", 0, 0, G_OPTION_ARG_INT64, &options->instructions, "End after so many", "N" },
        { "screenshot", 0, 0, G_OPTION_ARG_FILENAME, &options->screenshot, "Picture at the end (.ppm, .png)", "FILE" },
        { "screenshot-every", 0, 0, G_OPTION_ARG_DOUBLE, &options->screenshot_every, "… and every so many seconds", "S" },
        { "keys", 0, 0, G_OPTION_ARG_STRING, &options->keys, "Type: ls{enter} {ctrl-alt-del} {wait:2} {text:login:} {point:X,Y,BUTTONS}", "KEYS" },
        { "print-text", 0, 0, G_OPTION_ARG_NONE, &options->print_text, "Print the text screen as it changes", NULL },
        { "until", 0, 0, G_OPTION_ARG_STRING, &options->until, "End when screen or COM1 show this", "TEXT" },
        { "timeout", 0, 0, G_OPTION_ARG_DOUBLE, &options->timeout, "End after so many seconds", "S" },
        { "save", 0, 0, G_OPTION_ARG_FILENAME, &options->save, "Save the state at the end", "FILE" },
        { "save-live", 0, 0, G_OPTION_ARG_FILENAME, &options->save_live, "Save it when --until is seen, and go on until it is seen again", "FILE" },
        { "load", 0, 0, G_OPTION_ARG_FILENAME, &options->load, "Start from a saved state", "FILE" },
        { "log", 0, 0, G_OPTION_ARG_NONE, &options->log, "The machine's log on standard error", NULL },
        { "digest", 0, 0, G_OPTION_ARG_NONE, &options->digest, "Print a digest of the state at the end", NULL },
        { "statistics", 0, 0, G_OPTION_ARG_NONE, &options->statistics, "Print speed at the end", NULL },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    /* clang-format on */
    GOptionContext *context = g_option_context_new("- run a guest without window and service");
    bool ok;

    g_option_context_add_main_entries(context, entries, NULL);
    ok = g_option_context_parse(context, argc, argv, error);
    g_option_context_free(context);
    if (ok && *argc > 1) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "What is \"%s\"? See --help",
                    (*argv)[1]);
        return false;
    }
    return ok;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    const sigset_t signals = asking_signals();
    Run *run = g_new0(Run, 1);
    int status = EXIT_FAULT;

    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* threads inherit it */
    run->options.ram = 128;
    run->start_ns = base_clock_ns();
    if (parse(&run->options, &argc, &argv, &error) &&
        run_mix_init(&run->mix, run->options.engine, &error) && set_up(run, &error)) {
        status = run_machine(run, &error);
        if (run->options.digest)
            print_digest(run);
        if (error == NULL && !finish(run, &error))
            status = EXIT_FAULT;
    }
    if (error != NULL)
        fprintf(stderr, "run-guest: %s\n", error->message);
    tear_down(run);
    g_free(run);
    return status;
}
