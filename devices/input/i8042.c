/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The 8042 keyboard controller at ports 60h and 64h with a PS/2 keyboard (IRQ 1) and mouse (IRQ
 * 12), the A20 gate and the reset line. IBM PS/2 Hardware Interface Technical Reference, "Keyboard
 * and Auxiliary Device Controller". */
#include "devices/input/ps2.h"

#define STATUS_OBF 0x01
#define STATUS_SYS 0x04
#define STATUS_COMMAND 0x08
#define STATUS_UNLOCKED 0x10
#define STATUS_AUX 0x20

#define MODE_KBD_INT 0x01
#define MODE_AUX_INT 0x02
#define MODE_SYS 0x04
#define MODE_KBD_OFF 0x10
#define MODE_AUX_OFF 0x20
#define MODE_TRANSLATE 0x40

#define OUTPUT_RESET 0x01 /* low resets */
#define OUTPUT_A20 0x02

enum { FROM_CONTROLLER, FROM_KEYBOARD, FROM_MOUSE };

typedef struct {
    uint8_t ram[32]; /* ram[0] is the mode, "command byte" */
    uint8_t status, data;
    uint8_t command; /* waits for its data byte; 0: none */
    uint8_t source;  /* of data */
    uint8_t output_port;
    bool break_prefix;  /* the translation has swallowed F0 */
    Ps2Queue reply;     /* of the controller itself */
    Ps2Queue aux_reply; /* bytes that D3 puts there as if the mouse had sent them */
    Ps2Keyboard keyboard;
    Ps2Mouse mouse;

    PdmDevice *device;
    PdmKeyboardPort keyboard_port;
    PdmMousePort mouse_port;
} I8042;

/* Set 2 to set 1, as the controller translates when MODE_TRANSLATE is on. */
static const uint8_t translation[256] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
    0x80, 0x81, 0x82, 0x41, 0x54, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f,
    0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f,
    0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
    0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf,
    0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf,
    0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf,
    0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xef,
    0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff,
};

static void
update_irqs(I8042 *kbc)
{
    bool full = kbc->status & STATUS_OBF, aux = kbc->status & STATUS_AUX;

    pdm_isa_irq(kbc->device, 1, full && !aux && (kbc->ram[0] & MODE_KBD_INT));
    pdm_isa_irq(kbc->device, 12, full && aux && (kbc->ram[0] & MODE_AUX_INT));
}

static void
put(I8042 *kbc, uint8_t byte, unsigned source)
{
    kbc->data = byte;
    kbc->source = (uint8_t)source;
    kbc->status |= STATUS_OBF;
    kbc->status = source == FROM_MOUSE ? kbc->status | STATUS_AUX : kbc->status & ~STATUS_AUX;
}

/* Fetches a byte from the keyboard, translated. False: only a prefix was there. */
static bool
fetch_key(I8042 *kbc, uint8_t *byte)
{
    while (kbc->keyboard.queue.count) {
        uint8_t raw = ps2_queue_pop(&kbc->keyboard.queue);
        if (!(kbc->ram[0] & MODE_TRANSLATE)) {
            *byte = raw;
            return true;
        }
        if (raw == 0xf0) {
            kbc->break_prefix = true;
            continue;
        }
        *byte = translation[raw] | (kbc->break_prefix ? 0x80 : 0);
        kbc->break_prefix = false;
        return true;
    }
    return false;
}

/* Fills the output buffer when it is empty: the controller's own answers first. */
static void
refill(I8042 *kbc)
{
    uint8_t byte;

    if (!(kbc->status & STATUS_OBF)) {
        if (kbc->reply.count)
            put(kbc, ps2_queue_pop(&kbc->reply), FROM_CONTROLLER);
        else if (kbc->aux_reply.count)
            put(kbc, ps2_queue_pop(&kbc->aux_reply), FROM_MOUSE);
        else if (!(kbc->ram[0] & MODE_KBD_OFF) && fetch_key(kbc, &byte))
            put(kbc, byte, FROM_KEYBOARD);
        else if (!(kbc->ram[0] & MODE_AUX_OFF) && kbc->mouse.queue.count)
            put(kbc, ps2_queue_pop(&kbc->mouse.queue), FROM_MOUSE);
    }
    update_irqs(kbc);
}

