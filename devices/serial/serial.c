/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A serial port of a PC: the registers and interrupts of its UART. The line is in serial-line.c.
 *
 * Left out: DMA signalling (FCR bit 3), which a PC does not wire, parity and framing errors, which
 * a driver does not report, automatic flow control and sleep modes of the 16750. */
#include "devices/serial/serial-private.h"

enum { REG_DATA, REG_IER, REG_IIR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCRATCH, SERIAL_PORTS };

enum {
    IIR_MODEM = 0x00,
    IIR_NONE = 0x01,
    IIR_TRANSMIT = 0x02,
    IIR_RECEIVE = 0x04,
    IIR_LINE = 0x06,
    IIR_TIMEOUT = 0x0c,
};

/* The pending interrupt of highest priority. */
static uint8_t
serial_pending(const Serial *serial)
{
    if (serial->ier & IER_LINE && serial->lsr & LSR_ERRORS)
        return IIR_LINE;
    if (serial->ier & IER_RECEIVE && serial->receive.count >= serial_trigger(serial))
        return IIR_RECEIVE;
    if (serial->ier & IER_RECEIVE && serial->timeout_pending)
        return IIR_TIMEOUT;
    if (serial->ier & IER_TRANSMIT && serial->transmit_pending)
        return IIR_TRANSMIT;
    if (serial->ier & IER_MODEM && serial->msr & MSR_DELTAS)
        return IIR_MODEM;
    return IIR_NONE;
}

