/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PS/2 keyboard and mouse as the 8042 controller sees them: byte streams in both directions.
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboard" and "Auxiliary Device". */
#pragma once

#include "vmm/pdm/pdm.h"

#define PS2_QUEUE_SIZE 256u

/* What a device has sent and the controller has not yet fetched. */
typedef struct {
    uint8_t data[PS2_QUEUE_SIZE];
    uint16_t head, count; /* head < PS2_QUEUE_SIZE, count <= PS2_QUEUE_SIZE */
} Ps2Queue;
extern const SsmField ps2_queue_fields[];

static inline unsigned
ps2_queue_room(const Ps2Queue *queue)
{
    return PS2_QUEUE_SIZE - queue->count;
}
bool ps2_queue_push(Ps2Queue *queue, uint8_t byte);
uint8_t ps2_queue_pop(Ps2Queue *queue); /* 0 when empty */
void ps2_queue_clear(Ps2Queue *queue);

typedef struct {
    Ps2Queue queue;
    uint8_t command;  /* waits for its argument; 0: none */
    uint8_t scan_set; /* 1..3 */
    uint8_t leds;     /* bit 0 scroll, 1 num, 2 caps */
    uint8_t rate;
    uint8_t last; /* for Resend */
    bool scanning;
    const PdmKeyboardConnector *connector; /* may be NULL */
} Ps2Keyboard;
extern const SsmField ps2_keyboard_fields[];

void ps2_keyboard_reset(Ps2Keyboard *keyboard);
/* A byte from the host system to the keyboard. */
void ps2_keyboard_write(Ps2Keyboard *keyboard, uint8_t byte);
/* A byte of scan code set 1 from the person; false when the queue is full. */
bool ps2_keyboard_key(Ps2Keyboard *keyboard, uint8_t code);
/* Checks and republishes after a load. */
bool ps2_keyboard_loaded(Ps2Keyboard *keyboard, GError **error);

typedef struct {
    Ps2Queue queue;
    uint8_t command; /* waits for its argument; 0: none */
    uint8_t id;      /* 0 standard, 3 wheel, 4 wheel and five buttons */
    uint8_t rate, resolution;
    uint8_t rate_history[2];
    uint8_t last_buttons;
    bool scaling21, remote, wrap, reporting;
    uint8_t buttons;
    int32_t dx, dy, dz;                 /* not yet sent, each within +-4096 */
    const PdmMouseConnector *connector; /* may be NULL */
} Ps2Mouse;
extern const SsmField ps2_mouse_fields[];

void ps2_mouse_reset(Ps2Mouse *mouse);
void ps2_mouse_write(Ps2Mouse *mouse, uint8_t byte);
void ps2_mouse_move(Ps2Mouse *mouse, int dx, int dy, int dz, unsigned buttons);
/* The controller fetched a byte: sends what has moved since. */
void ps2_mouse_flush(Ps2Mouse *mouse);
bool ps2_mouse_loaded(Ps2Mouse *mouse, GError **error);
