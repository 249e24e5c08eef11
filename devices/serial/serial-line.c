/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The line side of a serial port: bytes take the time that the line parameters say when they come,
 * and a sixteenth of it when they go to a driver, for there is no wire. What is in the transmit
 * FIFO is handed to the driver when its last byte would enter the shift register; received bytes
 * are let in no faster than they could have arrived, so a fast sender does not drown the guest. */
#include "devices/serial/serial-private.h"

#define UART_CLOCK 1843200u
#define STALL_RETRY_NS 5000000u
/* A driver that takes nothing for so long loses what waits, as a line without a listener does. */
#define STALL_MAX_NS 200000000u
#define TIMEOUT_CHARACTERS 4
/* A kernel that writes its log to a serial console waits for each byte. */
#define TRANSMIT_SPEED 16

static void
fifo_put(UartFifo *fifo, uint8_t byte)
{
    fifo->data[(fifo->head + fifo->count) % UART_FIFO_MAX] = byte;
    fifo->count++;
}

static uint8_t
fifo_take(UartFifo *fifo)
{
    uint8_t byte = fifo->data[fifo->head];

    fifo->head = (fifo->head + 1) % UART_FIFO_MAX;
    fifo->count--;
    return byte;
}

bool
serial_has_fifo(const Serial *serial)
{
    return serial->type != UART_16450 && serial->fcr & FCR_ENABLE;
}

unsigned
serial_fifo_size(const Serial *serial)
{
    if (!serial_has_fifo(serial))
        return 1;
    return serial->type == UART_16750 && serial->fcr & FCR_64 ? 64 : 16;
}

unsigned
serial_trigger(const Serial *serial)
{
    static const uint8_t small[4] = {1, 4, 8, 14}, large[4] = {1, 16, 32, 56};

    if (!serial_has_fifo(serial))
        return 1;
    return serial_fifo_size(serial) == 64 ? large[serial->fcr >> 6] : small[serial->fcr >> 6];
}

/* Bits of a character on the line, with start and stop. */
static unsigned
serial_character_bits(const Serial *serial)
{
    return 1 + 5 + (serial->lcr & LCR_BITS) + !!(serial->lcr & LCR_PARITY) +
           (serial->lcr & LCR_STOP ? 2 : 1);
}

static uint64_t
serial_character_ns(const Serial *serial)
{
    uint64_t clocks = (uint64_t)serial_character_bits(serial) * 16 * MAX(serial->divisor, 1);

    return clocks * 1000000000u / UART_CLOCK;
}

/* --- transmitter --- */

static uint64_t
serial_shift_ns(const Serial *serial)
{
    bool wire = !serial->connector || (serial->mcr & MCR_LOOP);

    return serial_character_ns(serial) / (wire ? 1 : TRANSMIT_SPEED);
}

static void serial_put_received(Serial *serial, uint8_t byte);

/* Hands the FIFO's bytes on; those that the driver does not take stay. */
static void
serial_send(Serial *serial)
{
    UartFifo *fifo = &serial->transmit;

    while (fifo->count && serial->mcr & MCR_LOOP)
        serial_put_received(serial, fifo_take(fifo));
    if (!serial->connector)
        fifo->count = 0;
    while (fifo->count) {
        size_t run = MIN(fifo->count, UART_FIFO_MAX - fifo->head);
        size_t taken =
            serial->connector->send(serial->connector->user, fifo->data + fifo->head, run);

        taken = MIN(taken, run);
        fifo->head = (uint32_t)((fifo->head + taken) % UART_FIFO_MAX);
        fifo->count -= (uint32_t)taken;
        if (taken < run)
            break;
    }
}

/* The driver has stopped taking bytes, not long ago: later ones are lost at once until it goes on.
 */
static bool
serial_waits(const Serial *serial, uint64_t now)
{
    return serial->stalled_since && now < serial->stalled_since + STALL_MAX_NS;
}

