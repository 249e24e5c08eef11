/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A parallel port with a printer that never runs out of paper: standard (SPP) and bidirectional
 * (PS/2) mode. IBM PS/2 Hardware Interface Technical Reference, "Parallel port"; IEEE 1284-1994
 * compatibility mode. A byte goes to the character driver on the rise of the strobe and is
 * acknowledged a microsecond later.
 *
 * Left out: EPP and ECP, which drivers find absent, and reading data from the other side. */
#include "vmm/pdm/pdm.h"

#define PARALLEL_PORTS 3
#define ACK_NS 1000
#define BUSY_NS 5000

enum { REG_DATA, REG_STATUS, REG_CONTROL };

enum {
    STATUS_NO_ERROR = 0x08,
    STATUS_SELECTED = 0x10,
    STATUS_NO_PAPER = 0x20,
    STATUS_NOT_ACK = 0x40,
    STATUS_NOT_BUSY = 0x80,
};

enum {
    CONTROL_STROBE = 0x01,
    CONTROL_NOT_RESET = 0x04,
    CONTROL_INTERRUPT = 0x10,
    CONTROL_INPUT = 0x20,
};

typedef struct {
    PdmDevice *device;
    IomPorts *ports;
    TmTimer *timer;
    PdmCharPort port;
    const PdmCharConnector *connector;
    uint32_t irq;
    uint8_t data, control;
    uint8_t status;  /* without a driver nobody is selected */
    uint8_t waiting; /* a byte that the driver has not taken */
    uint8_t byte;
    uint8_t connected;
} Parallel;

static void
parallel_idle(Parallel *parallel)
{
    parallel->waiting = 0;
    parallel->status = STATUS_NO_ERROR | STATUS_NOT_ACK | STATUS_NOT_BUSY;
    if (parallel->connected)
        parallel->status |= STATUS_SELECTED;
    else
        parallel->status |= STATUS_NO_PAPER;
}

/* The printer takes a byte: busy, then a pulse on ACK whose end interrupts. */
static void
parallel_print(Parallel *parallel)
{
    if (parallel->connector &&
        parallel->connector->send(parallel->connector->user, &parallel->byte, 1) == 0) {
        parallel->waiting = 1; /* busy until the driver can take it */
        return;
    }
    parallel->waiting = 0;
    pdm_timer_set(parallel->device, parallel->timer, pdm_now(parallel->device) + BUSY_NS);
}

static void
parallel_expired(void *user)
{
    Parallel *parallel = user;

    if (parallel->status & STATUS_NOT_ACK) {
        parallel->status &= (uint8_t)~STATUS_NOT_ACK;
        pdm_timer_set(parallel->device, parallel->timer, pdm_now(parallel->device) + ACK_NS);
        return;
    }
    parallel_idle(parallel);
    if (parallel->control & CONTROL_INTERRUPT) {
        pdm_isa_irq(parallel->device, parallel->irq, true);
        pdm_isa_irq(parallel->device, parallel->irq, false);
    }
}

static void
parallel_write_control(Parallel *parallel, uint8_t value)
{
    bool strobe = value & CONTROL_STROBE && !(parallel->control & CONTROL_STROBE);

    parallel->control = value & 0x3f;
    if (!(value & CONTROL_NOT_RESET)) {
        pdm_timer_cancel(parallel->device, parallel->timer);
        parallel_idle(parallel);
        return;
    }
    if (!strobe || !(parallel->status & STATUS_NOT_BUSY))
        return;
    parallel->byte = parallel->data;
    parallel->status &= (uint8_t)~STATUS_NOT_BUSY;
    parallel_print(parallel);
}

static uint32_t
parallel_read(void *user, uint32_t offset, unsigned size)
{
    Parallel *parallel = user;

    switch (offset) {
    /* With the drivers off, nobody drives the lines. */
    case REG_DATA: return parallel->control & CONTROL_INPUT ? 0xff : parallel->data;
    case REG_STATUS: return parallel->status | 0x07;
    default: return parallel->control;
    }
}

static void
parallel_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Parallel *parallel = user;

    if (offset == REG_DATA)
        parallel->data = (uint8_t)value;
    else if (offset == REG_CONTROL)
        parallel_write_control(parallel, (uint8_t)value);
}

static const IomPortOps parallel_ops = {.read = parallel_read, .write = parallel_write, .sizes = 1};

/* A printer says nothing. */
static size_t
parallel_can_receive(void *user)
{
    return 0;
}

static void
parallel_receive(void *user, const uint8_t *data, size_t size)
{
}

static void
parallel_connected(void *user, bool connected)
{
    Parallel *parallel = user;

    parallel->connected = connected;
    if (parallel->status & STATUS_NOT_BUSY)
        parallel_idle(parallel);
}

static void
parallel_can_send(void *user)
{
    Parallel *parallel = user;

    if (parallel->waiting)
        parallel_print(parallel);
}

static void
parallel_reset(PdmDevice *device)
{
    Parallel *parallel = device->data;

    parallel->data = 0;
    parallel->control = CONTROL_NOT_RESET;
    pdm_timer_cancel(device, parallel->timer);
    parallel_idle(parallel);
}

static bool
parallel_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Parallel *parallel = device->data;
    const void *connector = NULL;
    uint64_t base = cfgm_uint(config, "IoBase", device->instance ? 0x278 : 0x378);
    uint64_t irq = cfgm_uint(config, "Irq", device->instance ? 5 : 7);

    if (irq > 15 || irq == 2 || base > 0x10000 - PARALLEL_PORTS) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "Parallel port %u cannot be at port 0x%x with irq %u.", device->instance + 1,
                    (unsigned)base, (unsigned)irq);
        return false;
    }
    parallel->device = device;
    parallel->irq = (uint32_t)irq;
    parallel->ports = pdm_ports_new(device, "parallel", PARALLEL_PORTS, &parallel_ops, parallel);
    pdm_ports_map(device, parallel->ports, (uint16_t)base);
    parallel->timer = pdm_timer_new(device, "printer", parallel_expired, parallel);
    parallel->port = (PdmCharPort){parallel, parallel_can_receive, parallel_receive,
                                   parallel_connected, parallel_can_send};
    parallel_reset(device);
    if (!pdm_attach(device, 0, PDM_IF_CHAR, &parallel->port, &connector, false, error))
        return false;
    parallel->connector = connector;
    return true;
}

/* clang-format off */
static const SsmField parallel_fields[] = {
    SSM_UINT(Parallel, data), SSM_UINT_BELOW(Parallel, control, 0x40), SSM_UINT(Parallel, status),
    SSM_UINT_BELOW(Parallel, waiting, 2), SSM_UINT(Parallel, byte), SSM_END
};
static const SsmState parallel_state = { .version = 1, .min_version = 1, .fields = parallel_fields };
static const PdmOption parallel_options[] = {
    { "IoBase", "I/O port", PDM_OPTION_UINT, 0x378, 0, 0xfffd, NULL, NULL },
    { "Irq", "Interrupt", PDM_OPTION_UINT, 7, 0, 15, NULL, NULL },
    { NULL, NULL, PDM_OPTION_END, 0, 0, 0, NULL, NULL },
};
/* clang-format on */

const PdmDeviceInfo parallel_device = {
    .abi = PDM_ABI_VERSION,
    .name = "parallel",
    .title = "Parallel port",
    .kind = PDM_KIND_SERIAL,
    .instance_size = sizeof(Parallel),
    .max_instances = 2,
    .options = parallel_options,
    .construct = parallel_construct,
    .reset = parallel_reset,
    .state = &parallel_state,
};
