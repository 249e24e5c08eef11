/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The system interface of the Fusion-MPT adapter: doorbell, interrupts, queues (MPI 1.2 chapter
 * 2). */
#include "devices/storage/lsilogic-private.h"

#include <string.h>

enum {
    REG_DOORBELL = 0x00,
    REG_SEQUENCE = 0x04,
    REG_DIAGNOSTIC = 0x08,
    REG_STATUS = 0x30,
    REG_MASK = 0x34,
    REG_REQUESTS = 0x40,
    REG_REPLIES = 0x44,
};

enum {
    DOORBELL_UNIT_RESET = 0x40,
    DOORBELL_IO_RESET = 0x41,
    DOORBELL_HANDSHAKE = 0x42,
    STATUS_DOORBELL = 0x01,
    STATUS_REPLY = 0x08,
    DIAGNOSTIC_RESET = 0x04,
    DIAGNOSTIC_OPEN = 0x80,
};

#define DOORBELL_ACTIVE (1u << 27)
#define NO_REPLY 0xffffffffu
#define FAULT_NO_FRAMES 0x0007u
#define ADDRESS_REPLY (1u << 31)

/* --- queues --- */

bool
lsi_fifo_push(LsiFifo *fifo, uint32_t value)
{
    if (fifo->count == LSI_FIFO)
        return false;
    fifo->entries[(fifo->head + fifo->count++) % LSI_FIFO] = value;
    return true;
}

bool
lsi_fifo_pop(LsiFifo *fifo, uint32_t *value)
{
    if (fifo->count == 0)
        return false;
    *value = fifo->entries[fifo->head];
    fifo->head = (fifo->head + 1) % LSI_FIFO;
    fifo->count--;
    return true;
}

void
lsi_update_irq(LsiAdapter *lsi)
{
    if (lsi->replies.count > 0)
        lsi->interrupts |= STATUS_REPLY;
    else
        lsi->interrupts &= ~(uint32_t)STATUS_REPLY;
    pdm_pci_irq(lsi->device, lsi->pci, (lsi->interrupts & ~lsi->mask) != 0);
}

static void
enter_fault(LsiAdapter *lsi, uint32_t code)
{
    pdm_guest_error(lsi->device, "lsi-fault", "the adapter stops with fault %04x", code);
    lsi->state = LSI_STATE_FAULT;
    lsi->fault = code;
}

void
lsi_reply_context(LsiAdapter *lsi, uint32_t context)
{
    if (!lsi_fifo_push(&lsi->replies, context & ~ADDRESS_REPLY))
        enter_fault(lsi, FAULT_NO_FRAMES);
    lsi_update_irq(lsi);
}

void
lsi_reply_frame(LsiAdapter *lsi, const uint8_t *reply, uint32_t size)
{
    uint32_t frame;

    if (!lsi_fifo_pop(&lsi->free_frames, &frame) ||
        !lsi_fifo_push(&lsi->replies, frame >> 1 | ADDRESS_REPLY)) {
        enter_fault(lsi, FAULT_NO_FRAMES);
        return;
    }
    pdm_phys_write(lsi->device, (uint64_t)lsi->frames_high << 32 | frame, reply,
                   MIN(size, lsi->reply_frame_size));
    lsi_update_irq(lsi);
}

void
lsi_reset_unit(LsiAdapter *lsi)
{
    drive_jobs_drop(&lsi->jobs);
    lsi->state = LSI_STATE_READY;
    lsi->fault = 0;
    lsi->interrupts = 0;
    lsi->who_init = 0;
    lsi->reply_frame_size = 0;
    lsi->frames_high = lsi->sense_high = lsi->event_state = 0;
    lsi->in_doorbell = false;
    lsi->expected = lsi->received = lsi->answer_size = lsi->answer_read = 0;
    memset(&lsi->requests, 0, sizeof(lsi->requests));
    memset(&lsi->free_frames, 0, sizeof(lsi->free_frames));
    memset(&lsi->replies, 0, sizeof(lsi->replies));
    memset(lsi->running, 0, sizeof(lsi->running));
    for (unsigned i = 0; i < LSI_TARGETS; i++)
        scsi_unit_reset(&lsi->targets[i].unit);
    lsi_update_irq(lsi);
}

/* --- the doorbell --- */

static void
ring(LsiAdapter *lsi)
{
    lsi->interrupts |= STATUS_DOORBELL;
    lsi_update_irq(lsi);
}

static void
begin_handshake(LsiAdapter *lsi, uint32_t value)
{
    uint32_t words = value >> 16 & 0xff;

    if (words == 0 || words > LSI_HANDSHAKE_WORDS) {
        pdm_guest_error(lsi->device, "lsi-handshake", "a message of %u words at the doorbell",
                        words);
        return;
    }
    memset(lsi->handshake, 0, sizeof(lsi->handshake));
    lsi->in_doorbell = true;
    lsi->expected = words;
    lsi->received = lsi->answer_size = lsi->answer_read = 0;
    ring(lsi);
}

