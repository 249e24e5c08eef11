/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PS/2 keyboard: commands, and scan codes in the set that the guest chose. IBM PS/2 Hardware
 * Interface Technical Reference, "Keyboards (101- and 102-key)". */
#include "devices/input/ps2.h"

#define ACK 0xfa
#define RESEND 0xfe

/* Make codes of sets 2 and 3 by make code of set 1; 0: no such key. */
static const uint8_t set2_of_set1[128] = {
    0x00, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66, 0x0d,
    0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14, 0x1c, 0x1b,
    0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a, 0x22, 0x21, 0x2a,
    0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05, 0x06, 0x04, 0x0c, 0x03,
    0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c, 0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69,
    0x72, 0x7a, 0x70, 0x71, 0x84, 0x60, 0x61, 0x78, 0x07, 0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f,
    0x47, 0x4f, 0x56, 0x5e, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38, 0x40, 0x48, 0x50, 0x57, 0x6f,
    0x13, 0x19, 0x39, 0x51, 0x53, 0x5c, 0x5f, 0x62, 0x63, 0x64, 0x65, 0x67, 0x68, 0x6a, 0x6d, 0x6e,
};

static void
publish_leds(Ps2Keyboard *keyboard)
{
    if (keyboard->connector)
        keyboard->connector->leds(keyboard->connector->user, keyboard->leds & 2, keyboard->leds & 4,
                                  keyboard->leds & 1);
}

static void
send(Ps2Keyboard *keyboard, uint8_t byte)
{
    keyboard->last = byte;
    ps2_queue_push(&keyboard->queue, byte);
}

static void
set_defaults(Ps2Keyboard *keyboard)
{
    keyboard->scan_set = 2;
    keyboard->rate = 0x2b;
    keyboard->command = 0;
}

void
ps2_keyboard_reset(Ps2Keyboard *keyboard)
{
    ps2_queue_clear(&keyboard->queue);
    set_defaults(keyboard);
    keyboard->leds = 0;
    keyboard->scanning = true;
    publish_leds(keyboard);
}

/* The argument of a command that takes one. */
static void
take_argument(Ps2Keyboard *keyboard, uint8_t command, uint8_t byte)
{
    keyboard->command = 0;
    switch (command) {
    case 0xed:
        keyboard->leds = byte & 7;
        publish_leds(keyboard);
        break;
    case 0xf3: keyboard->rate = byte & 0x7f; break;
    case 0xf0:
        if (byte > 3) {
            send(keyboard, RESEND);
            return;
        }
        send(keyboard, ACK);
        if (byte == 0)
            send(keyboard, keyboard->scan_set);
        else
            keyboard->scan_set = byte;
        return;
    default: break; /* FB..FD: key types of set 3, all keys stay make-break */
    }
    send(keyboard, ACK);
}

void
ps2_keyboard_write(Ps2Keyboard *keyboard, uint8_t byte)
{
    if (keyboard->command && byte < 0xed) {
        take_argument(keyboard, keyboard->command, byte);
        return;
    }
    keyboard->command = 0;
    switch (byte) {
    case 0xee: send(keyboard, 0xee); break;
    case 0xed:
    case 0xf0:
    case 0xf3:
    case 0xfb:
    case 0xfc:
    case 0xfd:
        keyboard->command = byte;
        send(keyboard, ACK);
        break;
    case 0xf2:
        send(keyboard, ACK);
        send(keyboard, 0xab);
        send(keyboard, 0x83);
        break;
    case 0xf4:
    case 0xf5:
    case 0xf6:
        ps2_queue_clear(&keyboard->queue);
        if (byte != 0xf4)
            set_defaults(keyboard);
        keyboard->scanning = byte != 0xf5;
        send(keyboard, ACK);
        break;
    case 0xf7:
    case 0xf8:
    case 0xf9:
    case 0xfa: send(keyboard, ACK); break;
    case 0xfe: send(keyboard, keyboard->last); break;
    case 0xff:
        ps2_keyboard_reset(keyboard);
        send(keyboard, ACK);
        send(keyboard, 0xaa);
        break;
    default: send(keyboard, RESEND); break;
    }
}

bool
ps2_keyboard_key(Ps2Keyboard *keyboard, uint8_t code)
{
    uint8_t make = set2_of_set1[code & 0x7f];

    if (!keyboard->scanning)
        return true;                           /* the key does nothing, as on a disabled keyboard */
    if (ps2_queue_room(&keyboard->queue) < 16) /* keep room for answers to commands */
        return false;
    if (keyboard->scan_set == 1)
        return ps2_queue_push(&keyboard->queue, code);
    if (code == 0xe0 || code == 0xe1)
        return ps2_queue_push(&keyboard->queue, code);
    if (make == 0)
        return true;
    if (code & 0x80)
        ps2_queue_push(&keyboard->queue, 0xf0);
    return ps2_queue_push(&keyboard->queue, make);
}

bool
ps2_keyboard_loaded(Ps2Keyboard *keyboard, GError **error)
{
    if (keyboard->scan_set < 1 || keyboard->scan_set > 3) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The keyboard of the saved state uses scan code set %u.", keyboard->scan_set);
        return false;
    }
    publish_leds(keyboard);
    return true;
}

/* clang-format off */
const SsmField ps2_keyboard_fields[] = {
    SSM_STRUCT(Ps2Keyboard, queue, ps2_queue_fields),
    SSM_UINT(Ps2Keyboard, command), SSM_UINT_BELOW(Ps2Keyboard, scan_set, 4),
    SSM_UINT_BELOW(Ps2Keyboard, leds, 8), SSM_UINT(Ps2Keyboard, rate),
    SSM_UINT(Ps2Keyboard, last), SSM_UINT_BELOW(Ps2Keyboard, scanning, 2),
    SSM_END,
};
/* clang-format on */
