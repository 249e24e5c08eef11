/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A guest screen as shared memory (app/api/surface-layout.h): the display driver under a graphics
 * device, and the thread that asks the device for what changed. */
#pragma once

#include "app/api/surface-layout.h"
#include "vmm/pdm/pdm-vm.h"

typedef struct ConsoleDisplay ConsoleDisplay;

/* Called after the picture or the mode changed, on the display's thread, without locks. */
typedef struct {
    void *user;
    void (*updated)(void *user);
    void (*resized)(void *user, unsigned width, unsigned height);
} ConsoleDisplayEvents;

/* The driver of this screen; hand the object over with pdm_set_driver_host(). */
extern const PdmDriverInfo console_display_driver;

ConsoleDisplay *console_display_new(const ConsoleDisplayEvents *events, GError **error);
/* Only after console_display_stop() and after the VM is gone. */
void console_display_free(ConsoleDisplay *display);

/* Starts and stops the thread; pdm lives in between. */
void console_display_start(ConsoleDisplay *display, Pdm *pdm);
void console_display_stop(ConsoleDisplay *display);

/* The shared memory; stays the display's. From now on somebody looks. */
int console_display_descriptor(ConsoleDisplay *display);
/* The present picture as a PNG file. Any thread but the display's own. */
GBytes *console_display_png(ConsoleDisplay *display, GError **error);
/* The same, made smaller where it is larger than this. */
GBytes *console_display_small_png(ConsoleDisplay *display, unsigned max_width, unsigned max_height,
                                  GError **error);
/* Text on the screen in a text mode, else NULL. Free with g_free(). */
char *console_display_text(ConsoleDisplay *display);
uint64_t console_display_updates(const ConsoleDisplay *display);
void console_display_size(ConsoleDisplay *display, unsigned *width, unsigned *height);
