/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sending with a PRO/1000 (section 3.3 to 3.5): the ring, legacy, context and data descriptors,
 * checksums, segmentation, VLAN tags. Segmentation and TCP checksums are left to what the frame is
 * sent to, which does them when it must. Left out: loopback, the low threshold's interrupt. */
#include "devices/drivers/network/frame/frame.h"
#include "devices/network/e1000-private.h"

enum {
    DESCRIPTOR_SIZE = 16,
    COMMAND_EOP = 1 << 0,
    COMMAND_IC = 1 << 2,  /* legacy */
    COMMAND_TSE = 1 << 2, /* extended */
    COMMAND_RS = 1 << 3,
    COMMAND_RPS = 1 << 4,
    COMMAND_DEXT = 1 << 5,
    COMMAND_VLE = 1 << 6,
    COMMAND_IDE = 1 << 7,
    STATUS_DONE = 1,
    OPTION_IP = 1 << 0,
    OPTION_TCP = 1 << 1,
    CONTEXT_TCP = 1 << 0,
    CONTEXT_IPV4 = 1 << 1,
    CONTEXT_TSE = 1 << 2,
    FRAME_MIN = 60,
    TAG_AT = 12,
    TAG_SIZE = 4,
    /* Room for a tag that is put in. */
    GATHER_MAX = PDM_NETWORK_FRAME_MAX - TAG_SIZE,
};

typedef struct {
    uint64_t low;
    uint32_t lengths; /* length, type, command */
    uint32_t status;  /* status, options or checksum start, special */
} Descriptor;

void
e1000_transmit_reset(E1000 *nic)
{
    E1000Transmit *tx = &nic->transmit;

    tx->size = 0;
    tx->started = tx->too_long = tx->held = 0;
}

/* --- what a frame wants --- */

/* A sum over part of the frame, put at a place, as the card does it. end: 0: the frame's. */
static void
insert_sum(E1000Transmit *tx, uint32_t start, uint32_t place, uint32_t end)
{
    const uint32_t stop = end == 0 || end >= tx->size ? tx->size : end + 1;

    if (start < stop && place + 2 <= tx->size)
        frame_store16(tx->frame + place, frame_checksum(tx->frame + start, stop - start, 0));
}

static void
want_checksum(E1000Transmit *tx, uint32_t start, uint32_t place, uint32_t end,
              PdmFrameOffload *offload)
{
    if (end != 0 || place < start || place + 2 > tx->size) {
        insert_sum(tx, start, place, end);
        return;
    }
    offload->needs_checksum = true;
    offload->checksum_start = (uint16_t)start;
    offload->checksum_offset = (uint16_t)(place - start);
}

static void
plain_offload(E1000Transmit *tx, PdmFrameOffload *offload)
{
    const E1000Context *context = &tx->plain;

    if ((tx->options & OPTION_IP) != 0)
        insert_sum(tx, context->ip_start, context->ip_offset, context->ip_end);
    if ((tx->options & OPTION_TCP) != 0)
        want_checksum(tx, context->tcp_start, context->tcp_offset, context->tcp_end, offload);
}

/* The headers are a pattern without lengths: they get those of the whole. False: they are not what
 * the context says. */
static bool
segment_offload(E1000Transmit *tx, PdmFrameOffload *offload)
{
    const E1000Context *context = &tx->segmented;
    const bool ipv4 = (context->command & CONTEXT_IPV4) != 0;
    const bool tcp = (context->command & CONTEXT_TCP) != 0;
    const uint32_t header = context->header_length, ip = context->ip_start;
    const uint32_t start = context->tcp_start, place = context->tcp_offset;
    uint8_t *frame = tx->frame;
    uint32_t length;
    uint16_t sum;

    if (header > tx->size || ip + (ipv4 ? 20u : 40u) > start || start + 8 > header ||
        place < start || place + 2u > header || context->segment_size == 0 ||
        tx->size - ip > UINT16_MAX)
        return false;
    frame_store16(frame + ip + (ipv4 ? 2 : 4), (uint16_t)(tx->size - ip - (ipv4 ? 0 : 40)));
    if (ipv4 && (tx->options & OPTION_IP) != 0) {
        frame_store16(frame + context->ip_offset, 0);
        insert_sum(tx, ip, context->ip_offset, start - 1);
    }
    length = tx->size - start;
    if (!tcp)
        frame_store16(frame + start + 4, (uint16_t)length);
    sum = frame_sum(frame + place, 2, length);
    frame_store16(frame + place, sum);
    offload->needs_checksum = (tx->options & OPTION_TCP) != 0;
    offload->checksum_start = (uint16_t)start;
    offload->checksum_offset = (uint16_t)(place - start);
    if (tx->size - header > context->segment_size) {
        offload->segment = !tcp ? PDM_SEGMENT_UDP : ipv4 ? PDM_SEGMENT_TCP4 : PDM_SEGMENT_TCP6;
        offload->segment_size = context->segment_size;
        offload->header_length = (uint16_t)header;
    }
    return true;
}

