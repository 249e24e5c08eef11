/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The host halves that run-guest puts under a machine: a screen in memory and a character stream to
 * a file or the terminal. */
#pragma once

#include "vmm/pdm/pdm-vm.h"

#define RUN_DISPLAY_DRIVER "run-display"
#define RUN_CHAR_DRIVER "run-char"

/* Handed over with pdm_set_driver_host(). */
typedef struct {
    PdmDriver *driver; /* set by the driver */
    PdmSurface surface;
    unsigned frames; /* that had something new */
} RunDisplay;

typedef struct {
    int out, in;   /* descriptors; in -1: no input */
    GString *text; /* everything that was sent, for --until; read under the device lock */
    PdmDriver *driver;
} RunChar;

bool run_drivers_register(PdmRegistry *registry, GError **error);

/* Draws what changed. */
void run_display_update(RunDisplay *display);
/* The screen's text, UTF-8; NULL in graphics modes. g_free(). */
char *run_display_text(RunDisplay *display);
/* PPM, or PNG where the name ends so. */
bool run_display_write(RunDisplay *display, const char *path, GError **error);
/* Moves waiting input into the guest. */
void run_char_poll(RunChar *stream);
