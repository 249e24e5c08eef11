/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A debug console: what the guest writes to one port goes to a character driver, else to the log.
 * Reading the port gives 0xE9, by which firmware recognises it. Port 0x402 is where SeaBIOS and
 * OVMF write; test programs use 0xE9. */
#include "devices/firmware/debug-line.h"

#define DEBUGCON_READ_BACK 0xe9

typedef struct {
    PdmDevice *device;
    IomPorts *ports;
    PdmCharPort port;
    const PdmCharConnector *connector;
    DebugLine line;
} Debugcon;

static uint32_t
debugcon_read(void *user, uint32_t offset, unsigned size)
{
    return DEBUGCON_READ_BACK;
}

/* A stream that is full loses bytes: a debug port has no way to wait. */
static uint32_t
debugcon_write_string(void *user, uint32_t offset, const void *data, uint32_t count, unsigned size)
{
    Debugcon *debugcon = user;
    const uint8_t *bytes = data;

    if (debugcon->connector) {
        debugcon->connector->send(debugcon->connector->user, bytes, count);
        return count;
    }
    for (uint32_t i = 0; i < count; i++)
        debug_line_put(&debugcon->line, debugcon->device, bytes[i]);
    return count;
}

static void
debugcon_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    uint8_t byte = (uint8_t)value;

    debugcon_write_string(user, offset, &byte, 1, 1);
}

static const IomPortOps debugcon_ops = {.read = debugcon_read,
                                        .write = debugcon_write,
                                        .write_string = debugcon_write_string,
                                        .sizes = 1};

/* Nothing is received. */
static size_t
debugcon_can_receive(void *user)
{
    return 0;
}

static void
debugcon_receive(void *user, const uint8_t *data, size_t size)
{
}

static void
debugcon_connected(void *user, bool connected)
{
}

static void
debugcon_can_send(void *user)
{
}

static bool
debugcon_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Debugcon *debugcon = device->data;
    const void *connector = NULL;
    uint64_t port = cfgm_uint(config, "Port", 0x402);

    if (port > 0xffff) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "The debug console's port is beyond 0xffff.");
        return false;
    }
    debugcon->device = device;
    debugcon->port = (PdmCharPort){debugcon, debugcon_can_receive, debugcon_receive,
                                   debugcon_connected, debugcon_can_send};
    if (!pdm_attach(device, 0, PDM_IF_CHAR, &debugcon->port, &connector, false, error))
        return false;
    debugcon->connector = connector;
    debugcon->ports = pdm_ports_new(device, "debugcon", 1, &debugcon_ops, debugcon);
    pdm_ports_map(device, debugcon->ports, (uint16_t)port);
    return true;
}

/* clang-format off */
static const SsmField debugcon_fields[] = { SSM_STRUCT(Debugcon, line, debug_line_fields), SSM_END };
static const SsmState debugcon_state = { .version = 1, .min_version = 1, .fields = debugcon_fields };
static const PdmOption debugcon_options[] = {
    { "Port", "I/O port", PDM_OPTION_UINT, 0x402, 0, 0xffff, NULL, NULL },
    { NULL, NULL, PDM_OPTION_END, 0, 0, 0, NULL, NULL },
};
/* clang-format on */

const PdmDeviceInfo debugcon_device = {
    .abi = PDM_ABI_VERSION,
    .name = "debugcon",
    .title = "Debug console",
    .kind = PDM_KIND_FIRMWARE,
    .instance_size = sizeof(Debugcon),
    .max_instances = 4,
    .options = debugcon_options,
    .construct = debugcon_construct,
    .state = &debugcon_state,
};