static bool
make_offload(E1000Transmit *tx, PdmFrameOffload *offload)
{
    *offload = (PdmFrameOffload){0};
    if (!tx->extended) {
        if ((tx->command & COMMAND_IC) != 0)
            insert_sum(tx, tx->checksum_start, tx->checksum_offset, 0);
        return true;
    }
    if ((tx->command & COMMAND_TSE) != 0)
        return segment_offload(tx, offload);
    plain_offload(tx, offload);
    return true;
}

/* --- the frame --- */

static void
count_sent(E1000 *nic, const uint8_t *frame, uint32_t size)
{
    e1000_count(nic, E1000_TPT);
    e1000_count(nic, E1000_GPTC);
    e1000_count_bytes(nic, E1000_GOTCL, size + 4);
    e1000_count_bytes(nic, E1000_TOTL, size + 4);
    if ((frame[0] & frame[1] & frame[2] & frame[3] & frame[4] & frame[5]) == 0xff)
        e1000_count(nic, E1000_BPTC);
    else if ((frame[0] & 1) != 0)
        e1000_count(nic, E1000_MPTC);
}

static bool
send_pieces(E1000 *nic, const PdmFrameOffload *offload)
{
    const E1000Transmit *tx = &nic->transmit;
    const uint32_t vlan_type = *e1000_reg(nic, E1000_VET);
    const uint8_t tag[TAG_SIZE] = {(uint8_t)(vlan_type >> 8), (uint8_t)vlan_type,
                                   (uint8_t)(tx->special >> 8), (uint8_t)tx->special};
    const PdmFramePiece whole = {tx->frame, tx->size};
    const PdmFramePiece tagged[] = {
        {tx->frame, TAG_AT}, {tag, TAG_SIZE}, {tx->frame + TAG_AT, tx->size - TAG_AT}};
    PdmFrameOffload shifted = *offload;

    if ((tx->command & COMMAND_VLE) == 0 || (*e1000_reg(nic, E1000_CTRL) & CTRL_VME) == 0)
        return nic->net->send(nic->net->user, &whole, 1, offload);
    shifted.checksum_start = (uint16_t)(shifted.checksum_start + TAG_SIZE);
    shifted.header_length = (uint16_t)(shifted.header_length + TAG_SIZE);
    return nic->net->send(nic->net->user, tagged, 3, &shifted);
}

/* False: there is no room; the frame is held until there is. */
static bool
send_frame(E1000 *nic)
{
    E1000Transmit *tx = &nic->transmit;
    PdmFrameOffload offload;
    const uint32_t size = tx->size;

    if (tx->too_long || size < 14 || nic->net == NULL) {
        if (tx->too_long)
            pdm_guest_error(nic->device, "e1000-long", "a frame is longer than any can be");
        e1000_transmit_reset(nic);
        return true;
    }
    if (size < FRAME_MIN) {
        memset(tx->frame + size, 0, FRAME_MIN - size);
        tx->size = FRAME_MIN;
    }
    if (!tx->held && !make_offload(tx, &tx->offload)) {
        pdm_guest_error(nic->device, "e1000-context", "a frame is not what its context says");
        e1000_transmit_reset(nic);
        return true;
    }
    offload = tx->offload;
    tx->held = !send_pieces(nic, &offload);
    if (tx->held)
        return false;
    if (offload.segment != PDM_SEGMENT_NONE)
        e1000_count(nic, E1000_TSCTC);
    count_sent(nic, tx->frame, tx->size);
    e1000_transmit_reset(nic);
    return true;
}

static void
gather(E1000 *nic, uint64_t gpa, uint32_t length)
{
    E1000Transmit *tx = &nic->transmit;

    if (tx->too_long || length > GATHER_MAX - tx->size) {
        tx->too_long = 1;
        return;
    }
    pdm_phys_read(nic->device, gpa, tx->frame + tx->size, length);
    tx->size += length;
}

/* --- descriptors --- */

