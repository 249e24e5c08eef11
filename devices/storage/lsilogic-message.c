/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Messages of the Fusion-MPT adapter that are no SCSI commands (MPI 1.2 chapters 3 to 5):
 * initialisation, facts, port, events. */
#include "devices/storage/lsilogic-private.h"

#include <string.h>

enum {
    FUNCTION_INIT = 0x02,
    FUNCTION_FACTS = 0x03,
    FUNCTION_CONFIG = 0x04,
    FUNCTION_PORT_FACTS = 0x05,
    FUNCTION_PORT_ENABLE = 0x06,
    FUNCTION_EVENTS = 0x07,
    FUNCTION_EVENT_ACK = 0x08,
    FUNCTION_SAS_CONTROL = 0x1b,
};

#define MPI_VERSION 0x0102u
#define MPI_VERSION_SAS 0x0105u
#define FIRMWARE_VERSION 0x01000000u
#define PROTOCOL_INITIATOR 0x08u
#define GENERIC_SIZE 20u

void
lsi_begin_reply(const uint8_t *message, uint32_t size, uint16_t status, uint8_t *reply)
{
    reply[2] = (uint8_t)(size / 4);
    reply[3] = message[3];
    reply[7] = message[7];
    memcpy(reply + 8, message + 8, 4);
    lsi_put16(reply + 0x0e, status);
}

static uint32_t
initialise(LsiAdapter *lsi, const uint8_t *message, uint8_t *reply)
{
    lsi->who_init = message[0] & 7;
    lsi->reply_frame_size = (uint16_t)(message[0x0c] | message[0x0d] << 8);
    lsi->frames_high = lsi_get32(message + 0x10);
    lsi->sense_high = lsi_get32(message + 0x14);
    lsi->state = LSI_STATE_OPERATIONAL;
    reply[0] = message[0];
    reply[5] = message[5];
    reply[6] = message[6];
    lsi_begin_reply(message, GENERIC_SIZE, LSI_OK, reply);
    return GENERIC_SIZE;
}

static uint32_t
targets(const LsiAdapter *lsi)
{
    return lsi->model->sas ? lsi->phys : LSI_TARGETS;
}

static uint32_t
tell_facts(const LsiAdapter *lsi, const uint8_t *message, uint8_t *reply)
{
    lsi_put16(reply, lsi->model->sas ? MPI_VERSION_SAS : MPI_VERSION);
    lsi_put16(reply + 0x04, 0x0100);
    reply[0x14] = 255; /* chained lists behind each other */
    reply[0x15] = lsi->who_init;
    reply[0x16] = 8; /* words in a block */
    lsi_put16(reply + 0x18, LSI_CREDITS);
    lsi_put16(reply + 0x1a, LSI_FRAME_SIZE / 4);
    lsi_put16(reply + 0x1e, lsi->model->product);
    lsi_put32(reply + 0x20, lsi->frames_high);
    lsi_put16(reply + 0x24, LSI_CREDITS);
    reply[0x26] = 1; /* port */
    reply[0x27] = (uint8_t)lsi->event_state;
    lsi_put32(reply + 0x28, lsi->sense_high);
    lsi_put16(reply + 0x2c, lsi->reply_frame_size);
    reply[0x2e] = (uint8_t)targets(lsi);
    reply[0x2f] = 1;
    lsi_put32(reply + 0x38, FIRMWARE_VERSION);
    lsi_begin_reply(message, 0x50, LSI_OK, reply);
    return 0x50;
}

static uint32_t
tell_port_facts(const LsiAdapter *lsi, const uint8_t *message, uint8_t *reply)
{
    reply[6] = message[6];
    if (message[6] == 0) {
        reply[0x15] = lsi->model->port_type;
        lsi_put16(reply + 0x16, targets(lsi));
        lsi_put16(reply + 0x18, targets(lsi)); /* the adapter's own number: none of its targets' */
        lsi_put16(reply + 0x1a, PROTOCOL_INITIATOR);
        lsi_put16(reply + 0x1c, LSI_CREDITS);
    }
    lsi_begin_reply(message, 0x28, LSI_OK, reply);
    return 0x28;
}

/* Events are switched, and none happens. */
static uint32_t
switch_events(LsiAdapter *lsi, const uint8_t *message, uint8_t *reply)
{
    lsi->event_state = message[0] & 1;
    lsi_put16(reply, 1);           /* words of data */
    lsi_put32(reply + 0x14, 0x0a); /* the switch itself */
    reply[0x1c] = (uint8_t)lsi->event_state;
    lsi_begin_reply(message, 0x20, LSI_OK, reply);
    return 0x20;
}

uint32_t
lsi_message(LsiAdapter *lsi, const uint8_t *message, uint8_t reply[LSI_REPLY_SIZE])
{
    switch (message[3]) {
    case FUNCTION_INIT: return initialise(lsi, message, reply);
    case FUNCTION_FACTS: return tell_facts(lsi, message, reply);
    case FUNCTION_CONFIG: return lsi_configure(lsi, message, reply);
    case FUNCTION_PORT_FACTS: return tell_port_facts(lsi, message, reply);
    case FUNCTION_EVENTS: return switch_events(lsi, message, reply);
    case FUNCTION_PORT_ENABLE:
        reply[6] = message[6];
        lsi_begin_reply(message, GENERIC_SIZE, LSI_OK, reply);
        return GENERIC_SIZE;
    case FUNCTION_EVENT_ACK:
        lsi_begin_reply(message, GENERIC_SIZE, LSI_OK, reply);
        return GENERIC_SIZE;
    case FUNCTION_SAS_CONTROL:
        if (lsi->model->sas) {
            /* Phys are always up, and nothing is remembered of devices that have gone. */
            reply[0] = message[0];
            memcpy(reply + 4, message + 4, 2);
            lsi_begin_reply(message, GENERIC_SIZE, LSI_OK, reply);
            return GENERIC_SIZE;
        }
        G_GNUC_FALLTHROUGH;
    default:
        pdm_guest_error(lsi->device, "lsi-function", "function %02x is not known", message[3]);
        lsi_begin_reply(message, GENERIC_SIZE, LSI_INVALID_FUNCTION, reply);
        return GENERIC_SIZE;
    }
}
