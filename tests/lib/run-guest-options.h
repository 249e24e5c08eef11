/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * run-guest's command line. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What --help tells of; all texts owned, NULL: not given. */
typedef struct {
    int ram, cpus;
    char *bus, *cdrom, *disk, *disk2, *floppy, *engine, *profile, *boot, *firmware, *serial, *debug;
    char **nics, **usb_hosts, **usb_remotes, **settings;
    char *usb, *usb_devices, *usb_trace;
    char *screenshot, *keys, *until, *save, *save_live, *load, *sound;
    double screenshot_every, timeout;
    gint64 instructions;
    gboolean deterministic, print_text, log, hpet, no_ioapic, statistics, digest;
} RunOptions;

/* Takes the options off the command line; false when something is left over or wrong. */
bool run_options_parse(RunOptions *options, int *argc, char ***argv, GError **error);

void run_options_clear(RunOptions *options);
