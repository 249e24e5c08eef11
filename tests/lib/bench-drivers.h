/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Fake drivers for tests of devices: they keep what the device gave them and give what the test put
 * in. Configure "bench-media", "bench-char", "bench-display", "bench-keyboard" or "bench-mouse" at
 * a LUN; then find the object here. */
#pragma once

#include "vmm/pdm/pdm-vm.h"

typedef struct {
    GByteArray *data; /* the medium; the test fills it */
    bool present, read_only;
    uint32_t sector_size;
    int fail;           /* errno for all requests from now on; 0: none */
    unsigned in_pieces; /* of the requests */
    bool hold;          /* requests wait until bench_media_complete() */
    GQueue held;        /* PdmIoRequest */
    GQueue finished;    /* PdmIoRequest whose completion is on its way */
    unsigned requests, flushes, ejects, cancels;
    PdmQueue *queue;
    PdmDriver *driver;
    PdmActivity activity;
    PdmMediaConnector connector;
} BenchMedia;

typedef struct {
    GByteArray *sent; /* what the guest wrote */
    size_t room;      /* how much more is taken; SIZE_MAX: everything */
    unsigned baud, data_bits, stop_bits;
    char parity;
    bool dtr, rts, break_on;
    unsigned ready_calls;
    PdmCharConnector connector;
} BenchChar;

typedef struct {
    PdmSurface surface;
    unsigned resizes, dirty_calls;
    uint32_t dirty_width, dirty_height; /* of the last report */
    uint32_t cursor_width, cursor_height;
    bool no_memory; /* resize gives a surface of width 0 */
    PdmDisplayConnector connector;
} BenchDisplay;

typedef struct {
    bool num, caps, scroll;
    PdmKeyboardConnector connector;
} BenchKeyboard;

typedef struct {
    bool relative, absolute;
    PdmMouseConnector connector;
} BenchMouse;

bool bench_drivers_register(PdmRegistry *registry, GError **error);

/* The fake at a LUN; the test ends when there is none. */
BenchMedia *bench_media(Pdm *pdm, const char *device, unsigned instance, unsigned lun);
BenchChar *bench_char(Pdm *pdm, const char *device, unsigned instance, unsigned lun);
BenchDisplay *bench_display(Pdm *pdm, const char *device, unsigned instance, unsigned lun);
BenchKeyboard *bench_keyboard(Pdm *pdm, const char *device, unsigned instance, unsigned lun);
BenchMouse *bench_mouse(Pdm *pdm, const char *device, unsigned instance, unsigned lun);

/* Lets every held request complete. */
void bench_media_complete(BenchMedia *media);
/* Puts a medium in or takes it out (size 0), and tells the device. */
void bench_media_change(BenchMedia *media, const void *data, size_t size);
/* Gives the device bytes, as many as it takes; returns how many. */
size_t bench_char_receive(Pdm *pdm, const char *device, unsigned instance, unsigned lun,
                          const void *data, size_t size);
