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
#include "tests/lib/run-guest-describe.h"
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

enum { EXIT_OK, EXIT_FAULT, EXIT_TIMEOUT, EXIT_TRIPLE_FAULT };

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
        !open_stream(&run->debug, run->options.debug, error) || !run_describe(run, error))
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
    const RunOptions *options = &run->options;
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
    const RunOptions *options = &run->options;
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
    g_strfreev(run->sound);
    g_strfreev(run->usb_words);
    g_free(run->screen);
    if (run->serial.text != NULL)
        g_string_free(run->serial.text, TRUE);
    if (run->debug.text != NULL)
        g_string_free(run->debug.text, TRUE);
    run_options_clear(&run->options);
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
    if (run_options_parse(&run->options, &argc, &argv, &error) &&
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