/* OUT2 opens the gate to the bus; loop-back closes it. */
void
serial_update_irq(Serial *serial)
{
    bool open = (serial->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

    pdm_isa_irq(serial->device, serial->irq, open && serial_pending(serial) != IIR_NONE);
}

static uint8_t
serial_read_iir(Serial *serial)
{
    uint8_t value;

    serial_catch_up(serial);
    value = serial_pending(serial);
    if (value == IIR_TRANSMIT) {
        serial->transmit_pending = 0;
        serial_update_irq(serial);
    }
    if (serial_has_fifo(serial))
        value |= 0xc0;
    if (serial->type == UART_16750 && serial->fcr & FCR_64)
        value |= 0x20;
    return value;
}

static uint8_t
serial_read_lsr(Serial *serial)
{
    uint8_t value;

    serial_catch_up(serial);
    value = serial->lsr;
    if (value & LSR_THR_EMPTY && pdm_now(serial->device) >= serial->shift_end)
        value |= LSR_IDLE;
    serial->lsr &= (uint8_t)~LSR_ERRORS;
    serial_update_irq(serial);
    return value;
}

static uint8_t
serial_read_msr(Serial *serial)
{
    uint8_t value = serial->msr;

    serial->msr &= (uint8_t)~MSR_DELTAS;
    serial_update_irq(serial);
    return value;
}

static uint32_t
serial_read(void *user, uint32_t offset, unsigned size)
{
    Serial *serial = user;
    bool divisor = serial->lcr & LCR_DIVISOR;

    switch (offset) {
    case REG_DATA: return divisor ? serial->divisor & 0xff : serial_take_received(serial);
    case REG_IER: return divisor ? serial->divisor >> 8 : serial->ier;
    case REG_IIR: return serial_read_iir(serial);
    case REG_LCR: return serial->lcr;
    case REG_MCR: return serial->mcr;
    case REG_LSR: return serial_read_lsr(serial);
    case REG_MSR: return serial_read_msr(serial);
    default: return serial->scratch;
    }
}

static void
serial_write_ier(Serial *serial, uint8_t value)
{
    value &= IER_RECEIVE | IER_TRANSMIT | IER_LINE | IER_MODEM;
    if (value & ~serial->ier & IER_TRANSMIT && serial->lsr & LSR_THR_EMPTY)
        serial->transmit_pending = 1;
    serial->ier = value;
    serial_update_irq(serial);
}

static void
serial_write_fcr(Serial *serial, uint8_t value)
{
    bool toggled = (value ^ serial->fcr) & FCR_ENABLE;
    uint8_t large = serial->fcr & FCR_64;

    if (serial->type == UART_16450)
        return;
    /* The size of a 16750's FIFO is behind the divisor latch. */
    if (serial->type == UART_16750 && serial->lcr & LCR_DIVISOR)
        large = value & FCR_64;
    serial->fcr = (uint8_t)(value & FCR_ENABLE ? (value & 0xc1) | large : 0);
    if (toggled || value & FCR_CLEAR_RECEIVE || serial->receive.count > serial_fifo_size(serial))
        serial_clear_receive(serial);
    if (toggled || value & FCR_CLEAR_TRANSMIT || serial->transmit.count > serial_fifo_size(serial))
        serial_clear_transmit(serial);
    serial_update_irq(serial);
}

static void
serial_write_lcr(Serial *serial, uint8_t value)
{
    const PdmCharConnector *connector = serial->connector;
    uint8_t changed = value ^ serial->lcr;

    serial->lcr = value;
    if (changed & LCR_BREAK && connector && connector->set_break)
        connector->set_break(connector->user, value & LCR_BREAK);
    if (changed & (LCR_BITS | LCR_STOP | LCR_PARITY | LCR_EVEN | LCR_STICK))
        serial_tell_line(serial);
}

static void
serial_write_mcr(Serial *serial, uint8_t value)
{
    const PdmCharConnector *connector = serial->connector;
    uint8_t changed = value ^ serial->mcr;

    value &= serial->type == UART_16750 ? 0x3f : 0x1f;
    serial->mcr = value;
    if (changed & (MCR_DTR | MCR_RTS | MCR_LOOP) && connector && connector->set_modem)
        connector->set_modem(connector->user, value & MCR_DTR && !(value & MCR_LOOP),
                             value & MCR_RTS && !(value & MCR_LOOP));
    serial_update_modem(serial);
}

static void
serial_write_divisor(Serial *serial, uint16_t divisor)
{
    if (divisor == serial->divisor)
        return;
    serial->divisor = divisor;
    serial_tell_line(serial);
}

static void
serial_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Serial *serial = user;
    uint8_t byte = (uint8_t)value;
    bool divisor = serial->lcr & LCR_DIVISOR;

    switch (offset) {
    case REG_DATA:
        if (divisor)
            serial_write_divisor(serial, (uint16_t)((serial->divisor & 0xff00) | byte));
        else
            serial_transmit(serial, byte);
        break;
    case REG_IER:
        if (divisor)
            serial_write_divisor(serial, (uint16_t)((serial->divisor & 0xff) | byte << 8));
        else
            serial_write_ier(serial, byte);
        break;
    case REG_IIR: serial_write_fcr(serial, byte); break;
    case REG_LCR: serial_write_lcr(serial, byte); break;
    case REG_MCR: serial_write_mcr(serial, byte); break;
    case REG_SCRATCH: serial->scratch = byte; break;
    default: break; /* the status registers are read-only */
    }
}

static const IomPortOps serial_ops = {.read = serial_read, .write = serial_write, .sizes = 1};

static void
serial_reset(PdmDevice *device)
{
    Serial *serial = device->data;

    serial->ier = serial->fcr = serial->lcr = serial->mcr = serial->scratch = 0;
    serial->lsr = LSR_THR_EMPTY;
    serial->divisor = 12; /* 9600 baud */
    serial->shift_end = serial->receive_end = 0;
    serial_clear_transmit(serial);
    serial_clear_receive(serial);
    serial->transmit_pending = 0;
    serial_update_modem(serial);
    serial->msr &= (uint8_t)~MSR_DELTAS;
    serial_update_irq(serial);
}

