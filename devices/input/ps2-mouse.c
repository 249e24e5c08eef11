/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PS/2 mouse with the IntelliMouse (wheel) and Explorer (five buttons) protocols, which a
 * driver unlocks by a sequence of sample rates. IBM PS/2 Hardware Interface Technical Reference,
 * "Auxiliary Device". */
#include "devices/input/ps2.h"

#define ACK 0xfa
#define ERROR_REPLY 0xfc
#define MOVE_LIMIT 4096
#define PACKET_MAX 4u

static void
publish(const Ps2Mouse *mouse)
{
    if (mouse->connector)
        mouse->connector->enabled(mouse->connector->user, mouse->reporting, false);
}

static void
send(Ps2Mouse *mouse, uint8_t byte)
{
    ps2_queue_push(&mouse->queue, byte);
}

static void
set_defaults(Ps2Mouse *mouse)
{
    mouse->rate = 100;
    mouse->resolution = 2;
    mouse->scaling21 = mouse->remote = mouse->wrap = mouse->reporting = false;
    mouse->dx = mouse->dy = mouse->dz = 0;
    mouse->command = 0;
    publish(mouse);
}

void
ps2_mouse_reset(Ps2Mouse *mouse)
{
    ps2_queue_clear(&mouse->queue);
    set_defaults(mouse);
    mouse->id = 0;
    mouse->rate_history[0] = mouse->rate_history[1] = 0;
}

static void
rate_set(Ps2Mouse *mouse, uint8_t rate)
{
    if (mouse->rate_history[0] == 200 && rate == 80) {
        if (mouse->rate_history[1] == 100)
            mouse->id = 3;
        else if (mouse->rate_history[1] == 200)
            mouse->id = 4;
    }
    mouse->rate_history[0] = mouse->rate_history[1];
    mouse->rate_history[1] = rate;
    mouse->rate = rate;
}

/* Takes as much of a movement as a packet can say. */
static int
take(int32_t *value, int low, int high)
{
    int part = CLAMP(*value, low, high);

    *value -= part;
    return part;
}

static uint8_t
last_byte(Ps2Mouse *mouse)
{
    int dz = take(&mouse->dz, -8, 7);

    if (mouse->id == 3)
        return (uint8_t)dz;
    return (uint8_t)((dz & 15) | (mouse->buttons >> 3 & 3) << 4);
}

static void
send_packet(Ps2Mouse *mouse)
{
    int dx = take(&mouse->dx, -255, 255), dy = take(&mouse->dy, -255, 255);

    mouse->last_buttons = mouse->buttons;
    send(mouse, (uint8_t)((mouse->buttons & 7) | 8 | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0)));
    send(mouse, (uint8_t)dx);
    send(mouse, (uint8_t)dy);
    if (mouse->id)
        send(mouse, last_byte(mouse));
    else
        mouse->dz = 0;
}

void
ps2_mouse_flush(Ps2Mouse *mouse)
{
    bool moved = mouse->dx || mouse->dy || mouse->dz || mouse->buttons != mouse->last_buttons;

    /* One packet at a time: a slow guest gets sums, not a backlog. */
    if (mouse->reporting && !mouse->remote && moved && mouse->queue.count == 0)
        send_packet(mouse);
}

void
ps2_mouse_move(Ps2Mouse *mouse, int dx, int dy, int dz, unsigned buttons)
{
    if (!mouse->reporting && !mouse->remote)
        return;
    mouse->dx = CLAMP(mouse->dx + CLAMP(dx, -MOVE_LIMIT, MOVE_LIMIT), -MOVE_LIMIT, MOVE_LIMIT);
    mouse->dy = CLAMP(mouse->dy - CLAMP(dy, -MOVE_LIMIT, MOVE_LIMIT), -MOVE_LIMIT, MOVE_LIMIT);
    mouse->dz = CLAMP(mouse->dz + CLAMP(dz, -MOVE_LIMIT, MOVE_LIMIT), -MOVE_LIMIT, MOVE_LIMIT);
    mouse->buttons = buttons & 0x1f;
    ps2_mouse_flush(mouse);
}