static void
reply(I8042 *kbc, uint8_t byte)
{
    ps2_queue_push(&kbc->reply, byte);
}

static void
set_output_port(I8042 *kbc, uint8_t value)
{
    kbc->output_port = value;
    pdm_set_a20(kbc->device, value & OUTPUT_A20);
    if (!(value & OUTPUT_RESET))
        pdm_request_reset(kbc->device);
}

static uint8_t
output_port(const I8042 *kbc)
{
    uint8_t value = kbc->output_port & ~(OUTPUT_A20 | 0x30);

    value |= pdm_a20(kbc->device) ? OUTPUT_A20 : 0;
    if (kbc->status & STATUS_OBF)
        value |= kbc->status & STATUS_AUX ? 0x20 : 0x10;
    return value | OUTPUT_RESET;
}

static void
command_simple(I8042 *kbc, uint8_t command)
{
    switch (command) {
    case 0xa7: kbc->ram[0] |= MODE_AUX_OFF; break;
    case 0xa8: kbc->ram[0] &= ~MODE_AUX_OFF; break;
    case 0xa9:
    case 0xab: reply(kbc, 0x00); break; /* the lines are fine */
    case 0xaa:
        kbc->status |= STATUS_SYS;
        reply(kbc, 0x55);
        break;
    case 0xad: kbc->ram[0] |= MODE_KBD_OFF; break;
    case 0xae: kbc->ram[0] &= ~MODE_KBD_OFF; break;
    case 0xc0: reply(kbc, 0x80); break; /* the keyboard is not locked */
    case 0xd0: reply(kbc, output_port(kbc)); break;
    case 0xdd: pdm_set_a20(kbc->device, false); break;
    case 0xdf: pdm_set_a20(kbc->device, true); break;
    default: break;
    }
}

static void
command_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    I8042 *kbc = user;
    uint8_t command = (uint8_t)value;

    kbc->status |= STATUS_COMMAND;
    kbc->command = 0;
    if (command >= 0x20 && command <= 0x3f)
        reply(kbc, kbc->ram[command & 31]);
    else if ((command >= 0x60 && command <= 0x7f) || (command >= 0xd1 && command <= 0xd4))
        kbc->command = command;
    else if (command >= 0xf0 && !(command & 1)) /* pulses output bit 0 */
        pdm_request_reset(kbc->device);
    else
        command_simple(kbc, command);
    refill(kbc);
}

static void
data_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    I8042 *kbc = user;
    uint8_t command = kbc->command, byte = (uint8_t)value;

    kbc->status &= ~STATUS_COMMAND;
    kbc->command = 0;
    if (command >= 0x60 && command <= 0x7f) {
        kbc->ram[command & 31] = byte;
        if (command == 0x60)
            kbc->status = byte & MODE_SYS ? kbc->status | STATUS_SYS : kbc->status & ~STATUS_SYS;
    } else if (command == 0xd1) {
        set_output_port(kbc, byte);
    } else if (command == 0xd2) {
        reply(kbc, byte);
    } else if (command == 0xd3) {
        ps2_queue_push(&kbc->aux_reply, byte);
    } else if (command == 0xd4) {
        kbc->ram[0] &= ~MODE_AUX_OFF;
        ps2_mouse_write(&kbc->mouse, byte);
    } else {
        kbc->ram[0] &= ~MODE_KBD_OFF; /* sending to the keyboard enables its line */
        ps2_keyboard_write(&kbc->keyboard, byte);
    }
    refill(kbc);
}

static uint32_t
data_read(void *user, uint32_t offset, unsigned size)
{
    I8042 *kbc = user;
    uint8_t data = kbc->data;

    if (kbc->status & STATUS_OBF) {
        kbc->status &= ~(STATUS_OBF | STATUS_AUX);
        update_irqs(kbc); /* the line falls between two bytes: the next is a new edge */
        if (kbc->source == FROM_MOUSE)
            ps2_mouse_flush(&kbc->mouse);
        refill(kbc);
    }
    return data;
}

static uint32_t
status_read(void *user, uint32_t offset, unsigned size)
{
    const I8042 *kbc = user;

    return kbc->status | STATUS_UNLOCKED;
}