static bool
serial_read_config(Serial *serial, const CfgmNode *config, GError **error)
{
    static const uint16_t bases[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
    static const char *const types[UART_TYPES] = {"16450", "16550A", "16750"};
    unsigned index = serial->device->instance & 3;
    const char *type = cfgm_string(config, "UartType", types[UART_16550A]);
    uint64_t base = cfgm_uint(config, "IoBase", bases[index]);
    uint64_t irq = cfgm_uint(config, "Irq", index & 1 ? 3 : 4);
    unsigned i = 0;

    while (i < UART_TYPES && !g_str_equal(type, types[i]))
        i++;
    if (i == UART_TYPES || irq > 15 || irq == 2 || base > 0x10000 - SERIAL_PORTS) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "Serial port %u cannot be a \"%s\" at port 0x%x with irq %u.", index + 1, type,
                    (unsigned)base, (unsigned)irq);
        return false;
    }
    serial->type = (UartType)i;
    serial->irq = (uint32_t)irq;
    serial->ports = pdm_ports_new(serial->device, "serial", SERIAL_PORTS, &serial_ops, serial);
    pdm_ports_map(serial->device, serial->ports, (uint16_t)base);
    return true;
}

static bool
serial_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Serial *serial = device->data;

    serial->device = device;
    serial->lsr = LSR_THR_EMPTY;
    serial->divisor = 12;
    return serial_read_config(serial, config, error) && serial_line_construct(serial, error);
}

static bool
serial_post_load(void *object, uint32_t version, GError **error)
{
    Serial *serial = object;

    if (serial->transmit.count > serial_fifo_size(serial) ||
        serial->receive.count > serial_fifo_size(serial)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The saved serial port has more bytes than its buffers hold.");
        return false;
    }
    serial_line_loaded(serial);
    return true;
}

static void
serial_info(PdmDevice *device, GString *out)
{
    const Serial *serial = device->data;

    g_string_append_printf(out,
                           "ier %02x fcr %02x lcr %02x mcr %02x lsr %02x msr %02x divisor %u, "
                           "%u to send, %u received\n",
                           serial->ier, serial->fcr, serial->lcr, serial->mcr, serial->lsr,
                           serial->msr, serial->divisor, serial->transmit.count,
                           serial->receive.count);
}

/* clang-format off */
static const SsmField uart_fifo_fields[] = {
    SSM_BYTES(UartFifo, data), SSM_UINT_BELOW(UartFifo, head, UART_FIFO_MAX),
    SSM_UINT_BELOW(UartFifo, count, UART_FIFO_MAX + 1), SSM_END
};
static const SsmField serial_fields[] = {
    SSM_UINT(Serial, ier), SSM_UINT(Serial, fcr), SSM_UINT(Serial, lcr), SSM_UINT(Serial, mcr),
    SSM_UINT(Serial, lsr), SSM_UINT(Serial, msr), SSM_UINT(Serial, scratch),
    SSM_UINT(Serial, divisor), SSM_UINT_BELOW(Serial, transmit_pending, 2),
    SSM_UINT_BELOW(Serial, timeout_pending, 2), SSM_UINT(Serial, shift_end),
    SSM_UINT(Serial, stalled_since), SSM_UINT(Serial, receive_end),
    SSM_STRUCT(Serial, transmit, uart_fifo_fields), SSM_STRUCT(Serial, receive, uart_fifo_fields),
    SSM_END
};
static const SsmState serial_state = {
    .version = 1, .min_version = 1, .fields = serial_fields, .post_load = serial_post_load
};
static const char *const serial_types[] = { "16450", "16550A", "16750", NULL };
static const PdmOption serial_options[] = {
    { "IoBase", "I/O port", PDM_OPTION_UINT, 0x3f8, 0, 0xfff8, NULL, NULL },
    { "Irq", "Interrupt", PDM_OPTION_UINT, 4, 0, 15, NULL, NULL },
    { "UartType", "Kind of UART", PDM_OPTION_CHOICE, 0, 0, 0, "16550A", serial_types },
    { NULL, NULL, PDM_OPTION_END, 0, 0, 0, NULL, NULL },
};
/* clang-format on */

const PdmDeviceInfo serial_device = {
    .abi = PDM_ABI_VERSION,
    .name = "serial",
    .title = "Serial port",
    .kind = PDM_KIND_SERIAL,
    .instance_size = sizeof(Serial),
    .max_instances = 4,
    .options = serial_options,
    .construct = serial_construct,
    .reset = serial_reset,
    .state = &serial_state,
    .info = serial_info,
};