static void
send_status(Ps2Mouse *mouse)
{
    uint8_t buttons =
        (mouse->buttons & 1) << 2 | (mouse->buttons & 2) >> 1 | (mouse->buttons & 4) >> 1;

    send(mouse,
         (uint8_t)(mouse->remote << 6 | mouse->reporting << 5 | mouse->scaling21 << 4 | buttons));
    send(mouse, mouse->resolution);
    send(mouse, mouse->rate);
}

/* Commands that need no argument, after their ACK. */
static void
run_command(Ps2Mouse *mouse, uint8_t byte)
{
    switch (byte) {
    case 0xe6: mouse->scaling21 = false; break;
    case 0xe7: mouse->scaling21 = true; break;
    case 0xe9: send_status(mouse); break;
    case 0xea: mouse->remote = false; break;
    case 0xeb: send_packet(mouse); break;
    case 0xee: mouse->wrap = true; break;
    case 0xf0: mouse->remote = true; break;
    case 0xf2: send(mouse, mouse->id); break;
    case 0xf4:
        mouse->reporting = true;
        publish(mouse);
        break;
    case 0xf5:
        mouse->reporting = false;
        publish(mouse);
        break;
    case 0xf6: set_defaults(mouse); break;
    default: break; /* EC: wrap mode is off already */
    }
}

static bool
known_command(uint8_t byte)
{
    return (byte >= 0xe6 && byte <= 0xec) || byte == 0xee || byte == 0xf0 ||
           (byte >= 0xf2 && byte <= 0xf6);
}

static void
take_argument(Ps2Mouse *mouse, uint8_t command, uint8_t byte)
{
    mouse->command = 0;
    if (command == 0xe8 && byte > 3) {
        send(mouse, ERROR_REPLY);
        return;
    }
    if (command == 0xe8)
        mouse->resolution = byte;
    else
        rate_set(mouse, byte);
    send(mouse, ACK);
}

void
ps2_mouse_write(Ps2Mouse *mouse, uint8_t byte)
{
    if (mouse->wrap && byte != 0xec && byte != 0xff) {
        send(mouse, byte);
        return;
    }
    if (mouse->command && byte < 0xe6) {
        take_argument(mouse, mouse->command, byte);
        return;
    }
    mouse->command = 0;
    mouse->wrap = false;
    ps2_queue_clear(&mouse->queue);
    if (byte == 0xff) {
        ps2_mouse_reset(mouse);
        send(mouse, ACK);
        send(mouse, 0xaa);
        send(mouse, 0x00);
    } else if (!known_command(byte)) {
        send(mouse, ERROR_REPLY);
    } else {
        send(mouse, ACK);
        if (byte == 0xe8 || byte == 0xf3)
            mouse->command = byte;
        else
            run_command(mouse, byte);
    }
}

bool
ps2_mouse_loaded(Ps2Mouse *mouse, GError **error)
{
    if (mouse->id != 0 && mouse->id != 3 && mouse->id != 4) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The mouse of the saved state has the unknown id %u.", mouse->id);
        return false;
    }
    mouse->dx = CLAMP(mouse->dx, -MOVE_LIMIT, MOVE_LIMIT);
    mouse->dy = CLAMP(mouse->dy, -MOVE_LIMIT, MOVE_LIMIT);
    mouse->dz = CLAMP(mouse->dz, -MOVE_LIMIT, MOVE_LIMIT);
    publish(mouse);
    return true;
}

/* clang-format off */
const SsmField ps2_mouse_fields[] = {
    SSM_STRUCT(Ps2Mouse, queue, ps2_queue_fields),
    SSM_UINT(Ps2Mouse, command), SSM_UINT(Ps2Mouse, id), SSM_UINT(Ps2Mouse, rate),
    SSM_UINT_BELOW(Ps2Mouse, resolution, 4), SSM_BYTES(Ps2Mouse, rate_history),
    SSM_UINT(Ps2Mouse, last_buttons), SSM_UINT_BELOW(Ps2Mouse, scaling21, 2),
    SSM_UINT_BELOW(Ps2Mouse, remote, 2), SSM_UINT_BELOW(Ps2Mouse, wrap, 2),
    SSM_UINT_BELOW(Ps2Mouse, reporting, 2), SSM_UINT(Ps2Mouse, buttons),
    SSM_UINT(Ps2Mouse, dx), SSM_UINT(Ps2Mouse, dy), SSM_UINT(Ps2Mouse, dz),
    SSM_END,
};
/* clang-format on */
