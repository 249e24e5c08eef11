/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keyboard and mouse of a running machine: the drivers under the input devices, a queue that paces
 * what a person or a script types, and the US layout for typed text. */
#pragma once

#include "vmm/pdm/pdm-vm.h"

typedef struct ConsoleInput ConsoleInput;

/* What the guest's drivers tell; on a virtual CPU's thread, with the device lock held: only pass
 * on. */
typedef struct {
    void *user;
    void (*leds)(void *user, bool num, bool caps, bool scroll);
    void (*mouse)(void *user, bool relative, bool absolute);
} ConsoleInputEvents;

/* Tells that text was typed (ok) or given up; in the input's main context. */
typedef void (*ConsoleTyped)(void *user, bool ok);

extern const PdmDriverInfo console_keyboard_driver;
extern const PdmDriverInfo console_mouse_driver;

/* Uses the thread-default main context of the caller; all functions below belong there. */
ConsoleInput *console_input_new(const ConsoleInputEvents *events);
void console_input_free(ConsoleInput *input);
/* The VM is there (or, with NULL, about to go). */
void console_input_attach(ConsoleInput *input, Pdm *pdm);

/* Bytes of scan code set 1. What doesn't fit into the guest's buffer waits here, up to 64 KiB. */
void console_input_scancodes(ConsoleInput *input, const uint8_t *codes, size_t length);
void console_input_release_keys(ConsoleInput *input);
/* False with BASE_ERROR_INVALID for a character that a US keyboard can't type; then nothing is
 * typed. */
bool console_input_type(ConsoleInput *input, const char *text, ConsoleTyped typed, void *user,
                        GError **error);
void console_input_mouse(ConsoleInput *input, int dx, int dy, int dz, int dw, unsigned buttons);
/* x and y in 0..0xffff. False when the guest has no absolute device. */
bool console_input_mouse_absolute(ConsoleInput *input, unsigned x, unsigned y, int dz, int dw,
                                  unsigned buttons);
