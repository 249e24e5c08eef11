/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the serial port share: one 16450, 16550A or 16750 UART. National Semiconductor
 * PC16550D data sheet (TL/C/8652), Texas Instruments TL16C750 data sheet (SLLS191). */
#pragma once

#include "vmm/pdm/pdm.h"

#define UART_FIFO_MAX 64

typedef enum { UART_16450, UART_16550A, UART_16750, UART_TYPES } UartType;

enum {
    IER_RECEIVE = 0x01,
    IER_TRANSMIT = 0x02,
    IER_LINE = 0x04,
    IER_MODEM = 0x08,
};

enum {
    FCR_ENABLE = 0x01,
    FCR_CLEAR_RECEIVE = 0x02,
    FCR_CLEAR_TRANSMIT = 0x04,
    FCR_64 = 0x20,
};

enum {
    LCR_BITS = 0x03,
    LCR_STOP = 0x04,
    LCR_PARITY = 0x08,
    LCR_EVEN = 0x10,
    LCR_STICK = 0x20,
    LCR_BREAK = 0x40,
    LCR_DIVISOR = 0x80,
};

enum {
    MCR_DTR = 0x01,
    MCR_RTS = 0x02,
    MCR_OUT1 = 0x04,
    MCR_OUT2 = 0x08,
    MCR_LOOP = 0x10,
    MCR_AUTO_FLOW = 0x20,
};

enum {
    LSR_DATA = 0x01,
    LSR_OVERRUN = 0x02,
    LSR_ERRORS = 0x1e,
    LSR_THR_EMPTY = 0x20,
    LSR_IDLE = 0x40,
};

enum {
    MSR_DELTA_CTS = 0x01,
    MSR_DELTA_DSR = 0x02,
    MSR_DELTA_RI = 0x04,
    MSR_DELTA_DCD = 0x08,
    MSR_DELTAS = 0x0f,
    MSR_CTS = 0x10,
    MSR_DSR = 0x20,
    MSR_RI = 0x40,
    MSR_DCD = 0x80,
};

typedef struct {
    uint8_t data[UART_FIFO_MAX];
    uint32_t head, count;
} UartFifo;

typedef struct {
    PdmDevice *device;
    IomPorts *ports;
    TmTimer *transmit_timer, *receive_timer, *timeout_timer;
    PdmCharPort port;
    const PdmCharConnector *connector; /* NULL: nothing is plugged in */
    UartType type;
    uint32_t irq;

    uint8_t ier, fcr, lcr, mcr, lsr, msr, scratch;
    uint16_t divisor;
    uint8_t connected;        /* somebody is at the other end */
    uint8_t transmit_pending; /* the "transmitter empty" interrupt */
    uint8_t timeout_pending;  /* the "character timeout" interrupt */
    uint8_t receive_wanted;   /* the driver was refused and waits for receive_ready */
    uint64_t shift_end;       /* when the transmitter's shift register is empty, ns */
    uint64_t stalled_since;   /* when the driver stopped taking bytes, 0: it takes them */
    uint64_t receive_end;     /* when the bytes that came last have arrived, ns */
    UartFifo transmit, receive;
} Serial;

/* serial.c: recomputes the interrupt. */
void serial_update_irq(Serial *serial);

/* serial-line.c */
bool serial_has_fifo(const Serial *serial);
unsigned serial_fifo_size(const Serial *serial);
/* How many received bytes raise the interrupt. */
unsigned serial_trigger(const Serial *serial);
void serial_transmit(Serial *serial, uint8_t byte);
/* Does what the line has had the time for. */
void serial_catch_up(Serial *serial);
uint8_t serial_take_received(Serial *serial);
void serial_clear_transmit(Serial *serial);
void serial_clear_receive(Serial *serial);
/* Takes the modem lines of the other end, or of loop-back, over into the status register. */
void serial_update_modem(Serial *serial);
/* The driver is told about the line's parameters. */
void serial_tell_line(Serial *serial);
bool serial_line_construct(Serial *serial, GError **error);
/* Derived state after a load. */
void serial_line_loaded(Serial *serial);