static void
take_word(LsiAdapter *lsi, uint32_t value)
{
    lsi->handshake[lsi->received++] = GUINT32_TO_LE(value);
    if (lsi->received < lsi->expected)
        return;
    if (lsi_manage_tasks(lsi, (const uint8_t *)lsi->handshake)) {
        lsi->in_doorbell = false;
        ring(lsi);
        return;
    }
    memset(lsi->answer, 0, sizeof(lsi->answer));
    lsi->answer_size = lsi_message(lsi, (const uint8_t *)lsi->handshake, lsi->answer);
    ring(lsi);
}

static void
write_doorbell(LsiAdapter *lsi, uint32_t value)
{
    if (lsi->in_doorbell && lsi->received < lsi->expected) {
        take_word(lsi, value);
        return;
    }
    switch (value >> 24) {
    case DOORBELL_UNIT_RESET:
    case DOORBELL_IO_RESET: lsi_reset_unit(lsi); break;
    case DOORBELL_HANDSHAKE: begin_handshake(lsi, value); break;
    default: break;
    }
}

static uint32_t
read_doorbell(LsiAdapter *lsi)
{
    uint32_t value = lsi->state << 28 | (lsi->in_doorbell ? DOORBELL_ACTIVE : 0);

    if (lsi->state == LSI_STATE_FAULT)
        return value | lsi->fault;
    if (lsi->in_doorbell && lsi->answer_read < lsi->answer_size) {
        value |= lsi->answer[lsi->answer_read] | (uint32_t)lsi->answer[lsi->answer_read + 1] << 8;
        lsi->answer_read += 2;
    }
    return value | (uint32_t)lsi->who_init << 24;
}

/* Each half-word of an answer has an interrupt of its own, and so has its end. */
static void
clear_doorbell(LsiAdapter *lsi)
{
    lsi->interrupts &= ~(uint32_t)STATUS_DOORBELL;
    if (lsi->in_doorbell && lsi->answer_size > 0) {
        if (lsi->answer_read >= lsi->answer_size)
            lsi->in_doorbell = false;
        lsi->interrupts |= STATUS_DOORBELL;
    }
    lsi_update_irq(lsi);
}

/* Five keys in a row open the diagnostic register. */
static void
write_sequence(LsiAdapter *lsi, uint32_t value)
{
    static const uint8_t keys[] = {0x4, 0xb, 0x2, 0x7, 0xd};

    lsi->sequence = (value & 0xf) == keys[lsi->sequence] ? lsi->sequence + 1 : 0;
    if (lsi->sequence == G_N_ELEMENTS(keys))
        lsi->diagnostic |= DIAGNOSTIC_OPEN;
    lsi->sequence %= G_N_ELEMENTS(keys);
    if ((value & 0xf) == 0 || (value & 0xf) == 0xf)
        lsi->diagnostic &= ~(uint32_t)DIAGNOSTIC_OPEN;
}

static void
write_diagnostic(LsiAdapter *lsi, uint32_t value)
{
    if ((lsi->diagnostic & DIAGNOSTIC_OPEN) == 0 || (value & DIAGNOSTIC_RESET) == 0)
        return;
    lsi->diagnostic = 0;
    lsi_reset_unit(lsi);
}

/* --- registers --- */

static uint32_t
read_reply(LsiAdapter *lsi)
{
    uint32_t value = NO_REPLY;

    lsi_fifo_pop(&lsi->replies, &value);
    lsi_update_irq(lsi);
    return value;
}

static uint32_t
read_register(LsiAdapter *lsi, uint32_t offset)
{
    switch (offset) {
    case REG_DOORBELL: return read_doorbell(lsi);
    case REG_DIAGNOSTIC: return lsi->diagnostic;
    case REG_STATUS: return lsi->interrupts;
    case REG_MASK: return lsi->mask;
    case REG_REPLIES: return read_reply(lsi);
    default: return 0;
    }
}

static void
write_register(LsiAdapter *lsi, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case REG_DOORBELL: write_doorbell(lsi, value); break;
    case REG_SEQUENCE: write_sequence(lsi, value); break;
    case REG_DIAGNOSTIC: write_diagnostic(lsi, value); break;
    case REG_STATUS: clear_doorbell(lsi); break;
    case REG_MASK:
        lsi->mask = value & (STATUS_DOORBELL | STATUS_REPLY);
        lsi_update_irq(lsi);
        break;
    case REG_REQUESTS:
        if (lsi->state == LSI_STATE_OPERATIONAL && lsi_fifo_push(&lsi->requests, value & ~3u))
            lsi_run(lsi);
        break;
    case REG_REPLIES: lsi_fifo_push(&lsi->free_frames, value & ~1u); break;
    default: break;
    }
}

static uint64_t
mmio_read(void *user, uint64_t offset, unsigned size)
{
    return read_register(user, (uint32_t)offset);
}

static void
mmio_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    write_register(user, (uint32_t)offset, (uint32_t)value);
}

static uint32_t
port_read(void *user, uint32_t offset, unsigned size)
{
    return read_register(user, offset);
}

static void
port_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    write_register(user, offset, value);
}

const IomMmioOps lsi_mmio_ops = {
    .read = mmio_read,
    .write = mmio_write,
    .min_size = 4,
    .max_size = 4,
};

const IomPortOps lsi_port_ops = {
    .read = port_read,
    .write = port_write,
    .sizes = 4,
};