/* The FIFO's last byte has reached the shift register, or waits for the driver. */
static void
serial_drain(Serial *serial)
{
    uint64_t now = pdm_now(serial->device);

    serial_send(serial);
    if (!serial->transmit.count) {
        serial->stalled_since = 0;
    } else {
        if (!serial->stalled_since)
            serial->stalled_since = MAX(now, 1);
        if (serial_waits(serial, now)) {
            pdm_timer_set(serial->device, serial->transmit_timer, now + STALL_RETRY_NS);
            return;
        }
        serial->transmit.count = 0;
    }
    pdm_timer_cancel(serial->device, serial->transmit_timer);
    serial->shift_end = now + serial_shift_ns(serial);
    serial->lsr |= LSR_THR_EMPTY;
    serial->transmit_pending = 1;
    serial_update_irq(serial);
}

static void
serial_transmit_expired(void *user)
{
    serial_drain(user);
}

/* A guest that polls does not wait for a timer that a busy host runs late. */
void
serial_catch_up(Serial *serial)
{
    if (pdm_timer_armed(serial->device, serial->transmit_timer) &&
        pdm_now(serial->device) >= pdm_timer_deadline(serial->device, serial->transmit_timer))
        serial_drain(serial);
}

void
serial_transmit(Serial *serial, uint8_t byte)
{
    uint64_t now = pdm_now(serial->device);
    UartFifo *fifo = &serial->transmit;

    serial_catch_up(serial);

    serial->transmit_pending = 0;
    if (fifo->count >= serial_fifo_size(serial)) {
        /* Without a FIFO the holding register is overwritten, a full FIFO takes nothing. */
        if (serial_has_fifo(serial))
            return;
        fifo->count = 0;
    }
    fifo_put(fifo, byte);
    serial->lsr &= (uint8_t)~LSR_THR_EMPTY;
    if (fifo->count == 1 && now >= serial->shift_end) {
        serial_drain(serial);
        return;
    }
    if (!serial_waits(serial, now))
        pdm_timer_set(serial->device, serial->transmit_timer,
                      MAX(serial->shift_end, now) + (fifo->count - 1) * serial_shift_ns(serial));
    serial_update_irq(serial);
}

void
serial_clear_transmit(Serial *serial)
{
    serial->transmit.count = 0;
    serial->stalled_since = 0;
    pdm_timer_cancel(serial->device, serial->transmit_timer);
    if (!(serial->lsr & LSR_THR_EMPTY))
        serial->transmit_pending = 1;
    serial->lsr |= LSR_THR_EMPTY;
}

static void
serial_can_send(void *user)
{
    Serial *serial = user;

    if (serial->stalled_since)
        serial_drain(serial);
}

/* --- receiver --- */

static void
serial_arm_timeout(Serial *serial)
{
    bool waits = serial_has_fifo(serial) && serial->receive.count &&
                 serial->receive.count < serial_trigger(serial);

    serial->timeout_pending = 0;
    if (waits)
        pdm_timer_set(serial->device, serial->timeout_timer,
                      pdm_now(serial->device) + TIMEOUT_CHARACTERS * serial_character_ns(serial));
    else
        pdm_timer_cancel(serial->device, serial->timeout_timer);
}

static void
serial_timeout_expired(void *user)
{
    Serial *serial = user;

    serial->timeout_pending = serial->receive.count > 0;
    serial_update_irq(serial);
}

static void
serial_put_received(Serial *serial, uint8_t byte)
{
    if (serial->receive.count >= serial_fifo_size(serial)) {
        serial->lsr |= LSR_OVERRUN;
        if (serial_has_fifo(serial))
            return;
        serial->receive.count = 0;
    }
    fifo_put(&serial->receive, byte);
    serial->lsr |= LSR_DATA;
    serial_arm_timeout(serial);
    serial_update_irq(serial);
}

/* Asks the driver for more as soon as there is room and what came before has had its time. */
static void
serial_ask_for_more(Serial *serial)
{
    if (!serial->receive_wanted || serial->receive.count >= serial_fifo_size(serial) ||
        pdm_now(serial->device) < serial->receive_end)
        return;
    serial->receive_wanted = 0;
    if (serial->connector && serial->connector->receive_ready)
        serial->connector->receive_ready(serial->connector->user);
}

static void
serial_receive_expired(void *user)
{
    serial_ask_for_more(user);
}

