/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * run-guest's command line. */
#include "tests/lib/run-guest-options.h"

#include "vmm/base/error.h"

bool
run_options_parse(RunOptions *options, int *argc, char ***argv, GError **error)
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

void
run_options_clear(RunOptions *options)
{
    char *texts[] = {options->bus,      options->cdrom,  options->disk,    options->disk2,
                     options->floppy,   options->engine, options->profile, options->boot,
                     options->firmware, options->serial, options->debug,   options->screenshot,
                     options->keys,     options->until,  options->save,    options->save_live,
                     options->load,     options->sound,  options->usb,     options->usb_devices,
                     options->usb_trace};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_strfreev(options->nics);
    g_strfreev(options->usb_hosts);
    g_strfreev(options->settings);
    g_strfreev(options->usb_remotes);
}