static void
take_context(E1000 *nic, const Descriptor *descriptor)
{
    const uint32_t ip = (uint32_t)descriptor->low, tcp = (uint32_t)(descriptor->low >> 32);
    const E1000Context context = {
        .ip_start = (uint8_t)ip,
        .ip_offset = (uint8_t)(ip >> 8),
        .ip_end = (uint16_t)(ip >> 16),
        .tcp_start = (uint8_t)tcp,
        .tcp_offset = (uint8_t)(tcp >> 8),
        .tcp_end = (uint16_t)(tcp >> 16),
        .payload = descriptor->lengths & 0xfffff,
        .command = (uint8_t)(descriptor->lengths >> 24),
        .header_length = (uint8_t)(descriptor->status >> 8),
        .segment_size = (uint16_t)(descriptor->status >> 16),
    };

    if ((context.command & CONTEXT_TSE) != 0)
        nic->transmit.segmented = context;
    else
        nic->transmit.plain = context;
}

/* The first descriptor of a frame says what is done with it. */
static void
start_frame(E1000Transmit *tx, const Descriptor *descriptor, bool extended)
{
    tx->started = 1;
    tx->extended = extended;
    tx->command = (uint8_t)(descriptor->lengths >> 24);
    tx->options = extended ? (uint8_t)(descriptor->status >> 8) : 0;
    tx->checksum_offset = (uint8_t)(descriptor->lengths >> 16);
    tx->checksum_start = (uint8_t)(descriptor->status >> 8);
}

/* False: the frame that it ends had to be held. */
static bool
take_data(E1000 *nic, const Descriptor *descriptor)
{
    E1000Transmit *tx = &nic->transmit;
    const uint8_t command = (uint8_t)(descriptor->lengths >> 24);
    const bool extended = (command & COMMAND_DEXT) != 0;

    if (!tx->started)
        start_frame(tx, descriptor, extended);
    gather(nic, descriptor->low, descriptor->lengths & (extended ? 0xfffff : 0xffff));
    if ((command & COMMAND_EOP) == 0)
        return true;
    /* The tag is that of the last one. */
    tx->command = (uint8_t)((tx->command & ~COMMAND_VLE) | (command & COMMAND_VLE));
    tx->special = (uint16_t)(descriptor->status >> 16);
    return send_frame(nic);
}

/* Returns the causes of interrupts that it brings; *held: its frame waits. */
static uint32_t
run_descriptor(E1000 *nic, uint64_t at, bool *held, bool *delay)
{
    Descriptor descriptor;
    uint8_t command;

    pdm_phys_read(nic->device, at, &descriptor, sizeof(descriptor));
    descriptor.low = GUINT64_FROM_LE(descriptor.low);
    descriptor.lengths = GUINT32_FROM_LE(descriptor.lengths);
    descriptor.status = GUINT32_FROM_LE(descriptor.status);
    command = (uint8_t)(descriptor.lengths >> 24);
    if ((command & COMMAND_DEXT) != 0 && (descriptor.lengths >> 20 & 15) == 0)
        take_context(nic, &descriptor);
    else
        *held = !take_data(nic, &descriptor);
    if ((command & (COMMAND_RS | COMMAND_RPS)) == 0)
        return 0;
    const uint8_t status = (uint8_t)(descriptor.status | STATUS_DONE);

    pdm_phys_write(nic->device, at + 12, &status, 1);
    *delay = (command & COMMAND_IDE) != 0;
    return ICR_TXDW;
}

static void
run_ring(E1000 *nic)
{
    const uint32_t count = *e1000_reg(nic, E1000_TDLEN) / DESCRIPTOR_SIZE;
    const uint64_t base = e1000_ring(nic, E1000_TDBAL);
    uint32_t *head = e1000_reg(nic, E1000_TDH), causes = 0;
    bool held = false, delay = true;

    /* A tail outside of the ring is met never: one round is enough. */
    for (uint32_t i = 0; i < count && *head != *e1000_reg(nic, E1000_TDT) && !held; i++) {
        bool may_wait = true;

        if (*head >= count)
            *head = 0;
        causes |= run_descriptor(nic, base + (uint64_t)*head * DESCRIPTOR_SIZE, &held, &may_wait);
        delay = delay && may_wait;
        *head = *head + 1 < count ? *head + 1 : 0;
    }
    if (*head == *e1000_reg(nic, E1000_TDT))
        *e1000_reg(nic, E1000_ICR) |= ICR_TXQE;
    if ((causes & ICR_TXDW) != 0)
        e1000_raise_sent(nic, delay);
    e1000_update_interrupt(nic);
}

void
e1000_transmit(E1000 *nic)
{
    if (nic->transmitting || (*e1000_reg(nic, E1000_TCTL) & TCTL_EN) == 0)
        return;
    nic->transmitting = true;
    if (!nic->transmit.held || send_frame(nic))
        run_ring(nic);
    nic->transmitting = false;
}