uint8_t
serial_take_received(Serial *serial)
{
    uint8_t byte = 0;

    if (serial->receive.count)
        byte = fifo_take(&serial->receive);
    if (!serial->receive.count)
        serial->lsr &= (uint8_t)~LSR_DATA;
    serial_arm_timeout(serial);
    serial_ask_for_more(serial);
    serial_update_irq(serial);
    return byte;
}

void
serial_clear_receive(Serial *serial)
{
    serial->receive.count = 0;
    serial->lsr &= (uint8_t)~LSR_DATA;
    serial_arm_timeout(serial);
    serial_ask_for_more(serial);
}

static size_t
serial_can_receive(void *user)
{
    Serial *serial = user;
    uint64_t now = pdm_now(serial->device);
    unsigned size = serial_fifo_size(serial);
    unsigned room = serial->receive.count < size ? size - serial->receive.count : 0;

    if (serial->mcr & MCR_LOOP || now < serial->receive_end)
        room = 0;
    if (!room) {
        serial->receive_wanted = 1;
        if (now < serial->receive_end)
            pdm_timer_set(serial->device, serial->receive_timer, serial->receive_end);
    }
    return room;
}

static void
serial_receive(void *user, const uint8_t *data, size_t size)
{
    Serial *serial = user;

    if (serial->mcr & MCR_LOOP)
        return; /* the line is cut off */
    serial->receive_end = pdm_now(serial->device) + size * serial_character_ns(serial);
    for (size_t i = 0; i < size; i++)
        serial_put_received(serial, data[i]);
}

/* --- modem lines --- */

static uint8_t
serial_modem_inputs(const Serial *serial)
{
    uint8_t mcr = serial->mcr;

    if (mcr & MCR_LOOP)
        return (uint8_t)((mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
                         (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0));
    return serial->connected ? MSR_CTS | MSR_DSR | MSR_DCD : 0;
}

void
serial_update_modem(Serial *serial)
{
    uint8_t inputs = serial_modem_inputs(serial);
    uint8_t changed = inputs ^ (serial->msr & 0xf0);

    /* The ring indicator's delta is for its end only. */
    if (inputs & MSR_RI)
        changed &= (uint8_t)~MSR_RI;
    serial->msr = (uint8_t)((serial->msr & MSR_DELTAS) | inputs | changed >> 4);
    serial_update_irq(serial);
}

static void
serial_connected(void *user, bool connected)
{
    Serial *serial = user;

    serial->connected = connected;
    serial_update_modem(serial);
}

static char
serial_parity(const Serial *serial)
{
    if (!(serial->lcr & LCR_PARITY))
        return 'N';
    if (serial->lcr & LCR_STICK)
        return serial->lcr & LCR_EVEN ? 'S' : 'M';
    return serial->lcr & LCR_EVEN ? 'E' : 'O';
}

void
serial_tell_line(Serial *serial)
{
    const PdmCharConnector *connector = serial->connector;

    if (connector && connector->set_line)
        connector->set_line(connector->user, UART_CLOCK / 16 / MAX(serial->divisor, 1),
                            5 + (serial->lcr & LCR_BITS), serial_parity(serial),
                            serial->lcr & LCR_STOP ? 2 : 1);
}

void
serial_line_loaded(Serial *serial)
{
    const PdmCharConnector *connector = serial->connector;

    serial_tell_line(serial);
    if (connector && connector->set_modem)
        connector->set_modem(connector->user, serial->mcr & MCR_DTR, serial->mcr & MCR_RTS);
}

bool
serial_line_construct(Serial *serial, GError **error)
{
    const void *connector = NULL;
    PdmDevice *device = serial->device;

    serial->transmit_timer = pdm_timer_new(device, "transmit", serial_transmit_expired, serial);
    serial->receive_timer = pdm_timer_new(device, "receive", serial_receive_expired, serial);
    serial->timeout_timer = pdm_timer_new(device, "timeout", serial_timeout_expired, serial);
    serial->port = (PdmCharPort){serial, serial_can_receive, serial_receive, serial_connected,
                                 serial_can_send};
    if (!pdm_attach(device, 0, PDM_IF_CHAR, &serial->port, &connector, false, error))
        return false;
    serial->connector = connector;
    return true;
}