static bool
key_from_person(void *user, uint8_t code)
{
    I8042 *kbc = user;
    bool taken = ps2_keyboard_key(&kbc->keyboard, code);

    refill(kbc);
    return taken;
}

static void
mouse_from_person(void *user, int dx, int dy, int dz, int dw, unsigned buttons)
{
    I8042 *kbc = user;

    ps2_mouse_move(&kbc->mouse, dx, dy, dz, buttons);
    refill(kbc);
}

static void
i8042_reset(PdmDevice *device)
{
    I8042 *kbc = device->data;

    memset(kbc->ram, 0, sizeof(kbc->ram));
    kbc->ram[0] = MODE_KBD_INT | MODE_AUX_OFF | MODE_TRANSLATE;
    kbc->status = kbc->data = kbc->command = kbc->source = 0;
    kbc->break_prefix = false;
    kbc->output_port = OUTPUT_RESET | OUTPUT_A20 | 0xcc;
    ps2_queue_clear(&kbc->reply);
    ps2_queue_clear(&kbc->aux_reply);
    ps2_keyboard_reset(&kbc->keyboard);
    ps2_mouse_reset(&kbc->mouse);
    update_irqs(kbc);
}

static bool
i8042_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    static const IomPortOps data_ops = {.read = data_read, .write = data_write, .sizes = 1};
    static const IomPortOps command_ops = {.read = status_read, .write = command_write, .sizes = 1};
    I8042 *kbc = device->data;

    kbc->device = device;
    kbc->keyboard_port = (PdmKeyboardPort){.user = kbc, .scancode = key_from_person};
    kbc->mouse_port = (PdmMousePort){.user = kbc, .relative = mouse_from_person};
    pdm_ports_map(device, pdm_ports_new(device, "8042 data", 1, &data_ops, kbc), 0x60);
    pdm_ports_map(device, pdm_ports_new(device, "8042 command", 1, &command_ops, kbc), 0x64);
    return pdm_attach(device, 0, PDM_IF_KEYBOARD, &kbc->keyboard_port,
                      (const void **)&kbc->keyboard.connector, false, error) &&
           pdm_attach(device, 1, PDM_IF_MOUSE, &kbc->mouse_port,
                      (const void **)&kbc->mouse.connector, false, error);
}

static bool
i8042_post_load(void *object, uint32_t version, GError **error)
{
    I8042 *kbc = object;

    if (!ps2_keyboard_loaded(&kbc->keyboard, error) || !ps2_mouse_loaded(&kbc->mouse, error))
        return false;
    update_irqs(kbc);
    return true;
}

static void
i8042_info(PdmDevice *device, GString *out)
{
    const I8042 *kbc = device->data;

    g_string_append_printf(out, "mode %02x, status %02x, keyboard set %u, mouse id %u%s\n",
                           kbc->ram[0], kbc->status, kbc->keyboard.scan_set, kbc->mouse.id,
                           kbc->mouse.reporting ? ", reporting" : "");
}

/* clang-format off */
static const SsmField i8042_fields[] = {
    SSM_BYTES(I8042, ram), SSM_UINT(I8042, status), SSM_UINT(I8042, data), SSM_UINT(I8042, command),
    SSM_UINT_BELOW(I8042, source, 3), SSM_UINT(I8042, output_port), SSM_UINT_BELOW(I8042, break_prefix, 2),
    SSM_STRUCT(I8042, reply, ps2_queue_fields), SSM_STRUCT(I8042, aux_reply, ps2_queue_fields),
    SSM_STRUCT(I8042, keyboard, ps2_keyboard_fields), SSM_STRUCT(I8042, mouse, ps2_mouse_fields),
    SSM_END,
};
static const SsmState i8042_state = {
    .version = 1, .min_version = 1, .fields = i8042_fields, .post_load = i8042_post_load,
};
/* clang-format on */

const PdmDeviceInfo i8042_device = {
    .abi = PDM_ABI_VERSION,
    .name = "i8042",
    .title = "PS/2 keyboard and mouse",
    .kind = PDM_KIND_INPUT,
    .instance_size = sizeof(I8042),
    .max_instances = 1,
    .construct = i8042_construct,
    .reset = i8042_reset,
    .state = &i8042_state,
    .info = i8042_info,
};
